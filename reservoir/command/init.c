/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "reservoir/bundle/key.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/init_config.h"
#include "reservoir/config/config.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/store.h"

#define CONFIG_MODE 0640 /* it may name users, and has hashes of passwords */

struct init {
	const struct settings *settings;
	char config[PATH_MAX]; /* where it goes */
	bool keeps_config;     /* it is there already */
	char key[PATH_MAX];    /* "" without one */
};

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int print_path(char *ret, size_t size, struct error *err, const char *dir, const char *name)
{
	int n = snprintf(ret, size, "%s/%s", dir, name);

	return n < 0 || (size_t)n >= size
		       ? error_set(err, ENAMETOOLONG, "the path '%s' is too long", name)
		       : 0;
}

/* The configuration names the key for every later command, wherever it is run. */
static int make_absolute(const char *path, char *ret, size_t size, struct error *err)
{
	char dir[PATH_MAX];

	if (path[0] == '/')
		return print_path(ret, size, err, "", path + 1);
	if (!getcwd(dir, sizeof(dir)))
		return error_set(err, errno, "get the working directory: %m");
	return print_path(ret, size, err, dir, path);
}

/* Finds everything that cannot be before anything is made. */
static int prepare(struct init *init, struct error *err)
{
	const struct settings *settings = init->settings;
	int r;

	if (settings->config)
		r = make_absolute(settings->config, init->config, sizeof(init->config), err);
	else
		r = print_path(init->config, sizeof(init->config), err, settings->store,
			       "reservoir.yaml");
	if (r < 0)
		return r;
	init->keeps_config = is_there(init->config);
	if (!settings->key_file)
		return 0;
	r = make_absolute(settings->key_file, init->key, sizeof(init->key), err);
	if (r < 0)
		return r;
	if (is_there(init->key))
		return error_set(err, EEXIST, "'%s' is there already, and is not overwritten",
				 init->key);
	return 0;
}

static int write_new(const char *path, const struct strbuf *text, struct error *err)
{
	if (is_there(path))
		return error_set(err, EEXIST, "'%s' is there already, and is not overwritten",
				 path);
	return file_publish(path, text->data, text->len, CONFIG_MODE, err);
}

static void print_next(const struct init *init)
{
	const struct settings *settings = init->settings;
	char options[2 * PATH_MAX + 64] = "";

	if (strcmp(settings->store, ".") != 0 || settings->config)
		(void)snprintf(options, sizeof(options), " --store %s%s%s", settings->store,
			       settings->config ? " --config " : "",
			       settings->config ? settings->config : "");
	(void)printf("\nNext:\n"
		     "  %s sync%s --dry-run\n"
		     "  %s sync%s\n"
		     "  %s serve%s\n",
		     settings->program, options, settings->program, options, settings->program,
		     options);
}

static int make_key(const struct init *init, char text[KEY_TEXT_SIZE], struct error *err)
{
	return init->key[0] ? key_generate(init->key, text, err) : 0;
}

static void unmake_key(const struct init *init)
{
	char path[PATH_MAX + sizeof(".pub")];

	if (!init->key[0])
		return;
	(void)snprintf(path, sizeof(path), "%s.pub", init->key);
	(void)unlink(path);
	(void)unlink(init->key);
}

static void print_made(const struct init *init, const char *text)
{
	(void)printf("made the store '%s'\n", init->settings->store);
	if (init->key[0])
		(void)printf("made the secret key '%s'; sites trust its public key:\n  %s\n",
			     init->key, text);
	if (init->key[0] && init->keeps_config)
		(void)printf("name it in bundles.secretKeys of '%s'\n", init->config);
	(void)printf("%s the configuration '%s'\n", init->keeps_config ? "kept" : "wrote",
		     init->config);
}

/* An empty store without a configuration is what is left when that could not be written. */
static bool is_half_made(const struct init *init)
{
	_cleanup_(store_closep) struct store *store = NULL;
	uint64_t number;

	return !init->keeps_config &&
	       store_open(init->settings->store, STORE_READ, &store, NULL) == 0 &&
	       generation_current_number(store, &number, NULL) == 0 && number == 0;
}

static int make_store(const struct init *init, struct error *err)
{
	int r = store_create(init->settings->store, err);

	if (r != -EEXIST || !is_half_made(init))
		return r;
	*err = (struct error) { 0 };
	return 0;
}

static int make_config(const struct init *init, const struct strbuf *text, struct error *err)
{
	int r;

	if (init->keeps_config)
		return 0;
	r = write_new(init->config, text, err);
	/* It may have its name, and not be on the disk: it would name a key that goes. */
	if (r < 0 && r != -EEXIST)
		(void)unlink(init->config);
	return r;
}

/* The key first: what fails leaves nothing that a second try finds in its way. */
static int make_all(const struct init *init, const struct strbuf *text, struct error *err)
{
	char key[KEY_TEXT_SIZE];
	int r = make_key(init, key, err);

	if (r < 0)
		return r;
	r = make_store(init, err);
	if (r == 0)
		r = make_config(init, text, err);
	if (r < 0) {
		unmake_key(init);
		return r;
	}
	print_made(init, key);
	return 0;
}

static bool is_made(const char *dir)
{
	_cleanup_(store_closep) struct store *store = NULL;

	return store_open(dir, STORE_READ, &store, NULL) == 0;
}

static int keep_store(const struct settings *settings)
{
	(void)printf("kept the store '%s'\n", settings->store);
	return COMMAND_DONE;
}

int init_run(const struct settings *settings, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(INIT_CONFIG_MAX);
	struct init init = { .settings = settings };
	int r;

	if (settings->if_needed && is_made(settings->store))
		return keep_store(settings);
	r = prepare(&init, err);
	if (r < 0)
		return r;
	r = init_config_write(settings->from_host ? settings->host_root : NULL,
			      init.key[0] ? init.key : NULL, &text, err);
	if (r < 0)
		return r;
	r = make_all(&init, &text, err);
	/* Another one, in another pod, was quicker. */
	if (r == -EEXIST && settings->if_needed && is_made(settings->store)) {
		*err = (struct error) { 0 };
		return keep_store(settings);
	}
	if (r < 0)
		return r;
	print_next(&init);
	return COMMAND_DONE;
}
