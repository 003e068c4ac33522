/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics/metrics.h"
#include "base/cleanup.h"
#include "tests/unit/api/metrics/sample.h"

#define TEXT_MAX 65536
#define THREADS 4
#define ROUNDS 5000

static int callocs_left = -1; /* until one fails; negative: none does */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (callocs_left == 0)
		return NULL;
	if (callocs_left > 0)
		callocs_left--;
	return __real_calloc(n, size);
}

static void collect_nothing(void *ctx, struct metrics_writer *writer)
{
	(void)ctx;
	(void)writer;
}

static const uint64_t one_bucket[] = { 1000 };
static const uint64_t falling[] = { 2, 2 };
static const uint64_t many_buckets[METRICS_BUCKETS_MAX + 1] = { 0 };

#define COUNTER(...)                                                                 \
	{                                                                            \
		.name = "x_total", .help = "h", .type = METRICS_COUNTER, __VA_ARGS__ \
	}
#define GAUGE(...)                                                           \
	{                                                                    \
		.name = "x", .help = "h", .type = METRICS_GAUGE, __VA_ARGS__ \
	}
#define HISTOGRAM(...)                                                                   \
	{                                                                                \
		.name = "x_seconds", .help = "h", .type = METRICS_HISTOGRAM, __VA_ARGS__ \
	}
#define BUCKETS(buckets, n) .buckets_ns = (buckets), .n_buckets = (n)

static void bad_rows_are_refused(void **state)
{
	static const struct {
		struct metrics_family family;
		const char *text;
	} cases[] = {
		{ { .help = "h" }, "the name is not one of a metric" },
		{ { .name = "a-b", .help = "h" }, "the name is not one of a metric" },
		{ { .name = "x_total" }, "the help is missing" },
		{ { .name = "x_total", .help = "\xff" }, "the help is missing" },
		{ { .name = "x", .help = "h", .type = _METRICS_TYPE_MAX }, "its type is none" },
		{ GAUGE(), "a gauge must be" },
		{ HISTOGRAM(BUCKETS(one_bucket, 1), .collect = collect_nothing),
		  "a histogram cannot be" },
		{ HISTOGRAM(), "a histogram has buckets" },
		{ COUNTER(BUCKETS(one_bucket, 1)), "a histogram has buckets" },
		{ HISTOGRAM(BUCKETS(many_buckets, METRICS_BUCKETS_MAX + 1)),
		  "more than 16 buckets" },
		{ HISTOGRAM(BUCKETS(falling, 2)), "the buckets do not ascend" },
		{ COUNTER(.labels = { "le" }), "'le' is no name for a label" },
		{ COUNTER(.labels = { "a", "b", "a" }), "the label 'a' is there twice" },
		{ COUNTER(.labels = { "a", "b", "c", "d", "e", "f", "g", "h", "i" }),
		  "more than 8 labels" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct metrics *metrics = NULL;
		struct error err = { 0 };

		assert_int_equal(metrics_new(&cases[i].family, 1, NULL, &metrics, &err), -EINVAL);
		assert_non_null(strstr(err.msg, cases[i].text));
		assert_null(metrics);
	}
}

static void good_rows_are_taken(void **state)
{
	static const struct metrics_family families[] = {
		COUNTER(.labels = { "a", "b", "c", "d", "e", "f", "g", "h" }),
		GAUGE(.collect = collect_nothing),
		HISTOGRAM(BUCKETS(one_bucket, 1)),
		{ .name = "y_total",
		  .help = "h",
		  .type = METRICS_COUNTER,
		  .collect = collect_nothing },
	};
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;

	(void)state;
	assert_int_equal(metrics_new(families, ARRAY_SIZE(families), NULL, &metrics, NULL), 0);
}

static void a_name_is_there_once(void **state)
{
	static const struct metrics_family families[] = { COUNTER(),
							  GAUGE(.collect = collect_nothing),
							  COUNTER() };
	struct metrics *metrics = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(metrics_new(families, 3, NULL, &metrics, &err), -EINVAL);
	assert_string_equal(err.msg, "metric 'x_total' (row 2): the name is there twice");
}

static void a_table_has_a_maximum(void **state)
{
	static const struct metrics_family families[METRICS_FAMILIES_MAX + 1];
	struct metrics *metrics = NULL;

	(void)state;
	assert_int_equal(metrics_new(families, ARRAY_SIZE(families), NULL, &metrics, NULL), -E2BIG);
}

static const char sample_text[] =
	"# HELP sample_allocations_total Allocations by resource and result.\n"
	"# TYPE sample_allocations_total counter\n"
	"sample_allocations_total{resource=\"furiosa.ai/aaa\",result=\"ok\"} "
	"18446744073709551615\n"
	"sample_allocations_total{resource=\"furiosa.ai/rngd\",result=\"error\"} 0\n"
	"sample_allocations_total{resource=\"furiosa.ai/rngd\",result=\"ok\"} 3\n"
	"# HELP sample_request_duration_seconds How long a request took.\n"
	"# TYPE sample_request_duration_seconds histogram\n"
	"sample_request_duration_seconds_bucket{method=\"Allocate\",le=\"0.0005\"} 1\n"
	"sample_request_duration_seconds_bucket{method=\"Allocate\",le=\"0.005\"} 2\n"
	"sample_request_duration_seconds_bucket{method=\"Allocate\",le=\"0.025\"} 4\n"
	"sample_request_duration_seconds_bucket{method=\"Allocate\",le=\"1\"} 4\n"
	"sample_request_duration_seconds_bucket{method=\"Allocate\",le=\"2.5\"} 4\n"
	"sample_request_duration_seconds_bucket{method=\"Allocate\",le=\"+Inf\"} 5\n"
	"sample_request_duration_seconds_sum{method=\"Allocate\"} 3.034000001\n"
	"sample_request_duration_seconds_count{method=\"Allocate\"} 5\n"
	"# HELP sample_start_time_seconds When it started: a \\\\ and\\na second line of "
	"\"help\".\n"
	"# TYPE sample_start_time_seconds gauge\n"
	"sample_start_time_seconds 1766400000.25\n"
	"# HELP sample_devices Devices by state.\n"
	"# TYPE sample_devices gauge\n"
	"sample_devices{resource=\"furiosa.ai/rngd\",state=\"healthy\"} 7\n"
	"sample_devices{resource=\"furiosa.ai/rngd\",state=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n"
	"sample_devices{resource=\"\",state=\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x92\xbb\"} 0\n"
	"# HELP sample_temperature_celsius Temperature of a device.\n"
	"# TYPE sample_temperature_celsius gauge\n"
	"sample_temperature_celsius{device=\"npu0\"} 41.5\n"
	"sample_temperature_celsius{device=\"npu1\"} NaN\n"
	"# HELP sample_build_info The version, as a label.\n"
	"# TYPE sample_build_info gauge\n"
	"sample_build_info{version=\"0.1.0\"} 1\n";

static void all_types_are_written(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = sample_new();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);

	(void)state;
	assert_non_null(metrics);
	assert_int_equal(metrics_write(metrics, &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), sample_text);
}

static void a_text_that_does_not_fit_is_refused(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = sample_new();

	(void)state;
	assert_non_null(metrics);
	for (size_t max = 0; max < sizeof(sample_text); max += 97) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(max);
		struct error err = { 0 };

		assert_int_equal(metrics_write(metrics, &text, &err), -E2BIG);
		assert_non_null(strstr(err.msg, "the text is too long"));
	}
}

static void a_series_is_made_once(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = sample_new();
	struct metrics_counter *a, *b, *c;

	(void)state;
	assert_int_equal(
		metrics_counter(metrics, SAMPLE_ALLOCATIONS, METRICS_LABELS("r", "ok"), &a, NULL),
		0);
	assert_int_equal(
		metrics_counter(metrics, SAMPLE_ALLOCATIONS, METRICS_LABELS("r", "ok"), &b, NULL),
		0);
	assert_int_equal(
		metrics_counter(metrics, SAMPLE_ALLOCATIONS, METRICS_LABELS("ro", "k"), &c, NULL),
		0);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
}

static void series_that_cannot_be_are_refused(void **state)
{
	static const struct {
		size_t family;
		int r;
		const char *text;
	} cases[] = {
		{ _SAMPLE_MAX, -EINVAL, "there is no metric of row 7" },
		{ SIZE_MAX, -EINVAL, "there is no metric" },
		{ SAMPLE_DURATION, -EINVAL, "is no counter that is kept" },
		{ SAMPLE_DEVICES, -EINVAL, "is no counter that is kept" },
		{ SAMPLE_ALLOCATIONS, -EINVAL, "'result' is given no value" },
	};
	_cleanup_(metrics_freep) struct metrics *metrics = sample_new();
	struct metrics_histogram *histogram = NULL;
	struct metrics_counter *counter = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(metrics_counter(metrics, cases[i].family, METRICS_LABELS("r"),
						 &counter, &err),
				 cases[i].r);
		assert_non_null(strstr(err.msg, cases[i].text));
		assert_null(counter);
	}
	assert_int_equal(metrics_histogram(metrics, SAMPLE_ALLOCATIONS, METRICS_LABELS("r", "ok"),
					   &histogram, NULL),
			 -EINVAL);
	assert_null(histogram);
}

static int add_numbered(struct metrics *metrics, unsigned int number)
{
	struct metrics_counter *counter;
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", number);
	return metrics_counter(metrics, 0, METRICS_LABELS(name), &counter, NULL);
}

static void there_is_a_maximum_of_series(void **state)
{
	static const struct metrics_family family = COUNTER(.labels = { "a" });
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	unsigned int n = 0;

	(void)state;
	assert_int_equal(metrics_new(&family, 1, NULL, &metrics, NULL), 0);
	while (n < METRICS_SERIES_MAX)
		assert_int_equal(add_numbered(metrics, n++), 0);
	assert_int_equal(add_numbered(metrics, n), -E2BIG);
	assert_int_equal(add_numbered(metrics, 7), 0);
}

static void collect_badly(void *ctx, struct metrics_writer *writer)
{
	metrics_sample(writer, 1, METRICS_LABELS("fine"));
	metrics_sample(writer, 1, METRICS_LABELS(ctx));
	metrics_sample(writer, 1, METRICS_LABELS("fine too"));
}

static void a_bad_sample_fails_the_scrape(void **state)
{
	static const struct metrics_family family = {
		.name = "x",
		.help = "h",
		.type = METRICS_GAUGE,
		.labels = { "a" },
		.collect = collect_badly,
	};
	static char bad[] = "\x80";
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(metrics_new(&family, 1, bad, &metrics, NULL), 0);
	assert_int_equal(metrics_write(metrics, &text, &err), -EILSEQ);
	assert_string_equal(err.msg, "metric 'x': the label 'a' has a value that is not UTF-8");
}

static void nothing_is_counted_for_null(void **state)
{
	(void)state;
	metrics_counter_add(NULL, 1);
	metrics_histogram_observe(NULL, 1);
	metrics_free(NULL);
}

static void missing_memory_is_told(void **state)
{
	static const struct metrics_family family = COUNTER();
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	struct metrics_counter *counter = NULL;

	(void)state;
	callocs_left = 0;
	assert_int_equal(metrics_new(&family, 1, NULL, &metrics, NULL), -ENOMEM);
	callocs_left = 1;
	assert_int_equal(metrics_new(&family, 1, NULL, &metrics, NULL), 0);
	assert_int_equal(metrics_counter(metrics, 0, METRICS_NO_LABELS, &counter, NULL), -ENOMEM);
	assert_null(counter);
	callocs_left = -1;
	assert_int_equal(metrics_counter(metrics, 0, METRICS_NO_LABELS, &counter, NULL), 0);
}

static void *update(void *ctx)
{
	struct metrics *metrics = ctx;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct metrics_histogram *histogram = NULL;
		struct metrics_counter *counter = NULL;
		char method[16];

		(void)snprintf(method, sizeof(method), "m%u", i % 10);
		(void)metrics_counter(metrics, SAMPLE_ALLOCATIONS, METRICS_LABELS(method, "ok"),
				      &counter, NULL);
		(void)metrics_histogram(metrics, SAMPLE_DURATION, METRICS_LABELS("Allocate"),
					&histogram, NULL);
		metrics_counter_add(counter, 1);
		metrics_histogram_observe(histogram, 1);
	}
	return NULL;
}

/* While the threads count, the text is written again and again. */
static void nothing_is_lost_between_threads(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = sample_new();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	pthread_t threads[THREADS];
	char expected[64];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, update, metrics), 0);
	for (size_t i = 0; i < 20; i++) {
		strbuf_clear(&text);
		assert_int_equal(metrics_write(metrics, &text, NULL), 0);
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	strbuf_clear(&text);
	assert_int_equal(metrics_write(metrics, &text, NULL), 0);
	(void)snprintf(expected, sizeof(expected), "{resource=\"m3\",result=\"ok\"} %d\n",
		       THREADS * ROUNDS / 10);
	assert_non_null(strstr(strbuf_str(&text), expected));
	(void)snprintf(expected, sizeof(expected), "_count{method=\"Allocate\"} %d\n",
		       THREADS * ROUNDS + 5);
	assert_non_null(strstr(strbuf_str(&text), expected));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_rows_are_refused),
		cmocka_unit_test(good_rows_are_taken),
		cmocka_unit_test(a_name_is_there_once),
		cmocka_unit_test(a_table_has_a_maximum),
		cmocka_unit_test(all_types_are_written),
		cmocka_unit_test(a_text_that_does_not_fit_is_refused),
		cmocka_unit_test(a_series_is_made_once),
		cmocka_unit_test(series_that_cannot_be_are_refused),
		cmocka_unit_test(there_is_a_maximum_of_series),
		cmocka_unit_test(a_bad_sample_fails_the_scrape),
		cmocka_unit_test(nothing_is_counted_for_null),
		cmocka_unit_test(missing_memory_is_told),
		cmocka_unit_test(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
