/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/device.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"

static const struct driver some_driver = { .name = "some" };
static const struct driver other_driver = { .name = "other" };
static const struct device_partition some_partitions[] = {
	{ "", "half", { 0, 0 }, 1 },
	{ "", "half", { 1, 1 }, 1 },
};

static const struct device_node some_nodes[] = {
	{ .path = "/dev/some0", .shared = true },
	{ .path = "/dev/some0pe0", .cores = { 0, 0 } },
	{ .path = "/dev/some0pe0-1", .cores = { 0, 1 } },
};

static const struct device_fact some_facts[] = { { "a", "1" }, { "b", "" } };

static struct device *some_device(void)
{
	struct device *device = device_new(&some_driver);

	assert_non_null(device);
	device->architecture = "some";
	device->partitions = some_partitions;
	device->n_partitions = ARRAY_SIZE(some_partitions);
	device->core_ranges[0] = (struct core_range) { 0, 0 };
	device->core_ranges[1] = (struct core_range) { 0, 1 };
	device->n_core_ranges = 2;
	assert_int_equal(device_set_nodes(device, some_nodes, ARRAY_SIZE(some_nodes)), 0);
	assert_int_equal(device_set_facts(device, some_facts, ARRAY_SIZE(some_facts)), 0);
	return device;
}

static void test_new(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);

	(void)state;
	assert_ptr_equal(device->driver, &some_driver);
	assert_int_equal(device->refs, 1);
	assert_int_equal(device->numa_node, DEVICE_NUMA_UNKNOWN);
	assert_string_equal(device->architecture, "");
	assert_int_equal(device->n_partitions, 0);
	assert_int_equal(device->index, DEVICE_INDEX_UNKNOWN);
	assert_int_equal(device->n_nodes, 0);
	memory_fail_after(0);
	assert_null(device_new(&some_driver));
	(void)memory_restore();
}

static void test_references(void **state)
{
	struct device *device = some_device();

	(void)state;
	assert_ptr_equal(device_ref(device), device);
	assert_int_equal(device->refs, 2);
	errno = EPERM;
	device_unref(device);
	assert_int_equal(device->refs, 1);
	device_unref(device); /* the address sanitizer sees a second release or a leak */
	device_unref(NULL);
	assert_int_equal(errno, EPERM);
}

static void *share_often(void *ctx)
{
	const struct device *device = ctx;

	for (int i = 0; i < 10000; i++)
		device_unref(device_ref(device));
	return NULL;
}

static void test_references_of_threads(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = some_device();
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, share_often, device), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(device->refs, 1);
}

static void test_nodes(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = some_device();

	(void)state;
	assert_int_equal(device->n_nodes, ARRAY_SIZE(some_nodes));
	for (size_t i = 0; i < ARRAY_SIZE(some_nodes); i++) {
		assert_string_equal(device->nodes[i].path, some_nodes[i].path);
		assert_ptr_not_equal(device->nodes[i].path, some_nodes[i].path);
		assert_int_equal(device->nodes[i].shared, some_nodes[i].shared);
		assert_int_equal(device->nodes[i].cores.last, some_nodes[i].cores.last);
	}
}

static void test_nodes_limits(void **state)
{
	static struct device_node many[DEVICE_NODES_MAX + 1];
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i].path = "/dev/some";
	assert_int_equal(device_set_nodes(device, many, ARRAY_SIZE(many)), -E2BIG);
	assert_int_equal(device_set_nodes(device, NULL, 0), 0);
	memory_fail_after(0);
	assert_int_equal(device_set_nodes(device, many, 1), -ENOMEM);
	(void)memory_restore();
	assert_int_equal(device->n_nodes, 0);
	assert_int_equal(device_set_nodes(device, many, DEVICE_NODES_MAX), 0);
	assert_int_equal(device->n_nodes, DEVICE_NODES_MAX);
}

static void test_label_facts(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);

	(void)state;
	assert_null(device_fact(device, "a"));
	assert_int_equal(device_set_facts(device, some_facts, ARRAY_SIZE(some_facts)), 0);
	assert_string_equal(device_fact(device, "a"), "1");
	assert_ptr_not_equal(device_fact(device, "a"), some_facts[0].value);
	assert_string_equal(device_fact(device, "b"), "");
	assert_null(device_fact(device, "c"));
	assert_null(device_fact(device, ""));
}

static void test_label_facts_limits(void **state)
{
	static const char longest[] =
		"63 characters, which is as long as the text of a fact may be ..";
	static struct device_fact many[DEVICE_FACTS_MAX + 1];
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);
	char longer[DEVICE_FACT_MAX + 1];

	(void)state;
	memset(longer, 'x', DEVICE_FACT_MAX);
	longer[DEVICE_FACT_MAX] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct device_fact) { longest, longest };
	assert_int_equal(strlen(longest), DEVICE_FACT_MAX - 1);
	assert_int_equal(device_set_facts(device, many, ARRAY_SIZE(many)), -E2BIG);
	many[0].value = longer;
	assert_int_equal(device_set_facts(device, many, 1), -E2BIG);
	many[0] = (struct device_fact) { longer, "" };
	assert_int_equal(device_set_facts(device, many, 1), -E2BIG);
	many[0].name = longest;
	assert_int_equal(device_set_facts(device, NULL, 0), 0);
	memory_fail_after(0);
	assert_int_equal(device_set_facts(device, many, 1), -ENOMEM);
	(void)memory_restore();
	assert_int_equal(device->n_facts, 0);
	assert_int_equal(device_set_facts(device, many, DEVICE_FACTS_MAX), 0);
	assert_int_equal(device->n_facts, DEVICE_FACTS_MAX);
}

static void test_fault(void **state)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(&some_driver);
	char longer[sizeof(device->fault) + 1];

	(void)state;
	device_set_fault(device, "node '%s' is missing", "pe0");
	device_set_fault(device, "another reason");
	assert_string_equal(device->fault, "node 'pe0' is missing");

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	device->fault[0] = '\0';
	device_set_fault(device, "%s", longer);
	assert_int_equal(strlen(device->fault), sizeof(device->fault) - 1);
}

/* Each changes one field. */
static void set_driver(struct device *d)
{
	d->driver = &other_driver;
}

static void set_numa_node(struct device *d)
{
	d->numa_node = 1;
}

static void set_cores(struct device *d)
{
	d->cores = 3;
}

static void set_memory(struct device *d)
{
	d->memory_bytes = 1;
}

static void set_partitions(struct device *d)
{
	d->n_partitions = 1;
}

static void set_name(struct device *d)
{
	d->name[0] = 'x';
}

static void set_sysfs_path(struct device *d)
{
	d->sysfs_path[0] = 'x';
}

static void set_bdf(struct device *d)
{
	d->bdf[0] = 'x';
}

static void set_uuid(struct device *d)
{
	d->uuid[0] = 'x';
}

static void set_serial(struct device *d)
{
	d->serial[0] = 'x';
}

static void set_architecture(struct device *d)
{
	d->architecture = "x";
}

static void set_product(struct device *d)
{
	d->product[0] = 'x';
}

static void set_driver_version(struct device *d)
{
	d->driver_version[0] = 'x';
}

static void set_firmware_version(struct device *d)
{
	d->firmware_version[0] = 'x';
}

static void set_fault(struct device *d)
{
	d->fault[0] = 'x';
}

static void set_pci_vendor(struct device *d)
{
	d->pci.vendor = 1;
}

static void set_pci_device(struct device *d)
{
	d->pci.device = 1;
}

static void set_pci_subsystem_vendor(struct device *d)
{
	d->pci.subsystem_vendor = 1;
}

static void set_pci_subsystem_device(struct device *d)
{
	d->pci.subsystem_device = 1;
}

static void set_pci_class(struct device *d)
{
	d->pci.class = 1;
}

static void set_pci_path(struct device *d)
{
	d->pci.path[0] = 'x';
}

static void set_core_range(struct device *d)
{
	d->core_ranges[1].last = 0;
}

static void set_n_core_ranges(struct device *d)
{
	d->n_core_ranges = 1;
}

static void set_n_nodes(struct device *d)
{
	d->n_nodes--;
}

/* Replaces the nodes by ones of which the last differs. */
static void replace_nodes(struct device *d, struct device_node last)
{
	struct device_node nodes[ARRAY_SIZE(some_nodes)];
	void *old; /* without the const */

	memcpy(nodes, some_nodes, sizeof(nodes));
	nodes[ARRAY_SIZE(nodes) - 1] = last;
	memcpy(&old, &d->nodes, sizeof(old));
	free(old);
	assert_int_equal(device_set_nodes(d, nodes, ARRAY_SIZE(nodes)), 0);
}

static void set_node_path(struct device *d)
{
	replace_nodes(d, (struct device_node) { .path = "/dev/x", .cores = { 0, 1 } });
}

static void set_node_shared(struct device *d)
{
	replace_nodes(d, (struct device_node) {
				 .path = "/dev/some0pe0-1", .shared = true, .cores = { 0, 1 } });
}

static void set_node_cores(struct device *d)
{
	replace_nodes(d, (struct device_node) { .path = "/dev/some0pe0-1", .cores = { 1, 1 } });
}

/* Replaces the facts by ones of which the last differs. */
static void replace_facts(struct device *d, struct device_fact last)
{
	const struct device_fact facts[] = { some_facts[0], last };
	void *old; /* without the const */

	memcpy(&old, &d->facts, sizeof(old));
	free(old);
	assert_int_equal(device_set_facts(d, facts, ARRAY_SIZE(facts)), 0);
}

static void set_fact_name(struct device *d)
{
	replace_facts(d, (struct device_fact) { "c", "" });
}

static void set_fact_value(struct device *d)
{
	replace_facts(d, (struct device_fact) { "b", "2" });
}

static void set_n_facts(struct device *d)
{
	d->n_facts--;
}

static void test_equal(void **state)
{
	static void (*const setters[])(struct device *) = {
		set_driver,
		set_numa_node,
		set_cores,
		set_memory,
		set_partitions,
		set_name,
		set_sysfs_path,
		set_bdf,
		set_uuid,
		set_serial,
		set_architecture,
		set_product,
		set_driver_version,
		set_firmware_version,
		set_fault,
		set_pci_vendor,
		set_pci_device,
		set_pci_subsystem_vendor,
		set_pci_subsystem_device,
		set_pci_class,
		set_pci_path,
		set_core_range,
		set_n_core_ranges,
		set_n_nodes,
		set_node_path,
		set_node_shared,
		set_node_cores,
		set_fact_name,
		set_fact_value,
		set_n_facts,
	};
	_cleanup_(device_cleanupp) struct device *a = some_device();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(setters); i++) {
		_cleanup_(device_cleanupp) struct device *b = some_device();

		b->refs = 1;
		assert_true(device_equal(a, b));
		setters[i](b);
		if (device_equal(a, b) || device_equal(b, a))
			fail_msg("setter %zu makes no difference", i);
	}
}

static void test_equal_whatever_refs(void **state)
{
	_cleanup_(device_cleanupp) struct device *a = some_device();
	_cleanup_(device_cleanupp) struct device *b = some_device();

	(void)state;
	(void)device_ref(b);
	assert_true(device_equal(a, b));
	device_unref(b);
}

static void test_core_range(void **state)
{
	static const struct {
		struct core_range range;
		bool expected;
	} cases[] = {
		{ { 0, 0 }, true },
		{ { 0, 1 }, true },
		{ { 1, 1 }, false },
		{ { 1, 0 }, false },
	};
	_cleanup_(device_cleanupp) struct device *device = some_device();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(device_has_core_range(device, cases[i].range), cases[i].expected);
}

static void test_list(void **state)
{
	_cleanup_device_list_ struct device_list list = { 0 };
	_cleanup_(device_cleanupp) struct device *refused = some_device();

	(void)state;
	memory_fail_after(0);
	assert_int_equal(device_list_add(&list, refused), -ENOMEM);
	(void)memory_restore();
	assert_int_equal(list.n, 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(device_list_add(&list, some_device()), 0);
	assert_int_equal(list.n, 100);
	device_list_done(&list);
	assert_int_equal(list.n, 0);
	assert_null(list.devices);
}

static void test_list_limit(void **state)
{
	_cleanup_device_list_ struct device_list list = { 0 };
	struct device *device = device_new(&some_driver);

	(void)state;
	for (size_t i = 0; i < DEVICES_MAX; i++) {
		(void)device_ref(device);
		assert_int_equal(device_list_add(&list, device), 0);
	}
	assert_int_equal(device_list_add(&list, device), -E2BIG);
	assert_int_equal(list.n, DEVICES_MAX);
	device_unref(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_references_of_threads),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_nodes_limits),
		cmocka_unit_test(test_label_facts),
		cmocka_unit_test(test_label_facts_limits),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_equal_whatever_refs),
		cmocka_unit_test(test_core_range),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
