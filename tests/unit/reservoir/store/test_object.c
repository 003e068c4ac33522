/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/reservoir/store/scratch.h"

#define LARGE ((size_t)1024 * 1024 + 17)

static bool has_name(struct store *store, const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];
	char path[128];
	struct stat st;

	(void)digest_format(digest, text);
	(void)snprintf(path, sizeof(path), "objects/%.2s/%s", text, text);
	if (fstatat(store_dirfd(store), path, &st, 0) < 0)
		return false;
	assert_int_equal(st.st_mode & 07777, 0444);
	return true;
}

static void puts_and_reads(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(store_closep) struct store *reader = scratch_open(*state, STORE_READ);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(100);
	struct digest digest;
	struct error err = { 0 };

	assert_int_equal(object_put(store, "hello", 5, &digest, &err), 0);
	assert_true(object_exists(store, &digest));
	assert_false(object_exists(reader, &digest));
	assert_int_equal(object_read(store, &digest, 5, &text, &err), 0);
	strbuf_clear(&text);
	assert_int_equal(object_flush(store, &err), 0);
	assert_true(has_name(store, &digest));
	assert_int_equal(object_read(reader, &digest, 5, &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "hello");
	assert_int_equal(object_read(reader, &digest, 4, &text, &err), -EFBIG);
	assert_int_equal(object_put(store, "hello", 5, &digest, &err), 0);
	assert_int_equal(object_put(store, "", 0, &digest, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	assert_int_equal(object_read(reader, &digest, 0, &text, &err), 0);
}

static void misses_what_is_not_there(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_READ);
	struct digest digest = digest_of("x", 1);
	struct error err = { 0 };

	assert_false(object_exists(store, &digest));
	assert_int_equal(object_open(store, &digest, NULL, &err), -ENOENT);
}

static void finds_damage(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(100);
	char hex[DIGEST_TEXT_SIZE];
	char path[128];
	struct digest digest;
	struct error err = { 0 };
	int fd;

	assert_int_equal(object_put(store, "hello", 5, &digest, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	(void)digest_format(&digest, hex);
	(void)snprintf(path, sizeof(path), "objects/%.2s/%s", hex, hex);
	assert_int_equal(fchmodat(store_dirfd(store), path, 0644, 0), 0);
	fd = openat(store_dirfd(store), path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "j", 1, 0), 1);
	(void)close(fd);
	assert_int_equal(object_read(store, &digest, 5, &text, &err), -EBADMSG);
}

/* What somebody has put there is not waited for, nor taken up. */
static void does_not_wait_for_a_fifo(void **state)
{
	struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(100);
	char hex[DIGEST_TEXT_SIZE];
	char path[128];
	struct digest digest;
	struct error err = { 0 };

	assert_int_equal(object_put(store, "hello", 5, &digest, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	(void)digest_format(&digest, hex);
	(void)snprintf(path, sizeof(path), "objects/%.2s/%s", hex, hex);
	assert_int_equal(unlinkat(store_dirfd(store), path, 0), 0);
	assert_int_equal(mkfifoat(store_dirfd(store), path, 0644), 0);
	assert_false(object_exists(store, &digest));
	assert_int_equal(object_read(store, &digest, 5, &text, &err), -EBADMSG);
	(void)snprintf(path, sizeof(path), "staging/%s.whole", hex);
	assert_int_equal(mkfifoat(store_dirfd(store), path, 0644), 0);
	store_close(store);
	store = scratch_open(*state, STORE_WRITE);
	assert_int_equal(object_put(store, "hello", 5, NULL, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	assert_int_equal(object_read(store, &digest, 5, &text, &err), 0);
	store_close(store);
}

static void write_large(struct staging *staging, size_t from, size_t to)
{
	struct error err = { 0 };

	for (size_t i = from; i < to; i++) {
		char c = (char)(i % 251);

		if (i + 4096 <= to) {
			char block[4096];

			for (size_t j = 0; j < sizeof(block); j++)
				block[j] = (char)((i + j) % 251);
			assert_int_equal(staging_write(staging, block, sizeof(block), &err), 0);
			i += sizeof(block) - 1;
		} else {
			assert_int_equal(staging_write(staging, &c, 1, &err), 0);
		}
	}
}

static struct digest large_digest(void)
{
	_cleanup_free_ char *bytes = malloc(LARGE);

	assert_non_null(bytes);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (char)(i % 251);
	return digest_of(bytes, LARGE);
}

static void goes_on_after_a_restart(void **state)
{
	struct store *store = scratch_open(*state, STORE_WRITE);
	struct digest expected = large_digest();
	struct staging *staging = NULL;
	struct digest digest;
	struct error err = { 0 };

	assert_int_equal(staging_open(store, "key", &staging, &err), 0);
	assert_int_equal(staging_size(staging), 0);
	write_large(staging, 0, LARGE / 2);
	staging_free(staging);
	store_close(store);
	store = scratch_open(*state, STORE_WRITE);
	assert_int_equal(staging_open(store, "key", &staging, &err), 0);
	assert_int_equal(staging_size(staging), LARGE / 2);
	write_large(staging, LARGE / 2, LARGE);
	assert_int_equal(staging_finish(staging, &expected, &digest, &err), 0);
	assert_true(digest_equal(&digest, &expected));
	/* It is no object yet for anybody else. */
	assert_false(has_name(store, &digest));
	assert_int_equal(object_flush(store, &err), 0);
	assert_true(has_name(store, &digest));
	assert_int_equal(staging_size(staging), 0);
	assert_int_equal(staging_write(staging, "new", 3, &err), 0);
	assert_int_equal(staging_finish(staging, NULL, &digest, &err), 0);
	expected = digest_of("new", 3);
	assert_true(digest_equal(&digest, &expected));
	staging_free(staging);
	store_close(store);
}

/* How large a file of the staging directory is; -1 if it is not there. */
static off_t staged_bytes(const struct store *store, const char *name)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "staging/%s", name);
	return fstatat(store_dirfd(store), path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -1 : st.st_size;
}

/* What is small never has a file but its own; what is large has one before it is whole. */
static void writes_much_at_once(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(staging_freep) struct staging *small = NULL;
	_cleanup_(staging_freep) struct staging *large = NULL;
	struct digest expected = digest_of("small", 5);
	char hex[DIGEST_TEXT_SIZE], whole[DIGEST_TEXT_SIZE + 8];
	struct error err = { 0 };

	assert_int_equal(staging_open(store, "small", &small, &err), 0);
	assert_int_equal(staging_write(small, "sma", 3, &err), 0);
	assert_int_equal(staging_write(small, "ll", 2, &err), 0);
	assert_int_equal(staging_size(small), 5);
	assert_int_equal(staged_bytes(store, "small.part"), -1);
	assert_int_equal(staging_finish(small, &expected, NULL, &err), 0);
	(void)snprintf(whole, sizeof(whole), "%s.whole", digest_format(&expected, hex));
	assert_int_equal(staged_bytes(store, whole), 5);
	assert_int_equal(staging_open(store, "large", &large, &err), 0);
	write_large(large, 0, LARGE);
	assert_int_equal(staging_size(large), LARGE);
	assert_in_range(staged_bytes(store, "large.part"), LARGE / 2, LARGE);
	expected = large_digest();
	assert_int_equal(staging_finish(large, &expected, NULL, &err), 0);
	assert_int_equal(staged_bytes(store, "large.part"), -1);
}

static void syncs_what_there_is(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(staging_freep) struct staging *staging = NULL;
	struct digest expected = digest_of("of two parts", 12);
	struct error err = { 0 };

	assert_int_equal(staging_open(store, "key", &staging, &err), 0);
	assert_int_equal(staging_sync(staging, &err), 0);
	assert_int_equal(staged_bytes(store, "key.part"), -1);
	assert_int_equal(staging_write(staging, "of two", 6, &err), 0);
	assert_int_equal(staging_sync(staging, &err), 0);
	assert_int_equal(staged_bytes(store, "key.part"), 6);
	assert_int_equal(staging_write(staging, " parts", 6, &err), 0);
	assert_int_equal(staging_finish(staging, &expected, NULL, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	assert_true(has_name(store, &expected));
}

static void refuses_other_bytes(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(staging_freep) struct staging *staging = NULL;
	_cleanup_(staging_freep) struct staging *again = NULL;
	struct digest expected = digest_of("expected", 8);
	struct error err = { 0 };

	assert_int_equal(staging_open(store, "a.b-c_D9", &staging, &err), 0);
	assert_int_equal(staging_open(store, "a.b-c_D9", &again, &err), -EBUSY);
	assert_int_equal(staging_write(staging, "something", 9, &err), 0);
	assert_int_equal(staging_finish(staging, &expected, NULL, &err), -EBADMSG);
	assert_int_equal(staging_size(staging), 0);
	assert_int_equal(staging_write(staging, "expected", 8, &err), 0);
	assert_int_equal(staging_restart(staging, &err), 0);
	assert_int_equal(staging_write(staging, "expected", 8, &err), 0);
	assert_int_equal(staging_finish(staging, &expected, NULL, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	assert_true(has_name(store, &expected));
}

static void refuses_bad_keys(void **state)
{
	static const char *const keys[] = { "", "a/b", "..", ".x", "a b", "\xc3\xa4" };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct staging *staging = NULL;
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_int_equal(staging_open(store, keys[i], &staging, &err), -EINVAL);
}

/* A writer that dies between the last byte and the flush. */
static void takes_up_what_was_whole(void **state)
{
	struct store *store = scratch_open(*state, STORE_WRITE);
	struct digest digest;
	struct digest damaged, other;
	struct error err = { 0 };
	char hex[DIGEST_TEXT_SIZE];
	char path[128], folder[128];
	int fd;

	assert_int_equal(object_put(store, "hello", 5, &digest, &err), 0);
	damaged = digest_of("half", 4);
	(void)snprintf(path, sizeof(path), "staging/%s.whole", digest_format(&damaged, hex));
	fd = openat(store_dirfd(store), path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	assert_true(fd >= 0 && write(fd, "ha", 2) == 2);
	(void)close(fd);
	/* What is no file of a writer's is in nobody's way. */
	other = digest_of("other", 5);
	(void)snprintf(folder, sizeof(folder), "staging/%s.whole", digest_format(&other, hex));
	assert_int_equal(mkdirat(store_dirfd(store), folder, 0700), 0);
	store_close(store);
	store = scratch_open(*state, STORE_WRITE);
	assert_true(object_exists(store, &digest));
	assert_false(object_exists(store, &damaged));
	assert_int_equal(object_flush(store, &err), 0);
	assert_true(has_name(store, &digest));
	assert_int_equal(faccessat(store_dirfd(store), path, F_OK, 0), -1);
	store_close(store);
}

static void holds_many_at_once(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct staging *stagings[400];
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(stagings); i++) {
		char key[32];

		(void)snprintf(key, sizeof(key), "key-%zu", i);
		assert_int_equal(staging_open(store, key, &stagings[i], &err), 0);
		assert_int_equal(staging_write(stagings[i], &i, sizeof(i), &err), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(stagings); i++) {
		assert_int_equal(staging_finish(stagings[i], NULL, NULL, &err), 0);
		staging_free(stagings[i]);
	}
	assert_int_equal(object_flush(store, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(stagings); i++) {
		struct digest digest = digest_of(&i, sizeof(i));

		assert_true(has_name(store, &digest));
	}
}

/* More than one group. */
static void flushes_by_itself(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct digest first;
	struct error err = { 0 };

	for (unsigned int i = 0; i < 1500; i++)
		assert_int_equal(object_put(store, &i, sizeof(i), i ? NULL : &first, &err), 0);
	assert_true(has_name(store, &first));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(puts_and_reads),
		TEST(misses_what_is_not_there),
		TEST(finds_damage),
		TEST(does_not_wait_for_a_fifo),
		TEST(goes_on_after_a_restart),
		TEST(writes_much_at_once),
		TEST(syncs_what_there_is),
		TEST(refuses_other_bytes),
		TEST(refuses_bad_keys),
		TEST(takes_up_what_was_whole),
		TEST(holds_many_at_once),
		TEST(flushes_by_itself),
	};

	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
