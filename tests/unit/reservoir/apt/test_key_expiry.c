/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/key_expiry.h"

#include <errno.h>

#include "base/file.h"
#include "reservoir/apt/finish.h"
#include "reservoir/apt/sign.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/apt/keys.h"
#include "tests/unit/reservoir/store/scratch.h"

#define DAY_S (INT64_C(24) * 3600)

static void warns_before_the_day(void **state)
{
	static const struct {
		const char *keys;
		int64_t now;
		const char *expected; /* NULL: nothing is said */
	} cases[] = {
		{ archive_secret, EXPIRED, NULL },
		{ "no key", EXPIRED, NULL },
		{ expired_secret, EXPIRED - 31 * DAY_S, NULL },
		{ expired_secret, EXPIRED - 29 * DAY_S, "expires on 2024-12-31" },
		{ expired_secret, EXPIRED, "expired on 2024-12-31" },
		{ expired_subkey_secret, EXPIRED - 31 * DAY_S, NULL },
		{ expired_subkey_secret, EXPIRED + DAY_S, "expired on 2024-12-31" },
	};
	_cleanup_(store_closep) struct store *store = scratch_open(*state, STORE_WRITE);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
		_cleanup_(manifest_freep) struct manifest *manifest = NULL;
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(ERROR_TEXT_MAX);
		struct manifest_entry entry = { .path = APT_KEYRING ".gpg" };
		struct digest digest;

		entry.size = strlen(cases[i].keys);
		assert_int_equal(object_put(store, cases[i].keys, entry.size, &entry.digest, NULL),
				 0);
		assert_int_equal(manifest_builder_new(store, &builder, NULL), 0);
		assert_int_equal(manifest_add(builder, &entry, NULL), 0);
		assert_int_equal(manifest_finish(builder, &digest, NULL), 0);
		assert_int_equal(object_flush(store, NULL), 0);
		assert_int_equal(manifest_open(store, &digest, &manifest, NULL), 0);
		apt_warn(store, manifest, cases[i].now, &out);
		if (cases[i].expected ? !strstr(strbuf_str(&out), cases[i].expected) : out.len > 0)
			fail_msg("%zu: '%s'", i, strbuf_str(&out));
	}
}

/* What it would sign, nobody would believe. */
static void refuses_to_sign(void **state)
{
	static const char *const keys[] = { expired_secret, expired_subkey_secret };
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct signer *signer = NULL;
		struct error err = { 0 };
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/key", scratch->dir);
		assert_int_equal(file_publish(path, keys[i], strlen(keys[i]), 0600, &err), 0);
		assert_int_equal(signer_open(path, &signer, &err), -EKEYREJECTED);
		if (!strstr(err.msg, path) || !strstr(err.msg, "it expired on Tue, 31 Dec 2024"))
			fail_msg("%s", err.msg);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(warns_before_the_day),
		TEST(refuses_to_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
