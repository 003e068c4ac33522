/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "reservoir/config/config_keys.h"

int reservoir_config_parse(const char *text, size_t len, const char *name,
			   struct reservoir_config *ret, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	int r;

	if (len > CONFIG_TEXT_BYTES_MAX)
		return error_set(err, EFBIG, "'%s' is longer than %zu bytes", name,
				 CONFIG_TEXT_BYTES_MAX);
	r = schema_read(&reservoir_config_root, text, len, name, &config, NULL, err);
	if (r < 0)
		return r;
	*ret = config;
	config = (struct reservoir_config) { 0 };
	return 0;
}

int reservoir_config_load(const char *path, struct reservoir_config *ret, struct error *err)
{
	_cleanup_free_ char *text = malloc(CONFIG_TEXT_BYTES_MAX + 1);
	ssize_t len;

	if (!text)
		return error_set(err, ENOMEM, "no memory to read '%s'", path);
	len = file_read(AT_FDCWD, path, text, CONFIG_TEXT_BYTES_MAX + 1, err);
	if (len < 0)
		return (int)len;
	return reservoir_config_parse(text, (size_t)len, path, ret, err);
}

void reservoir_config_done(struct reservoir_config *config)
{
	schema_done(&reservoir_config_root, config);
}

void reservoir_config_describe(struct strbuf *out)
{
	schema_describe(&reservoir_config_root, out);
}

const struct repository *reservoir_config_repository(const struct reservoir_config *config,
						     const char *name)
{
	for (size_t i = 0; i < config->n_repositories; i++)
		if (strcmp(config->repositories[i].name, name) == 0)
			return &config->repositories[i];
	return NULL;
}
