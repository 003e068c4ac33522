/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "reservoir/ecosystem.h"
#include "reservoir/store/synced.h"
#include "reservoir/sync/run.h"
#include "tests/folder.h"

/* An ecosystem without a network: what its sync does is the test's to say. */
enum deed {
	DEED_PUBLISH,
	DEED_UNCHANGED,
	DEED_MISS,
	DEED_FAIL,
	DEED_FULL,
	DEED_QUOTA,
	DEED_ABSENT,
	DEED_ABSENT_AND_MISS,
};

struct scene {
	char dir[FOLDER_MAX];
	struct store *store;
	struct repository repositories[2];
	struct reservoir_config config;
	struct sync_run run;
	unsigned int planned;
	unsigned int finished;
};

static enum deed deeds[2];
static bool had_current[2];
static const char *contents[2] = { "one", "two" };

static int add_file(struct sync *sync, const char *text, struct error *err)
{
	struct manifest_entry entry = { .path = "file", .size = strlen(text) };
	int r = object_put(sync->store, text, strlen(text), &entry.digest, err);

	return r < 0 ? r : manifest_add(sync->builder, &entry, err);
}

static int fake_sync(struct sync *sync, struct error *err)
{
	size_t i = strcmp(sync->repository->name, "a") == 0 ? 0 : 1;
	struct sync_plan plan = { .files = 1, .bytes = 3, .fetch_files = 1, .fetch_bytes = 3 };
	int r;

	had_current[i] = sync->current != NULL;
	assert_int_equal(
		catalogue_put(sync->catalogue, "fake", sync->repository->name, "x", 1, err), 0);
	if (deeds[i] == DEED_UNCHANGED)
		return SYNC_UNCHANGED;
	if (deeds[i] == DEED_FAIL)
		return error_set(err, EIO, "upstream is on fire");
	if (deeds[i] == DEED_FULL)
		plan.fetch_bytes = UINT64_MAX;
	r = sync_plan(sync, &plan, err);
	if (r != 0)
		return r;
	if (deeds[i] == DEED_QUOTA) {
		sync_missing(sync, "file", "it was on its way");
		return error_set(err, EDQUOT, "the quota of somebody");
	}
	if (deeds[i] == DEED_ABSENT || deeds[i] == DEED_ABSENT_AND_MISS)
		sync_absent(sync, "other");
	if (deeds[i] == DEED_MISS || deeds[i] == DEED_ABSENT_AND_MISS)
		sync_missing(sync, "file", "not there");
	r = add_file(sync, contents[i], err);
	return r < 0 ? r : SYNC_BUILT;
}

static const struct ecosystem fake = { .name = "apt", .sync = fake_sync };

static const struct ecosystem *find_fake(const char *name)
{
	return strcmp(name, "apt") == 0 ? &fake : NULL;
}

static void count_planned(void *ctx, const struct sync_report *report)
{
	((struct scene *)ctx)->planned += report->is_planned;
}

static void count_finished(void *ctx, _unused_ const struct sync_report *report)
{
	((struct scene *)ctx)->finished++;
}

static void open_scene(struct scene *scene)
{
	*scene = (struct scene) {
		.repositories = { { .name = "a", .upstream = "http://127.0.0.1:1/" },
				  { .name = "b", .upstream = "http://127.0.0.1:1/" } },
		.config = { .n_repositories = 2,
			    .sync = { .per_host = 1,
				      .total = 1,
				      .attempts = 1,
				      .timeout_ms = 1000 } },
	};
	folder_make(scene->dir);
	assert_int_equal(store_create(scene->dir, NULL), 0);
	assert_int_equal(store_open(scene->dir, STORE_WRITE, &scene->store, NULL), 0);
	scene->config.repositories = scene->repositories;
	scene->run = (struct sync_run) {
		.store = scene->store,
		.config = &scene->config,
		.find = find_fake,
		.planned = count_planned,
		.finished = count_finished,
		.ctx = scene,
	};
	deeds[0] = deeds[1] = DEED_PUBLISH;
	contents[0] = "one";
	contents[1] = "two";
}

static void close_scene(struct scene *scene)
{
	store_close(scene->store);
	folder_remove(scene->dir);
}

static void expect_run(struct scene *scene, int status, enum sync_result a, enum sync_result b,
		       uint64_t generation)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct error err = { 0 };
	uint64_t current = 0;

	assert_int_equal(sync_all(&scene->run, &reports, &err), status);
	assert_int_equal(reports.n, 2);
	assert_int_equal(reports.reports[0].result, a);
	assert_int_equal(reports.reports[1].result, b);
	assert_int_equal(generation_current_number(scene->store, &current, &err), 0);
	assert_int_equal(current, generation);
}

static bool has_key(struct scene *scene, const char *space, const char *key)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(64);

	assert_int_equal(catalogue_open(scene->store, &catalogue, NULL), 0);
	return catalogue_get(catalogue, space, key, &value, NULL) == 0;
}

static void put_key(struct scene *scene, const char *space)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;

	assert_int_equal(catalogue_open(scene->store, &catalogue, NULL), 0);
	assert_int_equal(catalogue_put(catalogue, space, "key", "x", 1, NULL), 0);
	assert_int_equal(catalogue_commit(catalogue, NULL), 0);
}

static int64_t when_synced(const struct scene *scene, const char *name)
{
	struct generation_repository repository = { 0 };

	assert_int_equal(str_copy(repository.name, sizeof(repository.name), name), 0);
	return synced_at(scene->store, &repository);
}

static void test_each_is_published_as_it_is_complete(_unused_ void **state)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct scene scene;

	open_scene(&scene);
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	assert_int_equal(scene.planned, 2);
	assert_int_equal(scene.finished, 2);
	assert_int_equal(generation_current(scene.store, &generation, NULL), 0);
	assert_int_equal(generation->n_repositories, 2);
	assert_int_equal(generation->repositories[0].n_files, 1);
	assert_int_equal(generation->repositories[0].bytes, 3);
	assert_true(generation->repositories[0].synced > 0);
	assert_string_equal(generation->reason, "sync b");
	/* The same once more is no news, but known to be so. */
	assert_int_equal(synced_set(scene.store, "a", 5, NULL), 0);
	assert_int_equal(when_synced(&scene, "a"), 5);
	expect_run(&scene, 0, SYNC_RESULT_UNCHANGED, SYNC_RESULT_UNCHANGED, 2);
	assert_true(when_synced(&scene, "a") > 5);
	generation->repositories[0].synced = INT64_MAX;
	assert_true(synced_at(scene.store, &generation->repositories[0]) == INT64_MAX);
	deeds[0] = DEED_UNCHANGED;
	contents[1] = "too";
	expect_run(&scene, 0, SYNC_RESULT_UNCHANGED, SYNC_RESULT_PUBLISHED, 3);
	close_scene(&scene);
}

static void test_one_that_misses_something_keeps_what_it_had(_unused_ void **state)
{
	static const struct {
		enum deed deed;
		enum sync_result result;
	} cases[] = {
		{ DEED_MISS, SYNC_RESULT_INCOMPLETE },
		{ DEED_ABSENT_AND_MISS, SYNC_RESULT_INCOMPLETE },
		{ DEED_FAIL, SYNC_RESULT_FAILED },
		{ DEED_FULL, SYNC_RESULT_FAILED },
		{ DEED_UNCHANGED, SYNC_RESULT_FAILED }, /* there is nothing that it could be */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene scene;

		open_scene(&scene);
		deeds[0] = cases[i].deed;
		expect_run(&scene, 1, cases[i].result, SYNC_RESULT_PUBLISHED, 1);
		assert_false(has_key(&scene, "fake", "a"));
		assert_true(has_key(&scene, "fake", "b"));
		assert_int_equal(when_synced(&scene, "a"), 0);
		assert_true(when_synced(&scene, "b") > 0);
		close_scene(&scene);
	}
}

/* What upstream lists and does not have is told each time, and holds nothing back. */
static void test_what_is_not_there_holds_nothing_back(_unused_ void **state)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);
	struct error err = { 0 };
	struct scene scene;

	open_scene(&scene);
	deeds[0] = DEED_ABSENT;
	expect_run(&scene, 1, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	assert_true(has_key(&scene, "fake", "a"));
	assert_int_equal(sync_all(&scene.run, &reports, &err), 1);
	assert_int_equal(reports.reports[0].result, SYNC_RESULT_UNCHANGED);
	assert_int_equal(reports.reports[0].absent, 1);
	report_describe(&reports.reports[0], &text);
	assert_non_null(strstr(strbuf_str(&text), "unchanged, 1 missing"));
	assert_non_null(strstr(strbuf_str(&text), "missing: other: the upstream lists it"));
	close_scene(&scene);
}

static int tolerates(struct scene *scene, uint64_t files, uint64_t n, const char *path,
		     const struct manifest *current)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	struct sync_report report = { .plan = { .files = files } };
	struct absent_files absent = { 0 };
	struct sync sync = {
		.report = &report,
		.repository = &scene->repositories[0],
		.current = current,
	};

	assert_int_equal(catalogue_open(scene->store, &catalogue, NULL), 0);
	sync.catalogue = catalogue;
	while (absent.n < n)
		absent_files_add(&absent, path);
	return sync_tolerates(&sync, &absent, NULL);
}

static void test_few_are_tolerated(_unused_ void **state)
{
	static const struct {
		uint64_t files, absent;
		bool tolerated;
	} cases[] = {
		{ 3, 1, true }, { 2, 1, false },     { 1, 1, false },	   { 4, 3, false },
		{ 5, 2, true }, { 1000, 499, true }, { 1000, 500, false }, { 0, 1, false },
	};
	struct scene scene;

	open_scene(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(tolerates(&scene, cases[i].files, cases[i].absent, "a", NULL),
				 cases[i].tolerated);
	close_scene(&scene);
}

/* What is published is replaced only by what two runs found. */
static void test_the_same_are_tolerated(_unused_ void **state)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(manifest_freep) struct manifest *current = NULL;
	struct digest digest;
	struct scene scene;

	open_scene(&scene);
	assert_int_equal(manifest_builder_new(scene.store, &builder, NULL), 0);
	assert_int_equal(manifest_finish(builder, &digest, NULL), 0);
	assert_int_equal(object_flush(scene.store, NULL), 0);
	assert_int_equal(manifest_open(scene.store, &digest, &current, NULL), 0);
	assert_int_equal(tolerates(&scene, 9, 1, "a", current), 0);
	assert_int_equal(tolerates(&scene, 9, 1, "b", current), 0);
	assert_int_equal(tolerates(&scene, 9, 2, "b", current), 0);
	assert_int_equal(tolerates(&scene, 9, 2, "b", current), 1);
	assert_int_equal(tolerates(&scene, 9, 2, "b", current), 1);
	manifest_free(TAKE_PTR(current));
	close_scene(&scene);
}

/* The generation names it: upstream is asked for all again, and what is lost comes back. */
static void test_what_is_lost_is_noticed(_unused_ void **state)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct digest digest = digest_of("one", 3);
	char path[192], hex[DIGEST_TEXT_SIZE];
	struct error err = { 0 };
	struct scene scene;

	open_scene(&scene);
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	(void)digest_format(&digest, hex);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", scene.dir, hex, hex);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sync_all(&scene.run, &reports, &err), 0);
	assert_int_equal(reports.reports[0].notes.all, 1);
	assert_int_equal(reports.reports[1].notes.all, 0);
	assert_int_equal(access(path, F_OK), 0);
	close_scene(&scene);
}

static void test_a_plan_changes_nothing(_unused_ void **state)
{
	struct scene scene;

	open_scene(&scene);
	scene.run.plan_only = true;
	expect_run(&scene, 0, SYNC_RESULT_PLANNED, SYNC_RESULT_PLANNED, 0);
	assert_false(has_key(&scene, "fake", "a"));
	/* One that does not fit is no good plan. */
	deeds[0] = DEED_FULL;
	expect_run(&scene, 1, SYNC_RESULT_FAILED, SYNC_RESULT_PLANNED, 0);
	close_scene(&scene);
}

static void test_names(_unused_ void **state)
{
	static const char *const names[] = { "b", "c" };
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct error err = { 0 };
	struct scene scene;

	open_scene(&scene);
	scene.run.names = names;
	scene.run.n_names = 1;
	assert_int_equal(sync_all(&scene.run, &reports, &err), 0);
	assert_int_equal(reports.n, 1);
	assert_string_equal(reports.reports[0].name, "b");
	sync_reports_done(&reports);
	scene.run.n_names = 2;
	assert_int_equal(sync_all(&scene.run, &reports, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'c'"));
	close_scene(&scene);
}

static void test_caches_and_imports_are_left_alone(_unused_ void **state)
{
	static const char *const names[] = { "a", "b" };
	struct scene scene;

	open_scene(&scene);
	scene.repositories[0].mode = REPOSITORY_CACHE;
	scene.repositories[1].upstream[0] = '\0';
	scene.run.names = names;
	scene.run.n_names = 2;
	expect_run(&scene, 0, SYNC_RESULT_SKIPPED, SYNC_RESULT_SKIPPED, 0);
	close_scene(&scene);
}

/* Another manifest each time, as signatures of another time are. */
static int fake_finish(struct store *store, _unused_ const struct repository *repository,
		       _unused_ const struct digest *collected, struct digest *ret_served,
		       struct error *err)
{
	static unsigned int times;
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct manifest_entry entry = { .path = "signed", .mtime = ++times };
	int r = object_put(store, "", 0, &entry.digest, err);

	if (r == 0)
		r = manifest_builder_new(store, &builder, err);
	if (r == 0)
		r = manifest_add(builder, &entry, err);
	return r < 0 ? r : manifest_finish(builder, ret_served, err);
}

static const struct ecosystem signing = { .name = "apt", .sync = fake_sync, .finish = fake_finish };

static const struct ecosystem *find_signing(_unused_ const char *name)
{
	return &signing;
}

/* As a bundle would have brought it, from a hub. */
static void carry_in(struct scene *scene)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;

	assert_int_equal(generation_current(scene->store, &current, NULL), 0);
	assert_int_equal(generation_copy(current, &next, NULL), 0);
	assert_int_equal(str_copy(next->origin_id, sizeof(next->origin_id), "hub"), 0);
	next->origin_sequence = 7;
	assert_int_equal(generation_publish(scene->store, next, NULL), 0);
}

static void set_finished(struct scene *scene, const char *name, const char *when)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;

	assert_int_equal(catalogue_open(scene->store, &catalogue, NULL), 0);
	assert_int_equal(catalogue_put(catalogue, "finished", name, when, strlen(when), NULL), 0);
	assert_int_equal(catalogue_commit(catalogue, NULL), 0);
}

static void test_what_was_carried_in_is_signed_again(_unused_ void **state)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct scene scene;

	open_scene(&scene);
	scene.run.find = find_signing;
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	carry_in(&scene);
	for (size_t i = 0; i < 2; i++) {
		scene.repositories[i].upstream[0] = '\0';
		scene.repositories[i].apt.publish = APT_CURATED;
		scene.repositories[i].apt.valid_for_ms = UINT32_MAX;
	}
	assert_int_equal(synced_set(scene.store, "a", 5, NULL), 0);
	expect_run(&scene, 0, SYNC_RESULT_UNCHANGED, SYNC_RESULT_UNCHANGED, 3);
	set_finished(&scene, "a", "1");
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_UNCHANGED, 4);
	/* No sync was made, and the next bundle finds its base. */
	assert_int_equal(when_synced(&scene, "a"), 5);
	assert_int_equal(generation_current(scene.store, &generation, NULL), 0);
	assert_string_equal(generation->reason, "renew a");
	assert_string_equal(generation->origin_id, "hub");
	assert_int_equal(generation->origin_sequence, 7);
	/* That of a clock that was ahead is from the future, for clients as for us. */
	set_finished(&scene, "b", "99999999999");
	expect_run(&scene, 0, SYNC_RESULT_UNCHANGED, SYNC_RESULT_PUBLISHED, 5);
	close_scene(&scene);
}

/* As it was signed by a clock that is a day ahead. */
static void date_ahead(const struct scene *scene)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;

	assert_int_equal(generation_current(scene->store, &current, NULL), 0);
	assert_int_equal(generation_copy(current, &next, NULL), 0);
	for (size_t i = 0; i < next->n_repositories; i++)
		next->repositories[i].synced += 86400;
	assert_int_equal(generation_publish(scene->store, next, NULL), 0);
}

/* Clients refuse it until then: so it is made anew, of the repository that is signed here. */
static void test_what_is_of_the_future_is_made_anew(_unused_ void **state)
{
	struct scene scene;

	open_scene(&scene);
	scene.run.find = find_signing;
	scene.repositories[0].apt.publish = APT_CURATED;
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	assert_false(had_current[0] || had_current[1]);
	deeds[0] = deeds[1] = DEED_UNCHANGED;
	expect_run(&scene, 0, SYNC_RESULT_UNCHANGED, SYNC_RESULT_UNCHANGED, 2);
	assert_true(had_current[0] && had_current[1]);
	date_ahead(&scene);
	deeds[0] = deeds[1] = DEED_PUBLISH;
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 5);
	assert_true(!had_current[0] && had_current[1]);
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 7);
	assert_true(had_current[0] && had_current[1]);
	close_scene(&scene);
}

/* What was carried in is only signed again. */
static void test_a_signature_of_the_future_is_made_anew(_unused_ void **state)
{
	char when[32];
	struct scene scene;

	open_scene(&scene);
	scene.run.find = find_signing;
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	scene.repositories[0].upstream[0] = scene.repositories[1].upstream[0] = '\0';
	scene.repositories[0].apt.publish = scene.repositories[1].apt.publish = APT_CURATED;
	(void)snprintf(when, sizeof(when), "%lld", (long long)time(NULL) + 86400);
	set_finished(&scene, "b", when);
	expect_run(&scene, 0, SYNC_RESULT_UNCHANGED, SYNC_RESULT_PUBLISHED, 3);
	close_scene(&scene);
}

static void test_a_signal_ends_it(_unused_ void **state)
{
	static volatile sig_atomic_t stop = 1;
	struct scene scene;

	open_scene(&scene);
	scene.run.stop = &stop;
	expect_run(&scene, 1, SYNC_RESULT_STOPPED, SYNC_RESULT_STOPPED, 0);
	close_scene(&scene);
}

static void test_a_closed_window(_unused_ void **state)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct error err = { 0 };
	struct scene scene;
	uint32_t now;

	open_scene(&scene);
	now = (uint32_t)(time(NULL) % 86400 / 3600);
	/* Two of three windows of eight hours are closed now, wherever this is. */
	for (uint32_t i = 0, closed = 0; i < 3; i++) {
		uint32_t from = (now + 8 * i) % 24;

		(void)snprintf(scene.config.sync.window, sizeof(scene.config.sync.window),
			       "%02u:00-%02u:00", from, (from + 8) % 24);
		closed += sync_all(&scene.run, &reports, &err) == -EAGAIN;
		sync_reports_done(&reports);
		if (i == 2)
			assert_int_equal(closed, 2);
	}
	assert_non_null(strstr(err.msg, "opens in"));
	close_scene(&scene);
}

static uint32_t clock_s;

/* A time that goes on by three hours whenever it is looked at. */
static uint32_t next_hours(void)
{
	uint32_t now = clock_s;

	clock_s += 3 * 3600;
	return now % 86400;
}

static uint32_t fixed_time(void)
{
	return clock_s;
}

static void test_a_window_opens_and_closes(_unused_ void **state)
{
	static const struct {
		uint32_t now_s;
		int status;
		const char *says;
	} cases[] = {
		{ 22 * 3600 - 60, -EAGAIN, "opens in 0 hours and 1 minutes" },
		{ 6 * 3600, -EAGAIN, "opens in 16 hours and 0 minutes" },
		{ 22 * 3600, 0, NULL },
		{ 6 * 3600 - 1, 0, NULL },
	};
	struct scene scene;

	open_scene(&scene);
	(void)snprintf(scene.config.sync.window, sizeof(scene.config.sync.window), "22:00-06:00");
	scene.run.now = fixed_time;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_sync_reports_ struct sync_reports reports = { 0 };
		struct error err = { 0 };

		clock_s = cases[i].now_s;
		assert_int_equal(sync_all(&scene.run, &reports, &err), cases[i].status);
		assert_true(!cases[i].says || strstr(err.msg, cases[i].says));
	}
	close_scene(&scene);
}

/* It is open at the beginning, and over before the second repository. */
static void test_a_window_ends_a_run(_unused_ void **state)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct error err = { 0 };
	struct scene scene;

	open_scene(&scene);
	(void)snprintf(scene.config.sync.window, sizeof(scene.config.sync.window), "22:00-03:00");
	scene.run.now = next_hours;
	clock_s = 22 * 3600;
	assert_int_equal(sync_all(&scene.run, &reports, &err), 1);
	assert_int_equal(reports.reports[0].result, SYNC_RESULT_PUBLISHED);
	assert_int_equal(reports.reports[1].result, SYNC_RESULT_STOPPED);
	assert_non_null(strstr(reports.reports[1].error.msg, "sync.window"));
	close_scene(&scene);
}

static void sync_one_of_two(struct scene *scene, int status)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };

	assert_int_equal(sync_all(&scene->run, &reports, NULL), status);
	assert_int_equal(reports.n, 1);
}

/* What could not be written is not missing upstream. */
static void test_a_quota_is_no_upstream_without_files(_unused_ void **state)
{
	_cleanup_sync_reports_ struct sync_reports reports = { 0 };
	struct scene scene;

	open_scene(&scene);
	deeds[0] = DEED_QUOTA;
	assert_int_equal(sync_all(&scene.run, &reports, NULL), 1);
	assert_int_equal(reports.reports[0].result, SYNC_RESULT_FAILED);
	assert_int_equal(reports.reports[0].missing.all, 0);
	close_scene(&scene);
}

static bool is_unfinished(const struct scene *scene, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "unfinished/%s", name);
	return faccessat(store_dirfd(scene->store), path, F_OK, 0) == 0;
}

/* So that what was fetched is there when the next one goes on. */
static void test_what_is_not_finished_is_noted(_unused_ void **state)
{
	struct scene scene;

	open_scene(&scene);
	deeds[0] = DEED_MISS;
	expect_run(&scene, 1, SYNC_RESULT_INCOMPLETE, SYNC_RESULT_PUBLISHED, 1);
	assert_true(is_unfinished(&scene, "a"));
	assert_false(is_unfinished(&scene, "b"));
	deeds[0] = DEED_PUBLISH;
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_UNCHANGED, 2);
	assert_false(is_unfinished(&scene, "a"));
	close_scene(&scene);
}

/* What was noted of a repository goes when it is in neither configuration nor store. */
static void test_what_is_of_no_repository_is_forgotten(_unused_ void **state)
{
	static const char *const names[] = { "a" };
	struct scene scene;

	open_scene(&scene);
	expect_run(&scene, 0, SYNC_RESULT_PUBLISHED, SYNC_RESULT_PUBLISHED, 2);
	put_key(&scene, "apt/b");
	put_key(&scene, "pypi/gone");
	put_key(&scene, "other");
	scene.config.n_repositories = 1;
	scene.run.names = names;
	scene.run.n_names = 1;
	sync_one_of_two(&scene, 0);
	assert_true(has_key(&scene, "pypi/gone", "key"));
	scene.run.n_names = 0;
	deeds[0] = DEED_FAIL;
	sync_one_of_two(&scene, 1);
	assert_false(has_key(&scene, "pypi/gone", "key"));
	assert_true(has_key(&scene, "apt/b", "key"));
	assert_true(has_key(&scene, "other", "key"));
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_published_as_it_is_complete),
		cmocka_unit_test(test_one_that_misses_something_keeps_what_it_had),
		cmocka_unit_test(test_what_is_not_there_holds_nothing_back),
		cmocka_unit_test(test_few_are_tolerated),
		cmocka_unit_test(test_the_same_are_tolerated),
		cmocka_unit_test(test_what_is_lost_is_noticed),
		cmocka_unit_test(test_a_plan_changes_nothing),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_quota_is_no_upstream_without_files),
		cmocka_unit_test(test_what_is_of_no_repository_is_forgotten),
		cmocka_unit_test(test_what_is_not_finished_is_noted),
		cmocka_unit_test(test_caches_and_imports_are_left_alone),
		cmocka_unit_test(test_what_was_carried_in_is_signed_again),
		cmocka_unit_test(test_what_is_of_the_future_is_made_anew),
		cmocka_unit_test(test_a_signature_of_the_future_is_made_anew),
		cmocka_unit_test(test_a_signal_ends_it),
		cmocka_unit_test(test_a_closed_window),
		cmocka_unit_test(test_a_window_opens_and_closes),
		cmocka_unit_test(test_a_window_ends_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
