/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/load.h"

#include <string.h>

#include "drivers/declared.h"
#include "policy/node.h"

int policy_load(const struct policy_source *source, struct policy **ret, struct error *err)
{
	_cleanup_node_identity_ struct node_identity identity = { 0 };
	_cleanup_config_ struct config config = { 0 };
	int r;

	r = source->config ? config_load(source->config, &config, err)
			   : config_default(&config, err);
	if (r == 0)
		r = node_identity_load(source->node_name, source->node_labels, &identity, err);
	if (r < 0)
		return r;
	return policy_new(&config, &identity.node, ret, err);
}

void policy_warnings(const struct policy *policy, policy_warning_fn fn, void *ctx)
{
	const struct config *config = policy_config(policy);
	size_t n;
	const struct driver *const *drivers = policy_drivers(policy, &n);

	for (size_t i = 0; i < config->n_notes; i++)
		fn(ctx, config->notes[i].text);
	for (size_t i = 0; i < n; i++) {
		const char *warning = declared_driver_warning(drivers[i]);
		struct error text = { 0 };

		if (!warning)
			continue;
		(void)error_set(&text, EINVAL, "driver '%s': %s", drivers[i]->name, warning);
		fn(ctx, text.msg);
	}
}

bool policy_same_watch(const struct policy *a, const struct policy *b)
{
	const struct config *left = policy_config(a), *right = policy_config(b);
	size_t n_left, n_right;
	const struct driver *const *drivers = policy_drivers(a, &n_left);
	const struct driver *const *others = policy_drivers(b, &n_right);

	if (n_left != n_right)
		return false;
	for (size_t i = 0; i < n_left; i++)
		if (!declared_driver_equal(drivers[i], others[i]))
			return false;
	return memcmp(&left->health, &right->health, sizeof(left->health)) == 0 &&
	       left->rescan_interval_ms == right->rescan_interval_ms;
}
