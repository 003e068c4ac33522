/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl-manual: writes silicactl.1 on standard output, while Silica is built.
 */
#include "base/macro.h"
#include "base/output.h"
#include "cli/manual.h"

static int put_manual(struct strbuf *page, _unused_ struct error *err)
{
	silicactl_manual_write(page);
	return 0;
}

int main(void)
{
	return output_page_main("silicactl-manual", put_manual);
}
