/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/rules.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "drivers/driver.h"

static const enum unit_kind kinds[_CONFIG_UNIT_MAX] = {
	[CONFIG_UNIT_WHOLE] = UNIT_WHOLE,
	[CONFIG_UNIT_PARTITION] = UNIT_PARTITION,
};

/* The patterns of one rule: a word of each key, and the NULL behind it. */
struct patterns {
	const char *vendor[2];
	const char *product[2];
};

static const char *const *any_if_empty(const char *word, const char **patterns)
{
	patterns[0] = word;
	return word[0] ? patterns : NULL;
}

static int check_vendor(const struct config_resource *resource, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX / 2);
	const char *vendor = resource->devices.vendor;
	const struct driver *const *drivers;
	size_t n;

	if (!vendor[0] || driver_find(vendor))
		return 0;
	drivers = driver_registry(&n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", drivers[i]->name);
	return error_set(err, EINVAL,
			 "resource '%s': there is no driver for vendor '%s'; there is one for: %s",
			 resource->name, vendor, strbuf_str(&known));
}

int rules_new(const struct config *config, struct unit_rule **ret, struct error *err)
{
	size_t n = config->n_resources;
	_cleanup_free_ struct unit_rule *rules =
		calloc(n + 1, sizeof(*rules) + sizeof(struct patterns));
	struct patterns *patterns = rules ? (struct patterns *)(rules + n + 1) : NULL;

	if (!rules)
		return error_set(err, ENOMEM, "no memory for the rules");
	for (size_t i = 0; i < config->n_resources; i++) {
		const struct config_resource *resource = &config->resources[i];
		int r = check_vendor(resource, err);

		if (r < 0)
			return r;
		rules[i] = (struct unit_rule) {
			.resource = resource->name,
			.select = {
				.vendors = any_if_empty(resource->devices.vendor,
							patterns[i].vendor),
				.products = any_if_empty(resource->devices.product,
							 patterns[i].product),
			},
			.kind = kinds[resource->unit],
			.cores = resource->cores,
		};
	}
	*ret = TAKE_PTR(rules);
	return 0;
}
