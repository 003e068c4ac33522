/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-reservoir: a package mirror for sites without the internet.
 */
#include <stdio.h>

#include "base/strbuf.h"
#include "reservoir/command/command.h"

static void complain(const char *program, const struct error *err)
{
	if (err->code != 0)
		(void)fprintf(stderr, "%s: %s\n", program, err->msg);
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(COMMAND_OUTPUT_MAX);
	struct settings settings = settings_default();
	struct error err = { 0 };
	int status;

	status = command_run((const char *const *)(argc > 0 ? argv + 1 : argv), &settings, &out,
			     &err);
	complain(settings.program, &err);
	err = (struct error) { 0 };
	status = command_print(&out, status, &err);
	complain(settings.program, &err);
	return status;
}
