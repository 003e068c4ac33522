/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base/pages.h"

#include "tests/test.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"

#define PAGE_MAX ((size_t)256 * 1024)
#define LINE_MAX_BYTES 1024 /* a row of a table */
#define WORD_MAX 64	    /* a command, or the name of an option */

/* What ends a command line within a line. */
#define ENDS "`#|;&>\"()"

struct search {
	const char *page;
	const char *program;
	pages_knows_fn knows;
	void *ctx;
	size_t n; /* command lines that were found */
};

/* Copies a word up to one of @ends; returns what is behind it. */
static const char *take_word(const char *at, const char *ends, char word[WORD_MAX])
{
	size_t len = strcspn(at, ends);

	(void)snprintf(word, WORD_MAX, "%.*s", (int)MIN(len, (size_t)WORD_MAX - 1), at);
	return at + len;
}

static void check_command_line(struct search *search, const char *at, const char *end)
{
	char command[WORD_MAX] = "", option[WORD_MAX];

	at += strspn(at, " ");
	if (at < end && *at != '-')
		at = take_word(at, " '" ENDS, command);
	/* In capitals it stands for any. */
	if (command[0] && (command[0] < 'a' || command[0] > 'z'))
		return;
	if (!search->knows(search->ctx, command, NULL))
		fail_msg("%s: %s has no command '%s'", search->page, search->program, command);
	search->n++;
	for (at = strstr(at, " --"); at && at < end; at = strstr(at, " --")) {
		at = take_word(at + 3, " =,'\\" ENDS, option);
		if (option[0] && !search->knows(search->ctx, command, option))
			fail_msg("%s: %s %s has no option '--%s'", search->page, search->program,
				 command, option);
	}
}

/* Whether @at is code: of an indented block, or of a span. */
static bool is_code(const char *line, const char *at)
{
	bool code = strncmp(line, "    ", 4) == 0;

	for (; line < at; line++)
		code ^= *line == '`';
	return code;
}

static void check_line(struct search *search, const char *line)
{
	size_t len = strlen(search->program);

	for (const char *at = strstr(line, search->program); at;
	     at = strstr(at + len, search->program)) {
		const char *end = at + len;

		if ((at > line && !strchr(" `'/", at[-1])) || *end != ' ' || !is_code(line, at))
			continue;
		check_command_line(search, end, end + strcspn(end, ENDS));
	}
}

static void check_page(struct search *search)
{
	static char text[PAGE_MAX];
	char line[LINE_MAX_BYTES];
	ssize_t len = file_read(AT_FDCWD, search->page, text, sizeof(text), NULL);

	assert_true(len > 0);
	for (const char *at = text; *at; at += *at == '\n') {
		size_t n = strcspn(at, "\n");

		if (n < sizeof(line)) {
			(void)snprintf(line, sizeof(line), "%.*s", (int)n, at);
			check_line(search, line);
		}
		at += n;
	}
}

void pages_expect(const char *program, pages_knows_fn knows, void *ctx)
{
	struct search search = { .program = program, .knows = knows, .ctx = ctx };
	glob_t pages;

	assert_int_equal(glob(PAGES_ROOT "/*.md", 0, NULL, &pages), 0);
	assert_int_equal(glob(PAGES_ROOT "/docs/*.md", GLOB_APPEND, NULL, &pages), 0);
	for (size_t i = 0; i < pages.gl_pathc; i++) {
		search.page = pages.gl_pathv[i];
		check_page(&search);
	}
	globfree(&pages);
	assert_true(search.n > 0);
}

struct usage {
	const char *text;
};

static bool is_in_usage(void *ctx, _unused_ const char *command, const char *option)
{
	const struct usage *usage = ctx;
	char line[64];

	(void)snprintf(line, sizeof(line), "  --%s", option ? option : "");
	return strstr(usage->text, line);
}

void pages_expect_options(const char *program, const char *usage)
{
	struct usage ctx = { usage };

	pages_expect(program, is_in_usage, &ctx);
}
