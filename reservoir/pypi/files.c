/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/run.h"

/* --- one file --- */

static bool is_beside(const char *path)
{
	static const char *const endings[] = { ".metadata", ".provenance" };
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len > n && strcmp(path + len - n, endings[i]) == 0)
			return true;
	}
	return false;
}

/* The page then does not speak of it; of what lies beside a file that is no fault. */
static int file_absent(struct errand *errand, struct error *err)
{
	char text[STORE_PATH_MAX + 64];

	if (!is_beside(errand->path)) {
		sync_absent(errand->run->sync, errand->path);
		absent_files_add(&errand->run->absent, errand->path);
		errand->run->projects[errand->project].flags |= PROJECT_LACKS;
	} else {
		(void)snprintf(text, sizeof(text), "%s is offered and not there", errand->path);
		sync_note(errand->run->sync, text);
		errand->run->look_again = true;
	}
	return pypi_run_resolve(errand->run, errand->path, NULL, err);
}

static void file_done(void *ctx, const struct fetch_request *request _unused_,
		      const struct fetch_result *result)
{
	struct errand *errand = ctx;
	struct error err = { 0 };
	int r = 0;

	if (result->status == FETCH_DONE) {
		if (!errand->said) {
			errand->run->projects[errand->project].flags |= PROJECT_DOUBTED;
			r = pypi_run_resolve(errand->run, errand->path, &result->digest, &err);
		}
	} else if (result->status == FETCH_ABSENT) {
		r = file_absent(errand, &err);
	} else {
		pypi_run_missing(errand->run, errand->path, result->error.msg);
	}
	if (r < 0)
		pypi_run_fail(errand->run, r, &err);
	pypi_run_errand_done(errand);
}

/* In front of a query, behind the path. */
static int add_suffix(char url[FETCH_URL_MAX], const char *suffix, struct error *err)
{
	char query[FETCH_URL_MAX];
	size_t path = strcspn(url, "?");

	memcpy(query, url + path, strlen(url + path) + 1);
	if (snprintf(url + path, FETCH_URL_MAX - path, "%s%s", suffix, query) >=
	    (int)(FETCH_URL_MAX - path))
		return error_set(err, EINVAL, "the URL of a file is too long");
	return 0;
}

static int send_file(struct run *run, const struct file_request *file, const char *url,
		     struct error *err)
{
	struct errand *errand = pypi_run_errand(run, file->number, file->path, err);
	struct fetch_request request = {
		.url = url,
		.sha256 = file->said,
		.size = file->size,
		.label = run->sync->repository->name,
		.done = file_done,
		.ctx = errand,
	};
	int r;

	if (!errand)
		return -ENOMEM;
	errand->said = file->said != NULL;
	r = fetcher_add(run->sync->fetcher, &request, err);
	if (r < 0)
		pypi_run_errand_done(errand);
	return r;
}

static bool is_known(const struct run *run, const struct file_request *file,
		     const struct digest *said, struct digest *ret)
{
	return file->beside ? pypi_run_digest_beside(run, file->path, file->beside, said, ret)
			    : pypi_run_digest(run, file->path, said, ret);
}

int pypi_run_ask_file(struct run *run, const struct file_request *file, struct error *err)
{
	const struct resolved *resolved = pypi_run_resolved(run, file->path);
	char url[FETCH_URL_MAX];
	struct digest digest;
	int r;

	if ((resolved && (resolved->absent || resolved->own)) ||
	    (is_known(run, file, file->said, &digest) && object_exists(run->sync->store, &digest)))
		return 0;
	r = pypi_run_file_url(run, file->number, file->reference, url, err);
	if (r == 0)
		r = add_suffix(url, file->suffix, err);
	if (r == 0)
		r = send_file(run, file, url, err);
	if (r == -EINVAL) {
		pypi_run_missing(run, file->path, error_text(err, r));
		return 0;
	}
	return r < 0 ? r : 1;
}

/* --- all files of a project --- */

typedef int (*request_fn)(struct run *run, const struct file_request *request, struct error *err);

/* Calls @fn for a file and what lies beside it; the sum of what it returned. */
static int each_request(struct run *run, uint32_t number, const struct pypi_chosen *chosen,
			request_fn fn, struct error *err)
{
	const struct pypi_file *file = chosen->file;
	char path[STORE_PATH_MAX];
	struct file_request request = { number, path, file->url, "", NULL, file->size, NULL };
	int sum = 0, r;

	request.said = file->has_sha256 ? &file->sha256 : NULL;
	pypi_run_path(run, number, file->name, "", path);
	r = fn(run, &request, err);
	request.size = 0;
	request.beside = file;
	if (r >= 0 && file->metadata != PYPI_NOT_OFFERED) {
		sum += r;
		pypi_run_path(run, number, file->name, ".metadata", path);
		request.suffix = ".metadata";
		request.said = file->metadata == PYPI_HASHED ? &file->metadata_sha256 : NULL;
		r = fn(run, &request, err);
	}
	if (r >= 0 && file->provenance && run->selection.options->provenance) {
		sum += r;
		pypi_run_path(run, number, file->name, ".provenance", path);
		request.suffix = "";
		request.reference = file->provenance;
		request.said = NULL;
		r = fn(run, &request, err);
	}
	return r < 0 ? r : sum + r;
}

static int each_file(struct run *run, uint32_t number, request_fn fn, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	int sum = 0, r;

	if (!(run->projects[number].flags & PROJECT_PAGE))
		return 0;
	r = pypi_run_load(run, number, &loaded, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < loaded.choice.n; i++) {
		r = each_request(run, number, &loaded.choice.files[i], fn, err);
		if (r < 0)
			return r;
		sum += r;
	}
	return sum;
}

static bool more_files(void *ctx, struct fetcher *fetcher _unused_)
{
	struct run *run = ctx;
	struct error err = { 0 };

	while (run->failure == 0 && run->cursor < run->names.n) {
		int r = each_file(run, (uint32_t)run->cursor++, pypi_run_ask_file, &err);

		if (r < 0)
			pypi_run_fail(run, r, &err);
		if (r > 0)
			return true;
	}
	return false;
}

int pypi_run_fetch_files(struct run *run, struct error *err)
{
	int r;

	run->cursor = 0;
	r = pypi_run_fetch(run, more_files, err);
	return r < 0 ? r : object_flush(run->sync->store, err);
}

/* --- plan --- */

static const char *environment_text(const struct run *run, uint64_t mask, char *ret, size_t size)
{
	size_t bit = (size_t)__builtin_ctzll(mask);

	ret[0] = '\0';
	if (bit < run->selection.n_targets)
		(void)snprintf(ret, size, " on %s with Python %s",
			       run->selection.targets[bit].environment.platform,
			       run->selection.targets[bit].environment.python);
	return ret;
}

/* All else is published: a release that is recalled goes even if it was the only one. */
static void tell_lacking(struct run *run, uint32_t number, const char *what, const char *why)
{
	sync_lacking(run->sync, what, why);
	run->n_lacking++;
	run->projects[number].flags |= PROJECT_LACKS;
}

/* What the configuration names must be there; what is needed for some environment need not. */
static void tell_unsatisfied(struct run *run, uint32_t number, const struct loaded *loaded)
{
	const struct project *project = &run->projects[number];
	const char *name = run->names.names[number];
	size_t n_direct = loaded->n_inputs - project->n_rows;
	const struct pypi_wanted *entry = NULL;
	char where[160], text[512];

	for (size_t i = 0; i < loaded->n_inputs; i++) {
		const struct pypi_input *input = &loaded->inputs[i];
		bool all = run->selection.options->all && i == 0;

		if (i < n_direct && !all)
			entry = pypi_wanteds_find(&run->selection.wanted, name, entry);
		if (!input->unsatisfied || all || (i < n_direct && (!entry || entry->glob)))
			continue;
		(void)environment_text(run, input->unsatisfied, where, sizeof(where));
		if (i < n_direct) {
			(void)snprintf(text, sizeof(text), "no release can be installed%s", where);
			if (input->unsatisfied == input->environments)
				tell_lacking(run, number, entry->text, text);
			else
				sync_note(run->sync, text);
			continue;
		}
		(void)snprintf(text, sizeof(text),
			       "%s needs %.200s, of which no release can be "
			       "installed%s",
			       run->names.names[project->rows[i - n_direct].askers[0]],
			       project->rows[i - n_direct].text, where);
		sync_note(run->sync, text);
	}
}

static void tell_absent(struct run *run, uint32_t number)
{
	const struct project *project = &run->projects[number];
	char text[512];

	if (!(project->flags & (PROJECT_ABSENT | PROJECT_EXCLUDED)) || project->n_rows == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s needs %.200s, which %s",
		       run->names.names[project->rows[0].askers[0]], project->rows[0].text,
		       project->flags & PROJECT_EXCLUDED ? "is excluded"
							 : "the upstream does not have");
	sync_note(run->sync, text);
}

/* Counts what pypi_run_ask_file() would ask for, in run->plan. */
static int count_file(struct run *run, const struct file_request *file, struct error *err _unused_)
{
	const struct resolved *resolved = pypi_run_resolved(run, file->path);
	struct manifest_entry entry;
	struct digest digest;

	if (resolved && resolved->absent)
		return 0;
	run->plan.files++;
	run->plan.bytes += file->size;
	if (!is_known(run, file, resolved && resolved->own ? NULL : file->said, &digest) ||
	    !object_exists(run->sync->store, &digest)) {
		run->plan.fetch_files++;
		run->plan.fetch_bytes += file->size;
	}
	if (run->sync->current && manifest_find(run->sync->current, file->path, &entry))
		run->kept++;
	return 0;
}

static void tell_quarantine(struct run *run, uint32_t number)
{
	char text[PYPI_NAME_MAX + 80];

	run->quarantined = true;
	(void)snprintf(text, sizeof(text), "%s is in quarantine upstream: no file of it is given",
		       run->names.names[number]);
	sync_note(run->sync, text);
}

static int plan_project(struct run *run, uint32_t number, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	int r;

	tell_absent(run, number);
	if (!(run->projects[number].flags & PROJECT_PAGE))
		return 0;
	r = pypi_run_load(run, number, &loaded, err);
	if (r < 0)
		return r;
	if (!pypi_index_offers(&loaded.index))
		tell_quarantine(run, number);
	tell_unsatisfied(run, number, &loaded);
	for (size_t i = 0; r >= 0 && i < loaded.choice.n; i++)
		r = each_request(run, number, &loaded.choice.files[i], count_file, err);
	return r < 0 ? r : 0;
}

bool pypi_run_name_of(const char *path, char name[PYPI_NAME_MAX])
{
	const char *rest = str_starts_with(path, "packages/");
	size_t len;

	if (!rest)
		rest = str_starts_with(path, "simple/");
	len = rest ? strcspn(rest, "/") : 0;
	if (len == 0 || len >= PYPI_NAME_MAX)
		return false;
	memcpy(name, rest, len);
	name[len] = '\0';
	return true;
}

int64_t pypi_run_project_of(const struct run *run, const char *path)
{
	char name[PYPI_NAME_MAX];

	return pypi_run_name_of(path, name) ? pypi_table_find(&run->names, name) : -ENOENT;
}

/* What stays as it is, and what goes. */
static void plan_current(struct run *run)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	uint64_t there = 0;

	if (!run->sync->current)
		return;
	manifest_seek(run->sync->current, "packages/", &cursor);
	while (manifest_next(&cursor, &entry) && str_starts_with(entry.path, "packages/")) {
		int64_t number = pypi_run_project_of(run, entry.path);

		if (number >= 0 && (run->projects[number].flags & PROJECT_UNCHANGED)) {
			run->plan.files++;
			run->plan.bytes += entry.size;
		} else {
			there++;
		}
	}
	run->plan.removed = there > run->kept ? there - run->kept : 0;
}

int pypi_run_plan(struct run *run, struct error *err)
{
	int r = 0;

	run->plan = (struct sync_plan) { 0 };
	run->kept = 0;
	for (size_t i = 0; r == 0 && i < run->names.n; i++)
		r = plan_project(run, (uint32_t)i, err);
	if (r == 0)
		plan_current(run);
	return r;
}
