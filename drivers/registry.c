/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drivers by name.  An explicit table, because a linker drops objects of a
 * static library that nothing names.
 */
#include "base/macro.h"
#include "drivers/driver.h"

static const struct driver *const registry[] = {
	&amd_driver,	&coral_driver,	&furiosa_driver,  &habana_driver,     &intel_driver,
	&neuron_driver, &nvidia_driver, &qualcomm_driver, &rebellions_driver, &tenstorrent_driver,
};

const struct driver *const *driver_registry(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(registry);
	return registry;
}
