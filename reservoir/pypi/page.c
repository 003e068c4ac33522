/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/page.h"

#include <jansson.h>
#include <string.h>

#include "base/macro.h"

#define API_VERSION "1.4"

static void json_freep(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_freep)

static int finish(const struct strbuf *out, const char *what, struct error *err)
{
	int r = strbuf_error(out);

	return r < 0 ? error_set(err, -r, "the page of %s is too long, or no memory", what) : 0;
}

/* Everything but what may stand in a path as it is. */
static void add_path(struct strbuf *out, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *name; name++)
		if (strchr(plain, *name))
			strbuf_add(out, name, 1);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)*name);
}

static void add_url(struct strbuf *out, const struct pypi_page *page, const char *file)
{
	strbuf_printf(out, "../../packages/%s/", page->name);
	add_path(out, file);
}

/* --- JSON --- */

static int to_strbuf(const char *data, size_t len, void *out)
{
	strbuf_add(out, data, len);
	return 0;
}

static void dump(const json_t *json, struct strbuf *out)
{
	if (json_dump_callback(json, to_strbuf, out, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		out->error = -ENOMEM;
}

/* A text that is no UTF-8 is left out, as JSON cannot have it. */
static void set_text(json_t *json, const char *key, const char *text)
{
	json_t *value = text ? json_string(text) : NULL;

	if (value)
		(void)json_object_set_new(json, key, value);
}

static json_t *hashes(const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	return json_pack("{ss}", "sha256", digest_format(digest, text));
}

static void set_yank(json_t *json, const struct pypi_file *file)
{
	if (file->yanked && file->yank_reason)
		set_text(json, "yanked", file->yank_reason);
	if (!json_object_get(json, "yanked"))
		(void)json_object_set_new(json, "yanked", json_boolean(file->yanked));
}

/* Keys in the order of the alphabet. */
static void add_json_file(const struct pypi_page *page, const struct pypi_page_file *row,
			  struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT(PYPI_INDEX_TEXT_MAX);
	_cleanup_json_ json_t *json = json_object();
	int r = 0;

	add_url(&url, page, row->file->name);
	if (row->has_metadata)
		r |= json_object_set_new(json, "core-metadata", hashes(&row->metadata_sha256));
	set_text(json, "filename", row->file->name);
	r |= json_object_set_new(json, "hashes", hashes(&row->sha256));
	if (row->has_provenance) {
		_cleanup_strbuf_ struct strbuf beside = STRBUF_INIT(PYPI_INDEX_TEXT_MAX);

		strbuf_printf(&beside, "%s.provenance", strbuf_str(&url));
		set_text(json, "provenance", strbuf_str(&beside));
	}
	set_text(json, "requires-python", row->file->requires_python);
	r |= json_object_set_new(json, "size", json_integer((json_int_t)row->size));
	set_text(json, "upload-time", row->file->upload_time);
	set_text(json, "url", strbuf_str(&url));
	set_yank(json, row->file);
	if (r < 0 || strbuf_error(&url) < 0)
		out->error = -ENOMEM;
	dump(json, out);
}

static void add_versions(const struct pypi_page *page, struct strbuf *out)
{
	const char *last = NULL;

	strbuf_puts(out, "\"versions\":[");
	for (size_t i = 0; i < page->n_files; i++) {
		const char *version = page->files[i].version;

		if (!version || (last && strcmp(last, version) == 0))
			continue;
		strbuf_printf(out, last ? ",\"%s\"" : "\"%s\"", version);
		last = version;
	}
	strbuf_puts(out, "]");
}

static void add_status(const struct pypi_page *page, struct strbuf *out)
{
	_cleanup_json_ json_t *json = json_object();

	set_text(json, "status", page->status ? page->status : "active");
	set_text(json, "reason", page->status_reason);
	strbuf_puts(out, "\"project-status\":");
	dump(json, out);
	strbuf_puts(out, ",");
}

int pypi_page_json(const struct pypi_page *page, struct strbuf *out, struct error *err)
{
	strbuf_puts(out, "{\"files\":[");
	for (size_t i = 0; i < page->n_files; i++) {
		if (i > 0)
			strbuf_puts(out, ",");
		add_json_file(page, &page->files[i], out);
	}
	strbuf_printf(out, "],\"meta\":{\"api-version\":\"" API_VERSION "\"},\"name\":\"%s\",",
		      page->name);
	add_status(page, out);
	add_versions(page, out);
	strbuf_puts(out, "}\n");
	return finish(out, page->name, err);
}

/* --- HTML --- */

static void add_escaped(struct strbuf *out, const char *text)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = { { '&', "&amp;" },
			 { '<', "&lt;" },
			 { '>', "&gt;" },
			 { '"', "&quot;" },
			 { '\'', "&#39;" } };

	for (; *text; text++) {
		const char *entity = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
			if (entities[i].c == *text)
				entity = entities[i].entity;
		if (entity)
			strbuf_puts(out, entity);
		else
			strbuf_add(out, text, 1);
	}
}

static void add_attribute(struct strbuf *out, const char *name, const char *text)
{
	strbuf_printf(out, " %s=\"", name);
	add_escaped(out, text);
	strbuf_puts(out, "\"");
}

static void add_metadata_attributes(struct strbuf *out, const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	(void)digest_format(digest, text);
	strbuf_printf(out,
		      " data-core-metadata=\"sha256=%s\" data-dist-info-metadata=\"sha256=%s\"",
		      text, text);
}

static void add_anchor(const struct pypi_page *page, const struct pypi_page_file *row,
		       struct strbuf *out)
{
	const struct pypi_file *file = row->file;
	char text[DIGEST_TEXT_SIZE];

	strbuf_puts(out, "    <a href=\"");
	add_url(out, page, file->name);
	strbuf_printf(out, "#sha256=%s\"", digest_format(&row->sha256, text));
	if (file->requires_python)
		add_attribute(out, "data-requires-python", file->requires_python);
	if (row->has_metadata)
		add_metadata_attributes(out, &row->metadata_sha256);
	if (row->has_provenance) {
		strbuf_puts(out, " data-provenance=\"");
		add_url(out, page, file->name);
		strbuf_puts(out, ".provenance\"");
	}
	if (file->yanked)
		add_attribute(out, "data-yanked", file->yank_reason ? file->yank_reason : "");
	strbuf_puts(out, ">");
	add_escaped(out, file->name);
	strbuf_puts(out, "</a><br />\n");
}

static void begin_html(struct strbuf *out, const struct pypi_page *page, const char *title)
{
	strbuf_puts(out,
		    "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n"
		    "    <meta name=\"pypi:repository-version\" content=\"" API_VERSION "\">\n");
	if (page && page->status) {
		strbuf_puts(out, "    <meta name=\"pypi:project-status\"");
		add_attribute(out, "content", page->status);
		strbuf_puts(out, ">\n");
	}
	if (page && page->status && page->status_reason) {
		strbuf_puts(out, "    <meta name=\"pypi:project-status-reason\"");
		add_attribute(out, "content", page->status_reason);
		strbuf_puts(out, ">\n");
	}
	strbuf_printf(out, "    <title>%s</title>\n  </head>\n  <body>\n", title);
}

static void end_html(struct strbuf *out)
{
	strbuf_puts(out, "  </body>\n</html>\n");
}

int pypi_page_html(const struct pypi_page *page, struct strbuf *out, struct error *err)
{
	char title[PYPI_NAME_MAX + 16];

	(void)snprintf(title, sizeof(title), "Links for %s", page->name);
	begin_html(out, page, title);
	strbuf_printf(out, "    <h1>%s</h1>\n", title);
	for (size_t i = 0; i < page->n_files; i++)
		add_anchor(page, &page->files[i], out);
	end_html(out);
	return finish(out, page->name, err);
}

/* --- the list of all --- */

void pypi_page_list_begin(struct strbuf *out, enum media media)
{
	if (media == MEDIA_PYPI_JSON)
		strbuf_puts(out, "{\"meta\":{\"api-version\":\"" API_VERSION "\"},\"projects\":[");
	else
		begin_html(out, NULL, "Simple index");
}

void pypi_page_list_add(struct strbuf *out, enum media media, const char *name, uint64_t serial)
{
	if (media != MEDIA_PYPI_JSON) {
		strbuf_printf(out, "    <a href=\"%s/\">%s</a><br />\n", name, name);
		return;
	}
	if (out->len > 0 && out->data[out->len - 1] == '}')
		strbuf_puts(out, ",");
	strbuf_puts(out, "{");
	if (serial > 0)
		strbuf_printf(out, "\"_last-serial\":%ju,", (uintmax_t)serial);
	strbuf_printf(out, "\"name\":\"%s\"}", name);
}

int pypi_page_list_end(struct strbuf *out, enum media media, struct error *err)
{
	if (media == MEDIA_PYPI_JSON)
		strbuf_puts(out, "]}\n");
	else
		end_html(out);
	return finish(out, "all projects", err);
}
