/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD: Instinct MI210, and MI300X whole or cut into eight.
 *
 * A GPU is known to DRM and to KFD.  The kernel makes seven platform devices for
 * every MI300X, with two device files each, whether it is cut or not; only where it
 * is does KFD have a node for them:
 *
 *	sys/devices/pci.../drm/card0, renderD128
 *	sys/devices/platform/amdgpu_xcp_0/drm/card1, renderD129
 *	sys/devices/virtual/kfd/kfd/topology/nodes/1/properties
 *
 * There is no attribute that says whether a GPU works: one that fails does not
 * answer on the bus.  Properties are those of the vendor's test data.  Chosen here:
 * that all GPUs are in one hive, sizes of memory, serial numbers, what the sensors
 * say, and that the nodes of KFD are numbered as the cards are.
 *
 * Source: ROCm/k8s-device-plugin at ed76468, testdata/topo-mi210-xgmi-pcie and
 * testdata/topology-parsing-mi308; Linux drivers/gpu/drm/amd/amdgpu/amdgpu_xcp.c
 * and drivers/gpu/drm/amd/amdkfd/kfd_topology.c; pci.ids
 */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "tests/sim/attributes.h"
#include "tests/sim/below_pci.h"
#include "tests/sim/card.h"
#include "tests/sim/pci.h"
#include "tests/sim/sim.h"
#include "tests/sim/tree.h"

#define RENDER_MINOR 128 /* of the first GPU; Linux drivers/gpu/drm/drm_drv.c */
#define PARTS 8		 /* of an MI300X, one per XCD; MAX_XCP of amdgpu_xcp.h */
#define KFD_DIR "sys/devices/virtual/kfd/kfd"
#define KFD_PROPERTIES_MAX 4096 /* a page */
#define HIVE "12609507387757274807"
#define UNIQUE_ID_SALT 4

/* What below_pci->vendor points to. */
struct amd {
	uint32_t kfd_nodes;	 /* per GPU */
	unsigned int simd_count; /* of one */
	unsigned int num_xcc;
	unsigned int gfx_target_version;
	uint64_t memory_bytes;
};

static const struct below_pci *family_of(const struct card *card)
{
	return card->layout->vendor;
}

/* --- the topology of KFD --- */

static const char cpu_properties[] =
	"cpu_cores_count 64\nsimd_count 0\nmem_banks_count 1\ncaches_count 0\nio_links_count 1\n"
	"p2p_links_count 0\ncpu_core_id_base 0\nsimd_id_base 0\nmax_waves_per_simd 0\n"
	"lds_size_in_kb 0\ngds_size_in_kb 0\nnum_gws 0\nwave_front_size 0\narray_count 0\n"
	"simd_arrays_per_engine 0\ncu_per_simd_array 0\nsimd_per_cu 0\nmax_slots_scratch_cu 0\n"
	"gfx_target_version 0\nvendor_id 0\ndevice_id 0\nlocation_id 0\ndomain 0\n"
	"drm_render_minor 0\nhive_id 0\nnum_sdma_engines 0\nnum_sdma_xgmi_engines 0\n"
	"num_sdma_queues_per_engine 0\nnum_cp_queues 0\nmax_engine_clk_ccompute 3800\n";

static void print_gpu(struct strbuf *sb, const struct sim *sim, const struct card *card,
		      uint32_t part)
{
	const struct amd *amd = family_of(card)->vendor;
	uint32_t domain;
	uint32_t location = pci_card_location(sim, card, &domain);

	strbuf_printf(sb,
		      "cpu_cores_count 0\nsimd_count %u\nmem_banks_count 1\nio_links_count 1\n"
		      "max_waves_per_simd 8\nlds_size_in_kb 64\nnum_gws 64\nwave_front_size 64\n"
		      "simd_per_cu 4\ngfx_target_version %u\nvendor_id %u\ndevice_id %u\n",
		      amd->simd_count, amd->gfx_target_version, card->layout->pci.vendor,
		      card->layout->pci.device);
	/* The lowest bits number the partition. */
	strbuf_printf(sb,
		      "location_id %" PRIu32 "\ndomain %" PRIu32 "\ndrm_render_minor %" PRIu32
		      "\nhive_id " HIVE "\nunique_id %" PRIu64 "\nnum_xcc %u\n"
		      "max_engine_clk_ccompute 3800\n",
		      location | part, domain, RENDER_MINOR + card->index + part,
		      card_hash(card, UNIQUE_ID_SALT), amd->num_xcc);
}

static struct tree_path kfd_node_dir(const struct card *card, uint32_t part)
{
	return tree_path(KFD_DIR "/topology/nodes/%" PRIu32, 1 + card->index + part);
}

static int write_kfd_node(const struct sim *sim, const char *dir, const char *properties,
			  uint64_t memory_bytes, struct error *err)
{
	struct tree_path bank = tree_path("%s/mem_banks/0", dir);
	struct tree_path path = tree_path("%s/properties", dir);
	char text[64]; /* a number has 20 digits at most */
	int r = tree_mkdirs(sim->root_fd, bank.text, err);

	(void)snprintf(text, sizeof(text), "size_in_bytes %" PRIu64 "\nflags 0\nwidth 4096\n",
		       memory_bytes);

	if (r >= 0)
		r = tree_puts(sim->root_fd, path.text, properties, err);
	path = tree_path("%s/properties", bank.text);
	return r < 0 ? r : tree_puts(sim->root_fd, path.text, text, err);
}

/* What is there without any GPU: the class, and a CPU as node 0. */
static int load_kfd(const struct sim *sim, struct error *err)
{
	struct tree_path dir = tree_path(KFD_DIR "/topology/nodes/0");
	int r = tree_mkdirs(sim->root_fd, KFD_DIR "/topology/nodes", err);

	if (r >= 0)
		r = tree_mkdirs(sim->root_fd, "sys/class/kfd", err);
	if (r < 0 || faccessat(sim->root_fd, dir.text, F_OK, 0) == 0)
		return r;
	r = write_kfd_node(sim, dir.text, cpu_properties, UINT64_C(512) << 30, err);
	if (r < 0)
		return r;
	return tree_link("../../devices/virtual/kfd/kfd", sim->root_fd, "sys/class/kfd/kfd", err);
}

static int create_kfd_node(const struct sim *sim, const struct card *card, uint32_t part,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(KFD_PROPERTIES_MAX);
	const struct amd *amd = family_of(card)->vendor;
	struct tree_path dir = kfd_node_dir(card, part);
	int r;

	print_gpu(&text, sim, card, part);
	r = strbuf_error(&text);
	if (r < 0)
		return error_set(err, -r, "no memory for the topology");
	return write_kfd_node(sim, dir.text, text.data, amd->memory_bytes / amd->kfd_nodes, err);
}

static int amd_create(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct amd *amd = family_of(card)->vendor;
	int r = load_kfd(sim, err);

	if (r >= 0)
		r = below_pci_create(sim, card, err);
	for (uint32_t part = 0; r >= 0 && part < amd->kfd_nodes; part++)
		r = create_kfd_node(sim, card, part, err);
	return r;
}

static int amd_remove(const struct sim *sim, const struct card *card, struct error *err)
{
	const struct amd *amd = family_of(card)->vendor;
	int r = 0;

	for (uint32_t part = 0; r >= 0 && part < amd->kfd_nodes; part++) {
		struct tree_path dir = kfd_node_dir(card, part);

		r = tree_remove(sim->root_fd, dir.text, err);
	}
	return r < 0 ? r : below_pci_remove(sim, card, err);
}

/* Numbered over all cards; a card that is cut has seven of its own. */
static struct tree_path xcp_dir(const struct card *card, uint32_t part)
{
	return tree_path("sys/devices/platform/amdgpu_xcp_%" PRIu32,
			 card->index / PARTS * (PARTS - 1) + part - 1);
}

/* --- attributes --- */

static bool print_unique_id(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	(void)sim;
	strbuf_printf(sb, "%016" PRIx64 "\n", card_hash(card, UNIQUE_ID_SALT));
	return true;
}

static bool print_serial(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	if (sim->description.serial == SERIAL_RULE_UNIQUE)
		strbuf_printf(sb, "6922%08" PRIu32 "\n", card->ordinal + 1);
	return sim->description.serial != SERIAL_RULE_NONE;
}

static bool print_memory(struct strbuf *sb, const struct sim *sim, const struct card *card)
{
	const struct amd *amd = family_of(card)->vendor;

	(void)sim;
	strbuf_printf(sb, "%" PRIu64 "\n", amd->memory_bytes);
	return true;
}

#define COMMON_ATTRIBUTES(PRODUCT)                                                         \
	{ "product_name", .value = (PRODUCT) }, { "unique_id", .print = print_unique_id }, \
		{ "serial_number", .print = print_serial },                                \
		{ "gpu_busy_percent", .value = "0\n" },                                    \
		{ "mem_info_vram_total", .print = print_memory },                          \
		{ "mem_info_vram_used", .value = "10850304\n" },                           \
		{ "hwmon/hwmon4/name", .value = "amdgpu\n" },                              \
		{ "hwmon/hwmon4/temp2_label", .value = "junction\n" },                     \
		{ "hwmon/hwmon4/temp2_input", .value = "42000\n" },                        \
		{ "hwmon/hwmon4/temp3_label", .value = "mem\n" },                          \
	{                                                                                  \
		"hwmon/hwmon4/temp3_input", .value = "39000\n"                             \
	}

static const struct attribute mi210_attributes[] = {
	COMMON_ATTRIBUTES("AMD Instinct MI210\n"),
	{ "hwmon/hwmon4/power1_average", .value = "41000000\n" },
};

#define MI300X_ATTRIBUTES(MODE)                                                     \
	COMMON_ATTRIBUTES("AMD Instinct MI300X OAM\n"),                             \
		{ "hwmon/hwmon4/power1_input", .value = "139000000\n" },            \
		{ "available_compute_partition", .value = "SPX, DPX, QPX, CPX\n" }, \
		{ "available_memory_partition", .value = "NPS1, NPS4\n" },          \
		{ "current_compute_partition", .value = MODE "\n" },                \
	{                                                                           \
		"current_memory_partition", .value = "NPS1\n"                       \
	}

static const struct attribute mi300x_attributes[] = { MI300X_ATTRIBUTES("SPX") };
static const struct attribute mi300x_cpx_attributes[] = { MI300X_ATTRIBUTES("CPX") };

/* --- class entries and device files --- */

static const struct entry_template mi210_entries[] = {
	{ "card", 0, 0 },
	{ "renderD", RENDER_MINOR, 0 },
};

static const struct entry_template mi300x_entries[] = {
	{ "card", 0, 0 }, { "renderD", RENDER_MINOR + 0, 0 },
	{ "card", 1, 1 }, { "renderD", RENDER_MINOR + 1, 1 },
	{ "card", 2, 2 }, { "renderD", RENDER_MINOR + 2, 2 },
	{ "card", 3, 3 }, { "renderD", RENDER_MINOR + 3, 3 },
	{ "card", 4, 4 }, { "renderD", RENDER_MINOR + 4, 4 },
	{ "card", 5, 5 }, { "renderD", RENDER_MINOR + 5, 5 },
	{ "card", 6, 6 }, { "renderD", RENDER_MINOR + 6, 6 },
	{ "card", 7, 7 }, { "renderD", RENDER_MINOR + 7, 7 },
};

static const struct node_template mi210_nodes[] = {
	{ "card", "", NULL, false },
	{ "render", "", NULL, false },
	{ "kfd", "", NULL, false },
};

static const struct node_place mi210_places[] = {
	{ NULL, 0, false },
	{ "dri/renderD", RENDER_MINOR, false },
	{ "kfd", 0, true },
};

static const struct node_template mi300x_nodes[] = {
	{ "card", "", NULL, false },  { "render", "", NULL, false },
	{ "card1", "", NULL, false }, { "render1", "", NULL, false },
	{ "card2", "", NULL, false }, { "render2", "", NULL, false },
	{ "card3", "", NULL, false }, { "render3", "", NULL, false },
	{ "card4", "", NULL, false }, { "render4", "", NULL, false },
	{ "card5", "", NULL, false }, { "render5", "", NULL, false },
	{ "card6", "", NULL, false }, { "render6", "", NULL, false },
	{ "card7", "", NULL, false }, { "render7", "", NULL, false },
	{ "kfd", "", NULL, false },
};

static const struct node_place mi300x_places[] = {
	{ NULL, 0, false }, { "dri/renderD", RENDER_MINOR + 0, false },
	{ NULL, 1, false }, { "dri/renderD", RENDER_MINOR + 1, false },
	{ NULL, 2, false }, { "dri/renderD", RENDER_MINOR + 2, false },
	{ NULL, 3, false }, { "dri/renderD", RENDER_MINOR + 3, false },
	{ NULL, 4, false }, { "dri/renderD", RENDER_MINOR + 4, false },
	{ NULL, 5, false }, { "dri/renderD", RENDER_MINOR + 5, false },
	{ NULL, 6, false }, { "dri/renderD", RENDER_MINOR + 6, false },
	{ NULL, 7, false }, { "dri/renderD", RENDER_MINOR + 7, false },
	{ "kfd", 0, true },
};
static_assert(ARRAY_SIZE(mi300x_entries) == 2 * (size_t)PARTS, "two entries for every part");
static_assert(ARRAY_SIZE(mi210_places) == ARRAY_SIZE(mi210_nodes), "a place for every file");
static_assert(ARRAY_SIZE(mi300x_places) == ARRAY_SIZE(mi300x_nodes), "a place for every file");

static const struct chrdev amd_chrdevs[] = { { 226, "drm" }, { 509, "kfd" } };

/* --- families --- */

static const struct amd mi210_kfd = { 1, 416, 1, 90010, UINT64_C(64) << 30 };
static const struct amd mi300x_kfd = { 1, 1216, 8, 90402, UINT64_C(192) << 30 };
static const struct amd mi300x_cpx_kfd = { PARTS, 152, 1, 90402, UINT64_C(192) << 30 };

#define FAMILY(ENTRIES, ATTRIBUTES, VENDOR)                                                        \
	{                                                                                          \
		.kernel_driver = "amdgpu", .entries = (ENTRIES), .n_entries = ARRAY_SIZE(ENTRIES), \
		.attributes = (ATTRIBUTES), .n_attributes = ARRAY_SIZE(ATTRIBUTES),                \
		.part_dir = xcp_dir, .vendor = &(VENDOR)                                           \
	}

static const struct below_pci mi210 = FAMILY(mi210_entries, mi210_attributes, mi210_kfd);
static const struct below_pci mi300x = FAMILY(mi300x_entries, mi300x_attributes, mi300x_kfd);
static const struct below_pci mi300x_cpx =
	FAMILY(mi300x_entries, mi300x_cpx_attributes, mi300x_cpx_kfd);

const struct layout layout_mi210 = {
	.name = "mi210",
	.pci = { 0x1002, 0x740f, 0x1002, 0x0c34, 0x038000, 0x02 },
	.class_name = "drm",
	.device_name = "dri/card",
	.chrdevs = amd_chrdevs,
	.n_chrdevs = ARRAY_SIZE(amd_chrdevs),
	.nodes = mi210_nodes,
	.places = mi210_places,
	.n_nodes = ARRAY_SIZE(mi210_nodes),
	.vendor = &mi210,
	.create = amd_create,
	.remove = amd_remove,
	.set_state = below_pci_set_state,
	.attribute_dir = pci_card_dir,
};

const struct layout layout_mi300x = {
	.name = "mi300x",
	.pci = { 0x1002, 0x74a1, 0x1002, 0x74a1, 0x120000, 0x00 },
	.class_name = "drm",
	.device_name = "dri/card",
	.numbers = PARTS,
	.chrdevs = amd_chrdevs,
	.n_chrdevs = ARRAY_SIZE(amd_chrdevs),
	.nodes = mi300x_nodes,
	.places = mi300x_places,
	.n_nodes = ARRAY_SIZE(mi300x_nodes),
	.vendor = &mi300x,
	.create = amd_create,
	.remove = amd_remove,
	.set_state = below_pci_set_state,
	.attribute_dir = pci_card_dir,
};

const struct layout layout_mi300x_cpx = {
	.name = "mi300x-cpx",
	.pci = { 0x1002, 0x74a1, 0x1002, 0x74a1, 0x120000, 0x00 },
	.class_name = "drm",
	.device_name = "dri/card",
	.numbers = PARTS,
	.chrdevs = amd_chrdevs,
	.n_chrdevs = ARRAY_SIZE(amd_chrdevs),
	.nodes = mi300x_nodes,
	.places = mi300x_places,
	.n_nodes = ARRAY_SIZE(mi300x_nodes),
	.vendor = &mi300x_cpx,
	.create = amd_create,
	.remove = amd_remove,
	.set_state = below_pci_set_state,
	.attribute_dir = pci_card_dir,
};
