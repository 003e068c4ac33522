/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the configuration reader.  What it accepts must be
 * within the schema, and must come back equal after printing.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/config.h"

#define PRINTED_MAX (4 * CONFIG_TEXT_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void print(const struct config *config, struct strbuf *out)
{
	config_print(config, out);
	require(strbuf_error(out) == 0);
}

static void check_patterns(const struct config_patterns *patterns)
{
	require(patterns->n <= CONFIG_PATTERNS_MAX);
	for (size_t i = 0; i < patterns->n; i++)
		require(strlen(patterns->items[i].text) < CONFIG_PATTERN_MAX);
}

static void check_selector(const struct config_selector *selector)
{
	check_patterns(&selector->vendor);
	check_patterns(&selector->product);
	check_patterns(&selector->architecture);
	check_patterns(&selector->bdf);
	check_patterns(&selector->uuid);
}

static void check_nodes(const struct config_nodes *nodes)
{
	require(nodes->n_names <= CONFIG_PATTERNS_MAX && nodes->n_labels <= CONFIG_LABELS_MAX);
}

static void check_resource(const struct config_resource *resource)
{
	bool share = resource->unit == CONFIG_UNIT_SHARE;
	bool partition =
		resource->unit == CONFIG_UNIT_PARTITION || resource->of == CONFIG_UNIT_PARTITION;

	require(resource_name_check_template(resource->name, NULL) == 0);
	check_selector(&resource->devices);
	check_nodes(&resource->nodes);
	require(share == (resource->shares >= CONFIG_SHARES_MIN));
	require(resource->shares <= CONFIG_SHARES_MAX && resource->cores <= CONFIG_CORES_MAX);
	require(share || (resource->of == CONFIG_UNIT_WHOLE && !resource->mps.pipe_directory[0] &&
			  !resource->fail_requests_greater_than_one));
	require(partition || (resource->cores == 0 && !resource->profile[0]));
	require(resource->cores == 0 || !resource->profile[0]);
	require(resource->allocate > 0 && resource->allocate < 1u << _CONFIG_ALLOCATE_MAX);
}

static void check_config(const struct config *config)
{
	require(config->n_resources >= 1 && config->n_resources <= CONFIG_RESOURCES_MAX);
	for (size_t i = 0; i < config->n_resources; i++)
		check_resource(&config->resources[i]);
	require(config->n_exclude <= CONFIG_EXCLUDES_MAX);
	for (size_t i = 0; i < config->n_exclude; i++) {
		check_selector(&config->exclude[i].devices);
		check_nodes(&config->exclude[i].nodes);
	}
	require(config->n_notes <= CONFIG_NOTES_MAX);
	require(config->cdi.directory[0] == '/');
}

static void check_round_trip(const struct config *config)
{
	_cleanup_strbuf_ struct strbuf first = STRBUF_INIT(PRINTED_MAX);
	_cleanup_strbuf_ struct strbuf second = STRBUF_INIT(PRINTED_MAX);
	_cleanup_config_ struct config again = { 0 };

	print(config, &first);
	if (first.len > CONFIG_TEXT_MAX)
		return; /* longer than a file may be */
	require(config_parse(strbuf_str(&first), first.len, "printed", &again, NULL) == 0);
	print(&again, &second);
	require(strcmp(strbuf_str(&first), strbuf_str(&second)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_config_ struct config config = { 0 };
	struct error err = { 0 };

	if (config_parse((const char *)data, size, "fuzz", &config, &err) < 0) {
		require(err.code != 0 && err.msg[0] != '\0');
		return 0;
	}
	check_config(&config);
	check_round_trip(&config);
	return 0;
}
