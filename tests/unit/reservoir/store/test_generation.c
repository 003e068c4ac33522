/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

/* A manifest with one file; the object is there only if it is asked for. */
static struct digest manifest_of(struct store *store, const char *content, bool with_object)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct manifest_entry entry = {
		.path = "file",
		.digest = digest_of(content, strlen(content)),
		.size = strlen(content),
	};
	struct digest digest;
	struct error err = { 0 };

	if (with_object)
		assert_int_equal(object_put(store, content, strlen(content), NULL, &err), 0);
	assert_int_equal(manifest_builder_new(store, &builder, &err), 0);
	assert_int_equal(manifest_add(builder, &entry, &err), 0);
	assert_int_equal(manifest_finish(builder, &digest, &err), 0);
	return digest;
}

static int publish_manifest(struct store *store, const char *name, struct digest digest,
			    struct error *err)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct generation_repository repository = {
		.ecosystem = "apt", .collected = digest, .served = digest, .n_files = 1
	};

	(void)snprintf(repository.name, sizeof(repository.name), "%s", name);
	assert_int_equal(generation_current(store, &current, err), 0);
	assert_int_equal(generation_copy(current, &next, err), 0);
	assert_int_equal(generation_set(next, &repository, err), 0);
	(void)snprintf(next->reason, sizeof(next->reason), "sync %s", name);
	return generation_publish(store, next, err);
}

static void publish(struct store *store, const char *name, const char *content)
{
	struct error err = { 0 };

	if (publish_manifest(store, name, manifest_of(store, content, true), &err) < 0)
		fail_msg("%s", err.msg);
}

static void begins_with_nothing(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_READ);
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error err = { 0 };

	assert_int_equal(generation_current(store, &generation, &err), 0);
	assert_int_equal(generation->number, 0);
	assert_int_equal(generation->n_repositories, 0);
	assert_null(generation_repository(generation, "a"));
}

static void publishes(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(store_closep) struct store *reader = scratch_open(*state, STORE_READ);
	_cleanup_(generation_freep) struct generation *first = NULL;
	_cleanup_(generation_freep) struct generation *second = NULL;
	struct error err = { 0 };
	uint64_t number = 7;

	publish(store, "debian", "one");
	assert_int_equal(generation_current(reader, &first, &err), 0);
	publish(store, "pypi", "two");
	assert_int_equal(generation_current(reader, &second, &err), 0);
	assert_int_equal(first->number, 1);
	assert_int_equal(first->n_repositories, 1);
	assert_int_equal(second->number, 2);
	assert_int_equal(second->n_repositories, 2);
	assert_true(digest_equal(&second->parent, &first->root));
	assert_string_equal(second->reason, "sync pypi");
	assert_true(second->created >= first->created);
	assert_non_null(generation_repository(second, "debian"));
	assert_non_null(generation_repository(second, "pypi"));
	assert_null(generation_repository(second, "apt"));
	generation_remove(second, "debian");
	generation_remove(second, "nothing");
	assert_int_equal(second->n_repositories, 1);
	assert_int_equal(generation_current_number(reader, &number, &err), 0);
	assert_int_equal(number, 2);
}

static void refuses_what_is_not_there(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct error err = { 0 };
	uint64_t number = 7;

	assert_int_equal(publish_manifest(store, "a", digest_of("x", 1), &err), -ENOENT);
	assert_int_equal(publish_manifest(store, "a", manifest_of(store, "gone", false), &err),
			 -ENOENT);
	assert_non_null(strstr(err.msg, "'file'"));
	assert_int_equal(generation_current_number(store, &number, &err), 0);
	assert_int_equal(number, 0);
}

/* A parent from the future stands for a clock that was set back. */
static void time_does_not_go_back(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_(generation_freep) struct generation *generation = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(10000);
	char hex[DIGEST_TEXT_SIZE];
	struct error err = { 0 };
	int fd;

	publish(store, "a", "one");
	assert_int_equal(generation_current(store, &generation, &err), 0);
	generation->created = INT64_C(99999999999);
	assert_int_equal(generation_format(generation, &text, &err), 0);
	generation->root = digest_of(text.data, text.len);
	strbuf_printf(&text, "\nsha256:%s\n", digest_format(&generation->root, hex));
	assert_int_equal(unlinkat(store_dirfd(store), "generations/1", 0), 0);
	fd = openat(store_dirfd(store), "generations/1", O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	assert_true(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
	(void)close(fd);
	generation_free(generation);
	generation = NULL;
	publish(store, "a", "two");
	assert_int_equal(generation_current(store, &generation, &err), 0);
	assert_int_equal(generation->created, INT64_C(99999999999));
}

static int count_each(void *ctx, uint64_t number)
{
	uint64_t *sum = ctx;

	*sum = *sum * 10 + number;
	return 0;
}

static int note_snapshot(void *ctx, const char *name, uint64_t number)
{
	strbuf_printf(ctx, "%s=%llu ", name, (unsigned long long)number);
	return 0;
}

static void lists_and_keeps(void **state)
{
	static const char *const bad[] = { "", "12", "current", "a/b", "..", "-x", "a b" };
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1000);
	struct generation *generation = NULL;
	struct error err = { 0 };
	uint64_t sum = 0;

	publish(store, "a", "one");
	publish(store, "a", "two");
	publish(store, "a", "three");
	assert_int_equal(generation_each(store, count_each, &sum, &err), 0);
	assert_int_equal(sum, 123);
	assert_int_equal(snapshot_set(store, "2026-11-22", 2, &err), 0);
	assert_int_equal(snapshot_set(store, "1st", 1, &err), 0);
	assert_int_equal(snapshot_set(store, "1st", 2, &err), -EEXIST);
	assert_int_equal(snapshot_set(store, "other", 9, &err), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(snapshot_set(store, bad[i], 1, &err), -EINVAL);
	assert_int_equal(snapshot_each(store, note_snapshot, &text, &err), 0);
	assert_string_equal(strbuf_str(&text), "1st=1 2026-11-22=2 ");
	assert_int_equal(generation_find(store, "1st", &generation, &err), 0);
	assert_int_equal(generation->number, 1);
	generation_free(generation);
	assert_int_equal(generation_find(store, "3", &generation, &err), 0);
	generation_free(generation);
	assert_int_equal(generation_find(store, "current", &generation, &err), 0);
	assert_int_equal(generation->number, 3);
	generation_free(generation);
	assert_int_equal(generation_find(store, "9", &generation, &err), -ENOENT);
	assert_int_equal(generation_find(store, "none", &generation, &err), -ENOENT);
	assert_int_equal(generation_find(store, "../x", &generation, &err), -EINVAL);
	assert_int_equal(snapshot_remove(store, "1st", &err), 0);
	assert_int_equal(snapshot_remove(store, "1st", &err), -ENOENT);
}

/* Every bit of a generation's file, flipped, is found. */
static void finds_damage(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct generation *generation = NULL;
	struct error err = { 0 };
	struct stat st = { 0 };
	int fd;

	publish(store, "debian", "one");
	assert_int_equal(fchmodat(store_dirfd(store), "generations/1", 0644, 0), 0);
	fd = openat(store_dirfd(store), "generations/1", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t i = 0; i < st.st_size * 8; i++) {
		unsigned char byte;
		unsigned char flipped;

		assert_int_equal(pread(fd, &byte, 1, i / 8), 1);
		flipped = (unsigned char)(byte ^ 1 << i % 8);
		assert_int_equal(pwrite(fd, &flipped, 1, i / 8), 1);
		/* Upper-case hex digits of the last line mean the same. */
		if (generation_read(store, 1, &generation, &err) == 0) {
			assert_true(i / 8 > st.st_size - 66);
			generation_free(generation);
		}
		assert_int_equal(pwrite(fd, &byte, 1, i / 8), 1);
	}
	(void)close(fd);
	assert_int_equal(generation_read(store, 1, &generation, &err), 0);
	generation_free(generation);
}

static void refuses_other_text(_unused_ void **state)
{
	static const char *const cases[] = {
		"", "{}", "[]", "{\"format\":1}", "{ }",
	};
	struct generation *generation = NULL;
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(generation_parse(cases[i], strlen(cases[i]), &generation, &err),
				 -EBADMSG);
}

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST_NONE "0000000000000000000000000000000000000000000000000000000000000000"
#define TEXT(format, revoked)                                           \
	"{\"created\":1,\"format\":" format                             \
	",\"number\":2,\"origin\":{\"id\":\"\",\"root\":\"" DIGEST_NONE \
	"\",\"sequence\":0},\"parent\":\"" DIGEST_NONE                  \
	"\",\"reason\":\"\",\"repositories\":[]" revoked "}"

/* Without any it is the text that was written before there were recalls. */
static void reads_what_was_recalled(_unused_ void **state)
{
	static const struct {
		const char *text;
		int expected;
		size_t n;
	} cases[] = {
		{ TEXT("1", ""), 0, 0 },
		{ TEXT("2", ",\"revoked\":[\"" DIGEST_A "\",\"" DIGEST_B "\"]"), 0, 2 },
		{ TEXT("2", ",\"revoked\":[\"" DIGEST_B "\",\"" DIGEST_A "\"]"), -EBADMSG, 0 },
		{ TEXT("2", ",\"revoked\":[\"" DIGEST_A "\",\"" DIGEST_A "\"]"), -EBADMSG, 0 },
		{ TEXT("2", ",\"revoked\":[\"aa\"]"), -EBADMSG, 0 },
		{ TEXT("2", ",\"revoked\":[1]"), -EBADMSG, 0 },
		{ TEXT("2", ",\"revoked\":{}"), -EBADMSG, 0 },
		{ TEXT("2", ",\"revoked\":[]"), -EBADMSG, 0 },
		{ TEXT("2", ""), -EBADMSG, 0 },
		{ TEXT("1", ",\"revoked\":[\"" DIGEST_A "\"]"), -EBADMSG, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(generation_freep) struct generation *generation = NULL;
		struct error err = { 0 };

		assert_int_equal(
			generation_parse(cases[i].text, strlen(cases[i].text), &generation, &err),
			cases[i].expected);
		if (generation)
			assert_int_equal(generation->revoked.n, cases[i].n);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_with_nothing),	 TEST(publishes),
		TEST(refuses_what_is_not_there), TEST(time_does_not_go_back),
		TEST(lists_and_keeps),		 TEST(finds_damage),
		TEST(reads_what_was_recalled),	 cmocka_unit_test(refuses_other_text),
	};

	return cmocka_run_group_tests_name("generation", tests, NULL, NULL);
}
