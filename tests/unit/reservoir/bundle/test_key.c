/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and signatures, also those that minisign itself has made. */
#include "reservoir/bundle/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/folder.h"
#include "tests/test.h"

/* Made by minisign 0.11 of the three bytes "hi\n". */
static const char public_text[] = "RWRE99BDB+ArRFxyzRPcoQg206PXPSe4DLJESWX4Z9isQQgl4KpKooAd";
static const char secret_file[] =
	"untrusted comment: minisign encrypted secret key\n"
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAARPfQQwfgK0R21uFv1x"
	"Z0OLZTPkiOzPoVuxJyH8yN6Av5MAEXSzzUN1xyzRPcoQg206PXPSe4DLJESWX4Z9isQQgl4KpKooAdAAAAAAAAAAAA"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
static const char signature_file[] =
	"untrusted comment: signature from minisign secret key\n"
	"RURE99BDB+ArRCNw8q/"
	"ZGNRqtPN8tTlnRCw5Sg2SPMtjfAsZlXriZvzjz0MGfgUrXBtsXSry563Dc3+reVTGsLHt34Ridor8nAA=\n"
	"trusted comment: timestamp:1795353261\tfile:f\thashed\n"
	"Um0aSGXxSiWkfQkUsVSOhvyCae+Rj8ERl89KtSwsWikdNdBWtPgYW4Y1qxn9gj6nXmzvs16rDHadzMG+aN+JDQ=="
	"\n";

static int make_dir(void **state)
{
	static char dir[FOLDER_MAX];

	folder_make(dir);
	*state = dir;
	return 0;
}

static int remove_dir(void **state)
{
	folder_remove(*state);
	return 0;
}

static void test_theirs(void **state)
{
	struct public_key key;
	struct signature signature;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(public_key_parse(public_text, &key, &err), 0);
	assert_int_equal(signature_parse(signature_file, strlen(signature_file), &signature, &err),
			 0);
	assert_true(signature_check(&signature, &key, "hi\n", 3));
	assert_false(signature_check(&signature, &key, "ho\n", 3));
	assert_false(signature_check(&signature, &key, "hi", 2));
	/* The comment is signed too. */
	signature.comment[0] ^= 1;
	assert_false(signature_check(&signature, &key, "hi\n", 3));
}

static void test_their_secret(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(SIGNATURE_FILE_MAX);
	_cleanup_secret_key_ struct secret_key key = { 0 };
	struct public_key public;
	struct signature signature;
	char path[128], word[KEY_TEXT_SIZE];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/key", (const char *)*state);
	assert_int_equal(file_publish(path, secret_file, strlen(secret_file), 0600, &err), 0);
	assert_int_equal(secret_key_load(path, &key, &err), 0);
	public = secret_key_public(&key);
	assert_string_equal(public_key_format(&public, word), public_text);
	assert_int_equal(signature_make(&key, "x", 1, "a comment", &text, &err), 0);
	assert_int_equal(signature_parse(strbuf_str(&text), text.len, &signature, &err), 0);
	assert_string_equal(signature.comment, "a comment");
	assert_true(signature_check(&signature, &public, "x", 1));
}

static void test_ours(void **state)
{
	_cleanup_secret_key_ struct secret_key key = { 0 };
	struct public_key public;
	char path[128], word[KEY_TEXT_SIZE], again[KEY_TEXT_SIZE];
	struct stat st;
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/key", (const char *)*state);
	assert_int_equal(key_generate(path, word, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secret_key_load(path, &key, &err), 0);
	public = secret_key_public(&key);
	assert_string_equal(public_key_format(&public, again), word);
	/* Never over one that is there. */
	assert_int_equal(key_generate(path, word, &err), -EEXIST);
}

static void test_cut(void **state)
{
	struct signature signature;

	(void)state;
	for (size_t len = 0; len < strlen(signature_file); len++)
		assert_true(signature_parse(signature_file, len, &signature, NULL) < 0);
}

/* One text for one signature: none with bytes that decode alike. */
static void test_not_ascii(void **state)
{
	char text[sizeof(signature_file)], *slash;
	struct signature signature;

	(void)state;
	memcpy(text, signature_file, sizeof(text));
	slash = strchr(text, '/');
	assert_non_null(slash);
	assert_int_equal(signature_parse(text, strlen(text), &signature, NULL), 0);
	*slash = (char)('/' | 0x80);
	assert_int_equal(signature_parse(text, strlen(text), &signature, NULL), -EBADMSG);
}

static void test_bad(void **state)
{
	static const char *const words[] = { "", "RWQ", "not base64 at all!", "AAAA" };
	struct public_key key;
	struct secret_key secret;
	char path[128];
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(public_key_parse(words[i], &key, &err), -EINVAL);
	(void)snprintf(path, sizeof(path), "%s/none", (const char *)*state);
	assert_int_equal(secret_key_load(path, &secret, &err), -ENOENT);
	assert_int_equal(file_publish(path, "x\ny\n", 4, 0600, &err), 0);
	assert_int_equal(secret_key_load(path, &secret, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_theirs),
		cmocka_unit_test_setup_teardown(test_their_secret, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_ours, make_dir, remove_dir),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_not_ascii),
		cmocka_unit_test_setup_teardown(test_bad, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
