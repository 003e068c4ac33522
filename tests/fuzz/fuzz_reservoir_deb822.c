/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control files of any bytes: fed whole, byte by byte and in pieces, the stanzas are the
 * same; what is read of a package has its bounds; sources of a host end in words that
 * stand in YAML.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "reservoir/apt/deb822.h"
#include "reservoir/apt/host_sources.h"
#include "reservoir/apt/packages.h"
#include "reservoir/store/digest.h"

#define TEXT_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int on_file(_unused_ void *ctx, const struct package_file *file, _unused_ struct error *err)
{
	require(strlen(file->path) < STORE_PATH_MAX);
	return 0;
}

static int on_stanza(void *ctx, const struct deb822_stanza *stanza, _unused_ struct error *err)
{
	struct package_file file;
	struct package_name name;

	require(stanza->len > 0 && stanza->text[stanza->len - 1] == '\n');
	hasher_add(ctx, stanza->text, stanza->len);
	hasher_add(ctx, "|", 1);
	if (package_file(stanza, &file, NULL) == 0)
		require(strlen(file.path) < STORE_PATH_MAX);
	if (package_source(stanza, &name, NULL) == 0)
		require(name.name[0] && strlen(name.version) < PACKAGE_WORD_MAX);
	(void)source_files(stanza, on_file, NULL, NULL);
	return 0;
}

static struct digest read_pieces(const char *text, size_t size, size_t piece, int *ret)
{
	_cleanup_deb822_ struct deb822_reader reader;
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	int r = 0;

	require(hasher_new(&hasher, NULL) == 0);
	deb822_init(&reader, on_stanza, hasher);
	for (size_t at = 0; r == 0 && at < size; at += piece)
		r = deb822_feed(&reader, text + at, MIN(piece, size - at), NULL);
	if (r == 0)
		r = deb822_end(&reader, NULL);
	*ret = r;
	return hasher_end(hasher);
}

static void check_sources(const char *text, size_t size, int stanzas)
{
	_cleanup_(host_sources_done) struct host_sources sources = { 0 };
	_cleanup_free_ char *copy = malloc(size + 1);

	require(copy != NULL);
	memcpy(copy, text, size);
	copy[size] = '\0';
	(void)(stanzas ? host_sources_read_stanzas(&sources, copy, NULL)
		       : host_sources_read_lines(&sources, copy, NULL));
	for (size_t i = 0; i < sources.n; i++) {
		require(sources.sources[i].suites.n > 0);
		require(!strpbrk(sources.sources[i].uri, " '\"\n\t\\"));
		require(!strpbrk(sources.sources[i].suites.words[0], " '\"\n\t\\,"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct digest whole, bytes, pieces;
	int r, other;

	if (size > TEXT_MAX)
		return 0;
	whole = read_pieces(text, size, size ? size : 1, &r);
	bytes = read_pieces(text, size, 1, &other);
	/* Before a NUL byte, more or fewer stanzas are told by the size of the pieces. */
	require(r == other && (r < 0 || digest_equal(&whole, &bytes)));
	pieces = read_pieces(text, size, 7, &other);
	require(r == other && (r < 0 || digest_equal(&whole, &pieces)));
	check_sources(text, size, 0);
	check_sources(text, size, 1);
	return 0;
}
