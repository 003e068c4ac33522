/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-config-doc: writes docs/configuration.md on standard output.
 *
 * The text is fixed here, the table comes from the rows, and both examples have
 * gone through the reader, so neither can grow stale.
 */
#include <string.h>

#include "api/config/config.h"
#include "base/output.h"

static const char intro[] =
	"<!-- Written by silica-config-doc; do not edit. -->\n"
	"# Configuration\n\n"
	"The configuration is one YAML document. Without a file, the defaults below are in\n"
	"force. Reading is strict: an unknown or repeated key, a value of the wrong type and a\n"
	"value out of range are refused, and the message names the place:\n\n"
	"    silica.yaml:2:1: unknown key 'resourses', did you mean 'resources'?\n\n"
	"A file has at most 1 MiB. Anchors, aliases, tags and further documents are refused.\n"
	"A duration is a whole number and one of `ms`, `s`, `m` and `h`. Where a list of strings\n"
	"is expected, a single string may stand for it.\n\n"
	"A string under `devices`, `exclude` and `names`, and a `profile`, is a pattern: `*`\n"
	"stands for any characters, also none, and `?` for one. A pattern has at most four `*`.\n"
	"YAML wants quotes around one that begins with `*` or `?`.\n\n"
	"A key marked as deprecated is accepted, and the log says what replaces it. What the\n"
	"files of other device plugins become is in [migrating.md](migrating.md).\n\n"
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

static const char sharing_intro[] =
	"\n## Sharing, and nodes that differ\n\n"
	"On the nodes of one pool every GPU is offered as four shares, on the others whole.\n"
	"Partitions that the hardware has been cut into are offered by profile on all of them,\n"
	"and one card is out of service:\n\n";

static const char sharing[] = "version: v1\n"
			      "resources:\n"
			      "- name: nvidia.com/gpu.shared\n"
			      "  devices:\n"
			      "    vendor: nvidia\n"
			      "  nodes:\n"
			      "    labels:\n"
			      "      example.com/pool: notebooks\n"
			      "  unit: share\n"
			      "  shares: 4\n"
			      "- name: nvidia.com/gpu\n"
			      "  devices:\n"
			      "    vendor: nvidia\n"
			      "- name: nvidia.com/mig-{profile}\n"
			      "  devices:\n"
			      "    vendor: nvidia\n"
			      "  unit: partition\n"
			      "exclude:\n"
			      "- bdf: '0000:3b:00.0'\n"
			      "  nodes:\n"
			      "    names: node-7\n";

static const char sharing_notes[] =
	"\nShares are turns on the same device: nothing keeps one from taking the memory or the\n"
	"time of another. The memory of a share is that of the device by the number of shares,\n"
	"and is not configured.\n";

static const char effective_intro[] = "\nThe same with every default written out:\n\n";
static const char default_intro[] = "\n## Defaults\n\nWithout a file:\n\n";
static const char default_notes[] =
	"\nA vendor's resource has the name that the vendor's own device plugin uses. None is "
	"known\n"
	"for all cards of Graphcore (`c600.graphcore.ai/ipu` is that of one product), Groq,\n"
	"SambaNova (`sambanova.ai/rdu-tile` is not a card) and Sapeon: whoever enables one of "
	"these\n"
	"drivers writes a resource for it.\n";

static void add_yaml(struct strbuf *page, const char *text)
{
	strbuf_printf(page, "```yaml\n%s```\n", text);
}

static void add_effective(struct strbuf *page, const struct config *config)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(OUTPUT_PAGE_MAX);

	config_print(config, &text);
	add_yaml(page, strbuf_str(&text));
}

static int put_page(struct strbuf *page, struct error *err)
{
	_cleanup_config_ struct config defaults = { 0 }, config = { 0 }, shared = { 0 };
	int r;

	r = config_default(&defaults, err);
	if (r < 0)
		return r;
	r = config_parse(example, strlen(example), "example", &config, err);
	if (r < 0)
		return r;
	r = config_parse(sharing, strlen(sharing), "example", &shared, err);
	if (r < 0)
		return r;
	strbuf_puts(page, intro);
	config_describe(page);
	strbuf_puts(page, example_intro);
	add_yaml(page, example);
	strbuf_puts(page, effective_intro);
	add_effective(page, &config);
	strbuf_puts(page, sharing_intro);
	add_yaml(page, sharing);
	strbuf_puts(page, sharing_notes);
	strbuf_puts(page, default_intro);
	add_effective(page, &defaults);
	strbuf_puts(page, default_notes);
	return 0;
}

int main(void)
{
	return output_page_main("silica-config-doc", put_page);
}
