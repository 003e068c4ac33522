/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an index in all forms that clients ask for, as it is made: gzip and xz become
 * objects; of the plain one only the hashes are taken, which Release lists.
 *
 * Source: libarchive's archive_write(3), format "raw"
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/apt/release.h"
#include "reservoir/store/object.h"

enum writer_form {
	WRITER_PLAIN,
	WRITER_GZIP,
	WRITER_XZ,
	_WRITER_FORM_MAX,
};

/* What came out of a form. */
struct written {
	const char *ending; /* "", ".gz" or ".xz" */
	uint64_t size;
	struct digest sha256;
	char sha512[SHA512_TEXT_SIZE];
};

struct writer;

/**
 * writer_new() - Begin an index.
 * @store: store opened with STORE_WRITE; borrowed
 * @ret: the writer, to be released with writer_free()
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int writer_new(struct store *store, struct writer **ret, struct error *err);

/**
 * writer_free() - Release a writer.
 * @writer: writer or NULL
 */
void writer_free(struct writer *writer);
DEFINE_CLEANUP(struct writer, writer_free);

/**
 * writer_add() - Append bytes.
 * @writer: writer
 * @data: @len bytes
 * @len: number of bytes
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int writer_add(struct writer *writer, const void *data, size_t len, struct error *err);

/**
 * writer_finish() - End an index.
 * @writer: writer; nothing can be added afterwards
 * @ret: receives what came out of each form
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int writer_finish(struct writer *writer, struct written ret[_WRITER_FORM_MAX], struct error *err);
