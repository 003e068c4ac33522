/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "reservoir/bundle/key.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/init_config.h"
#include "reservoir/config/config.h"
#include "reservoir/store/store.h"
#include "tests/folder.h"

#define PATH_SIZE 64

struct folder {
	char path[FOLDER_MAX];
	char store[PATH_SIZE + 16];
	char config[PATH_SIZE + 32];
};

static int make_folder(void **state)
{
	static struct folder folder;

	folder_make(folder.path);
	(void)snprintf(folder.store, sizeof(folder.store), "%s/store", folder.path);
	(void)snprintf(folder.config, sizeof(folder.config), "%s/reservoir.yaml", folder.store);
	*state = &folder;
	return 0;
}

static int remove_folder(void **state)
{
	const struct folder *folder = *state;

	folder_remove(folder->path);
	return 0;
}

static struct settings settings_of(const struct folder *folder)
{
	struct settings settings = settings_default();

	settings.store = folder->store;
	return settings;
}

static void makes_a_store_and_a_configuration(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_(store_closep) struct store *store = NULL;
	struct error err = { 0 };

	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
	assert_int_equal(store_open(folder->store, STORE_READ, &store, &err), 0);
	assert_int_equal(settings_load_config(&settings, &config, &err), 0);
	assert_int_equal(config.n_repositories, 0);
	assert_string_equal(config.serve.listen, "127.0.0.1:8080");
}

static void overwrites_no_store(void **state)
{
	struct settings settings = settings_of(*state);
	struct error err = { 0 };

	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
	assert_int_equal(init_run(&settings, &err), -EEXIST);
	settings.if_needed = true;
	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
}

/* It may have been written before, or be on a volume that cannot be. */
static void keeps_a_configuration(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	char path[PATH_SIZE + 16], text[64];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/mine.yaml", folder->path);
	assert_int_equal(file_publish(path, "keep: {}\n", 9, 0600, NULL), 0);
	settings.config = path;
	settings.if_needed = true;
	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
	assert_int_equal(file_read(AT_FDCWD, path, text, sizeof(text), NULL), 9);
	assert_string_equal(text, "keep: {}\n");
	assert_int_equal(access(folder->config, F_OK), -1);
}

static void makes_nothing_when_a_key_is_there(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	char path[PATH_SIZE + 16];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/hub.key", folder->path);
	assert_int_equal(file_publish(path, "secret", 6, 0600, NULL), 0);
	settings.key_file = path;
	assert_int_equal(init_run(&settings, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "is not overwritten"));
	assert_int_equal(access(folder->store, F_OK), -1);
}

static void makes_a_key_and_names_it(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_secret_key_ struct secret_key key = { 0 };
	char path[PATH_SIZE + 16];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/hub.key", folder->path);
	settings.key_file = path;
	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
	assert_int_equal(settings_load_config(&settings, &config, &err), 0);
	assert_int_equal(config.bundles.n_secret_keys, 1);
	assert_string_equal(config.bundles.secret_keys[0].text, path);
	assert_int_equal(secret_key_load(path, &key, &err), 0);
}

static void makes_the_folder_of_a_key(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	char path[PATH_SIZE + 16];
	struct error err = { 0 };
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/keys/hub.key", folder->path);
	settings.key_file = path;
	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* What is repaired then is tried again with the same words. */
static void leaves_nothing_when_there_can_be_no_key(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	char path[PATH_SIZE + 32];
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/no/such/hub.key", folder->path);
	settings.key_file = path;
	assert_int_equal(init_run(&settings, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "the key's folder"));
	assert_int_equal(access(folder->store, F_OK), -1);
}

static void leaves_no_key_when_there_can_be_no_store(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	char path[PATH_SIZE + 16];
	struct error err = { 0 };

	assert_int_equal(init_run(&settings, &err), COMMAND_DONE);
	(void)snprintf(path, sizeof(path), "%s/hub.key", folder->path);
	settings.key_file = path;
	assert_int_equal(init_run(&settings, &err), -EEXIST);
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/hub.key.pub", folder->path);
	assert_int_equal(access(path, F_OK), -1);
}

static void makes_nothing_of_a_host_without_sources(void **state)
{
	const struct folder *folder = *state;
	struct settings settings = settings_of(folder);
	struct error err = { 0 };

	settings.from_host = true;
	settings.host_root = folder->path;
	assert_int_equal(init_run(&settings, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no sources of packages"));
	assert_int_equal(access(folder->store, F_OK), -1);
}

/* Whatever is written is accepted later. */
static void writes_what_can_be_read(void **state)
{
	static const char *const keys[] = { NULL, "/a/b", "/it's here", "/a: #b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(INIT_CONFIG_MAX);
		_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
		struct error err = { 0 };

		assert_int_equal(init_config_write(NULL, keys[i], &text, &err), 0);
		assert_int_equal(reservoir_config_parse(text.data, text.len, "f", &config, &err),
				 0);
		assert_int_equal(config.bundles.n_secret_keys, keys[i] ? 1 : 0);
		if (keys[i])
			assert_string_equal(config.bundles.secret_keys[0].text, keys[i]);
	}
}

/* The examples in the comments are right, too, once they are none. */
static void shows_examples_that_can_be_read(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(INIT_CONFIG_MAX);
	_cleanup_strbuf_ struct strbuf shown = STRBUF_INIT(INIT_CONFIG_MAX);
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	const char *line, *end;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(init_config_write(NULL, NULL, &text, &err), 0);
	line = strstr(text.data, "# repositories:\n");
	end = strstr(text.data, "\n\nrepositories:");
	assert_true(line && end && line < end);
	while (line < end) {
		size_t len = strcspn(line, "\n");

		strbuf_add(&shown, line + 2, len - 1);
		line += len + 1;
	}
	if (reservoir_config_parse(shown.data, shown.len, "f", &config, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(config.n_repositories, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_a_store_and_a_configuration, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(overwrites_no_store, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(keeps_a_configuration, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(makes_nothing_when_a_key_is_there, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(makes_a_key_and_names_it, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(makes_the_folder_of_a_key, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(leaves_nothing_when_there_can_be_no_key,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(leaves_no_key_when_there_can_be_no_store,
						make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(makes_nothing_of_a_host_without_sources,
						make_folder, remove_folder),
		cmocka_unit_test(writes_what_can_be_read),
		cmocka_unit_test(shows_examples_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
