/* SPDX-License-Identifier: Apache-2.0 */
/* Imports and exports that are killed at any moment, and go on. */
#include "tests/unit/reservoir/bundle/carry.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"

#define KILLS_MAX 60		  /* of one bundle; then it may finish */
#define BUDGET_MS UINT64_C(20000) /* of one bundle */

static const struct content first[] = {
	{ .path = "dists/Packages",
	  .size = 200000,
	  .seed = 1,
	  .is_text = true,
	  .has_gzip = true,
	  .has_gz = true },
	{ .path = "dists/Sources",
	  .size = 600000,
	  .seed = 1,
	  .is_text = true,
	  .has_gz = true,
	  .is_hidden = true },
	{ .path = "pool/a.deb", .size = 300000, .seed = 3 },
	{ .path = "pool/b.deb", .size = 20, .seed = 4 },
	{ .path = "pool/c.deb", .size = 66000, .seed = 5 },
	{ 0 },
};

static const struct content second[] = {
	{ .path = "dists/Packages",
	  .size = 210000,
	  .seed = 2,
	  .is_text = true,
	  .has_gzip = true,
	  .has_gz = true },
	{ .path = "dists/Sources",
	  .size = 610000,
	  .seed = 2,
	  .is_text = true,
	  .has_gz = true,
	  .is_hidden = true },
	{ .path = "pool/a.deb", .size = 300000, .seed = 3 },
	{ .path = "pool/d.deb", .size = 200000, .seed = 6 },
	{ 0 },
};

/* What a child does, which may be killed in it; 0 when it came to its end. */
typedef int (*work_fn)(struct carry *carry, const void *what);

static int import_work(struct carry *carry, const void *what)
{
	struct import_report report;
	struct error err = { 0 };
	int r;

	r = store_open(carry->site_dir, STORE_WRITE, &carry->site, &err);
	r = r < 0 ? r : catalogue_open(carry->site, &carry->site_catalogue, &err);
	r = r < 0 ? r : carry_try_import(carry, what, CARRY_NOW, false, &report, &err);
	if (r < 0 || report.verdict > IMPORT_ALREADY) {
		(void)fprintf(stderr, "child: %s%s\n", err.msg, r < 0 ? "" : report.why);
		return 1;
	}
	return 0;
}

/* Runs the work in children until one ends by itself; returns how many were killed. */
static int run_killed(struct carry *carry, work_fn work, const void *what)
{
	uint64_t begin = clock_ms();

	for (int kills = 0;; kills++) {
		bool spare = kills >= KILLS_MAX || clock_ms() - begin > BUDGET_MS;
		unsigned int delay_ms = (unsigned int)rand() % (10 + 8 * (unsigned int)kills);
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(work(carry, what));
		for (unsigned int waited = 0; !spare && waited < delay_ms; waited++)
			(void)nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
		if (!spare)
			(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFSIGNALED(status))
			continue;
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		return kills;
	}
}

static void check_staging_is_empty(const struct carry *carry)
{
	char path[128];
	struct dirent **names = NULL;
	int n;

	(void)snprintf(path, sizeof(path), "%s/staging", carry->site_dir);
	n = scandir(path, &names, NULL, NULL);
	for (int i = 0; i < n; i++) {
		if (strstr(names[i]->d_name, ".bundle") || strstr(names[i]->d_name, "scan-"))
			fail_msg("%s is left", names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void test_import_is_killed(void **state)
{
	struct carry *carry = *state;
	char one[BUNDLE_NAME_MAX], two[BUNDLE_NAME_MAX];
	int kills;

	srand(7);
	carry_publish(carry->hub, "debian", first);
	(void)snprintf(one, sizeof(one), "%s", carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", second);
	(void)snprintf(two, sizeof(two), "%s", carry_export(carry, 1).name);
	carry_close_site(carry);
	kills = run_killed(carry, import_work, one);
	kills += run_killed(carry, import_work, two);
	assert_true(kills > 2);
	carry_open_site(carry);
	carry_check(carry, "debian", second);
	check_staging_is_empty(carry);
	carry_assert(carry_import(carry, two), IMPORT_ALREADY);
}

static int export_work(struct carry *carry, _unused_ const void *what)
{
	struct export_report report;
	struct error err = { 0 };
	int r;

	r = store_open(carry->hub_dir, STORE_WRITE, &carry->hub, &err);
	r = r < 0 ? r : catalogue_open(carry->hub, &carry->hub_catalogue, &err);
	r = r < 0 ? r : carry_try_export(carry, 0, CARRY_NOW, &report, &err);
	if (r < 0)
		(void)fprintf(stderr, "child: %s\n", err.msg);
	return r < 0;
}

static void test_export_is_killed(void **state)
{
	struct carry *carry = *state;
	struct export_report report;
	struct error err = { 0 };

	srand(8);
	carry_publish(carry->hub, "debian", first);
	catalogue_close(TAKE_PTR(carry->hub_catalogue));
	store_close(TAKE_PTR(carry->hub));
	assert_true(run_killed(carry, export_work, NULL) > 1);
	CARRY_TRY(store_open(carry->hub_dir, STORE_WRITE, &carry->hub, &err), &err);
	CARRY_TRY(catalogue_open(carry->hub, &carry->hub_catalogue, &err), &err);
	report = carry_export(carry, 0);
	assert_int_equal(report.sequence, 1);
	assert_int_equal(report.n_resumed, report.n_chunks);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
	carry_check(carry, "debian", first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, carry_setup, carry_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(import_is_killed),
		TEST(export_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
