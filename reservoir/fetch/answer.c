/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"

static const struct {
	long status;
	enum answer answer;
} answers[] = {
	{ 200, ANSWER_WHOLE },	 { 206, ANSWER_PART },	  { 304, ANSWER_SAME },
	{ 404, ANSWER_ABSENT },	 { 408, ANSWER_BUSY },	  { 410, ANSWER_ABSENT },
	{ 416, ANSWER_BEYOND },	 { 421, ANSWER_BUSY },	  { 425, ANSWER_BUSY },
	{ 429, ANSWER_BUSY },	 { 500, ANSWER_BUSY },	  { 501, ANSWER_REFUSED },
	{ 505, ANSWER_REFUSED }, { 511, ANSWER_REFUSED },
};

enum answer answer_of_status(long status)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].status == status)
			return answers[i].answer;
	return status > 500 && status < 600 ? ANSWER_BUSY : ANSWER_REFUSED;
}

/* Reads the number up to the byte @end, and goes behind that. */
static int take_number(const char **text, char end, uint64_t *ret)
{
	char digits[24];
	size_t len = strspn(*text, "0123456789");

	if (len == 0 || len >= sizeof(digits) || (*text)[len] != end)
		return -EINVAL;
	memcpy(digits, *text, len);
	digits[len] = '\0';
	*text += end ? len + 1 : len;
	return parse_u64(digits, 10, ret);
}

int answer_range_parse(const char *text, struct answer_range *ret)
{
	struct answer_range range = { 0 };
	const char *rest = str_starts_with(text, "bytes ");

	if (!rest)
		return -EINVAL;
	if (rest[0] == '*' && rest[1] == '/') {
		rest += 2;
	} else {
		if (take_number(&rest, '-', &range.first) < 0 ||
		    take_number(&rest, '/', &range.last) < 0 || range.last < range.first)
			return -EINVAL;
		range.satisfied = true;
	}
	if (strcmp(rest, "*") != 0 && take_number(&rest, '\0', &range.total) < 0)
		return -EINVAL;
	if (range.satisfied && range.total > 0 && range.last >= range.total)
		return -EINVAL;
	*ret = range;
	return 0;
}

bool answer_etag_is_strong(const char *etag)
{
	size_t len = strlen(etag);

	return len >= 2 && etag[0] == '"' && etag[len - 1] == '"';
}

const char *answer_date_format(int64_t seconds, char ret[ANSWER_DATE_SIZE])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t when = (time_t)seconds;
	struct tm tm = { 0 };

	ret[0] = '\0';
	if (!gmtime_r(&when, &tm) || tm.tm_year < -900 || tm.tm_year > 8099)
		return ret;
	(void)snprintf(ret, ANSWER_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
		       days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900,
		       tm.tm_hour, tm.tm_min, tm.tm_sec);
	return ret;
}
