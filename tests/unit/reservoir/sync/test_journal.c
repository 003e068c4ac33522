/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reservoir/sync/journal.h"
#include "tests/folder.h"

struct scene {
	char dir[FOLDER_MAX];
	struct store *store;
	struct catalogue *catalogue;
};

static void open_scene(struct scene *scene)
{
	folder_make(scene->dir);
	assert_int_equal(store_create(scene->dir, NULL), 0);
	assert_int_equal(store_open(scene->dir, STORE_WRITE, &scene->store, NULL), 0);
	assert_int_equal(catalogue_open(scene->store, &scene->catalogue, NULL), 0);
}

static void close_scene(struct scene *scene)
{
	catalogue_close(scene->catalogue);
	store_close(scene->store);
	folder_remove(scene->dir);
}

static void expect_source(struct scene *scene, const struct digest *digest, const char *url)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(4096);
	char key[DIGEST_TEXT_SIZE];
	int r = catalogue_get(scene->catalogue, JOURNAL_SPACE, digest_format(digest, key), &value,
			      NULL);

	assert_int_equal(r, url ? 0 : -ENOENT);
	if (url)
		assert_string_equal(strbuf_str(&value), url);
}

static off_t journal_size(const struct scene *scene)
{
	struct stat st;

	assert_int_equal(fstatat(store_dirfd(scene->store), "sources.journal", &st, 0), 0);
	return st.st_size;
}

static void test_lines_go_to_the_catalogue(_unused_ void **state)
{
	_cleanup_(journal_closep) struct journal *journal = NULL;
	struct digest a = digest_of("a", 1);
	struct digest b = digest_of("b", 1);
	struct scene scene;

	open_scene(&scene);
	assert_int_equal(journal_open(scene.store, &journal, NULL), 0);
	journal_add(journal, &a, "https://user:secret@a.example/a");
	journal_add(journal, &b, "https://a.example/b@c");
	expect_source(&scene, &a, NULL);
	assert_int_equal(journal_apply(journal, scene.catalogue, NULL), 0);
	expect_source(&scene, &a, "https://a.example/a");
	expect_source(&scene, &b, "https://a.example/b@c");
	assert_int_equal(journal_size(&scene), 0);
	journal_add(journal, &b, "https://b.example/b");
	assert_int_equal(journal_apply(journal, scene.catalogue, NULL), 0);
	expect_source(&scene, &b, "https://b.example/b");
	close_scene(&scene);
}

static void test_what_an_earlier_run_left_is_kept(_unused_ void **state)
{
	_cleanup_(journal_closep) struct journal *journal = NULL;
	struct digest a = digest_of("a", 1);
	struct scene scene;

	open_scene(&scene);
	assert_int_equal(journal_open(scene.store, &journal, NULL), 0);
	journal_add(journal, &a, "https://a.example/a");
	journal_close(TAKE_PTR(journal));
	assert_int_equal(journal_open(scene.store, &journal, NULL), 0);
	assert_int_equal(journal_apply(journal, scene.catalogue, NULL), 0);
	expect_source(&scene, &a, "https://a.example/a");
	close_scene(&scene);
}

static void test_damaged_lines_are_left_out(_unused_ void **state)
{
	static const char text[] = "not a digest https://a.example/\n\n"
				   "0000 https://a.example/\n"
				   "\x01\x02\xff\n";
	_cleanup_(journal_closep) struct journal *journal = NULL;
	struct digest a = digest_of("a", 1);
	struct digest b = digest_of("b", 1);
	char key[DIGEST_TEXT_SIZE];
	char line[256];
	struct scene scene;
	int fd;

	open_scene(&scene);
	fd = openat(store_dirfd(scene.store), "sources.journal", O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	(void)snprintf(line, sizeof(line), "%s https://a.example/a\n", digest_format(&a, key));
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	(void)snprintf(line, sizeof(line), "%s https://a.exam", digest_format(&b, key));
	assert_int_equal(write(fd, line, strlen(line)), strlen(line)); /* torn by a crash */
	(void)close(fd);
	assert_int_equal(journal_open(scene.store, &journal, NULL), 0);
	assert_int_equal(journal_apply(journal, scene.catalogue, NULL), 0);
	expect_source(&scene, &a, "https://a.example/a");
	expect_source(&scene, &b, NULL);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_go_to_the_catalogue),
		cmocka_unit_test(test_what_an_earlier_run_left_is_kept),
		cmocka_unit_test(test_damaged_lines_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
