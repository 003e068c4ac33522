/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/output.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/report.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"

struct listing {
	struct store *store;
	struct report_table *table; /* or */
	json_t *json;
};

static int list_one(void *ctx, const char *name, uint64_t number)
{
	const struct listing *listing = ctx;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char word[REPORT_WORD_MAX];
	int64_t created = 0;

	/* A snapshot of a damaged generation is listed too. */
	if (generation_read(listing->store, number, &generation, NULL) == 0)
		created = generation->created;
	if (listing->json)
		return json_array_append_new(listing->json,
					     json_pack("{s:s, s:I, s:I}", "name", name,
						       "generation", (json_int_t)number, "created",
						       (json_int_t)created)) < 0
			       ? -ENOMEM
			       : 0;
	report_table_add(listing->table, name);
	(void)snprintf(word, sizeof(word), "%" PRIu64, number);
	report_table_add(listing->table, word);
	report_table_add(listing->table, report_time(created, word));
	return 0;
}

static int list(const struct settings *settings, struct error *err)
{
	static const char *const heads[] = { "SNAPSHOT", ">GENERATION", "CREATED", NULL };
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_report_table_ struct report_table table = report_table_init(heads);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(REPORT_MAX);
	struct listing listing = { .table = &table };
	int r = store_open(settings->store, STORE_READ, &store, err);

	if (r < 0)
		return r;
	listing.store = store;
	listing.json = settings->json ? json_array() : NULL;
	r = snapshot_each(store, list_one, &listing, err);
	if (r < 0) {
		json_decref(listing.json);
		return r;
	}
	if (settings->json)
		return report_print_json(listing.json, false, err);
	report_table_write(&table, "", &out);
	return output_write(&out, stdout, err);
}

/* The audit log is worth a complaint, but what was done is done. */
static int audit(struct store *store, const char *event, const char *text, struct error *err)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	int r = catalogue_open(store, &catalogue, err);

	if (r == 0)
		r = catalogue_audit(catalogue, event, text, err);
	if (r == 0)
		r = catalogue_commit(catalogue, err);
	return r < 0 ? error_wrap(err, r, "%s, but write the audit log", text) : 0;
}

static int change(const struct settings *settings, const char *name, const char *word,
		  struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char text[256];
	int r = store_open(settings->store, STORE_WRITE, &store, err);

	if (r == 0 && !settings->remove)
		r = generation_find(store, word, &generation, err);
	if (r != 0)
		return r;
	r = generation ? snapshot_set(store, name, generation->number, err)
		       : snapshot_remove(store, name, err);
	if (r < 0)
		return r;
	if (!generation)
		(void)snprintf(text, sizeof(text), "snapshot '%s' removed", name);
	else
		(void)snprintf(text, sizeof(text), "snapshot '%s' of generation %" PRIu64, name,
			       generation->number);
	r = audit(store, "snapshot", text, err);
	if (r == 0 && printf("%s\n", text) < 0)
		r = error_set(err, errno, "write to standard output: %m");
	return r;
}

int snapshot_run(const struct settings *settings, struct error *err)
{
	if (settings->n_words == 0 && !settings->remove)
		return list(settings, err);
	if (settings->n_words == 0 || (settings->remove && settings->n_words > 1)) {
		(void)error_set(err, EINVAL, "--remove needs the name of one snapshot");
		return COMMAND_MISUSED;
	}
	return change(settings, settings->words[0],
		      settings->n_words > 1 ? settings->words[1] : "current", err);
}
