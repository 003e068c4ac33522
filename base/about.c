/* SPDX-License-Identifier: Apache-2.0 */
#include "base/about.h"

#include <stddef.h>

#include "base/macro.h"

int about_completion(const struct command_program *program, const struct command_line *line,
		     struct strbuf *out, struct error *err)
{
	return completion_write(program, line->words->list[0], out, err);
}

int about_help(const struct command_program *program, const struct command_line *line,
	       struct strbuf *out, struct error *err)
{
	return command_help(program, line->program,
			    line->words->n > 0 ? line->words->list[0] : NULL, out, err);
}

int about_version(_unused_ const struct command_program *program, const struct command_line *line,
		  struct strbuf *out, _unused_ struct error *err)
{
	strbuf_printf(out, "%s " SILICA_VERSION "\n", line->program);
	return COMMAND_DONE;
}
