/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel: Data Center GPU Flex 170 with i915, and the NPU of a Meteor Lake.
 *
 * Neither has an attribute that says whether it works: one that fails does not
 * answer on the bus.  A real NPU is a function of the processor; here it is a card
 * like the others.  Chosen here: the size of the memory and what the sensors say.
 *
 * Source: intel/intel-device-plugins-for-kubernetes at 94a91bc, cmd/gpu_plugin and
 * cmd/npu_plugin; Linux drivers/accel/ivpu/ivpu_sysfs.c, Documentation/ABI/testing/
 * sysfs-driver-intel-i915-hwmon; pci.ids
 */
#include <assert.h>

#include "base/macro.h"
#include "tests/sim/attributes.h"
#include "tests/sim/below_pci.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"

#define RENDER_MINOR 128 /* of the first GPU; Linux drivers/gpu/drm/drm_drv.c */

/* --- Flex 170 --- */

static const struct attribute flex170_attributes[] = {
	{ "sriov_totalvfs", .value = "31\n" },
	{ "sriov_numvfs", .value = "0\n" },
	{ "hwmon/hwmon3/name", .value = "i915\n" },
	{ "hwmon/hwmon3/energy1_input", .value = "123456789\n" },
	{ "hwmon/hwmon3/power1_max", .value = "150000000\n" },
};

static const struct attribute flex170_entry_attributes[] = {
	{ "lmem_total_bytes", .value = "14248050688\n" },
};

static const struct entry_template gpu_entries[] = {
	{ "card", 0, 0 },
	{ "renderD", RENDER_MINOR, 0 },
};

static const struct node_template gpu_nodes[] = {
	{ "card", "", NULL, false },
	{ "render", "", NULL, false },
};

static const struct node_place gpu_places[] = {
	{ NULL, 0, false },
	{ "dri/renderD", RENDER_MINOR, false },
};
static_assert(ARRAY_SIZE(gpu_places) == ARRAY_SIZE(gpu_nodes), "a place for every file");

static const struct chrdev drm_chrdevs[] = { { 226, "drm" } };

static const struct below_pci flex170 = {
	.kernel_driver = "i915",
	.entries = gpu_entries,
	.n_entries = ARRAY_SIZE(gpu_entries),
	.attributes = flex170_attributes,
	.n_attributes = ARRAY_SIZE(flex170_attributes),
	.entry_attributes = flex170_entry_attributes,
	.n_entry_attributes = ARRAY_SIZE(flex170_entry_attributes),
};

const struct layout layout_flex170 = {
	.name = "flex170",
	.pci = { 0x8086, 0x56c0, 0x8086, 0x4905, 0x038000, 0x05 },
	.class_name = "drm",
	.device_name = "dri/card",
	.chrdevs = drm_chrdevs,
	.n_chrdevs = ARRAY_SIZE(drm_chrdevs),
	.nodes = gpu_nodes,
	.places = gpu_places,
	.n_nodes = ARRAY_SIZE(gpu_nodes),
	.vendor = &flex170,
	.create = below_pci_create,
	.remove = below_pci_remove,
	.set_state = below_pci_set_state,
	.attribute_dir = pci_card_dir,
};

/* --- NPU --- */

static const struct attribute npu_attributes[] = {
	{ "npu_busy_time_us", .value = "0\n" },
	{ "npu_memory_utilization", .value = "4096\n" },
};

static const struct entry_template npu_entries[] = { { "accel", 0, 0 } };
static const struct node_template npu_nodes[] = { { "accel", "", NULL, false } };
static const struct chrdev accel_chrdevs[] = { { 261, "accel" } };

static const struct below_pci npu = {
	.kernel_driver = "intel_vpu",
	.entries = npu_entries,
	.n_entries = ARRAY_SIZE(npu_entries),
	.attributes = npu_attributes,
	.n_attributes = ARRAY_SIZE(npu_attributes),
};

const struct layout layout_npu = {
	.name = "npu",
	.pci = { 0x8086, 0x7d1d, 0x8086, 0x7d1d, 0x120000, 0x04 },
	.class_name = "accel",
	.device_name = "accel/accel",
	.chrdevs = accel_chrdevs,
	.n_chrdevs = ARRAY_SIZE(accel_chrdevs),
	.nodes = npu_nodes,
	.n_nodes = ARRAY_SIZE(npu_nodes),
	.vendor = &npu,
	.create = below_pci_create,
	.remove = below_pci_remove,
	.set_state = below_pci_set_state,
	.attribute_dir = pci_card_dir,
};
