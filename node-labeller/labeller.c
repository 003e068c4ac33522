/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	configuration --policy--------.
 *	node (timers, udev)--snapshot--+--> picture --> publisher
 *
 * Everything runs on the loop's thread.  Whatever changes, the picture is made anew; the
 * publisher finds out what of it is another one.
 */
#include "node-labeller/labeller.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics/metrics.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/macro.h"
#include "daemon/config_watch.h"
#include "daemon/http_end.h"
#include "daemon/node.h"
#include "node-labeller/lock.h"
#include "node-labeller/picture.h"
#include "node-labeller/publisher.h"
#include "node-labeller/telemetry.h"
#include "policy/load.h"

#define COMPONENT "labeller"
#define LOCK_RETRY_MS 2000
#define NODE_NAME_VARIABLE "NODE_NAME"

struct labeller {
	const struct options *options;
	const char *node_name; /* "" when not known */
	bool once;
	struct host host;
	struct loop *loop;
	struct loop_source *signals;
	struct loop_source *interval_timer;
	struct loop_source *lock_timer; /* tries again to get the lock */
	int lock_fd;			/* -1 while another labeller has the node */
	bool waiting;			/* for the lock, and has said so */
	struct telemetry *telemetry;
	struct http_end *http;
	struct config_watch *config_watch;
	struct policy *policy; /* NULL until one was accepted */
	bool refused;	       /* the configuration that was read last */
	struct node *node;
	struct snapshot *snapshot; /* the newest; NULL before the first */
	struct publisher *publisher;
	struct label_set labels;      /* published last, for the log */
	bool ended;		      /* of --once */
	int result;		      /* the same */
	struct error *err;	      /* the same; of the caller */
	char problem[ERROR_TEXT_MAX]; /* what was last complained about */
};

#define _cleanup_labeller_ _cleanup_(labeller_done)

/* --- publishing --- */

static void report_problem(struct labeller *labeller, const char *text)
{
	if (error_is_news(labeller->problem, text) && text[0])
		log_warning(COMPONENT, "%s", text);
}

static void log_label(_unused_ void *ctx, const char *key, const char *before, const char *after)
{
	if (!after)
		log_info(COMPONENT, "label '%s' shall go, was '%s'", key, before);
	else if (!before)
		log_info(COMPONENT, "label '%s' shall be '%s'", key, after);
	else
		log_info(COMPONENT, "label '%s' shall be '%s', was '%s'", key, after, before);
}

static int log_labels(struct labeller *labeller, const struct label_set *labels, struct error *err)
{
	struct label_set copy = { .kind = LABEL_SET_LABELS };
	int r = 0;

	if (label_set_diff(&labeller->labels, labels, log_label, NULL) == 0)
		return 0;
	for (size_t i = 0; i < labels->n && r == 0; i++)
		r = label_set_add(&copy, labels->items[i].key, labels->items[i].value, err);
	label_set_done(&labeller->labels);
	labeller->labels = copy;
	return r;
}

/* The picture of now; an empty one where all is to be removed. */
static int make_picture(struct labeller *labeller, struct picture *ret, struct error *err)
{
	if (!labeller->options->cleanup)
		return picture_make(labeller->policy, labeller->snapshot, &labeller->host, ret,
				    err);
	picture_empty(ret);
	return 0;
}

static void end_once(struct labeller *labeller, int r, const struct error *err)
{
	labeller->ended = true;
	labeller->result = r;
	if (labeller->err)
		*labeller->err = *err;
	loop_stop(labeller->loop);
}

static void publish(struct labeller *labeller)
{
	_cleanup_picture_ struct picture picture;
	struct error err = { 0 };
	int r;

	picture_empty(&picture);
	if (labeller->lock_fd < 0 || (!labeller->options->cleanup && !labeller->snapshot))
		return;
	r = make_picture(labeller, &picture, &err);
	if (r == 0)
		r = log_labels(labeller, &picture.labels, &err);
	report_problem(labeller, r < 0 ? error_text(&err, r) : "");
	telemetry_settled(labeller->telemetry, false);
	if (r < 0 && labeller->once)
		end_once(labeller, r, &err);
	if (r < 0)
		return;
	telemetry_picture(labeller->telemetry, picture.labels.n, picture.n_devices,
			  picture.n_unhealthy);
	labeller->publisher->class->publish(labeller->publisher, &picture);
}

static void on_settled(void *ctx, int r, const struct error *err)
{
	struct labeller *labeller = ctx;

	telemetry_settled(labeller->telemetry, r == 0);
	if (!labeller->once)
		return;
	end_once(labeller, r, err);
}

static bool tells_events(const struct labeller *labeller)
{
	return labeller->publisher->class->note && labeller->lock_fd >= 0 && !labeller->once;
}

static void note(struct labeller *labeller, const struct notice *notice)
{
	bool wanted = !labeller->policy || policy_config(labeller->policy)->node.events;

	if (wanted && tells_events(labeller))
		labeller->publisher->class->note(labeller->publisher, notice);
}

static void on_node_changed(void *ctx, struct snapshot *before, struct snapshot *after)
{
	struct labeller *labeller = ctx;

	snapshot_unref(labeller->snapshot);
	labeller->snapshot = snapshot_ref(after);
	if (policy_config(labeller->policy)->node.events && tells_events(labeller))
		labeller->publisher->class->note_changes(labeller->publisher, before, after);
	publish(labeller);
}

/* --- the lock --- */

static void take_lock(struct labeller *labeller)
{
	struct error err = { 0 };
	int r = lock_try(&labeller->host, &labeller->lock_fd, &err);

	if (r == 0) {
		if (!labeller->waiting)
			log_warning(COMPONENT,
				    "another labeller is at work on this node; waiting until it "
				    "has gone");
		labeller->waiting = true;
		(void)loop_timer_set(labeller->lock_timer, LOCK_RETRY_MS, 0);
		return;
	}
	/* A host without sysfs has no other labeller that could be known. */
	if (r < 0) {
		log_warning(COMPONENT, "%s; a second labeller would not be noticed",
			    error_text(&err, r));
		labeller->lock_fd = dup(labeller->host.root_fd);
	} else if (labeller->waiting) {
		log_info(COMPONENT, "the other labeller has gone");
	}
	publish(labeller);
}

static void on_lock_timer(void *ctx)
{
	take_lock(ctx);
}

/* --- configuration --- */

static void warn(_unused_ void *ctx, const char *text)
{
	log_warning(COMPONENT, "%s", text);
}

static void on_rescanned(void *ctx)
{
	struct labeller *labeller = ctx;

	http_end_check(labeller->http);
	/* What has failed may go well now, with nothing else having changed. */
	if (labeller->problem[0])
		publish(labeller);
}

static int watch_node(struct labeller *labeller, const struct policy *before, struct error *err)
{
	const struct node_setup setup = { .loop = labeller->loop,
					  .host = &labeller->host,
					  .changed = on_node_changed,
					  .rescanned = on_rescanned,
					  .ctx = labeller };

	return node_follow_policy(&setup, before, labeller->policy, &labeller->node,
				  &labeller->snapshot, err);
}

/* Puts a policy in force; the watch of the node begins anew if it has to. */
static int take_policy(struct labeller *labeller, struct policy *policy, struct error *err)
{
	_cleanup_(policy_freep) struct policy *before = labeller->policy;
	int r;

	labeller->policy = policy;
	r = watch_node(labeller, before, err);
	if (r < 0) {
		labeller->policy = TAKE_PTR(before);
		policy_free(policy);
		return r;
	}
	publish(labeller);
	return 0;
}

static int load(struct labeller *labeller, struct error *err)
{
	const struct options *options = labeller->options;
	const struct policy_source source = { options->config, options->node_name,
					      options->node_labels };
	struct policy *policy = NULL;
	int r = policy_load(&source, &policy, err);

	if (r < 0)
		return r;
	policy_warnings(policy, warn, NULL);
	return take_policy(labeller, policy, err);
}

static void refuse(struct labeller *labeller, const char *text)
{
	const struct notice notice = { true, "ConfigurationRefused", "", text };

	labeller->refused = true;
	log_error(COMPONENT, "%s; %s", text,
		  labeller->policy ? "the configuration of before stays in force"
				   : "nothing is published until it is put right");
	note(labeller, &notice);
}

static void say_accepted(struct labeller *labeller)
{
	const struct notice notice = { false, "ConfigurationAccepted", "",
				       "The configuration of the accelerators is in force." };

	log_info(COMPONENT, "configuration '%s' is in force", labeller->options->config);
	if (labeller->refused)
		note(labeller, &notice);
	labeller->refused = false;
}

static void reload(void *ctx)
{
	struct labeller *labeller = ctx;
	struct error err = { 0 };
	int r;

	if (!labeller->options->config)
		return;
	r = load(labeller, &err);
	telemetry_reload(labeller->telemetry, r == 0);
	if (r < 0)
		refuse(labeller, error_text(&err, r));
	else
		say_accepted(labeller);
}

/* --- events --- */

static void on_interval(void *ctx)
{
	struct labeller *labeller = ctx;

	http_end_check(labeller->http);
	if (labeller->lock_fd >= 0 && labeller->snapshot)
		labeller->publisher->class->refresh(labeller->publisher);
}

static void on_signal(void *ctx, int signo)
{
	struct labeller *labeller = ctx;

	if (signo == SIGHUP) {
		log_info(COMPONENT, "SIGHUP: reading the configuration, looking at everything");
		reload(labeller);
		if (labeller->node)
			node_rescan(labeller->node);
		on_interval(labeller);
		return;
	}
	log_info(COMPONENT, "%s: ending, the labels stay", sigabbrev_np(signo));
	loop_stop(labeller->loop);
}

/* --- HTTP --- */

static int answer_metrics(void *ctx, struct strbuf *body)
{
	const struct labeller *labeller = ctx;
	struct error err = { 0 };
	int r = telemetry_write(labeller->telemetry, body, &err);

	return http_end_metrics(r, &err, body);
}

/* An answer at all is what it says: the loop turns. */
static int answer_healthz(_unused_ void *ctx, struct strbuf *body)
{
	strbuf_puts(body, "ok\n");
	return 200;
}

static int answer_readyz(void *ctx, struct strbuf *body)
{
	const struct labeller *labeller = ctx;

	/* Who waits for another one to end must not be what that one waits for. */
	if (labeller->lock_fd < 0) {
		strbuf_puts(body, "ok, another labeller is at work on this node\n");
		return 200;
	}
	if (!labeller->policy)
		strbuf_puts(body, "the configuration is refused\n");
	else if (!telemetry_is_settled(labeller->telemetry))
		strbuf_puts(body, "not everything is published\n");
	if (body->len > 0)
		return 503;
	strbuf_puts(body, "ok\n");
	return 200;
}

static const struct http_route routes[] = {
	{ .path = "/metrics", .type = METRICS_CONTENT_TYPE, .answer = answer_metrics },
	{ .path = "/healthz", .answer = answer_healthz },
	{ .path = "/readyz", .answer = answer_readyz },
	{ 0 },
};

static int serve(struct labeller *labeller, struct error *err)
{
	const char *address = labeller->options->listen_metrics;
	int r;

	if (!address || labeller->once)
		return 0;
	r = telemetry_new(&labeller->telemetry, err);
	return r < 0 ? r
		     : http_end_new(labeller->loop, address, routes, labeller, &labeller->http,
				    err);
}

/* --- start and end --- */

static void labeller_done(struct labeller *labeller)
{
	config_watch_free(labeller->config_watch);
	http_end_free(labeller->http);
	node_free(labeller->node);
	publisher_close(labeller->publisher);
	snapshot_unref(labeller->snapshot);
	telemetry_free(labeller->telemetry);
	label_set_done(&labeller->labels);
	loop_source_free(labeller->lock_timer);
	loop_source_free(labeller->interval_timer);
	loop_source_free(labeller->signals);
	loop_free(labeller->loop);
	policy_free(labeller->policy);
	cleanup_closep(&labeller->lock_fd);
	host_close(&labeller->host);
}

static int make_loop(struct labeller *labeller, struct error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	int r = loop_new(&labeller->loop, err);

	if (r == 0)
		r = loop_add_signals(labeller->loop, signals, on_signal, labeller,
				     &labeller->signals, err);
	if (r == 0)
		r = loop_add_timer(labeller->loop, on_interval, labeller, &labeller->interval_timer,
				   err);
	if (r == 0)
		r = loop_add_timer(labeller->loop, on_lock_timer, labeller, &labeller->lock_timer,
				   err);
	return r;
}

static int open_publisher(struct labeller *labeller, struct error *err)
{
	const struct publisher_setup setup = { .loop = labeller->loop,
					       .options = labeller->options,
					       .node_name = labeller->node_name,
					       .once = labeller->once,
					       .telemetry = labeller->telemetry,
					       .settled = on_settled,
					       .ctx = labeller };

	return publisher_open(&setup, &labeller->publisher, err);
}

static int open_host(struct labeller *labeller, struct error *err)
{
	int r = host_open(&labeller->host, labeller->options->host_root, err);

	return r < 0 ? error_wrap(err, r, "--host-root") : 0;
}

/* Listing and removing need no lock: nothing is fought over for long. */
static int start(struct labeller *labeller, struct error *err)
{
	uint32_t interval_ms = labeller->options->interval_ms;

	(void)loop_timer_set(labeller->interval_timer, interval_ms, interval_ms);
	if (!labeller->once) {
		take_lock(labeller);
		return 0;
	}
	labeller->lock_fd = dup(labeller->host.root_fd);
	if (labeller->lock_fd < 0)
		return error_set(err, errno, "no descriptor is left: %m");
	publish(labeller);
	return 0;
}

/* Only what is done once ends for a configuration that is refused. */
static int load_first(struct labeller *labeller, struct error *err)
{
	struct error why = { 0 };
	int r;

	if (labeller->options->cleanup)
		return 0;
	r = load(labeller, &why);
	if (r == 0)
		return 0;
	if (labeller->once || !labeller->options->config)
		return error_set(err, -r, "%s", error_text(&why, r));
	telemetry_reload(labeller->telemetry, false);
	refuse(labeller, error_text(&why, r));
	return 0;
}

static int watch_config(struct labeller *labeller, struct error *err)
{
	if (!labeller->options->config || labeller->once)
		return 0;
	return config_watch_new(labeller->loop, labeller->options->config, reload, labeller,
				&labeller->config_watch, err);
}

static int prepare(struct labeller *labeller, struct error *err)
{
	static int (*const steps[])(struct labeller * labeller, struct error * err) = {
		open_host, make_loop, serve, open_publisher, start, watch_config, load_first,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i](labeller, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int labeller_run(const struct options *options, struct error *err)
{
	const char *name = options->node_name ? options->node_name : getenv(NODE_NAME_VARIABLE);
	_cleanup_labeller_ struct labeller labeller = {
		.options = options,
		.node_name = name ? name : "",
		.once = options->once || options->cleanup,
		.host = { .root_fd = -1 },
		.lock_fd = -1,
		.labels = { .kind = LABEL_SET_LABELS },
		.err = err,
	};
	int r;

	if (!labeller.once)
		log_info(COMPONENT, "silica-node-labeller " SILICA_VERSION ", host root '%s'",
			 options->host_root);
	r = prepare(&labeller, err);
	if (r == 0 && !labeller.ended)
		r = loop_run(labeller.loop, err);
	return r < 0 ? r : labeller.result;
}
