/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "drivers/declared.h"
#include "policy/internal.h"

/* Bytes of the arrays of patterns: 64 resources with five lists of 64 pointers. */
#define PATTERNS_MEMORY_MAX ((size_t)4 * 1024 * 1024)

/* --- nodes --- */

static bool has_name(const struct config_nodes *nodes, const struct policy_node *node)
{
	if (nodes->n_names == 0)
		return true;
	for (size_t i = 0; i < nodes->n_names; i++)
		if (unit_pattern_matches(nodes->names[i].text, node->name))
			return true;
	return false;
}

static bool has_label(const struct policy_node *node, const struct config_label *label)
{
	for (size_t i = 0; i < node->n_labels; i++)
		if (strcmp(node->labels[i].key, label->key) == 0)
			return strcmp(node->labels[i].value, label->value) == 0;
	return false;
}

static bool is_here(const struct config_nodes *nodes, const struct policy_node *node)
{
	for (size_t i = 0; i < nodes->n_labels; i++)
		if (!has_label(node, &nodes->labels[i]))
			return false;
	return has_name(nodes, node);
}

/* --- rules --- */

static int check_vendors(const struct policy *policy, const char *resource,
			 const struct config_patterns *vendors, struct error *err)
{
	/* The default names all vendors, also those that are off. */
	if (policy->config.resources_are_default)
		return 0;
	for (size_t i = 0; i < vendors->n; i++) {
		int r = policy_check_vendor(policy, resource, &vendors->items[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Makes an array of pointers with NULL at its end; none for no patterns. */
static int list_patterns(struct policy *policy, const struct config_patterns *patterns,
			 const char *const **ret)
{
	const char **list;

	*ret = NULL;
	if (patterns->n == 0)
		return 0;
	list = arena_alloc(&policy->arena, (patterns->n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < patterns->n; i++)
		list[i] = patterns->items[i].text;
	list[patterns->n] = NULL;
	*ret = list;
	return 0;
}

static int make_selector(struct policy *policy, const struct config_selector *config,
			 struct unit_selector *ret)
{
	const struct {
		const struct config_patterns *patterns;
		const char *const **list;
	} rows[] = {
		{ &config->vendor, &ret->vendors },
		{ &config->product, &ret->products },
		{ &config->architecture, &ret->architectures },
		{ &config->bdf, &ret->bdfs },
		{ &config->uuid, &ret->uuids },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (list_patterns(policy, rows[i].patterns, rows[i].list) < 0)
			return -ENOMEM;
	return 0;
}

static int add_rule(struct policy *policy, const struct config_selector *selector,
		    const struct policy_rule *rule, struct error *err)
{
	struct policy_rule *added = &policy->rules[policy->n_rules++];

	*added = *rule;
	if (make_selector(policy, selector, &added->rule.select) < 0)
		return error_set(err, ENOMEM, "no memory for the rules");
	return 0;
}

static int add_exclude(struct policy *policy, const struct config_exclude *exclude,
		       const struct policy_node *node, struct error *err)
{
	int r = check_vendors(policy, "exclude", &exclude->devices.vendor, err);

	if (r < 0 || !is_here(&exclude->nodes, node))
		return r;
	return add_rule(policy, &exclude->devices, &(struct policy_rule) { 0 }, err);
}

static bool is_of_partitions(const struct config_resource *resource)
{
	return resource->unit == CONFIG_UNIT_PARTITION ||
	       (resource->unit == CONFIG_UNIT_SHARE && resource->of == CONFIG_UNIT_PARTITION);
}

static int add_resource(struct policy *policy, const struct config_resource *resource,
			const struct policy_node *node, struct error *err)
{
	const struct policy_rule rule = {
		.resource = resource,
		.rule = {
			.resource = resource->name,
			.kind = is_of_partitions(resource) ? UNIT_PARTITION : UNIT_WHOLE,
			.cores = resource->cores,
			.profile = resource->profile[0] ? resource->profile : NULL,
			.shares = resource->shares,
			.overlap = resource->overlap,
		},
	};
	int r = check_vendors(policy, resource->name, &resource->devices.vendor, err);

	if (r < 0 || !is_here(&resource->nodes, node))
		return r;
	return add_rule(policy, &resource->devices, &rule, err);
}

static int make_rules(struct policy *policy, const struct policy_node *node, struct error *err)
{
	const struct config *config = &policy->config;
	size_t n = config->n_exclude + config->n_resources;
	int r = 0;

	policy->rules = calloc(n + 1, sizeof(*policy->rules));
	if (!policy->rules)
		return error_set(err, ENOMEM, "no memory for %zu rules", n);
	for (size_t i = 0; i < config->n_exclude && r == 0; i++)
		r = add_exclude(policy, &config->exclude[i], node, err);
	for (size_t i = 0; i < config->n_resources && r == 0; i++)
		r = add_resource(policy, &config->resources[i], node, err);
	return r;
}

int policy_new(struct config *config, const struct policy_node *node, struct policy **ret,
	       struct error *err)
{
	_cleanup_(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
	int r;

	if (!policy) {
		config_done(config);
		return error_set(err, ENOMEM, "no memory for a policy");
	}
	policy->config = *config;
	*config = (struct config) { 0 };
	policy->arena = arena_init(PATTERNS_MEMORY_MAX);
	r = policy_choose_drivers(policy, err);
	if (r == 0)
		r = make_rules(policy, node, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(policy);
	return 0;
}

void policy_free(struct policy *policy)
{
	int saved_errno = errno;

	if (!policy)
		return;
	config_done(&policy->config);
	arena_done(&policy->arena);
	free(policy->drivers);
	for (size_t i = 0; i < policy->n_declared; i++)
		declared_driver_free(policy->declared[i]);
	free(policy->declared);
	free(policy->rules);
	free(policy);
	errno = saved_errno;
}

const struct config *policy_config(const struct policy *policy)
{
	return &policy->config;
}

const struct driver *const *policy_drivers(const struct policy *policy, size_t *ret_n)
{
	*ret_n = policy->n_drivers;
	return policy->drivers;
}

struct inventory_policy policy_inventory(const struct policy *policy)
{
	const struct config_health *health = &policy->config.health;

	return (struct inventory_policy) {
		.health = { .unhealthy_after = health->unhealthy_after,
			    .healthy_after = health->healthy_after },
		.forget_after_ms = health->forget_after_ms,
	};
}
