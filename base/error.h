/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error convention of Silica.
 *
 * A fallible function returns an int: zero or positive on success, a negative
 * errno on failure.  Its last parameter is a `struct error *` that lives on the
 * caller's stack, needs no release, and may be NULL when nobody will read it.
 * The text is set once, where the failure happens, and every caller that knows
 * more puts its part in front:
 *
 *	return error_set(err, EIO, "attribute '%s' is empty", name);
 *	...
 *	r = scan(root, err);
 *	if (r < 0)
 *		return error_wrap(err, r, "scan '%s'", root);
 *
 * Source: the shape is that of json_error_t in jansson's jansson.h
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "base/macro.h"

#define ERROR_TEXT_MAX 512 /* bytes with the NUL: a path, an attribute value and two sentences */

struct error {
	int code; /* positive errno, 0 when nothing was set */
	char msg[ERROR_TEXT_MAX];
};

/**
 * error_set() - Record where and why something failed.
 * @err: error to fill, or NULL
 * @code: positive errno; anything else counts as EIO
 * @fmt: printf format of the text, without a newline
 *
 * Return: -@code, so that a function can end with `return error_set(...)`.
 */
int error_set(struct error *err, int code, const char *fmt, ...) _printf_(3, 4);

/**
 * error_wrap() - Put context in front of an error that a callee has set.
 * @err: error set by the callee, or NULL
 * @r: negative errno that the callee returned
 * @fmt: printf format of the context; ": " is put after it
 *
 * A long context never pushes the cause out: it gets at most half of the text.
 *
 * Return: @r unchanged, or -EIO if it is not negative.
 */
int error_wrap(struct error *err, int r, const char *fmt, ...) _printf_(3, 4);

/**
 * error_text() - Say what went wrong.
 * @err: error as left by a failed call, or NULL
 * @r: negative errno that the call returned
 *
 * Return: the recorded text, or the system's text for @r if none was recorded;
 *   borrowed from @err or static.
 */
const char *error_text(const struct error *err, int r);

/**
 * error_is_news() - Whether a text is another one than the last time.
 * @told: the last one, "" at first; replaced
 * @text: what there is to tell now; "" when there is nothing any more
 *
 * For failures that come again and again and are told once.
 *
 * Return: true if it is to be told.
 */
bool error_is_news(char told[ERROR_TEXT_MAX], const char *text);

/*
 * Compilers and analysers do not see into error.c, and every caller would seem to
 * go on with outputs that were never written.  This tells them that a failure is
 * negative.
 */
#define ERROR_NEGATIVE(failure)               \
	__extension__({                       \
		int error_r = (failure);      \
		error_r < 0 ? error_r : -EIO; \
	})
#define error_set(...) ERROR_NEGATIVE(error_set(__VA_ARGS__))
#define error_wrap(...) ERROR_NEGATIVE(error_wrap(__VA_ARGS__))
