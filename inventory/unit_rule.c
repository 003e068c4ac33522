/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule says about one device; see unit.h. */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "drivers/driver.h"
#include "inventory/parts.h"
#include "inventory/unit.h"

#define PROFILES_TEXT_MAX 160 /* bytes of "1core.6gb, 2core.12gb" in a message */

bool unit_pattern_matches(const char *pattern, const char *text)
{
	const char *star = NULL; /* the last '*', and where its match ends */
	const char *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool matches_any(const char *const *patterns, const char *text)
{
	if (!patterns)
		return true;
	for (; *patterns; patterns++)
		if (unit_pattern_matches(*patterns, text))
			return true;
	return false;
}

static bool matches_id(const char *const *patterns, const struct device *device)
{
	return matches_any(patterns, device->uuid) || matches_any(patterns, device->serial);
}

bool unit_rule_matches(const struct unit_rule *rule, const struct device *device)
{
	const struct unit_selector *select = &rule->select;

	if (rule->product && strcmp(rule->product, device->product) != 0)
		return false;
	if (rule->architecture && strcmp(rule->architecture, device->architecture) != 0)
		return false;
	return matches_any(select->vendors, device->driver->name) &&
	       matches_any(select->products, device->product) &&
	       matches_any(select->architectures, device->architecture) &&
	       matches_any(select->bdfs, device->bdf) && matches_id(select->uuids, device);
}

static unsigned int size_of(struct core_range cores)
{
	return (unsigned int)cores.last - cores.first + 1;
}

bool unit_rule_wants(const struct unit_rule *rule, const struct device *device,
		     const struct device_partition *partition)
{
	if (partition->cores.last >= DEVICE_CORES_MAX)
		return false;
	/* Without a kind, those that the hardware has are meant, not all that it could have. */
	if (rule->cores == 0 && !rule->profile)
		return device->partitioned;
	if (rule->cores > 0 && rule->cores != size_of(partition->cores))
		return false;
	return !rule->profile || unit_pattern_matches(rule->profile, partition->profile);
}

static void list_profiles(const struct device *device, struct strbuf *out)
{
	for (size_t i = 0; i < device->n_partitions; i++) {
		const char *profile = device->partitions[i].profile;
		bool is_first = true;

		for (size_t j = 0; j < i && is_first; j++)
			is_first = strcmp(device->partitions[j].profile, profile) != 0;
		if (is_first)
			strbuf_printf(out, "%s%s", out->len > 0 ? ", " : "", profile);
	}
}

static int say_partitioned(const struct device *device, struct error *err)
{
	_cleanup_strbuf_ struct strbuf profiles = STRBUF_INIT(PROFILES_TEXT_MAX);

	list_profiles(device, &profiles);
	return error_set(err, EINVAL, "device '%s' is cut into partitions (%s)", device->name,
			 profiles.len > 0 ? strbuf_str(&profiles) : "none is made yet");
}

static int say_misfit(const struct unit_rule *rule, const struct device *device, struct error *err)
{
	_cleanup_strbuf_ struct strbuf profiles = STRBUF_INIT(PROFILES_TEXT_MAX);

	list_profiles(device, &profiles);
	if (profiles.len == 0)
		return error_set(err, EINVAL, "device '%s' cannot be cut into partitions",
				 device->name);
	if (rule->profile)
		return error_set(err, EINVAL, "device '%s' has no partitions '%s'; there are: %s",
				 device->name, rule->profile, strbuf_str(&profiles));
	if (rule->cores > 0)
		return error_set(err, EINVAL,
				 "device '%s' has no partitions of %u cores; there are: %s",
				 device->name, rule->cores, strbuf_str(&profiles));
	return error_set(err, EINVAL,
			 "device '%s' is not cut by its hardware; say which partitions: %s",
			 device->name, strbuf_str(&profiles));
}

int unit_rule_fits(const struct unit_rule *rule, const struct device *device, struct error *err)
{
	if (rule->kind == UNIT_WHOLE)
		return device->partitioned ? say_partitioned(device, err) : 0;
	for (size_t i = 0; i < device->n_partitions; i++)
		if (unit_rule_wants(rule, device, &device->partitions[i]))
			return 0;
	return say_misfit(rule, device, err);
}

static struct core_range all_cores(const struct device *device)
{
	unsigned int n = device->cores > 0 ? device->cores : 1;

	return (struct core_range) { 0,
				     (uint8_t)((n < DEVICE_CORES_MAX ? n : DEVICE_CORES_MAX) - 1) };
}

/* Adds a part unless another rule has some of it. */
static void add_part(const struct unit_rule *rule, struct core_range cores, size_t partition,
		     struct parts *parts)
{
	uint64_t mask = parts_mask(cores);

	if ((parts->taken & mask) != 0 && !rule->overlap)
		return;
	parts->taken |= mask;
	parts->list[parts->n++] = (struct part) { cores, (uint8_t)partition };
}

static void take_parts(const struct unit_rule *rule, const struct device *device,
		       struct parts *parts)
{
	parts->n = 0;
	if (!unit_rule_matches(rule, device))
		return;
	if (!rule->resource) {
		parts->withheld = true;
		return;
	}
	if (rule->kind == UNIT_WHOLE && !device->partitioned) {
		add_part(rule, all_cores(device), 0, parts);
		return;
	}
	for (size_t i = 0; rule->kind == UNIT_PARTITION && i < device->n_partitions; i++)
		if (unit_rule_wants(rule, device, &device->partitions[i]))
			add_part(rule, device->partitions[i].cores, i, parts);
}

uint64_t parts_mask(struct core_range cores)
{
	unsigned int n = size_of(cores);

	return (n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << cores.first;
}

void parts_of(const struct device *device, const struct unit_rule *rules, size_t rule,
	      struct parts *ret)
{
	ret->taken = 0;
	ret->withheld = false;
	ret->n = 0;
	for (size_t i = 0; i <= rule && !ret->withheld; i++)
		take_parts(&rules[i], device, ret);
}

uint64_t parts_contested(const struct device *device, const struct unit_rule *rules, size_t n_rules)
{
	struct parts parts = { 0 };
	uint64_t seen = 0, contested = 0;

	for (size_t i = 0; i < n_rules && !parts.withheld; i++) {
		take_parts(&rules[i], device, &parts);
		for (size_t j = 0; j < parts.n; j++) {
			uint64_t mask = parts_mask(parts.list[j].cores);

			contested |= seen & mask;
			seen |= mask;
		}
	}
	return contested;
}
