/* SPDX-License-Identifier: Apache-2.0 */
/* What a description must be: each case breaks a good one in one place. */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "drivers/declared.h"
#include "tests/test.h"
#include "tests/unit/drivers/acme.h"

#define SET(field, text) (void)str_copy(spec->field, sizeof(spec->field), text)

static void nothing(struct declared_spec *spec)
{
	(void)spec;
}

static void by_files(struct declared_spec *spec)
{
	SET(match.class_name, "");
	SET(match.prefix, "");
	spec->match.n_files = 1;
	SET(match.files[0], "/dev/acme{index}");
}

static void by_pci(struct declared_spec *spec)
{
	SET(match.class_name, "");
	SET(match.prefix, "");
	SET(nodes[0].path, "/dev/acme/{bdf}");
	spec->n_env = 0;
}

static void no_name(struct declared_spec *spec)
{
	SET(name, "");
}
static void upper_name(struct declared_spec *spec)
{
	SET(name, "Acme");
}
static void no_vendor(struct declared_spec *spec)
{
	SET(vendor, "");
}
static void control_vendor(struct declared_spec *spec)
{
	SET(vendor, "Ac\nme");
}
static void bad_product(struct declared_spec *spec)
{
	SET(product, "A 100");
}
static void many_cores(struct declared_spec *spec)
{
	spec->cores = DEVICE_CORES_MAX + 1;
}
static void bad_evidence(struct declared_spec *spec)
{
	SET(evidence, "two\nlines");
}
static void ids_without_vendor(struct declared_spec *spec)
{
	spec->match.pci_vendor = 0;
	spec->match.n_ids = 1;
}
static void many_ids(struct declared_spec *spec)
{
	spec->match.n_ids = 1000;
}
static void bad_id_product(struct declared_spec *spec)
{
	spec->match.n_ids = 1;
	SET(match.ids[0].product, "a/b");
}
static void wide_class(struct declared_spec *spec)
{
	spec->match.pci_class_mask = 0x1ffffff;
}
static void class_outside_mask(struct declared_spec *spec)
{
	spec->match.pci_class_mask = 0xff0000;
	spec->match.pci_class = 0x120001;
}
static void prefix_without_class(struct declared_spec *spec)
{
	SET(match.class_name, "");
}
static void class_and_files(struct declared_spec *spec)
{
	spec->match.n_files = 1;
}
static void class_upwards(struct declared_spec *spec)
{
	SET(match.class_name, "..");
}
static void class_path(struct declared_spec *spec)
{
	SET(match.class_name, "../bus");
}
static void prefix_path(struct declared_spec *spec)
{
	SET(match.prefix, "../acme");
}
static void long_affixes(struct declared_spec *spec)
{
	SET(match.prefix, "0123456789012345");
	SET(match.suffix, "01234567890");
}
static void no_match(struct declared_spec *spec)
{
	by_pci(spec);
	spec->match.pci_vendor = 0;
}
static void many_files(struct declared_spec *spec)
{
	by_files(spec);
	spec->match.n_files = 1000;
}
static void file_outside(struct declared_spec *spec)
{
	by_files(spec);
	SET(match.files[0], "/etc/shadow{index}");
}
static void file_upwards(struct declared_spec *spec)
{
	by_files(spec);
	SET(match.files[0], "/dev/../etc/a{index}");
}
static void file_without_index(struct declared_spec *spec)
{
	by_files(spec);
	SET(match.files[0], "/dev/acme");
}
static void file_with_two(struct declared_spec *spec)
{
	by_files(spec);
	SET(match.files[0], "/dev/acme{index}_{index}");
}
static void file_in_dirs(struct declared_spec *spec)
{
	by_files(spec);
	SET(match.files[0], "/dev/acme{index}/ctl");
}
static void long_file(struct declared_spec *spec)
{
	by_files(spec);
	SET(match.files[0], "/dev/acme01234567890123456789012{index}");
}
static void many_nodes(struct declared_spec *spec)
{
	spec->n_nodes = 1000;
}
static void node_outside(struct declared_spec *spec)
{
	SET(nodes[0].path, "/etc/shadow");
}
static void node_upwards(struct declared_spec *spec)
{
	SET(nodes[0].path, "/dev/acme/../../etc/shadow");
}
static void node_of_dev(struct declared_spec *spec)
{
	SET(nodes[0].path, "/dev/");
}
static void node_twice_slash(struct declared_spec *spec)
{
	SET(nodes[0].path, "/dev//acme");
}
static void node_unknown(struct declared_spec *spec)
{
	SET(nodes[0].path, "/dev/{uuid}");
}
static void node_open_brace(struct declared_spec *spec)
{
	SET(nodes[0].path, "/dev/acme{index");
}
static void node_control(struct declared_spec *spec)
{
	SET(nodes[0].path, "/dev/ac\tme");
}
static void pci_node_index(struct declared_spec *spec)
{
	by_pci(spec);
	SET(nodes[0].path, "/dev/acme{index}");
}
static void pci_node_name(struct declared_spec *spec)
{
	by_pci(spec);
	SET(nodes[0].path, "/dev/{name}");
}
static void pci_env_index(struct declared_spec *spec)
{
	by_pci(spec);
	spec->n_env = 1;
}
static void pci_bdf(struct declared_spec *spec)
{
	by_pci(spec);
	SET(attributes[DECLARED_BDF], "busname");
}
static void absolute_attribute(struct declared_spec *spec)
{
	SET(attributes[DECLARED_UUID], "/etc/machine-id");
}
static void attribute_upwards(struct declared_spec *spec)
{
	SET(attributes[DECLARED_SERIAL], "device/../../x");
}
static void two_stars(struct declared_spec *spec)
{
	SET(temperature, "a/*/b/*/c");
}
static void star_in_name(struct declared_spec *spec)
{
	SET(temperature, "hwmon/hwmon*/temp1_input");
}
static void star_first(struct declared_spec *spec)
{
	SET(temperature, "*/temp1_input");
}
static void star_last(struct declared_spec *spec)
{
	SET(temperature, "hwmon/*");
}
static void exists_outside(struct declared_spec *spec)
{
	SET(health.exists, "/etc/passwd");
}
static void exists_upwards(struct declared_spec *spec)
{
	SET(health.exists, "/sys/../etc/passwd");
}
static void health_upwards(struct declared_spec *spec)
{
	SET(health.attribute, "..");
}
static void other_upwards(struct declared_spec *spec)
{
	SET(health.value, "");
	SET(health.other, "../x");
}
static void no_test(struct declared_spec *spec)
{
	spec->health.test = DECLARED_TEST_NONE;
}
static void test_without_attribute(struct declared_spec *spec)
{
	SET(health.attribute, "");
}
static void unknown_test(struct declared_spec *spec)
{
	spec->health.test = _DECLARED_TEST_MAX;
}
static void no_value(struct declared_spec *spec)
{
	SET(health.value, "");
}
static void two_values(struct declared_spec *spec)
{
	SET(health.other, "limit");
}
static void control_value(struct declared_spec *spec)
{
	SET(health.value, "\x01");
}
static void lower_env(struct declared_spec *spec)
{
	SET(env[0].name, "ld_preload");
}
static void digit_env(struct declared_spec *spec)
{
	SET(env[0].name, "0ACME");
}
static void env_with_equals(struct declared_spec *spec)
{
	SET(env[0].name, "A=B");
}
static void unknown_env(struct declared_spec *spec)
{
	spec->env[0].value = _DRIVER_ENV_VALUE_MAX;
}
static void same_env(struct declared_spec *spec)
{
	spec->env[1] = spec->env[0];
	spec->n_env = 2;
}
static void many_env(struct declared_spec *spec)
{
	spec->n_env = 1000;
}
static void root_mount(struct declared_spec *spec)
{
	SET(mounts[0].path, "/");
}
static void relative_mount(struct declared_spec *spec)
{
	SET(mounts[0].path, "opt");
}
static void mount_upwards(struct declared_spec *spec)
{
	SET(mounts[0].path, "/opt/../etc");
}
static void same_mount(struct declared_spec *spec)
{
	spec->mounts[1] = spec->mounts[0];
	spec->n_mounts = 2;
}
static void many_mounts(struct declared_spec *spec)
{
	spec->n_mounts = 1000;
}

static const struct {
	void (*change)(struct declared_spec *spec);
	int result;
	const char *text; /* part of the reason */
} cases[] = {
	{ nothing, 0, NULL },
	{ by_files, 0, NULL },
	{ by_pci, 0, NULL },
	{ no_name, -EINVAL, "name '' must have" },
	{ upper_name, -EINVAL, "name 'Acme' must have" },
	{ no_vendor, -EINVAL, "vendor '' must be" },
	{ control_vendor, -EINVAL, "vendor 'Ac" },
	{ bad_product, -EINVAL, "product 'A 100' must have" },
	{ many_cores, -EINVAL, "65 cores" },
	{ bad_evidence, -EINVAL, "evidence must be" },
	{ ids_without_vendor, -EINVAL, "ids need a PCI vendor" },
	{ many_ids, -E2BIG, "1000 PCI device ids" },
	{ bad_id_product, -EINVAL, "product 'a/b'" },
	{ wide_class, -EINVAL, "24 bits" },
	{ class_outside_mask, -EINVAL, "24 bits" },
	{ prefix_without_class, -EINVAL, "need a class" },
	{ class_and_files, -EINVAL, "not both" },
	{ class_upwards, -EINVAL, "'..' is no name of a class" },
	{ class_path, -EINVAL, "'../bus' is no name of a class" },
	{ prefix_path, -EINVAL, "'../acmeN' is no name of an entry" },
	{ long_affixes, -EINVAL, "too long for a name" },
	{ no_match, -EINVAL, "match needs" },
	{ many_files, -E2BIG, "1000 device files to match" },
	{ file_outside, -EINVAL, "no path of a file below /dev" },
	{ file_upwards, -EINVAL, "no path of a file below /dev" },
	{ file_without_index, -EINVAL, "must have {index} once" },
	{ file_with_two, -EINVAL, "must have {index} once" },
	{ file_in_dirs, -EINVAL, "must have {index} once" },
	{ long_file, -EINVAL, "too long for a name" },
	{ many_nodes, -E2BIG, "1000 device files, at most 16" },
	{ node_outside, -EINVAL, "nodes: '/etc/shadow' is no path" },
	{ node_upwards, -EINVAL, "is no path of a file below /dev" },
	{ node_of_dev, -EINVAL, "is no path of a file below /dev" },
	{ node_twice_slash, -EINVAL, "is no path of a file below /dev" },
	{ node_unknown, -EINVAL, "a brace that is not" },
	{ node_open_brace, -EINVAL, "a brace that is not" },
	{ node_control, -EINVAL, "is no path of a file below /dev" },
	{ pci_node_index, -EINVAL, "has no index" },
	{ pci_node_name, -EINVAL, "has no index" },
	{ pci_env_index, -EINVAL, "has no index" },
	{ pci_bdf, -EINVAL, "bdf is for entries" },
	{ absolute_attribute, -EINVAL, "attributes: uuid: '/etc/machine-id' is no path" },
	{ attribute_upwards, -EINVAL, "attributes: serial: 'device/../../x' is no path" },
	{ two_stars, -EINVAL, "may have one '*'" },
	{ star_in_name, -EINVAL, "may have one '*'" },
	{ star_first, -EINVAL, "may have one '*'" },
	{ star_last, -EINVAL, "may have one '*'" },
	{ exists_outside, -EINVAL, "'/etc/passwd' is no path below /sys" },
	{ exists_upwards, -EINVAL, "is no path below /sys" },
	{ health_upwards, -EINVAL, "health: '..' is no path" },
	{ other_upwards, -EINVAL, "health: '../x' is no path" },
	{ no_test, -EINVAL, "belong together" },
	{ test_without_attribute, -EINVAL, "belong together" },
	{ unknown_test, -EINVAL, "unknown test" },
	{ no_value, -EINVAL, "either a value or another attribute" },
	{ two_values, -EINVAL, "either a value or another attribute" },
	{ control_value, -EINVAL, "printable" },
	{ lower_env, -EINVAL, "env: 'ld_preload'" },
	{ digit_env, -EINVAL, "env: '0ACME'" },
	{ env_with_equals, -EINVAL, "env: 'A=B'" },
	{ unknown_env, -EINVAL, "unknown value" },
	{ same_env, -EINVAL, "is there twice" },
	{ many_env, -E2BIG, "1000 variables" },
	{ root_mount, -EINVAL, "mounts: '/' is no absolute path" },
	{ relative_mount, -EINVAL, "mounts: 'opt' is no absolute path" },
	{ mount_upwards, -EINVAL, "mounts: '/opt/../etc' is no absolute path" },
	{ same_mount, -EINVAL, "is there twice" },
	{ many_mounts, -E2BIG, "1000 mounts" },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct declared_spec spec;
		struct driver *driver = NULL;
		struct error err = { 0 };
		int r;

		acme_spec(&spec);
		cases[i].change(&spec);
		r = declared_spec_check(&spec, &err);
		if (r != cases[i].result)
			fail_msg("case %zu: %d (%s)", i, r, error_text(&err, r));
		if (cases[i].text && !strstr(err.msg, cases[i].text))
			fail_msg("case %zu: '%s' lacks '%s'", i, err.msg, cases[i].text);
		assert_int_equal(declared_driver_new(&spec, &driver, NULL), r);
		assert_int_equal(driver != NULL, r == 0);
		declared_driver_free(driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
