/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/drm.h"

#include <stdio.h>

#include "drivers/device.h"
#include "drivers/sysfs.h"

int drm_find(const struct host *host, const char *entry, const char *prefix, uint32_t *ret,
	     struct error *err)
{
	static const char *const no_suffix[] = { "", NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	char dir[DEVICE_PATH_MAX + sizeof("/device/drm")];
	struct error reason = { 0 };
	int r;

	(void)snprintf(dir, sizeof(dir), "%s/device/drm", entry);
	r = sysfs_list(host, dir, prefix, no_suffix, &entries, &reason);
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "%s", error_text(&reason, r));
	if (r < 0 || entries.n == 0)
		return 0;
	*ret = entries.entries[0].index;
	return 1;
}
