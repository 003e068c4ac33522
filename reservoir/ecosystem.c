/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/ecosystem.h"

#include <string.h>

#include "reservoir/apt/apt.h"
#include "reservoir/pypi/pypi.h"

static const struct ecosystem *const rows[] = { &apt_ecosystem, &pypi_ecosystem, NULL };

const struct ecosystem *const *ecosystem_table(void)
{
	return rows;
}

const struct ecosystem *ecosystem_find(const char *name)
{
	for (const struct ecosystem *const *row = rows; *row; row++)
		if (strcmp((*row)->name, name) == 0)
			return *row;
	return NULL;
}
