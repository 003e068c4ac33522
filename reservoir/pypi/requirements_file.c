/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/requirements_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "reservoir/pypi/index.h"

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

	if (rest && *rest && strchr("= \t", *rest))
		return rest + 1 + strspn(rest + 1, " \t");
	rest = str_starts_with(line, word);
	return rest ? rest + strspn(rest, " \t=") : NULL;
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
				 (int)strcspn(line, " \t="), line);
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
	for (char *at = strstr(line, "--"); line[0] != '-' && at; at = strstr(at + 1, "--"))
		if (at[-1] == ' ' || at[-1] == '\t') {
			*at = '\0';
			break;
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

/* Whether the next line belongs to this one; cuts what says so, and the end of a line. */
static bool goes_on(const char *line, size_t *len)
{
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	if (*len == 0 || line[*len - 1] != '\\' || line[strspn(line, " \t")] == '#')
		return false;
	(*len)--;
	return true;
}

/* Takes a line out, joined with the next one when it ends with a backslash: not a comment. */
static char *take_line(char **rest, unsigned int *number)
{
	char *line = *rest, *out = line, *at = line;
	bool more = true;

	while (more && *at) {
		size_t whole = strcspn(at, "\n"), len = whole;
		char *next = at + whole + (at[whole] == '\n');

		(*number)++;
		more = goes_on(at, &len);
		/* A comment that ends a line is behind white space. */
		if (out > line && at[strspn(at, " \t")] == '#')
			*out++ = ' ';
		memmove(out, at, len);
		out += len;
		at = next;
	}
	*rest = at;
	*out = '\0';
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

/*
 * Windows writes UTF-16.  Only ASCII means anything but in comments: what is none becomes a
 * character that no requirement has.
 */
static size_t from_utf16(char *text, size_t n)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t low = bytes[0] == 0xff ? 0 : 1, out = 0;

	for (size_t i = 2; i + 1 < n; i += 2) {
		unsigned char c = bytes[i + low];

		text[out++] = (char)(bytes[i + 1 - low] == 0 && c > 0 && c < 0x80 ? c : '?');
	}
	text[out] = '\0';
	return out;
}

/* Makes text of what an editor wrote: without a byte order mark, in an encoding like ASCII. */
static char *decode(char *text, size_t n, size_t *ret_n)
{
	*ret_n = n;
	if (n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
		*ret_n = from_utf16(text, n);
		return text;
	}
	return text + (pypi_index_skip_mark(text, ret_n) - text);
}

static int read_file(struct reader *reader, const char *path, bool constraints)
{
	struct source source = { path, constraints };
	_cleanup_free_ char *bytes = malloc(PYPI_REQUIREMENTS_BYTES_MAX);
	char *text;
	size_t len;
	ssize_t n;
	int r;

	if (!bytes)
		return error_set(reader->err, ENOMEM, "no memory for '%s'", path);
	if (reader->depth == PYPI_REQUIREMENTS_DEPTH_MAX)
		return error_set(reader->err, ELOOP, "more than %d files name one another",
				 PYPI_REQUIREMENTS_DEPTH_MAX);
	n = file_read(AT_FDCWD, path, bytes, PYPI_REQUIREMENTS_BYTES_MAX, reader->err);
	if (n < 0)
		return (int)n;
	text = decode(bytes, (size_t)n, &len);
	if (memchr(text, '\0', len))
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
