/* SPDX-License-Identifier: Apache-2.0 */
/* A medium that is changed, cut or pulled while a chunk of it is read. */
#include "reservoir/bundle/chunk_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/test.h"

#define SIZE ((size_t)700 * 1000) /* three blocks, the last of them short */
#define FAR ((size_t)600 * 1000)  /* in the last one */

struct medium {
	int fd;
	unsigned char *bytes;
	struct bundle_chunk chunk;
	struct chunk_reader *reader;
};

static int setup(void **state)
{
	struct medium *medium = calloc(1, sizeof(*medium));
	struct error err = { 0 };

	assert_non_null(medium);
	medium->bytes = malloc(SIZE);
	assert_non_null(medium->bytes);
	for (size_t i = 0; i < SIZE; i++)
		medium->bytes[i] = (unsigned char)(i * 7 + i / 251);
	medium->fd = memfd_create("chunk", MFD_CLOEXEC);
	assert_int_equal(write(medium->fd, medium->bytes, SIZE), SIZE);
	medium->chunk.size = SIZE;
	medium->chunk.digest = digest_of(medium->bytes, SIZE);
	assert_int_equal(chunk_reader_new(&medium->reader, &err), 0);
	*state = medium;
	return 0;
}

static int teardown(void **state)
{
	struct medium *medium = *state;

	chunk_reader_free(medium->reader);
	(void)close(medium->fd);
	free(medium->bytes);
	free(medium);
	return 0;
}

static int begin(struct medium *medium)
{
	return chunk_reader_begin(medium->reader, medium->fd, &medium->chunk, NULL);
}

/* Reads to the end; what is given out must be what was signed, whatever the file is now. */
static ssize_t read_rest(struct medium *medium)
{
	const unsigned char *data = NULL;
	size_t at = 0;
	ssize_t n;

	do {
		n = chunk_reader_next(medium->reader, &data, NULL);
		if (n < 0)
			return n;
		assert_true(at + (size_t)n <= SIZE);
		if (n > 0)
			assert_memory_equal(data, medium->bytes + at, (size_t)n);
		at += (size_t)n;
	} while (n > 0);
	return (ssize_t)at;
}

static void gives_what_was_hashed(void **state)
{
	struct medium *medium = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(begin(medium), 0);
		assert_int_equal(read_rest(medium), SIZE);
	}
	/* What comes behind is not of the chunk. */
	assert_int_equal(begin(medium), 0);
	assert_int_equal(pwrite(medium->fd, "more", 4, SIZE), 4);
	assert_int_equal(read_rest(medium), SIZE);
	assert_int_equal(begin(medium), -EBADMSG);
}

static void refuses_what_is_not_the_chunk(void **state)
{
	struct medium *medium = *state;

	assert_int_equal(pwrite(medium->fd, "x", 1, FAR), 1);
	assert_int_equal(begin(medium), -EBADMSG);
	assert_int_equal(ftruncate(medium->fd, FAR), 0);
	assert_int_equal(begin(medium), -ENODATA);
	assert_int_equal(ftruncate(medium->fd, 0), 0);
	assert_int_equal(begin(medium), -ENODATA);
}

/* One byte is changed after the hash, in the first block and in the last. */
static void sees_a_change(void **state)
{
	static const size_t places[] = { 0, 1, FAR, SIZE - 1 };
	struct medium *medium = *state;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		unsigned char byte = medium->bytes[places[i]] ^ 0x10;

		assert_int_equal(begin(medium), 0);
		assert_int_equal(pwrite(medium->fd, &byte, 1, (off_t)places[i]), 1);
		assert_int_equal(read_rest(medium), -ESTALE);
		assert_int_equal(pwrite(medium->fd, &medium->bytes[places[i]], 1, (off_t)places[i]),
				 1);
	}
}

/* Blocks that were all hashed, in other places. */
static void sees_blocks_that_changed_places(void **state)
{
	struct medium *medium = *state;
	const size_t block = (size_t)256 * 1024;

	assert_int_equal(begin(medium), 0);
	assert_int_equal(pwrite(medium->fd, medium->bytes + block, block, 0), block);
	assert_int_equal(pwrite(medium->fd, medium->bytes, block, (off_t)block), block);
	assert_int_equal(read_rest(medium), -ESTALE);
}

static void sees_a_cut(void **state)
{
	struct medium *medium = *state;

	assert_int_equal(begin(medium), 0);
	assert_int_equal(ftruncate(medium->fd, FAR), 0);
	assert_int_equal(read_rest(medium), -ESTALE);
}

static bool at_once(void *ctx)
{
	(*(int *)ctx)++;
	return true;
}

static void stops(void **state)
{
	struct medium *medium = *state;
	int asked = 0;

	chunk_reader_watch(medium->reader, at_once, &asked);
	assert_int_equal(begin(medium), -EINTR);
	assert_int_equal(asked, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_what_was_hashed),
		TEST(refuses_what_is_not_the_chunk),
		TEST(sees_a_change),
		TEST(sees_a_cut),
		TEST(sees_blocks_that_changed_places),
		TEST(stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
