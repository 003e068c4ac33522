/* SPDX-License-Identifier: Apache-2.0 */
/* The row that is made of a description; each field of one makes another driver. */
#include <stdio.h>
#include <string.h>

#include "drivers/declared.h"
#include "tests/test.h"
#include "tests/unit/drivers/acme.h"

typedef void (*spec_fn)(struct declared_spec *spec);

static struct driver *make_driver(spec_fn change)
{
	struct declared_spec spec;
	struct driver *driver = NULL;

	acme_spec(&spec);
	if (change)
		change(&spec);
	assert_int_equal(declared_driver_new(&spec, &driver, NULL), 0);
	return driver;
}

static void test_row(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *driver = make_driver(NULL);

	(void)state;
	assert_string_equal(driver->name, "acme");
	assert_string_equal(driver->vendor, "Acme");
	assert_false(driver->opt_in);
	assert_string_equal(driver->env[0].name, "ACME_VISIBLE_DEVICES");
	assert_int_equal(driver->env[0].value, DRIVER_ENV_INDEX);
	assert_null(driver->env[1].name);
	assert_string_equal(driver->mounts[0].path, "/opt/acme");
	assert_true(driver->mounts[0].read_only);
	assert_null(driver->mounts[1].path);
	assert_string_equal(driver->node_dirs[0], "dev/acme");
	assert_null(driver->node_dirs[1]);
	assert_string_equal(driver->subsystems[0], "acme");
	assert_null(driver->subsystems[1]);
	assert_string_equal(driver->doc.reads,
			    "`/sys/class/acme/acme!cardN`, PCI vendor `acce`, PCI class `120000`");
	assert_string_equal(driver->doc.health,
			    "it is there, with its device files; `status` is `0`");
	assert_string_equal(driver->doc.nodes, "`/dev/{name}`, `/dev/acme/ctl` if there");
	assert_string_equal(driver->doc.identity, "UUID, else serial number, else PCI address");
	assert_null(declared_driver_warning(driver));
	assert_non_null(declared_driver_spec(driver));
	assert_null(declared_driver_spec(&furiosa_driver));
	assert_null(declared_driver_warning(&furiosa_driver));
}

#define CHANGE(NAME, STATEMENT)                      \
	static void NAME(struct declared_spec *spec) \
	{                                            \
		STATEMENT;                           \
	}
CHANGE(other_name, spec->name[0] = 'b')
CHANGE(other_vendor_text, spec->vendor[0] = 'b')
CHANGE(other_opt_in, spec->opt_in = true)
CHANGE(other_pci_vendor, spec->match.pci_vendor++)
CHANGE(other_pci_class, spec->match.pci_class = 0x110000)
CHANGE(other_pci_mask, spec->match.pci_class_mask = 0xffffff)
CHANGE(other_class_name, spec->match.class_name[0] = 'b')
CHANGE(other_prefix, spec->match.prefix[0] = 'b')
CHANGE(other_suffix, spec->match.suffix[0] = 'b')
CHANGE(other_node, spec->nodes[1].path[5] = 'b')
CHANGE(other_optional, spec->nodes[1].optional = false)
CHANGE(other_ids, spec->match.n_ids = 1)
CHANGE(fewer_nodes, spec->n_nodes--)
CHANGE(other_attribute, spec->attributes[DECLARED_SERIAL][0] = 'b')
CHANGE(other_product, spec->product[0] = 'b')
CHANGE(other_memory, spec->memory_bytes++)
CHANGE(other_cores, spec->cores++)
CHANGE(other_exists, (void)snprintf(spec->health.exists, DEVICE_PATH_MAX, "/sys/x"))
CHANGE(other_health, spec->health.attribute[0] = 'b')
CHANGE(other_test, spec->health.test = DECLARED_TEST_NOT_EQUALS)
CHANGE(other_value, spec->health.value[0] = '1')
CHANGE(other_temperature, spec->temperature[0] = 'b')
CHANGE(other_unit, spec->temperature_milli = false)
CHANGE(other_env_name, spec->env[0].name[0] = 'B')
CHANGE(other_env_value, spec->env[0].value = DRIVER_ENV_BDF)
CHANGE(fewer_env, spec->n_env--)
CHANGE(other_mount, spec->mounts[0].path[1] = 'b')
CHANGE(other_read_only, spec->mounts[0].read_only = false)
CHANGE(fewer_mounts, spec->n_mounts--)
CHANGE(other_identity, spec->identity_by_index = true)
CHANGE(other_evidence, spec->evidence[0] = 'b')
/* What stands behind a text is not part of it. */
CHANGE(rest_of_text, spec->product[sizeof(spec->product) - 1] = 'x')

static const spec_fn differences[] = {
	other_ids,	 other_name,	 other_vendor_text, other_opt_in,    other_pci_vendor,
	other_pci_class, other_pci_mask, other_class_name,  other_prefix,    other_suffix,
	other_node,	 other_optional, fewer_nodes,	    other_attribute, other_product,
	other_memory,	 other_cores,	 other_exists,	    other_health,    other_test,
	other_value,	 other_unit,	 other_temperature, other_env_name,  other_env_value,
	fewer_env,	 other_mount,	 other_read_only,   fewer_mounts,    other_identity,
	other_evidence,
};

static void test_equal(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *a = make_driver(NULL);
	_cleanup_(declared_driver_freep) struct driver *same = make_driver(NULL);
	_cleanup_(declared_driver_freep) struct driver *rest = make_driver(rest_of_text);

	(void)state;
	assert_true(declared_driver_equal(a, a));
	assert_true(declared_driver_equal(a, same));
	assert_true(declared_driver_equal(a, rest));
	assert_true(declared_driver_equal(&furiosa_driver, &furiosa_driver));
	assert_false(declared_driver_equal(a, &furiosa_driver));
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		_cleanup_(declared_driver_freep) struct driver *b = make_driver(differences[i]);

		if (declared_driver_equal(a, b) || declared_driver_equal(b, a))
			fail_msg("difference %zu is not seen", i);
	}
}

static void by_files(struct declared_spec *spec)
{
	spec->match.class_name[0] = '\0';
	spec->match.prefix[0] = '\0';
	spec->match.n_files = 1;
	(void)snprintf(spec->match.files[0], NODE_PATH_MAX, "/dev/acme{index}");
}

static void by_other_files(struct declared_spec *spec)
{
	by_files(spec);
	spec->match.files[0][5] = 'b';
}

static void test_files(void **state)
{
	_cleanup_(declared_driver_freep) struct driver *a = make_driver(by_files);
	_cleanup_(declared_driver_freep) struct driver *same = make_driver(by_files);
	_cleanup_(declared_driver_freep) struct driver *b = make_driver(by_other_files);
	_cleanup_(declared_driver_freep) struct driver *c = make_driver(NULL);

	(void)state;
	assert_true(declared_driver_equal(a, same));
	assert_false(declared_driver_equal(a, b));
	assert_false(declared_driver_equal(a, c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
