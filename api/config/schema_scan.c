/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/schema_scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/parse.h"

#define NUMBER_MAX 24 /* bytes with the NUL; 2^64 has 20 digits */

const struct schema_byte_unit schema_byte_units[] = {
	{ "Ti", UINT64_C(1) << 40 },
	{ "T", UINT64_C(1000000000000) },
	{ "Gi", UINT64_C(1) << 30 },
	{ "G", UINT64_C(1000000000) },
	{ "Mi", UINT64_C(1) << 20 },
	{ "M", UINT64_C(1000000) },
	{ "Ki", UINT64_C(1) << 10 },
	{ "k", UINT64_C(1000) },
	{ "", 1 },
};

static bool scan_string(const struct schema_key *key, const char *text, void *value)
{
	size_t len = strlen(text);

	if (len < key->min || len > key->max || !str_is_printable(text))
		return false;
	return str_copy(value, key->size, text) == 0;
}

static bool find_name(const struct schema_key *key, const char *text, uint32_t *ret)
{
	if (!text[0])
		return false;
	for (uint32_t i = 0; key->values[i]; i++) {
		if (strcmp(key->values[i], text) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static bool scan_enum(const struct schema_key *key, const char *text, void *value)
{
	uint32_t number;

	if (!find_name(key, text, &number))
		return false;
	memcpy(value, &number, sizeof(number));
	return true;
}

static bool scan_member(const struct schema_key *key, const char *text, void *value)
{
	uint32_t number, set;

	if (!find_name(key, text, &number))
		return false;
	memcpy(&set, value, sizeof(set));
	set |= UINT32_C(1) << number;
	memcpy(value, &set, sizeof(set));
	return true;
}

/* By the words of YAML 1.1, as the reader sorts them. */
static bool scan_bool(const struct schema_key *key _unused_, const char *text, void *value)
{
	static const char *const yes[] = { "true", "yes", "on" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		found = found || strcasecmp(text, yes[i]) == 0;
	memcpy(value, &found, sizeof(found));
	return true;
}

static bool store_u32(const struct schema_key *key, uint32_t number, void *value)
{
	if (number < key->min || number > key->max)
		return false;
	memcpy(value, &number, sizeof(number));
	return true;
}

static bool scan_u32(const struct schema_key *key, const char *text, void *value)
{
	uint32_t number;

	return parse_u32(text, UINT32_MAX, &number) == 0 && store_u32(key, number, value);
}

static bool scan_duration(const struct schema_key *key, const char *text, void *value)
{
	uint32_t ms;

	return parse_duration_ms(text, &ms) == 0 && store_u32(key, ms, value);
}

/* Factor of the unit called @suffix; 0 when there is none. */
static uint64_t factor_of(const char *suffix)
{
	const struct schema_byte_unit *unit = schema_byte_units;

	while (unit->suffix[0] && strcmp(unit->suffix, suffix) != 0)
		unit++;
	return strcmp(unit->suffix, suffix) == 0 ? unit->bytes : 0;
}

static bool scan_bytes(const struct schema_key *key, const char *text, void *value)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t factor = factor_of(text + digits);
	char number[NUMBER_MAX] = "";
	uint64_t bytes;

	if (digits >= sizeof(number) || factor == 0)
		return false;
	memcpy(number, text, digits);
	if (parse_u64(number, 10, &bytes) < 0 || __builtin_mul_overflow(bytes, factor, &bytes))
		return false;
	if (bytes < key->min || bytes > key->max)
		return false;
	memcpy(value, &bytes, sizeof(bytes));
	return true;
}

bool schema_scan(const struct schema_key *key, const char *text, void *value)
{
	static bool (*const scans[_SCHEMA_TYPE_MAX])(const struct schema_key *key, const char *text,
						     void *value) = {
		[SCHEMA_STRING] = scan_string,	   [SCHEMA_ENUM] = scan_enum,
		[SCHEMA_SET] = scan_member,	   [SCHEMA_BOOL] = scan_bool,
		[SCHEMA_U32] = scan_u32,	   [SCHEMA_BYTES] = scan_bytes,
		[SCHEMA_DURATION] = scan_duration,
	};

	return scans[key->type](key, text, value);
}
