/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "cli/picture.h"
#include "tests/unit/inventory/node.h"

static void draws(void **state)
{
	static const struct {
		const char *topology;
		const char *expected;
	} cases[] = {
		{ "", "" },
		{ "0", "NUMA node 0\n"
		       "`- 0000:00:00.0  npu0  rngd\n" },
		{ "-", "NUMA node not known\n"
		       "`- 0000:00:00.0  npu0  rngd\n" },
		{ "1 0/a/b 0/a/b 0/a/c 0/d -", "NUMA node 0\n"
					       "|- pcia\n"
					       "|  |- b\n"
					       "|  |  |- 0000:00:01.0  npu1  rngd\n"
					       "|  |  `- 0000:00:02.0  npu2  rngd\n"
					       "|  `- c\n"
					       "|     `- 0000:00:03.0  npu3  rngd\n"
					       "`- pcid\n"
					       "   `- 0000:00:04.0  npu4  rngd\n"
					       "NUMA node 1\n"
					       "`- 0000:00:00.0  npu0  rngd\n"
					       "NUMA node not known\n"
					       "`- 0000:00:05.0  npu5  rngd\n" },
		/* A bridge whose name begins like another's, and a card above a bridge. */
		{ "0/a/bb 0/a/b 0/a", "NUMA node 0\n"
				      "`- pcia\n"
				      "   |- 0000:00:02.0  npu2  rngd\n"
				      "   |- b\n"
				      "   |  `- 0000:00:01.0  npu1  rngd\n"
				      "   `- bb\n"
				      "      `- 0000:00:00.0  npu0  rngd\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
			node_snapshot(cases[i].topology);
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);

		assert_int_equal(picture_topology(snapshot, false, &out), 0);
		assert_string_equal(strbuf_str(&out), cases[i].expected);
	}
}

static void draws_boxes(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot("0/a 0/a 1");
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	assert_int_equal(picture_topology(snapshot, true, &out), 0);
	assert_string_equal(strbuf_str(&out),
			    "NUMA node 0\n"
			    "\xe2\x94\x94\xe2\x94\x80 pcia\n"
			    "   \xe2\x94\x9c\xe2\x94\x80 0000:00:00.0  npu0  rngd\n"
			    "   \xe2\x94\x94\xe2\x94\x80 0000:00:01.0  npu1  rngd\n"
			    "NUMA node 1\n"
			    "\xe2\x94\x94\xe2\x94\x80 0000:00:02.0  npu2  rngd\n");
}

/* Devices of a snapshot are constant; a test makes its own. */
static struct snapshot *make(const char *const *groups, size_t n)
{
	struct device_state states[4] = { 0 };
	struct snapshot *snapshot;

	for (size_t i = 0; i < n; i++) {
		struct device *device = node_device("0", i);

		(void)snprintf(device->link_group, sizeof(device->link_group), "%s", groups[i]);
		states[i] = (struct device_state) { .device = device,
						    .present = i != 1,
						    .healthy = i != 1 && i != 2 };
		(void)snprintf(states[i].id, sizeof(states[i].id), "%c", (char)('A' + i));
	}
	snapshot = snapshot_new(1, states, n);
	assert_non_null(snapshot);
	for (size_t i = 0; i < n; i++)
		device_unref(states[i].device);
	return snapshot;
}

static void shows_links_and_health(void **state)
{
	static const char *const groups[] = { "hive-1", "", "hive-2", "hive-1" };
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make(groups, ARRAY_SIZE(groups));
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	assert_int_equal(picture_topology(snapshot, false, &out), 0);
	assert_string_equal(strbuf_str(&out), "NUMA node 0\n"
					      "|- 0000:00:00.0  npu0  rngd\n"
					      "|- 0000:00:01.0  npu1  rngd  (gone)\n"
					      "|- 0000:00:02.0  npu2  rngd  (unhealthy)\n"
					      "`- 0000:00:03.0  npu3  rngd\n"
					      "link hive-1: npu0, npu3\n"
					      "link hive-2: npu2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws),
		cmocka_unit_test(draws_boxes),
		cmocka_unit_test(shows_links_and_health),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
