/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silica-labels-doc: writes docs/labels.md on standard output.
 *
 * The head is fixed here; every label comes from its row.
 */
#include "api/nfd/feature_file.h"
#include "base/macro.h"
#include "base/output.h"
#include "node-labeller/label_rows.h"

static const char intro[] =
	"<!-- Written by silica-labels-doc; do not edit. -->\n"
	"# Labels\n\n"
	"What a node's labels say of its cards. There are two families, and both are written\n"
	"by default: Silica's own under `silica.dev/`, spelled alike for every vendor, and the\n"
	"names that the tools of each vendor write, with the same values, so that manifests\n"
	"which rely on them go on working.\n\n"
	"```yaml\n"
	"version: v1\n"
	"labels:\n"
	"  families: [neutral, vendor]\n"
	"  furiosa: both\n"
	"  betaNames: false\n"
	"```\n\n"
	"All keys are in [configuration](configuration.md). A pod asks for a card like this:\n\n"
	"```yaml\n"
	"affinity:\n"
	"  nodeAffinity:\n"
	"    requiredDuringSchedulingIgnoredDuringExecution:\n"
	"      nodeSelectorTerms:\n"
	"      - matchExpressions:\n"
	"        - {key: silica.dev/furiosa.memory, operator: Gt, values: [\"40000\"]}\n"
	"        - {key: silica.dev/furiosa.product.rngd, operator: Exists}\n"
	"```\n\n"
	"## Rules\n\n"
	"- **Cards that differ.** A label about several cards is written only when all of them\n"
	"  agree; no card stands for the others. What a node with several models has is in the\n"
	"  labels that count, as `silica.dev/nvidia.product.NVIDIA-H200`. The labels of a version\n"
	"  are dropped together. A card with a fault that does not tell a value keeps no label\n"
	"  from being written; one that tells another does.\n"
	"- **Cards that fail.** They are counted by `count` and no longer by `healthy`. A card\n"
	"  that has disappeared is not counted, and no label is about it. Labels tell what is\n"
	"  there: a card that no resource offers is counted too.\n"
	"- **Values that are not known** are left out. Nothing is guessed.\n"
	"- **Characters.** What a label cannot have becomes a `-`, and what is neither letter nor\n"
	"  digit is cut from both ends: `2025.4.0-dev2+0e9e56a` is `2025.4.0-dev2-0e9e56a`.\n"
	"- **Length.** A value of more than 63 characters becomes an annotation of the same key;\n"
	"  it is never cut. Where the key would be too long, `KEY=VALUE` is in the annotation\n"
	"  `silica.dev/<vendor>.overflow`, with commas between several.\n"
	"- **Number.** A label that there is one of for each word, as for each product or card, "
	"is\n"
	"  not written where there would be more than 64 of it; a node has at most 1024 labels.\n\n"
	"## Without and with Node Feature Discovery\n\n"
	"Labels go to the Node through the API server, or into a file for Node Feature Discovery\n"
	"(NFD), whose master puts them on the node. The file lies in\n"
	"`" NFD_FEATURES_DIR "`, is replaced as a\n"
	"whole, and has a time after which NFD drops its labels, so that they do not outlive the\n"
	"labeller. What NFD demands:\n\n"
	"- Its directory is mounted into the labeller, writable, and into NFD's worker.\n"
	"- A file has at most 64 KiB; one that would be longer is not written, and the message\n"
	"  says so.\n"
	"- NFD's master takes labels of every namespace but `kubernetes.io` and what is below\n"
	"  it, except `feature.node.kubernetes.io` and below that. So all of the labels here\n"
	"  pass unless its `denyLabelNs` (`-deny-label-ns`) says otherwise; what is denied is let\n"
	"  through again by `extraLabelNs` (`-extra-label-ns`). Where it denies all\n"
	"  (`denyLabelNs: [\"*\"]`), allow `silica.dev` and the domains of the vendors. Releases\n"
	"  without `denyLabelNs` take nothing but NFD's own namespaces and those in\n"
	"  `-extra-label-ns`.\n"
	"- `-label-whitelist` of the master, where it is set, is matched against the names behind\n"
	"  the `/`.\n"
	"- Annotations are not written: a file of NFD has labels only.\n"
	"- Its worker looks once a minute (`core.sleepInterval`).\n\n"
	"## Labels\n\n"
	"`<vendor>` is the name of the driver. There is one label for each word that the others\n"
	"in `<>` can be.\n";

/* A template as people read it: "{vendor}" as "<vendor>". */
static void put_key(const char *key, struct strbuf *page)
{
	strbuf_puts(page, "| `");
	for (; *key; key++) {
		char c = *key;

		if (c == '{')
			c = '<';
		else if (c == '}')
			c = '>';
		strbuf_add(page, &c, 1);
	}
	strbuf_puts(page, "` | ");
}

static void put_row(const struct label_row *row, struct strbuf *page)
{
	static const char *const notes[_LABEL_WHEN_MAX] = {
		[LABEL_ALWAYS] = "",
		[LABEL_FURIOSA_CODE] = " With `furiosa: code` or `both`.",
		[LABEL_FURIOSA_DOCS] = " With `furiosa: docs` or `both`.",
		[LABEL_FURIOSA_DOCS_ONLY] = " With `furiosa: docs`.",
		[LABEL_BETA] = " With `betaNames`.",
	};

	put_key(row->key, page);
	strbuf_printf(page, "%s%s | `%s` |\n", row->text, notes[row->when], row->example);
}

static void put_table(const struct label_table *table, struct strbuf *page)
{
	strbuf_printf(page, "\n### %s\n\n%s\n\n| Label | Value | Example |\n|---|---|---|\n",
		      table->title, table->text);
	for (size_t i = 0; i < table->n; i++)
		put_row(&table->rows[i], page);
}

static int put_page(struct strbuf *page, _unused_ struct error *err)
{
	const struct label_table *const *tables;
	size_t n;

	strbuf_puts(page, intro);
	tables = label_tables(&n);
	for (size_t i = 0; i < n; i++)
		put_table(tables[i], page);
	return 0;
}

int main(void)
{
	return output_page_main("silica-labels-doc", put_page);
}
