/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/output.h"
#include "base/strbuf.h"
#include "reservoir/command/arrival.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/report.h"
#include "reservoir/command/withheld.h"
#include "reservoir/ecosystem.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/store.h"

#define EXPLAIN_MAX ((size_t)4 * 1024 * 1024) /* chains of dependencies in 256 repositories */

struct explanation {
	const struct settings *settings;
	struct store *store;
	const struct generation *generation;
	json_t *list; /* what --json prints, else NULL */
	struct strbuf text;
	size_t n;
};

static int append_json(json_t *list, const char *repository, const char *text, struct error *err)
{
	json_t *item = json_pack("{s:s, s:s}", "repository", repository, "text", text);

	/* Takes the reference over also when it fails. */
	if (json_array_append_new(list, item) < 0)
		return error_set(err, ENOMEM, "no memory for the explanation");
	return 0;
}

static int put_text(struct explanation *explanation, const char *name, const struct strbuf *text,
		    struct error *err)
{
	if (explanation->list)
		return append_json(explanation->list, name, strbuf_str(text), err);
	strbuf_printf(&explanation->text, "%s%s:\n%s", explanation->n++ > 0 ? "\n" : "", name,
		      strbuf_str(text));
	return 0;
}

static void put_warning(const struct explanation *explanation, const struct ecosystem *ecosystem,
			const struct manifest *manifest, struct strbuf *text)
{
	_cleanup_strbuf_ struct strbuf warning = STRBUF_INIT(ERROR_TEXT_MAX);

	if (ecosystem->warn)
		ecosystem->warn(explanation->store, manifest, (int64_t)time(NULL), &warning);
	if (warning.len > 0)
		strbuf_printf(text, "  %s\n", strbuf_str(&warning));
}

/* What is true of any ecosystem: what clients do not get, and how it came here. */
static int describe_files(struct explanation *explanation, const struct repository *repository,
			  const struct generation_repository *published,
			  const struct manifest *manifest, struct strbuf *text, struct error *err)
{
	const struct ecosystem *ecosystem = ecosystem_find(published->ecosystem);
	const char *what = explanation->settings->words[0];
	char spelt[STORE_PATH_MAX];

	if (ecosystem->spell && ecosystem->spell(what, spelt, sizeof(spelt)))
		what = spelt;
	withheld_describe(explanation->store, explanation->generation, published, manifest,
			  ecosystem, what, text);
	put_warning(explanation, ecosystem, manifest, text);
	/* At a site that imports, it is the hub's choice. */
	return repository->upstream[0]
		       ? 0
		       : arrival_describe(explanation->store, explanation->generation, published,
					  ecosystem, what, text, err);
}

static int describe(struct explanation *explanation, const struct repository *repository,
		    const struct generation_repository *published, struct strbuf *text,
		    struct error *err)
{
	const struct ecosystem *ecosystem = ecosystem_find(published->ecosystem);
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct error why = { 0 };
	int r = manifest_open(explanation->store, &published->served, &manifest, &why);

	if (r < 0) {
		strbuf_printf(text, "  cannot be read: %s; `verify --repair` may bring it back\n",
			      error_text(&why, r));
		return 0;
	}
	r = ecosystem->explain(explanation->store, repository, manifest,
			       explanation->settings->words[0], text, err);
	return r < 0 ? r : describe_files(explanation, repository, published, manifest, text, err);
}

/* A repository that was never published has nothing in it. */
static int explain_one(struct explanation *explanation, const struct repository *repository,
		       struct error *err)
{
	const struct generation_repository *published =
		generation_repository(explanation->generation, repository->name);
	const struct ecosystem *ecosystem = published ? ecosystem_find(published->ecosystem) : NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(EXPLAIN_MAX);
	int r;

	if (!published) {
		strbuf_puts(&text, repository->mode == REPOSITORY_CACHE
					   ? "  a cache: it has what clients have asked for\n"
					   : "  nothing was published yet\n");
		return put_text(explanation, repository->name, &text, err);
	}
	if (!ecosystem || !ecosystem->explain)
		return 0;
	r = describe(explanation, repository, published, &text, err);
	if (r < 0)
		return error_wrap(err, r, "repository '%s'", repository->name);
	return put_text(explanation, repository->name, &text, err);
}

static int explain_all(struct explanation *explanation, const struct reservoir_config *config,
		       struct error *err)
{
	const char *only = explanation->settings->repository;
	int r = 0;

	if (only && !reservoir_config_repository(config, only))
		return error_set(err, ENOENT, "the configuration has no repository '%s'", only);
	for (size_t i = 0; r >= 0 && i < config->n_repositories; i++)
		if (!only || strcmp(config->repositories[i].name, only) == 0)
			r = explain_one(explanation, &config->repositories[i], err);
	return r < 0 ? r : 0;
}

static int print(struct explanation *explanation, struct error *err)
{
	int r = strbuf_error(&explanation->text);

	if (explanation->list)
		return report_print_json(json_incref(explanation->list), false, err);
	if (r < 0)
		return error_set(err, -r, "the explanation is too long; use --repository");
	return output_write(&explanation->text, stdout, err);
}

static int explain_and_print(struct explanation *explanation, const struct reservoir_config *config,
			     struct error *err)
{
	int r;

	if (explanation->settings->json) {
		explanation->list = json_array();
		if (!explanation->list)
			return error_set(err, ENOMEM, "no memory for the explanation");
	}
	r = explain_all(explanation, config, err);
	return r < 0 ? r : print(explanation, err);
}

int explain_run(const struct settings *settings, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct explanation explanation = {
		.settings = settings,
		.text = STRBUF_INIT(EXPLAIN_MAX),
	};
	int r;

	r = settings_load_config(settings, &config, err);
	if (r >= 0)
		r = store_open(settings->store, STORE_READ, &store, err);
	if (r >= 0)
		r = generation_current(store, &generation, err);
	if (r >= 0) {
		explanation.store = store;
		explanation.generation = generation;
		r = explain_and_print(&explanation, &config, err);
	}
	json_decref(explanation.list);
	strbuf_done(&explanation.text);
	return r < 0 ? r : COMMAND_DONE;
}
