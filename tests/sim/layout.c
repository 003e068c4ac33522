/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/macro.h"
#include "tests/sim/sim.h"

/* A new vendor: a file with its rows, their names in sim.h, and lines here. */
static const struct layout *const layouts[] = {
	&layout_aic,  &layout_atom,	&layout_blackhole, &layout_edgetpu,
	&layout_rngd, &layout_trainium, &layout_warboy,	   &layout_wormhole,
};

const struct layout *const *layout_table(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(layouts);
	return layouts;
}

const struct layout *layout_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (strcmp(layouts[i]->name, name) == 0)
			return layouts[i];
	return NULL;
}
