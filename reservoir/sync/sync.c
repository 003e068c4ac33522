/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/sync/sync.h"

#include <inttypes.h>
#include <string.h>

#include "reservoir/sync/report.h"

static int check_room(const struct sync_report *report, struct error *err)
{
	char needed[16], room[16];

	if (report->plan.fetch_bytes <= report->free_bytes)
		return 0;
	return error_set(err, ENOSPC, "%s are to be fetched, and there is room for %s",
			 report_bytes(report->plan.fetch_bytes, needed),
			 report_bytes(report->free_bytes, room));
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

bool sync_tolerates(const struct sync *sync, uint64_t absent)
{
	return absent < (sync->report->plan.files + 1) / 2;
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
