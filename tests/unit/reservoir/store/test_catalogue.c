/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/macro.h"
#include "tests/unit/reservoir/store/scratch.h"

static struct catalogue *open_it(struct store *store)
{
	struct catalogue *catalogue = NULL;
	struct error err = { 0 };

	if (catalogue_open(store, &catalogue, &err) < 0)
		fail_msg("%s", err.msg);
	return catalogue;
}

static int note(void *ctx, const char *key, const void *value, size_t len)
{
	strbuf_printf(ctx, "%s=%.*s ", key, (int)len, len ? (const char *)value : "");
	return 0;
}

static void keeps_what_was_committed(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1000);
	struct catalogue *catalogue = open_it(store);
	struct error err = { 0 };

	assert_int_equal(catalogue_put(catalogue, "fetch", "b", "2", 1, &err), 0);
	assert_int_equal(catalogue_put(catalogue, "fetch", "a", "1", 1, &err), 0);
	assert_int_equal(catalogue_put(catalogue, "fetch", "a", "one", 3, &err), 0);
	assert_int_equal(catalogue_put(catalogue, "fetch", "c", "", 0, &err), 0);
	assert_int_equal(catalogue_put(catalogue, "other", "a", "x", 1, &err), 0);
	assert_int_equal(catalogue_audit(catalogue, "publish", "generation 1", &err), 0);
	assert_int_equal(catalogue_audit(catalogue, "publish", "generation 2", &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	assert_int_equal(catalogue_put(catalogue, "fetch", "b", NULL, 0, &err), 0);
	assert_int_equal(catalogue_get(catalogue, "fetch", "b", &text, &err), -ENOENT);
	catalogue_close(catalogue);
	catalogue = open_it(store);
	assert_int_equal(catalogue_each(catalogue, "fetch", note, &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "a=one b=2 c= ");
	strbuf_clear(&text);
	assert_int_equal(catalogue_get(catalogue, "other", "a", &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "x");
	assert_int_equal(catalogue_get(catalogue, "other", "b", &text, &err), -ENOENT);
	catalogue_close(catalogue);
}

static off_t size_of(const struct store *store)
{
	struct stat st;

	assert_int_equal(fstatat(store_dirfd(store), "catalogue.sqlite", &st, 0), 0);
	return st.st_size;
}

static void forgets_a_kind(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1000);
	static const char value[CATALOGUE_VALUE_MAX];
	struct catalogue *catalogue = open_it(store);
	struct error err = { 0 };
	off_t before;

	assert_int_equal(catalogue_next_space(catalogue, "", &text, &err), -ENOENT);
	for (char key[] = "a"; key[0] <= 'h'; key[0]++)
		assert_int_equal(
			catalogue_put(catalogue, "apt/gone", key, value, sizeof(value), &err), 0);
	assert_int_equal(catalogue_put(catalogue, "apt/here", "a", "1", 1, &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	catalogue_close(catalogue);
	before = size_of(store);
	catalogue = open_it(store);
	assert_int_equal(catalogue_next_space(catalogue, "", &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "apt/gone");
	assert_int_equal(catalogue_forget(catalogue, "apt/gone", &err), 0);
	assert_int_equal(catalogue_forget(catalogue, "apt/never", &err), 0);
	strbuf_clear(&text);
	assert_int_equal(catalogue_next_space(catalogue, "", &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "apt/here");
	assert_int_equal(catalogue_next_space(catalogue, "apt/here", &text, &err), -ENOENT);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	catalogue_close(catalogue);
	assert_true(size_of(store) < before - (off_t)(7 * sizeof(value)));
	catalogue = open_it(store);
	strbuf_clear(&text);
	assert_int_equal(catalogue_get(catalogue, "apt/here", "a", &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "1");
	catalogue_close(catalogue);
}

static void refuses_what_is_too_long(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(catalogue_closep) struct catalogue *catalogue = open_it(store);
	static char value[CATALOGUE_VALUE_MAX + 1];
	char key[CATALOGUE_KEY_MAX + 1];
	struct error err = { 0 };

	memset(key, 'k', sizeof(key));
	key[CATALOGUE_KEY_MAX] = '\0';
	assert_int_equal(catalogue_put(catalogue, "a", key, "", 0, &err), -E2BIG);
	key[CATALOGUE_KEY_MAX - 1] = '\0';
	assert_int_equal(catalogue_put(catalogue, "a", key, "", 0, &err), 0);
	assert_int_equal(catalogue_put(catalogue, "a", "b", value, sizeof(value), &err), -E2BIG);
	assert_int_equal(catalogue_put(catalogue, "a", "b", value, sizeof(value) - 1, &err), 0);
}

static void begins_anew_after_damage(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct catalogue *catalogue = open_it(store);
	struct error err = { 0 };
	int fd;

	assert_int_equal(catalogue_put(catalogue, "a", "b", "c", 1, &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	catalogue_close(catalogue);
	fd = openat(store_dirfd(store), "catalogue.sqlite", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, "garbage here", 12, 0) == 12);
	(void)close(fd);
	assert_int_equal(catalogue_open(store, &catalogue, &err), 0);
	assert_non_null(strstr(err.msg, "catalogue.damaged"));
	assert_int_equal(faccessat(store_dirfd(store), "catalogue.damaged", F_OK, 0), 0);
	assert_int_equal(catalogue_put(catalogue, "a", "b", "c", 1, &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	catalogue_close(catalogue);
}

/* Makes the catalogue what somebody else would like it to be. */
static void make_hostile(const struct scratch *scratch, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/catalogue.sqlite", scratch->store);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void begins_anew_after_other_tables(void **state)
{
	static const char *const tables[] = {
		"CREATE TABLE entry (x)",
		"CREATE VIEW entry AS SELECT 'a' AS space, 'b' AS key, 'c' AS value",
		"CREATE TABLE audit (y)",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
		_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
		struct error err = { 0 };

		(void)unlinkat(store_dirfd(store), "catalogue.sqlite", 0);
		make_hostile(*state, tables[i]);
		assert_int_equal(catalogue_open(store, &catalogue, &err), 0);
		assert_non_null(strstr(err.msg, "catalogue.damaged"));
		assert_int_equal(catalogue_put(catalogue, "a", "b", "c", 1, &err), 0);
		assert_int_equal(catalogue_audit(catalogue, "event", "text", &err), 0);
		assert_int_equal(catalogue_commit(catalogue, &err), 0);
	}
}

/* Rows that are no texts are passed over: in a walk they would have no end, or no name. */
static void passes_over_what_is_no_text(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1000);
	_cleanup_strbuf_ struct strbuf space = STRBUF_INIT(CATALOGUE_KEY_MAX);
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	struct error err = { 0 };

	make_hostile(*state, "CREATE TABLE entry (space, key, value);"
			     "CREATE UNIQUE INDEX i ON entry (space, key);"
			     "CREATE TABLE audit (number INTEGER PRIMARY KEY, time, event, text, "
			     "hash);"
			     "CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM entry; END;"
			     "INSERT INTO entry VALUES ('a', NULL, NULL), ('a', 1, 1), "
			     "('a', 'b', 'c'), (NULL, NULL, NULL), (x'ff', 'b', 'c')");
	assert_int_equal(catalogue_open(store, &catalogue, &err), 0);
	assert_int_equal(catalogue_audit(catalogue, "event", "text", &err), 0);
	assert_int_equal(catalogue_each(catalogue, "a", note, &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "b=c ");
	assert_int_equal(catalogue_next_space(catalogue, "", &space, &err), 0);
	assert_string_equal(strbuf_str(&space), "a");
	assert_int_equal(catalogue_next_space(catalogue, "a", &space, &err), -ENOENT);
}

/* Without the signal: writing beyond it fails, as on a full disk. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What fails to be written is undone, and what comes later is written. */
static void goes_on_after_a_full_disk(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1000);
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct catalogue *catalogue = open_it(store);
	struct error err = { 0 };

	assert_int_equal(sigaction(SIGXFSZ, &ignore, NULL), 0);
	assert_int_equal(catalogue_put(catalogue, "a", "before", "1", 1, &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	limit_files(0);
	assert_int_equal(catalogue_put(catalogue, "a", "lost", "1", 1, &err), 0);
	assert_true(catalogue_commit(catalogue, &err) < 0);
	limit_files(RLIM_INFINITY);
	assert_int_equal(catalogue_put(catalogue, "a", "given up", "1", 1, &err), 0);
	catalogue_rollback(catalogue);
	assert_int_equal(catalogue_put(catalogue, "a", "after", "1", 1, &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	catalogue_close(catalogue);
	catalogue = open_it(store);
	assert_int_equal(catalogue_each(catalogue, "a", note, &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "after=1 before=1 ");
	catalogue_close(catalogue);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_was_committed),	      TEST(forgets_a_kind),
		TEST(refuses_what_is_too_long),	      TEST(begins_anew_after_damage),
		TEST(begins_anew_after_other_tables), TEST(passes_over_what_is_no_text),
		TEST(goes_on_after_a_full_disk),
	};

	return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
