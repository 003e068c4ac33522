/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/description.h"

#include <errno.h>
#include <string.h>

#include "tests/sim/sim.h"
#include "tests/test.h"

static void test_families_and_numa(void **state)
{
	struct description description;

	(void)state;
	assert_int_equal(description_parse("rngd x2, warboy x1, numa 0/1", &description, NULL), 0);
	assert_int_equal(description.n_families, 2);
	assert_ptr_equal(description.families[0].layout, &layout_rngd);
	assert_int_equal(description.families[0].count, 2);
	assert_ptr_equal(description.families[1].layout, &layout_warboy);
	assert_int_equal(description.families[1].count, 1);
	assert_int_equal(description.n_numa, 2);
	assert_int_equal(description.numa[0], 0);
	assert_int_equal(description.numa[1], 1);
}

static void test_order_is_kept(void **state)
{
	struct description description;

	(void)state;
	assert_int_equal(description_parse("warboy x0,rngd x8192", &description, NULL), 0);
	assert_ptr_equal(description.families[0].layout, &layout_warboy);
	assert_ptr_equal(description.families[1].layout, &layout_rngd);
	assert_int_equal(description.families[1].count, DESCRIPTION_CARDS_MAX);
}

static void test_options(void **state)
{
	static const struct {
		const char *text;
		int32_t numa;
		uint32_t cards_per_switch;
		int spelling;
		int newlines;
		int p2pmem;
		int uuid;
		int serial;
		int pe_entries;
	} cases[] = {
		{ "", 0, 2, SPELLING_NEW, 1, 0, UUID_RULE_UNIQUE, SERIAL_RULE_UNIQUE, 1 },
		{ "numa -1", -1, 2, SPELLING_NEW, 1, 0, UUID_RULE_UNIQUE, SERIAL_RULE_UNIQUE, 1 },
		{ "switch 4", 0, 4, SPELLING_NEW, 1, 0, UUID_RULE_UNIQUE, SERIAL_RULE_UNIQUE, 1 },
		{ "spelling old", 0, 2, SPELLING_OLD, 1, 0, UUID_RULE_UNIQUE, SERIAL_RULE_UNIQUE,
		  1 },
		{ "newlines off", 0, 2, SPELLING_NEW, 0, 0, UUID_RULE_UNIQUE, SERIAL_RULE_UNIQUE,
		  1 },
		{ " p2pmem ", 0, 2, SPELLING_NEW, 1, 1, UUID_RULE_UNIQUE, SERIAL_RULE_UNIQUE, 1 },
		{ "uuid  zero", 0, 2, SPELLING_NEW, 1, 0, UUID_RULE_ZERO, SERIAL_RULE_UNIQUE, 1 },
		{ "serial empty", 0, 2, SPELLING_NEW, 1, 0, UUID_RULE_UNIQUE, SERIAL_RULE_EMPTY,
		  1 },
		{ "serial none,pe-entries off", 0, 2, SPELLING_NEW, 1, 0, UUID_RULE_UNIQUE,
		  SERIAL_RULE_NONE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct description description;

		assert_int_equal(description_parse(cases[i].text, &description, NULL), 0);
		assert_int_equal(description.numa[0], cases[i].numa);
		assert_int_equal(description.cards_per_switch, cases[i].cards_per_switch);
		assert_int_equal(description.spelling, cases[i].spelling);
		assert_int_equal(description.newlines, cases[i].newlines);
		assert_int_equal(description.p2pmem, cases[i].p2pmem);
		assert_int_equal(description.uuid, cases[i].uuid);
		assert_int_equal(description.serial, cases[i].serial);
		assert_int_equal(description.pe_entries, cases[i].pe_entries);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *message; /* a part of it */
	} cases[] = {
		{ "rngdx x2", -EINVAL, " warboy " },
		{ "rngd", -EINVAL, "write 'rngd xN'" },
		{ "rngd 2", -EINVAL, "write 'rngd xN'" },
		{ "rngd x", -EINVAL, "write 'rngd xN'" },
		{ "rngd x2 x3", -EINVAL, "write 'rngd xN'" },
		{ "rngd x-1", -EINVAL, "write 'rngd xN'" },
		{ "rngd x8193", -E2BIG, "more than 8192 cards" },
		{ "rngd x8000, warboy x193", -E2BIG, "more than 8192 cards" },
		{ "rngd x1, rngd x1", -EINVAL, "'rngd' is given twice" },
		{ "numa 0, numa 1", -EINVAL, "'numa' is given twice" },
		{ "rngd x1,,numa 0", -EINVAL, "empty part" },
		{ "rngd x1,", -EINVAL, "empty part" },
		{ "numa", -EINVAL, "write 'numa A/B/... or -1'" },
		{ "numa 0/", -EINVAL, "'numa' cannot be '0/'" },
		{ "numa -2", -EINVAL, "'numa' cannot be '-2'" },
		{ "numa 1024", -EINVAL, "'numa' cannot be '1024'" },
		{ "numa 0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0", -EINVAL, "'numa' cannot be" },
		{ "switch 0", -EINVAL, "'switch' cannot be '0'" },
		{ "switch 33", -EINVAL, "'switch' cannot be '33'" },
		{ "spelling older", -EINVAL, "write 'spelling new|old'" },
		{ "newlines", -EINVAL, "write 'newlines on|off'" },
		{ "p2pmem on", -EINVAL, "write 'p2pmem'" },
		{ "uuid one", -EINVAL, "write 'uuid unique|zero'" },
		{ "serial", -EINVAL, "write 'serial unique|empty|none'" },
		{ "rngd x1\nnodes real", -EINVAL, "printable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct description description = { .n_numa = 77 };
		struct error err = { 0 };

		assert_int_equal(description_parse(cases[i].text, &description, &err), cases[i].r);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("'%s' gives '%s'", cases[i].text, err.msg);
		assert_int_equal(description.n_numa, 77);
	}
}

static void test_too_long(void **state)
{
	struct description description;
	char text[DESCRIPTION_TEXT_MAX + 1];

	(void)state;
	memset(text, ' ', sizeof(text));
	text[DESCRIPTION_TEXT_MAX - 1] = '\0';
	assert_int_equal(description_parse(text, &description, NULL), 0);
	text[DESCRIPTION_TEXT_MAX - 1] = ' ';
	text[DESCRIPTION_TEXT_MAX] = '\0';
	assert_int_equal(description_parse(text, &description, NULL), -E2BIG);
}

static void test_help_names_every_part(void **state)
{
	static const char *const parts[] = { "rngd",	 "warboy", "numa", "switch", "spelling",
					     "newlines", "p2pmem", "uuid", "serial", "pe-entries" };
	_cleanup_strbuf_ struct strbuf help = STRBUF_INIT(4096);

	(void)state;
	description_help(&help);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_non_null(strstr(strbuf_str(&help), parts[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families_and_numa),
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_help_names_every_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
