/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/recipe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "reservoir/bundle/compress.h"

#define HEAD_MAX 512
#define GZIP_HEADER 10
#define XZ_HEADER 12 /* of a stream; that of a block follows, whose first byte is its length */
#define XZ_BLOCK_HEADER 12 /* without sizes */
#define TASTE ((uint64_t)64 * 1024)

/* The libraries and levels, and what their files look like: those of our own pages, of
 * Debian's and of Ubuntu's indexes, then what is usual.  Levels of xz above 6 take too
 * much memory, and their indexes travel whole. */
static const struct row {
	enum record_algorithm looks;
	enum record_algorithm algorithm;
	unsigned int level;
} rows[] = {
	{ RECORD_GZIP, RECORD_GZIP, 6 },
	{ RECORD_GZIP, RECORD_GZIP, 9 },
	{ RECORD_GZIP, RECORD_GZIP, 1 },
	{ RECORD_GZIP, RECORD_DEFLATE, 6 },
	{ RECORD_GZIP, RECORD_DEFLATE, 9 },
	{ RECORD_GZIP, RECORD_DEFLATE, 1 },
	{ RECORD_GZIP, RECORD_DEFLATE, 16 },
	{ RECORD_GZIP, RECORD_DEFLATE, 19 },
	{ RECORD_ZSTANDARD, RECORD_ZSTANDARD, 6 },
	{ RECORD_ZSTANDARD, RECORD_ZSTANDARD, 19 },
	{ RECORD_ZSTANDARD, RECORD_ZSTANDARD, 9 },
	{ RECORD_ZSTANDARD, RECORD_ZSTANDARD, 3 },
	{ RECORD_XZ_BLOCKS, RECORD_XZ_BLOCKS, 16 },
	{ RECORD_XZ_BLOCKS, RECORD_XZ_BLOCKS, 6 },
	{ RECORD_XZ, RECORD_XZ, 6 },
	{ RECORD_XZ, RECORD_XZ, 16 },
};

/* After so many failures nothing more is tried: xz takes a second each time. */
static const unsigned int failures_max[_RECORD_ALGORITHM_MAX] = {
	[RECORD_GZIP] = 16,
	[RECORD_ZSTANDARD] = 16,
	[RECORD_XZ] = 3,
	[RECORD_XZ_BLOCKS] = 3,
};

/* Compares what is made with what it must be. */
struct trial {
	struct compress_file plain;
	int packed;
	uint64_t at, end; /* of the packed file: where the next bytes are, and no more than */
	size_t skip;	  /* first bytes that are not compared */
	bool tasted;	  /* all until the end were the same */
	unsigned char piece[COMPRESS_PIECE];
};

static ssize_t read_plain(void *ctx, const unsigned char **ret, struct error *err)
{
	struct trial *trial = ctx;

	return compress_file_next(&trial->plain, ret, err);
}

static int compare(struct trial *trial, const unsigned char *data, size_t len)
{
	ssize_t n;

	while (len > 0 && trial->at < trial->end) {
		size_t piece = MIN(len, COMPRESS_PIECE);
		size_t some = (size_t)MIN((uint64_t)piece, trial->end - trial->at);

		n = file_pread(trial->packed, trial->piece, some, trial->at);
		if (n < 0)
			return (int)n;
		if ((size_t)n < some || memcmp(trial->piece, data, some) != 0)
			return -ECANCELED;
		trial->at += some;
		data += some;
		len -= some;
	}
	trial->tasted = trial->at == trial->end;
	return len > 0 ? -ECANCELED : 0;
}

static int write_compared(void *ctx, const unsigned char *data, size_t len, struct error *err)
{
	struct trial *trial = ctx;
	size_t skip = MIN(len, trial->skip);
	int r;

	trial->skip -= skip;
	r = compare(trial, data + skip, len - skip);
	return r < 0 ? error_set(err, -r, "what was made is another index") : 0;
}

static int try_trial(struct trial *trial, enum record_algorithm algorithm, unsigned int level,
		     struct error *err)
{
	struct compress_io io = { read_plain, write_compared, trial };
	struct error local = { 0 };
	int r = compress_as(algorithm, level, &io, &local);

	if (r == -ECANCELED || r == -EBADMSG)
		return 0;
	return r < 0 ? error_set(err, -r, "%s", local.msg) : 1;
}

/* Blocks are written when they are whole; whether their first bytes will be right is seen
 * from a stream without. */
static int taste_block(struct trial *trial, unsigned int level, uint64_t size, size_t header,
		       struct error *err)
{
	int r;

	trial->plain.at = 0;
	trial->skip = XZ_HEADER + XZ_BLOCK_HEADER;
	trial->at = XZ_HEADER + header;
	trial->end = trial->at + MIN(TASTE, size / 2);
	trial->tasted = false;
	r = try_trial(trial, RECORD_XZ, level, err);
	return r < 0 ? r : trial->tasted;
}

/* A file as it is looked at. */
struct look {
	struct trial *trial;
	uint64_t size;
	unsigned char head[HEAD_MAX];
	size_t n_head;
	size_t n_header; /* of gzip */
};

static int try_row(struct look *look, const struct row *row, struct recipe *ret, struct error *err)
{
	struct trial *trial = look->trial;
	size_t before = row->algorithm == RECORD_DEFLATE ? look->n_header : 0;
	uint64_t rest;
	int r = 1;

	if (row->algorithm == RECORD_XZ_BLOCKS)
		r = taste_block(trial, row->level, look->size, (look->head[XZ_HEADER] + 1u) * 4u,
				err);
	if (r <= 0)
		return r;
	trial->plain.at = 0;
	trial->skip = 0;
	trial->at = before;
	trial->end = look->size;
	r = try_trial(trial, row->algorithm, row->level, err);
	rest = look->size - trial->at;
	if (r <= 0 || before + rest > RECORD_FRAME_MAX)
		return MIN(r, 0);
	ret->algorithm = row->algorithm;
	ret->level = row->level;
	ret->n_before = before;
	ret->n_frame = before + (size_t)rest;
	memcpy(ret->frame, look->head, before);
	return file_pread(trial->packed, ret->frame + before, (size_t)rest, trial->at) ==
	       (ssize_t)rest;
}

/* The bytes of a name or comment, with the zero behind it. */
static size_t skip_text(const struct look *look, size_t at)
{
	while (at < look->n_head && look->head[at] != 0)
		at++;
	return at + 1;
}

/* How long a header of gzip is; 0 when that cannot be. */
static size_t gzip_header(const struct look *look)
{
	enum { CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16 };
	unsigned char flags = look->head[3];
	size_t at = GZIP_HEADER;

	if (flags & EXTRA && at + 2 <= look->n_head)
		at += 2 + look->head[at] + ((size_t)look->head[at + 1] << 8);
	if (flags & NAME)
		at = skip_text(look, at);
	if (flags & COMMENT)
		at = skip_text(look, at);
	if (flags & CRC)
		at += 2;
	return at <= look->n_head && at <= RECORD_FRAME_MAX ? at : 0;
}

static int try_rows(struct recipes *recipes, struct look *look, enum record_algorithm looks,
		    struct recipe *ret, struct error *err)
{
	size_t first = recipes->last[looks];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t row = (first + i) % ARRAY_SIZE(rows);
		int r = rows[row].looks == looks ? try_row(look, &rows[row], ret, err) : 0;

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		recipes->last[looks] = row;
		recipes->failures[looks] = 0;
		return 1;
	}
	recipes->failures[looks]++;
	return 0;
}

int recipe_find(struct recipes *recipes, int plain, int packed, uint64_t size, struct recipe *ret,
		struct error *err)
{
	_cleanup_free_ struct trial *trial = calloc(1, sizeof(*trial));
	struct look look = { .trial = trial, .size = size };
	enum record_algorithm looks;
	ssize_t n = file_pread(packed, look.head, sizeof(look.head), 0);

	if (!trial)
		return error_set(err, ENOMEM, "out of memory for packing");
	if (n < 0)
		return error_set(err, (int)-n, "reading an index: %s", strerror((int)-n));
	look.n_head = (size_t)n;
	looks = recipe_algorithm(look.head, look.n_head);
	if (!looks || recipes->failures[looks] >= failures_max[looks])
		return 0;
	if (looks == RECORD_GZIP) {
		look.n_header = gzip_header(&look);
		if (look.n_header == 0)
			return 0;
	}
	trial->plain.fd = plain;
	trial->packed = packed;
	return try_rows(recipes, &look, looks, ret, err);
}

enum record_algorithm recipe_algorithm(const unsigned char *data, size_t len)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b };
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const unsigned char xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

	if (len > 18 && memcmp(data, gzip, sizeof(gzip)) == 0)
		return RECORD_GZIP;
	if (len > 4 && memcmp(data, zstd, sizeof(zstd)) == 0)
		return RECORD_ZSTANDARD;
	/* Byte 13, of the first block: whether sizes are in its header. */
	if (len > 32 && memcmp(data, xz, sizeof(xz)) == 0)
		return data[13] & 0xc0 ? RECORD_XZ_BLOCKS : RECORD_XZ;
	return 0;
}
