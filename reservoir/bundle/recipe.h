/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds how something was compressed, by doing it: with the right library and level the
 * same bytes come out, and then only what went in has to travel.
 *
 * Source: zlib, zstd and liblzma give the same bytes for the same input and level; RFC 1952 for
 * the header of gzip
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "reservoir/bundle/record.h"

struct recipe {
	enum record_algorithm algorithm;
	unsigned int level;
	/* What stands before what was compressed, as gzip's header, and behind it. */
	unsigned char frame[RECORD_FRAME_MAX];
	size_t n_before, n_frame;
};

/* What was learned: all-zero at first. */
struct recipes {
	size_t last[_RECORD_ALGORITHM_MAX];	      /* row that worked */
	unsigned int failures[_RECORD_ALGORITHM_MAX]; /* in a row */
};

/**
 * recipe_find() - Find what makes a file of another.
 * @recipes: what was learned
 * @plain: file that goes in
 * @packed: file that must come out
 * @size: its bytes
 * @ret: the recipe
 * @err: set on failure
 *
 * After several failures in a row nothing more is tried.
 *
 * Return: 1, 0 when there is none, or
 *   -ENOMEM
 *   negative errno of the system
 */
int recipe_find(struct recipes *recipes, int plain, int packed, uint64_t size, struct recipe *ret,
		struct error *err);

/**
 * recipe_algorithm() - With what a file was compressed.
 * @data: its first @len bytes
 * @len: number of bytes
 *
 * Return: algorithm, that of several that look alike; or 0.
 */
enum record_algorithm recipe_algorithm(const unsigned char *data, size_t len);
