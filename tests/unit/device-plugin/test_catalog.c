/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which resources there are after which offers.  The ends of resources are seen
 * by wrappers around the functions that the catalog calls.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/offering.h"

#define EVENTS_MAX 1024

void __real_resource_withdraw(struct resource *resource);
void __real_resource_stop(struct resource *resource);
void __real_resource_free(struct resource *resource);
void __wrap_resource_withdraw(struct resource *resource);
void __wrap_resource_stop(struct resource *resource);
void __wrap_resource_free(struct resource *resource);

static struct strbuf events; /* as in "withdraw a.b/c;stop a.b/c;" */

static void note(const char *event, const struct resource *resource)
{
	strbuf_printf(&events, "%s %s;", event, resource_name(resource));
}

void __wrap_resource_withdraw(struct resource *resource)
{
	note("withdraw", resource);
	__real_resource_withdraw(resource);
}

void __wrap_resource_stop(struct resource *resource)
{
	note("stop", resource);
	__real_resource_stop(resource);
}

void __wrap_resource_free(struct resource *resource)
{
	if (resource)
		note("free", resource);
	__real_resource_free(resource);
}

static int setup(void **state)
{
	events = STRBUF_INIT(EVENTS_MAX);
	return offering_setup(state);
}

static int teardown(void **state)
{
	int r = offering_teardown(state);

	strbuf_done(&events);
	return r;
}

typedef char socket_paths[OFFERING_SOCKETS_MAX][OFFERING_NAME_MAX];

/* Compares the names of the resources, with spaces between them. */
static void assert_resources(const struct offering *offering, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(EVENTS_MAX);

	for (size_t i = 0; i < catalog_count(offering->catalog); i++)
		strbuf_printf(&text, "%s%s", i > 0 ? " " : "",
			      resource_name(catalog_get(offering->catalog, i)));
	assert_string_equal(strbuf_str(&text), expected);
}

static size_t count_units(const struct offering *offering, size_t i)
{
	_cleanup_(unit_set_unrefp) struct unit_set *units =
		resource_units(catalog_get(offering->catalog, i));

	return units ? units->n_units : 0;
}

static bool is_freed(void *ctx)
{
	const struct offering *offering = ctx;

	catalog_check(offering->catalog);
	return strstr(strbuf_str(&events), "free ") != NULL;
}

static void what_stays_keeps_its_sockets(void **state)
{
	struct offering *offering = *state;
	socket_paths before, after;

	assert_resources(offering, "");
	offering_apply(offering, "a.b/x a.b/y", NULL);
	assert_resources(offering, "a.b/x a.b/y");
	assert_int_equal(count_units(offering, 0), 3);
	assert_int_equal(offering_sockets(offering, before), 2);
	offering_apply(offering, "a.b/x a.b/y", NULL);
	catalog_check(offering->catalog);
	assert_resources(offering, "a.b/x a.b/y");
	assert_int_equal(offering_sockets(offering, after), 2);
	assert_memory_equal(before[0], after[0], strlen(before[0]) + 1);
	assert_memory_equal(before[1], after[1], strlen(before[1]) + 1);
	assert_string_equal(strbuf_str(&events), "");
}

static void the_order_is_that_of_the_offer(void **state)
{
	static const char *const offers[] = {
		"a.b/x a.b/y a.b/z", "a.b/z a.b/x a.b/y", "a.b/y a.b/z", "a.b/w a.b/z a.b/x", "",
		"a.b/y a.b/w",
	};
	struct offering *offering = *state;

	for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
		offering_apply(offering, offers[i], NULL);
		assert_resources(offering, offers[i]);
	}
}

static void what_goes_is_withdrawn_stopped_and_freed(void **state)
{
	struct offering *offering = *state;
	socket_paths before, after;

	offering_apply(offering, "a.b/x a.b/y", NULL);
	assert_int_equal(offering_sockets(offering, before), 2);
	offering_apply(offering, "a.b/y", NULL);
	assert_resources(offering, "a.b/y");
	/* The kubelet hears of an empty list first, so the socket is still there. */
	assert_string_equal(strbuf_str(&events), "withdraw a.b/x;");
	assert_int_equal(offering_sockets(offering, after), 2);
	offering_apply(offering, "a.b/y", NULL);
	assert_string_equal(strbuf_str(&events), "withdraw a.b/x;");
	catalog_check(offering->catalog);
	assert_string_equal(strbuf_str(&events), "withdraw a.b/x;stop a.b/x;");
	offering_await(offering, is_freed, offering);
	assert_string_equal(strbuf_str(&events), "withdraw a.b/x;stop a.b/x;free a.b/x;");
	assert_int_equal(offering_sockets(offering, after), 1);
	assert_string_equal(after[0], before[1]);
	assert_resources(offering, "a.b/y");
}

static void what_comes_back_in_time_goes_on(void **state)
{
	struct offering *offering = *state;
	socket_paths before, after;

	offering_apply(offering, "a.b/x", NULL);
	assert_int_equal(offering_sockets(offering, before), 1);
	offering_apply(offering, "", NULL);
	offering_apply(offering, "a.b/x", NULL);
	for (size_t i = 0; i < 3; i++)
		catalog_check(offering->catalog);
	assert_resources(offering, "a.b/x");
	assert_int_equal(count_units(offering, 0), 3);
	assert_string_equal(strbuf_str(&events), "withdraw a.b/x;");
	assert_int_equal(offering_sockets(offering, after), 1);
	assert_string_equal(after[0], before[0]);
}

static void what_comes_back_too_late_begins_anew(void **state)
{
	struct offering *offering = *state;
	socket_paths before, after;

	offering_apply(offering, "a.b/x", NULL);
	assert_int_equal(offering_sockets(offering, before), 1);
	offering_apply(offering, "", NULL);
	catalog_check(offering->catalog);
	offering_apply(offering, "a.b/x", NULL);
	assert_resources(offering, "a.b/x");
	offering_await(offering, is_freed, offering);
	assert_string_equal(strbuf_str(&events), "withdraw a.b/x;stop a.b/x;free a.b/x;");
	assert_resources(offering, "a.b/x");
	assert_int_equal(offering_sockets(offering, after), 1);
	assert_string_not_equal(after[0], before[0]);
}

static bool has_socket(void *ctx)
{
	socket_paths paths;

	return offering_sockets(ctx, paths) == 1;
}

static void sockets_that_are_removed_are_made_again(void **state)
{
	struct offering *offering = *state;
	socket_paths before, after;

	offering_apply(offering, "a.b/x", NULL);
	assert_int_equal(offering_sockets(offering, before), 1);
	assert_int_equal(unlink(before[0]), 0);
	catalog_dir_event(offering->catalog, LIFECYCLE_CLASSIC, strrchr(before[0], '/') + 1,
			  IN_DELETE);
	assert_int_equal(offering_sockets(offering, after), 0);
	catalog_dir_event(offering->catalog, LIFECYCLE_WATCHER, strrchr(before[0], '/') + 1,
			  IN_DELETE);
	offering_await(offering, has_socket, offering);
	assert_int_equal(offering_sockets(offering, after), 1);
	assert_string_not_equal(after[0], before[0]);
}

/* As at the end of the program, with resources in every stage. */
static void all_are_stopped_once(void **state)
{
	struct offering *offering = *state;

	offering_apply(offering, "a.b/x a.b/y a.b/z", NULL);
	offering_apply(offering, "a.b/y a.b/z", NULL);
	catalog_check(offering->catalog);
	offering_apply(offering, "a.b/z", NULL);
	strbuf_clear(&events);
	catalog_stop(offering->catalog);
	assert_non_null(strstr(strbuf_str(&events), "stop a.b/y;"));
	assert_non_null(strstr(strbuf_str(&events), "stop a.b/z;"));
	assert_null(strstr(strbuf_str(&events), "stop a.b/x;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_stays_keeps_its_sockets, setup, teardown),
		cmocka_unit_test_setup_teardown(the_order_is_that_of_the_offer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_goes_is_withdrawn_stopped_and_freed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_comes_back_in_time_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(what_comes_back_too_late_begins_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sockets_that_are_removed_are_made_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(all_are_stopped_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
