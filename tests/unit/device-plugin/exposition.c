/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the plugin's metrics, for the linter of Prometheus to read. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "tests/unit/device-plugin/offering.h"

#define TEXT_MAX (1024 * 1024)

/* Something of every family that is counted. */
static void count(struct telemetry *telemetry)
{
	uint64_t now_ns = clock_ns();

	for (enum telemetry_rpc rpc = 0; rpc < _TELEMETRY_RPC_MAX; rpc++)
		for (int r = -1; r <= 0; r++)
			telemetry_rpc(telemetry, "a.b/x", rpc, now_ns, r);
	telemetry_registered(telemetry, "a.b/x", LIFECYCLE_CLASSIC, true);
	telemetry_registered(telemetry, "a.b/x", LIFECYCLE_WATCHER, false);
	telemetry_podresources(telemetry, true);
	telemetry_reload(telemetry, true);
	telemetry_scan(telemetry, now_ns);
}

int main(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct offering *offering;
	void *state;
	int r;

	if (offering_setup(&state) < 0)
		return EXIT_FAILURE;
	offering = state;
	offering->request->snapshot->devices[1].healthy = false;
	offering_apply(offering, "a.b/x a.b/y", NULL);
	count(offering->telemetry);
	r = telemetry_write(offering->telemetry, &text, NULL);
	if (offering_teardown(&state) < 0 || r < 0)
		return EXIT_FAILURE;
	return fputs(strbuf_str(&text), stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
