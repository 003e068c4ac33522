/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/metadata.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "reservoir/store/expand.h"

#define ENTRIES_MAX 1000000u /* files in an archive; the largest wheels have 100,000 */
#define BLOCK ((size_t)64 * 1024)
#define UNPACKED_MAX ((int64_t)8 * 1024 * 1024 * 1024) /* of a tar, on the way to the file */

/* --- fields --- */

struct line {
	const char *text;
	size_t len;
};

static bool next_line(const char **at, const char *end, struct line *ret)
{
	const char *stop;

	if (*at >= end)
		return false;
	stop = memchr(*at, '\n', (size_t)(end - *at));
	ret->text = *at;
	ret->len = (size_t)((stop ? stop : end) - *at);
	*at = stop ? stop + 1 : end;
	if (ret->len > 0 && ret->text[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

/* A field and the lines that go on with it. */
struct field {
	char name[64];
	struct strbuf value;
};

static int tell(struct field *field, pypi_field_fn fn, void *ctx)
{
	int r = 0;

	if (field->name[0] && strbuf_error(&field->value) == 0 &&
	    !(field->value.len > 0 && memchr(field->value.data, '\0', field->value.len)))
		r = fn(ctx, field->name, strbuf_str(&field->value));
	field->name[0] = '\0';
	strbuf_clear(&field->value);
	return r;
}

static int begin(struct field *field, struct line line, struct error *err)
{
	const char *colon = memchr(line.text, ':', line.len);
	size_t len = colon ? (size_t)(colon - line.text) : 0;

	if (len == 0 || len >= sizeof(field->name))
		return error_set(err, EINVAL, "'%.*s' is no field of metadata",
				 (int)MIN(line.len, (size_t)60), line.text);
	memcpy(field->name, line.text, len);
	field->name[len] = '\0';
	for (line.text = colon + 1, line.len -= len + 1;
	     line.len > 0 && (*line.text == ' ' || *line.text == '\t'); line.text++)
		line.len--;
	strbuf_add(&field->value, line.text, line.len);
	return 0;
}

static int each_field(const char *text, const char *end, struct field *field, pypi_field_fn fn,
		      void *ctx, struct error *err)
{
	struct line line;
	int r = 0;

	while (r >= 0 && next_line(&text, end, &line) && line.len > 0) {
		if (line.text[0] == ' ' || line.text[0] == '\t') {
			strbuf_add(&field->value, line.text, line.len);
			continue;
		}
		r = tell(field, fn, ctx);
		if (r >= 0)
			r = begin(field, line, err);
	}
	return r < 0 ? r : tell(field, fn, ctx);
}

int pypi_metadata_parse(const char *text, size_t len, pypi_field_fn fn, void *ctx,
			struct error *err)
{
	struct field field = { .value = STRBUF_INIT(PYPI_FIELD_MAX) };
	int r;

	if (len > PYPI_METADATA_MAX)
		return error_set(err, E2BIG, "the metadata has more than %zu bytes",
				 PYPI_METADATA_MAX);
	r = each_field(text, text + len, &field, fn, ctx, err);
	strbuf_done(&field.value);
	return r;
}

/* --- archives --- */

static void archive_freep(struct archive **archive)
{
	(void)archive_read_free(*archive);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), n = strlen(suffix);

	return len >= n && strcmp(text + len - n, suffix) == 0;
}

/* What is one folder deep, behind the slash; or NULL. */
static const char *in_folder(const char *path)
{
	const char *slash = path ? strchr(path, '/') : NULL;

	return slash && !strchr(slash + 1, '/') ? slash + 1 : NULL;
}

bool pypi_metadata_is_of_wheel(const char *path)
{
	return in_folder(path) && ends_with(path, ".dist-info/METADATA");
}

static bool is_of_source(const char *path)
{
	const char *name = in_folder(path);

	return name && strcmp(name, "PKG-INFO") == 0;
}

static int read_entry(struct archive *archive, struct strbuf *ret, struct error *err)
{
	char piece[BLOCK];

	for (;;) {
		la_ssize_t n = archive_read_data(archive, piece, sizeof(piece));

		if (n == 0)
			return 0;
		if (n < 0)
			return error_set(err, EBADMSG, "the archive is damaged: %s",
					 archive_error_string(archive));
		strbuf_add(ret, piece, (size_t)n);
		if (strbuf_error(ret) < 0 || ret->len > PYPI_METADATA_MAX)
			return error_set(err, E2BIG, "the metadata has more than %zu bytes",
					 PYPI_METADATA_MAX);
	}
}

static int find_entry(struct archive *archive, bool (*test)(const char *path), struct strbuf *ret,
		      struct error *err)
{
	struct archive_entry *entry;

	for (uint32_t n = 0; n < ENTRIES_MAX; n++) {
		int r = archive_read_next_header(archive, &entry);

		if (r == ARCHIVE_EOF)
			return error_set(err, ENOENT, "there is no metadata in it");
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return error_set(err, EBADMSG, "the archive is damaged: %s",
					 archive_error_string(archive));
		if (archive_filter_bytes(archive, 0) > UNPACKED_MAX)
			break;
		if (test(archive_entry_pathname(entry)))
			return read_entry(archive, ret, err);
	}
	return error_set(err, E2BIG, "the archive unpacks to too much");
}

static bool is_zip(int fd)
{
	char magic[2];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && memcmp(magic, "PK", 2) == 0;
}

/* Sources come in tars too, of which xz may ask for any memory; a zip is read from its end. */
static int open_archive(struct archive *archive, int fd, struct expander *expander)
{
	(void)archive_read_support_format_zip(archive);
	if (!expander)
		return archive_read_open_fd(archive, fd, BLOCK);
	(void)archive_read_support_format_tar(archive);
	(void)archive_read_support_filter_gzip(archive);
	(void)archive_read_support_filter_bzip2(archive);
	return expander_open_archive(expander, archive);
}

int pypi_metadata_extract(int fd, int wheel, struct strbuf *ret, struct error *err)
{
	_cleanup_(archive_freep) struct archive *archive = archive_read_new();
	_cleanup_(expander_freep) struct expander *expander = NULL;
	int r = wheel || is_zip(fd) ? 0 : expander_new(fd, &expander, err);

	if (r < 0)
		return r;
	if (!archive)
		return error_set(err, ENOMEM, "no memory for an archive");
	if (open_archive(archive, fd, expander) != ARCHIVE_OK)
		return error_set(err, EBADMSG, "it is no archive: %s",
				 archive_error_string(archive));
	return find_entry(archive, wheel ? pypi_metadata_is_of_wheel : is_of_source, ret, err);
}
