/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/fetch/progress.h"

#include <stdlib.h>
#include <string.h>

void progress_done(struct progress *progress)
{
	for (size_t i = 0; i < progress->n; i++) {
		_cleanup_free_ const char *label = progress->rows[i].label;

		(void)label;
	}
	free(progress->rows);
	*progress = (struct progress) { 0 };
}

static int add(struct progress *progress, const char *label)
{
	_cleanup_free_ char *copy = strdup(label);
	struct fetch_progress *rows;

	if (!copy)
		return -ENOMEM;
	rows = reallocarray(progress->rows, progress->n + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	progress->rows = rows;
	rows[progress->n++] = (struct fetch_progress) { .label = TAKE_PTR(copy) };
	return 0;
}

int progress_row(struct progress *progress, const char *label, size_t *ret)
{
	int r;

	if (!label)
		label = "";
	for (size_t i = 0; i < progress->n; i++)
		if (strcmp(progress->rows[i].label, label) == 0 || i + 1 == PROGRESS_LABELS_MAX) {
			*ret = i;
			return 0;
		}
	r = add(progress, label);
	if (r < 0)
		return r;
	*ret = progress->n - 1;
	return 0;
}
