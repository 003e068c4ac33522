/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a transfer: libcurl's code, the status and the digest become one outcome.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/fetch/transfer.h"

#define BUSY_WAIT_MS 1000u /* of a 429 or 503 that does not say how long */

/* What libcurl calls a failure that another try may not have. */
static const CURLcode passing[] = {
	CURLE_COULDNT_RESOLVE_PROXY,
	CURLE_COULDNT_RESOLVE_HOST,
	CURLE_COULDNT_CONNECT,
	CURLE_WEIRD_SERVER_REPLY,
	CURLE_PARTIAL_FILE,
	CURLE_OPERATION_TIMEDOUT,
	CURLE_SSL_CONNECT_ERROR,
	CURLE_GOT_NOTHING,
	CURLE_SEND_ERROR,
	CURLE_RECV_ERROR,
	CURLE_BAD_CONTENT_ENCODING,
	CURLE_AGAIN,
	CURLE_NO_CONNECTION_AVAILABLE,
	CURLE_HTTP2,
	CURLE_HTTP2_STREAM,
	CURLE_HTTP3,
	CURLE_QUIC_CONNECT_ERROR,
	CURLE_PROXY,
};

static bool may_pass(CURLcode code)
{
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		if (passing[i] == code)
			return true;
	return false;
}

/* In our words where libcurl's do not say what was refused, and why. */
static const char *problem(const struct transfer *transfer, CURLcode code)
{
	if (code == CURLE_UNSUPPORTED_PROTOCOL)
		return "a redirect from https to http, or to anything else, is not followed";
	if (code == CURLE_TOO_MANY_REDIRECTS)
		return "one redirect leads to another, and does not end";
	return transfer->problem[0] ? transfer->problem : curl_easy_strerror(code);
}

static enum outcome_kind failed(struct transfer *transfer, CURLcode code)
{
	if (transfer->job->scheme == URL_FILE && code == CURLE_FILE_COULDNT_READ_FILE)
		return OUTCOME_TELL;
	transfer_because(transfer, EIO, problem(transfer, code));
	return may_pass(code) ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static enum outcome_kind refused(struct transfer *transfer, enum answer answer)
{
	char why[64];

	(void)snprintf(why, sizeof(why), "the server answers with status %ld",
		       transfer_status(transfer));
	transfer_because(transfer, answer == ANSWER_BUSY ? EAGAIN : EACCES, why);
	return answer == ANSWER_BUSY ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

static enum outcome_kind mismatch(struct transfer *transfer, const struct digest *found)
{
	char expected[DIGEST_TEXT_SIZE];
	char other[DIGEST_TEXT_SIZE];
	char why[256];

	(void)snprintf(why, sizeof(why), "hashes to %s, expected %s", digest_format(found, other),
		       digest_format(&transfer->job->sha256, expected));
	transfer_because(transfer, EBADMSG, why);
	return OUTCOME_FRESH;
}

static enum outcome_kind finish_memory(struct transfer *transfer, struct fetch_result *result)
{
	result->digest = digest_of(strbuf_str(&transfer->memory), transfer->memory.len);
	if (transfer->job->request.sha256 && !digest_equal(&result->digest, &transfer->job->sha256))
		return mismatch(transfer, &result->digest);
	result->data = strbuf_str(&transfer->memory);
	return OUTCOME_TELL;
}

static enum outcome_kind finish_object(struct transfer *transfer, struct fetch_result *result)
{
	struct engine *engine = transfer->engine;
	const struct digest *expected =
		transfer->job->request.sha256 ? &transfer->job->sha256 : NULL;
	struct error err = { 0 };
	int r;

	r = staging_finish(transfer->staging, expected, &result->digest, &err);
	if (r == -EBADMSG) {
		transfer_because(transfer, EBADMSG, error_text(&err, r));
		return OUTCOME_FRESH;
	}
	if (r < 0) {
		engine->fatal_err = err;
		engine->fatal = r;
		return OUTCOME_FATAL;
	}
	engine->finished++;
	return OUTCOME_TELL;
}

static enum outcome_kind finish(struct transfer *transfer, struct fetch_result *result)
{
	bool is_part = transfer->job->request.part.length > 0;
	uint64_t size = is_part ? transfer->part.last - transfer->part.first + 1
				: transfer->job->request.size;
	enum outcome_kind kind;
	char why[96];

	if (size > 0 && transfer->total < size) {
		(void)snprintf(why, sizeof(why), "ended after %" PRIu64 " of %" PRIu64 " bytes",
			       transfer->total, size);
		transfer_because(transfer, EPROTO, why);
		return OUTCOME_AGAIN;
	}
	kind = transfer->staging ? finish_object(transfer, result)
				 : finish_memory(transfer, result);
	if (kind == OUTCOME_TELL) {
		result->status = FETCH_DONE;
		result->size = transfer->total;
		result->first = transfer->part.first;
		result->whole = transfer->part.total;
	}
	return kind;
}

static bool is_unmet(const struct transfer *transfer)
{
	long unmet = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONDITION_UNMET, &unmet);
	return unmet != 0;
}

static enum outcome_kind beyond(struct transfer *transfer, struct fetch_result *result)
{
	const char *text = transfer_header(transfer, "Content-Range");
	struct answer_range range;

	if (transfer->job->request.sha256 && text && answer_range_parse(text, &range) == 0 &&
	    !range.satisfied && range.total == transfer->total)
		return finish(transfer, result);
	transfer_because(transfer, EPROTO, "the server has less than what is there already");
	return transfer->asked_range ? OUTCOME_RANGE : OUTCOME_FAILED;
}

static enum outcome_kind answered(struct transfer *transfer, struct fetch_result *result)
{
	const struct fetch_request *request = &transfer->job->request;
	enum answer answer = answer_of_status(transfer_status(transfer));

	switch (answer) {
	case ANSWER_WHOLE:
	case ANSWER_PART:
		if (is_unmet(transfer)) {
			result->status = FETCH_UNCHANGED;
			return OUTCOME_TELL;
		}
		if (transfer->sink == SINK_NONE && !transfer_begin(transfer))
			return transfer->verdict;
		return finish(transfer, result);
	case ANSWER_SAME:
		result->status = FETCH_UNCHANGED;
		return request->etag || request->since ? OUTCOME_TELL : refused(transfer, answer);
	case ANSWER_ABSENT:
		return OUTCOME_TELL;
	case ANSWER_BEYOND:
		return request->part.length > 0 ? refused(transfer, answer)
						: beyond(transfer, result);
	default:
		return refused(transfer, answer);
	}
}

static enum outcome_kind judge(struct transfer *transfer, CURLcode code,
			       struct fetch_result *result)
{
	if (transfer->verdict != OUTCOME_NONE)
		return transfer->verdict;
	/* An error page that is too long to be read to its end. */
	if (code == CURLE_WRITE_ERROR && transfer->sink == SINK_DROP)
		code = CURLE_OK;
	return code == CURLE_OK ? answered(transfer, result) : failed(transfer, code);
}

static void describe(const struct transfer *transfer, struct fetch_result *result)
{
	const char *etag = transfer_header(transfer, "ETag");
	const char *serial = transfer_header(transfer, "X-PyPI-Last-Serial");
	curl_off_t mtime = -1;
	char *text = NULL;

	if (etag)
		(void)str_copy(result->etag, sizeof(result->etag), etag);
	if (serial && parse_u64(serial, 10, &result->serial) < 0)
		result->serial = 0;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_FILETIME_T, &mtime) == CURLE_OK && mtime > 0)
		result->mtime = mtime;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text)
		(void)str_copy(result->type, sizeof(result->type), text);
	result->url = transfer->job->url;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &text) == CURLE_OK && text &&
	    strlen(text) < FETCH_URL_MAX)
		result->url = text;
}

/* What the host is to be spared after this. */
static void weigh(const struct transfer *transfer, CURLcode code, struct outcome *outcome)
{
	long status = transfer_status(transfer);
	curl_off_t seconds = 0;

	outcome->reached = status > 0;
	outcome->is_too_much = code == CURLE_OPERATION_TIMEDOUT || status == 429 || status == 503;
	if (status != 429 && status != 503)
		return;
	outcome->wait_ms = BUSY_WAIT_MS;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK &&
	    seconds > 0)
		outcome->wait_ms =
			(uint64_t)MIN(seconds, (curl_off_t)HOST_PAUSE_MAX_MS / 1000) * 1000;
}

static void count_requests(const struct transfer *transfer)
{
	struct fetch_progress *row = &transfer->engine->progress.rows[transfer->job->label];
	long redirects = 0;

	if (transfer->job->scheme == URL_FILE)
		return;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	row->requests += 1 + (uint64_t)MAX(redirects, 0L);
}

struct outcome transfer_end(struct transfer *transfer, CURLcode code, struct fetch_result *result)
{
	struct outcome outcome = { .kind = OUTCOME_NONE };

	*result = (struct fetch_result) {
		.status = FETCH_ABSENT,
		.http = transfer->job->scheme == URL_FILE ? 0 : (uint32_t)transfer_status(transfer),
	};
	outcome.kind = judge(transfer, code, result);
	weigh(transfer, code, &outcome);
	count_requests(transfer);
	describe(transfer, result);
	transfer->job->furthest = MAX(transfer->job->furthest, transfer->total);
	if (outcome.kind != OUTCOME_TELL || result->status != FETCH_DONE)
		transfer_uncount(transfer);
	return outcome;
}
