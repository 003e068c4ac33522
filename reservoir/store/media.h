/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file is, and how it is packed: what a manifest says of it and HTTP answers.
 *
 * The numbers are written in manifests: new rows go at the end.
 *
 * Source: IANA's registries of media types and content codings; PEP 691 for PyPI
 */
#pragma once

#include <stdint.h>

enum media {
	MEDIA_OCTETS, /* application/octet-stream */
	MEDIA_TEXT,   /* text/plain; charset=utf-8 */
	MEDIA_HTML,
	MEDIA_JSON,
	MEDIA_PYPI_HTML, /* application/vnd.pypi.simple.v1+html */
	MEDIA_PYPI_JSON, /* application/vnd.pypi.simple.v1+json */
	MEDIA_DEB,
	MEDIA_GZIP,
	MEDIA_XZ,
	MEDIA_ZSTD,
	MEDIA_BZIP2,
	MEDIA_TAR,
	MEDIA_ZIP,
	MEDIA_PGP_KEYS,
	MEDIA_PGP_SIGNATURE,
	MEDIA_INTEGRITY, /* application/vnd.pypi.integrity.v1+json */
	MEDIA_XML,
	_MEDIA_MAX,
};

enum encoding {
	ENCODING_IDENTITY,
	ENCODING_GZIP,
	ENCODING_ZSTD,
	_ENCODING_MAX,
};

/**
 * media_type() - The Content-Type of a media.
 * @media: media
 *
 * Return: as in "text/plain; charset=utf-8".
 */
const char *media_type(enum media media);

/**
 * media_of_path() - What a file is, from the end of its name.
 * @path: path
 *
 * Return: media; MEDIA_OCTETS for what is not known, MEDIA_TEXT for names without
 *   an ending as in "Release".
 */
enum media media_of_path(const char *path);

/**
 * encoding_name() - The content coding of an encoding.
 * @encoding: encoding
 *
 * Return: "gzip", "zstd", or NULL for ENCODING_IDENTITY.
 */
const char *encoding_name(enum encoding encoding);
