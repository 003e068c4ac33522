/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual.h"

#include "base/manual.h"
#include "cli/command.h"
#include "cli/findings.h"

static void put_findings(struct strbuf *out)
{
	strbuf_puts(out, ".SH FINDINGS\nWhat status can find:\n");
	for (int kind = 0; kind < _FINDING_KIND_MAX; kind++) {
		strbuf_puts(out, ".TP\n.BR ");
		manual_text(out, finding_name((enum finding_kind)kind));
		strbuf_printf(out, " \" (%s)\"\n",
			      finding_severity_name(finding_severity((enum finding_kind)kind)));
		manual_sentences(out, finding_advice((enum finding_kind)kind));
	}
}

static const struct manual manual = {
	.summary = "look at the accelerators of a Kubernetes node",
	.description = "Looks at the node that it runs on, as the device plugin does, and changes "
		       "nothing.\n"
		       "Installed as\n"
		       ".B kubectl\\-silica\n"
		       "it is a plugin of kubectl: kubectl silica devices.\n"
		       ".PP\n"
		       "Text from devices and pods is shown with every byte that is not printable "
		       "ASCII as \\exNN.\n"
		       "Names of fields in JSON and YAML stay as they are.\n",
	.sections = put_findings,
	.end = ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n"
	       "If it is set to anything, no colours are used unless \\-\\-color says so.\n"
	       ".TP\n.BR LC_ALL \", \" LC_CTYPE \", \" LANG\n"
	       "Pictures are drawn with box\\-drawing characters where these say UTF\\-8.\n",
};

void silicactl_manual_write(struct strbuf *out)
{
	manual_write(command_program(), &manual, out);
}
