/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics, and their text for Prometheus.
 *
 * A program describes its families in one const table.  Counters and histograms
 * are kept here: a series is made once, under a lock, and is then updated from
 * any thread with an atomic addition.  What follows from the state of the program
 * is not kept at all: the row names a function, which is asked at every scrape.
 *
 *	enum { ALLOCATIONS, DEVICES };
 *	static const struct metrics_family families[] = {
 *		[ALLOCATIONS] = { .name = "silica_device_plugin_allocations_total",
 *				  .help = "Containers that were given devices.",
 *				  .type = METRICS_COUNTER,
 *				  .labels = { "resource" } },
 *		[DEVICES] = { ..., .type = METRICS_GAUGE, .collect = collect_devices },
 *	};
 *
 *	metrics_counter(metrics, ALLOCATIONS, METRICS_LABELS("furiosa.ai/npu"), &counter, err);
 *	metrics_counter_add(counter, 1);
 *
 * Families come out in the order of the table, series sorted by their labels,
 * collected samples as they were given.  A family without samples is left out.
 *
 * Source: prometheus.io, "Exposition formats", text-based format 0.0.4; "Data
 * model", "Metric names and labels"; "Writing client libraries", histogram
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

#define METRICS_FAMILIES_MAX 256    /* rows of a table; a component has a few dozen */
#define METRICS_SERIES_MAX 4096	    /* kept at once; resources times the outcomes of a call */
#define METRICS_NAME_MAX 128	    /* bytes with the NUL, of a family or a label */
#define METRICS_LABELS_MAX 8	    /* of a family; more is a cost for every reader */
#define METRICS_LABEL_VALUE_MAX 384 /* bytes with the NUL; a resource name has up to 317 */
#define METRICS_BUCKETS_MAX 16	    /* of a histogram, without +Inf */

/* The Content-Type of what metrics_write() writes. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The values of the labels of a series, in the order of its family. */
#define METRICS_LABELS(...) ((const char *const[]) { __VA_ARGS__, NULL })
#define METRICS_NO_LABELS ((const char *const[]) { NULL })

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE,
	METRICS_HISTOGRAM,
	_METRICS_TYPE_MAX,
};

struct metrics;
struct metrics_counter;
struct metrics_histogram;
struct metrics_writer;

/* A row of the table of families. */
struct metrics_family {
	const char *name; /* with the unit, and _total for a counter */
	const char *help;
	enum metrics_type type;
	const char *labels[METRICS_LABELS_MAX + 1]; /* names, ends with NULL */
	/* Histograms only: upper bounds in nanoseconds, ascending, without +Inf. */
	const uint64_t *buckets_ns;
	size_t n_buckets;
	/* Called at every scrape with the context of metrics_new(), to give the samples
	 * with metrics_sample().  NULL: a counter or histogram that is kept. */
	void (*collect)(void *ctx, struct metrics_writer *writer);
};

/**
 * metrics_new() - Make the metrics of a table.
 * @families: table; borrowed for good
 * @n_families: number of rows
 * @ctx: passed to the rows' collect functions
 * @ret: the metrics, to be released with metrics_free()
 * @err: set on failure; names the family
 *
 * Return: 0, or
 *   -EINVAL  a row is not as Prometheus wants it, or does not fit together
 *   -E2BIG   there are more rows than METRICS_FAMILIES_MAX
 *   -ENOMEM  no memory
 */
int metrics_new(const struct metrics_family *families, size_t n_families, void *ctx,
		struct metrics **ret, struct error *err);

/**
 * metrics_free() - Release metrics, with the series that were made of them.
 * @metrics: metrics or NULL
 */
void metrics_free(struct metrics *metrics);
DEFINE_CLEANUP(struct metrics, metrics_free);

/**
 * metrics_counter() - Get a series of a counter, made at the first call.
 * @metrics: metrics
 * @family: row of the table, a counter without a collect function
 * @values: values of the labels, METRICS_LABELS() or METRICS_NO_LABELS
 * @ret: the series; lives as long as @metrics
 * @err: set on failure
 *
 * Context: any thread; takes a lock.
 * Return: 0, or
 *   -EINVAL        the family is none, or of another kind, or has another number
 *                  of labels
 *   -EILSEQ        a value is not UTF-8
 *   -ENAMETOOLONG  a value is longer than METRICS_LABEL_VALUE_MAX
 *   -E2BIG         there are METRICS_SERIES_MAX series already
 *   -ENOMEM        no memory
 */
int metrics_counter(struct metrics *metrics, size_t family, const char *const *values,
		    struct metrics_counter **ret, struct error *err);

/**
 * metrics_counter_add() - Count.
 * @counter: series, or NULL: nothing is counted
 * @n: how much is added
 *
 * Context: any thread, no lock.
 */
void metrics_counter_add(struct metrics_counter *counter, uint64_t n);

/**
 * metrics_histogram() - Get a series of a histogram, made at the first call.
 * @metrics: metrics
 * @family: row of the table, a histogram
 * @values: values of the labels, METRICS_LABELS() or METRICS_NO_LABELS
 * @ret: the series; lives as long as @metrics
 * @err: set on failure
 *
 * Context: any thread; takes a lock.
 * Return: 0, or a negative errno as metrics_counter() has it.
 */
int metrics_histogram(struct metrics *metrics, size_t family, const char *const *values,
		      struct metrics_histogram **ret, struct error *err);

/**
 * metrics_histogram_observe() - Record how long something took.
 * @histogram: series, or NULL: nothing is recorded
 * @ns: duration in nanoseconds; a scrape shows seconds
 *
 * Context: any thread, no lock.
 */
void metrics_histogram_observe(struct metrics_histogram *histogram, uint64_t ns);

/**
 * metrics_sample() - Give one sample of the family that is being collected.
 * @writer: as given to the collect function
 * @value: the sample
 * @values: values of the labels, METRICS_LABELS() or METRICS_NO_LABELS; no two
 *	samples of a family may have the same
 *
 * What is wrong with a sample fails the metrics_write() that asked for it.
 */
void metrics_sample(struct metrics_writer *writer, double value, const char *const *values);

/**
 * metrics_write() - Write all metrics in the text format.
 * @metrics: metrics
 * @out: appended to; of no use on failure
 * @err: set on failure; names the family
 *
 * Context: the thread that the collect functions belong to.  They may not call
 *   this function.
 * Return: 0, or
 *   -EINVAL        a sample has another number of labels than its family
 *   -EILSEQ        a value of a label is not UTF-8
 *   -ENAMETOOLONG  a value of a label is longer than METRICS_LABEL_VALUE_MAX
 *   -E2BIG         the text does not fit into @out
 *   -ENOMEM        no memory
 */
int metrics_write(struct metrics *metrics, struct strbuf *out, struct error *err);
