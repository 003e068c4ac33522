/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the reader of manifests.  What it accepts is in order, is
 * found path by path, and adds up.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/store/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static int count(void *ctx, enum manifest_change change, const struct manifest_entry *before,
		 const struct manifest_entry *after)
{
	uint64_t *n = ctx;

	require(change == MANIFEST_ADDED && !before && after);
	(*n)++;
	return 0;
}

static void check_entry(const struct manifest *manifest, const struct manifest_entry *entry)
{
	struct manifest_entry found;

	require(manifest_path_check(entry->path, NULL) == 0);
	require(entry->media < _MEDIA_MAX && entry->encoding < _ENCODING_MAX);
	require(manifest_find(manifest, entry->path, &found));
	require(manifest_variant(manifest, entry->path, entry->media, entry->encoding, &found));
	require(digest_equal(&found.digest, &entry->digest) && found.size == entry->size);
}

static void check(const struct manifest *manifest)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	uint64_t bytes = 0;
	uint64_t n = 0;

	manifest_seek(manifest, "", &cursor);
	for (; manifest_next(&cursor, &entry); n++) {
		bytes += entry.size;
		check_entry(manifest, &entry);
	}
	require(n == manifest_count(manifest) && bytes == manifest_bytes(manifest));
	n = 0;
	require(manifest_diff(NULL, manifest, count, &n) == 0 && n == manifest_count(manifest));
	require(manifest_diff(manifest, manifest, count, &n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	_cleanup_free_ void *copy = malloc(size ? size : 1);
	struct error err = { 0 };

	/* A block of its own, so that a byte too many is seen. */
	require(copy);
	if (size)
		memcpy(copy, data, size);
	if (manifest_parse(copy, size, &manifest, &err) < 0)
		require(err.code != 0 && err.msg[0] != '\0');
	else
		check(manifest);
	return 0;
}
