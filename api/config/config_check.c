/* SPDX-License-Identifier: Apache-2.0 */
#include "api/config/config_check.h"

#include <errno.h>
#include <string.h>

#include "api/config/config_keys.h"
#include "base/macro.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define DNS_NAME_MAX 253  /* bytes of a name, RFC 1123 by way of Kubernetes */
#define LABEL_NAME_MAX 63 /* bytes of a label's key behind the '/' */

static bool is_of(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

static size_t count_stars(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '*';
	return n;
}

/* @what names the bytes of @allowed, which has both wildcards. */
static int check_pattern(const char *text, const char *allowed, const char *what, struct error *err)
{
	if (!is_of(text, allowed))
		return error_set(err, EINVAL, "'%s' has more than %s, and '*' and '?' as wildcards",
				 text, what);
	if (count_stars(text) > CONFIG_STARS_MAX)
		return error_set(err, EINVAL, "'%s' has more than %d '*'", text, CONFIG_STARS_MAX);
	return 0;
}

int config_check_driver(const void *value, struct error *err)
{
	if (!is_of(value, LOWER "-"))
		return error_set(err, EINVAL,
				 "'%s' has more than lower-case letters, digits and '-'",
				 (const char *)value);
	return 0;
}

int config_check_vendor(const void *value, struct error *err)
{
	return check_pattern(value, LOWER "-*?", "lower-case letters, digits and '-'", err);
}

int config_check_word(const void *value, struct error *err)
{
	return check_pattern(value, ALNUM "-_.+*?", "letters, digits, '-', '_', '.' and '+'", err);
}

int config_check_bdf(const void *value, struct error *err)
{
	return check_pattern(value, "0123456789abcdef:.*?",
			     "lower-case hexadecimal digits, ':' and '.'", err);
}

int config_check_node_pattern(const void *value, struct error *err)
{
	return check_pattern(value, LOWER "-.*?", "lower-case letters, digits, '-' and '.'", err);
}

/* Every '.' and both ends stand next to a letter or digit. */
static bool is_dns_name(const char *text, size_t len)
{
	bool inside = false; /* the byte before was a letter or digit */

	if (len > DNS_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool word = memchr(LOWER, text[i], sizeof(LOWER) - 1) != NULL;

		if (!word && (text[i] != '-' && text[i] != '.'))
			return false;
		if (!word && (i == 0 || text[i - 1] == '.' || (text[i] == '.' && !inside)))
			return false;
		inside = word;
	}
	return inside;
}

int config_check_node(const void *value, struct error *err)
{
	if (!is_dns_name(value, strlen(value)))
		return error_set(err, EINVAL, "'%s' is no name of a node", (const char *)value);
	return 0;
}

/* Letters, digits, '-', '_' and '.', of which the last three at no end. */
static bool is_label_word(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= LABEL_NAME_MAX && is_of(text, ALNUM "-_.") &&
	       memchr(ALNUM, text[0], sizeof(ALNUM) - 1) &&
	       memchr(ALNUM, text[len - 1], sizeof(ALNUM) - 1);
}

int config_check_label_key(const void *value, struct error *err)
{
	const char *slash = strchr(value, '/');
	const char *name = slash ? slash + 1 : value;

	if ((slash && !is_dns_name(value, (size_t)(slash - (const char *)value))) ||
	    !is_label_word(name))
		return error_set(err, EINVAL, "'%s' is no key of a label", (const char *)value);
	return 0;
}

int config_check_label_value(const void *value, struct error *err)
{
	const char *text = value;

	if (text[0] && !is_label_word(text))
		return error_set(err, EINVAL, "'%s' is no value of a label", text);
	return 0;
}

int config_check_path(const void *value, struct error *err)
{
	const char *text = value;

	if (text[0] != '/')
		return error_set(err, EINVAL, "'%s' is no absolute path", text);
	for (const char *p = text; p; p = strchr(p + 1, '/')) {
		size_t len = strcspn(p + 1, "/");

		if (len <= 2 && strspn(p + 1, ".") >= len && (len > 0 || p[1] == '/'))
			return error_set(err, EINVAL, "'%s' has a part that is empty, '.' or '..'",
					 text);
	}
	return 0;
}

int config_check_name(const void *value, struct error *err)
{
	return resource_name_check_template(value, err);
}

int config_check_cores(const void *value, struct error *err)
{
	uint32_t number;

	memcpy(&number, value, sizeof(number));
	if ((number & (number - 1)) != 0)
		return error_set(err, EINVAL, "%u is not a power of two", number);
	return 0;
}

int config_check_drivers(const void *value, struct error *err)
{
	const struct config_drivers *drivers = value;

	for (size_t i = 0; i < drivers->n_enable; i++)
		for (size_t j = 0; j < drivers->n_disable; j++)
			if (strcmp(drivers->enable[i].name, drivers->disable[j].name) == 0)
				return error_set(err, EINVAL,
						 "'%s' is both in 'enable' and in 'disable'",
						 drivers->enable[i].name);
	return 0;
}

static bool selects_nodes(const struct config_nodes *nodes)
{
	return nodes->n_names > 0 || nodes->n_labels > 0;
}

int config_check_exclude(const void *value, struct error *err)
{
	const struct config_exclude *exclude = value;
	const struct config_selector *devices = &exclude->devices;

	if (devices->vendor.n + devices->product.n + devices->architecture.n + devices->bdf.n +
			    devices->uuid.n ==
		    0 &&
	    !selects_nodes(&exclude->nodes))
		return error_set(err, EINVAL, "an item without keys would exclude every device");
	return 0;
}

static bool is_of_partitions(const struct config_resource *resource)
{
	return resource->unit == CONFIG_UNIT_PARTITION || resource->of == CONFIG_UNIT_PARTITION;
}

static bool has_both_sizes(const struct config_resource *resource)
{
	return resource->cores > 0 && resource->profile[0];
}

static bool has_size_of_whole(const struct config_resource *resource)
{
	return (resource->cores > 0 || resource->profile[0]) && !is_of_partitions(resource);
}

static bool names_profile_of_whole(const struct config_resource *resource)
{
	return resource_name_uses(resource->name, RESOURCE_PROFILE) && !is_of_partitions(resource);
}

static bool has_foreign_mps(const struct config_resource *resource)
{
	const struct config_patterns *vendor = &resource->devices.vendor;

	return resource->mps.pipe_directory[0] &&
	       (vendor->n != 1 || strcmp(vendor->items[0].text, "nvidia") != 0);
}

int config_check_resource(const void *value, struct error *err)
{
	static const struct {
		bool (*is)(const struct config_resource *resource);
		const char *refused;
	} rules[] = {
		{ has_both_sizes, "'cores' and 'profile' both say which partitions; write one" },
		{ has_size_of_whole,
		  "'cores' and 'profile' are of partitions; a share is of one when 'of' is "
		  "'partition'" },
		{ names_profile_of_whole,
		  "the name has {profile}, which only partitions and shares of them have" },
		{ has_foreign_mps, "'mps' needs 'vendor: nvidia' under 'devices'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].is(value))
			return error_set(err, EINVAL, "%s", rules[i].refused);
	return 0;
}

int config_check_file(const void *value, struct error *err)
{
	const struct config_file *file = value;
	const struct config_furiosa *furiosa = &file->furiosa;
	bool cut = furiosa->partitioning || furiosa->strategy;

	if (furiosa->partitioning && furiosa->strategy)
		return error_set(err, EINVAL, "'partitioning' and 'resourceStrategy' say the same");
	if (cut && file->config.n_resources > 0)
		return error_set(err, EINVAL,
				 "'%s' says which resources there are, and so does "
				 "'resources'; keep the latter",
				 furiosa->partitioning ? "partitioning" : "resourceStrategy");
	return 0;
}

bool config_may_repeat(const void *item, const void *other)
{
	const struct config_resource *a = item, *b = other;

	return selects_nodes(&a->nodes) && selects_nodes(&b->nodes);
}
