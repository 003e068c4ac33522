/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl-manual: writes silicactl.1 on standard output, while Silica is built.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "cli/manual.h"

#define MANUAL_MAX ((size_t)1024 * 1024)

int main(void)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(MANUAL_MAX);

	silicactl_manual_write(&out);
	if (strbuf_error(&out) < 0)
		return EXIT_FAILURE;
	return fputs(strbuf_str(&out), stdout) < 0 || fflush(stdout) < 0 ? EXIT_FAILURE : 0;
}
