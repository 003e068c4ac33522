/* SPDX-License-Identifier: Apache-2.0 */
/* Which drivers are on: programmed ones, and those made of descriptions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/declared_builtin.h"
#include "policy/declared.h"
#include "policy/internal.h"

static bool is_enabled(const struct config_drivers *drivers, const char *name)
{
	for (size_t i = 0; i < drivers->n_enable; i++)
		if (strcmp(drivers->enable[i].name, name) == 0)
			return true;
	return false;
}

static bool is_disabled(const struct config_drivers *drivers, const char *name)
{
	for (size_t i = 0; i < drivers->n_disable; i++)
		if (strcmp(drivers->disable[i].name, name) == 0)
			return true;
	return false;
}

static const struct config_driver *find_declared(const struct config_drivers *drivers,
						 const char *name)
{
	for (size_t i = 0; i < drivers->n_declare; i++)
		if (strcmp(drivers->declare[i].name, name) == 0)
			return &drivers->declare[i];
	return NULL;
}

/* Whether there is a driver of that name, on or off. */
static bool is_known(const struct config_drivers *drivers, const char *name)
{
	return driver_find(name) || declared_builtin(name) || find_declared(drivers, name);
}

static int say_unknown(const struct config_drivers *chosen, const char *where, const char *name,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX / 2);
	const struct driver *const *drivers;
	const struct declared_builtin *builtins;
	size_t n;

	drivers = driver_registry(&n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", drivers[i]->name);
	builtins = declared_builtins(&n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&known, ", %s", builtins[i].name);
	for (size_t i = 0; i < chosen->n_declare; i++)
		if (!declared_builtin(chosen->declare[i].name))
			strbuf_printf(&known, ", %s", chosen->declare[i].name);
	return error_set(err, EINVAL, "%s: there is no driver '%s'; there are: %s", where, name,
			 strbuf_str(&known));
}

static int check_driver_names(const struct config_drivers *drivers, struct error *err)
{
	for (size_t i = 0; i < drivers->n_enable; i++)
		if (!is_known(drivers, drivers->enable[i].name))
			return say_unknown(drivers, "drivers.enable", drivers->enable[i].name, err);
	for (size_t i = 0; i < drivers->n_disable; i++)
		if (!is_known(drivers, drivers->disable[i].name))
			return say_unknown(drivers, "drivers.disable", drivers->disable[i].name,
					   err);
	return 0;
}

static void add_declared(struct policy *policy, struct driver *driver)
{
	policy->declared[policy->n_declared++] = driver;
	policy->drivers[policy->n_drivers++] = driver;
}

/* Those that Silica brings along and that are asked for; one that the configuration
 * declares under the same name takes its place. */
static int choose_builtins(struct policy *policy, struct error *err)
{
	const struct config_drivers *chosen = &policy->config.drivers;
	size_t n;
	const struct declared_builtin *builtins = declared_builtins(&n);

	for (size_t i = 0; i < n; i++) {
		const char *name = builtins[i].name;
		struct driver *driver;
		int r;

		if (!is_enabled(chosen, name) || find_declared(chosen, name))
			continue;
		r = declared_from_builtin(name, &driver, err);
		if (r < 0)
			return error_wrap(err, r, "drivers.enable");
		add_declared(policy, driver);
	}
	return 0;
}

static int choose_declared(struct policy *policy, struct error *err)
{
	const struct config_drivers *chosen = &policy->config.drivers;

	for (size_t i = 0; i < chosen->n_declare; i++) {
		struct driver *driver;
		int r = declared_from_config(&chosen->declare[i], &driver, err);

		if (r < 0)
			return error_wrap(err, r, "drivers.declare");
		if (is_disabled(chosen, driver->name))
			declared_driver_free(driver);
		else
			add_declared(policy, driver);
	}
	return 0;
}

int policy_choose_drivers(struct policy *policy, struct error *err)
{
	const struct config_drivers *chosen = &policy->config.drivers;
	const struct driver *const *all;
	size_t n, n_builtins, n_declared;
	int r;

	r = check_driver_names(chosen, err);
	if (r < 0)
		return r;
	all = driver_registry(&n);
	(void)declared_builtins(&n_builtins);
	n_declared = n_builtins + chosen->n_declare;
	policy->drivers = calloc(n + n_declared + 1, sizeof(struct driver *));
	policy->declared = calloc(n_declared + 1, sizeof(struct driver *));
	if (!policy->drivers || !policy->declared)
		return error_set(err, ENOMEM, "no memory for %zu drivers", n + n_declared);
	for (size_t i = 0; i < n; i++)
		if ((!all[i]->opt_in || is_enabled(chosen, all[i]->name)) &&
		    !is_disabled(chosen, all[i]->name))
			policy->drivers[policy->n_drivers++] = all[i];
	r = choose_builtins(policy, err);
	return r < 0 ? r : choose_declared(policy, err);
}

int policy_check_vendor(const struct policy *policy, const char *resource, const char *vendor,
			struct error *err)
{
	if (strpbrk(vendor, "*?"))
		return 0;
	for (size_t i = 0; i < policy->n_drivers; i++)
		if (strcmp(policy->drivers[i]->name, vendor) == 0)
			return 0;
	if (!is_known(&policy->config.drivers, vendor))
		return say_unknown(&policy->config.drivers, resource, vendor, err);
	return error_set(err, EINVAL, "%s: driver '%s' is off; %s", resource, vendor,
			 is_disabled(&policy->config.drivers, vendor)
				 ? "take it out of 'drivers.disable'"
				 : "add it to 'drivers.enable'");
}
