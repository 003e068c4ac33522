/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client is libcurl's multi handle on the program's loop.
 *
 * libcurl says which descriptors and which timer it waits for; these are sources of
 * the loop.  When one of them has fired libcurl works, and only afterwards, from
 * dispatch(), anybody else is called: see kube_transfer.h.
 */
#include "api/kubernetes/kube_client.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "api/kubernetes/kube_curl.h"
#include "api/kubernetes/kube_transfer.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define CONNECTIONS_MAX 4L /* that are kept: HTTP/2 needs one, a watch over HTTP/1.1 another */
#define HEADERS_MAX \
	((size_t)64 * 1024) /* bytes of all headers: an API server sends less than 1 KiB */
#define PATH_SIZE_MAX 8192  /* bytes: what servers take at least, by RFC 9110 section 4.1 */
#define PATH_SHOWN 120	    /* bytes of a path that an error repeats */

struct kube_client {
	struct loop *loop;
	struct kube_target *target;
	CURLM *multi;
	struct loop_source *timer;
	struct kube_transfer *first; /* all that were not freed */
	int64_t timeout_s;	     /* when a request timed out last; 0 for never */
};

struct kube_transfer {
	struct kube_client *client;
	struct kube_transfer *next, **prev;
	const struct kube_transfer_ops *ops;
	void *ctx;
	CURL *easy;
	struct curl_slist *headers;
	struct kube_question question;
	char *method, *path;
	bool json_patch;
	bool added;   /* to the multi handle */
	bool paused;  /* ops->body() did not take what came */
	bool ready;   /* ops->ready() is due */
	bool over;    /* ops->done() is due */
	bool retired; /* ops->done() was called */
	CURLcode code;
	size_t n_header_bytes;
	struct error err; /* why we have ended it ourselves */
	char detail[CURL_ERROR_SIZE];
};

static int64_t now_s(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec;
}

struct loop *kube_client_loop(const struct kube_client *client)
{
	return client->loop;
}

int kube_transfer_status(const struct kube_transfer *transfer)
{
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

const struct kube_question *kube_transfer_question(const struct kube_transfer *transfer)
{
	return &transfer->question;
}

void kube_transfer_locate(const struct kube_transfer *transfer, struct kube_answer *answer)
{
	const struct kube_question *question = &transfer->question;
	int len = (int)MIN(strcspn(question->path, "?"), (size_t)PATH_SHOWN);

	if (answer->err.code != 0)
		error_wrap(&answer->err, -answer->err.code, "%s %s%.*s", question->method,
			   kube_target_server(transfer->client->target), len, question->path);
}

/* Ends a transfer for libcurl; it is still there for its owner. */
static void retire_handle(struct kube_transfer *transfer, CURLcode code)
{
	if (transfer->added)
		(void)curl_multi_remove_handle(transfer->client->multi, transfer->easy);
	transfer->added = false;
	transfer->over = true;
	transfer->code = code;
	if (code == CURLE_OPERATION_TIMEDOUT)
		transfer->client->timeout_s = now_s();
}

static void collect(struct kube_client *client)
{
	const CURLMsg *message;
	int left;

	for (;;) {
		struct kube_transfer *transfer = NULL;

		message = curl_multi_info_read(client->multi, &left);
		if (!message)
			return;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result;

		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		retire_handle(transfer, code);
	}
}

static void explain_failure(const struct kube_transfer *transfer, struct kube_answer *answer)
{
	if (transfer->err.code != 0)
		answer->err = transfer->err;
	else
		kube_curl_explain(transfer->code, transfer->detail, &answer->err);
}

static uint32_t retry_after_ms(const struct kube_transfer *transfer)
{
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds <= 0)
		return 0;
	return (uint32_t)MIN(seconds * 1000, (curl_off_t)KUBE_RETRY_AFTER_MAX_MS);
}

static void finish(struct kube_transfer *transfer)
{
	struct kube_answer answer = { .body = "", .json_patch = transfer->json_patch };

	transfer->retired = true;
	if (transfer->code == CURLE_OK && transfer->err.code == 0) {
		answer.status = kube_transfer_status(transfer);
		answer.retry_after_ms = retry_after_ms(transfer);
	} else {
		explain_failure(transfer, &answer);
	}
	transfer->ops->done(transfer->ctx, &answer);
}

/* The first transfer whose owner has something to hear. */
static struct kube_transfer *find_due(const struct kube_client *client)
{
	for (struct kube_transfer *at = client->first; at; at = at->next)
		if (!at->retired && (at->ready || at->over))
			return at;
	return NULL;
}

/* Whoever is called may free and start transfers, so the list is begun anew each time. */
static void dispatch(struct kube_client *client)
{
	collect(client);
	for (;;) {
		struct kube_transfer *transfer = find_due(client);

		if (!transfer)
			return;
		if (transfer->ready) {
			transfer->ready = false;
			transfer->ops->ready(transfer->ctx);
		} else {
			finish(transfer);
		}
		collect(client);
	}
}

static void on_socket(void *ctx, int fd)
{
	struct kube_client *client = ctx;
	int running;

	/* libcurl looks by itself what has happened. */
	(void)curl_multi_socket_action(client->multi, fd, 0, &running);
	dispatch(client);
}

static void on_timer(void *ctx)
{
	struct kube_client *client = ctx;
	int running;

	(void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	dispatch(client);
}

static int wanted_timer(CURLM *multi _unused_, long timeout_ms, void *ctx)
{
	struct kube_client *client = ctx;

	if (timeout_ms < 0)
		loop_timer_stop(client->timer);
	else
		(void)loop_timer_set(client->timer, (uint32_t)MIN(timeout_ms, (long)INT_MAX), 0);
	return 0;
}

static uint32_t to_events(int what)
{
	switch (what) {
	case CURL_POLL_IN:
		return EPOLLIN;
	case CURL_POLL_OUT:
		return EPOLLOUT;
	case CURL_POLL_INOUT:
		return EPOLLIN | EPOLLOUT;
	default:
		return 0;
	}
}

/*
 * A descriptor that could not be watched is not told to libcurl, which would end all
 * other transfers too; this one ends by its timeout.
 */
static int wanted_socket(CURL *easy _unused_, curl_socket_t fd, int what, void *ctx, void *assigned)
{
	struct kube_client *client = ctx;
	struct loop_source *source = assigned;

	if (what == CURL_POLL_REMOVE) {
		(void)curl_multi_assign(client->multi, fd, NULL);
		loop_source_free(source);
		return 0;
	}
	if (!source) {
		if (loop_add_fd(client->loop, fd, on_socket, client, &source, NULL) < 0)
			return 0;
		(void)curl_multi_assign(client->multi, fd, source);
	}
	(void)loop_fd_set_events(source, to_events(what));
	return 0;
}

static int make_multi(struct kube_client *client, struct error *err)
{
	client->multi = curl_multi_init();
	if (!client->multi)
		return error_set(err, ENOMEM, "no memory for a client");
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, wanted_socket);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, wanted_timer);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
	return 0;
}

int kube_client_new(struct loop *loop, const struct kube_config *config, const char *user_agent,
		    struct kube_client **ret, struct error *err)
{
	_cleanup_(kube_client_freep) struct kube_client *client = calloc(1, sizeof(*client));
	int r = kube_curl_init(err);

	if (r < 0)
		return r;
	if (!client)
		return error_set(err, ENOMEM, "no memory for a client");
	client->loop = loop;
	r = kube_target_new(config, user_agent, &client->target, err);
	if (r == 0)
		r = loop_add_timer(loop, on_timer, client, &client->timer, err);
	if (r == 0)
		r = make_multi(client, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(client);
	return 0;
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	/* Closing the connections takes their sources off the loop. */
	if (client->multi)
		(void)curl_multi_cleanup(client->multi);
	loop_source_free(client->timer);
	kube_target_free(client->target);
	free(client);
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct kube_transfer *transfer = ctx;
	size_t len = size * n;
	int r = transfer->ops->body(transfer->ctx, data, len, &transfer->err);

	transfer->ready = true;
	if (r == -EAGAIN) {
		transfer->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (r < 0 && transfer->err.code == 0)
		error_set(&transfer->err, -r, "%s", strerror(-r));
	return r < 0 ? 0 : len;
}

static size_t on_header(char *data _unused_, size_t size, size_t n, void *ctx)
{
	struct kube_transfer *transfer = ctx;
	size_t len = size * n;

	transfer->n_header_bytes += len;
	if (transfer->n_header_bytes <= HEADERS_MAX)
		return len;
	error_set(&transfer->err, EFBIG, "the headers of an answer are longer than %zu bytes",
		  HEADERS_MAX);
	return 0;
}

static int set_callbacks(struct kube_transfer *transfer)
{
	CURL *easy = transfer->easy;

	if (curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) != CURLE_OK)
		return -ENOMEM;
	return 0;
}

static int set_body(struct kube_transfer *transfer, const struct kube_request *request)
{
	CURL *easy = transfer->easy;

	if (!request->body)
		return 0;
	if (curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len) !=
		    CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body) != CURLE_OK)
		return -ENOMEM;
	/* Nobody waits for a "100 Continue". */
	if (kube_headers_add(&transfer->headers, "Expect", NULL) < 0)
		return -ENOMEM;
	return kube_headers_add(&transfer->headers, "Content-Type",
				request->content_type ? request->content_type : KUBE_JSON);
}

static int set_request(struct kube_transfer *transfer, const struct kube_request *request,
		       bool packed)
{
	long timeout_ms = request->timeout_ms ? (long)request->timeout_ms : (long)KUBE_TIMEOUT_MS;
	CURL *easy = transfer->easy;

	if (set_callbacks(transfer) < 0 || set_body(transfer, request) < 0 ||
	    kube_headers_add(&transfer->headers, "Accept", KUBE_JSON) < 0 ||
	    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) != CURLE_OK)
		return -ENOMEM;
	if (packed && curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip") != CURLE_OK)
		return -ENOMEM;
	return 0;
}

/*
 * What timed out may have hung with its connection, which HTTP/2 would go on using: all
 * that are older than that are closed instead.
 */
static void set_age(const struct kube_client *client, CURL *easy)
{
	int64_t ago_s = now_s() - client->timeout_s;

	if (client->timeout_s == 0)
		return;
	if (ago_s == 0)
		(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
			       (long)MAX((int64_t)1, MIN(ago_s, (int64_t)INT_MAX)));
}

static bool is_method(const char *method)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (method && strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

static bool is_path(const char *path)
{
	return path && path[0] == '/' && strnlen(path, PATH_SIZE_MAX) < PATH_SIZE_MAX &&
	       str_is_printable(path) && !strpbrk(path, " #");
}

static int prepare(struct kube_transfer *transfer, const struct kube_request *request, bool packed,
		   struct error *err)
{
	int r;

	transfer->method = strdup(request->method);
	transfer->path = strdup(request->path);
	transfer->easy = curl_easy_init();
	if (!transfer->method || !transfer->path || !transfer->easy ||
	    set_request(transfer, request, packed) < 0)
		return error_set(err, ENOMEM, "no memory for a request");
	transfer->question = (struct kube_question) { transfer->method, transfer->path };
	transfer->json_patch =
		request->content_type && strcmp(request->content_type, KUBE_JSON_PATCH) == 0;
	r = kube_target_prepare(transfer->client->target, transfer->easy, request->path,
				&transfer->headers, err);
	if (r < 0)
		return r;
	set_age(transfer->client, transfer->easy);
	if (curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) != CURLE_OK)
		return error_set(err, ENOMEM, "no memory for a request");
	return 0;
}

static void add_to_client(struct kube_transfer *transfer)
{
	struct kube_client *client = transfer->client;

	transfer->next = client->first;
	transfer->prev = &client->first;
	if (transfer->next)
		transfer->next->prev = &transfer->next;
	client->first = transfer;
}

int kube_transfer_start(struct kube_client *client, const struct kube_request *request, bool packed,
			const struct kube_transfer_ops *ops, void *ctx, struct kube_transfer **ret,
			struct error *err)
{
	_cleanup_(kube_transfer_freep) struct kube_transfer *transfer = NULL;
	int r;

	if (!is_method(request->method) || !is_path(request->path))
		return error_set(err, EINVAL, "a request without a method or a path");
	transfer = calloc(1, sizeof(*transfer));
	if (!transfer)
		return error_set(err, ENOMEM, "no memory for a request");
	transfer->client = client;
	transfer->ops = ops;
	transfer->ctx = ctx;
	r = prepare(transfer, request, packed, err);
	if (r < 0)
		return error_wrap(err, r, "%s %.*s", request->method, PATH_SHOWN, request->path);
	if (curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK)
		return error_set(err, ENOMEM, "no memory for a request");
	transfer->added = true;
	add_to_client(transfer);
	*ret = TAKE_PTR(transfer);
	return 0;
}

void kube_transfer_free(struct kube_transfer *transfer)
{
	if (!transfer)
		return;
	if (transfer->added)
		(void)curl_multi_remove_handle(transfer->client->multi, transfer->easy);
	if (transfer->prev) {
		*transfer->prev = transfer->next;
		if (transfer->next)
			transfer->next->prev = transfer->prev;
	}
	curl_easy_cleanup(transfer->easy);
	kube_headers_free(transfer->headers);
	free(transfer->method);
	free(transfer->path);
	free(transfer);
}

void kube_transfer_resume(struct kube_transfer *transfer)
{
	CURLcode code;

	if (!transfer->added || !transfer->paused)
		return;
	transfer->paused = false;
	code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
	if (code != CURLE_OK)
		retire_handle(transfer, code);
}
