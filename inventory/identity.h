/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives each device an identity that survives renumbering.
 *
 * The chain is UUID, serial number, PCI address.  A value is passed over when it
 * is empty, all zeros, holds a character that has no place in an ID, or is
 * claimed by two devices; cards with zero-filled UUIDs exist.
 */
#pragma once

#include "drivers/device.h"
#include "inventory/snapshot.h"

/**
 * identity_assign() - Choose the IDs of all devices of a node.
 * @devices: @n devices
 * @n: number of devices
 * @ret_ids: array of @n buffers; "" for a device that has no usable identity
 *
 * Two devices never get the same ID; of two devices with one PCI address the
 * second one gets "".
 *
 * Return: 0, or -ENOMEM.
 */
int identity_assign(const struct device *const *devices, size_t n, char (*ret_ids)[DEVICE_ID_MAX]);
