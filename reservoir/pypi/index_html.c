/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of HTML only the anchors count, and what their attributes say.  The scanner takes
 * what browsers take where index writers differ: quotes of both kinds or none, any
 * case, entities; and it never looks further than a tag may be long.
 */
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "reservoir/pypi/index.h"
#include "reservoir/pypi/sum.h"

#define TAG_MAX ((size_t)32 * 1024) /* bytes of one tag; its attributes are below 4 KiB each */
#define TITLE_MAX 256		    /* bytes that are looked at, with the NUL */
#define ENDLESS_MAX 256u /* tags without an end: for each of them TAG_MAX bytes are read */

struct piece {
	const char *text;
	size_t len;
};

enum attribute {
	HREF,
	REQUIRES_PYTHON,
	YANKED,
	CORE_METADATA,
	DIST_INFO_METADATA,
	PROVENANCE,
	META_NAME,
	META_CONTENT,
	_ATTRIBUTE_MAX,
};

static const char *const attribute_names[] = {
	[HREF] = "href",
	[REQUIRES_PYTHON] = "data-requires-python",
	[YANKED] = "data-yanked",
	[CORE_METADATA] = "data-core-metadata",
	[DIST_INFO_METADATA] = "data-dist-info-metadata",
	[PROVENANCE] = "data-provenance",
	[META_NAME] = "name",
	[META_CONTENT] = "content",
};

/* A tag with the attributes that matter; @text is NULL for one that is not there. */
struct tag {
	struct piece name;
	struct piece attributes[_ATTRIBUTE_MAX];
	const char *end;
	size_t left; /* bytes behind @end */
};

static bool piece_is(struct piece piece, const char *word)
{
	return piece.len == strlen(word) && strncasecmp(piece.text, word, piece.len) == 0;
}

static struct piece take_value(const char **at, const char *end)
{
	struct piece value;
	char quote = (char)(*at < end ? **at : '\0');

	if (quote != '"' && quote != '\'') {
		value.text = *at;
		while (*at < end && !char_is_space(**at) && **at != '>')
			(*at)++;
		value.len = (size_t)(*at - value.text);
		return value;
	}
	value.text = ++*at;
	while (*at < end && **at != quote)
		(*at)++;
	value.len = (size_t)(*at - value.text);
	if (*at < end)
		(*at)++;
	while (value.len > 0 && char_is_space(value.text[0])) {
		value.text++;
		value.len--;
	}
	while (value.len > 0 && char_is_space(value.text[value.len - 1]))
		value.len--;
	return value;
}

static void skip_space(const char **at, const char *end)
{
	while (*at < end && char_is_space(**at))
		(*at)++;
}

static void take_attribute(const char **at, const char *end, struct tag *tag)
{
	struct piece name = { *at, 0 }, value = { "", 0 };

	while (*at < end && !char_is_space(**at) && !strchr("=>", **at))
		(*at)++;
	name.len = (size_t)(*at - name.text);
	skip_space(at, end);
	if (*at < end && **at == '=') {
		(*at)++;
		skip_space(at, end);
		value = take_value(at, end);
	} else if (name.len == 0) {
		(*at)++;
	}
	for (size_t i = 0; i < _ATTRIBUTE_MAX; i++)
		if (piece_is(name, attribute_names[i]) && !tag->attributes[i].text)
			tag->attributes[i] = value;
}

/* The tag whose '<' is at @at; false for one that does not end. */
static bool take_tag(const char *at, const char *end, struct tag *ret)
{
	*ret = (struct tag) { .name = { at + 1, 0 } };
	if ((size_t)(end - at) > TAG_MAX)
		end = at + TAG_MAX;
	at++;
	while (at < end && !char_is_space(*at) && *at != '>')
		at++;
	ret->name.len = (size_t)(at - ret->name.text);
	for (;;) {
		skip_space(&at, end);
		if (at >= end)
			return false;
		if (*at == '>')
			break;
		take_attribute(&at, end, ret);
	}
	ret->end = at + 1;
	return true;
}

/* --- entities and percent signs --- */

static const struct {
	const char *name;
	char c;
} entities[] = {
	{ "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' },
};

/* A character by its number; only ASCII is needed here. */
static size_t numbered_entity(struct piece in, char *ret)
{
	const char *end = memchr(in.text, ';', MIN(in.len, (size_t)10));
	char digits[12];
	bool hex = in.len > 2 && (in.text[2] == 'x' || in.text[2] == 'X');
	size_t skip = hex ? 3 : 2;
	uint64_t number;

	if (!end || in.len < 4 || in.text[1] != '#' || (size_t)(end - in.text) <= skip)
		return 0;
	memcpy(digits, in.text + skip, (size_t)(end - in.text) - skip);
	digits[(size_t)(end - in.text) - skip] = '\0';
	if (parse_u64(digits, hex ? 16 : 10, &number) < 0 || number < ' ' || number > '~')
		return 0;
	*ret = (char)number;
	return (size_t)(end - in.text) + 1;
}

static size_t take_entity(struct piece in, char *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
		size_t len = strlen(entities[i].name);

		if (in.len >= len && strncasecmp(in.text, entities[i].name, len) == 0) {
			*ret = entities[i].c;
			return len;
		}
	}
	return numbered_entity(in, ret);
}

/* The text of an attribute; -E2BIG for one that is too long. */
static int decode(struct piece in, char *ret, size_t size)
{
	size_t n = 0;

	while (in.len > 0) {
		size_t used = in.text[0] == '&' ? take_entity(in, &ret[n]) : 0;

		if (n + 1 >= size)
			return -E2BIG;
		if (used == 0) {
			ret[n] = in.text[0];
			used = 1;
		}
		n++;
		in.text += used;
		in.len -= used;
	}
	ret[n] = '\0';
	return (int)n;
}

static void percent_decode(char *text)
{
	char *out = text;

	for (; *text; text++) {
		if (text[0] == '%' && char_digit(text[1]) >= 0 && char_digit(text[2]) >= 0 &&
		    char_digit(text[1]) * 16 + char_digit(text[2]) != 0) {
			*out++ = (char)(char_digit(text[1]) * 16 + char_digit(text[2]));
			text += 2;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

/* Whether a page calls itself an index, as all servers that make one from what they have do. */
static bool is_title(const struct tag *tag)
{
	static const char *const words[] = { "links for", "simple index" };
	char title[TITLE_MAX];
	size_t n = 0;

	if (!piece_is(tag->name, "title") && !piece_is(tag->name, "h1"))
		return false;
	for (; n < MIN(tag->left, sizeof(title) - 1) && tag->end[n] != '<'; n++)
		title[n] = char_lower(tag->end[n]);
	title[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(title, words[i]))
			return true;
	return false;
}

/* PyPI's own, and that of another server's since before there was one. */
static bool is_version(const struct tag *tag)
{
	return piece_is(tag->name, "meta") && tag->attributes[META_NAME].text &&
	       (piece_is(tag->attributes[META_NAME], "pypi:repository-version") ||
		piece_is(tag->attributes[META_NAME], "api-version"));
}

/* --- a project --- */

static const char *keep(struct pypi_index *index, struct piece piece)
{
	char text[PYPI_INDEX_TEXT_MAX];
	int n = piece.text ? decode(piece, text, sizeof(text)) : -ENOENT;

	return n < 0 ? NULL : pypi_index_text(index, text, (size_t)n);
}

static const char *keep_like(struct pypi_index *index, const char *other, struct piece piece)
{
	char text[PYPI_INDEX_TEXT_MAX];
	int n = piece.text ? decode(piece, text, sizeof(text)) : -ENOENT;

	return n < 0 ? NULL : pypi_index_text_like(index, other, text, (size_t)n);
}

/* The digest of "sha256=..." at the end of a text. */
static bool read_sha256(const char *text, struct digest *ret)
{
	const char *value = text ? strstr(text, "sha256=") : NULL;
	char hex[DIGEST_TEXT_SIZE];

	if (!value || strlen(value + 7) < DIGEST_TEXT_SIZE - 1)
		return false;
	memcpy(hex, value + 7, DIGEST_TEXT_SIZE - 1);
	hex[DIGEST_TEXT_SIZE - 1] = '\0';
	return digest_parse(hex, ret) == 0;
}

/* A hash that is not SHA-256: the strongest that a fragment has. */
static const char *keep_sum(struct pypi_index *index, const char *fragment)
{
	for (size_t i = 0; i < PYPI_SUM_KINDS; i++) {
		size_t len = strlen(pypi_sum_kinds[i].name);
		const char *at = strstr(fragment, pypi_sum_kinds[i].name);
		char sum[PYPI_SUM_MAX];

		if (at && at[len] == '=' &&
		    pypi_sum_make(&pypi_sum_kinds[i], at + len + 1, sum) == 0)
			return pypi_index_text(index, sum, strlen(sum));
	}
	return NULL;
}

static void read_metadata(const struct tag *tag, struct pypi_file *file)
{
	struct piece piece = tag->attributes[CORE_METADATA];
	char value[PYPI_INDEX_TEXT_MAX];

	if (!piece.text)
		piece = tag->attributes[DIST_INFO_METADATA];
	if (!piece.text || decode(piece, value, sizeof(value)) < 0 ||
	    strcasecmp(value, "false") == 0)
		return;
	file->metadata = read_sha256(value, &file->metadata_sha256) ? PYPI_HASHED : PYPI_OFFERED;
}

static bool has_scheme(const char *url)
{
	return url[strcspn(url, ":/?#")] == ':';
}

/* How much of the page's <base>, which may be relative to the page, is before a reference. */
static size_t base_of(const char *base, const char *href)
{
	const char *host = strstr(base, "://");
	size_t len = strlen(base);

	if (has_scheme(href) || (href[0] == '/' && !host))
		return 0;
	if (href[0] == '/' && href[1] == '/')
		return (size_t)(host - base) + 1;
	if (href[0] == '/')
		return (size_t)(host - base) + 3 + strcspn(host + 3, "/");
	while (len > 0 && base[len - 1] != '/')
		len--;
	return len;
}

static const char *keep_url(struct pypi_index *index, const char *href, size_t len)
{
	size_t before = index->base ? base_of(index->base, href) : 0;
	char text[PYPI_INDEX_TEXT_MAX];

	if (before + len >= sizeof(text))
		return NULL;
	if (before > 0)
		memcpy(text, index->base, before);
	memcpy(text + before, href, len);
	return pypi_index_text(index, text, before + len);
}

/* The URL without its fragment, and the name at its end. */
static void read_url(struct pypi_index *index, const char *href, struct pypi_file *file)
{
	char name[PYPI_INDEX_TEXT_MAX];
	size_t len = strcspn(href, "#"), path = strcspn(href, "?#");
	const char *slash = path ? memrchr(href, '/', path) : NULL;

	slash = slash ? slash + 1 : href;
	path -= (size_t)(slash - href);
	if (path >= sizeof(name))
		return;
	memcpy(name, slash, path);
	name[path] = '\0';
	percent_decode(name);
	file->url = keep_url(index, href, len);
	file->name = pypi_index_text_like(index, file->url, name, strlen(name));
	file->has_sha256 = read_sha256(href + len, &file->sha256);
	if (!file->has_sha256)
		file->sum = keep_sum(index, href + len);
}

static int add_anchor(struct pypi_index *index, const struct tag *tag, struct error *err)
{
	char href[PYPI_INDEX_TEXT_MAX];
	struct pypi_file file = { 0 };

	if (!tag->attributes[HREF].text)
		return 0;
	if (decode(tag->attributes[HREF], href, sizeof(href)) >= 0)
		read_url(index, href, &file);
	file.requires_python = keep_like(index, pypi_index_last(index)->requires_python,
					 tag->attributes[REQUIRES_PYTHON]);
	file.yanked = tag->attributes[YANKED].text != NULL;
	file.yank_reason = keep(index, tag->attributes[YANKED]);
	if (file.yank_reason && !file.yank_reason[0])
		file.yank_reason = NULL;
	file.provenance = keep(index, tag->attributes[PROVENANCE]);
	read_metadata(tag, &file);
	return pypi_index_add(index, &file, err);
}

static int read_meta(struct pypi_index *index, const struct tag *tag, struct error *err)
{
	const char *content = keep(index, tag->attributes[META_CONTENT]);

	if (!content || !tag->attributes[META_NAME].text)
		return 0;
	if (piece_is(tag->attributes[META_NAME], "pypi:repository-version") &&
	    !str_starts_with(content, "1."))
		return error_set(err, EINVAL, "the index has the version '%.20s' instead of 1.x",
				 content);
	if (piece_is(tag->attributes[META_NAME], "pypi:project-status") &&
	    strcmp(content, "active") != 0)
		index->status = content;
	if (piece_is(tag->attributes[META_NAME], "pypi:project-status-reason"))
		index->status_reason = content;
	return 0;
}

/* The first counts. */
static void read_base(struct pypi_index *index, const struct tag *tag)
{
	if (!index->base && tag->attributes[HREF].text)
		index->base = keep(index, tag->attributes[HREF]);
}

typedef int (*tag_fn)(void *ctx, const struct tag *tag, struct error *err);

/* Calls @fn for each tag that is no comment; -EINVAL when there was none at all. */
static int each_tag(const char *text, size_t len, tag_fn fn, void *ctx, struct error *err)
{
	const char *end = text + len, *at = text;
	unsigned int endless = 0;
	bool any = false;

	for (;;) {
		struct tag tag;
		int r;

		at = memchr(at, '<', (size_t)(end - at));
		if (!at)
			break;
		if (end - at >= 4 && memcmp(at, "<!--", 4) == 0) {
			const char *stop = memmem(at, (size_t)(end - at), "-->", 3);

			at = stop ? stop + 3 : end;
			continue;
		}
		if (!take_tag(at, end, &tag)) {
			if ((size_t)(end - at) <= TAG_MAX)
				return error_set(err, EINVAL, "the index ends within a tag");
			if (++endless > ENDLESS_MAX)
				return error_set(err, EINVAL, "the index has tags without an end");
			at++;
			continue;
		}
		any = true;
		tag.left = (size_t)(end - tag.end);
		r = fn(ctx, &tag, err);
		if (r < 0)
			return r;
		at = tag.end;
	}
	return any ? 0 : error_set(err, EINVAL, "the index is neither JSON nor HTML");
}

static int read_tag(void *ctx, const struct tag *tag, struct error *err)
{
	struct pypi_index *index = ctx;

	if (piece_is(tag->name, "a"))
		return add_anchor(index, tag, err);
	if (piece_is(tag->name, "base"))
		read_base(index, tag);
	index->is_titled = index->is_titled || is_title(tag) || is_version(tag);
	return piece_is(tag->name, "meta") ? read_meta(index, tag, err) : 0;
}

int pypi_index_parse_html(const char *text, size_t len, struct pypi_index *index, struct error *err)
{
	if (len > PYPI_INDEX_BYTES_MAX)
		return error_set(err, E2BIG, "the index of %s has more than %zu bytes", index->name,
				 PYPI_INDEX_BYTES_MAX);
	return each_tag(text, len, read_tag, index, err);
}

/* --- the list of all --- */

struct list {
	pypi_project_fn fn;
	void *ctx;
	bool is_titled; /* it calls itself an index */
	bool has_any;
};

static int list_tag(void *ctx, const struct tag *tag, struct error *err _unused_)
{
	char href[PYPI_INDEX_TEXT_MAX], normal[PYPI_NAME_MAX];
	struct list *list = ctx;
	const char *name;
	size_t len;

	list->is_titled = list->is_titled || is_title(tag) || is_version(tag);
	if (!piece_is(tag->name, "a") || !tag->attributes[HREF].text ||
	    decode(tag->attributes[HREF], href, sizeof(href)) < 0)
		return 0;
	href[strcspn(href, "?#")] = '\0';
	len = strlen(href);
	while (len > 0 && href[len - 1] == '/')
		href[--len] = '\0';
	name = strrchr(href, '/');
	name = name ? name + 1 : href;
	if (pypi_name_normalize(name, strlen(name), normal) < 0)
		return 0;
	list->has_any = true;
	return list->fn(list->ctx, normal, 0);
}

int pypi_list_parse_html(const char *text, size_t len, pypi_project_fn fn, void *ctx,
			 struct error *err)
{
	struct list list = { .fn = fn, .ctx = ctx };
	int r = each_tag(text, len, list_tag, &list, err);

	if (r < 0 || list.is_titled)
		return r;
	return list.has_any ? 1
			    : error_set(err, EINVAL,
					"it is no list of projects: it has no link to any, as a "
					"page that asks who one is");
}
