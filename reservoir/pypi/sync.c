/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/sync.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/pypi/run.h"
#include "reservoir/pypi/wheel.h"

#define PACKAGES "packages/"
#define PLAN_ANEW 100 /* beside enum sync_outcome: what the plan was made of is not so */

static void project_done(struct project *project)
{
	for (size_t i = 0; i < project->n_rows; i++) {
		free(project->rows[i].text);
		pypi_requirement_done(&project->rows[i].requirement);
	}
	free(project->rows);
	free(project->extras);
}

static void run_done(struct run *run)
{
	while (run->errands)
		pypi_run_errand_done(run->errands);
	for (size_t i = 0; i < run->names.n; i++)
		project_done(&run->projects[i]);
	free(run->projects);
	free(run->resolved);
	pypi_table_done(&run->names);
	pypi_table_done(&run->paths);
	pypi_selection_done(&run->selection);
}

static int run_init(struct run *run, struct sync *sync, struct error *err)
{
	const struct repository *repository = sync->repository;
	int r;

	*run = (struct run) { .sync = sync };
	pypi_table_init(&run->names);
	pypi_table_init(&run->paths);
	(void)snprintf(run->space, sizeof(run->space), "pypi/%s", repository->name);
	r = pypi_selection_init(&repository->pypi, &run->selection, err);
	run->selection.revoked = sync->revoked;
	if (r == 0)
		r = pypi_selection_digest(&run->selection, repository->upstream, &run->options,
					  err);
	if (r < 0)
		return r;
	run->closes = pypi_selection_closes(&run->selection);
	pypi_run_state_load(run);
	return 0;
}

static bool is_published(const struct run *run)
{
	struct manifest_entry note;

	return run->sync->current && manifest_find(run->sync->current, PYPI_NOTE_STATE, &note) &&
	       digest_equal(&note.digest, &run->state);
}

/* Pages, and what they lead to. */
static int find_out(struct run *run, struct error *err)
{
	int r = pypi_run_collect(run, err);

	if (r == 0 && run->closes)
		r = pypi_run_close(run, err);
	if (r != 0)
		return r;
	r = pypi_run_state_make(run, err);
	return r < 0 ? r : !run->missed && run->absent.n == 0 && is_published(run);
}

/* Whether the configuration itself leaves a published file out: it is recalled. */
static bool is_excluded(const struct run *run, const char *path)
{
	struct pypi_file_name file;
	char name[PYPI_NAME_MAX];

	if (!pypi_run_name_of(path, name))
		return false;
	if (pypi_selection_excludes(&run->selection, name))
		return true;
	/* What is no release, as metadata, comes and goes with one. */
	return pypi_file_name_parse(strrchr(path, '/') + 1, name, &file) < 0 || !file.has_version ||
	       pypi_selection_forbidden(&run->selection, name, &file.version) ==
		       run->selection.environments;
}

/* Whether something is published that the configuration does not exclude. */
static bool has_wanted(const struct run *run)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	if (!run->sync->current)
		return false;
	manifest_seek(run->sync->current, PACKAGES, &cursor);
	while (manifest_next(&cursor, &entry) && str_starts_with(entry.path, PACKAGES))
		if (!is_excluded(run, entry.path))
			return true;
	return false;
}

/* A page of a proxy, or another server at the old address, is more likely than an upstream
 * that has nothing any more. */
static void refuse_to_empty(struct run *run)
{
	if (run->plan.files == 0 && !run->quarantined && has_wanted(run))
		pypi_run_missing(run, run->sync->repository->name,
				 "upstream has not one file of what is selected any more: nothing "
				 "is taken away here");
}

/* Goes on without what the upstream lists and does not have. */
static int go_without_absent(struct run *run, struct error *err)
{
	int r;

	if (run->absent.n + run->n_lacking == 0 || run->missed)
		return 0;
	r = run->absent.n > 0 ? sync_tolerates(run->sync, &run->absent, err) : 1;
	if (r < 0)
		return r;
	if (r > 0)
		return pypi_run_state_make(run, err);
	pypi_run_missing(run, run->sync->repository->name,
			 "nothing is taken away here until upstream has more, or the next sync "
			 "finds the same few files missing");
	return 0;
}

static int collect(struct run *run, struct error *err)
{
	int r = find_out(run, err);

	if (r != 0)
		return r < 0 ? r : SYNC_UNCHANGED;
	r = pypi_run_plan(run, err);
	if (r == 0)
		refuse_to_empty(run);
	if (r == 0)
		r = sync_plan(run->sync, &run->plan, err);
	if (r != 0)
		return r;
	r = pypi_run_fetch_files(run, err);
	if (r == 0 && !run->missed)
		r = pypi_run_check(run, err);
	if (r > 0)
		return PLAN_ANEW;
	if (r == 0)
		r = go_without_absent(run, err);
	if (r == 0 && !run->missed)
		r = pypi_run_publish(run, err);
	if (r == 0 && !run->missed)
		r = pypi_run_state_save(run, err);
	return r < 0 ? r : SYNC_BUILT;
}

int pypi_sync(struct sync *sync, struct error *err)
{
	struct run run;
	int r = run_init(&run, sync, err);

	if (r == 0)
		r = collect(&run, err);
	run_done(&run);
	if (r != PLAN_ANEW)
		return r;
	/* An upstream of which parts are not what the whole is: whole files make the plan. */
	r = run_init(&run, sync, err);
	run.no_peeking = true;
	if (r == 0)
		r = collect(&run, err);
	run_done(&run);
	return r;
}
