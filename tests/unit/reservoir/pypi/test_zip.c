/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/zip.h"

#define NAME "x-1.dist-info/METADATA"
#define TEXT "Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Dist: y\nRequires-Dist: z\n"
#define TEXT_MAX ((size_t)4096)

/* A zip of two members, of which the second is deflated. */
struct archive {
	unsigned char data[1024];
	size_t len;
	size_t local, entry, end; /* where the parts of the second member are */
};

static void put(struct archive *archive, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++, value >>= 8)
		archive->data[archive->len++] = (unsigned char)value;
}

static void put_bytes(struct archive *archive, const void *data, size_t len)
{
	assert_true(archive->len + len <= sizeof(archive->data));
	memcpy(archive->data + archive->len, data, len);
	archive->len += len;
}

struct member {
	const char *name;
	const void *data;
	size_t packed, size;
	uint32_t crc;
	bool deflated;
	size_t at;
};

/* What a local header and an entry have in common, from the flags on. */
static void put_common(struct archive *archive, const struct member *member)
{
	put(archive, 0, 2);
	put(archive, member->deflated ? 8 : 0, 2);
	put(archive, 0, 4);
	put(archive, member->crc, 4);
	put(archive, member->packed, 4);
	put(archive, member->size, 4);
	put(archive, strlen(member->name), 2);
	put(archive, 0, 2);
}

static void put_local(struct archive *archive, struct member *member)
{
	member->at = archive->len;
	put(archive, 0x04034b50, 4);
	put(archive, 20, 2);
	put_common(archive, member);
	put_bytes(archive, member->name, strlen(member->name));
	put_bytes(archive, member->data, member->packed);
}

static void put_entry(struct archive *archive, const struct member *member)
{
	put(archive, 0x02014b50, 4);
	put(archive, 20, 2);
	put(archive, 20, 2);
	put_common(archive, member);
	put(archive, 0, 2 + 2 + 2 + 4);
	put(archive, member->at, 4);
	put_bytes(archive, member->name, strlen(member->name));
}

static size_t deflate_text(unsigned char *ret, size_t size)
{
	z_stream stream = { 0 };
	size_t len;

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)TEXT;
	stream.avail_in = sizeof(TEXT) - 1;
	stream.next_out = ret;
	stream.avail_out = (uInt)size;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	len = size - stream.avail_out;
	assert_int_equal(deflateEnd(&stream), Z_OK);
	return len;
}

static void make(struct archive *archive, const char *comment)
{
	unsigned char packed[256];
	struct member first = { "x/__init__.py", "1", 1, 1, 0x83dcefb7, false, 0 };
	struct member second = { NAME, packed, 0, sizeof(TEXT) - 1, 0, true, 0 };
	size_t directory;

	second.packed = deflate_text(packed, sizeof(packed));
	second.crc = (uint32_t)crc32(0, (const Bytef *)TEXT, sizeof(TEXT) - 1);
	*archive = (struct archive) { .len = 0 };
	put_local(archive, &first);
	archive->local = archive->len;
	put_local(archive, &second);
	directory = archive->len;
	put_entry(archive, &first);
	archive->entry = archive->len;
	put_entry(archive, &second);
	archive->end = archive->len;
	put(archive, 0x06054b50, 4);
	put(archive, 0, 4);
	put(archive, 2, 2);
	put(archive, 2, 2);
	put(archive, archive->end - directory, 4);
	put(archive, directory, 4);
	put(archive, strlen(comment), 2);
	put_bytes(archive, comment, strlen(comment));
}

/* All three steps, on bytes of which nothing is beyond what each was given. */
static int read_all(const struct archive *archive, struct strbuf *text)
{
	struct zip_directory directory;
	struct zip_member member;
	unsigned char *copy;
	int r = zip_directory_find(archive->data, archive->len, archive->len, &directory, NULL);

	if (r < 0)
		return r;
	copy = malloc(directory.size + 1);
	assert_non_null(copy);
	memcpy(copy, archive->data + directory.offset, directory.size);
	r = zip_member_find(copy, &directory, pypi_metadata_is_of_wheel, TEXT_MAX, &member, NULL);
	free(copy);
	if (r < 0)
		return r;
	copy = malloc(member.end - member.offset + 1);
	assert_non_null(copy);
	memcpy(copy, archive->data + member.offset, member.end - member.offset);
	r = zip_member_unpack(copy, member.end - member.offset, &member, text, NULL);
	free(copy);
	return r;
}

static void test_a_member(void **state _unused_)
{
	static const char *const comments[] = { "", "words", "PK\5\6", "PK\5\6 and no end of it" };

	for (size_t i = 0; i < ARRAY_SIZE(comments); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
		struct archive archive;

		make(&archive, comments[i]);
		assert_int_equal(read_all(&archive, &text), 0);
		assert_string_equal(strbuf_str(&text), TEXT);
	}
}

/* Where a byte is that a case changes. */
enum place {
	LOCAL,
	ENTRY,
	END,
};

static const struct {
	const char *what;
	enum place place;
	size_t offset, width;
	uint32_t value;
	int r;
} cases[] = {
	{ "no end", END, 0, 4, 0, -EBADMSG },
	{ "a comment that is longer than the file", END, 20, 2, 7, -EBADMSG },
	{ "another disk", END, 4, 2, 1, -ENOTSUP },
	{ "a directory on another disk", END, 6, 2, 1, -ENOTSUP },
	{ "members on another disk", END, 8, 2, 1, -ENOTSUP },
	{ "too many members for a zip", END, 8, 4, UINT32_MAX, -ENOTSUP },
	{ "a directory of a zip64", END, 12, 4, UINT32_MAX, -ENOTSUP },
	{ "a directory at an offset of a zip64", END, 16, 4, UINT32_MAX, -ENOTSUP },
	{ "a directory that is too long", END, 12, 4, ZIP_DIRECTORY_MAX + 1, -E2BIG },
	{ "a directory that is shorter than said", END, 12, 4, 10, -ENOTSUP },
	{ "a directory behind the end", END, 16, 4, 2000, -ENOTSUP },
	{ "fewer members than there are", END, 8, 4, 0x10001, -EBADMSG },
	{ "more members than there are", END, 8, 4, 0x30003, -EBADMSG },
	{ "no entry", ENTRY, 0, 4, 0, -EBADMSG },
	{ "encrypted", ENTRY, 8, 2, 1, -ENOTSUP },
	{ "masked", ENTRY, 8, 2, 1 << 13, -ENOTSUP },
	{ "packed as lzma", ENTRY, 10, 2, 14, -ENOTSUP },
	{ "stored, and of two sizes", ENTRY, 10, 2, 0, -EBADMSG },
	{ "another sum", ENTRY, 16, 4, 1, -EBADMSG },
	{ "packed longer than the file", ENTRY, 20, 4, 1000, -EBADMSG },
	{ "packed longer than allowed", ENTRY, 20, 4, 5000, -E2BIG },
	{ "packed shorter than it is", ENTRY, 20, 4, 10, -EBADMSG },
	{ "packed in nothing", ENTRY, 20, 4, 0, -EBADMSG },
	{ "unpacked longer than allowed", ENTRY, 24, 4, 5000, -E2BIG },
	{ "unpacked longer than it is", ENTRY, 24, 4, 4000, -EBADMSG },
	{ "unpacked shorter than it is", ENTRY, 24, 4, 10, -EBADMSG },
	{ "sizes of a zip64", ENTRY, 24, 4, UINT32_MAX, -ENOTSUP },
	{ "a name that is longer than the directory", ENTRY, 28, 2, 5000, -EBADMSG },
	{ "extra fields that are longer than the directory", ENTRY, 30, 2, 5000, -EBADMSG },
	{ "a comment that is longer than the directory", ENTRY, 32, 2, 5000, -EBADMSG },
	{ "a member on another disk", ENTRY, 34, 2, 1, -ENOTSUP },
	{ "a member behind the directory", ENTRY, 42, 4, 900, -EBADMSG },
	{ "a member at an offset of a zip64", ENTRY, 42, 4, UINT32_MAX, -ENOTSUP },
	{ "a member at another's header", ENTRY, 42, 4, 0, -EBADMSG },
	{ "another name", ENTRY, 46, 1, '/', -ENOENT },
	{ "a name with a NUL", ENTRY, 46, 1, 0, -ENOENT },
	{ "no local header", LOCAL, 0, 4, 0, -EBADMSG },
	{ "a local header that is encrypted", LOCAL, 6, 2, 1, -EBADMSG },
	{ "a local header with another method", LOCAL, 8, 2, 0, -EBADMSG },
	{ "a local header with another name", LOCAL, 30, 1, 'y', -EBADMSG },
	{ "a local header with a longer name", LOCAL, 26, 2, 5000, -EBADMSG },
	{ "a local header with extra fields that are not there", LOCAL, 28, 2, 5000, -ENODATA },
	{ "what does not unpack", LOCAL, 30 + sizeof(NAME) - 1, 4, UINT32_MAX, -EBADMSG },
};

static void test_hostile(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(2 * TEXT_MAX);
		struct archive archive;
		size_t at;
		int r;

		make(&archive, "");
		at = cases[i].place == LOCAL   ? archive.local
		     : cases[i].place == ENTRY ? archive.entry
					       : archive.end;
		for (size_t j = 0; j < cases[i].width; j++)
			archive.data[at + cases[i].offset + j] =
				(unsigned char)(cases[i].value >> (8 * j));
		r = read_all(&archive, &text);
		if (r != cases[i].r)
			fail_msg("%s: %d", cases[i].what, r);
		assert_true(text.len <= TEXT_MAX + (16u << 10));
	}
}

static void test_every_byte_and_every_length(void **state _unused_)
{
	struct archive archive, changed;

	make(&archive, "c");
	for (size_t i = 0; i < archive.len; i++) {
		for (unsigned int bit = 0; bit < 8; bit++) {
			_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(2 * TEXT_MAX);

			changed = archive;
			changed.data[i] ^= (unsigned char)(1u << bit);
			if (read_all(&changed, &text) == 0)
				assert_string_equal(strbuf_str(&text), TEXT);
		}
		changed = archive;
		changed.len = i;
		assert_true(read_all(&changed, NULL) < 0);
	}
}

static bool any(const char *name _unused_)
{
	return true;
}

static void test_two_members_that_fit(void **state _unused_)
{
	struct zip_directory directory;
	struct zip_member member;
	struct archive archive;

	make(&archive, "");
	assert_int_equal(
		zip_directory_find(archive.data, archive.len, archive.len, &directory, NULL), 0);
	assert_int_equal(zip_member_find(archive.data + directory.offset, &directory, any, TEXT_MAX,
					 &member, NULL),
			 -ENOTSUP);
}

/* The end alone tells where the directory is; and what lies before a zip is no part of it. */
static void test_a_tail(void **state _unused_)
{
	struct zip_directory directory;
	struct archive archive;
	const unsigned char *end;

	make(&archive, "");
	end = archive.data + archive.end;
	assert_int_equal(zip_directory_find(end, 22, archive.len, &directory, NULL), 0);
	assert_int_equal(directory.n, 2);
	assert_int_equal(directory.offset + directory.size, archive.end);
	assert_int_equal(zip_directory_find(end, 22, archive.len + 5, &directory, NULL), -ENOTSUP);
	assert_int_equal(zip_directory_find(end, 22, 21, &directory, NULL), -EBADMSG);
	assert_int_equal(zip_directory_find(end, 0, archive.len, &directory, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_member),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_every_byte_and_every_length),
		cmocka_unit_test(test_two_members_that_fit),
		cmocka_unit_test(test_a_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
