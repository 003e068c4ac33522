/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/declared_path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"

#define STAR "*"

static const struct {
	const char *text;
	unsigned int need;
} placeholders[] = {
	{ "{index}", DECLARED_NEEDS_INDEX },
	{ "{name}", DECLARED_NEEDS_NAME },
	{ "{bdf}", DECLARED_NEEDS_BDF },
};

bool declared_path_is_relative(const char *path)
{
	size_t n;

	if (!str_is_printable(path))
		return false;
	for (;; path += n + 1) {
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && memcmp(path, "..", n) == 0))
			return false;
		if (path[n] == '\0')
			return true;
	}
}

/* The placeholder that @text begins with: its number, or -1. */
static int find_placeholder(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(placeholders); i++)
		if (str_starts_with(text, placeholders[i].text))
			return (int)i;
	return -1;
}

int declared_template_check(const char *path, unsigned int *ret_needs, struct error *err)
{
	unsigned int needs = 0;

	if (!str_starts_with(path, "/dev/") || !declared_path_is_relative(path + 1))
		return error_set(err, EINVAL, "'%s' is no path of a file below /dev", path);
	for (const char *c = path; *c; c++) {
		int found = *c == '{' ? find_placeholder(c) : -1;

		if (found >= 0) {
			needs |= placeholders[found].need;
			c += strlen(placeholders[found].text) - 1;
		} else if (*c == '{' || *c == '}') {
			return error_set(err, EINVAL,
					 "'%s' has a brace that is not {index}, {name} or {bdf}",
					 path);
		}
	}
	*ret_needs = needs;
	return 0;
}

/* Returns false if the device lacks what the placeholder stands for. */
static bool add_value(struct strbuf *out, unsigned int need, const struct device *device)
{
	if (need == DECLARED_NEEDS_INDEX && device->index != DEVICE_INDEX_UNKNOWN)
		strbuf_printf(out, "%d", device->index);
	else if (need == DECLARED_NEEDS_NAME && device->name[0] != '\0')
		strbuf_puts(out, device->name);
	else if (need == DECLARED_NEEDS_BDF && device->bdf[0] != '\0')
		strbuf_puts(out, device->bdf);
	else
		return false;
	return true;
}

int declared_template_expand(const char *path, const struct device *device, char *ret)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(NODE_PATH_MAX - 1);
	int r;

	for (const char *c = path; *c; c++) {
		int found = *c == '{' ? find_placeholder(c) : -1;

		if (found < 0) {
			strbuf_add(&out, c, 1);
			continue;
		}
		if (!add_value(&out, placeholders[found].need, device))
			return -ENODATA;
		c += strlen(placeholders[found].text) - 1;
	}
	r = strbuf_error(&out);
	if (r < 0)
		return r == -ENOMEM ? r : -ENAMETOOLONG;
	return str_copy(ret, NODE_PATH_MAX, strbuf_str(&out));
}

int declared_pattern_parse(const char *path, struct declared_pattern *ret, struct error *err)
{
	const char *mark, *slash;
	unsigned int needs;
	int r;

	r = declared_template_check(path, &needs, err);
	if (r < 0)
		return r;
	slash = strrchr(path, '/');
	mark = strstr(path, "{index}");
	if (needs != DECLARED_NEEDS_INDEX || mark < slash || strchr(mark + strlen("{index}"), '{'))
		return error_set(err, EINVAL,
				 "'%s' must have {index} once, in its last part, and nothing else "
				 "in braces",
				 path);
	(void)snprintf(ret->dir, sizeof(ret->dir), "%.*s", (int)(slash - path - 1), path + 1);
	(void)snprintf(ret->prefix, sizeof(ret->prefix), "%.*s", (int)(mark - slash - 1),
		       slash + 1);
	return str_copy(ret->suffix, sizeof(ret->suffix), mark + strlen("{index}"));
}

/* The name of the only directory (or link to one) in @dir. */
static int find_only(DIR *dir, char *ret, size_t size)
{
	bool found = false;

	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		if (found)
			return -ENOTUNIQ;
		found = true;
		if (str_copy(ret, size, entry->d_name) < 0)
			return -ENAMETOOLONG;
	}
	if (errno != 0)
		return -errno;
	return found ? 0 : -ENOENT;
}

/* The star of an attribute, which is a component of its own; NULL for none. */
static const char *find_star(const char *attribute)
{
	const char *star = strstr(attribute, "/" STAR "/");

	return star ? star + 1 : NULL;
}

int declared_attribute_resolve(int dirfd, const char *attribute, char *ret)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int fd = -1;
	const char *star = find_star(attribute);
	char parent[DECLARED_ATTRIBUTE_MAX];
	char name[DECLARED_RESOLVED_MAX];
	int r;

	if (!star)
		return str_copy(ret, DECLARED_RESOLVED_MAX, attribute);
	(void)snprintf(parent, sizeof(parent), "%.*s", (int)(star - attribute), attribute);
	fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)TAKE_FD(fd);
	r = find_only(dir, name, sizeof(name));
	if (r < 0)
		return r;
	r = snprintf(ret, DECLARED_RESOLVED_MAX, "%s%s%s", parent, name, star + strlen(STAR));
	return r < DECLARED_RESOLVED_MAX ? 0 : -ENAMETOOLONG;
}
