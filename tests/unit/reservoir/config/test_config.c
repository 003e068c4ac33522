/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "reservoir/config/config.h"

#define APT "repositories:\n- name: a\n  ecosystem: apt\n" /* three lines */
#define PYPI "repositories:\n- name: p\n  ecosystem: pypi\n"
#define SUITE "  apt:\n    suites: [stable]\n" /* two more */

static int parse(const char *text, struct reservoir_config *ret, struct error *err)
{
	return reservoir_config_parse(text, strlen(text), "f", ret, err);
}

static void must_parse(const char *text, struct reservoir_config *ret)
{
	struct error err = { 0 };

	if (parse(text, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static const struct {
	const char *text;
	const char *error; /* what the message begins with */
} refused[] = {
	{ "suites: []\n", "f:1:1: unknown key 'suites'" },
	{ "serv: {}\n", "f:1:1: unknown key 'serv', did you mean 'serve'?" },
	{ "sync: {}\nsync: {}\n", "f:2:1: " },
	{ "[]\n", "f:1:1: " },
	{ "repositories:\n- ecosystem: apt\n", "f:2:3: " },
	{ "repositories:\n- name: a\n", "f:2:3: " },
	{ APT "  apt: {suits: [a]}\n", "f:4:9: unknown key 'suits', did you mean 'suites'" },
	{ APT "  apt: {suites: []}\n", "f:4:17: " },
	{ APT "  pypi: {}\n", "f:4:3: " },
	{ PYPI "  apt: {suites: [a]}\n", "f:4:3: " },
	{ PYPI "- name: p\n  ecosystem: pypi\n", "f:4:3: the name 'p' is taken" },
	{ "repositories:\n- {name: A, ecosystem: apt}\n",
	  "f:2:10: 'name': the name 'A' has other" },
	{ "repositories:\n- {name: -a, ecosystem: apt}\n", "f:2:10: 'name': the name '-a'" },
	{ "repositories:\n- {name: a., ecosystem: apt}\n", "f:2:10: 'name': the name 'a.'" },
	{ "repositories:\n- {name: a/b, ecosystem: apt}\n", "f:2:10: 'name': the name 'a/b'" },
	{ "repositories:\n- {name: metrics, ecosystem: apt}\n",
	  "f:2:10: 'name': the name 'metrics' is a path of the server itself" },
	{ "repositories:\n- {name: a, ecosystem: gem}\n", "f:2:24: 'ecosystem' must be one of" },
	{ PYPI "  upstream: ftp://example.org/\n",
	  "f:4:13: 'upstream': 'ftp://example.org/' begins" },
	{ PYPI "  upstream: http://u:p@example.org/\n",
	  "f:4:13: 'upstream': the URL has a user name" },
	{ PYPI "  upstream: http://\n", "f:4:13: 'upstream': the URL 'http://' has no" },
	{ PYPI "  upstream: https:///simple/\n", "f:4:13: 'upstream': the URL 'https:///" },
	{ PYPI "  upstream: 'http://a/b c/'\n", "f:4:13: 'upstream': the URL has a space" },
	{ PYPI "  upstream: http://a/?b=c\n", "f:4:13: 'upstream': the URL has a space" },
	{ PYPI "  upstream: http://a/#c\n", "f:4:13: 'upstream': the URL has a space" },
	{ PYPI "  mode: cache\n", "f:2:3: 'repositories[]': 'mode: cache' needs an 'upstream'" },
	{ APT "  upstream: http://example.org/\n" SUITE,
	  "f:2:3: 'repositories[]': the repository needs 'apt.keyring'" },
	{ APT "  apt: {suites: [a], publish: curated}\n",
	  "f:4:8: 'apt': 'publish: curated' needs a 'signingKey'" },
	{ APT "  apt: {suites: [a], packages: [b]}\n",
	  "f:4:8: 'apt': 'packages', 'exclude' and 'together' need" },
	{ PYPI "  pypi: {environments: [{python: '2.7', platform: any}]}\n",
	  "f:4:34: 'python': '2.7' is no version of Python" },
	{ PYPI "  pypi: {environments: [{python: '3.-1', platform: any}]}\n",
	  "f:4:34: 'python': '3.-1' is no version of Python" },
	{ PYPI "  pypi: {environments: [{python: '3.11', platform: amiga}]}\n",
	  "f:4:52: 'platform': 'amiga' is no platform tag" },
	{ "sync: {window: 25:00-06:00}\n", "f:1:16: 'window': '25:00-06:00' is not two times" },
	{ "sync: {perHost: 0}\n", "f:1:17: " },
	{ "sync: {perHost: 65}\n", "f:1:17: " },
	{ "sync: {timeout: 10}\n", "f:1:17: " },
	{ "bundles: {hubs: [{id: a}]}\n", "f:1:18: " },
	{ "bundles: {hubs: [{id: a, keys: [k, j, k], signatures: 2}]}\n",
	  "f:1:18: 'hubs[]': key 'k' of hub 'a' is listed twice" },
	{ "bundles: {compression: 20}\n", "f:1:24: " },
	{ "serve: {users: [{name: a}, {name: a}]}\n", "f:1:28: the name 'a' is taken" },
	{ "keep: {generations: 0}\n", "f:1:21: " },
	{ "keep: {}\n---\nkeep: {}\n", "f:2:1: " },
	{ "keep: &a {}\n", "f:1:7: " },
	{ "keep: {\n", "f:2:1: " },
};

static void refuses(void **state)
{
	size_t faults = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
		struct error err = { 0 };

		if (parse(refused[i].text, &config, &err) == -EINVAL &&
		    strncmp(err.msg, refused[i].error, strlen(refused[i].error)) == 0)
			continue;
		print_error("'%s' does not begin with '%s'\n", err.msg, refused[i].error);
		faults++;
	}
	assert_int_equal(faults, 0);
}

static void accepts(void **state)
{
	static const char *const cases[] = {
		"",
		"{}\n",
		"repositories: []\n",
		APT SUITE,
		APT "  upstream: http://example.org/d\n" SUITE "    keyring: /k\n",
		APT "  upstream: file:///srv/d\n" SUITE "    unverified: true\n",
		APT SUITE "    publish: curated\n    signingKey: /k\n    packages: [curl]\n",
		PYPI "  mode: cache\n  upstream: https://example.org/simple/\n",
		PYPI "  pypi: {all: true, environments: []}\n",
		"serve: {users: [{name: a, token: b}, {name: b}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_reservoir_config_ struct reservoir_config config = { 0 };

		must_parse(cases[i], &config);
	}
}

static void has_defaults(void **state)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };

	(void)state;
	must_parse("{}\n", &config);
	assert_int_equal(config.n_repositories, 0);
	assert_int_equal(config.sync.per_host, 8);
	assert_int_equal(config.sync.keep_free, 1024L * 1024 * 1024);
	assert_int_equal(config.sync.interval_ms, 0);
	assert_int_equal(config.bundles.valid_for_s, 90 * 24 * 3600);
	assert_string_equal(config.serve.listen, "127.0.0.1:8080");
	assert_true(config.serve.anonymous);
	assert_int_equal(config.keep.generations, 8);
}

static void reads_repositories(void **state)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	const struct repository *apt, *pypi;

	(void)state;
	must_parse(APT SUITE "    languages: [ko, en]\n"
			     "- name: p\n"
			     "  ecosystem: pypi\n"
			     "  pypi:\n"
			     "    projects: requests\n"
			     "    environments:\n"
			     "    - {python: '3.12', platform: win_amd64}\n",
		   &config);
	apt = reservoir_config_repository(&config, "a");
	pypi = reservoir_config_repository(&config, "p");
	assert_non_null(apt);
	assert_non_null(pypi);
	assert_null(reservoir_config_repository(&config, "b"));
	assert_int_equal(apt->ecosystem, REPOSITORY_APT);
	assert_string_equal(apt->apt.suites[0].text, "stable");
	assert_int_equal(apt->apt.n_languages, 2);
	assert_int_equal(apt->apt.publish, APT_VERBATIM);
	assert_string_equal(pypi->pypi.projects[0].text, "requests");
	assert_string_equal(pypi->pypi.environments[0].implementation, "cpython");
	assert_true(pypi->pypi.dependencies);
	assert_string_equal(repository_ecosystem_name(pypi->ecosystem), "pypi");
}

static void refuses_a_long_text(void **state)
{
	static char text[CONFIG_TEXT_BYTES_MAX + 1];
	struct reservoir_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(reservoir_config_parse(text, sizeof(text), "f", &config, &err), -EFBIG);
	assert_int_equal(reservoir_config_parse(text, sizeof(text) - 1, "f", &config, &err), 0);
	reservoir_config_done(&config);
}

static void tells_of_a_missing_file(void **state)
{
	struct reservoir_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(reservoir_config_load("/nowhere/a.yaml", &config, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nowhere/a.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(accepts),
		cmocka_unit_test(has_defaults),
		cmocka_unit_test(reads_repositories),
		cmocka_unit_test(refuses_a_long_text),
		cmocka_unit_test(tells_of_a_missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
