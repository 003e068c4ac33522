/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "reservoir/command/bundle_command.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/report.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/reach.h"

#define NAME_MAX_BYTES (STORE_NAME_MAX + STORE_PATH_MAX) /* REPOSITORY/PATH */

struct recall {
	const struct settings *settings;
	struct store *store;
	struct generation *next;
	const struct generation *looked_at;
	bool matched[SETTINGS_WORDS_MAX];
	uint64_t n;
	struct error *err;
};

static int put(const struct recall *recall, const char *name, const struct digest *digest)
{
	const char *word = recall->settings->undo ? "given out again" : "recalled";
	char hex[DIGEST_TEXT_SIZE];

	(void)digest_format(digest, hex);
	if (recall->settings->json)
		return report_print_json(json_pack("{s:s, s:s?}", "sha256", hex, "path", name),
					 true, recall->err);
	return printf("%s  %s  %s\n", word, hex, name ? name : "") < 0
		       ? error_set(recall->err, errno, "write to standard output: %m")
		       : 0;
}

static int change(struct recall *recall, const char *name, const struct digest *digest)
{
	int r = recall->settings->undo ? revoked_remove(&recall->next->revoked, digest)
				       : revoked_add(&recall->next->revoked, digest, recall->err);

	if (r <= 0)
		return r;
	recall->n++;
	return put(recall, name, digest);
}

/* -- By path ------------------------------------------------------------ */

static bool is_named(struct recall *recall, const char *name)
{
	const struct settings *settings = recall->settings;
	bool named = false;

	for (size_t i = 0; i < settings->n_words; i++)
		if (fnmatch(settings->words[i], name, 0) == 0)
			named = recall->matched[i] = true;
	return named;
}

/* One that cannot be read is no reason not to recall what the others have. */
static int look_at_manifest(const struct recall *recall, const struct reach_item *item)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct error err = { 0 };
	int r = manifest_open(recall->store, item->digest, &manifest, &err);

	if (r < 0)
		log_warning("recall",
			    "generation %" PRIu64 ", repository '%s' was not looked at: %s; once "
			    "it is repaired, recall again",
			    item->generation, item->repository, error_text(&err, r));
	return r < 0 ? -ENOENT : 0;
}

/* Only packages: an index without its bytes would leave a repository unusable. */
static int look(void *ctx, const struct reach_item *item)
{
	struct recall *recall = ctx;
	const struct generation_repository *repository =
		generation_repository(recall->looked_at, item->repository);
	char name[NAME_MAX_BYTES];

	if (!item->entry)
		return look_at_manifest(recall, item);
	if (!repository || !bundle_is_package(repository->ecosystem, item->entry->path))
		return 0;
	(void)snprintf(name, sizeof(name), "%s/%s", item->repository, item->entry->path);
	return is_named(recall, name) ? change(recall, name, item->digest) : 0;
}

/* In all generations that are kept, so that no snapshot has it either.  One that cannot be
 * read cannot be served. */
static int look_everywhere(struct recall *recall)
{
	_cleanup_generation_list_ struct generation_list list = { 0 };
	_cleanup_(generation_freep) struct generation *before = NULL;
	int r = generation_list_all(recall->store, &list, recall->err);

	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		struct generation *generation = NULL;

		if (generation_read(recall->store, list.numbers[i], &generation, NULL) < 0)
			continue;
		recall->looked_at = generation;
		r = reach_each(recall->store, before, generation, look, recall, recall->err);
		generation_free(before);
		before = generation;
	}
	return r < 0 ? r : 0;
}

/* -- By hash ------------------------------------------------------------ */

/* Also what is not here: it shall not come. */
static int take_hashes(struct recall *recall)
{
	const struct settings *settings = recall->settings;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < settings->n_words; i++) {
		struct digest digest;

		if (strlen(settings->words[i]) != DIGEST_TEXT_SIZE - 1 ||
		    digest_parse(settings->words[i], &digest) < 0)
			continue;
		recall->matched[i] = true;
		r = change(recall, NULL, &digest);
	}
	return r < 0 ? r : 0;
}

/* -- All ---------------------------------------------------------------- */

static int check_matched(const struct recall *recall)
{
	const struct settings *settings = recall->settings;

	for (size_t i = 0; i < settings->n_words; i++)
		if (!recall->matched[i])
			return error_set(recall->err, ENOENT,
					 "no generation has a package '%.200s': it is "
					 "REPOSITORY/PATH, with * and ?, or a SHA-256",
					 settings->words[i]);
	return 0;
}

static int publish(struct recall *recall)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	struct generation *next = recall->next;
	char text[256];
	int r;

	next->lifts = recall->settings->undo;
	(void)snprintf(next->reason, sizeof(next->reason), "recall%s of %" PRIu64 " files",
		       recall->settings->undo ? " undone" : "", recall->n);
	r = generation_publish(recall->store, next, recall->err);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "generation %" PRIu64 ": %s", next->number,
		       next->reason);
	r = catalogue_open(recall->store, &catalogue, recall->err);
	if (r == 0)
		r = catalogue_audit(catalogue, "recall", text, recall->err);
	if (r == 0)
		r = catalogue_commit(catalogue, recall->err);
	if (r < 0)
		return error_wrap(recall->err, r, "%s is published, but write the audit log", text);
	return recall->settings->json || printf("%s\n", text) >= 0
		       ? 0
		       : error_set(recall->err, errno, "write to standard output: %m");
}

static int list(struct recall *recall)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < recall->next->revoked.n; i++)
		r = put(recall, NULL, &recall->next->revoked.digests[i]);
	return r;
}

static int run(struct recall *recall)
{
	const struct settings *settings = recall->settings;
	int r;

	if (settings->n_words == 0)
		return list(recall);
	r = take_hashes(recall);
	if (r == 0)
		r = look_everywhere(recall);
	if (r == 0)
		r = check_matched(recall);
	return r < 0 || settings->dry_run || recall->n == 0 ? r : publish(recall);
}

int recall_run(const struct settings *settings, struct error *err)
{
	bool writes = settings->n_words > 0 && !settings->dry_run;
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct recall recall = { .settings = settings, .err = err };
	int r = store_open(settings->store, writes ? STORE_WRITE : STORE_READ, &store, err);

	if (r == 0)
		r = generation_current(store, &current, err);
	if (r == 0)
		r = generation_copy(current, &next, err);
	if (!next)
		return r;
	recall.store = store;
	recall.next = next;
	r = run(&recall);
	return r < 0 ? r : COMMAND_DONE;
}
