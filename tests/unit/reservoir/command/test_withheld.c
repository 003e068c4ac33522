/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/withheld.h"

#include <fcntl.h>

#include "reservoir/store/object.h"
#include "reservoir/store/store_private.h"
#include "tests/unit/reservoir/store/scratch.h"

#define TEXT_MAX 4096

/* What lies in a file is its path. */
static struct digest content(const char *path)
{
	return digest_of(path, strlen(path));
}

/* Publishes files, and recalls one of them or of those before. */
static void publish(const struct scratch *scratch, const char *const *paths, const char *recalled)
{
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct generation_repository repository = { .name = "p", .ecosystem = "pypi" };

	assert_int_equal(manifest_builder_new(store, &builder, NULL), 0);
	for (size_t i = 0; paths[i]; i++) {
		struct manifest_entry entry = { .path = paths[i], .size = strlen(paths[i]) };

		assert_int_equal(object_put(store, paths[i], strlen(paths[i]), &entry.digest, NULL),
				 0);
		assert_int_equal(manifest_add(builder, &entry, NULL), 0);
	}
	assert_int_equal(manifest_finish(builder, &repository.collected, NULL), 0);
	repository.served = repository.collected;
	assert_int_equal(generation_current(store, &current, NULL), 0);
	assert_int_equal(generation_copy(current, &next, NULL), 0);
	assert_int_equal(generation_set(next, &repository, NULL), 0);
	if (recalled) {
		struct digest digest = content(recalled);

		assert_int_equal(revoked_add(&next->revoked, &digest, NULL), 1);
	}
	assert_int_equal(generation_publish(store, next, NULL), 0);
}

static void expect(struct store *store, const char *what, const char *expected)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(manifest_freep) struct manifest *served = NULL;

	assert_int_equal(generation_current(store, &current, NULL), 0);
	assert_int_equal(manifest_open(store, &current->repositories[0].served, &served, NULL), 0);
	withheld_describe(store, current, &current->repositories[0], served, ecosystem_find("pypi"),
			  what, &out);
	assert_string_equal(strbuf_str(&out), expected);
}

#define GOOD "packages/good/good-1.whl"
#define EVIL_1 "packages/evil/evil-1.whl"
#define EVIL_2 "packages/evil/evil-2.whl"
#define LEFT_OUT "  " EVIL_1 " of generation 1 was recalled: nobody gets it until `recall --undo`\n"

static void tells_what_was_recalled(void **state)
{
	static const char *const first[] = { GOOD, EVIL_1, EVIL_2, NULL };
	static const char *const second[] = { GOOD, EVIL_2, NULL };
	_cleanup_(store_closep) struct store *reader = NULL;

	publish(*state, first, NULL);
	reader = scratch_open(*state, STORE_READ);
	expect(reader, "evil", "");
	publish(*state, first, EVIL_1);
	expect(reader, "evil",
	       "  " EVIL_1 " was recalled: clients get 410 until `recall --undo`\n");
	publish(*state, second, NULL);
	expect(reader, "evil", LEFT_OUT);
	publish(*state, second, EVIL_2);
	expect(reader, "evil",
	       "  " EVIL_2 " was recalled: clients get 410 until `recall --undo`\n" LEFT_OUT);
	expect(reader, "good", "");
	expect(reader, "other", "");
}

static void tells_what_is_lost(void **state)
{
	static const char *const paths[] = { GOOD, EVIL_1, NULL };
	_cleanup_(store_closep) struct store *reader = NULL;
	const struct digest digest = content(GOOD);
	char from[OBJECT_PATH_MAX], to[OBJECT_PATH_MAX], hex[DIGEST_TEXT_SIZE];

	publish(*state, paths, NULL);
	reader = scratch_open(*state, STORE_READ);
	(void)snprintf(to, sizeof(to), "quarantine/%s", digest_format(&digest, hex));
	assert_int_equal(
		renameat(store_dirfd(reader), object_path(&digest, from), store_dirfd(reader), to),
		0);
	expect(reader, "good",
	       "  " GOOD " is damaged and in quarantine: clients get 503 until `sync` or "
	       "`verify --repair`\n");
	expect(reader, "evil", "");
	assert_int_equal(unlinkat(store_dirfd(reader), to, 0), 0);
	expect(reader, "good",
	       "  " GOOD " is lost: clients get 503 until `sync` or `verify --repair`\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_what_was_recalled),
		TEST(tells_what_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
