/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a description must be.  Each rule is about one part and knows its words;
 * the order is that of the description, so the first fault is told first.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/declared.h"
#include "drivers/declared_path.h"
#include "drivers/sysfs.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_CHARACTERS LOWER SYSFS_DIGITS "-"
#define PRODUCT_CHARACTERS SYSFS_LETTERS SYSFS_DIGITS "-._"
/* What a kernel's name of a class or a device consists of; '!' stands for '/'. */
#define KERNEL_CHARACTERS SYSFS_LETTERS SYSFS_DIGITS "-._!:"
#define PCI_CLASS_MAX 0xffffff /* 24 bits */
#define INDEX_DIGITS_MAX 5     /* of SYSFS_INDEX_MAX */

static const char *const fact_names[] = {
	[DECLARED_UUID] = "uuid",
	[DECLARED_SERIAL] = "serial",
	[DECLARED_PRODUCT] = "product",
	[DECLARED_DRIVER_VERSION] = "driverVersion",
	[DECLARED_FIRMWARE_VERSION] = "firmwareVersion",
	[DECLARED_BDF] = "bdf",
};
_Static_assert(ARRAY_SIZE(fact_names) == _DECLARED_FACT_MAX, "a name for each fact");

static int check_count(const char *what, size_t n, size_t max, struct error *err)
{
	if (n > max)
		return error_set(err, E2BIG, "%zu %s, at most %zu are allowed", n, what, max);
	return 0;
}

static int check_counts(const struct declared_spec *spec, struct error *err)
{
	const struct {
		const char *what;
		size_t n, max;
	} counts[] = {
		{ "PCI device ids", spec->match.n_ids, DECLARED_IDS_MAX },
		{ "device files to match", spec->match.n_files, DECLARED_FILES_MAX },
		{ "device files", spec->n_nodes, DECLARED_NODES_MAX },
		{ "variables", spec->n_env, DECLARED_ENV_MAX },
		{ "mounts", spec->n_mounts, DECLARED_MOUNTS_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		int r = check_count(counts[i].what, counts[i].n, counts[i].max, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_names(const struct declared_spec *spec, struct error *err)
{
	if (!sysfs_consists_of(spec->name, NAME_CHARACTERS))
		return error_set(err, EINVAL,
				 "name '%s' must have lower-case letters, digits and '-' only",
				 spec->name);
	if (spec->vendor[0] == '\0' || !str_is_printable(spec->vendor))
		return error_set(err, EINVAL, "vendor '%s' must be a text for people",
				 spec->vendor);
	if (spec->product[0] != '\0' && !sysfs_consists_of(spec->product, PRODUCT_CHARACTERS))
		return error_set(err, EINVAL,
				 "product '%s' must have letters, digits, '-', '.' and '_' only",
				 spec->product);
	if (spec->cores > DEVICE_CORES_MAX)
		return error_set(err, EINVAL, "%u cores, at most %d are allowed", spec->cores,
				 DEVICE_CORES_MAX);
	if (!str_is_printable(spec->evidence))
		return error_set(err, EINVAL, "evidence must be one line of printable text");
	return 0;
}

static int check_pci(const struct declared_match *match, struct error *err)
{
	if (match->n_ids > 0 && match->pci_vendor == 0)
		return error_set(err, EINVAL, "match: PCI device ids need a PCI vendor");
	if (match->pci_class_mask > PCI_CLASS_MAX ||
	    (match->pci_class & ~match->pci_class_mask) != 0)
		return error_set(err, EINVAL, "match: a PCI class has 24 bits");
	for (size_t i = 0; i < match->n_ids; i++) {
		const char *product = match->ids[i].product;

		if (product[0] != '\0' && !sysfs_consists_of(product, PRODUCT_CHARACTERS))
			return error_set(err, EINVAL,
					 "match: product '%s' must have letters, digits, '-', '.' "
					 "and '_' only",
					 product);
	}
	return 0;
}

static bool is_class_name(const char *name)
{
	return sysfs_consists_of(name, KERNEL_CHARACTERS) && declared_path_is_relative(name);
}

static bool is_affix(const char *affix)
{
	return affix[0] == '\0' || sysfs_consists_of(affix, KERNEL_CHARACTERS);
}

static int check_class(const struct declared_match *match, struct error *err)
{
	if (match->class_name[0] == '\0') {
		if (match->prefix[0] != '\0' || match->suffix[0] != '\0')
			return error_set(err, EINVAL, "match: prefix and suffix need a class");
		return 0;
	}
	if (match->n_files > 0)
		return error_set(err, EINVAL, "match: either a class or device files, not both");
	if (!is_class_name(match->class_name))
		return error_set(err, EINVAL, "match: '%s' is no name of a class",
				 match->class_name);
	if (!is_affix(match->prefix) || !is_affix(match->suffix))
		return error_set(err, EINVAL, "match: '%sN%s' is no name of an entry",
				 match->prefix, match->suffix);
	if (strlen(match->prefix) + INDEX_DIGITS_MAX + strlen(match->suffix) >= DEVICE_NAME_MAX)
		return error_set(err, EINVAL, "match: '%sN%s' is too long for a name",
				 match->prefix, match->suffix);
	return 0;
}

static int check_file(const char *path, struct error *err)
{
	struct declared_pattern pattern;
	int r = declared_pattern_parse(path, &pattern, err);

	if (r < 0)
		return error_wrap(err, r, "match");
	if (strlen(path) - strlen("/dev/{index}") + INDEX_DIGITS_MAX >= DEVICE_NAME_MAX)
		return error_set(err, EINVAL, "match: '%s' is too long for a name", path);
	return 0;
}

static int check_match(const struct declared_spec *spec, struct error *err)
{
	const struct declared_match *match = &spec->match;
	int r;

	r = check_pci(match, err);
	if (r == 0)
		r = check_class(match, err);
	for (size_t i = 0; r == 0 && i < match->n_files; i++)
		r = check_file(match->files[i], err);
	/* Every device of a PCI class, whoever made it, is too wide a net. */
	if (r == 0 && match->class_name[0] == '\0' && match->n_files == 0 && match->pci_vendor == 0)
		return error_set(err, EINVAL, "match needs a PCI vendor, a class or a device file");
	return r;
}

/* PCI devices by themselves have no number and no name below /dev. */
static bool is_pci_alone(const struct declared_match *match)
{
	return match->class_name[0] == '\0' && match->n_files == 0;
}

static int check_nodes(const struct declared_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_nodes; i++) {
		const char *path = spec->nodes[i].path;
		unsigned int needs;
		int r = declared_template_check(path, &needs, err);

		if (r < 0)
			return error_wrap(err, r, "nodes");
		if (is_pci_alone(&spec->match) &&
		    (needs & (DECLARED_NEEDS_INDEX | DECLARED_NEEDS_NAME)) != 0)
			return error_set(err, EINVAL,
					 "nodes: '%s': a device known by PCI alone has no index "
					 "and no name",
					 path);
	}
	return 0;
}

static int check_attribute(const char *what, const char *attribute, struct error *err)
{
	const char *star = strchr(attribute, '*');

	if (attribute[0] == '\0')
		return 0;
	if (!declared_path_is_relative(attribute))
		return error_set(err, EINVAL, "%s: '%s' is no path below a device's entry", what,
				 attribute);
	if (!star)
		return 0;
	if (strchr(star + 1, '*') || star == attribute || star[-1] != '/' || star[1] != '/')
		return error_set(err, EINVAL,
				 "%s: '%s' may have one '*', for a directory between others", what,
				 attribute);
	return 0;
}

static int check_attributes(const struct declared_spec *spec, struct error *err)
{
	for (size_t i = 0; i < _DECLARED_FACT_MAX; i++) {
		int r = check_attribute(fact_names[i], spec->attributes[i], err);

		if (r < 0)
			return error_wrap(err, r, "attributes");
	}
	if (is_pci_alone(&spec->match) && spec->attributes[DECLARED_BDF][0] != '\0')
		return error_set(err, EINVAL,
				 "attributes: bdf is for entries of a class or device files");
	return check_attribute("temperature", spec->temperature, err);
}

static int check_health(const struct declared_health *health, struct error *err)
{
	bool has_value = health->value[0] != '\0' || health->other[0] != '\0';
	int r;

	if (health->exists[0] != '\0' && (!str_starts_with(health->exists, "/sys/") ||
					  !declared_path_is_relative(health->exists + 1)))
		return error_set(err, EINVAL, "health: '%s' is no path below /sys", health->exists);
	r = check_attribute("health", health->attribute, err);
	if (r == 0)
		r = check_attribute("health", health->other, err);
	if (r < 0)
		return r;
	if ((health->attribute[0] != '\0') != (health->test != DECLARED_TEST_NONE))
		return error_set(err, EINVAL, "health: an attribute and one test belong together");
	if (health->test >= _DECLARED_TEST_MAX)
		return error_set(err, EINVAL, "health: unknown test");
	if (has_value != (health->test != DECLARED_TEST_NONE) ||
	    (health->value[0] != '\0' && health->other[0] != '\0'))
		return error_set(err, EINVAL,
				 "health: the test needs either a value or another attribute");
	if (!str_is_printable(health->value))
		return error_set(err, EINVAL, "health: the value must be printable text");
	return 0;
}

/* A name as POSIX has it for variables of its own: upper case, digits, '_'. */
static bool is_variable(const char *name)
{
	return sysfs_consists_of(name, UPPER SYSFS_DIGITS "_") && !strchr(SYSFS_DIGITS, name[0]);
}

static int check_env(const struct declared_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_env; i++) {
		const struct declared_env *env = &spec->env[i];

		if (!is_variable(env->name))
			return error_set(err, EINVAL,
					 "env: '%s' must have upper-case letters, digits and '_'",
					 env->name);
		if (env->value >= _DRIVER_ENV_VALUE_MAX)
			return error_set(err, EINVAL, "env: '%s' has an unknown value", env->name);
		if (env->value == DRIVER_ENV_INDEX && is_pci_alone(&spec->match))
			return error_set(err, EINVAL,
					 "env: '%s': a device known by PCI alone has no index",
					 env->name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(spec->env[k].name, env->name) == 0)
				return error_set(err, EINVAL, "env: '%s' is there twice",
						 env->name);
	}
	return 0;
}

static int check_mounts(const struct declared_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const char *path = spec->mounts[i].path;

		if (path[0] != '/' || !declared_path_is_relative(path + 1))
			return error_set(err, EINVAL, "mounts: '%s' is no absolute path", path);
		for (size_t k = 0; k < i; k++)
			if (strcmp(spec->mounts[k].path, path) == 0)
				return error_set(err, EINVAL, "mounts: '%s' is there twice", path);
	}
	return 0;
}

int declared_spec_check(const struct declared_spec *spec, struct error *err)
{
	static int (*const checks[])(const struct declared_spec *spec, struct error *err) = {
		check_counts,	  check_names, check_match,  check_nodes,
		check_attributes, check_env,   check_mounts,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](spec, err);

		if (r < 0)
			return r;
	}
	return check_health(&spec->health, err);
}
