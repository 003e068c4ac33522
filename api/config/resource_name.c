/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/resource_name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"

#define SHOWN_MAX 80 /* bytes of a refused name that an error repeats */

static const char lower_alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char alnum[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* Length of the part in front of the first '/'. */
static size_t domain_len(const char *name)
{
	return strcspn(name, "/");
}

static const char *local_part(const char *name)
{
	return name + domain_len(name) + 1;
}

static bool has_slash(const char *name)
{
	return strchr(name, '/') != NULL;
}

static bool has_one_slash(const char *name)
{
	return strchr(name, '/') == strrchr(name, '/');
}

static bool is_not_native(const char *name)
{
	return strstr(name, "kubernetes.io/") == NULL;
}

static bool is_not_quota(const char *name)
{
	static const char quota[] = "requests.";

	return strncmp(name, quota, sizeof(quota) - 1) != 0;
}

static bool domain_has_length(const char *name)
{
	return domain_len(name) >= 1 && domain_len(name) <= RESOURCE_DOMAIN_MAX;
}

/* Every '.' and both ends stand next to a letter or digit, never to '-' or '.'. */
static bool domain_is_dns(const char *name)
{
	size_t len = domain_len(name);
	bool inside = false; /* the byte before was a letter or digit */

	for (size_t i = 0; i < len; i++) {
		bool word = is_one_of(name[i], lower_alnum);
		bool starts_label = i == 0 || name[i - 1] == '.';

		if (!word && name[i] != '-' && name[i] != '.')
			return false;
		if ((starts_label && !word) || (name[i] == '.' && !inside))
			return false;
		inside = word;
	}
	return inside;
}

static bool local_has_length(const char *name)
{
	size_t len = strlen(local_part(name));

	return len >= 1 && len <= RESOURCE_LOCAL_MAX;
}

static bool local_has_allowed_bytes(const char *name)
{
	for (const char *p = local_part(name); *p; p++)
		if (!is_one_of(*p, alnum) && !is_one_of(*p, "-_."))
			return false;
	return true;
}

static bool local_has_allowed_ends(const char *name)
{
	const char *local = local_part(name);

	return is_one_of(local[0], alnum) && is_one_of(local[strlen(local) - 1], alnum);
}

/* In this order: a rule may rely on those above it. */
static const struct {
	bool (*holds)(const char *name);
	const char *broken;
} rules[] = {
	{ has_slash, "has no '/': a domain and a '/' must come first, as in furiosa.ai/npu" },
	{ is_not_native, "contains 'kubernetes.io/', which Kubernetes keeps for itself" },
	{ is_not_quota, "begins with 'requests.', which resource quotas use" },
	{ has_one_slash, "has more than one '/'" },
	{ domain_has_length, "must have 1 to 244 bytes in front of the '/'" },
	{ domain_is_dns, "must have a DNS name in front of the '/': lower-case letters, digits, "
			 "'-' and '.', a letter or digit at both ends of every label" },
	{ local_has_length, "must have 1 to 63 bytes behind the '/'" },
	{ local_has_allowed_bytes,
	  "must have only letters, digits, '-', '_' and '.' behind the '/'" },
	{ local_has_allowed_ends, "must begin and end with a letter or digit behind the '/'" },
};

int resource_name_check(const char *name, struct error *err)
{
	const char *more = strlen(name) > SHOWN_MAX ? "..." : "";

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].holds(name))
			return error_set(err, EINVAL, "resource name '%.*s%s' %s", SHOWN_MAX, name,
					 more, rules[i].broken);
	return 0;
}
