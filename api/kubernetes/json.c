/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

json_t *json_find(const json_t *json, const char *const *keys)
{
	json_t *found = NULL;

	for (; *keys; keys++) {
		found = json_object_get(json, *keys);
		json = found;
	}
	return found;
}

const char *json_text(const json_t *json)
{
	const char *text = json_string_value(json);

	return text && strlen(text) == json_string_length(json) ? text : NULL;
}

int json_take(json_t *json, const char *what, char **ret, struct error *err)
{
	char *text;

	if (!json)
		return error_set(err, EINVAL, "%s: a text is missing or not UTF-8", what);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(json);
	if (!text)
		return error_set(err, ENOMEM, "no memory for %s", what);
	*ret = text;
	return 0;
}

int json_time(int64_t seconds, char *buf)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (seconds < 0 || seconds > JSON_TIME_MAX_S || !gmtime_r(&time, &tm))
		return -EINVAL;
	return strftime(buf, JSON_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0 ? 0 : -EINVAL;
}

int64_t json_parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	return rest && strcmp(rest, "Z") == 0 ? (int64_t)timegm(&tm) : 0;
}
