/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "reservoir/store/scrub.h"
#include "reservoir/store/store_private.h"
#include "reservoir/store/unfinished.h"
#include "tests/unit/reservoir/store/content.h"

#define RACE_PUBLISHES 150
#define RACE_FILES 12
#define RACE_NUMBERS 64 /* files that are used again and again */

/* Behind all that is published meanwhile, however slow the machine is. */
static int64_t later(void)
{
	return (int64_t)time(NULL) + 600;
}

static void publish(struct store *store, unsigned int first, unsigned int n)
{
	unsigned int numbers[64];
	struct error err = { 0 };

	for (unsigned int i = 0; i < n; i++)
		numbers[i] = first + i;
	if (content_publish(store, "a", numbers, n, &err) < 0)
		fail_msg("%s", err.msg);
}

static bool has(struct store *store, unsigned int number)
{
	char text[32];
	struct digest digest = content_of(number, text);

	return object_exists(store, &digest);
}

static struct gc_report collect(struct store *store, const struct gc_settings *settings)
{
	struct gc_report report;
	struct error err = { 0 };

	if (gc_collect(store, settings, &report, &err) < 0)
		fail_msg("%s", err.msg);
	return report;
}

/* Four generations: files 0-9, 10-19 (a snapshot), 20-29, 30-39. */
static void fill(const struct scratch *scratch)
{
	struct store *store = scratch_open(scratch, STORE_WRITE);
	struct error err = { 0 };

	for (unsigned int i = 0; i < 4; i++) {
		publish(store, 10 * i, 10);
		if (i == 1)
			assert_int_equal(snapshot_set(store, "kept", 2, &err), 0);
	}
	store_close(store);
}

static void removes_what_nobody_needs(void **state)
{
	struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct gc_report report;

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	settings.dry_run = true;
	report = collect(reader, &settings);
	/* The first, generation 0, has none. */
	assert_int_equal(report.generations_removed, 3);
	assert_int_equal(report.generations_kept, 2);
	assert_int_equal(report.objects_removed, 22);
	assert_true(has(reader, 0));
	settings.dry_run = false;
	report = collect(reader, &settings);
	assert_int_equal(report.generations_removed, 3);
	assert_int_equal(report.objects_removed, 22);
	assert_int_equal(report.objects_kept, 22);
	assert_false(has(reader, 0));
	assert_false(has(reader, 29));
	assert_int_equal(content_check(reader, "current"), 10);
	assert_int_equal(content_check(reader, "kept"), 10);
	report = collect(reader, &settings);
	assert_int_equal(report.objects_removed + report.generations_removed, 0);
}

static void keeps_by_number_and_age(void **state)
{
	struct gc_settings settings = { .keep_generations = 3, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct gc_report report;

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	settings.keep_for_s = 3600;
	report = collect(reader, &settings);
	assert_int_equal(report.generations_removed, 0);
	/* As if an hour had passed. */
	settings.now += 4000;
	report = collect(reader, &settings);
	assert_int_equal(report.generations_removed, 2);
	assert_int_equal(content_check(reader, "2") + content_check(reader, "3") +
				 content_check(reader, "4"),
			 30);
	assert_false(has(reader, 0));
}

static void spares_what_a_writer_has_seen(void **state)
{
	const struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct store *writer;
	struct gc_report report;
	struct error err = { 0 };

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	writer = scratch_open(*state, STORE_WRITE);
	/* By the coarse clock of the file system both may have the same time. */
	writer->since.tv_sec++;
	assert_true(has(writer, 0));
	writer->since.tv_sec -= 2;
	assert_int_equal(object_put(writer, "new", 3, NULL, &err), 0);
	assert_int_equal(object_flush(writer, &err), 0);
	report = collect(reader, &settings);
	assert_true(report.objects_spared >= 2);
	assert_true(has(reader, 0));
	store_close(writer);
	report = collect(reader, &settings);
	assert_int_equal(report.objects_spared, 0);
	assert_false(has(reader, 0));
}

static void end(const struct scratch *scratch, const char *name)
{
	_cleanup_(store_closep) struct store *writer = scratch_open(scratch, STORE_WRITE);

	unfinished_end(writer, name);
}

/* What was fetched by who was interrupted is there for the next one. */
static void spares_what_is_not_finished(void **state)
{
	struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct store *writer = scratch_open(*state, STORE_WRITE);
	char text[32];

	(void)content_of(1, text);
	assert_int_equal(object_put(writer, text, strlen(text), NULL, NULL), 0);
	assert_int_equal(unfinished_begin(writer, "a", NULL), 0);
	assert_int_equal(unfinished_begin(writer, "b", NULL), 0);
	(void)content_of(2, text);
	assert_int_equal(object_put(writer, text, strlen(text), NULL, NULL), 0);
	assert_int_equal(object_flush(writer, NULL), 0);
	store_close(writer);
	end(*state, "b");
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(collect(reader, &settings).objects_spared, 2);
	assert_true(has(reader, 1) && has(reader, 2));
	settings.now += UNFINISHED_S;
	settings.dry_run = true;
	assert_int_equal(collect(reader, &settings).objects_removed, 2);
	settings.now = later();
	settings.dry_run = false;
	end(*state, "a");
	assert_int_equal(collect(reader, &settings).objects_removed, 2);
}

static void touch(struct store *store, const char *path, time_t age)
{
	struct timespec times[2] = { { .tv_sec = time(NULL) - age },
				     { .tv_sec = time(NULL) - age } };
	int fd = openat(store_dirfd(store), path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, times), 0);
	(void)close(fd);
}

static void refuses_what_it_cannot_read(void **state)
{
	const struct gc_settings settings = { .keep_generations = 2, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct gc_report report;
	struct error err = { 0 };
	char path[OBJECT_PATH_MAX];
	char aside[OBJECT_PATH_MAX];
	char hex[DIGEST_TEXT_SIZE];

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(generation_read(reader, 3, &generation, &err), 0);
	assert_int_equal(unlinkat(store_dirfd(reader),
				  object_path(&generation->repositories[0].served, path), 0),
			 0);
	assert_int_equal(gc_collect(reader, &settings, &report, &err), -ENOENT);
	assert_int_equal(report.objects_removed, 0);
	assert_true(has(reader, 0));
	/* What was put aside as damaged is known to be lost. */
	(void)snprintf(aside, sizeof(aside), "quarantine/%s",
		       digest_format(&generation->repositories[0].served, hex));
	touch(reader, aside, 0);
	assert_int_equal(gc_collect(reader, &settings, &report, &err), 0);
	assert_false(has(reader, 0));
	assert_int_equal(content_check(reader, "current") + content_check(reader, "kept"), 20);
}

static void write_file(struct store *store, const char *path, const char *text)
{
	int fd;

	assert_int_equal(unlinkat(store_dirfd(store), path, 0), 0);
	fd = openat(store_dirfd(store), path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void refuses(struct store *store, const struct gc_settings *settings, int expected,
		    const char *file, const char *way_out)
{
	struct gc_report report;
	struct error err = { 0 };

	assert_int_equal(gc_collect(store, settings, &report, &err), expected);
	if (!strstr(err.msg, file) || !strstr(err.msg, way_out))
		fail_msg("%s", err.msg);
	assert_int_equal(report.objects_removed, 0);
	assert_true(has(store, 0));
}

static void gives_up_a_damaged_generation(void **state)
{
	struct gc_settings settings = { .keep_generations = 3, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct gc_report report;

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	write_file(reader, "generations/3", "no generation\n");
	refuses(reader, &settings, -EBADMSG, "generation 3", "gc --drop 3");
	settings.drop = 4;
	refuses(reader, &settings, -EINVAL, "4", "rollback");
	settings.drop = 3;
	report = collect(reader, &settings);
	assert_int_equal(report.snapshots_removed, 0);
	assert_false(has(reader, 25));
	assert_int_equal(content_check(reader, "current") + content_check(reader, "kept"), 20);
	settings.drop = 0;
	(void)collect(reader, &settings);
}

static void gives_up_a_dangling_snapshot(void **state)
{
	struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct gc_report report;

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(unlinkat(store_dirfd(reader), "generations/2", 0), 0);
	refuses(reader, &settings, -ENOENT, "snapshot 'kept'", "snapshot --remove kept");
	settings.drop = 2;
	report = collect(reader, &settings);
	assert_int_equal(report.snapshots_removed, 1);
	assert_int_equal(content_check(reader, "current"), 10);
	assert_false(has(reader, 15));
}

static void says_what_the_current_one_needs(void **state)
{
	const struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	write_file(reader, "generations/4", "");
	refuses(reader, &settings, -EBADMSG, "generation 4", "rollback");
}

/* Of a snapshot, for good: that a manifest was lost is not forgotten after a month. */
static void remembers_what_was_lost(void **state)
{
	struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error err = { 0 };
	char path[OBJECT_PATH_MAX];
	char aside[OBJECT_PATH_MAX];
	char hex[DIGEST_TEXT_SIZE];

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(generation_read(reader, 2, &generation, &err), 0);
	(void)snprintf(aside, sizeof(aside), "quarantine/%s",
		       digest_format(&generation->repositories[0].served, hex));
	assert_int_equal(renameat(store_dirfd(reader),
				  object_path(&generation->repositories[0].served, path),
				  store_dirfd(reader), aside),
			 0);
	settings.now += GC_QUARANTINE_S + 10;
	(void)collect(reader, &settings);
	(void)collect(reader, &settings);
	assert_int_equal(content_check(reader, "current"), 10);
}

/* The manifest that is lost is that of an older generation, and of the current one, too. */
static void needs_what_is_shared_with_a_lost_one(void **state)
{
	const struct gc_settings settings = { .keep_generations = 3, .now = later() };
	_cleanup_(generation_freep) struct generation *generation = NULL;
	_cleanup_(store_closep) struct store *reader = NULL;
	struct store *writer = scratch_open(*state, STORE_WRITE);
	const unsigned int other = 90;
	struct error err = { 0 };
	char path[OBJECT_PATH_MAX], aside[OBJECT_PATH_MAX], hex[DIGEST_TEXT_SIZE];

	publish(writer, 0, 10);
	assert_int_equal(content_publish(writer, "b", &other, 1, &err), 0);
	store_close(writer);
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(generation_current(reader, &generation, &err), 0);
	(void)snprintf(aside, sizeof(aside), "quarantine/%s",
		       digest_format(&generation->repositories[0].served, hex));
	assert_int_equal(renameat(store_dirfd(reader),
				  object_path(&generation->repositories[0].served, path),
				  store_dirfd(reader), aside),
			 0);
	refuses(reader, &settings, -ENOENT, "generation 2", "verify --repair");
}

/* -- What was recalled -------------------------------------------------- */

static void recall(const struct scratch *scratch, unsigned int number, bool lifts)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_WRITE);
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	char text[32];
	struct digest digest = content_of(number, text);
	struct error err = { 0 };

	assert_int_equal(generation_current(store, &current, &err), 0);
	assert_int_equal(generation_copy(current, &next, &err), 0);
	if (lifts)
		assert_true(revoked_remove(&next->revoked, &digest));
	else
		assert_int_equal(revoked_add(&next->revoked, &digest, &err), 1);
	next->lifts = lifts;
	if (generation_publish(store, next, &err) < 0)
		fail_msg("%s", err.msg);
}

static int note_fault(void *ctx, _unused_ const struct scrub_finding *finding)
{
	(*(unsigned int *)ctx)++;
	return 0;
}

static unsigned int count_faults(struct store *store)
{
	unsigned int faults = 0;
	const struct scrub_settings settings = { .found = note_fault, .ctx = &faults };
	struct scrub_report report;
	struct error err = { 0 };

	assert_int_equal(scrub(store, &settings, &report, &err), 0);
	return faults;
}

/* A snapshot and the current generation name it, and nobody misses it. */
static void removes_what_was_recalled(void **state)
{
	const struct gc_settings settings = { .keep_generations = 9, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	_cleanup_(generation_freep) struct generation *again = NULL;
	struct store *writer;
	struct error err = { 0 };

	/* Also of what is spared otherwise. */
	writer = scratch_open(*state, STORE_WRITE);
	assert_int_equal(unfinished_begin(writer, "a", &err), 0);
	store_close(writer);
	fill(*state);
	recall(*state, 12, false);
	recall(*state, 33, false);
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(collect(reader, &settings).objects_removed, 2);
	assert_false(has(reader, 12) || has(reader, 33));
	assert_true(has(reader, 13) && has(reader, 34));
	assert_int_equal(count_faults(reader), 0);
	/* Going back to when it was not recalled does not bring it back. */
	writer = scratch_open(*state, STORE_WRITE);
	assert_int_equal(generation_read(writer, 2, &again, &err), 0);
	if (generation_publish(writer, again, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(again->revoked.n, 2);
	store_close(writer);
	assert_int_equal(count_faults(reader), 0);
}

static void keeps_what_is_given_out_again(void **state)
{
	const struct gc_settings settings = { .keep_generations = 9, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;

	fill(*state);
	recall(*state, 12, false);
	recall(*state, 12, true);
	reader = scratch_open(*state, STORE_READ);
	assert_int_equal(collect(reader, &settings).objects_removed, 0);
	assert_int_equal(content_check(reader, "kept"), 10);
}

static void cleans_the_staging(void **state)
{
	const struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = scratch_open(*state, STORE_READ);
	struct store *writer = scratch_open(*state, STORE_WRITE);
	struct gc_report report;

	touch(reader, "staging/old.part", 15 * 24 * 3600);
	touch(reader, "staging/new.part", 3600);
	touch(reader, "staging/manifest.3.part", 3600);
	report = collect(reader, &settings);
	assert_int_equal(report.staged_removed, 0);
	store_close(writer);
	report = collect(reader, &settings);
	assert_int_equal(report.staged_removed, 2);
	assert_int_equal(faccessat(store_dirfd(reader), "staging/new.part", F_OK, 0), 0);
}

static void cleans_the_quarantine(void **state)
{
	struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	struct gc_report report;
	char hex[DIGEST_TEXT_SIZE];
	char text[32];
	char path[OBJECT_PATH_MAX];
	struct digest there = content_of(35, text);
	struct digest gone = content_of(99, text);

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	(void)snprintf(path, sizeof(path), "quarantine/%s", digest_format(&there, hex));
	touch(reader, path, 0);
	(void)snprintf(path, sizeof(path), "quarantine/%s", digest_format(&gone, hex));
	touch(reader, path, 0);
	report = collect(reader, &settings);
	assert_int_equal(report.quarantined_removed, 1);
	settings.now += GC_QUARANTINE_S + 10;
	report = collect(reader, &settings);
	assert_int_equal(report.quarantined_removed, 1);
	assert_int_equal(content_check(reader, "current"), 10);
}

/* A collection that died between moving an object away and removing it. */
static void puts_back_what_was_moved(void **state)
{
	const struct gc_settings settings = { .keep_generations = 1, .now = later() };
	_cleanup_(store_closep) struct store *reader = NULL;
	char hex[DIGEST_TEXT_SIZE];
	char text[32];
	char path[OBJECT_PATH_MAX];
	char dead[OBJECT_PATH_MAX];
	struct digest digest = content_of(35, text);

	fill(*state);
	reader = scratch_open(*state, STORE_READ);
	(void)snprintf(dead, sizeof(dead), "staging/%s.dead", digest_format(&digest, hex));
	assert_int_equal(renameat(store_dirfd(reader), object_path(&digest, path),
				  store_dirfd(reader), dead),
			 0);
	(void)collect(reader, &settings);
	assert_int_equal(content_check(reader, "current"), 10);
}

/* -- Beside a writer ---------------------------------------------------- */

static unsigned int next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

/* Publishes files that were thrown out before, over and over: each may be about to be
 * collected.  Exits with how many publishes failed. */
static int write_all(const struct scratch *scratch)
{
	unsigned int seed = 5;
	int failures = 0;

	for (unsigned int i = 0; i < RACE_PUBLISHES; i++) {
		struct store *store = NULL;
		unsigned int numbers[RACE_FILES];
		struct error err = { 0 };

		if (store_open(scratch->store, STORE_WRITE, &store, &err) < 0)
			return 255;
		for (size_t j = 0; j < RACE_FILES; j++)
			numbers[j] =
				(unsigned int)j * RACE_NUMBERS + next_random(&seed) % RACE_NUMBERS;
		failures += content_publish(store, "a", numbers, RACE_FILES, &err) < 0;
		store_close(store);
	}
	return failures > 254 ? 254 : failures;
}

static void nothing_published_is_lost(void **state)
{
	struct gc_settings settings = { .keep_generations = 2 };
	_cleanup_(store_closep) struct store *reader = scratch_open(*state, STORE_READ);
	pid_t writer = fork();
	uint64_t removed = 0;
	int status = 0;

	if (writer == 0)
		_exit(write_all(*state));
	assert_true(writer > 0);
	while (waitpid(writer, &status, WNOHANG) == 0) {
		settings.now = later();
		removed += collect(reader, &settings).objects_removed;
		/* Nobody but this process removes, so what is current now stays. */
		(void)content_check(reader, "current");
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(removed > 0);
	assert_int_equal(content_check(reader, "current"), RACE_FILES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removes_what_nobody_needs),
		TEST(keeps_by_number_and_age),
		TEST(spares_what_a_writer_has_seen),
		TEST(spares_what_is_not_finished),
		TEST(refuses_what_it_cannot_read),
		TEST(gives_up_a_damaged_generation),
		TEST(gives_up_a_dangling_snapshot),
		TEST(says_what_the_current_one_needs),
		TEST(remembers_what_was_lost),
		TEST(needs_what_is_shared_with_a_lost_one),
		TEST(removes_what_was_recalled),
		TEST(keeps_what_is_given_out_again),
		TEST(cleans_the_staging),
		TEST(cleans_the_quarantine),
		TEST(puts_back_what_was_moved),
		TEST(nothing_published_is_lost),
	};

	return cmocka_run_group_tests_name("gc", tests, NULL, NULL);
}
