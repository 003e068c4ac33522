/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sync in order: what is signed; when that is what the manifest has already, and the
 * configuration selects the same, nothing else is looked at. Then indexes, by their
 * hashes where upstream has them so; then the files of packages that the current
 * manifest does not have. Entries wait in a file, so that memory does not grow with
 * the number of packages.
 *
 * Upstream may change in the middle. Then something is missing or hashes to something
 * else: when what is signed is another one by then, all begins again, once.
 *
 * What upstream lists and does not have, although it did not change, is published
 * without: a note in the manifest has the next sync look for it again. Indexes that are
 * made here are made a second time then, as only the fetch tells what is not there.
 */
#include "reservoir/apt/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "reservoir/apt/curate.h"
#include "reservoir/apt/publish.h"
#include "reservoir/apt/suite.h"

#define SELECTION_VERSION 1 /* higher when the same options select something else */
#define SELECTION_MAX ((size_t)4 * 1024 * 1024)

/* --- the options, as a digest --- */

static void describe_words(struct strbuf *text, const char *name, const struct config_word *words,
			   size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(text, "%s %s\n", name, words[i].text);
}

static int describe(const struct apt_run *run, struct digest *ret, struct error *err)
{
	const struct apt_options *options = &run->options;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(SELECTION_MAX);

	strbuf_printf(&text, "%d %d%d%d%d%d %d %d %u\n", SELECTION_VERSION, options->sources,
		      options->contents, options->dep11, options->cnf, options->pdiffs,
		      (int)options->publish, options->recommends, options->keep_indexes);
	for (size_t i = 0; i < run->n_suites; i++)
		/* What nobody has looked at is read again once somebody is to. */
		strbuf_printf(&text, "suite %s %s%s\n", run->suites[i].repository->upstream,
			      run->suites[i].name,
			      run->suites[i].repository->apt.unverified ? " unverified" : "");
	describe_words(&text, "component", options->components, options->n_components);
	describe_words(&text, "architecture", options->architectures, options->n_architectures);
	describe_words(&text, "language", options->languages, options->n_languages);
	describe_words(&text, "package", options->packages, options->n_packages);
	describe_words(&text, "exclude", options->exclude, options->n_exclude);
	revoked_describe(run->sync->revoked, &text);
	if (strbuf_error(&text) < 0)
		return error_set(err, ENOMEM, "no memory for the selection");
	*ret = digest_of(text.data, text.len);
	return 0;
}

/* Whether the current manifest was made with the same options. */
static bool selects_the_same(const struct apt_run *run)
{
	char text[DIGEST_TEXT_SIZE];
	struct manifest_entry entry;
	struct digest note;

	if (!run_current(run, APT_NOTE_OPTIONS, &entry))
		return false;
	(void)digest_format(&run->selection, text);
	note = digest_of(text, strlen(text));
	return digest_equal(&note, &entry.digest);
}

/* --- a run --- */

static void run_done(struct apt_run *run)
{
	for (size_t i = 0; i < run->n_suites; i++)
		suite_done(&run->suites[i]);
	free(run->suites);
	free(run->options.packages);
	free(run->options.exclude);
	seen_done(&run->paths);
	spool_free(run->ready);
	spool_free(run->todo);
	strbuf_done(&run->failures);
	strbuf_done(&run->absent_lines);
	seen_done(&run->absent);
}

static int append_words(struct config_word **words, size_t *n, const struct config_word *more,
			size_t n_more, struct error *err)
{
	struct config_word *larger = reallocarray(*words, *n + n_more + 1, sizeof(*larger));

	if (!larger)
		return error_set(err, ENOMEM, "no memory for names of packages");
	if (n_more > 0)
		memcpy(larger + *n, more, n_more * sizeof(*larger));
	*words = larger;
	*n += n_more;
	return 0;
}

/* Adds a repository: its suites, and what it selects. */
static int add_repository(struct apt_run *run, const struct repository *repository,
			  struct error *err)
{
	const struct apt_options *options = &repository->apt;
	struct suite *larger =
		reallocarray(run->suites, run->n_suites + options->n_suites + 1, sizeof(*larger));
	int r;

	if (!larger)
		return error_set(err, ENOMEM, "no memory for suites");
	run->suites = larger;
	for (size_t i = 0; i < options->n_suites; i++) {
		r = suite_init(&run->suites[run->n_suites], run, repository,
			       options->suites[i].text, err);
		if (r < 0)
			return r;
		run->n_suites++;
	}
	r = append_words(&run->options.packages, &run->options.n_packages, options->packages,
			 options->n_packages, err);
	if (r == 0)
		r = append_words(&run->options.exclude, &run->options.n_exclude, options->exclude,
				 options->n_exclude, err);
	run->options.recommends |= options->recommends;
	return r;
}

/* Sorted by name: what is together finds the same result from each side. */
static int compare_repositories(const void *a, const void *b)
{
	const struct repository *const *x = a;
	const struct repository *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int add_repositories(struct apt_run *run, const struct repository **list, struct error *err)
{
	const struct apt_options *options = &run->sync->repository->apt;
	size_t n = 0;
	int r = 0;

	list[n++] = run->sync->repository;
	for (size_t i = 0; i < options->n_together; i++) {
		const char *name = options->together[i].text;
		const struct repository *other =
			reservoir_config_repository(run->sync->config, name);

		if (!other || other->ecosystem != REPOSITORY_APT || !other->upstream[0])
			return error_set(err, EINVAL,
					 "apt.together: there is no repository '%s' of apt with an "
					 "upstream",
					 name);
		if (other != run->sync->repository)
			list[n++] = other;
	}
	qsort(list, n, sizeof(*list), compare_repositories);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_repository(run, list[i], err);
	return r;
}

static int run_init(struct apt_run *run, struct sync *sync, struct error *err)
{
	const struct apt_options *options = &sync->repository->apt;
	_cleanup_free_ const struct repository **list =
		calloc(options->n_together + 1, sizeof(*list));
	int r;

	*run = (struct apt_run) {
		.sync = sync,
		.options = *options,
		.curated = options->publish == APT_CURATED,
		.failures = STRBUF_INIT(APT_FAILURES_MAX),
		.absent_lines = STRBUF_INIT(APT_FAILURES_MAX),
	};
	/* These are this run's own. */
	run->options.packages = NULL;
	run->options.exclude = NULL;
	run->options.n_packages = 0;
	run->options.n_exclude = 0;
	r = list ? add_repositories(run, list, err)
		 : error_set(err, ENOMEM, "no memory for repositories");
	return r < 0 ? r : describe(run, &run->selection, err);
}

/* Begins again: what was found out of an upstream that has changed is forgotten. */
static int restart(struct apt_run *run, struct error *err)
{
	int r;

	seen_done(&run->paths);
	strbuf_clear(&run->failures);
	run->n_failures = 0;
	run->plan = (struct sync_plan) { 0 };
	spool_free(TAKE_PTR(run->ready));
	spool_free(TAKE_PTR(run->todo));
	for (size_t i = 0; i < run->n_suites; i++)
		run->suites[i].stop = false;
	r = spool_new(run->sync->store, &run->ready, err);
	return r < 0 ? r : spool_new(run->sync->store, &run->todo, err);
}

static int collect(struct apt_run *run, struct error *err)
{
	int r = suites_read(run, err);

	if (r == 0)
		r = suites_fetch_indexes(run, err);
	if (r < 0 || run->n_failures > 0)
		return r;
	r = run->curated ? curate(run, err) : publish_verbatim(run, err);
	if (r == 0)
		r = publish_earlier(run, err);
	if (r < 0 || run->n_failures > 0)
		return r;
	return run_fetch_files(run, err);
}

/* Whether what upstream signs now is something else than what was read. */
static int has_changed(struct apt_run *run, bool *ret, struct error *err)
{
	_cleanup_free_ struct digest *before = calloc(run->n_suites, sizeof(*before));
	bool news;
	int r;

	if (!before)
		return error_set(err, ENOMEM, "no memory for suites");
	for (size_t i = 0; i < run->n_suites; i++)
		before[i] = run->suites[i].signed_digest;
	r = suites_fetch_metas(run, &news, err);
	*ret = false;
	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		if (!run->suites[i].stop &&
		    !digest_equal(&before[i], suite_leader(&run->suites[i])))
			*ret = true;
	return r;
}

static int tell_failures(struct apt_run *run)
{
	uint64_t told = 0;
	char text[96];

	for (size_t at = 0; at < run->failures.len; told++) {
		const char *what = run->failures.data + at;
		const char *why = what + strlen(what) + 1;

		sync_missing(run->sync, what, why);
		at += strlen(what) + strlen(why) + 2;
	}
	if (told < run->n_failures) {
		(void)snprintf(text, sizeof(text), "%llu more files",
			       (unsigned long long)(run->n_failures - told));
		sync_missing(run->sync, text, "as those above");
	}
	return SYNC_BUILT;
}

static int build(struct apt_run *run, struct error *err)
{
	struct manifest_entry entry;
	int r = spool_rewind(run->ready, err);

	if (r < 0)
		return r;
	for (;;) {
		r = spool_next(run->ready, &entry, err);
		if (r <= 0)
			break;
		r = manifest_add(run->sync->builder, &entry, err);
		if (r < 0)
			break;
	}
	return r < 0 ? r : SYNC_BUILT;
}

static int collect_again(struct apt_run *run, struct error *err)
{
	int r = restart(run, err);

	run->again = true;
	return r < 0 ? r : collect(run, err);
}

static int run_twice(struct apt_run *run, struct error *err)
{
	bool changed;
	int r = collect(run, err);

	if (r != 0 || (run->n_failures == 0 && run->absent.n == 0))
		return r;
	r = has_changed(run, &changed, err);
	if (r < 0 || !changed)
		return r;
	sync_note(run->sync, "upstream changed during the sync, which began again");
	seen_done(&run->absent);
	strbuf_clear(&run->absent_lines);
	run->absent_files = (struct absent_files) { 0 };
	return collect_again(run, err);
}

/* Tells what upstream lists and does not have, as one or the other. */
static void tell_absent(struct apt_run *run, bool tolerated)
{
	const char *at = strbuf_str(&run->absent_lines);

	while (*at) {
		size_t len = strcspn(at, "\n");
		char path[STORE_PATH_MAX];

		(void)snprintf(path, sizeof(path), "%.*s", (int)len, at);
		at += len + 1;
		if (tolerated)
			sync_absent(run->sync, path);
		else
			run_fail(run, path, "upstream lists it, and does not have it");
	}
}

/* Indexes made here speak of nothing that is not there; the bytes of upstream's stay. */
static int go_without_absent(struct apt_run *run, struct error *err)
{
	size_t n = run->absent.n;
	int r = sync_tolerates(run->sync, &run->absent_files, err);
	bool tolerated = r > 0 && strbuf_error(&run->absent_lines) == 0;

	if (r < 0)
		return r;
	r = 0;
	if (tolerated && run->curated) {
		r = collect_again(run, err);
		tolerated = run->absent.n == n;
	}
	if (r != 0 || run->n_failures > 0)
		return r;
	tell_absent(run, tolerated);
	if (!tolerated)
		return 0;
	r = run_note(run, APT_NOTE_ABSENT, run->absent_lines.data, run->absent_lines.len, err);
	return MIN(r, 0);
}

static int sync_run(struct apt_run *run, struct error *err)
{
	struct manifest_entry absent;
	bool news = false;
	int r = restart(run, err);

	if (r == 0)
		r = suites_fetch_metas(run, &news, err);
	if (r < 0)
		return r;
	run->same_selection = selects_the_same(run);
	if (!news && run->n_failures == 0 && run->same_selection &&
	    !run_current(run, APT_NOTE_ABSENT, &absent)) {
		suites_check_current(run);
		if (run->n_failures == 0)
			return SYNC_UNCHANGED;
	}
	if (run->n_failures > 0)
		return tell_failures(run);
	r = run_twice(run, err);
	if (r == 0 && run->n_failures == 0 && run->absent.n > 0)
		r = go_without_absent(run, err);
	if (r != 0)
		return r;
	return run->n_failures > 0 ? tell_failures(run) : build(run, err);
}

int apt_sync(struct sync *sync, struct error *err)
{
	_cleanup_(run_done) struct apt_run run = { 0 };
	int r = run_init(&run, sync, err);

	if (r < 0)
		return r;
	if (run.options.unverified)
		sync_note(sync,
			  "signatures are not checked ('unverified' is on): whoever is between "
			  "this program and the upstream can change every package");
	return sync_run(&run, err);
}
