/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a description, outermost last.  Types, lengths and what a row can
 * tell by itself are refused here, with line and column; what follows from the
 * whole is the business of whoever makes a driver of it.
 */
#include "api/config/declared_keys.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "api/config/schema_rows.h"
#include "base/macro.h"
#include "base/parse.h"

static const char *const tests[] = {
	[CONFIG_TEST_NONE] = "",
	[CONFIG_TEST_EQUALS] = "equals",
	[CONFIG_TEST_NOT_EQUALS] = "notEquals",
	[CONFIG_TEST_LESS_THAN] = "lessThan",
	NULL,
};
static const char *const temperature_units[] = {
	[CONFIG_CELSIUS] = "celsius",
	[CONFIG_MILLICELSIUS] = "millicelsius",
	NULL,
};
static const char *const env_values[] = {
	[CONFIG_ENV_UUID] = "uuid",
	[CONFIG_ENV_INDEX] = "index",
	[CONFIG_ENV_NODE] = "node",
	[CONFIG_ENV_BDF] = "bdf",
	NULL,
};
static const char *const identities[] = {
	[CONFIG_IDENTITY_HARDWARE] = "",
	[CONFIG_IDENTITY_INDEX] = "index",
	NULL,
};

static_assert(ARRAY_SIZE(tests) == _CONFIG_TEST_MAX + 1, "every test has a name");
static_assert(ARRAY_SIZE(temperature_units) == _CONFIG_TEMPERATURE_UNIT_MAX + 1,
	      "every unit has a name");
static_assert(ARRAY_SIZE(env_values) == _CONFIG_ENV_VALUE_MAX + 1, "every value has a name");
static_assert(ARRAY_SIZE(identities) == _CONFIG_IDENTITY_MAX + 1, "every identity has a name");
static_assert(sizeof(enum config_env_value) == sizeof(uint32_t), "SCHEMA_ENUM stores 32 bits");

/* --- checks --- */

static int check_word(const void *value, struct error *err)
{
	const char *text = value;

	if (text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return error_set(err, EINVAL,
				 "'%s' has more than lower-case letters, digits and '-'", text);
	return 0;
}

/* Hexadecimal digits behind an optional "0x"; 0 if it is something else. */
static size_t hex_digits(const char *text)
{
	const char *digits = str_starts_with(text, "0x");
	uint64_t number;

	digits = digits ? digits : text;
	return parse_u64(digits, 16, &number) == 0 && digits[0] != '\0' && !strchr(digits, 'x')
		       ? strlen(digits)
		       : 0;
}

static int check_pci_id(const void *value, struct error *err)
{
	const char *text = value;

	if (hex_digits(text) != 4)
		return error_set(err, EINVAL, "'%s' has to have four hexadecimal digits", text);
	return 0;
}

static int check_pci_vendor(const void *value, struct error *err)
{
	uint64_t number = 0;
	int r = check_pci_id(value, err);

	if (r < 0)
		return r;
	(void)parse_u64(value, 16, &number);
	if (number == 0 || number == 0xffff)
		return error_set(err, EINVAL, "no vendor has the number '%s'", (const char *)value);
	return 0;
}

static int check_pci_class(const void *value, struct error *err)
{
	const char *text = value;
	size_t n = hex_digits(text);

	if (n != 2 && n != 4 && n != 6)
		return error_set(err, EINVAL,
				 "'%s' has to have two, four or six hexadecimal digits", text);
	return 0;
}

/* --- match --- */

static const struct schema_key pci_id_keys[] = {
	{
		.name = "device",
		TEXT(struct config_pci_id, device),
		.check = check_pci_id,
		.text = "PCI device id: four hexadecimal digits in quotes.",
	},
	{
		.name = "product",
		.type = SCHEMA_STRING,
		FIELD(struct config_pci_id, product),
		.max = CONFIG_DRIVER_TEXT_MAX - 1,
		.text = "Product that it is; `\"\"` when that is not known.",
	},
};

static const struct schema_key pci_id_item = {
	.name = "devices.*",
	.size = sizeof(struct config_pci_id),
	MAPPING(pci_id_keys),
};

static const struct schema_key pci_keys[] = {
	{
		.name = "vendor",
		TEXT(struct config_pci_match, vendor),
		.check = check_pci_vendor,
		.text = "PCI vendor: four hexadecimal digits in quotes.",
	},
	{
		.name = "class",
		TEXT(struct config_pci_match, class),
		.check = check_pci_class,
		.text = "PCI class: two, four or six hexadecimal digits in quotes, as in "
			"`\"1200\"`.",
	},
	{
		.name = "devices",
		.type = SCHEMA_MAP,
		ITEMS(struct config_pci_match, devices, n_devices),
		.min = 1,
		.max = CONFIG_DRIVER_IDS_MAX,
		.item = &pci_id_item,
		.text = "PCI device ids and their products; any device of the vendor when left "
			"out.",
	},
};

static const struct schema_key class_keys[] = {
	{
		.name = "name",
		TEXT(struct config_class_match, name),
		.required = true,
		.text = "Directory in `/sys/class`.",
	},
	{
		.name = "prefix",
		TEXT(struct config_class_match, prefix),
		.text = "What an entry has in front of its number; `!` stands for `/`.",
	},
	{
		.name = "suffix",
		TEXT(struct config_class_match, suffix),
		.text = "What an entry has behind its number.",
	},
};

static const struct schema_key file_item = {
	.name = "deviceFiles[]",
	TEXT(struct config_device_file, path),
};

static const struct schema_key match_keys[] = {
	{
		.name = "pci",
		FIELD(struct config_match, pci),
		MAPPING(pci_keys),
		.text = "What the PCI device must be; without `class` and `deviceFiles`, each PCI "
			"device that fits is a card.",
	},
	{
		.name = "class",
		FIELD(struct config_match, class),
		MAPPING(class_keys),
		.text = "Each entry of a class of the kernel is a card.",
	},
	{
		.name = "deviceFiles",
		.type = SCHEMA_LIST,
		ITEMS(struct config_match, files, n_files),
		.min = 1,
		.max = CONFIG_DRIVER_FILES_MAX,
		.item = &file_item,
		.text = "Each file of this name is a card, as in `/dev/acme{index}`; several when "
			"it is spelled in several ways.",
	},
};

/* --- what is known of a card --- */

static const struct schema_key node_keys[] = {
	{
		.name = "path",
		TEXT(struct config_node, path),
		.required = true,
		.text = "Path on the host, with `{index}`, `{name}` or `{bdf}` in the place of "
			"what differs; without any of them all cards share it.",
	},
	{
		.name = "optional",
		.type = SCHEMA_BOOL,
		FIELD(struct config_node, optional),
		.default_value = "false",
		.text = "Whether a card works without it.",
	},
};

static const struct schema_key node_item = {
	.name = "deviceFiles[]",
	.size = sizeof(struct config_node),
	MAPPING(node_keys),
};

#define ATTRIBUTE(NAME, MEMBER, TEXT_)                                               \
	{                                                                            \
		.name = NAME, TEXT(struct config_attributes, MEMBER), .text = TEXT_, \
	}

static const struct schema_key attribute_keys[] = {
	ATTRIBUTE("uuid", uuid, "Universally unique identifier."),
	ATTRIBUTE("serial", serial, "Serial number."),
	ATTRIBUTE("product", product, "Name of the product."),
	ATTRIBUTE("driverVersion", driver_version, "Version of the kernel driver."),
	ATTRIBUTE("firmwareVersion", firmware_version, "Version of the firmware."),
	ATTRIBUTE("bdf", bdf,
		  "PCI address; where it is left out, the link `device` of the entry leads to it."),
};

static const struct schema_key health_keys[] = {
	{
		.name = "exists",
		TEXT(struct config_driver_health, exists),
		.text = "A path below `/sys` that is there while the cards can be used.",
	},
	{
		.name = "attribute",
		TEXT(struct config_driver_health, attribute),
		.text = "Attribute that tells whether the card works.",
	},
	{
		.name = "test",
		.type = SCHEMA_ENUM,
		FIELD(struct config_driver_health, test),
		.values = tests,
		.text = "How it does; `lessThan` compares whole numbers.",
	},
	{
		.name = "value",
		TEXT(struct config_driver_health, value),
		.text = "What the attribute is compared with, in quotes.",
	},
	{
		.name = "valueAttribute",
		TEXT(struct config_driver_health, value_attribute),
		.text = "Another attribute that it is compared with, instead of `value`.",
	},
};

static const struct schema_key temperature_keys[] = {
	{
		.name = "attribute",
		TEXT(struct config_temperature, attribute),
		.required = true,
		.text = "Attribute that tells the temperature.",
	},
	{
		.name = "unit",
		.type = SCHEMA_ENUM,
		FIELD(struct config_temperature, unit),
		.values = temperature_units,
		.default_value = "celsius",
		.text = "Its unit; the files of hwmon are in `millicelsius`.",
	},
};

static const struct schema_key env_keys[] = {
	{
		.name = "name",
		TEXT(struct config_env, name),
		.text = "Name of the variable.",
	},
	{
		.name = "value",
		.type = SCHEMA_ENUM,
		FIELD(struct config_env, value),
		.values = env_values,
		.text = "What of each card it names; several cards are separated by commas.",
	},
};

static const struct schema_key env_item = {
	.name = "env.*",
	.size = sizeof(struct config_env),
	MAPPING(env_keys),
};

static const struct schema_key mount_keys[] = {
	{
		.name = "path",
		TEXT(struct config_mount, path),
		.required = true,
		.text = "File or directory of the host; it has the same path in the container.",
	},
	{
		.name = "readOnly",
		.type = SCHEMA_BOOL,
		FIELD(struct config_mount, read_only),
		.default_value = "true",
		.text = "Whether the container may only read it.",
	},
};

static const struct schema_key mount_item = {
	.name = "mounts[]",
	.size = sizeof(struct config_mount),
	MAPPING(mount_keys),
};

static const struct schema_key driver_keys[] = {
	{
		.name = "name",
		TEXT(struct config_driver, name),
		.required = true,
		.check = check_word,
		.text = "Name of the driver, for selectors; no other driver has it.",
	},
	{
		.name = "extends",
		TEXT(struct config_driver, extends),
		.check = check_word,
		.text = "Name of a description that Silica brings along; what is written here "
			"takes the place of what is said there.",
	},
	{
		.name = "vendor",
		TEXT(struct config_driver, vendor),
		.text = "Name of the vendor, for people.",
	},
	{
		.name = "match",
		FIELD(struct config_driver, match),
		MAPPING(match_keys),
		.text = "What a card is known by; everything that is written must hold.",
	},
	{
		.name = "deviceFiles",
		.type = SCHEMA_LIST,
		ITEMS(struct config_driver, nodes, n_nodes),
		.min = 1,
		.max = CONFIG_DRIVER_NODES_MAX,
		.item = &node_item,
		.text = "Device files that a container gets; where `match` names them, that is the "
			"one when this is left out.",
	},
	{
		.name = "attributes",
		FIELD(struct config_driver, attributes),
		MAPPING(attribute_keys),
		.text = "Where the facts stand: paths below the card's entry in sysfs, of which "
			"one directory may be `*`.",
	},
	{
		.name = "product",
		TEXT(struct config_driver, product),
		.text = "Product of a card that says nothing of it.",
	},
	{
		.name = "memory",
		.type = SCHEMA_BYTES,
		FIELD(struct config_driver, memory_bytes),
		.min = 1,
		.max = CONFIG_DRIVER_MEMORY_MAX,
		.text = "Memory of one card.",
	},
	{
		.name = "cores",
		.type = SCHEMA_U32,
		FIELD(struct config_driver, cores),
		.min = 1,
		.max = CONFIG_DRIVER_CORES_MAX,
		.unit = "cores",
		.text = "Cores of one card.",
	},
	{
		.name = "health",
		FIELD(struct config_driver, health),
		MAPPING(health_keys),
		.text = "What must hold of a healthy card, beside that it is there.",
	},
	{
		.name = "temperature",
		FIELD(struct config_driver, temperature),
		MAPPING(temperature_keys),
		.text = "Where a card tells its temperature.",
	},
	{
		.name = "env",
		.type = SCHEMA_MAP,
		ITEMS(struct config_driver, env, n_env),
		.min = 1,
		.max = CONFIG_DRIVER_ENV_MAX,
		.item = &env_item,
		.text = "Variables by which the vendor's runtime finds the cards of a container.",
	},
	{
		.name = "mounts",
		.type = SCHEMA_LIST,
		ITEMS(struct config_driver, mounts, n_mounts),
		.min = 1,
		.max = CONFIG_DRIVER_MOUNTS_MAX,
		.item = &mount_item,
		.text = "Files of the host that the vendor's runtime needs; mounted where they are "
			"there.",
	},
	{
		.name = "identity",
		.type = SCHEMA_ENUM,
		FIELD(struct config_driver, identity),
		.values = identities,
		.text = "`index` lists cards that have neither UUID, serial number nor PCI address "
			"by the kernel's name of them; a renumbering is then not seen.",
	},
	{
		.name = "evidence",
		TEXT(struct config_driver, evidence),
		.text = "What the description rests on, for people.",
	},
};

static_assert(ARRAY_SIZE(driver_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");
static_assert(ARRAY_SIZE(match_keys) <= SCHEMA_KEYS_MAX, "a mapping has too many keys");

const struct schema_key config_driver_item = {
	.name = "declare[]",
	.size = sizeof(struct config_driver),
	MAPPING(driver_keys),
};

int config_driver_parse(const char *text, size_t len, const char *name, struct config_driver *ret,
			struct error *err)
{
	_cleanup_config_driver_ struct config_driver driver = { 0 };
	int r;

	if (len > CONFIG_DESCRIPTION_MAX)
		return error_set(err, EINVAL, "'%s' is longer than %d bytes", name,
				 CONFIG_DESCRIPTION_MAX);
	r = schema_read(&config_driver_item, text, len, name, &driver, NULL, err);
	if (r < 0)
		return r;
	*ret = driver;
	driver = (struct config_driver) { 0 };
	return 0;
}

void config_driver_done(struct config_driver *driver)
{
	schema_done(&config_driver_item, driver);
}
