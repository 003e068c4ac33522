/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/index.h"

#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "reservoir/pypi/wheel.h"

#define ARENA_MAX ((size_t)128 * 1024 * 1024)

void pypi_index_init(const char *name, struct pypi_index *ret)
{
	*ret = (struct pypi_index) { .arena = arena_init(ARENA_MAX) };
	(void)str_copy(ret->name, sizeof(ret->name), name);
}

void pypi_index_done(struct pypi_index *index)
{
	arena_done(&index->arena);
	free(index->files);
	*index = (struct pypi_index) { 0 };
}

const char *pypi_index_text(struct pypi_index *index, const char *text, size_t len)
{
	char *copy;

	if (len > PYPI_INDEX_TEXT_MAX)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return NULL;
	copy = arena_alloc(&index->arena, len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

const char *pypi_index_text_like(struct pypi_index *index, const char *other, const char *text,
				 size_t len)
{
	size_t other_len = other ? strlen(other) : 0;

	if (other && other_len >= len && memcmp(other + other_len - len, text, len) == 0)
		return other + other_len - len;
	return pypi_index_text(index, text, len);
}

const struct pypi_file *pypi_index_last(const struct pypi_index *index)
{
	static const struct pypi_file none;

	return index->n_files > 0 ? &index->files[index->n_files - 1] : &none;
}

static int grow(struct pypi_index *index, struct error *err)
{
	size_t cap = index->cap_files ? 2 * index->cap_files : 16;
	struct pypi_file *files = reallocarray(index->files, cap, sizeof(*files));

	if (!files)
		return error_set(err, ENOMEM, "no memory for the files of %s", index->name);
	index->files = files;
	index->cap_files = cap;
	return 0;
}

int pypi_index_add(struct pypi_index *index, const struct pypi_file *file, struct error *err)
{
	struct pypi_file_name name;

	if (index->arena.exceeded || index->arena.out_of_memory)
		return error_set(err, ENOMEM, "no memory for the index of %s", index->name);
	if (!file->name || !file->url || pypi_file_name_parse(file->name, index->name, &name) < 0) {
		index->n_refused++;
		return 0;
	}
	if (index->n_files == PYPI_INDEX_FILES_MAX)
		return error_set(err, E2BIG, "%s has more than %d files", index->name,
				 PYPI_INDEX_FILES_MAX);
	if (index->n_files == index->cap_files) {
		int r = grow(index, err);

		if (r < 0)
			return r;
	}
	index->has_files = true;
	index->files[index->n_files++] = *file;
	return 0;
}

static bool is_date(const struct tm *tm)
{
	return tm->tm_year >= 70 && tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
	       tm->tm_mday <= 31 && tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

static int two_digits(const char *text, int *ret)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -EINVAL;
	*ret = (text[0] - '0') * 10 + text[1] - '0';
	return 0;
}

/* The format has at most six digits behind the seconds, and ends with Z. */
static bool is_fraction_end(const char *text)
{
	size_t digits;

	if (*text == '.') {
		digits = strspn(text + 1, "0123456789");
		if (digits == 0 || digits > 6)
			return false;
		text += 1 + digits;
	}
	return strcmp(text, "Z") == 0;
}

int pypi_upload_time_parse(const char *text, int64_t *ret)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	struct tm tm = { 0 };
	int century, year;

	if (strlen(text) < sizeof(shape))
		return -EINVAL;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] != 'd' && text[i] != shape[i])
			return -EINVAL;
	if (two_digits(text, &century) < 0 || two_digits(text + 2, &year) < 0 ||
	    two_digits(text + 5, &tm.tm_mon) < 0 || two_digits(text + 8, &tm.tm_mday) < 0 ||
	    two_digits(text + 11, &tm.tm_hour) < 0 || two_digits(text + 14, &tm.tm_min) < 0 ||
	    two_digits(text + 17, &tm.tm_sec) < 0 || !is_fraction_end(text + 19))
		return -EINVAL;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon--;
	if (!is_date(&tm))
		return -EINVAL;
	*ret = timegm(&tm);
	return 0;
}

bool pypi_index_offers(const struct pypi_index *index)
{
	return !index->status || strcmp(index->status, "quarantined") != 0;
}

int pypi_index_check(const struct pypi_index *index, struct error *err)
{
	if (index->has_files || (index->is_titled && index->n_refused == 0))
		return 0;
	return error_set(err, EINVAL,
			 "it is no index of a project: it has no link to any file of it, as a "
			 "page that asks who one is");
}

const char *pypi_index_skip_mark(const char *text, size_t *len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* U+FEFF in UTF-8 */

	if (*len < sizeof(mark) - 1 || memcmp(text, mark, sizeof(mark) - 1) != 0)
		return text;
	*len -= sizeof(mark) - 1;
	return text + sizeof(mark) - 1;
}

static bool looks_like_json(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || text[i] == '\0')
			return text[i] == '{';
	return false;
}

int pypi_index_parse(const char *text, size_t len, struct pypi_index *index, struct error *err)
{
	text = pypi_index_skip_mark(text, &len);
	if (looks_like_json(text, len))
		return pypi_index_parse_json(text, len, index, err);
	return pypi_index_parse_html(text, len, index, err);
}

int pypi_list_parse(const char *text, size_t len, pypi_project_fn fn, void *ctx, struct error *err)
{
	if (len > PYPI_LIST_BYTES_MAX)
		return error_set(err, E2BIG, "the list of projects has more than %zu bytes",
				 PYPI_LIST_BYTES_MAX);
	text = pypi_index_skip_mark(text, &len);
	return (looks_like_json(text, len) ? pypi_list_parse_json
					   : pypi_list_parse_html)(text, len, fn, ctx, err);
}
