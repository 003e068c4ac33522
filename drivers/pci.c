/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libpci speaks of failure through a callback that must not return, as lspci
 * ends the program in it.  Here every call that can fail runs under guarded(),
 * which such a callback leaves by longjmp(3).  libpci holds neither memory nor
 * descriptors at those points, so nothing leaks.
 *
 * Only pci_alloc() is beyond the guard: without memory for a few hundred bytes
 * it ends the program.
 *
 * Class, NUMA node and path are read without libpci, which takes an unreadable NUMA
 * node for 0 and does not know the path.
 */
#include "drivers/pci.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "drivers/sysfs.h"

#define PCI_DEVICES_DIR "sys/bus/pci/devices"
#define CONFIG_IDS 4	   /* bytes of the configuration space: vendor and device */
#define CONFIG_BYTES 16	   /* the ids, command, status, class, type of the header */
#define CLASS_MAX 0xffffff /* base class, subclass and interface, a byte each */
#define NUMA_NODE_MAX 1023 /* MAX_NUMNODES - 1 with the kernel's largest NODES_SHIFT, 10 */

struct pci_reader {
	const struct host *host;
	struct pci_access *access;
};

struct bdf {
	uint32_t domain;
	uint32_t bus;
	uint32_t device;
	uint32_t function;
};

/* The longest is "sys/bus/pci/devices/<bdf>/power/runtime_status", 60 bytes. */
struct pci_path {
	char text[80];
};

static _Thread_local jmp_buf *guard;

__attribute__((noreturn)) static _printf_(1, 2) void fail(char *msg, ...)
{
	(void)msg;
	longjmp(*guard, 1);
}

static _printf_(1, 2) void ignore(char *msg, ...)
{
	(void)msg;
}

/* Calls @fn; false if libpci gave up in it. */
static bool guarded(void (*fn)(void *ctx), void *ctx)
{
	jmp_buf here;

	if (setjmp(here) != 0) {
		guard = NULL;
		return false;
	}
	guard = &here;
	fn(ctx);
	guard = NULL;
	return true;
}

struct setup {
	struct pci_access *access;
	char *sysfs_path; /* copied by libpci */
};

static void setup_access(void *ctx)
{
	const struct setup *setup = ctx;
	char name[] = "sysfs.path";

	(void)pci_set_param(setup->access, name, setup->sysfs_path);
	pci_init(setup->access);
}

static int setup_reader(struct pci_reader *reader, struct error *err)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(PATH_MAX);
	struct setup setup;

	strbuf_printf(&path, "%s/sys/bus/pci", reader->host->root);
	if (strbuf_error(&path) < 0)
		return error_set(err, ENOMEM, "no memory to read PCI devices");
	reader->access = pci_alloc();
	reader->access->method = PCI_ACCESS_SYS_BUS_PCI;
	reader->access->error = fail;
	reader->access->warning = ignore;
	reader->access->debug = ignore;
	setup = (struct setup) { reader->access, path.data };
	if (!guarded(setup_access, &setup))
		return error_set(err, ENOMEM, "set up libpci for '%s'", strbuf_str(&path));
	return 0;
}

int pci_reader_new(const struct host *host, struct pci_reader **ret, struct error *err)
{
	_cleanup_(pci_reader_freep) struct pci_reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return error_set(err, ENOMEM, "no memory to read PCI devices");
	reader->host = host;
	r = setup_reader(reader, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(reader);
	return 0;
}

void pci_reader_free(struct pci_reader *reader)
{
	if (!reader)
		return;
	if (reader->access)
		pci_cleanup(reader->access);
	free(reader);
}

/* Path of an attribute of a device, or of the device itself when @name is "". */
static struct pci_path pci_path(const char *bdf, const char *name)
{
	struct pci_path path;

	(void)snprintf(path.text, sizeof(path.text), PCI_DEVICES_DIR "/%s%s%s", bdf,
		       name[0] != '\0' ? "/" : "", name);
	return path;
}

/* libpci opens by path and waits for whatever is there, so only regular files are for it. */
static bool has_attribute(const struct pci_reader *reader, const char *bdf, const char *name)
{
	struct stat st;

	return fstatat(reader->host->root_fd, pci_path(bdf, name).text, &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISREG(st.st_mode);
}

/* Returns 0 if the bus has the device, below the host root, where libpci looks for it. */
static int find_device(const struct pci_reader *reader, const char *bdf, struct error *err)
{
	_cleanup_close_ int fd = file_open_below(reader->host->root_fd, pci_path(bdf, "").text,
						 O_PATH | O_DIRECTORY);

	if (sysfs_is_shortage(fd))
		return error_set(err, -fd, "open PCI device '%s': %s", bdf, strerror(-fd));
	return fd < 0 ? error_set(err, ENOENT, "no PCI device '%s'", bdf) : 0;
}

struct lookup {
	struct pci_access *access;
	struct bdf bdf;
	struct pci_dev *dev;
	int fields;
};

static void lookup_device(void *ctx)
{
	struct lookup *lookup = ctx;

	lookup->dev = pci_get_dev(lookup->access, (int)lookup->bdf.domain, (int)lookup->bdf.bus,
				  (int)lookup->bdf.device, (int)lookup->bdf.function);
}

static void fill_device(void *ctx)
{
	struct lookup *lookup = ctx;

	(void)pci_fill_info(lookup->dev, lookup->fields);
}

/* One group of fields at a time, so that one that is missing costs no other. */
static bool fill(struct lookup *lookup, int fields)
{
	lookup->fields = fields;
	return guarded(fill_device, lookup);
}

static void read_ids(const struct pci_reader *reader, const char *bdf, const struct bdf *address,
		     struct device_pci *pci)
{
	struct lookup lookup = { .access = reader->access, .bdf = *address };
	const struct pci_dev *dev;

	if (!guarded(lookup_device, &lookup))
		return;
	dev = lookup.dev;
	if (has_attribute(reader, bdf, "vendor") && has_attribute(reader, bdf, "device") &&
	    fill(&lookup, PCI_FILL_IDENT)) {
		pci->vendor = dev->vendor_id;
		pci->device = dev->device_id;
	}
	if (has_attribute(reader, bdf, "subsystem_vendor") &&
	    has_attribute(reader, bdf, "subsystem_device") && fill(&lookup, PCI_FILL_SUBSYS)) {
		pci->subsystem_vendor = dev->subsys_vendor_id;
		pci->subsystem_device = dev->subsys_id;
	}
	pci_free_dev(lookup.dev);
}

/* Returns 1 with the number, 0 if there is none that fits, or fails for a shortage. */
static int read_hex(const struct host *host, const char *bdf, const char *name, uint64_t max,
		    uint64_t *ret, struct error *err)
{
	char text[SYSFS_LINE_MAX];
	const char *digits;
	uint64_t value;
	int r = sysfs_read_fact(host->root_fd, pci_path(bdf, name).text, text, err);

	if (r <= 0)
		return r;
	digits = str_starts_with(text, "0x");
	if (parse_u64(digits ? digits : text, 16, &value) < 0 || value > max)
		return 0;
	*ret = value;
	return 1;
}

/* Without libpci, which reads the revision as well, whatever that is. */
static int read_class(const struct pci_reader *reader, const char *bdf, struct device_pci *pci,
		      struct error *err)
{
	uint64_t value;
	int r = read_hex(reader->host, bdf, "class", CLASS_MAX, &value, err);

	if (r > 0)
		pci->class = (uint32_t)value;
	return r < 0 ? r : 0;
}

/* Fails only for want of a descriptor, which says nothing about the device. */
static int read_numa_node(const struct pci_reader *reader, const char *bdf, int *ret,
			  struct error *err)
{
	const struct pci_path path = pci_path(bdf, "numa_node");
	char text[16];
	uint32_t node;
	ssize_t len;

	len = file_read_text(reader->host->root_fd, path.text, text, sizeof(text), err);
	if (len == -EMFILE || len == -ENFILE)
		return (int)len;
	/* "-1" is no unsigned number: the kernel does not know either. */
	if (len < 0 || parse_u32(text, NUMA_NODE_MAX, &node) < 0)
		*ret = DEVICE_NUMA_UNKNOWN;
	else
		*ret = (int)node;
	return 0;
}

/* A live device is a symbolic link to its place, ".../devices/pci0000:16/...";
 * in a captured tree it may be a plain directory, which tells no place. */
static void read_path(const struct pci_reader *reader, const char *bdf, struct device_pci *pci)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(reader->host->root_fd, pci_path(bdf, "").text, target,
				 sizeof(target) - 1);
	const char *path;

	if (len < 0)
		return;
	target[len] = '\0';
	path = strstr(target, "/devices/");
	if (!path || !str_is_printable(path))
		return;
	(void)str_copy(pci->path, sizeof(pci->path), path + strlen("/devices/"));
}

/* Takes @digits_min to @digits_max hexadecimal digits off the front. */
static int take_hex(const char **text, size_t digits_min, size_t digits_max, uint32_t *ret)
{
	size_t n = strspn(*text, "0123456789abcdefABCDEF");
	char digits[9];
	uint64_t value;
	int r;

	if (n < digits_min || n > digits_max || n >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, *text, n);
	digits[n] = '\0';
	r = parse_u64(digits, 16, &value);
	if (r < 0)
		return r;
	*ret = (uint32_t)value;
	*text += n;
	return 0;
}

static int bdf_parse(const char *text, struct bdf *ret)
{
	struct bdf bdf = { 0 };
	const char *colon = strchr(text, ':');

	if (colon && strchr(colon + 1, ':')) {
		if (take_hex(&text, 4, 8, &bdf.domain) < 0 || *text++ != ':')
			return -EINVAL;
	}
	if (take_hex(&text, 2, 2, &bdf.bus) < 0 || *text++ != ':' ||
	    take_hex(&text, 2, 2, &bdf.device) < 0 || *text++ != '.' ||
	    take_hex(&text, 1, 1, &bdf.function) < 0 || *text != '\0')
		return -EINVAL;
	if (bdf.device > 0x1f || bdf.function > 7)
		return -EINVAL;
	*ret = bdf;
	return 0;
}

int pci_bdf_parse(const char *text, char *ret)
{
	struct bdf bdf;
	int r;

	r = bdf_parse(text, &bdf);
	if (r < 0)
		return r;
	(void)snprintf(ret, DEVICE_BDF_MAX, "%04x:%02x:%02x.%x", bdf.domain, bdf.bus & 0xff,
		       bdf.device & 0x1f, bdf.function & 0x7);
	return 0;
}

int pci_read(struct pci_reader *reader, const char *bdf, struct device_pci *ret_pci,
	     int *ret_numa_node, struct error *err)
{
	struct device_pci pci = { 0 };
	struct bdf address;
	int numa_node;
	int r;

	if (bdf_parse(bdf, &address) < 0)
		return error_set(err, EINVAL, "'%s' is no PCI address", bdf);
	r = find_device(reader, bdf, err);
	if (r < 0)
		return r;
	r = read_numa_node(reader, bdf, &numa_node, err);
	if (r < 0)
		return r;
	r = read_class(reader, bdf, &pci, err);
	if (r < 0)
		return r;
	read_ids(reader, bdf, &address, &pci);
	read_path(reader, bdf, &pci);
	*ret_pci = pci;
	*ret_numa_node = numa_node;
	return 0;
}

int pci_vendor(const struct host *host, const char *bdf, uint16_t *ret, struct error *err)
{
	uint64_t vendor;
	int r = read_hex(host, bdf, "vendor", UINT16_MAX, &vendor, err);

	if (r > 0)
		*ret = (uint16_t)vendor;
	return r;
}

int pci_has_vfs(const struct host *host, const char *bdf, struct error *err)
{
	char text[16];
	ssize_t len;
	uint32_t n;

	if (bdf[0] == '\0')
		return 0;
	len = file_read_text(host->root_fd, pci_path(bdf, "sriov_numvfs").text, text, sizeof(text),
			     NULL);
	if (len == -EMFILE || len == -ENFILE || len == -ENOMEM)
		return error_set(err, (int)-len, "read 'sriov_numvfs' of '%s': %s", bdf,
				 strerror((int)-len));
	/* An attribute that is there but unfit hides no device. */
	return len >= 0 && parse_u32(text, UINT32_MAX, &n) == 0 && n > 0;
}

int pci_driver(const struct host *host, const char *bdf, const char *const *known, const char **ret,
	       struct error *err)
{
	char name[SYSFS_LINE_MAX];
	int r = sysfs_link_name(host->root_fd, pci_path(bdf, "driver").text, name, sizeof(name));

	if (sysfs_is_shortage(r))
		return error_set(err, -r, "driver of PCI device '%s': %s", bdf, strerror(-r));
	*ret = NULL;
	for (; r == 0 && *known; known++)
		if (strcmp(*known, name) == 0)
			*ret = *known;
	return 0;
}

static bool is_asleep(const struct host *host, const char *bdf)
{
	char status[SYSFS_LINE_MAX];

	return sysfs_read_line(host->root_fd, pci_path(bdf, "power/runtime_status").text, status,
			       NULL) == 0 &&
	       strcmp(status, "suspended") == 0;
}

/* A virtual function has no ids of its own and reads as all ones there, but not in
 * its command, its class and the type of its header; so more is looked at. */
static int probe_config(const struct host *host, const char *bdf, struct error *err)
{
	unsigned char header[CONFIG_BYTES];
	/* A FIFO in its place is not waited for. */
	_cleanup_close_ int fd = file_open_below(host->root_fd, pci_path(bdf, "config").text,
						 O_RDONLY | O_NONBLOCK | O_NOCTTY);
	ssize_t len;

	if (sysfs_is_shortage(fd))
		return error_set(err, -fd, "read PCI device '%s': %s", bdf, strerror(-fd));
	len = fd < 0 ? -1 : read(fd, header, sizeof(header));
	if (len < CONFIG_IDS)
		return 0;
	for (ssize_t i = 0; i < len; i++)
		if (header[i] != 0xff)
			return 0;
	return error_set(err, EIO, "PCI device '%s' does not answer", bdf);
}

int pci_probe(const struct host *host, const char *bdf, const char *const *known, struct error *err)
{
	const char *driver = NULL;
	int r = 0;

	if (bdf[0] == '\0')
		return 0;
	if (known)
		r = pci_driver(host, bdf, known, &driver, err);
	if (r < 0)
		return r;
	if (known && !driver)
		return error_set(err, ENODEV, "kernel driver '%s' is not bound to '%s'", known[0],
				 bdf);
	return is_asleep(host, bdf) ? 0 : probe_config(host, bdf, err);
}
