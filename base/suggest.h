/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean": how far apart two words are.
 *
 * Source: optimal string alignment, the distance of Damerau and Levenshtein in
 * which no part is edited twice
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SUGGEST_WORD_MAX 40 /* bytes of a word; a longer one is like no other */

/**
 * suggest_distance() - How many typing slips lead from one word to another.
 * @a: NUL-terminated word
 * @b: NUL-terminated word
 *
 * A slip is a byte left out, put in, replaced, or swapped with its neighbour.
 *
 * Return: number of slips, or SUGGEST_WORD_MAX + 1 when a word is too long.
 */
size_t suggest_distance(const char *a, const char *b);

/**
 * suggest_is_close() - Whether a word may have been meant.
 * @distance: suggest_distance() of the two words
 * @word: the word that was written
 *
 * Return: true if one slip per three bytes, and one in a short word, explains it.
 */
bool suggest_is_close(size_t distance, const char *word);
