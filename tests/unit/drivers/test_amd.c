/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPUs of amdgpu: the topology with the properties of the vendor's own test data
 * (an MI210, and an MI308X cut into four), device files as links.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/card.h"

#define BDF "0000:63:00.0"
#define PCI "sys/devices/pci0000:16/" BDF "/"
#define KFD "sys/class/kfd/kfd/topology/nodes/"
#define MI210_NODES "/dev/kfd * /dev/dri/card1 * /dev/dri/renderD128 * "
#define MI308_NODES                                                      \
	"/dev/kfd * /dev/dri/card1 0-0 /dev/dri/renderD128 0-0 "         \
	"/dev/dri/card2 1-1 /dev/dri/renderD129 1-1 /dev/dri/card3 2-2 " \
	"/dev/dri/renderD130 2-2 /dev/dri/card4 3-3 /dev/dri/renderD131 3-3 "

static const struct card_pci mi210 = { BDF, "0x1002", "0x740f", "0x038000", "amdgpu" };
static const struct card_pci mi308 = { BDF, "0x1002", "0x74a2", "0x120000", "amdgpu" };

/* --- trees --- */

struct kfd_node {
	unsigned int number;
	unsigned int simd_count;
	unsigned int minor;
	unsigned int location; /* 25344 is 63:00.0 */
	unsigned int version;
	const char *unique_id;
	const char *hive_id;
	const char *bytes; /* of its memory */
};

static void add_kfd_node(const struct tree *tree, const struct kfd_node *node)
{
	char path[128], text[512];

	(void)snprintf(path, sizeof(path), KFD "%u/properties", node->number);
	(void)snprintf(text, sizeof(text),
		       "cpu_cores_count 0\nsimd_count %u\nmem_banks_count 1\nio_links_count 4\n"
		       "simd_per_cu 4\ngfx_target_version %u\nvendor_id %u\ndevice_id "
		       "29711\nlocation_id %u\n"
		       "domain 0\ndrm_render_minor %u\nhive_id %s\nunique_id %s\nnum_xcc 1\n",
		       node->simd_count, node->version, node->simd_count > 0 ? 4098 : 0,
		       node->location, node->minor, node->hive_id, node->unique_id);
	card_set(tree, path, text);
	(void)snprintf(path, sizeof(path), KFD "%u/mem_banks/0/properties", node->number);
	(void)snprintf(text, sizeof(text), "heap_type 1\nsize_in_bytes %s\nflags 0\nwidth 4096\n",
		       node->bytes);
	card_set(tree, path, text);
}

static void add_dri(const struct tree *tree, const char *parent, unsigned int card,
		    unsigned int minor)
{
	char name[32], nodes[64];

	(void)snprintf(name, sizeof(name), "card%u", card);
	card_add_entry(tree, parent, "drm", name);
	(void)snprintf(name, sizeof(name), "renderD%u", minor);
	card_add_entry(tree, parent, "drm", name);
	(void)snprintf(nodes, sizeof(nodes), "/dev/dri/card%u /dev/dri/renderD%u", card, minor);
	card_add_nodes(tree, nodes);
}

/* Node 0 is a CPU. */
static void add_cpu(const struct tree *tree)
{
	static const struct kfd_node cpu = { 0, 0, 0, 0, 0, "0", "0", "540942643200" };

	add_kfd_node(tree, &cpu);
	card_add_nodes(tree, "/dev/kfd");
}

static void add_mi210(const struct tree *tree)
{
	static const struct kfd_node node = { 2,
					      416,
					      128,
					      25344,
					      90010,
					      "1801979520617338022",
					      "12609507387757274807",
					      "68702699520" };

	add_cpu(tree);
	add_kfd_node(tree, &node);
	card_add_pci(tree, &mi210);
	card_set(tree, PCI "unique_id", "1901ead3a2ecd4a6\n");
	card_set(tree, PCI "serial_number", "692231000113\n");
	card_set(tree, PCI "product_name", "AMD INSTINCT MI250 (MCM) OAM AC MBA\n");
	card_set(tree, PCI "vbios_version", "113-D67301-063\n");
	card_set(tree, "sys/module/amdgpu/version", "6.3.6\n");
	add_dri(tree, "pci0000:16/" BDF, 1, 128);
}

/* Four partitions, as the vendor's fixture has them; the kernel has made two more
 * platform devices, which KFD does not know. */
static void add_mi308(const struct tree *tree)
{
	add_cpu(tree);
	for (unsigned int i = 0; i < 4; i++) {
		const struct kfd_node node = { 2 + i,
					       80,
					       128 + i,
					       25344 + i,
					       90402,
					       "598046273873802902",
					       "2095653680343411291",
					       "51527024640" };

		add_kfd_node(tree, &node);
	}
	card_add_pci(tree, &mi308);
	card_set(tree, PCI "unique_id", "084cafeae17e7696\n");
	card_set(tree, PCI "current_compute_partition", "CPX\n");
	card_set(tree, PCI "current_memory_partition", "NPS1\n");
	add_dri(tree, "pci0000:16/" BDF, 1, 128);
	for (unsigned int i = 1; i < 6; i++) {
		char parent[64];

		(void)snprintf(parent, sizeof(parent), "platform/amdgpu_xcp_%u", i - 1);
		add_dri(tree, parent, 1 + i, 128 + i);
	}
}

static const struct device *scan_one(const struct tree *tree, struct device_list *list)
{
	return class_card_scan_one(tree, &amd_driver, list);
}

/* --- whole GPUs --- */

static void test_whole(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1024);
	const struct device *device;

	add_mi210(tree);
	device = scan_one(tree, &list);
	assert_string_equal(device->fault, "");
	assert_string_equal(device->name, "dri/renderD128");
	assert_string_equal(device->sysfs_path, "sys/class/drm/renderD128");
	assert_string_equal(device->bdf, BDF);
	assert_string_equal(device->uuid, "1901ead3a2ecd4a6");
	assert_string_equal(device->serial, "692231000113");
	assert_string_equal(device->architecture, "gfx90a");
	assert_string_equal(device->product, "AMD-INSTINCT-MI250-MCM-OAM-AC-MBA");
	assert_string_equal(device->driver_version, "6.3.6");
	assert_string_equal(device->firmware_version, "113-D67301-063");
	assert_string_equal(device->link_group, "aefdf8293fefa6b7");
	assert_true(device->memory_bytes == 68702699520);
	assert_int_equal(device->numa_node, 1);
	assert_int_equal(device->index, 0);
	assert_int_equal(device->cores, 0);
	assert_false(device->partitioned);
	assert_int_equal(device->n_partitions, 0);
	card_print_nodes(device, &text);
	assert_string_equal(strbuf_str(&text), MI210_NODES);
}

static void test_label_facts(void **state)
{
	static const struct {
		const char *path; /* what is changed, and to what; NULL removes it */
		const char *text;
		const char *fact;
		const char *value;
	} cases[] = {
		{ NULL, NULL, "product-name", "AMD INSTINCT MI250 (MCM) OAM AC MBA" },
		{ PCI "product_name", NULL, "product-name", NULL },
		{ PCI "product_name", CARD_HUGE, "product-name", NULL },
		{ NULL, NULL, "simd-count", "416" },
		{ NULL, NULL, "cu-count", "104" },
		{ KFD "2/properties",
		  "simd_count 416\nvendor_id 4098\ndrm_render_minor 128\nlocation_id 25344\n",
		  "cu-count", NULL },
		{ NULL, NULL, "driver-src-version", NULL },
		{ "sys/module/amdgpu/srcversion", "5E6C12C\n", "driver-src-version", "5E6C12C" },
		{ NULL, NULL, "partition", NULL },
		{ PCI "current_compute_partition", "SPX\n", "partition", "spx" },
		{ NULL, NULL, "compute-partitioning", NULL },
		{ PCI "available_compute_partition", "SPX, CPX\n", "compute-partitioning",
		  "SPX, CPX" },
		{ PCI "available_compute_partition", "\n", "compute-partitioning", NULL },
		{ PCI "available_memory_partition", "NPS1\n", "memory-partitioning", "NPS1" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_device_list_ struct device_list list = { 0 };
		const char *value;

		if (i == 0)
			add_mi210(tree);
		if (cases[i].path)
			card_set(tree, cases[i].path, cases[i].text);
		value = device_fact(scan_one(tree, &list), cases[i].fact);
		if ((value == NULL) != (cases[i].value == NULL) ||
		    (value && strcmp(value, cases[i].value) != 0))
			fail_msg("%zu: '%s'", i, value ? value : "(none)");
	}
}

static void test_nothing(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	class_card_scan(tree, &amd_driver, &list);
	assert_int_equal(list.n, 0);
	add_cpu(tree);
	class_card_scan(tree, &amd_driver, &list);
	assert_int_equal(list.n, 0);
}

/* What makes a GPU one that can compute, and ours. */
static const struct card_file stranger_cases[] = {
	{ PCI "vendor", "0x8086" },
	{ PCI "vendor", NULL },
	{ PCI "driver", NULL },
	{ KFD "2", NULL },
	{ KFD "2/properties", NULL },
	{ KFD "2/properties", "" },
	{ KFD "2/properties", CARD_GARBAGE },
	{ KFD "2/properties", "simd_count 0\nvendor_id 4098\ndrm_render_minor 128\n" },
	{ KFD "2/properties", "simd_count 416\nvendor_id 32902\ndrm_render_minor 128\n" },
	{ KFD "2/properties", "simd_count 416\nvendor_id 4098\ndrm_render_minor 129\n" },
	{ KFD "2/properties", "simd_count 416\nvendor_id 4098\ndrm_render_minor 0\n" },
	{ KFD "2/properties", "simd_count x\nvendor_id 4098\ndrm_render_minor 128\n" },
	{ KFD "2/properties", "simd_count 416 vendor_id 4098 drm_render_minor 128\n" },
	{ "sys/class/kfd", NULL },
	{ "sys/class/drm/renderD128", NULL },
};

static void test_strangers(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(stranger_cases); i++) {
		card_reset(tree);
		add_mi210(tree);
		card_set_all(tree, &stranger_cases[i], 1);
		class_card_scan(tree, &amd_driver, &list);
		if (list.n != 0)
			fail_msg("%s '%s' is a GPU", stranger_cases[i].path,
				 stranger_cases[i].text);
	}
	card_reset(tree);
	add_mi210(tree);
	assert_int_equal(scan_one(tree, &list)->n_nodes, 3);
}

/* Longer than a page of sysfs: refused as a whole. */
static void test_endless_properties(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	static char text[8192];

	add_mi210(tree);
	(void)snprintf(text, sizeof(text),
		       "simd_count 416\nvendor_id 4098\ndrm_render_minor 128\n");
	memset(text + strlen(text), '\n', sizeof(text) - 1 - strlen(text));
	card_set(tree, KFD "2/properties", text);
	class_card_scan(tree, &amd_driver, &list);
	assert_int_equal(list.n, 0);
}

static const struct {
	struct card_file file;
	size_t offset; /* of the text it gives */
	const char *expected;
} fact_cases[] = {
	{ { PCI "unique_id", NULL }, offsetof(struct device, uuid), "1901ead3a2ecd4a6" },
	{ { PCI "unique_id", "" }, offsetof(struct device, uuid), "1901ead3a2ecd4a6" },
	{ { PCI "unique_id", "a b" }, offsetof(struct device, uuid), "1901ead3a2ecd4a6" },
	{ { PCI "unique_id", CARD_GARBAGE }, offsetof(struct device, uuid), "1901ead3a2ecd4a6" },
	{ { PCI "unique_id", "d00d" }, offsetof(struct device, uuid), "d00d" },
	{ { PCI "serial_number", NULL }, offsetof(struct device, serial), "" },
	{ { PCI "serial_number", "" }, offsetof(struct device, serial), "" },
	{ { PCI "serial_number", CARD_HUGE }, offsetof(struct device, serial), "" },
	{ { PCI "serial_number", "a/b" }, offsetof(struct device, serial), "" },
	{ { PCI "product_name", NULL }, offsetof(struct device, product), "Instinct-MI210" },
	{ { PCI "product_name", "" }, offsetof(struct device, product), "Instinct-MI210" },
	{ { PCI "product_name", "()" }, offsetof(struct device, product), "Instinct-MI210" },
	{ { PCI "product_name", CARD_HUGE }, offsetof(struct device, product), "Instinct-MI210" },
	{ { PCI "product_name", "/a / b(" }, offsetof(struct device, product), "a-b" },
	{ { PCI "product_name",
	    "a name of seventy characters, which is more than a product may have..." },
	  offsetof(struct device, product),
	  "Instinct-MI210" },
	{ { PCI "vbios_version", NULL }, offsetof(struct device, firmware_version), "" },
	{ { PCI "vbios_version", CARD_GARBAGE }, offsetof(struct device, firmware_version), "" },
	{ { "sys/module/amdgpu/version", NULL }, offsetof(struct device, driver_version), "" },
};

static void test_facts(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(fact_cases); i++) {
		const struct device *device;

		card_reset(tree);
		add_mi210(tree);
		card_set_all(tree, &fact_cases[i].file, 1);
		device = scan_one(tree, &list);
		assert_string_equal((const char *)device + fact_cases[i].offset,
				    fact_cases[i].expected);
		assert_string_equal(device->fault, "");
	}
}

/* What only the topology tells. */
static const struct {
	const char *properties; /* after those that make it a GPU */
	const char *architecture;
	const char *product; /* by the architecture, as nothing else names it */
	const char *uuid;
	const char *link_group;
} topology_cases[] = {
	{ "gfx_target_version 90402\nunique_id 15\nhive_id 1\n", "gfx942", "gfx942",
	  "000000000000000f", "0000000000000001" },
	{ "gfx_target_version 110000\nunique_id 0\nhive_id 0\n", "gfx1100", "gfx1100", "", "" },
	{ "gfx_target_version 990000\n", "amdgpu", "amdgpu", "", "" },
	{ "", "amdgpu", "amdgpu", "", "" },
	{ "hive_id -1\nunique_id 0x12\ngfx_target_version\n", "amdgpu", "amdgpu", "", "" },
	{ "hive_id 18446744073709551615\nunique_id 18446744073709551616\n", "amdgpu", "amdgpu", "",
	  "ffffffffffffffff" },
};

static void test_topology(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_mi210(tree);
	card_set(tree, PCI "device", "0x9999");
	card_set(tree, PCI "product_name", NULL);
	card_set(tree, PCI "unique_id", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(topology_cases); i++) {
		const struct device *device;
		char text[512];

		(void)snprintf(text, sizeof(text),
			       "simd_count 416\nvendor_id 4098\ndrm_render_minor 128\n%s",
			       topology_cases[i].properties);
		card_set(tree, KFD "2/properties", text);
		device = scan_one(tree, &list);
		assert_string_equal(device->architecture, topology_cases[i].architecture);
		assert_string_equal(device->product, topology_cases[i].product);
		assert_string_equal(device->uuid, topology_cases[i].uuid);
		assert_string_equal(device->link_group, topology_cases[i].link_group);
		assert_true(device->memory_bytes == 0);
	}
}

static void test_memory(void **state)
{
	static const struct {
		const char *bank;
		uint64_t bytes;
	} cases[] = {
		{ "heap_type 1\nsize_in_bytes 68702699520\n", 68702699520 },
		{ "size_in_bytes 1", 1 },
		{ "size_in_bytes x", 0 },
		{ "size_in_bytes 18446744073709551615", 0 },
		{ "size_in_bytes  1", 0 },
		{ "", 0 },
		{ NULL, 0 },
		{ CARD_GARBAGE, 0 },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_mi210(tree);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_set(tree, KFD "2/mem_banks/0/properties", cases[i].bank);
		assert_true(scan_one(tree, &list)->memory_bytes == cases[i].bytes);
		assert_string_equal(list.devices[0]->fault, "");
	}
}

/* --- partitions --- */

static void test_partitions(void **state)
{
	static const char *const ids[] = { "", "amdgpu_xcp_0", "amdgpu_xcp_1", "amdgpu_xcp_2" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1024);
	const struct device *device;

	add_mi308(tree);
	device = scan_one(tree, &list);
	assert_string_equal(device->fault, "");
	assert_string_equal(device->uuid, "084cafeae17e7696");
	assert_string_equal(device->product, "Instinct-MI308X");
	assert_true(device->partitioned);
	assert_int_equal(device->cores, 4);
	assert_int_equal(device->n_core_ranges, 4);
	assert_true(device->memory_bytes == 4 * 51527024640);
	assert_int_equal(device->n_partitions, ARRAY_SIZE(ids));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct device_partition *partition = &device->partitions[i];
		const struct core_range core = { (uint8_t)i, (uint8_t)i };

		assert_string_equal(partition->id, ids[i]);
		assert_string_equal(partition->profile, "cpx_nps1");
		assert_int_equal(partition->cores.first, i);
		assert_int_equal(partition->cores.last, i);
		assert_true(partition->memory_bytes == 51527024640);
		assert_true(device_has_core_range(device, core));
	}
	card_print_nodes(device, &text);
	assert_string_equal(strbuf_str(&text), MI308_NODES);
}

/* How the card says that it is cut, and how many nodes KFD has for it. */
static const struct {
	const char *compute;
	const char *memory;
	unsigned int nodes;
	size_t n_partitions; /* 0: whole */
	const char *profile;
} mode_cases[] = {
	{ "SPX\n", "NPS1\n", 1, 0, NULL },
	{ "spx", NULL, 1, 0, NULL },
	{ NULL, NULL, 1, 0, NULL },
	{ CARD_GARBAGE, "NPS1", 1, 0, NULL },
	{ "", "NPS1", 1, 0, NULL },
	{ "../CPX", "NPS1", 1, 0, NULL },
	{ CARD_HUGE, "NPS1", 1, 0, NULL },
	{ "CPX\n", "NPS4\n", 4, 4, "cpx_nps4" },
	{ "DPX\n", "NPS1\n", 2, 2, "dpx_nps1" },
	{ "CPX\n", NULL, 4, 4, "cpx" },
	{ "CPX\n", "what is this", 4, 4, "cpx" },
	/* A function that was handed one partition of a cut card. */
	{ "CPX\n", "NPS1\n", 1, 1, "cpx_nps1" },
	/* The mode cannot be read; the partitions are there all the same. */
	{ NULL, NULL, 4, 4, "" },
};

static void test_modes(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(mode_cases); i++) {
		const struct device *device;

		card_reset(tree);
		add_mi308(tree);
		card_set(tree, PCI "current_compute_partition", mode_cases[i].compute);
		card_set(tree, PCI "current_memory_partition", mode_cases[i].memory);
		for (unsigned int k = mode_cases[i].nodes; k < 4; k++) {
			char path[64];

			(void)snprintf(path, sizeof(path), KFD "%u", 2 + k);
			tree_remove(tree, path);
		}
		device = scan_one(tree, &list);
		if (device->n_partitions != mode_cases[i].n_partitions)
			fail_msg("case %zu gives %zu partitions", i, device->n_partitions);
		assert_int_equal(device->partitioned, mode_cases[i].n_partitions > 0);
		assert_int_equal(device->cores, mode_cases[i].n_partitions);
		assert_int_equal(device->n_nodes, 1 + 2 * mode_cases[i].nodes);
		assert_string_equal(device->fault, "");
		if (mode_cases[i].profile)
			assert_string_equal(device->partitions[0].profile, mode_cases[i].profile);
	}
}

/* KFD's older and newer ways to number a partition, and other GPUs' partitions. */
static const struct {
	unsigned int location; /* of the node in question; the GPU's own is 25344 */
	const char *parent;    /* of its render node */
	size_t n_partitions;
} join_cases[] = {
	{ 25345, "platform/amdgpu_xcp_9", 2 },
	{ 25344U | 1U << 28, "platform/amdgpu_xcp_9", 2 },
	{ 25344, "platform/amdgpu_xcp_9", 2 },
	{ 25352, "platform/amdgpu_xcp_9", 1 }, /* device number 1 */
	{ 25600, "platform/amdgpu_xcp_9", 1 }, /* bus 64 */
	{ 25345, "platform/amdgpu_xcp_", 1 },
	{ 25345, "platform/amdgpu_xcp_x", 1 },
	{ 25345, "platform/amdgpu_xcp_123456789012345678901234567890", 1 },
	{ 25345, "platform/vgem", 1 },
	{ 25345, NULL, 1 },
};

static void test_join(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(join_cases); i++) {
		const struct kfd_node node = { 7,     80,  200, join_cases[i].location,
					       90402, "0", "0", "1" };

		card_reset(tree);
		add_mi210(tree);
		card_set(tree, PCI "current_compute_partition", "DPX");
		add_kfd_node(tree, &node);
		if (join_cases[i].parent)
			add_dri(tree, join_cases[i].parent, 60, 200);
		if (scan_one(tree, &list)->n_partitions != join_cases[i].n_partitions)
			fail_msg("case %zu gives %zu partitions", i, list.devices[0]->n_partitions);
	}
}

/* KFD lists nodes in the order in which drivers came up. */
static void test_order(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;
	const struct kfd_node late = { 1, 80, 131, 25347, 90402, "1", "1", "1" };

	add_mi308(tree);
	tree_remove(tree, KFD "5"); /* was the last one */
	add_kfd_node(tree, &late);
	device = scan_one(tree, &list);
	assert_int_equal(device->n_partitions, 4);
	assert_string_equal(device->partitions[0].id, "");
	assert_string_equal(device->partitions[3].id, "amdgpu_xcp_2");
	assert_int_equal(device->index, 1);
}

static void test_too_many_partitions(void **state)
{
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	const struct device *device;

	add_mi308(tree);
	for (unsigned int i = 0; i < DEVICE_PARTITIONS_MAX; i++) {
		const struct kfd_node node = { 50 + i, 80, 300 + i, 25345, 90402, "1", "1", "1" };
		char parent[64];

		add_kfd_node(tree, &node);
		(void)snprintf(parent, sizeof(parent), "platform/amdgpu_xcp_%u", 100 + i);
		add_dri(tree, parent, 300 + i, 300 + i);
	}
	device = scan_one(tree, &list);
	assert_string_equal(device->fault, "more than 32 partitions");
	assert_int_equal(device->n_partitions, DEVICE_PARTITIONS_MAX);
}

/* --- device files, functions, places --- */

static void test_nodes(void **state)
{
	static const struct {
		void (*add)(const struct tree *tree);
		const char *removed;
		const char *fault;
		size_t n_nodes;
	} cases[] = {
		{ add_mi210, "dev/kfd", "device node '/dev/kfd' is missing", 3 },
		{ add_mi210, "dev/dri/card1", "device node '/dev/dri/card1' is missing", 3 },
		{ add_mi210, "dev/dri/renderD128", "device node '/dev/dri/renderD128' is missing",
		  3 },
		{ add_mi308, "dev/dri/renderD130", "device node '/dev/dri/renderD130' is missing",
		  9 },
		{ add_mi308, "dev/dri/renderD132", "", 9 }, /* of no partition */
		{ add_mi210, PCI "drm/card1", "", 2 },	    /* a kernel without that face */
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		card_reset(tree);
		cases[i].add(tree);
		tree_remove(tree, cases[i].removed);
		assert_string_equal(scan_one(tree, &list)->fault, cases[i].fault);
		assert_int_equal(list.devices[0]->n_nodes, cases[i].n_nodes);
	}
}

static void test_virtual_functions(void **state)
{
	static const struct card_pci vf = { "0000:63:02.0", "0x1002", "0x74b5", "0x120000",
					    "amdgpu" };
	static const struct kfd_node node = { 3, 80, 129, 25360, 90402, "7", "0", "1" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };

	add_mi210(tree);
	card_add_pci(tree, &vf);
	add_dri(tree, "pci0000:16/0000:63:02.0", 2, 129);
	add_kfd_node(tree, &node);
	card_set(tree, PCI "sriov_numvfs", "0\n");
	class_card_scan(tree, &amd_driver, &list);
	assert_int_equal(list.n, 2);
	assert_int_equal(list.devices[1]->index, 1);
	card_set(tree, PCI "sriov_numvfs", "1\n");
	assert_string_equal(scan_one(tree, &list)->bdf, "0000:63:02.0");
	assert_string_equal(list.devices[0]->fault, "");
}

/* The render node is another GPU's now; a scan finds both where they are. */
static void test_renumbered(void **state)
{
	static const struct card_pci other = { "0000:64:00.0", "0x1002", "0x740f", "0x038000",
					       "amdgpu" };
	static const struct kfd_node moved = { 2, 416, 129, 25344, 90010, "1", "0", "1" };
	static const struct kfd_node added = { 3, 416, 128, 25600, 90010, "2", "0", "1" };
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list before = { 0 };
	_cleanup_device_list_ struct device_list after = { 0 };
	struct error err = { 0 };

	add_mi210(tree);
	(void)scan_one(tree, &before);
	tree_remove(tree, "sys/class/drm/renderD128");
	tree_remove(tree, PCI "drm/renderD128");
	card_add_entry(tree, "pci0000:16/" BDF, "drm", "renderD129");
	card_add_pci(tree, &other);
	card_add_entry(tree, "pci0000:16/0000:64:00.0", "drm", "renderD128");
	add_kfd_node(tree, &moved);
	add_kfd_node(tree, &added);
	assert_int_equal(amd_driver.probe(&tree->host, before.devices[0], &err), -ENODEV);
	assert_string_equal(err.msg, "belongs to '0000:64:00.0' now, expected '" BDF "'");
	class_card_scan(tree, &amd_driver, &after);
	assert_int_equal(after.n, 2);
	assert_string_equal(after.devices[1]->bdf, BDF);
	assert_string_equal(after.devices[1]->uuid, "1901ead3a2ecd4a6");
	assert_string_equal(after.devices[1]->name, "dri/renderD129");
}

static const struct card_probe_case probes[] = {
	{ { PCI "unique_id", NULL }, 0, "" },
	{ { PCI "config", "\xff\xff\xff\xff" }, -EIO, "PCI device '" BDF "' does not answer" },
	{ { PCI "config", NULL }, 0, "" },
	{ { PCI "driver", NULL }, -ENODEV, "kernel driver 'amdgpu' is not bound to '" BDF "'" },
	{ { "sys/class/drm/renderD128", NULL }, -ENODEV, "gone from sysfs" },
};

static void test_probe(void **state)
{
	card_check_probe(*state, &amd_driver, add_mi210, probes, ARRAY_SIZE(probes));
	card_check_probe(*state, &amd_driver, add_mi308, probes, ARRAY_SIZE(probes));
}

/* --- readings --- */

static void test_measure(void **state)
{
	static const struct card_file files[] = {
		{ PCI "hwmon/hwmon4/temp1_input", "48000\n" },
		{ PCI "hwmon/hwmon4/temp2_input", "55000\n" },
		{ PCI "hwmon/hwmon4/temp3_input", "51000\n" },
		{ PCI "hwmon/hwmon4/power1_average", "141000000\n" },
		{ PCI "gpu_busy_percent", "37\n" },
		{ PCI "mem_info_vram_used", "1234567890\n" },
	};
	const struct tree *tree = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device_readings readings;

	add_mi210(tree);
	(void)scan_one(tree, &list);
	assert_int_equal(amd_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.temperature_celsius < 0 && readings.power_watts < 0 &&
		    readings.utilization_ratio < 0 && readings.memory_used_bytes < 0);
	card_set_all(tree, files, ARRAY_SIZE(files));
	assert_int_equal(amd_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.temperature_celsius == 55 && readings.power_watts == 141);
	assert_true(readings.utilization_ratio == 0.37);
	assert_true(readings.memory_used_bytes == 1234567890);
	card_set(tree, PCI "gpu_busy_percent", "101");
	card_set(tree, PCI "mem_info_vram_used", "-1");
	assert_int_equal(amd_driver.measure(&tree->host, list.devices[0], &readings, NULL), 0);
	assert_true(readings.utilization_ratio < 0 && readings.memory_used_bytes < 0);
	tree_remove(tree, "sys/class/drm/renderD128");
	assert_int_equal(amd_driver.measure(&tree->host, list.devices[0], &readings, NULL),
			 -ENODEV);
}

static void test_descriptors_run_out(void **state)
{
	static void (*const adds[])(const struct tree *) = { add_mi210, add_mi308 };

	for (size_t i = 0; i < ARRAY_SIZE(adds); i++) {
		card_reset(*state);
		adds[i](*state);
		card_check_descriptors(*state, &amd_driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_whole),
		TREE_TEST(test_label_facts),
		TREE_TEST(test_nothing),
		TREE_TEST(test_strangers),
		TREE_TEST(test_endless_properties),
		TREE_TEST(test_facts),
		TREE_TEST(test_topology),
		TREE_TEST(test_memory),
		TREE_TEST(test_partitions),
		TREE_TEST(test_modes),
		TREE_TEST(test_join),
		TREE_TEST(test_order),
		TREE_TEST(test_too_many_partitions),
		TREE_TEST(test_nodes),
		TREE_TEST(test_virtual_functions),
		TREE_TEST(test_renumbered),
		TREE_TEST(test_probe),
		TREE_TEST(test_measure),
		TREE_TEST(test_descriptors_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
