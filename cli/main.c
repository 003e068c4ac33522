/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl: shows the accelerators of a node, who holds them, and why.
 */
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "cli/command.h"
#include "cli/text.h"
#include "drivers/nvml/child.h"

/* The name under which kubectl finds it among its plugins. */
#define KUBECTL_NAME "kubectl-silica"

static const char *program_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;

	return name && strcmp(name, KUBECTL_NAME) == 0 ? "kubectl silica" : "silicactl";
}

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static bool is_utf8(void)
{
	return setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void complain(const char *program, const struct error *err)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT(4 * ERROR_TEXT_MAX);

	if (err->code == 0)
		return;
	text_escape(&line, err->msg);
	(void)fprintf(stderr, "%s: %s\n", program, strbuf_str(&line));
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(COMMAND_OUTPUT_MAX);
	struct settings settings = settings_default();
	struct error err = { 0 };
	int status;

	if (nvml_child_is_asked(argc, argv))
		return nvml_child_main(argv);
	settings.program = program_name(argc > 0 ? argv[0] : NULL);
	settings.utf8 = is_utf8();
	settings.terminal = is_terminal();
	settings.no_color = getenv("NO_COLOR");
	status = command_run((const char *const *)(argc > 0 ? argv + 1 : argv), &settings, &out,
			     &err);
	complain(settings.program, &err);
	err = (struct error) { 0 };
	status = command_print(&out, status, &err);
	complain(settings.program, &err);
	return status;
}
