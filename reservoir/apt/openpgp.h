/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file was signed by one of the keys that may: asked of gpgv(1).
 *
 * Source: gpgv(1); GnuPG's doc/DETAILS, "Format of the --status-fd output"
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

#define OPENPGP_KEYRING_MAX ((size_t)16 * 1024 * 1024) /* Debian's developers' is 10 MB */
#define OPENPGP_SIGNED_MAX ((size_t)16 * 1024 * 1024)  /* as of a Release file */
#define OPENPGP_TIMEOUT_MS 60000		       /* gpgv takes 30 ms */

struct openpgp_input {
	const void *data;
	size_t len;
};

/**
 * openpgp_read_inline() - Check a clear-signed text, and give what was signed.
 * @keyring: file of OpenPGP public keys, armored or not, or a folder of files *.gpg and *.asc
 * @text: the clear-signed text; nothing may be before or behind it
 * @ret: the signed text is appended
 * @err: set on failure: says by which key it was signed
 *
 * Return: 0, or
 *   -EBADMSG    it is not clear-signed, or was changed
 *   -EKEYREJECTED  no key of @keyring signed it, or one that expired or was revoked
 *   -ETIMEDOUT  gpgv did not answer
 *   negative errno of the system; -ENOENT also when there is no gpgv
 */
int openpgp_read_inline(const char *keyring, const struct openpgp_input *text, struct strbuf *ret,
			struct error *err);

/**
 * openpgp_check_detached() - Check a text against a signature beside it.
 * @keyring: file of OpenPGP public keys, armored or not
 * @text: the text
 * @signature: the signature, armored or not
 * @err: set on failure: says by which key it was signed
 *
 * Return: as openpgp_read_inline().
 */
int openpgp_check_detached(const char *keyring, const struct openpgp_input *text,
			   const struct openpgp_input *signature, struct error *err);

/**
 * openpgp_strip() - Give the text of a clear-signed file without looking at its signature.
 * @text: the clear-signed text
 * @ret: the text is appended
 * @err: set on failure
 *
 * Return: 0, -EBADMSG when it is not clear-signed, or -ENOMEM.
 */
int openpgp_strip(const struct openpgp_input *text, struct strbuf *ret, struct error *err);

/**
 * openpgp_status() - Read what gpgv tells.
 * @status: lines of --status-fd; changed while it is read
 * @err: set on failure
 *
 * Return: 0 if there is a good signature and no bad one, -EBADMSG or -EKEYREJECTED.
 */
int openpgp_status(char *status, struct error *err);
