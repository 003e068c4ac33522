/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device-plugin/options.h"
#include "tests/test.h"
#include "tests/unit/base/pages.h"

#define WORDS_MAX 6

/* Parses words as if they stood behind the program's name. */
static int parse(const char *const *words, struct options *ret, struct error *err)
{
	static char name[] = "silica-device-plugin";
	char *argv[WORDS_MAX + 2] = { name };
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return options_parse(argc, argv, ret, err);
}

static void defaults(_unused_ void **state)
{
	const char *const words[] = { NULL };
	struct options options;

	assert_int_equal(parse(words, &options, NULL), 0);
	assert_null(options.config);
	assert_string_equal(options.host_root, "/");
	assert_string_equal(options.kubelet_dir, "/var/lib/kubelet");
	assert_int_equal(options.registration, OPTIONS_REGISTRATION_CLASSIC);
	assert_null(options.node_name);
	assert_null(options.node_labels);
	assert_string_equal(options.listen_metrics, "127.0.0.1:9420");
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_int_equal(options.log_format, LOG_FORMAT_TEXT);
	assert_false(options.once || options.help || options.version);
}

static void values_stand_behind_or_in_the_word(_unused_ void **state)
{
	const char *const apart[] = { "--config", "c.yaml", "--registration", "watcher", NULL };
	const char *const joined[] = { "--config=c.yaml",
				       "--registration=both",
				       "--log-level=debug",
				       "--log-format=json",
				       "--once",
				       NULL };
	struct options options;

	assert_int_equal(parse(apart, &options, NULL), 0);
	assert_string_equal(options.config, "c.yaml");
	assert_int_equal(options.registration, OPTIONS_REGISTRATION_WATCHER);
	assert_int_equal(parse(joined, &options, NULL), 0);
	assert_string_equal(options.config, "c.yaml");
	assert_int_equal(options.registration, OPTIONS_REGISTRATION_BOTH);
	assert_true(options.once);
	assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(options.log_format, LOG_FORMAT_JSON);
}

static void node_and_metrics_are_told(_unused_ void **state)
{
	const char *const node[] = { "--node-name", "n1", "--node-labels=l.txt", NULL };
	const char *const addresses[] = { "0.0.0.0:9420", "[::1]:80", "unix:/run/m.sock" };
	const char *const nowhere[] = { "--listen-metrics", "none", NULL };
	struct options options;

	assert_int_equal(parse(node, &options, NULL), 0);
	assert_string_equal(options.node_name, "n1");
	assert_string_equal(options.node_labels, "l.txt");
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const char *const words[] = { "--listen-metrics", addresses[i], NULL };

		assert_int_equal(parse(words, &options, NULL), 0);
		assert_string_equal(options.listen_metrics, addresses[i]);
	}
	assert_int_equal(parse(nowhere, &options, NULL), 0);
	assert_null(options.listen_metrics);
}

static void faults_are_named(_unused_ void **state)
{
	static const struct {
		const char *words[3];
		const char *text;
	} cases[] = {
		{ { "--kubelet" }, "unknown option '--kubelet'; see --help" },
		{ { "host-root" }, "unexpected word 'host-root'; see --help" },
		{ { "-v" }, "unknown option '-v'; see --help" },
		{ { "--once=yes" }, "--once takes no value" },
		{ { "--config" }, "--config needs a value: FILE" },
		{ { "--host-root", "" }, "--host-root cannot be '', expected DIR" },
		{ { "--node-name", "" }, "--node-name cannot be '', expected NAME" },
		{ { "--node-labels=" }, "--node-labels cannot be '', expected FILE" },
		{ { "--listen-metrics", "9420" },
		  "--listen-metrics cannot be '9420', expected ADDR|none" },
		{ { "--listen-metrics=" }, "--listen-metrics cannot be '', expected ADDR|none" },
		{ { "--registration", "old" },
		  "--registration cannot be 'old', expected classic|watcher|both" },
		{ { "--log-level=loud" },
		  "--log-level cannot be 'loud', expected error|warning|info|debug" },
		{ { "--log-format", "xml" }, "--log-format cannot be 'xml', expected text|json" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const words[] = { cases[i].words[0], cases[i].words[1], NULL };
		struct options options;
		struct error err = { 0 };

		assert_int_equal(parse(words, &options, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].text);
	}
}

static void usage_names_every_option(_unused_ void **state)
{
	static const char *const names[] = { "--config FILE",
					     "--host-root DIR",
					     "--kubelet-dir DIR",
					     "--node-name NAME",
					     "--node-labels FILE",
					     "--listen-metrics ADDR|none",
					     "--registration classic",
					     "--log-level error",
					     "--log-format text",
					     "--once",
					     "--help",
					     "--version" };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(8192);

	options_usage(&out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(strstr(strbuf_str(&out), names[i]));
}

static void is_as_the_pages_show(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf usage = STRBUF_INIT((size_t)64 * 1024);

	options_usage(&usage);
	pages_expect_options("silica-device-plugin", strbuf_str(&usage));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_as_the_pages_show),
		cmocka_unit_test(defaults),
		cmocka_unit_test(values_stand_behind_or_in_the_word),
		cmocka_unit_test(node_and_metrics_are_told),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(usage_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
