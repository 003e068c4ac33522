/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device-plugin/report.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/request.h"

static void units_are_listed_a_line_each(void **state)
{
	static const char expected[] =
		"RESOURCE                      DEVICE                                            "
		"HEALTH     NUMA  PCI           NAME       REASON\n"
		"fake.io/card                  A                                                 "
		"Healthy    -     -             a          \n"
		"fake.io/card                  B                                                 "
		"Unhealthy  -     -             b          too hot\n"
		"fake.io/card                  C                                                 "
		"Healthy    -     -             c          \n";
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);
	struct snapshot *snapshot = request_node(*state);
	struct unit_set *units;

	snapshot->devices[1].healthy = false;
	(void)snprintf(snapshot->devices[1].reason, HEALTH_REASON_MAX, "too hot");
	units = request_units(snapshot, &request_whole);
	report_units_header(&out);
	report_units(units, &out);
	assert_string_equal(strbuf_str(&out), expected);
	unit_set_unref(units);
	snapshot_unref(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(units_are_listed_a_line_each, tree_setup,
						tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
