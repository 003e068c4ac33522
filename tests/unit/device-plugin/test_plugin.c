/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --once lists.  The running program is tested from outside, in
 * tests/kubelet.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "device-plugin/plugin.h"
#include "tests/sim/commands.h"
#include "tests/sim/tree.h"
#include "tests/test.h"

#define OUTPUT_MAX 65536

struct fixture {
	char root[32];
	char config[64]; /* a file beside the root */
	struct options options;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct request request = { .args = { "rngd x1, warboy x1" }, .nodes = NODES_LINKS };

	(void)snprintf(fixture->root, sizeof(fixture->root), "/tmp/plugin-XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	request.dir = fixture->root;
	assert_int_equal(command_create(&request, NULL), 0);
	(void)snprintf(fixture->config, sizeof(fixture->config), "%s.yaml", fixture->root);
	fixture->options = (struct options) { .host_root = fixture->root, .kubelet_dir = "/" };
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	int r = tree_remove(AT_FDCWD, fixture->root, NULL);

	(void)unlink(fixture->config);
	free(fixture);
	return r;
}

/* Lists with a configuration; "" is the default one. */
static int list(struct fixture *fixture, const char *text, struct strbuf *out, struct error *err)
{
	fixture->options.config = text[0] ? fixture->config : NULL;
	if (text[0])
		assert_int_equal(file_publish(fixture->config, text, strlen(text), 0600, NULL), 0);
	return plugin_list(&fixture->options, out, err);
}

static size_t count_lines(const struct strbuf *out, const char *part)
{
	size_t n = 0;

	for (const char *at = strstr(strbuf_str(out), part); at; at = strstr(at + 1, part))
		n++;
	return n;
}

static void units_of_every_resource_are_listed(void **state)
{
	static const struct {
		const char *config;
		const char *part;
		size_t n;
	} cases[] = {
		{ "", "furiosa.ai/npu ", 2 },
		{ "version: v1\nresources:\n- name: furiosa.ai/rngd-2core\n"
		  "  devices: {product: rngd}\n  unit: partition\n  cores: 2\n",
		  "_cores_", 4 },
		{ "version: v1\nresources:\n- name: a.b/c\n  devices: {product: none}\n", "a.b/c",
		  0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);

		assert_int_equal(list(*state, cases[i].config, &out, NULL), 0);
		assert_non_null(str_starts_with(strbuf_str(&out), "RESOURCE"));
		assert_int_equal(count_lines(&out, cases[i].part), cases[i].n);
	}
}

static void a_missing_host_is_an_error(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);
	struct fixture *fixture = *state;
	struct error err = { 0 };

	fixture->options.host_root = "/nonexistent";
	assert_int_equal(list(fixture, "", &out, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "--host-root"));
	assert_string_equal(strbuf_str(&out), "");
}

static void a_bad_configuration_is_an_error(void **state)
{
	static const struct {
		const char *config;
		const char *text; /* behind the file's name */
	} cases[] = {
		{ "version: v2\n", ":1:10: " },
		{ "version: v1\ndrivers: {enable: [none]}\n",
		  ":2:20: drivers.enable: there is no driver 'none'; there are: " },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);
		struct error err = { 0 };
		const char *rest;

		assert_int_equal(list(fixture, cases[i].config, &out, &err), -EINVAL);
		rest = str_starts_with(err.msg, fixture->config);
		assert_non_null(rest);
		assert_non_null(str_starts_with(rest, cases[i].text));
		assert_string_equal(strbuf_str(&out), "");
	}
}

/* A class that is no directory costs its own driver's cards, and nobody else's. */
static void a_driver_that_fails_hides_no_other(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);
	struct fixture *fixture = *state;
	struct error err = { 0 };
	struct tree_path class = tree_path("%s/sys/class/tenstorrent", fixture->root);

	assert_int_equal(tree_puts(AT_FDCWD, class.text, "", NULL), 0);
	assert_int_equal(list(fixture, "", &out, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "driver 'tenstorrent'"));
	assert_int_equal(count_lines(&out, "furiosa.ai/npu "), 2);
}

static void a_missing_file_is_an_error(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(OUTPUT_MAX);
	struct fixture *fixture = *state;
	struct error err = { 0 };

	fixture->options.config = "/nonexistent/a.yaml";
	assert_int_equal(plugin_list(&fixture->options, &out, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/a.yaml"));
	fixture->options.config = NULL;
	fixture->options.node_labels = "/nonexistent/labels";
	assert_int_equal(plugin_list(&fixture->options, &out, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/labels"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(units_of_every_resource_are_listed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_missing_host_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_configuration_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_driver_that_fails_hides_no_other, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_missing_file_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
