/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives each device an identity that survives renumbering.
 *
 * The chain is UUID, serial number, PCI address.  A value is passed over when it
 * is empty, all zeros, holds a character that has no place in an ID, or is
 * claimed by two devices; cards with zero-filled UUIDs exist.
 *
 * An identity that was given stays as long as its device is listed, also when
 * the chain would decide otherwise by then: because a second card claims the
 * same UUID, or a crashed card no longer tells its own.
 *
 * Source: serial numbers are empty in the sysfs trees that Furiosa publishes
 * (device-api, test_data); zero-filled UUIDs are noted in backend.ai's plugin for
 * Rebellions ATOM
 */
#pragma once

#include "drivers/device.h"
#include "inventory/snapshot.h"

/**
 * identity_recognise() - Tell which of the devices found are listed already.
 * @listed: the devices known so far
 * @found: @n devices of a scan
 * @n: number of devices found
 * @ret_states: array of @n; the state of the same device in @listed, or NULL for
 *	a new one; no state is given twice
 *
 * The same device is one whose UUID or serial number is a listed ID, else one
 * that is where a listed one is present; neither may contradict the other's
 * UUID or serial number.  At the place of a device that is gone, both must be
 * equal: another card may have been put there.
 *
 * Return: 0, or -ENOMEM.
 */
int identity_recognise(const struct snapshot *listed, const struct device *const *found, size_t n,
		       const struct device_state **ret_states);

/**
 * identity_assign() - Choose the IDs of all devices of a node.
 * @devices: @n devices
 * @n: number of devices
 * @ret_ids: array of @n buffers; an ID that is there already stays, "" is
 *	replaced; still "" afterwards for a device that has no usable identity
 *
 * Two devices never get the same ID; of two devices with one PCI address the
 * second one gets "".
 *
 * Return: 0, or -ENOMEM.
 */
int identity_assign(const struct device *const *devices, size_t n, char (*ret_ids)[DEVICE_ID_MAX]);
