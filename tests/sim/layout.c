/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/macro.h"
#include "tests/sim/sim.h"

/* A new vendor: a file with its rows, their names in sim.h, and lines here. */
static const struct layout *const layouts[] = {
	&layout_aic,	  &layout_atom,	  &layout_blackhole,  &layout_edgetpu, &layout_flex170,
	&layout_gaudi2,	  &layout_h200,	  &layout_h200_mig,   &layout_ipu,     &layout_lpu,
	&layout_mi210,	  &layout_mi300x, &layout_mi300x_cpx, &layout_npu,     &layout_rdu,
	&layout_rngd,	  &layout_sapeon, &layout_trainium,   &layout_tsp,     &layout_warboy,
	&layout_wormhole,
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

uint32_t layout_numbers(const struct layout *layout)
{
	return MAX(layout->numbers, 1U);
}

bool layout_shares_numbers(const struct layout *a, const struct layout *b)
{
	return strcmp(a->device_name, b->device_name) == 0;
}
