/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel GPUs of the kernel drivers i915 and xe, and Intel NPUs of intel_vpu.
 *
 *	/sys/class/drm/card0/device/drm/renderD128	/dev/dri/card0, renderD128
 *	/sys/class/accel/accel0				/dev/accel/accel0
 *
 * Both classes are shared with other vendors: PCI vendor, PCI class and the bound
 * kernel driver tell what is ours.  A GPU that has given itself away to virtual
 * functions is left out; these are cards of their own.
 *
 * Source: intel/intel-device-plugins-for-kubernetes at 94a91bc, cmd/gpu_plugin and
 * cmd/npu_plugin; Linux Documentation/ABI/testing/sysfs-driver-intel-xe-hwmon,
 * drivers/accel/ivpu/ivpu_sysfs.c; pci.ids, vendor 8086
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/drm.h"
#include "drivers/hwmon.h"
#include "drivers/nodes.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define PCI_VENDOR_INTEL 0x8086
#define PCI_CLASS_DISPLAY 0x03
#define TILES_MAX 4		       /* of one GPU; a Data Center GPU Max has 2 */
#define MEMORY_MAX (UINT64_C(1) << 50) /* a PiB, far above any card */

static int read_gpu(const struct class_entry *entry, struct device *device, struct error *err);
static int read_npu(const struct class_entry *entry, struct device *device, struct error *err);

enum kind {
	KIND_GPU,
	KIND_NPU,
	_KIND_MAX,
};

static const struct class_device classes[_KIND_MAX] = {
	[KIND_GPU] = {
		.class_dir = DRM_CLASS_DIR,
		.entry_prefix = DRM_CARD,
		.name_prefix = "dri/" DRM_CARD,
		.pci_vendor = PCI_VENDOR_INTEL,
		.read = read_gpu,
	},
	[KIND_NPU] = {
		.class_dir = "sys/class/accel",
		.entry_prefix = "accel",
		.name_prefix = "accel/accel",
		.pci_vendor = PCI_VENDOR_INTEL,
		.read = read_npu,
	},
};

/* The driver's name is the architecture of a GPU, as in the vendor's resources. */
static const char *const gpu_drivers[] = { "i915", "xe", NULL };
static const char *const npu_drivers[] = { "intel_vpu", NULL };
static const char *const *const kernel_drivers[_KIND_MAX] = {
	[KIND_GPU] = gpu_drivers,
	[KIND_NPU] = npu_drivers,
};

/* Cards for servers and workstations; any other is named by its architecture. */
static const struct class_product products[] = {
	{ 0x0bd5, 0, "Data-Center-GPU-Max-1550", NULL },
	{ 0x0bd6, 0, "Data-Center-GPU-Max-1550", NULL },
	{ 0x0bd7, 0, "Data-Center-GPU-Max-1350", NULL },
	{ 0x0bd8, 0, "Data-Center-GPU-Max-1350", NULL },
	{ 0x0bd9, 0, "Data-Center-GPU-Max-1100", NULL },
	{ 0x0bda, 0, "Data-Center-GPU-Max-1100", NULL },
	{ 0x0bdb, 0, "Data-Center-GPU-Max-1100", NULL },
	{ 0x56c0, 0, "Data-Center-GPU-Flex-170", NULL },
	{ 0x56c1, 0, "Data-Center-GPU-Flex-140", NULL },
	{ 0x56a0, 0, "Arc-A770", NULL },
	{ 0x56a1, 0, "Arc-A750", NULL },
	{ 0x56a2, 0, "Arc-A580", NULL },
	{ 0x56a5, 0, "Arc-A380", NULL },
	{ 0x56a6, 0, "Arc-A310", NULL },
	{ 0 },
};

static int read_driver_version(const struct class_entry *entry, const char *driver,
			       struct device *device, struct error *err)
{
	char path[64];

	/* Only drivers from outside of the kernel's tree have a version. */
	(void)snprintf(path, sizeof(path), "sys/module/%s/version", driver);
	return sysfs_read_text(entry->host->root_fd, path, NULL, device->driver_version,
			       sizeof(device->driver_version), err);
}

/* --- GPUs --- */

static bool is_display(const struct device *device)
{
	/* 0 is not known; the driver has said then what it is. */
	return device->pci.class == 0 || device->pci.class >> 16 == PCI_CLASS_DISPLAY;
}

/* The whole of a card as i915 has it, else the sum of xe's tiles; nothing where the
 * GPU has no memory of its own. */
static int read_memory(const struct class_entry *entry, struct device *device, struct error *err)
{
	uint64_t sum = 0;
	int r;

	r = sysfs_read_u64(entry->dirfd, "lmem_total_bytes", MEMORY_MAX, &device->memory_bytes,
			   err);
	for (int tile = 0; r == 0 && tile < TILES_MAX; tile++) {
		char name[64];
		uint64_t bytes = 0;

		(void)snprintf(name, sizeof(name), "device/tile%d/physical_vram_size_bytes", tile);
		r = sysfs_read_u64(entry->dirfd, name, MEMORY_MAX, &bytes, err);
		if (r < 0)
			return r;
		sum += bytes;
		r = 0;
	}
	if (r == 0)
		device->memory_bytes = sum;
	return r < 0 ? r : 0;
}

static int find_gpu_nodes(const struct class_entry *entry, struct device *device, struct error *err)
{
	struct node_list list;
	uint32_t minor = 0;
	int r = drm_find(entry->host, device->sysfs_path, DRM_RENDER, &minor, err);

	if (r < 0)
		return r;
	node_list_init(&list, entry->host, device);
	node_list_need(&list, NULL, "/dev/%s", device->name);
	if (r > 0)
		node_list_need(&list, NULL, "/dev/dri/" DRM_RENDER "%" PRIu32, minor);
	else
		device_set_fault(device, "it has no render node");
	return node_list_finish(&list, err);
}

static int read_gpu(const struct class_entry *entry, struct device *device, struct error *err)
{
	const struct class_product *row = class_product_find(products, &device->pci);
	int r = pci_driver(entry->host, device->bdf, gpu_drivers, &device->architecture, err);

	if (r < 0)
		return r;
	if (!device->architecture || !is_display(device))
		return 0;
	/* The runtime numbers GPUs in an order of its own. */
	device->index = DEVICE_INDEX_UNKNOWN;
	(void)str_copy(device->product, sizeof(device->product),
		       row ? row->product : device->architecture);
	r = read_driver_version(entry, device->architecture, device, err);
	if (r >= 0)
		r = read_memory(entry, device, err);
	if (r >= 0)
		r = find_gpu_nodes(entry, device, err);
	return r < 0 ? r : 1;
}

/* --- NPUs --- */

static int read_npu(const struct class_entry *entry, struct device *device, struct error *err)
{
	const char *driver;
	struct node_list list;
	int r = pci_driver(entry->host, device->bdf, npu_drivers, &driver, err);

	if (r < 0 || !driver)
		return r;
	device->architecture = "npu";
	(void)str_copy(device->product, sizeof(device->product), "npu");
	r = read_driver_version(entry, driver, device, err);
	if (r < 0)
		return r;
	node_list_init(&list, entry->host, device);
	node_list_need(&list, NULL, "/dev/%s", device->name);
	r = node_list_finish(&list, err);
	return r < 0 ? r : 1;
}

/* --- the driver --- */

static int intel_scan(const struct driver *driver, const struct host *host,
		      struct device_list *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(classes); i++)
		r = class_device_scan(&classes[i], driver, host, list, err);
	return r;
}

static enum kind kind_of(const struct device *device)
{
	return str_starts_with(device->sysfs_path, DRM_CLASS_DIR "/") ? KIND_GPU : KIND_NPU;
}

static int intel_probe(const struct host *host, const struct device *device, struct error *err)
{
	int r = sysfs_probe_parent(host, device, err);

	return r < 0 ? r : pci_probe(host, device->bdf, kernel_drivers[kind_of(device)], err);
}

static int read_npu_memory(const struct host *host, const struct device *device,
			   struct device_readings *ret, struct error *err)
{
	char path[DEVICE_PATH_MAX + 64];
	uint64_t bytes;
	int r;

	(void)snprintf(path, sizeof(path), "%s/device/npu_memory_utilization", device->sysfs_path);
	r = sysfs_read_u64(host->root_fd, path, MEMORY_MAX, &bytes, err);
	if (r > 0)
		ret->memory_used_bytes = (double)bytes;
	return r < 0 ? r : 0;
}

static int intel_measure(const struct host *host, const struct device *device,
			 struct device_readings *ret, struct error *err)
{
	struct device_readings readings = device_readings_none();
	char dir[DEVICE_PATH_MAX + sizeof("/device")];
	int r = sysfs_probe_parent(host, device, err);

	if (r < 0)
		return r;
	(void)snprintf(dir, sizeof(dir), "%s/device", device->sysfs_path);
	r = hwmon_read_load(host, dir, &readings, err);
	if (r == 0 && kind_of(device) == KIND_NPU)
		r = read_npu_memory(host, device, &readings, err);
	if (r == 0)
		*ret = readings;
	return r;
}

static const char *const intel_node_dirs[] = { "dev/dri", "dev/accel", NULL };
static const char *const intel_subsystems[] = { "drm", "accel", NULL };

const struct driver intel_driver = {
	.name = "intel",
	.vendor = "Intel",
	.doc = {
		.hardware = "GPUs of the kernel drivers `i915` and `xe`, NPUs of `intel_vpu`",
		.reads = "`/sys/class/drm/cardN` and `/sys/class/accel/accelN` with PCI "
			 "vendor `8086` and one of these drivers; a GPU with virtual "
			 "functions is left out",
		.identity = "PCI address; no UUID or serial number is in sysfs",
		.health = "the kernel driver is bound and the PCI device answers; every "
			  "device file is there. A GPU that hangs is not seen",
		.nodes = "`/dev/dri/cardN` and its `/dev/dri/renderDN`, or `/dev/accel/accelN`",
		.evidence = "vendor source, kernel source and pci.ids; memory size only where "
			    "`lmem_total_bytes` or `physical_vram_size_bytes` tells; "
			    "`by-path` links are not handed out",
	},
	.scan = intel_scan,
	.probe = intel_probe,
	.measure = intel_measure,
	.node_dirs = intel_node_dirs,
	.subsystems = intel_subsystems,
};
