/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/sync/sync.h"

#include <inttypes.h>
#include <string.h>

#include "base/size.h"
#include "reservoir/store/unfinished.h"
#include "reservoir/sync/report.h"

static int check_room(const struct sync_report *report, struct error *err)
{
	char needed[SIZE_TEXT_MAX], room[SIZE_TEXT_MAX];

	if (report->plan.fetch_bytes <= report->free_bytes)
		return 0;
	return error_set(err, ENOSPC, "%s are to be fetched, and there is room for %s",
			 size_format(report->plan.fetch_bytes, needed),
			 size_format(report->free_bytes, room));
}

int sync_plan(struct sync *sync, const struct sync_plan *plan, struct error *err)
{
	struct sync_report *report = sync->report;
	uint64_t free_bytes;
	int r;

	r = store_free_bytes(sync->store, &free_bytes, err);
	if (r < 0)
		return r;
	report->plan = *plan;
	report->is_planned = true;
	report->free_bytes = free_bytes > report->keep_free ? free_bytes - report->keep_free : 0;
	if (report->planned)
		report->planned(report->ctx, report);
	r = check_room(report, err);
	if (r < 0)
		return r;
	if (report->plan_only)
		return SYNC_PLANNED;
	if (plan->fetch_files > 0)
		r = unfinished_begin(sync->store, sync->repository->name, err);
	if (r < 0)
		return r;
	fetcher_plan(sync->fetcher, sync->repository->name, plan->fetch_files, plan->fetch_bytes);
	return 0;
}

void sync_missing(struct sync *sync, const char *what, const char *why)
{
	/* Errors of the fetcher begin with the URL already. */
	if (strncmp(what, why, strlen(what)) == 0)
		report_lines_add(&sync->report->missing, "%s", why);
	else
		report_lines_add(&sync->report->missing, "%s: %s", what, why);
}

void absent_files_add(struct absent_files *absent, const char *path)
{
	struct digest digest = digest_of(path, strlen(path));
	uint64_t part;

	memcpy(&part, digest.bytes, sizeof(part));
	absent->sum += part;
	absent->n++;
}

/* Whether the run before found the same; noted for the next one at once, as this one may
 * publish nothing. */
static int were_absent(const struct sync *sync, const struct absent_files *absent,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT(CATALOGUE_VALUE_MAX);
	const char *name = sync->repository->name;
	int r = catalogue_get(sync->catalogue, SYNC_ABSENT_SPACE, name, &before, err);

	if (r == 0 && before.len == sizeof(*absent) &&
	    memcmp(before.data, absent, sizeof(*absent)) == 0)
		return 1;
	if (r == 0 || r == -ENOENT)
		r = catalogue_put(sync->catalogue, SYNC_ABSENT_SPACE, name, absent, sizeof(*absent),
				  err);
	return r < 0 ? r : catalogue_commit(sync->catalogue, err);
}

int sync_tolerates(const struct sync *sync, const struct absent_files *absent, struct error *err)
{
	int r;

	if (absent->n >= (sync->report->plan.files + 1) / 2)
		return 0;
	r = were_absent(sync, absent, err);
	return r < 0 ? r : r > 0 || !sync->current;
}

void sync_lacking(struct sync *sync, const char *what, const char *why)
{
	sync_missing(sync, what, why);
	sync->report->absent++;
}

void sync_absent(struct sync *sync, const char *what)
{
	sync_lacking(sync, what, "the upstream lists it, and does not have it");
}

void sync_note(struct sync *sync, const char *text)
{
	report_lines_add(&sync->report->notes, "%s", text);
}
