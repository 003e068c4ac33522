/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nodes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "drivers/driver.h"

void node_list_init(struct node_list *list, const struct host *host, struct device *device)
{
	list->host = host;
	list->device = device;
	list->n = 0;
	list->overflowed = false;
}

static const struct device_node *add(struct node_list *list, const struct core_range *cores,
				     const char *fmt, va_list args) _printf_(3, 0);

static const struct device_node *add(struct node_list *list, const struct core_range *cores,
				     const char *fmt, va_list args)
{
	struct device_node *node = &list->nodes[list->n];
	int len;

	if (list->n == DEVICE_NODES_MAX) {
		list->overflowed = true;
		return NULL;
	}
	len = vsnprintf(list->paths[list->n], NODE_PATH_MAX, fmt, args);
	if (len < 0 || len >= NODE_PATH_MAX) {
		list->overflowed = true;
		return NULL;
	}
	*node = (struct device_node) { .path = list->paths[list->n], .shared = !cores };
	if (cores)
		node->cores = *cores;
	list->n++;
	return node;
}

static int state_of(const struct node_list *list, const char *path)
{
	return file_is_char_device(list->host->root_fd, path + 1);
}

void node_list_need(struct node_list *list, const struct core_range *cores, const char *fmt, ...)
{
	const struct device_node *node;
	struct error err;
	va_list args;
	int r;

	va_start(args, fmt);
	node = add(list, cores, fmt, args);
	va_end(args);
	r = node ? state_of(list, node->path) : 0;
	if (r == 0)
		return;
	(void)driver_node_error(&err, r, node->path);
	device_set_fault(list->device, "%s", err.msg);
}

bool node_list_take(struct node_list *list, const struct core_range *cores, const char *fmt, ...)
{
	const struct device_node *node;
	va_list args;

	va_start(args, fmt);
	node = add(list, cores, fmt, args);
	va_end(args);
	if (!node)
		return false;
	if (state_of(list, node->path) == 0)
		return true;
	list->n--;
	return false;
}

bool node_list_exists(const struct node_list *list, const char *fmt, ...)
{
	char path[NODE_PATH_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	return len > 0 && len < NODE_PATH_MAX && state_of(list, path) != -ENOENT;
}

int node_list_finish(struct node_list *list, struct error *err)
{
	int r = list->overflowed ? -E2BIG : 0;

	if (r == 0)
		r = device_set_nodes(list->device, list->nodes, list->n);
	if (r < 0)
		return error_set(err, -r, "device nodes of '%s': %s", list->device->name,
				 strerror(-r));
	return 0;
}
