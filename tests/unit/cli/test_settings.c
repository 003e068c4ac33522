/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/settings.h"

#define ARGV_MAX 4

static const struct option_row *const tables[] = {
	settings_common, settings_output,   settings_node,    settings_kubelet,
	settings_status, settings_validate, settings_explain, NULL,
};

static void has_defaults(void **state)
{
	struct settings settings = settings_default();

	(void)state;
	assert_null(settings.config);
	assert_string_equal(settings.host_root, "/");
	assert_string_equal(settings.kubelet_dir, "/var/lib/kubelet");
	assert_null(settings.node_name);
	assert_null(settings.node_labels);
	assert_int_equal(settings.output, SETTINGS_OUTPUT_TABLE);
	assert_int_equal(settings.color, SETTINGS_COLOR_AUTO);
	assert_int_equal(settings.window_ms, 10000);
	assert_int_equal(settings.grace_ms, 0);
	assert_false(settings.idle);
}

static void reads_values(void **state)
{
	static const char *const argv[] = {
		"--config",
		"a.yaml",
		"--host-root",
		"/h",
		"--kubelet-dir",
		"/k",
		"--node-name",
		"n",
		"-o",
		"yaml",
		"--color",
		"never",
		"--idle-below",
		"5",
		"--window",
		"1m",
		"--grace",
		"30s",
		"--timeout",
		"500ms",
		"--node-labels",
		"labels",
		"--free",
		"all",
		"--must",
		"A,B",
		"--check",
		"--print",
		"--help",
		NULL,
	};
	struct settings settings = settings_default();

	(void)state;
	assert_int_equal(options_read(tables, argv, &settings, NULL, NULL), 0);
	assert_string_equal(settings.config, "a.yaml");
	assert_string_equal(settings.host_root, "/h");
	assert_string_equal(settings.kubelet_dir, "/k");
	assert_string_equal(settings.node_name, "n");
	assert_int_equal(settings.output, SETTINGS_OUTPUT_YAML);
	assert_int_equal(settings.color, SETTINGS_COLOR_NEVER);
	assert_true(settings.idle);
	assert_int_equal(settings.idle_below_percent, 5);
	assert_int_equal(settings.window_ms, 60000);
	assert_int_equal(settings.grace_ms, 30000);
	assert_int_equal(settings.timeout_ms, 500);
	assert_string_equal(settings.node_labels, "labels");
	assert_int_equal(settings.free, SETTINGS_FREE_ALL);
	assert_string_equal(settings.must, "A,B");
	assert_true(settings.check);
	assert_true(settings.print);
	assert_true(settings.help);
}

static void refuses_values(void **state)
{
	static const char *const cases[][ARGV_MAX] = {
		{ "--host-root=" },    { "--kubelet-dir=" },	  { "--config=" },
		{ "--must=" },	       { "-o", "xml" },		  { "--color", "sometimes" },
		{ "--free", "some" },  { "--idle-below", "101" }, { "--idle-below", "-1" },
		{ "--window", "10" },  { "--window", "61m" },	  { "--grace", "forever" },
		{ "--timeout", "0s" }, { "--node-name=" },	  { "--node-labels=" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings = settings_default();

		assert_true(options_read(tables, cases[i], &settings, NULL, NULL) < 0);
	}
}

static void chooses_colours(void **state)
{
	static const struct {
		const char *no_color;
		enum settings_color color;
		bool terminal;
		bool paints;
	} cases[] = {
		{ NULL, SETTINGS_COLOR_AUTO, true, true },
		{ "", SETTINGS_COLOR_AUTO, true, true },
		{ "1", SETTINGS_COLOR_AUTO, true, false },
		{ NULL, SETTINGS_COLOR_AUTO, false, false },
		{ "1", SETTINGS_COLOR_ALWAYS, false, true },
		{ NULL, SETTINGS_COLOR_NEVER, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			settings_paints(cases[i].color, cases[i].terminal, cases[i].no_color),
			cases[i].paints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(refuses_values),
		cmocka_unit_test(chooses_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
