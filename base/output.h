/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that a program puts together first and then writes as a whole.
 *
 * Source: POSIX.1-2017, fflush(): what could not be written is known only after it
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"

#define OUTPUT_PAGE_MAX ((size_t)1024 * 1024) /* bytes; the longest page has a tenth */

/**
 * typedef output_fn - Puts a page together.
 * @page: appended to
 * @err: set on failure
 *
 * Return: 0, or a negative errno.
 */
typedef int (*output_fn)(struct strbuf *page, struct error *err);

/**
 * output_write() - Write a text to a stream, and flush it.
 * @text: what to write
 * @stream: where to
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOMEM, -E2BIG  the text is not whole, as strbuf_error() says; nothing was written
 *   -EIO             or another error of the write
 */
int output_write(const struct strbuf *text, FILE *stream, struct error *err);

/**
 * output_page_main() - What main() does in a program that writes a page on standard output.
 * @program: its name, for what it complains of on standard error
 * @put: puts the page together, of at most OUTPUT_PAGE_MAX bytes
 *
 * Return: EXIT_SUCCESS or EXIT_FAILURE.
 */
int output_page_main(const char *program, output_fn put);
