/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/scrub.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "reservoir/store/store_private.h"
#include "tests/unit/reservoir/store/content.h"

struct findings {
	unsigned int n[_SCRUB_FAULT_MAX];
	char path[STORE_PATH_MAX]; /* of the last one that is missing */
	struct digest damaged;	   /* the last one */
};

static int note(void *ctx, const struct scrub_finding *finding)
{
	struct findings *findings = ctx;

	findings->n[finding->fault]++;
	if (finding->fault == SCRUB_MISSING)
		(void)snprintf(findings->path, sizeof(findings->path), "%s/%s", finding->repository,
			       finding->path);
	if (finding->fault == SCRUB_DAMAGED)
		findings->damaged = finding->digest;
	return 0;
}

static struct findings look(struct store *store, const char *repository)
{
	struct findings findings = { 0 };
	const struct scrub_settings settings = {
		.repositories = repository ? &repository : NULL,
		.n_repositories = repository ? 1 : 0,
		.found = note,
		.ctx = &findings,
	};
	struct scrub_report report;
	struct error err = { 0 };

	if (scrub(store, &settings, &report, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(report.references > 0);
	return findings;
}

static unsigned int sum(const struct findings *findings)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(findings->n); i++)
		n += findings->n[i];
	return n;
}

static void fill(const struct scratch *scratch)
{
	static const unsigned int numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct store *store = scratch_open(scratch, STORE_WRITE);
	struct error err = { 0 };

	if (content_publish(store, "a", numbers, 10, &err) < 0 ||
	    content_publish(store, "b", numbers + 2, 4, &err) < 0)
		fail_msg("%s", err.msg);
	store_close(store);
}

static void flip(struct store *store, const char *path, off_t bit)
{
	unsigned char byte = 0;
	int fd;

	assert_int_equal(fchmodat(store_dirfd(store), path, 0644, 0), 0);
	fd = openat(store_dirfd(store), path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && pread(fd, &byte, 1, bit / 8) == 1);
	byte = (unsigned char)(byte ^ 1 << bit % 8);
	assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
	(void)close(fd);
}

static void finds_nothing(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct findings findings;

	fill(*state);
	store = scratch_open(*state, STORE_READ);
	findings = look(store, NULL);
	assert_int_equal(sum(&findings), 0);
	findings = look(store, "a");
	assert_int_equal(sum(&findings), 0);
}

/* Every single bit of an object is found, and the object given to nobody. */
static void finds_every_bit(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	char text[32];
	char path[OBJECT_PATH_MAX];
	struct digest digest = content_of(7, text);

	fill(*state);
	store = scratch_open(*state, STORE_READ);
	for (off_t bit = 0; bit < (off_t)strlen(text) * 8; bit++) {
		struct findings findings;
		char hex[DIGEST_TEXT_SIZE];
		char aside[OBJECT_PATH_MAX];
		struct error err = { 0 };

		flip(store, object_path(&digest, path), bit);
		findings = look(store, bit % 2 ? "a" : NULL);
		assert_int_equal(findings.n[SCRUB_DAMAGED], 1);
		assert_int_equal(findings.n[SCRUB_MISSING], 1);
		assert_string_equal(findings.path, "a/file-7");
		assert_true(digest_equal(&findings.damaged, &digest));
		assert_int_equal(object_open(store, &digest, NULL, &err), -ENOENT);
		(void)snprintf(aside, sizeof(aside), "quarantine/%s", digest_format(&digest, hex));
		assert_int_equal(renameat(store_dirfd(store), aside, store_dirfd(store), path), 0);
		flip(store, path, bit);
	}
}

static void looks_at_one(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	char text[32], path[OBJECT_PATH_MAX];
	struct digest damaged = content_of(7, text), good = content_of(3, text);
	struct digest nowhere = digest_of("nowhere", 7);
	struct error err = { 0 };

	fill(*state);
	store = scratch_open(*state, STORE_WRITE);
	flip(store, object_path(&damaged, path), 1);
	assert_int_equal(scrub_object(store, &good, &err), 0);
	assert_int_equal(scrub_object(store, &nowhere, &err), 0);
	assert_int_equal(scrub_object(store, &damaged, &err), -EBADMSG);
	assert_false(object_exists(store, &damaged));
	assert_true(object_exists(store, &good));
}

static void finds_what_is_gone(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error err = { 0 };
	struct findings findings;
	char path[OBJECT_PATH_MAX];
	char text[32];
	struct digest digest = content_of(3, text);

	fill(*state);
	store = scratch_open(*state, STORE_READ);
	assert_int_equal(unlinkat(store_dirfd(store), object_path(&digest, path), 0), 0);
	findings = look(store, NULL);
	/* Both repositories have it. */
	assert_int_equal(findings.n[SCRUB_MISSING], 2);
	findings = look(store, "b");
	assert_int_equal(findings.n[SCRUB_MISSING], 1);
	assert_string_equal(findings.path, "b/file-3");
	assert_int_equal(generation_current(store, &generation, &err), 0);
	assert_int_equal(unlinkat(store_dirfd(store),
				  object_path(&generation->repositories[0].served, path), 0),
			 0);
	flip(store, "generations/1", 99);
	findings = look(store, NULL);
	assert_int_equal(findings.n[SCRUB_GENERATION], 1);
	assert_int_equal(findings.n[SCRUB_MANIFEST], 1);
	assert_int_equal(findings.n[SCRUB_MISSING], 1);
}

static void knows_what_misses_something(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	_cleanup_(manifest_freep) struct manifest *a = NULL;
	_cleanup_(manifest_freep) struct manifest *b = NULL;
	struct error err = { 0 };
	char path[OBJECT_PATH_MAX];
	char text[32];
	struct digest digest = content_of(7, text);
	struct revoked revoked = { 0 };

	fill(*state);
	store = scratch_open(*state, STORE_READ);
	assert_int_equal(generation_current(store, &generation, &err), 0);
	assert_int_equal(manifest_open(store, &generation->repositories[0].served, &a, &err), 0);
	assert_int_equal(manifest_open(store, &generation->repositories[1].served, &b, &err), 0);
	assert_false(scrub_misses(store, a, NULL, &revoked));
	assert_true(scrub_misses(store, a, NULL, &(struct revoked) { &digest, 1 }));
	flip(store, object_path(&digest, path), 3);
	(void)look(store, NULL);
	assert_true(scrub_misses(store, a, NULL, &revoked));
	assert_false(scrub_misses(store, b, NULL, &revoked));
	/* What another has, and was looked at there, is not looked at again. */
	assert_false(scrub_misses(store, a, a, &revoked));
	assert_true(scrub_misses(store, a, b, &revoked));
}

static void asks_for_names_that_are_there(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	const char *name = "none";
	struct findings findings = { 0 };
	const struct scrub_settings settings = {
		.repositories = &name, .n_repositories = 1, .found = note, .ctx = &findings
	};
	struct scrub_report report;
	struct error err = { 0 };

	fill(*state);
	store = scratch_open(*state, STORE_READ);
	assert_int_equal(scrub(store, &settings, &report, &err), -ENOENT);
}

/* The others are read all the same. */
static void goes_on_after_what_cannot_be_opened(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct findings findings;
	char path[OBJECT_PATH_MAX];
	char text[32];
	struct digest digest = content_of(3, text);

	fill(*state);
	store = scratch_open(*state, STORE_READ);
	assert_int_equal(unlinkat(store_dirfd(store), object_path(&digest, path), 0), 0);
	assert_int_equal(symlinkat(path, store_dirfd(store), path), 0);
	digest = content_of(5, text);
	flip(store, object_path(&digest, path), 3);
	findings = look(store, NULL);
	assert_int_equal(findings.n[SCRUB_UNREADABLE], 1);
	assert_int_equal(findings.n[SCRUB_DAMAGED], 1);
}

/* -- Several threads ----------------------------------------------------- */

#define MANY 1500u /* more than a ring of them */
#define EVERY 7u   /* of these is damaged */

struct order {
	struct digest last;
	unsigned int n;
	unsigned int stop_at;
	volatile sig_atomic_t stop;
};

static int note_order(void *ctx, const struct scrub_finding *finding)
{
	struct order *order = ctx;

	if (finding->fault != SCRUB_DAMAGED)
		return 0;
	assert_true(order->n == 0 ||
		    memcmp(order->last.bytes, finding->digest.bytes, DIGEST_SIZE) < 0);
	order->last = finding->digest;
	if (++order->n == order->stop_at)
		order->stop = 1;
	return 0;
}

static void damage_many(const struct scratch *scratch)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_WRITE);
	unsigned int numbers[MANY];
	struct error err = { 0 };

	for (unsigned int i = 0; i < MANY; i++)
		numbers[i] = i;
	if (content_publish(store, "a", numbers, MANY, &err) < 0)
		fail_msg("%s", err.msg);
	for (unsigned int i = 0; i < MANY; i += EVERY) {
		char text[32];
		char path[OBJECT_PATH_MAX];
		struct digest digest = content_of(i, text);

		flip(store, object_path(&digest, path), 5);
	}
}

static int scrub_by(struct store *store, unsigned int jobs, struct order *order,
		    struct scrub_report *ret)
{
	const struct scrub_settings settings = {
		.jobs = jobs, .found = note_order, .ctx = order, .stop = &order->stop
	};
	struct error err = { 0 };

	return scrub(store, &settings, ret, &err);
}

static void tells_in_order_by(void **state, unsigned int jobs)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct order order = { 0 };
	struct scrub_report report;

	damage_many(*state);
	store = scratch_open(*state, STORE_READ);
	assert_int_equal(scrub_by(store, jobs, &order, &report), 0);
	assert_int_equal(order.n, (MANY + EVERY - 1) / EVERY);
	assert_int_equal(report.quarantined, order.n);
	assert_int_equal(report.objects, MANY + 1); /* and the manifest */
	/* What is damaged is missing then. */
	assert_int_equal(report.faults, 2 * order.n);
}

static void tells_in_order_by_one(void **state)
{
	tells_in_order_by(state, 1);
}

static void tells_in_order_by_many(void **state)
{
	tells_in_order_by(state, 7);
}

static void stops_when_told(void **state)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct order order = { .stop_at = 3 };
	struct scrub_report report;

	damage_many(*state);
	store = scratch_open(*state, STORE_READ);
	assert_int_equal(scrub_by(store, 4, &order, &report), -EINTR);
	assert_int_equal(report.quarantined, 3);
	assert_true(report.objects < MANY);
	/* What is left is found by the next. */
	order.stop = 0;
	order.stop_at = 0;
	order.n = 0;
	assert_int_equal(scrub_by(store, 4, &order, &report), 0);
	assert_true(order.n > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_nothing),
		TEST(finds_every_bit),
		TEST(looks_at_one),
		TEST(finds_what_is_gone),
		TEST(goes_on_after_what_cannot_be_opened),
		TEST(knows_what_misses_something),
		TEST(asks_for_names_that_are_there),
		TEST(tells_in_order_by_one),
		TEST(tells_in_order_by_many),
		TEST(stops_when_told),
	};

	return cmocka_run_group_tests_name("scrub", tests, NULL, NULL);
}
