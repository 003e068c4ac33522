/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transfer has three parts: transfer_start() finds what there is already and says
 * what is asked for; on_body() decides at the first byte, by the status, where the
 * bytes go, and holds them against every limit; transfer_end() turns libcurl's code,
 * the status and the digest into one outcome.
 */
#include "reservoir/fetch/transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define REDIRECTS_MAX 10L	    /* what browsers follow is 20; archives need 1 or 2 */
#define DROPPED_MAX (1024u * 1024u) /* bytes of an error page, read so that the connection stays */
#define LOW_SPEED_BYTES 64L	    /* a second: less is a server that only pretends */
#define LOW_SPEED_SHARE 4u	    /* of what the bandwidth limit leaves to each */
#define BUFFER_BYTES (64L * 1024L)  /* of each transfer: 64 of them are 4 MiB */
#define USER_AGENT "silica-reservoir/" SILICA_VERSION

static const char *const protocols[] = {
	[URL_HTTP] = "http",
	[URL_HTTPS] = "https",
	[URL_FILE] = "file",
};
/* Never to file, and never from encrypted to plain. */
static const char *const redirects[] = {
	[URL_HTTP] = "http,https",
	[URL_HTTPS] = "https",
	[URL_FILE] = "",
};

int transfer_init(struct transfer *transfer, struct engine *engine)
{
	*transfer = (struct transfer) {
		.engine = engine,
		.easy = curl_easy_init(),
		.memory = STRBUF_INIT(FETCH_MEMORY_MAX),
	};
	return transfer->easy ? 0 : -ENOMEM;
}

void transfer_done(struct transfer *transfer)
{
	if (!transfer->engine)
		return;
	transfer_clear(transfer);
	curl_easy_cleanup(transfer->easy);
	transfer->engine = NULL;
}

void transfer_clear(struct transfer *transfer)
{
	if (transfer->job)
		(void)curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
	curl_easy_reset(transfer->easy);
	curl_slist_free_all(TAKE_PTR(transfer->headers));
	staging_free(TAKE_PTR(transfer->staging));
	strbuf_done(&transfer->memory);
	transfer->job = NULL;
}

void transfer_resume(struct transfer *transfer)
{
	if (!transfer->is_paused)
		return;
	transfer->is_paused = false;
	(void)curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

void transfer_because(struct transfer *transfer, int code, const char *why)
{
	struct job *job = transfer->job;
	char shown[URL_SHOWN_MAX];

	(void)error_set(&job->why, code, "%s: %s", url_show(job->url, shown, sizeof(shown)), why);
}

static enum outcome_kind fatal(struct engine *engine, int r)
{
	engine->fatal = r;
	return OUTCOME_FATAL;
}

static void count_bytes(struct transfer *transfer, uint64_t before, uint64_t after)
{
	struct fetch_progress *row = &transfer->engine->progress.rows[transfer->job->label];

	row->bytes_done += after - before; /* modulo 2^64: less after a new beginning */
}

static void set_total(struct transfer *transfer, uint64_t total)
{
	count_bytes(transfer, transfer->total, total);
	transfer->total = total;
}

void transfer_uncount(struct transfer *transfer)
{
	set_total(transfer, 0);
}

static int begin_again(struct transfer *transfer)
{
	set_total(transfer, 0);
	transfer->begun_at = 0;
	if (!transfer->staging) {
		strbuf_clear(&transfer->memory);
		return 0;
	}
	return staging_restart(transfer->staging, &transfer->engine->fatal_err);
}

/* --- the answer --- */

long transfer_status(const struct transfer *transfer)
{
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->job->scheme == URL_FILE)
		return transfer->asked_range ? 206 : 200;
	return status;
}

const char *transfer_header(const struct transfer *transfer, const char *name)
{
	struct curl_header *header = NULL;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

/* Whether a 206 is the part that was asked for. */
static bool is_right_part(const struct transfer *transfer)
{
	const char *text = transfer_header(transfer, "Content-Range");
	uint64_t size = transfer->job->request.size;
	struct answer_range range;

	if (!transfer->asked_range)
		return false;
	if (transfer->job->scheme == URL_FILE)
		return true;
	return text && answer_range_parse(text, &range) == 0 && range.satisfied &&
	       range.first == transfer->begun_at &&
	       (size == 0 || range.total == 0 || range.total == size);
}

/* Whether a 206 is of a part that was asked for, and from where it is. */
static bool is_wanted_part(struct transfer *transfer)
{
	const struct fetch_part *part = &transfer->job->request.part;
	const char *text = transfer_header(transfer, "Content-Range");
	struct answer_range *range = &transfer->part;

	if (!text || answer_range_parse(text, range) < 0 || !range->satisfied ||
	    range->total == 0 || range->last - range->first >= part->length)
		return false;
	return part->from_end ? range->last == range->total - 1 : range->first == part->first;
}

/* All else would have to be read to its end, or thrown away. */
static bool begin_part(struct transfer *transfer)
{
	enum answer answer = answer_of_status(transfer_status(transfer));

	if (answer == ANSWER_PART && is_wanted_part(transfer)) {
		transfer->sink = SINK_KEEP;
		return true;
	}
	transfer->verdict = OUTCOME_FAILED;
	transfer_because(transfer, EOPNOTSUPP, "the server does not send the part asked for");
	return false;
}

static void keep_validator(struct transfer *transfer)
{
	const char *etag = transfer_header(transfer, "ETag");

	transfer->job->validator[0] = '\0';
	if (etag && answer_etag_is_strong(etag))
		(void)str_copy(transfer->job->validator, sizeof(transfer->job->validator), etag);
}

/* Decides by the status where the bytes go. */
bool transfer_begin(struct transfer *transfer)
{
	enum answer answer = answer_of_status(transfer_status(transfer));

	if (transfer->job->request.part.length > 0 &&
	    (answer == ANSWER_WHOLE || answer == ANSWER_PART))
		return begin_part(transfer);
	switch (answer) {
	case ANSWER_WHOLE:
		keep_validator(transfer);
		if (begin_again(transfer) < 0) {
			transfer->verdict =
				fatal(transfer->engine, -transfer->engine->fatal_err.code);
			return false;
		}
		transfer->sink = SINK_KEEP;
		return true;
	case ANSWER_PART:
		if (!is_right_part(transfer)) {
			transfer->verdict = OUTCOME_RANGE;
			transfer_because(transfer, EPROTO,
					 "the server sent another part than asked for");
			return false;
		}
		keep_validator(transfer);
		transfer->sink = SINK_KEEP;
		return true;
	default:
		transfer->sink = SINK_DROP;
		return true;
	}
}

static bool fits(struct transfer *transfer, size_t len)
{
	const struct fetch_request *request = &transfer->job->request;
	uint64_t max = request->to_memory ? FETCH_MEMORY_MAX : UINT64_MAX;
	uint64_t total = transfer->total + len;

	if (request->max > 0)
		max = MIN(max, request->max);
	if (request->part.length > 0)
		max = transfer->part.last - transfer->part.first + 1;
	if (request->size > 0 && total > request->size) {
		transfer->verdict = OUTCOME_FRESH;
		transfer_because(transfer, EBADMSG, "more bytes than its index says");
		return false;
	}
	if (total > max) {
		transfer->verdict = OUTCOME_FAILED;
		transfer_because(transfer, EFBIG, "more bytes than are accepted");
		return false;
	}
	return true;
}

static bool keep(struct transfer *transfer, const void *data, size_t len)
{
	struct engine *engine = transfer->engine;
	int r;

	if (!fits(transfer, len))
		return false;
	if (transfer->staging) {
		r = staging_write(transfer->staging, data, len, &engine->fatal_err);
	} else {
		strbuf_add(&transfer->memory, data, len);
		r = strbuf_error(&transfer->memory);
		if (r < 0)
			r = error_set(&engine->fatal_err, -r, "no memory for a file");
	}
	if (r < 0) {
		transfer->verdict = fatal(engine, r);
		return false;
	}
	set_total(transfer, transfer->total + len);
	engine->written += transfer->staging ? len : 0;
	return true;
}

static bool take(struct transfer *transfer, const void *data, size_t len)
{
	if (transfer->sink == SINK_NONE && !transfer_begin(transfer))
		return false;
	if (transfer->sink == SINK_KEEP)
		return keep(transfer, data, len);
	transfer->dropped += len;
	return transfer->dropped <= DROPPED_MAX;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *transfer = ctx;

	if (!allowance_take(&transfer->engine->allowance, size * n)) {
		transfer->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	return take(transfer, data, size * n) ? size * n : 0;
}

/* --- the question --- */

static bool add_header(struct transfer *transfer, const char *name, const char *value)
{
	char line[FETCH_URL_MAX];
	struct curl_slist *list;
	int n = snprintf(line, sizeof(line), "%s: %s", name, value);

	if (n < 0 || (size_t)n >= sizeof(line))
		return false;
	list = curl_slist_append(transfer->headers, line);
	if (list)
		transfer->headers = list;
	return list != NULL;
}

bool transfer_is_packed(const struct job *job)
{
	return job->request.compressed && (job->request.to_memory || !job->request.sha256);
}

static bool add_conditions(struct transfer *transfer)
{
	const struct fetch_request *request = &transfer->job->request;
	char date[ANSWER_DATE_SIZE];

	if (request->etag && !add_header(transfer, "If-None-Match", request->etag))
		return false;
	if (request->since == 0)
		return true;
	if (transfer->job->scheme != URL_FILE)
		return add_header(transfer, "If-Modified-Since",
				  answer_date_format(request->since, date));
	return curl_easy_setopt(transfer->easy, CURLOPT_TIMECONDITION,
				(long)CURL_TIMECOND_IFMODSINCE) == CURLE_OK &&
	       curl_easy_setopt(transfer->easy, CURLOPT_TIMEVALUE_LARGE,
				(curl_off_t)request->since) == CURLE_OK;
}

static bool add_headers(struct transfer *transfer)
{
	const struct job *job = transfer->job;

	/* What is kept must be the upstream's own bytes. */
	if (((!job->request.to_memory && !transfer_is_packed(job)) || transfer->asked_range) &&
	    !add_header(transfer, "Accept-Encoding", "identity"))
		return false;
	if (job->request.accept && !add_header(transfer, "Accept", job->request.accept))
		return false;
	if (job->is_fresh && !add_header(transfer, "Cache-Control", "no-cache"))
		return false;
	if (transfer->asked_range && job->validator[0] &&
	    !add_header(transfer, "If-Range", job->validator))
		return false;
	return add_conditions(transfer);
}

static bool set_range(struct transfer *transfer)
{
	const struct fetch_part *part = &transfer->job->request.part;
	char range[48];

	if (transfer->begun_at == 0 && part->length == 0)
		return true;
	transfer->asked_range = true;
	if (part->length == 0)
		(void)snprintf(range, sizeof(range), "%" PRIu64 "-", transfer->begun_at);
	else if (part->from_end)
		(void)snprintf(range, sizeof(range), "-%" PRIu64, part->length);
	else
		(void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, part->first,
			       part->first + part->length - 1);
	return curl_easy_setopt(transfer->easy, CURLOPT_RANGE, range) == CURLE_OK;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* The variables that curl(1) reads and libcurl does not, and those of pip. */
static bool set_trust(CURL *easy, const struct fetch_settings *settings)
{
	static const char *const files[] = { "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT" };
	const char *file = settings->ca_file;
	const char *dir = NULL;

	if (!file)
		file = environment("CURL_CA_BUNDLE");
	if (!file)
		dir = environment("SSL_CERT_DIR");
	for (size_t i = 0; !file && i < ARRAY_SIZE(files); i++)
		file = environment(files[i]);
	return (!file || curl_easy_setopt(easy, CURLOPT_CAINFO, file) == CURLE_OK) &&
	       (!dir || curl_easy_setopt(easy, CURLOPT_CAPATH, dir) == CURLE_OK);
}

/*
 * libcurl reads the variables itself, but for one: in capitals it may come from a client of
 * a CGI script, which this is not.
 */
static const char *proxy_of(const struct fetch_settings *settings, enum url_scheme scheme)
{
	if (settings->proxy)
		return settings->proxy;
	if (scheme != URL_HTTP || environment("http_proxy") || environment("all_proxy") ||
	    environment("ALL_PROXY"))
		return NULL;
	return environment("HTTP_PROXY");
}

static bool set_way(CURL *easy, const struct fetch_settings *settings, enum url_scheme scheme)
{
	const char *proxy = proxy_of(settings, scheme);

	return (!proxy || curl_easy_setopt(easy, CURLOPT_PROXY, proxy) == CURLE_OK) &&
	       (!settings->netrc_file ||
		(curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL) == CURLE_OK &&
		 curl_easy_setopt(easy, CURLOPT_NETRC_FILE, settings->netrc_file) == CURLE_OK));
}

static long low_speed(const struct fetch_settings *settings)
{
	uint64_t share = settings->bytes_per_second / settings->total / LOW_SPEED_SHARE;

	if (settings->bytes_per_second == 0 || share >= LOW_SPEED_BYTES)
		return LOW_SPEED_BYTES;
	return (long)MAX(share, (uint64_t)1);
}

static bool set_limits(CURL *easy, const struct fetch_settings *settings)
{
	long seconds = (long)((settings->timeout_ms + 999) / 1000);

	/* A handle that has its buffer from an earlier transfer keeps that one. */
	(void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	return curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->timeout_ms) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, low_speed(settings)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, seconds) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX) == CURLE_OK;
}

static bool set_behaviour(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	enum url_scheme scheme = transfer->job->scheme;

	return curl_easy_setopt(easy, CURLOPT_URL, transfer->job->url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols[scheme]) == CURLE_OK &&
	       (scheme == URL_FILE || curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
						       redirects[scheme]) == CURLE_OK) &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FILETIME, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT) == CURLE_OK &&
	       (!transfer_is_packed(transfer->job) ||
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, zstd") == CURLE_OK) &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
}

static enum outcome_kind ask(struct transfer *transfer)
{
	struct engine *engine = transfer->engine;

	if (!set_behaviour(transfer) || !set_limits(transfer->easy, &engine->settings) ||
	    !set_trust(transfer->easy, &engine->settings) ||
	    !set_way(transfer->easy, &engine->settings, transfer->job->scheme) ||
	    !set_range(transfer) || !add_headers(transfer) ||
	    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) != CURLE_OK ||
	    curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK)
		return fatal(engine, error_set(&engine->fatal_err, ENOMEM, "begin a transfer"));
	return OUTCOME_NONE;
}

/* --- what there is already --- */

static void tell_object(struct fetch_result *result, const struct digest *digest, uint64_t size)
{
	result->status = FETCH_DONE;
	result->digest = *digest;
	result->size = size;
}

/* Of an object that is there: its size, and its bytes if they are to go to memory. */
static bool have_object(struct transfer *transfer, struct fetch_result *result)
{
	struct job *job = transfer->job;
	struct store *store = transfer->engine->store;
	uint64_t size = job->request.size;
	uint64_t max = job->request.max > 0 ? job->request.max : FETCH_MEMORY_MAX;
	int fd;

	if (!store || !job->request.sha256 || !object_exists(store, &job->sha256))
		return false;
	if (job->request.to_memory) {
		if (object_read(store, &job->sha256, max, &transfer->memory, NULL) < 0)
			return false;
		size = transfer->memory.len;
		result->data = strbuf_str(&transfer->memory);
	} else if (size == 0) {
		fd = object_open(store, &job->sha256, &size, NULL);
		if (fd >= 0)
			(void)close(fd);
	}
	tell_object(result, &job->sha256, size);
	return true;
}

static const char *staging_key(const struct job *job, char key[STAGING_KEY_MAX])
{
	struct digest of_url;
	char text[DIGEST_TEXT_SIZE];

	if (job->request.sha256)
		return digest_format(&job->sha256, key);
	of_url = digest_of(job->url, strlen(job->url));
	(void)snprintf(key, STAGING_KEY_MAX, "url-%s", digest_format(&of_url, text));
	return key;
}

/* Whether staged bytes can be the beginning of what is asked for. */
static bool can_go_on(const struct job *job, uint64_t size)
{
	if (job->is_fresh || job->no_range || transfer_is_packed(job))
		return false;
	if (job->request.size > 0 && size > job->request.size)
		return false;
	return job->request.sha256 || job->validator[0];
}

/* Whether bytes of an earlier run are all there is to fetch. */
static int finish_staged(struct transfer *transfer, struct fetch_result *result)
{
	struct engine *engine = transfer->engine;
	struct job *job = transfer->job;
	int r;

	if (!job->request.sha256 || job->request.size == 0 || transfer->total != job->request.size)
		return 0;
	r = staging_finish(transfer->staging, &job->sha256, NULL, &engine->fatal_err);
	if (r == -EBADMSG) {
		set_total(transfer, 0);
		return 0;
	}
	if (r < 0)
		return r;
	tell_object(result, &job->sha256, job->request.size);
	return 1;
}

static enum outcome_kind open_staging(struct transfer *transfer, struct fetch_result *result)
{
	struct engine *engine = transfer->engine;
	char key[STAGING_KEY_MAX];
	uint64_t size;
	int r;

	r = staging_open(engine->store, staging_key(transfer->job, key), &transfer->staging,
			 &engine->fatal_err);
	if (r == -EBUSY)
		return OUTCOME_BUSY;
	if (r < 0)
		return fatal(engine, r);
	size = staging_size(transfer->staging);
	set_total(transfer, size);
	if (size > 0 && !can_go_on(transfer->job, size) && begin_again(transfer) < 0)
		return fatal(engine, -engine->fatal_err.code);
	r = finish_staged(transfer, result);
	if (r < 0)
		return fatal(engine, r);
	transfer->begun_at = transfer->total;
	return r > 0 ? OUTCOME_TELL : OUTCOME_NONE;
}

enum outcome_kind transfer_start(struct transfer *transfer, struct job *job,
				 struct fetch_result *result)
{
	const struct fetch_request *request = &job->request;
	enum outcome_kind kind;

	transfer->job = job;
	transfer->staging = NULL;
	transfer->memory = STRBUF_INIT(request->max > 0 ? MIN(request->max, FETCH_MEMORY_MAX)
							: FETCH_MEMORY_MAX);
	transfer->sink = SINK_NONE;
	transfer->begun_at = transfer->total = transfer->dropped = 0;
	transfer->part = (struct answer_range) { 0 };
	transfer->asked_range = transfer->is_paused = false;
	transfer->verdict = OUTCOME_NONE;
	transfer->problem[0] = '\0';
	if (have_object(transfer, result))
		return OUTCOME_THERE;
	strbuf_clear(&transfer->memory);
	if (!request->to_memory) {
		kind = open_staging(transfer, result);
		if (kind != OUTCOME_NONE)
			return kind;
	}
	return ask(transfer);
}
