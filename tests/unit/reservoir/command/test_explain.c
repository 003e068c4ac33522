/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/store.h"
#include "tests/folder.h"

struct folder {
	char path[FOLDER_MAX];
	char store[FOLDER_MAX + 16];
};

static int make_store(void **state)
{
	static const char text[] = "repositories:\n- {name: p, ecosystem: pypi}\n";
	static struct folder folder;
	char config[128];

	folder_make(folder.path);
	(void)snprintf(folder.store, sizeof(folder.store), "%s/store", folder.path);
	(void)snprintf(config, sizeof(config), "%s/reservoir.yaml", folder.store);
	*state = &folder;
	return store_create(folder.store, NULL) < 0 ||
			       file_publish(config, text, strlen(text), 0600, NULL) < 0
		       ? -1
		       : 0;
}

static int remove_store(void **state)
{
	const struct folder *folder = *state;

	folder_remove(folder->path);
	return 0;
}

static struct settings settings_of(const struct folder *folder)
{
	struct settings settings = settings_default();

	settings.store = folder->store;
	settings.words[settings.n_words++] = "requests";
	return settings;
}

/* What was never published is told, and is no failure. */
static void explains_a_store_without_a_sync(void **state)
{
	struct settings settings = settings_of(*state);
	struct error err = { 0 };

	assert_int_equal(explain_run(&settings, &err), COMMAND_DONE);
	settings.json = true;
	assert_int_equal(explain_run(&settings, &err), COMMAND_DONE);
	settings.repository = "p";
	assert_int_equal(explain_run(&settings, &err), COMMAND_DONE);
}

static void publish_nothing(const struct folder *folder)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct generation_repository repository = { .name = "p", .ecosystem = "pypi" };

	assert_int_equal(store_open(folder->store, STORE_WRITE, &store, NULL), 0);
	assert_int_equal(manifest_builder_new(store, &builder, NULL), 0);
	assert_int_equal(manifest_finish(builder, &repository.collected, NULL), 0);
	repository.served = repository.collected;
	assert_int_equal(generation_current(store, &current, NULL), 0);
	assert_int_equal(generation_copy(current, &next, NULL), 0);
	assert_int_equal(generation_set(next, &repository, NULL), 0);
	assert_int_equal(generation_publish(store, next, NULL), 0);
}

/* Of Debian's packages some have a '+', which no project has: others may know it. */
static void explains_a_name_that_one_cannot_have(void **state)
{
	struct settings settings = settings_of(*state);
	struct error err = { 0 };

	publish_nothing(*state);
	assert_int_equal(explain_run(&settings, &err), COMMAND_DONE);
	settings.words[0] = "libstdc++6";
	assert_int_equal(explain_run(&settings, &err), COMMAND_DONE);
}

static void refuses_what_is_not_there(void **state)
{
	struct settings settings = settings_of(*state);
	struct error err = { 0 };

	settings.repository = "xyzzy";
	assert_int_equal(explain_run(&settings, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no repository 'xyzzy'"));
	settings.repository = NULL;
	settings.config = "/nowhere.yaml";
	assert_int_equal(explain_run(&settings, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nowhere.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(explains_a_store_without_a_sync, make_store,
						remove_store),
		cmocka_unit_test_setup_teardown(explains_a_name_that_one_cannot_have, make_store,
						remove_store),
		cmocka_unit_test_setup_teardown(refuses_what_is_not_there, make_store,
						remove_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
