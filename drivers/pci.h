/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of one PCI device: ids through libpci, place in the bus through sysfs.
 *
 * Source: Linux Documentation/ABI/testing/sysfs-bus-pci; pcilib(7), parameter
 * sysfs.path; PCI Local Bus Specification 3.0, section 6.1, for a read that
 * nobody answers; Single Root I/O Virtualization and Sharing Specification 1.1,
 * section 3.4.1, for the ids of virtual functions
 */
#pragma once

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"

struct pci_reader;

/**
 * pci_reader_new() - Begin to read the PCI devices of a host.
 * @host: host; borrowed, must outlive the reader
 * @ret: the reader, to be released with pci_reader_free()
 * @err: set on failure
 *
 * A reader serves one scan.
 *
 * Context: one thread at a time.
 * Return: 0, or -ENOMEM.
 */
int pci_reader_new(const struct host *host, struct pci_reader **ret, struct error *err);

/**
 * pci_reader_free() - Release a reader.
 * @reader: reader or NULL
 */
void pci_reader_free(struct pci_reader *reader);
DEFINE_CLEANUP(struct pci_reader, pci_reader_free);

/**
 * pci_read() - Read the facts of one device.
 * @reader: reader
 * @bdf: address as checked by pci_bdf_parse()
 * @ret_pci: ids, class and path; a fact that cannot be read stays 0 or ""
 * @ret_numa_node: NUMA node, or DEVICE_NUMA_UNKNOWN if sysfs says -1, says
 *	nothing, or says something that is no number
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT  the bus has no such device, or no bus is shown
 *   -EINVAL  @bdf is no address
 *   -EMFILE  (or -ENFILE) no descriptor is left to read with
 *   -ENOMEM  no memory to read with
 */
int pci_read(struct pci_reader *reader, const char *bdf, struct device_pci *ret_pci,
	     int *ret_numa_node, struct error *err);

/**
 * pci_bdf_parse() - Check and normalise a PCI address.
 * @text: "domain:bus:device.function" in hexadecimal, or without the domain
 * @ret: buffer of DEVICE_BDF_MAX bytes; lower case with a domain, as in
 *	"0000:27:00.0"
 *
 * Return: 0, or -EINVAL.
 */
int pci_bdf_parse(const char *text, char *ret);

/**
 * pci_vendor() - Whose a device is; cheaper than pci_read().
 * @host: host
 * @bdf: address as checked by pci_bdf_parse()
 * @ret: set to the vendor's id
 * @err: set on failure
 *
 * Return: 1, 0 if nothing tells, or a negative errno for want of a descriptor or of
 *   memory.
 */
int pci_vendor(const struct host *host, const char *bdf, uint16_t *ret, struct error *err);

/**
 * pci_has_vfs() - Whether a physical function has given its device away.
 * @host: host
 * @bdf: address as checked by pci_bdf_parse(), or ""
 * @err: set on failure
 *
 * While it has virtual functions, those are the devices, and it is none.
 *
 * Return: 1 if `sriov_numvfs` is above 0, 0 if not or if nothing tells, or a
 *   negative errno for want of a descriptor or of memory.
 */
int pci_has_vfs(const struct host *host, const char *bdf, struct error *err);

/**
 * pci_driver() - Which of some kernel drivers is bound to a device.
 * @host: host
 * @bdf: address as checked by pci_bdf_parse(), or ""
 * @known: names, as in "amdgpu"; NULL ends
 * @ret: the one of @known; NULL if another or none is bound
 * @err: set on failure
 *
 * Return: 0, or a negative errno for want of a descriptor or of memory.
 */
int pci_driver(const struct host *host, const char *bdf, const char *const *known, const char **ret,
	       struct error *err);

/**
 * pci_probe() - Whether a device has its kernel driver and answers on the bus.
 * @host: host
 * @bdf: address as checked by pci_bdf_parse(), or "", which is not judged
 * @known: drivers that will do, NULL ends; NULL where any will
 * @err: set on failure
 *
 * A card that has fallen off the bus keeps its files until the driver notices,
 * and reads as all ones.  One that sleeps is not woken, and one whose
 * configuration sysfs does not show is not judged.
 *
 * Return: 0, or
 *   -ENODEV  none of @known is bound to it
 *   -EIO     it does not answer
 *   -errno   that sysfs_is_shortage(); it says nothing about the device
 */
int pci_probe(const struct host *host, const char *bdf, const char *const *known,
	      struct error *err);
