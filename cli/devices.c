/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/picture.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/view.h"
#include "drivers/driver.h"

#define PARTITIONS_MAX ((size_t)DEVICE_PARTITIONS_MAX * (DEVICE_PROFILE_MAX + 8))

static const char *reason_of(const struct device_state *state)
{
	return state->healthy ? "" : state->reason;
}

/* Number of partitions with the profile of the one at @at; 0 if it is not the first. */
static size_t count_profile(const struct device *device, size_t at)
{
	size_t n = 0;

	for (size_t i = 0; i < device->n_partitions; i++) {
		if (strcmp(device->partitions[i].profile, device->partitions[at].profile) != 0)
			continue;
		if (i < at)
			return 0;
		n++;
	}
	return n;
}

void devices_partitions(const struct device *device, struct strbuf *out)
{
	for (size_t i = 0; i < device->n_partitions; i++) {
		size_t n = count_profile(device, i);

		if (n > 0)
			strbuf_printf(out, "%s%zux%s", i > 0 ? " " : "", n,
				      device->partitions[i].profile);
	}
}

/* --- table --- */

static const char *const headers[] = { "DEVICE", "VENDOR", "PRODUCT", "NAME",	"PCI",
				       "NUMA",	 "MEMORY", "HEALTH",  "REASON", NULL };
static const char *const wide_headers[] = { "DEVICE", "VENDOR",	    "PRODUCT", "NAME",
					    "PCI",    "NUMA",	    "MEMORY",  "HEALTH",
					    "USE",    "MEMORY-USE", "TEMP",    "POWER",
					    "DRIVER", "FIRMWARE",   "SERIAL",  "PARTITIONS",
					    "REASON", NULL };

static void put_numa(struct table *table, int numa_node)
{
	if (numa_node == DEVICE_NUMA_UNKNOWN)
		table_put(table, PAINT_NONE, "%s", "");
	else
		table_put(table, PAINT_NONE, "%d", numa_node);
}

static void put_health(struct table *table, const struct device_state *state)
{
	if (state->healthy)
		table_put(table, PAINT_GOOD, "Healthy");
	else
		table_put(table, PAINT_BAD, state->present ? "Unhealthy" : "Gone");
}

static void put_facts(struct table *table, const struct device_state *state)
{
	const struct device *device = state->device;

	table_put(table, PAINT_NONE, "%s", state->id);
	table_put(table, PAINT_NONE, "%s", device->driver->vendor);
	table_put(table, PAINT_NONE, "%s", device->product);
	table_put(table, PAINT_NONE, "%s", device->name);
	table_put(table, PAINT_NONE, "%s", device->bdf);
	put_numa(table, device->numa_node);
	table_put(table, PAINT_NONE, "%s", text_bytes(device->memory_bytes).text);
	put_health(table, state);
}

static void put_reading(struct table *table, double value, const char *unit)
{
	if (value >= 0)
		table_put(table, PAINT_NONE, "%.0f %s", value, unit);
	else
		table_put(table, PAINT_NONE, "%s", "");
}

static void put_more(struct table *table, const struct device *device,
		     const struct device_readings *readings)
{
	_cleanup_strbuf_ struct strbuf partitions = STRBUF_INIT(PARTITIONS_MAX);

	put_reading(table, readings->utilization_ratio * 100, "%");
	table_put(table, PAINT_NONE, "%s",
		  readings->memory_used_bytes >= 0
			  ? text_bytes((uint64_t)readings->memory_used_bytes).text
			  : "");
	put_reading(table, readings->temperature_celsius, "C");
	put_reading(table, readings->power_watts, "W");
	table_put(table, PAINT_NONE, "%s", device->driver_version);
	table_put(table, PAINT_NONE, "%s", device->firmware_version);
	table_put(table, PAINT_NONE, "%s", device->serial);
	devices_partitions(device, &partitions);
	table_put(table, PAINT_NONE, "%s", strbuf_str(&partitions));
}

static int print_table(const struct settings *settings, const struct devices_input *input,
		       struct strbuf *out)
{
	bool wide = settings->output == SETTINGS_OUTPUT_WIDE;
	const struct snapshot *snapshot = input->snapshot;
	_cleanup_table_ struct table table = table_init(wide ? wide_headers : headers);
	_cleanup_free_ const struct device_state **states = picture_order(snapshot);
	int r;

	if (!states)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = states[i];

		put_facts(&table, state);
		if (wide)
			put_more(&table, state->device,
				 &input->readings[state - snapshot->devices]);
		table_put(&table, state->healthy ? PAINT_NONE : PAINT_BAD, "%s", reason_of(state));
	}
	r = table_print(&table, settings->paint, out);
	if (r < 0)
		return r;
	strbuf_puts(out, "\n");
	return picture_topology(input->snapshot, settings->utf8, out);
}

/* --- JSON and YAML --- */

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void add_count(struct document *doc, const char *key, bool known, uint64_t value)
{
	if (known)
		document_count(doc, key, value);
	else
		document_text(doc, key, NULL);
}

static void add_partitions(struct document *doc, const struct device *device)
{
	document_begin_array(doc, "partitions");
	for (size_t i = 0; i < device->n_partitions; i++) {
		const struct device_partition *partition = &device->partitions[i];

		document_begin_object(doc, NULL);
		document_text(doc, "id", or_null(partition->id));
		document_text(doc, "profile", partition->profile);
		document_count(doc, "firstCore", partition->cores.first);
		document_count(doc, "lastCore", partition->cores.last);
		add_count(doc, "memoryBytes", partition->memory_bytes > 0, partition->memory_bytes);
		document_end(doc);
	}
	document_end(doc);
}

static void add_readings(struct document *doc, const struct device_readings *readings)
{
	document_begin_object(doc, "readings");
	document_number(doc, "utilizationRatio", readings->utilization_ratio);
	document_number(doc, "memoryUsedBytes", readings->memory_used_bytes);
	document_number(doc, "temperatureCelsius", readings->temperature_celsius);
	document_number(doc, "powerWatts", readings->power_watts);
	document_end(doc);
}

static void add_identity(struct document *doc, const struct device_state *state)
{
	const struct device *device = state->device;
	const struct {
		const char *key;
		const char *text;
	} rows[] = {
		{ "id", state->id },
		{ "vendor", device->driver->vendor },
		{ "driver", device->driver->name },
		{ "product", device->product },
		{ "architecture", device->architecture ? device->architecture : "" },
		{ "name", device->name },
		{ "pciAddress", device->bdf },
		{ "pciPath", device->pci.path },
		{ "uuid", device->uuid },
		{ "serial", device->serial },
		{ "linkGroup", device->link_group },
		{ "driverVersion", device->driver_version },
		{ "firmwareVersion", device->firmware_version },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		document_text(doc, rows[i].key, or_null(rows[i].text));
}

static void add_device(struct document *doc, const struct device_state *state,
		       const struct device_readings *readings)
{
	const struct device *device = state->device;

	document_begin_object(doc, NULL);
	add_identity(doc, state);
	add_count(doc, "numaNode", device->numa_node != DEVICE_NUMA_UNKNOWN,
		  (unsigned int)device->numa_node);
	add_count(doc, "memoryBytes", device->memory_bytes > 0, device->memory_bytes);
	document_count(doc, "cores", device->cores);
	document_bool(doc, "present", state->present);
	document_bool(doc, "healthy", state->healthy);
	document_text(doc, "reason", or_null(reason_of(state)));
	add_readings(doc, readings);
	add_partitions(doc, device);
	document_end(doc);
}

static void print_document(const struct settings *settings, const struct devices_input *input,
			   struct strbuf *out)
{
	struct document doc = document_begin(out, settings->output == SETTINGS_OUTPUT_YAML);

	document_text(&doc, "node", or_null(input->node));
	document_begin_array(&doc, "devices");
	for (size_t i = 0; i < input->snapshot->n_devices; i++)
		add_device(&doc, &input->snapshot->devices[i], &input->readings[i]);
	document_end(&doc);
	document_end(&doc);
}

/* --- command --- */

int devices_print(const struct settings *settings, const struct devices_input *input,
		  struct strbuf *out)
{
	if (settings->output == SETTINGS_OUTPUT_TABLE || settings->output == SETTINGS_OUTPUT_WIDE)
		return print_table(settings, input, out);
	print_document(settings, input, out);
	return 0;
}

/* A device that cannot be measured says nothing; its health tells why. */
static void measure(const struct view *view, struct device_readings *readings)
{
	for (size_t i = 0; i < view->snapshot->n_devices; i++) {
		const struct device_state *state = &view->snapshot->devices[i];
		const struct device *device = state->device;

		readings[i] = device_readings_none();
		if (state->present && device->driver->measure &&
		    device->driver->measure(&view->host, device, &readings[i], NULL) < 0)
			readings[i] = device_readings_none();
	}
}

/* What was looked for, where there is nothing to show. */
static void print_nothing(const struct view *view, struct strbuf *out)
{
	const struct driver *const *drivers;
	size_t n;

	drivers = policy_drivers(view->policy, &n);
	strbuf_puts(out, "No devices found.  Drivers that are on: ");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s%s", i > 0 ? ", " : "", drivers[i]->name);
	strbuf_printf(out, "%s.\n", n > 0 ? "" : "none");
}

int devices_run(const struct settings *settings, struct strbuf *out, struct error *err)
{
	_cleanup_view_ struct view view = VIEW_INIT;
	_cleanup_free_ struct device_readings *readings = NULL;
	bool text = settings->output < SETTINGS_OUTPUT_JSON;
	int r = view_open(&view, settings, err);

	if (r < 0)
		return r;
	readings = calloc(view.snapshot->n_devices + 1, sizeof(*readings));
	if (!readings)
		return error_set(err, ENOMEM, "no memory for readings");
	measure(&view, readings);
	if (text && view.snapshot->n_devices == 0)
		print_nothing(&view, out);
	else
		r = devices_print(
			settings,
			&(struct devices_input) { view.node.node.name, view.snapshot, readings },
			out);
	if (r < 0)
		return error_set(err, -r, "no memory for the table");
	view_print_notes(&view);
	return COMMAND_DONE;
}
