/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What silica-sim builds of the cards whose descriptions Silica brings along is
 * what those look for: each is found, and goes and comes when it is told to.
 */
#include <stdio.h>
#include <string.h>

#include "policy/declared.h"
#include "tests/test.h"
#include "tests/unit/sim/node.h"

static const char hyperaccel[] = "name: hyperaccel\nextends: hyperaccel\n"
				 "match: {pci: {vendor: \"20fb\"}}\n";

static const struct {
	const char *family;
	const char *driver;
	const char *yaml; /* NULL: what Silica brings along */
	const char *name; /* of the first card */
	const char *fault;
	size_t n_nodes;
	bool numbered; /* another number is another name */
} cases[] = {
	{ "ipu", "graphcore", NULL, "ipu0", "", 1, true },
	{ "lpu", "hyperaccel", hyperaccel, "ha0", "", 1, true },
	{ "rdu", "sambanova", NULL, "0000:19:00.0", "", 2, false },
	{ "sapeon", "sapeon", NULL, "0000:19:00.0", "no device files are declared", 0, false },
	{ "tsp", "groq", NULL, "groq0.pci", "", 1, true },
};

static struct driver *make_driver(size_t i)
{
	_cleanup_config_driver_ struct config_driver config = { 0 };
	struct driver *driver = NULL;
	const char *yaml = cases[i].yaml;

	if (!yaml) {
		assert_int_equal(declared_from_builtin(cases[i].driver, &driver, NULL), 0);
		return driver;
	}
	assert_int_equal(config_driver_parse(yaml, strlen(yaml), "test", &config, NULL), 0);
	assert_int_equal(declared_from_config(&config, &driver, NULL), 0);
	return driver;
}

static void scan(const struct driver *driver, const struct host *host, struct device_list *list,
		 size_t n)
{
	struct error err = { 0 };

	device_list_done(list);
	if (driver->scan(driver, host, list, &err) < 0)
		fail_msg("%s: %s", driver->name, err.msg);
	assert_int_equal(list->n, n);
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

static void check_renumbering(const struct node *node, size_t i, const struct host *host,
			      const struct device *before)
{
	_cleanup_device_list_ struct device_list list = { 0 };

	run(node, command_renumber, cases[i].family, "9");
	if (!cases[i].numbered)
		return;
	assert_true(probe(host, before) < 0);
	scan(before->driver, host, &list, 2);
	assert_int_equal(list.devices[1]->index, 9);
	assert_string_equal(list.devices[1]->bdf, before->bdf);
	assert_string_equal(list.devices[1]->serial, before->serial);
}

static void check_family(const struct node *node, size_t i)
{
	_cleanup_(declared_driver_freep) struct driver *driver = make_driver(i);
	_cleanup_device_list_ struct device_list before = { 0 };
	_cleanup_device_list_ struct device_list list = { 0 };
	struct host host;
	char description[32];

	(void)snprintf(description, sizeof(description), "%s x2", cases[i].family);
	node_create(node, description);
	assert_int_equal(host_open(&host, node->dir, NULL), 0);
	scan(driver, &host, &before, 2);
	assert_string_equal(before.devices[0]->name, cases[i].name);
	assert_string_equal(before.devices[0]->bdf, "0000:19:00.0");
	assert_string_equal(before.devices[0]->fault, cases[i].fault);
	assert_int_equal(before.devices[0]->n_nodes, cases[i].n_nodes);
	assert_int_equal(probe(&host, before.devices[0]), 0);
	run(node, command_fail, cases[i].family, NULL);
	assert_true(probe(&host, before.devices[0]) < 0);
	assert_int_equal(probe(&host, before.devices[1]), 0);
	scan(driver, &host, &list, 1);
	run(node, command_recover, cases[i].family, NULL);
	assert_int_equal(probe(&host, before.devices[0]), 0);
	scan(driver, &host, &list, 2);
	check_renumbering(node, i, &host, before.devices[0]);
	run(node, command_unplug, cases[i].family, NULL);
	scan(driver, &host, &list, 1);
	assert_string_equal(list.devices[0]->fault, cases[i].fault);
	run(node, command_fail, cases[i].family, NULL);
	run(node, command_plug, cases[i].family, NULL);
	scan(driver, &host, &list, 1);
	run(node, command_recover, cases[i].family, NULL);
	scan(driver, &host, &list, 2);
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

/* The last card of those that share files takes the files along. */
static void test_shared_files(void **state)
{
	const struct node *node = *state;
	struct request second = { .dir = node->dir, .args = { "rdu1" } };

	node_create(node, "rdu x2");
	run(node, command_unplug, "rdu", NULL);
	assert_true(node_exists(node, "dev/rdu"));
	assert_int_equal(command_unplug(&second, NULL), 0);
	assert_false(node_exists(node, "dev/rdu"));
	assert_false(node_exists(node, "dev/rdu_mem_map"));
	run(node, command_plug, "rdu", NULL);
	assert_true(node_exists(node, "dev/rdu_mem_map"));
}

/* No description takes the cards of another. */
static void test_together(void **state)
{
	const struct node *node = *state;
	struct host host;

	node_create(node, "ipu x1, lpu x1, rdu x1, sapeon x1, tsp x1, rngd x1");
	assert_int_equal(host_open(&host, node->dir, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(declared_driver_freep) struct driver *driver = make_driver(i);
		_cleanup_device_list_ struct device_list list = { 0 };

		scan(driver, &host, &list, 1);
	}
	host_close(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_families, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_shared_files, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_together, node_setup, node_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
