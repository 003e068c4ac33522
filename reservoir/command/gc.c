/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/gc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/output.h"
#include "base/parse.h"
#include "base/size.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/report.h"
#include "reservoir/config/config.h"

#define KEEP_MAX 1000000 /* generations: one a minute for two years */

static int print(const struct gc_report *report, bool dry_run, struct error *err)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(REPORT_MAX);
	const char *would = dry_run ? "would be removed" : "removed";
	char word[SIZE_TEXT_MAX];

	strbuf_printf(&out, "Generations: %" PRIu64 " %s, %" PRIu64 " kept\n",
		      report->generations_removed, would, report->generations_kept);
	if (report->snapshots_removed)
		strbuf_printf(&out, "Snapshots:   %" PRIu64 " %s\n", report->snapshots_removed,
			      would);
	strbuf_printf(&out, "Objects:     %" PRIu64 " (%s) %s, %" PRIu64 " kept",
		      report->objects_removed, size_format(report->bytes_removed, word), would,
		      report->objects_kept);
	if (report->objects_spared)
		strbuf_printf(&out, ", %" PRIu64 " spared for what is not finished",
			      report->objects_spared);
	strbuf_puts(&out, "\n");
	if (report->staged_removed)
		strbuf_printf(&out, "Staging:     %" PRIu64 " files (%s) %s\n",
			      report->staged_removed, size_format(report->staged_bytes, word),
			      would);
	if (report->quarantined_removed)
		strbuf_printf(&out, "Quarantine:  %" PRIu64 " %s\n", report->quarantined_removed,
			      would);
	return output_write(&out, stdout, err);
}

/* Returns COMMAND_MISUSED, or as settings_load_config(). */
static int read_settings(const struct settings *settings, struct gc_settings *ret,
			 struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	int r = settings_load_config(settings, &config, err);

	if (r < 0)
		return r;
	*ret = (struct gc_settings) {
		.keep_generations = config.keep.generations,
		.keep_for_s = config.keep.for_ms / 1000,
		.now = (int64_t)time(NULL),
		.dry_run = settings->dry_run,
	};
	if (settings->drop && (parse_u64(settings->drop, 10, &ret->drop) < 0 || ret->drop == 0)) {
		(void)error_set(err, EINVAL, "--drop needs the number of a generation, not '%.32s'",
				settings->drop);
		return COMMAND_MISUSED;
	}
	if (!settings->keep)
		return 0;
	/* Who says how many wants no more of them for their age. */
	ret->keep_for_s = 0;
	if (parse_u32(settings->keep, KEEP_MAX, &ret->keep_generations) < 0 ||
	    ret->keep_generations == 0) {
		(void)error_set(err, EINVAL, "--keep needs a number from 1 to %d, not '%.32s'",
				KEEP_MAX, settings->keep);
		return COMMAND_MISUSED;
	}
	return 0;
}

int gc_run(const struct settings *settings, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct gc_settings collection;
	struct gc_report report = { 0 };
	int r = read_settings(settings, &collection, err);

	/* Without the writer's lock: see the header. */
	if (r == 0)
		r = store_open(settings->store, STORE_READ, &store, err);
	if (r == 0)
		r = gc_collect(store, &collection, &report, err);
	return r != 0 ? r : print(&report, settings->dry_run, err);
}
