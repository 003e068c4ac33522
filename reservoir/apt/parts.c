/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/parts.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/apt/packages.h"
#include "reservoir/store/unpack.h"

struct reader {
	enum parts_form form;
	parts_fn fn;
	void *ctx;
	struct strbuf line; /* the beginning of one */
	struct strbuf part; /* lines of a document */
};

static int tell(struct reader *reader, struct strbuf *part, struct error *err)
{
	int r = part->len > 0 ? reader->fn(reader->ctx, part->data, part->len, err) : 0;

	strbuf_clear(part);
	return r;
}

static int too_long(struct error *err)
{
	return error_set(err, EFBIG, "a part of it has more than %zu bytes", PARTS_MAX);
}

/* Takes the line that is whole. */
static int end_line(struct reader *reader, struct error *err)
{
	struct strbuf *line = &reader->line;
	int r;

	if (strbuf_error(line) < 0)
		return too_long(err);
	if (reader->form == PARTS_LINES)
		return tell(reader, line, err);
	if (line->len >= 4 && memcmp(line->data, "---", 3) == 0) {
		r = tell(reader, &reader->part, err);
		if (r < 0)
			return r;
	}
	strbuf_add(&reader->part, line->data, line->len);
	strbuf_clear(line);
	return strbuf_error(&reader->part) < 0 ? too_long(err) : 0;
}

static int feed(void *ctx, const char *data, size_t len, struct error *err)
{
	struct reader *reader = ctx;
	const char *end = data + len;
	int r = 0;

	while (r == 0 && data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *stop = newline ? newline + 1 : end;

		strbuf_add(&reader->line, data, (size_t)(stop - data));
		r = newline ? end_line(reader, err) : 0;
		data = stop;
	}
	return r == 0 && strbuf_error(&reader->line) < 0 ? too_long(err) : r;
}

static int finish(struct reader *reader, struct error *err)
{
	int r = 0;

	if (reader->line.len > 0) {
		strbuf_puts(&reader->line, "\n");
		r = end_line(reader, err);
	}
	return r < 0 ? r : tell(reader, &reader->part, err);
}

int parts_read(struct apt_run *run, const struct digest *digest, enum parts_form form, parts_fn fn,
	       void *ctx, struct error *err)
{
	struct reader reader = {
		.form = form,
		.fn = fn,
		.ctx = ctx,
		.line = STRBUF_INIT(PARTS_MAX),
		.part = STRBUF_INIT(PARTS_MAX),
	};
	int r = unpack_object(run->sync->store, digest, feed, &reader, err);

	if (r == 0)
		r = finish(&reader, err);
	strbuf_done(&reader.line);
	strbuf_done(&reader.part);
	return r;
}

/* Whether the name behind the last slash of "section/name" stays. */
static bool keeps(const char *place, size_t len, parts_name_fn fn, void *ctx)
{
	const char *slash = memrchr(place, '/', len);
	const char *begin = slash ? slash + 1 : place;
	size_t n = len - (size_t)(begin - place);
	char name[PACKAGE_WORD_MAX];

	if (n == 0 || n >= sizeof(name))
		return false;
	memcpy(name, begin, n);
	name[n] = '\0';
	return fn(ctx, name);
}

int parts_filter_line(const char *text, size_t len, parts_name_fn fn, void *ctx, struct strbuf *ret)
{
	const char *end, *at;
	bool any = false;

	while (len > 0 && char_is_space(text[len - 1]))
		len--;
	end = at = text + len;
	while (at > text && !char_is_space(at[-1]))
		at--;
	if (at == text)
		return 0;
	for (const char *place = at; place < end;) {
		const char *comma = memchr(place, ',', (size_t)(end - place));
		size_t n = (size_t)((comma ? comma : end) - place);

		if (keeps(place, n, fn, ctx)) {
			strbuf_add(ret, any ? "," : text, any ? 1 : (size_t)(at - text));
			strbuf_add(ret, place, n);
			any = true;
		}
		place += n + 1;
	}
	if (any)
		strbuf_puts(ret, "\n");
	return strbuf_error(ret) < 0 ? -ENOMEM : 0;
}

/* The value of a field at the beginning of a line; NULL when there is none. */
static const char *find_field(const char *text, const char *end, const char *field)
{
	size_t n = strlen(field);

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if ((size_t)(end - text) > n && memcmp(text, field, n) == 0)
			return text + n;
		text = newline ? newline + 1 : end;
	}
	return NULL;
}

bool parts_keeps_document(const char *text, size_t len, parts_name_fn fn, void *ctx)
{
	const char *end = text + len;
	const char *name = find_field(text, end, "Package:");
	const char *stop;

	if (!name)
		return find_field(text, end, "File:") != NULL;
	while (name < end && (char_is_space(*name) || *name == '\'' || *name == '"') &&
	       *name != '\n')
		name++;
	stop = name;
	while (stop < end && !char_is_space(*stop) && *stop != '\'' && *stop != '"')
		stop++;
	return keeps(name, (size_t)(stop - name), fn, ctx);
}
