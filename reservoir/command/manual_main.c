/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-reservoir-manual: writes silica-reservoir.1 on standard output, while Silica is
 * built.
 */
#include "base/macro.h"
#include "base/manual.h"
#include "base/output.h"
#include "reservoir/command/command.h"

static const struct manual manual = {
	.summary = "mirror packages for sites without the internet",
	.description =
		"Collects packages of APT repositories and Python package indexes, carries what "
		"changed to sites in signed bundles, and serves apt, pip and uv.\n"
		".PP\n"
		"A store is a directory; what is published in it changes as a whole, and one "
		"process writes to it at a time.\n"
		"The configuration is reservoir.yaml in the store unless \\-\\-config names "
		"another.\n",
	.end = ".SH ENVIRONMENT\n.TP\n.BR https_proxy \", \" http_proxy \", \" no_proxy\n"
	       "Proxies, unless sync.proxy is configured.\n"
	       ".TP\n.BR SSL_CERT_FILE \", \" CURL_CA_BUNDLE\n"
	       "Certificates of authorities, unless sync.caFile is configured.\n",
};

static int put_manual(struct strbuf *page, _unused_ struct error *err)
{
	manual_write(command_program(), &manual, page);
	return 0;
}

int main(void)
{
	return output_page_main("silica-reservoir-manual", put_manual);
}
