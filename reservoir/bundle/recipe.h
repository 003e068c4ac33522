/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds how something was compressed, by doing it: with the right level the same bytes
 * come out, and then only what went in has to travel.
 *
 * Source: zlib, zstd and liblzma give the same bytes for the same input and level
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "reservoir/bundle/pack.h"
#include "reservoir/bundle/record.h"
#include "reservoir/store/digest.h"

struct recipe {
	enum record_algorithm algorithm;
	unsigned int level;
};

/* What was learned: all-zero at first. */
struct recipes {
	size_t last[_RECORD_ALGORITHM_MAX];	      /* row that worked */
	unsigned int failures[_RECORD_ALGORITHM_MAX]; /* in a row */
};

/**
 * recipe_find() - Find the level that makes certain bytes.
 * @recipes: what was learned
 * @packer: packer
 * @algorithm: algorithm
 * @raw: what goes in
 * @size: how many bytes must come out
 * @digest: what they must hash to
 * @ret: the recipe
 * @err: set on failure
 *
 * After several failures in a row nothing more is tried.
 *
 * Return: 1, 0 when there is none, or -ENOMEM.
 */
int recipe_find(struct recipes *recipes, struct packer *packer, enum record_algorithm algorithm,
		struct bytes raw, size_t size, const struct digest *digest, struct recipe *ret,
		struct error *err);

/**
 * recipe_algorithm() - With what bytes were compressed.
 * @packed: bytes
 *
 * Return: algorithm, or 0.
 */
enum record_algorithm recipe_algorithm(struct bytes packed);
