/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a file says to what is in force: default resources, and the keys of
 * other plugins in terms of our own.
 *
 * Source: the configuration of FuriosaAI's device plugin, its documentation of the
 * releases 2024.2 to 2025.3; the names of the resources are those of each vendor's
 * device plugin
 */
#pragma once

#include "api/config/config_keys.h"

/**
 * config_translate() - Make a configuration of a file.
 * @file: file that schema_read() has filled; its deprecated keys are all-zero afterwards
 * @name: what error messages call the text
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  there would be more than CONFIG_EXCLUDES_MAX exclusions
 *   -ENOMEM  no memory
 */
int config_translate(struct config_file *file, const char *name, struct error *err);
