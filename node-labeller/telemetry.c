/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/telemetry.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "api/metrics/metrics.h"
#include "base/macro.h"

#define PREFIX "silica_node_labeller_"

struct telemetry {
	struct metrics *metrics;
	size_t n_labels;
	size_t n_healthy;
	size_t n_unhealthy;
	bool settled;
	double settled_unix_time; /* when it was last; 0 when never */
	bool reload_accepted;	  /* the last one */
};

enum family {
	FAMILY_BUILD_INFO,
	FAMILY_DEVICES,
	FAMILY_LABELS,
	FAMILY_SETTLED,
	FAMILY_SETTLED_TIMESTAMP,
	FAMILY_PUBLISHES,
	FAMILY_RELOADS,
	FAMILY_RELOAD_SUCCESSFUL,
	_FAMILY_MAX,
};

static void collect_build_info(_unused_ void *ctx, struct metrics_writer *writer)
{
	metrics_sample(writer, 1, METRICS_LABELS(SILICA_VERSION));
}

static void collect_devices(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, (double)telemetry->n_healthy, METRICS_LABELS("healthy"));
	metrics_sample(writer, (double)telemetry->n_unhealthy, METRICS_LABELS("unhealthy"));
}

static void collect_labels(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, (double)telemetry->n_labels, METRICS_NO_LABELS);
}

static void collect_settled(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, telemetry->settled, METRICS_NO_LABELS);
}

static void collect_settled_timestamp(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, telemetry->settled_unix_time, METRICS_NO_LABELS);
}

static void collect_reload_successful(void *ctx, struct metrics_writer *writer)
{
	const struct telemetry *telemetry = ctx;

	metrics_sample(writer, telemetry->reload_accepted, METRICS_NO_LABELS);
}

static const struct metrics_family families[_FAMILY_MAX] = {
	[FAMILY_BUILD_INFO] = { .name = PREFIX "build_info",
				.help = "Which version runs; always 1.",
				.type = METRICS_GAUGE,
				.labels = { "version" },
				.collect = collect_build_info },
	[FAMILY_DEVICES] = { .name = PREFIX "devices",
			     .help = "Devices of the node.",
			     .type = METRICS_GAUGE,
			     .labels = { "state" },
			     .collect = collect_devices },
	[FAMILY_LABELS] = { .name = PREFIX "labels",
			    .help = "Labels that the node shall have.",
			    .type = METRICS_GAUGE,
			    .collect = collect_labels },
	[FAMILY_SETTLED] = { .name = PREFIX "settled",
			     .help = "Whether everything is on the node that shall be.",
			     .type = METRICS_GAUGE,
			     .collect = collect_settled },
	[FAMILY_SETTLED_TIMESTAMP] = { .name = PREFIX "last_settled_timestamp_seconds",
				       .help = "When everything was on the node last; 0 if never.",
				       .type = METRICS_GAUGE,
				       .collect = collect_settled_timestamp },
	[FAMILY_PUBLISHES] = { .name = PREFIX "publishes_total",
			       .help = "Attempts to publish, by what and how it went.",
			       .type = METRICS_COUNTER,
			       .labels = { "target", "result" } },
	[FAMILY_RELOADS] = { .name = PREFIX "config_reloads_total",
			     .help = "Readings of the configuration after the start.",
			     .type = METRICS_COUNTER,
			     .labels = { "result" } },
	[FAMILY_RELOAD_SUCCESSFUL] = { .name = PREFIX "config_last_reload_successful",
				       .help = "Whether the configuration that was read last is "
					       "in force.",
				       .type = METRICS_GAUGE,
				       .collect = collect_reload_successful },
};

int telemetry_new(struct telemetry **ret, struct error *err)
{
	_cleanup_(telemetry_freep) struct telemetry *telemetry = calloc(1, sizeof(*telemetry));
	int r;

	if (!telemetry)
		return error_set(err, ENOMEM, "no memory for the metrics");
	telemetry->reload_accepted = true;
	r = metrics_new(families, _FAMILY_MAX, telemetry, &telemetry->metrics, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(telemetry);
	return 0;
}

void telemetry_free(struct telemetry *telemetry)
{
	if (!telemetry)
		return;
	metrics_free(telemetry->metrics);
	free(telemetry);
}

void telemetry_picture(struct telemetry *telemetry, size_t n_labels, size_t n_devices,
		       size_t n_unhealthy)
{
	if (!telemetry)
		return;
	telemetry->n_labels = n_labels;
	telemetry->n_healthy = n_devices - n_unhealthy;
	telemetry->n_unhealthy = n_unhealthy;
}

/* Without memory for a series nothing is counted. */
static void count(struct telemetry *telemetry, enum family family, const char *const *values)
{
	struct metrics_counter *counter = NULL;

	(void)metrics_counter(telemetry->metrics, family, values, &counter, NULL);
	metrics_counter_add(counter, 1);
}

static const char *result(bool ok)
{
	return ok ? "accepted" : "refused";
}

void telemetry_published(struct telemetry *telemetry, enum telemetry_target target, bool ok)
{
	static const char *const names[_TELEMETRY_TARGET_MAX] = {
		[TELEMETRY_LABELS] = "labels",
		[TELEMETRY_TAINTS] = "taints",
		[TELEMETRY_CONDITION] = "condition",
		[TELEMETRY_EVENT] = "event",
	};

	if (telemetry)
		count(telemetry, FAMILY_PUBLISHES, METRICS_LABELS(names[target], result(ok)));
}

void telemetry_settled(struct telemetry *telemetry, bool settled)
{
	if (!telemetry)
		return;
	telemetry->settled = settled;
	if (settled)
		telemetry->settled_unix_time = (double)time(NULL);
}

void telemetry_reload(struct telemetry *telemetry, bool accepted)
{
	if (!telemetry)
		return;
	telemetry->reload_accepted = accepted;
	count(telemetry, FAMILY_RELOADS, METRICS_LABELS(result(accepted)));
}

bool telemetry_is_settled(const struct telemetry *telemetry)
{
	return telemetry->settled;
}

int telemetry_write(struct telemetry *telemetry, struct strbuf *out, struct error *err)
{
	return metrics_write(telemetry->metrics, out, err);
}
