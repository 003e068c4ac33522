/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

#define THREADS 4
#define ROUNDS 120

/* cmocka's asserts are for the main thread only. */
static void *put(void *ctx)
{
	struct store *store = ctx;
	struct error err = { 0 };
	uintptr_t failures = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		_cleanup_(staging_freep) struct staging *staging = NULL;
		struct digest digest;
		char key[32];

		/* The same bytes from all, under a key of each. */
		(void)snprintf(key, sizeof(key), "key-%lx", (unsigned long)pthread_self());
		failures += staging_open(store, key, &staging, &err) < 0 ||
			    staging_write(staging, &i, sizeof(i), &err) < 0 ||
			    staging_finish(staging, NULL, &digest, &err) < 0 ||
			    !object_exists(store, &digest) ||
			    object_put(store, key, i % sizeof(key), NULL, &err) < 0 ||
			    (i % 16 == 0 && object_flush(store, &err) < 0);
	}
	return (void *)failures;
}

static void write_at_once(void **state)
{
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);
	struct error err = { 0 };
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put, store), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *failures = NULL;

		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	assert_int_equal(object_flush(store, &err), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(sizeof(i));
		struct digest digest = digest_of(&i, sizeof(i));

		assert_int_equal(object_read(store, &digest, sizeof(i), &text, &err), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(write_at_once, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
