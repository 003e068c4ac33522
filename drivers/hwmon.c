/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hwmon.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/sysfs.h"

#define HWMON_PATH_MAX (DEVICE_PATH_MAX + 64) /* a device's path, "/device/hwmon/hwmon65535" */
#define HWMON_TEMPERATURES_MAX 8 /* sensors of one chip that are read; amdgpu has 3, xe has 3 */
#define HWMON_VALUE_MAX 1000000000000 /* a million watts or a billion degrees: above is garbage */

int hwmon_open(const struct host *host, const char *dir, struct error *err)
{
	static const char *const no_suffix[] = { "", NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	char path[HWMON_PATH_MAX];
	int r;

	(void)snprintf(path, sizeof(path), "%s/hwmon", dir);
	r = sysfs_list(host, path, "hwmon", no_suffix, &entries, err);
	if (r < 0)
		return r;
	if (entries.n == 0)
		return -ENOENT;
	(void)snprintf(path, sizeof(path), "%s/hwmon/hwmon%" PRIu32, dir, entries.entries[0].index);
	return sysfs_open(host, path, err);
}

static int parse_value(const char *text, double *ret)
{
	uint64_t value;
	int32_t below;
	int r;

	if (text[0] == '-') {
		r = parse_i32(text, &below);
		if (r == 0)
			*ret = below;
		return r;
	}
	r = parse_u64(text, 10, &value);
	if (r == 0 && value > HWMON_VALUE_MAX)
		r = -ERANGE;
	if (r == 0)
		*ret = (double)value;
	return r;
}

int hwmon_read(int fd, const char *name, double step, double *ret, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	double value = 0;
	int r = sysfs_read_fact(fd, name, text, err);

	if (r <= 0)
		return r;
	if (parse_value(text, &value) < 0)
		return 0;
	*ret = value * step;
	return 1;
}

static int read_hottest(int fd, double *ret, struct error *err)
{
	char name[32];
	double value;

	for (int i = 1; i <= HWMON_TEMPERATURES_MAX; i++) {
		int r;

		(void)snprintf(name, sizeof(name), "temp%d_input", i);
		r = hwmon_read(fd, name, HWMON_MILLIDEGREE, &value, err);
		if (r < 0)
			return r;
		if (r > 0 && value > *ret)
			*ret = value;
	}
	return 0;
}

static int read_power(int fd, double *ret, struct error *err)
{
	static const char *const names[] = { "power1_average", "power1_input" };
	double value;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int r = hwmon_read(fd, names[i], HWMON_MICROWATT, &value, err);

		if (r < 0)
			return r;
		if (r == 0 || value < 0)
			continue;
		*ret = value;
		return 0;
	}
	return 0;
}

int hwmon_read_load(const struct host *host, const char *dir, struct device_readings *ret,
		    struct error *err)
{
	struct error reason = { 0 };
	_cleanup_close_ int fd = hwmon_open(host, dir, &reason);
	int r;

	if (sysfs_is_shortage(fd))
		return error_set(err, -fd, "%s", error_text(&reason, fd));
	if (fd < 0)
		return 0;
	r = read_hottest(fd, &ret->temperature_celsius, err);
	return r < 0 ? r : read_power(fd, &ret->power_watts, err);
}
