/* SPDX-License-Identifier: Apache-2.0 */
/* What of a request the server reads itself: target, Accept-Encoding, conditions, range. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/serve/condition.h"
#include "reservoir/serve/negotiate.h"
#include "reservoir/serve/path.h"

#define LINES 9
#define SIZE 1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_target(const char *target)
{
	struct place place;
	struct error err;

	if (place_parse(target, &place, &err) < 0)
		return;
	if (strstr(place.path, "/../") || strncmp(place.path, "../", 3) == 0 ||
	    strchr(place.repository, '/') || strlen(place.path) >= sizeof(place.path))
		abort();
}

static void check_condition(const struct condition *condition)
{
	struct byte_range range = { 0 };

	if (condition_decide(condition, "\"0123456789abcdef0123456789abcdef\"", 784111777, SIZE,
			     &range) == CONDITION_PART &&
	    (range.length == 0 || range.first >= SIZE || range.length > SIZE - range.first))
		abort();
}

static void check_value(const char *value)
{
	char text[16];

	if (value && place_decode_value(value, text, sizeof(text)) && strlen(text) >= sizeof(text))
		abort();
}

/* Lines: target, Accept-Encoding, If-None-Match, If-Modified-Since, Range, If-Range, If-Match,
 * If-Unmodified-Since, and a value of the query. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = calloc(1, len + 1), *rest = text;
	const char *lines[LINES] = { NULL };

	if (!text)
		return 0;
	memcpy(text, data, len);
	for (size_t i = 0; i < LINES && rest; i++)
		lines[i] = strsep(&rest, "\n");
	check_target(lines[0]);
	if (negotiate_encoding(lines[1], ENCODING_BIT(ENCODING_IDENTITY) |
						 ENCODING_BIT(ENCODING_ZSTD)) >= _ENCODING_MAX)
		abort();
	check_condition(&(struct condition) { .if_none_match = lines[2],
					      .if_modified_since = lines[3],
					      .range = lines[4],
					      .if_range = lines[5],
					      .if_match = lines[6],
					      .if_unmodified_since = lines[7] });
	check_value(lines[8]);
	free(text);
	return 0;
}
