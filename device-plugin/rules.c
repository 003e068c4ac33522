/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "drivers/driver.h"

static const enum unit_kind kinds[] = {
	[CONFIG_UNIT_WHOLE] = UNIT_WHOLE,
	[CONFIG_UNIT_PARTITION] = UNIT_PARTITION,
};

/* The only pattern of a list, or NULL for any. */
static const char *only(const struct config_patterns *patterns)
{
	return patterns->n > 0 ? patterns->items[0].text : NULL;
}

static bool is_word(const struct config_patterns *patterns)
{
	return patterns->n == 0 || (patterns->n == 1 && !strpbrk(patterns->items[0].text, "*?"));
}

/* Whether a rule can say what @resource does. */
static bool is_expressible(const struct config_resource *resource)
{
	const struct config_selector *devices = &resource->devices;

	return !strchr(resource->name, '{') && is_word(&devices->vendor) &&
	       is_word(&devices->product) &&
	       devices->architecture.n + devices->bdf.n + devices->uuid.n == 0 &&
	       resource->nodes.n_names + resource->nodes.n_labels == 0 &&
	       resource->unit != CONFIG_UNIT_SHARE && !resource->profile[0] && !resource->overlap &&
	       (resource->unit == CONFIG_UNIT_WHOLE || resource->cores > 0);
}

static int check_resource(const struct config_resource *resource, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX / 2);
	const char *vendor = only(&resource->devices.vendor);
	const struct driver *const *drivers;
	size_t n;

	if (!is_expressible(resource))
		return error_set(err, EINVAL,
				 "resource '%s' cannot be offered: only whole devices "
				 "and partitions by cores, selected by one vendor and product, can",
				 resource->name);
	if (!vendor || driver_find(vendor))
		return 0;
	drivers = driver_registry(&n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", drivers[i]->name);
	return error_set(err, EINVAL,
			 "resource '%s': there is no driver for vendor '%s'; there is one for: %s",
			 resource->name, vendor, strbuf_str(&known));
}

int rules_new(const struct config *config, struct unit_rule **ret, size_t *ret_n, struct error *err)
{
	_cleanup_free_ struct unit_rule *rules = calloc(config->n_resources + 1, sizeof(*rules));
	size_t n = 0;

	if (!rules)
		return error_set(err, ENOMEM, "no memory for the rules");
	for (size_t i = 0; i < config->n_resources; i++) {
		const struct config_resource *resource = &config->resources[i];
		int r = check_resource(resource, err);

		if (r < 0 && config->resources_are_default)
			continue;
		if (r < 0)
			return r;
		rules[n++] = (struct unit_rule) {
			.resource = resource->name,
			.vendor = only(&resource->devices.vendor),
			.product = only(&resource->devices.product),
			.kind = kinds[resource->unit],
			.cores = resource->cores,
		};
	}
	*ret = TAKE_PTR(rules);
	*ret_n = n;
	return 0;
}
