/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the configuration demand beyond type and size: the functions
 * are the @check of a struct schema_key.
 *
 * Source: names of nodes and labels are those of Kubernetes' documentation,
 * Concepts, Overview, Object Names and IDs, and Labels and Selectors
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/**
 * config_check_driver() - Check the name of a driver.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_driver(const void *value, struct error *err);

/**
 * config_check_vendor() - Check a pattern of the names of drivers.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_vendor(const void *value, struct error *err);

/**
 * config_check_word() - Check a pattern of products, architectures, profiles or UUIDs.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_word(const void *value, struct error *err);

/**
 * config_check_bdf() - Check a pattern of PCI addresses.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_bdf(const void *value, struct error *err);

/**
 * config_check_node_pattern() - Check a pattern of the names of nodes.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_node_pattern(const void *value, struct error *err);

/**
 * config_check_node() - Check the name of a node.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_node(const void *value, struct error *err);

/**
 * config_check_label_key() - Check the key of a label.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_label_key(const void *value, struct error *err);

/**
 * config_check_label_value() - Check the value of a label.
 * @value: NUL-terminated text, may be ""
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_label_value(const void *value, struct error *err);

/**
 * config_check_path() - Check the path of a directory.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_path(const void *value, struct error *err);

/**
 * config_check_name() - Check the name of a resource, with placeholders.
 * @value: NUL-terminated text
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_name(const void *value, struct error *err);

/**
 * config_check_cores() - Check the size of a partition.
 * @value: uint32_t
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_cores(const void *value, struct error *err);

/**
 * config_check_drivers() - Check that no driver is both enabled and disabled.
 * @value: struct config_drivers
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_drivers(const void *value, struct error *err);

/**
 * config_check_exclude() - Check that an exclusion says something.
 * @value: struct config_exclude
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_exclude(const void *value, struct error *err);

/**
 * config_check_resource() - Check that the keys of a resource go together.
 * @value: struct config_resource
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_resource(const void *value, struct error *err);

/**
 * config_check_file() - Check that no key says again what a deprecated one says.
 * @value: struct config_file
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int config_check_file(const void *value, struct error *err);

/**
 * config_may_repeat() - Whether two resources may have the same name.
 * @item: struct config_resource
 * @other: struct config_resource
 *
 * Return: true if each is for some nodes only, which need not be the same.
 */
bool config_may_repeat(const void *item, const void *other);
