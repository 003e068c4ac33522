/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/size.h"
#include "reservoir/bundle/exporter.h"
#include "reservoir/bundle/receipt.h"
#include "reservoir/command/bundle_command.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"

static void progress(_unused_ void *ctx, uint32_t index, const struct bundle_chunk *chunk)
{
	char size[SIZE_TEXT_MAX];

	(void)printf("chunk %" PRIu32 ": %s\n", index, size_format(chunk->size, size));
	(void)fflush(stdout);
}

/* Looks for the generation of this hub that has a root. */
struct search {
	struct store *store;
	const struct digest *root;
	struct generation *found;
};

static int look(void *ctx, uint64_t number)
{
	struct search *search = ctx;
	struct generation *generation;
	struct error local = { 0 };

	if (generation_read(search->store, number, &generation, &local) < 0)
		return 0;
	if (search->found || !digest_equal(&generation->root, search->root))
		generation_free(generation);
	else
		search->found = generation;
	return 0;
}

static int find_receipt(struct bundle_context *context, const char *path, struct generation **ret,
			struct error *err)
{
	const struct config_bundles *config = &context->config.bundles;
	struct receipt receipt;
	struct search search = { .store = context->store, .root = &receipt.root };
	int r = receipt_read(path, config->sites, config->n_sites, store_id(context->store),
			     &receipt, err);

	r = r < 0 ? r : generation_each(context->store, look, &search, err);
	if (r < 0)
		return r;
	if (!search.found)
		return error_set(err, ENOENT,
				 "%s: the site has bundle %" PRIu64
				 ", whose generation is no longer kept here: export without "
				 "--since",
				 path, receipt.sequence);
	*ret = search.found;
	return 0;
}

/* What the site has: a receipt's file has a name of more than a snapshot's. */
static int find_base(struct bundle_context *context, const char *since, struct generation **ret,
		     struct error *err)
{
	struct stat st;

	*ret = NULL;
	if (!since)
		return 0;
	if ((strchr(since, '/') || strstr(since, ".receipt")) && stat(since, &st) == 0)
		return find_receipt(context, since, ret, err);
	return generation_find(context->store, since, ret, err);
}

static void describe(const struct export_report *report)
{
	char written[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];

	(void)printf("%s: %s bundle %" PRIu64 " to generation %" PRIu64, report->name,
		     bundle_kind_name(report->kind), report->sequence, report->number);
	if (report->kind != BUNDLE_FULL)
		(void)printf(" from %" PRIu64, report->base_number);
	(void)printf(": %" PRIu64 " objects of %s and %" PRIu64 " removals in %zu chunks of %s\n",
		     report->objects, size_format(report->bytes, size), report->removed,
		     report->n_chunks, size_format(report->bundle_bytes, written));
	if (report->n_resumed > 0)
		(void)printf("%zu chunks were there from an earlier run\n", report->n_resumed);
	(void)fflush(stdout);
}

int export_run(const struct settings *settings, struct error *err)
{
	_cleanup_bundle_context_ struct bundle_context context = { 0 };
	_cleanup_(generation_freep) struct generation *base = NULL;
	_cleanup_(generation_freep) struct generation *after = NULL;
	struct export export = { .dir = settings->output ? settings->output : ".",
				 .now = (int64_t)time(NULL),
				 .is_package = bundle_is_package,
				 .progress = progress };
	struct export_report report;
	int r = bundle_context_open(settings, STORE_WRITE, &context, err);

	r = r < 0 ? r : find_base(&context, settings->since, &base, err);
	r = r < 0 ? r : generation_current(context.store, &after, err);
	if (r < 0)
		return r;
	export.store = context.store;
	export.catalogue = context.catalogue;
	export.config = &context.config.bundles;
	export.base = base;
	export.after = after;
	r = export_bundle(&export, &report, err);
	if (r < 0)
		return r;
	describe(&report);
	return COMMAND_DONE;
}
