/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/explain.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/pypi/run.h"

static void json_freep(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_freep)

struct explanation {
	struct store *store;
	const struct manifest *manifest;
	const struct pypi_selection *selection;
	char name[PYPI_NAME_MAX];
	struct strbuf *out;
	bool is_collected; /* here, and not at a hub */
};

/* --- what there is --- */

static void put_file(const struct explanation *explanation, const struct pypi_file *file)
{
	strbuf_printf(explanation->out, "  %s", file->name);
	if (file->yanked)
		strbuf_printf(explanation->out, " (yanked%s%s)", file->yank_reason ? ": " : "",
			      file->yank_reason ? file->yank_reason : "");
	strbuf_puts(explanation->out, "\n");
}

static int put_files(const struct explanation *explanation, struct error *err)
{
	_cleanup_pypi_index_ struct pypi_index index = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_INDEX_BYTES_MAX);
	char path[STORE_PATH_MAX];
	struct manifest_entry entry;
	int r;

	(void)snprintf(path, sizeof(path), "simple/%s/", explanation->name);
	if (!manifest_variant(explanation->manifest, path, MEDIA_PYPI_JSON, ENCODING_IDENTITY,
			      &entry)) {
		strbuf_printf(explanation->out, "%s is not here.\n", explanation->name);
		return 0;
	}
	pypi_index_init(explanation->name, &index);
	r = object_read(explanation->store, &entry.digest, PYPI_INDEX_BYTES_MAX, &text, err);
	if (r == 0)
		r = pypi_index_parse(strbuf_str(&text), text.len, &index, err);
	if (r < 0)
		return r;
	strbuf_printf(explanation->out, "%s is here, with %zu files:\n", explanation->name,
		      index.n_files);
	for (size_t i = 0; i < index.n_files; i++)
		put_file(explanation, &index.files[i]);
	return 0;
}

/* --- why --- */

static void put_entries(const struct explanation *explanation, const struct pypi_wanteds *wanteds,
			const char *how)
{
	const struct pypi_wanted *entry = NULL;

	for (;;) {
		entry = pypi_wanteds_find(wanteds, explanation->name, entry);
		if (!entry)
			return;
		strbuf_printf(explanation->out, "  %s: %s\n", how, entry->text);
	}
}

static void put_configured(const struct explanation *explanation)
{
	const struct pypi_selection *selection = explanation->selection;

	if (selection->options->all)
		strbuf_puts(explanation->out, "  configured: all projects\n");
	put_entries(explanation, &selection->wanted, "configured");
	put_entries(explanation, &selection->excluded, "excluded");
	put_entries(explanation, &selection->constraints, "constrained");
	if (selection->options->keep_newest > 0)
		strbuf_printf(explanation->out, "  kept: the newest %u releases that match\n",
			      selection->options->keep_newest);
}

static void put_row(const struct explanation *explanation, const json_t *row)
{
	const char *requirement = json_string_value(json_object_get(row, "requirement"));
	const json_t *by = json_object_get(row, "by");
	json_int_t all = json_integer_value(json_object_get(row, "askers"));

	strbuf_printf(explanation->out, "  required: %s by", requirement ? requirement : "");
	for (size_t i = 0; i < json_array_size(by); i++)
		strbuf_printf(explanation->out, "%s %s", i > 0 ? "," : "",
			      json_string_value(json_array_get(by, i)));
	if (all > (json_int_t)json_array_size(by))
		strbuf_printf(explanation->out, " and %ju others",
			      (uintmax_t)all - json_array_size(by));
	strbuf_puts(explanation->out, "\n");
}

static bool is_configured(const json_t *why, const char *name)
{
	return json_is_true(json_object_get(json_object_get(why, name), "configured"));
}

/* The first that asked, and who asked that one, up to what the configuration names. */
static void put_chain(const struct explanation *explanation, const json_t *why)
{
	const char *name = explanation->name;

	if (is_configured(why, name))
		return;
	strbuf_printf(explanation->out, "  because of: %s", name);
	for (int depth = 0; depth < 64 && !is_configured(why, name); depth++) {
		const json_t *rows = json_object_get(json_object_get(why, name), "required");
		const json_t *by = json_object_get(json_array_get(rows, 0), "by");
		const char *next = json_string_value(json_array_get(by, 0));

		if (!next)
			break;
		strbuf_printf(explanation->out, " <- %s", next);
		name = next;
	}
	strbuf_puts(explanation->out, "\n");
}

/* What this site's configuration says of it counts for nothing. */
static void put_at_hub(const struct explanation *explanation, const json_t *why)
{
	if (is_configured(why, explanation->name))
		strbuf_puts(explanation->out, "  configured at the hub\n");
}

static int put_required(const struct explanation *explanation, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_WHY_MAX);
	_cleanup_json_ json_t *why = NULL;
	struct manifest_entry note;
	const json_t *rows;
	int r;

	if (!manifest_find(explanation->manifest, PYPI_NOTE_WHY, &note))
		return 0;
	r = object_read(explanation->store, &note.digest, PYPI_WHY_MAX, &text, err);
	if (r < 0)
		return r;
	why = json_loadb(strbuf_str(&text), text.len, 0, NULL);
	rows = json_object_get(json_object_get(why, explanation->name), "required");
	for (size_t i = 0; i < json_array_size(rows); i++)
		put_row(explanation, json_array_get(rows, i));
	if (json_array_size(rows) > 0)
		put_chain(explanation, why);
	else if (!explanation->is_collected)
		put_at_hub(explanation, why);
	else if (!pypi_selection_has(explanation->selection, explanation->name))
		strbuf_puts(explanation->out, "  nothing that is configured needs it\n");
	return 0;
}

int pypi_explain(struct store *store, const struct repository *repository,
		 const struct manifest *manifest, const char *what, struct strbuf *out,
		 struct error *err)
{
	_cleanup_pypi_selection_ struct pypi_selection selection = { 0 };
	struct explanation explanation = {
		.store = store,
		.manifest = manifest,
		.selection = &selection,
		.out = out,
		.is_collected = repository->upstream[0] != '\0',
	};
	int r;

	/* It may be that of a package for others. */
	if (pypi_name_normalize(what, strlen(what), explanation.name) < 0) {
		strbuf_printf(out, "'%.80s' is no name of a project\n", what);
		return 0;
	}
	/* At a site that imports, the selection is the hub's. */
	if (explanation.is_collected) {
		r = pypi_selection_init(&repository->pypi, &selection, err);
		if (r < 0)
			return r;
	} else {
		selection.options = &repository->pypi;
	}
	r = put_files(&explanation, err);
	if (r == 0)
		put_configured(&explanation);
	return r < 0 ? r : put_required(&explanation, err);
}
