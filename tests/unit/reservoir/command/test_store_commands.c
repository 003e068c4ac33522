/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status, snapshot, rollback, diff, gc and verify, from their words to what they print.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/file.h"
#include "reservoir/command/command.h"
#include "reservoir/store/catalogue.h"
#include "tests/unit/reservoir/store/content.h"

#define OUTPUT_MAX 65536

#define CONFIG /* of repositories whose upstreams are directories */           \
	"keep:\n  generations: 1\n  for: 0s\n"                                 \
	"sync:\n  keepFree: 0\n  attempts: 1\n"                                \
	"repositories:\n- name: a\n  ecosystem: apt\n  upstream: file://%s/\n" \
	"  apt: {suites: [x], unverified: true}\n"                             \
	"- name: b\n  ecosystem: apt\n  upstream: file://%s/b\n"               \
	"  apt: {suites: [x], unverified: true}\n"

static char output[OUTPUT_MAX];

static int setup(void **state)
{
	static const unsigned int numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	int r = scratch_setup(state);
	struct store *store = scratch_open(*state, STORE_WRITE);
	struct error err = { 0 };

	if (content_publish(store, "a", numbers, 4, &err) < 0 ||
	    content_publish(store, "b", numbers, 2, &err) < 0 ||
	    content_publish(store, "a", numbers + 1, 6, &err) < 0)
		fail_msg("%s", err.msg);
	store_close(store);
	return r;
}

/* Runs a command, and keeps what it prints in @output. */
static int run(const struct scratch *scratch, const char *const *words)
{
	const char *argv[16] = { words[0], "--store", scratch->store };
	struct settings settings = settings_default();
	_cleanup_strbuf_ struct strbuf usage = STRBUF_INIT(OUTPUT_MAX);
	struct error err = { 0 };
	char path[128];
	int saved = dup(STDOUT_FILENO);
	int fd;
	int r;

	for (size_t i = 1; words[i]; i++)
		argv[i + 2] = words[i];
	(void)snprintf(path, sizeof(path), "%s/output", scratch->dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(saved >= 0 && fd >= 0 && fflush(stdout) == 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	settings.log_level = LOG_LEVEL_ERROR;
	r = command_run(argv, &settings, &usage, &err);
	(void)fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	assert_true(file_read(AT_FDCWD, path, output, sizeof(output), &err) >= 0);
	(void)close(saved);
	(void)close(fd);
	if (r == COMMAND_FAILED || r == COMMAND_MISUSED)
		(void)snprintf(output, sizeof(output), "%s", err.msg);
	return r;
}
#define RUN(...) run(*state, (const char *const[]) { __VA_ARGS__, NULL })

static void has(const char *text)
{
	if (!strstr(output, text))
		fail_msg("no '%s' in: %s", text, output);
}

static void shows_the_status(void **state)
{
	struct store *writer;
	json_t *json;

	assert_int_equal(RUN("status"), COMMAND_DONE);
	has("Generation:  3, ");
	has("Writer:      none");
	has("REPOSITORY");
	has("a           apt       6");
	writer = scratch_open(*state, STORE_WRITE);
	assert_int_equal(RUN("status", "--json"), COMMAND_DONE);
	store_close(writer);
	json = json_loads(output, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "objects")), 7 + 3);
	assert_true(json_string_length(json_object_get(json, "writer")) > 0);
	assert_int_equal(json_array_size(json_object_get(json, "repositories")), 2);
	json_decref(json);
}

static void keeps_snapshots(void **state)
{
	assert_int_equal(RUN("snapshot", "before", "1"), COMMAND_DONE);
	assert_int_equal(RUN("snapshot", "now"), COMMAND_DONE);
	assert_int_equal(RUN("snapshot", "now"), COMMAND_FAILED);
	assert_int_equal(RUN("snapshot", "12"), COMMAND_FAILED);
	assert_int_equal(RUN("snapshot", "--remove"), COMMAND_MISUSED);
	assert_int_equal(RUN("snapshot"), COMMAND_DONE);
	has("before             1");
	has("now                3");
	assert_int_equal(RUN("snapshot", "--remove", "now"), COMMAND_DONE);
	assert_int_equal(RUN("snapshot", "--json"), COMMAND_DONE);
	has("\"before\"");
	assert_null(strstr(output, "\"now\""));
}

static void compares(void **state)
{
	assert_int_equal(RUN("diff", "1", "current"), COMMAND_DONE);
	has("-       17 B  a/file-0\n");
	has("+       17 B  a/file-6\n");
	has("+       17 B  b/file-1\n");
	has("added 5 files, 85 B; removed 1 files, 17 B; changed 0 files, 0 B\n");
	assert_int_equal(RUN("diff", "1", "3", "--json", "--repository", "a"), COMMAND_DONE);
	has("\"change\":\"added\",\"path\":\"file-6\"");
	assert_null(strstr(output, "\"b\""));
	assert_int_equal(RUN("diff", "1", "9"), COMMAND_FAILED);
	assert_int_equal(RUN("diff", "1", "3", "--repository", "c"), COMMAND_FAILED);
	assert_int_equal(RUN("diff", "3", "3"), COMMAND_DONE);
	has("added 0 files");
}

static void goes_back(void **state)
{
	assert_int_equal(RUN("rollback", "1", "--repository", "a"), COMMAND_DONE);
	has("generation 4: rollback to 1 of a");
	assert_int_equal(RUN("diff", "1", "4"), COMMAND_DONE);
	has("added 2 files, 34 B; removed 0 files");
	assert_int_equal(RUN("rollback", "1"), COMMAND_DONE);
	assert_int_equal(RUN("diff", "1", "current"), COMMAND_DONE);
	has("added 0 files, 0 B; removed 0 files");
	assert_int_equal(RUN("rollback", "99"), COMMAND_FAILED);
	assert_int_equal(RUN("rollback", "1", "--repository", "c"), COMMAND_FAILED);
}

static void write_config(const struct scratch *scratch)
{
	char path[128];
	char text[512];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/reservoir.yaml", scratch->store);
	(void)snprintf(text, sizeof(text), CONFIG, scratch->dir, scratch->dir);
	assert_int_equal(file_publish(path, text, strlen(text), 0644, &err), 0);
}

/* A configuration that is refused is no fault of the command line. */
static void tells_who_is_wrong(void **state)
{
	const struct scratch *scratch = *state;
	char path[128];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/reservoir.yaml", scratch->store);
	assert_int_equal(file_publish(path, "kept: {}\n", strlen("kept: {}\n"), 0644, &err), 0);
	assert_int_equal(RUN("gc", "--keep", "3"), COMMAND_FAILED);
	has("unknown key 'kept'");
	write_config(scratch);
	assert_int_equal(RUN("gc", "--keep", "x"), COMMAND_MISUSED);
	assert_int_equal(RUN("gc", "--drop", "0"), COMMAND_MISUSED);
	assert_int_equal(RUN("import", "--repair", "--dry-run", "a.manifest"), COMMAND_MISUSED);
}

static void collects(void **state)
{
	write_config(*state);
	assert_int_equal(RUN("gc", "--keep", "0"), COMMAND_MISUSED);
	assert_int_equal(RUN("gc", "--dry-run"), COMMAND_DONE);
	has("3 would be removed, 1 kept");
	assert_int_equal(RUN("gc", "--keep", "10"), COMMAND_DONE);
	has("Generations: 0 removed, 4 kept");
	assert_int_equal(RUN("gc"), COMMAND_DONE);
	has("Generations: 3 removed, 1 kept");
	/* File 0 is still one of b's, so it is only a manifest that goes. */
	has("Objects:     1 (");
}

static void damage(const struct scratch *scratch, unsigned int number)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_READ);
	char hex[DIGEST_TEXT_SIZE];
	char path[96];
	char text[32];
	struct digest digest = content_of(number, text);
	int fd;

	(void)digest_format(&digest, hex);
	(void)snprintf(path, sizeof(path), "objects/%.2s/%s", hex, hex);
	assert_int_equal(fchmodat(store_dirfd(store), path, 0644, 0), 0);
	fd = openat(store_dirfd(store), path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, "X", 1, 3) == 1);
	(void)close(fd);
}

/* Puts what file N has where an upstream has it. */
static void make_source(const struct scratch *scratch, const char *below, unsigned int number)
{
	char path[128];
	char text[32];
	struct error err = { 0 };

	(void)content_of(number, text);
	(void)snprintf(path, sizeof(path), "%s/%s", scratch->dir, below);
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	(void)snprintf(path, sizeof(path), "%s/%sfile-%u", scratch->dir, below, number);
	assert_int_equal(file_publish(path, text, strlen(text), 0644, &err), 0);
}

static void verifies_and_repairs(void **state)
{
	write_config(*state);
	assert_int_equal(RUN("verify"), COMMAND_DONE);
	has("all as it should be");
	damage(*state, 3);
	damage(*state, 5);
	assert_int_equal(RUN("verify"), COMMAND_INCOMPLETE);
	has("a/file-3 of generation 1");
	has("a/file-5 of generation 3");
	has("2 objects quarantined");
	assert_int_equal(RUN("status"), COMMAND_DONE);
	has("Quarantine:  2 damaged objects");
	make_source(*state, "", 3);
	assert_int_equal(RUN("verify", "--repair"), COMMAND_INCOMPLETE);
	has("not repaired  a/file-5");
	has("repaired 1 objects");
	make_source(*state, "", 5);
	assert_int_equal(RUN("verify", "--repair"), COMMAND_DONE);
	has("repaired 1 objects");
	assert_int_equal(RUN("verify", "--json"), COMMAND_DONE);
	has("\"faults\":0");
	assert_int_equal(RUN("status"), COMMAND_DONE);
	assert_null(strstr(output, "Quarantine"));
}

static void repairs_from_whichever_upstream_has_it(void **state)
{
	write_config(*state);
	damage(*state, 1); /* both repositories have it */
	assert_int_equal(RUN("verify"), COMMAND_INCOMPLETE);
	assert_int_equal(RUN("verify", "--repair"), COMMAND_INCOMPLETE);
	has("not repaired  a/file-1");
	has("not repaired  b/file-1");
	make_source(*state, "b/", 1);
	assert_int_equal(RUN("verify", "--repair"), COMMAND_DONE);
	has("repaired 1 objects");
}

static void expect_recalled(struct scratch *scratch, size_t n)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_READ);
	_cleanup_(generation_freep) struct generation *current = NULL;
	struct error err = { 0 };

	assert_int_equal(generation_current(store, &current, &err), 0);
	assert_int_equal(current->revoked.n, n);
}

static void recalls(void **state)
{
	char text[32];
	char hex[DIGEST_TEXT_SIZE];
	struct digest digest = content_of(2, text);

	(void)digest_format(&digest, hex);
	assert_int_equal(RUN("recall"), COMMAND_DONE);
	assert_string_equal(output, "");
	/* No package's path. */
	assert_int_equal(RUN("recall", "a/file-2"), COMMAND_FAILED);
	has("no generation has a package 'a/file-2'");
	assert_int_equal(RUN("recall", hex, "--dry-run"), COMMAND_DONE);
	expect_recalled(*state, 0);
	assert_int_equal(RUN("recall", hex), COMMAND_DONE);
	has(hex);
	expect_recalled(*state, 1);
	assert_int_equal(RUN("recall", "--json"), COMMAND_DONE);
	has(hex);
	assert_int_equal(RUN("status"), COMMAND_DONE);
	has("Recalled:    1 files");
	assert_int_equal(RUN("rollback", "2"), COMMAND_DONE);
	expect_recalled(*state, 1);
	assert_int_equal(RUN("recall", hex, "--undo"), COMMAND_DONE);
	expect_recalled(*state, 0);
}

/* Of the first generation of "a", which is not the current one's, or of the current one. */
static void damage_manifest(struct scratch *scratch, uint64_t number)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_READ);
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char hex[DIGEST_TEXT_SIZE];
	char path[192];

	assert_int_equal(generation_read(store, number, &generation, NULL), 0);
	(void)digest_format(&generation->repositories[0].served, hex);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", scratch->store, hex, hex);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 10), 0);
}

/* What is dangerous does not wait for a repair. */
static void recalls_beside_what_is_damaged(void **state)
{
	char text[32];
	char hex[DIGEST_TEXT_SIZE];
	struct digest digest = content_of(2, text);

	damage_manifest(*state, 1);
	assert_int_equal(RUN("recall", digest_format(&digest, hex)), COMMAND_DONE);
	expect_recalled(*state, 1);
}

static void status_tells_what_is_damaged(void **state)
{
	assert_int_equal(RUN("status"), COMMAND_DONE);
	assert_null(strstr(output, "verify --repair"));
	damage_manifest(*state, 3);
	assert_int_equal(RUN("status"), COMMAND_DONE);
	has("a: cannot be read: ");
	has("`verify --repair` may bring it back");
	assert_int_equal(RUN("status", "--json"), COMMAND_DONE);
	has("\"trouble\": \"cannot be read: ");
}

static void says_where_a_configuration_is_looked_for(void **state)
{
	assert_int_equal(RUN("gc"), COMMAND_FAILED);
	has("there is no configuration '");
	has("--store");
}

static void rolls_back_from_a_damaged_one(void **state)
{
	struct scratch *scratch = *state;
	char text[32];
	char hex[DIGEST_TEXT_SIZE];
	struct digest digest = content_of(2, text);
	char path[128];

	write_config(scratch);
	assert_int_equal(RUN("recall", digest_format(&digest, hex)), COMMAND_DONE);
	assert_int_equal(RUN("rollback", "3"), COMMAND_DONE);
	(void)snprintf(path, sizeof(path), "%s/generations/5", scratch->store);
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(RUN("status"), COMMAND_FAILED);
	has("`rollback` publishes an earlier one");
	assert_int_equal(RUN("rollback", "3", "--repository", "a"), COMMAND_FAILED);
	has("without --repository");
	assert_int_equal(RUN("rollback", "3"), COMMAND_DONE);
	has("generation 6: rollback to 3");
	expect_recalled(*state, 1);
	assert_int_equal(RUN("status"), COMMAND_DONE);
	assert_int_equal(RUN("gc", "--drop", "5"), COMMAND_DONE);
	assert_int_equal(RUN("gc", "--drop", "none"), COMMAND_MISUSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shows_the_status),
		TEST(keeps_snapshots),
		TEST(compares),
		TEST(goes_back),
		TEST(tells_who_is_wrong),
		TEST(collects),
		TEST(verifies_and_repairs),
		TEST(repairs_from_whichever_upstream_has_it),
		TEST(recalls),
		TEST(recalls_beside_what_is_damaged),
		TEST(status_tells_what_is_damaged),
		TEST(says_where_a_configuration_is_looked_for),
		TEST(rolls_back_from_a_damaged_one),
	};

	return cmocka_run_group_tests_name("store_commands", tests, NULL, NULL);
}
