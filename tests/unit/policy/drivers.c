/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy/drivers.h"

#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#define CONFIG_MAX 8192

const struct driver *const *__wrap_driver_registry(size_t *ret_n);
const struct driver *__wrap_driver_find(const char *name);

const struct driver drivers_north = { .name = "north", .vendor = "North" };
const struct driver drivers_south = { .name = "south", .vendor = "South" };
const struct driver drivers_west = { .name = "west", .vendor = "West", .opt_in = true };

static const struct driver *const drivers[] = { &drivers_north, &drivers_south, &drivers_west };

const struct driver *const *__wrap_driver_registry(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(drivers);
	return drivers;
}

const struct driver *__wrap_driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return drivers[i];
	return NULL;
}

int drivers_policy(const char *text, const struct policy_node *node, struct policy **ret,
		   struct error *err)
{
	static const struct policy_node nowhere = { .name = "" };
	char whole[CONFIG_MAX];
	struct config config;
	struct error parse_err = { 0 };
	int len = snprintf(whole, sizeof(whole), "version: v1\n%s", text);
	int r;

	assert_true(len > 0 && (size_t)len < sizeof(whole));
	if (config_parse(whole, (size_t)len, "f", &config, &parse_err) < 0)
		fail_msg("%s", parse_err.msg);
	r = policy_new(&config, node ? node : &nowhere, ret, err);
	/* It was taken over, whatever became of it. */
	assert_null(config.resources);
	assert_int_equal(config.n_resources, 0);
	return r;
}
