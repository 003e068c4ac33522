/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-reservoir-config-doc: writes docs/reservoir-configuration.md on standard
 * output.
 *
 * The text is fixed here, the table comes from the rows, and the examples have gone
 * through the reader, so neither can grow stale.
 */
#include <string.h>

#include "base/macro.h"
#include "base/output.h"
#include "reservoir/config/config.h"

static const char intro[] =
	"<!-- Written by silica-reservoir-config-doc; do not edit. -->\n"
	"# Configuration of silica-reservoir\n\n"
	"The configuration is one YAML document, `reservoir.yaml` in the store unless\n"
	"`--config` names another. `silica-reservoir init` writes one, and `init --from-host`\n"
	"fills it with what the machine's own apt and pip are configured with. Reading is\n"
	"strict: an unknown or repeated key, a value of the wrong type and a value out of range\n"
	"are refused, and the message names the place:\n\n"
	"    reservoir.yaml:5:5: unknown key 'suits', did you mean 'suites'?\n\n"
	"A file has at most 1 MiB. Anchors, aliases, tags and further documents are refused.\n"
	"A duration is a whole number and one of `ms`, `s`, `m` and `h`; a number of bytes may\n"
	"end with `Ki`, `Mi`, `Gi`, `k`, `M` or `G`. Where a list of strings is expected, a\n"
	"single string may stand for it. A path that is not absolute is relative to the\n"
	"directory that a command is run in.\n\n"
	"## Keys\n\n";

static const struct {
	const char *text;
	const char *yaml;
} examples[] = {
	{
		"\n## A hub\n\n"
		"It has a line to the upstreams, collects, and signs bundles for the sites:\n\n",
		"repositories:\n"
		"- name: debian\n"
		"  ecosystem: apt\n"
		"  upstream: http://mirror.example.org/debian\n"
		"  apt:\n"
		"    suites: [bookworm, bookworm-updates]\n"
		"    components: main\n"
		"    architectures: amd64\n"
		"    keyring: /usr/share/keyrings/debian-archive-keyring.gpg\n"
		"- name: tools\n"
		"  ecosystem: apt\n"
		"  upstream: http://mirror.example.org/debian\n"
		"  apt:\n"
		"    suites: bookworm\n"
		"    architectures: amd64\n"
		"    keyring: /usr/share/keyrings/debian-archive-keyring.gpg\n"
		"    publish: curated\n"
		"    signingKey: /etc/silica/site.asc\n"
		"    packages: [curl, nginx, 'python3-*']\n"
		"    exclude: nginx-extras\n"
		"- name: pypi\n"
		"  ecosystem: pypi\n"
		"  upstream: https://pypi.example.org/simple/\n"
		"  pypi:\n"
		"    projects: [requests, 'numpy>=1.26']\n"
		"    exclude: 'requests<2.31'\n"
		"    keepNewest: 3\n"
		"    environments:\n"
		"    - {python: '3.11', platform: manylinux_2_28_x86_64}\n"
		"    - {python: '3.12', platform: win_amd64}\n"
		"sync:\n"
		"  window: 22:00-06:00\n"
		"bundles:\n"
		"  secretKeys: /etc/silica/hub.key\n",
	},
	{
		"\n## A site without a line\n\n"
		"What it has arrives in bundles; what is read and by whom is said here:\n\n",
		"repositories:\n"
		"- name: debian\n"
		"  ecosystem: apt\n"
		"- name: pypi\n"
		"  ecosystem: pypi\n"
		"  readers: build\n"
		"bundles:\n"
		"  hubs:\n"
		"  - id: 0123456789abcdef0123456789abcdef\n"
		"    keys: PUBLIC-KEY-OF-THE-HUB\n"
		"  drop: /srv/drop\n"
		"  scanner: [/usr/local/bin/scan, --quiet]\n"
		"serve:\n"
		"  listen: 0.0.0.0:8443\n"
		"  certificate: /etc/silica/tls.crt\n"
		"  privateKey: /etc/silica/tls.key\n"
		"  users:\n"
		"  - name: build\n"
		"    token: "
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
		"  clientBandwidth: 100Mi\n",
	},
	{
		"\n## A cache\n\n"
		"A site with a thin line fetches what is asked for, once:\n\n",
		"repositories:\n"
		"- name: pypi\n"
		"  ecosystem: pypi\n"
		"  mode: cache\n"
		"  upstream: https://pypi.example.org/simple/\n"
		"  cacheFor: 1h\n"
		"sync:\n"
		"  bandwidth: 10Mi\n",
	},
};

static int put_example(struct strbuf *page, size_t i, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	int r;

	r = reservoir_config_parse(examples[i].yaml, strlen(examples[i].yaml), "example", &config,
				   err);
	if (r < 0)
		return r;
	strbuf_printf(page, "%s```yaml\n%s```\n", examples[i].text, examples[i].yaml);
	return 0;
}

static int put_page(struct strbuf *page, struct error *err)
{
	int r = 0;

	strbuf_puts(page, intro);
	reservoir_config_describe(page);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(examples); i++)
		r = put_example(page, i, err);
	return r;
}

int main(void)
{
	return output_page_main("silica-reservoir-config-doc", put_page);
}
