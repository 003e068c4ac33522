/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/hot.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

#define KIB 1024u
#define MEMORY ((uint64_t)32 * 1024 * 1024)

/* Puts a file of these many bytes into the store; @seed makes it another one. */
static struct hot_key put_file(struct store *store, size_t size, unsigned int seed, bool is_index)
{
	struct hot_key key = { .size = size, .type = "text/plain", .is_index = is_index };
	char *data = malloc(size + 1);
	struct error err = { 0 };

	assert_non_null(data);
	memset(data, 'x', size);
	if (size >= sizeof(seed))
		memcpy(data, &seed, sizeof(seed));
	if (object_put(store, data, size, &key.digest, &err) < 0 || object_flush(store, &err) < 0)
		fail_msg("%s", err.msg);
	free(data);
	return key;
}

/* Has an answer made, and returns whether all share its response. */
static bool is_shared(struct hot *hot, struct hot_entry *entry)
{
	struct MHD_Response *response = NULL;
	struct error err = { 0 };

	assert_non_null(entry);
	if (hot_whole(hot, entry, &response, &err) < 0)
		fail_msg("%s", err.msg);
	return response != NULL;
}

/* Whether the first answer that is made has its bytes in memory. */
static bool takes_memory(struct hot *hot, const struct hot_key *key)
{
	struct hot_entry *entry = hot_get(hot, key);

	bool in_memory = is_shared(hot, entry);

	hot_put(entry);
	assert_int_equal(hot_count(hot).held, in_memory ? key->size : 0);
	return in_memory;
}

struct fixture {
	struct scratch *scratch;
	struct store *store;
	struct hot *hot;
};

static struct fixture setup(void **state, uint64_t memory)
{
	struct fixture fixture = { .scratch = *state };
	struct error err = { 0 };

	fixture.store = scratch_open(fixture.scratch, STORE_WRITE);
	assert_int_equal(hot_new(fixture.store, memory, &fixture.hot, &err), 0);
	return fixture;
}

static void teardown(struct fixture *fixture)
{
	hot_free(fixture->hot);
	store_close(fixture->store);
}

static void keeps_what_pays_in_memory(void **state)
{
	static const struct {
		uint64_t memory;
		size_t size;
		bool is_index;
		bool in_memory;
	} cases[] = {
		{ MEMORY, 1, false, true },
		{ MEMORY, 64 * KIB, false, true },
		{ MEMORY, 64 * KIB + 1, false, false },
		{ MEMORY, 64 * KIB + 1, true, true },
		{ MEMORY, 512 * KIB, true, true },
		{ MEMORY, 512 * KIB + 1, true, false },
		/* No file may take more than a quarter of a sixteenth. */
		{ MEMORY / 2, 256 * KIB, true, true },
		{ MEMORY / 2, 256 * KIB + 1, true, false },
		{ 0, 1, true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture fixture = setup(state, cases[i].memory);
		struct hot_key key =
			put_file(fixture.store, cases[i].size, (unsigned int)i, cases[i].is_index);

		if (takes_memory(fixture.hot, &key) != cases[i].in_memory)
			fail_msg("case %zu", i);
		teardown(&fixture);
	}
}

/* Clients that read slowly hold what was thrown out: that is bounded as well. */
static void bounds_what_is_still_sent(void **state)
{
	enum { N = 128 };
	const uint64_t memory = (uint64_t)8 * 1024 * 1024;
	struct fixture fixture = setup(state, memory);
	struct hot_entry *held[N];

	for (unsigned int i = 0; i < N; i++) {
		struct hot_key key = put_file(fixture.store, 128 * KIB, i, true);

		held[i] = hot_get(fixture.hot, &key);
		(void)is_shared(fixture.hot, held[i]);
	}
	assert_int_equal(hot_count(fixture.hot).held, memory / 2 * 3);
	for (unsigned int i = 0; i < N; i++)
		hot_put(held[i]);
	assert_in_range(hot_count(fixture.hot).held, 1, memory);
	teardown(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_what_pays_in_memory, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(bounds_what_is_still_sent, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
