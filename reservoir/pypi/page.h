/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a simple index as they are served.  The same contents always make the same
 * bytes.
 *
 * Source: packaging.python.org, "Simple repository API", version 1.4
 */
#pragma once

#include "base/strbuf.h"
#include "reservoir/pypi/index.h"
#include "reservoir/store/media.h"

#define PYPI_PAGE_MAX PYPI_LIST_BYTES_MAX /* bytes of one page */

/* A file of a page: @file as the upstream said, but for what a mirror knows better. */
struct pypi_page_file {
	const struct pypi_file *file;
	const char *version; /* as pypi_version_format() writes it, or NULL */
	struct digest sha256;
	uint64_t size;
	bool has_metadata; /* lies beside the file, with this digest */
	struct digest metadata_sha256;
	bool has_provenance; /* lies beside the file */
};

struct pypi_page {
	const char *name;	   /* normalised */
	const char *status;	   /* NULL for an active project */
	const char *status_reason; /* or NULL */
	const struct pypi_page_file *files;
	size_t n_files;
};

/**
 * pypi_page_json() - Write the page of a project in JSON.
 * @page: page; files by version, those of one version in a row
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int pypi_page_json(const struct pypi_page *page, struct strbuf *out, struct error *err);

/**
 * pypi_page_html() - Write the page of a project in HTML.
 * @page: page
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int pypi_page_html(const struct pypi_page *page, struct strbuf *out, struct error *err);

/* The forms of a page, to be written one after the other: one of 100,000 files has 40 MB. */
static const struct {
	enum media media;
	int (*write)(const struct pypi_page *page, struct strbuf *out, struct error *err);
} pypi_page_forms[] = {
	{ MEDIA_PYPI_JSON, pypi_page_json },
	{ MEDIA_PYPI_HTML, pypi_page_html },
};

/**
 * pypi_page_list_begin() - Begin the list of all projects.
 * @out: appended to
 * @media: MEDIA_PYPI_JSON or MEDIA_PYPI_HTML
 */
void pypi_page_list_begin(struct strbuf *out, enum media media);

/**
 * pypi_page_list_add() - Add a project.
 * @out: appended to
 * @media: as it was begun
 * @name: normalised name
 * @serial: serial that the upstream gave it, 0 for none; only JSON has it
 */
void pypi_page_list_add(struct strbuf *out, enum media media, const char *name, uint64_t serial);

/**
 * pypi_page_list_end() - End the list.
 * @out: appended to
 * @media: as it was begun
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int pypi_page_list_end(struct strbuf *out, enum media media, struct error *err);

/**
 * pypi_page_compress() - Compress a page the same way every time.
 * @data: @len bytes
 * @len: number of bytes
 * @encoding: ENCODING_GZIP or ENCODING_ZSTD
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, -E2BIG, -ENOMEM or -EIO.
 */
int pypi_page_compress(const void *data, size_t len, enum encoding encoding, struct strbuf *out,
		       struct error *err);
