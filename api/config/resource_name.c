/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/resource_name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "base/strbuf.h"

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

/* An error shows @written, from which @name was made. */
static int check(const char *name, const char *written, struct error *err)
{
	const char *more = strlen(written) > SHOWN_MAX ? "..." : "";

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!rules[i].holds(name))
			return error_set(err, EINVAL, "resource name '%.*s%s' %s", SHOWN_MAX,
					 written, more, rules[i].broken);
	return 0;
}

int resource_name_check(const char *name, struct error *err)
{
	return check(name, name, err);
}

static const char *const placeholders[_RESOURCE_PLACEHOLDER_MAX] = {
	[RESOURCE_PRODUCT] = "{product}",
	[RESOURCE_ARCHITECTURE] = "{architecture}",
	[RESOURCE_PROFILE] = "{profile}",
};

/* The placeholder that @text begins with; _RESOURCE_PLACEHOLDER_MAX when it is none. */
static size_t find_placeholder(const char *text)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(placeholders) &&
	       strncmp(text, placeholders[i], strlen(placeholders[i])) != 0)
		i++;
	return i;
}

/* Appends what stands for the placeholder at @at, and gives the text behind it. */
static const char *replace(const char *template, const char *at, const char *const *words,
			   struct strbuf *out, struct error *err)
{
	size_t i = find_placeholder(at);

	if (i == ARRAY_SIZE(placeholders))
		error_set(err, EINVAL,
			  "resource name '%.*s' has a '{' that begins none of {product}, "
			  "{architecture} and {profile}",
			  SHOWN_MAX, template);
	else if (at < template + domain_len(template))
		error_set(err, EINVAL, "resource name '%.*s' has %s in front of the '/'", SHOWN_MAX,
			  template, placeholders[i]);
	else if (!words[i])
		error_set(err, EINVAL, "resource name '%.*s' has %s, and nothing to stand for it",
			  SHOWN_MAX, template, placeholders[i]);
	else {
		strbuf_puts(out, words[i]);
		return at + strlen(placeholders[i]);
	}
	return NULL;
}

int resource_name_expand(const char *template, const char *const words[_RESOURCE_PLACEHOLDER_MAX],
			 char *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT(RESOURCE_NAME_MAX - 1);
	const char *p = template;
	int r;

	while (*p) {
		size_t plain = strcspn(p, "{");

		strbuf_add(&name, p, plain);
		p += plain;
		if (*p == '{')
			p = replace(template, p, words, &name, err);
		if (!p)
			return -EINVAL;
	}
	r = strbuf_error(&name);
	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "no memory for a resource name");
	if (r < 0)
		return error_set(err, EINVAL, "resource name '%.*s...' is too long", SHOWN_MAX,
				 template);
	r = check(strbuf_str(&name), template, err);
	if (r < 0)
		return r;
	memcpy(ret, strbuf_str(&name), name.len + 1);
	return 0;
}

int resource_name_check_template(const char *template, struct error *err)
{
	static const char *const shortest[_RESOURCE_PLACEHOLDER_MAX] = { "x", "x", "x" };
	char name[RESOURCE_NAME_MAX];

	return resource_name_expand(template, shortest, name, err);
}

bool resource_name_uses(const char *template, enum resource_placeholder placeholder)
{
	return strstr(template, placeholders[placeholder]) != NULL;
}
