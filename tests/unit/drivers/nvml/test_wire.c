/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/wire.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "tests/test.h"

#define GPU "gpu\tuuid=GPU-1\tbdf=0000:3b:00.0"
#define MIG "mig\tuuid=MIG-1\tprofile=1g.18gb\tgpu_instance=7\tcompute_instance=0"
#define REPORT "hello\tversion=1\nreport\n"

/* What a reader has handed over. */
struct heard {
	struct nvml_report *report;
	struct nvml_event event;
	int reports;
	int events;
};

static void take_report(void *ctx, struct nvml_report *report)
{
	struct heard *heard = ctx;

	nvml_report_unref(heard->report);
	heard->report = report;
	heard->reports++;
}

static void take_event(void *ctx, const struct nvml_event *event)
{
	struct heard *heard = ctx;

	heard->event = *event;
	heard->events++;
}

/* Reads a text in pieces of @step bytes. */
static int read_in_steps(struct heard *heard, const char *text, size_t step, struct error *err)
{
	struct nvml_reader reader = { .sink = { take_report, take_event, heard } };
	size_t len = strlen(text);
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i += step)
		r = nvml_reader_feed(&reader, text + i, MIN(step, len - i), err);
	nvml_reader_done(&reader);
	return r;
}

/* Writes what was read. */
static void write_heard(const struct heard *heard, struct strbuf *out)
{
	const struct nvml_hello hello = { NVML_WIRE_VERSION };
	const struct nvml_report *report = heard->report;

	assert_int_equal(nvml_record_write(out, NVML_RECORD_HELLO, &hello), 0);
	assert_int_equal(nvml_record_write(out, NVML_RECORD_REPORT, report), 0);
	assert_int_equal(nvml_record_write(out, NVML_RECORD_GPU, &report->gpus[0]), 0);
	assert_int_equal(nvml_record_write(out, NVML_RECORD_MIG, &report->migs[0]), 0);
	assert_int_equal(nvml_record_write(out, NVML_RECORD_LINK, &report->links[0]), 0);
	assert_int_equal(nvml_record_write(out, NVML_RECORD_END, report), 0);
	assert_int_equal(nvml_record_write(out, NVML_RECORD_EVENT, &heard->event), 0);
}

static void test_round_trip(void **state)
{
	static const char text[] =
		"hello\tversion=1\n"
		"report\tdriver_version=570.86.15\tcuda_version=12080\n" GPU
		"\tname=NVIDIA H200\tminor=0\tmemory_bytes=150754820096"
		"\tmemory_used_bytes=0\tcompute_major=9\tcompute_minor=0\tmig_mode=1"
		"\tmig_mode_pending=1\tmig_listed=1\tutilization_percent=100"
		"\tmemory_utilization_percent=0\ttemperature_celsius=42"
		"\tpower_milliwatts=123456\tecc_uncorrected=3\trecovery_action=0\n" MIG
		"\tmemory_bytes=17179869184\tmemory_used_bytes=1\tgpu_slices=1"
		"\tcompute_slices=1\tmultiprocessors=16\n"
		"link\tbdf=0000:a0:00.0\ttype=2\tcount=18\n"
		"end\tlost=1\n"
		"event\tbdf=0000:3b:00.0\txid=79\tgpu_instance=7\n";
	struct heard heard = { 0 };

	(void)state;
	for (size_t step = 1; step < 2048; step *= 2) {
		_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(65536);

		assert_int_equal(read_in_steps(&heard, text, step, NULL), 0);
		write_heard(&heard, &again);
		assert_string_equal(strbuf_str(&again), text);
		assert_int_equal(heard.report->n_gpus, 1);
		assert_int_equal(heard.report->gpus[0].temperature_celsius, 42);
		assert_int_equal(heard.report->lost, 1);
		assert_true(heard.event.compute_instance == NVML_UNKNOWN);
	}
	assert_int_equal(heard.reports, 11);
	assert_int_equal(heard.events, 11);
	nvml_report_unref(heard.report);
}

/* What cannot be is left out, and without what identifies it there is no record. */
static void test_write_unfit(void **state)
{
	static const struct {
		struct nvml_gpu gpu;
		int r;
	} cases[] = {
		{ { .uuid = "GPU-1", .bdf = "0000:3b:00.0", .minor = 65536, .mig_mode = 2 }, 0 },
		{ { .uuid = "GPU-1", .bdf = "0000:3b:00.0", .name = "tab\there" }, 0 },
		{ { .bdf = "0000:3b:00.0" }, -EINVAL },
		{ { .uuid = "GPU 1", .bdf = "0000:3b:00.0" }, -EINVAL },
		{ { .uuid = "GPU-1" }, -EINVAL },
		{ { .uuid = "GPU-1", .bdf = "00000000:3B:00.0" }, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);
		struct nvml_gpu gpu;

		memcpy(&gpu, &cases[i].gpu, sizeof(gpu));
		assert_int_equal(nvml_record_write(&out, NVML_RECORD_GPU, &gpu), cases[i].r);
		assert_int_equal(strbuf_error(&out), 0);
		if (cases[i].r < 0) {
			assert_int_equal(out.len, 0);
			continue;
		}
		assert_non_null(str_starts_with(strbuf_str(&out), GPU "\t"));
		assert_null(strstr(strbuf_str(&out), "name="));
		assert_true((gpu.minor == 0) == (strstr(strbuf_str(&out), "\tminor=") != NULL));
		assert_true((gpu.mig_mode == 0) ==
			    (strstr(strbuf_str(&out), "\tmig_mode=") != NULL));
	}
}

static void test_clear(void **state)
{
	struct nvml_mig mig = { .uuid = "MIG-1", .profile = "1g.18gb" };

	(void)state;
	nvml_record_clear(NVML_RECORD_MIG, &mig);
	assert_string_equal(mig.uuid, "");
	assert_string_equal(mig.profile, "");
	assert_true(mig.gpu_instance == NVML_UNKNOWN && mig.multiprocessors == NVML_UNKNOWN);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		/* Order. */
		{ "report\n", -EPROTO },
		{ "hello\tversion=2\n", -EPROTO },
		{ "hello\n", -EPROTO },
		{ "hello\tversion=1\nhello\tversion=1\n", -EPROTO },
		{ "hello\tversion=1\nend\tlost=0\n", -EPROTO },
		{ "hello\tversion=1\n" GPU "\n", -EPROTO },
		{ REPORT "report\n", -EPROTO },
		{ REPORT MIG "\n", -EPROTO },
		{ REPORT "link\tbdf=0000:a0:00.0\tcount=1\n", -EPROTO },
		/* Records and fields. */
		{ REPORT "\n", -EPROTO },
		{ REPORT "GPU\n", -EPROTO },
		{ REPORT "gpu\n", -EPROTO },
		{ REPORT "gpu\tuuid=GPU-1\n", -EPROTO },
		{ REPORT GPU "\t\n", -EPROTO },
		{ REPORT GPU "\tminor\n", -EPROTO },
		{ REPORT GPU "\tcolour=red\n", -EPROTO },
		{ REPORT GPU "\tminor=1\tminor=1\n", -EPROTO },
		{ REPORT "end\n", -EPROTO },
		{ REPORT "\001\n", -EPROTO },
		/* Values. */
		{ REPORT GPU "\tminor=\n", -EPROTO },
		{ REPORT GPU "\tminor=-1\n", -EPROTO },
		{ REPORT GPU "\tminor=65536\n", -EPROTO },
		{ REPORT GPU "\tminor=nan\n", -EPROTO },
		{ REPORT GPU "\tminor= 1\n", -EPROTO },
		{ REPORT GPU "\tmemory_bytes=18446744073709551615\n", -EPROTO },
		{ REPORT GPU "\tmemory_bytes=18446744073709551616\n", -EPROTO },
		{ REPORT GPU "\tutilization_percent=101\n", -EPROTO },
		{ REPORT GPU "\tname=\n", -EPROTO },
		{ REPORT GPU "\tname=\033[2J\n", -EPROTO },
		{ REPORT "gpu\tuuid=GPU 1\tbdf=0000:3b:00.0\n", -EPROTO },
		{ REPORT "gpu\tuuid=GPU-1\tbdf=3b:00.0\n", -EPROTO },
		{ REPORT "gpu\tuuid=GPU-1\tbdf=../../etc\n", -EPROTO },
		{ REPORT
		  "gpu\tuuid=0123456789012345678901234567890123456789012345678901234567890123"
		  "\tbdf=0000:3b:00.0\n",
		  -EPROTO },
		{ REPORT "end\tlost=65\n", -EPROTO },
		/* The other end's own words. */
		{ "hello\tversion=1\nfailure\tabsent=1\ttext=none\n", -ENOENT },
		{ "hello\tversion=1\nfailure\tabsent=0\ttext=broken\n", -EIO },
		{ "hello\tversion=1\nfailure\tabsent=0\n", -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct heard heard = { 0 };
		struct error err = { 0 };

		assert_int_equal(read_in_steps(&heard, cases[i].text, 7, &err), cases[i].r);
		assert_int_equal(err.code, -cases[i].r);
		assert_null(heard.report);
		assert_int_equal(heard.events, 0);
	}
}

static void test_nul_and_long_line(void **state)
{
	struct heard heard = { 0 };
	struct nvml_reader reader = { .sink = { take_report, take_event, &heard } };
	char line[NVML_LINE_MAX];

	(void)state;
	assert_int_equal(nvml_reader_feed(&reader, "hello\tversion=1\0\n", 17, NULL), -EPROTO);
	reader = (struct nvml_reader) { .sink = { take_report, take_event, &heard } };
	memset(line, 'A', sizeof(line));
	assert_int_equal(nvml_reader_feed(&reader, line, sizeof(line) - 1, NULL), 0);
	assert_int_equal(nvml_reader_feed(&reader, line, 1, NULL), -EPROTO);
}

/* Reads @n lines after the beginning of a report. */
static int read_repeated(const char *first, const char *line, int n)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1024 * 1024);
	struct heard heard = { 0 };

	strbuf_puts(&text, REPORT);
	strbuf_puts(&text, first);
	for (int i = 0; i < n; i++)
		strbuf_puts(&text, line);
	return read_in_steps(&heard, strbuf_str(&text), 4096, NULL);
}

static void test_maxima(void **state)
{
	static const struct {
		const char *first, *line;
		int max;
	} cases[] = {
		{ "", GPU "\n", NVML_GPUS_MAX },
		{ GPU "\n", MIG "\n", NVML_MIGS_MAX },
		{ GPU "\n", "link\tbdf=0000:a0:00.0\tcount=1\n", NVML_LINKS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(read_repeated(cases[i].first, cases[i].line, cases[i].max), 0);
		assert_int_equal(read_repeated(cases[i].first, cases[i].line, cases[i].max + 1),
				 -E2BIG);
	}
}

/* A report that is not whole is never handed over; events do not wait for it. */
static void test_partial(void **state)
{
	struct heard heard = { 0 };
	struct nvml_reader reader = { .sink = { take_report, take_event, &heard } };
	static const char begun[] = REPORT GPU "\n";
	static const char event[] = "event\tbdf=0000:3b:00.0\txid=79\n";

	(void)state;
	assert_int_equal(nvml_reader_feed(&reader, begun, strlen(begun), NULL), 0);
	assert_int_equal(reader.phase, 1);
	assert_int_equal(nvml_reader_feed(&reader, event, strlen(event), NULL), 0);
	assert_int_equal(heard.events, 1);
	assert_int_equal(heard.event.xid, 79);
	assert_true(heard.event.gpu_instance == NVML_UNKNOWN);
	assert_int_equal(heard.reports, 0);
	assert_int_equal(nvml_reader_feed(&reader, "end\tlost=0\n", 11, NULL), 0);
	assert_int_equal(heard.reports, 1);
	assert_int_equal(reader.phase, 2);
	assert_null(reader.report);
	nvml_reader_done(&reader);
	nvml_report_unref(heard.report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_write_unfit),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul_and_long_line),
		cmocka_unit_test(test_maxima),
		cmocka_unit_test(test_partial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
