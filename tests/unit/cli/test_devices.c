/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/devices.h"
#include "drivers/driver.h"
#include "tests/unit/inventory/node.h"

/* One healthy card whose facts were written by somebody who means harm, and one gone. */
static struct snapshot *make_node(void)
{
	struct device_state states[2] = { { .id = "A",
					    .present = true,
					    .healthy = true,
					    .reason = "back after 3 good probes" },
					  { .id = "B", .reason = "fell off" } };
	struct device *device = node_device("0", 0);
	struct snapshot *snapshot;

	(void)memcpy(device->firmware_version, "1\033[2J", sizeof("1\033[2J"));
	states[0].device = device;
	states[1].device = node_device("-", 1);
	snapshot = snapshot_new(1, states, ARRAY_SIZE(states));
	assert_non_null(snapshot);
	device_unref(states[0].device);
	device_unref(states[1].device);
	return snapshot;
}

static void print(enum settings_output output, struct strbuf *out)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node();
	struct settings settings = settings_default();
	struct device_readings readings[] = { { .temperature_celsius = 41.4,
						.power_watts = 120,
						.utilization_ratio = 0.25,
						.memory_used_bytes = 1536.0 * 1024 * 1024 },
					      device_readings_none() };

	settings.output = output;
	assert_int_equal(
		devices_print(&settings, &(struct devices_input) { "", snapshot, readings }, out),
		0);
	assert_int_equal(strbuf_error(out), 0);
}

static void prints_a_table(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);

	(void)state;
	print(SETTINGS_OUTPUT_TABLE, &out);
	assert_string_equal(
		strbuf_str(&out),
		"DEVICE  VENDOR  PRODUCT  NAME  PCI           NUMA  MEMORY  HEALTH   REASON\n"
		"A       Node    rngd     npu0  0000:00:00.0  0     8 GiB   Healthy  -\n"
		"B       Node    rngd     npu1  0000:00:01.0  -     8 GiB   Gone     fell off\n"
		"\n"
		"NUMA node 0\n"
		"`- 0000:00:00.0  npu0  rngd\n"
		"NUMA node not known\n"
		"`- 0000:00:01.0  npu1  rngd  (gone)\n");
}

static void prints_readings(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);

	(void)state;
	print(SETTINGS_OUTPUT_WIDE, &out);
	assert_non_null(strstr(strbuf_str(&out), "25 %  1.5 GiB     41 C  120 W  "));
	assert_non_null(strstr(strbuf_str(&out), "1\\x1b[2J"));
	assert_non_null(strstr(strbuf_str(&out), "8x1core 4x2core 2x4core"));
	assert_null(strchr(strbuf_str(&out), '\033'));
}

static void prints_documents(void **state)
{
	static const char *const json[] = {
		"\"node\": null",
		"\"id\": \"A\"",
		"\"vendor\": \"Node\"",
		"\"numaNode\": 0",
		"\"numaNode\": null",
		"\"memoryBytes\": 8589934592",
		"\"healthy\": true",
		"\"reason\": null",
		"\"reason\": \"fell off\"",
		"\"utilizationRatio\": 0.25",
		"\"powerWatts\": null",
		"\"profile\": \"4core\"",
		"\"firmwareVersion\": \"1\\\\x1b[2J\"",
	};
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);
	_cleanup_strbuf_ struct strbuf yaml = STRBUF_INIT(65536);

	(void)state;
	print(SETTINGS_OUTPUT_JSON, &out);
	for (size_t i = 0; i < ARRAY_SIZE(json); i++)
		assert_non_null(strstr(strbuf_str(&out), json[i]));
	print(SETTINGS_OUTPUT_YAML, &yaml);
	assert_ptr_equal(strstr(strbuf_str(&yaml), "node: null\ndevices:\n- id: \"A\"\n"),
			 strbuf_str(&yaml));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_a_table),
		cmocka_unit_test(prints_readings),
		cmocka_unit_test(prints_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
