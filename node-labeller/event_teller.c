/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/event_teller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/kubernetes/kube_event.h"
#include "api/kubernetes/kube_path.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "node-labeller/plan.h"

#define COMPONENT "events"
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 300000

struct event_teller {
	const struct publisher_setup *setup;
	struct kube_client *client;
	struct notices notices;
	struct kube_call *call;
	struct notice_entry *entry; /* that @call tells; NULL without a call */
	uint32_t count;		    /* of the entry when the call began */
	bool complained;
	struct backoff retry;
	struct loop_source *timer;
};

static void tell_next(struct event_teller *teller);

static struct kube_event event_of(const struct event_teller *teller)
{
	const struct notice_entry *entry = teller->entry;

	return (struct kube_event) { .node = teller->setup->node_name,
				     .component = PLAN_MANAGER,
				     .instance = teller->setup->node_name,
				     .warning = entry->warning,
				     .reason = entry->reason,
				     .message = entry->message,
				     .first_s = entry->first_s,
				     .last_s = entry->last_s,
				     .count = entry->count };
}

static void wait_a_while(struct event_teller *teller, uint32_t at_least_ms)
{
	uint32_t pause_ms = backoff_next_ms(&teller->retry, random_u32());

	(void)loop_timer_set(teller->timer, MAX(pause_ms, at_least_ms), 0);
}

/* An event that cannot be told is lost: the log has it, too. */
static void give_up(struct event_teller *teller, const char *why)
{
	if (!teller->complained)
		log_warning(COMPONENT, "an event was not accepted: %s", why);
	teller->complained = true;
	notices_told(teller->entry, teller->count, clock_ms());
}

/* The server drops events after an hour: then it is created again. */
static void take_outcome(struct event_teller *teller, const struct kube_answer *answer)
{
	struct notice_entry *entry = teller->entry;
	enum kube_outcome outcome = kube_answer_outcome(answer);

	if (outcome == KUBE_OK || (outcome == KUBE_CONFLICT && !entry->created)) {
		entry->created = true;
		notices_told(entry, teller->count, clock_ms());
	} else if (outcome == KUBE_NOT_FOUND && entry->created) {
		entry->created = false;
		entry->name[0] = '\0';
		entry->told_ms = 0;
	} else {
		give_up(teller, answer->err.msg);
	}
}

static void on_told(void *ctx, const struct kube_answer *answer)
{
	struct event_teller *teller = ctx;
	_cleanup_(kube_call_freep) _unused_ struct kube_call *call = TAKE_PTR(teller->call);
	enum kube_outcome outcome = kube_answer_outcome(answer);
	bool again = outcome == KUBE_RETRY || outcome == KUBE_UNAUTHORIZED;

	telemetry_published(teller->setup->telemetry, TELEMETRY_EVENT, outcome == KUBE_OK);
	if (!again)
		take_outcome(teller, answer);
	teller->entry->telling = false;
	teller->entry = NULL;
	if (again) {
		wait_a_while(teller, answer->retry_after_ms);
		return;
	}
	backoff_reset(&teller->retry);
	tell_next(teller);
}

/* The first time it is created, later its count is raised.  An attempt whose end is not
 * known is made under the same name again, so there are no two of it. */
static int make_request(struct event_teller *teller, struct kube_request *request,
			struct strbuf *path, char **body, struct error *err)
{
	const struct kube_event event = event_of(teller);
	struct notice_entry *entry = teller->entry;
	int r;

	if (entry->name[0] == '\0')
		kube_event_name(event.node, clock_ns() ^ (uint64_t)random_u32() << 32, entry->name);
	r = entry->created ? kube_event_raise(&event, body, err)
			   : kube_event_create(entry->name, &event, body, err);
	if (r == 0)
		r = kube_path_event(KUBE_EVENT_NAMESPACE, entry->created ? entry->name : NULL,
				    PLAN_MANAGER, path, err);
	if (r < 0)
		return r;
	*request = (struct kube_request) { .method = entry->created ? "PATCH" : "POST",
					   .path = strbuf_str(path),
					   .content_type =
						   entry->created ? KUBE_MERGE_PATCH : KUBE_JSON,
					   .body = *body,
					   .body_len = strlen(*body) };
	return 0;
}

static void tell(struct event_teller *teller, struct notice_entry *entry)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	_cleanup_free_ char *body = NULL;
	struct kube_request request;
	struct error err = { 0 };
	int r;

	teller->entry = entry;
	teller->count = entry->count;
	r = make_request(teller, &request, &path, &body, &err);
	if (r < 0)
		give_up(teller, error_text(&err, r));
	else if (kube_call_start(teller->client, &request, on_told, teller, &teller->call, &err) ==
		 0)
		entry->telling = true;
	if (entry->telling)
		return;
	/* A token that cannot be read may be there the next time. */
	teller->entry = NULL;
	wait_a_while(teller, 0);
}

static void tell_next(struct event_teller *teller)
{
	struct notice_entry *entry;
	uint32_t wait_ms;

	if (teller->call)
		return;
	entry = notices_next(&teller->notices, clock_ms(), &wait_ms);
	if (entry)
		tell(teller, entry);
	else if (wait_ms != UINT32_MAX)
		(void)loop_timer_set(teller->timer, wait_ms, 0);
}

static void on_timer(void *ctx)
{
	tell_next(ctx);
}

void event_teller_note(struct event_teller *teller, const struct notice *notice)
{
	notices_note(&teller->notices, notice, clock_ms(), (int64_t)time(NULL));
	tell_next(teller);
}

void event_teller_note_changes(struct event_teller *teller, const struct snapshot *before,
			       const struct snapshot *after)
{
	notices_note_changes(&teller->notices, before, after, clock_ms(), (int64_t)time(NULL));
	tell_next(teller);
}

int event_teller_new(const struct publisher_setup *setup, struct kube_client *client,
		     struct event_teller **ret, struct error *err)
{
	_cleanup_(event_teller_freep) struct event_teller *teller = calloc(1, sizeof(*teller));
	int r;

	if (!teller)
		return error_set(err, ENOMEM, "no memory for events");
	teller->setup = setup;
	teller->client = client;
	teller->retry = (struct backoff) { .min_ms = RETRY_MIN_MS, .max_ms = RETRY_MAX_MS };
	r = loop_add_timer(setup->loop, on_timer, teller, &teller->timer, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(teller);
	return 0;
}

void event_teller_free(struct event_teller *teller)
{
	if (!teller)
		return;
	kube_call_free(teller->call);
	loop_source_free(teller->timer);
	free(teller);
}
