/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

#include <string.h>

#include "base/macro.h"

#define BYTES_PER_SLIP 3

/* One line of the table of distances between the beginnings of both words. */
struct line {
	size_t cell[SUGGEST_WORD_MAX + 1];
};

/* Fills the line of a[i] from the lines of a[i - 1] and a[i - 2]. */
static void fill_line(const char *a, size_t i, const char *b, size_t b_len, struct line lines[3])
{
	const struct line *before = &lines[1], *earlier = &lines[2];
	struct line *now = &lines[0];

	now->cell[0] = i;
	for (size_t j = 1; j <= b_len; j++) {
		size_t replaced = before->cell[j - 1] + (a[i - 1] != b[j - 1]);
		size_t moved = MIN(before->cell[j], now->cell[j - 1]) + 1;

		now->cell[j] = MIN(replaced, moved);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			now->cell[j] = MIN(now->cell[j], earlier->cell[j - 2] + 1);
	}
}

size_t suggest_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	struct line lines[3] = { 0 };

	if (a_len > SUGGEST_WORD_MAX || b_len > SUGGEST_WORD_MAX)
		return SUGGEST_WORD_MAX + 1;
	for (size_t j = 0; j <= b_len; j++)
		lines[0].cell[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		lines[2] = lines[1];
		lines[1] = lines[0];
		fill_line(a, i, b, b_len, lines);
	}
	return lines[0].cell[b_len];
}

bool suggest_is_close(size_t distance, const char *word)
{
	size_t allowed = strlen(word) / BYTES_PER_SLIP;

	return distance <= SUGGEST_WORD_MAX && distance <= MAX(allowed, (size_t)1);
}
