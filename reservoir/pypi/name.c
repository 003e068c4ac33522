/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/name.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/parse.h"

static bool is_separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int pypi_name_normalize(const char *name, size_t len, char ret[PYPI_NAME_MAX])
{
	char out[PYPI_NAME_MAX];
	size_t n = 0;

	if (len == 0 || !is_alphanumeric(name[0]) || !is_alphanumeric(name[len - 1]))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!is_separator(name[i]) && !is_alphanumeric(name[i]))
			return -EINVAL;
		if (is_separator(name[i]) && is_separator(name[i - 1]))
			continue;
		if (n >= sizeof(out) - 1)
			return -ENAMETOOLONG;
		out[n++] = (char)(is_separator(name[i]) ? '-' : char_lower(name[i]));
	}
	out[n] = '\0';
	memcpy(ret, out, n + 1);
	return 0;
}

bool pypi_name_is_normal(const char *name)
{
	char normal[PYPI_NAME_MAX];

	return pypi_name_normalize(name, strlen(name), normal) == 0 && strcmp(name, normal) == 0;
}

bool pypi_name_glob(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}
