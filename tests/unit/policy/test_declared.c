/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions as they are written, and the five that Silica brings along. */
#include "policy/declared.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/declared_builtin.h"
#include "tests/test.h"
#include "tests/unit/drivers/acme.h"
#include "tests/unit/drivers/tree.h"

#define LISTING_MAX 4096
#define BDF_1 "0000:27:00.0"
#define BDF_2 "0000:28:00.0"

static int make_driver(const char *yaml, struct driver **ret, struct error *err)
{
	_cleanup_config_driver_ struct config_driver config = { 0 };
	int r = config_driver_parse(yaml, strlen(yaml), "test", &config, err);

	return r < 0 ? r : declared_from_config(&config, ret, err);
}

static struct driver *must_make(const char *yaml)
{
	struct driver *driver = NULL;
	struct error err = { 0 };
	int r = make_driver(yaml, &driver, &err);

	if (r < 0)
		fail_msg("%s", error_text(&err, r));
	return driver;
}

/* --- every key --- */

static const char all_keys[] = "name: acme\n"
			       "vendor: Acme Corp\n"
			       "match:\n"
			       "  pci:\n"
			       "    vendor: \"acce\"\n"
			       "    class: \"0x1200\"\n"
			       "    devices: {\"0001\": a100, \"0x0002\": \"\"}\n"
			       "  class: {name: acme, prefix: \"acme!card\", suffix: _ctl}\n"
			       "deviceFiles:\n"
			       "- path: \"/dev/acme{index}\"\n"
			       "- {path: /dev/acmectl, optional: true}\n"
			       "attributes:\n"
			       "  uuid: uuid\n"
			       "  serial: sn\n"
			       "  product: name\n"
			       "  driverVersion: kmd\n"
			       "  firmwareVersion: fw/version\n"
			       "  bdf: busname\n"
			       "product: a000\n"
			       "memory: 16Gi\n"
			       "cores: 8\n"
			       "health:\n"
			       "  exists: /sys/class/acme_ready\n"
			       "  attribute: temp\n"
			       "  test: lessThan\n"
			       "  valueAttribute: temp_max\n"
			       "temperature: {attribute: \"device/hwmon/*/temp1_input\", "
			       "unit: millicelsius}\n"
			       "env: {ACME_DEVICES: bdf, ACME_IDS: uuid}\n"
			       "mounts:\n"
			       "- path: /opt/acme\n"
			       "- {path: /run/acme, readOnly: false}\n"
			       "identity: index\n"
			       "evidence: a table\n";

static void check_match(const struct declared_match *match)
{
	assert_int_equal(match->pci_vendor, 0xacce);
	assert_int_equal(match->pci_class, 0x120000);
	assert_int_equal(match->pci_class_mask, 0xffff00);
	assert_int_equal(match->n_ids, 2);
	assert_int_equal(match->ids[0].device, 1);
	assert_string_equal(match->ids[0].product, "a100");
	assert_int_equal(match->ids[1].device, 2);
	assert_string_equal(match->ids[1].product, "");
	assert_string_equal(match->class_name, "acme");
	assert_string_equal(match->prefix, "acme!card");
	assert_string_equal(match->suffix, "_ctl");
	assert_int_equal(match->n_files, 0);
}

static void check_rest(const struct declared_spec *spec)
{
	assert_int_equal(spec->n_nodes, 2);
	assert_string_equal(spec->nodes[0].path, "/dev/acme{index}");
	assert_false(spec->nodes[0].optional);
	assert_true(spec->nodes[1].optional);
	assert_string_equal(spec->attributes[DECLARED_UUID], "uuid");
	assert_string_equal(spec->attributes[DECLARED_SERIAL], "sn");
	assert_string_equal(spec->attributes[DECLARED_PRODUCT], "name");
	assert_string_equal(spec->attributes[DECLARED_DRIVER_VERSION], "kmd");
	assert_string_equal(spec->attributes[DECLARED_FIRMWARE_VERSION], "fw/version");
	assert_string_equal(spec->attributes[DECLARED_BDF], "busname");
	assert_string_equal(spec->product, "a000");
	assert_true(spec->memory_bytes == UINT64_C(16) << 30);
	assert_int_equal(spec->cores, 8);
	assert_string_equal(spec->health.exists, "/sys/class/acme_ready");
	assert_string_equal(spec->health.attribute, "temp");
	assert_int_equal(spec->health.test, DECLARED_TEST_LESS_THAN);
	assert_string_equal(spec->health.other, "temp_max");
	assert_string_equal(spec->temperature, "device/hwmon/*/temp1_input");
	assert_true(spec->temperature_milli);
	assert_int_equal(spec->n_env, 2);
	assert_string_equal(spec->env[0].name, "ACME_DEVICES");
	assert_int_equal(spec->env[0].value, DRIVER_ENV_BDF);
	assert_int_equal(spec->env[1].value, DRIVER_ENV_UUID);
	assert_int_equal(spec->n_mounts, 2);
	assert_true(spec->mounts[0].read_only);
	assert_false(spec->mounts[1].read_only);
	assert_true(spec->identity_by_index);
	assert_string_equal(spec->evidence, "a table");
}

static void test_all_keys(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *driver = must_make(all_keys);
	const struct declared_spec *spec = declared_driver_spec(driver);

	(void)state;
	assert_string_equal(driver->name, "acme");
	assert_string_equal(driver->vendor, "Acme Corp");
	assert_false(driver->opt_in);
	check_match(&spec->match);
	check_rest(spec);
}

/* --- what is refused --- */

static const struct {
	const char *yaml;
	int result;
	const char *text; /* part of the reason */
} refused[] = {
	{ "", -EINVAL, "key 'name' is missing" },
	{ "name: Acme", -EINVAL, "test:1:7: 'name': 'Acme' has more than" },
	{ "name: furiosa\nvendor: X\nmatch: {pci: {vendor: \"1ed2\"}}", -EEXIST,
	  "driver 'furiosa': the name is that of a driver" },
	{ "name: a", -EINVAL, "driver 'a': vendor '' must be" },
	{ "name: a\nvendor: A", -EINVAL, "driver 'a': match needs" },
	{ "name: a\nextends: nothing", -ENOENT, "no description 'nothing'; known are graphcore" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: 1234}}", -EINVAL,
	  "'vendor' must be a string" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: \"12345\"}}", -EINVAL, "four hexadecimal" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: \"acmx\"}}", -EINVAL, "four hexadecimal" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: \"0x0x12\"}}", -EINVAL, "four hexadecimal" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: \"0000\"}}", -EINVAL, "no vendor has" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: \"ffff\"}}", -EINVAL, "no vendor has" },
	{ "name: a\nvendor: A\nmatch: {pci: {class: \"120\"}}", -EINVAL, "two, four or six" },
	{ "name: a\nvendor: A\nmatch: {pci: {vendor: \"acce\", devices: {\"1\": x}}}", -EINVAL,
	  "four hexadecimal" },
	{ "name: a\nvendor: A\nmatch: {class: {prefix: x}}", -EINVAL, "key 'name' is missing" },
	{ "name: a\nvendor: A\nmatch: {deviceFiles: []}", -EINVAL, "'deviceFiles' must be" },
	{ "name: a\nvendor: A\nmatch: {deviceFiles: /etc/passwd}", -EINVAL, "below /dev" },
	{ "name: a\nvendor: A\nmatch: {deviceFiles: [a, b, c, d, e]}", -EINVAL,
	  "'deviceFiles' must be" },
	{ "name: a\nvendor: A\nmatch: {deviceFile: a}", -EINVAL, "did you mean 'deviceFiles'" },
	{ "name: a\nvendor: A\nmatch: {class: {name: ..}}", -EINVAL, "no name of a class" },
	{ "name: a\nhealth: {attribute: x, test: is, value: \"0\"}", -EINVAL, "'test' must be" },
	{ "name: a\nhealth: {value: 0}", -EINVAL, "'value' must be a string" },
	{ "name: a\nenv: {A: card}", -EINVAL, "must be one of" },
	{ "name: a\nidentity: name", -EINVAL, "'identity' must be" },
	{ "name: a\ncores: 65", -EINVAL, "'cores' must be" },
	{ "name: a\nmounts: [{}]", -EINVAL, "key 'path' is missing" },
	{ "name: hyperaccel\nextends: hyperaccel", -EINVAL, "its PCI vendor has to be configured" },
	{ "name: h\nextends: hyperaccel\nmatch: {pci: {vendor: \"1eff\"}}", -EINVAL,
	  "PCI vendor 1eff is another vendor's" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct driver *driver = NULL;
		struct error err = { 0 };
		int r = make_driver(refused[i].yaml, &driver, &err);

		assert_null(driver);
		if (r != refused[i].result || !strstr(err.msg, refused[i].text))
			fail_msg("%s: %d (%s)", refused[i].yaml, r, error_text(&err, r));
	}
}

/* --- extending --- */

static void test_extend(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *driver =
		must_make("name: mine\nextends: groq\nproduct: card\nidentity: index\n"
			  "match: {pci: {vendor: \"1de1\"}}\n");
	const struct declared_spec *spec = declared_driver_spec(driver);

	(void)state;
	assert_string_equal(driver->name, "mine");
	assert_string_equal(driver->vendor, "Groq");
	assert_false(driver->opt_in);
	assert_string_equal(spec->product, "card");
	assert_int_equal(spec->match.pci_vendor, 0x1de1);
	assert_int_equal(spec->match.n_ids, 0); /* they were of the other vendor */
	assert_int_equal(spec->match.n_files, 2);
	assert_true(spec->identity_by_index);
}

static void test_extend_lists(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *driver =
		must_make("name: mine\nextends: hyperaccel\n"
			  "match: {pci: {vendor: \"20fb\"}, deviceFiles: \"/dev/ha{index}\"}\n"
			  "deviceFiles: [{path: \"/dev/{name}\"}, {path: /dev/hactl}]\n"
			  "attributes: {uuid: uuid}\n"
			  "mounts: [{path: /opt/ha}]\n");
	const struct declared_spec *spec = declared_driver_spec(driver);

	(void)state;
	assert_int_equal(spec->match.pci_class, 0x120000);
	assert_string_equal(spec->match.class_name, "");
	assert_string_equal(spec->match.prefix, "");
	assert_string_equal(spec->match.files[0], "/dev/ha{index}");
	assert_int_equal(spec->n_nodes, 2);
	assert_string_equal(spec->nodes[1].path, "/dev/hactl");
	assert_string_equal(spec->attributes[DECLARED_UUID], "uuid");
	assert_string_equal(spec->attributes[DECLARED_SERIAL], "serial");
	assert_int_equal(spec->n_mounts, 1);
}

/* --- the five --- */

static void add_graphcore(const struct tree *tree)
{
	acme_add_pci(tree, BDF_1, "0x1d95\n", "0x0001\n", "0x120000\n");
	tree_link(tree, "dev/ipu0", "/dev/zero");
	tree_link(tree, "sys/devices/pci0000:16/" BDF_1 "/ipu/ipu0/device", "../../../" BDF_1);
	tree_link(tree, "sys/dev/char/1:5", "../../devices/pci0000:16/" BDF_1 "/ipu/ipu0");
}

static void add_groq(const struct tree *tree)
{
	acme_add_pci(tree, BDF_1, "0x1de0\n", "0x0000\n", "0x120000\n");
	acme_add_pci(tree, BDF_2, "0x1de0\n", "0x0000\n", "0x120000\n");
	tree_link(tree, "dev/groq0.pci", "/dev/zero");
	tree_link(tree, "dev/groqA7.pci", "/dev/full");
	tree_link(tree, "sys/devices/pci0000:16/" BDF_1 "/g/groq0.pci/device", "../../../" BDF_1);
	tree_link(tree, "sys/devices/pci0000:16/" BDF_2 "/g/groqA7.pci/device", "../../../" BDF_2);
	tree_link(tree, "sys/dev/char/1:5", "../../devices/pci0000:16/" BDF_1 "/g/groq0.pci");
	tree_link(tree, "sys/dev/char/1:7", "../../devices/pci0000:16/" BDF_2 "/g/groqA7.pci");
}

static void add_sambanova(const struct tree *tree)
{
	acme_add_pci(tree, BDF_1, "0x1e0d\n", "0x0001\n", "0x120000\n");
	acme_add_pci(tree, BDF_2, "0x1e0d\n", "0x0002\n", "0x120000\n");
	tree_link(tree, "dev/rdu", "/dev/null");
	tree_link(tree, "dev/rdu_mem_map", "/dev/null");
	tree_mkdir(tree, "sys/class/rdu_class");
}

static void add_sambanova_unready(const struct tree *tree)
{
	add_sambanova(tree);
	tree_remove(tree, "sys/class/rdu_class");
	tree_remove(tree, "dev/rdu_mem_map");
}

static void add_sapeon(const struct tree *tree)
{
	acme_add_pci(tree, BDF_1, "0x1f56\n", "0x0001\n", "0x120000\n");
}

static void add_hyperaccel(const struct tree *tree)
{
	acme_add_pci(tree, BDF_1, "0x20fb\n", "0x0010\n", "0x120000\n");
	acme_add_pci(tree, BDF_2, "0x1eff\n", "0x2130\n", "0x120000\n");
	tree_puts(tree, "sys/devices/pci0000:16/" BDF_1 "/ha/ha1/serial", "HA0001\n");
	tree_link(tree, "sys/devices/pci0000:16/" BDF_1 "/ha/ha1/device", "../../../" BDF_1);
	tree_link(tree, "sys/class/ha/ha1", "../../devices/pci0000:16/" BDF_1 "/ha/ha1");
	tree_link(tree, "sys/devices/pci0000:16/" BDF_2 "/ha/ha0/device", "../../../" BDF_2);
	tree_link(tree, "sys/class/ha/ha0", "../../devices/pci0000:16/" BDF_2 "/ha/ha0");
	tree_link(tree, "dev/ha0", "/dev/null");
	tree_link(tree, "dev/ha1", "/dev/null");
}

#define HYPERACCEL "name: hyperaccel\nextends: hyperaccel\nmatch: {pci: {vendor: \"20fb\"}}\n"

/* "name|bdf|serial|product|nodes|verdict" of each device. */
static const struct {
	const char *name;
	const char *yaml; /* NULL: what Silica brings along under the name */
	void (*add)(const struct tree *tree);
	const char *listing;
} shipped[] = {
	{ "graphcore", NULL, add_graphcore, "ipu0|" BDF_1 "||ipu|/dev/ipu0|\n" },
	{ "groq", NULL, add_groq,
	  "groq0.pci|" BDF_1 "||tsp|/dev/groq0.pci|\n"
	  "groqA7.pci|" BDF_2 "||tsp|/dev/groqA7.pci|\n" },
	{ "sambanova", NULL, add_sambanova,
	  BDF_1 "|" BDF_1 "||rdu|/dev/rdu,/dev/rdu_mem_map|\n" BDF_2 "|" BDF_2
		"||rdu|/dev/rdu,/dev/rdu_mem_map|\n" },
	{ "sambanova", NULL, add_sambanova_unready,
	  BDF_1 "|" BDF_1
		"||rdu|/dev/rdu,/dev/rdu_mem_map|device node '/dev/rdu_mem_map' is missing\n" BDF_2
		"|" BDF_2
		"||rdu|/dev/rdu,/dev/rdu_mem_map|device node '/dev/rdu_mem_map' is missing\n" },
	{ "sapeon", NULL, add_sapeon, BDF_1 "|" BDF_1 "||sapeon||no device files are declared\n" },
	{ "sapeon", "name: sapeon\nextends: sapeon\ndeviceFiles: [{path: /dev/null}]\n", add_sapeon,
	  BDF_1 "|" BDF_1 "||sapeon|/dev/null|device node '/dev/null' is missing\n" },
	{ "hyperaccel", HYPERACCEL, add_hyperaccel, "ha1|" BDF_1 "|HA0001|bertha|/dev/ha1|\n" },
};

static void print_list(const struct tree *tree, const struct device_list *list, struct strbuf *out)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct device *device = list->devices[i];
		struct error err = { 0 };

		strbuf_printf(out, "%s|%s|%s|%s|", device->name, device->bdf, device->serial,
			      device->product);
		for (size_t k = 0; k < device->n_nodes; k++)
			strbuf_printf(out, "%s%s", k > 0 ? "," : "", device->nodes[k].path);
		if (device->fault[0] == '\0')
			(void)device->driver->probe(&tree->host, device, &err);
		strbuf_printf(out, "|%s%s\n", device->fault, err.msg);
	}
}

static void test_shipped(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		_cleanup_(declared_driver_freep) struct driver *driver = NULL;
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(LISTING_MAX);
		_cleanup_device_list_ struct device_list list = { 0 };

		tree_remove(tree, "sys");
		tree_remove(tree, "dev");
		shipped[i].add(tree);
		if (shipped[i].yaml)
			driver = must_make(shipped[i].yaml);
		else
			assert_int_equal(declared_from_builtin(shipped[i].name, &driver, NULL), 0);
		assert_string_equal(driver->name, shipped[i].name);
		assert_int_equal(driver->opt_in, !shipped[i].yaml);
		assert_int_equal(driver->scan(driver, &tree->host, &list, NULL), 0);
		print_list(tree, &list, &text);
		if (strcmp(strbuf_str(&text), shipped[i].listing) != 0)
			fail_msg("%s: found\n%sexpected\n%s", shipped[i].name, strbuf_str(&text),
				 shipped[i].listing);
	}
}

/* None of them takes another's cards, nor the furniture of a machine. */
static void test_strangers(void **state)
{
	const struct tree *tree = *state;
	size_t n;
	const struct declared_builtin *builtins = declared_builtins(&n);

	acme_add_card(tree, 0, BDF_1);
	acme_add_pci(tree, BDF_2, "0x8086\n", "0x1572\n", "0x020000\n");
	for (size_t i = 0; i < n; i++) {
		_cleanup_(declared_driver_freep) struct driver *driver = NULL;
		_cleanup_device_list_ struct device_list list = { 0 };
		struct error err = { 0 };
		int r = declared_from_builtin(builtins[i].name, &driver, &err);

		if (builtins[i].needs_pci_vendor) {
			assert_int_equal(r, -EINVAL);
			assert_non_null(strstr(err.msg, "its PCI vendor has to be configured"));
			continue;
		}
		assert_int_equal(r, 0);
		assert_true(driver->opt_in);
		assert_non_null(strstr(driver->doc.evidence, "not found"));
		assert_int_equal(driver->scan(driver, &tree->host, &list, NULL), 0);
		assert_int_equal(list.n, 0);
	}
}

static void test_unknown_builtin(void **state)
{
	struct driver *driver = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(declared_from_builtin("acme", &driver, &err), -ENOENT);
	assert_string_equal(err.msg, "there is no description 'acme'; known are graphcore, groq, "
				     "hyperaccel, sambanova, sapeon");
	assert_null(driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_extend),
		cmocka_unit_test(test_extend_lists),
		TREE_TEST(test_shipped),
		TREE_TEST(test_strangers),
		cmocka_unit_test(test_unknown_builtin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
