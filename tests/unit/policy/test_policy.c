/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "policy/policy.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/policy/drivers.h"

#define TEXT_MAX 4096

#define DEVICES "resources:\n- name: a.b/c\n  devices: "

/* Descriptions that Silica brings along can be named as well. */
#define BUILTINS ", graphcore, groq, hyperaccel, sambanova, sapeon"

static void drivers_are_on_unless_they_are_told(_unused_ void **state)
{
	static const struct {
		const char *config;
		const char *drivers;
	} cases[] = {
		{ "", "north south" },
		{ "drivers: {enable: [west]}\n", "north south west" },
		{ "drivers: {enable: [west, north]}\n", "north south west" },
		{ "drivers: {disable: [south]}\n", "north" },
		{ "drivers: {disable: [west, south, north]}\n", "" },
		{ "drivers: {enable: [west], disable: [north]}\n", "south west" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(policy_freep) struct policy *policy = NULL;
		_cleanup_strbuf_ struct strbuf names = STRBUF_INIT(TEXT_MAX);
		const struct driver *const *drivers;
		size_t n;

		assert_int_equal(drivers_policy(cases[i].config, NULL, &policy, NULL), 0);
		drivers = policy_drivers(policy, &n);
		for (size_t j = 0; j < n; j++)
			strbuf_printf(&names, "%s%s", j > 0 ? " " : "", drivers[j]->name);
		assert_string_equal(strbuf_str(&names), cases[i].drivers);
	}
}

static void names_of_drivers_are_checked(_unused_ void **state)
{
	static const struct {
		const char *config;
		const char *text; /* NULL: it is accepted */
	} cases[] = {
		{ "drivers: {enable: [east]}\n",
		  "f:2:20: drivers.enable: there is no driver 'east'; there "
		  "are: north, south, west" BUILTINS },
		{ "drivers: {disable: [north, east]}\n",
		  "f:2:28: drivers.disable: there is no driver 'east'; there are: north, south, "
		  "west" BUILTINS },
		{ DEVICES "{vendor: east}\n", "f:4:21: a.b/c: there is no driver 'east'; there "
					      "are: north, south, west" BUILTINS },
		{ DEVICES "{vendor: [north, west]}\n",
		  "f:4:29: a.b/c: driver 'west' is off; add it to 'drivers.enable'" },
		{ DEVICES "{vendor: south}\ndrivers: {disable: [south]}\n",
		  "f:4:21: a.b/c: driver 'south' is off; take it out of 'drivers.disable'" },
		{ DEVICES "{vendor: west}\ndrivers: {disable: [west]}\n",
		  "f:4:21: a.b/c: driver 'west' is off; take it out of 'drivers.disable'" },
		{ DEVICES "{vendor: north}\nexclude:\n- vendor: east\n",
		  "f:6:11: exclude: there is no driver 'east'; there are: north, south, "
		  "west" BUILTINS },
		/* Another node does not make it right. */
		{ DEVICES "{vendor: east}\n  nodes: {names: [elsewhere]}\n",
		  "f:4:21: a.b/c: there is no driver 'east'; there are: north, south, "
		  "west" BUILTINS },
		{ DEVICES "{vendor: nort}\n",
		  "f:4:21: a.b/c: there is no driver 'nort', did you mean 'north'; there are: "
		  "north, south, west" BUILTINS },
		{ DEVICES "{vendor: west}\ndrivers: {enable: [west]}\n", NULL },
		/* A pattern names none. */
		{ DEVICES "{vendor: [\"*\", \"eas?\"]}\n", NULL },
		/* The built-in resources name vendors of all the world. */
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(policy_freep) struct policy *policy = NULL;
		struct error err = { 0 };
		int r = drivers_policy(cases[i].config, NULL, &policy, &err);

		assert_int_equal(r, cases[i].text ? -EINVAL : 0);
		assert_string_equal(err.msg, cases[i].text ? cases[i].text : "");
	}
}

static void limits_are_those_of_the_configuration(_unused_ void **state)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct inventory_policy limits;

	assert_int_equal(drivers_policy("health: {unhealthyAfter: 3, healthyAfter: 5, "
					"forgetAfter: 7s}\n",
					NULL, &policy, NULL),
			 0);
	limits = policy_inventory(policy);
	assert_int_equal(limits.health.unhealthy_after, 3);
	assert_int_equal(limits.health.healthy_after, 5);
	assert_int_equal(limits.forget_after_ms, 7000);
	assert_int_equal(policy_config(policy)->health.forget_after_ms, 7000);
}

static void survives_no_memory(_unused_ void **state)
{
	static const char text[] = "version: v1\nresources:\n- name: a.b/c\n"
				   "  devices: {vendor: north, product: [x, y]}\n"
				   "exclude:\n- uuid: z\n";
	static const struct policy_node node = { .name = "" };
	size_t n_failed = 1, n_tries;

	for (n_tries = 0; n_failed > 0; n_tries++) {
		_cleanup_(policy_freep) struct policy *policy = NULL;
		struct config config;
		int r;

		assert_int_equal(config_parse(text, strlen(text), "f", &config, NULL), 0);
		memory_fail_after(n_tries);
		r = policy_new(&config, &node, &policy, NULL);
		n_failed = memory_restore();
		assert_int_equal(r, n_failed > 0 ? -ENOMEM : 0);
		assert_null(config.resources);
	}
	assert_true(n_tries > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_are_on_unless_they_are_told),
		cmocka_unit_test(names_of_drivers_are_checked),
		cmocka_unit_test(limits_are_those_of_the_configuration),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
