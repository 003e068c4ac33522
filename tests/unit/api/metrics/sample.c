/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/api/metrics/sample.h"

#include "base/macro.h"

#define MS 1000000ULL

static const uint64_t buckets_ns[] = { MS / 2, 5 * MS, 25 * MS, 1000 * MS, 2500 * MS };

static void collect_start(void *ctx, struct metrics_writer *writer)
{
	(void)ctx;
	metrics_sample(writer, 1766400000.25, METRICS_NO_LABELS);
}

static void collect_devices(void *ctx, struct metrics_writer *writer)
{
	(void)ctx;
	metrics_sample(writer, 7, METRICS_LABELS("furiosa.ai/rngd", "healthy"));
	metrics_sample(writer, 1, METRICS_LABELS("furiosa.ai/rngd", "a \"b\" \\ c\nd"));
	metrics_sample(writer, 0, METRICS_LABELS("", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xbb"));
}

static void collect_nothing(void *ctx, struct metrics_writer *writer)
{
	(void)ctx;
	(void)writer;
}

static void collect_temperature(void *ctx, struct metrics_writer *writer)
{
	(void)ctx;
	metrics_sample(writer, 41.5, METRICS_LABELS("npu0"));
	metrics_sample(writer, __builtin_nan(""), METRICS_LABELS("npu1"));
}

static void collect_build(void *ctx, struct metrics_writer *writer)
{
	(void)ctx;
	metrics_sample(writer, 1, METRICS_LABELS("0.1.0"));
}

static const struct metrics_family families[] = {
	[SAMPLE_ALLOCATIONS] = { .name = "sample_allocations_total",
				 .help = "Allocations by resource and result.",
				 .type = METRICS_COUNTER,
				 .labels = { "resource", "result" } },
	[SAMPLE_DURATION] = { .name = "sample_request_duration_seconds",
			      .help = "How long a request took.",
			      .type = METRICS_HISTOGRAM,
			      .labels = { "method" },
			      .buckets_ns = buckets_ns,
			      .n_buckets = ARRAY_SIZE(buckets_ns) },
	[SAMPLE_START] = { .name = "sample_start_time_seconds",
			   .help = "When it started: a \\ and\na second line of \"help\".",
			   .type = METRICS_GAUGE,
			   .collect = collect_start },
	[SAMPLE_DEVICES] = { .name = "sample_devices",
			     .help = "Devices by state.",
			     .type = METRICS_GAUGE,
			     .labels = { "resource", "state" },
			     .collect = collect_devices },
	[SAMPLE_EMPTY] = { .name = "sample_power_watts",
			   .help = "Has no sample, so is left out.",
			   .type = METRICS_GAUGE,
			   .labels = { "device" },
			   .collect = collect_nothing },
	[SAMPLE_TEMPERATURE] = { .name = "sample_temperature_celsius",
				 .help = "Temperature of a device.",
				 .type = METRICS_GAUGE,
				 .labels = { "device" },
				 .collect = collect_temperature },
	[SAMPLE_BUILD] = { .name = "sample_build_info",
			   .help = "The version, as a label.",
			   .type = METRICS_GAUGE,
			   .labels = { "version" },
			   .collect = collect_build },
};

/* Series come in another order than they are written in. */
static int add_counters(struct metrics *metrics)
{
	static const struct {
		const char *resource;
		const char *result;
		uint64_t n;
	} rows[] = { { "furiosa.ai/rngd", "ok", 3 },
		     { "furiosa.ai/rngd", "error", 0 },
		     { "furiosa.ai/aaa", "ok", UINT64_MAX } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct metrics_counter *counter;

		if (metrics_counter(metrics, SAMPLE_ALLOCATIONS,
				    METRICS_LABELS(rows[i].resource, rows[i].result), &counter,
				    NULL) < 0)
			return -1;
		metrics_counter_add(counter, rows[i].n);
	}
	return 0;
}

/* On a bound, below it, above it, above all. */
static int add_histogram(struct metrics *metrics)
{
	static const uint64_t observed[] = { 0, 5 * MS, 5 * MS + 1, 24 * MS, 3000 * MS };
	struct metrics_histogram *histogram;

	if (metrics_histogram(metrics, SAMPLE_DURATION, METRICS_LABELS("Allocate"), &histogram,
			      NULL) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(observed); i++)
		metrics_histogram_observe(histogram, observed[i]);
	return 0;
}

struct metrics *sample_new(void)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;

	if (metrics_new(families, ARRAY_SIZE(families), NULL, &metrics, NULL) < 0)
		return NULL;
	if (add_counters(metrics) < 0 || add_histogram(metrics) < 0)
		return NULL;
	return TAKE_PTR(metrics);
}
