/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define DIGITS "0123456789"
#define MIB (1024 * 1024)

bool label_printf(char *text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, LABEL_TEXT_MAX, fmt, args);
	va_end(args);
	return len > 0 && len < LABEL_TEXT_MAX;
}

/* --- versions --- */

/* The number at @place, counted from 0: its length in bytes, 0 if there is none. */
static size_t find_number(const char *version, unsigned int place, const char **ret)
{
	size_t n = strspn(version, DIGITS);

	for (; n > 0 && place > 0; place--) {
		if (version[n] != '.')
			return 0;
		version += n + 1;
		n = strspn(version, DIGITS);
	}
	*ret = version;
	return n;
}

static bool take_number(const char *version, unsigned int place, char *text)
{
	const char *number;
	size_t n = find_number(version, place, &number);

	return n > 0 && label_printf(text, "%.*s", (int)n, number);
}

/* What is behind three numbers; NULL if there are not three. */
static const char *find_rest(const char *version)
{
	const char *number;
	size_t n = find_number(version, 2, &number);

	return n > 0 ? number + n : NULL;
}

static bool take_core(const char *version, char *text)
{
	const char *rest = find_rest(version);

	return rest && label_printf(text, "%.*s", (int)(rest - version), version);
}

static bool take_prerelease(const char *version, char *text)
{
	const char *rest = find_rest(version);

	text[0] = '\0';
	if (rest && rest[0] == '-')
		(void)label_printf(text, "%.*s", (int)strcspn(rest + 1, "+"), rest + 1);
	return rest != NULL;
}

static bool take_metadata(const char *version, char *text)
{
	const char *rest = find_rest(version);
	const char *old = rest ? str_starts_with(rest, ", ") : NULL;
	const char *plus = rest ? strchr(rest, '+') : NULL;

	text[0] = '\0';
	if (old)
		(void)label_printf(text, "%s", old);
	else if (plus)
		(void)label_printf(text, "%s", plus + 1);
	return rest != NULL;
}

static bool take_revision(const char *version, char *text)
{
	char minor[LABEL_TEXT_MAX];

	if (take_number(version, 2, text))
		return true;
	text[0] = '\0';
	return take_number(version, 1, minor);
}

bool version_part(const char *version, enum version_part part, char *text)
{
	switch (part) {
	case VERSION_FULL:
		return label_printf(text, "%s", version);
	case VERSION_CORE:
		return take_core(version, text);
	case VERSION_MAJOR:
	case VERSION_MINOR:
	case VERSION_PATCH:
		return take_number(version, (unsigned int)(part - VERSION_MAJOR), text);
	case VERSION_REVISION:
		return take_revision(version, text);
	case VERSION_PRERELEASE:
		return take_prerelease(version, text);
	case VERSION_METADATA:
		return take_metadata(version, text);
	case _VERSION_PART_MAX:
		break;
	}
	return false;
}

bool fact_driver_version(const struct label_item *item, int arg, char *text)
{
	return version_part(item->device->driver_version, (enum version_part)arg, text);
}

bool fact_firmware_version(const struct label_item *item, int arg, char *text)
{
	return version_part(item->device->firmware_version, (enum version_part)arg, text);
}

/* --- other facts --- */

bool fact_architecture(const struct label_item *item, _unused_ int arg, char *text)
{
	return label_printf(text, "%s", item->device->architecture);
}

bool fact_product(const struct label_item *item, _unused_ int arg, char *text)
{
	return label_printf(text, "%s", item->device->product);
}

bool fact_memory(const struct label_item *item, _unused_ int arg, char *text)
{
	uint64_t bytes =
		item->partition ? item->partition->memory_bytes : item->device->memory_bytes;

	return bytes >= MIB && label_printf(text, "%" PRIu64, bytes / MIB);
}

bool fact_pci_device(const struct label_item *item, _unused_ int arg, char *text)
{
	return item->device->pci.vendor != 0 &&
	       label_printf(text, "%04x", item->device->pci.device);
}

bool fact_profile(const struct label_item *item, _unused_ int arg, char *text)
{
	if (!item->partition || !label_printf(text, "%s", item->partition->profile))
		return false;
	/* As in the name of the resource. */
	for (char *plus = strchr(text, '+'); plus; plus = strchr(plus, '+'))
		*plus = '.';
	return true;
}

bool value_true(const struct label_group *group, _unused_ int arg, char *text)
{
	return group->n > 0 && label_printf(text, "true");
}

bool value_count(const struct label_group *group, _unused_ int arg, char *text)
{
	return group->view->n_cards > 0 && label_printf(text, "%zu", group->n);
}

bool value_some(const struct label_group *group, int arg, char *text)
{
	return group->n > 0 && value_count(group, arg, text);
}

bool select_part(const struct label_item *item)
{
	return item->partition != NULL;
}
