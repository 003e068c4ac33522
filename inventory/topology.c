/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/topology.h"

#include <string.h>

static bool component_ends(char c)
{
	return c == '\0' || c == '/';
}

/* How many components two PCI paths have in common, from the root down. */
static unsigned int shared_components(const char *a, const char *b)
{
	const char *start = a;
	unsigned int n = 0;

	for (; *a != '\0' && *a == *b; a++, b++)
		n += *a == '/';
	return n + (a != start && component_ends(*a) && component_ends(*b));
}

static bool is_linked(const struct device *a, const struct device *b)
{
	return a->link_group[0] != '\0' && strcmp(a->link_group, b->link_group) == 0;
}

enum topology_link topology_link(const struct device *a, const struct device *b)
{
	if (a == b || (a->bdf[0] != '\0' && strcmp(a->bdf, b->bdf) == 0))
		return TOPOLOGY_LINK_SAME;
	if (is_linked(a, b))
		return TOPOLOGY_LINK_VENDOR;
	if (shared_components(a->pci.path, b->pci.path) > 0)
		return TOPOLOGY_LINK_BRIDGE;
	if (a->numa_node == b->numa_node && a->numa_node != DEVICE_NUMA_UNKNOWN)
		return TOPOLOGY_LINK_NUMA;
	return TOPOLOGY_LINK_SYSTEM;
}

unsigned int topology_shared(const struct device *a, const struct device *b)
{
	unsigned int linked = is_linked(a, b) ? TOPOLOGY_SHARED_LINK : 0;
	unsigned int components;

	if (strcmp(a->link_group, b->link_group) != 0)
		return 0;
	if (a->numa_node != b->numa_node)
		return linked;
	components = shared_components(a->pci.path, b->pci.path);
	if (components == 0 && a->numa_node == DEVICE_NUMA_UNKNOWN)
		return linked;
	return linked + 1 + components;
}

/* A separator sorts before every other character, so that "a/b" comes before "ab". */
static int component_rank(char c)
{
	return c == '\0' ? -1 : c == '/' ? 0 : (unsigned char)c;
}

static int compare_paths(const char *a, const char *b)
{
	for (; *a != '\0' && *a == *b; a++, b++)
		continue;
	return component_rank(*a) - component_rank(*b);
}

int topology_compare(const struct device *a, const struct device *b)
{
	int order = strcmp(a->link_group, b->link_group);

	if (order != 0)
		return order;
	if (a->numa_node != b->numa_node)
		return a->numa_node < b->numa_node ? -1 : 1;
	return compare_paths(a->pci.path, b->pci.path);
}
