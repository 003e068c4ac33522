/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetcher: jobs wait in a queue, run in one of a fixed number of transfers, and are
 * told, or wait again.
 *
 *	fetcher_add() -> queue -> transfer -> done()
 *	                   ^---------'  may pass, after its back-off
 *
 * One thread, one libcurl multi handle.  Each round of fetcher_run() fills the queue,
 * starts what may start, lets libcurl work, ends what is over, and sleeps until
 * something can happen.
 */
#include "reservoir/fetch/fetch.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "reservoir/fetch/flusher.h"
#include "reservoir/fetch/queue.h"
#include "reservoir/fetch/transfer.h"

#define TOTAL_MAX 1024u		     /* transfers: each has a descriptor or two, and a buffer */
#define WAITING_PER_TRANSFER 4u	     /* more() is called below this many waiting jobs */
#define POLL_MS 200		     /* the longest that a stop or the progress waits */
#define PAUSED_POLL_MS 20	     /* while transfers wait for their allowance */
#define WATCH_MS 250u		     /* between two calls of the watcher */
#define SPILL_MS 200u		     /* what has come is lost to a kill no longer */
#define FLUSH_MS 2000u		     /* an object waits no longer for its name */
#define FLUSH_BYTES (8u << 20)	     /* nor until more than these were written after it */
#define FLUSH_OBJECTS 64u	     /* or so many are whole: the store has room for more */
#define DISK_MS 1000u		     /* between two looks at the disk */
#define DISK_BYTES (64u << 20)	     /* or after so many written */
#define DISK_LEAST_BYTES (64u << 10) /* where there is little room */
#define BUSY_MS 50u /* until bytes that another transfer has open are asked for again */
#define ADVANCE_BYTES (1u << 20) /* a try that came so much further counts as the first */

struct fetcher {
	struct engine engine;
	struct queue queue;
	struct transfer *transfers; /* settings.total of them */
	uint32_t n_active;
	atomic_bool is_stopped; /* by a signal handler, or another thread */
	uint64_t watched_ms, spilled_ms, flushed_ms, disk_ms;
	uint64_t disk_bytes, flushed_bytes; /* written until then */
	uint64_t flushed_objects;	    /* whole until then */
	uint64_t disk_step;		    /* to be written until the disk is looked at again */
	struct flusher *flusher;	    /* of a run, once something is to be flushed */
	fetch_progress_fn watch;
	void *watch_ctx;
	char *ca_file, *proxy, *netrc_file;
	bool is_dropping;
	bool told; /* a done() was called since more() said no */
};

static int copy_text(const char *text, char **copy, const char **ret)
{
	*ret = NULL;
	if (!text || !text[0])
		return 0;
	*copy = strdup(text);
	*ret = *copy;
	return *copy ? 0 : -ENOMEM;
}

static int copy_settings(struct fetcher *fetcher, const struct fetch_settings *settings)
{
	struct fetch_settings *copy = &fetcher->engine.settings;

	*copy = *settings;
	copy->total = MIN(MAX(settings->total, 1u), TOTAL_MAX);
	copy->per_host = MIN(MAX(settings->per_host, 1u), copy->total);
	copy->attempts = MAX(settings->attempts, 1u);
	if (copy_text(settings->ca_file, &fetcher->ca_file, &copy->ca_file) < 0 ||
	    copy_text(settings->proxy, &fetcher->proxy, &copy->proxy) < 0 ||
	    copy_text(settings->netrc_file, &fetcher->netrc_file, &copy->netrc_file) < 0)
		return -ENOMEM;
	fetcher->queue.per_host = copy->per_host;
	fetcher->queue.patience_ms = copy->timeout_ms;
	fetcher->engine.allowance.per_second = copy->bytes_per_second;
	return 0;
}

static int open_multi(struct fetcher *fetcher)
{
	struct engine *engine = &fetcher->engine;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	engine->multi = curl_multi_init();
	if (!engine->multi ||
	    curl_multi_setopt(engine->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) !=
		    CURLM_OK ||
	    curl_multi_setopt(engine->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			      (long)engine->settings.per_host) != CURLM_OK ||
	    curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)engine->settings.total) !=
		    CURLM_OK)
		return -ENOMEM;
	fetcher->transfers = calloc(engine->settings.total, sizeof(*fetcher->transfers));
	if (!fetcher->transfers)
		return -ENOMEM;
	for (uint32_t i = 0; i < engine->settings.total; i++)
		if (transfer_init(&fetcher->transfers[i], engine) < 0)
			return -ENOMEM;
	return 0;
}

int fetcher_new(struct store *store, const struct fetch_settings *settings, struct fetcher **ret,
		struct error *err)
{
	_cleanup_(fetcher_freep) struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (settings->timeout_ms == 0)
		return error_set(err, EINVAL, "a timeout of 0 ms is too short");
	if (!fetcher || copy_settings(fetcher, settings) < 0 || open_multi(fetcher) < 0)
		return error_set(err, ENOMEM, "no memory for a fetcher");
	fetcher->engine.store = store;
	*ret = TAKE_PTR(fetcher);
	return 0;
}

/* Ends a transfer without telling anybody. */
static void drop(struct transfer *transfer)
{
	struct job *job = transfer->job;

	if (job)
		transfer_clear(transfer);
	job_free(job);
}

void fetcher_free(struct fetcher *fetcher)
{
	if (!fetcher)
		return;
	for (uint32_t i = 0; fetcher->transfers && i < fetcher->engine.settings.total; i++) {
		if (fetcher->transfers[i].engine)
			drop(&fetcher->transfers[i]);
		transfer_done(&fetcher->transfers[i]);
	}
	free(fetcher->transfers);
	queue_done(&fetcher->queue);
	progress_done(&fetcher->engine.progress);
	if (fetcher->engine.multi)
		(void)curl_multi_cleanup(fetcher->engine.multi);
	free(fetcher->ca_file);
	free(fetcher->proxy);
	free(fetcher->netrc_file);
	free(fetcher);
}

/* --- adding --- */

static int check_request(const struct fetcher *fetcher, const struct fetch_request *request,
			 enum url_scheme scheme, struct error *err)
{
	if (request->part.length > 0 && (!request->to_memory || scheme == URL_FILE))
		return error_set(err, EINVAL, "only from the network to memory goes a part");
	if ((request->accept && !str_is_printable(request->accept)) ||
	    (request->etag && !str_is_printable(request->etag)))
		return error_set(err, EINVAL, "a header is not printable ASCII");
	if (!request->to_memory && !fetcher->engine.store)
		return error_set(err, EINVAL, "there is no store for what is fetched");
	return 0;
}

int fetcher_add(struct fetcher *fetcher, const struct fetch_request *request, struct error *err)
{
	_cleanup_(job_freep) struct job *job = NULL;
	char host[URL_HOST_MAX];
	enum url_scheme scheme;
	int r;

	if (fetcher->is_dropping)
		return error_set(err, ECANCELED, "the run has ended");
	r = url_check(request->url, &scheme, host, err);
	if (r < 0)
		return r;
	r = check_request(fetcher, request, scheme, err);
	if (r < 0)
		return r;
	if (job_new(request, &job) < 0 || queue_host(&fetcher->queue, host, &job->host) < 0 ||
	    progress_row(&fetcher->engine.progress, request->label, &job->label) < 0)
		return error_set(err, ENOMEM, "no memory for a request");
	job->scheme = scheme;
	queue_add(&fetcher->queue, TAKE_PTR(job), clock_ms());
	return 0;
}

void fetcher_plan(struct fetcher *fetcher, const char *label, uint64_t files, uint64_t bytes)
{
	struct fetch_progress *row;
	size_t index;

	if (progress_row(&fetcher->engine.progress, label, &index) < 0)
		return;
	row = &fetcher->engine.progress.rows[index];
	row->files_all = MAX(row->files_all, row->files_added + files);
	row->bytes_all = MAX(row->bytes_all, row->bytes_done + bytes);
}

void fetcher_watch(struct fetcher *fetcher, fetch_progress_fn fn, void *ctx)
{
	fetcher->watch = fn;
	fetcher->watch_ctx = ctx;
}

void fetcher_report(struct fetcher *fetcher, fetch_progress_fn fn, void *ctx)
{
	fn(ctx, fetcher->engine.progress.rows, fetcher->engine.progress.n);
}

void fetcher_stop(struct fetcher *fetcher)
{
	fetcher->is_stopped = true;
}

/* --- the end of a job --- */

static struct host *host_of(struct fetcher *fetcher, const struct job *job)
{
	return &fetcher->queue.hosts[job->host];
}

/* What is there already is no work, and counted nowhere. */
static void count_added(struct fetcher *fetcher, struct job *job)
{
	struct fetch_progress *row = &fetcher->engine.progress.rows[job->label];

	if (job->is_added)
		return;
	job->is_added = true;
	row->files_added++;
	row->bytes_added += job->request.size;
	row->files_all = MAX(row->files_all, row->files_added);
	row->bytes_all = MAX(row->bytes_all, row->bytes_added);
}

/* Calls done(), which may add requests: nothing is held across it but the job. */
static void tell(struct fetcher *fetcher, const struct job *job, const struct fetch_result *result)
{
	struct fetch_progress *row = &fetcher->engine.progress.rows[job->label];

	row->files_done += job->is_added && result->status != FETCH_FAILED;
	row->files_failed += result->status == FETCH_FAILED;
	fetcher->told = true;
	if (job->request.done)
		job->request.done(job->request.ctx, &job->request, result);
}

static void tell_failure(struct fetcher *fetcher, const struct job *job,
			 struct fetch_result *result)
{
	result->status = FETCH_FAILED;
	result->error = job->why;
	if (!result->url)
		result->url = job->url;
	tell(fetcher, job, result);
}

static void tell_dropped(struct fetcher *fetcher, struct job *owned)
{
	_cleanup_(job_freep) struct job *job = owned;
	struct fetch_result result = { .url = job->url };
	char shown[URL_SHOWN_MAX];

	(void)error_set(&job->why, ECANCELED, "%s: not fetched, as the run has ended",
			url_show(job->url, shown, sizeof(shown)));
	tell_failure(fetcher, job, &result);
}

static void try_again(struct fetcher *fetcher, struct job *job, uint64_t delay_ms)
{
	uint64_t now = clock_ms();

	job->due_ms = delay_ms > 0 ? now + delay_ms : 0;
	queue_add(&fetcher->queue, job, now);
}

/* What is changed for another try can be changed once. */
static bool change(bool *what)
{
	bool was = *what;

	*what = true;
	return !was;
}

/* Whether a job that failed may be tried once more; notes how. */
static bool may_try_again(const struct fetcher *fetcher, struct job *job, enum outcome_kind kind,
			  uint64_t advanced)
{
	if (advanced >= ADVANCE_BYTES) {
		job->tries = 0;
		backoff_reset(&job->backoff);
	}
	job->tries++;
	switch (kind) {
	case OUTCOME_AGAIN:
		return job->tries < fetcher->engine.settings.attempts;
	/* Else what an earlier run has left would keep each later one from the file. */
	case OUTCOME_RANGE:
		return change(&job->no_range) || job->tries < fetcher->engine.settings.attempts;
	case OUTCOME_FRESH:
		return change(&job->is_fresh);
	default:
		return false;
	}
}

static void weigh(struct fetcher *fetcher, const struct job *job, const struct outcome *outcome)
{
	struct host_load *load = &host_of(fetcher, job)->load;

	if (outcome->is_too_much && outcome->reached)
		host_load_refused(load, clock_ms(), outcome->wait_ms);
	else if (outcome->reached)
		host_load_answered(load);
	else if (outcome->kind == OUTCOME_AGAIN)
		host_load_unreached(load, clock_ms());
}

static void end_job(struct fetcher *fetcher, struct job *owned, const struct outcome *outcome,
		    struct fetch_result *result, uint64_t furthest)
{
	_cleanup_(job_freep) struct job *job = owned;
	struct host_load *load = &host_of(fetcher, job)->load;
	uint32_t delay;

	if (outcome->kind == OUTCOME_TELL) {
		tell(fetcher, job, result);
		return;
	}
	if (!host_load_is_dead(load) &&
	    may_try_again(fetcher, job, outcome->kind, job->furthest - furthest)) {
		fetcher->engine.progress.rows[job->label].retries++;
		log_debug("fetch", "again: %s", job->why.msg);
		delay = outcome->kind == OUTCOME_AGAIN
				? backoff_next_ms(&job->backoff, random_u32())
				: 0;
		try_again(fetcher, TAKE_PTR(job), delay);
		return;
	}
	tell_failure(fetcher, job, result);
}

static void end_transfer(struct fetcher *fetcher, struct transfer *transfer, CURLcode code)
{
	struct job *job = transfer->job;
	uint64_t furthest = job->furthest;
	struct fetch_result result;
	struct outcome outcome = transfer_end(transfer, code, &result);
	char url[FETCH_URL_MAX];
	_cleanup_strbuf_ _unused_ struct strbuf memory = transfer->memory;

	/* What the result borrows outlives the transfer, which done() may make start again. */
	transfer->memory = STRBUF_INIT(0);
	if (str_copy(url, sizeof(url), result.url) == 0)
		result.url = url;
	transfer_clear(transfer);
	fetcher->n_active--;
	host_of(fetcher, job)->load.active--;
	weigh(fetcher, job, &outcome);
	if (outcome.kind == OUTCOME_FATAL) {
		tell_dropped(fetcher, job);
		return;
	}
	end_job(fetcher, job, &outcome, &result, furthest);
}

/* --- the start of a job --- */

static struct transfer *idle_transfer(struct fetcher *fetcher)
{
	for (uint32_t i = 0; i < fetcher->engine.settings.total; i++)
		if (!fetcher->transfers[i].job)
			return &fetcher->transfers[i];
	return NULL;
}

/* A job that needs no network is told at once, and its transfer is idle again. */
static void end_at_start(struct fetcher *fetcher, struct transfer *transfer, struct job *job,
			 enum outcome_kind kind, struct fetch_result *result)
{
	_cleanup_strbuf_ _unused_ struct strbuf memory = transfer->memory;

	transfer->memory = STRBUF_INIT(0);
	transfer->job = NULL; /* the multi handle does not know it */
	transfer_clear(transfer);
	switch (kind) {
	case OUTCOME_TELL:
		count_added(fetcher, job);
		result->url = job->url;
		tell(fetcher, job, result);
		break;
	case OUTCOME_THERE:
		result->url = job->url;
		tell(fetcher, job, result);
		break;
	case OUTCOME_BUSY:
		try_again(fetcher, job, BUSY_MS);
		return;
	default:
		tell_dropped(fetcher, job);
		return;
	}
	job_free(job);
}

static void start(struct fetcher *fetcher, struct transfer *transfer, struct job *job)
{
	struct fetch_result result = { 0 };
	enum outcome_kind kind;

	if (host_load_is_dead(&host_of(fetcher, job)->load)) {
		char shown[URL_SHOWN_MAX];

		(void)error_set(&job->why, EHOSTUNREACH,
				"%s: not tried, as the host has not answered for long",
				url_show(job->url, shown, sizeof(shown)));
		tell_failure(fetcher, job, &result);
		job_free(job);
		return;
	}
	kind = transfer_start(transfer, job, &result);
	if (kind != OUTCOME_NONE) {
		end_at_start(fetcher, transfer, job, kind, &result);
		return;
	}
	count_added(fetcher, job);
	fetcher->n_active++;
	host_of(fetcher, job)->load.active++;
}

/* What is put off here is not due before the transfers have gone on. */
static void start_some(struct fetcher *fetcher)
{
	uint64_t now = clock_ms();

	while (fetcher->n_active < fetcher->engine.settings.total && fetcher->engine.fatal == 0 &&
	       !fetcher->is_stopped) {
		struct job *job = queue_take(&fetcher->queue, now);

		if (!job)
			return;
		start(fetcher, idle_transfer(fetcher), job);
	}
}

/* --- a round --- */

static bool fill(struct fetcher *fetcher, fetch_more_fn more, void *ctx)
{
	size_t wanted = (size_t)fetcher->engine.settings.total * WAITING_PER_TRANSFER;

	while (more && fetcher->queue.n_waiting < wanted)
		if (!more(ctx, fetcher))
			return false;
	return more != NULL;
}

static void fill_allowance(struct fetcher *fetcher, uint64_t now)
{
	struct allowance *allowance = &fetcher->engine.allowance;

	if (allowance->per_second == 0)
		return;
	allowance_fill(allowance, now);
	for (uint32_t i = 0; i < fetcher->engine.settings.total && allowance->left > 0; i++)
		transfer_resume(&fetcher->transfers[i]);
}

/* The less room there is, the sooner it is looked at again. */
static uint64_t disk_step(uint64_t room)
{
	return MIN(MAX(room / 2, (uint64_t)DISK_LEAST_BYTES), (uint64_t)DISK_BYTES);
}

static int look_at_disk(struct fetcher *fetcher, uint64_t now, struct error *err)
{
	struct engine *engine = &fetcher->engine;
	uint64_t free_bytes;
	int r;

	if (!engine->store || engine->settings.keep_free == 0 ||
	    (now - fetcher->disk_ms < DISK_MS &&
	     engine->written - fetcher->disk_bytes < fetcher->disk_step))
		return 0;
	fetcher->disk_ms = now;
	fetcher->disk_bytes = engine->written;
	r = store_free_bytes(engine->store, &free_bytes, err);
	if (r < 0)
		return r;
	if (free_bytes >= engine->settings.keep_free) {
		fetcher->disk_step = disk_step(free_bytes - engine->settings.keep_free);
		return 0;
	}
	fetcher->disk_ms = 0; /* so that the next run does not begin without a look */
	return error_set(err, ENOSPC,
			 "the disk has %" PRIu64 " bytes free, and %" PRIu64
			 " are to be left (sync.keepFree)",
			 free_bytes, engine->settings.keep_free);
}

static void watch(struct fetcher *fetcher, uint64_t now, bool always)
{
	if (!fetcher->watch || (!always && now - fetcher->watched_ms < WATCH_MS))
		return;
	fetcher->watched_ms = now;
	fetcher->watch(fetcher->watch_ctx, fetcher->engine.progress.rows,
		       fetcher->engine.progress.n);
}

/* What comes slowly is not kept in memory until it is much. */
static int spill(struct fetcher *fetcher, uint64_t now, struct error *err)
{
	int r = 0;

	if (now - fetcher->spilled_ms < SPILL_MS)
		return 0;
	fetcher->spilled_ms = now;
	for (uint32_t i = 0; r == 0 && i < fetcher->engine.settings.total; i++)
		if (fetcher->transfers[i].staging)
			r = staging_spill(fetcher->transfers[i].staging, err);
	return r;
}

/* Has what is there made durable beside the transfers. */
static int flush(struct fetcher *fetcher, uint64_t now, struct error *err)
{
	uint64_t written = fetcher->engine.written;
	uint64_t finished = fetcher->engine.finished;
	int r = 0;

	if (!fetcher->engine.store || (now - fetcher->flushed_ms < FLUSH_MS &&
				       written - fetcher->flushed_bytes < FLUSH_BYTES &&
				       finished - fetcher->flushed_objects < FLUSH_OBJECTS))
		return 0;
	if (!fetcher->flusher)
		r = flusher_new(fetcher->engine.store, &fetcher->flusher, err);
	if (r == 0)
		r = flusher_check(fetcher->flusher, err);
	if (r < 0)
		return r;
	fetcher->flushed_ms = now;
	fetcher->flushed_bytes = written;
	fetcher->flushed_objects = finished;
	flusher_wake(fetcher->flusher);
	return 0;
}

/* Waits until all is durable. */
static int flush_rest(struct fetcher *fetcher, struct error *err)
{
	int r = fetcher->flusher ? flusher_check(fetcher->flusher, err) : 0;

	if (r == 0 && fetcher->engine.store)
		r = object_flush(fetcher->engine.store, err);
	/* What failed there was thrown away, and is no success here. */
	if (r == 0 && fetcher->flusher)
		r = flusher_check(fetcher->flusher, err);
	flusher_free(TAKE_PTR(fetcher->flusher));
	fetcher->flushed_bytes = fetcher->engine.written;
	fetcher->flushed_objects = fetcher->engine.finished;
	return r;
}

static int work(struct fetcher *fetcher, struct error *err)
{
	struct engine *engine = &fetcher->engine;
	struct transfer *transfer = NULL;
	int n;

	if (curl_multi_perform(engine->multi, &n) != CURLM_OK)
		return error_set(err, EIO, "libcurl does not go on");
	for (CURLMsg *msg = curl_multi_info_read(engine->multi, &n); msg && engine->fatal == 0;
	     msg = curl_multi_info_read(engine->multi, &n)) {
		if (msg->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
			continue;
		end_transfer(fetcher, transfer, msg->data.result);
	}
	if (engine->fatal < 0) {
		if (err)
			*err = engine->fatal_err;
		return engine->fatal;
	}
	return 0;
}

static bool is_any_paused(const struct fetcher *fetcher)
{
	for (uint32_t i = 0; i < fetcher->engine.settings.total; i++)
		if (fetcher->transfers[i].is_paused)
			return true;
	return false;
}

static int wait(struct fetcher *fetcher, struct error *err)
{
	uint64_t ms = MIN(queue_next_ms(&fetcher->queue, clock_ms()), (uint64_t)POLL_MS);

	if (fetcher->engine.allowance.per_second > 0 && is_any_paused(fetcher))
		ms = MIN(ms, (uint64_t)PAUSED_POLL_MS);
	if (curl_multi_poll(fetcher->engine.multi, NULL, 0, (int)ms, NULL) != CURLM_OK)
		return error_set(err, EIO, "libcurl cannot wait");
	return 0;
}

/* One round; positive when all is done. */
static int go_on(struct fetcher *fetcher, fetch_more_fn more, void *ctx, struct error *err)
{
	uint64_t now = clock_ms();
	bool is_more;
	int r;

	if (fetcher->is_stopped)
		return error_set(err, EINTR, "stopped");
	r = look_at_disk(fetcher, now, err);
	if (r < 0)
		return r;
	fetcher->told = false;
	is_more = fill(fetcher, more, ctx);
	start_some(fetcher);
	fill_allowance(fetcher, now);
	r = work(fetcher, err);
	if (r < 0)
		return r;
	r = spill(fetcher, now, err);
	if (r == 0)
		r = flush(fetcher, now, err);
	if (r < 0)
		return r;
	watch(fetcher, now, false);
	if (fetcher->told || (is_more && fetcher->queue.n_waiting == 0))
		return 0;
	if (fetcher->n_active == 0 && fetcher->queue.n_waiting == 0)
		return 1;
	return wait(fetcher, err);
}

/* Whoever waits for a request hears of it, to release what belongs to it. */
static void drop_all(struct fetcher *fetcher)
{
	fetcher->is_dropping = true;
	for (uint32_t i = 0; i < fetcher->engine.settings.total; i++) {
		struct job *job = fetcher->transfers[i].job;

		if (!job)
			continue;
		transfer_uncount(&fetcher->transfers[i]);
		transfer_clear(&fetcher->transfers[i]);
		host_of(fetcher, job)->load.active--;
		tell_dropped(fetcher, job);
	}
	for (struct job *job = queue_take_any(&fetcher->queue); job;
	     job = queue_take_any(&fetcher->queue))
		tell_dropped(fetcher, job);
	fetcher->n_active = 0;
	fetcher->engine.fatal = 0;
	fetcher->is_stopped = false;
	fetcher->is_dropping = false;
}

int fetcher_run(struct fetcher *fetcher, fetch_more_fn more, void *ctx, struct error *err)
{
	struct error flush_err = { 0 };
	int r = 0;
	int flushed;

	fetcher->engine.allowance.filled_ms = fetcher->flushed_ms = clock_ms();
	fetcher->engine.fatal_err = (struct error) { 0 };
	for (size_t i = 0; i < fetcher->queue.n_hosts; i++)
		fetcher->queue.hosts[i].load.unreached = 0;
	while (r == 0)
		r = go_on(fetcher, more, ctx, err);
	if (r < 0)
		drop_all(fetcher);
	flushed = flush_rest(fetcher, &flush_err);
	watch(fetcher, clock_ms(), true);
	if (r >= 0 && flushed < 0) {
		if (err)
			*err = flush_err;
		return flushed;
	}
	return MIN(r, 0);
}
