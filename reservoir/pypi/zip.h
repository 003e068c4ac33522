/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One member of a zip of which only parts are at hand: its end, which says where the
 * directory is; the directory, which says where the member is; and the member.
 *
 * What is strange is refused rather than guessed: the whole file is then asked for, and
 * libarchive reads it.
 *
 * Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10, sections 4.3.7
 * (local header), 4.3.12 (directory), 4.3.16 (end of the directory); RFC 1951
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define ZIP_END_MAX ((size_t)22 + 65535) /* bytes of the end: a comment is 16 bits long */
#define ZIP_LOCAL_SIZE 30u		 /* bytes of a local header, before its name */
#define ZIP_DIRECTORY_MAX (2u << 20)	 /* bytes: 16,000 members with names of 80 */
#define ZIP_NAME_MAX 512u		 /* bytes with the NUL of a name that is looked for */

struct zip_directory {
	uint64_t offset; /* in the file */
	uint32_t size;	 /* bytes */
	uint32_t n;	 /* members */
};

struct zip_member {
	uint64_t offset; /* of its local header */
	uint64_t end;	 /* it ends before this, as the directory begins there */
	uint32_t packed; /* bytes */
	uint32_t size;	 /* bytes, unpacked */
	uint32_t crc;	 /* of what is unpacked */
	bool deflated;	 /* else it is stored */
	char name[ZIP_NAME_MAX];
};

/**
 * zip_directory_find() - Find where the directory is.
 * @tail: the last @len bytes of the file
 * @len: number of bytes
 * @whole: bytes of the file
 * @ret: where it is
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  it is no zip, or a damaged one
 *   -ENOTSUP  zip64, several disks, or something before the first member
 *   -E2BIG    the directory has more than ZIP_DIRECTORY_MAX bytes
 */
int zip_directory_find(const void *tail, size_t len, uint64_t whole, struct zip_directory *ret,
		       struct error *err);

/**
 * zip_member_find() - Find the one member whose name passes a test.
 * @data: the directory, all its bytes
 * @directory: what zip_directory_find() said
 * @test: called with each name
 * @max: bytes that it may have, packed and unpacked
 * @ret: the member
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT   there is none
 *   -EBADMSG  the directory is damaged
 *   -ENOTSUP  there are two, or it is encrypted, zip64, or packed in another way
 *   -E2BIG    it has more than @max bytes
 */
int zip_member_find(const void *data, const struct zip_directory *directory,
		    bool (*test)(const char *name), size_t max, struct zip_member *ret,
		    struct error *err);

/**
 * zip_member_unpack() - Unpack a member, and see that it is what the directory says.
 * @data: @len bytes of the file, from the member's offset
 * @len: number of bytes
 * @member: member
 * @ret: appended to
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENODATA  there are not bytes enough
 *   -EBADMSG  it is damaged, or not what the directory says
 *   -E2BIG, -ENOMEM
 */
int zip_member_unpack(const void *data, size_t len, const struct zip_member *member,
		      struct strbuf *ret, struct error *err);
