/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <rnp/rnp.h>
#include <rnp/rnp_err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/key_expiry.h"
#include "reservoir/apt/release.h"

#define SIGNED_MAX ((size_t)32 * 1024 * 1024) /* twice a Release file */

struct signer {
	rnp_ffi_t ffi;
	rnp_key_handle_t primary;
	rnp_key_handle_t key; /* that signs: the primary one or one below it */
	uint32_t bound;	      /* seconds since 1970: before that nobody knew what it may sign */
	char passphrase[SIGN_PASSPHRASE_MAX];
};

void signer_free(struct signer *signer)
{
	int saved_errno = errno;

	if (!signer)
		return;
	(void)rnp_key_handle_destroy(signer->key);
	(void)rnp_key_handle_destroy(signer->primary);
	(void)rnp_ffi_destroy(signer->ffi);
	explicit_bzero(signer->passphrase, sizeof(signer->passphrase));
	free(signer);
	errno = saved_errno;
}

static bool give_passphrase(rnp_ffi_t ffi _unused_, void *ctx, rnp_key_handle_t key _unused_,
			    const char *why _unused_, char buf[], size_t size)
{
	const struct signer *signer = ctx;

	return signer->passphrase[0] && str_copy(buf, size, signer->passphrase) >= 0;
}

/* The first line of the file beside the key; there is none for a key without protection. */
static int read_passphrase(struct signer *signer, const char *path, struct error *err)
{
	struct error error = { 0 }; /* that there is none is no error */
	char beside[4096];
	ssize_t n;

	if (snprintf(beside, sizeof(beside), "%s.passphrase", path) >= (int)sizeof(beside))
		return error_set(err, ENAMETOOLONG, "'%s' is too long", path);
	n = file_read(AT_FDCWD, beside, signer->passphrase, sizeof(signer->passphrase) - 1, &error);
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return error_set(err, (int)-n, "%s", error_text(&error, (int)n));
	signer->passphrase[n] = '\0';
	signer->passphrase[strcspn(signer->passphrase, "\r\n")] = '\0';
	return 0;
}

static int load_file(struct signer *signer, const char *path, struct error *err)
{
	_cleanup_free_ char *data = malloc(SIGN_KEY_FILE_MAX);
	rnp_input_t input = NULL;
	ssize_t n;
	int r = 0;

	if (!data)
		return error_set(err, ENOMEM, "no memory for a key");
	n = file_read(AT_FDCWD, path, data, SIGN_KEY_FILE_MAX, err);
	if (n < 0)
		return (int)n;
	if (rnp_ffi_create(&signer->ffi, "GPG", "GPG") != RNP_SUCCESS ||
	    rnp_ffi_set_pass_provider(signer->ffi, give_passphrase, signer) != RNP_SUCCESS)
		r = error_set(err, ENOMEM, "no memory for a key");
	else if (rnp_input_from_memory(&input, (const uint8_t *)data, (size_t)n, false) !=
			 RNP_SUCCESS ||
		 rnp_load_keys(signer->ffi, "GPG", input,
			       RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS) !=
			 RNP_SUCCESS)
		r = error_set(err, EBADMSG, "it is no OpenPGP key");
	(void)rnp_input_destroy(input);
	explicit_bzero(data, (size_t)n);
	return r;
}

/* Ends with the signature. */
static void take_later(rnp_signature_handle_t signature, const char *keyid, uint32_t *latest)
{
	uint32_t created = 0;
	char *by = NULL;

	if (rnp_signature_get_keyid(signature, &by) == RNP_SUCCESS && by &&
	    strcmp(by, keyid) == 0 &&
	    rnp_signature_get_creation(signature, &created) == RNP_SUCCESS)
		*latest = MAX(*latest, created);
	rnp_buffer_destroy(by);
	(void)rnp_signature_handle_destroy(signature);
}

static void look_at_key(rnp_key_handle_t key, const char *keyid, uint32_t *latest)
{
	rnp_signature_handle_t signature = NULL;
	uint32_t created = 0;
	size_t n = 0;

	if (rnp_key_get_creation(key, &created) == RNP_SUCCESS)
		*latest = MAX(*latest, created);
	(void)rnp_key_get_signature_count(key, &n);
	for (size_t i = 0; i < n; i++)
		if (rnp_key_get_signature_at(key, i, &signature) == RNP_SUCCESS)
			take_later(signature, keyid, latest);
}

static void look_at_name(rnp_uid_handle_t name, const char *keyid, uint32_t *latest)
{
	rnp_signature_handle_t signature = NULL;
	size_t n = 0;

	(void)rnp_uid_get_signature_count(name, &n);
	for (size_t i = 0; i < n; i++)
		if (rnp_uid_get_signature_at(name, i, &signature) == RNP_SUCCESS)
			take_later(signature, keyid, latest);
	(void)rnp_uid_handle_destroy(name);
}

/*
 * When the primary key last said what it and the other one are for. Renewing a key replaces
 * what it said before, and a verifier that goes back to the time of a signature, as sqv does,
 * finds nothing there.
 */
static uint32_t bound_since(rnp_key_handle_t primary, rnp_key_handle_t key)
{
	rnp_uid_handle_t name = NULL;
	uint32_t latest = 0;
	char *keyid = NULL;
	size_t n = 0;

	if (rnp_key_get_keyid(primary, &keyid) != RNP_SUCCESS)
		return 0;
	look_at_key(primary, keyid, &latest);
	look_at_key(key, keyid, &latest);
	(void)rnp_key_get_uid_count(primary, &n);
	for (size_t i = 0; i < n; i++)
		if (rnp_key_get_uid_handle_at(primary, i, &name) == RNP_SUCCESS)
			look_at_name(name, keyid, &latest);
	rnp_buffer_destroy(keyid);
	return latest;
}

/* Takes a primary key that has a secret key to sign with, itself or below it. */
static bool take_key(struct signer *signer, const char *fingerprint)
{
	rnp_key_handle_t primary = NULL, key = NULL;
	bool is_primary = false, is_secret = false;

	if (rnp_locate_key(signer->ffi, "fingerprint", fingerprint, &primary) != RNP_SUCCESS ||
	    !primary)
		return false;
	(void)rnp_key_is_primary(primary, &is_primary);
	if (is_primary && rnp_key_get_default_key(primary, "sign", 0, &key) == RNP_SUCCESS)
		(void)rnp_key_have_secret(key, &is_secret);
	if (is_secret) {
		signer->bound = bound_since(primary, key);
		signer->primary = primary;
		signer->key = key;
		return true;
	}
	(void)rnp_key_handle_destroy(key);
	(void)rnp_key_handle_destroy(primary);
	return false;
}

/* Nothing signs with a key that has expired. */
static int refuse_keys(const struct signer *signer, struct error *err)
{
	int64_t end = key_expiry(signer->ffi);
	char date[40];

	if (end == 0 || end > (int64_t)time(NULL))
		return error_set(err, EBADMSG, "it has no secret key that can sign");
	release_date_format(end, date, sizeof(date));
	return error_set(err, EKEYREJECTED,
			 "it expired on %s: extend it (gpg --quick-set-expire), and export it anew",
			 date);
}

static int choose_key(struct signer *signer, struct error *err)
{
	rnp_identifier_iterator_t iterator = NULL;
	const char *fingerprint = NULL;
	bool found = false;

	if (rnp_identifier_iterator_create(signer->ffi, &iterator, "fingerprint") != RNP_SUCCESS)
		return error_set(err, ENOMEM, "no memory for keys");
	while (!found && rnp_identifier_iterator_next(iterator, &fingerprint) == RNP_SUCCESS &&
	       fingerprint)
		found = take_key(signer, fingerprint);
	(void)rnp_identifier_iterator_destroy(iterator);
	return found ? 0 : refuse_keys(signer, err);
}

static int check_passphrase(struct signer *signer, const char *path, struct error *err)
{
	bool is_protected = false;

	(void)rnp_key_is_protected(signer->key, &is_protected);
	if (!is_protected)
		return 0;
	if (!signer->passphrase[0])
		return error_set(err, EKEYREJECTED,
				 "it is protected, and there is no file '%s.passphrase'", path);
	if (rnp_key_unlock(signer->key, NULL) != RNP_SUCCESS)
		return error_set(err, EKEYREJECTED, "the passphrase in '%s.passphrase' is wrong",
				 path);
	return 0;
}

int signer_open(const char *path, struct signer **ret, struct error *err)
{
	_cleanup_(signer_freep) struct signer *signer = calloc(1, sizeof(*signer));
	int r;

	if (!signer)
		return error_set(err, ENOMEM, "no memory for a key");
	r = load_file(signer, path, err);
	if (r == 0)
		r = choose_key(signer, err);
	if (r == 0)
		r = read_passphrase(signer, path, err);
	if (r == 0)
		r = check_passphrase(signer, path, err);
	if (r < 0)
		return error_wrap(err, r, "signing key '%s'", path);
	*ret = TAKE_PTR(signer);
	return 0;
}

static int sign(struct signer *signer, bool detached, rnp_input_t input, rnp_output_t output,
		int64_t when, struct error *err)
{
	rnp_op_sign_t op = NULL;
	uint32_t time = (uint32_t)MIN(MAX(when, (int64_t)signer->bound), (int64_t)UINT32_MAX);
	rnp_result_t result =
		detached ? rnp_op_sign_detached_create(&op, signer->ffi, input, output)
			 : rnp_op_sign_cleartext_create(&op, signer->ffi, input, output);

	if (result == RNP_SUCCESS)
		result = rnp_op_sign_set_hash(op, "SHA512");
	if (result == RNP_SUCCESS && detached)
		result = rnp_op_sign_set_armor(op, true);
	if (result == RNP_SUCCESS)
		result = rnp_op_sign_set_creation_time(op, time);
	if (result == RNP_SUCCESS)
		result = rnp_op_sign_add_signature(op, signer->key, NULL);
	if (result == RNP_SUCCESS)
		result = rnp_op_sign_execute(op);
	(void)rnp_op_sign_destroy(op);
	return result == RNP_SUCCESS
		       ? 0
		       : error_set(err, EIO, "sign: %s", rnp_result_to_string(result));
}

/* apt(8) knows an armored key only when its lines end as those of Unix. */
static int take_output(rnp_output_t output, bool armored, struct strbuf *ret, struct error *err)
{
	uint8_t *data = NULL;
	size_t len = 0;

	if (rnp_output_memory_get_buf(output, &data, &len, false) != RNP_SUCCESS)
		return error_set(err, EIO, "sign: nothing came out");
	for (size_t at = 0; at < len;) {
		const uint8_t *stop = armored ? memchr(data + at, '\r', len - at) : NULL;
		size_t n = stop ? (size_t)(stop - data) - at : len - at;

		strbuf_add(ret, data + at, n);
		at += n + (stop ? 1 : 0);
	}
	return strbuf_error(ret) < 0 ? error_set(err, ENOMEM, "no memory for a signature") : 0;
}

static int sign_text(struct signer *signer, bool detached, const struct strbuf *text, int64_t when,
		     struct strbuf *ret, struct error *err)
{
	rnp_input_t input = NULL;
	rnp_output_t output = NULL;
	int r;

	if (rnp_input_from_memory(&input, (const uint8_t *)strbuf_str(text), text->len, false) !=
		    RNP_SUCCESS ||
	    rnp_output_to_memory(&output, SIGNED_MAX) != RNP_SUCCESS)
		r = error_set(err, ENOMEM, "no memory to sign");
	else
		r = sign(signer, detached, input, output, when, err);
	if (r == 0)
		r = take_output(output, true, ret, err);
	(void)rnp_output_destroy(output);
	(void)rnp_input_destroy(input);
	return r;
}

int signer_clear(struct signer *signer, const char *text, size_t len, int64_t when,
		 struct strbuf *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf copy = STRBUF_INIT(SIGNED_MAX);

	strbuf_add(&copy, text, len);
	return strbuf_error(&copy) < 0 ? error_set(err, ENOMEM, "no memory to sign")
				       : sign_text(signer, false, &copy, when, ret, err);
}

int signer_detach(struct signer *signer, const char *text, size_t len, int64_t when,
		  struct strbuf *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf copy = STRBUF_INIT(SIGNED_MAX);

	strbuf_add(&copy, text, len);
	return strbuf_error(&copy) < 0 ? error_set(err, ENOMEM, "no memory to sign")
				       : sign_text(signer, true, &copy, when, ret, err);
}

int signer_public(struct signer *signer, bool armored, struct strbuf *ret, struct error *err)
{
	rnp_output_t output = NULL;
	uint32_t flags = RNP_KEY_EXPORT_PUBLIC | RNP_KEY_EXPORT_SUBKEYS |
			 (armored ? (uint32_t)RNP_KEY_EXPORT_ARMORED : 0u);
	int r = 0;

	if (rnp_output_to_memory(&output, SIGN_KEY_FILE_MAX) != RNP_SUCCESS)
		return error_set(err, ENOMEM, "no memory for a key");
	if (rnp_key_export(signer->primary, output, flags) != RNP_SUCCESS)
		r = error_set(err, EIO, "the public key cannot be written");
	if (r == 0)
		r = take_output(output, armored, ret, err);
	(void)rnp_output_destroy(output);
	return r;
}
