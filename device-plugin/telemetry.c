/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/telemetry.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/metrics/metrics.h"
#include "base/clock.h"
#include "base/macro.h"
#include "device-plugin/catalog.h"
#include "drivers/driver.h"
#include "policy/terms.h"

#define PREFIX "silica_device_plugin_"
#define MICROSECOND_NS UINT64_C(1000)
#define MILLISECOND_NS (1000 * MICROSECOND_NS)
#define SECOND_NS (1000 * MILLISECOND_NS)

struct telemetry {
	struct telemetry_source source;
	struct metrics *metrics;
	struct {
		struct snapshot *snapshot;	  /* or NULL */
		struct device_readings *readings; /* of its devices, each read once */
	} scrape;				  /* while metrics are written */
	/* Of each call once it was made: to look one up costs more than to count. */
	_Atomic(struct metrics_histogram *) rpc_durations[_TELEMETRY_RPC_MAX];
	bool reload_accepted;	 /* the last one */
	double reload_unix_time; /* of the last one that was accepted */
};

enum family {
	FAMILY_BUILD_INFO,
	FAMILY_DEVICES,
	FAMILY_DEVICE_INFO,
	FAMILY_DEVICE_HEALTHY,
	FAMILY_DEVICE_UNHEALTHY_INFO,
	FAMILY_DEVICE_TEMPERATURE,
	FAMILY_DEVICE_POWER,
	FAMILY_DEVICE_UTILIZATION,
	FAMILY_DEVICE_MEMORY,
	FAMILY_DEVICE_MEMORY_USED,
	FAMILY_UNITS,
	FAMILY_UNIT_ENFORCEMENT_INFO,
	FAMILY_RESOURCE_WATCHED,
	FAMILY_ALLOCATIONS,
	FAMILY_RPC_DURATION,
	FAMILY_RPC_ERRORS,
	FAMILY_REGISTRATIONS,
	FAMILY_PODRESOURCES,
	FAMILY_RELOADS,
	FAMILY_RELOAD_SUCCESSFUL,
	FAMILY_RELOAD_TIMESTAMP,
	FAMILY_SCAN_DURATION,
	_FAMILY_MAX,
};

static const uint64_t rpc_buckets_ns[] = {
	50 * MICROSECOND_NS,  100 * MICROSECOND_NS, 250 * MICROSECOND_NS, 500 * MICROSECOND_NS,
	1 * MILLISECOND_NS,   5 * MILLISECOND_NS,   25 * MILLISECOND_NS,  100 * MILLISECOND_NS,
	500 * MILLISECOND_NS, 2 * SECOND_NS,	    10 * SECOND_NS,
};

static const uint64_t scan_buckets_ns[] = {
	1 * MILLISECOND_NS,   5 * MILLISECOND_NS, 25 * MILLISECOND_NS,
	100 * MILLISECOND_NS, 1 * SECOND_NS,	  10 * SECOND_NS,
};

/* --- gauges of the node --- */

typedef void (*device_fn)(struct metrics_writer *writer, const struct device_state *state,
			  const struct device_readings *readings);

static void for_devices(const struct telemetry *telemetry, struct metrics_writer *writer,
			device_fn fn)
{
	const struct snapshot *snapshot = telemetry->scrape.snapshot;

	for (size_t i = 0; snapshot && i < snapshot->n_devices; i++)
		fn(writer, &snapshot->devices[i], &telemetry->scrape.readings[i]);
}

static void collect_build_info(_unused_ void *ctx, struct metrics_writer *writer)
{
	metrics_sample(writer, 1, METRICS_LABELS(SILICA_VERSION));
}

enum device_count {
	DEVICE_COUNT_HEALTHY,
	DEVICE_COUNT_UNHEALTHY,
	DEVICE_COUNT_GONE,
	_DEVICE_COUNT_MAX,
};

static enum device_count count_of(const struct device_state *state)
{
	if (!state->present)
		return DEVICE_COUNT_GONE;
	return state->healthy ? DEVICE_COUNT_HEALTHY : DEVICE_COUNT_UNHEALTHY;
}

static void count_driver(const struct snapshot *snapshot, const struct driver *driver,
			 struct metrics_writer *writer)
{
	static const char *const names[_DEVICE_COUNT_MAX] = {
		[DEVICE_COUNT_HEALTHY] = "healthy",
		[DEVICE_COUNT_UNHEALTHY] = "unhealthy",
		[DEVICE_COUNT_GONE] = "gone",
	};
	size_t counts[_DEVICE_COUNT_MAX] = { 0 };

	for (size_t i = 0; i < snapshot->n_devices; i++)
		if (snapshot->devices[i].device->driver == driver)
			counts[count_of(&snapshot->devices[i])]++;
	for (size_t i = 0; i < _DEVICE_COUNT_MAX; i++)
		metrics_sample(writer, (double)counts[i], METRICS_LABELS(driver->name, names[i]));
}

/* Whether a device before number @i has the same driver. */
static bool is_counted(const struct snapshot *snapshot, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (snapshot->devices[j].device->driver == snapshot->devices[i].device->driver)
			return true;
	return false;
}

static void collect_devices(void *ctx, struct metrics_writer *writer)
{
	const struct snapshot *snapshot = ((const struct telemetry *)ctx)->scrape.snapshot;

	for (size_t i = 0; snapshot && i < snapshot->n_devices; i++)
		if (!is_counted(snapshot, i))
			count_driver(snapshot, snapshot->devices[i].device->driver, writer);
}

static void sample_info(struct metrics_writer *writer, const struct device_state *state,
			_unused_ const struct device_readings *readings)
{
	const struct device *device = state->device;

	metrics_sample(writer, 1,
		       METRICS_LABELS(state->id, device->driver->name, device->product,
				      device->name, device->bdf, device->driver_version,
				      device->firmware_version));
}

static void sample_healthy(struct metrics_writer *writer, const struct device_state *state,
			   _unused_ const struct device_readings *readings)
{
	metrics_sample(writer, state->healthy, METRICS_LABELS(state->id));
}

static void sample_reason(struct metrics_writer *writer, const struct device_state *state,
			  _unused_ const struct device_readings *readings)
{
	if (!state->healthy)
		metrics_sample(writer, 1, METRICS_LABELS(state->id, state->reason));
}

static void sample_known(struct metrics_writer *writer, double value,
			 const struct device_state *state)
{
	if (value >= 0)
		metrics_sample(writer, value, METRICS_LABELS(state->id));
}

static void sample_temperature(struct metrics_writer *writer, const struct device_state *state,
			       const struct device_readings *readings)
{
	sample_known(writer, readings->temperature_celsius, state);
}

static void sample_power(struct metrics_writer *writer, const struct device_state *state,
			 const struct device_readings *readings)
{
	sample_known(writer, readings->power_watts, state);
}

static void sample_utilization(struct metrics_writer *writer, const struct device_state *state,
			       const struct device_readings *readings)
{
	sample_known(writer, readings->utilization_ratio, state);
}

static void sample_memory_used(struct metrics_writer *writer, const struct device_state *state,
			       const struct device_readings *readings)
{
	sample_known(writer, readings->memory_used_bytes, state);
}

static void sample_memory(struct metrics_writer *writer, const struct device_state *state,
			  _unused_ const struct device_readings *readings)
{
	if (state->device->memory_bytes > 0)
		metrics_sample(writer, (double)state->device->memory_bytes,
			       METRICS_LABELS(state->id));
}

#define DEFINE_COLLECT(name)                                                 \
	static void collect_##name(void *ctx, struct metrics_writer *writer) \
	{                                                                    \
		for_devices(ctx, writer, sample_##name);                     \
	}                                                                    \
	struct telemetry

DEFINE_COLLECT(info);
DEFINE_COLLECT(healthy);
DEFINE_COLLECT(reason);
DEFINE_COLLECT(temperature);
DEFINE_COLLECT(power);
DEFINE_COLLECT(utilization);
DEFINE_COLLECT(memory);
DEFINE_COLLECT(memory_used);

/* --- gauges of the resources --- */

static void count_units(const struct unit_set *units, struct metrics_writer *writer)
{
	size_t healthy = 0, hidden = 0;

	for (size_t i = 0; i < units->n_units; i++) {
		healthy += units->units[i].healthy;
		hidden += units->units[i].hidden > 0;
	}
	metrics_sample(writer, (double)healthy, METRICS_LABELS(units->rule.resource, "healthy"));
	metrics_sample(writer, (double)hidden, METRICS_LABELS(units->rule.resource, "hidden"));
	metrics_sample(writer, (double)(units->n_units - healthy - hidden),
		       METRICS_LABELS(units->rule.resource, "unhealthy"));
}

static void collect_units(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;
	const struct catalog *catalog = telemetry->source.catalog(telemetry->source.ctx);

	for (size_t i = 0; i < catalog_count(catalog); i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *units =
			resource_units(catalog_get(catalog, i));

		if (units && units->n_units > 0)
			count_units(units, writer);
	}
}

/* The weakest tier of the units: what a pod that gets any of them can rely on. */
static enum terms_tier weakest_tier(struct resource *resource, const struct unit_set *units)
{
	enum terms_tier weakest = TERMS_TIER_HARDWARE;
	struct terms terms = resource_terms(resource);

	for (size_t i = 0; i < units->n_units; i++) {
		const struct device *device = unit_state(units, &units->units[i])->device;
		enum terms_tier tier = terms_tier(&terms, &units->rule, device);

		weakest = MIN(weakest, tier);
	}
	return weakest;
}

static void collect_enforcement(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;
	const struct catalog *catalog = telemetry->source.catalog(telemetry->source.ctx);

	for (size_t i = 0; i < catalog_count(catalog); i++) {
		struct resource *resource = catalog_get(catalog, i);
		_cleanup_(unit_set_unrefp) struct unit_set *units = resource_units(resource);

		if (units && units->n_units > 0)
			metrics_sample(
				writer, 1,
				METRICS_LABELS(units->rule.resource,
					       terms_tier_name(weakest_tier(resource, units))));
	}
}

static const char *const path_names[_LIFECYCLE_PATH_MAX] = {
	[LIFECYCLE_CLASSIC] = "classic",
	[LIFECYCLE_WATCHER] = "watcher",
};

static void collect_watched(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;
	const struct catalog *catalog = telemetry->source.catalog(telemetry->source.ctx);

	for (size_t i = 0; i < catalog_count(catalog); i++) {
		const struct resource *resource = catalog_get(catalog, i);

		for (enum lifecycle_path path = 0; path < _LIFECYCLE_PATH_MAX; path++) {
			const struct endpoint *endpoint = resource_endpoint(resource, path);

			if (endpoint)
				metrics_sample(
					writer, endpoint_is_watched(endpoint),
					METRICS_LABELS(resource_name(resource), path_names[path]));
		}
	}
}

static void collect_reload_successful(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, telemetry->reload_accepted, METRICS_NO_LABELS);
}

static void collect_reload_timestamp(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, telemetry->reload_unix_time, METRICS_NO_LABELS);
}

/* --- the table --- */

static const struct metrics_family families[_FAMILY_MAX] = {
	[FAMILY_BUILD_INFO] = { .name = PREFIX "build_info",
				.help = "Version of the plugin.",
				.type = METRICS_GAUGE,
				.labels = { "version" },
				.collect = collect_build_info },
	[FAMILY_DEVICES] = { .name = PREFIX "devices",
			     .help = "Devices that are known, by state.",
			     .type = METRICS_GAUGE,
			     .labels = { "vendor", "state" },
			     .collect = collect_devices },
	[FAMILY_DEVICE_INFO] = { .name = PREFIX "device_info",
				 .help = "What is known of a device.",
				 .type = METRICS_GAUGE,
				 .labels = { "device", "vendor", "product", "name", "pci",
					     "driver_version", "firmware_version" },
				 .collect = collect_info },
	[FAMILY_DEVICE_HEALTHY] = { .name = PREFIX "device_healthy",
				    .help = "Whether a device is healthy.",
				    .type = METRICS_GAUGE,
				    .labels = { "device" },
				    .collect = collect_healthy },
	[FAMILY_DEVICE_UNHEALTHY_INFO] = { .name = PREFIX "device_unhealthy_info",
					   .help = "Why a device is not healthy.",
					   .type = METRICS_GAUGE,
					   .labels = { "device", "reason" },
					   .collect = collect_reason },
	[FAMILY_DEVICE_TEMPERATURE] = { .name = PREFIX "device_temperature_celsius",
					.help = "Temperature of a device.",
					.type = METRICS_GAUGE,
					.labels = { "device" },
					.collect = collect_temperature },
	[FAMILY_DEVICE_POWER] = { .name = PREFIX "device_power_watts",
				  .help = "Power that a device draws.",
				  .type = METRICS_GAUGE,
				  .labels = { "device" },
				  .collect = collect_power },
	[FAMILY_DEVICE_UTILIZATION] = { .name = PREFIX "device_utilization_ratio",
					.help = "How busy a device is, from 0 to 1.",
					.type = METRICS_GAUGE,
					.labels = { "device" },
					.collect = collect_utilization },
	[FAMILY_DEVICE_MEMORY] = { .name = PREFIX "device_memory_bytes",
				   .help = "Memory of a device.",
				   .type = METRICS_GAUGE,
				   .labels = { "device" },
				   .collect = collect_memory },
	[FAMILY_DEVICE_MEMORY_USED] = { .name = PREFIX "device_memory_used_bytes",
					.help = "Memory of a device that is in use.",
					.type = METRICS_GAUGE,
					.labels = { "device" },
					.collect = collect_memory_used },
	[FAMILY_UNITS] = { .name = PREFIX "units",
			   .help = "Units of a resource, by state; a hidden one overlaps a unit "
				   "that somebody holds.",
			   .type = METRICS_GAUGE,
			   .labels = { "resource", "state" },
			   .collect = collect_units },
	[FAMILY_UNIT_ENFORCEMENT_INFO] = { .name = PREFIX "unit_enforcement_info",
					   .help = "What keeps a container within a unit.",
					   .type = METRICS_GAUGE,
					   .labels = { "resource", "tier" },
					   .collect = collect_enforcement },
	[FAMILY_RESOURCE_WATCHED] = { .name = PREFIX "resource_watched",
				      .help = "Whether the kubelet watches a resource.",
				      .type = METRICS_GAUGE,
				      .labels = { "resource", "registration" },
				      .collect = collect_watched },
	[FAMILY_ALLOCATIONS] = { .name = PREFIX "allocations_total",
				 .help = "Calls of Allocate that were answered with devices.",
				 .type = METRICS_COUNTER,
				 .labels = { "resource" } },
	[FAMILY_RPC_DURATION] = { .name = PREFIX "rpc_duration_seconds",
				  .help = "How long calls of the kubelet took.",
				  .type = METRICS_HISTOGRAM,
				  .labels = { "method" },
				  .buckets_ns = rpc_buckets_ns,
				  .n_buckets = ARRAY_SIZE(rpc_buckets_ns) },
	[FAMILY_RPC_ERRORS] = { .name = PREFIX "rpc_errors_total",
				.help = "Calls of the kubelet that were refused.",
				.type = METRICS_COUNTER,
				.labels = { "resource", "method" } },
	[FAMILY_REGISTRATIONS] = { .name = PREFIX "registrations_total",
				   .help = "Registrations with the kubelet, by outcome.",
				   .type = METRICS_COUNTER,
				   .labels = { "resource", "registration", "result" } },
	[FAMILY_PODRESOURCES] = { .name = PREFIX "pod_resources_requests_total",
				  .help = "Questions to the kubelet for who holds which device.",
				  .type = METRICS_COUNTER,
				  .labels = { "result" } },
	[FAMILY_RELOADS] = { .name = PREFIX "config_reloads_total",
			     .help = "Attempts to take over a configuration.",
			     .type = METRICS_COUNTER,
			     .labels = { "result" } },
	[FAMILY_RELOAD_SUCCESSFUL] = { .name = PREFIX "config_last_reload_successful",
				       .help = "Whether the newest configuration is in force.",
				       .type = METRICS_GAUGE,
				       .collect = collect_reload_successful },
	[FAMILY_RELOAD_TIMESTAMP] = { .name = PREFIX "config_last_reload_success_timestamp_seconds",
				      .help = "When the configuration in force was taken over.",
				      .type = METRICS_GAUGE,
				      .collect = collect_reload_timestamp },
	[FAMILY_SCAN_DURATION] = { .name = PREFIX "scan_duration_seconds",
				   .help = "How long looking for devices took.",
				   .type = METRICS_HISTOGRAM,
				   .buckets_ns = scan_buckets_ns,
				   .n_buckets = ARRAY_SIZE(scan_buckets_ns) },
};

int telemetry_new(const struct telemetry_source *source, struct telemetry **ret, struct error *err)
{
	_cleanup_(telemetry_freep) struct telemetry *telemetry = calloc(1, sizeof(*telemetry));
	int r;

	if (!telemetry)
		return error_set(err, ENOMEM, "no memory for the metrics");
	telemetry->source = *source;
	r = metrics_new(families, ARRAY_SIZE(families), telemetry, &telemetry->metrics, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(telemetry);
	return 0;
}

void telemetry_free(struct telemetry *telemetry)
{
	int saved_errno = errno;

	if (!telemetry)
		return;
	metrics_free(telemetry->metrics);
	free(telemetry);
	errno = saved_errno;
}

/* What the families about devices tell is read once, and of one moment. */
static int begin_scrape(struct telemetry *telemetry, struct error *err)
{
	struct snapshot *snapshot = telemetry->source.snapshot(telemetry->source.ctx);
	size_t n = snapshot ? snapshot->n_devices : 0;

	telemetry->scrape.snapshot = snapshot;
	telemetry->scrape.readings = calloc(n + 1, sizeof(*telemetry->scrape.readings));
	if (!telemetry->scrape.readings)
		return error_set(err, ENOMEM, "no memory for the readings of %zu devices", n);
	for (size_t i = 0; i < n; i++) {
		const struct device_state *state = &snapshot->devices[i];
		const struct driver *driver = state->device->driver;
		struct device_readings *readings = &telemetry->scrape.readings[i];

		*readings = device_readings_none();
		if (state->present && driver->measure)
			(void)driver->measure(telemetry->source.host, state->device, readings,
					      NULL);
	}
	return 0;
}

static void end_scrape(struct telemetry *telemetry)
{
	snapshot_unref(telemetry->scrape.snapshot);
	free(telemetry->scrape.readings);
	telemetry->scrape.snapshot = NULL;
	telemetry->scrape.readings = NULL;
}

int telemetry_write(struct telemetry *telemetry, struct strbuf *out, struct error *err)
{
	int r = begin_scrape(telemetry, err);

	if (r == 0)
		r = metrics_write(telemetry->metrics, out, err);
	end_scrape(telemetry);
	return r;
}

static void count(struct telemetry *telemetry, enum family family, const char *const *labels)
{
	struct metrics_counter *counter = NULL;

	if (!telemetry)
		return;
	(void)metrics_counter(telemetry->metrics, family, labels, &counter, NULL);
	metrics_counter_add(counter, 1);
}

static void observe(struct telemetry *telemetry, enum family family, const char *const *labels,
		    uint64_t start_ns)
{
	struct metrics_histogram *histogram = NULL;

	if (!telemetry)
		return;
	(void)metrics_histogram(telemetry->metrics, family, labels, &histogram, NULL);
	metrics_histogram_observe(histogram, clock_ns() - start_ns);
}

/* A histogram is never removed, so that the pointer stays good. */
static void observe_rpc(struct telemetry *telemetry, enum telemetry_rpc rpc, const char *name,
			uint64_t start_ns)
{
	struct metrics_histogram *histogram = atomic_load(&telemetry->rpc_durations[rpc]);

	if (!histogram) {
		(void)metrics_histogram(telemetry->metrics, FAMILY_RPC_DURATION,
					METRICS_LABELS(name), &histogram, NULL);
		atomic_store(&telemetry->rpc_durations[rpc], histogram);
	}
	metrics_histogram_observe(histogram, clock_ns() - start_ns);
}

void telemetry_rpc(struct telemetry *telemetry, const char *resource, enum telemetry_rpc rpc,
		   uint64_t start_ns, int r)
{
	static const char *const names[_TELEMETRY_RPC_MAX] = {
		[TELEMETRY_RPC_OPTIONS] = "GetDevicePluginOptions",
		[TELEMETRY_RPC_PREFERRED] = "GetPreferredAllocation",
		[TELEMETRY_RPC_ALLOCATE] = "Allocate",
		[TELEMETRY_RPC_PRE_START] = "PreStartContainer",
	};

	if (!telemetry)
		return;
	observe_rpc(telemetry, rpc, names[rpc], start_ns);
	if (r < 0)
		count(telemetry, FAMILY_RPC_ERRORS, METRICS_LABELS(resource, names[rpc]));
	else if (rpc == TELEMETRY_RPC_ALLOCATE)
		count(telemetry, FAMILY_ALLOCATIONS, METRICS_LABELS(resource));
}

void telemetry_registered(struct telemetry *telemetry, const char *resource,
			  enum lifecycle_path path, bool accepted)
{
	count(telemetry, FAMILY_REGISTRATIONS,
	      METRICS_LABELS(resource, path_names[path], accepted ? "accepted" : "refused"));
}

void telemetry_podresources(struct telemetry *telemetry, bool answered)
{
	count(telemetry, FAMILY_PODRESOURCES, METRICS_LABELS(answered ? "answered" : "failed"));
}

void telemetry_reload(struct telemetry *telemetry, bool accepted)
{
	if (!telemetry)
		return;
	count(telemetry, FAMILY_RELOADS, METRICS_LABELS(accepted ? "accepted" : "refused"));
	telemetry->reload_accepted = accepted;
	if (accepted)
		telemetry->reload_unix_time = (double)time(NULL);
}

void telemetry_scan(struct telemetry *telemetry, uint64_t start_ns)
{
	observe(telemetry, FAMILY_SCAN_DURATION, METRICS_NO_LABELS, start_ns);
}
