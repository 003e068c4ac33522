/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/char_device.h"
#include "drivers/declared_path.h"
#include "drivers/declared_row.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define MILLI 1000.0

static const struct declared_spec *spec_of(const struct device *device)
{
	return device->driver->data;
}

/* As sysfs_probe_line(), with a star in the place of a directory. */
static int probe_line(const struct host *host, const struct device *device, const char *attribute,
		      char *buf, struct error *err)
{
	_cleanup_close_ int dirfd = -1;
	char name[DECLARED_RESOLVED_MAX];
	int r;

	dirfd = sysfs_open(host, device->sysfs_path, err);
	if (dirfd == -ENOENT)
		return error_set(err, ENODEV, "gone from sysfs");
	if (dirfd < 0)
		return dirfd;
	r = declared_attribute_resolve(dirfd, attribute, name);
	if (r == -ENOENT)
		return error_set(err, ENOENT, "%s is missing", attribute);
	if (r < 0)
		return error_set(err, -r, "%s cannot be found: %s", attribute, strerror(-r));
	return sysfs_probe_line(host, device, name, buf, err);
}

/* --- whether the entry is there, and still the same device's --- */

/* A fact that cannot be read now says nothing; another value is another card. */
static int probe_fact(const struct host *host, const struct device *device, enum declared_fact fact,
		      const char *expected, struct error *err)
{
	const char *attribute = spec_of(device)->attributes[fact];
	char text[SYSFS_LINE_MAX];

	if (attribute[0] == '\0' || expected[0] == '\0' ||
	    probe_line(host, device, attribute, text, NULL) < 0 || !sysfs_is_id(text))
		return 0;
	if (strcmp(text, expected) != 0)
		return error_set(err, ENODEV, "%s is '%s', expected '%s'", attribute, text,
				 expected);
	return 0;
}

static int probe_address(const struct host *host, const struct device *device, struct error *err)
{
	const char *attribute = spec_of(device)->attributes[DECLARED_BDF];
	char text[SYSFS_LINE_MAX];
	char bdf[DEVICE_BDF_MAX];
	int r;

	if (attribute[0] == '\0')
		return sysfs_probe_parent(host, device, err);
	if (device->bdf[0] == '\0')
		return 0;
	r = probe_line(host, device, attribute, text, err);
	if (r < 0)
		return r;
	if (pci_bdf_parse(text, bdf) < 0 || strcmp(bdf, device->bdf) != 0)
		return error_set(err, ENODEV, "%s is '%s', expected '%s'", attribute, text,
				 device->bdf);
	return 0;
}

static int probe_pci(const struct host *host, const struct device *device, struct error *err)
{
	if (faccessat(host->root_fd, device->sysfs_path, F_OK, 0) < 0)
		return error_set(err, ENODEV, "gone from the PCI bus");
	return 0;
}

static int probe_class(const struct host *host, const struct device *device, struct error *err)
{
	if (faccessat(host->root_fd, device->sysfs_path, F_OK, 0) < 0)
		return error_set(err, ENODEV, "gone from sysfs");
	return probe_address(host, device, err);
}

static int probe_file(const struct host *host, const struct device *device, struct error *err)
{
	char path[sizeof("/dev/") + DEVICE_NAME_MAX];
	char entry[DEVICE_PATH_MAX];
	int r;

	(void)snprintf(path, sizeof(path), "/dev/%s", device->name);
	r = file_is_char_device(host->root_fd, path + 1);
	if (r < 0)
		return driver_node_error(err, r, path);
	if (device->sysfs_path[0] == '\0')
		return 0;
	/* Found by its number, it must have that number still. */
	if (char_device_entry(host, device->name, entry) == 0 &&
	    strcmp(entry, device->sysfs_path) != 0)
		return error_set(err, ENODEV, "'%s' is another device now", path);
	return probe_class(host, device, err);
}

static int probe_presence(const struct host *host, const struct device *device, struct error *err)
{
	static int (*const probes[_DECLARED_SOURCE_MAX])(
		const struct host *host, const struct device *device, struct error *err) = {
		[DECLARED_SOURCE_PCI] = probe_pci,
		[DECLARED_SOURCE_CLASS] = probe_class,
		[DECLARED_SOURCE_FILE] = probe_file,
	};
	int r = probes[declared_source(spec_of(device))](host, device, err);

	if (r < 0)
		return r;
	r = probe_fact(host, device, DECLARED_UUID, device->uuid, err);
	if (r < 0)
		return r;
	return probe_fact(host, device, DECLARED_SERIAL, device->serial, err);
}

/* --- the rule --- */

/* A whole number; what does not fit 63 bits is none. */
static int parse_number(const char *text, int64_t *ret)
{
	bool negative = text[0] == '-';
	uint64_t magnitude;

	if (parse_u64(text + negative, 10, &magnitude) < 0 || magnitude > INT64_MAX)
		return -EINVAL;
	*ret = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

static int test_equals(const char *attribute, const char *text, const char *limit,
		       struct error *err)
{
	if (strcmp(text, limit) == 0)
		return 0;
	return error_set(err, EIO, "%s is '%s', expected '%s'", attribute, text, limit);
}

static int test_not_equals(const char *attribute, const char *text, const char *limit,
			   struct error *err)
{
	if (strcmp(text, limit) != 0)
		return 0;
	return error_set(err, EIO, "%s is '%s'", attribute, text);
}

static int test_less_than(const char *attribute, const char *text, const char *limit,
			  struct error *err)
{
	int64_t value, maximum;

	if (parse_number(text, &value) < 0 || parse_number(limit, &maximum) < 0)
		return error_set(err, EIO, "%s is '%s' and has to stay below '%s': no numbers",
				 attribute, text, limit);
	if (value < maximum)
		return 0;
	return error_set(err, EIO, "%s is %s, expected less than %s", attribute, text, limit);
}

static int probe_rule(const struct host *host, const struct device *device,
		      const struct declared_health *rule, struct error *err)
{
	static int (*const tests[_DECLARED_TEST_MAX])(const char *attribute, const char *text,
						      const char *limit, struct error *err) = {
		[DECLARED_TEST_EQUALS] = test_equals,
		[DECLARED_TEST_NOT_EQUALS] = test_not_equals,
		[DECLARED_TEST_LESS_THAN] = test_less_than,
	};
	char text[SYSFS_LINE_MAX];
	char limit[SYSFS_LINE_MAX];
	int r;

	if (rule->test == DECLARED_TEST_NONE)
		return 0;
	if (device->sysfs_path[0] == '\0')
		return error_set(err, ENOENT, "%s is missing: the device has no entry in sysfs",
				 rule->attribute);
	r = probe_line(host, device, rule->attribute, text, err);
	if (r == 0 && rule->other[0] != '\0')
		r = probe_line(host, device, rule->other, limit, err);
	else if (r == 0)
		r = str_copy(limit, sizeof(limit), rule->value);
	return r < 0 ? r : tests[rule->test](rule->attribute, text, limit, err);
}

int declared_probe(const struct host *host, const struct device *device, struct error *err)
{
	const struct declared_health *rule = &spec_of(device)->health;
	int r = probe_presence(host, device, err);

	if (r < 0)
		return r;
	if (rule->exists[0] != '\0' && faccessat(host->root_fd, rule->exists + 1, F_OK, 0) < 0)
		return error_set(err, EIO, "'%s' is missing", rule->exists);
	return probe_rule(host, device, rule, err);
}

/* --- readings --- */

int declared_measure(const struct host *host, const struct device *device,
		     struct device_readings *ret, struct error *err)
{
	const struct declared_spec *spec = spec_of(device);
	struct device_readings readings = device_readings_none();
	char text[SYSFS_LINE_MAX];
	int64_t value;
	int r = -ENOENT;

	if (device->sysfs_path[0] != '\0')
		r = probe_line(host, device, spec->temperature, text, err);
	if (r == -ENODEV || sysfs_is_shortage(r))
		return r;
	/* A reading below zero would say that there is none. */
	if (r == 0 && parse_number(text, &value) == 0 && value >= 0)
		readings.temperature_celsius =
			(double)value / (spec->temperature_milli ? MILLI : 1);
	*ret = readings;
	return 0;
}
