/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Furiosa NPUs: RNGD and Warboy.
 *
 * A card is one management entry of a class of the vendor's kernel driver,
 *
 *	/sys/class/rngd_mgmt/rngd!npu0mgmt/     RNGD
 *	/sys/class/npu_mgmt/npu0_mgmt/          Warboy
 *
 * whose attributes give its facts.  The class devices have no PCI parent, so
 * the `busname` attribute leads to the PCI device.  Device files carry the name
 * of the card and a suffix: /dev/rngd/npu0pe2-3.  What differs between the two
 * architectures is data, below; the code is shared.
 *
 * Attributes may be empty, cut or garbage: a fact that does not parse is left
 * unknown, and only one without which the card cannot be used is a fault.
 *
 * Source: furiosa-ai/device-api, its sysfs and devfs modules and test data;
 * Furiosa developer docs 2026.3, "Container Support" (the 35 device files) and
 * "RNGD overview"; pci.ids, vendor 1ed2
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "drivers/driver.h"
#include "drivers/pci.h"

#define GIB (UINT64_C(1) << 30)
#define PCI_VENDOR_FURIOSA 0x1ed2

#define NPU_INDEX_MAX 65535	      /* a decimal of five digits, far above DEVICES_MAX */
#define ENTRIES_MAX (2 * DEVICES_MAX) /* each card in both spellings */
#define ATTRIBUTE_MAX 256	      /* bytes with the NUL; cur_pe_ids of 32 ranges fits */
#define NODE_PATH_MAX 64	      /* "/dev/rngd/npu65535_mgmt" with room to spare */
#define VERSION_NUMBER_MAX 9	      /* digits, so that a number fits in 32 bits */

struct architecture {
	const char *name;
	const char *class_dir;	  /* relative to the host root */
	const char *entry_prefix; /* of a class entry, before the index */
	const char *name_prefix;  /* of a device file below /dev, before the index */
	/* Behind the index, of the class entry and of its device file: the spelling
	 * has changed between releases of the kernel driver. */
	const char *const *mgmt_suffixes;
	const char *const *shared_suffixes; /* of device files that every partition needs */
	const char *optional_suffix;	    /* of one that not every driver makes; NULL for none */
	bool optional_shared;		    /* whether partitions get that one */
	const char *health_attribute;	    /* "1" while the card works */
	const char *core_ranges_attribute;  /* lists the core ranges; NULL where there is none */
	const struct core_range *core_ranges;
	size_t n_core_ranges;
	unsigned int cores;
	uint64_t memory_bytes;
	const unsigned int *partition_cores;
};

static const char *const rngd_mgmt[] = { "mgmt", "_mgmt", NULL };
static const char *const rngd_shared[] = {
	"bar0", "bar2", "bar4", "dmar", "ch0",	"ch1",	"ch2",	"ch3",	"ch4",	"ch5", "ch6",
	"ch7",	"ch0r", "ch1r", "ch2r", "ch3r", "ch4r", "ch5r", "ch6r", "ch7r", NULL,
};
static const struct core_range rngd_core_ranges[] = {
	{ 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 }, { 5, 5 }, { 6, 6 },
	{ 7, 7 }, { 0, 1 }, { 2, 3 }, { 4, 5 }, { 6, 7 }, { 0, 3 }, { 4, 7 },
};
static const unsigned int rngd_partition_cores[] = { 1, 2, 4, 0 };

static const char *const warboy_mgmt[] = { "_mgmt", NULL };
static const char *const warboy_shared[] = { "ch0", "ch1", "ch2", "ch3", NULL };
static const struct core_range warboy_core_ranges[] = { { 0, 0 }, { 1, 1 }, { 0, 1 } };
static const unsigned int warboy_partition_cores[] = { 1, 2, 0 };

static const struct architecture architectures[] = {
	{
		.name = "rngd",
		.class_dir = "sys/class/rngd_mgmt",
		.entry_prefix = "rngd!npu",
		.name_prefix = "rngd/npu",
		.mgmt_suffixes = rngd_mgmt,
		.shared_suffixes = rngd_shared,
		.optional_suffix = "p2pmem",
		.optional_shared = true,
		.health_attribute = "device_state",
		.core_ranges_attribute = "cur_pe_ids",
		.core_ranges = rngd_core_ranges,
		.n_core_ranges = ARRAY_SIZE(rngd_core_ranges),
		.cores = 8,
		.memory_bytes = 48 * GIB,
		.partition_cores = rngd_partition_cores,
	},
	{
		.name = "warboy",
		.class_dir = "sys/class/npu_mgmt",
		.entry_prefix = "npu",
		.name_prefix = "npu",
		.mgmt_suffixes = warboy_mgmt,
		.shared_suffixes = warboy_shared,
		/* /dev/npu0 opens all cores, so only a whole card may get it. */
		.optional_suffix = "",
		.optional_shared = false,
		.health_attribute = "alive",
		.core_ranges = warboy_core_ranges,
		.n_core_ranges = ARRAY_SIZE(warboy_core_ranges),
		.cores = 2,
		.memory_bytes = 16 * GIB,
		.partition_cores = warboy_partition_cores,
	},
};

static const struct {
	uint16_t pci_device;
	const char *product;
} products[] = {
	{ 0x0000, "warboy" },
	{ 0x0001, "rngd" },
	{ 0x0002, "rngd-plus" },
	{ 0x2222, "rngd-s" },
};

/* --- attribute texts --- */

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Whether text consists of one or more of the given characters. */
static bool consists_of(const char *text, const char *characters)
{
	return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

/* UUIDs and serial numbers become parts of device IDs. */
static bool is_id(const char *text)
{
	return consists_of(text, LETTERS DIGITS "._:-");
}

/* Skips "1.6.0"; NULL if the text does not begin so. */
static const char *skip_version_core(const char *text)
{
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(text, DIGITS);

		if (n == 0 || n > VERSION_NUMBER_MAX)
			return NULL;
		text += n;
		if (i < 2 && *text++ != '.')
			return NULL;
	}
	return text;
}

/* "2025.4.0-dev2+0e9e56a" as in semver.org 2.0.0, or the older "1.6.0, c1bebfd". */
static bool is_version(const char *text)
{
	const char *rest = skip_version_core(text);
	const char *hash = rest ? str_starts_with(rest, ", ") : NULL;
	size_t n;

	if (!rest)
		return false;
	if (hash)
		return consists_of(hash, LETTERS DIGITS);
	if (*rest == '-') {
		n = strspn(rest + 1, LETTERS DIGITS ".-");
		if (n == 0)
			return false;
		rest += 1 + n;
	}
	return *rest == '\0' || (*rest == '+' && consists_of(rest + 1, LETTERS DIGITS ".-"));
}

/* "3" or "2-3"; the text is changed. */
static int parse_core_range(char *text, unsigned int cores, struct core_range *ret)
{
	char *dash = strchr(text, '-');
	uint32_t first, last;
	int r;

	if (dash)
		*dash = '\0';
	r = parse_u32(text, cores - 1, &first);
	if (r < 0)
		return r;
	r = parse_u32(dash ? dash + 1 : text, cores - 1, &last);
	if (r < 0)
		return r;
	if (first > last)
		return -EINVAL;
	*ret = (struct core_range) { (uint8_t)first, (uint8_t)last };
	return 0;
}

/* "0,1,0-1" into the core ranges of a device, which are not to be used on failure. */
static int parse_core_ranges(char *text, struct device *device)
{
	device->n_core_ranges = 0;
	for (char *item = strsep(&text, ","); item; item = strsep(&text, ",")) {
		struct core_range range;
		int r = parse_core_range(item, device->cores, &range);

		if (r < 0)
			return r;
		if (device_has_core_range(device, range))
			continue;
		if (device->n_core_ranges == DEVICE_CORE_RANGES_MAX)
			return -E2BIG;
		device->core_ranges[device->n_core_ranges++] = range;
	}
	return 0;
}

/* --- attribute files --- */

/* A passing want of the process itself, which says nothing about a card. */
static bool is_shortage(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

/* Reads an attribute of one line into ATTRIBUTE_MAX bytes. */
static int read_line(int dirfd, const char *name, char *buf, struct error *err)
{
	ssize_t len = file_read_text(dirfd, name, buf, ATTRIBUTE_MAX, err);

	if (len < 0)
		return (int)len;
	if (!str_is_printable(buf))
		return error_set(err, EILSEQ, "'%s' has more than one line", name);
	return 0;
}

/* Returns 1 if @buf holds the attribute, 0 if it is missing or unfit; fails only
 * on a shortage, lest a card lose its UUID because we lack a descriptor. */
static int read_fact(int dirfd, const char *name, char *buf, struct error *err)
{
	int r = read_line(dirfd, name, buf, NULL);

	if (is_shortage(r))
		return error_set(err, -r, "read '%s': %s", name, strerror(-r));
	return r == 0;
}

/* Emulators have the same class entries; they say so here. */
static int is_furiosa_platform(int dirfd, struct error *err)
{
	char text[ATTRIBUTE_MAX];
	int r = read_fact(dirfd, "platform_type", text, err);

	return r > 0 ? strcmp(text, "FuriosaAI") == 0 : r;
}

static const struct {
	const char *attribute;
	size_t offset;
	size_t size;
	bool (*fits)(const char *text);
} facts[] = {
	{ "device_uuid", offsetof(struct device, uuid), DEVICE_UUID_MAX, is_id },
	{ "device_sn", offsetof(struct device, serial), DEVICE_SERIAL_MAX, is_id },
	{ "version", offsetof(struct device, driver_version), DEVICE_VERSION_MAX, is_version },
	{ "fw_version", offsetof(struct device, firmware_version), DEVICE_VERSION_MAX, is_version },
};

static int read_facts(int dirfd, struct device *device, struct error *err)
{
	char text[ATTRIBUTE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		int r = read_fact(dirfd, facts[i].attribute, text, err);

		if (r < 0)
			return r;
		if (r > 0 && facts[i].fits(text))
			(void)str_copy((char *)device + facts[i].offset, facts[i].size, text);
	}
	return 0;
}

static int read_core_ranges(int dirfd, const struct architecture *arch, struct device *device,
			    struct error *err)
{
	char text[ATTRIBUTE_MAX];
	int r = 0;

	if (arch->core_ranges_attribute)
		r = read_fact(dirfd, arch->core_ranges_attribute, text, err);
	if (r < 0)
		return r;
	if (r > 0 && parse_core_ranges(text, device) == 0)
		return 0;
	memcpy(device->core_ranges, arch->core_ranges,
	       arch->n_core_ranges * sizeof(*arch->core_ranges));
	device->n_core_ranges = arch->n_core_ranges;
	return 0;
}

/* --- place on the PCI bus, and product --- */

static int read_bdf(int dirfd, struct device *device, struct error *err)
{
	char text[ATTRIBUTE_MAX];
	struct error reason = { 0 };
	int r;

	r = read_line(dirfd, "busname", text, &reason);
	if (is_shortage(r))
		return error_set(err, -r, "%s", error_text(&reason, r));
	if (r == -ENOENT)
		device_set_fault(device, "busname is missing");
	else if (r < 0)
		device_set_fault(device, "busname cannot be read: %s", error_text(&reason, r));
	else if (pci_bdf_parse(text, device->bdf) < 0)
		device_set_fault(device, "busname '%s' is not a PCI address", text);
	return 0;
}

/* A card that sysfs does not show on the bus has no known place, and may be fine:
 * whether it works is for its health attribute to say. */
static int join_pci(struct pci_reader *reader, struct device *device, struct error *err)
{
	struct error reason = { 0 };
	int r;

	if (device->bdf[0] == '\0')
		return 0;
	r = pci_read(reader, device->bdf, &device->pci, &device->numa_node, &reason);
	if (is_shortage(r))
		return error_set(err, -r, "%s", error_text(&reason, r));
	return 0;
}

static const char *product_by_pci(const struct device_pci *pci)
{
	if (pci->vendor != PCI_VENDOR_FURIOSA)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(products); i++)
		if (products[i].pci_device == pci->device)
			return products[i].product;
	return NULL;
}

/* "RNGD" into the product "rngd"; false if the text is no name. */
static bool set_product_by_type(struct device *device, char *type)
{
	if (!consists_of(type, LETTERS DIGITS "._-"))
		return false;
	for (char *c = type; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return str_copy(device->product, sizeof(device->product), type) == 0;
}

static int find_product(int dirfd, const struct architecture *arch, struct device *device,
			struct error *err)
{
	const char *product = product_by_pci(&device->pci);
	char type[ATTRIBUTE_MAX];
	int r = 0;

	if (!product)
		r = read_fact(dirfd, "device_type", type, err);
	if (r < 0)
		return r;
	if (r > 0 && set_product_by_type(device, type))
		return 0;
	return str_copy(device->product, sizeof(device->product), product ? product : arch->name);
}

/* --- device files --- */

struct node_list {
	const struct host *host;
	struct device *device;
	size_t n;
	struct device_node nodes[DEVICE_NODES_MAX];
	char paths[DEVICE_NODES_MAX][NODE_PATH_MAX];
};

/* The most that node_list gets: management, shared, optional and core ranges. */
_Static_assert(1 + ARRAY_SIZE(rngd_shared) + 1 + DEVICE_CORE_RANGES_MAX <= DEVICE_NODES_MAX,
	       "all device files of a card fit");

static struct device_node *add_node(struct node_list *list, const char *suffix)
{
	struct device_node *node = &list->nodes[list->n];
	char *path = list->paths[list->n];

	(void)snprintf(path, NODE_PATH_MAX, "/dev/%s%s", list->device->name, suffix);
	*node = (struct device_node) { .path = path, .shared = true };
	list->n++;
	return node;
}

static int node_state(const struct node_list *list, const struct device_node *node)
{
	return file_is_char_device(list->host->root_fd, node->path + 1);
}

static void require_node(struct node_list *list, const struct device_node *node)
{
	int r = node_state(list, node);
	struct error err;

	if (r == 0)
		return;
	(void)driver_node_error(&err, r, node->path);
	device_set_fault(list->device, "%s", err.msg);
}

/* The first spelling that is there, else the first of all as the missing one. */
static void add_mgmt_node(struct node_list *list, const char *const *suffixes)
{
	for (const char *const *suffix = suffixes; *suffix; suffix++) {
		const struct device_node *node = add_node(list, *suffix);

		if (node_state(list, node) != -ENOENT) {
			require_node(list, node);
			return;
		}
		list->n--;
	}
	require_node(list, add_node(list, suffixes[0]));
}

static void add_optional_node(struct node_list *list, const struct architecture *arch)
{
	struct device_node *node;

	if (!arch->optional_suffix)
		return;
	node = add_node(list, arch->optional_suffix);
	node->shared = arch->optional_shared;
	if (!node->shared)
		node->cores = (struct core_range) { 0, (uint8_t)(arch->cores - 1) };
	if (node_state(list, node) < 0)
		list->n--;
}

static void add_core_node(struct node_list *list, struct core_range cores)
{
	struct device_node *node;
	char suffix[16];

	if (cores.first == cores.last)
		(void)snprintf(suffix, sizeof(suffix), "pe%u", cores.first);
	else
		(void)snprintf(suffix, sizeof(suffix), "pe%u-%u", cores.first, cores.last);
	node = add_node(list, suffix);
	node->shared = false;
	node->cores = cores;
	require_node(list, node);
}

static int find_nodes(const struct host *host, const struct architecture *arch,
		      struct device *device)
{
	struct node_list list = { .host = host, .device = device };

	add_mgmt_node(&list, arch->mgmt_suffixes);
	for (const char *const *suffix = arch->shared_suffixes; *suffix; suffix++)
		require_node(&list, add_node(&list, *suffix));
	for (size_t i = 0; i < device->n_core_ranges; i++)
		add_core_node(&list, device->core_ranges[i]);
	add_optional_node(&list, arch);
	return device_set_nodes(device, list.nodes, list.n);
}

/* --- class entries --- */

struct entry {
	uint32_t index;
	uint32_t spelling; /* number in mgmt_suffixes */
};

struct entry_list {
	struct entry *entries;
	size_t n;
	size_t cap;
};

static void entry_list_done(struct entry_list *list)
{
	free(list->entries);
}

/* "rngd!npu0mgmt" into its index; other entries of the class are no cards. */
static int parse_entry(const struct architecture *arch, const char *name, struct entry *ret)
{
	const char *text = str_starts_with(name, arch->entry_prefix);
	char digits[8];
	uint32_t index;
	size_t n;

	if (!text)
		return -EINVAL;
	n = strspn(text, DIGITS);
	if (n == 0 || n >= sizeof(digits) || (n > 1 && text[0] == '0'))
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (parse_u32(digits, NPU_INDEX_MAX, &index) < 0)
		return -EINVAL;
	for (uint32_t i = 0; arch->mgmt_suffixes[i]; i++) {
		if (strcmp(text + n, arch->mgmt_suffixes[i]) != 0)
			continue;
		*ret = (struct entry) { .index = index, .spelling = i };
		return 0;
	}
	return -EINVAL;
}

static int entry_list_add(struct entry_list *list, struct entry entry)
{
	if (list->n >= ENTRIES_MAX)
		return -E2BIG;
	if (list->n == list->cap) {
		size_t cap = list->cap > 0 ? list->cap * 2 : 16;
		struct entry *entries = reallocarray(list->entries, cap, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		list->entries = entries;
		list->cap = cap;
	}
	list->entries[list->n++] = entry;
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->spelling < y->spelling ? -1 : x->spelling > y->spelling;
}

static int read_entries(DIR *dir, const struct architecture *arch, struct entry_list *list)
{
	for (;;) {
		const struct dirent *dirent;
		struct entry entry;
		int r;

		errno = 0;
		dirent = readdir(dir);
		if (!dirent)
			return -errno;
		if (parse_entry(arch, dirent->d_name, &entry) < 0)
			continue;
		r = entry_list_add(list, entry);
		if (r < 0)
			return r;
	}
}

static DIR *open_dir(int root_fd, const char *path)
{
	int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir)
		cleanup_closep(&fd);
	return dir;
}

/* The entries of a class in order of index; none when the driver is not loaded. */
static int list_entries(const struct host *host, const struct architecture *arch,
			struct entry_list *list, struct error *err)
{
	_cleanup_closedir_ DIR *dir = open_dir(host->root_fd, arch->class_dir);
	int r;

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "open '%s': %s", arch->class_dir, strerror(errno));
	r = read_entries(dir, arch, list);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", arch->class_dir, strerror(-r));
	if (list->n > 0)
		qsort(list->entries, list->n, sizeof(*list->entries), compare_entries);
	return 0;
}

/* --- scan --- */

struct scan {
	const struct host *host;
	struct pci_reader *pci;
	struct device_list *list;
};

/* Whether a path still leads to the directory that was opened. */
static bool is_still_there(int root_fd, const char *path, int dirfd)
{
	struct stat opened, now;

	return fstat(dirfd, &opened) == 0 && fstatat(root_fd, path, &now, 0) == 0 &&
	       opened.st_dev == now.st_dev && opened.st_ino == now.st_ino;
}

static void set_architecture(const struct architecture *arch, struct entry entry,
			     struct device *device)
{
	(void)snprintf(device->name, sizeof(device->name), "%s%" PRIu32, arch->name_prefix,
		       entry.index);
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), "%s/%s%" PRIu32 "%s",
		       arch->class_dir, arch->entry_prefix, entry.index,
		       arch->mgmt_suffixes[entry.spelling]);
	device->architecture = arch->name;
	device->cores = arch->cores;
	device->memory_bytes = arch->memory_bytes;
	device->partition_cores = arch->partition_cores;
}

static int read_device(const struct scan *scan, const struct architecture *arch, int dirfd,
		       struct device *device, struct error *err)
{
	int r;

	r = read_facts(dirfd, device, err);
	if (r < 0)
		return r;
	r = read_bdf(dirfd, device, err);
	if (r < 0)
		return r;
	r = join_pci(scan->pci, device, err);
	if (r < 0)
		return r;
	r = find_product(dirfd, arch, device, err);
	if (r < 0)
		return r;
	r = read_core_ranges(dirfd, arch, device, err);
	if (r < 0)
		return r;
	r = find_nodes(scan->host, arch, device);
	if (r < 0)
		return error_set(err, -r, "device nodes of '%s': %s", device->name, strerror(-r));
	return 0;
}

/* Returns 1 if the entry was listed, 0 if it is no card of ours or has vanished. */
static int scan_entry(const struct scan *scan, const struct architecture *arch, struct entry entry,
		      struct error *err)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(&furiosa_driver);
	_cleanup_close_ int dirfd = -1;
	int r;

	if (!device)
		return error_set(err, ENOMEM, "no memory for a device");
	set_architecture(arch, entry, device);
	dirfd = openat(scan->host->root_fd, device->sysfs_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 && is_shortage(-errno))
		return error_set(err, errno, "open '%s': %s", device->sysfs_path, strerror(errno));
	if (dirfd < 0)
		return 0;
	r = is_furiosa_platform(dirfd, err);
	if (r <= 0)
		return r;
	r = read_device(scan, arch, dirfd, device, err);
	if (r < 0)
		return r;
	if (!is_still_there(scan->host->root_fd, device->sysfs_path, dirfd))
		return 0;
	r = device_list_add(scan->list, device);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", device->name, strerror(-r));
	(void)TAKE_PTR(device);
	return 1;
}

static int scan_architecture(const struct scan *scan, const struct architecture *arch,
			     struct error *err)
{
	_cleanup_(entry_list_done) struct entry_list list = { 0 };
	int64_t listed = -1; /* index of the last card */
	int r;

	r = list_entries(scan->host, arch, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		if (list.entries[i].index == listed) /* the other spelling */
			continue;
		r = scan_entry(scan, arch, list.entries[i], err);
		if (r < 0)
			return r;
		if (r > 0)
			listed = list.entries[i].index;
	}
	return 0;
}

static int furiosa_scan(const struct host *host, struct device_list *list, struct error *err)
{
	_cleanup_(pci_reader_freep) struct pci_reader *pci = NULL;
	struct scan scan = { .host = host, .list = list };
	int r;

	r = pci_reader_new(host, &pci, err);
	if (r < 0)
		return r;
	scan.pci = pci;
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		r = scan_architecture(&scan, &architectures[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- probe --- */

static const struct architecture *find_architecture(const struct device *device)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (strcmp(architectures[i].name, device->architecture) == 0)
			return &architectures[i];
	return NULL;
}

/* Reads an attribute of a listed card; says in the error what is wrong. */
static int probe_attribute(const struct host *host, const struct device *device, const char *name,
			   char *buf, struct error *err)
{
	char path[DEVICE_PATH_MAX + 32];
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", device->sysfs_path, name);
	r = read_line(host->root_fd, path, buf, err);
	if (r == 0)
		return 0;
	if (faccessat(host->root_fd, device->sysfs_path, F_OK, 0) < 0 && errno == ENOENT)
		return error_set(err, ENODEV, "gone from sysfs");
	if (r == -ENOENT)
		return error_set(err, ENOENT, "%s is missing", name);
	return error_wrap(err, r, "%s cannot be read", name);
}

/* Between two scans another card may have taken the entry's name. */
static int probe_identity(const struct host *host, const struct device *device, struct error *err)
{
	char text[ATTRIBUTE_MAX];
	char bdf[DEVICE_BDF_MAX];
	int r;

	r = probe_attribute(host, device, "busname", text, err);
	if (r < 0)
		return r;
	if (pci_bdf_parse(text, bdf) < 0)
		return error_set(err, EINVAL, "busname '%s' is not a PCI address", text);
	if (strcmp(bdf, device->bdf) != 0)
		return error_set(err, ENODEV, "busname is '%s', expected '%s'", bdf, device->bdf);
	return 0;
}

static int furiosa_probe(const struct host *host, const struct device *device, struct error *err)
{
	const struct architecture *arch = find_architecture(device);
	char text[ATTRIBUTE_MAX];
	int r;

	if (!arch)
		return error_set(err, EINVAL, "no Furiosa device: '%s'", device->name);
	r = probe_identity(host, device, err);
	if (r < 0)
		return r;
	r = probe_attribute(host, device, arch->health_attribute, text, err);
	if (r < 0)
		return r;
	if (strcmp(text, "1") != 0)
		return error_set(err, EIO, "%s is '%s', expected '1'", arch->health_attribute,
				 text);
	return 0;
}

static const char *const furiosa_node_dirs[] = { "dev/rngd", "dev", NULL };

/* Not "pci": a card that comes or goes takes its class entry along, and other
 * cards of the bus are none of our business. */
static const char *const furiosa_subsystems[] = { "rngd_mgmt", "npu_mgmt", NULL };

const struct driver furiosa_driver = {
	.name = "furiosa",
	.vendor = "FuriosaAI",
	.scan = furiosa_scan,
	.probe = furiosa_probe,
	.node_dirs = furiosa_node_dirs,
	.subsystems = furiosa_subsystems,
};
