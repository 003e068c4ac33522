/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the configuration reader.  What it accepts must be
 * within the schema, and must come back equal after printing.
 */
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

static void check_resources(const struct config *config)
{
	require(config->n_resources >= 1 && config->n_resources <= CONFIG_RESOURCES_MAX);
	for (size_t i = 0; i < config->n_resources; i++) {
		const struct config_resource *resource = &config->resources[i];

		require(resource_name_check(resource->name, NULL) == 0);
		require((resource->unit == CONFIG_UNIT_PARTITION) == (resource->cores > 0));
		require(resource->cores <= CONFIG_CORES_MAX);
	}
}

static void check_round_trip(const struct config *config)
{
	_cleanup_strbuf_ struct strbuf first = STRBUF_INIT(PRINTED_MAX);
	_cleanup_strbuf_ struct strbuf second = STRBUF_INIT(PRINTED_MAX);
	_cleanup_config_ struct config again = { 0 };

	print(config, &first);
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
	check_resources(&config);
	check_round_trip(&config);
	return 0;
}
