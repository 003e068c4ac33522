/* SPDX-License-Identifier: Apache-2.0 */
/* What each key does, and which of them do not go together. */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/config.h"
#include "tests/unit/inventory/memory.h"

#define V1 "version: v1\n"
#define ITEM V1 "resources:\n- name: a/b\n" /* three lines */
#define SHARE ITEM "  unit: share\n"	    /* four lines */
#define PRINTED_MAX 65536

static int parse(const char *text, struct config *ret, struct error *err)
{
	return config_parse(text, strlen(text), "f", ret, err);
}

static void parse_good(const char *text, struct config *ret)
{
	struct error err = { 0 };

	if (parse(text, ret, &err) != 0)
		fail_msg("%s\n%s", err.msg, text);
}

static void assert_patterns(const struct config_patterns *patterns, const char *a, const char *b)
{
	assert_int_equal(patterns->n, b ? 2 : 1);
	assert_string_equal(patterns->items[0].text, a);
	if (b)
		assert_string_equal(patterns->items[1].text, b);
}

static void selects_devices_and_nodes(void **state _unused_)
{
	_cleanup_config_ struct config config = { 0 };
	const struct config_resource *resource;

	parse_good(ITEM "  devices:\n"
			"    vendor: nvidia\n"
			"    product: ['NVIDIA-L4*', A?00+x]\n"
			"    architecture: [ada_1]\n"
			"    bdf: ['0000:3?:00.*', '*']\n"
			"    uuid: GPU-0a\n"
			"  nodes:\n"
			"    names: ['gpu-*.example.com', n1]\n"
			"    labels: {pool: train, example.com/gpu.size_x: '', a: '1'}\n",
		   &config);
	resource = &config.resources[0];
	assert_patterns(&resource->devices.vendor, "nvidia", NULL);
	assert_patterns(&resource->devices.product, "NVIDIA-L4*", "A?00+x");
	assert_patterns(&resource->devices.architecture, "ada_1", NULL);
	assert_patterns(&resource->devices.bdf, "0000:3?:00.*", "*");
	assert_patterns(&resource->devices.uuid, "GPU-0a", NULL);
	assert_int_equal(resource->nodes.n_names, 2);
	assert_string_equal(resource->nodes.names[0].text, "gpu-*.example.com");
	assert_int_equal(resource->nodes.n_labels, 3);
	assert_string_equal(resource->nodes.labels[0].key, "pool");
	assert_string_equal(resource->nodes.labels[0].value, "train");
	assert_string_equal(resource->nodes.labels[1].value, "");
}

static void reads_a_share(void **state _unused_)
{
	_cleanup_config_ struct config config = { 0 };
	const struct config_resource *resource;

	parse_good(SHARE "  of: partition\n"
			 "  profile: 1g.*\n"
			 "  shares: 10000\n"
			 "  failRequestsGreaterThanOne: true\n"
			 "  overlap: true\n"
			 "  allocate: [annotations, cdi]\n"
			 "  preferred: distributed\n"
			 "  devices: {vendor: nvidia}\n"
			 "  mps: {pipeDirectory: /run/mps/pipe, logDirectory: /run/mps/log}\n"
			 "- {name: a/c, unit: share, shares: 2}\n",
		   &config);
	resource = &config.resources[0];
	assert_int_equal(resource->unit, CONFIG_UNIT_SHARE);
	assert_int_equal(resource->of, CONFIG_UNIT_PARTITION);
	assert_string_equal(resource->profile, "1g.*");
	assert_int_equal(resource->shares, 10000);
	assert_true(resource->fail_requests_greater_than_one);
	assert_true(resource->overlap);
	assert_int_equal(resource->allocate,
			 1u << CONFIG_ALLOCATE_CDI | 1u << CONFIG_ALLOCATE_ANNOTATIONS);
	assert_int_equal(resource->preferred, CONFIG_PREFERRED_DISTRIBUTED);
	assert_string_equal(resource->mps.pipe_directory, "/run/mps/pipe");
	assert_string_equal(resource->mps.log_directory, "/run/mps/log");
	resource++;
	assert_int_equal(resource->of, CONFIG_UNIT_WHOLE);
	assert_int_equal(resource->shares, 2);
	assert_false(resource->fail_requests_greater_than_one);
	assert_false(resource->overlap);
	assert_int_equal(resource->preferred, CONFIG_PREFERRED_ALIGNED);
	assert_string_equal(resource->mps.pipe_directory, "");
}

static void reads_drivers_exclusions_and_cdi(void **state _unused_)
{
	_cleanup_config_ struct config config = { 0 };

	parse_good(V1 "drivers: {enable: [groq, graphcore], disable: coral}\n"
		      "exclude:\n"
		      "- {uuid: GPU-1, nodes: {names: n1}}\n"
		      "- {bdf: '0000:0a:*'}\n"
		      "- nodes: {labels: {npu: 'no'}}\n"
		      "cdi: {directory: /etc/cdi}\n",
		   &config);
	assert_int_equal(config.drivers.n_enable, 2);
	assert_string_equal(config.drivers.enable[1].name, "graphcore");
	assert_int_equal(config.drivers.n_disable, 1);
	assert_string_equal(config.drivers.disable[0].name, "coral");
	assert_int_equal(config.n_exclude, 3);
	assert_patterns(&config.exclude[0].devices.uuid, "GPU-1", NULL);
	assert_string_equal(config.exclude[0].nodes.names[0].text, "n1");
	assert_patterns(&config.exclude[1].devices.bdf, "0000:0a:*", NULL);
	assert_string_equal(config.exclude[2].nodes.labels[0].value, "no");
	assert_string_equal(config.cdi.directory, "/etc/cdi");
	assert_true(config.resources_are_default);
}

static void a_name_may_come_again_on_other_nodes(void **state _unused_)
{
	_cleanup_config_ struct config config = { 0 };

	parse_good(V1 "resources:\n"
		      "- {name: a/b, nodes: {names: 'x*'}}\n"
		      "- {name: a/b, unit: share, shares: 4, nodes: {labels: {pool: y}}}\n",
		   &config);
	assert_int_equal(config.n_resources, 2);
}

static const struct {
	const char *text;
	const char *msg;
} bad[] = {
	/* names */
	{ V1 "resources:\n- name: a/{foo}\n",
	  "f:3:9: 'name': resource name 'a/{foo}' has a '{' that begins none of {product}, "
	  "{architecture} and {profile}" },
	{ V1 "resources:\n- name: a/{profile}\n",
	  "f:3:3: 'resources[]': the name has {profile}, which only partitions and shares of them "
	  "have" },
	{ V1 "resources:\n- {name: a/b, nodes: {names: x}}\n- {name: a/b}\n",
	  "f:4:3: the name 'a/b' is taken by item 1 of 'resources'" },

	/* selectors */
	{ ITEM "  devices: {product: [a, 'b c']}\n",
	  "f:4:26: 'product[]': 'b c' has more than letters, digits, '-', '_', '.' and '+', and "
	  "'*' and '?' as wildcards" },
	{ ITEM "  devices: {uuid: '*-*-*-*-*'}\n",
	  "f:4:19: 'uuid[]': '*-*-*-*-*' has more than 4 '*'" },
	{ ITEM "  devices: {bdf: '0000:0A:00.0'}\n",
	  "f:4:18: 'bdf[]': '0000:0A:00.0' has more than lower-case hexadecimal digits, ':' and "
	  "'.', and '*' and '?' as wildcards" },
	{ ITEM "  devices: {architecture: []}\n",
	  "f:4:27: 'architecture' must be a list of 1 to 64 items, each a string of 1 to 64 ASCII "
	  "characters, found 0" },
	{ ITEM "  devices: {serial: x}\n",
	  "f:4:13: unknown key 'serial', known here are 'vendor', 'product', 'architecture', "
	  "'bdf', 'uuid'" },
	{ ITEM "  uuid: x\n", "f:4:3: unknown key 'uuid', it belongs under 'resources[].devices'" },
	{ ITEM "  labels: {a: b}\n",
	  "f:4:3: unknown key 'labels', it belongs under 'resources[].nodes'" },
	{ V1 "exclude: [{labels: {a: b}}]\n",
	  "f:2:12: unknown key 'labels', it belongs under 'exclude[].nodes'" },
	{ ITEM "  devices: {unit: whole}\n",
	  "f:4:13: unknown key 'unit', it belongs under 'resources[]'" },
	{ ITEM "  devices: {health: {}}\n",
	  "f:4:13: unknown key 'health', it belongs at the top level" },
	{ V1 "cdi: {shares: 2}\n", "f:2:7: unknown key 'shares', known here are 'directory'" },
	{ ITEM "  nodes: {names: Node1}\n",
	  "f:4:18: 'names[]': 'Node1' has more than lower-case letters, digits, '-' and '.', and "
	  "'*' and '?' as wildcards" },
	{ ITEM "  nodes: {labels: {a/b/c: d}}\n", "f:4:20: 'label': 'a/b/c' is no key of a label" },
	{ ITEM "  nodes: {labels: {A_/b: d}}\n", "f:4:20: 'label': 'A_/b' is no key of a label" },
	{ ITEM "  nodes: {labels: {a-: d}}\n", "f:4:20: 'label': 'a-' is no key of a label" },
	{ ITEM "  nodes: {labels: {a: d e}}\n",
	  "f:4:23: 'label value': 'd e' is no value of a label" },
	{ ITEM "  nodes: {labels: {a: true}}\n",
	  "f:4:23: 'label value' must be a string of 0 to 63 ASCII characters, found the boolean "
	  "true" },
	{ ITEM "  nodes: {labels: {a: b, a: c}}\n",
	  "f:4:26: key 'a' is written twice in 'labels'" },

	/* units */
	{ SHARE, "f:3:3: key 'shares' is missing, which is required when 'unit' is 'share'" },
	{ ITEM "  shares: 2\n", "f:4:3: 'shares' is allowed only when 'unit' is 'share'" },
	{ ITEM "  of: whole\n", "f:4:3: 'of' is allowed only when 'unit' is 'share'" },
	{ ITEM "  mps: {pipeDirectory: /x}\n",
	  "f:4:3: 'mps' is allowed only when 'unit' is 'share'" },
	{ ITEM "  failRequestsGreaterThanOne: true\n",
	  "f:4:3: 'failRequestsGreaterThanOne' is allowed only when 'unit' is 'share'" },
	{ SHARE "  shares: 1\n",
	  "f:5:11: 'shares' must be a whole number from 2 to 10000, found the number 1" },
	{ SHARE "  shares: 10001\n",
	  "f:5:11: 'shares' must be a whole number from 2 to 10000, found the number 10001" },
	{ SHARE "  shares: 2\n  of: share\n",
	  "f:6:7: 'of' must be one of 'whole', 'partition', found the string 'share'" },
	{ SHARE "  shares: 2\n  cores: 2\n",
	  "f:3:3: 'resources[]': 'cores' and 'profile' are of partitions; a share is of one when "
	  "'of' is 'partition'" },
	{ ITEM "  unit: partition\n  cores: 2\n  profile: 1g.5gb\n",
	  "f:3:3: 'resources[]': 'cores' and 'profile' both say which partitions; write one" },
	{ ITEM "  profile: 1g.5gb\n",
	  "f:4:3: 'profile' is allowed only when 'unit' is 'partition' or 'share'" },
	{ SHARE "  shares: 2\n  mps: {pipeDirectory: /x}\n",
	  "f:3:3: 'resources[]': 'mps' needs 'vendor: nvidia' under 'devices'" },
	{ SHARE "  shares: 2\n  devices: {vendor: [nvidia, amd]}\n  mps: {pipeDirectory: /x}\n",
	  "f:3:3: 'resources[]': 'mps' needs 'vendor: nvidia' under 'devices'" },
	{ SHARE "  shares: 2\n  devices: {vendor: nvidia}\n  mps: {}\n",
	  "f:7:8: key 'pipeDirectory' is missing" },
	{ SHARE "  shares: 2\n  devices: {vendor: nvidia}\n  mps: {pipeDirectory: x}\n",
	  "f:7:24: 'pipeDirectory': 'x' is no absolute path" },
	{ ITEM "  allocate: []\n", "f:4:13: 'allocate' must be one or more of 'deviceNodes', "
				   "'env', 'cdi', 'annotations', found 0" },
	{ ITEM "  preferred: packet\n",
	  "f:4:14: 'preferred' must be one of 'aligned', 'packed', 'distributed', found the "
	  "string 'packet', did you mean 'packed'?" },

	/* the rest */
	{ V1 "drivers: {enable: [a, b], disable: b}\n",
	  "f:2:10: 'drivers': 'b' is both in 'enable' and in 'disable'" },
	{ V1 "drivers: {enable: 'a*'}\n",
	  "f:2:19: 'enable[]': 'a*' has more than lower-case letters, digits and '-'" },
	{ V1 "exclude: [{}]\n",
	  "f:2:11: 'exclude[]': an item without keys would exclude every device" },
	{ V1 "exclude:\n- nodes: {}\n",
	  "f:3:3: 'exclude[]': an item without keys would exclude every device" },
	{ V1 "cdi: {directory: var/run/cdi}\n",
	  "f:2:18: 'directory': 'var/run/cdi' is no absolute path" },
	{ V1 "cdi: {directory: /var/../etc}\n",
	  "f:2:18: 'directory': '/var/../etc' has a part that is empty, '.' or '..'" },
	{ V1 "cdi: {directory: /var//cdi}\n",
	  "f:2:18: 'directory': '/var//cdi' has a part that is empty, '.' or '..'" },
	{ V1 "cdi: {directory: /var/.}\n",
	  "f:2:18: 'directory': '/var/.' has a part that is empty, '.' or '..'" },

	/* deprecated */
	{ V1 "partitioning: none\nresourceStrategy: generic\n",
	  "f:1:1: 'configuration': 'partitioning' and 'resourceStrategy' say the same" },
	{ ITEM "partitioning: none\n",
	  "f:1:1: 'configuration': 'partitioning' says which resources there are, and so does "
	  "'resources'; keep the latter" },
	{ V1 "partitioning: 3core\n",
	  "f:2:15: 'partitioning' must be one of 'none', '1core.6gb', '2core.12gb', "
	  "'4core.24gb', found the string '3core'" },
	{ V1 "disabledDeviceUUIDs: {Node: [x]}\n", "f:2:23: 'node': 'Node' is no name of a node" },
	{ V1 "disabledDeviceUUIDs: [x]\n",
	  "f:2:22: 'disabledDeviceUUIDs' must be a mapping of 0 to 1024 keys, each with a list of "
	  "0 to 64 items, each a string of 1 to 64 ASCII characters, found a list" },
};

static void refuses_with_place_and_reason(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_config_ struct config config = { 0 };
		struct error err = { 0 };

		if (parse(bad[i].text, &config, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(err.msg, bad[i].msg);
	}
}

static void accepts_paths(void **state _unused_)
{
	static const char *const paths[] = { "/", "/a", "/a/", "/..a/b..", "/...", "/.a" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(256);
		_cleanup_config_ struct config config = { 0 };

		strbuf_printf(&text, V1 "cdi: {directory: '%s'}\n", paths[i]);
		parse_good(strbuf_str(&text), &config);
		assert_string_equal(config.cdi.directory, paths[i]);
	}
}

static void translates_partitioning(void **state _unused_)
{
	static const struct {
		const char *text;
		const char *first, *second; /* names; the second may be that of NVIDIA's */
		uint32_t cores;
	} cases[] = {
		{ "partitioning: none", "furiosa.ai/{product}", "nvidia.com/gpu", 0 },
		{ "partitioning: 1core.6gb", "furiosa.ai/{product}-1core.6gb",
		  "furiosa.ai/warboy-1core.8gb", 1 },
		{ "partitioning: 2core.12gb", "furiosa.ai/{product}-2core.12gb",
		  "furiosa.ai/warboy-2core.16gb", 2 },
		{ "partitioning: 4core.24gb", "furiosa.ai/{product}-4core.24gb", "nvidia.com/gpu",
		  4 },
		{ "resourceStrategy: generic", "furiosa.ai/{product}", "nvidia.com/gpu", 0 },
		{ "resourceStrategy: single-core", "furiosa.ai/{product}-1core.6gb",
		  "furiosa.ai/warboy-1core.8gb", 1 },
		{ "resourceStrategy: dual-core", "furiosa.ai/{product}-2core.12gb",
		  "furiosa.ai/warboy-2core.16gb", 2 },
		{ "resourceStrategy: quad-core", "furiosa.ai/{product}-4core.24gb",
		  "nvidia.com/gpu", 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(256);
		_cleanup_config_ struct config config = { 0 };

		strbuf_printf(&text, V1 "%s\n", cases[i].text);
		parse_good(strbuf_str(&text), &config);
		assert_false(config.resources_are_default);
		assert_string_equal(config.resources[0].name, cases[i].first);
		assert_string_equal(config.resources[1].name, cases[i].second);
		assert_int_equal(config.resources[0].cores, cases[i].cores);
		assert_int_equal(config.resources[0].unit,
				 cases[i].cores > 0 ? CONFIG_UNIT_PARTITION : CONFIG_UNIT_WHOLE);
		assert_int_equal(config.n_notes, 1);
		assert_non_null(strstr(config.notes[0].text, "f:2:1: key '"));
		assert_non_null(strstr(config.notes[0].text, "is deprecated: use 'resources'"));
	}
}

static void translates_disabled_devices(void **state _unused_)
{
	_cleanup_config_ struct config config = { 0 };

	parse_good(V1 "exclude: [{bdf: '*'}]\n"
		      "disabledDeviceUUIDs:\n"
		      "  node-a: [82540B87-1055, X]\n"
		      "  node-b: []\n"
		      "disabledDeviceUUIDListMap: {node-c: Y}\n"
		      "debugMode: true\n",
		   &config);
	assert_int_equal(config.n_exclude, 3);
	assert_patterns(&config.exclude[0].devices.bdf, "*", NULL);
	assert_patterns(&config.exclude[1].devices.vendor, "furiosa", NULL);
	assert_patterns(&config.exclude[1].devices.uuid, "82540B87-1055", "X");
	assert_int_equal(config.exclude[1].nodes.n_names, 1);
	assert_string_equal(config.exclude[1].nodes.names[0].text, "node-a");
	assert_patterns(&config.exclude[2].devices.uuid, "Y", NULL);
	assert_string_equal(config.exclude[2].nodes.names[0].text, "node-c");
	assert_int_equal(config.n_notes, 3);
	assert_string_equal(config.notes[2].text, "f:7:1: key 'debugMode' is deprecated: it has no "
						  "effect; use the option --log-level");
}

static void bounds_the_exclusions(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CONFIG_TEXT_MAX);
	_cleanup_config_ struct config config = { 0 }, other = { 0 };
	struct error err = { 0 };

	strbuf_puts(&text, V1 "disabledDeviceUUIDs:\n");
	for (unsigned int i = 0; i < CONFIG_EXCLUDES_MAX; i++)
		strbuf_printf(&text, "  n%u: x\n", i);
	parse_good(strbuf_str(&text), &config);
	assert_int_equal(config.n_exclude, CONFIG_EXCLUDES_MAX);
	strbuf_puts(&text, "exclude: [{uuid: y}]\n");
	assert_int_equal(parse(strbuf_str(&text), &other, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "there are 1025 exclusions, and at most 1024"));
}

/* Also after translation, where nothing is deprecated any more. */
static void prints_what_parses_back(void **state _unused_)
{
	static const char *const texts[] = {
		V1,
		ITEM "  devices: {vendor: [a, '?*'], uuid: ['1', 'true', '0x1']}\n",
		ITEM "  nodes: {names: ['*'], labels: {a: '', 'b/c': 'null', '1': '2'}}\n",
		SHARE "  shares: 7\n  of: partition\n  cores: 4\n  allocate: cdi\n",
		SHARE "  shares: 7\n  devices: {vendor: nvidia}\n"
		      "  mps: {pipeDirectory: '/a b'}\n",
		ITEM "  unit: partition\n  profile: '*'\n  overlap: true\n",
		V1 "drivers: {enable: ['1', 'on'], disable: []}\nexclude: []\n",
		V1 "drivers: {}\nexclude: [{vendor: x}, {nodes: {names: n}}]\n",
		V1 "partitioning: 1core.6gb\n",
		V1 "disabledDeviceUUIDs: {a: [b], c: d}\nresourceStrategy: generic\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_strbuf_ struct strbuf first = STRBUF_INIT(PRINTED_MAX);
		_cleanup_strbuf_ struct strbuf second = STRBUF_INIT(PRINTED_MAX);
		_cleanup_config_ struct config config = { 0 }, again = { 0 };

		parse_good(texts[i], &config);
		config_print(&config, &first);
		parse_good(strbuf_str(&first), &again);
		config_print(&again, &second);
		assert_string_equal(strbuf_str(&first), strbuf_str(&second));
		assert_int_equal(again.n_notes, 0);
	}
}

/* Every allocation fails once; the leak sanitizer watches. */
static void survives_a_lack_of_memory(void **state _unused_)
{
	static const char text[] = V1 "disabledDeviceUUIDs: {a: [b], c: d}\npartitioning: none\n";
	int failed = 0;
	int r;

	do {
		_cleanup_config_ struct config config = { 0 };
		struct error err = { 0 };

		memory_fail_after((size_t)failed);
		r = parse(text, &config, &err);
		(void)memory_restore();
		if (r < 0) {
			assert_int_equal(r, -ENOMEM);
			assert_non_null(strstr(err.msg, "no memory"));
			failed++;
		}
	} while (r < 0);
	assert_true(failed > 20); /* the readers, lists and notes */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects_devices_and_nodes),
		cmocka_unit_test(reads_a_share),
		cmocka_unit_test(reads_drivers_exclusions_and_cdi),
		cmocka_unit_test(a_name_may_come_again_on_other_nodes),
		cmocka_unit_test(refuses_with_place_and_reason),
		cmocka_unit_test(accepts_paths),
		cmocka_unit_test(translates_partitioning),
		cmocka_unit_test(translates_disabled_devices),
		cmocka_unit_test(bounds_the_exclusions),
		cmocka_unit_test(prints_what_parses_back),
		cmocka_unit_test(survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
