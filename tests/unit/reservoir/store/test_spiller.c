/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/spiller.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test.h"

#define FILES 3
#define PIECES 200u
#define PIECE 1000

/* A file that grows, and what it is to hash to. */
struct grown {
	unsigned char piece[PIECE];
	struct spill spill;
	struct hasher *hasher, *expected;
	int fd;
};

static void grow_open(struct grown *grown)
{
	struct error err = { 0 };

	*grown = (struct grown) { .fd = memfd_create("grown", MFD_CLOEXEC) };
	assert_true(grown->fd >= 0);
	assert_int_equal(hasher_new(&grown->hasher, &err), 0);
	assert_int_equal(hasher_new(&grown->expected, &err), 0);
}

static void grow(struct spiller *spiller, struct grown *grown, unsigned int number)
{
	assert_int_equal(spiller_wait(spiller, &grown->spill), 0);
	memset(grown->piece, (int)(number % 251), PIECE);
	hasher_add(grown->expected, grown->piece, PIECE);
	grown->spill = (struct spill) {
		.fd = grown->fd, .hasher = grown->hasher, .data = grown->piece, .len = PIECE
	};
	spiller_write(spiller, &grown->spill);
}

static void grow_check(struct spiller *spiller, struct grown *grown)
{
	_cleanup_(hasher_freep) struct hasher *read = NULL;
	struct digest expected, added, there;
	struct error err = { 0 };
	uint64_t size = 0;

	assert_int_equal(spiller_wait(spiller, &grown->spill), 0);
	expected = hasher_end(grown->expected);
	added = hasher_end(grown->hasher);
	assert_int_equal(hasher_new(&read, &err), 0);
	assert_int_equal(lseek(grown->fd, 0, SEEK_SET), 0);
	assert_int_equal(hasher_add_file(read, grown->fd, UINT64_MAX, &size), 0);
	there = hasher_end(read);
	assert_int_equal(size, PIECES * PIECE);
	assert_true(digest_equal(&added, &expected));
	assert_true(digest_equal(&there, &expected));
	(void)close(grown->fd);
	hasher_free(grown->hasher);
	hasher_free(grown->expected);
}

/* One of them is the thread's now and then, and the others are not. */
static void keeps_each_in_order(struct spiller *spiller)
{
	struct grown files[FILES];

	for (size_t i = 0; i < FILES; i++)
		grow_open(&files[i]);
	for (unsigned int n = 0; n < PIECES; n++)
		for (size_t i = 0; i < FILES; i++)
			grow(spiller, &files[i], n + (unsigned int)i);
	for (size_t i = 0; i < FILES; i++)
		grow_check(spiller, &files[i]);
}

static void writes_in_order(_unused_ void **state)
{
	_cleanup_(spiller_freep) struct spiller *spiller = spiller_new();

	assert_non_null(spiller);
	keeps_each_in_order(spiller);
}

static void writes_without_a_thread(_unused_ void **state)
{
	keeps_each_in_order(NULL);
}

static void tells_what_failed(_unused_ void **state)
{
	_cleanup_(spiller_freep) struct spiller *spiller = spiller_new();
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	struct error err = { 0 };
	struct spill spill, nothing = { 0 };

	assert_int_equal(hasher_new(&hasher, &err), 0);
	spill = (struct spill) { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC),
				 .hasher = hasher,
				 .data = (const unsigned char *)"x",
				 .len = 1 };
	assert_true(spill.fd >= 0);
	spiller_write(spiller, &spill);
	assert_int_equal(spiller_wait(spiller, &spill), -ENOSPC);
	assert_int_equal(spiller_wait(spiller, &spill), -ENOSPC);
	spiller_write(NULL, &spill);
	assert_int_equal(spiller_wait(NULL, &spill), -ENOSPC);
	assert_int_equal(spiller_wait(spiller, &nothing), 0);
	(void)close(spill.fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_in_order),
		cmocka_unit_test(writes_without_a_thread),
		cmocka_unit_test(tells_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
