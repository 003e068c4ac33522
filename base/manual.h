/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual page of a program, written from its table of commands.
 *
 * Source: man(7) of groff, whose macros mandoc knows as well
 */
#pragma once

#include "base/command.h"
#include "base/strbuf.h"

/* What the table does not say; roff. */
struct manual {
	const char *summary;		      /* what stands behind the name */
	const char *description;	      /* whole lines */
	void (*sections)(struct strbuf *out); /* between options and exit statuses, or NULL */
	const char *end;		      /* sections behind them, or "" */
};

/**
 * manual_write() - Write the manual page.
 * @program: program
 * @manual: what its table does not say
 * @out: appended to
 */
void manual_write(const struct command_program *program, const struct manual *manual,
		  struct strbuf *out);

/**
 * manual_text() - Write text of a line: a '-' is one, a backslash too, and no line begins
 *   with a macro.
 * @out: appended to
 * @text: text
 */
void manual_text(struct strbuf *out, const char *text);

/**
 * manual_sentences() - Write lines, each with a sentence, as troff wants.
 * @out: appended to
 * @text: paragraphs, with an empty line between them
 */
void manual_sentences(struct strbuf *out, const char *text);
