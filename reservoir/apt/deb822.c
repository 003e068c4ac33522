/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/deb822.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

void deb822_init(struct deb822_reader *reader, deb822_fn fn, void *ctx)
{
	*reader = (struct deb822_reader) {
		.rest = STRBUF_INIT(DEB822_STANZA_MAX + (size_t)1024 * 1024),
		.fn = fn,
		.ctx = ctx,
	};
}

void deb822_done(struct deb822_reader *reader)
{
	strbuf_done(&reader->rest);
}

/* Whether the bytes up to a newline are blank, which is what separates stanzas. */
static bool is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	return true;
}

/*
 * Finds the blank line that ends the stanza at @text. Lines before *@at are known not
 * to be blank. Returns its place and *@ret_after, or NULL when it is not there yet.
 */
static const char *find_end(const char *text, size_t len, size_t *at, const char **ret_after)
{
	const char *line = text + *at;
	const char *end = text + len;

	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (!newline)
			break;
		if (is_blank(line, (size_t)(newline - line))) {
			*ret_after = newline + 1;
			return line;
		}
		line = newline + 1;
	}
	*at = (size_t)(line - text);
	return NULL;
}

static int tell(struct deb822_reader *reader, const char *text, size_t len, struct error *err)
{
	struct deb822_stanza stanza = { text, len };

	if (len == 0)
		return 0;
	if (len > DEB822_STANZA_MAX)
		return error_set(err, EFBIG, "a stanza has more than %zu bytes", DEB822_STANZA_MAX);
	return reader->fn(reader->ctx, &stanza, err);
}

/* Tells all whole stanzas of a text, and how many bytes they take. */
static int tell_whole(struct deb822_reader *reader, const char *text, size_t len, size_t *scanned,
		      size_t *ret_used, struct error *err)
{
	const char *begin = text;
	const char *after;
	const char *end = find_end(begin, len, scanned, &after);

	while (end) {
		int r = tell(reader, begin, (size_t)(end - begin), err);

		if (r < 0)
			return r;
		begin = after;
		*scanned = 0;
		end = find_end(begin, len - (size_t)(begin - text), scanned, &after);
	}
	*ret_used = (size_t)(begin - text);
	return 0;
}

static int keep_rest(struct deb822_reader *reader, const char *data, size_t len, struct error *err)
{
	strbuf_add(&reader->rest, data, len);
	if (strbuf_error(&reader->rest) == -E2BIG)
		return error_set(err, EFBIG, "a stanza has more than %zu bytes", DEB822_STANZA_MAX);
	if (strbuf_error(&reader->rest) < 0)
		return error_set(err, ENOMEM, "no memory for a stanza");
	return 0;
}

/* Pieces of this size bound how much the text of an unfinished stanza can grow at once. */
#define PIECE ((size_t)256 * 1024)

static int feed_piece(struct deb822_reader *reader, const char *data, size_t len, struct error *err)
{
	size_t used = 0;
	int r;

	if (reader->rest.len == 0) {
		/* What lies whole in the caller's bytes is not copied. */
		reader->scanned = 0;
		r = tell_whole(reader, data, len, &reader->scanned, &used, err);
		return r < 0 ? r : keep_rest(reader, data + used, len - used, err);
	}
	r = keep_rest(reader, data, len, err);
	if (r < 0)
		return r;
	r = tell_whole(reader, reader->rest.data, reader->rest.len, &reader->scanned, &used, err);
	if (r < 0)
		return r;
	memmove(reader->rest.data, reader->rest.data + used, reader->rest.len - used);
	reader->rest.len -= used;
	if (reader->rest.len > DEB822_STANZA_MAX)
		return error_set(err, EFBIG, "a stanza has more than %zu bytes", DEB822_STANZA_MAX);
	return 0;
}

int deb822_feed(struct deb822_reader *reader, const char *data, size_t len, struct error *err)
{
	if (len > 0 && memchr(data, '\0', len))
		return error_set(err, EBADMSG, "there is a NUL byte in it");
	while (len > 0) {
		size_t piece = len < PIECE ? len : PIECE;
		int r = feed_piece(reader, data, piece, err);

		if (r < 0)
			return r;
		data += piece;
		len -= piece;
	}
	return 0;
}

int deb822_end(struct deb822_reader *reader, struct error *err)
{
	int r;

	if (reader->rest.len == 0)
		return 0;
	if (reader->rest.data[reader->rest.len - 1] != '\n') {
		r = deb822_feed(reader, "\n", 1, err);
		if (r < 0 || reader->rest.len == 0)
			return r;
	}
	r = tell(reader, reader->rest.data, reader->rest.len, err);
	strbuf_clear(&reader->rest);
	reader->scanned = 0;
	return r;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct deb822_value trimmed(const char *begin, const char *end)
{
	while (begin < end && is_space(*begin))
		begin++;
	while (end > begin && is_space(end[-1]))
		end--;
	return (struct deb822_value) { begin, (size_t)(end - begin) };
}

/* Where the line at @line ends: at its newline, or at the end of all. */
static const char *line_end(const char *line, const char *end)
{
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	return newline ? newline : end;
}

struct deb822_value deb822_get(const struct deb822_stanza *stanza, const char *name)
{
	size_t name_len = strlen(name);
	const char *end = stanza->text + stanza->len;
	const char *line = stanza->text;

	while (line < end) {
		const char *stop = line_end(line, end);

		if ((size_t)(stop - line) > name_len && line[name_len] == ':' &&
		    strncasecmp(line, name, name_len) == 0) {
			const char *value = line + name_len + 1;

			/* Lines that begin with a blank go on with the field. */
			while (stop + 1 < end && (stop[1] == ' ' || stop[1] == '\t'))
				stop = line_end(stop + 1, end);
			return trimmed(value, stop);
		}
		line = stop + 1;
	}
	return (struct deb822_value) { "", 0 };
}

int deb822_copy(const struct deb822_stanza *stanza, const char *name, char *ret, size_t size,
		struct error *err)
{
	struct deb822_value value = deb822_get(stanza, name);

	if (value.len >= size)
		return error_set(err, EFBIG, "field '%s' has more than %zu bytes", name, size - 1);
	for (size_t i = 0; i < value.len; i++)
		if (value.text[i] < 0x20 || value.text[i] > 0x7e)
			return error_set(err, EBADMSG, "field '%s' is no line of ASCII", name);
	memcpy(ret, value.text, value.len);
	ret[value.len] = '\0';
	return 0;
}

bool deb822_word(struct deb822_value *value, struct deb822_value *ret)
{
	const char *at = value->text;
	const char *end = value->text + value->len;
	const char *begin;

	while (at < end && is_space(*at))
		at++;
	begin = at;
	while (at < end && !is_space(*at))
		at++;
	*value = (struct deb822_value) { at, (size_t)(end - at) };
	*ret = (struct deb822_value) { begin, (size_t)(at - begin) };
	return ret->len > 0;
}

bool deb822_line(struct deb822_value *value, struct deb822_value *ret)
{
	const char *end = value->text + value->len;
	const char *stop;

	if (value->len == 0)
		return false;
	stop = line_end(value->text, end);
	*ret = trimmed(value->text, stop);
	if (stop < end)
		stop++;
	*value = (struct deb822_value) { stop, (size_t)(end - stop) };
	return true;
}

bool deb822_equal(const struct deb822_value *value, const char *text)
{
	return strlen(text) == value->len && memcmp(value->text, text, value->len) == 0;
}

int deb822_u64(const struct deb822_value *value, uint64_t *ret)
{
	char text[24]; /* 20 digits are the most */

	if (value->len == 0 || value->len >= sizeof(text))
		return -EBADMSG;
	memcpy(text, value->text, value->len);
	text[value->len] = '\0';
	return parse_u64(text, 10, ret) < 0 ? -EBADMSG : 0;
}
