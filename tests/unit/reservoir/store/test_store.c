/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "tests/unit/reservoir/store/scratch.h"

#define CREATORS 6

static void creates_once(void **state)
{
	const struct scratch *scratch = *state;
	struct error err = { 0 };
	char path[128];

	/* Whatever else lies there, and is found first. */
	for (int i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "%s/file-%d", scratch->store, i);
		assert_int_equal(file_publish(path, "", 0, 0600, &err), 0);
	}
	assert_int_equal(store_create(scratch->store, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "there is a store"));
	assert_int_equal(store_create(scratch->dir, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "'store'"));
}

static void has_an_id(void **state)
{
	_cleanup_(store_closep) struct store *a = scratch_open(*state, STORE_READ);
	_cleanup_(store_closep) struct store *b = scratch_open(*state, STORE_READ);

	assert_int_equal(strlen(store_id(a)), 32);
	assert_string_equal(store_id(a), store_id(b));
}

static void refuses_a_second_writer(void **state)
{
	const struct scratch *scratch = *state;
	struct store *first = scratch_open(scratch, STORE_WRITE);
	_cleanup_(store_closep) struct store *reader = scratch_open(scratch, STORE_READ);
	_cleanup_(store_closep) struct store *second = NULL;
	char writer[STORE_WRITER_MAX];
	char process[32];
	struct error err = { 0 };
	int64_t since = 0;

	(void)snprintf(process, sizeof(process), "process %ld on", (long)getpid());
	assert_int_equal(store_open(scratch->store, STORE_WRITE, &second, &err), -EBUSY);
	assert_non_null(strstr(err.msg, process));
	assert_int_equal(store_writer(reader, writer, &since), 1);
	assert_non_null(strstr(writer, process));
	assert_true(since > 0);
	store_close(first);
	assert_int_equal(store_writer(reader, writer, &since), 0);
	assert_string_equal(writer, "");
	second = scratch_open(scratch, STORE_WRITE);
}

static void write_format(const struct scratch *scratch, const char *text)
{
	char path[128];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/format", scratch->store);
	assert_int_equal(file_publish(path, text, strlen(text), 0644, &err), 0);
}

static void checks_the_format(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *message;
	} cases[] = {
		{ "silica-reservoir 2 0123456789abcdef0123456789abcdef\n", -ENOTSUP,
		  "newer version" },
		{ "silica-reservoir 2 something new\n", -ENOTSUP, "newer version" },
		{ "silica-reservoir 99\n", -ENOTSUP, "newer version" },
		{ "silica-reservoir 1\n", -EBADMSG, "damaged" },
		{ "silica-reservoir 1 0123\n", -EBADMSG, "damaged" },
		{ "silica-reservoir ", -EBADMSG, "damaged" },
		{ "other 1 0123456789abcdef0123456789abcdef\n", -EBADMSG, "damaged" },
		{ "", -EBADMSG, "damaged" },
		{ "silica-reservoir 1 0123456789abcdef0123456789abcdef\n", 0, NULL },
	};
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(store_closep) struct store *store = NULL;
		struct error err = { 0 };

		write_format(scratch, cases[i].text);
		assert_int_equal(store_open(scratch->store, STORE_READ, &store, &err), cases[i].r);
		if (cases[i].message)
			assert_non_null(strstr(err.msg, cases[i].message));
	}
}

static void names_what_is_no_store(void **state)
{
	const struct scratch *scratch = *state;
	struct store *store = NULL;
	struct error err = { 0 };

	assert_int_equal(store_open(scratch->dir, STORE_READ, &store, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "init"));
	assert_int_equal(store_open("/nowhere/at/all", STORE_READ, &store, &err), -ENOENT);
}

static void goes_on_with_half_a_creation(void **state)
{
	const struct scratch *scratch = *state;
	char path[128];
	struct store *store = NULL;
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/format", scratch->store);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_open(scratch->store, STORE_READ, &store, &err), -ENOENT);
	assert_int_equal(store_create(scratch->store, &err), 0);
	store = scratch_open(scratch, STORE_WRITE);
	store_close(store);
}

static void knows_what_is_free(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_READ);
	struct error err = { 0 };
	uint64_t bytes = 0;

	assert_int_equal(store_free_bytes(store, &bytes, &err), 0);
	assert_true(bytes > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

/* As the first pods of a site do; one that came second would begin the store anew. */
static void is_made_by_one(void **state)
{
	const struct scratch *scratch = *state;
	unsigned int makers = 0;
	pid_t pids[CREATORS];

	folder_remove(scratch->store);
	for (size_t i = 0; i < CREATORS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(-store_create(scratch->store, NULL));
	}
	for (size_t i = 0; i < CREATORS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EEXIST);
		makers += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(makers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(creates_once),
		TEST(is_made_by_one),
		TEST(has_an_id),
		TEST(refuses_a_second_writer),
		TEST(checks_the_format),
		TEST(names_what_is_no_store),
		TEST(goes_on_with_half_a_creation),
		TEST(knows_what_is_free),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
