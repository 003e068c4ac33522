/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every round takes the projects that something new was asked of: fetches their pages,
 * chooses releases, fetches the metadata of these, and asks what they require.  What is
 * asked twice changes nothing, so that the rounds end.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/run.h"

/* --- asking --- */

static int add_extra(struct project *project, const char *extra, bool *ret_new, struct error *err)
{
	char(*extras)[PYPI_NAME_MAX];

	for (size_t i = 0; i < project->n_extras; i++)
		if (strcmp(project->extras[i], extra) == 0)
			return 0;
	if (project->n_extras == PYPI_PROJECT_EXTRAS_MAX)
		return error_set(err, E2BIG, "more than %u extras of a project",
				 PYPI_PROJECT_EXTRAS_MAX);
	extras = reallocarray(project->extras, project->n_extras + 1u, sizeof(*extras));
	if (!extras)
		return error_set(err, ENOMEM, "no memory for extras");
	project->extras = extras;
	memcpy(extras[project->n_extras++], extra, PYPI_NAME_MAX);
	*ret_new = true;
	return 0;
}

static int add_extras(struct project *project, const struct pypi_requirement *requirement,
		      bool *ret_new, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < requirement->n_extras; i++)
		r = add_extra(project, requirement->extras[i], ret_new, err);
	return r;
}

static struct requirement_row *find_row(struct project *project, const char *text)
{
	for (size_t i = 0; i < project->n_rows; i++)
		if (strcmp(project->rows[i].text, text) == 0)
			return &project->rows[i];
	return NULL;
}

/* Takes @requirement over. */
static struct requirement_row *new_row(struct project *project, const char *text,
				       struct pypi_requirement *requirement)
{
	struct requirement_row *rows =
		reallocarray(project->rows, project->n_rows + 1u, sizeof(*rows));
	char *copy = strdup(text);

	if (rows)
		project->rows = rows;
	if (!rows || !copy) {
		free(copy);
		return NULL;
	}
	rows += project->n_rows++;
	*rows = (struct requirement_row) { .text = copy, .requirement = *requirement };
	*requirement = (struct pypi_requirement) { 0 };
	return rows;
}

static void add_asker(struct requirement_row *row, uint32_t asker)
{
	for (size_t i = 0; i < MIN(row->n_askers, (size_t)PYPI_ASKERS_MAX); i++)
		if (row->askers[i] == asker)
			return;
	if (row->n_askers < PYPI_ASKERS_MAX)
		row->askers[row->n_askers] = asker;
	row->n_askers++;
}

/* One thing that a release needs, in some environments. */
struct need {
	uint32_t asker;
	uint64_t environments;
	char text[PYPI_REQUIREMENT_MAX + 1]; /* without the marker */
};

static int add_need(struct run *run, const struct need *need, struct pypi_requirement *requirement,
		    struct error *err)
{
	struct requirement_row *row;
	struct project *project;
	bool is_new = false;
	uint32_t number;
	int r = pypi_run_project(run, requirement->name, &number, err);

	if (r < 0)
		return r;
	if (run->names.n > PYPI_CLOSURE_MAX)
		return error_set(err, E2BIG, "dependencies lead to more than %u projects",
				 PYPI_CLOSURE_MAX);
	project = &run->projects[number];
	if (pypi_selection_excludes(&run->selection, requirement->name))
		project->flags |= PROJECT_EXCLUDED;
	r = add_extras(project, requirement, &is_new, err);
	if (r < 0)
		return r;
	row = find_row(project, need->text);
	if (!row)
		row = new_row(project, need->text, requirement);
	if (!row)
		return error_set(err, ENOMEM, "no memory for a requirement");
	add_asker(row, need->asker);
	if (is_new || (need->environments & ~row->environments))
		project->flags |= PROJECT_DIRTY;
	row->environments |= need->environments;
	return 0;
}

/* --- what a file requires --- */

struct reading {
	struct run *run;
	uint32_t number;
	uint64_t fits; /* where the file can be installed */
	struct need need;
	struct error *err;
};

static bool holds(const struct run *run, uint32_t number, const struct pypi_target *target,
		  const struct pypi_marker *marker)
{
	const struct project *project = &run->projects[number];

	if (pypi_target_holds(target, marker, ""))
		return true;
	for (size_t i = 0; i < project->n_extras; i++)
		if (pypi_target_holds(target, marker, project->extras[i]))
			return true;
	return false;
}

static uint64_t environments_of(const struct reading *reading, const struct pypi_marker *marker)
{
	const struct pypi_selection *selection = &reading->run->selection;
	uint64_t mask = 0;

	if (selection->n_targets == 0)
		return holds(reading->run, reading->number, NULL, marker) ? reading->fits : 0;
	for (size_t i = 0; i < selection->n_targets; i++)
		if ((reading->fits >> i & 1) &&
		    holds(reading->run, reading->number, &selection->targets[i], marker))
			mask |= UINT64_C(1) << i;
	return mask;
}

static void cut_marker(const char *value, char *ret, size_t size)
{
	size_t len = strcspn(value, ";");

	while (len > 0 && value[len - 1] == ' ')
		len--;
	(void)snprintf(ret, size, "%.*s", (int)MIN(len, size - 1), value);
}

static int read_field(void *ctx, const char *name, const char *value)
{
	_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };
	struct reading *reading = ctx;
	char text[512];

	if (strcasecmp(name, "Requires-Dist") != 0)
		return 0;
	if (pypi_requirement_parse_lenient(value, strlen(value), &requirement, NULL) < 0 ||
	    requirement.url) {
		(void)snprintf(text, sizeof(text), "%s: what it needs is not followed: %.300s",
			       reading->run->names.names[reading->number], value);
		sync_note(reading->run->sync, text);
		return 0;
	}
	reading->need.environments = environments_of(reading, requirement.marker);
	if (!reading->need.environments)
		return 0;
	cut_marker(value, reading->need.text, sizeof(reading->need.text));
	return add_need(reading->run, &reading->need, &requirement, reading->err);
}

static int read_metadata(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
			 const struct strbuf *text, struct error *err)
{
	struct reading reading = {
		.run = run,
		.number = number,
		.fits = chosen->fits,
		.need.asker = number,
		.err = err,
	};
	struct error broken = { 0 };
	char note[512];
	int r = pypi_metadata_parse(strbuf_str(text), text->len, read_field, &reading, &broken);

	if (r != -EINVAL)
		return r;
	(void)snprintf(note, sizeof(note), "%s: its metadata is not understood: %.300s",
		       chosen->file->name, broken.msg);
	sync_note(run->sync, note);
	return 0;
}

/* --- where metadata comes from --- */

/* A release with wheels is installed from them, and says there what it needs. */
static bool matters(const struct pypi_chosen *chosen)
{
	return chosen->kind == PYPI_WHEEL || !chosen->has_wheel;
}

static const struct digest *said_metadata(const struct pypi_file *file)
{
	return file->metadata == PYPI_HASHED ? &file->metadata_sha256 : NULL;
}

static bool is_offered(const struct run *run, const struct pypi_file *file, const char *path)
{
	const struct resolved *resolved = pypi_run_resolved(run, path);

	return file->metadata != PYPI_NOT_OFFERED &&
	       !(resolved && (resolved->absent || resolved->own));
}

/* Whether a wheel that is not there may be looked into where it lies. */
static bool may_peek(const struct run *run, const struct pypi_chosen *chosen,
		     const struct resolved *metadata, const struct file_request *wheel)
{
	struct digest digest;

	return chosen->kind == PYPI_WHEEL && !(metadata && metadata->own) &&
	       !(pypi_run_digest(run, wheel->path, wheel->said, &digest) &&
		 object_exists(run->sync->store, &digest));
}

/* Asks for the metadata, or else for the file that it is in. */
static int ask_metadata(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
			struct error *err)
{
	const struct pypi_file *file = chosen->file;
	char path[STORE_PATH_MAX];
	struct file_request request = { number, path, file->url, ".metadata", NULL, 0, file };
	const struct resolved *resolved;
	struct digest digest;
	int r = 0;

	pypi_run_path(run, number, file->name, ".metadata", path);
	request.said = said_metadata(file);
	if (is_offered(run, file, path))
		return pypi_run_ask_file(run, &request, err);
	if (pypi_run_digest_beside(run, path, file, NULL, &digest) &&
	    object_exists(run->sync->store, &digest))
		return 0;
	resolved = pypi_run_resolved(run, path);
	pypi_run_path(run, number, file->name, "", path);
	request.suffix = "";
	request.beside = NULL;
	request.said = file->has_sha256 ? &file->sha256 : NULL;
	request.size = file->size;
	if (may_peek(run, chosen, resolved, &request))
		r = pypi_run_peek(run, &request, err);
	return r != 0 ? r : pypi_run_ask_file(run, &request, err);
}

static int ask_all_metadata(struct run *run, uint32_t number, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	int r;

	if (!(run->projects[number].flags & PROJECT_PAGE))
		return 0;
	r = pypi_run_load(run, number, &loaded, err);
	for (size_t i = 0; r >= 0 && i < loaded.choice.n; i++)
		if (matters(&loaded.choice.files[i]))
			r = ask_metadata(run, number, &loaded.choice.files[i], err);
	return r < 0 ? r : 0;
}

/* A wheel's metadata is then offered beside it, which its upstream did not do. */
static int extract(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
		   struct strbuf *ret, struct error *err)
{
	const struct pypi_file *file = chosen->file;
	char path[STORE_PATH_MAX];
	_cleanup_close_ int fd = -1;
	struct digest digest;
	int r;

	pypi_run_path(run, number, file->name, "", path);
	if (!pypi_run_digest(run, path, file->has_sha256 ? &file->sha256 : NULL, &digest))
		return -ENOENT;
	fd = object_open(run->sync->store, &digest, NULL, err);
	if (fd < 0)
		return fd;
	r = pypi_metadata_extract(fd, chosen->kind == PYPI_WHEEL, ret, err);
	if (r < 0 || chosen->kind != PYPI_WHEEL)
		return r;
	r = object_put(run->sync->store, ret->data, ret->len, &digest, err);
	if (r < 0)
		return r;
	pypi_run_path(run, number, file->name, ".metadata", path);
	return pypi_run_resolve_own(run, path, &digest, false, err);
}

static int load_metadata(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
			 struct strbuf *ret, struct error *err)
{
	char path[STORE_PATH_MAX];
	struct digest digest;

	pypi_run_path(run, number, chosen->file->name, ".metadata", path);
	if ((is_offered(run, chosen->file, path) || chosen->kind == PYPI_WHEEL) &&
	    pypi_run_digest_beside(run, path, chosen->file,
				   is_offered(run, chosen->file, path) ? said_metadata(chosen->file)
								       : NULL,
				   &digest) &&
	    object_read(run->sync->store, &digest, PYPI_METADATA_MAX, ret, NULL) == 0)
		return 0;
	strbuf_clear(ret);
	return extract(run, number, chosen, ret, err);
}

static int follow_file(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_METADATA_MAX + BUFSIZ);
	struct error problem = { 0 };
	char note[512];
	int r = load_metadata(run, number, chosen, &text, &problem);

	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "no memory for metadata");
	if (r == 0)
		return read_metadata(run, number, chosen, &text, err);
	/* What could not be fetched was told already. */
	if (r == -ENOENT && problem.code == 0)
		return 0;
	(void)snprintf(note, sizeof(note), "%s: what it needs is not known: %.300s",
		       chosen->file->name, error_text(&problem, r));
	sync_note(run->sync, note);
	return 0;
}

static void tell_source(struct run *run, uint32_t number, const struct loaded *loaded)
{
	struct project *project = &run->projects[number];
	char note[512];

	for (size_t i = 0; i < loaded->choice.n; i++) {
		const struct pypi_chosen *chosen = &loaded->choice.files[i];

		if (chosen->kind == PYPI_WHEEL || chosen->has_wheel ||
		    (project->flags & PROJECT_TOLD))
			continue;
		project->flags |= PROJECT_TOLD;
		(void)snprintf(note, sizeof(note),
			       "%s has no wheel: what builds it must be selected too",
			       chosen->file->name);
		sync_note(run->sync, note);
	}
}

static int follow(struct run *run, uint32_t number, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	int r;

	if (!(run->projects[number].flags & PROJECT_PAGE))
		return 0;
	r = pypi_run_load(run, number, &loaded, err);
	for (size_t i = 0; r == 0 && i < loaded.choice.n; i++)
		if (matters(&loaded.choice.files[i]))
			r = follow_file(run, number, &loaded.choice.files[i], err);
	if (r == 0)
		tell_source(run, number, &loaded);
	return r;
}

/* --- rounds --- */

static size_t take_dirty(struct run *run, uint32_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < run->names.n; i++) {
		if (!(run->projects[i].flags & PROJECT_DIRTY))
			continue;
		run->projects[i].flags &= (uint16_t)~PROJECT_DIRTY;
		ret[n++] = (uint32_t)i;
	}
	return n;
}

static int fetch_metadata(struct run *run, const uint32_t *numbers, size_t n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = ask_all_metadata(run, numbers[i], err);
	if (r == 0)
		r = pypi_run_fetch(run, NULL, err);
	return r < 0 ? r : object_flush(run->sync->store, err);
}

static int take_round(struct run *run, size_t *ret_n, struct error *err)
{
	_cleanup_free_ uint32_t *dirty = calloc(run->names.n + 1, sizeof(*dirty));
	int r;

	if (!dirty)
		return error_set(err, ENOMEM, "no memory for a round");
	*ret_n = take_dirty(run, dirty);
	if (*ret_n == 0)
		return 0;
	r = pypi_run_ask_pages(run, err);
	/* Beside the file, by Range, or in the whole file. */
	run->look_again = true;
	for (int pass = 0; r == 0 && run->look_again && pass < 3; pass++) {
		run->look_again = false;
		r = fetch_metadata(run, dirty, *ret_n, err);
	}
	for (size_t i = 0; r == 0 && i < *ret_n; i++)
		r = follow(run, dirty[i], err);
	return r;
}

/* The configuration may ask for extras itself. */
static int add_direct_extras(struct run *run, struct error *err)
{
	const struct pypi_wanteds *wanted = &run->selection.wanted;
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->n_names; i++) {
		int64_t number = pypi_table_find(&run->names, wanted->items[i].pattern);
		bool is_new;

		if (number >= 0)
			r = add_extras(&run->projects[number], &wanted->items[i].requirement,
				       &is_new, err);
	}
	return r;
}

int pypi_run_close(struct run *run, struct error *err)
{
	int r = add_direct_extras(run, err);
	size_t n = 1;

	for (uint32_t round = 0; r == 0 && n > 0; round++) {
		if (round == PYPI_ROUNDS_MAX)
			return error_set(err, ELOOP, "dependencies do not end");
		r = take_round(run, &n, err);
	}
	return r;
}
