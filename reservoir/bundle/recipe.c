/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/recipe.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"

/* Those of our own pages, of Debian's and of Ubuntu's indexes, then what is usual.
 * Levels of xz above 6 take too much memory, and their indexes travel whole. */
static const struct recipe rows[] = {
	{ RECORD_GZIP, 6 },	  { RECORD_GZIP, 9 },	   { RECORD_ZSTANDARD, 6 },
	{ RECORD_ZSTANDARD, 19 }, { RECORD_ZSTANDARD, 9 }, { RECORD_ZSTANDARD, 3 },
	{ RECORD_XZ_BLOCKS, 16 }, { RECORD_XZ_BLOCKS, 6 }, { RECORD_XZ, 6 },
	{ RECORD_XZ, 16 },
};

/* After so many failures nothing more is tried: xz takes seconds each time. */
static const unsigned int failures_max[_RECORD_ALGORITHM_MAX] = {
	[RECORD_GZIP] = 16,
	[RECORD_ZSTANDARD] = 16,
	[RECORD_XZ] = 3,
	[RECORD_XZ_BLOCKS] = 3,
};

static int try_row(const struct recipe *row, struct packer *packer, struct bytes raw, size_t size,
		   const struct digest *digest, struct error *err)
{
	struct digest found;
	struct bytes made;
	int r = rebuild(packer, row->algorithm, row->level, raw, &made, err);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (made.len != size)
		return 0;
	found = digest_of(made.data, made.len);
	return digest_equal(&found, digest);
}

int recipe_find(struct recipes *recipes, struct packer *packer, enum record_algorithm algorithm,
		struct bytes raw, size_t size, const struct digest *digest, struct recipe *ret,
		struct error *err)
{
	size_t first = recipes->last[algorithm];

	if (recipes->failures[algorithm] >= failures_max[algorithm])
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t row = (first + i) % ARRAY_SIZE(rows);
		int r;

		if (rows[row].algorithm != algorithm)
			continue;
		r = try_row(&rows[row], packer, raw, size, digest, err);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		recipes->last[algorithm] = row;
		recipes->failures[algorithm] = 0;
		*ret = rows[row];
		return 1;
	}
	recipes->failures[algorithm]++;
	return 0;
}

enum record_algorithm recipe_algorithm(struct bytes packed)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b };
	static const unsigned char zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const unsigned char xz[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };

	if (packed.len > 18 && memcmp(packed.data, gzip, sizeof(gzip)) == 0)
		return RECORD_GZIP;
	if (packed.len > 4 && memcmp(packed.data, zstd, sizeof(zstd)) == 0)
		return RECORD_ZSTANDARD;
	/* Byte 13, of the first block: whether sizes are in its header. */
	if (packed.len > 32 && memcmp(packed.data, xz, sizeof(xz)) == 0)
		return packed.data[13] & 0xc0 ? RECORD_XZ_BLOCKS : RECORD_XZ;
	return 0;
}
