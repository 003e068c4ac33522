/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to a policy: what is told besides, and what makes a watch another one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/load.h"
#include "tests/test.h"

static int load_text(const char *text, struct policy **ret, struct error *err)
{
	char path[] = "/tmp/policy-XXXXXX";
	const struct policy_source source = { .config = path, .node_name = "n" };
	int fd = mkstemp(path);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	r = policy_load(&source, ret, err);
	(void)unlink(path);
	return r;
}

static struct policy *load(const char *text)
{
	struct policy *policy = NULL;
	struct error err = { 0 };

	if (load_text(text, &policy, &err) < 0)
		fail_msg("%s", err.msg);
	return policy;
}

static void without_a_file_there_are_defaults(_unused_ void **state)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const struct policy_source source = { .config = NULL };

	assert_int_equal(policy_load(&source, &policy, NULL), 0);
	assert_true(policy_config(policy)->resources_are_default);
}

static void failures_name_the_file(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *part;
	} cases[] = {
		{ "version: v2\n", ":1:10: " },
		{ "version: v1\ndrivers: {enable: [furios]}\n", "/tmp/policy-" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *policy = NULL;
		struct error err = { 0 };

		assert_int_equal(load_text(cases[i].text, &policy, &err), -EINVAL);
		assert_null(policy);
		assert_non_null(strstr(err.msg, cases[i].part));
	}
}

static void append(void *ctx, const char *text)
{
	struct strbuf *out = ctx;

	strbuf_printf(out, "%s\n", text);
}

static void deprecated_keys_are_warned_of(_unused_ void **state)
{
	_cleanup_(policy_freep) struct policy *policy = load("version: v1\ndebugMode: true\n");
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);

	policy_warnings(policy, append, &out);
	assert_non_null(strstr(strbuf_str(&out), "key 'debugMode' is deprecated"));
}

static void a_watch_is_drivers_health_and_intervals(_unused_ void **state)
{
	static const struct {
		const char *text;
		bool same;
	} cases[] = {
		{ "version: v1\n", true },
		{ "version: v1\nexclude: [{uuid: x}]\n", true },
		{ "version: v1\nrescanInterval: 7s\n", false },
		{ "version: v1\nhealth: {unhealthyAfter: 2}\n", false },
		{ "version: v1\ndrivers: {enable: [groq]}\n", false },
		{ "version: v1\ndrivers: {disable: [coral]}\n", false },
	};
	_cleanup_(policy_freep) struct policy *policy = load("version: v1\n");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(policy_freep) struct policy *other = load(cases[i].text);

		assert_int_equal(policy_same_watch(policy, other), cases[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_there_are_defaults),
		cmocka_unit_test(failures_name_the_file),
		cmocka_unit_test(deprecated_keys_are_warned_of),
		cmocka_unit_test(a_watch_is_drivers_health_and_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
