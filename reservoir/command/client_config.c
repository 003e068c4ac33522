/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/client_config.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/output.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/ecosystem.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"

static const struct {
	const char *name;
	enum client client;
	enum repository_ecosystem ecosystem;
} clients[] = {
	{ "apt", CLIENT_APT, REPOSITORY_APT },
	{ "pip", CLIENT_PIP, REPOSITORY_PYPI },
	{ "uv", CLIENT_UV, REPOSITORY_PYPI },
};

static_assert(ARRAY_SIZE(clients) == _CLIENT_MAX, "every client has a name");

int client_config_base(const struct config_serve *serve, const char *host, char *ret, size_t size,
		       struct error *err)
{
	const char *port = strrchr(serve->listen, ':');
	size_t len = port ? (size_t)(port - serve->listen) : 0;
	int n;

	if (!port || strcmp(port, ":0") == 0)
		return error_set(err, EINVAL,
				 "'serve.listen' is '%s', which no client can be told; use "
				 "--base-url",
				 serve->listen);
	if (strncmp(serve->listen, "0.0.0.0:", len + 1) == 0 ||
	    strncmp(serve->listen, "[::]:", len + 1) == 0)
		n = snprintf(ret, size, "%s://%s%s", serve->certificate.text[0] ? "https" : "http",
			     host, port);
	else
		n = snprintf(ret, size, "%s://%s", serve->certificate.text[0] ? "https" : "http",
			     serve->listen);
	return n < 0 || (size_t)n >= size ? error_set(err, ENAMETOOLONG, "the URL is too long") : 0;
}

static int check_base(const char *base, struct error *err)
{
	size_t len = strlen(base);

	if (!str_starts_with(base, "http://") && !str_starts_with(base, "https://"))
		return error_set(err, EINVAL,
				 "--base-url '%s' begins neither with http:// nor with https://",
				 base);
	if (!str_is_printable(base) || strpbrk(base, " \"'<>\\^`{|}"))
		return error_set(err, EINVAL, "--base-url has characters that no URL has");
	if (len >= CONFIG_URL_SIZE)
		return error_set(err, ENAMETOOLONG, "--base-url is too long");
	return 0;
}

/* Without a '/' at the end, as names of repositories follow. */
static int find_base(const struct settings *settings, const struct reservoir_config *config,
		     char *ret, size_t size, struct error *err)
{
	char host[NI_MAXHOST] = "localhost";
	int r;

	if (!settings->base_url) {
		if (gethostname(host, sizeof(host) - 1) < 0)
			return error_set(err, errno, "get the name of this machine: %m");
		return client_config_base(&config->serve, host, ret, size, err);
	}
	r = check_base(settings->base_url, err);
	if (r < 0)
		return r;
	(void)snprintf(ret, size, "%.*s",
		       (int)(strlen(settings->base_url) -
			     (settings->base_url[strlen(settings->base_url) - 1] == '/')),
		       settings->base_url);
	return 0;
}

/* What is served of a repository. There need be no store yet where nothing is. */
static int open_served(const struct settings *settings, const char *name, struct manifest **ret,
		       struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	const struct generation_repository *published;

	if (store_open(settings->store, STORE_READ, &store, NULL) < 0 ||
	    generation_current(store, &generation, NULL) < 0)
		return 0;
	published = generation_repository(generation, name);
	return published ? manifest_open(store, &published->served, ret, err) : 0;
}

static int put_one(const struct settings *settings, const struct repository *repository,
		   size_t client, const char *base, struct strbuf *out, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	const char *name = repository_ecosystem_name(repository->ecosystem);
	const struct ecosystem *ecosystem = ecosystem_find(name);
	char url[CONFIG_URL_SIZE + STORE_NAME_MAX + 2];
	int r;

	if (!ecosystem || !ecosystem->client_config)
		return error_set(err, ENOTSUP, "nothing is known about clients of %s", name);
	(void)snprintf(url, sizeof(url), "%s/%s", base, repository->name);
	r = open_served(settings, repository->name, &manifest, err);
	return r < 0 ? r
		     : ecosystem->client_config(repository, manifest, clients[client].client, url,
						out, err);
}

static bool is_wanted(const struct settings *settings, const struct repository *repository,
		      size_t client)
{
	return repository->ecosystem == clients[client].ecosystem &&
	       (!settings->repository || strcmp(settings->repository, repository->name) == 0);
}

int client_config_write(const struct settings *settings, const struct reservoir_config *config,
			struct strbuf *out, struct error *err)
{
	char base[CONFIG_URL_SIZE];
	size_t client = 0, n = 0;
	int r;

	while (client < ARRAY_SIZE(clients) &&
	       strcmp(clients[client].name, settings->words[0]) != 0)
		client++;
	if (client == ARRAY_SIZE(clients)) {
		(void)error_set(err, EINVAL,
				"nothing is known about '%s', only about apt, pip and uv",
				settings->words[0]);
		return COMMAND_MISUSED;
	}
	r = find_base(settings, config, base, sizeof(base), err);
	for (size_t i = 0; r >= 0 && i < config->n_repositories; i++) {
		if (!is_wanted(settings, &config->repositories[i], client))
			continue;
		strbuf_puts(out, n++ > 0 ? "\n" : "");
		r = put_one(settings, &config->repositories[i], client, base, out, err);
	}
	if (r < 0)
		return r;
	if (n == 0)
		return error_set(err, ENOENT, "the configuration has no repository%s%s%s for %s",
				 settings->repository ? " '" : "",
				 settings->repository ? settings->repository : "",
				 settings->repository ? "'" : "", clients[client].name);
	r = strbuf_error(out);
	return r < 0 ? error_set(err, -r, "it is too long") : COMMAND_DONE;
}

int client_config_run(const struct settings *settings, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(CLIENT_CONFIG_MAX);
	int r;

	r = settings_load_config(settings, &config, err);
	if (r < 0)
		return r;
	r = client_config_write(settings, &config, &out, err);
	return r == COMMAND_DONE ? output_write(&out, stdout, err) : r;
}
