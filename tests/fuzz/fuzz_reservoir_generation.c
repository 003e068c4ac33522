/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the reader of generations.  What it accepts is written
 * again the same, byte by byte.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/store/generation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct generation *generation, const char *text, size_t len)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(GENERATION_TEXT_MAX);
	struct error err = { 0 };

	require(generation_format(generation, &again, &err) == 0);
	require(again.len == len && memcmp(again.data, text, len) == 0);
	for (size_t i = 0; i < generation->n_repositories; i++) {
		const struct generation_repository *repository = &generation->repositories[i];

		require(generation_name_check(repository->name) == 0);
		require(generation_repository(generation, repository->name) == repository);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error err = { 0 };

	if (generation_parse((const char *)data, size, &generation, &err) < 0)
		require(err.code != 0 && err.msg[0] != '\0');
	else
		check(generation, (const char *)data, size);
	return 0;
}
