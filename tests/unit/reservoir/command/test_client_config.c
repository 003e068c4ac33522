/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "reservoir/command/client_config.h"
#include "reservoir/command/command.h"
#include "tests/unit/reservoir/store/content.h"

static void parse(const char *text, struct reservoir_config *ret)
{
	struct error err = { 0 };

	if (reservoir_config_parse(text, strlen(text), "f", ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static void finds_the_base(void **state)
{
	static const struct {
		const char *serve;
		const char *base;
	} cases[] = {
		{ "{}", "http://127.0.0.1:8080" },
		{ "{listen: '0.0.0.0:80'}", "http://host:80" },
		{ "{listen: '[::]:8443', certificate: /c, privateKey: /k}", "https://host:8443" },
		{ "{listen: '[::1]:8080'}", "http://[::1]:8080" },
		{ "{listen: '127.0.0.1:0'}", NULL },
		{ "{listen: 'port'}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);
		char base[64];
		int r;

		strbuf_printf(&text, "serve: %s\n", cases[i].serve);
		parse(strbuf_str(&text), &config);
		r = client_config_base(&config.serve, "host", base, sizeof(base), NULL);
		assert_int_equal(r, cases[i].base ? 0 : -EINVAL);
		if (cases[i].base)
			assert_string_equal(base, cases[i].base);
	}
}

static void refuses_a_long_base(void **state)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	char base[8];

	(void)state;
	parse("serve: {}\n", &config);
	assert_int_equal(client_config_base(&config.serve, "host", base, sizeof(base), NULL),
			 -ENAMETOOLONG);
}

static void refuses(void **state)
{
	static const struct {
		const char *client, *base_url, *repository;
		int r;
		const char *error;
	} cases[] = {
		{ "gem", NULL, NULL, COMMAND_MISUSED, "only about apt, pip and uv" },
		{ "apt", NULL, NULL, -ENOENT, "no repository for apt" },
		{ "pip", NULL, "xyzzy", -ENOENT, "no repository 'xyzzy' for pip" },
		{ "apt", NULL, "python", -ENOENT, "no repository 'python' for apt" },
		{ "pip", "ftp://example.org", NULL, -EINVAL, "neither with http:// nor" },
		{ "pip", "http://example.org/a b", NULL, -EINVAL, "characters that no URL has" },
		{ "uv", "http://example.org/'", NULL, -EINVAL, "characters that no URL has" },
	};
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };

	(void)state;
	parse("repositories:\n- {name: python, ecosystem: pypi}\n", &config);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(CLIENT_CONFIG_MAX);
		struct settings settings = settings_default();
		struct error err = { 0 };

		settings.words[0] = cases[i].client;
		settings.n_words = 1;
		settings.base_url = cases[i].base_url;
		settings.repository = cases[i].repository;
		assert_int_equal(client_config_write(&settings, &config, &out, &err), cases[i].r);
		assert_non_null(strstr(err.msg, cases[i].error));
	}
}

static void publish(const struct scratch *scratch, const char *const *paths, size_t n)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct generation_repository repository = { .ecosystem = "apt", .name = "deb" };
	struct store *store = scratch_open(scratch, STORE_WRITE);
	struct error err = { 0 };
	int r = manifest_builder_new(store, &builder, &err);

	repository.n_files = n;
	if (r == 0)
		r = object_put(store, "x", 1, NULL, &err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = manifest_add(builder,
				 &(struct manifest_entry) {
					 .path = paths[i], .size = 1, .digest = digest_of("x", 1) },
				 &err);
	if (r < 0 || manifest_finish(builder, &repository.collected, &err) < 0 ||
	    generation_current(store, &current, &err) < 0 ||
	    generation_copy(current, &next, &err) < 0)
		fail_msg("%s", err.msg);
	repository.served = repository.collected;
	if (generation_set(next, &repository, &err) < 0 ||
	    generation_publish(store, next, &err) < 0)
		fail_msg("%s", err.msg);
	store_close(store);
}

/* A site that imports is told no suites: they are those that arrived. */
static void finds_the_suites(void **state)
{
	static const char *const paths[] = {
		"Release",
		"dists/bookworm/InRelease",
		"dists/bookworm/Release",
		"dists/bookworm/main/binary-amd64/Release",
		"dists/bookworm/updates/InRelease",
		"silica-archive-keyring.asc",
	};
	const struct scratch *scratch = *state;
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct settings settings = settings_default();

	settings.words[0] = "apt";
	settings.n_words = 1;
	settings.store = scratch->store;
	parse("repositories:\n- {name: deb, ecosystem: apt}\n", &config);
	for (int i = 0; i < 2; i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(CLIENT_CONFIG_MAX);
		struct error err = { 0 };
		int r = client_config_write(&settings, &config, &out, &err);

		if (i == 0) {
			assert_int_equal(r, -ENOENT);
			assert_non_null(strstr(err.msg, "import a bundle first"));
			publish(scratch, paths, ARRAY_SIZE(paths));
			continue;
		}
		assert_int_equal(r, COMMAND_DONE);
		assert_non_null(strstr(strbuf_str(&out), "\nSuites: bookworm bookworm/updates\n"));
		assert_non_null(strstr(strbuf_str(&out), "\nSigned-By: "));
	}
}

/* apt takes a file there, or its own folder when nothing is said. */
static void names_no_folder_of_keys(void **state)
{
	const struct scratch *scratch = *state;
	const char *const keyrings[] = { scratch->store, "/etc/keys/archive.gpg" };
	struct settings settings = settings_default();

	settings.words[0] = "apt";
	settings.n_words = 1;
	settings.store = scratch->store;
	for (size_t i = 0; i < ARRAY_SIZE(keyrings); i++) {
		_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(CLIENT_CONFIG_MAX);

		strbuf_printf(&text,
			      "repositories:\n- name: deb\n  ecosystem: apt\n"
			      "  upstream: http://example.org/\n"
			      "  apt: {suites: [stable], keyring: '%s'}\n",
			      keyrings[i]);
		parse(strbuf_str(&text), &config);
		assert_int_equal(client_config_write(&settings, &config, &out, NULL), COMMAND_DONE);
		assert_non_null(strstr(strbuf_str(&out), keyrings[i]));
		assert_int_equal(strstr(strbuf_str(&out), "\nSigned-By: ") != NULL, i == 1);
	}
}

/* apt takes no components of a flat suite, and wants some of the others. */
static void parts_flat_suites_from_others(_unused_ void **state)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(CLIENT_CONFIG_MAX);
	struct settings settings = settings_default();

	settings.words[0] = "apt";
	settings.n_words = 1;
	parse("repositories:\n- name: deb\n  ecosystem: apt\n  upstream: http://example.org/\n"
	      "  apt: {suites: [./, stable, x/], components: [main], unverified: true}\n",
	      &config);
	assert_int_equal(client_config_write(&settings, &config, &out, NULL), COMMAND_DONE);
	assert_non_null(strstr(strbuf_str(&out), "\nSuites: stable\nComponents: main\n"));
	assert_non_null(strstr(strbuf_str(&out), "\n\nTypes: deb\n"));
	assert_non_null(strstr(strbuf_str(&out), "\nSuites: ./ x/\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_base),
		cmocka_unit_test(refuses_a_long_base),
		cmocka_unit_test(refuses),
		cmocka_unit_test_setup_teardown(finds_the_suites, scratch_setup, scratch_teardown),
		cmocka_unit_test(parts_flat_suites_from_others),
		cmocka_unit_test_setup_teardown(names_no_folder_of_keys, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
