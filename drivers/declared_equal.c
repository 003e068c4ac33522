/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares descriptions field by field: behind the end of a text, and between
 * fields, equal ones may differ.
 */
#include <string.h>

#include "drivers/declared.h"
#include "drivers/driver.h"

static bool pci_equal(const struct declared_match *a, const struct declared_match *b)
{
	if (a->pci_vendor != b->pci_vendor || a->pci_class != b->pci_class ||
	    a->pci_class_mask != b->pci_class_mask || a->n_ids != b->n_ids)
		return false;
	for (size_t i = 0; i < a->n_ids; i++)
		if (a->ids[i].device != b->ids[i].device ||
		    strcmp(a->ids[i].product, b->ids[i].product) != 0)
			return false;
	return true;
}

static bool match_equal(const struct declared_match *a, const struct declared_match *b)
{
	if (!pci_equal(a, b) || strcmp(a->class_name, b->class_name) != 0 ||
	    strcmp(a->prefix, b->prefix) != 0 || strcmp(a->suffix, b->suffix) != 0 ||
	    a->n_files != b->n_files)
		return false;
	for (size_t i = 0; i < a->n_files; i++)
		if (strcmp(a->files[i], b->files[i]) != 0)
			return false;
	return true;
}

static bool nodes_equal(const struct declared_spec *a, const struct declared_spec *b)
{
	if (a->n_nodes != b->n_nodes)
		return false;
	for (size_t i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].optional != b->nodes[i].optional ||
		    strcmp(a->nodes[i].path, b->nodes[i].path) != 0)
			return false;
	return true;
}

static bool attributes_equal(const struct declared_spec *a, const struct declared_spec *b)
{
	for (size_t i = 0; i < _DECLARED_FACT_MAX; i++)
		if (strcmp(a->attributes[i], b->attributes[i]) != 0)
			return false;
	return strcmp(a->temperature, b->temperature) == 0 &&
	       a->temperature_milli == b->temperature_milli;
}

static bool health_equal(const struct declared_health *a, const struct declared_health *b)
{
	return a->test == b->test && strcmp(a->exists, b->exists) == 0 &&
	       strcmp(a->attribute, b->attribute) == 0 && strcmp(a->value, b->value) == 0 &&
	       strcmp(a->other, b->other) == 0;
}

static bool env_equal(const struct declared_spec *a, const struct declared_spec *b)
{
	if (a->n_env != b->n_env)
		return false;
	for (size_t i = 0; i < a->n_env; i++)
		if (a->env[i].value != b->env[i].value ||
		    strcmp(a->env[i].name, b->env[i].name) != 0)
			return false;
	return true;
}

static bool mounts_equal(const struct declared_spec *a, const struct declared_spec *b)
{
	if (a->n_mounts != b->n_mounts)
		return false;
	for (size_t i = 0; i < a->n_mounts; i++)
		if (a->mounts[i].read_only != b->mounts[i].read_only ||
		    strcmp(a->mounts[i].path, b->mounts[i].path) != 0)
			return false;
	return true;
}

static bool constants_equal(const struct declared_spec *a, const struct declared_spec *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->vendor, b->vendor) == 0 &&
	       strcmp(a->product, b->product) == 0 && strcmp(a->evidence, b->evidence) == 0 &&
	       a->opt_in == b->opt_in && a->memory_bytes == b->memory_bytes &&
	       a->cores == b->cores && a->identity_by_index == b->identity_by_index;
}

bool declared_driver_equal(const struct driver *a, const struct driver *b)
{
	const struct declared_spec *left = declared_driver_spec(a);
	const struct declared_spec *right = declared_driver_spec(b);

	if (a == b)
		return true;
	return left && right && constants_equal(left, right) &&
	       match_equal(&left->match, &right->match) && nodes_equal(left, right) &&
	       attributes_equal(left, right) && health_equal(&left->health, &right->health) &&
	       env_equal(left, right) && mounts_equal(left, right);
}
