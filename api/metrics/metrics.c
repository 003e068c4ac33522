/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sorted list of series per family.  A series is never moved and never
 * released before the metrics are, so whoever has one updates it without a lock;
 * the lock guards the lists only.
 *
 * The labels of a series are kept as they are written, which makes them one
 * string to compare, to sort by and to print.
 *
 * A histogram counts each observation in one bucket; a scrape adds them up.  So
 * its count is the sum of its buckets at any time, whatever other threads do.
 */
#include "api/metrics/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "api/metrics/text.h"
#include "base/cleanup.h"
#include "base/macro.h"

/* Every byte escaped, and the names. */
#define LABELS_TEXT_MAX \
	(METRICS_LABELS_MAX * (2 * METRICS_LABEL_VALUE_MAX + METRICS_NAME_MAX + sizeof(",=\"\"")))

struct metrics_counter {
	_Atomic uint64_t value;
};

struct metrics_histogram {
	const struct metrics_family *family;
	_Atomic uint64_t sum_ns;
	_Atomic uint64_t buckets[METRICS_BUCKETS_MAX + 1]; /* the last one is +Inf */
};

struct series {
	struct series *next;
	char *labels; /* as they are written, without the braces; "" when there are none */
	union {
		struct metrics_counter counter;
		struct metrics_histogram histogram;
	};
};

struct metrics {
	const struct metrics_family *families;
	size_t n_families;
	void *ctx;
	pthread_mutex_t lock; /* guards what follows */
	size_t n_series;
	struct series *series[]; /* the first of each family */
};

struct metrics_writer {
	const struct metrics_family *family;
	struct strbuf *out;
	struct error *err;
	bool has_head; /* HELP and TYPE of the family are written */
	int error;
};

static const char *const type_names[_METRICS_TYPE_MAX] = {
	[METRICS_COUNTER] = "counter",
	[METRICS_GAUGE] = "gauge",
	[METRICS_HISTOGRAM] = "histogram",
};

static int check_labels(const struct metrics_family *family, struct error *err)
{
	for (size_t i = 0; family->labels[i]; i++) {
		if (i >= METRICS_LABELS_MAX)
			return error_set(err, EINVAL, "more than %d labels", METRICS_LABELS_MAX);
		if (!metrics_text_is_label_name(family->labels[i]))
			return error_set(err, EINVAL, "'%s' is no name for a label",
					 family->labels[i]);
		for (size_t j = 0; j < i; j++)
			if (strcmp(family->labels[i], family->labels[j]) == 0)
				return error_set(err, EINVAL, "the label '%s' is there twice",
						 family->labels[i]);
	}
	return 0;
}

static int check_buckets(const struct metrics_family *family, struct error *err)
{
	if ((family->type == METRICS_HISTOGRAM) != (family->n_buckets > 0))
		return error_set(err, EINVAL, "a histogram has buckets, and nothing else has");
	if (family->n_buckets > METRICS_BUCKETS_MAX)
		return error_set(err, EINVAL, "more than %d buckets", METRICS_BUCKETS_MAX);
	for (size_t i = 1; i < family->n_buckets; i++)
		if (family->buckets_ns[i] <= family->buckets_ns[i - 1])
			return error_set(err, EINVAL, "the buckets do not ascend");
	return 0;
}

static int check_kind(const struct metrics_family *family, struct error *err)
{
	if ((unsigned int)family->type >= _METRICS_TYPE_MAX)
		return error_set(err, EINVAL, "its type is none");
	if (family->type == METRICS_GAUGE && !family->collect)
		return error_set(err, EINVAL, "a gauge must be collected");
	if (family->type == METRICS_HISTOGRAM && family->collect)
		return error_set(err, EINVAL, "a histogram cannot be collected");
	return 0;
}

static int check_family(const struct metrics_family *families, size_t row, struct error *err)
{
	const struct metrics_family *family = &families[row];
	int r;

	if (!family->name || !metrics_text_is_name(family->name))
		return error_set(err, EINVAL, "the name is not one of a metric");
	if (!family->help || !metrics_text_is_utf8(family->help))
		return error_set(err, EINVAL, "the help is missing or not UTF-8");
	for (size_t i = 0; i < row; i++)
		if (strcmp(families[i].name, family->name) == 0)
			return error_set(err, EINVAL, "the name is there twice");
	r = check_kind(family, err);
	if (r < 0)
		return r;
	r = check_buckets(family, err);
	if (r < 0)
		return r;
	return check_labels(family, err);
}

int metrics_new(const struct metrics_family *families, size_t n_families, void *ctx,
		struct metrics **ret, struct error *err)
{
	struct metrics *metrics;

	if (n_families > METRICS_FAMILIES_MAX)
		return error_set(err, E2BIG, "%zu families of metrics, more than %d", n_families,
				 METRICS_FAMILIES_MAX);
	for (size_t i = 0; i < n_families; i++) {
		int r = check_family(families, i, err);

		if (r < 0)
			return error_wrap(err, r, "metric '%s' (row %zu)",
					  families[i].name ? families[i].name : "", i);
	}
	metrics = calloc(1, sizeof(*metrics) + n_families * sizeof(metrics->series[0]));
	if (!metrics)
		return error_set(err, ENOMEM, "no memory for the metrics");
	metrics->families = families;
	metrics->n_families = n_families;
	metrics->ctx = ctx;
	(void)pthread_mutex_init(&metrics->lock, NULL);
	*ret = metrics;
	return 0;
}

static void series_free(struct series *series)
{
	free(series->labels);
	free(series);
}

void metrics_free(struct metrics *metrics)
{
	int saved_errno = errno;

	if (!metrics)
		return;
	for (size_t i = 0; i < metrics->n_families; i++) {
		while (metrics->series[i]) {
			struct series *next = metrics->series[i]->next;

			series_free(metrics->series[i]);
			metrics->series[i] = next;
		}
	}
	(void)pthread_mutex_destroy(&metrics->lock);
	free(metrics);
	errno = saved_errno;
}

/* Makes the labels of a series as they are written. */
static int labels_text(const struct metrics_family *family, const char *const *values, char **ret,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(LABELS_TEXT_MAX);
	int r = metrics_text_add_labels(&text, family->labels, values, err);

	if (r < 0)
		return r;
	/* Allocates even if there are no labels. */
	strbuf_puts(&text, "");
	if (strbuf_error(&text) < 0)
		return error_set(err, -strbuf_error(&text), "no memory for labels");
	*ret = TAKE_PTR(text.data);
	return 0;
}

/* Called with the lock held.  Takes @labels over if it makes a series of them. */
static int find_or_add(struct metrics *metrics, size_t family, char **labels, struct series **ret,
		       struct error *err)
{
	struct series **link = &metrics->series[family];
	struct series *series;

	while (*link && strcmp((*link)->labels, *labels) < 0)
		link = &(*link)->next;
	if (*link && strcmp((*link)->labels, *labels) == 0) {
		*ret = *link;
		return 0;
	}
	if (metrics->n_series >= METRICS_SERIES_MAX)
		return error_set(err, E2BIG, "more than %d series", METRICS_SERIES_MAX);
	series = calloc(1, sizeof(*series));
	if (!series)
		return error_set(err, ENOMEM, "no memory for a series");
	series->labels = TAKE_PTR(*labels);
	if (metrics->families[family].type == METRICS_HISTOGRAM)
		series->histogram.family = &metrics->families[family];
	series->next = *link;
	*link = series;
	metrics->n_series++;
	*ret = series;
	return 0;
}

static int get_series(struct metrics *metrics, size_t family, enum metrics_type type,
		      const char *const *values, struct series **ret, struct error *err)
{
	_cleanup_free_ char *labels = NULL;
	int r;

	if (family >= metrics->n_families)
		return error_set(err, EINVAL, "there is no metric of row %zu", family);
	if (metrics->families[family].type != type || metrics->families[family].collect)
		return error_set(err, EINVAL, "metric '%s' is no %s that is kept",
				 metrics->families[family].name, type_names[type]);
	r = labels_text(&metrics->families[family], values, &labels, err);
	if (r >= 0) {
		pthread_mutex_lock(&metrics->lock);
		r = find_or_add(metrics, family, &labels, ret, err);
		pthread_mutex_unlock(&metrics->lock);
	}
	if (r < 0)
		return error_wrap(err, r, "metric '%s'", metrics->families[family].name);
	return 0;
}

int metrics_counter(struct metrics *metrics, size_t family, const char *const *values,
		    struct metrics_counter **ret, struct error *err)
{
	struct series *series;
	int r = get_series(metrics, family, METRICS_COUNTER, values, &series, err);

	if (r < 0)
		return r;
	*ret = &series->counter;
	return 0;
}

void metrics_counter_add(struct metrics_counter *counter, uint64_t n)
{
	if (counter)
		(void)atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

int metrics_histogram(struct metrics *metrics, size_t family, const char *const *values,
		      struct metrics_histogram **ret, struct error *err)
{
	struct series *series;
	int r = get_series(metrics, family, METRICS_HISTOGRAM, values, &series, err);

	if (r < 0)
		return r;
	*ret = &series->histogram;
	return 0;
}

void metrics_histogram_observe(struct metrics_histogram *histogram, uint64_t ns)
{
	size_t i = 0;

	if (!histogram)
		return;
	while (i < histogram->family->n_buckets && ns > histogram->family->buckets_ns[i])
		i++;
	(void)atomic_fetch_add_explicit(&histogram->buckets[i], 1, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&histogram->sum_ns, ns, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static void write_head(struct metrics_writer *writer)
{
	const struct metrics_family *family = writer->family;

	if (writer->has_head)
		return;
	writer->has_head = true;
	strbuf_printf(writer->out, "# HELP %s ", family->name);
	metrics_text_add_help(writer->out, family->help);
	strbuf_printf(writer->out, "\n# TYPE %s %s\n", family->name, type_names[family->type]);
}

void metrics_sample(struct metrics_writer *writer, double value, const char *const *values)
{
	const struct metrics_family *family = writer->family;

	if (writer->error < 0)
		return;
	write_head(writer);
	strbuf_puts(writer->out, family->name);
	if (family->labels[0])
		strbuf_puts(writer->out, "{");
	writer->error = metrics_text_add_labels(writer->out, family->labels, values, writer->err);
	if (family->labels[0])
		strbuf_puts(writer->out, "}");
	strbuf_puts(writer->out, " ");
	metrics_text_add_number(writer->out, value);
	strbuf_puts(writer->out, "\n");
}

/* Begins a line: the name, and the labels in braces if there are any. */
static void write_name(struct strbuf *out, const char *name, const char *suffix, const char *labels)
{
	strbuf_printf(out, "%s%s", name, suffix);
	if (labels[0] != '\0')
		strbuf_printf(out, "{%s}", labels);
	strbuf_puts(out, " ");
}

static void write_counter(struct strbuf *out, const struct metrics_family *family,
			  const struct series *series)
{
	write_name(out, family->name, "", series->labels);
	strbuf_printf(out, "%" PRIu64 "\n", load(&series->counter.value));
}

static void write_histogram(struct strbuf *out, const struct metrics_family *family,
			    const struct series *series)
{
	const struct metrics_histogram *histogram = &series->histogram;
	uint64_t count = 0;

	for (size_t i = 0; i <= family->n_buckets; i++) {
		count += load(&histogram->buckets[i]);
		strbuf_printf(out, "%s_bucket{%s%sle=\"", family->name, series->labels,
			      series->labels[0] != '\0' ? "," : "");
		if (i < family->n_buckets)
			metrics_text_add_seconds(out, family->buckets_ns[i]);
		else
			strbuf_puts(out, "+Inf");
		strbuf_printf(out, "\"} %" PRIu64 "\n", count);
	}
	write_name(out, family->name, "_sum", series->labels);
	metrics_text_add_seconds(out, load(&histogram->sum_ns));
	strbuf_puts(out, "\n");
	write_name(out, family->name, "_count", series->labels);
	strbuf_printf(out, "%" PRIu64 "\n", count);
}

static void (*const write_series[_METRICS_TYPE_MAX])(struct strbuf *, const struct metrics_family *,
						     const struct series *) = {
	[METRICS_COUNTER] = write_counter,
	[METRICS_HISTOGRAM] = write_histogram,
};

static void write_kept(struct metrics *metrics, size_t row, struct metrics_writer *writer)
{
	pthread_mutex_lock(&metrics->lock);
	for (const struct series *series = metrics->series[row]; series; series = series->next) {
		write_head(writer);
		write_series[writer->family->type](writer->out, writer->family, series);
	}
	pthread_mutex_unlock(&metrics->lock);
}

int metrics_write(struct metrics *metrics, struct strbuf *out, struct error *err)
{
	for (size_t i = 0; i < metrics->n_families; i++) {
		struct metrics_writer writer = { .family = &metrics->families[i],
						 .out = out,
						 .err = err };

		if (writer.family->collect)
			writer.family->collect(metrics->ctx, &writer);
		else
			write_kept(metrics, i, &writer);
		if (writer.error == 0 && strbuf_error(out) < 0)
			writer.error = error_set(
				err, -strbuf_error(out), "%s",
				strbuf_error(out) == -E2BIG ? "the text is too long" : "no memory");
		if (writer.error < 0)
			return error_wrap(err, writer.error, "metric '%s'", writer.family->name);
	}
	return 0;
}
