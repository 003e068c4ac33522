/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A want of descriptors or memory in the middle of a scan, of each card by its
 * driver: the scan fails, or finds all there is; it never finds a card that lacks
 * its identity.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "drivers/sysfs.h"
#include "tests/hostile/every_driver.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/sim/node.h"

#define DESCRIPTORS_MAX 32 /* more than a scan has open at one time */
#define ALLOCATIONS_MAX 5000

static const char *const families[] = {
	"aic", "atom", "edgetpu", "flex170", "gaudi2", "ipu",	   "lpu",    "mi300x-cpx",
	"npu", "rdu",  "rngd",	  "sapeon",  "tsp",    "trainium", "warboy", "wormhole",
};

/* Scans as @driver does, and demands all or nothing. */
static int scan_short(const struct driver *driver, const struct host *host,
		      const struct device_list *whole, rlim_t n_descriptors, size_t n_allocations)
{
	_cleanup_device_list_ struct device_list list = { 0 };
	struct error err = { 0 };
	struct rlimit before, few;
	int r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit) { MIN(n_descriptors, before.rlim_max), before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	memory_fail_after(n_allocations);
	r = driver->scan(driver, host, &list, &err);
	(void)memory_restore();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (r < 0) {
		assert_true(sysfs_is_shortage(r));
		assert_int_equal(err.code, -r);
		assert_true(err.msg[0] != '\0');
		return r;
	}
	assert_int_equal(list.n, whole->n);
	for (size_t i = 0; i < list.n; i++)
		assert_true(device_equal(list.devices[i], whole->devices[i]));
	return 0;
}

static void check_descriptors(const struct driver *driver, const struct host *host,
			      const struct device_list *whole)
{
	int lowest = dup(host->root_fd); /* the first one that a scan gets */
	int n_failed = 0;

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	for (rlim_t n = 0; n < DESCRIPTORS_MAX; n++)
		n_failed += scan_short(driver, host, whole, (rlim_t)lowest + n, SIZE_MAX) < 0;
	assert_in_range(n_failed, 1, DESCRIPTORS_MAX - 1);
}

static void check_memory(const struct driver *driver, const struct host *host,
			 const struct device_list *whole)
{
	size_t n = 0;

	while (n < ALLOCATIONS_MAX && scan_short(driver, host, whole, RLIM_INFINITY, n) < 0)
		n++;
	assert_in_range(n, 1, ALLOCATIONS_MAX - 1);
}

/* A probe that lacks a descriptor says so, or what is true. */
static void check_probe(const struct host *host, const struct device *device)
{
	int lowest = dup(host->root_fd);
	struct rlimit before, few;
	int expected = device->driver->probe(host, device, NULL);

	assert_true(lowest >= 0);
	assert_int_equal(close(lowest), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t n = 0; n < 8; n++) {
		struct error err = { 0 };
		int r;

		few = (struct rlimit) { (rlim_t)lowest + n, before.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		r = device->driver->probe(host, device, &err);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (r != expected && !sysfs_is_shortage(r))
			fail_msg("'%s' with %d descriptors: %s", device->name, (int)n, err.msg);
	}
}

static const struct driver *find_driver(const struct every_driver *every, const struct host *host,
					struct device_list *ret)
{
	for (size_t i = 0; i < every->n; i++) {
		assert_int_equal(every->drivers[i]->scan(every->drivers[i], host, ret, NULL), 0);
		if (ret->n > 0)
			return every->drivers[i];
	}
	return NULL;
}

static void check_family(const struct node *node, const char *family)
{
	_cleanup_every_driver_ struct every_driver every = { 0 };
	_cleanup_device_list_ struct device_list whole = { 0 };
	const struct driver *driver;
	struct host host;
	char text[32];

	(void)snprintf(text, sizeof(text), "%s x2", family);
	node_create(node, text);
	assert_int_equal(every_driver_init(&every, NULL), 0);
	assert_int_equal(host_open(&host, node->dir, NULL), 0);
	driver = find_driver(&every, &host, &whole);
	assert_non_null(driver);
	check_descriptors(driver, &host, &whole);
	check_memory(driver, &host, &whole);
	check_probe(&host, whole.devices[0]);
	host_close(&host);
	device_list_done(&whole);
}

static void no_card_loses_its_identity(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		check_family(*state, families[i]);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_card_loses_its_identity, node_setup,
						node_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
