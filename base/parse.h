/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict parsers for text from outside: the whole text must match, nothing
 * overflows, no locale is asked.
 *
 * Source: durations are those of Go's time.ParseDuration, which Kubernetes uses,
 * cut down to a whole number of one unit
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * parse_u64() - Read an unsigned number.
 * @text: digits only; no sign, no space, not empty
 * @base: 10, or 16 (then an optional 0x in front)
 * @ret: the number
 *
 * Return: 0, or
 *   -EINVAL  not a number
 *   -ERANGE  larger than 2^64 - 1
 */
int parse_u64(const char *text, unsigned int base, uint64_t *ret);

/**
 * parse_u32() - Read an unsigned decimal number with a maximum.
 * @text: digits only
 * @max: largest value accepted
 * @ret: the number
 *
 * Return: 0, or
 *   -EINVAL  not a number
 *   -ERANGE  larger than @max
 */
int parse_u32(const char *text, uint32_t max, uint32_t *ret);

/**
 * parse_i32() - Read a signed decimal number.
 * @text: an optional '-' and digits
 * @ret: the number
 *
 * Return: 0, or
 *   -EINVAL  not a number
 *   -ERANGE  outside of int32_t
 */
int parse_i32(const char *text, int32_t *ret);

/**
 * parse_duration_ms() - Read a duration.
 * @text: a whole number and one of the units ms, s, m, h, as in "500ms"
 * @ret_ms: the duration in milliseconds
 *
 * Return: 0, or
 *   -EINVAL  no number, no unit, or an unknown unit
 *   -ERANGE  longer than 2^32 - 1 milliseconds (49 days)
 */
int parse_duration_ms(const char *text, uint32_t *ret_ms);

/**
 * str_copy() - Copy text into a fixed buffer if it fits.
 * @dst: buffer of @size bytes
 * @size: size of @dst, with room for the NUL
 * @src: NUL-terminated text
 *
 * Return: 0, or
 *   -ENAMETOOLONG  @src does not fit; @dst is then ""
 */
int str_copy(char *dst, size_t size, const char *src);

/**
 * str_trim() - Cut white space from both ends, in place.
 * @text: NUL-terminated text; bytes are moved to its front
 *
 * White space is space, tab, newline, carriage return, form feed and vertical
 * tab.
 *
 * Return: the new length in bytes.
 */
size_t str_trim(char *text);

/**
 * char_lower() - The lower-case letter of an ASCII letter, whatever the locale.
 * @c: byte
 *
 * Return: as in 'a' for 'A'; what is no capital letter unchanged.
 */
char char_lower(char c);

/**
 * char_digit() - The value of a hexadecimal digit of either case.
 * @c: byte
 *
 * Return: 0 to 15, or -1 for what is no digit.
 */
int char_digit(char c);

/**
 * char_is_space() - Whether a byte is white space of ASCII, whatever the locale.
 * @c: byte
 *
 * Return: true for space, tab, newline, vertical tab, form feed and carriage return.
 */
bool char_is_space(char c);

/**
 * str_is_printable() - Whether text is fit to be shown and compared.
 * @text: NUL-terminated text
 *
 * Return: true if every byte is printable ASCII (0x20 to 0x7e).
 */
bool str_is_printable(const char *text);

/**
 * str_starts_with() - Whether text begins with a prefix.
 * @text: NUL-terminated text
 * @prefix: NUL-terminated prefix
 *
 * Return: the rest of @text behind @prefix, or NULL if it does not begin so.
 */
const char *str_starts_with(const char *text, const char *prefix);
