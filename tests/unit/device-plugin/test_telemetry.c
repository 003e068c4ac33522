/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "device-plugin/telemetry.h"
#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/offering.h"

#define TEXT_MAX (1024 * 1024)
#define PREFIX "silica_device_plugin_"

static int measure(_unused_ const struct host *host, const struct device *device,
		   struct device_readings *ret, struct error *err)
{
	if (strcmp(device->name, "broken") == 0)
		return error_set(err, ENODEV, "gone from sysfs");
	*ret = device_readings_none();
	ret->temperature_celsius = 41.5;
	ret->power_watts = 0;
	return 0;
}

static const struct driver north = { .name = "north", .vendor = "North", .measure = measure };
static const struct driver south = { .name = "south", .vendor = "South" };

struct fixture {
	struct snapshot *snapshot; /* NULL before the first */
	struct catalog *catalog;
	struct telemetry *telemetry;
};

static struct snapshot *get_snapshot(void *ctx)
{
	const struct fixture *fixture = ctx;

	return fixture->snapshot ? snapshot_ref(fixture->snapshot) : NULL;
}

static const struct catalog *get_catalog(void *ctx)
{
	return ((const struct fixture *)ctx)->catalog;
}

static int setup(void **state)
{
	static const struct resource_setup nothing;
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct telemetry_source source = { .snapshot = get_snapshot,
						 .catalog = get_catalog,
						 .ctx = fixture };

	fixture->catalog = catalog_new(&nothing);
	assert_non_null(fixture->catalog);
	assert_int_equal(telemetry_new(&source, &fixture->telemetry, NULL), 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	telemetry_free(fixture->telemetry);
	catalog_free(fixture->catalog);
	snapshot_unref(fixture->snapshot);
	free(fixture);
	return 0;
}

/* Compares the samples whose lines begin with a name, without the common prefix, as
 * in "units{...} 3\nunits{...} 0\n". */
static void assert_samples(struct telemetry *telemetry, const char *name, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf samples = STRBUF_INIT(TEXT_MAX);
	const char *line;

	assert_int_equal(telemetry_write(telemetry, &text, NULL), 0);
	for (line = strbuf_str(&text); *line; line = strchr(line, '\n') + 1) {
		const char *sample = str_starts_with(line, PREFIX);

		if (sample && str_starts_with(sample, name))
			strbuf_add(&samples, sample, strcspn(sample, "\n") + 1);
	}
	assert_string_equal(strbuf_str(&samples), expected);
}

static void take_node(struct fixture *fixture)
{
	static const struct {
		const char *name;
		const struct driver *driver;
		bool present;
		bool healthy;
		uint64_t memory_bytes;
	} cards[] = {
		{ "north0", &north, true, true, 1024 },
		{ "south0", &south, true, true, 0 },
		{ "broken", &north, true, false, 0 },
		{ "north2", &north, false, false, 0 },
	};
	struct device_state states[ARRAY_SIZE(cards)] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		struct device *device = device_new(cards[i].driver);

		(void)str_copy(device->name, sizeof(device->name), cards[i].name);
		(void)str_copy(device->product, sizeof(device->product), "card");
		(void)str_copy(device->bdf, sizeof(device->bdf), i == 0 ? "0000:01:00.0" : "");
		(void)str_copy(device->driver_version, sizeof(device->driver_version), "1.2");
		device->memory_bytes = cards[i].memory_bytes;
		states[i] = (struct device_state) { .device = device,
						    .present = cards[i].present,
						    .healthy = cards[i].healthy };
		(void)snprintf(states[i].id, sizeof(states[i].id), "id-%zu", i);
		(void)snprintf(states[i].reason, sizeof(states[i].reason), "%s",
			       cards[i].healthy ? "" : "too \"hot\"");
	}
	fixture->snapshot = snapshot_new(1, states, ARRAY_SIZE(cards));
	assert_non_null(fixture->snapshot);
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
		device_unref(states[i].device);
}

static void devices_are_those_of_the_snapshot(void **state)
{
	static const struct {
		const char *name;
		const char *samples;
	} cases[] = {
		{ "build_info", "build_info{version=\"" SILICA_VERSION "\"} 1\n" },
		{ "devices{", "devices{vendor=\"north\",state=\"healthy\"} 1\n"
			      "devices{vendor=\"north\",state=\"unhealthy\"} 1\n"
			      "devices{vendor=\"north\",state=\"gone\"} 1\n"
			      "devices{vendor=\"south\",state=\"healthy\"} 1\n"
			      "devices{vendor=\"south\",state=\"unhealthy\"} 0\n"
			      "devices{vendor=\"south\",state=\"gone\"} 0\n" },
		{ "device_info{device=\"id-0\"",
		  "device_info{device=\"id-0\",vendor=\"north\",product=\"card\",name=\"north0\","
		  "pci=\"0000:01:00.0\",driver_version=\"1.2\",firmware_version=\"\"} 1\n" },
		{ "device_healthy", "device_healthy{device=\"id-0\"} 1\n"
				    "device_healthy{device=\"id-1\"} 1\n"
				    "device_healthy{device=\"id-2\"} 0\n"
				    "device_healthy{device=\"id-3\"} 0\n" },
		{ "device_unhealthy_info",
		  "device_unhealthy_info{device=\"id-2\",reason=\"too \\\"hot\\\"\"} 1\n"
		  "device_unhealthy_info{device=\"id-3\",reason=\"too \\\"hot\\\"\"} 1\n" },
		/* Only of what is there, can be read and says something. */
		{ "device_temperature_celsius",
		  "device_temperature_celsius{device=\"id-0\"} 41.5\n" },
		{ "device_power_watts", "device_power_watts{device=\"id-0\"} 0\n" },
		{ "device_utilization_ratio", "" },
		{ "device_memory_used_bytes", "" },
		{ "device_memory_bytes", "device_memory_bytes{device=\"id-0\"} 1024\n" },
		{ "units", "" },
		{ "resource_watched", "" },
	};
	struct fixture *fixture = *state;

	assert_samples(fixture->telemetry, "device", "");
	take_node(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_samples(fixture->telemetry, cases[i].name, cases[i].samples);
}

static void what_happens_is_counted(void **state)
{
	const struct fixture *fixture = *state;
	struct telemetry *telemetry = fixture->telemetry;
	uint64_t now_ns = clock_ns();

	assert_samples(telemetry, "allocations_total", "");
	telemetry_rpc(telemetry, "a.b/x", TELEMETRY_RPC_ALLOCATE, now_ns, 0);
	telemetry_rpc(telemetry, "a.b/x", TELEMETRY_RPC_ALLOCATE, now_ns, 0);
	telemetry_rpc(telemetry, "a.b/x", TELEMETRY_RPC_ALLOCATE, now_ns, -EIO);
	telemetry_rpc(telemetry, "a.b/y", TELEMETRY_RPC_PREFERRED, now_ns, 0);
	telemetry_rpc(telemetry, "a.b/y", TELEMETRY_RPC_PREFERRED, now_ns, -EINVAL);
	telemetry_rpc(telemetry, "a.b/y", TELEMETRY_RPC_OPTIONS, now_ns, 0);
	telemetry_rpc(telemetry, "a.b/y", TELEMETRY_RPC_PRE_START, now_ns, 0);
	assert_samples(telemetry, "allocations_total", "allocations_total{resource=\"a.b/x\"} 2\n");
	assert_samples(telemetry, "rpc_errors_total",
		       "rpc_errors_total{resource=\"a.b/x\",method=\"Allocate\"} 1\n"
		       "rpc_errors_total{resource=\"a.b/y\",method=\"GetPreferredAllocation\"} "
		       "1\n");
	assert_samples(telemetry, "rpc_duration_seconds_count",
		       "rpc_duration_seconds_count{method=\"Allocate\"} 3\n"
		       "rpc_duration_seconds_count{method=\"GetDevicePluginOptions\"} 1\n"
		       "rpc_duration_seconds_count{method=\"GetPreferredAllocation\"} 2\n"
		       "rpc_duration_seconds_count{method=\"PreStartContainer\"} 1\n");

	telemetry_registered(telemetry, "a.b/x", LIFECYCLE_CLASSIC, true);
	telemetry_registered(telemetry, "a.b/x", LIFECYCLE_WATCHER, false);
	assert_samples(telemetry, "registrations_total",
		       "registrations_total{resource=\"a.b/x\",registration=\"classic\","
		       "result=\"accepted\"} 1\n"
		       "registrations_total{resource=\"a.b/x\",registration=\"watcher\","
		       "result=\"refused\"} 1\n");

	telemetry_podresources(telemetry, true);
	telemetry_podresources(telemetry, false);
	telemetry_podresources(telemetry, false);
	assert_samples(telemetry, "pod_resources_requests_total",
		       "pod_resources_requests_total{result=\"answered\"} 1\n"
		       "pod_resources_requests_total{result=\"failed\"} 2\n");

	telemetry_scan(telemetry, now_ns);
	assert_samples(telemetry, "scan_duration_seconds_count", "scan_duration_seconds_count 1\n");
}

static void reloads_are_told_as_programs_of_prometheus_do(void **state)
{
	const struct fixture *fixture = *state;
	struct telemetry *telemetry = fixture->telemetry;

	telemetry_reload(telemetry, true);
	assert_samples(telemetry, "config_last_reload_successful",
		       "config_last_reload_successful 1\n");
	telemetry_reload(telemetry, false);
	assert_samples(telemetry, "config_last_reload_successful",
		       "config_last_reload_successful 0\n");
	assert_samples(telemetry, "config_reloads_total",
		       "config_reloads_total{result=\"accepted\"} 1\n"
		       "config_reloads_total{result=\"refused\"} 1\n");
}

static void units_are_those_of_the_resources(void **state)
{
	struct offering *offering = *state;
	const struct terms mps = { .ways = TERMS_ENV, .mps_pipe_dir = "/run/mps" };

	offering_apply(offering, "a.b/x a.b/y", &mps);
	assert_samples(offering->telemetry, "units{",
		       "units{resource=\"a.b/x\",state=\"healthy\"} 3\n"
		       "units{resource=\"a.b/x\",state=\"hidden\"} 0\n"
		       "units{resource=\"a.b/x\",state=\"unhealthy\"} 0\n"
		       "units{resource=\"a.b/y\",state=\"healthy\"} 3\n"
		       "units{resource=\"a.b/y\",state=\"hidden\"} 0\n"
		       "units{resource=\"a.b/y\",state=\"unhealthy\"} 0\n");
	assert_samples(offering->telemetry, "unit_enforcement_info",
		       "unit_enforcement_info{resource=\"a.b/x\",tier=\"hardware\"} 1\n"
		       "unit_enforcement_info{resource=\"a.b/y\",tier=\"hardware\"} 1\n");
	offering_apply(offering, "", NULL);
	assert_samples(offering->telemetry, "units{", "");
}

static void hidden_and_unhealthy_units_are_told_apart(void **state)
{
	static const struct unit_claim claim = { "a.b/other", "A", "pod a" };
	struct offering *offering = *state;
	struct unit_rule rule = { .resource = "a.b/x", .kind = UNIT_WHOLE, .shares = 2 };
	struct offer_resource resource = { "a.b/x", 0, { .ways = TERMS_ENV } };
	const struct offer offer = { &rule, 1, &resource, 1, true, NULL, 0, { 0 } };
	struct unit_plan plan;

	offering->request->snapshot->devices[1].healthy = false;
	plan = (struct unit_plan) { .snapshot = offering->request->snapshot,
				    .rules = &rule,
				    .n_rules = 1,
				    .claims = &claim,
				    .n_claims = 1 };
	catalog_apply(offering->catalog, &offer, &plan);
	assert_samples(offering->telemetry, "units{",
		       "units{resource=\"a.b/x\",state=\"healthy\"} 2\n"
		       "units{resource=\"a.b/x\",state=\"hidden\"} 2\n"
		       "units{resource=\"a.b/x\",state=\"unhealthy\"} 2\n");
	assert_samples(offering->telemetry, "unit_enforcement_info",
		       "unit_enforcement_info{resource=\"a.b/x\",tier=\"none\"} 1\n");
}

static void watched_resources_are_told(void **state)
{
	struct offering *offering = *state;

	offering_apply(offering, "a.b/x", NULL);
	assert_samples(offering->telemetry, "resource_watched",
		       "resource_watched{resource=\"a.b/x\",registration=\"watcher\"} 0\n");
	offering_watch(offering);
	assert_samples(offering->telemetry, "resource_watched",
		       "resource_watched{resource=\"a.b/x\",registration=\"watcher\"} 1\n");
}

/* Where nobody listens, nothing is counted. */
static void no_telemetry_is_fine(_unused_ void **state)
{
	telemetry_rpc(NULL, "a.b/x", TELEMETRY_RPC_ALLOCATE, 0, 0);
	telemetry_registered(NULL, "a.b/x", LIFECYCLE_CLASSIC, true);
	telemetry_podresources(NULL, true);
	telemetry_reload(NULL, true);
	telemetry_scan(NULL, 0);
	telemetry_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(devices_are_those_of_the_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(what_happens_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(reloads_are_told_as_programs_of_prometheus_do,
						setup, teardown),
		cmocka_unit_test_setup_teardown(units_are_those_of_the_resources, offering_setup,
						offering_teardown),
		cmocka_unit_test_setup_teardown(hidden_and_unhealthy_units_are_told_apart,
						offering_setup, offering_teardown),
		cmocka_unit_test_setup_teardown(watched_resources_are_told, offering_setup,
						offering_teardown),
		cmocka_unit_test(no_telemetry_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
