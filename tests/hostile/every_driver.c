/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/hostile/every_driver.h"

#include <string.h>

#include "drivers/declared_builtin.h"
#include "policy/declared.h"

/* Which PCI vendor its cards have is for the administrator to say. */
static const char hyperaccel[] = "name: hyperaccel\nextends: hyperaccel\n"
				 "match: {pci: {vendor: \"20fb\"}}\n";

static int make_declared(const char *name, struct driver **ret, struct error *err)
{
	_cleanup_config_driver_ struct config_driver config = { 0 };
	int r;

	if (strcmp(name, "hyperaccel") != 0)
		return declared_from_builtin(name, ret, err);
	r = config_driver_parse(hyperaccel, strlen(hyperaccel), name, &config, err);
	return r < 0 ? r : declared_from_config(&config, ret, err);
}

int every_driver_init(struct every_driver *every, struct error *err)
{
	size_t n_rows, n_builtins;
	const struct driver *const *rows = driver_registry(&n_rows);
	const struct declared_builtin *builtins = declared_builtins(&n_builtins);

	*every = (struct every_driver) { 0 };
	if (n_rows + n_builtins > EVERY_DRIVER_MAX)
		return error_set(err, E2BIG, "%zu drivers", n_rows + n_builtins);
	for (size_t i = 0; i < n_rows; i++)
		every->drivers[every->n++] = rows[i];
	for (size_t i = 0; i < n_builtins; i++) {
		struct driver *driver = NULL;
		int r = make_declared(builtins[i].name, &driver, err);

		if (r < 0)
			return r;
		every->declared[every->n_declared++] = driver;
		every->drivers[every->n++] = driver;
	}
	return 0;
}

void every_driver_done(struct every_driver *every)
{
	for (size_t i = 0; i < every->n_declared; i++)
		declared_driver_free(every->declared[i]);
	*every = (struct every_driver) { 0 };
}

int every_driver_scan(const struct every_driver *every, const struct host *host,
		      struct device_list *list, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < every->n; i++) {
		int r = every->drivers[i]->scan(every->drivers[i], host, list, err);

		result = r < 0 ? r : result;
	}
	return result;
}
