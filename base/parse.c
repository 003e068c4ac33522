/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

int char_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads digits up to the first byte that is none; *ret_end points there. */
static int parse_digits(const char *text, unsigned int base, uint64_t *ret, const char **ret_end)
{
	const char *p = text;
	uint64_t value = 0;

	for (; *p; p++) {
		int digit = char_digit(*p);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return -ERANGE;
	}
	if (p == text)
		return -EINVAL;
	*ret = value;
	*ret_end = p;
	return 0;
}

int parse_u64(const char *text, unsigned int base, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r;

	if (base == 16 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	r = parse_digits(text, base, &value, &end);
	if (r < 0)
		return r;
	if (*end != '\0')
		return -EINVAL;
	*ret = value;
	return 0;
}

int parse_u32(const char *text, uint32_t max, uint32_t *ret)
{
	uint64_t value;
	int r;

	r = parse_u64(text, 10, &value);
	if (r < 0)
		return r;
	if (value > max)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

int parse_i32(const char *text, int32_t *ret)
{
	bool negative = text[0] == '-';
	uint64_t value;
	int r;

	r = parse_u64(text + negative, 10, &value);
	if (r < 0)
		return r;
	if (value > (uint64_t)INT32_MAX + negative)
		return -ERANGE;
	*ret = (int32_t)(negative ? -(int64_t)value : (int64_t)value);
	return 0;
}

int parse_duration_ms(const char *text, uint32_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 } };
	const char *end;
	uint64_t value;
	int r;

	r = parse_digits(text, 10, &value, &end);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (value > UINT32_MAX / units[i].ms)
			return -ERANGE;
		*ret_ms = (uint32_t)(value * units[i].ms);
		return 0;
	}
	return -EINVAL;
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	dst[0] = '\0';
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(dst, src, len + 1);
	return 0;
}

bool char_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t str_trim(char *text)
{
	const char *start = text;
	size_t len;

	while (char_is_space(*start))
		start++;
	len = strlen(start);
	while (len > 0 && char_is_space(start[len - 1]))
		len--;
	memmove(text, start, len);
	text[len] = '\0';
	return len;
}

bool str_is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

const char *str_starts_with(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

char char_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}
