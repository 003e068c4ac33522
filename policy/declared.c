/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/declared.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/declared_builtin.h"

#define PCI_CLASS_DIGITS 6 /* base class, sub-class and interface */

/* What the keys accept, the driver's description can hold. */
#define FITS(config, spec) static_assert((config) <= (spec), #config " fits")
FITS(CONFIG_DRIVER_NAME_MAX, DECLARED_NAME_MAX);
FITS(CONFIG_DRIVER_NAME_MAX, DECLARED_AFFIX_MAX);
FITS(CONFIG_DRIVER_TEXT_MAX, DECLARED_VENDOR_MAX);
FITS(CONFIG_DRIVER_TEXT_MAX, DECLARED_CLASS_MAX);
FITS(CONFIG_DRIVER_TEXT_MAX, DECLARED_VALUE_MAX);
FITS(CONFIG_DRIVER_TEXT_MAX, DECLARED_ENV_NAME_MAX);
FITS(CONFIG_DRIVER_TEXT_MAX, DEVICE_PRODUCT_MAX);
FITS(CONFIG_DRIVER_PATH_MAX, NODE_PATH_MAX);
FITS(CONFIG_DRIVER_ATTRIBUTE_MAX, DECLARED_ATTRIBUTE_MAX);
FITS(CONFIG_DRIVER_EXISTS_MAX, DEVICE_PATH_MAX);
FITS(CONFIG_DRIVER_MOUNT_MAX, DECLARED_MOUNT_MAX);
FITS(CONFIG_DRIVER_EVIDENCE_MAX, DECLARED_EVIDENCE_MAX);
FITS(CONFIG_DRIVER_FILES_MAX, DECLARED_FILES_MAX);
FITS(CONFIG_DRIVER_NODES_MAX, DECLARED_NODES_MAX);
FITS(CONFIG_DRIVER_IDS_MAX, DECLARED_IDS_MAX);
FITS(CONFIG_DRIVER_ENV_MAX, DECLARED_ENV_MAX);
FITS(CONFIG_DRIVER_MOUNTS_MAX, DECLARED_MOUNTS_MAX);
FITS(CONFIG_DRIVER_CORES_MAX, DEVICE_CORES_MAX);

/* Replaces @dst, a field that is large enough, if @src was written. */
static void put(char *dst, size_t size, const char *src)
{
	if (src[0] != '\0')
		(void)str_copy(dst, size, src);
}
#define PUT(dst, src) put(dst, sizeof(dst), src)

/* A number that the keys have checked; 0 for one that was not written. */
static uint32_t hex(const char *text)
{
	uint64_t number = 0;

	(void)parse_u64(text, 16, &number);
	return (uint32_t)number;
}

/* --- match --- */

/* "1200" is the first four digits of a class, whatever the last two are. */
static void put_pci_class(struct declared_match *match, const char *text)
{
	const char *digits = str_starts_with(text, "0x");
	unsigned int shift;

	digits = digits ? digits : text;
	if (digits[0] == '\0')
		return;
	shift = 4 * (PCI_CLASS_DIGITS - (unsigned int)strlen(digits));
	match->pci_class = hex(digits) << shift;
	match->pci_class_mask = 0xffffffU << shift & 0xffffffU;
}

static void put_pci(struct declared_match *match, const struct config_pci_match *config)
{
	if (config->vendor[0] != '\0') {
		match->pci_vendor = (uint16_t)hex(config->vendor);
		match->n_ids = 0;
	}
	put_pci_class(match, config->class);
	for (size_t i = 0; i < config->n_devices; i++) {
		struct declared_id *id = &match->ids[i];

		*id = (struct declared_id) { .device = (uint16_t)hex(config->devices[i].device) };
		PUT(id->product, config->devices[i].product);
		match->n_ids = i + 1;
	}
}

static void put_match(struct declared_match *match, const struct config_match *config)
{
	put_pci(match, &config->pci);
	if (config->class.name[0] == '\0' && config->n_files == 0)
		return;
	memset(match->class_name, 0, sizeof(match->class_name));
	memset(match->prefix, 0, sizeof(match->prefix));
	memset(match->suffix, 0, sizeof(match->suffix));
	PUT(match->class_name, config->class.name);
	PUT(match->prefix, config->class.prefix);
	PUT(match->suffix, config->class.suffix);
	match->n_files = config->n_files;
	for (size_t i = 0; i < config->n_files; i++)
		PUT(match->files[i], config->files[i].path);
}

/* --- facts --- */

static void put_attributes(struct declared_spec *spec, const struct config_attributes *config)
{
	const char *const attributes[] = {
		[DECLARED_UUID] = config->uuid,
		[DECLARED_SERIAL] = config->serial,
		[DECLARED_PRODUCT] = config->product,
		[DECLARED_DRIVER_VERSION] = config->driver_version,
		[DECLARED_FIRMWARE_VERSION] = config->firmware_version,
		[DECLARED_BDF] = config->bdf,
	};

	static_assert(ARRAY_SIZE(attributes) == _DECLARED_FACT_MAX, "an attribute for each fact");
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		PUT(spec->attributes[i], attributes[i]);
}

static void put_health(struct declared_health *health, const struct config_driver_health *config)
{
	static const enum declared_test tests[_CONFIG_TEST_MAX] = {
		[CONFIG_TEST_NONE] = DECLARED_TEST_NONE,
		[CONFIG_TEST_EQUALS] = DECLARED_TEST_EQUALS,
		[CONFIG_TEST_NOT_EQUALS] = DECLARED_TEST_NOT_EQUALS,
		[CONFIG_TEST_LESS_THAN] = DECLARED_TEST_LESS_THAN,
	};
	static const struct config_driver_health none;

	if (memcmp(config, &none, sizeof(none)) == 0)
		return;
	*health = (struct declared_health) { .test = tests[config->test] };
	PUT(health->exists, config->exists);
	PUT(health->attribute, config->attribute);
	PUT(health->value, config->value);
	PUT(health->other, config->value_attribute);
}

/* --- what a container gets --- */

static void put_nodes(struct declared_spec *spec, const struct config_driver *config)
{
	for (size_t i = 0; i < config->n_nodes; i++) {
		spec->nodes[i] = (struct declared_node) { .optional = config->nodes[i].optional };
		PUT(spec->nodes[i].path, config->nodes[i].path);
	}
	if (config->n_nodes > 0)
		spec->n_nodes = config->n_nodes;
}

static void put_env(struct declared_spec *spec, const struct config_driver *config)
{
	static const enum driver_env_value values[_CONFIG_ENV_VALUE_MAX] = {
		[CONFIG_ENV_UUID] = DRIVER_ENV_UUID,
		[CONFIG_ENV_INDEX] = DRIVER_ENV_INDEX,
		[CONFIG_ENV_NODE] = DRIVER_ENV_NODE,
		[CONFIG_ENV_BDF] = DRIVER_ENV_BDF,
	};

	for (size_t i = 0; i < config->n_env; i++) {
		spec->env[i] = (struct declared_env) { .value = values[config->env[i].value] };
		PUT(spec->env[i].name, config->env[i].name);
	}
	if (config->n_env > 0)
		spec->n_env = config->n_env;
}

static void put_mounts(struct declared_spec *spec, const struct config_driver *config)
{
	for (size_t i = 0; i < config->n_mounts; i++) {
		spec->mounts[i] =
			(struct declared_mount) { .read_only = config->mounts[i].read_only };
		PUT(spec->mounts[i].path, config->mounts[i].path);
	}
	if (config->n_mounts > 0)
		spec->n_mounts = config->n_mounts;
}

/* Puts what was written over what is there. */
static void put_driver(struct declared_spec *spec, const struct config_driver *config)
{
	PUT(spec->name, config->name);
	PUT(spec->vendor, config->vendor);
	put_match(&spec->match, &config->match);
	put_nodes(spec, config);
	put_attributes(spec, &config->attributes);
	PUT(spec->product, config->product);
	if (config->memory_bytes > 0)
		spec->memory_bytes = config->memory_bytes;
	if (config->cores > 0)
		spec->cores = config->cores;
	put_health(&spec->health, &config->health);
	if (config->temperature.attribute[0] != '\0')
		spec->temperature_milli = config->temperature.unit == CONFIG_MILLICELSIUS;
	PUT(spec->temperature, config->temperature.attribute);
	put_env(spec, config);
	put_mounts(spec, config);
	if (config->identity == CONFIG_IDENTITY_INDEX)
		spec->identity_by_index = true;
	PUT(spec->evidence, config->evidence);
}

/* --- the descriptions that Silica brings along --- */

static int unknown_builtin(const char *name, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX);
	size_t n;
	const struct declared_builtin *builtins = declared_builtins(&n);

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", builtins[i].name);
	return error_set(err, ENOENT, "there is no description '%s'; known are %s", name,
			 strbuf_str(&known));
}

static int put_builtin(struct declared_spec *spec, const struct declared_builtin *builtin,
		       struct error *err)
{
	_cleanup_config_driver_ struct config_driver config = { 0 };
	int r = config_driver_parse(builtin->text, strlen(builtin->text), builtin->name, &config,
				    err);

	if (r < 0)
		return r;
	put_driver(spec, &config);
	spec->opt_in = true;
	return 0;
}

static int check_vendor(const struct declared_spec *spec, const struct declared_builtin *builtin,
			struct error *err)
{
	uint16_t vendor = spec->match.pci_vendor;

	if (builtin->needs_pci_vendor && vendor == 0)
		return error_set(err, EINVAL,
				 "its PCI vendor has to be configured: declare a driver with "
				 "'extends: %s' and 'match: {pci: {vendor: \"...\"}}'",
				 builtin->name);
	if (vendor != 0 && vendor == builtin->wrong_pci_vendor)
		return error_set(err, EINVAL, "PCI vendor %04x is another vendor's", vendor);
	return 0;
}

int declared_from_builtin(const char *name, struct driver **ret, struct error *err)
{
	const struct declared_builtin *builtin = declared_builtin(name);
	struct declared_spec spec = { 0 };
	int r;

	if (!builtin)
		return unknown_builtin(name, err);
	r = put_builtin(&spec, builtin, err);
	if (r == 0)
		r = check_vendor(&spec, builtin, err);
	if (r == 0)
		r = declared_driver_new(&spec, ret, err);
	return r < 0 ? error_wrap(err, r, "driver '%s'", name) : 0;
}

static int make_driver(const struct config_driver *config, struct driver **ret, struct error *err)
{
	const struct declared_builtin *builtin = NULL;
	struct declared_spec spec = { 0 };
	int r = 0;

	if (driver_find(config->name))
		return error_set(err, EEXIST, "the name is that of a driver of Silica");
	if (config->extends[0] != '\0') {
		builtin = declared_builtin(config->extends);
		r = builtin ? put_builtin(&spec, builtin, err)
			    : unknown_builtin(config->extends, err);
	}
	if (r < 0)
		return r;
	put_driver(&spec, config);
	spec.opt_in = false; /* to declare it is to ask for it */
	r = builtin ? check_vendor(&spec, builtin, err) : 0;
	return r < 0 ? r : declared_driver_new(&spec, ret, err);
}

int declared_from_config(const struct config_driver *config, struct driver **ret, struct error *err)
{
	int r = make_driver(config, ret, err);

	return r < 0 ? error_wrap(err, r, "driver '%s'", config->name) : 0;
}
