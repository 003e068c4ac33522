/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tenstorrent accelerators: Grayskull, Wormhole and Blackhole.
 *
 * A chip is an entry /sys/class/tenstorrent/tenstorrent!N below its PCI device
 * and the device file /dev/tenstorrent/N.  An attribute exists only if the
 * firmware of the chip reports it, so any of them may be missing.  The serial
 * number is the board's: two chips of one board have the same, and the ASIC's
 * number tells them apart.
 *
 * Unhealthy is a chip at or above the temperature limit of its own sensors.
 * Whether its firmware is alive shows only in a heartbeat that goes on, which
 * one look cannot tell.  A sensor that does not answer says nothing: the kernel
 * driver drops a reading when it is busy.
 *
 * Source: tenstorrent/tt-kmd at 4af7192, docs/sysfs-attributes.md, wormhole.c,
 * blackhole.c and hwmon.c; pci.ids, vendor 1e52
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/hwmon.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_TENSTORRENT 0x1e52

/* By subsystem, for a chip whose firmware does not say its card's type; what is
 * not in pci.ids has no product but its architecture. */
static const struct class_product products[] = {
	{ 0xfaca, 0x0003, "e150", "grayskull" },  { 0xfaca, 0, NULL, "grayskull" },
	{ 0x401e, 0x0014, "n300", "wormhole" },	  { 0x401e, 0x0018, "n150", "wormhole" },
	{ 0x401e, 0, NULL, "wormhole" },	  { 0xb140, 0x0040, "p150a", "blackhole" },
	{ 0xb140, 0x0041, "p150b", "blackhole" }, { 0xb140, 0x0043, "p100a", "blackhole" },
	{ 0xb140, 0, NULL, "blackhole" },	  { 0 },
};

static bool is_version(const char *text)
{
	return sysfs_consists_of(text, SYSFS_DIGITS ".");
}

static const struct {
	const char *attribute;
	size_t offset;
	size_t size;
	bool (*fits)(const char *text);
} texts[] = {
	{ "tt_asic_id", offsetof(struct device, uuid), DEVICE_UUID_MAX, sysfs_is_id },
	{ "tt_serial", offsetof(struct device, serial), DEVICE_SERIAL_MAX, sysfs_is_id },
	{ "tt_fw_bundle_ver", offsetof(struct device, firmware_version), DEVICE_VERSION_MAX,
	  is_version },
};

static int read_facts(const struct class_entry *entry, struct device *device, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int r = sysfs_read_text(entry->dirfd, texts[i].attribute, texts[i].fits,
					(char *)device + texts[i].offset, texts[i].size, err);

		if (r < 0)
			return r;
	}
	return sysfs_read_text(entry->host->root_fd, "sys/module/tenstorrent/version", NULL,
			       device->driver_version, sizeof(device->driver_version), err);
}

/* "unknown" is what the kernel driver says of a card that is newer than itself. */
static bool is_card_type(const char *text)
{
	return class_device_is_word(text) && strcmp(text, "unknown") != 0;
}

static int find_product(int dirfd, struct device *device, struct error *err)
{
	const struct class_product *known = class_product_find(products, &device->pci);
	const char *product = known && known->product ? known->product : "";
	int r;

	if (known)
		device->architecture = known->architecture;
	if (product[0] == '\0')
		product = device->architecture;
	r = sysfs_read_text(dirfd, "tt_card_type", is_card_type, device->product,
			    sizeof(device->product), err);
	if (r != 0)
		return r;
	return str_copy(device->product, sizeof(device->product), product);
}

static int read_chip(const struct class_entry *entry, struct device *device, struct error *err)
{
	int r;

	r = read_facts(entry, device, err);
	if (r < 0)
		return r;
	r = find_product(entry->dirfd, device, err);
	if (r < 0)
		return r;
	return class_device_take(entry, device, err);
}

static const struct class_device tenstorrent_class = {
	.class_dir = "sys/class/tenstorrent",
	.entry_prefix = "tenstorrent!",
	.name_prefix = "tenstorrent/",
	.pci_vendor = PCI_VENDOR_TENSTORRENT,
	.own_class = true,
	.read = read_chip,
};

static int tenstorrent_scan(const struct driver *driver, const struct host *host,
			    struct device_list *list, struct error *err)
{
	return class_device_scan(&tenstorrent_class, driver, host, list, err);
}

struct owner_path {
	char text[DEVICE_PATH_MAX + sizeof("/device")];
};

/* The sensors are the PCI device's. */
static struct owner_path sensors_owner(const struct device *device)
{
	struct owner_path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/device", device->sysfs_path);
	return path;
}

static int check_temperature(int sensors, struct error *err)
{
	double temperature, limit;
	int r;

	r = hwmon_read(sensors, "temp1_input", HWMON_MILLIDEGREE, &temperature, err);
	if (r <= 0)
		return r;
	r = hwmon_read(sensors, "temp1_max", HWMON_MILLIDEGREE, &limit, err);
	if (r <= 0 || temperature < limit)
		return r < 0 ? r : 0;
	return error_set(err, EIO, "temperature is %.0f degrees Celsius, the limit %.0f",
			 temperature, limit);
}

/* Without a PCI address the numbers that the chip has tell whether it is the same. */
static int probe_identity(const struct host *host, const struct device *device, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r;

	if (device->bdf[0] != '\0' || device->uuid[0] == '\0')
		return 0;
	r = sysfs_probe_line(host, device, "tt_asic_id", text, err);
	if (r < 0)
		return r;
	if (strcmp(text, device->uuid) != 0)
		return error_set(err, ENODEV, "tt_asic_id is '%s', expected '%s'", text,
				 device->uuid);
	return 0;
}

static int tenstorrent_probe(const struct host *host, const struct device *device,
			     struct error *err)
{
	_cleanup_close_ int entry = class_device_open(host, device, err);
	_cleanup_close_ int sensors = -1;
	struct error reason = { 0 };
	int r;

	if (entry < 0)
		return entry;
	r = probe_identity(host, device, err);
	if (r < 0)
		return r;
	r = pci_probe(host, device->bdf, NULL, err);
	if (r < 0)
		return r;
	sensors = hwmon_open(host, sensors_owner(device).text, &reason);
	if (sysfs_is_shortage(sensors))
		return error_set(err, -sensors, "%s", error_text(&reason, sensors));
	return sensors < 0 ? 0 : check_temperature(sensors, err);
}

static int tenstorrent_measure(const struct host *host, const struct device *device,
			       struct device_readings *ret, struct error *err)
{
	struct device_readings readings = device_readings_none();
	_cleanup_close_ int entry = class_device_open(host, device, err);
	int r;

	if (entry < 0)
		return entry;
	r = hwmon_read_load(host, sensors_owner(device).text, &readings, err);
	if (r < 0)
		return r;
	*ret = readings;
	return 0;
}

static const struct driver_env tenstorrent_env[] = {
	{ "TT_VISIBLE_DEVICES", DRIVER_ENV_INDEX },
	{ 0 },
};

/* The runtime keeps its buffers for the chips in huge pages. */
static const struct driver_mount tenstorrent_mounts[] = {
	{ "/dev/hugepages-1G", false },
	{ 0 },
};

static const char *const tenstorrent_node_dirs[] = { "dev/tenstorrent", "dev", NULL };
static const char *const tenstorrent_subsystems[] = { "tenstorrent", NULL };

const struct driver tenstorrent_driver = {
	.name = "tenstorrent",
	.vendor = "Tenstorrent",
	.env = tenstorrent_env,
	.mounts = tenstorrent_mounts,
	.doc = {
		.hardware = "Grayskull (e150), Wormhole (n150, n300, Galaxy), Blackhole (p100, "
			"p100a, p150a/b/c, p300a/b/c, Galaxy)",
		.reads = "`/sys/class/tenstorrent/tenstorrent!N` below a PCI device of vendor "
			"1e52",
		.identity = "`tt_asic_id`, else `tt_serial` where no other chip of the board has "
			"it, else PCI address",
		.health = "`temp1_input` is below `temp1_max` of its sensors, where both are "
			"there; it answers on the PCI bus; every device file is there. A "
			"heartbeat (`tt_heartbeat`) that stands still is not seen",
		.nodes = "`/dev/tenstorrent/N`",
		.evidence = "vendor source; the environment variable and the mount of huge pages "
			"from third parties; links between chips: not found in sysfs",
	},
	.scan = tenstorrent_scan,
	.probe = tenstorrent_probe,
	.measure = tenstorrent_measure,
	.node_dirs = tenstorrent_node_dirs,
	.subsystems = tenstorrent_subsystems,
};
