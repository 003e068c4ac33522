/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/description.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"
#include "tests/sim/sim.h"

#define CHOICES_MAX 4

struct option {
	const char *name;
	const char *values;		  /* for people */
	const char *choices[CHOICES_MAX]; /* "" is the name alone; the place is the value */
	size_t offset;			  /* of the int that a choice is written to */
	int (*parse)(struct description *description, const char *value); /* if not a choice */
	const char *help;
};

static int parse_numa(struct description *description, const char *value)
{
	char list[DESCRIPTION_TEXT_MAX];
	char *rest = list;
	int32_t node;

	if (str_copy(list, sizeof(list), value) < 0)
		return -EINVAL;
	description->n_numa = 0;
	while (rest) {
		const char *item = strsep(&rest, "/");

		if (description->n_numa == DESCRIPTION_NUMA_MAX || parse_i32(item, &node) < 0 ||
		    node < -1 || node > DESCRIPTION_NUMA_ID_MAX)
			return -EINVAL;
		description->numa[description->n_numa++] = node;
	}
	return 0;
}

static int parse_switch(struct description *description, const char *value)
{
	if (parse_u32(value, DESCRIPTION_SWITCH_MAX, &description->cards_per_switch) < 0)
		return -EINVAL;
	return description->cards_per_switch > 0 ? 0 : -EINVAL;
}

static const struct option options[] = {
	{ .name = "numa",
	  .values = "A/B/... or -1",
	  .parse = parse_numa,
	  .help = "NUMA nodes that the cards are dealt to in turn (0)" },
	{ .name = "switch",
	  .values = "N",
	  .parse = parse_switch,
	  .help = "cards below one PCI switch (2)" },
	{ .name = "spelling",
	  .values = "new|old",
	  .choices = { "new", "old" },
	  .offset = offsetof(struct description, spelling),
	  .help = "rngd!npuNmgmt, or rngd!npuN_mgmt as drivers before 2026.1 (new)" },
	{ .name = "newlines",
	  .values = "on|off",
	  .choices = { "off", "on" },
	  .offset = offsetof(struct description, newlines),
	  .help = "newlines at the end of attributes, as the driver has them (on)" },
	{ .name = "p2pmem",
	  .values = "",
	  .choices = { "off", "" },
	  .offset = offsetof(struct description, p2pmem),
	  .help = "a 36th device file that some drivers make" },
	{ .name = "uuid",
	  .values = "unique|zero",
	  .choices = { "unique", "zero" },
	  .offset = offsetof(struct description, uuid),
	  .help = "UUIDs, or only zeros (unique)" },
	{ .name = "serial",
	  .values = "unique|empty|none",
	  .choices = { "unique", "empty", "none" },
	  .offset = offsetof(struct description, serial),
	  .help = "serial numbers, an empty attribute, or no attribute (unique)" },
	{ .name = "pe-entries",
	  .values = "on|off",
	  .choices = { "off", "on" },
	  .offset = offsetof(struct description, pe_entries),
	  .help = "class entries of the single cores (on)" },
};

static const struct description defaults = {
	.numa = { 0 },
	.n_numa = 1,
	.cards_per_switch = 2,
	.newlines = 1,
	.pe_entries = 1,
};

void description_help(struct strbuf *sb)
{
	size_t n;
	const struct layout *const *layouts = layout_table(&n);

	for (size_t i = 0; i < n; i++)
		strbuf_printf(sb, "  %-10s %-18s cards of this family\n", layouts[i]->name, "xN");
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		strbuf_printf(sb, "  %-10s %-18s %s\n", options[i].name, options[i].values,
			      options[i].help);
}

static int unknown_part(const char *name, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX);
	size_t n;
	const struct layout *const *layouts = layout_table(&n);

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&known, " %s", layouts[i]->name);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		strbuf_printf(&known, " %s", options[i].name);
	return error_set(err, EINVAL, "unknown part '%s'; known are:%s", name, strbuf_str(&known));
}

static int parse_choice(const struct option *option, struct description *description,
			const char *value)
{
	for (int i = 0; i < CHOICES_MAX && option->choices[i]; i++) {
		if (strcmp(option->choices[i], value) != 0)
			continue;
		memcpy((char *)description + option->offset, &i, sizeof(i));
		return 0;
	}
	return -EINVAL;
}

static int apply_option(size_t row, struct description *description, const char *value,
			struct error *err)
{
	const struct option *option = &options[row];
	int r;

	r = option->parse ? option->parse(description, value)
			  : parse_choice(option, description, value);
	if (r < 0)
		return error_set(err, EINVAL, "'%s' cannot be '%s'; write '%s%s%s'", option->name,
				 value, option->name, option->values[0] ? " " : "", option->values);
	return 0;
}

static int add_family(struct description *description, const struct layout *layout,
		      const char *value, struct error *err)
{
	size_t i = description->n_families;
	uint32_t count;

	for (size_t k = 0; k < i; k++)
		if (description->families[k].layout == layout)
			return error_set(err, EINVAL, "'%s' is given twice", layout->name);
	if (i == DESCRIPTION_FAMILIES_MAX)
		return error_set(err, E2BIG, "more than %d families", DESCRIPTION_FAMILIES_MAX);
	if (value[0] != 'x' || parse_u32(value + 1, UINT32_MAX, &count) < 0)
		return error_set(err, EINVAL, "'%s' cannot be '%s'; write '%s xN'", layout->name,
				 value, layout->name);
	if (count > DESCRIPTION_CARDS_MAX)
		return error_set(err, E2BIG, "more than %d cards", DESCRIPTION_CARDS_MAX);
	description->families[i].layout = layout;
	description->families[i].count = count;
	description->n_families++;
	return 0;
}

/* Cuts @part, "name value", at the white space. */
static const char *split_value(char *part)
{
	char *value = part + strcspn(part, " \t");

	if (*value != '\0')
		*value++ = '\0';
	(void)str_trim(value);
	return value;
}

static int apply_part(char *part, struct description *description, bool *seen, struct error *err)
{
	const struct layout *layout;
	const char *value;

	if (str_trim(part) == 0)
		return error_set(err, EINVAL, "empty part between commas");
	value = split_value(part);
	layout = layout_find(part);
	if (layout)
		return add_family(description, layout, value, err);
	for (size_t row = 0; row < ARRAY_SIZE(options); row++) {
		if (strcmp(options[row].name, part) != 0)
			continue;
		if (seen[row])
			return error_set(err, EINVAL, "'%s' is given twice", part);
		seen[row] = true;
		return apply_option(row, description, value, err);
	}
	return unknown_part(part, err);
}

static int check_total(const struct description *description, struct error *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < description->n_families; i++)
		total += description->families[i].count;
	if (total > DESCRIPTION_CARDS_MAX)
		return error_set(err, E2BIG, "more than %d cards", DESCRIPTION_CARDS_MAX);
	return 0;
}

int description_parse(const char *text, struct description *ret, struct error *err)
{
	struct description description = defaults;
	bool seen[ARRAY_SIZE(options)] = { false };
	char copy[DESCRIPTION_TEXT_MAX];
	char *rest = copy;
	int r;

	if (!str_is_printable(text))
		return error_set(err, EINVAL, "a description is printable ASCII");
	if (str_copy(copy, sizeof(copy), text) < 0)
		return error_set(err, E2BIG, "longer than %zu bytes", sizeof(copy) - 1);
	if (str_trim(copy) == 0)
		rest = NULL;
	while (rest) {
		r = apply_part(strsep(&rest, ","), &description, seen, err);
		if (r < 0)
			return r;
	}
	r = check_total(&description, err);
	if (r < 0)
		return r;
	*ret = description;
	return 0;
}
