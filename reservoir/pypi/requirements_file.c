/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/requirements_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"

struct reader {
	pypi_requirement_fn fn;
	void *ctx;
	size_t n;
	unsigned int depth;
	struct error *err;
};

/* Of one file. */
struct source {
	const char *path;
	bool constraints;
};

static int read_file(struct reader *reader, const char *path, bool constraints);

/* Relative to the file that names it. */
static int resolve(const char *from, const char *name, char ret[PATH_MAX], struct error *err)
{
	const char *slash = strrchr(from, '/');
	int dir = slash && name[0] != '/' ? (int)(slash + 1 - from) : 0;

	if (strstr(name, "://"))
		return error_set(err, EINVAL, "'%s' is no file", name);
	if (snprintf(ret, PATH_MAX, "%.*s%s", dir, from, name) >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long", name);
	return 0;
}

/* The value of an option that names a file, NULL for another one. */
static const char *value_of(const char *line, const char *word, const char *long_word)
{
	const char *rest = str_starts_with(line, long_word);

	if (rest && (*rest == '=' || *rest == ' '))
		return rest + 1 + strspn(rest + 1, " ");
	rest = str_starts_with(line, word);
	return rest ? rest + strspn(rest, " =") : NULL;
}

static int read_option(struct reader *reader, const struct source *source, const char *line)
{
	const char *requirements = value_of(line, "-r", "--requirement");
	const char *constraints = value_of(line, "-c", "--constraint");
	char path[PATH_MAX];
	int r;

	if (!requirements && !constraints)
		return error_set(reader->err, EINVAL,
				 "the option '%.*s' means nothing to a mirror; take it out",
				 (int)strcspn(line, " ="), line);
	r = resolve(source->path, requirements ? requirements : constraints, path, reader->err);
	return r < 0 ? r : read_file(reader, path, source->constraints || constraints);
}

/* A '#' at the beginning of a word begins a comment; options of pip follow requirements. */
static void cut(char *line)
{
	for (char *at = strchr(line, '#'); at; at = strchr(at + 1, '#'))
		if (at == line || at[-1] == ' ' || at[-1] == '\t') {
			*at = '\0';
			break;
		}
	(void)str_trim(line);
	if (line[0] != '-') {
		char *option = strstr(line, " --");

		if (option)
			*option = '\0';
	}
	(void)str_trim(line);
}

static int read_line(struct reader *reader, const struct source *source, char *line)
{
	_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };
	int r;

	cut(line);
	if (line[0] == '\0')
		return 0;
	if (line[0] == '-')
		return read_option(reader, source, line);
	if (++reader->n > PYPI_REQUIREMENTS_MAX)
		return error_set(reader->err, E2BIG, "more than %d requirements",
				 PYPI_REQUIREMENTS_MAX);
	r = pypi_requirement_parse(line, strlen(line), &requirement, reader->err);
	if (r == 0 && requirement.url)
		r = error_set(reader->err, EINVAL, "'%.80s' names a URL, which no mirror has",
			      line);
	if (r < 0)
		return r;
	return reader->fn(reader->ctx, &requirement, line, source->constraints);
}

/* Takes a line out, joined with the next one when it ends with a backslash. */
static char *take_line(char **rest, unsigned int *number)
{
	char *line = *rest, *at = line;

	for (;;) {
		char *newline = strchr(at, '\n');

		(*number)++;
		if (!newline) {
			*rest = at + strlen(at);
			return line;
		}
		at = newline + 1;
		if (newline > line && newline[-1] == '\r')
			*newline-- = ' ';
		if (newline == line || newline[-1] != '\\')
			break;
		newline[-1] = ' ';
		*newline = ' ';
	}
	*rest = at;
	at[-1] = '\0';
	return line;
}

static int read_text(struct reader *reader, const struct source *source, char *text)
{
	unsigned int number = 0;
	int r = 0;

	while (r >= 0 && *text) {
		unsigned int first = number + 1;
		char *line = take_line(&text, &number);

		r = read_line(reader, source, line);
		/* Of files in a circle, the first says enough. */
		if (r == -ELOOP && reader->depth > 1)
			return r;
		if (r < 0)
			return error_wrap(reader->err, r, "%s:%u", source->path, first);
	}
	return r;
}

static int read_file(struct reader *reader, const char *path, bool constraints)
{
	struct source source = { path, constraints };
	_cleanup_free_ char *text = malloc(PYPI_REQUIREMENTS_BYTES_MAX);
	ssize_t n;
	int r;

	if (!text)
		return error_set(reader->err, ENOMEM, "no memory for '%s'", path);
	if (reader->depth == PYPI_REQUIREMENTS_DEPTH_MAX)
		return error_set(reader->err, ELOOP, "more than %d files name one another",
				 PYPI_REQUIREMENTS_DEPTH_MAX);
	n = file_read(AT_FDCWD, path, text, PYPI_REQUIREMENTS_BYTES_MAX, reader->err);
	if (n < 0)
		return (int)n;
	if (memchr(text, '\0', (size_t)n))
		return error_set(reader->err, EINVAL, "'%s' is no text", path);
	reader->depth++;
	r = read_text(reader, &source, text);
	reader->depth--;
	return r;
}

int pypi_requirements_read(const char *path, pypi_requirement_fn fn, void *ctx, struct error *err)
{
	struct reader reader = { .fn = fn, .ctx = ctx, .err = err };

	return read_file(&reader, path, false);
}
