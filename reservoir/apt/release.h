/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Release file of a suite: which indexes it has and what they hash to.
 *
 * Only SHA-256 is believed; SHA-512 is kept for the names of by-hash files.
 *
 * Source: Debian wiki, "DebianRepository/Format", Release files; apt's
 * debmetaindex.cc for No-Support-for-Architecture-all
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/apt/deb822.h"
#include "reservoir/store/digest.h"

#define RELEASE_FILES_MAX 100000u /* jammy has 922 */
#define RELEASE_WORDS_MAX 64	  /* components or architectures; Debian has 4 and 12 */
#define RELEASE_WORD_SIZE 64	  /* bytes with the NUL */
#define SHA512_TEXT_SIZE 129	  /* hex digits with the NUL */

struct release_word {
	char text[RELEASE_WORD_SIZE];
};

struct release_file {
	const char *path; /* below the folder of the Release file */
	uint64_t size;
	struct digest sha256;
	const char *sha512; /* lower-case hex digits, or NULL */
};

struct release {
	char suite[RELEASE_WORD_SIZE];
	char codename[RELEASE_WORD_SIZE];
	int64_t date;	     /* seconds since 1970, 0 without */
	int64_t valid_until; /* seconds since 1970, 0 for ever */
	bool by_hash;	     /* Acquire-By-Hash: yes */
	bool all_is_inside;  /* packages of all architectures are in the index of each */
	struct release_word *components;
	size_t n_components;
	struct release_word *architectures;
	size_t n_architectures;
	struct release_file *files; /* sorted by path */
	size_t n_files;
	char *text; /* what the above point into */
};

/**
 * release_parse() - Read a Release file, without a signature around it.
 * @text: @len bytes, any value
 * @len: number of bytes
 * @ret: release, to be released with release_done(); untouched on failure
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  it is no Release file, has no SHA256, or a path leads outside
 *   -EFBIG    it, or a list in it, is too long
 *   -ENOMEM   no memory
 */
int release_parse(const char *text, size_t len, struct release *ret, struct error *err);

/**
 * release_done() - Release what it owns.
 * @release: release, or all-zero
 */
void release_done(struct release *release);
#define _cleanup_release_ _cleanup_(release_done)

/**
 * release_find() - Find a file.
 * @release: release
 * @path: path below the folder of the Release file
 *
 * Return: the file, borrowed, or NULL.
 */
const struct release_file *release_find(const struct release *release, const char *path);

/**
 * release_date() - Read a date as Release files have them.
 * @value: as in "Sat, 10 Feb 2024 10:18:37 UTC"
 * @ret: seconds since 1970
 *
 * Return: 0, or -EBADMSG.
 */
int release_date(const struct deb822_value *value, int64_t *ret);

/**
 * release_date_format() - Write a date as Release files have them.
 * @date: seconds since 1970
 * @ret: receives the text
 * @size: bytes of @ret; 40 are enough
 */
void release_date_format(int64_t date, char *ret, size_t size);
