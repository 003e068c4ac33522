/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-config-doc: writes docs/configuration.md on standard output.
 *
 * The text is fixed here, the table comes from the rows, and both examples have
 * gone through the reader, so neither can grow stale.
 */
#include <stdio.h>
#include <string.h>

#include "api/config/config.h"
#include "base/macro.h"

#define PAGE_MAX (256 * 1024) /* bytes of the page */

static const char intro[] =
	"<!-- Written by silica-config-doc; do not edit. -->\n"
	"# Configuration\n\n"
	"The configuration is one YAML document. Without a file, the defaults below are in\n"
	"force. Reading is strict: an unknown or repeated key, a value of the wrong type and a\n"
	"value out of range are refused, and the message names the place:\n\n"
	"    silica.yaml:2:1: unknown key 'resourses', did you mean 'resources'?\n\n"
	"A file has at most 1 MiB. Anchors, aliases, tags and further documents are refused.\n"
	"A duration is a whole number and one of `ms`, `s`, `m` and `h`.\n\n"
	"## Keys\n\n";

static const char example_intro[] =
	"\n## Example\n\n"
	"RNGD cards are cut into partitions of two cores, every other Furiosa NPU is handed out\n"
	"whole, and a device is Unhealthy after two bad probes:\n\n";

static const char example[] = "version: v1\n"
			      "resources:\n"
			      "- name: furiosa.ai/rngd-2core\n"
			      "  devices:\n"
			      "    vendor: furiosa\n"
			      "    product: rngd\n"
			      "  unit: partition\n"
			      "  cores: 2\n"
			      "- name: furiosa.ai/npu\n"
			      "  devices:\n"
			      "    vendor: furiosa\n"
			      "health:\n"
			      "  unhealthyAfter: 2\n";

static const char effective_intro[] = "\nThe same with every default written out:\n\n";
static const char default_intro[] = "\n## Defaults\n\nWithout a file:\n\n";

static void add_yaml(struct strbuf *page, const char *text)
{
	strbuf_printf(page, "```yaml\n%s```\n", text);
}

static void add_effective(struct strbuf *page, const struct config *config)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PAGE_MAX);

	config_print(config, &text);
	add_yaml(page, strbuf_str(&text));
}

static int write_page(struct strbuf *page, struct error *err)
{
	_cleanup_config_ struct config defaults = { 0 }, config = { 0 };
	int r;

	r = config_default(&defaults, err);
	if (r < 0)
		return r;
	r = config_parse(example, strlen(example), "example", &config, err);
	if (r < 0)
		return r;
	strbuf_puts(page, intro);
	config_describe(page);
	strbuf_puts(page, example_intro);
	add_yaml(page, example);
	strbuf_puts(page, effective_intro);
	add_effective(page, &config);
	strbuf_puts(page, default_intro);
	add_effective(page, &defaults);
	r = strbuf_error(page);
	return r < 0 ? error_set(err, -r, "page is too long or memory is short") : 0;
}

int main(void)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT(PAGE_MAX);
	struct error err = { 0 };
	int r = write_page(&page, &err);

	if (r == 0 && (fputs(strbuf_str(&page), stdout) < 0 || fflush(stdout) != 0))
		r = error_set(&err, EIO, "cannot write to standard output");
	if (r < 0)
		fprintf(stderr, "silica-config-doc: %s\n", error_text(&err, r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
