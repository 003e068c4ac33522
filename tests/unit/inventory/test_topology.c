/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "inventory/topology.h"
#include "tests/unit/inventory/node.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_places),
		cmocka_unit_test(knows_one_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
