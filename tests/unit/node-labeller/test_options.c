/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node-labeller/options.h"
#include "tests/test.h"
#include "tests/unit/base/pages.h"

#define WORDS_MAX 6

/* Parses words as if they stood behind the program's name. */
static int parse(const char *const *words, struct options *ret, struct error *err)
{
	static char name[] = "silica-node-labeller";
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
	assert_null(options.kubeconfig);
	assert_null(options.listen_metrics);
	assert_string_equal(options.host_root, "/");
	assert_int_equal(options.output, OPTIONS_OUTPUT_API);
	assert_int_equal(options.interval_ms, 60000);
	assert_string_equal(options.nfd_dir, "/etc/kubernetes/node-feature-discovery/features.d");
	assert_false(options.once || options.cleanup || options.all_nodes);
}

static void values(_unused_ void **state)
{
	const char *const words[] = { "--output=nfd", "--interval", "5s",
				      "--nfd-dir=/x", "--once",	    NULL };
	const char *const all[] = { "--cleanup", "--all-nodes", "--kubeconfig", "k", NULL };
	struct options options;

	assert_int_equal(parse(words, &options, NULL), 0);
	assert_int_equal(options.output, OPTIONS_OUTPUT_NFD);
	assert_int_equal(options.interval_ms, 5000);
	assert_string_equal(options.nfd_dir, "/x");
	assert_true(options.once);
	assert_int_equal(parse(all, &options, NULL), 0);
	assert_true(options.cleanup && options.all_nodes);
	assert_string_equal(options.kubeconfig, "k");
}

static void refuses(_unused_ void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		const char *text;
	} cases[] = {
		{ { "--output=file" }, "--output cannot be 'file', expected api|nfd|stdout" },
		{ { "--interval=999ms" }, "--interval cannot be '999ms', expected DURATION" },
		{ { "--interval=25h" }, "--interval cannot be '25h'" },
		{ { "--listen-metrics=here" }, "--listen-metrics cannot be 'here'" },
		{ { "--all-nodes" }, "--all-nodes needs --cleanup" },
		{ { "--all-nodes", "--cleanup", "--output=nfd" }, "--all-nodes needs --cleanup" },
		{ { "--cleanup", "--output=stdout" }, "--cleanup removes nothing" },
		{ { "x" }, "unexpected word 'x'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options options;
		struct error err = { 0 };

		assert_int_equal(parse(cases[i].words, &options, &err), -EINVAL);
		if (!strstr(err.msg, cases[i].text))
			fail_msg("'%s' is not in '%s'", cases[i].text, err.msg);
	}
}

static void help_names_every_option(_unused_ void **state)
{
	static const char *const names[] = { "--config FILE",	"--output api|nfd|stdout",
					     "--interval",	"--kubeconfig FILE",
					     "--nfd-dir DIR",	"--cleanup",
					     "--all-nodes",	"--node-name NAME",
					     "--host-root DIR", "--version" };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(64 * 1024);

	options_usage(&out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(strstr(strbuf_str(&out), names[i]));
}

static void is_as_the_pages_show(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf usage = STRBUF_INIT((size_t)64 * 1024);

	options_usage(&usage);
	pages_expect_options("silica-node-labeller", strbuf_str(&usage));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_as_the_pages_show),
		cmocka_unit_test(defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(refuses),
		cmocka_unit_test(help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
