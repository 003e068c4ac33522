/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte string with a maximum.
 *
 * The first failure sticks: later appends do nothing, and strbuf_error() tells.
 * So a text can be put together without a check after every word.
 *
 * Source: a maximum given at creation is the idea of curl's docs/internals/DYNBUF.md
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"
#include "base/macro.h"

struct strbuf {
	char *data; /* NUL-terminated once something was appended; NULL before */
	size_t len; /* bytes without the NUL */
	size_t cap;
	size_t max; /* largest len allowed, below SIZE_MAX / 2 */
	int error;  /* 0, -ENOMEM or -E2BIG */
};

#define STRBUF_INIT(max_len) ((struct strbuf) { .max = (max_len) })
#define _cleanup_strbuf_ _cleanup_(strbuf_done)

/**
 * strbuf_done() - Release the contents; the struct may be used again.
 * @sb: initialised with STRBUF_INIT()
 */
void strbuf_done(struct strbuf *sb);

/**
 * strbuf_clear() - Empty the string and forget an error; memory is kept.
 * @sb: initialised with STRBUF_INIT()
 */
void strbuf_clear(struct strbuf *sb);

/**
 * strbuf_add() - Append bytes.
 * @sb: string to grow
 * @data: @len bytes, any value
 * @len: number of bytes
 */
void strbuf_add(struct strbuf *sb, const void *data, size_t len);

/**
 * strbuf_puts() - Append a NUL-terminated string.
 * @sb: string to grow
 * @text: what to append
 */
void strbuf_puts(struct strbuf *sb, const char *text);

/**
 * strbuf_printf() - Append formatted text.
 * @sb: string to grow
 * @fmt: printf format
 */
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) _printf_(2, 3);

/**
 * strbuf_str() - The text so far.
 * @sb: string to read
 *
 * Return: NUL-terminated text, "" when empty; borrowed until the next append.
 */
const char *strbuf_str(const struct strbuf *sb);

/**
 * strbuf_error() - Whether every append fitted.
 * @sb: string to ask
 *
 * Return: 0, or
 *   -ENOMEM  no memory
 *   -E2BIG   the maximum was reached
 */
int strbuf_error(const struct strbuf *sb);
