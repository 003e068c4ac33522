/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events come from umockdev's test bed, which needs its preload library: ctest
 * sets LD_PRELOAD.  Without it the tests that need events are skipped.
 *
 * Source: umockdev's umockdev-testbed reference; its header is not needed for
 * the functions used here
 */
#include "drivers/udev.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#define EVENT_WAIT_MS 10000 /* only ever waited out by a test that fails */

static const char *const subsystems[] = { "rngd_mgmt", "npu_mgmt", NULL };
static const char *const same_subsystems[] = { "rngd_mgmt", NULL };
static const struct driver some_driver = { .name = "some", .subsystems = subsystems };
static const struct driver same_driver = { .name = "same", .subsystems = same_subsystems };
static const struct driver *const drivers[] = { &some_driver, &same_driver };

struct testbed {
	void *bed;
	char *(*add_device)(void *bed, const char *subsystem, const char *name, const char *parent,
			    ...);
	void (*unref)(void *bed);
	void (*free)(void *text);
};

/* dlsym() gives functions as objects; their bytes are what both have in common. */
static void find_function(void *library, const char *name, void *ret)
{
	void *symbol = dlsym(library, name);

	assert_non_null(symbol);
	memcpy(ret, &symbol, sizeof(symbol));
}

/* Whether there is a test bed; it redirects libudev for this process. */
static bool testbed_open(struct testbed *testbed)
{
	void *preloaded = dlopen("libumockdev-preload.so.0", RTLD_NOW | RTLD_NOLOAD);
	void *library = preloaded ? dlopen("libumockdev.so.0", RTLD_NOW) : NULL;
	void *(*new)(void) = NULL;

	if (!library)
		return false;
	find_function(library, "umockdev_testbed_new", &new);
	find_function(library, "umockdev_testbed_add_device", &testbed->add_device);
	find_function(library, "g_object_unref", &testbed->unref);
	find_function(library, "g_free", &testbed->free);
	testbed->bed = new ();
	return testbed->bed != NULL;
}

/* Adds a device, of which the test bed sends an event. */
static void hotplug(const struct testbed *testbed, const char *subsystem, const char *name)
{
	char *path = testbed->add_device(testbed->bed, subsystem, name, NULL, NULL, NULL);

	assert_non_null(path);
	testbed->free(path);
}

static bool wait_for_event(const struct udev_watch *watch)
{
	struct pollfd pollfd = { .fd = udev_watch_fd(watch), .events = POLLIN };

	return poll(&pollfd, 1, EVENT_WAIT_MS) == 1;
}

static void test_quiet(void **state)
{
	_cleanup_(udev_watch_freep) struct udev_watch *watch = NULL;
	struct error err = { 0 };
	int r = udev_watch_new(drivers, ARRAY_SIZE(drivers), &watch, &err);

	(void)state;
	if (r < 0)
		fail_msg("%s", error_text(&err, r));
	assert_true(udev_watch_fd(watch) >= 0);
	assert_false(udev_watch_drain(watch)); /* and does not wait */
}

static void test_free_nothing(void **state)
{
	(void)state;
	udev_watch_free(NULL);
}

static void test_events(void **state)
{
	_cleanup_(udev_watch_freep) struct udev_watch *watch = NULL;
	struct testbed testbed;

	(void)state;
	if (!testbed_open(&testbed)) {
		print_message("umockdev is not preloaded\n");
		skip();
		return; /* skip() does not say that it never returns */
	}
	assert_int_equal(udev_watch_new(drivers, ARRAY_SIZE(drivers), &watch, NULL), 0);
	assert_false(udev_watch_drain(watch));

	hotplug(&testbed, "rngd_mgmt", "rngd!npu0mgmt");
	assert_true(wait_for_event(watch));
	assert_true(udev_watch_drain(watch));
	assert_false(udev_watch_drain(watch));

	hotplug(&testbed, "npu_mgmt", "npu0_mgmt");
	assert_true(wait_for_event(watch));
	assert_true(udev_watch_drain(watch));

	/* Somebody else's device, and a burst with one of ours at its end. */
	hotplug(&testbed, "net", "eth0");
	assert_false(udev_watch_drain(watch));
	for (int i = 1; i < 6; i++) { /* the test bed's queue holds ten */
		char name[16];

		(void)snprintf(name, sizeof(name), "eth%d", i);
		hotplug(&testbed, "net", name);
	}
	hotplug(&testbed, "rngd_mgmt", "rngd!npu1mgmt");
	assert_true(wait_for_event(watch));
	assert_true(udev_watch_drain(watch));
	assert_false(udev_watch_drain(watch));
	testbed.unref(testbed.bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_free_nothing),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
