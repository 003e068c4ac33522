/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "reservoir/apt/openpgp.h"
#include "reservoir/apt/sign.h"
#include "tests/unit/reservoir/apt/keys.h"

#define TEXT_MAX ((size_t)1024 * 1024)

static char folder[] = "/tmp/silica-openpgp-XXXXXX";

static const char *file(const char *name, const char *text)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_publish(path, text, strlen(text), 0600, NULL), 0);
	return path;
}

static int setup(_unused_ void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(_unused_ void **state)
{
	static const char *const names[] = { "a.asc", "b.asc", "key", "key.passphrase", "x.gpg" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

static int read_text(const char *keyring, const char *text, struct strbuf *ret, struct error *err)
{
	const struct openpgp_input input = { text, strlen(text) };

	strbuf_clear(ret);
	return openpgp_read_inline(keyring, &input, ret, err);
}

/* Puts a text in which blank lines are not empty behind another. */
static void add_without_empty_lines(struct strbuf *out, const char *text)
{
	for (; *text; text++) {
		strbuf_add(out, text, 1);
		if (text[0] == '\n' && text[1] == '\n')
			strbuf_puts(out, " ");
	}
}

/* What gpgv takes for the text, and what lies behind an empty line, are then two. */
static void takes_no_second_text(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf evil = STRBUF_INIT(TEXT_MAX);
	const char *keyring = file("a.asc", archive_public);
	struct error err = { 0 };

	add_without_empty_lines(&evil, signed_clear);
	assert_int_equal(read_text(keyring, strbuf_str(&evil), &text, &err), 0);
	strbuf_puts(&evil, "\nOrigin: Evil");
	add_without_empty_lines(&evil, strstr(signed_clear, "\n-----BEGIN PGP SIGNATURE"));
	assert_int_equal(read_text(keyring, strbuf_str(&evil), &text, &err), -EBADMSG);
}

static void believes_what_is_signed_and_nothing_else(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf other = STRBUF_INIT(TEXT_MAX);
	const char *keyring = file("a.asc", archive_public);
	struct error err = { 0 };
	char *place;

	assert_int_equal(read_text(keyring, signed_clear, &text, &err), 0);
	assert_string_equal(strbuf_str(&text), signed_text);
	strbuf_puts(&other, signed_clear);
	place = strstr(other.data, "Example");
	*place = 'e';
	assert_int_equal(read_text(keyring, other.data, &text, &err), -EBADMSG);
	assert_non_null(strstr(err.msg, "changed"));
	strbuf_clear(&other);
	strbuf_puts(&other, "Origin: Evil\n");
	strbuf_puts(&other, signed_clear);
	assert_int_equal(read_text(keyring, other.data, &text, &err), -EBADMSG);
	strbuf_clear(&other);
	strbuf_puts(&other, signed_clear);
	strbuf_puts(&other, "Origin: Evil\n");
	assert_int_equal(read_text(keyring, other.data, &text, &err), -EBADMSG);
	assert_int_equal(read_text(keyring, signed_text, &text, &err), -EBADMSG);
	assert_int_equal(read_text(keyring, "", &text, &err), -EBADMSG);
}

static void other_keys_and_folders_of_keys(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct error err = { 0 };

	assert_int_equal(read_text(file("b.asc", other_public), signed_clear, &text, &err),
			 -EKEYREJECTED);
	assert_non_null(strstr(err.msg, "not in the keyring"));
	(void)file("a.asc", archive_public);
	assert_int_equal(read_text(folder, signed_clear, &text, &err), 0);
	assert_int_equal(read_text(file("x.gpg", "no key"), signed_clear, &text, &err),
			 -EKEYREJECTED);
	assert_int_equal(read_text("/nonexistent", signed_clear, &text, &err), -ENOENT);
}

static void several_keys_in_ascii_with_words_around_them(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf keys = STRBUF_INIT(TEXT_MAX);
	struct error err = { 0 };

	strbuf_printf(&keys, "Keys of an archive\n\n%s\nand\n%s", other_public, archive_public);
	assert_int_equal(read_text(file("a.asc", strbuf_str(&keys)), signed_clear, &text, &err), 0);
	strbuf_clear(&keys);
	strbuf_printf(&keys, "%s%.60s", other_public, archive_public);
	assert_int_equal(read_text(file("a.asc", strbuf_str(&keys)), signed_clear, &text, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.msg, "armor"));
}

static void words_of_gpgv(_unused_ void **state)
{
	static const struct {
		const char *status;
		int r;
		const char *error;
	} cases[] = {
		{ "[GNUPG:] GOODSIG A x\n[GNUPG:] VALIDSIG A\n", 0, "" },
		{ "[GNUPG:] NO_PUBKEY B\n[GNUPG:] GOODSIG A x\n[GNUPG:] VALIDSIG A\n", 0, "" },
		{ "[GNUPG:] GOODSIG A x\n[GNUPG:] VALIDSIG A\n[GNUPG:] BADSIG B\n", -EBADMSG, "B" },
		{ "[GNUPG:] BADSIG B\n[GNUPG:] NO_PUBKEY C\n", -EBADMSG, "key B" },
		{ "[GNUPG:] EXPKEYSIG A x\n[GNUPG:] VALIDSIG A\n", -EKEYREJECTED, "expired" },
		{ "[GNUPG:] REVKEYSIG A x\n[GNUPG:] VALIDSIG A\n", -EKEYREJECTED, "revoked" },
		{ "[GNUPG:] GOODSIG A x\n", -EKEYREJECTED, "no signature that counts" },
		{ "VALIDSIG A\nGOODSIG A\n", -EKEYREJECTED, "no signature" },
		{ "[GNUPG:] NODATA 1\n", -EBADMSG, "no signature" },
		{ "", -EKEYREJECTED, "no signature" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		char status[256];

		(void)snprintf(status, sizeof(status), "%s", cases[i].status);
		assert_int_equal(openpgp_status(status, &err), cases[i].r);
		if (!strstr(err.msg, cases[i].error))
			fail_msg("'%s' is not in '%s'", cases[i].error, err.msg);
	}
}

static void strips_without_looking(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	const struct openpgp_input good = { signed_clear, strlen(signed_clear) };
	static const char mark[] = "-----BEGIN PGP SIGNATURE-----";
	size_t enough = (size_t)(strstr(signed_clear, mark) - signed_clear) + strlen(mark);

	assert_int_equal(openpgp_strip(&good, &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), signed_text);
	for (size_t len = 0; len < enough; len++) {
		const struct openpgp_input input = { signed_clear, len };

		strbuf_clear(&text);
		assert_int_equal(openpgp_strip(&input, &text, NULL), -EBADMSG);
	}
}

/* What a signer makes is what gpgv takes. */
static void check_signer(struct signer *signer, const char *keyring)
{
	_cleanup_strbuf_ struct strbuf clear = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf detached = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	size_t len = strlen(signed_text);
	struct openpgp_input input, signature;
	struct error err = { 0 };

	assert_int_equal(signer_clear(signer, signed_text, len, 1800000000, &clear, &err), 0);
	assert_int_equal(signer_clear(signer, signed_text, len, 1800000000, &again, &err), 0);
	assert_string_equal(strbuf_str(&clear), strbuf_str(&again));
	assert_null(strchr(strbuf_str(&clear), '\r'));
	if (read_text(keyring, strbuf_str(&clear), &text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(strncmp(strbuf_str(&text), signed_text, len), 0);
	assert_int_equal(signer_detach(signer, signed_text, len, 0, &detached, &err), 0);
	input = (struct openpgp_input) { signed_text, len };
	signature = (struct openpgp_input) { detached.data, detached.len };
	assert_int_equal(openpgp_check_detached(keyring, &input, &signature, &err), 0);
	input.len--;
	assert_int_equal(openpgp_check_detached(keyring, &input, &signature, &err), -EBADMSG);
}

static void signs(_unused_ void **state)
{
	_cleanup_(signer_freep) struct signer *signer = NULL;
	_cleanup_strbuf_ struct strbuf public = STRBUF_INIT(TEXT_MAX);
	struct error err = { 0 };

	assert_int_equal(signer_open(file("key", archive_secret), &signer, &err), 0);
	assert_int_equal(signer_public(signer, true, &public, &err), 0);
	check_signer(signer, file("a.asc", strbuf_str(&public)));
}

static void sign_at(int64_t when, struct strbuf *ret)
{
	_cleanup_(signer_freep) struct signer *signer = NULL;
	struct error err = { 0 };

	assert_int_equal(signer_open(file("key", renewed_secret), &signer, &err), 0);
	assert_int_equal(signer_detach(signer, signed_text, strlen(signed_text), when, ret, &err),
			 0);
}

/* A verifier that goes back to the time of a signature has to find the key there. */
static void signs_at_no_time_before_the_key_was_renewed(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf then = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf after = STRBUF_INIT(TEXT_MAX);

	sign_at(RENEWED - 1, &before);
	sign_at(RENEWED, &then);
	sign_at(RENEWED + 1, &after);
	assert_string_equal(strbuf_str(&before), strbuf_str(&then));
	assert_string_not_equal(strbuf_str(&after), strbuf_str(&then));
}

static void signs_with_a_protected_key(_unused_ void **state)
{
	_cleanup_(signer_freep) struct signer *signer = NULL;
	char key[128];
	struct error err = { 0 };

	(void)snprintf(key, sizeof(key), "%s", file("key", other_secret));
	assert_int_equal(signer_open(key, &signer, &err), -EKEYREJECTED);
	assert_non_null(strstr(err.msg, "key.passphrase"));
	(void)file("key.passphrase", "wrong\n");
	assert_int_equal(signer_open(key, &signer, &err), -EKEYREJECTED);
	assert_non_null(strstr(err.msg, "wrong"));
	(void)file("key.passphrase", KEY_PASSPHRASE "\n");
	assert_int_equal(signer_open(key, &signer, &err), 0);
	check_signer(signer, file("b.asc", other_public));
}

static void refuses_what_cannot_sign(_unused_ void **state)
{
	struct signer *signer = NULL;
	struct error err = { 0 };

	assert_int_equal(signer_open(file("key", archive_public), &signer, &err), -EBADMSG);
	assert_int_equal(signer_open(file("key", "hello"), &signer, &err), -EBADMSG);
	assert_int_equal(signer_open("/nonexistent", &signer, &err), -ENOENT);
	assert_null(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believes_what_is_signed_and_nothing_else),
		cmocka_unit_test(takes_no_second_text),
		cmocka_unit_test(other_keys_and_folders_of_keys),
		cmocka_unit_test(several_keys_in_ascii_with_words_around_them),
		cmocka_unit_test(words_of_gpgv),
		cmocka_unit_test(strips_without_looking),
		cmocka_unit_test(signs),
		cmocka_unit_test(signs_at_no_time_before_the_key_was_renewed),
		cmocka_unit_test(signs_with_a_protected_key),
		cmocka_unit_test(refuses_what_cannot_sign),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
