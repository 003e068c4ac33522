/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	read the node --> plan --> send --> its answer is the node anew --> plan ...
 *	      ^                                                               |
 *	      '-- watch: somebody has changed it <-- nothing left to do <-----'
 *
 * One request at a time changes the node, another one tells events.  What fails is tried
 * again, with growing pauses; what is forbidden is said once, left out, and tried again
 * after the interval, so that a rule that was missing is noticed without a restart.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_watch.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "node-labeller/event_teller.h"
#include "node-labeller/plan.h"
#include "node-labeller/publisher.h"

#define COMPONENT "api"
#define USER_AGENT "silica-node-labeller/" SILICA_VERSION

/* A server that is away is asked again within a minute of its return. */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 60000
/* Somebody who writes the same labels as we do must not make both of us busy. */
#define CONTEST_MIN_MS 250
#define CONTEST_MAX_MS 60000
/* After so long without a contest the next one is answered at once. */
#define CONTEST_QUIET_MS 300000
/* A watch that has lived for so long was one; after another there is a pause. */
#define WATCH_LIVED_MS 10000
/* When a server goes, the watches of all nodes end in the same moment. */
#define WATCH_JITTER_MS 1000

struct api_publisher {
	struct publisher base;
	struct publisher_setup setup;
	struct kube_client *client;
	struct kube_client *own_client; /* the same, unless it is borrowed */
	struct event_teller *teller;
	struct picture picture;
	bool has_picture;
	struct json_t *node; /* as last seen; NULL when it is to be read */
	struct json_t *seen; /* what the watch has told while @call was under way; or NULL */
	bool gone;	     /* it has told that the node was deleted */
	struct kube_call *call;
	struct kube_watch *watch;
	uint64_t watch_ms;	 /* when it began */
	uint64_t watch_after_ms; /* no watch is begun before */
	struct backoff watch_retry;
	bool no_watch; /* it is forbidden; the node is read after every interval */
	bool said_no_watch;
	enum plan_step step; /* that @call carries out; PLAN_NOTHING: it reads the node */
	unsigned int skip;   /* bits 1 << enum plan_step of what was refused */
	bool merge;	     /* the server knows no server-side apply */
	struct backoff retry;
	bool retrying;			 /* @retry_timer runs: nothing is sent before */
	struct loop_source *retry_timer; /* reads the node */
	struct backoff contest;
	uint64_t contest_ms;		    /* when the last one was */
	struct loop_source *contest_timer;  /* plans */
	char problem[ERROR_TEXT_MAX];	    /* what was last complained about */
	char watch_problem[ERROR_TEXT_MAX]; /* the same of watches */
};

static void proceed(struct api_publisher *publisher);
static void go_on_after(struct api_publisher *publisher, enum plan_step done);
static void read_node(struct api_publisher *publisher);

/* A failure is told once, and again when its text changes. */
static void tell_once(char told[ERROR_TEXT_MAX], const char *text)
{
	if (error_is_news(told, text) && text[0])
		log_warning(COMPONENT, "%s", text);
}

static void report(struct api_publisher *publisher, const char *text)
{
	tell_once(publisher->problem, text);
}

static void set_node(struct api_publisher *publisher, struct json_t *node)
{
	kube_object_free(publisher->node);
	publisher->node = node;
}

static void settle(struct api_publisher *publisher, int r, const struct error *err)
{
	publisher->setup.settled(publisher->setup.ctx, r, err);
}

/* Reads the node anew after a pause, or as the server has asked. */
static void retry_later(struct api_publisher *publisher, uint32_t at_least_ms)
{
	uint32_t pause_ms = backoff_next_ms(&publisher->retry, random_u32());

	publisher->retrying = true;
	(void)loop_timer_set(publisher->retry_timer, MAX(pause_ms, at_least_ms), 0);
}

static int code_of(enum kube_outcome outcome)
{
	if (outcome == KUBE_NOT_FOUND)
		return -ENOENT;
	return outcome == KUBE_RETRY || outcome == KUBE_UNAUTHORIZED ? -EAGAIN : -EIO;
}

static void fail(struct api_publisher *publisher, const char *what,
		 const struct kube_answer *answer)
{
	struct error err = answer->err;

	(void)error_wrap(&err, -EIO, "%s", what);
	report(publisher, err.msg);
	retry_later(publisher, answer->retry_after_ms);
	settle(publisher, code_of(kube_answer_outcome(answer)), &err);
}

/* --- the watch --- */

static struct plan_input input_of(const struct api_publisher *publisher)
{
	return (struct plan_input) { .name = publisher->setup.node_name,
				     .node = publisher->node,
				     .picture = &publisher->picture,
				     .merge = publisher->merge,
				     .skip = publisher->skip,
				     .now_s = (int64_t)time(NULL) };
}

static bool is_contested(const struct api_publisher *publisher)
{
	_cleanup_plan_ struct plan plan = PLAN_INIT;
	const struct plan_input input = input_of(publisher);

	return plan_next(&input, &plan, NULL) == 0 && plan.step != PLAN_NOTHING;
}

static void on_contest_timer(void *ctx)
{
	struct api_publisher *publisher = ctx;

	if (!publisher->retrying)
		proceed(publisher);
}

/* What is ours is put right, but not in a race. */
static void begin_contest(struct api_publisher *publisher)
{
	uint64_t now_ms = clock_ms();

	if (now_ms - publisher->contest_ms > CONTEST_QUIET_MS)
		backoff_reset(&publisher->contest);
	publisher->contest_ms = now_ms;
	(void)loop_timer_set(publisher->contest_timer,
			     backoff_next_ms(&publisher->contest, random_u32()), 0);
}

/* Somebody has changed the node. */
static void answer_contest(struct api_publisher *publisher)
{
	if (publisher->retrying || !publisher->has_picture || !is_contested(publisher))
		return;
	begin_contest(publisher);
}

static void forget_node(struct api_publisher *publisher)
{
	publisher->gone = false;
	set_node(publisher, NULL);
	retry_later(publisher, 0);
}

static void on_watch_event(void *ctx, enum kube_event_type type, const struct json_t *object)
{
	struct api_publisher *publisher = ctx;

	if (type == KUBE_EVENT_DELETED) {
		publisher->gone = true;
		log_warning(COMPONENT, "node '%s' was deleted; waiting until it is back",
			    publisher->setup.node_name);
		if (!publisher->call)
			forget_node(publisher);
	} else if (type != KUBE_EVENT_BOOKMARK && publisher->call) {
		/* Its answer may be older or newer than this. */
		kube_object_free(publisher->seen);
		publisher->seen = kube_object_ref(object);
	} else if (type != KUBE_EVENT_BOOKMARK) {
		set_node(publisher, kube_object_ref(object));
		answer_contest(publisher);
	}
}

/* The pause grows with every watch that did not last. */
static void watch_later(struct api_publisher *publisher, uint32_t at_least_ms)
{
	bool lived = clock_ms() - publisher->watch_ms >= WATCH_LIVED_MS;
	uint32_t pause_ms;

	if (lived)
		backoff_reset(&publisher->watch_retry);
	pause_ms = lived ? random_u32() % WATCH_JITTER_MS
			 : backoff_next_ms(&publisher->watch_retry, random_u32());
	pause_ms = MAX(pause_ms, at_least_ms);
	publisher->watch_after_ms = clock_ms() + pause_ms;
	(void)loop_timer_set(publisher->retry_timer, pause_ms, 0);
}

static void say_no_watch(struct api_publisher *publisher, const struct kube_answer *answer)
{
	if (!publisher->said_no_watch)
		log_warning(COMPONENT, "%s; the node is read every %u s instead", answer->err.msg,
			    publisher->setup.options->interval_ms / 1000);
	publisher->said_no_watch = true;
	publisher->no_watch = true;
}

static void on_watch_end(void *ctx, const struct kube_answer *answer)
{
	struct api_publisher *publisher = ctx;
	enum kube_outcome outcome = kube_answer_outcome(answer);

	kube_watch_free(publisher->watch);
	publisher->watch = NULL;
	if (outcome == KUBE_FORBIDDEN) {
		say_no_watch(publisher, answer);
		return;
	}
	tell_once(publisher->watch_problem,
		  outcome == KUBE_OK || outcome == KUBE_GONE ? "" : answer->err.msg);
	watch_later(publisher, answer->retry_after_ms);
}

static void start_watch(struct api_publisher *publisher)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	const struct kube_watch_callbacks callbacks = { on_watch_event, on_watch_end, publisher };
	struct kube_watch_request request = { 0 };
	uint64_t now_ms = clock_ms();
	struct error err = { 0 };
	int r;

	if (publisher->watch || publisher->no_watch || publisher->setup.once)
		return;
	if (now_ms < publisher->watch_after_ms) {
		(void)loop_timer_set(publisher->retry_timer,
				     (uint32_t)(publisher->watch_after_ms - now_ms), 0);
		return;
	}
	r = kube_path_one_node(publisher->setup.node_name, &path, &err);
	request.path = strbuf_str(&path);
	request.resource_version = kube_object_resource_version(publisher->node);
	publisher->watch_ms = now_ms;
	if (r == 0)
		r = kube_watch_start(publisher->client, &request, &callbacks, &publisher->watch,
				     &err);
	if (r < 0)
		report(publisher, error_text(&err, r));
}

/* --- requests --- */

static int start_call(struct api_publisher *publisher, const struct kube_request *request,
		      kube_answer_fn done, struct error *err)
{
	kube_call_free(publisher->call);
	publisher->call = NULL;
	return kube_call_start(publisher->client, request, done, publisher, &publisher->call, err);
}

static void end_call(struct api_publisher *publisher)
{
	kube_call_free(publisher->call);
	publisher->call = NULL;
}

/* Takes the node of an answer; false when it is none. */
static bool take_node(struct api_publisher *publisher, struct kube_answer *answer)
{
	struct json_t *node = NULL;
	int r = kube_object_parse(answer->body, answer->len, &node, &answer->err);

	if (r < 0)
		return false;
	set_node(publisher, node);
	return true;
}

/* Whether the watch has told of another state than the answer has. */
static bool is_overtaken(struct api_publisher *publisher)
{
	_cleanup_(kube_object_freep) struct json_t *seen = TAKE_PTR(publisher->seen);
	const char *told = seen ? kube_object_resource_version(seen) : NULL;
	const char *answered = kube_object_resource_version(publisher->node);

	return told && (!answered || strcmp(told, answered) != 0);
}

/* Goes on from the node of an answer, unless the watch knows better. */
static void go_on_from(struct api_publisher *publisher, enum plan_step done)
{
	if (publisher->gone)
		forget_node(publisher);
	else if (is_overtaken(publisher))
		read_node(publisher);
	else
		go_on_after(publisher, done);
}

static void on_read(void *ctx, const struct kube_answer *given)
{
	struct api_publisher *publisher = ctx;
	struct kube_answer answer = *given;
	bool ok = kube_answer_outcome(given) == KUBE_OK && take_node(publisher, &answer);

	end_call(publisher);
	if (ok)
		go_on_from(publisher, PLAN_NOTHING);
	else
		fail(publisher, "cannot read the node", &answer);
}

static void read_node(struct api_publisher *publisher)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	struct kube_request request = { .method = "GET" };
	struct error err = { 0 };
	int r;

	if (publisher->call)
		return;
	publisher->retrying = false;
	loop_timer_stop(publisher->retry_timer);
	r = kube_path_node(publisher->setup.node_name, NULL, &path, &err);
	request.path = strbuf_str(&path);
	publisher->step = PLAN_NOTHING;
	if (r == 0)
		r = start_call(publisher, &request, on_read, &err);
	if (r == 0)
		return;
	report(publisher, error_text(&err, r));
	retry_later(publisher, 0);
}

static void on_retry_timer(void *ctx)
{
	read_node(ctx);
}

/* What the server will not take from us is left out, and the rest goes on. */
static void leave_out(struct api_publisher *publisher, const struct kube_answer *answer)
{
	struct error err = answer->err;

	(void)error_wrap(&err, -EACCES, "cannot write the %s", plan_step_name(publisher->step));
	report(publisher, err.msg);
	publisher->skip |= 1U << publisher->step;
	settle(publisher, -EACCES, &err);
}

static void on_refused(struct api_publisher *publisher, const struct kube_answer *answer,
		       enum kube_outcome outcome)
{
	switch (outcome) {
	case KUBE_UNSUPPORTED:
		if (publisher->merge)
			leave_out(publisher, answer);
		publisher->merge = true;
		proceed(publisher);
		break;
	case KUBE_FORBIDDEN:
	case KUBE_REFUSED:
		leave_out(publisher, answer);
		proceed(publisher);
		break;
	case KUBE_CONFLICT:
		retry_later(publisher, 0);
		break;
	default:
		fail(publisher, "cannot change the node", answer);
	}
}

static void on_sent(void *ctx, const struct kube_answer *given)
{
	static const enum telemetry_target targets[_PLAN_STEP_MAX] = {
		[PLAN_MAPS] = TELEMETRY_LABELS,
		[PLAN_TAINTS] = TELEMETRY_TAINTS,
		[PLAN_CONDITION] = TELEMETRY_CONDITION,
	};
	struct api_publisher *publisher = ctx;
	_cleanup_(kube_call_freep) _unused_ struct kube_call *call = TAKE_PTR(publisher->call);
	struct kube_answer answer = *given;
	enum kube_outcome outcome = kube_answer_outcome(given);

	telemetry_published(publisher->setup.telemetry, targets[publisher->step],
			    outcome == KUBE_OK);
	if (outcome != KUBE_OK)
		on_refused(publisher, &answer, outcome);
	else if (take_node(publisher, &answer))
		go_on_from(publisher, publisher->step);
	else
		fail(publisher, "cannot read the node", &answer);
}

static int send(struct api_publisher *publisher, const struct plan *plan, struct error *err)
{
	const struct kube_request request = { .method = "PATCH",
					      .path = strbuf_str(&plan->path),
					      .content_type = plan->content_type,
					      .body = plan->body,
					      .body_len = strlen(plan->body) };

	publisher->step = plan->step;
	log_debug(COMPONENT, "writing the %s", plan_step_name(plan->step));
	return start_call(publisher, &request, on_sent, err);
}

/* All is there that shall be, but for what was refused. */
static void finish(struct api_publisher *publisher)
{
	const struct error err = { 0 };

	start_watch(publisher);
	if (publisher->skip != 0)
		return;
	backoff_reset(&publisher->retry);
	report(publisher, "");
	settle(publisher, 0, &err);
}

/* A webhook takes away what the server has accepted, or somebody does at once. */
static void report_no_effect(struct api_publisher *publisher, enum plan_step step)
{
	struct error err = { 0 };
	int r = error_set(&err, EIO,
			  "the API server accepts the %s, and they are not on the node "
			  "afterwards; does a webhook change them?",
			  plan_step_name(step));

	report(publisher, err.msg);
	begin_contest(publisher);
	settle(publisher, r, &err);
}

/* Does what is to be done next, after @done was, unless something goes on. */
static void go_on_after(struct api_publisher *publisher, enum plan_step done)
{
	_cleanup_plan_ struct plan plan = PLAN_INIT;
	const struct plan_input input = input_of(publisher);
	struct error err = { 0 };
	int r;

	if (publisher->call || !publisher->node || !publisher->has_picture)
		return;
	r = plan_next(&input, &plan, &err);
	if (r == 0 && plan.step == PLAN_NOTHING) {
		finish(publisher);
		return;
	}
	if (r == 0 && plan.step == done) {
		report_no_effect(publisher, done);
		return;
	}
	if (r == 0)
		r = send(publisher, &plan, &err);
	if (r == 0)
		return;
	report(publisher, error_text(&err, r));
	retry_later(publisher, 0);
	settle(publisher, r, &err);
}

static void proceed(struct api_publisher *publisher)
{
	go_on_after(publisher, PLAN_NOTHING);
}

/* --- the face --- */

static void api_publish(struct publisher *base, struct picture *picture)
{
	struct api_publisher *publisher = (struct api_publisher *)base;

	picture_move(&publisher->picture, picture);
	publisher->has_picture = true;
	publisher->skip = 0;
	if (publisher->node && !publisher->retrying)
		(void)loop_timer_set(publisher->contest_timer, 0, 0);
	else if (!publisher->call && !publisher->retrying)
		(void)loop_timer_set(publisher->retry_timer, 0, 0);
}

static void api_refresh(struct publisher *base)
{
	struct api_publisher *publisher = (struct api_publisher *)base;

	publisher->skip = 0;
	publisher->no_watch = false;
	if (!publisher->retrying)
		read_node(publisher);
}

static void api_note(struct publisher *base, const struct notice *notice)
{
	event_teller_note(((struct api_publisher *)base)->teller, notice);
}

static void api_note_changes(struct publisher *base, const struct snapshot *before,
			     const struct snapshot *after)
{
	event_teller_note_changes(((struct api_publisher *)base)->teller, before, after);
}

static void api_close(struct publisher *base)
{
	struct api_publisher *publisher = (struct api_publisher *)base;

	event_teller_free(publisher->teller);
	kube_call_free(publisher->call);
	kube_watch_free(publisher->watch);
	kube_client_free(publisher->own_client);
	loop_source_free(publisher->retry_timer);
	loop_source_free(publisher->contest_timer);
	kube_object_free(publisher->node);
	kube_object_free(publisher->seen);
	picture_done(&publisher->picture);
	free(publisher);
}

static int make_client(struct api_publisher *publisher, struct error *err)
{
	_cleanup_kube_config_ struct kube_config config = { 0 };
	const struct publisher_setup *setup = &publisher->setup;
	int r;

	publisher->client = setup->client;
	if (publisher->client)
		return 0;
	r = kube_config_load(setup->options->kubeconfig, &config, err);
	if (r < 0 && setup->options->kubeconfig)
		return error_wrap(err, r, "--kubeconfig");
	if (r == 0)
		r = kube_client_new(setup->loop, &config, USER_AGENT, &publisher->own_client, err);
	publisher->client = publisher->own_client;
	if (r == 0)
		log_write(setup->once ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, COMPONENT,
			  "labels go to node '%s' at %s", setup->node_name, config.server);
	return r;
}

static int prepare(struct api_publisher *publisher, struct error *err)
{
	struct loop *loop = publisher->setup.loop;
	int r;

	if (publisher->setup.node_name[0] == '\0')
		return error_set(err, EINVAL,
				 "the name of this node is not known; give --node-name, or "
				 "set NODE_NAME from the field spec.nodeName of the pod");
	r = kube_name_check("node", publisher->setup.node_name, err);
	if (r == 0)
		r = make_client(publisher, err);
	if (r == 0)
		r = loop_add_timer(loop, on_retry_timer, publisher, &publisher->retry_timer, err);
	if (r == 0)
		r = loop_add_timer(loop, on_contest_timer, publisher, &publisher->contest_timer,
				   err);
	return r < 0 ? r
		     : event_teller_new(&publisher->setup, publisher->client, &publisher->teller,
					err);
}

static int api_open(const struct publisher_setup *setup, struct publisher **ret, struct error *err)
{
	struct api_publisher *publisher = calloc(1, sizeof(*publisher));
	int r;

	if (!publisher)
		return error_set(err, ENOMEM, "no memory for the labels");
	publisher->base.class = &api_publisher;
	publisher->setup = *setup;
	publisher->retry = (struct backoff) { .min_ms = RETRY_MIN_MS, .max_ms = RETRY_MAX_MS };
	publisher->watch_retry = publisher->retry;
	publisher->contest =
		(struct backoff) { .min_ms = CONTEST_MIN_MS, .max_ms = CONTEST_MAX_MS };
	picture_empty(&publisher->picture);
	r = prepare(publisher, err);
	if (r < 0) {
		api_close(&publisher->base);
		return r;
	}
	*ret = &publisher->base;
	return 0;
}

const struct publisher_class api_publisher = {
	.open = api_open,
	.publish = api_publish,
	.refresh = api_refresh,
	.note = api_note,
	.note_changes = api_note_changes,
	.close = api_close,
};
