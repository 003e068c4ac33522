/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/packages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

static int digest_of_value(const struct deb822_value *value, struct digest *ret)
{
	char text[DIGEST_TEXT_SIZE];

	if (value->len != DIGEST_TEXT_SIZE - 1)
		return -EBADMSG;
	memcpy(text, value->text, value->len);
	text[value->len] = '\0';
	return digest_parse(text, ret) < 0 ? -EBADMSG : 0;
}

/* A flat repository has its files as "./NAME". */
static const char *without_dot(const char *path)
{
	while (str_starts_with(path, "./"))
		path += 2;
	return path;
}

static int join(const char *dir, const struct deb822_value *name, char ret[STORE_PATH_MAX])
{
	int n = snprintf(ret, STORE_PATH_MAX, "%s%s%.*s", dir, dir[0] ? "/" : "",
			 (int)MIN(name->len, (size_t)STORE_PATH_MAX), name->text);

	return n < 0 || n >= STORE_PATH_MAX ? -EBADMSG : 0;
}

int package_file(const struct deb822_stanza *stanza, struct package_file *ret, struct error *err)
{
	struct deb822_value name = deb822_get(stanza, "Package");
	struct deb822_value size = deb822_get(stanza, "Size");
	struct deb822_value sha256 = deb822_get(stanza, "SHA256");
	char path[STORE_PATH_MAX];

	if (deb822_copy(stanza, "Filename", path, sizeof(path), err) < 0 || !path[0] ||
	    deb822_u64(&size, &ret->size) < 0 || digest_of_value(&sha256, &ret->sha256) < 0)
		return error_set(err, EBADMSG, "package '%.*s' has no Filename, Size and SHA256",
				 (int)MIN(name.len, (size_t)100), name.text);
	return str_copy(ret->path, sizeof(ret->path), without_dot(path)) < 0 ? -EBADMSG : 0;
}

int package_name(const struct deb822_stanza *stanza, struct package_name *ret, struct error *err)
{
	if (deb822_copy(stanza, "Package", ret->name, sizeof(ret->name), err) < 0 ||
	    deb822_copy(stanza, "Version", ret->version, sizeof(ret->version), err) < 0 ||
	    deb822_copy(stanza, "Architecture", ret->architecture, sizeof(ret->architecture), err) <
		    0)
		return -EBADMSG;
	if (!ret->name[0] || !ret->version[0])
		return error_set(err, EBADMSG, "a package has no name and version");
	return 0;
}

int package_source(const struct deb822_stanza *stanza, struct package_name *ret, struct error *err)
{
	char source[2 * PACKAGE_WORD_MAX];
	char *open;
	int r = package_name(stanza, ret, err);

	if (r < 0)
		return r;
	r = deb822_copy(stanza, "Source", source, sizeof(source), err);
	if (r < 0)
		return -EBADMSG;
	(void)str_copy(ret->architecture, sizeof(ret->architecture), "source");
	if (!source[0])
		return 0;
	/* "NAME", or "NAME (VERSION)" where the versions differ. */
	open = strchr(source, ' ');
	if (open) {
		size_t len = strcspn(open + 1, ")");

		*open = '\0';
		if (open[1] != '(' || len < 2)
			return error_set(err, EBADMSG, "package '%s': Source is damaged",
					 ret->name);
		open[1 + len] = '\0';
		if (str_copy(ret->version, sizeof(ret->version), open + 2) < 0)
			return error_set(err, EBADMSG, "package '%s': Source is too long",
					 ret->name);
	}
	return str_copy(ret->name, sizeof(ret->name), source) < 0
		       ? error_set(err, EBADMSG, "Source is too long")
		       : 0;
}

static int read_source_file(const char *dir, struct deb822_value *line, struct package_file *ret)
{
	struct deb822_value hash, size, name;

	if (!deb822_word(line, &hash) || !deb822_word(line, &size) || !deb822_word(line, &name) ||
	    digest_of_value(&hash, &ret->sha256) < 0 || deb822_u64(&size, &ret->size) < 0)
		return -EBADMSG;
	return join(dir, &name, ret->path);
}

int source_files(const struct deb822_stanza *stanza, package_file_fn fn, void *ctx,
		 struct error *err)
{
	struct deb822_value name = deb822_get(stanza, "Package");
	struct deb822_value lines = deb822_get(stanza, "Checksums-Sha256");
	struct deb822_value line;
	char text[STORE_PATH_MAX];
	const char *dir;

	if (deb822_copy(stanza, "Directory", text, sizeof(text), err) < 0)
		return -EBADMSG;
	dir = without_dot(text);
	if (strcmp(dir, ".") == 0)
		dir = "";
	if (lines.len == 0)
		return error_set(err, EBADMSG, "source '%.*s' has no Checksums-Sha256",
				 (int)MIN(name.len, (size_t)100), name.text);
	while (deb822_line(&lines, &line)) {
		struct package_file file;
		int r;

		if (line.len == 0)
			continue;
		if (read_source_file(dir, &line, &file) < 0)
			return error_set(err, EBADMSG, "source '%.*s': a file has no hash and size",
					 (int)MIN(name.len, (size_t)100), name.text);
		r = fn(ctx, &file, err);
		if (r < 0)
			return r;
	}
	return 0;
}
