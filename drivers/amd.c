/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD GPUs that can compute: those that KFD, the compute part of the kernel
 * driver amdgpu, has in its topology.
 *
 *	/sys/class/kfd/kfd/topology/nodes/2/properties	drm_render_minor 128
 *	/sys/class/drm/renderD128/device		-> the PCI device
 *
 * A node of the topology with SIMDs is a GPU, or a partition of one (XCP), and its
 * render minor leads to the rest.  A GPU that is cut has one node per partition;
 * the first of them is the PCI device's own, the others are platform devices:
 *
 *	/sys/class/drm/renderD129/device		-> ../../../amdgpu_xcp_0
 *
 * Nodes of one GPU have its PCI address: `domain` and `location_id`, in which the
 * lowest bits or the highest four number the partition.  Platform devices that
 * KFD does not know belong to no partition.
 *
 * Source: ROCm/k8s-device-plugin at ed76468, internal/pkg/amdgpu and testdata;
 * Linux drivers/gpu/drm/amd/amdkfd/kfd_topology.c, amdgpu/amdgpu_xcp.c and
 * Documentation/gpu/amdgpu/driver-misc.rst; pci.ids, vendor 1002
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/class_device.h"
#include "drivers/driver.h"
#include "drivers/drm.h"
#include "drivers/hwmon.h"
#include "drivers/nodes.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define KFD_NODES_DIR "sys/class/kfd/kfd/topology/nodes"
#define KFD_PROPERTIES_MAX 4097	       /* a page, which is what sysfs gives, and the NUL */
#define KFD_BANKS_MAX 8		       /* of memory of one node; GPUs have 1 or 2 */
#define MEMORY_MAX (UINT64_C(1) << 50) /* a PiB, far above any card */

#define PCI_VENDOR_AMD 0x1002
/* Bus and device number in a location_id; the bits below and far above may number
 * the partition. */
#define LOCATION_MASK 0xfff8

#define XCP_PREFIX "amdgpu_xcp_"
#define XCP_NAME_MAX 24 /* "amdgpu_xcp_65535" and the NUL, with room */
#define MODE_MAX 8	/* "nps1" and the NUL, with room */
#define MODE_WHOLE "spx"

/* --- the topology of KFD --- */

/* What is read of a node; 0 is what it does not tell. */
struct properties {
	uint64_t simd_count;
	uint64_t simd_per_cu;
	uint64_t vendor_id;
	uint64_t location_id;
	uint64_t domain;
	uint64_t drm_render_minor;
	uint64_t gfx_target_version;
	uint64_t unique_id;
	uint64_t hive_id;
	uint64_t mem_banks_count;
	uint64_t size_in_bytes; /* of a memory bank, which has a file of its own */
};

#define PROPERTY(NAME)                                   \
	{                                                \
#NAME, offsetof(struct properties, NAME) \
	}
static const struct {
	const char *name;
	size_t offset;
} property_rows[] = {
	PROPERTY(simd_count),	      PROPERTY(simd_per_cu),   PROPERTY(vendor_id),
	PROPERTY(location_id),	      PROPERTY(domain),	       PROPERTY(drm_render_minor),
	PROPERTY(gfx_target_version), PROPERTY(unique_id),     PROPERTY(hive_id),
	PROPERTY(mem_banks_count),    PROPERTY(size_in_bytes),
};

struct kfd_node {
	struct properties properties;
	uint64_t memory_bytes;
	int rank; /* among the GPUs of the topology, which is ROCm's number of it */
};

struct topology {
	struct class_device class; /* for read_gpu(), which gets here from it */
	struct kfd_node *nodes;	   /* GPUs and their partitions */
	size_t n;
};

#define _cleanup_topology_ _cleanup_(topology_done)

static void topology_done(struct topology *topology)
{
	free(topology->nodes);
}

static void set_property(struct properties *properties, const char *name, const char *text)
{
	uint64_t value;

	if (parse_u64(text, 10, &value) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(property_rows); i++)
		if (strcmp(property_rows[i].name, name) == 0)
			memcpy((char *)properties + property_rows[i].offset, &value, sizeof(value));
}

/* Lines of "name value"; what is no such line is passed over. */
static void parse_properties(char *text, struct properties *ret)
{
	*ret = (struct properties) { 0 };
	for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
		const char *name = strsep(&line, " ");

		if (line)
			set_property(ret, name, line);
	}
}

/* Returns 1, or 0 if there are none to read, as for a process that may not see the
 * GPU. */
static int read_properties(const struct host *host, const char *path, struct properties *ret,
			   struct error *err)
{
	char text[KFD_PROPERTIES_MAX];
	struct error reason = { 0 };
	ssize_t len = file_read_text(host->root_fd, path, text, sizeof(text), &reason);

	if (len < 0 && sysfs_is_shortage((int)len))
		return error_set(err, (int)-len, "%s", error_text(&reason, (int)len));
	if (len < 0)
		return 0;
	parse_properties(text, ret);
	return 1;
}

static int read_memory(const struct host *host, uint32_t number, struct kfd_node *node,
		       struct error *err)
{
	uint64_t banks = MIN(node->properties.mem_banks_count, (uint64_t)KFD_BANKS_MAX);
	char path[sizeof(KFD_NODES_DIR) + 64];
	struct properties bank;

	for (uint64_t i = 0; i < banks; i++) {
		int r;

		(void)snprintf(path, sizeof(path),
			       KFD_NODES_DIR "/%" PRIu32 "/mem_banks/%" PRIu64 "/properties",
			       number, i);
		r = read_properties(host, path, &bank, err);
		if (r < 0)
			return r;
		if (r > 0 && bank.size_in_bytes <= MEMORY_MAX)
			node->memory_bytes += bank.size_in_bytes;
	}
	return 0;
}

/* CPUs are nodes as well. */
static bool is_gpu(const struct properties *properties)
{
	return properties->simd_count > 0 && properties->vendor_id == PCI_VENDOR_AMD &&
	       properties->drm_render_minor > 0 && properties->drm_render_minor <= SYSFS_INDEX_MAX;
}

/* Returns 1 if the node is a GPU. */
static int read_node(const struct host *host, uint32_t number, struct kfd_node *node,
		     struct error *err)
{
	char path[sizeof(KFD_NODES_DIR) + 32];
	int r;

	*node = (struct kfd_node) { 0 };
	(void)snprintf(path, sizeof(path), KFD_NODES_DIR "/%" PRIu32 "/properties", number);
	r = read_properties(host, path, &node->properties, err);
	if (r <= 0 || !is_gpu(&node->properties))
		return r < 0 ? r : 0;
	r = read_memory(host, number, node, err);
	return r < 0 ? r : 1;
}

static int read_topology(const struct host *host, struct topology *topology, struct error *err)
{
	static const char *const no_suffix[] = { "", NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries entries = { 0 };
	int r = sysfs_list(host, KFD_NODES_DIR, "", no_suffix, &entries, err);

	if (r < 0 || entries.n == 0)
		return r;
	topology->nodes = calloc(entries.n, sizeof(*topology->nodes));
	if (!topology->nodes)
		return error_set(err, ENOMEM, "no memory for the topology");
	for (size_t i = 0; i < entries.n; i++) {
		struct kfd_node *node = &topology->nodes[topology->n];

		r = read_node(host, entries.entries[i].index, node, err);
		if (r < 0)
			return r;
		node->rank = (int)topology->n;
		topology->n += (size_t)r;
	}
	return 0;
}

static const struct kfd_node *find_node(const struct topology *topology, uint64_t minor)
{
	for (size_t i = 0; i < topology->n; i++)
		if (topology->nodes[i].properties.drm_render_minor == minor)
			return &topology->nodes[i];
	return NULL;
}

/* --- the partitions of a GPU --- */

struct parts {
	size_t n;
	bool overflowed;
	const struct kfd_node *nodes[DEVICE_PARTITIONS_MAX]; /* the PCI device's own first */
	char ids[DEVICE_PARTITIONS_MAX][XCP_NAME_MAX];	     /* "" for that one */
};

static bool is_same_gpu(const struct kfd_node *a, const struct kfd_node *b)
{
	return a->properties.domain == b->properties.domain &&
	       (a->properties.location_id & LOCATION_MASK) ==
		       (b->properties.location_id & LOCATION_MASK);
}

/* Returns 1 if the node is a platform device of amdgpu's, whose name is @ret. */
static int read_xcp_name(const struct host *host, const struct kfd_node *node, char *ret,
			 struct error *err)
{
	char path[sizeof(DRM_CLASS_DIR) + 64];
	const char *number;
	int r;

	(void)snprintf(path, sizeof(path), DRM_CLASS_DIR "/" DRM_RENDER "%" PRIu64 "/device",
		       node->properties.drm_render_minor);
	r = sysfs_link_name(host->root_fd, path, ret, XCP_NAME_MAX);
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "read the link '%s': %s", path, strerror(-r));
	number = r == 0 ? str_starts_with(ret, XCP_PREFIX) : NULL;
	return number && sysfs_consists_of(number, SYSFS_DIGITS);
}

/* In the order of their render minors, which is that of the partitions. */
static void insert_part(struct parts *parts, const struct kfd_node *node, const char *id)
{
	size_t i = parts->n;

	if (i == DEVICE_PARTITIONS_MAX) {
		parts->overflowed = true;
		return;
	}
	for (; i > 1 &&
	       parts->nodes[i - 1]->properties.drm_render_minor > node->properties.drm_render_minor;
	     i--) {
		parts->nodes[i] = parts->nodes[i - 1];
		memcpy(parts->ids[i], parts->ids[i - 1], XCP_NAME_MAX);
	}
	parts->nodes[i] = node;
	(void)str_copy(parts->ids[i], XCP_NAME_MAX, id);
	parts->n++;
}

static int find_parts(const struct host *host, const struct topology *topology,
		      const struct kfd_node *first, struct parts *parts, struct error *err)
{
	parts->n = 0;
	parts->overflowed = false;
	insert_part(parts, first, "");
	for (size_t i = 0; i < topology->n; i++) {
		const struct kfd_node *node = &topology->nodes[i];
		char id[XCP_NAME_MAX];
		int r;

		if (node == first || !is_same_gpu(node, first))
			continue;
		r = read_xcp_name(host, node, id, err);
		if (r < 0)
			return r;
		if (r > 0)
			insert_part(parts, node, id);
	}
	return 0;
}

/* "CPX" into "cpx"; "" where the card tells no mode. */
static int read_mode(int dirfd, const char *name, char *ret, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	int r = sysfs_read_fact(dirfd, name, text, err);

	ret[0] = '\0';
	if (r <= 0)
		return r;
	if (strlen(text) >= MODE_MAX || !sysfs_consists_of(text, SYSFS_LETTERS SYSFS_DIGITS))
		return 0;
	for (size_t i = 0; i <= strlen(text); i++)
		ret[i] = (char)tolower((unsigned char)text[i]);
	return 0;
}

/* "cpx_nps1", as the vendor names it; @ret_cut says whether the card is cut. */
static int read_profile(int dirfd, char *ret, bool *ret_cut, struct error *err)
{
	char compute[MODE_MAX] = "", memory[MODE_MAX] = "";
	int r = read_mode(dirfd, "device/current_compute_partition", compute, err);

	if (r == 0)
		r = read_mode(dirfd, "device/current_memory_partition", memory, err);
	if (r < 0)
		return r;
	*ret_cut = compute[0] != '\0' && strcmp(compute, MODE_WHOLE) != 0;
	(void)snprintf(ret, DEVICE_PROFILE_MAX, "%s%s%s", compute, memory[0] != '\0' ? "_" : "",
		       memory);
	return 0;
}

static int set_partitions(struct device *device, const struct parts *parts, const char *profile,
			  struct error *err)
{
	struct device_partition partitions[DEVICE_PARTITIONS_MAX];
	int r;

	for (size_t i = 0; i < parts->n; i++) {
		const struct core_range core = { (uint8_t)i, (uint8_t)i };

		partitions[i] = (struct device_partition) {
			.id = parts->ids[i],
			.profile = profile,
			.cores = core,
			.memory_bytes = parts->nodes[i]->memory_bytes,
		};
		device->core_ranges[i] = core;
	}
	r = device_set_partitions(device, partitions, parts->n);
	if (r < 0)
		return error_set(err, -r, "partitions of '%s': %s", device->name, strerror(-r));
	device->partitioned = true;
	device->cores = (unsigned int)parts->n;
	device->n_core_ranges = parts->n;
	return 0;
}

/* --- facts --- */

static const struct {
	uint64_t target_version; /* major, minor and stepping, two decimal digits each */
	const char *name;
} architectures[] = {
	{ 90000, "gfx900" },   { 90006, "gfx906" },   { 90008, "gfx908" },   { 90010, "gfx90a" },
	{ 90012, "gfx90c" },   { 90400, "gfx940" },   { 90401, "gfx941" },   { 90402, "gfx942" },
	{ 90500, "gfx950" },   { 100100, "gfx1010" }, { 100101, "gfx1011" }, { 100102, "gfx1012" },
	{ 100300, "gfx1030" }, { 100301, "gfx1031" }, { 100302, "gfx1032" }, { 100304, "gfx1034" },
	{ 100305, "gfx1035" }, { 100306, "gfx1036" }, { 110000, "gfx1100" }, { 110001, "gfx1101" },
	{ 110002, "gfx1102" }, { 110003, "gfx1103" }, { 110500, "gfx1150" }, { 110501, "gfx1151" },
	{ 120000, "gfx1200" }, { 120001, "gfx1201" },
};

#define OTHER_ARCHITECTURE "amdgpu"

/* Where the card does not tell its name. */
static const struct class_product products[] = {
	{ 0x738c, 0, "Instinct-MI100", NULL },	{ 0x738e, 0, "Instinct-MI100", NULL },
	{ 0x7408, 0, "Instinct-MI250X", NULL }, { 0x740c, 0, "Instinct-MI250X", NULL },
	{ 0x740f, 0, "Instinct-MI210", NULL },	{ 0x74a0, 0, "Instinct-MI300A", NULL },
	{ 0x74a1, 0, "Instinct-MI300X", NULL }, { 0x74a2, 0, "Instinct-MI308X", NULL },
	{ 0x74a5, 0, "Instinct-MI325X", NULL }, { 0x75a0, 0, "Instinct-MI350X", NULL },
	{ 0x75a3, 0, "Instinct-MI355X", NULL }, { 0 },
};

static const char *architecture_of(const struct kfd_node *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i].target_version == node->properties.gfx_target_version)
			return architectures[i].name;
	return OTHER_ARCHITECTURE;
}

/* "AMD Instinct MI250 (MCM) OAM" into "AMD-Instinct-MI250-MCM-OAM", in place. */
static void make_word(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (isalnum((unsigned char)*in) || strchr("._-", *in))
			*out++ = *in;
		else if (out > text && out[-1] != '-')
			*out++ = '-';
	}
	while (out > text && out[-1] == '-')
		out--;
	*out = '\0';
}

static int find_product(const struct class_entry *entry, struct device *device, struct error *err)
{
	const struct class_product *row = class_product_find(products, &device->pci);
	const char *product = row ? row->product : device->architecture;
	char name[SYSFS_LINE_MAX];
	int r = sysfs_read_fact(entry->dirfd, "device/product_name", name, err);

	if (r < 0)
		return r;
	if (r > 0)
		make_word(name);
	if (r > 0 && name[0] != '\0' && strlen(name) < sizeof(device->product))
		product = name;
	return str_copy(device->product, sizeof(device->product), product);
}

static const struct {
	const char *attribute;
	size_t offset;
	size_t size;
	bool (*fits)(const char *text);
} facts[] = {
	{ "device/unique_id", offsetof(struct device, uuid), DEVICE_UUID_MAX, sysfs_is_id },
	{ "device/serial_number", offsetof(struct device, serial), DEVICE_SERIAL_MAX, sysfs_is_id },
	{ "device/vbios_version", offsetof(struct device, firmware_version), DEVICE_VERSION_MAX,
	  NULL },
};

static int read_facts(const struct class_entry *entry, struct device *device, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		int r = sysfs_read_text(entry->dirfd, facts[i].attribute, facts[i].fits,
					(char *)device + facts[i].offset, facts[i].size, err);

		if (r < 0)
			return r;
	}
	return sysfs_read_text(entry->host->root_fd, "sys/module/amdgpu/version", NULL,
			       device->driver_version, sizeof(device->driver_version), err);
}

/* What only KFD tells, and what it tells where sysfs does not. */
static void add_kfd_facts(const struct parts *parts, struct device *device)
{
	const struct kfd_node *first = parts->nodes[0];

	device->architecture = architecture_of(first);
	device->index = first->rank;
	for (size_t i = 0; i < parts->n; i++)
		device->memory_bytes += parts->nodes[i]->memory_bytes;
	if (device->uuid[0] == '\0' && first->properties.unique_id != 0)
		(void)snprintf(device->uuid, sizeof(device->uuid), "%016" PRIx64,
			       first->properties.unique_id);
	if (first->properties.hive_id != 0)
		(void)snprintf(device->link_group, sizeof(device->link_group), "%016" PRIx64,
			       first->properties.hive_id);
}

/* --- device files --- */

_Static_assert(1 + 2 * DEVICE_PARTITIONS_MAX <= DEVICE_NODES_MAX, "all device files of a card fit");

/* /dev/dri/cardX and renderDY of the card, or of the partition that is @cores. */
static int need_dri_nodes(struct node_list *list, const struct kfd_node *node,
			  const struct core_range *cores, struct error *err)
{
	char entry[sizeof(DRM_CLASS_DIR) + 32];
	uint32_t card = 0;
	int r;

	(void)snprintf(entry, sizeof(entry), DRM_CLASS_DIR "/" DRM_RENDER "%" PRIu64,
		       node->properties.drm_render_minor);
	r = drm_find(list->host, entry, DRM_CARD, &card, err);
	if (r < 0)
		return r;
	if (r > 0)
		node_list_need(list, cores, "/dev/dri/" DRM_CARD "%" PRIu32, card);
	node_list_need(list, cores, "/dev/dri/" DRM_RENDER "%" PRIu64,
		       node->properties.drm_render_minor);
	return 0;
}

static int find_nodes(const struct host *host, const struct parts *parts, struct device *device,
		      struct error *err)
{
	struct node_list list;
	int r = 0;

	node_list_init(&list, host, device);
	node_list_need(&list, NULL, "/dev/kfd");
	for (size_t i = 0; r == 0 && i < parts->n; i++)
		r = need_dri_nodes(&list, parts->nodes[i],
				   device->partitioned ? &device->core_ranges[i] : NULL, err);
	return r < 0 ? r : node_list_finish(&list, err);
}

/* --- scan --- */

static const char *const kernel_drivers[] = { "amdgpu", NULL };

/* Returns 1 if the kernel's driver is bound, and KFD knows the GPU: *@ret. */
static int find_gpu(const struct class_entry *entry, const struct device *device,
		    const struct kfd_node **ret, struct error *err)
{
	const struct topology *topology = (const struct topology *)(const void *)entry->class;
	const char *driver;
	int r;

	*ret = find_node(topology, (uint64_t)device->index);
	if (!*ret)
		return 0;
	r = pci_driver(entry->host, device->bdf, kernel_drivers, &driver, err);
	return r < 0 ? r : driver != NULL;
}

/* --- facts for labels --- */

#define AMD_FACTS 7

/* A fact that an attribute of the card or of the kernel module holds as it is. */
static const struct {
	const char *fact;
	const char *attribute; /* of the card, or a path from the host root */
	bool of_module;
} label_attributes[] = {
	{ "product-name", "device/product_name", false },
	{ "driver-src-version", "sys/module/amdgpu/srcversion", true },
	{ "compute-partitioning", "device/available_compute_partition", false },
	{ "memory-partitioning", "device/available_memory_partition", false },
};

_Static_assert(ARRAY_SIZE(label_attributes) + 3 == AMD_FACTS, "every fact has room");

static int read_label_attributes(const struct class_entry *entry,
				 char texts[AMD_FACTS][SYSFS_LINE_MAX], struct device_fact *told,
				 struct error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(label_attributes); i++) {
		int dirfd = label_attributes[i].of_module ? entry->host->root_fd : entry->dirfd;
		int r = sysfs_read_fact(dirfd, label_attributes[i].attribute, texts[n], err);

		if (r < 0)
			return r;
		if (r == 0 || texts[n][0] == '\0' || strlen(texts[n]) >= DEVICE_FACT_MAX)
			continue;
		told[n] = (struct device_fact) { label_attributes[i].fact, texts[n] };
		n++;
	}
	return (int)n;
}

static int set_label_facts(const struct class_entry *entry, const struct kfd_node *first,
			   const char *profile, struct device *device, struct error *err)
{
	const struct properties *kfd = &first->properties;
	char texts[AMD_FACTS][SYSFS_LINE_MAX];
	struct device_fact told[AMD_FACTS];
	int n = read_label_attributes(entry, texts, told, err);
	size_t i = n < 0 ? 0 : (size_t)n;
	int r;

	if (n < 0)
		return n;
	(void)snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, kfd->simd_count);
	told[i] = (struct device_fact) { "simd-count", texts[i] };
	i++;
	if (kfd->simd_per_cu > 0) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%" PRIu64,
			       kfd->simd_count / kfd->simd_per_cu);
		told[i] = (struct device_fact) { "cu-count", texts[i] };
		i++;
	}
	if (profile[0] != '\0')
		told[i++] = (struct device_fact) { "partition", profile };
	r = device_set_facts(device, told, i);
	return r < 0 ? error_set(err, -r, "facts of '%s': %s", device->name, strerror(-r)) : 0;
}

static int cut_gpu(const struct class_entry *entry, const struct parts *parts,
		   struct device *device, struct error *err)
{
	char profile[DEVICE_PROFILE_MAX];
	bool cut;
	int r = read_profile(entry->dirfd, profile, &cut, err);

	if (r == 0)
		r = set_label_facts(entry, parts->nodes[0], profile, device, err);
	if (r < 0)
		return r;
	if (parts->overflowed)
		device_set_fault(device, "more than %d partitions", DEVICE_PARTITIONS_MAX);
	return cut || parts->n > 1 ? set_partitions(device, parts, profile, err) : 0;
}

static int read_gpu(const struct class_entry *entry, struct device *device, struct error *err)
{
	const struct topology *topology = (const struct topology *)(const void *)entry->class;
	const struct kfd_node *first;
	struct parts parts;
	int r = find_gpu(entry, device, &first, err);

	if (r <= 0)
		return r;
	r = find_parts(entry->host, topology, first, &parts, err);
	if (r >= 0)
		r = read_facts(entry, device, err);
	if (r < 0)
		return r;
	add_kfd_facts(&parts, device);
	r = find_product(entry, device, err);
	if (r >= 0)
		r = cut_gpu(entry, &parts, device, err);
	if (r >= 0)
		r = find_nodes(entry->host, &parts, device, err);
	return r < 0 ? r : 1;
}

static int amd_scan(const struct driver *driver, const struct host *host, struct device_list *list,
		    struct error *err)
{
	_cleanup_topology_ struct topology topology = {
		.class = {
			.class_dir = DRM_CLASS_DIR,
			.entry_prefix = DRM_RENDER,
			.name_prefix = "dri/" DRM_RENDER,
			.pci_vendor = PCI_VENDOR_AMD,
			.read = read_gpu,
		},
	};
	int r = read_topology(host, &topology, err);

	if (r < 0 || topology.n == 0)
		return r;
	return class_device_scan(&topology.class, driver, host, list, err);
}

/* --- probe and readings --- */

static int amd_probe(const struct host *host, const struct device *device, struct error *err)
{
	int r = sysfs_probe_parent(host, device, err);

	return r < 0 ? r : pci_probe(host, device->bdf, kernel_drivers, err);
}

static int read_load(int dirfd, struct device_readings *ret, struct error *err)
{
	uint64_t value;
	int r = sysfs_read_u64(dirfd, "device/gpu_busy_percent", 100, &value, err);

	if (r > 0)
		ret->utilization_ratio = (double)value / 100;
	if (r >= 0)
		r = sysfs_read_u64(dirfd, "device/mem_info_vram_used", MEMORY_MAX, &value, err);
	if (r > 0)
		ret->memory_used_bytes = (double)value;
	return r < 0 ? r : 0;
}

static int amd_measure(const struct host *host, const struct device *device,
		       struct device_readings *ret, struct error *err)
{
	_cleanup_close_ int dirfd = class_device_open(host, device, err);
	struct device_readings readings = device_readings_none();
	char dir[DEVICE_PATH_MAX + sizeof("/device")];
	int r;

	if (dirfd < 0)
		return dirfd;
	(void)snprintf(dir, sizeof(dir), "%s/device", device->sysfs_path);
	r = hwmon_read_load(host, dir, &readings, err);
	if (r == 0)
		r = read_load(dirfd, &readings, err);
	if (r == 0)
		*ret = readings;
	return r;
}

static const char *const amd_node_dirs[] = { "dev/dri", "dev", NULL };
static const char *const amd_subsystems[] = { "drm", "kfd", NULL };

const struct driver amd_driver = {
	.name = "amd",
	.vendor = "AMD",
	.doc = {
		.hardware = "Instinct and Radeon GPUs that KFD has in its topology",
		.reads = "`/sys/class/kfd/kfd/topology/nodes`, `/sys/class/drm/renderDN` with "
			 "PCI vendor `1002` and the driver `amdgpu`; a GPU with virtual "
			 "functions is left out",
		.identity = "`unique_id`, else `serial_number`, else PCI address; of a "
			    "partition `amdgpu_xcp_N`, the first one is named after the GPU",
		.health = "`amdgpu` is bound and the PCI device answers; every device file is "
			  "there. Errors of memory and a GPU that hangs are not seen",
		.nodes = "`/dev/kfd`, `/dev/dri/cardX`, `/dev/dri/renderDY`; a partition gets "
			 "its own two and `/dev/kfd`",
		.evidence = "vendor source and test data, kernel source, pci.ids; device "
			    "files of an MI300X in CPX: from the vendor's topology fixture, "
			    "not from a machine",
	},
	.scan = amd_scan,
	.probe = amd_probe,
	.measure = amd_measure,
	.partition_isolation = DRIVER_ISOLATION_HARDWARE,
	.node_dirs = amd_node_dirs,
	.subsystems = amd_subsystems,
};
