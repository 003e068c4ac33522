/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-hardware-doc: writes docs/hardware.md on standard output.
 *
 * Everything about a card comes from the row of its driver, or from its description,
 * and the names of resources from the default configuration.
 */
#include <stdio.h>
#include <string.h>

#include "api/config/config.h"
#include "base/macro.h"
#include "base/output.h"
#include "drivers/declared.h"
#include "drivers/declared_builtin.h"
#include "drivers/driver.h"
#include "policy/declared.h"

static const char intro[] =
	"<!-- Written by silica-hardware-doc; do not edit. -->\n"
	"# Hardware\n\n"
	"What each driver reads, what a container is given, and what the facts rest on. No\n"
	"driver needs a vendor's library or tool; NVIDIA's is asked for more where it is there.\n"
	"A driver that is off by default is known from third parties only:\n\n"
	"```yaml\n"
	"version: v1\n"
	"drivers: {enable: [graphcore]}\n"
	"```\n\n"
	"A card that is not here can be described without compiling:\n"
	"[declared-drivers.md](declared-drivers.md).\n\n";

static const char off_intro[] =
	"\nThe following are off by default; their resources have to be configured.\n";

static const char *const env_words[_DRIVER_ENV_VALUE_MAX] = {
	[DRIVER_ENV_UUID] = "UUIDs",
	[DRIVER_ENV_INDEX] = "numbers",
	[DRIVER_ENV_NODE] = "device files",
	[DRIVER_ENV_BDF] = "PCI addresses",
};

static const char *const isolation_words[_DRIVER_ISOLATION_MAX] = {
	[DRIVER_ISOLATION_NONE] = "none",
	[DRIVER_ISOLATION_COOPERATIVE] = "cooperative",
	[DRIVER_ISOLATION_DRIVER] = "driver",
	[DRIVER_ISOLATION_HARDWARE] = "hardware",
};

/* Resources of the default configuration whose devices are those of a driver. */
static void add_resources(struct strbuf *page, const struct config *config, const char *driver)
{
	const char *separator = "- **Resource**: ";

	for (size_t i = 0; i < config->n_resources; i++) {
		const struct config_patterns *vendor = &config->resources[i].devices.vendor;

		if (vendor->n != 1 || strcmp(vendor->items[0].text, driver) != 0)
			continue;
		strbuf_printf(page, "%s`%s`", separator, config->resources[i].name);
		separator = ", ";
	}
	if (separator[0] == ',')
		strbuf_puts(page, "\n");
}

static void add_env(struct strbuf *page, const struct driver *driver)
{
	for (const struct driver_env *env = driver->env; env && env->name; env++)
		strbuf_printf(page, "; `%s` (%s)", env->name, env_words[env->value]);
	for (const struct driver_mount *mount = driver->mounts; mount && mount->path; mount++)
		strbuf_printf(page, "; `%s`%s where the host has it", mount->path,
			      mount->read_only ? ", read only," : "");
}

static void add_line(struct strbuf *page, const char *title, const char *text)
{
	if (text && text[0])
		strbuf_printf(page, "- **%s**: %s\n", title, text);
}

static void add_driver(struct strbuf *page, const struct config *config,
		       const struct driver *driver)
{
	strbuf_printf(page, "\n## %s (`%s`)\n\n", driver->vendor, driver->name);
	add_line(page, "Hardware", driver->doc.hardware);
	add_resources(page, config, driver->name);
	add_line(page, "Read", driver->doc.reads);
	add_line(page, "Identity", driver->doc.identity);
	add_line(page, "Health", driver->doc.health);
	strbuf_printf(page, "- **Injected**: %s", driver->doc.nodes ? driver->doc.nodes : "");
	add_env(page, driver);
	strbuf_puts(page, "\n");
	if (driver->partition_isolation != DRIVER_ISOLATION_NONE)
		strbuf_printf(page, "- **Enforcement of partitions**: `%s`\n",
			      isolation_words[driver->partition_isolation]);
	strbuf_printf(page, "- **Load** (temperature, power, utilisation, memory): %s\n",
		      driver->measure ? "what the driver shows" : "not read");
	add_line(page, "Evidence", driver->doc.evidence);
}

static int add_builtin(struct strbuf *page, const struct config *config,
		       const struct declared_builtin *builtin, struct error *err)
{
	struct driver *driver = NULL;
	int r = declared_from_builtin(builtin->name, &driver, err);

	/* What it lacks the user has to say; there is no driver without it. */
	if (r == -EINVAL && builtin->needs_pci_vendor) {
		strbuf_printf(page,
			      "\n## `%s`\n\nIts PCI vendor has to be configured: "
			      "[declared-drivers.md](declared-drivers.md).\n",
			      builtin->name);
		return 0;
	}
	if (r < 0)
		return r;
	add_driver(page, config, driver);
	declared_driver_free(driver);
	return 0;
}

static int put_page(struct strbuf *page, struct error *err)
{
	_cleanup_config_ struct config config = { 0 };
	const struct declared_builtin *builtins;
	const struct driver *const *drivers;
	size_t n;
	int r = config_default(&config, err);

	if (r < 0)
		return r;
	strbuf_puts(page, intro);
	drivers = driver_registry(&n);
	for (size_t i = 0; i < n; i++)
		add_driver(page, &config, drivers[i]);
	strbuf_puts(page, off_intro);
	builtins = declared_builtins(&n);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_builtin(page, &config, &builtins[i], err);
	return r;
}

int main(void)
{
	return output_page_main("silica-hardware-doc", put_page);
}
