/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing: zstd, alone or against bytes of an older version.
 *
 * Source: zstd's manual on prefixes (--patch-from)
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
 * packer_rest() - Give back memory that the next call takes again.
 * @packer: packer
 */
void packer_rest(struct packer *packer);

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
