/* SPDX-License-Identifier: Apache-2.0 */
/* Prints sample metrics, for the linter of Prometheus to read. */
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "tests/unit/api/metrics/sample.h"

#define TEXT_MAX 65536

int main(void)
{
	_cleanup_(metrics_freep) struct metrics *metrics = sample_new();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	if (!metrics || metrics_write(metrics, &text, NULL) < 0)
		return EXIT_FAILURE;
	return fputs(strbuf_str(&text), stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
