/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/condition.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"

#define ETAG_DIGITS 32
#define BYTES "bytes="
#define DIGITS_MAX 19 /* of a position in a file; 2^63 has as many */

/* IMF-fixdate, and the two obsolete forms that must be read. */
static const char *const date_forms[] = {
	"%a, %d %b %Y %H:%M:%S GMT",
	"%A, %d-%b-%y %H:%M:%S GMT",
	"%a %b %e %H:%M:%S %Y",
};

void etag_format(const struct digest *digest, enum encoding encoding, char ret[ETAG_MAX])
{
	const char *suffix = encoding_name(encoding);
	char text[DIGEST_TEXT_SIZE];

	(void)snprintf(ret, ETAG_MAX, "\"%.*s%s%s\"", ETAG_DIGITS, digest_format(digest, text),
		       suffix ? "-" : "", suffix ? suffix : "");
}

void http_date_format(int64_t seconds, char ret[HTTP_DATE_MAX])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t time = (time_t)seconds;
	struct tm tm;

	ret[0] = '\0';
	if (!gmtime_r(&time, &tm) || tm.tm_year < -900 || tm.tm_year > 8099)
		return;
	(void)snprintf(ret, HTTP_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT",
		       days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900,
		       tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool http_date_parse(const char *text, int64_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(date_forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, date_forms[i], &tm);

		if (end && end[strspn(end, " ")] == '\0') {
			*ret = (int64_t)timegm(&tm);
			return true;
		}
	}
	return false;
}

/* Whether a list of entity tags has one; @weak: weak tags match too. */
static bool list_has(const char *list, const char *etag, bool weak)
{
	size_t len = strlen(etag);

	while (*list) {
		const char *close;
		bool is_weak;

		list += strspn(list, " \t,");
		if (list[0] == '*')
			return true;
		is_weak = list[0] == 'W' && list[1] == '/';
		if (is_weak)
			list += 2;
		if (list[0] != '"')
			return false;
		close = strchr(list + 1, '"');
		if (!close)
			return false;
		if ((size_t)(close + 1 - list) == len && memcmp(list, etag, len) == 0 &&
		    (weak || !is_weak))
			return true;
		list = close + 1;
	}
	return false;
}

/* Who goes on with a download wants no part of another file. */
static bool is_another(const struct condition *condition, const char *etag, int64_t mtime)
{
	int64_t since;

	if (condition->if_match)
		return !list_has(condition->if_match, etag, false);
	return condition->if_unmodified_since && mtime > 0 &&
	       http_date_parse(condition->if_unmodified_since, &since) && mtime > since;
}

static bool is_unchanged(const struct condition *condition, const char *etag, int64_t mtime)
{
	int64_t since;

	if (condition->if_none_match)
		return list_has(condition->if_none_match, etag, true);
	return condition->if_modified_since && mtime > 0 &&
	       http_date_parse(condition->if_modified_since, &since) && mtime <= since;
}

/* Only exactly the same file is gone on with: a strong tag, or the very date. */
static bool range_holds(const char *if_range, const char *etag, int64_t mtime)
{
	int64_t since;

	if (!if_range)
		return true;
	if (if_range[0] == '"')
		return strcmp(if_range, etag) == 0;
	return mtime > 0 && http_date_parse(if_range, &since) && since == mtime;
}

/* Reads a number and goes past it; false if there is none. */
static bool take_number(const char **at, uint64_t *ret)
{
	size_t len = strspn(*at, "0123456789");
	char text[DIGITS_MAX + 1];

	if (len == 0)
		return false;
	if (len > DIGITS_MAX) {
		*ret = UINT64_MAX; /* past the end of every file */
	} else {
		memcpy(text, *at, len);
		text[len] = '\0';
		if (parse_u64(text, 10, ret) < 0)
			return false;
	}
	*at += len;
	return true;
}

static enum condition_outcome last_bytes(uint64_t wanted, uint64_t size, struct byte_range *ret)
{
	if (wanted == 0 || size == 0)
		return CONDITION_UNSATISFIABLE;
	wanted = MIN(wanted, size);
	*ret = (struct byte_range) { .first = size - wanted, .length = wanted };
	return CONDITION_PART;
}

static enum condition_outcome from_first(uint64_t first, uint64_t last, uint64_t size,
					 struct byte_range *ret)
{
	if (first >= size)
		return CONDITION_UNSATISFIABLE;
	last = MIN(last, size - 1);
	*ret = (struct byte_range) { .first = first, .length = last - first + 1 };
	return CONDITION_PART;
}

static enum condition_outcome read_range(const char *p, uint64_t size, struct byte_range *ret)
{
	uint64_t first = 0, last = UINT64_MAX;
	bool has_first, has_last;

	if (strncasecmp(p, BYTES, strlen(BYTES)) != 0)
		return CONDITION_WHOLE;
	p += strlen(BYTES);
	p += strspn(p, " \t");
	has_first = take_number(&p, &first);
	if (*p++ != '-')
		return CONDITION_WHOLE;
	has_last = take_number(&p, &last);
	if (p[strspn(p, " \t")] != '\0' || (!has_first && !has_last) || (has_first && last < first))
		return CONDITION_WHOLE;
	return has_first ? from_first(first, last, size, ret) : last_bytes(last, size, ret);
}

enum condition_outcome condition_decide(const struct condition *condition, const char *etag,
					int64_t mtime, uint64_t size, struct byte_range *ret)
{
	if (is_another(condition, etag, mtime))
		return CONDITION_FAILED;
	if (is_unchanged(condition, etag, mtime))
		return CONDITION_UNCHANGED;
	if (condition->range && range_holds(condition->if_range, etag, mtime))
		return read_range(condition->range, size, ret);
	return CONDITION_WHOLE;
}
