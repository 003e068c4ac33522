/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cdi/name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/strbuf.h"

#define SHOWN_MAX 80	 /* bytes of a refused name that an error repeats */
#define DNS_LABEL_MAX 63 /* bytes between two dots, RFC 1123 */

/* Escapes are a '_' and two digits, so no name made of an ID has two of them in a
 * row, except behind this front. */
#define FRONT "x__"

/* One rule of a name and what to say when it is broken. */
struct rule {
	bool (*holds)(const char *name);
	const char *broken;
};

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

static bool is_name_byte(char c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static bool has_name_bytes(const char *name)
{
	for (; *name; name++)
		if (!is_name_byte(*name))
			return false;
	return true;
}

static bool ends_with_alnum(const char *name)
{
	return name[0] != '\0' && is_alnum(name[strlen(name) - 1]);
}

/* Length of the part in front of the first '/'. */
static size_t vendor_len(const char *kind)
{
	return strcspn(kind, "/");
}

static const char *class_of(const char *kind)
{
	return kind + vendor_len(kind) + 1;
}

static bool has_one_slash(const char *kind)
{
	const char *slash = strchr(kind, '/');

	return slash && !strchr(slash + 1, '/');
}

static bool vendor_has_length(const char *kind)
{
	return vendor_len(kind) >= 1 && vendor_len(kind) <= CDI_VENDOR_MAX;
}

static bool is_dns_label(const char *label, size_t len)
{
	if (len < 1 || len > DNS_LABEL_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_alnum(label[i]) && label[i] != '-')
			return false;
	return label[0] != '-' && label[len - 1] != '-';
}

static bool vendor_is_dns(const char *kind)
{
	const char *label = kind;
	size_t len;

	for (len = strcspn(label, "./"); label[len] == '.'; len = strcspn(label, "./")) {
		if (!is_dns_label(label, len))
			return false;
		label += len + 1;
	}
	return is_dns_label(label, len);
}

static bool vendor_begins_with_letter(const char *kind)
{
	return is_letter(kind[0]);
}

static bool class_has_length(const char *kind)
{
	size_t len = strlen(class_of(kind));

	return len >= 1 && len <= CDI_CLASS_MAX;
}

static bool class_has_name_bytes(const char *kind)
{
	return has_name_bytes(class_of(kind));
}

static bool class_has_ends(const char *kind)
{
	return is_letter(class_of(kind)[0]) && ends_with_alnum(kind);
}

static bool name_has_length(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len < CDI_NAME_MAX;
}

static bool name_has_no_colon(const char *name)
{
	return !strchr(name, ':');
}

static bool name_has_ends(const char *name)
{
	return is_alnum(name[0]) && ends_with_alnum(name);
}

/* In this order: a rule may rely on those above it. */
static const struct rule kind_rules[] = {
	{ has_one_slash, "must have one '/', between vendor and class, as in furiosa.ai/npu" },
	{ vendor_has_length, "must have 1 to 253 bytes in front of the '/'" },
	{ vendor_is_dns, "must have a DNS name in front of the '/': lower-case letters, digits, "
			 "'-' and '.', a letter or digit at both ends of every label" },
	{ vendor_begins_with_letter, "must begin with a letter" },
	{ class_has_length, "must have 1 to 63 bytes behind the '/'" },
	{ class_has_name_bytes, "must have only letters, digits, '-', '_' and '.' behind the '/'" },
	{ class_has_ends, "must begin with a letter and end with a letter or digit behind "
			  "the '/'" },
};

static const struct rule name_rules[] = {
	{ name_has_length, "must have 1 to 255 bytes" },
	{ name_has_no_colon, "has a ':', which the key of an annotation cannot carry" },
	{ has_name_bytes, "must have only letters, digits, '-', '_' and '.'" },
	{ name_has_ends, "must begin and end with a letter or digit" },
};

static int check(const char *what, const char *name, const struct rule *rules, size_t n,
		 struct error *err)
{
	const char *more = strlen(name) > SHOWN_MAX ? "..." : "";

	for (size_t i = 0; i < n; i++)
		if (!rules[i].holds(name))
			return error_set(err, EINVAL, "%s '%.*s%s' %s", what, SHOWN_MAX, name, more,
					 rules[i].broken);
	return 0;
}

int cdi_kind_check(const char *kind, struct error *err)
{
	return check("CDI kind", kind, kind_rules, ARRAY_SIZE(kind_rules), err);
}

int cdi_name_check(const char *name, struct error *err)
{
	return check("CDI device name", name, name_rules, ARRAY_SIZE(name_rules), err);
}

/* Whether a byte of an ID stands for itself in a name. */
static bool is_plain(char c, bool last)
{
	return is_alnum(c) || (!last && (c == '-' || c == '.'));
}

int cdi_device_name(const char *id, char name[CDI_NAME_MAX], struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_NAME_MAX - 1);
	int r;

	if (id[0] == '\0')
		return error_set(err, EINVAL, "an empty ID has no CDI device name");
	if (!is_alnum(id[0]))
		strbuf_puts(&text, FRONT);
	for (const char *p = id; *p && strbuf_error(&text) == 0; p++) {
		if (is_plain(*p, p[1] == '\0'))
			strbuf_add(&text, p, 1);
		else
			strbuf_printf(&text, "_%02X", (unsigned int)(unsigned char)*p);
	}
	r = strbuf_error(&text);
	if (r == -E2BIG)
		return error_set(err, ENAMETOOLONG,
				 "ID '%.*s...' is too long for a CDI device name", SHOWN_MAX, id);
	if (r < 0)
		return error_set(err, -r, "no memory for a CDI device name");
	memcpy(name, text.data, text.len + 1);
	return 0;
}

int cdi_qualified_name(const char *kind, const char *name, char qualified[CDI_QUALIFIED_NAME_MAX],
		       struct error *err)
{
	int r = cdi_kind_check(kind, err);

	if (r == 0)
		r = cdi_name_check(name, err);
	if (r < 0)
		return r;
	(void)snprintf(qualified, CDI_QUALIFIED_NAME_MAX, "%s=%s", kind, name);
	return 0;
}
