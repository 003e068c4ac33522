/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reservoir/store/mapping.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

static bool disk_is_broken;

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);

ssize_t __wrap_read(int fd, void *data, size_t len)
{
	if (!disk_is_broken)
		return __real_read(fd, data, len);
	errno = EIO;
	return -1;
}

static struct manifest_entry entry_of(const char *path, const char *content)
{
	return (struct manifest_entry) {
		.path = path,
		.media = MEDIA_TEXT,
		.digest = digest_of(content, strlen(content)),
		.size = strlen(content),
		.mtime = 1700000000,
	};
}

static void open_built(struct store *store, struct manifest_builder *builder, struct manifest **ret)
{
	struct digest digest;
	struct error err = { 0 };

	if (manifest_finish(builder, &digest, &err) < 0 || object_flush(store, &err) < 0 ||
	    manifest_open(store, &digest, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static struct manifest *build(struct store *store, const char *const *paths, size_t n)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct manifest *manifest = NULL;
	struct error err = { 0 };

	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	for (size_t i = 0; i < n; i++) {
		struct manifest_entry entry = entry_of(paths[i], paths[i]);

		if (manifest_add(builder, &entry, &err) < 0)
			fail_msg("%s", err.msg);
	}
	open_built(store, builder, &manifest);
	return manifest;
}

static void finds_what_was_added(void **state)
{
	static const char *const paths[] = {
		"simple/",   "simple/b/", "pool/main/x.deb", "Release",
		"simple/a/", "dists/a-b", "dists/a",	     "simple/a/", /* twice the same */
	};
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_freep) struct manifest *manifest =
		build(store, paths, ARRAY_SIZE(paths));
	struct manifest_entry entry;

	assert_int_equal(manifest_count(manifest), 7);
	assert_int_equal(manifest_bytes(manifest), 7 + 9 + 15 + 7 + 9 + 9 + 7);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct digest digest = digest_of(paths[i], strlen(paths[i]));

		assert_true(manifest_find(manifest, paths[i], &entry));
		assert_true(digest_equal(&entry.digest, &digest));
		assert_int_equal(entry.size, strlen(paths[i]));
		assert_int_equal(entry.mtime, 1700000000);
		assert_int_equal(entry.media, MEDIA_TEXT);
	}
	assert_false(manifest_find(manifest, "", &entry));
	assert_false(manifest_find(manifest, "simple", &entry));
	assert_false(manifest_find(manifest, "simple/b", &entry));
	assert_false(manifest_find(manifest, "zzz", &entry));
	assert_false(manifest_find(manifest, "A", &entry));
}

static void is_empty(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_freep) struct manifest *manifest = build(store, NULL, 0);
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	assert_int_equal(manifest_count(manifest), 0);
	manifest_seek(manifest, "", &cursor);
	assert_false(manifest_next(&cursor, &entry));
	assert_false(manifest_find(manifest, "a", &entry));
}

/* Cut short behind its back, as by rsync --inplace: reading it ends no process. */
static void survives_a_file_that_is_lost(void **state)
{
	static const char *const paths[] = { "a", "b", "c" };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL, *again = NULL;
	struct manifest_entry entry = entry_of("a", "a");
	char text[DIGEST_TEXT_SIZE], path[96];
	struct digest digest;
	struct error err = { 0 };
	int fd;

	assert_int_equal(mapping_guard(NULL), 0);
	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		entry = entry_of(paths[i], paths[i]);
		assert_int_equal(manifest_add(builder, &entry, &err), 0);
	}
	assert_int_equal(manifest_finish(builder, &digest, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	assert_int_equal(manifest_open(store, &digest, &manifest, &err), 0);
	assert_true(manifest_find(manifest, "b", &entry));
	assert_false(manifest_is_lost(manifest));
	(void)digest_format(&digest, text);
	(void)snprintf(path, sizeof(path), "objects/%.2s/%s", text, text);
	assert_int_equal(fchmodat(store_dirfd(store), path, 0644, 0), 0);
	fd = openat(store_dirfd(store), path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_false(manifest_find(manifest, "b", &entry));
	assert_true(manifest_is_lost(manifest));
	assert_int_equal(ftruncate(fd, 4096), 0);
	(void)close(fd);
	assert_int_equal(manifest_open(store, &digest, &again, &err), -EBADMSG);
}

/* Every position of every group, from paths that share much. */
static void seeks_anywhere(void **state)
{
	enum { N = 1000 };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	struct error err = { 0 };
	char path[64];

	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	for (unsigned int i = N; i-- > 0;) {
		(void)snprintf(path, sizeof(path), "pool/%05u", 2 * i);
		entry = entry_of(path, path);
		assert_int_equal(manifest_add(builder, &entry, &err), 0);
	}
	open_built(store, builder, &manifest);
	for (unsigned int i = 0; i < 2 * N; i++) {
		unsigned int next = (i + 1) / 2 * 2;

		(void)snprintf(path, sizeof(path), "pool/%05u", i);
		manifest_seek(manifest, path, &cursor);
		for (; next < 2 * N; next += 2) {
			(void)snprintf(path, sizeof(path), "pool/%05u", next);
			assert_true(manifest_next(&cursor, &entry));
			assert_string_equal(entry.path, path);
			if (next > i + 40)
				break;
		}
		if (next >= 2 * N)
			assert_false(manifest_next(&cursor, &entry));
	}
}

static void keeps_variants(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct manifest_entry entry;
	struct error err = { 0 };

	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	for (int media = MEDIA_PYPI_JSON; media >= MEDIA_PYPI_HTML; media--)
		for (int encoding = 0; encoding < _ENCODING_MAX; encoding++) {
			entry = entry_of("simple/a/", "x");
			entry.media = (enum media)media;
			entry.encoding = (enum encoding)encoding;
			entry.size = (uint64_t)media * 10 + (uint64_t)encoding;
			assert_int_equal(manifest_add(builder, &entry, &err), 0);
		}
	open_built(store, builder, &manifest);
	assert_true(manifest_find(manifest, "simple/a/", &entry));
	assert_int_equal(entry.size, MEDIA_PYPI_HTML * 10);
	assert_true(
		manifest_variant(manifest, "simple/a/", MEDIA_PYPI_JSON, ENCODING_ZSTD, &entry));
	assert_int_equal(entry.size, MEDIA_PYPI_JSON * 10 + ENCODING_ZSTD);
	assert_string_equal(entry.path, "simple/a/");
	assert_false(manifest_variant(manifest, "simple/a/", MEDIA_DEB, ENCODING_ZSTD, &entry));
}

static void refuses_contradictions(void **state)
{
	static const struct {
		const char *paths[4];
		int r;
	} cases[] = {
		{ { "a", "a-b", "a/b" }, -EEXIST },
		{ { "a", "a/" }, -EEXIST },
		{ { "a/b", "a/b/c/d", "a/b-" }, -EEXIST },
		{ { "a/", "a/b" }, 0 },
		{ { "a/b", "a/bc", "ab" }, 0 },
	};
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
		struct digest digest;
		struct error err = { 0 };

		assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
		for (size_t j = 0; cases[i].paths[j]; j++) {
			struct manifest_entry entry = entry_of(cases[i].paths[j], "x");

			assert_int_equal(manifest_add(builder, &entry, &err), 0);
		}
		assert_int_equal(manifest_finish(builder, &digest, &err), cases[i].r);
	}
}

static void refuses_two_contents(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct manifest_entry a = entry_of("a", "x");
	struct manifest_entry b = entry_of("a", "y");
	struct digest digest;
	struct error err = { 0 };

	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	assert_int_equal(manifest_add(builder, &a, &err), 0);
	assert_int_equal(manifest_add(builder, &b, &err), 0);
	assert_int_equal(manifest_finish(builder, &digest, &err), -EEXIST);
}

static void checks_paths(_unused_ void **state)
{
	static const char *const good[] = { "a", "a/", "a/b", "a b", "...", ".reservoir/x", "~" };
	static const char *const bad[] = { "",	  "/a", "a//b", "a/../b", "..",	 "./a",
					   "a/.", " a", "a ",	"a\nb",	  "a//", "\x7f" };
	char longest[STORE_PATH_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(manifest_path_check(good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(manifest_path_check(bad[i], NULL), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[STORE_PATH_MAX] = '\0';
	assert_int_equal(manifest_path_check(longest, NULL), -EINVAL);
	longest[STORE_PATH_MAX - 1] = '\0';
	assert_int_equal(manifest_path_check(longest, NULL), 0);
}

static int note(void *ctx, enum manifest_change change, const struct manifest_entry *before,
		const struct manifest_entry *after)
{
	strbuf_printf(ctx, "%c%s ", "+-*"[change], before ? before->path : after->path);
	return 0;
}

static void tells_differences(void **state)
{
	static const char *const before[] = { "a", "b", "d", "e" };
	static const char *const after[] = { "b", "c", "e", "f" };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_freep) struct manifest *old = build(store, before, 4);
	_cleanup_(manifest_freep) struct manifest *new = build(store, after, 4);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1000);

	assert_int_equal(manifest_diff(old, new, note, &text), 0);
	assert_string_equal(strbuf_str(&text), "-a +c -d +f ");
	strbuf_clear(&text);
	assert_int_equal(manifest_diff(NULL, new, note, &text), 0);
	assert_string_equal(strbuf_str(&text), "+b +c +e +f ");
	strbuf_clear(&text);
	assert_int_equal(manifest_diff(old, NULL, note, &text), 0);
	assert_string_equal(strbuf_str(&text), "-a -b -d -e ");
	strbuf_clear(&text);
	assert_int_equal(manifest_diff(old, old, note, &text), 0);
	assert_string_equal(strbuf_str(&text), "");
}

/* More than one run: the same bytes come of any order. */
static void spills(void **state)
{
	enum { N = 150000 };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct digest digests[2];
	struct error err = { 0 };

	for (unsigned int pass = 0; pass < 2; pass++) {
		_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
		_cleanup_(manifest_freep) struct manifest *manifest = NULL;

		assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
		for (unsigned int i = 0; i < N; i++) {
			unsigned int number = pass ? i : (i * 7919u) % N;
			char path[96];
			struct manifest_entry entry = { .path = path, .size = 1 };

			(void)snprintf(path, sizeof(path), "pool/main/%08u/a-rather-long-name.deb",
				       number);
			entry.mtime = -(int64_t)number;
			entry.digest.bytes[0] = (unsigned char)number;
			assert_int_equal(manifest_add(builder, &entry, &err), 0);
		}
		assert_int_equal(manifest_finish(builder, &digests[pass], &err), 0);
		assert_int_equal(object_flush(store, &err), 0);
		assert_int_equal(manifest_open(store, &digests[pass], &manifest, &err), 0);
		assert_int_equal(manifest_count(manifest), N);
	}
	assert_true(digest_equal(&digests[0], &digests[1]));
}

/* Every byte of a manifest, flipped: what is still taken for one is in order. */
static void survives_damage(void **state)
{
	static const char *const paths[] = { "a/b", "a/c/", "a/c/d", "dists/x", "pool/y" };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(10000);
	struct digest digest;
	struct error err = { 0 };
	size_t refused = 0;

	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct manifest_entry entry = entry_of(paths[i], paths[i]);

		assert_int_equal(manifest_add(builder, &entry, &err), 0);
	}
	assert_int_equal(manifest_finish(builder, &digest, &err), 0);
	assert_int_equal(object_read(store, &digest, 10000, &text, &err), 0);
	for (size_t i = 0; i < text.len * 8; i++) {
		_cleanup_(manifest_freep) struct manifest *manifest = NULL;
		struct manifest_cursor cursor;
		struct manifest_entry entry;

		text.data[i / 8] = (char)(text.data[i / 8] ^ 1 << i % 8);
		if (manifest_parse(text.data, text.len, &manifest, &err) < 0) {
			refused++;
		} else {
			manifest_seek(manifest, "", &cursor);
			while (manifest_next(&cursor, &entry))
				assert_int_equal(manifest_path_check(entry.path, NULL), 0);
		}
		text.data[i / 8] = (char)(text.data[i / 8] ^ 1 << i % 8);
	}
	assert_true(refused > 0);
	for (size_t len = 0; len < text.len; len++) {
		struct manifest *manifest = NULL;

		assert_int_equal(manifest_parse(text.data, len, &manifest, &err), -EBADMSG);
	}
}

/* Whoever looked at the mapping first would be killed by SIGBUS. */
static void tells_what_a_disk_cannot_read(void **state)
{
	static const char *const paths[] = { "a", "b" };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct manifest *manifest = NULL;
	struct error err = { 0 };
	struct digest digest;

	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct manifest_entry entry = entry_of(paths[i], paths[i]);

		assert_int_equal(manifest_add(builder, &entry, &err), 0);
	}
	assert_int_equal(manifest_finish(builder, &digest, &err), 0);
	assert_int_equal(object_flush(store, &err), 0);
	disk_is_broken = true;
	assert_int_equal(manifest_open(store, &digest, &manifest, &err), -EIO);
	disk_is_broken = false;
	assert_non_null(strstr(err.msg, "Input/output error"));
	assert_null(manifest);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_what_was_added),
		TEST(is_empty),
		TEST(seeks_anywhere),
		TEST(keeps_variants),
		TEST(refuses_contradictions),
		TEST(refuses_two_contents),
		cmocka_unit_test(checks_paths),
		TEST(tells_differences),
		TEST(spills),
		TEST(survives_damage),
		TEST(tells_what_a_disk_cannot_read),
		TEST(survives_a_file_that_is_lost),
	};

	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
