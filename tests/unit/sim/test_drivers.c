/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What silica-sim builds is what the drivers look for: each family is found, and
 * fails, recovers and goes when it is told to.
 */
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/sim/node.h"

static const struct {
	const char *family;
	const char *driver;
	const char *architecture;
	const char *product;
	size_t n_nodes;
} cases[] = {
	{ "rngd", "furiosa", "rngd", "rngd", 35 },
	{ "warboy", "furiosa", "warboy", "warboy", 9 },
	{ "atom", "rebellions", "ATOM", "RBLN-CA22", 2 },
	{ "wormhole", "tenstorrent", "wormhole", "n150", 1 },
	{ "blackhole", "tenstorrent", "blackhole", "p150a", 1 },
	{ "aic", "qualcomm", "aic100", "AIC100", 1 },
	{ "trainium", "neuron", "trainium1", "Trainium1", 1 },
	{ "edgetpu", "coral", "edge-tpu", "edge-tpu", 1 },
};

static void scan(const struct host *host, struct device_list *list)
{
	size_t n;
	const struct driver *const *drivers = driver_registry(&n);
	struct error err = { 0 };

	device_list_done(list);
	for (size_t i = 0; i < n; i++)
		if (drivers[i]->scan(drivers[i], host, list, &err) < 0)
			fail_msg("%s: %s", drivers[i]->name, err.msg);
}

static void run(const struct node *node, int (*command)(const struct request *, struct error *),
		const char *family, const char *index)
{
	char card[32];
	struct request request = { .dir = node->dir, .args = { card, index } };

	(void)snprintf(card, sizeof(card), "%s0", family);
	assert_int_equal(command(&request, NULL), 0);
}

static int probe(const struct host *host, const struct device *device)
{
	return device->driver->probe(host, device, NULL);
}

static void check_device(const struct device *device, size_t i)
{
	assert_string_equal(device->driver->name, cases[i].driver);
	assert_string_equal(device->architecture, cases[i].architecture);
	assert_string_equal(device->product, cases[i].product);
	assert_string_equal(device->fault, "");
	assert_int_equal(device->n_nodes, cases[i].n_nodes);
	assert_true(device->uuid[0] != '\0' || device->serial[0] != '\0' || device->bdf[0] != '\0');
}

static void check_family(const struct node *node, size_t i)
{
	_cleanup_device_list_ struct device_list before = { 0 };
	_cleanup_device_list_ struct device_list list = { 0 };
	struct host host;
	char description[32];

	(void)snprintf(description, sizeof(description), "%s x2", cases[i].family);
	node_create(node, description);
	assert_int_equal(host_open(&host, node->dir, NULL), 0);
	scan(&host, &before);
	assert_int_equal(before.n, 2);
	for (size_t k = 0; k < before.n; k++) {
		check_device(before.devices[k], i);
		assert_int_equal(probe(&host, before.devices[k]), 0);
	}
	run(node, command_fail, cases[i].family, NULL);
	assert_true(probe(&host, before.devices[0]) < 0);
	assert_int_equal(probe(&host, before.devices[1]), 0);
	run(node, command_recover, cases[i].family, NULL);
	assert_int_equal(probe(&host, before.devices[0]), 0);
	/* Under another number it is found again as the same card. */
	run(node, command_renumber, cases[i].family, "9");
	assert_int_equal(probe(&host, before.devices[0]), -ENODEV);
	scan(&host, &list);
	assert_int_equal(list.n, 2);
	check_device(list.devices[1], i);
	assert_string_equal(list.devices[1]->uuid, before.devices[0]->uuid);
	assert_string_equal(list.devices[1]->serial, before.devices[0]->serial);
	assert_string_equal(list.devices[1]->bdf, before.devices[0]->bdf);
	run(node, command_unplug, cases[i].family, NULL);
	scan(&host, &list);
	assert_int_equal(list.n, 1);
	run(node, command_plug, cases[i].family, NULL);
	scan(&host, &list);
	assert_int_equal(list.n, 2);
	host_close(&host);
}

static void test_families(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_family(*state, i);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

/* No driver takes the cards of another. */
static void test_together(void **state)
{
	const struct node *node = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct host host;

	node_create(node, "rngd x1, warboy x1, atom x1, wormhole x1, aic x1, trainium x1, "
			  "edgetpu x1");
	assert_int_equal(host_open(&host, node->dir, NULL), 0);
	scan(&host, &list);
	assert_int_equal(list.n, 7);
	host_close(&host);
}

static void test_rings_of_trainium(void **state)
{
	static const char *const groups[] = { "neuron0", "neuron0", "neuron0",
					      "neuron0", "neuron4", "neuron4" };
	const struct node *node = *state;
	_cleanup_device_list_ struct device_list list = { 0 };
	struct host host;

	node_create(node, "trainium x6");
	assert_int_equal(host_open(&host, node->dir, NULL), 0);
	scan(&host, &list);
	assert_int_equal(list.n, ARRAY_SIZE(groups));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		assert_string_equal(list.devices[i]->link_group, groups[i]);
	host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_families, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_together, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_rings_of_trainium, node_setup, node_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
