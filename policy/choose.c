/* SPDX-License-Identifier: Apache-2.0 */
/* Which drivers are on: programmed ones, and those made of descriptions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/suggest.h"
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

/* Puts the place of a word in front of an error. */
static int locate(const struct config *config, struct schema_place place, int r, struct error *err)
{
	return error_wrap(err, r, "%s:%u:%u", config->source, place.line, place.column);
}

/* The same where only the file is known. */
static int name_source(const struct policy *policy, int r, struct error *err)
{
	return r < 0 ? error_wrap(err, r, "%s", policy->config.source) : r;
}

/* Names that there are, and the one that may have been meant. */
struct known {
	const char *word; /* that was written */
	struct strbuf list;
	const char *meant; /* or NULL */
	size_t distance;   /* of @meant */
};

static void add_known(struct known *known, const char *name)
{
	size_t distance = suggest_distance(known->word, name);

	strbuf_printf(&known->list, "%s%s", known->list.len > 0 ? ", " : "", name);
	if (!suggest_is_close(distance, known->word))
		return;
	if (known->meant && distance >= known->distance)
		return;
	known->meant = name;
	known->distance = distance;
}

static void list_known(struct known *known, const struct config_drivers *chosen)
{
	const struct driver *const *drivers;
	const struct declared_builtin *builtins;
	size_t n;

	drivers = driver_registry(&n);
	for (size_t i = 0; i < n; i++)
		add_known(known, drivers[i]->name);
	builtins = declared_builtins(&n);
	for (size_t i = 0; i < n; i++)
		add_known(known, builtins[i].name);
	for (size_t i = 0; i < chosen->n_declare; i++)
		if (!declared_builtin(chosen->declare[i].name))
			add_known(known, chosen->declare[i].name);
}

static int say_unknown(const struct config_drivers *chosen, const char *where, const char *name,
		       struct error *err)
{
	struct known known = { .word = name, .list = STRBUF_INIT(ERROR_TEXT_MAX / 2) };
	int r;

	list_known(&known, chosen);
	r = error_set(err, EINVAL, "%s: there is no driver '%s'%s%s%s; there are: %s", where, name,
		      known.meant ? ", did you mean '" : "", known.meant ? known.meant : "",
		      known.meant ? "'" : "", strbuf_str(&known.list));
	strbuf_done(&known.list);
	return r;
}

static int check_names(const struct config *config, const char *where,
		       const struct config_driver_name *names, size_t n, struct error *err)
{
	const struct config_drivers *drivers = &config->drivers;

	for (size_t i = 0; i < n; i++)
		if (!is_known(drivers, names[i].name))
			return locate(config, names[i].place,
				      say_unknown(drivers, where, names[i].name, err), err);
	return 0;
}

static int check_driver_names(const struct config *config, struct error *err)
{
	const struct config_drivers *drivers = &config->drivers;
	int r = check_names(config, "drivers.enable", drivers->enable, drivers->n_enable, err);

	return r < 0 ? r
		     : check_names(config, "drivers.disable", drivers->disable, drivers->n_disable,
				   err);
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

	r = check_driver_names(&policy->config, err);
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
	if (r == 0)
		r = choose_declared(policy, err);
	return name_source(policy, r, err);
}

static int say_off(const struct config_drivers *chosen, const char *where, const char *name,
		   struct error *err)
{
	return error_set(err, EINVAL, "%s: driver '%s' is off; %s", where, name,
			 is_disabled(chosen, name) ? "take it out of 'drivers.disable'"
						   : "add it to 'drivers.enable'");
}

int policy_check_vendor(const struct policy *policy, const char *resource,
			const struct config_pattern *vendor, struct error *err)
{
	const struct config_drivers *chosen = &policy->config.drivers;
	int r;

	if (strpbrk(vendor->text, "*?"))
		return 0;
	for (size_t i = 0; i < policy->n_drivers; i++)
		if (strcmp(policy->drivers[i]->name, vendor->text) == 0)
			return 0;
	r = is_known(chosen, vendor->text) ? say_off(chosen, resource, vendor->text, err)
					   : say_unknown(chosen, resource, vendor->text, err);
	return locate(&policy->config, vendor->place, r, err);
}
