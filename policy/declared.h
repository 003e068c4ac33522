/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the description of a card, as it is written, to what a driver is made of.
 *
 * A description may extend one that Silica brings along.  What it says then takes
 * the place of what is said there: lists, `health` and `temperature` as a whole,
 * `match` and `attributes` key by key.  A PCI vendor of its own drops the device
 * ids of the other, and a class or device file to match the other's class and
 * device files.
 *
 * Source: none outside the project
 */
#pragma once

#include "api/config/declared_keys.h"
#include "base/error.h"
#include "drivers/declared.h"
#include "drivers/driver.h"

/**
 * declared_from_config() - Make a driver of a description in the configuration.
 * @config: description
 * @ret: the driver, to be released with declared_driver_free()
 * @err: set on failure; names the description
 *
 * Return: 0, or
 *   -EEXIST          a driver that is programmed has the name
 *   -ENOENT          it extends a description that is not there
 *   -EINVAL, -E2BIG  as declared_spec_check()
 *   -ENOMEM          no memory
 */
int declared_from_config(const struct config_driver *config, struct driver **ret,
			 struct error *err);

/**
 * declared_from_builtin() - Make a driver of a description that Silica brings along.
 * @name: as in "graphcore"
 * @ret: the driver, to be released with declared_driver_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT  there is no such description
 *   -EINVAL  it lacks something that has to be configured
 *   -ENOMEM  no memory
 */
int declared_from_builtin(const char *name, struct driver **ret, struct error *err);
