/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/macro.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"

/* Puts one repository of an earlier generation in, or takes it out if it had none. */
static int take_one(const struct generation *from, const char *name, struct generation *to,
		    struct error *err)
{
	const struct generation_repository *repository = generation_repository(from, name);

	if (repository)
		return generation_set(to, repository, err);
	if (!generation_repository(to, name))
		return error_set(err, ENOENT,
				 "neither generation %" PRIu64
				 " nor the current one has a repository '%.64s'",
				 from->number, name);
	generation_remove(to, name);
	return 0;
}

static int make(const struct settings *settings, const struct generation *current,
		const struct generation *from, struct generation **ret, struct error *err)
{
	int r = 0;

	if (settings->repository && !current)
		return error_set(err, EBADMSG,
				 "the current generation cannot be read: all of it must go back, "
				 "without --repository");
	r = generation_copy(settings->repository ? current : from, ret, err);

	if (r == 0 && settings->repository)
		r = take_one(from, settings->repository, *ret, err);
	if (r < 0)
		return r;
	(void)snprintf((*ret)->reason, sizeof((*ret)->reason), "rollback to %" PRIu64 "%s%.64s",
		       from->number, settings->repository ? " of " : "",
		       settings->repository ? settings->repository : "");
	return 0;
}

struct recalls {
	struct store *store;
	struct generation *next;
	struct error *err;
};

static int take_recalls(void *ctx, uint64_t number)
{
	struct recalls *recalls = ctx;
	_cleanup_(generation_freep) struct generation *generation = NULL;

	if (generation_read(recalls->store, number, &generation, NULL) < 0)
		return 0;
	return revoked_merge(&recalls->next->revoked, &generation->revoked, recalls->err);
}

/* What a generation that cannot be read had recalled is found in those before it. */
static int replace_damaged(struct store *store, struct generation *next, struct error *err)
{
	struct recalls recalls = { .store = store, .next = next, .err = err };

	next->replaces = true;
	return generation_each(store, take_recalls, &recalls, err);
}

static int audit(struct store *store, const struct generation *generation, struct error *err)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	char text[256];
	int r = catalogue_open(store, &catalogue, err);

	(void)snprintf(text, sizeof(text), "generation %" PRIu64 ": %s", generation->number,
		       generation->reason);
	if (r == 0)
		r = catalogue_audit(catalogue, "rollback", text, err);
	if (r == 0)
		r = catalogue_commit(catalogue, err);
	if (r < 0)
		return error_wrap(err, r, "%s is published, but write the audit log", text);
	return printf("%s\n", text) < 0 ? error_set(err, errno, "write to standard output: %m") : 0;
}

int rollback_run(const struct settings *settings, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *from = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	int r = store_open(settings->store, STORE_WRITE, &store, err);

	if (r == 0)
		r = generation_current(store, &current, err);
	if (store && (r == -EBADMSG || r == -ENOENT))
		r = 0;
	if (r == 0)
		r = generation_find(store, settings->words[0], &from, err);
	if (r == 0)
		r = make(settings, current, from, &next, err);
	if (r == 0 && !current)
		r = replace_damaged(store, next, err);
	if (r == 0)
		r = generation_publish(store, next, err);
	return r != 0 ? r : audit(store, next, err);
}
