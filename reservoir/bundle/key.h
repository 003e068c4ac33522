/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and signatures in the files of minisign, so that its program can check what
 * this one signs, and the other way round: Ed25519 over the BLAKE2b-512 of a file.
 *
 * Source: the formats are those of minisign(1); libsodium does the arithmetic
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

#define KEY_ID_SIZE 8
#define KEY_TEXT_SIZE 57	   /* base64 of a public key with the NUL */
#define KEY_FILE_MAX 1024	   /* bytes of the file of a key: two lines */
#define SIGNATURE_FILE_MAX 2048	   /* bytes of the file of a signature: four lines */
#define SIGNATURE_COMMENT_MAX 1024 /* bytes with the NUL of a trusted comment */

struct public_key {
	unsigned char id[KEY_ID_SIZE];
	unsigned char key[32];
};

struct secret_key {
	unsigned char id[KEY_ID_SIZE];
	unsigned char key[64]; /* with the public one, as libsodium has them */
};

struct signature {
	unsigned char id[KEY_ID_SIZE];
	unsigned char signature[64];
	unsigned char global[64]; /* of the signature and the comment */
	char comment[SIGNATURE_COMMENT_MAX];
};

/**
 * key_generate() - Make a pair of keys: FILE, mode 0600 and not encrypted, and FILE.pub.
 * @path: file of the secret key; neither it nor its .pub may be there; its folder is made,
 *        mode 0700, if it is missing
 * @text: receives the public key as one word, KEY_TEXT_SIZE bytes
 * @err: set on failure
 *
 * Return: 0, or
 *   -EEXIST  one of the files is there
 *   negative errno of the system
 */
int key_generate(const char *path, char text[KEY_TEXT_SIZE], struct error *err);

/**
 * public_key_parse() - Read a public key.
 * @text: one word, the second line of minisign's file
 * @ret: the key
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int public_key_parse(const char *text, struct public_key *ret, struct error *err);

/**
 * public_key_format() - Write a public key as one word.
 * @key: key
 * @text: receives KEY_TEXT_SIZE bytes
 *
 * Return: @text.
 */
const char *public_key_format(const struct public_key *key, char text[KEY_TEXT_SIZE]);

/**
 * secret_key_load() - Read the file of a secret key.
 * @path: file
 * @ret: the key, to be wiped with secret_key_done()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  it is no such file
 *   -ENOTSUP it is encrypted with a password
 *   negative errno of the system
 */
int secret_key_load(const char *path, struct secret_key *ret, struct error *err);

/**
 * secret_key_done() - Wipe a secret key.
 * @key: key
 */
void secret_key_done(struct secret_key *key);
#define _cleanup_secret_key_ _cleanup_(secret_key_done)

/**
 * secret_key_public() - The public key of a secret one.
 * @key: secret key
 *
 * Return: public key.
 */
struct public_key secret_key_public(const struct secret_key *key);

/**
 * signature_make() - Sign bytes.
 * @key: secret key
 * @data: @len bytes
 * @len: number of bytes
 * @comment: one line that is signed too
 * @out: the file of the signature is appended
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int signature_make(const struct secret_key *key, const void *data, size_t len, const char *comment,
		   struct strbuf *out, struct error *err);

/**
 * signature_parse() - Read the file of a signature.
 * @text: @len bytes
 * @len: number of bytes
 * @ret: the signature
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENODATA  it ends too early: not all of it has arrived
 *   -EBADMSG  it is no such file, or of the old kind without a hash
 */
int signature_parse(const char *text, size_t len, struct signature *ret, struct error *err);

/**
 * signature_check() - Whether a signature is that of a key over bytes.
 * @signature: signature
 * @key: public key
 * @data: @len bytes
 * @len: number of bytes
 *
 * Return: true if so, and its comment is signed too.
 */
bool signature_check(const struct signature *signature, const struct public_key *key,
		     const void *data, size_t len);
