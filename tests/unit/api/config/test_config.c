/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/config/config.h"
#include "api/config/config_keys.h"
#include "base/file.h"

#define V1 "version: v1\n"
#define RESOURCE V1 "resources:\n- name: furiosa.ai/npu\n" /* three lines */
#define PRINTED_MAX 65536

static int parse(const char *text, struct config *ret, struct error *err)
{
	return config_parse(text, strlen(text), "f", ret, err);
}

static void assert_default_resources(const struct config *config)
{
	static const struct {
		const char *name, *vendor;
		enum config_unit unit;
	} want[] = {
		{ "furiosa.ai/npu", "furiosa", CONFIG_UNIT_WHOLE },
		{ "nvidia.com/gpu", "nvidia", CONFIG_UNIT_WHOLE },
		{ "nvidia.com/mig-{profile}", "nvidia", CONFIG_UNIT_PARTITION },
		{ "amd.com/gpu", "amd", CONFIG_UNIT_WHOLE },
		{ "amd.com/{profile}", "amd", CONFIG_UNIT_PARTITION },
		{ "habana.ai/gaudi", "habana", CONFIG_UNIT_WHOLE },
		{ "gpu.intel.com/{architecture}", "intel", CONFIG_UNIT_WHOLE },
		{ "npu.intel.com/accel", "intel", CONFIG_UNIT_WHOLE },
		{ "rebellions.ai/{architecture}", "rebellions", CONFIG_UNIT_WHOLE },
		{ "tenstorrent.com/{product}", "tenstorrent", CONFIG_UNIT_WHOLE },
		{ "qualcomm.com/qaic", "qualcomm", CONFIG_UNIT_WHOLE },
		{ "aws.amazon.com/neuron", "neuron", CONFIG_UNIT_WHOLE },
		{ "google.com/coral", "coral", CONFIG_UNIT_WHOLE },
		{ "hyperaccel.ai/lpu", "hyperaccel", CONFIG_UNIT_WHOLE },
	};

	assert_true(config->resources_are_default);
	assert_int_equal(config->n_resources, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct config_resource *resource = &config->resources[i];

		assert_string_equal(resource->name, want[i].name);
		assert_int_equal(resource->devices.vendor.n, 1);
		assert_string_equal(resource->devices.vendor.items[0].text, want[i].vendor);
		assert_int_equal(resource->devices.product.n, 0);
		assert_int_equal(resource->unit, want[i].unit);
		assert_int_equal(resource->cores, 0);
		assert_int_equal(resource->allocate,
				 1u << CONFIG_ALLOCATE_DEVICE_NODES | 1u << CONFIG_ALLOCATE_ENV);
	}
	assert_string_equal(config->resources[6].devices.architecture.items[1].text, "xe");
	assert_string_equal(config->resources[7].devices.architecture.items[0].text, "npu");
}

static void assert_default(const struct config *config)
{
	assert_int_equal(config->version, CONFIG_V1);
	assert_default_resources(config);
	assert_int_equal(config->drivers.n_enable + config->drivers.n_disable, 0);
	assert_int_equal(config->n_exclude, 0);
	assert_string_equal(config->cdi.directory, "/var/run/cdi");
	assert_int_equal(config->n_notes, 0);
	assert_int_equal(config->health.interval_ms, 500);
	assert_int_equal(config->health.unhealthy_after, 1);
	assert_int_equal(config->health.healthy_after, 3);
	assert_int_equal(config->health.forget_after_ms, 600000);
	assert_int_equal(config->rescan_interval_ms, 5000);
	assert_int_equal(config->labels.families,
			 1u << CONFIG_FAMILY_NEUTRAL | 1u << CONFIG_FAMILY_VENDOR);
	assert_int_equal(config->labels.furiosa, CONFIG_FURIOSA_BOTH);
	assert_false(config->labels.beta_names);
	assert_false(config->node.remove_startup_taints);
	assert_false(config->node.exclusive_taints);
	assert_false(config->node.condition);
	assert_true(config->node.events);
}

static void fills_in_the_defaults(void **state _unused_)
{
	static const char *const texts[] = {
		V1,
		"{version: v1}",
		"\xef\xbb\xbfversion: 'v1' # with a byte order mark",
		"---\nversion: v1\nhealth: {}\n...\n",
		"%YAML 1.1\n---\nversion: v1\n",
	};
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(config_default(&config, NULL), 0);
	assert_default(&config);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_config_ struct config other = { 0 };
		struct error err = { 0 };

		if (parse(texts[i], &other, &err) != 0)
			fail_msg("%s: %s", texts[i], err.msg);
		assert_default(&other);
	}
}

static void reads_every_key(void **state _unused_)
{
	static const char text[] = "rescanInterval: 1h\n"
				   "health: {interval: 100ms, unhealthyAfter: 100, healthyAfter: "
				   "2, forgetAfter: 168h}\n"
				   "resources:\n"
				   "  - cores: 4\n"
				   "    unit: partition\n"
				   "    name: furiosa.ai/rngd-4core\n"
				   "    devices: {product: rngd, vendor: furiosa}\n"
				   "  - {name: example.com/npu, devices: {}}\n"
				   "version: \"v1\"\n";
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(parse(text, &config, NULL), 0);
	assert_int_equal(config.n_resources, 2);
	assert_string_equal(config.resources[0].name, "furiosa.ai/rngd-4core");
	assert_string_equal(config.resources[0].devices.vendor.items[0].text, "furiosa");
	assert_string_equal(config.resources[0].devices.product.items[0].text, "rngd");
	assert_int_equal(config.resources[0].unit, CONFIG_UNIT_PARTITION);
	assert_int_equal(config.resources[0].cores, 4);
	assert_string_equal(config.resources[1].name, "example.com/npu");
	assert_int_equal(config.resources[1].devices.vendor.n, 0);
	assert_false(config.resources_are_default);
	assert_int_equal(config.resources[1].unit, CONFIG_UNIT_WHOLE);
	assert_int_equal(config.health.interval_ms, 100);
	assert_int_equal(config.health.unhealthy_after, 100);
	assert_int_equal(config.health.healthy_after, 2);
	assert_int_equal(config.health.forget_after_ms, 168u * 3600 * 1000);
	assert_int_equal(config.rescan_interval_ms, 3600 * 1000);
}

static void reads_what_the_labeller_keeps(void **state _unused_)
{
	static const char text[] =
		V1 "labels: {families: vendor, furiosa: docs, betaNames: true}\n"
		   "node: {removeStartupTaints: true, exclusiveTaints: true, condition: true, "
		   "events: false}\n";
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(parse(text, &config, NULL), 0);
	assert_int_equal(config.labels.families, 1u << CONFIG_FAMILY_VENDOR);
	assert_int_equal(config.labels.furiosa, CONFIG_FURIOSA_DOCS);
	assert_true(config.labels.beta_names);
	assert_true(config.node.remove_startup_taints);
	assert_true(config.node.exclusive_taints);
	assert_true(config.node.condition);
	assert_false(config.node.events);
}

#define KNOWN                                                                            \
	"known here are 'version', 'drivers', 'resources', 'exclude', 'cdi', 'health', " \
	"'rescanInterval', 'labels', 'node'"
#define PATTERNS "must be a list of 1 to 64 items, each a string of 1 to 64 ASCII characters"

static const struct {
	const char *text;
	const char *msg;
} bad[] = {
	{ "", "f:1:1: key 'version' is missing" },
	{ "# nothing\n", "f:2:1: key 'version' is missing" },
	{ "rescanInterval: 5s\n", "f:1:1: key 'version' is missing" },
	{ "---\n", "f:2:1: 'configuration' must be a mapping, found nothing" },
	{ "[]", "f:1:1: 'configuration' must be a mapping, found a list" },
	{ "version: v2\n",
	  "f:1:10: 'version' must be 'v1', found the string 'v2', did you mean 'v1'?" },
	{ "version: beta\n", "f:1:10: 'version' must be 'v1', found the string 'beta'" },
	{ "version: 1\n", "f:1:10: 'version' must be 'v1', found the number 1" },

	/* keys */
	{ V1 "resourses: []\n", "f:2:1: unknown key 'resourses', did you mean 'resources'?" },
	{ V1 "colour: red\n", "f:2:1: unknown key 'colour', " KNOWN },
	{ V1 "interval: 1s\n", "f:2:1: unknown key 'interval', it belongs under 'health'" },
	{ RESOURCE "  vendor: furiosa\n",
	  "f:4:3: unknown key 'vendor', it belongs under 'resources[].devices'" },
	{ RESOURCE "  rescanInterval: 5s\n",
	  "f:4:3: unknown key 'rescanInterval', it belongs at the top level" },
	{ V1 "<<: {}\n", "f:2:1: unknown key '<<', " KNOWN },
	{ V1 "\"a\\nb\": 1\n", "f:2:1: unknown key 'a?b', " KNOWN },
	{ V1 "5: x\n", "f:2:1: a key must be a string, found the number 5" },
	{ V1 "? [a]\n: b\n", "f:2:3: a key must be a string, found a list" },
	{ V1 "health: {}\nhealth: {}\n", "f:3:1: key 'health' is written twice, first in line 2" },

	/* types */
	{ V1 "health:\n", "f:2:8: 'health' must be a mapping, found nothing" },
	{ V1 "health: yes\n", "f:2:9: 'health' must be a mapping, found the boolean yes" },
	{ V1 "resources: furiosa.ai/npu\n", "f:2:12: 'resources' must be a list of 1 to 64 items, "
					    "found the string 'furiosa.ai/npu'" },
	{ V1 "resources:\n- furiosa.ai/npu\n",
	  "f:3:3: 'resources[]' must be a mapping, found the string 'furiosa.ai/npu'" },
	{ V1 "labels: {families: [beta]}\n", "f:2:21: 'families' must be one or more of 'neutral', "
					     "'vendor', found the string 'beta'" },
	{ V1 "labels: {families: []}\n",
	  "f:2:20: 'families' must be one or more of 'neutral', 'vendor', found 0" },
	{ V1 "labels: {furiosa: npu}\n",
	  "f:2:19: 'furiosa' must be one of 'both', 'code', 'docs', found the string 'npu'" },
	{ V1 "node: {taints: true}\n",
	  "f:2:8: unknown key 'taints', known here are 'removeStartupTaints', 'exclusiveTaints', "
	  "'condition', 'events'" },
	{ V1 "rescanInterval: 5\n",
	  "f:2:17: 'rescanInterval' must be a duration from 500ms to 1h, found the number 5" },
	{ V1 "rescanInterval: {}\n",
	  "f:2:17: 'rescanInterval' must be a duration from 500ms to 1h, found a mapping" },
	{ V1 "health: {healthyAfter: \"3\"}\n",
	  "f:2:24: 'healthyAfter' must be a whole number from 1 "
	  "to 100 probes, found the string '3'" },
	{ V1 "resources:\n- name: 7\n",
	  "f:3:9: 'name' must be a string of 1 to 308 ASCII characters, found the number 7" },

	/* ranges */
	{ V1 "rescanInterval: 499ms\n",
	  "f:2:17: 'rescanInterval' must be a duration from 500ms to 1h, "
	  "found the string '499ms'" },
	{ V1 "rescanInterval: 61m\n",
	  "f:2:17: 'rescanInterval' must be a duration from 500ms to 1h, found the string '61m'" },
	{ V1 "rescanInterval: 5d\n",
	  "f:2:17: 'rescanInterval' must be a duration from 500ms to 1h, found the string '5d'" },
	{ V1 "health: {interval: 99ms}\n",
	  "f:2:20: 'interval' must be a duration from 100ms to 1m, found the string '99ms'" },
	{ V1 "health: {forgetAfter: 169h}\n",
	  "f:2:23: 'forgetAfter' must be a duration from 0s to 168h, found the string '169h'" },
	{ V1 "health: {unhealthyAfter: 0}\n",
	  "f:2:26: 'unhealthyAfter' must be a whole number from 1 "
	  "to 100 probes, found the number 0" },
	{ V1 "health: {unhealthyAfter: 101}\n",
	  "f:2:26: 'unhealthyAfter' must be a whole number from "
	  "1 to 100 probes, found the number 101" },
	{ V1 "health: {unhealthyAfter: 1.5}\n",
	  "f:2:26: 'unhealthyAfter' must be a whole number from "
	  "1 to 100 probes, found the number 1.5" },
	{ V1 "health: {unhealthyAfter: 99999999999999999999}\n",
	  "f:2:26: 'unhealthyAfter' must be a whole number from 1 to 100 probes, found the number "
	  "99999999999999999999" },

	/* resources */
	{ V1 "resources: []\n", "f:2:12: 'resources' must be a list of 1 to 64 items, found 0" },
	{ V1 "resources: [{}]\n", "f:2:13: key 'name' is missing" },
	{ V1 "resources:\n- name: npu\n",
	  "f:3:9: 'name': resource name 'npu' has no '/': a domain and a "
	  "'/' must come first, as in furiosa.ai/npu" },
	{ V1 "resources:\n- name: \"furiosa.ai/n\xc3\xbcpu\"\n",
	  "f:3:9: 'name' must be a string of 1 to 308 ASCII characters, found the string "
	  "'furiosa.ai/n??pu'" },
	{ RESOURCE "- name: furiosa.ai/rngd\n- name: furiosa.ai/npu\n",
	  "f:5:3: the name 'furiosa.ai/npu' is taken by item 1 of 'resources'" },
	{ RESOURCE "  devices: {vendor: Furiosa}\n",
	  "f:4:21: 'vendor[]': 'Furiosa' has more than lower-case letters, digits and '-', and "
	  "'*' and '?' as wildcards" },
	{ RESOURCE "  devices: {vendor: ''}\n",
	  "f:4:21: 'vendor[]' must be a string of 1 to 64 ASCII characters, found the string ''" },
	{ RESOURCE "  devices: {vendor: 7}\n",
	  "f:4:21: 'vendor' " PATTERNS ", found the number 7" },
	{ RESOURCE "  unit: partitions\n  cores: 2\n",
	  "f:4:9: 'unit' must be one of 'whole', 'partition', 'share', found the string "
	  "'partitions', did you mean 'partition'?" },
	{ RESOURCE "  cores: 2\n  unit: whole\n",
	  "f:4:3: 'cores' is allowed only when 'unit' is 'partition' or 'share'" },
	{ RESOURCE "  cores: 2\n",
	  "f:4:3: 'cores' is allowed only when 'unit' is 'partition' or 'share'" },
	{ RESOURCE "  unit: partition\n  cores: 3\n", "f:5:10: 'cores': 3 is not a power of two" },
	{ RESOURCE "  unit: partition\n  cores: 0\n",
	  "f:5:10: 'cores' must be a whole number from 1 to 64 cores, found the number 0" },
	{ RESOURCE "  unit: partition\n  cores: 128\n",
	  "f:5:10: 'cores' must be a whole number from 1 to 64 cores, found the number 128" },

	/* YAML itself */
	{ V1 "resources: &r []\n", "f:2:12: anchors and aliases are not allowed" },
	{ V1 "---\n" V1, "f:2:1: more than one document" },
	{ V1 "health: {interval: 1s\n",
	  "f:3:1: not YAML: while parsing a flow mapping, did not find "
	  "expected ',' or '}'" },
	{ V1 "\thealth: {}\n",
	  "f:2:1: not YAML: while scanning a plain scalar, found a tab character "
	  "that violates indentation" },
	{ V1 "health: \xff\n", "f:2:9: not YAML: invalid leading UTF-8 octet" },
};

static void refuses_with_place_and_reason(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config config = { .rescan_interval_ms = 4711 };
		struct error err = { 0 };

		if (parse(bad[i].text, &config, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(err.msg, bad[i].msg);
		assert_int_equal(err.code, EINVAL);
		assert_int_equal(parse(bad[i].text, &config, NULL), -EINVAL);
		assert_int_equal(config.rescan_interval_ms, 4711); /* untouched */
		assert_null(config.resources);
	}
}

static void bounds_the_number_of_resources(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PRINTED_MAX);
	_cleanup_config_ struct config config = { 0 }, other = { 0 };
	struct error err = { 0 };

	strbuf_puts(&text, V1 "resources:\n");
	for (unsigned int i = 0; i < CONFIG_RESOURCES_MAX; i++)
		strbuf_printf(&text, "- name: a/b%u\n", i);
	assert_int_equal(parse(strbuf_str(&text), &config, NULL), 0);
	assert_int_equal(config.n_resources, CONFIG_RESOURCES_MAX);
	assert_string_equal(config.resources[63].name, "a/b63");
	strbuf_puts(&text, "- name: a/b\n");
	assert_int_equal(parse(strbuf_str(&text), &other, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "f:67:3: 'resources' must be a list of 1 to 64 items, found 65");
}

static void bounds_the_text(void **state _unused_)
{
	_cleanup_free_ char *text = malloc(CONFIG_TEXT_MAX + 1);
	_cleanup_config_ struct config config = { 0 };
	struct error err = { 0 };

	assert_non_null(text);
	memset(text, '\n', CONFIG_TEXT_MAX + 1);
	memcpy(text, V1, sizeof(V1) - 1);
	assert_int_equal(config_parse(text, CONFIG_TEXT_MAX + 1, "f", &config, &err), -EFBIG);
	assert_string_equal(err.msg, "'f' is longer than 1048576 bytes");
	assert_int_equal(config_parse(text, CONFIG_TEXT_MAX, "f", &config, &err), 0);
	assert_default(&config);
}

/* A text that opens ever more brackets must end at the first that is not asked for. */
static void does_not_follow_deep_nesting(void **state _unused_)
{
	_cleanup_free_ char *text = malloc(CONFIG_TEXT_MAX);
	struct config config = { 0 };
	struct error err = { 0 };

	assert_non_null(text);
	memset(text, '[', CONFIG_TEXT_MAX);
	memcpy(text, "resources: ", sizeof("resources: ") - 1);
	assert_int_equal(config_parse(text, CONFIG_TEXT_MAX, "f", &config, &err), -EINVAL);
	assert_string_equal(err.msg, "f:1:13: 'resources[]' must be a mapping, found a list");
}

static void assert_equal(const struct config *a, const struct config *b)
{
	_cleanup_strbuf_ struct strbuf first = STRBUF_INIT(PRINTED_MAX);
	_cleanup_strbuf_ struct strbuf second = STRBUF_INIT(PRINTED_MAX);

	assert_int_equal(a->version, b->version);
	assert_memory_equal(&a->health, &b->health, sizeof(a->health));
	assert_int_equal(a->rescan_interval_ms, b->rescan_interval_ms);
	assert_int_equal(a->n_resources, b->n_resources);
	for (size_t i = 0; i < a->n_resources; i++) {
		assert_string_equal(a->resources[i].name, b->resources[i].name);
		assert_int_equal(a->resources[i].unit, b->resources[i].unit);
		assert_int_equal(a->resources[i].cores, b->resources[i].cores);
	}
	config_print(a, &first); /* for what lies behind pointers */
	config_print(b, &second);
	assert_string_equal(strbuf_str(&first), strbuf_str(&second));
}

static void prints_what_parses_back(void **state _unused_)
{
	static const char *const texts[] = {
		V1,
		V1 "rescanInterval: 1500ms\nhealth: {forgetAfter: 0s, interval: 60000ms}\n",
		RESOURCE "  devices: {product: warboy}\n- name: a/b\n",
		V1
		"resources:\n- {name: a/b, unit: partition, cores: 64, devices: {vendor: '1-0'}}\n",
		V1 "resources:\n- {name: a/b, devices: {vendor: '10', product: 'null'}}\n",
		V1 "resources:\n- {name: a/b, devices: {vendor: '-', product: 'true'}}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_strbuf_ struct strbuf printed = STRBUF_INIT(PRINTED_MAX);
		_cleanup_config_ struct config config = { 0 }, again = { 0 };
		struct error err = { 0 };

		assert_int_equal(parse(texts[i], &config, NULL), 0);
		config_print(&config, &printed);
		assert_int_equal(strbuf_error(&printed), 0);
		if (parse(strbuf_str(&printed), &again, &err) != 0)
			fail_msg("%s\n%s", err.msg, strbuf_str(&printed));
		assert_equal(&config, &again);
	}
}

static void prints_every_key(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf printed = STRBUF_INIT(PRINTED_MAX);
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(parse(RESOURCE "  unit: partition\n  cores: 2\n"
					"- {name: a/b, devices: {vendor: '10'}}\n",
			       &config, NULL),
			 0);
	config_print(&config, &printed);
	assert_string_equal(strbuf_str(&printed), "version: v1\n"
						  "resources:\n"
						  "- name: furiosa.ai/npu\n"
						  "  unit: partition\n"
						  "  cores: 2\n"
						  "  overlap: false\n"
						  "  allocate: [deviceNodes, env]\n"
						  "  preferred: aligned\n"
						  "- name: a/b\n"
						  "  devices:\n"
						  "    vendor: \"10\"\n"
						  "  unit: whole\n"
						  "  overlap: false\n"
						  "  allocate: [deviceNodes, env]\n"
						  "  preferred: aligned\n"
						  "cdi:\n"
						  "  directory: /var/run/cdi\n"
						  "health:\n"
						  "  interval: 500ms\n"
						  "  unhealthyAfter: 1\n"
						  "  healthyAfter: 3\n"
						  "  forgetAfter: 10m\n"
						  "rescanInterval: 5s\n"
						  "labels:\n"
						  "  families: [neutral, vendor]\n"
						  "  furiosa: both\n"
						  "  betaNames: false\n"
						  "node:\n"
						  "  removeStartupTaints: false\n"
						  "  exclusiveTaints: false\n"
						  "  condition: false\n"
						  "  events: true\n");
}

static int make_folder(void **state)
{
	static char folder[] = "/tmp/test_config.XXXXXX";

	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/a.yaml", (const char *)*state);
	(void)unlink(path);
	return rmdir(*state);
}

static void loads_a_file(void **state)
{
	_cleanup_config_ struct config config = { 0 };
	struct error err = { 0 };
	char path[64], want[128];

	(void)snprintf(path, sizeof(path), "%s/a.yaml", (const char *)*state);
	assert_int_equal(config_load(path, &config, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(file_publish(path, V1, strlen(V1), 0600, &err), 0);
	assert_int_equal(config_load(path, &config, &err), 0);
	assert_default(&config);
	assert_int_equal(file_publish(path, "version: v0\n", 12, 0600, &err), 0);
	assert_int_equal(config_load(path, &config, &err), -EINVAL);
	(void)snprintf(want, sizeof(want), "%s:1:10: 'version' must be 'v1'", path);
	assert_int_equal(strncmp(err.msg, want, strlen(want)), 0);
	assert_default(&config); /* the last good one is still there */
	assert_int_equal(truncate(path, CONFIG_TEXT_MAX + 1), 0);
	assert_int_equal(config_load(path, &config, &err), -EFBIG);
	assert_int_equal(config_load(*state, &config, &err), -EISDIR);
}

static void done_may_come_twice(void **state _unused_)
{
	struct config config = { 0 };

	config_done(&config);
	assert_int_equal(config_default(&config, NULL), 0);
	config_done(&config);
	assert_null(config.resources);
	assert_int_equal(config.n_resources, 0);
	config_done(&config);
}

static void check_row(const struct schema_key *mapping, const struct schema_key *key);

static void check_rows(const struct schema_key *mapping)
{
	assert_true(mapping->n_keys > 0);
	for (size_t i = 0; i < mapping->n_keys; i++)
		check_row(mapping, &mapping->keys[i]);
}

static bool is_numeric(enum schema_type type)
{
	return type == SCHEMA_ENUM || type == SCHEMA_SET || type == SCHEMA_U32 ||
	       type == SCHEMA_DURATION;
}

static void check_condition(const struct schema_key *mapping, const struct schema_key *key)
{
	const struct schema_key *other = schema_sibling(mapping, key->when);

	assert_true(other && other < key && other->type == SCHEMA_ENUM);
	assert_true(key->when_values != 0);
}

/* A scalar, as a key, an item or the free key of a map. */
static void check_scalar(const struct schema_key *key)
{
	if (key->type == SCHEMA_STRING)
		assert_true(key->max < key->size);
	if (is_numeric(key->type))
		assert_int_equal(key->size, sizeof(uint32_t));
	if (key->type == SCHEMA_BOOL)
		assert_int_equal(key->size, sizeof(bool));
	if (key->type == SCHEMA_ENUM || key->type == SCHEMA_SET)
		assert_non_null(key->values);
	else
		assert_true(key->min <= key->max);
}

/* What the engine relies on and no compiler checks. */
static void check_row(const struct schema_key *mapping, const struct schema_key *key)
{
	assert_true(schema_sibling(mapping, key->name) == key);
	assert_non_null(key->text);
	assert_true(key->offset + (key->size > 0 ? key->size : sizeof(void *)) <= mapping->size);
	if (key->when)
		check_condition(mapping, key);
	check_scalar(key);
	if (key->type == SCHEMA_STRING)
		assert_true(key->min >= 1);
	if (key->type == SCHEMA_MAPPING)
		check_rows(key);
	if (key->type == SCHEMA_LIST && key->item->type == SCHEMA_MAPPING)
		check_rows(key->item);
	else if (key->type == SCHEMA_LIST)
		check_scalar(key->item);
	if (key->type == SCHEMA_MAP) {
		assert_int_equal(key->item->n_keys, 2);
		assert_int_equal(key->item->keys[0].type, SCHEMA_STRING);
		check_scalar(&key->item->keys[0]);
		check_scalar(&key->item->keys[1]);
	}
}

static void has_sound_rows(void **state _unused_)
{
	assert_int_equal(config_root.size, sizeof(struct config_file));
	check_rows(&config_root);
}

static void describes_every_key(void **state _unused_)
{
	static const char *const paths[] = {
		"| `version` |",
		"| `resources` |",
		"| `resources[].name` |",
		"| `resources[].devices.vendor` |",
		"| `resources[].cores` | a whole number from 1 to 64 cores | only when",
		"| `resources[].nodes.labels` | a mapping of 1 to 16 keys",
		"| `exclude[].uuid` |",
		"| `cdi.directory` |",
		"| `health.interval` | a duration from 100ms to 1m | `500ms` |",
		"| `rescanInterval` |",
		"| `labels.families` |",
		"| `node.events` | true or false | `true` |",
	};
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(PRINTED_MAX);

	config_describe(&page);
	assert_int_equal(strbuf_error(&page), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (!strstr(strbuf_str(&page), paths[i]))
			fail_msg("no '%s' in:\n%s", paths[i], strbuf_str(&page));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_the_defaults),
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(reads_what_the_labeller_keeps),
		cmocka_unit_test(refuses_with_place_and_reason),
		cmocka_unit_test(bounds_the_number_of_resources),
		cmocka_unit_test(bounds_the_text),
		cmocka_unit_test(does_not_follow_deep_nesting),
		cmocka_unit_test(prints_what_parses_back),
		cmocka_unit_test(prints_every_key),
		cmocka_unit_test_setup_teardown(loads_a_file, make_folder, remove_folder),
		cmocka_unit_test(done_may_come_twice),
		cmocka_unit_test(has_sound_rows),
		cmocka_unit_test(describes_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
