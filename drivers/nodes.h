/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device files of a device while its driver puts them together.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"

#define NODE_PATH_MAX 96 /* bytes with the NUL; "/dev/nvidia-caps-imex-channels/channel2047" */

struct node_list {
	const struct host *host;
	struct device *device; /* gets the fault when a file that it needs is missing */
	size_t n;
	bool overflowed; /* a file did not fit; node_list_finish() fails */
	struct device_node nodes[DEVICE_NODES_MAX];
	char paths[DEVICE_NODES_MAX][NODE_PATH_MAX];
};

/**
 * node_list_init() - Begin an empty list.
 * @list: list
 * @host: host; borrowed
 * @device: device whose files these are; borrowed
 */
void node_list_init(struct node_list *list, const struct host *host, struct device *device);

/**
 * node_list_need() - Add a file without which the device cannot be used.
 * @list: list
 * @cores: cores that it opens, or NULL if every partition needs it
 * @fmt: printf format of its path on the host, as in "/dev/apex_%u"
 *
 * A missing one becomes the device's fault.
 */
void node_list_need(struct node_list *list, const struct core_range *cores, const char *fmt, ...)
	_printf_(3, 4);

/**
 * node_list_take() - Add a file if it is there.
 * @list: list
 * @cores: cores that it opens, or NULL if every partition gets it
 * @fmt: printf format of its path on the host
 *
 * Return: true if it is there.
 */
bool node_list_take(struct node_list *list, const struct core_range *cores, const char *fmt, ...)
	_printf_(3, 4);

/**
 * node_list_exists() - Whether something has the name of a file.
 * @list: list
 * @fmt: printf format of its path on the host
 *
 * Return: true unless it is known to be missing.
 */
bool node_list_exists(const struct node_list *list, const char *fmt, ...) _printf_(2, 3);

/**
 * node_list_finish() - Give the device its files.
 * @list: list
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -E2BIG if there were too many or a path was too long.
 */
int node_list_finish(struct node_list *list, struct error *err);
