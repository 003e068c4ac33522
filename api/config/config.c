/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "api/config/config_keys.h"
#include "api/config/config_translate.h"
#include "base/file.h"

static void file_done(struct config_file *file)
{
	config_done(&file->config);
	schema_done(&config_root, file);
}
#define _cleanup_file_ _cleanup_(file_done)

static int take_notes(struct config *config, const struct schema_notes *notes, struct error *err)
{
	if (notes->n == 0)
		return 0;
	config->notes = calloc(notes->n, sizeof(*config->notes));
	if (!config->notes)
		return error_set(err, ENOMEM, "no memory for the notes");
	for (size_t i = 0; i < notes->n; i++)
		memcpy(config->notes[i].text, notes->notes[i].msg, sizeof(config->notes->text));
	config->n_notes = notes->n;
	return 0;
}

int config_parse(const char *text, size_t len, const char *name, struct config *ret,
		 struct error *err)
{
	_cleanup_file_ struct config_file file = { 0 };
	struct schema_notes notes = { 0 };
	int r;

	if (len > CONFIG_TEXT_MAX)
		return error_set(err, EFBIG, "'%s' is longer than %d bytes", name, CONFIG_TEXT_MAX);
	r = schema_read(&config_root, text, len, name, &file, &notes, err);
	if (r < 0)
		return r;
	r = config_translate(&file, name, err);
	if (r < 0)
		return r;
	r = take_notes(&file.config, &notes, err);
	if (r < 0)
		return r;
	file.config.source = strdup(name);
	if (!file.config.source)
		return error_set(err, ENOMEM, "no memory for a name");
	*ret = file.config;
	file.config = (struct config) { 0 };
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
	struct config_file file = { .config = *config };

	free(config->source);
	free(config->notes);
	schema_done(&config_root, &file);
	*config = (struct config) { 0 };
}

void config_print(const struct config *config, struct strbuf *out)
{
	struct config_file file = { .config = *config };

	schema_print(&config_root, &file, out);
}

void config_describe(struct strbuf *out)
{
	schema_describe(&config_root, out);
}
