/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/config_translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

#define TEXT_MAX 4096 /* bytes of the default resources as YAML */

/*
 * Furiosa's resources by how the cards are cut.  Its plugin called a resource after
 * the card when it was told how to cut, and so do these.  A Warboy has two cores, of
 * 8 GB each.
 */
static const char *const furiosa_resources[_CONFIG_PARTITIONING_MAX] = {
	[CONFIG_PARTITIONING_UNSET] = "- name: furiosa.ai/npu\n"
				      "  devices: {vendor: furiosa}\n",
	[CONFIG_PARTITIONING_NONE] = "- name: furiosa.ai/{product}\n"
				     "  devices: {vendor: furiosa}\n",
	[CONFIG_PARTITIONING_1CORE] = "- name: furiosa.ai/{product}-1core.6gb\n"
				      "  devices: {vendor: furiosa, product: 'rngd*'}\n"
				      "  unit: partition\n"
				      "  cores: 1\n"
				      "- name: furiosa.ai/warboy-1core.8gb\n"
				      "  devices: {vendor: furiosa, product: warboy}\n"
				      "  unit: partition\n"
				      "  cores: 1\n",
	[CONFIG_PARTITIONING_2CORE] = "- name: furiosa.ai/{product}-2core.12gb\n"
				      "  devices: {vendor: furiosa, product: 'rngd*'}\n"
				      "  unit: partition\n"
				      "  cores: 2\n"
				      "- name: furiosa.ai/warboy-2core.16gb\n"
				      "  devices: {vendor: furiosa, product: warboy}\n"
				      "  unit: partition\n"
				      "  cores: 2\n",
	[CONFIG_PARTITIONING_4CORE] = "- name: furiosa.ai/{product}-4core.24gb\n"
				      "  devices: {vendor: furiosa, product: 'rngd*'}\n"
				      "  unit: partition\n"
				      "  cores: 4\n",
};

/* The name that each vendor's own device plugin uses, where one is known. */
static const char other_resources[] = "- name: nvidia.com/gpu\n"
				      "  devices: {vendor: nvidia}\n"
				      "- name: nvidia.com/mig-{profile}\n"
				      "  devices: {vendor: nvidia}\n"
				      "  unit: partition\n"
				      "- name: amd.com/gpu\n"
				      "  devices: {vendor: amd}\n"
				      "- name: amd.com/{profile}\n"
				      "  devices: {vendor: amd}\n"
				      "  unit: partition\n"
				      "- name: habana.ai/gaudi\n"
				      "  devices: {vendor: habana}\n"
				      "- name: gpu.intel.com/{architecture}\n"
				      "  devices: {vendor: intel, architecture: [i915, xe]}\n"
				      "- name: npu.intel.com/accel\n"
				      "  devices: {vendor: intel, architecture: npu}\n"
				      "- name: rebellions.ai/{architecture}\n"
				      "  devices: {vendor: rebellions}\n"
				      "- name: tenstorrent.com/{product}\n"
				      "  devices: {vendor: tenstorrent}\n"
				      "- name: qualcomm.com/qaic\n"
				      "  devices: {vendor: qualcomm}\n"
				      "- name: aws.amazon.com/neuron\n"
				      "  devices: {vendor: neuron}\n"
				      "- name: google.com/coral\n"
				      "  devices: {vendor: coral}\n"
				      "- name: hyperaccel.ai/lpu\n"
				      "  devices: {vendor: hyperaccel}\n";

static void file_done(struct config_file *file)
{
	schema_done(&config_root, file);
}

/* Reads @partitioning's resources as if a file had them, and moves them to @config. */
static int add_default_resources(struct config *config, enum config_partitioning partitioning,
				 struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	_cleanup_(file_done) struct config_file file = { 0 };
	int r;

	strbuf_printf(&text, "version: v1\nresources:\n%s%s", furiosa_resources[partitioning],
		      other_resources);
	r = strbuf_error(&text);
	if (r < 0)
		return error_set(err, -r, "no memory for the default resources");
	r = schema_read(&config_root, strbuf_str(&text), text.len, "default resources", &file, NULL,
			err);
	if (r < 0)
		return r;
	config->resources = TAKE_PTR(file.config.resources);
	config->n_resources = file.config.n_resources;
	file.config.n_resources = 0;
	return 0;
}

static int set_pattern(struct config_patterns *patterns, const char *text, struct error *err)
{
	patterns->items = calloc(1, sizeof(*patterns->items));
	if (!patterns->items)
		return error_set(err, ENOMEM, "no memory for '%s'", text);
	patterns->n = 1;
	return str_copy(patterns->items->text, sizeof(patterns->items->text), text);
}

/* What @exclude has come to own on failure is found by schema_done(). */
static int exclude_disabled(struct config_exclude *exclude, struct config_disabled *disabled,
			    struct error *err)
{
	struct config_nodes *nodes = &exclude->nodes;

	nodes->names = calloc(1, sizeof(*nodes->names));
	if (!nodes->names)
		return error_set(err, ENOMEM, "no memory for '%s'", disabled->node);
	nodes->n_names = 1;
	memcpy(nodes->names->text, disabled->node, sizeof(nodes->names->text));
	exclude->devices.uuid = disabled->uuids;
	disabled->uuids = (struct config_patterns) { 0 };
	return set_pattern(&exclude->devices.vendor, "furiosa", err);
}

static int add_disabled(struct config *config, struct config_disabled *disabled, size_t n,
			const char *name, struct error *err)
{
	struct config_exclude *exclude;
	int r;

	if (n == 0)
		return 0;
	if (config->n_exclude + n > CONFIG_EXCLUDES_MAX)
		return error_set(err, EINVAL,
				 "%s: with the disabled devices of each node there "
				 "are %zu exclusions, and at most %d are possible",
				 name, config->n_exclude + n, CONFIG_EXCLUDES_MAX);
	exclude = reallocarray(config->exclude, config->n_exclude + n, sizeof(*exclude));
	if (!exclude)
		return error_set(err, ENOMEM, "no memory for the disabled devices");
	config->exclude = exclude;
	for (size_t i = 0; i < n; i++) {
		if (disabled[i].uuids.n == 0)
			continue; /* nothing is disabled on that node */
		exclude[config->n_exclude] = (struct config_exclude) { 0 };
		r = exclude_disabled(&exclude[config->n_exclude++], &disabled[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_translate(struct config_file *file, const char *name, struct error *err)
{
	struct config_furiosa *furiosa = &file->furiosa;
	struct config *config = &file->config;
	int r = 0;

	if (config->n_resources == 0) {
		enum config_partitioning cut = MAX(furiosa->partitioning, furiosa->strategy);

		config->resources_are_default = cut == CONFIG_PARTITIONING_UNSET;
		r = add_default_resources(config, cut, err);
	}
	if (r == 0)
		r = add_disabled(config, furiosa->disabled, furiosa->n_disabled, name, err);
	if (r == 0)
		r = add_disabled(config, furiosa->disabled_list, furiosa->n_disabled_list, name,
				 err);
	furiosa->partitioning = CONFIG_PARTITIONING_UNSET;
	furiosa->strategy = CONFIG_PARTITIONING_UNSET;
	furiosa->debug_mode = false;
	return r;
}
