/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-reservoir-manual: writes silica-reservoir.1 on standard output, while Silica is
 * built.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/manual.h"
#include "base/strbuf.h"
#include "reservoir/command/command.h"

#define MANUAL_MAX ((size_t)1024 * 1024)

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

int main(void)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(MANUAL_MAX);

	manual_write(command_program(), &manual, &out);
	if (strbuf_error(&out) < 0)
		return EXIT_FAILURE;
	return fputs(strbuf_str(&out), stdout) < 0 || fflush(stdout) < 0 ? EXIT_FAILURE : 0;
}
