/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request at a time:
 *
 *	read --> free, run out or absent --> write --> leads --> write --> ...
 *	  ^                                    |         after each pause
 *	  |-- held by another: pause           |
 *	  '-- conflict or failure: pause <-----'
 *
 * A timer of its own ends the lead at the deadline, whatever a request does.
 */
#include "reservoir/writer/lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/kubernetes/kube_lease.h"
#include "api/kubernetes/kube_path.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "reservoir/writer/election.h"

#define SECOND_MS 1000U
#define RELEASE_TIMEOUT_MS 2000U  /* the others wait no longer than that for less */
#define LEASE_BODY_MAX (1U << 20) /* bytes: a lease has one kilobyte */

struct lease {
	struct lease_setup setup;
	struct election election;
	struct json_t *object; /* as the server gave it last; NULL when it is to be read */
	struct kube_call *call;
	struct kube_lease sent; /* by @call, when it writes */
	uint64_t sent_ms;
	struct loop_source *look;     /* next read or renewal */
	struct loop_source *deadline; /* of the lead */
	void (*released)(void *ctx);  /* called when @call is over */
	char told[ERROR_TEXT_MAX];
};

static int64_t wall_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void report(struct lease *lease, const char *text)
{
	if (error_is_news(lease->told, text) && text[0])
		lease->setup.problem(lease->setup.ctx, text);
}

static void set_object(struct lease *lease, struct json_t *object)
{
	kube_object_free(lease->object);
	lease->object = object;
}

/* Replicas that wait do not ask in step. */
static void look_later(struct lease *lease)
{
	uint32_t pause_ms = election_retry_ms(&lease->election);

	if (!lease->election.leading)
		pause_ms += random_u32() % (pause_ms / 5 + 1);
	(void)loop_timer_set(lease->look, pause_ms, 0);
}

static void tell_change(struct lease *lease, bool was_leading)
{
	if (was_leading != lease->election.leading && !lease->released)
		lease->setup.changed(lease->setup.ctx, lease->election.leading);
}

static void stop_leading(void *ctx)
{
	struct lease *lease = ctx;
	bool was_leading = lease->election.leading;

	(void)election_check(&lease->election, clock_ms());
	tell_change(lease, was_leading);
}

static void set_deadline(struct lease *lease)
{
	uint64_t now = clock_ms(), at = election_deadline_ms(&lease->election);

	(void)loop_timer_set(lease->deadline, at > now ? (uint32_t)(at - now) : 0, 0);
}

static int start(struct lease *lease, const char *method, char *body, kube_answer_fn done,
		 struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	bool creates = strcmp(method, "POST") == 0;
	int r;

	r = kube_path_lease(lease->setup.namespace_, creates ? NULL : lease->setup.name, &path,
			    err);
	if (r < 0)
		return r;
	kube_call_free(TAKE_PTR(lease->call));
	return kube_call_start(
		lease->setup.client,
		&(struct kube_request) {
			.method = method,
			.path = strbuf_str(&path),
			.content_type = body ? KUBE_JSON : NULL,
			.body = body,
			.body_len = body ? strlen(body) : 0,
			.timeout_ms = lease->released ? RELEASE_TIMEOUT_MS
						      : lease->setup.duration_s * SECOND_MS / 3,
			.body_max = LEASE_BODY_MAX,
		},
		done, lease, &lease->call, err);
}

static int keep_answer(struct lease *lease, const struct kube_answer *answer, struct error *err)
{
	struct json_t *object = NULL;
	int r = kube_object_parse(answer->body, answer->len, &object, err);

	if (r == 0)
		set_object(lease, object);
	return r;
}

static void on_written(void *ctx, const struct kube_answer *answer)
{
	struct lease *lease = ctx;
	enum kube_outcome outcome = kube_answer_outcome(answer);
	bool was_leading = lease->election.leading;
	struct error err = answer->err;

	/* What was accepted counts even if the answer makes no sense. */
	if (outcome == KUBE_OK) {
		election_wrote(&lease->election, &lease->sent, lease->sent_ms);
		set_deadline(lease);
	}
	if (outcome != KUBE_OK || keep_answer(lease, answer, &err) < 0)
		set_object(lease, NULL);
	report(lease, outcome == KUBE_OK || outcome == KUBE_CONFLICT ? "" : err.msg);
	look_later(lease);
	tell_change(lease, was_leading);
}

static void write_lease(struct lease *lease, enum election_wish wish)
{
	_cleanup_free_ char *body = NULL;
	struct error err = { 0 };
	int r;

	if (wish == ELECTION_CREATE)
		r = kube_lease_create(lease->setup.namespace_, lease->setup.name, &lease->sent,
				      &body, &err);
	else
		r = kube_lease_update(lease->object, &lease->sent, &body, &err);
	if (r == 0)
		r = start(lease, wish == ELECTION_CREATE ? "POST" : "PUT", body, on_written, &err);
	if (r == 0)
		return;
	report(lease, error_text(&err, r));
	set_object(lease, NULL);
	look_later(lease);
}

static void decide(struct lease *lease)
{
	uint64_t now = clock_ms();
	enum election_wish wish = election_wish(&lease->election, now, wall_us(), &lease->sent);

	lease->sent_ms = now;
	if (wish == ELECTION_WAIT)
		look_later(lease);
	else
		write_lease(lease, wish);
}

static int take_in(struct lease *lease, const struct kube_answer *answer, struct error *err)
{
	struct kube_lease seen;
	int r;

	if (kube_answer_outcome(answer) == KUBE_NOT_FOUND) {
		election_saw(&lease->election, NULL, clock_ms());
		return 0;
	}
	if (kube_answer_outcome(answer) != KUBE_OK) {
		*err = answer->err;
		return -EIO;
	}
	r = keep_answer(lease, answer, err);
	if (r == 0)
		r = kube_lease_read(lease->object, &seen, err);
	if (r == 0)
		election_saw(&lease->election, &seen, clock_ms());
	return r;
}

static void on_read(void *ctx, const struct kube_answer *answer)
{
	struct lease *lease = ctx;
	bool was_leading = lease->election.leading;
	struct error err = { 0 };

	if (take_in(lease, answer, &err) < 0) {
		set_object(lease, NULL);
		report(lease, err.msg);
		look_later(lease);
		return;
	}
	report(lease, "");
	decide(lease);
	tell_change(lease, was_leading);
}

/* Who leads writes over what it has seen last, and reads only after a conflict. */
static void look(void *ctx)
{
	struct lease *lease = ctx;
	struct error err = { 0 };
	int r;

	if (lease->election.leading && lease->object) {
		decide(lease);
		return;
	}
	r = start(lease, "GET", NULL, on_read, &err);
	if (r == 0)
		return;
	report(lease, error_text(&err, r));
	look_later(lease);
}

static int set_up(struct lease *lease, struct error *err)
{
	int r = loop_add_timer(lease->setup.loop, look, lease, &lease->look, err);

	if (r == 0)
		r = loop_add_timer(lease->setup.loop, stop_leading, lease, &lease->deadline, err);
	return r == 0 ? loop_timer_set(lease->look, 0, 0) : r;
}

int lease_new(const struct lease_setup *setup, struct lease **ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	_cleanup_(lease_freep) struct lease *lease = NULL;
	int r;

	r = kube_path_lease(setup->namespace_, setup->name, &path, err);
	if (r < 0)
		return r;
	if (!setup->identity[0] || strlen(setup->identity) >= KUBE_LEASE_HOLDER_SIZE)
		return error_set(err, EINVAL, "the identity of a writer has 1 to %d bytes",
				 KUBE_LEASE_HOLDER_SIZE - 1);
	lease = calloc(1, sizeof(*lease));
	if (!lease)
		return error_set(err, ENOMEM, "no memory for a lease");
	lease->setup = *setup;
	lease->election.identity = setup->identity;
	lease->election.duration_s = setup->duration_s;
	r = set_up(lease, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(lease);
	return 0;
}

void lease_free(struct lease *lease)
{
	int saved_errno = errno;

	if (!lease)
		return;
	kube_call_free(lease->call);
	kube_object_free(lease->object);
	loop_source_free(lease->look);
	loop_source_free(lease->deadline);
	free(lease);
	errno = saved_errno;
}

static void on_released(void *ctx, const struct kube_answer *answer)
{
	struct lease *lease = ctx;

	if (kube_answer_outcome(answer) != KUBE_OK)
		report(lease, answer->err.msg);
	lease->released(lease->setup.ctx);
}

static void release_nothing(void *ctx)
{
	struct lease *lease = ctx;

	lease->released(lease->setup.ctx);
}

void lease_release(struct lease *lease, void (*done)(void *ctx))
{
	_cleanup_free_ char *body = NULL;
	struct error err = { 0 };
	bool writes;

	lease->released = done;
	loop_timer_stop(lease->look);
	loop_timer_stop(lease->deadline);
	kube_call_free(TAKE_PTR(lease->call));
	writes = election_release(&lease->election, wall_us(), &lease->sent) && lease->object &&
		 kube_lease_update(lease->object, &lease->sent, &body, &err) == 0 &&
		 start(lease, "PUT", body, on_released, &err) == 0;
	if (!writes && loop_post(lease->setup.loop, release_nothing, lease) < 0)
		done(lease->setup.ctx);
}
