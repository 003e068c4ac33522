/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing: zstd, alone or against bytes of an older version; and making the compressed
 * variants of a page again from the page.
 *
 * Source: zstd's manual on prefixes (--patch-from); RFC 1952 for
 * gzip, liblzma for xz
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/bundle/record.h"

struct packer;

/**
 * packer_new() - Begin packing and unpacking; it needs about 64 MiB.
 * @level: of zstd
 * @ret: the packer, to be released with packer_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int packer_new(int level, struct packer **ret, struct error *err);

/**
 * packer_free() - Release a packer.
 * @packer: packer or NULL
 */
void packer_free(struct packer *packer);
DEFINE_CLEANUP(struct packer, packer_free);

/* Bytes in memory. */
struct bytes {
	const unsigned char *data;
	size_t len;
};

/**
 * pack() - Pack bytes.
 * @packer: packer
 * @raw: at most RECORD_PACKED_MAX bytes
 * @base: what to refer to, at most RECORD_WINDOW_MAX bytes; none: length 0
 * @ret: the packed bytes, borrowed until the next call
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int pack(struct packer *packer, struct bytes raw, struct bytes base, struct bytes *ret,
	 struct error *err);

/**
 * unpack() - Unpack bytes from outside.
 * @packer: packer
 * @packed: bytes
 * @base: what they refer to
 * @len: how many there must be
 * @ret: the bytes, borrowed until the next call
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  they are not packed, or not so many
 *   -ENOMEM
 */
int unpack(struct packer *packer, struct bytes packed, struct bytes base, size_t len,
	   struct bytes *ret, struct error *err);

/**
 * rebuild() - Compress an index, or a page, as its maker does.
 * @packer: packer
 * @algorithm: algorithm
 * @level: level
 * @raw: at most RECORD_PACKED_MAX bytes
 * @ret: the bytes, borrowed until the next call
 * @err: set on failure
 *
 * Return: 0, -EBADMSG if that cannot be done, or -ENOMEM.
 */
int rebuild(struct packer *packer, enum record_algorithm algorithm, unsigned int level,
	    struct bytes raw, struct bytes *ret, struct error *err);

/**
 * expand() - The opposite, of bytes from outside.
 * @algorithm: algorithm
 * @packed: bytes, all of one stream
 * @out: room for what they expand to
 * @size: bytes of room
 * @ret_len: how many there are
 * @err: set on failure
 *
 * Return: 0, or
 *   -EFBIG    there is no room for all
 *   -EBADMSG  they are not compressed so
 *   -ENOMEM
 */
int expand(enum record_algorithm algorithm, struct bytes packed, unsigned char *out, size_t size,
	   size_t *ret_len, struct error *err);
