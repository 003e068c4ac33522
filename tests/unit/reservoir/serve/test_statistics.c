/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/statistics.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "tests/folder.h"
#include "tests/test.h"

static bool package(const char *path, char *ret, size_t size)
{
	return str_copy(ret, size, path) == 0;
}

static const struct ecosystem ecosystem = { .name = "test", .package = package };

/* A place for the file that is only made later, as a disk that is mounted or emptied. */
static void saves_what_it_could_not_save_before(_unused_ void **state)
{
	char dir[FOLDER_MAX], place[FOLDER_MAX + 8], path[FOLDER_MAX + 16];
	struct statistics *statistics = NULL;
	const struct trouble *trouble;
	struct statistics_row row;
	struct error err = { 0 };

	folder_make(dir);
	(void)snprintf(place, sizeof(place), "%s/place", dir);
	(void)snprintf(path, sizeof(path), "%s/file", place);
	assert_int_equal(statistics_new(path, &statistics, &err), 0);
	trouble = statistics_trouble(statistics);
	statistics_count(statistics, &ecosystem, "r", "p", 7);
	statistics_save(statistics);
	assert_int_equal(trouble->code, -ENOENT);
	statistics_save(statistics);
	assert_int_equal(trouble->n, 2);
	assert_int_equal(mkdir(place, 0755), 0);
	statistics_save(statistics);
	assert_int_equal(trouble->code, 0);
	assert_int_equal(trouble->n, 2);
	statistics_free(statistics);
	assert_int_equal(statistics_new(path, &statistics, &err), 0);
	assert_int_equal(statistics_top(statistics, &row, 1), 1);
	assert_string_equal(row.package, "p");
	assert_int_equal(row.bytes, 7);
	statistics_free(statistics);
	folder_remove(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(saves_what_it_could_not_save_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
