/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The functions behind the macros. */
#undef error_set
#undef error_wrap

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return -code;
	err->code = code > 0 ? code : EIO;
	va_start(args, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	return -code;
}

int error_wrap(struct error *err, int r, const char *fmt, ...)
{
	char context[ERROR_TEXT_MAX / 2];
	char cause[ERROR_TEXT_MAX / 2];
	va_list args;

	if (!err)
		return r;
	va_start(args, fmt);
	(void)vsnprintf(context, sizeof(context), fmt, args);
	va_end(args);
	(void)snprintf(cause, sizeof(cause), "%.*s", (int)sizeof(cause) - 3, error_text(err, r));
	err->code = r < 0 ? -r : EIO;
	(void)snprintf(err->msg, sizeof(err->msg), "%.*s: %.*s", (int)sizeof(context) - 1, context,
		       (int)sizeof(cause) - 3, cause);
	return r;
}

const char *error_text(const struct error *err, int r)
{
	if (err && err->code != 0)
		return err->msg;
	return strerror(-r);
}

bool error_is_news(char told[ERROR_TEXT_MAX], const char *text)
{
	if (strcmp(told, text) == 0)
		return false;
	(void)snprintf(told, ERROR_TEXT_MAX, "%s", text);
	return true;
}
