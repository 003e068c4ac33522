/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a manifest, little-endian:
 *
 *	16  magic
 *	48  each entry: digest, size, and mtime with media and encoding
 *	 ?  paths: two numbers in LEB128, of bytes shared with the path before (none for
 *	    the first of a group) and of bytes that follow, and these
 *	 4  each group of 16 entries: where its paths begin
 *	48  numbers: entries, bytes of all, bytes of paths, groups, version, magic
 *
 * The numbers are last because they are known last.
 *
 * Source: LEB128 is that of DWARF 5, section 7.6
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "reservoir/store/manifest.h"

#define MANIFEST_MAGIC "silica manifest\n" /* 16 bytes */
#define MANIFEST_MAGIC_SIZE 16
#define MANIFEST_VERSION 1
#define MANIFEST_ENTRY_SIZE 48
#define MANIFEST_GROUP 16 /* entries */
#define MANIFEST_GROUP_SIZE 4
#define MANIFEST_END_SIZE 48
#define MANIFEST_END_MAGIC UINT64_C(0x646e6520616c6973) /* "sila end" */
#define MANIFEST_PATHS_MAX UINT32_MAX
/* Of 48 bits with sign. */
#define MANIFEST_MTIME_MAX ((INT64_C(1) << 47) - 1)
#define MANIFEST_MTIME_MIN (-MANIFEST_MTIME_MAX - 1)

/**
 * manifest_entry_write() - Write an entry, all but its path.
 * @entry: entry
 * @ret: receives MANIFEST_ENTRY_SIZE bytes
 */
void manifest_entry_write(const struct manifest_entry *entry,
			  unsigned char ret[MANIFEST_ENTRY_SIZE]);

/**
 * manifest_entry_read() - Read an entry, all but its path.
 * @data: MANIFEST_ENTRY_SIZE bytes
 * @ret: entry; its path is left alone
 */
void manifest_entry_read(const unsigned char *data, struct manifest_entry *ret);

/**
 * manifest_entry_compare() - The order of entries: path, media, encoding.
 * @a: entry
 * @b: entry
 *
 * Return: negative, zero or positive.
 */
int manifest_entry_compare(const struct manifest_entry *a, const struct manifest_entry *b);

/**
 * manifest_open_known() - Open a manifest that was checked before.
 * @store: store
 * @digest: the object's name
 * @ret: the manifest, to be released with manifest_free()
 * @err: set on failure
 *
 * Reading one that was damaged since ends somewhere or gives wrong entries, and harms
 * nothing: for comparisons whose worst is that something is looked at twice.
 *
 * Return: as manifest_open().
 */
int manifest_open_known(struct store *store, const struct digest *digest, struct manifest **ret,
			struct error *err);

/* Sees to it that no path is another's directory. */
struct manifest_nesting {
	char path[STORE_PATH_MAX];	  /* the last one */
	uint16_t lengths[STORE_PATH_MAX]; /* of paths that it begins with, itself among them */
	size_t n;
};

/**
 * manifest_nesting_add() - Look at the next path, in order.
 * @nesting: all-zero at first
 * @path: path, below STORE_PATH_MAX bytes
 * @shared: bytes that it surely shares with the one before
 * @len: bytes of @path
 *
 * Return: false if an earlier path is a directory of it.
 */
bool manifest_nesting_add(struct manifest_nesting *nesting, const char *path, size_t shared,
			  size_t len);
