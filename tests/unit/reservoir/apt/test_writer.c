/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/reservoir/store/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "reservoir/apt/seen.h"
#include "reservoir/apt/spool.h"
#include "reservoir/apt/writer.h"
#include "reservoir/store/unpack.h"

#define TEXT_MAX ((size_t)32 * 1024 * 1024)

static int append(void *ctx, const char *data, size_t len, _unused_ struct error *err)
{
	strbuf_add(ctx, data, len);
	return strbuf_error(ctx);
}

static void write_forms(struct store *store, const char *text, size_t len, size_t piece,
			struct written forms[_WRITER_FORM_MAX])
{
	_cleanup_(writer_freep) struct writer *writer = NULL;
	struct error err = { 0 };

	if (writer_new(store, &writer, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(writer_add(writer, text + at, MIN(piece, len - at), &err), 0);
	if (writer_finish(writer, forms, &err) < 0 || object_flush(store, &err) < 0)
		fail_msg("%s", err.msg);
}

static void every_form_says_the_same(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	static const size_t lengths[] = { 0, 1, 100000 };
	_cleanup_free_ char *text = malloc(100000);

	assert_non_null(text);
	for (size_t i = 0; i < 100000; i++)
		text[i] = (char)('a' + i % 7 + i / 5000);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct digest digest = digest_of(text, lengths[i]);
		struct written forms[_WRITER_FORM_MAX], again[_WRITER_FORM_MAX];

		write_forms(store, text, lengths[i], 1000, forms);
		write_forms(store, text, lengths[i], 777, again);
		assert_true(digest_equal(&forms[WRITER_PLAIN].sha256, &digest));
		assert_true(forms[WRITER_PLAIN].size == lengths[i]);
		for (int form = WRITER_GZIP; form < _WRITER_FORM_MAX; form++) {
			_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

			assert_true(digest_equal(&forms[form].sha256, &again[form].sha256));
			assert_string_equal(forms[form].sha512, again[form].sha512);
			assert_int_equal(
				unpack_object(store, &forms[form].sha256, append, &out, NULL), 0);
			assert_int_equal(out.len, lengths[i]);
			assert_int_equal(memcmp(strbuf_str(&out), text, lengths[i]), 0);
		}
	}
	assert_int_equal(
		unpack_object(store, &(struct digest) { .bytes = { 1 } }, append, NULL, NULL),
		-ENOENT);
}

static void damaged_and_endless_input(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
	_cleanup_free_ char *zeros = calloc(1, 24 * 1024 * 1024);
	struct written forms[_WRITER_FORM_MAX];

	assert_non_null(zeros);
	write_forms(store, zeros, 24 * 1024 * 1024, 65536, forms);
	/* 24 MB come out of a few kB. */
	assert_int_equal(unpack_object(store, &forms[WRITER_XZ].sha256, append, &out, NULL),
			 -EFBIG);
	assert_int_equal(object_read(store, &forms[WRITER_GZIP].sha256, TEXT_MAX, &packed, NULL),
			 0);
	packed.data[packed.len / 2] ^= 0x55;
	strbuf_clear(&out);
	assert_int_equal(unpack_memory(packed.data, packed.len, append, &out, NULL), -EBADMSG);
	strbuf_clear(&out);
	assert_int_equal(unpack_memory("plain text", 10, append, &out, NULL), 0);
	assert_string_equal(strbuf_str(&out), "plain text");
}

static void what_is_not_finished_leaves_nothing(void **state)
{
	const struct scratch *scratch = *state;
	_cleanup_(store_closep) struct store *store = scratch_open(scratch, STORE_WRITE);
	_cleanup_closedir_ DIR *dir = NULL;
	struct writer *writer = NULL;
	char path[128];

	assert_int_equal(writer_new(store, &writer, NULL), 0);
	assert_int_equal(writer_add(writer, "text", 4, NULL), 0);
	writer_free(writer);
	(void)snprintf(path, sizeof(path), "%s/staging", scratch->store);
	dir = opendir(path);
	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		assert_true(entry->d_name[0] == '.');
}

static void a_spool_gives_back_what_it_got(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(spool_freep) struct spool *spool = NULL;
	struct manifest_entry entry;
	char path[32];

	assert_int_equal(spool_new(store, &spool, NULL), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(path, sizeof(path), "pool/%u", i);
		entry = (struct manifest_entry) { .path = path, .size = i, .mtime = -(int64_t)i };
		assert_int_equal(spool_add(spool, &entry, NULL), 0);
	}
	assert_true(spool_count(spool) == 1000);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(spool_rewind(spool, NULL), 0);
		for (unsigned int i = 0; i < 1000; i++) {
			(void)snprintf(path, sizeof(path), "pool/%u", i);
			assert_int_equal(spool_next(spool, &entry, NULL), 1);
			assert_string_equal(entry.path, path);
			assert_true(entry.size == i && entry.mtime == -(int64_t)i);
		}
		assert_int_equal(spool_next(spool, &entry, NULL), 0);
	}
}

static void what_was_seen(_unused_ void **state)
{
	_cleanup_seen_ struct seen seen = { 0 };
	char key[16];
	uint64_t value;

	assert_false(seen_has(&seen, "a", 1));
	for (unsigned int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "%u", i);

		assert_int_equal(seen_add(&seen, key, (size_t)n, i, NULL), SEEN_NEW);
		assert_int_equal(seen_add(&seen, key, (size_t)n, i, NULL), SEEN_SAME);
		assert_int_equal(seen_add(&seen, key, (size_t)n, i + 1, NULL), SEEN_OTHER);
	}
	for (unsigned int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "%u", i);

		assert_true(seen_get(&seen, key, (size_t)n, &value) && value == i);
	}
	assert_false(seen_has(&seen, "20000", 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_form_says_the_same, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(damaged_and_endless_input, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_finished_leaves_nothing, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_spool_gives_back_what_it_got, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(what_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
