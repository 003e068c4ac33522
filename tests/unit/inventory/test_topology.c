/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "inventory/topology.h"
#include "tests/unit/inventory/node.h"

#define LINKED TOPOLOGY_SHARED_LINK

static const struct {
	const char *a;
	const char *b;
	enum topology_link link;
	unsigned int shared;
	int order; /* of the places; cards at one place go by their address */
} cases[] = {
	{ "0/x/y", "0/x/y", TOPOLOGY_LINK_BRIDGE, 3, -1 },
	{ "0/x/y/z", "0/x/y/z", TOPOLOGY_LINK_BRIDGE, 4, -1 },
	{ "0/x/y/z", "0/x/y/w", TOPOLOGY_LINK_BRIDGE, 3, 1 },
	{ "0/x/y", "0/x/z", TOPOLOGY_LINK_BRIDGE, 2, -1 },
	{ "0/x/y", "0/x", TOPOLOGY_LINK_BRIDGE, 2, 1 },
	{ "0/x/y", "0/z/y", TOPOLOGY_LINK_NUMA, 1, -1 },
	{ "0/x", "0/xy", TOPOLOGY_LINK_NUMA, 1, -1 },
	{ "0/x/y", "0/x/yz", TOPOLOGY_LINK_BRIDGE, 2, -1 },
	{ "0/x-y", "0/x/y", TOPOLOGY_LINK_NUMA, 1, 1 },
	{ "0", "0", TOPOLOGY_LINK_NUMA, 1, 0 },
	{ "0", "0/x", TOPOLOGY_LINK_NUMA, 1, -1 },
	{ "0/x", "1/y", TOPOLOGY_LINK_SYSTEM, 0, -1 },
	{ "1", "0", TOPOLOGY_LINK_SYSTEM, 0, 1 },
	{ "-", "-", TOPOLOGY_LINK_SYSTEM, 0, 0 },
	{ "-", "0", TOPOLOGY_LINK_SYSTEM, 0, -1 },
	{ "-/x", "-/y", TOPOLOGY_LINK_SYSTEM, 0, -1 },
	{ "-/x", "-/x", TOPOLOGY_LINK_BRIDGE, 2, -1 },
	{ "0/x@g", "0/x@g", TOPOLOGY_LINK_VENDOR, LINKED + 2, -1 },
	{ "0/x@g", "0/y@g", TOPOLOGY_LINK_VENDOR, LINKED + 1, -1 },
	{ "0/x@g", "1/y@g", TOPOLOGY_LINK_VENDOR, LINKED, -1 },
	{ "-@g", "-@g", TOPOLOGY_LINK_VENDOR, LINKED, 0 },
	{ "0/x@g", "0/x@h", TOPOLOGY_LINK_BRIDGE, 0, -1 },
	{ "1/x@g", "0/y@h", TOPOLOGY_LINK_SYSTEM, 0, -1 },
	{ "0/x@g", "0/x", TOPOLOGY_LINK_BRIDGE, 0, 1 },
};

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void compares_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(device_cleanupp) struct device *a = node_device(cases[i].a, 1);
		_cleanup_(device_cleanupp) struct device *b = node_device(cases[i].b, 2);

		assert_int_equal(topology_link(a, b), cases[i].link);
		assert_int_equal(topology_link(b, a), cases[i].link);
		assert_int_equal(topology_shared(a, b), cases[i].shared);
		assert_int_equal(topology_shared(b, a), cases[i].shared);
		assert_int_equal(sign(topology_compare(a, b)), cases[i].order);
		assert_int_equal(sign(topology_compare(b, a)), -cases[i].order);
	}
}

static void knows_one_device(void **state)
{
	_cleanup_(device_cleanupp) struct device *a = node_device("0/x", 1);
	_cleanup_(device_cleanupp) struct device *b = node_device("0/x", 1);

	(void)state;
	assert_int_equal(topology_link(a, a), TOPOLOGY_LINK_SAME);
	assert_int_equal(topology_link(a, b), TOPOLOGY_LINK_SAME);
	assert_int_equal(topology_compare(a, b), 0);

	/* Two devices whose addresses are not known are not one. */
	a->bdf[0] = '\0';
	b->bdf[0] = '\0';
	assert_int_equal(topology_link(a, b), TOPOLOGY_LINK_BRIDGE);
	assert_int_equal(topology_link(a, a), TOPOLOGY_LINK_SAME);
}

static int compare_devices(const void *a, const void *b)
{
	return topology_compare(*(struct device *const *)a, *(struct device *const *)b);
}

/* The property that the tree of neighbours rests on. */
static void what_two_share_their_neighbours_share(void **state)
{
	static const char *const places[] = {
		"0/a/x@g", "0/b@g", "1/c@g", "1/c/y@h", "1/c/y@h", "0/a/x", "0/a/x",
		"0/a/x/w", "0/a/y", "0",     "1/d",	"-",	   "-/e/z", "-/e",
	};
	struct device *devices[ARRAY_SIZE(places)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		devices[i] = node_device(places[i], i);
	qsort(devices, ARRAY_SIZE(devices), sizeof(*devices), compare_devices);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		unsigned int least = UINT_MAX;

		for (size_t j = i + 1; j < ARRAY_SIZE(devices); j++) {
			least = MIN(least, topology_shared(devices[j - 1], devices[j]));
			assert_int_equal(topology_shared(devices[i], devices[j]), least);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		device_unref(devices[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_places),
		cmocka_unit_test(knows_one_device),
		cmocka_unit_test(what_two_share_their_neighbours_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
