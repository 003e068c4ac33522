/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "api/metrics/metrics.h"
#include "base/macro.h"
#include "reservoir/serve/status.h"
#include "reservoir/serve/status_facts.h"
#include "reservoir/store/arrivals.h"
#include "reservoir/store/synced.h"

#define PREFIX "silica_reservoir_"

static void each_slot(struct core *core, struct metrics_writer *writer,
		      void (*sample)(struct metrics_writer *writer, const char *repository,
				     const struct worker_counts *counts))
{
	const struct picture_slots *slots = follow_slots(core->follow);
	unsigned int n = atomic_load(&slots->n);
	struct worker_totals totals;

	workers_sum(core->workers, &totals);
	for (unsigned int i = 0; i < MAX(n, 1u); i++)
		sample(writer, slots->names[i], &totals.repositories[i]);
}

static void sample_requests(struct metrics_writer *writer, const char *repository,
			    const struct worker_counts *counts)
{
	for (unsigned int i = 2; i < STATUS_CLASSES; i++) {
		char name[4];

		(void)snprintf(name, sizeof(name), "%uxx", i % STATUS_CLASSES);
		if (counts->requests[i] > 0)
			metrics_sample(writer, (double)counts->requests[i],
				       METRICS_LABELS(repository, name));
	}
}

static void collect_requests(void *ctx, struct metrics_writer *writer)
{
	each_slot(ctx, writer, sample_requests);
}

static void sample_unchanged(struct metrics_writer *writer, const char *repository,
			     const struct worker_counts *counts)
{
	if (repository[0])
		metrics_sample(writer, (double)counts->unchanged, METRICS_LABELS(repository));
}

static void collect_unchanged(void *ctx, struct metrics_writer *writer)
{
	each_slot(ctx, writer, sample_unchanged);
}

static void sample_bytes(struct metrics_writer *writer, const char *repository,
			 const struct worker_counts *counts)
{
	metrics_sample(writer, (double)counts->bytes, METRICS_LABELS(repository));
}

static void collect_bytes(void *ctx, struct metrics_writer *writer)
{
	each_slot(ctx, writer, sample_bytes);
}

static void collect_in_flight(void *ctx, struct metrics_writer *writer)
{
	const struct core *core = ctx;
	struct worker_totals totals;

	workers_sum(core->workers, &totals);
	metrics_sample(writer, (double)(totals.begun - MIN(totals.begun, totals.ended)),
		       METRICS_NO_LABELS);
}

#define COLLECT_TOTAL(name, member)                                               \
	static void collect_##name(void *ctx, struct metrics_writer *writer)      \
	{                                                                         \
		const struct core *core = ctx;                                    \
		struct worker_totals totals;                                      \
                                                                                  \
		workers_sum(core->workers, &totals);                              \
		metrics_sample(writer, (double)totals.member, METRICS_NO_LABELS); \
	}
COLLECT_TOTAL(logins, logins_failed)
COLLECT_TOTAL(throttled, throttled)
COLLECT_TOTAL(unavailable, unavailable)
COLLECT_TOTAL(aborted, aborted)

#define COLLECT_HOT(name, member)                                                               \
	static void collect_##name(void *ctx, struct metrics_writer *writer)                    \
	{                                                                                       \
		const struct core *core = ctx;                                                  \
                                                                                                \
		metrics_sample(writer, (double)hot_count(core->hot).member, METRICS_NO_LABELS); \
	}
COLLECT_HOT(hits, hits)
COLLECT_HOT(misses, misses)
COLLECT_HOT(ready_bytes, bytes)

static void collect_connections(void *ctx, struct metrics_writer *writer)
{
	struct core *core = ctx;

	metrics_sample(writer, (double)atomic_load(&core->connections), METRICS_NO_LABELS);
}

static void collect_generation(void *ctx, struct metrics_writer *writer)
{
	_cleanup_(picture_unrefp) struct picture *picture =
		follow_picture(((struct core *)ctx)->follow, NULL);

	if (picture)
		metrics_sample(writer, (double)picture->number, METRICS_NO_LABELS);
}

static void collect_ready(void *ctx, struct metrics_writer *writer)
{
	struct core *core = ctx;
	_cleanup_(picture_unrefp) struct picture *picture = follow_picture(core->follow, NULL);
	bool ready = status_is_ready(core, picture);

	metrics_sample(writer, ready ? 1 : 0, METRICS_NO_LABELS);
}

static void collect_fault(void *ctx, struct metrics_writer *writer)
{
	struct core *core = ctx;
	_cleanup_(picture_unrefp) struct picture *picture = follow_picture(core->follow, NULL);
	struct error fault;
	double n;

	follow_fault(core->follow, &fault);
	n = fault.code ? 1 : 0;
	for (size_t i = 0; picture && i < picture->n_repositories; i++)
		n += picture->repositories[i].fault.code ? 1 : 0;
	metrics_sample(writer, n, METRICS_NO_LABELS);
}

static void each_published(struct core *core, struct metrics_writer *writer,
			   double (*value)(struct core *core,
					   const struct generation_repository *info))
{
	_cleanup_(picture_unrefp) struct picture *picture = follow_picture(core->follow, NULL);

	for (size_t i = 0; picture && i < picture->n_repositories; i++) {
		const struct picture_repository *row = &picture->repositories[i];

		if (row->published)
			metrics_sample(writer, value(core, &row->info),
				       METRICS_LABELS(row->info.name));
	}
}

static double sync_age(struct core *core, const struct generation_repository *info)
{
	return (double)((int64_t)time(NULL) - synced_at(core->store, info));
}

static void collect_age(void *ctx, struct metrics_writer *writer)
{
	each_published(ctx, writer, sync_age);
}

static double files(_unused_ struct core *core, const struct generation_repository *info)
{
	return (double)info->n_files;
}

static void collect_files(void *ctx, struct metrics_writer *writer)
{
	each_published(ctx, writer, files);
}

static double file_bytes(_unused_ struct core *core, const struct generation_repository *info)
{
	return (double)info->bytes;
}

static void collect_file_bytes(void *ctx, struct metrics_writer *writer)
{
	each_published(ctx, writer, file_bytes);
}

static void collect_arrivals(void *ctx, struct metrics_writer *writer)
{
	const struct core *core = ctx;
	struct arrivals arrivals;

	if (!arrivals_get(core->store, &arrivals))
		return;
	metrics_sample(writer, (double)arrivals.waiting, METRICS_LABELS("waiting"));
	metrics_sample(writer, (double)arrivals.foreign, METRICS_LABELS("foreign"));
	metrics_sample(writer, (double)arrivals.rejected, METRICS_LABELS("rejected"));
}

static void collect_arrivals_age(void *ctx, struct metrics_writer *writer)
{
	const struct core *core = ctx;
	struct arrivals arrivals;

	if (arrivals_get(core->store, &arrivals))
		metrics_sample(writer, (double)((int64_t)time(NULL) - arrivals.looked),
			       METRICS_NO_LABELS);
}

static void sample_trouble(struct metrics_writer *writer, const char *file,
			   const struct trouble *trouble)
{
	metrics_sample(writer, (double)atomic_load(&trouble->n), METRICS_LABELS(file));
}

static void collect_write_failures(void *ctx, struct metrics_writer *writer)
{
	const struct core *core = ctx;
	const struct cache *cache = __atomic_load_n(&core->cache, __ATOMIC_ACQUIRE);

	if (core->log)
		sample_trouble(writer, "access_log", access_log_trouble(core->log));
	if (cache)
		sample_trouble(writer, "cache", cache_trouble(cache));
	sample_trouble(writer, "statistics", statistics_trouble(core->statistics));
}

static const struct metrics_family families[] = {
	{ PREFIX "requests_total",
	  "Requests answered.",
	  METRICS_COUNTER,
	  { "repository", "class" },
	  .collect = collect_requests },
	{ PREFIX "not_modified_total",
	  "Requests answered with 304.",
	  METRICS_COUNTER,
	  { "repository" },
	  .collect = collect_unchanged },
	{ PREFIX "sent_bytes_total",
	  "Bytes of answers, without headers.",
	  METRICS_COUNTER,
	  { "repository" },
	  .collect = collect_bytes },
	{ PREFIX "requests_in_flight",
	  "Requests being answered.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_in_flight },
	{ PREFIX "connections",
	  "Connections open.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_connections },
	{ PREFIX "ready_answer_hits_total",
	  "Answers that were kept ready.",
	  METRICS_COUNTER,
	  { NULL },
	  .collect = collect_hits },
	{ PREFIX "ready_answer_misses_total",
	  "Answers that had to be made.",
	  METRICS_COUNTER,
	  { NULL },
	  .collect = collect_misses },
	{ PREFIX "ready_answer_bytes",
	  "Memory of answers kept ready.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_ready_bytes },
	{ PREFIX "failed_logins_total",
	  "Requests with a wrong password or token.",
	  METRICS_COUNTER,
	  { NULL },
	  .collect = collect_logins },
	{ PREFIX "throttled_total",
	  "Requests answered with 429.",
	  METRICS_COUNTER,
	  { NULL },
	  .collect = collect_throttled },
	{ PREFIX "unavailable_total",
	  "Requests for objects that are damaged or missing.",
	  METRICS_COUNTER,
	  { NULL },
	  .collect = collect_unavailable },
	{ PREFIX "write_failures_total",
	  "Writes of the server's own files that failed, as on a full disk.",
	  METRICS_COUNTER,
	  { "file" },
	  .collect = collect_write_failures },
	{ PREFIX "aborted_total",
	  "Answers that the client did not take to their end.",
	  METRICS_COUNTER,
	  { NULL },
	  .collect = collect_aborted },
	{ PREFIX "ready",
	  "Whether the server is ready.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_ready },
	{ PREFIX "generation",
	  "Number of the generation that is served.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_generation },
	{ PREFIX "faults",
	  "Generations and manifests published that cannot be read.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_fault },
	{ PREFIX "sync_age_seconds",
	  "Time since a repository was last found to be its upstream's.",
	  METRICS_GAUGE,
	  { "repository" },
	  .collect = collect_age },
	{ PREFIX "repository_files",
	  "Files of a repository.",
	  METRICS_GAUGE,
	  { "repository" },
	  .collect = collect_files },
	{ PREFIX "repository_bytes",
	  "Bytes of a repository.",
	  METRICS_GAUGE,
	  { "repository" },
	  .collect = collect_file_bytes },
	{ PREFIX "arrival_files",
	  "Files in the drop directory: of bundles that wait, of no bundle, and rejected.",
	  METRICS_GAUGE,
	  { "state" },
	  .collect = collect_arrivals },
	{ PREFIX "arrivals_age_seconds",
	  "Time since the drop directory was last noted, which is every 30 seconds.",
	  METRICS_GAUGE,
	  { NULL },
	  .collect = collect_arrivals_age },
};

int status_metrics(struct core *core, struct metrics **ret, struct error *err)
{
	return metrics_new(families, ARRAY_SIZE(families), core, ret, err);
}
