/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every device that a driver hands over, whatever the tree was.
 *
 * Source: drivers/device.h
 */
#pragma once

#include <stddef.h>

#include "drivers/device.h"
#include "drivers/host.h"

/**
 * check_device() - Look for what no device may be.
 * @device: device
 *
 * Return: what is wrong, or NULL; static.
 */
const char *check_device(const struct device *device);

/**
 * check_answers() - Probe and measure a device, and look for what they may not say.
 * @host: host of @device
 * @device: device
 *
 * Return: what is wrong, or NULL; static.
 */
const char *check_answers(const struct host *host, const struct device *device);
