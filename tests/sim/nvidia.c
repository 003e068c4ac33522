/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs, as the kernel driver shows them in /proc/driver/nvidia: an H200 as a
 * whole, and one that is cut into seven instances by MIG.
 *
 *	proc/driver/nvidia/gpus/0000:19:00.0/information
 *	proc/driver/nvidia/capabilities/gpu0/mig/gi7/ci0/access
 *	dev/nvidia-caps/nvidia-cap67
 *
 * Keys and the form of their values are those of the documents below.  Chosen here:
 * versions, the major numbers other than 195, and the numbers of GPU instances, of
 * which seven small ones have 7 to 13 on machines that were seen by others.
 *
 * Source: NVIDIA driver README, "Using the /proc File System Interface"; NVIDIA MIG
 * User Guide, "Device Nodes and Capabilities"; nvidia-container-toolkit at d34b304,
 * internal/info/proc and internal/nvcaps; pci.ids
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/macro.h"
#include "tests/sim/attributes.h"
#include "tests/sim/below_pci.h"
#include "tests/sim/card.h"
#include "tests/sim/nodes.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

#define PROC_DIR "proc/driver/nvidia"
#define CAPS_DIR "dev/nvidia-caps"
#define CAPS_MAJOR 238
/* A GPU has 15 GPU instances of 8 compute instances; "config" and "monitor" are 1 and 2. */
#define CAPS_FIRST 3
#define CAPS_PER_GI 9
#define CAPS_PER_GPU (15 * CAPS_PER_GI)
#define FIRST_GI 7
#define INSTANCES 7

static const char version[] =
	"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  "
	"(builder@host)  Thu Jan 23 22:50:36 UTC 2025\n"
	"GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n";

static bool print_information(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	char bdf[PCI_BDF_MAX], uuid[SIM_UUID_MAX];

	pci_card_bdf(sim, card, bdf);
	card_uuid(sim, card, uuid);
	for (char *c = uuid; *c; c++)
		if (*c >= 'A' && *c <= 'F')
			*c = (char)(*c - 'A' + 'a');
	strbuf_printf(sb,
		      "Model: \t\t NVIDIA H200\nIRQ:   \t\t %" PRIu32 "\n"
		      "GPU UUID: \t GPU-%s\nVideo BIOS: \t 96.00.74.00.1F\nBus Type: \t PCIe\n"
		      "DMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\n"
		      "Bus Location: \t %s\nDevice Minor: \t %" PRIu32 "\n"
		      "GPU Firmware: \t 570.86.15\nGPU Excluded:\t No\n",
		      300 + card->ordinal, uuid, bdf, card->index);
	return true;
}

static const struct attribute gpu_attributes[] = {
	{ "information", .print = print_information },
};

static struct tree_path gpu_dir(const struct sim *sim, const struct card *card)
{
	char bdf[PCI_BDF_MAX];

	pci_card_bdf(sim, card, bdf);
	return tree_path(PROC_DIR "/gpus/%s", bdf);
}

/* --- MIG --- */

static bool is_cut(const struct card *card)
{
	const struct below_pci *family = card->layout->vendor;

	return family->vendor != NULL;
}

/* Number of the file of a GPU instance; that of its first compute instance follows. */
static uint32_t cap_minor(const struct card *card, uint32_t gi)
{
	return CAPS_FIRST + card->index * CAPS_PER_GPU + gi * CAPS_PER_GI;
}

static int create_cap(const struct sim *sim, const struct tree_path *dir, uint32_t minor,
		      struct error *err)
{
	struct tree_path access = tree_path("%s/access", dir->text);
	struct tree_path node = tree_path(CAPS_DIR "/nvidia-cap%" PRIu32, minor);
	char text[64];
	int r = tree_mkdirs(sim->root_fd, dir->text, err);

	(void)snprintf(text, sizeof(text),
		       "DeviceFileMinor: %" PRIu32 "\nDeviceFileMode: 292\nDeviceFileModify: 1\n",
		       minor);
	if (r >= 0)
		r = tree_puts(sim->root_fd, access.text, text, err);
	return r < 0 ? r : node_make(sim, makedev(CAPS_MAJOR, minor), node.text, err);
}

static int create_instance(const struct sim *sim, const struct card *card, uint32_t gi,
			   struct error *err)
{
	struct tree_path gi_dir =
		tree_path(PROC_DIR "/capabilities/gpu%" PRIu32 "/mig/gi%" PRIu32, card->index, gi);
	struct tree_path ci_dir = tree_path("%s/ci0", gi_dir.text);
	int r = create_cap(sim, &gi_dir, cap_minor(card, gi), err);

	return r < 0 ? r : create_cap(sim, &ci_dir, cap_minor(card, gi) + 1, err);
}

static int create_instances(const struct sim *sim, const struct card *card, struct error *err)
{
	int r = tree_mkdirs(sim->root_fd, CAPS_DIR, err);

	for (uint32_t i = 0; r >= 0 && i < INSTANCES; i++)
		r = create_instance(sim, card, FIRST_GI + i, err);
	return r;
}

static int remove_instances(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = tree_path(PROC_DIR "/capabilities/gpu%" PRIu32, card->index);
	int r = tree_remove(sim->root_fd, dir.text, err);

	for (uint32_t i = 0; r >= 0 && i < 2 * INSTANCES; i++) {
		uint32_t minor = cap_minor(card, FIRST_GI + i / 2) + i % 2;
		struct tree_path node = tree_path(CAPS_DIR "/nvidia-cap%" PRIu32, minor);

		r = tree_remove(sim->root_fd, node.text, err);
	}
	return r;
}

/* --- the functions of a row --- */

static int nvidia_create(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = gpu_dir(sim, card);
	int r = below_pci_create(sim, card, err);

	if (r >= 0 && is_cut(card))
		r = create_instances(sim, card, err);
	if (r >= 0)
		r = tree_mkdirs(sim->root_fd, dir.text, err);
	if (r >= 0)
		r = tree_replace(sim->root_fd, PROC_DIR "/version", version, strlen(version), err);
	if (r < 0)
		return r;
	return attributes_write(sim, card, dir.text, gpu_attributes, ARRAY_SIZE(gpu_attributes),
				err);
}

static int nvidia_remove(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path dir = gpu_dir(sim, card);
	int r = tree_remove(sim->root_fd, dir.text, err);

	if (r >= 0 && is_cut(card))
		r = remove_instances(sim, card, err);
	return r < 0 ? r : below_pci_remove(sim, card, err);
}

static const struct node_template nodes[] = {
	{ "gpu", "", NULL, false },	{ "ctl", "", NULL, false },
	{ "uvm", "", NULL, false },	{ "uvm-tools", "", NULL, false },
	{ "modeset", "", NULL, false },
};

static const struct node_place places[] = {
	{ NULL, 0, false },
	{ "nvidiactl", 0, true },
	{ "nvidia-uvm", 0, true },
	{ "nvidia-uvm-tools", 0, true },
	{ "nvidia-modeset", 0, true },
};
_Static_assert(ARRAY_SIZE(places) == ARRAY_SIZE(nodes), "a place for every file");

static const struct chrdev chrdevs[] = {
	{ 195, "nvidia" },
	{ 237, "nvidia-uvm" },
	{ CAPS_MAJOR, "nvidia-caps" },
};

static const struct below_pci whole = { .kernel_driver = "nvidia" };
static const struct below_pci cut = { .kernel_driver = "nvidia", .vendor = "MIG" };

#define H200                                                                                    \
	.pci = { 0x10de, 0x2335, 0x10de, 0x2335, 0x030200, 0xa1 }, .device_name = "nvidia",     \
	.chrdevs = chrdevs, .n_chrdevs = ARRAY_SIZE(chrdevs), .nodes = nodes, .places = places, \
	.n_nodes = ARRAY_SIZE(nodes), .create = nvidia_create, .remove = nvidia_remove,         \
	.set_state = below_pci_set_state, .attribute_dir = gpu_dir

const struct layout layout_h200 = { .name = "h200", .vendor = &whole, H200 };
const struct layout layout_h200_mig = { .name = "h200-mig", .vendor = &cut, H200 };
