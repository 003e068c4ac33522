/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/bundle_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/size.h"
#include "reservoir/ecosystem.h"

int bundle_context_open(const struct settings *settings, enum store_access access,
			struct bundle_context *ret, struct error *err)
{
	_cleanup_bundle_context_ struct bundle_context context = { 0 };
	struct error note = { 0 };
	int r = settings_load_config(settings, &context.config, err);

	r = r < 0 ? r : store_open(settings->store, access, &context.store, err);
	if (r == 0 && access == STORE_WRITE) {
		r = catalogue_open(context.store, &context.catalogue, &note);
		if (r < 0)
			return error_set(err, -r, "%s", note.msg);
		if (note.code != 0)
			log_warning("catalogue", "%s", note.msg);
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(context);
	return 0;
}

void bundle_context_done(struct bundle_context *context)
{
	catalogue_close(context->catalogue);
	store_close(context->store);
	reservoir_config_done(&context->config);
	*context = (struct bundle_context) { 0 };
}

bool bundle_is_package(const char *ecosystem, const char *path)
{
	const struct ecosystem *row = ecosystem_find(ecosystem);
	char name[STORE_PATH_MAX];

	return !row || !row->package || row->package(path, name, sizeof(name));
}

int bundle_finish(void *ctx, const struct generation_repository *repository,
		  struct digest *ret_served, struct error *err)
{
	struct bundle_context *context = ctx;
	const struct repository *configured =
		reservoir_config_repository(&context->config, repository->name);
	const struct ecosystem *row = ecosystem_find(repository->ecosystem);

	*ret_served = repository->collected;
	if (!configured || !row || !row->finish)
		return 0;
	return row->finish(context->store, configured, &repository->collected, ret_served, err);
}

void bundle_describe(const struct import_report *report, const char *name, bool dry_run)
{
	char size[SIZE_TEXT_MAX];

	if (report->verdict != IMPORT_APPLIED) {
		(void)printf("%s: %s: %s\n", name, import_verdict_name(report->verdict),
			     report->why);
		return;
	}
	if (dry_run)
		(void)printf("%s: bundle %" PRIu64 " can be applied", name, report->sequence);
	else
		(void)printf("%s: bundle %" PRIu64 " is applied as generation %" PRIu64, name,
			     report->sequence, report->generation);
	(void)printf(" (%s, %" PRIu64 " objects, %s, %" PRIu64 " packages removed",
		     bundle_kind_name(report->kind), report->objects,
		     size_format(report->bytes, size), report->removed);
	if (report->scanned > 0)
		(void)printf(", %" PRIu64 " files scanned", report->scanned);
	(void)printf(")\n");
	(void)fflush(stdout);
}
