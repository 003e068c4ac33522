/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels that the tools of FuriosaAI, Rebellions and Tenstorrent write.
 *
 * Source: furiosa-ai/furiosa-feature-discovery at 782c943, src/npu.rs and README.md;
 * FuriosaAI's SDK manual, "Kubernetes support", for those under beta.furiosa.ai;
 * rebellions-sw/rbln-npu-feature-discovery at 93d8982, README.md and internal/collector;
 * tenstorrent/tt-operator, "Node labels the operator sets"
 */
#include "node-labeller/label_rows.h"

#include <string.h>

#include "base/macro.h"
#include "node-labeller/facts.h"

/* --- FuriosaAI --- */

/* The program writes "rngd_s", its manual has "rngd-s". */
static bool fact_code_product(const struct label_item *item, int arg, char *text)
{
	if (!fact_product(item, arg, text))
		return false;
	for (char *dash = strchr(text, '-'); dash; dash = strchr(dash, '-'))
		*dash = '_';
	return true;
}

enum machine_value {
	MACHINE_NAME,
	MACHINE_VENDOR,
};

static bool value_machine(const struct label_group *group, int arg, char *text)
{
	const struct labels_input *input = group->view->input;

	return group->n > 0 &&
	       label_printf(text, "%s",
			    arg == MACHINE_NAME ? input->machine : input->machine_vendor);
}

#define FURIOSA(KEY, WHEN, FACT, ARG, TEXT, EXAMPLE)                                               \
	{                                                                                          \
		.key = (KEY), .family = CONFIG_FAMILY_VENDOR, .when = (WHEN), .driver = "furiosa", \
		.fact = (FACT), .arg = (ARG), .also = (FACT), .text = (TEXT), .example = EXAMPLE   \
	}

#define FURIOSA_VALUE(KEY, WHEN, VALUE, ARG, TEXT, EXAMPLE)                                        \
	{                                                                                          \
		.key = (KEY), .family = CONFIG_FAMILY_VENDOR, .when = (WHEN), .driver = "furiosa", \
		.value = (VALUE), .arg = (ARG), .text = (TEXT), .example = EXAMPLE                 \
	}

/* The six labels of a version, which are dropped together. */
#define FURIOSA_VERSION(KEY, WHEN, FACT, WHAT, EXAMPLE, METADATA)                               \
	FURIOSA(KEY, WHEN, FACT, VERSION_CORE, "Version of " WHAT ", three numbers.", EXAMPLE), \
		FURIOSA(KEY ".major", WHEN, FACT, VERSION_MAJOR, "Its first number.", "2025"),  \
		FURIOSA(KEY ".minor", WHEN, FACT, VERSION_MINOR, "Its second number.", "3"),    \
		FURIOSA(KEY ".patch", WHEN, FACT, VERSION_PATCH, "Its third number.", "0"),     \
		FURIOSA(KEY ".prerelease", WHEN, FACT, VERSION_PRERELEASE,                      \
			"What stands behind a `-`; may be empty.", "dev2"),                     \
		FURIOSA(KEY ".metadata", WHEN, FACT, VERSION_METADATA,                          \
			"The commit it was built of; may be empty.", METADATA)

static const struct label_row furiosa_rows[] = {
	FURIOSA_VALUE("furiosa.ai/npu.count", LABEL_ALWAYS, value_count, 0, "Number of cards.",
		      "8"),
	FURIOSA("furiosa.ai/npu.family", LABEL_ALWAYS, fact_architecture, 0, "Architecture.",
		"rngd"),
	FURIOSA("furiosa.ai/npu.product", LABEL_FURIOSA_CODE, fact_code_product, 0,
		"Product, with `_`.", "rngd_s"),
	FURIOSA("furiosa.ai/npu.product", LABEL_FURIOSA_DOCS_ONLY, fact_product, 0,
		"Product, with `-`.", "rngd-s"),
	FURIOSA_VERSION("furiosa.ai/driver.version", LABEL_FURIOSA_CODE, fact_driver_version,
			"the kernel driver", "2025.3.0", "a1b2c3d"),
	FURIOSA_VERSION("furiosa.ai/npu.driver.version", LABEL_FURIOSA_DOCS, fact_driver_version,
			"the kernel driver", "2025.3.0", "a1b2c3d"),
	FURIOSA_VERSION("furiosa.ai/firmware.version", LABEL_FURIOSA_CODE, fact_firmware_version,
			"the firmware", "2025.3.0", "c1bebfd"),
	FURIOSA_VERSION("furiosa.ai/npu.firmware.version", LABEL_FURIOSA_DOCS,
			fact_firmware_version, "the firmware", "2025.3.0", "c1bebfd"),
	FURIOSA_VALUE("beta.furiosa.ai/npu.count", LABEL_BETA, value_count, 0, "Number of cards.",
		      "8"),
	FURIOSA("beta.furiosa.ai/npu.product", LABEL_BETA, fact_product, 0, "Product.", "warboy"),
	FURIOSA("beta.furiosa.ai/npu.family", LABEL_BETA, fact_architecture, 0, "Architecture.",
		"warboy"),
	FURIOSA_VALUE("beta.furiosa.ai/machine.vendor", LABEL_BETA, value_machine, MACHINE_VENDOR,
		      "Who made the machine.", "Supermicro"),
	FURIOSA_VALUE("beta.furiosa.ai/machine.name", LABEL_BETA, value_machine, MACHINE_NAME,
		      "Product name of the machine.", "SYS-4029GP-TRT"),
	FURIOSA("beta.furiosa.ai/driver.version", LABEL_BETA, fact_driver_version, VERSION_CORE,
		"Version of the kernel driver, three numbers.", "1.3.0"),
	FURIOSA("beta.furiosa.ai/driver.version.major", LABEL_BETA, fact_driver_version,
		VERSION_MAJOR, "Its first number.", "1"),
	FURIOSA("beta.furiosa.ai/driver.version.minor", LABEL_BETA, fact_driver_version,
		VERSION_MINOR, "Its second number.", "3"),
	FURIOSA("beta.furiosa.ai/driver.version.patch", LABEL_BETA, fact_driver_version,
		VERSION_PATCH, "Its third number.", "0"),
	FURIOSA("beta.furiosa.ai/driver.reference", LABEL_BETA, fact_driver_version,
		VERSION_METADATA, "The commit that the kernel driver was built of.", "57ac7b0"),
};

const struct label_table label_table_furiosa = {
	.title = "FuriosaAI",
	.text = "Names and values of `furiosa-feature-discovery`. The names of versions that the\n"
		"program writes are not those of its manual; `labels.furiosa` says which are\n"
		"written, and both are by default. The names under `beta.furiosa.ai/`, of the\n"
		"time of Warboy, need `labels.betaNames`.",
	.rows = furiosa_rows,
	.n = ARRAY_SIZE(furiosa_rows),
};

/* --- Rebellions --- */

#define REBELLIONS(KEY, FACT, ARG, TEXT, EXAMPLE)                                     \
	{                                                                             \
		.key = "rebellions.ai/" KEY, .family = CONFIG_FAMILY_VENDOR,          \
		.driver = "rebellions", .fact = (FACT), .arg = (ARG), .also = (FACT), \
		.text = (TEXT), .example = EXAMPLE                                    \
	}

#define REBELLIONS_VALUE(KEY, VALUE, TEXT, EXAMPLE)                                          \
	{                                                                                    \
		.key = "rebellions.ai/" KEY, .family = CONFIG_FAMILY_VENDOR,                 \
		.driver = "rebellions", .value = (VALUE), .text = (TEXT), .example = EXAMPLE \
	}

/* "6d00b56" of "1.2.92-6d00b56". */
static bool fact_revision(const struct label_item *item, _unused_ int arg, char *text)
{
	return version_part(item->device->driver_version, VERSION_PRERELEASE, text) &&
	       text[0] != '\0';
}

static const struct label_row rebellions_rows[] = {
	REBELLIONS_VALUE("npu.present", value_true, "The node has a card.", "true"),
	REBELLIONS_VALUE("npu.count", value_count,
			 "Number of cards; of one that is divided by SR-IOV, of its functions.",
			 "2"),
	REBELLIONS("npu.family", fact_architecture, 0, "Family.", "ATOM"),
	REBELLIONS("npu.product", fact_product, 0, "Product.", "RBLN-CA12"),
	REBELLIONS("driver-version.full", fact_driver_version, VERSION_FULL,
		   "Version of the kernel driver.", "1.2.92-6d00b56"),
	REBELLIONS("driver-version.major", fact_driver_version, VERSION_MAJOR, "Its first number.",
		   "1"),
	REBELLIONS("driver-version.minor", fact_driver_version, VERSION_MINOR, "Its second number.",
		   "2"),
	REBELLIONS("driver-version.patch", fact_driver_version, VERSION_PATCH, "Its third number.",
		   "92"),
	REBELLIONS("driver-version.revision", fact_revision, 0, "What stands behind the `-`.",
		   "6d00b56"),
};

const struct label_table label_table_rebellions = {
	.title = "Rebellions",
	.text = "Names and values of `rbln-npu-feature-discovery`.",
	.rows = rebellions_rows,
	.n = ARRAY_SIZE(rebellions_rows),
};

/* --- Tenstorrent --- */

static const struct label_row tenstorrent_rows[] = {
	{
		.key = "driver.tenstorrent.com/kmd-version",
		.family = CONFIG_FAMILY_VENDOR,
		.driver = "tenstorrent",
		.fact = fact_driver_version,
		.arg = VERSION_FULL,
		.text = "Version of the kernel driver.",
		.example = "2.8.0",
	},
	{
		.key = "firmware.tenstorrent.com/fw-version",
		.family = CONFIG_FAMILY_VENDOR,
		.driver = "tenstorrent",
		.fact = fact_firmware_version,
		.arg = VERSION_FULL,
		.text = "Version of the bundle of firmware.",
		.example = "19.4.2.0",
	},
};

const struct label_table label_table_tenstorrent = {
	.title = "Tenstorrent",
	.text = "Names and values of `tt-operator`, which reads them on the node as well. What it\n"
		"says of its own installations is left to it.",
	.rows = tenstorrent_rows,
	.n = ARRAY_SIZE(tenstorrent_rows),
};
