/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device-plugin/rules.h"
#include "tests/test.h"

static void the_default_configuration_offers_furiosa_cards_whole(_unused_ void **state)
{
	struct config config = { 0 };
	struct unit_rule *rules;
	size_t n;

	assert_int_equal(config_default(&config, NULL), 0);
	assert_int_equal(rules_new(&config, &rules, &n, NULL), 0);
	assert_true(config.n_resources > n);
	assert_int_equal(n, 1);
	assert_string_equal(rules[0].resource, "furiosa.ai/npu");
	assert_string_equal(rules[0].vendor, "furiosa");
	assert_null(rules[0].product);
	assert_int_equal(rules[0].kind, UNIT_WHOLE);
	free(rules);
	config_done(&config);
}

static void every_resource_becomes_a_rule(_unused_ void **state)
{
	static const char text[] = "version: v1\n"
				   "resources:\n"
				   "- name: furiosa.ai/rngd-2core.12gb\n"
				   "  devices: {vendor: furiosa, product: rngd}\n"
				   "  unit: partition\n"
				   "  cores: 2\n"
				   "- name: furiosa.ai/rest\n";
	struct config config = { 0 };
	struct unit_rule *rules;
	size_t n;

	assert_int_equal(config_parse(text, strlen(text), "test", &config, NULL), 0);
	assert_int_equal(rules_new(&config, &rules, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(rules[0].product, "rngd");
	assert_int_equal(rules[0].kind, UNIT_PARTITION);
	assert_int_equal(rules[0].cores, 2);
	assert_string_equal(rules[1].resource, "furiosa.ai/rest");
	assert_null(rules[1].vendor);
	free(rules);
	config_done(&config);
}

static void a_vendor_without_driver_is_refused(_unused_ void **state)
{
	static const char text[] = "version: v1\n"
				   "resources:\n"
				   "- name: acme.io/npu\n"
				   "  devices: {vendor: acme}\n";
	struct config config = { 0 };
	struct unit_rule *rules = NULL;
	size_t n = 0;
	struct error err = { 0 };

	assert_int_equal(config_parse(text, strlen(text), "test", &config, NULL), 0);
	assert_int_equal(rules_new(&config, &rules, &n, &err), -EINVAL);
	assert_null(rules);
	assert_non_null(strstr(err.msg, "resource 'acme.io/npu': there is no driver for vendor "
					"'acme'; there is one for: furiosa"));
	config_done(&config);
}

static void what_a_rule_cannot_say_is_refused(_unused_ void **state)
{
	static const char *const resources[] = {
		"{name: 'a/{product}'}",
		"{name: a/b, devices: {vendor: [furiosa, amd]}}",
		"{name: a/b, devices: {product: 'rngd*'}}",
		"{name: a/b, devices: {uuid: x}}",
		"{name: a/b, nodes: {names: n}}",
		"{name: a/b, unit: share, shares: 2}",
		"{name: a/b, unit: partition}",
		"{name: a/b, overlap: true}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		_cleanup_config_ struct config config = { 0 };
		struct unit_rule *rules = NULL;
		struct error err = { 0 };
		char text[128];
		size_t n;

		(void)snprintf(text, sizeof(text), "{version: v1, resources: [%s]}", resources[i]);
		assert_int_equal(config_parse(text, strlen(text), "test", &config, NULL), 0);
		assert_int_equal(rules_new(&config, &rules, &n, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "cannot be offered"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_configuration_offers_furiosa_cards_whole),
		cmocka_unit_test(every_resource_becomes_a_rule),
		cmocka_unit_test(what_a_rule_cannot_say_is_refused),
		cmocka_unit_test(a_vendor_without_driver_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
