/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-reservoir: a package mirror for sites without the internet.
 */
#include <stdio.h>

#include "base/strbuf.h"
#include "reservoir/command/command.h"

/* What is printed after a misuse is help, and goes where errors go. */
static int print(const struct strbuf *out, int status)
{
	FILE *stream = status == COMMAND_MISUSED ? stderr : stdout;

	if (fputs(strbuf_str(out), stream) < 0 || fflush(stdout) != 0)
		return COMMAND_FAILED;
	return status;
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(COMMAND_OUTPUT_MAX);
	struct settings settings = settings_default();
	struct error err = { 0 };
	int status;

	status = command_run((const char *const *)(argc > 0 ? argv + 1 : argv), &settings, &out,
			     &err);
	if (err.code != 0)
		(void)fprintf(stderr, "%s: %s\n", settings.program, err.msg);
	return print(&out, status);
}
