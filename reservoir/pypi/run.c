/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/run.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

/* Makes room for one more row, which is cleared; what is beyond is not touched. */
static int reserve(void *array, size_t *cap, size_t n, size_t size)
{
	void **items = array;
	size_t wanted = MAX((size_t)64, 2 * *cap);
	void *grown;

	if (n < *cap)
		return 0;
	grown = reallocarray(*items, wanted, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*cap = wanted;
	return 0;
}

int pypi_run_project(struct run *run, const char *name, uint32_t *ret, struct error *err)
{
	size_t n = run->names.n;
	int64_t number = pypi_table_add(&run->names, name);
	struct project *projects = run->projects;
	int r;

	if (number < 0)
		return error_set(err, (int)-number, "too many projects, or no memory for them");
	r = reserve(&projects, &run->cap_projects, (size_t)number, sizeof(*projects));
	run->projects = projects;
	if (r < 0) {
		run->names.n = n; /* no name without a row */
		return error_set(err, ENOMEM, "no memory for projects");
	}
	if (run->names.n > n)
		projects[number] = (struct project) { 0 };
	*ret = (uint32_t)number;
	return 0;
}

struct errand *pypi_run_errand(struct run *run, uint32_t project, const char *path,
			       struct error *err)
{
	size_t len = strlen(path) + 1;
	struct errand *errand = calloc(1, sizeof(*errand) + len);

	if (!errand) {
		(void)error_set(err, ENOMEM, "no memory for a request");
		return NULL;
	}
	*errand = (struct errand) { .next = run->errands, .run = run, .project = project };
	memcpy(errand->path, path, len);
	errand->link = &run->errands;
	if (errand->next)
		errand->next->link = &errand->next;
	run->errands = errand;
	return errand;
}

void pypi_run_errand_done(struct errand *errand)
{
	*errand->link = errand->next;
	if (errand->next)
		errand->next->link = errand->link;
	pypi_peek_free(errand->peek);
	free(errand);
}

static int resolve(struct run *run, const char *path, const struct resolved *what,
		   struct error *err)
{
	int64_t number = pypi_table_add(&run->paths, path);
	struct resolved *resolved = run->resolved;
	int r;

	if (number < 0)
		return error_set(err, (int)-number, "too many files, or no memory for them");
	r = reserve(&resolved, &run->cap_resolved, (size_t)number, sizeof(*resolved));
	run->resolved = resolved;
	if (r < 0)
		return error_set(err, ENOMEM, "no memory for files");
	resolved[number] = *what;
	return 0;
}

int pypi_run_resolve(struct run *run, const char *path, const struct digest *digest,
		     struct error *err)
{
	struct resolved what = { .absent = !digest };

	if (digest)
		what.digest = *digest;
	return resolve(run, path, &what, err);
}

int pypi_run_resolve_own(struct run *run, const char *path, const struct digest *digest,
			 bool peeked, struct error *err)
{
	struct resolved what = { .absent = !digest, .own = true, .peeked = peeked };

	if (digest)
		what.digest = *digest;
	return resolve(run, path, &what, err);
}

const struct resolved *pypi_run_resolved(const struct run *run, const char *path)
{
	int64_t number = pypi_table_find(&run->paths, path);

	return number < 0 ? NULL : &run->resolved[number];
}

void pypi_run_fail(struct run *run, int r, const struct error *err)
{
	if (run->failure < 0)
		return;
	run->failure = r;
	run->failure_err = *err;
	fetcher_stop(run->sync->fetcher);
}

int pypi_run_fetch(struct run *run, fetch_more_fn more, struct error *err)
{
	int r = fetcher_run(run->sync->fetcher, more, run, err);

	if (run->failure < 0) {
		if (err)
			*err = run->failure_err;
		return run->failure;
	}
	return r;
}

void pypi_run_missing(struct run *run, const char *what, const char *why)
{
	run->missed = true;
	sync_missing(run->sync, what, why);
}

/* --- pages --- */

void pypi_loaded_done(struct loaded *loaded)
{
	pypi_choice_done(&loaded->choice);
	pypi_index_done(&loaded->index);
	free(loaded->inputs);
	*loaded = (struct loaded) { 0 };
}

static const struct pypi_specifiers any_version = { NULL, 0 };

static size_t fill_inputs(const struct run *run, uint32_t number, struct pypi_input *inputs)
{
	const struct pypi_selection *selection = &run->selection;
	const struct project *project = &run->projects[number];
	const char *name = run->names.names[number];
	const struct pypi_wanted *entry = NULL;
	size_t n = 0;

	if (selection->options->all)
		inputs[n++] =
			(struct pypi_input) { &any_version, selection->environments, true, 0 };
	for (;;) {
		entry = pypi_wanteds_find(&selection->wanted, name, entry);
		if (!entry)
			break;
		inputs[n++] = (struct pypi_input) {
			&entry->requirement.specifiers,
			entry->environments,
			true,
			0,
		};
	}
	for (size_t i = 0; i < project->n_rows; i++)
		inputs[n++] = (struct pypi_input) { &project->rows[i].requirement.specifiers,
						    project->rows[i].environments, false, 0 };
	return n;
}

static size_t count_inputs(const struct run *run, uint32_t number)
{
	const struct pypi_wanted *entry = NULL;
	size_t n = 1 + run->projects[number].n_rows;

	for (;; n++) {
		entry = pypi_wanteds_find(&run->selection.wanted, run->names.names[number], entry);
		if (!entry)
			return n;
	}
}

/* The next sync asks for the page again, although its serial is the same. */
static void forget_page(struct run *run, const char *name)
{
	static const struct digest none;
	struct row row;

	if (!pypi_run_row_get(run, name, &row) || digest_equal(&row.page, &none))
		return;
	row.page = none;
	row.serial = 0;
	row.etag[0] = '\0';
	if (pypi_run_row_put(run, name, &row, NULL) == 0)
		(void)catalogue_commit(run->sync->catalogue, NULL);
}

static bool has_files(const struct run *run, const char *name)
{
	char folder[STORE_PATH_MAX];
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	if (!run->sync->current)
		return false;
	(void)snprintf(folder, sizeof(folder), "packages/%s/", name);
	manifest_seek(run->sync->current, folder, &cursor);
	return manifest_next(&cursor, &entry) && str_starts_with(entry.path, folder);
}

/* A page that may be none takes nothing away, and is asked for again. */
static int check_index(struct run *run, const struct pypi_index *index, struct error *err)
{
	int r = pypi_index_check(index, err);

	if (r == 0 || has_files(run, index->name))
		return r;
	forget_page(run, index->name);
	return 0;
}

static int read_index(struct run *run, uint32_t number, struct pypi_index *index, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_INDEX_BYTES_MAX);
	const char *name = run->names.names[number];
	int r = object_read(run->sync->store, &run->projects[number].page, PYPI_INDEX_BYTES_MAX,
			    &text, err);

	pypi_index_init(name, index);
	if (r == 0)
		r = pypi_index_parse(strbuf_str(&text), text.len, index, err);
	if (r == 0)
		r = check_index(run, index, err);
	if (r < 0 && r != -ENOMEM)
		forget_page(run, name);
	return r < 0 ? error_wrap(err, r, "the index of %s", name) : 0;
}

int pypi_run_load(struct run *run, uint32_t number, struct loaded *ret, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	struct project *project = &run->projects[number];
	struct error why = { 0 };
	int r = read_index(run, number, &loaded.index, &why);

	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "%s", why.msg);
	/* One page that is no index keeps this from being published, and not from being fetched. */
	if (r < 0) {
		project->flags = (uint16_t)((project->flags & ~PROJECT_PAGE) | PROJECT_FAILED);
		pypi_run_missing(run, run->names.names[number], why.msg);
		*ret = (struct loaded) { 0 };
		return 0;
	}
	loaded.inputs = calloc(count_inputs(run, number), sizeof(*loaded.inputs));
	if (!loaded.inputs)
		return error_set(err, ENOMEM, "no memory for requirements");
	loaded.n_inputs = fill_inputs(run, number, loaded.inputs);
	r = pypi_choose(&run->selection, &loaded.index, loaded.inputs, loaded.n_inputs,
			&loaded.choice, err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(loaded);
	return 0;
}

void pypi_run_path(const struct run *run, uint32_t number, const char *file, const char *suffix,
		   char ret[STORE_PATH_MAX])
{
	/* Names of projects, files and the suffix are below 512 bytes together. */
	(void)snprintf(ret, STORE_PATH_MAX, "packages/%s/%s%s", run->names.names[number], file,
		       suffix);
}

bool pypi_run_digest(const struct run *run, const char *path, const struct digest *said,
		     struct digest *ret)
{
	const struct resolved *resolved;
	struct manifest_entry entry;

	if (said) {
		*ret = *said;
		return true;
	}
	resolved = pypi_run_resolved(run, path);
	if (resolved) {
		*ret = resolved->digest;
		return !resolved->absent;
	}
	/* What an index never gave a digest of, and never changes: files have versions. */
	if (!run->sync->current || !manifest_find(run->sync->current, path, &entry))
		return false;
	*ret = entry.digest;
	return true;
}

static bool is_replaced(const struct run *run, const char *beside, const struct pypi_file *file)
{
	const char *suffix = strrchr(beside, '.');
	struct manifest_entry entry;
	char path[STORE_PATH_MAX];

	if (!run->sync->current || !file->has_sha256 || !suffix)
		return false;
	(void)snprintf(path, sizeof(path), "%.*s", (int)(suffix - beside), beside);
	return manifest_find(run->sync->current, path, &entry) &&
	       !digest_equal(&entry.digest, &file->sha256);
}

bool pypi_run_digest_beside(const struct run *run, const char *path, const struct pypi_file *file,
			    const struct digest *said, struct digest *ret)
{
	if (!said && !pypi_run_resolved(run, path) && is_replaced(run, path, file))
		return false;
	return pypi_run_digest(run, path, said, ret);
}
