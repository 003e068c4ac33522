/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the reader of silica-reservoir's configuration.  What it
 * accepts must be within its bounds, what it refuses must be told.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/config/config.h"
#include "reservoir/config/config_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_repository(const struct reservoir_config *config, size_t i)
{
	const struct repository *repository = &config->repositories[i];

	require(reservoir_check_name(repository->name, NULL) == 0);
	require(reservoir_config_repository(config, repository->name) == repository);
	require(repository->ecosystem < _REPOSITORY_ECOSYSTEM_MAX);
	require(repository->mode < _REPOSITORY_MODE_MAX);
	require(repository->mode != REPOSITORY_CACHE || repository->upstream[0]);
	require(!repository->upstream[0] || reservoir_check_url(repository->upstream, NULL) == 0);
	require(repository->ecosystem == REPOSITORY_APT || repository->apt.n_suites == 0);
	require(repository->ecosystem == REPOSITORY_PYPI || repository->pypi.n_projects == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct error err = { 0 };

	if (reservoir_config_parse((const char *)data, size, "fuzz", &config, &err) < 0) {
		require(err.code != 0 && err.msg[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < config.n_repositories; i++)
		check_repository(&config, i);
	require(config.sync.per_host >= 1 && config.sync.per_host <= 64);
	require(config.keep.generations >= 1);
	return 0;
}
