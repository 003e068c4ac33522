/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST
#include "reservoir/pypi/zip.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/macro.h"

#define END_SIGNATURE 0x06054b50u
#define END_SIZE 22u
#define ZIP64_SIGNATURE 0x07064b50u /* of the locator, which lies before the end */
#define ZIP64_SIZE 20u
#define ENTRY_SIGNATURE 0x02014b50u
#define ENTRY_SIZE 46u
#define LOCAL_SIGNATURE 0x04034b50u

#define FLAG_ENCRYPTED (1u << 0)
#define FLAG_PATCH (1u << 5)
#define FLAG_MASKED (1u << 13)
#define FLAGS_STRANGE (FLAG_ENCRYPTED | FLAG_PATCH | FLAG_MASKED)

#define METHOD_STORED 0u
#define METHOD_DEFLATED 8u
#define RAW_WINDOW (-15) /* without a header of zlib's */
#define PIECE ((size_t)16 * 1024)

static uint32_t read_u16(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_u32(const unsigned char *at)
{
	return read_u16(at) | read_u16(at + 2) << 16;
}

/* --- the end --- */

/* The last place where an end begins whose comment reaches to the end of the file. */
static const unsigned char *find_end(const unsigned char *tail, size_t len)
{
	size_t least = len > ZIP_END_MAX ? len - ZIP_END_MAX : 0;

	if (len < END_SIZE)
		return NULL;
	for (size_t at = len - END_SIZE;; at--) {
		if (read_u32(tail + at) == END_SIGNATURE &&
		    at + END_SIZE + read_u16(tail + at + 20) == len)
			return tail + at;
		if (at == least)
			return NULL;
	}
}

static bool is_zip64(const unsigned char *tail, const unsigned char *end)
{
	return ((size_t)(end - tail) >= ZIP64_SIZE &&
		read_u32(end - ZIP64_SIZE) == ZIP64_SIGNATURE) ||
	       read_u16(end + 10) == UINT16_MAX || read_u32(end + 12) == UINT32_MAX ||
	       read_u32(end + 16) == UINT32_MAX;
}

int zip_directory_find(const void *tail, size_t len, uint64_t whole, struct zip_directory *ret,
		       struct error *err)
{
	const unsigned char *end = len <= whole ? find_end(tail, len) : NULL;
	struct zip_directory found;

	if (!end)
		return error_set(err, EBADMSG, "it does not end as a zip does");
	if (is_zip64(tail, end))
		return error_set(err, ENOTSUP, "it is a zip64");
	if (read_u16(end + 4) != 0 || read_u16(end + 6) != 0 ||
	    read_u16(end + 8) != read_u16(end + 10))
		return error_set(err, ENOTSUP, "it is a zip of several disks");
	found = (struct zip_directory) {
		.offset = read_u32(end + 16),
		.size = read_u32(end + 12),
		.n = read_u16(end + 10),
	};
	if (found.size > ZIP_DIRECTORY_MAX)
		return error_set(err, E2BIG, "its directory has more than %u bytes",
				 ZIP_DIRECTORY_MAX);
	if (found.offset + found.size !=
	    whole - len + (uint64_t)(end - (const unsigned char *)tail))
		return error_set(err, ENOTSUP, "its directory is not before its end");
	*ret = found;
	return 0;
}

/* --- the directory --- */

/* An entry, with the name behind it that is not NUL-terminated. */
struct entry {
	const unsigned char *at;
	size_t name_len, len;
};

static bool take_entry(const unsigned char **at, const unsigned char *end, struct entry *ret)
{
	size_t left = (size_t)(end - *at);

	if (left < ENTRY_SIZE || read_u32(*at) != ENTRY_SIGNATURE)
		return false;
	ret->at = *at;
	ret->name_len = read_u16(*at + 28);
	ret->len = ENTRY_SIZE + ret->name_len + read_u16(*at + 30) + read_u16(*at + 32);
	if (ret->len > left)
		return false;
	*at += ret->len;
	return true;
}

static bool copy_name(const struct entry *entry, char ret[ZIP_NAME_MAX])
{
	if (entry->name_len >= ZIP_NAME_MAX ||
	    memchr(entry->at + ENTRY_SIZE, '\0', entry->name_len))
		return false;
	memcpy(ret, entry->at + ENTRY_SIZE, entry->name_len);
	ret[entry->name_len] = '\0';
	return true;
}

static int read_entry(const struct entry *entry, const struct zip_directory *directory, size_t max,
		      struct zip_member *ret, struct error *err)
{
	const unsigned char *at = entry->at;
	uint32_t method = read_u16(at + 10);

	ret->end = directory->offset;
	ret->crc = read_u32(at + 16);
	ret->packed = read_u32(at + 20);
	ret->size = read_u32(at + 24);
	ret->offset = read_u32(at + 42);
	ret->deflated = method == METHOD_DEFLATED;
	if (ret->packed == UINT32_MAX || ret->size == UINT32_MAX || ret->offset == UINT32_MAX ||
	    read_u16(at + 34) != 0)
		return error_set(err, ENOTSUP, "a member is a zip64's, or on another disk");
	if ((read_u16(at + 8) & FLAGS_STRANGE) ||
	    (method != METHOD_STORED && method != METHOD_DEFLATED))
		return error_set(err, ENOTSUP, "a member is encrypted, or packed in another way");
	if (ret->size > max || ret->packed > max)
		return error_set(err, E2BIG, "a member has more than %zu bytes", max);
	if (ret->offset + ZIP_LOCAL_SIZE + entry->name_len + ret->packed > ret->end ||
	    (!ret->deflated && ret->packed != ret->size))
		return error_set(err, EBADMSG, "a member is where there is no room for it");
	return 0;
}

int zip_member_find(const void *data, const struct zip_directory *directory,
		    bool (*test)(const char *name), size_t max, struct zip_member *ret,
		    struct error *err)
{
	const unsigned char *at = data, *end = at + directory->size;
	struct zip_member found;
	struct entry entry;
	bool any = false;
	int r;

	for (uint32_t i = 0; i < directory->n; i++) {
		struct zip_member member;

		if (!take_entry(&at, end, &entry))
			return error_set(err, EBADMSG, "its directory is damaged");
		if (!copy_name(&entry, member.name) || !test(member.name))
			continue;
		if (any)
			return error_set(err, ENOTSUP, "it has two of what there is one of");
		r = read_entry(&entry, directory, max, &member, err);
		if (r < 0)
			return r;
		found = member;
		any = true;
	}
	if (at != end)
		return error_set(err, EBADMSG, "its directory is damaged");
	if (!any)
		return error_set(err, ENOENT, "there is no metadata in it");
	*ret = found;
	return 0;
}

/* --- a member --- */

static int unpack(z_stream *stream, const struct zip_member *member, struct strbuf *ret,
		  struct error *err)
{
	unsigned char piece[PIECE];
	uint64_t size = 0;
	int r = Z_OK;

	while (r == Z_OK && size <= member->size) {
		size_t n;

		stream->next_out = piece;
		stream->avail_out = sizeof(piece);
		r = inflate(stream, Z_NO_FLUSH);
		n = sizeof(piece) - stream->avail_out;
		size += n;
		strbuf_add(ret, piece, n);
	}
	if (r == Z_MEM_ERROR)
		return error_set(err, ENOMEM, "no memory to unpack");
	if (r != Z_STREAM_END || size != member->size || stream->avail_in > 0)
		return error_set(err, EBADMSG, "a member is damaged");
	return 0;
}

static int unpack_deflated(const unsigned char *data, const struct zip_member *member,
			   struct strbuf *ret, struct error *err)
{
	z_stream stream = { 0 };
	int r;

	if (inflateInit2(&stream, RAW_WINDOW) != Z_OK)
		return error_set(err, ENOMEM, "no memory to unpack");
	stream.next_in = data;
	stream.avail_in = member->packed;
	r = unpack(&stream, member, ret, err);
	(void)inflateEnd(&stream);
	return r;
}

/* Where the bytes of a member begin; 0 for a local header that is not the directory's. */
static size_t skip_local(const unsigned char *data, size_t len, const struct zip_member *member)
{
	size_t name_len = strlen(member->name);
	uint32_t method = member->deflated ? METHOD_DEFLATED : METHOD_STORED;

	if (len < ZIP_LOCAL_SIZE + name_len || read_u32(data) != LOCAL_SIGNATURE ||
	    (read_u16(data + 6) & FLAGS_STRANGE) || read_u16(data + 8) != method ||
	    read_u16(data + 26) != name_len ||
	    memcmp(data + ZIP_LOCAL_SIZE, member->name, name_len) != 0)
		return 0;
	return ZIP_LOCAL_SIZE + name_len + read_u16(data + 28);
}

int zip_member_unpack(const void *data, size_t len, const struct zip_member *member,
		      struct strbuf *ret, struct error *err)
{
	size_t skip = skip_local(data, len, member), before = ret->len;
	const unsigned char *bytes = data;
	int r = 0;

	if (skip == 0)
		return error_set(err, EBADMSG, "a member is not what the directory says");
	if (skip > len || member->packed > len - skip)
		return error_set(err, ENODATA, "a member is longer than what was asked for");
	if (member->deflated)
		r = unpack_deflated(bytes + skip, member, ret, err);
	else
		strbuf_add(ret, bytes + skip, member->size);
	if (r < 0)
		return r;
	if (strbuf_error(ret) < 0)
		return error_set(err, -strbuf_error(ret), "no memory for a member");
	if (crc32_z(0, (const Bytef *)strbuf_str(ret) + before, ret->len - before) != member->crc)
		return error_set(err, EBADMSG, "a member is damaged");
	return 0;
}
