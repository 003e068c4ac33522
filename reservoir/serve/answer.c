/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/serve/status.h"

#define REALM "Basic realm=\"Silica Reservoir\", charset=\"UTF-8\""
#define TEXT_MAX 512u
#define RETRY_AFTER_S 5u	     /* of what is not there yet */
#define TELL_NS UINT64_C(1000000000) /* between two lines of what cannot be sent */
#define KEY_OF_ALL ((struct limit_key) { { 0 } })

/* What is known once a request was let in. */
struct context {
	struct peer *peer;
	struct worker *worker;
	struct picture *picture; /* borrowed */
	const struct picture_repository *repository;
	struct hot *hot;		/* where its answers are kept ready */
	const struct memo_entry *noted; /* what is known of the request, or NULL */
	bool is_current;		/* the picture is that of the memo */
	const struct revoked *revoked;	/* of what is published now, also of a snapshot */
	struct place place;
};

static enum MHD_Result respond(struct peer *peer, unsigned int status,
			       struct MHD_Response *response)
{
	peer->status = status;
	return MHD_queue_response(peer->connection, status, response);
}

/* Queues a response of this request alone. */
static enum MHD_Result respond_once(struct peer *peer, unsigned int status,
				    struct MHD_Response *response)
{
	enum MHD_Result r;

	if (atomic_load_explicit(&peer->core->draining, memory_order_relaxed))
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	r = respond(peer, status, response);
	MHD_destroy_response(response);
	return r;
}

static void add_number(struct MHD_Response *response, const char *name, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	(void)MHD_add_response_header(response, name, text);
}

static struct MHD_Response *text_response(struct peer *peer, unsigned int status, const char *text)
{
	struct MHD_Response *response;
	char line[TEXT_MAX];
	int n = snprintf(line, sizeof(line), "%u %s\n", status, text);
	size_t len = n < 0 ? 0 : MIN((size_t)n, sizeof(line) - 1);

	response = MHD_create_response_from_buffer(len, line, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return NULL;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "text/plain; charset=utf-8");
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	peer->bytes = peer->request.head ? 0 : len;
	return response;
}

enum MHD_Result answer_text(struct peer *peer, unsigned int status, const char *text)
{
	struct MHD_Response *response = text_response(peer, status, text);

	if (!response)
		return MHD_NO;
	if (status == 401)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, REALM);
	if (status == 405)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (status == 503)
		add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER_S);
	return respond_once(peer, status, response);
}

static enum MHD_Result answer_throttled(const struct context *context, uint32_t wait_ms)
{
	struct MHD_Response *response =
		text_response(context->peer, 429, "too many requests, try again later");

	worker_add(&context->worker->totals.throttled, 1);
	if (!response)
		return MHD_NO;
	add_number(response, MHD_HTTP_HEADER_RETRY_AFTER, wait_ms / 1000 + 1);
	return respond_once(context->peer, 429, response);
}

static enum MHD_Result answer_plan(struct peer *peer, const struct plan *plan)
{
	struct MHD_Response *response = text_response(peer, plan->status, plan->text);
	char range[48];

	if (!response)
		return MHD_NO;
	if (plan->location[0])
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, plan->location);
	if (plan->varies)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept");
	if (plan->status == 416) {
		(void)snprintf(range, sizeof(range), "bytes */%llu",
			       (unsigned long long)plan->key.size);
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
	}
	return respond_once(peer, plan->status, response);
}

static void add_content_range(struct MHD_Response *response, const struct plan *plan)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "bytes %llu-%llu/%llu",
		       (unsigned long long)plan->range.first,
		       (unsigned long long)(plan->range.first + plan->range.length - 1),
		       (unsigned long long)plan->key.size);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

static int paced_response(const struct context *context, const struct plan *plan,
			  struct hot_entry *entry, struct MHD_Response **ret, struct error *err)
{
	const struct setup_repository *setup = context->repository->setup;
	struct paced_body body = {
		.connection = context->peer->connection,
		.first = plan->status == 206 ? plan->range.first : 0,
		.length = plan->status == 206 ? plan->range.length : plan->key.size,
		.picture = context->picture,
		.client = context->picture->setup->bytes,
		.key = context->peer->counted,
		.shared = setup ? setup->bytes : NULL,
		.sent = &context->peer->bytes,
	};
	int r;

	body.fd = hot_open(context->hot, entry, err);
	if (body.fd < 0)
		return body.fd;
	r = pacer_response(context->peer->core->pacer, &body, ret, err);
	if (r < 0) {
		(void)close(body.fd);
		return r;
	}
	hot_headers(&plan->key, *ret, true);
	return 0;
}

static bool is_paced(const struct context *context)
{
	const struct setup_repository *setup = context->repository->setup;

	return !context->peer->request.head &&
	       (context->picture->setup->bytes || (setup && setup->bytes));
}

/* A response of this request alone: a part, a paced one, the last of a connection, or one of
 * a file that is read while it is sent. */
static int own_response(const struct context *context, const struct plan *plan,
			struct hot_entry *entry, struct MHD_Response **ret, struct error *err)
{
	struct byte_range all = { .first = 0, .length = plan->key.size };
	int r;

	if (is_paced(context))
		r = paced_response(context, plan, entry, ret, err);
	else
		r = hot_part(context->hot, entry, plan->status == 206 ? &plan->range : &all, ret,
			     err);
	if (r == 0 && plan->status == 206)
		add_content_range(*ret, plan);
	return r;
}

static int send_bytes(const struct context *context, const struct plan *plan,
		      struct hot_entry *entry, enum MHD_Result *ret, struct error *err)
{
	struct peer *peer = context->peer;
	bool draining = atomic_load_explicit(&peer->core->draining, memory_order_relaxed);
	struct MHD_Response *response = NULL;
	int r = 0;

	if (plan->status == 200 && !draining && !is_paced(context))
		r = hot_whole(context->hot, entry, &response, err);
	if (response) {
		*ret = respond(peer, 200, response);
	} else if (r == 0) {
		r = own_response(context, plan, entry, &response, err);
		if (r == 0)
			*ret = respond_once(peer, plan->status, response);
	}
	if (r == 0 && !peer->request.head && !is_paced(context))
		peer->bytes = plan->status == 206 ? plan->range.length : plan->key.size;
	return r;
}

/* Clients that try again and again, or a disk that fails, are not to fill the log. */
static void tell_unavailable(const struct peer *peer, const char *why)
{
	struct core *core = peer->core;
	uint64_t now = clock_ns(), before = atomic_load(&core->told_ns);
	uint64_t untold;

	if ((before != 0 && now - before < TELL_NS) ||
	    !atomic_compare_exchange_strong(&core->told_ns, &before, now)) {
		atomic_fetch_add(&core->untold, 1);
		return;
	}
	untold = atomic_exchange(&core->untold, 0);
	log_warning("serve", "repository '%s', '%s': %s",
		    follow_slots(core->follow)->names[peer->slot], peer->target, why);
	if (untold > 0)
		log_warning("serve", "%llu more requests could not be answered before that",
			    (unsigned long long)untold);
}

static enum MHD_Result answer_unavailable(const struct context *context, const struct error *err)
{
	static const char *const texts[] = {
		"the file is damaged or missing here; it was not sent",
		"the server has no room for it now; try again",
	};
	bool is_short = err->code == EMFILE || err->code == ENFILE || err->code == ENOMEM;

	worker_add(&context->worker->totals.unavailable, 1);
	tell_unavailable(context->peer, err->msg);
	return answer_text(context->peer, 503, texts[is_short]);
}

/* The last answer of a connection says so, and is not the one that all share. */
static enum MHD_Result send_unchanged(struct peer *peer, const struct hot_entry *entry,
				      const struct hot_key *key)
{
	struct MHD_Response *response;

	if (!atomic_load_explicit(&peer->core->draining, memory_order_relaxed))
		return respond(peer, 304, hot_unchanged(entry));
	response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	hot_headers(key, response, false);
	return respond_once(peer, 304, response);
}

static void wake_up(struct cache_wait *wait)
{
	struct peer *peer = (struct peer *)(void *)((char *)wait - offsetof(struct peer, wait));

	MHD_resume_connection(peer->connection);
}

/* @damaged: what a cache has and cannot read, or NULL. */
static enum MHD_Result sleep_for_upstream(const struct context *context, const char *path,
					  enum cache_waited waits, const struct digest *damaged)
{
	struct peer *peer = context->peer;

	if (!peer->picture)
		peer->picture = picture_ref(context->picture);
	peer->waited = waits;
	peer->wait.done = wake_up;
	MHD_suspend_connection(peer->connection);
	cache_fetch(peer->core->cache, context->repository, path, damaged, &peer->wait);
	return MHD_YES;
}

static bool is_cache(const struct picture_repository *repository)
{
	return repository->setup && repository->ecosystem &&
	       repository->setup->config->mode == REPOSITORY_CACHE;
}

/* What a cache has lost it can have again. */
static enum MHD_Result answer_lost(const struct context *context, const struct plan *plan, int r,
				   const struct error *err)
{
	if ((r == -ENOENT || r == -EBADMSG) && is_cache(context->repository) &&
	    context->peer->waited != CACHE_WAITED)
		return sleep_for_upstream(context, context->place.path, CACHE_WAITED,
					  &plan->key.digest);
	return answer_unavailable(context, err);
}

static enum MHD_Result send_file(const struct context *context, const struct plan *plan)
{
	enum MHD_Result result = MHD_NO;
	struct error err = { 0 };
	int r = -ESTALE;

	for (int tries = 0; r == -ESTALE && tries < 2; tries++) {
		_cleanup_(hot_putp) struct hot_entry *entry = hot_get(context->hot, &plan->key);

		if (!entry)
			return MHD_NO;
		if (plan->status == 304)
			return send_unchanged(context->peer, entry, &plan->key);
		r = send_bytes(context, plan, entry, &result, &err);
	}
	return r < 0 ? answer_lost(context, plan, r, &err) : result;
}

/* Sends a file whose plan is made. */
static enum MHD_Result send_planned(const struct context *context, const char *etag,
				    struct plan *plan)
{
	struct peer *peer = context->peer;

	plan_decide(&peer->request, etag, plan);
	if (plan->status >= 400)
		return answer_plan(peer, plan);
	/* A download that goes on is the same download. */
	if (plan->counts && !peer->request.head && plan->status != 304 &&
	    (plan->status == 200 || plan->range.first == 0)) {
		peer->counts = true;
		peer->ecosystem = context->repository->ecosystem;
		(void)str_copy(peer->path, sizeof(peer->path), plan->path);
	}
	return send_file(context, plan);
}

static enum MHD_Result answer_file(const struct context *context)
{
	struct peer *peer = context->peer;
	char etag[ETAG_MAX];
	struct plan plan;

	plan.status = 0;
	plan.location[0] = '\0';
	plan.varies = false;
	plan.counts = false;
	plan_file(context->repository, &context->place, &peer->request, &plan);
	if (manifest_is_lost(context->repository->manifest->manifest))
		return answer_text(peer, 503, "the repository's manifest is damaged");
	if (plan.status == 200 && revoked_has(context->revoked, &plan.key.digest))
		plan_text(410, "the file was recalled: it is given to nobody any more", &plan);
	if (plan.status != 200)
		return answer_plan(peer, &plan);
	if (context->is_current)
		memo_note(context->worker->memo, context->picture, &peer->request,
			  context->repository, &plan);
	etag_format(&plan.key.digest, (enum encoding)plan.key.encoding, etag);
	return send_planned(context, etag, &plan);
}

static enum MHD_Result answer_noted(const struct context *context)
{
	const struct memo_entry *noted = context->noted;
	struct plan plan;

	plan.location[0] = '\0';
	plan.varies = false;
	plan.key = noted->key;
	plan.counts = noted->counts;
	(void)str_copy(plan.path, sizeof(plan.path), noted->path);
	return send_planned(context, noted->etag, &plan);
}

/* --- repositories that cache --- */

static enum MHD_Result answer_cached(struct context *context, struct shared_manifest *manifest)
{
	struct picture_repository row = *context->repository;
	enum MHD_Result result;

	row.manifest = manifest;
	context->is_current = false;
	context->repository = &row;
	context->hot = cache_hot(context->peer->core->cache);
	result = answer_file(context);
	context->repository = NULL;
	return result;
}

static enum MHD_Result answer_elsewhere(const struct context *context, const char *path)
{
	struct plan plan;

	plan.varies = false;
	plan_redirect(&context->place, path, &context->peer->request, &plan);
	return answer_plan(context->peer, &plan);
}

static enum MHD_Result answer_held(struct context *context)
{
	_cleanup_(shared_unrefp) struct shared_manifest *manifest = NULL;
	struct peer *peer = context->peer;
	struct origin origin;

	switch (cache_look(peer->core->cache, context->repository, context->place.path,
			   peer->waited, &manifest, &origin)) {
	case CACHE_FOUND:
		return answer_cached(context, manifest);
	case CACHE_ASK:
		return sleep_for_upstream(context, context->place.path, CACHE_WAITED, NULL);
	case CACHE_ASK_INDEX:
		return sleep_for_upstream(context, origin.path, CACHE_WAITED_INDEX, NULL);
	case CACHE_ELSEWHERE:
		return answer_elsewhere(context, origin.path);
	case CACHE_REFUSED:
		return answer_text(peer, 404, "no index that was fetched vouches for this file");
	case CACHE_FAILED:
		return answer_text(peer, 503,
				   "it is not here yet, and the upstream does not give it");
	case CACHE_UNWRITABLE:
		return answer_text(peer, 503,
				   "it is not here yet, and the disk of the cache cannot take it");
	case CACHE_ABSENT:
	case _CACHE_OUTCOME_MAX:
	default:
		return answer_text(peer, 404, "the upstream has no such file");
	}
}

static enum MHD_Result answer_cache(struct context *context)
{
	struct cache *cache = __atomic_load_n(&context->peer->core->cache, __ATOMIC_ACQUIRE);
	enum MHD_Result result;

	if (!cache)
		return answer_text(context->peer, 503,
				   "the cache cannot be used; the log says why");
	if (context->place.snapshot[0])
		return answer_text(context->peer, 404, "a repository that caches has no snapshots");
	if (context->place.bare)
		return answer_elsewhere(context, "");
	cache_hold(cache);
	result = answer_held(context);
	cache_release(cache);
	return result;
}

static enum MHD_Result answer_denied(const struct context *context)
{
	if (context->peer->user == USER_NONE)
		return answer_text(context->peer, 401, "log in to read this");
	return answer_text(context->peer, 403, "this user may not read this");
}

static enum MHD_Result answer_repository(struct context *context)
{
	const struct setup_repository *setup = context->repository->setup;
	uint32_t wait_ms = 0;

	context->peer->slot = context->repository->slot;
	if (!setup_may_read(context->picture->setup, setup, context->peer->user))
		return answer_denied(context);
	if (setup && setup->requests && context->peer->waited == CACHE_WAITED_NOT &&
	    limit_take(setup->requests, &KEY_OF_ALL, 1, 1, clock_ns(), &wait_ms) == 0)
		return answer_throttled(context, wait_ms);
	if (context->noted)
		return answer_noted(context);
	if (is_cache(context->repository))
		return answer_cache(context);
	if (!context->repository->published)
		return answer_text(context->peer, 503,
				   "the repository has not been synced or imported yet");
	if (!context->repository->manifest)
		return answer_text(context->peer, 503, "the repository's manifest is damaged");
	return answer_file(context);
}

static enum MHD_Result answer_page(struct peer *peer, const char *path)
{
	struct MHD_Response *response;
	struct status_page page = { 0 };

	status_page(peer->core, path, &page);
	if (!page.text)
		return answer_text(peer, 500, "no memory for the page");
	response = MHD_create_response_from_buffer(page.len, page.text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(page.text);
		return MHD_NO;
	}
	peer->bytes = peer->request.head ? 0 : page.len;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page.type);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(response, "Content-Security-Policy",
				      "default-src 'none'; style-src 'unsafe-inline'");
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	return respond_once(peer, page.status, response);
}

static bool is_probe(const char *path)
{
	return strcmp(path, "healthz") == 0 || strcmp(path, "readyz") == 0;
}

static enum MHD_Result answer_own(const struct context *context)
{
	struct peer *peer = context->peer;
	const struct picture *picture = context->picture;

	if (is_probe(context->place.path))
		return answer_page(peer, context->place.path);
	if (!picture && !follow_may_watch(peer->core->follow))
		return answer_text(peer, 503, "the store cannot be read");
	if (picture && !setup_may_watch(picture->setup, peer->user))
		return answer_denied(context);
	return answer_page(peer, context->place.path);
}

/* Who may not read what has no entry in the configuration, is not told what there is. */
static enum MHD_Result answer_unknown(const struct context *context, const char *text)
{
	struct setup *setup = context->picture->setup;

	if (!setup_may_read(setup, setup_repository(setup, context->place.repository),
			    context->peer->user))
		return answer_denied(context);
	return answer_text(context->peer, 404, text);
}

static enum MHD_Result answer_place(struct context *context)
{
	_cleanup_(picture_unrefp) struct picture *snapshot = NULL;
	struct error err = { 0 };
	int r;

	if (context->place.kind == PLACE_OWN)
		return answer_own(context);
	if (!context->picture)
		return answer_text(context->peer, 503, "the store cannot be read");
	if (context->place.snapshot[0]) {
		r = follow_snapshot(context->peer->core->follow, context->picture,
				    context->place.snapshot, &snapshot, &err);
		if (r == -ENOENT || r == -EINVAL)
			return answer_unknown(context, "there is no such snapshot");
		if (r < 0)
			return answer_text(context->peer, 503, "the snapshot cannot be read");
		context->picture = snapshot;
		context->is_current = false;
	}
	context->repository = picture_find(context->picture, context->place.repository);
	if (!context->repository)
		return answer_unknown(context, "there is no such repository");
	return answer_repository(context);
}

/* What a wrong password takes is taken before it is hashed, and given back if it was right: of
 * the many connections that a client begins with, one is hashed and the others find that. */
static void check_login(struct job *job)
{
	struct peer *peer = (struct peer *)(void *)((char *)job - offsetof(struct peer, job));
	struct setup *setup = peer->picture->setup;
	const char *authorization = peer->request.authorization;

	peer->login = users_login(setup->users, authorization, &peer->user);
	if (peer->login == LOGIN_SLOW &&
	    limit_take(setup->failures, &peer->counted, SETUP_FAILURE_TOKENS, SETUP_FAILURE_TOKENS,
		       clock_ns(), &peer->login_wait_ms) > 0) {
		peer->login = users_check(setup->users, authorization, &peer->user);
		if (peer->login == LOGIN_USER)
			limit_give(setup->failures, &peer->counted, SETUP_FAILURE_TOKENS,
				   clock_ns());
	}
	MHD_resume_connection(peer->connection);
}

/* Has the password hashed by another thread; the request is answered after that. */
static enum MHD_Result sleep_for_login(const struct context *context)
{
	struct peer *peer = context->peer;

	peer->picture = picture_ref(context->picture);
	peer->job.run = check_login;
	MHD_suspend_connection(peer->connection);
	helpers_add(peer->core->logins, &peer->job);
	return MHD_YES;
}

static enum MHD_Result answer_wrong(const struct context *context)
{
	worker_add(&context->worker->totals.logins_failed, 1);
	return answer_text(context->peer, 401, "the user name, password or token is wrong");
}

/* Answers who could not log in, or puts the connection to sleep until that is known. */
static enum MHD_Result refuse_login(const struct context *context, bool slept)
{
	struct peer *peer = context->peer;
	uint32_t wait_ms = 0;

	if (peer->login == LOGIN_SLOW)
		return slept ? answer_throttled(context, peer->login_wait_ms)
			     : sleep_for_login(context);
	if (!slept &&
	    limit_take(context->picture->setup->failures, &peer->counted, SETUP_FAILURE_TOKENS,
		       SETUP_FAILURE_TOKENS, clock_ns(), &wait_ms) == 0)
		return answer_throttled(context, wait_ms);
	return answer_wrong(context);
}

/* Finds out who asks; false if the request was answered, or sleeps. */
static bool log_in(const struct context *context, enum MHD_Result *ret)
{
	struct peer *peer = context->peer;
	struct users *users = context->picture->setup->users;
	bool slept = peer->login != _LOGIN_MAX;

	if (!slept)
		peer->login = users_login(users, peer->request.authorization, &peer->user);
	if (peer->login == LOGIN_USER)
		(void)str_copy(peer->user_name, sizeof(peer->user_name),
			       users_name(users, peer->user));
	if (peer->login == LOGIN_ANONYMOUS || peer->login == LOGIN_USER)
		return true;
	*ret = refuse_login(context, slept);
	return false;
}

static bool is_admitted(const struct context *context, enum MHD_Result *ret)
{
	struct peer *peer = context->peer;
	struct setup *setup = context->picture->setup;
	uint32_t wait_ms = 0;

	if (peer->login == _LOGIN_MAX &&
	    limit_take(setup->requests, &peer->counted, 1, 1, clock_ns(), &wait_ms) == 0) {
		*ret = answer_throttled(context, wait_ms);
		return false;
	}
	return log_in(context, ret);
}

enum MHD_Result answer_request(struct peer *peer, struct worker *worker)
{
	struct context context = { .hot = peer->core->hot };
	enum MHD_Result result = MHD_NO;
	struct error err;
	int r;

	context.peer = peer;
	context.worker = worker;
	/* A user that was found while it slept is one of that picture's. */
	context.picture =
		peer->picture ? peer->picture : worker_picture(peer->core->workers, worker);
	if (context.picture && !peer->picture)
		peer_identify(peer, context.picture->setup);
	/* A kubelet may have the address of busy clients: no limit may end the pod. */
	if (peer->request.target[0] == '/' && is_probe(peer->request.target + 1))
		return answer_page(peer, peer->request.target + 1);
	if (context.picture && peer->waited == CACHE_WAITED_NOT && !is_admitted(&context, &result))
		return result;
	context.is_current = context.picture == worker->picture;
	context.revoked = context.picture ? &context.picture->revoked : NULL;
	if (context.picture && context.is_current)
		context.noted = memo_find(worker->memo, context.picture, &peer->request);
	if (context.noted) {
		context.repository = context.noted->repository;
		return answer_repository(&context);
	}
	r = place_parse(peer->request.target, &context.place, &err);
	if (r < 0)
		return answer_text(peer,
				   r == -ENOENT		? 404
				   : r == -ENAMETOOLONG ? 414
							: 400,
				   err.msg);
	return answer_place(&context);
}

/* A client that has gone has closed its end. */
static bool is_still_there(const struct peer *peer)
{
	char byte;

	return recv(peer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0 || errno == EAGAIN;
}

void answer_cut(const struct peer *peer, struct worker *worker)
{
	if (!peer->read || (peer->status != 200 && peer->status != 206) || !is_still_there(peer))
		return;
	worker_add(&worker->totals.unavailable, 1);
	tell_unavailable(peer, "the file cannot be read to its end: the answer was cut off");
}
