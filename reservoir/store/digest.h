/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, by which everything in a store is named; and the other hashes that an index may
 * give of a file.
 *
 * Source: FIPS 180-4, RFC 1321; the hashing is OpenSSL's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define DIGEST_SIZE 32
#define DIGEST_TEXT_SIZE (2 * DIGEST_SIZE + 1) /* lower-case hex with the NUL */
#define HASH_TEXT_SIZE 129		       /* the same of any kind: SHA-512 is the longest */

struct digest {
	unsigned char bytes[DIGEST_SIZE];
};

struct hasher;

/**
 * hasher_new() - Begin a hash.
 * @ret: the hasher, to be released with hasher_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int hasher_new(struct hasher **ret, struct error *err);

/**
 * hasher_new_of() - Begin a hash of another kind, to be ended by hasher_end_text().
 * @kind: "sha512", "sha384", "sha224", "sha1" or "md5"
 * @ret: the hasher, to be released with hasher_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOTSUP  this machine does not compute it, as MD5 where only FIPS 140 is allowed
 *   -ENOMEM
 */
int hasher_new_of(const char *kind, struct hasher **ret, struct error *err);

/**
 * hasher_free() - Release a hasher.
 * @hasher: hasher or NULL
 */
void hasher_free(struct hasher *hasher);
DEFINE_CLEANUP(struct hasher, hasher_free);

/**
 * hasher_add() - Hash the next bytes.
 * @hasher: hasher
 * @data: @len bytes
 * @len: number of bytes
 */
void hasher_add(struct hasher *hasher, const void *data, size_t len);

/**
 * hasher_add_file() - Hash the bytes of a file, from where it stands.
 * @hasher: hasher
 * @fd: file
 * @max: no more is read once there are so many; UINT64_MAX for all
 * @ret: how many there were, even on failure
 *
 * Return: 0, or negative errno of read(2).
 */
int hasher_add_file(struct hasher *hasher, int fd, uint64_t max, uint64_t *ret);

/**
 * hasher_end() - What all bytes hash to; the hasher begins anew.
 * @hasher: hasher of SHA-256
 *
 * Return: the digest.
 */
struct digest hasher_end(struct hasher *hasher);

/**
 * hasher_end_text() - What all bytes hash to, as lower-case hex; the hasher begins anew.
 * @hasher: hasher of any kind
 * @text: receives at most HASH_TEXT_SIZE bytes with the NUL
 *
 * Return: @text.
 */
const char *hasher_end_text(struct hasher *hasher, char text[HASH_TEXT_SIZE]);

/**
 * hasher_peek() - What the bytes so far hash to; more can be added.
 * @hasher: hasher of SHA-256
 *
 * Return: the digest.
 */
struct digest hasher_peek(const struct hasher *hasher);

/**
 * digest_of() - Hash bytes at once.
 * @data: @len bytes
 * @len: number of bytes
 *
 * Return: the digest.
 */
struct digest digest_of(const void *data, size_t len);

/**
 * digest_equal() - Whether two digests are the same.
 * @a: digest
 * @b: digest
 *
 * Return: true if so.
 */
bool digest_equal(const struct digest *a, const struct digest *b);

/**
 * digest_format() - Write a digest as lower-case hex.
 * @digest: digest
 * @text: receives DIGEST_TEXT_SIZE bytes
 *
 * Return: @text.
 */
const char *digest_format(const struct digest *digest, char text[DIGEST_TEXT_SIZE]);

/**
 * digest_parse() - Read a digest.
 * @text: NUL-terminated, exactly 64 hex digits of either case
 * @ret: the digest
 *
 * Return: 0, or -EINVAL.
 */
int digest_parse(const char *text, struct digest *ret);
