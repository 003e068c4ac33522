/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs Release files with the site's key.
 *
 * Source: RFC 4880, sections 7 (cleartext signatures) and 5.2; librnp's rnp.h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"

#define SIGN_KEY_FILE_MAX ((size_t)1024 * 1024) /* a key has a few kB */
#define SIGN_PASSPHRASE_MAX 256			/* bytes with the NUL */

struct signer;

/**
 * signer_open() - Read a secret key.
 * @path: file of an OpenPGP secret key, armored or not; when it is protected, PATH.passphrase
 *   holds the passphrase
 * @ret: the signer, to be released with signer_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG       there is no secret key in it that can sign
 *   -EKEYREJECTED  it has expired; or is protected, and the passphrase is missing or wrong
 *   negative errno of the system
 */
int signer_open(const char *path, struct signer **ret, struct error *err);

/**
 * signer_free() - Release a signer.
 * @signer: signer or NULL
 */
void signer_free(struct signer *signer);
DEFINE_CLEANUP(struct signer, signer_free);

/**
 * signer_clear() - Clear-sign a text.
 * @signer: signer
 * @text: @len bytes
 * @len: number of bytes
 * @when: what the signature says, seconds since 1970; not before the key was made or renewed
 * @ret: the signed text is appended
 * @err: set on failure
 *
 * Return: 0, or -EIO.
 */
int signer_clear(struct signer *signer, const char *text, size_t len, int64_t when,
		 struct strbuf *ret, struct error *err);

/**
 * signer_detach() - Sign a text beside it, armored.
 * @signer: signer
 * @text: @len bytes
 * @len: number of bytes
 * @when: as of signer_clear()
 * @ret: the signature is appended
 * @err: set on failure
 *
 * Return: 0, or -EIO.
 */
int signer_detach(struct signer *signer, const char *text, size_t len, int64_t when,
		  struct strbuf *ret, struct error *err);

/**
 * signer_public() - The public key, for the keyrings of clients.
 * @signer: signer
 * @armored: whether in ASCII
 * @ret: the key is appended
 * @err: set on failure
 *
 * Return: 0, or -EIO.
 */
int signer_public(struct signer *signer, bool armored, struct strbuf *ret, struct error *err);
