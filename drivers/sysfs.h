/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every driver does with sysfs: attributes of one line, the entries of a
 * class in order of their number, the PCI device that an entry belongs to.
 *
 * Attributes may be empty, cut, huge or garbage.  One that does not parse is a
 * fact that is not known, no failure.  Only a want of the process itself
 * (descriptors, memory) is one, lest a device lose its identity because we lack
 * a descriptor.
 *
 * Source: Linux Documentation/filesystems/sysfs.rst, "Attributes";
 * Documentation/admin-guide/sysfs-rules.rst
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"
#include "drivers/pci.h"

#define SYSFS_LINE_MAX 256	/* bytes with the NUL of an attribute; the longest known is 64 */
#define SYSFS_ENTRIES_MAX 32768 /* of one class; each of DEVICES_MAX in two spellings */
#define SYSFS_INDEX_MAX 65535	/* a decimal of five digits, far above DEVICES_MAX */
#define SYSFS_DIGITS "0123456789"
#define SYSFS_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
/* What an identity may consist of; it becomes part of a unit's ID. */
#define SYSFS_ID_CHARACTERS SYSFS_LETTERS SYSFS_DIGITS "._:-"

/* An entry of a class: "rngd!npu0mgmt" is number 0, with the suffix "mgmt". */
struct sysfs_entry {
	uint32_t index;
	uint32_t suffix; /* number in the table of suffixes */
};

/* All-zero when empty. */
struct sysfs_entries {
	struct sysfs_entry *entries; /* by index, then by suffix */
	size_t n;
	size_t cap;
};

/**
 * sysfs_is_shortage() - Whether an error is a passing want of the process itself.
 * @r: negative errno
 *
 * Return: true for -EMFILE, -ENFILE and -ENOMEM; they say nothing about a device.
 */
bool sysfs_is_shortage(int r);

/**
 * sysfs_consists_of() - Whether a text has only certain characters.
 * @text: text
 * @characters: those that are allowed
 *
 * Return: true if @text has at least one character and no other.
 */
bool sysfs_consists_of(const char *text, const char *characters);

/**
 * sysfs_read_line() - Read an attribute of one line.
 * @dirfd: directory
 * @name: path of the attribute below it; no link but a first `device` may lead out
 * @buf: SYSFS_LINE_MAX bytes, trimmed of white space at both ends
 * @err: set on failure
 *
 * Return: 0, or
 *   -EILSEQ  more than one line, or bytes that are not printable
 *   -errno   as file_read_text()
 */
int sysfs_read_line(int dirfd, const char *name, char *buf, struct error *err);

/**
 * sysfs_read_fact() - Read an attribute that may be missing or unfit.
 * @dirfd: directory
 * @name: path of the attribute below it
 * @buf: SYSFS_LINE_MAX bytes
 * @err: set on failure
 *
 * Return: 1 if @buf holds it, 0 if there is none that can be used, or a negative
 *   errno that sysfs_is_shortage().
 */
int sysfs_read_fact(int dirfd, const char *name, char *buf, struct error *err);

/**
 * sysfs_read_text() - Read an attribute into a field of a device.
 * @dirfd: directory
 * @name: path of the attribute below it
 * @fits: says whether a text will do; NULL takes every one
 * @dst: buffer of @size bytes; stays as it is when there is nothing that fits
 * @size: size of @dst
 * @err: set on failure
 *
 * Return: as sysfs_read_fact(); 1 if @dst was written.
 */
int sysfs_read_text(int dirfd, const char *name, bool (*fits)(const char *text), char *dst,
		    size_t size, struct error *err);

/**
 * sysfs_read_u64() - Read an attribute that is one decimal number.
 * @dirfd: directory
 * @name: path of the attribute below it
 * @max: largest value that will do
 * @ret: the number
 * @err: set on failure
 *
 * Return: as sysfs_read_fact().
 */
int sysfs_read_u64(int dirfd, const char *name, uint64_t max, uint64_t *ret, struct error *err);

/**
 * sysfs_is_id() - Whether a text will do as a UUID or serial number.
 * @text: text
 *
 * Return: true if it has only SYSFS_ID_CHARACTERS.
 */
bool sysfs_is_id(const char *text);

/**
 * sysfs_open() - Open a directory, as a place to read attributes from.
 * @host: host
 * @path: relative to the host root
 * @err: set on a shortage
 *
 * Return: a descriptor for the *at() calls, or
 *   -ENOENT  it is not there, or is no directory, or may not be entered; or it, or
 *            its link `device`, leads out of the host root
 *   -errno   that sysfs_is_shortage()
 */
int sysfs_open(const struct host *host, const char *path, struct error *err);

/**
 * sysfs_is_still() - Whether a path still leads to the directory that was opened.
 * @host: host
 * @path: relative to the host root
 * @dirfd: as sysfs_open() gave it
 *
 * Return: false if the device has gone, or another has taken its place; what was
 *   read below @dirfd is then not to be trusted.
 */
bool sysfs_is_still(const struct host *host, const char *path, int dirfd);

/**
 * sysfs_parse_entry() - Take the name of a class entry apart.
 * @name: name
 * @prefix: in front of the number
 * @suffixes: what may follow it, NULL ends
 * @ret: the parts
 *
 * Return: 0, or -EINVAL if it is no such name.
 */
int sysfs_parse_entry(const char *name, const char *prefix, const char *const *suffixes,
		      struct sysfs_entry *ret);

/**
 * sysfs_list() - List the entries of a class whose names are a number.
 * @host: host
 * @path: directory of the class, relative to the host root
 * @prefix: in front of the number, as in "rngd!npu"
 * @suffixes: what may follow it, NULL ends; { "", NULL } for nothing
 * @ret: the entries, to be released with sysfs_entries_done(), on failure too;
 *	none if there is no such directory, which is how it is without the driver
 * @err: set on failure
 *
 * Return: 0, or
 *   -E2BIG   more than SYSFS_ENTRIES_MAX entries
 *   -ENOMEM  no memory
 *   -errno   as open(2) or readdir(3) leaves it
 */
int sysfs_list(const struct host *host, const char *path, const char *prefix,
	       const char *const *suffixes, struct sysfs_entries *ret, struct error *err);

/**
 * sysfs_entries_done() - Release entries.
 * @entries: entries, all-zero when empty
 */
void sysfs_entries_done(struct sysfs_entries *entries);
#define _cleanup_sysfs_entries_ _cleanup_(sysfs_entries_done)

/**
 * sysfs_link_name() - Read where a symbolic link leads.
 * @dirfd: directory
 * @name: path of the link below it, as in "device" or "driver"
 * @dst: buffer of @size bytes for the last component of the target
 * @size: size of @dst
 *
 * Return: 0, or
 *   -ENAMETOOLONG  the target is too long
 *   -errno         as readlink(2) leaves it
 */
int sysfs_link_name(int dirfd, const char *name, char *dst, size_t size);

/**
 * sysfs_read_parent() - Take the PCI address of a class entry from its `device` link.
 * @dirfd: the entry
 * @device: gets its bdf; stays without one if the parent is no PCI device
 * @err: set on failure
 *
 * Return: 1 if there is one, 0 if not, or a negative errno that sysfs_is_shortage().
 */
int sysfs_read_parent(int dirfd, struct device *device, struct error *err);

/**
 * sysfs_join_pci() - Fill in what the bus knows of a device: ids, path, NUMA node.
 * @reader: reader of the scan
 * @device: device whose bdf is known, or ""
 * @err: set on failure
 *
 * A device that sysfs does not show on the bus has no known place, and may be
 * fine: whether it works is for its probe to say.
 *
 * Return: 0, or a negative errno that sysfs_is_shortage().
 */
int sysfs_join_pci(struct pci_reader *reader, struct device *device, struct error *err);

/**
 * sysfs_probe_line() - Read an attribute of a listed device, to judge it by.
 * @host: host
 * @device: device; @name is below its sysfs_path
 * @name: path of the attribute
 * @buf: SYSFS_LINE_MAX bytes
 * @err: set on failure, says for people what is wrong
 *
 * Return: 0, or
 *   -ENODEV  the device is gone from sysfs
 *   -ENOENT  the attribute is missing
 *   -errno   as sysfs_read_line()
 */
int sysfs_probe_line(const struct host *host, const struct device *device, const char *name,
		     char *buf, struct error *err);

/**
 * sysfs_probe_parent() - Whether a class entry still belongs to the same PCI device.
 * @host: host
 * @device: device whose address was read by sysfs_read_parent(); one without an
 *	address has nothing to compare
 * @err: set on failure
 *
 * Between two scans another device may have taken the entry's name.
 *
 * Return: 0, or -ENODEV.
 */
int sysfs_probe_parent(const struct host *host, const struct device *device, struct error *err);
