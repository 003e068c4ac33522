/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "api/config/config_keys.h"
#include "base/file.h"

int config_parse(const char *text, size_t len, const char *name, struct config *ret,
		 struct error *err)
{
	_cleanup_config_ struct config config = { 0 };
	int r;

	if (len > CONFIG_TEXT_MAX)
		return error_set(err, EFBIG, "'%s' is longer than %d bytes", name, CONFIG_TEXT_MAX);
	r = schema_read(&config_root, text, len, name, &config, NULL, err);
	if (r < 0)
		return r;
	*ret = config;
	config = (struct config) { 0 };
	return 0;
}

int config_load(const char *path, struct config *ret, struct error *err)
{
	_cleanup_free_ char *text = malloc(CONFIG_TEXT_MAX + 1);
	ssize_t len;

	if (!text)
		return error_set(err, ENOMEM, "no memory to read '%s'", path);
	len = file_read(AT_FDCWD, path, text, CONFIG_TEXT_MAX + 1, err);
	if (len < 0)
		return (int)len;
	return config_parse(text, (size_t)len, path, ret, err);
}

int config_default(struct config *ret, struct error *err)
{
	static const char text[] = "version: v1\n";

	return config_parse(text, sizeof(text) - 1, "default configuration", ret, err);
}

void config_done(struct config *config)
{
	schema_done(&config_root, config);
}

void config_print(const struct config *config, struct strbuf *out)
{
	schema_print(&config_root, config, out);
}

void config_describe(struct strbuf *out)
{
	schema_describe(&config_root, out);
}
