/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of packages as apt is configured with, in both of its formats.
 *
 * Source: sources.list(5), "ONE-LINE-STYLE FORMAT" and "DEB822-STYLE FORMAT"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define HOST_FILE_MAX ((size_t)256 * 1024) /* of a file of sources; those of systems have 3 kB */
#define HOST_SOURCES_MAX 128		   /* of all files together */
#define HOST_WORDS_MAX 32		   /* suites or components of a source */
#define HOST_WORD_SIZE 256		   /* bytes with the NUL */

struct host_words {
	char words[HOST_WORDS_MAX][HOST_WORD_SIZE];
	size_t n;
};

struct host_source {
	char uri[HOST_WORD_SIZE];
	struct host_words suites;
	struct host_words components;
	struct host_words architectures;
	char signed_by[HOST_WORD_SIZE]; /* a file, or "" */
	bool key_inside;		/* Signed-By is the key itself, or a fingerprint */
	bool trusted;			/* signatures are not looked at */
	bool sources;			/* source packages too */
};

struct host_sources {
	struct host_source *sources;
	size_t n;
	size_t left_out; /* of a kind that is not understood */
};

/**
 * host_sources_done() - Release what a list owns.
 * @sources: list, or all-zero
 */
void host_sources_done(struct host_sources *sources);

/**
 * host_sources_understands() - Whether a repository can have an upstream.
 * @uri: as in sources of apt
 *
 * Return: true for a plain URI of http, https or file.
 */
bool host_sources_understands(const char *uri);

/**
 * host_sources_read_lines() - Read a file of the one-line format.
 * @sources: added to; sources of the same place are made one
 * @text: NUL-terminated; changed while it is read
 * @err: set on failure
 *
 * Return: 0, -EFBIG or -ENOMEM.
 */
int host_sources_read_lines(struct host_sources *sources, char *text, struct error *err);

/**
 * host_sources_read_stanzas() - Read a file of the deb822 format.
 * @sources: added to
 * @text: NUL-terminated; changed while it is read
 * @err: set on failure
 *
 * Return: 0, -EFBIG, -EBADMSG or -ENOMEM.
 */
int host_sources_read_stanzas(struct host_sources *sources, char *text, struct error *err);
