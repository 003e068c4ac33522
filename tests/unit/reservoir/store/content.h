/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repositories of numbered files: what lies in file N is its number, so that what is
 * published can be checked from the outside.
 *
 * Source: tests/unit/reservoir/store/scratch.h
 */
#pragma once

#include <inttypes.h>

#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

/**
 * content_of() - What lies in a file.
 * @number: file
 * @ret: receives the text
 *
 * Return: its digest.
 */
static inline struct digest content_of(unsigned int number, char ret[32])
{
	(void)snprintf(ret, 32, "content of file %u", number);
	return digest_of(ret, strlen(ret));
}

/**
 * content_add() - Put a file in the store, if it is not there, and in a manifest.
 * @store: store
 * @builder: manifest
 * @number: file
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
static inline int content_add(struct store *store, struct manifest_builder *builder,
			      unsigned int number, struct error *err)
{
	char text[32];
	char path[32];
	struct manifest_entry entry = { .path = path, .digest = content_of(number, text) };
	int r = 0;

	(void)snprintf(path, sizeof(path), "file-%u", number);
	entry.size = strlen(text);
	if (!object_exists(store, &entry.digest))
		r = object_put(store, text, strlen(text), NULL, err);
	return r < 0 ? r : manifest_add(builder, &entry, err);
}

/**
 * content_publish() - Publish a repository with some files.
 * @store: store
 * @name: repository
 * @numbers: files
 * @n: number of files
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
static inline int content_publish(struct store *store, const char *name,
				  const unsigned int *numbers, size_t n, struct error *err)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct generation_repository repository = { .ecosystem = "apt", .n_files = n };
	int r = manifest_builder_new(store, &builder, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = content_add(store, builder, numbers[i], err);
	if (r == 0)
		r = manifest_finish(builder, &repository.collected, err);
	if (r == 0)
		r = generation_current(store, &current, err);
	if (r == 0)
		r = generation_copy(current, &next, err);
	repository.served = repository.collected;
	(void)snprintf(repository.name, sizeof(repository.name), "%s", name);
	if (r == 0)
		r = generation_set(next, &repository, err);
	return r < 0 ? r : generation_publish(store, next, err);
}

/**
 * content_check_manifest() - See that all of a manifest is there, and what it should be.
 * @store: store
 * @digest: manifest
 *
 * Return: number of files; fails the test when one is missing or wrong.
 */
static inline size_t content_check_manifest(struct store *store, const struct digest *digest)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	struct error err = { 0 };
	size_t n = 0;

	if (manifest_open(store, digest, &manifest, &err) < 0)
		fail_msg("%s", err.msg);
	manifest_seek(manifest, "", &cursor);
	for (; manifest_next(&cursor, &entry); n++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64);
		char expected[32];
		unsigned int number = 0;

		assert_int_equal(sscanf(entry.path, "file-%u", &number), 1);
		if (object_read(store, &entry.digest, 64, &text, &err) < 0)
			fail_msg("%s: %s", entry.path, err.msg);
		(void)content_of(number, expected);
		assert_string_equal(strbuf_str(&text), expected);
	}
	return n;
}

/**
 * content_check() - See that all of a generation is there, and what it should be.
 * @store: store
 * @word: generation
 *
 * Return: number of files.
 */
static inline size_t content_check(struct store *store, const char *word)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error err = { 0 };
	size_t n = 0;

	if (generation_find(store, word, &generation, &err) < 0)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < generation->n_repositories; i++)
		n += content_check_manifest(store, &generation->repositories[i].served);
	return n;
}
