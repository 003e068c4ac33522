/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_watch.h"

#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/json.h"
#include "api/kubernetes/kube_object.h"
#include "api/kubernetes/kube_path.h"
#include "api/kubernetes/kube_stream.h"
#include "api/kubernetes/kube_transfer.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define TIMEOUT_MAX_S (24U * 60 * 60) /* no server keeps a watch for a day */
#define REFUSAL_MAX (1024U * 1024)    /* bytes of the answer when there is no watch: a Status */
#define VERSION_MAX 64		      /* bytes of a resource version: today a number of 64 bits */

struct kube_watch {
	struct kube_transfer *transfer;
	struct kube_watch_callbacks callbacks;
	struct loop_source *silence; /* fires when nothing was heard for too long */
	uint32_t silence_ms;
	struct kube_stream stream;
	struct strbuf refusal; /* the body, when the status is no 200 */
	bool ended;
	bool *freed; /* set when the watch is freed by the callback that runs */
};

static int on_body(void *ctx, const char *data, size_t len, struct error *err)
{
	struct kube_watch *watch = ctx;
	int r;

	if (watch->ended)
		return error_set(err, ECANCELED, "the watch has ended");
	if (kube_transfer_status(watch->transfer) != 200) {
		strbuf_add(&watch->refusal, data, len);
		r = strbuf_error(&watch->refusal);
	} else {
		r = kube_stream_add(&watch->stream, data, len);
	}
	if (r == -EFBIG || r == -E2BIG)
		return error_set(err, EFBIG, "an event of a watch is longer than %zu bytes",
				 watch->stream.event_max);
	return r == -ENOMEM ? error_set(err, ENOMEM, "no memory for an event") : r;
}

static void end(struct kube_watch *watch, struct kube_answer *answer)
{
	watch->ended = true;
	loop_timer_stop(watch->silence);
	kube_transfer_locate(watch->transfer, answer);
	watch->callbacks.end(watch->callbacks.ctx, answer);
}

static void fail(struct kube_watch *watch, const struct error *err)
{
	struct kube_answer answer = { .body = "", .err = *err };

	end(watch, &answer);
}

/* What a server says in place of an event: a Status, with the code of an answer. */
static void end_by_status(struct kube_watch *watch, const json_t *status)
{
	_cleanup_free_ char *body = json_dumps(status, JSON_COMPACT);
	struct kube_answer answer = { .body = body ? body : "" };
	json_int_t code = json_integer_value(json_object_get(status, "code"));

	answer.status = code >= 300 && code <= 599 ? (int)code : 500;
	answer.len = strlen(answer.body);
	kube_answer_explain(&answer, kube_transfer_question(watch->transfer));
	end(watch, &answer);
}

/* Gives false when there is no watch any more. */
static bool tell(struct kube_watch *watch, const struct kube_stream_event *event)
{
	bool freed = false;

	watch->freed = &freed;
	if (event->error)
		end_by_status(watch, event->object);
	else
		watch->callbacks.event(watch->callbacks.ctx, event->type, event->object);
	if (!freed)
		watch->freed = NULL;
	return !freed;
}

/* Tells all whole events; gives false when there is no watch any more, or it has ended. */
static bool tell_all(struct kube_watch *watch)
{
	while (!watch->ended) {
		struct kube_stream_event event;
		struct error err = { 0 };
		int r = kube_stream_next(&watch->stream, &event, &err);
		bool alive;

		if (r == 0)
			return true;
		if (r < 0) {
			fail(watch, &err);
			return false;
		}
		alive = tell(watch, &event);
		kube_object_free(event.document);
		if (!alive)
			return false;
	}
	return false;
}

static void on_ready(void *ctx)
{
	struct kube_watch *watch = ctx;

	if (watch->ended)
		return;
	(void)loop_timer_set(watch->silence, watch->silence_ms, 0);
	if (tell_all(watch))
		kube_transfer_resume(watch->transfer);
}

static void on_done(void *ctx, struct kube_answer *answer)
{
	struct kube_watch *watch = ctx;

	if (watch->ended || !tell_all(watch))
		return;
	answer->body = strbuf_str(&watch->refusal);
	answer->len = watch->refusal.len;
	if (answer->status == 200 && watch->stream.tail > 0) {
		answer->status = 0;
		error_set(&answer->err, EPROTO, "the watch has ended within an event");
	} else if (answer->status != 0 && kube_answer_outcome(answer) != KUBE_OK) {
		kube_answer_explain(answer, kube_transfer_question(watch->transfer));
	}
	end(watch, answer);
}

static void on_silence(void *ctx)
{
	struct kube_watch *watch = ctx;
	struct error err = { 0 };

	error_set(&err, ETIMEDOUT, "nothing was heard for %u s", watch->silence_ms / 1000);
	if (!watch->ended)
		fail(watch, &err);
}

static const struct kube_transfer_ops ops = {
	.body = on_body,
	.ready = on_ready,
	.done = on_done,
};

static int check_request(const struct kube_watch_request *request, struct error *err)
{
	const char *version = request->resource_version ? request->resource_version : "";

	if (request->timeout_s > TIMEOUT_MAX_S || request->silence_s > TIMEOUT_MAX_S)
		return error_set(err, EINVAL, "a watch for more than a day");
	if (strlen(version) > VERSION_MAX || !str_is_printable(version) ||
	    strpbrk(version, " #&?%+=/"))
		return error_set(err, EINVAL, "a watch from a resource version that is none");
	return 0;
}

static int make_path(const struct kube_watch_request *request, uint32_t timeout_s,
		     struct strbuf *path)
{
	strbuf_puts(path, request->path);
	strbuf_puts(path, strchr(request->path, '?') ? "&" : "?");
	strbuf_printf(path, "watch=1&allowWatchBookmarks=true&timeoutSeconds=%u", timeout_s);
	if (request->resource_version)
		strbuf_printf(path, "&resourceVersion=%s", request->resource_version);
	return strbuf_error(path);
}

static int start(struct kube_watch *watch, struct kube_client *client,
		 const struct kube_watch_request *request, struct error *err)
{
	uint32_t timeout_s = request->timeout_s ? request->timeout_s : KUBE_WATCH_TIMEOUT_S;
	uint32_t limit_s = timeout_s + KUBE_WATCH_GRACE_S;
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	struct kube_request get = { .method = "GET", .timeout_ms = limit_s * 1000 };
	int r = check_request(request, err);

	if (r < 0)
		return r;
	r = make_path(request, timeout_s, &path);
	if (r < 0)
		return error_set(err, -r, "the path of a watch is too long, or there is no memory");
	get.path = strbuf_str(&path);
	watch->silence_ms = (request->silence_s ? request->silence_s : limit_s) * 1000;
	r = loop_add_timer(kube_client_loop(client), on_silence, watch, &watch->silence, err);
	if (r == 0)
		r = loop_timer_set(watch->silence, watch->silence_ms, 0);
	return r < 0 ? r
		     : kube_transfer_start(client, &get, false, &ops, watch, &watch->transfer, err);
}

int kube_watch_start(struct kube_client *client, const struct kube_watch_request *request,
		     const struct kube_watch_callbacks *callbacks, struct kube_watch **ret,
		     struct error *err)
{
	_cleanup_(kube_watch_freep) struct kube_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return error_set(err, ENOMEM, "no memory for a watch");
	watch->callbacks = *callbacks;
	watch->refusal = STRBUF_INIT(REFUSAL_MAX);
	kube_stream_init(&watch->stream, request->event_max ? request->event_max : KUBE_EVENT_MAX);
	r = start(watch, client, request, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(watch);
	return 0;
}

void kube_watch_free(struct kube_watch *watch)
{
	if (!watch)
		return;
	if (watch->freed)
		*watch->freed = true;
	loop_source_free(watch->silence);
	kube_transfer_free(watch->transfer);
	kube_stream_done(&watch->stream);
	strbuf_done(&watch->refusal);
	free(watch);
}
