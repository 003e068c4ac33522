/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of it, with a real process and a stand-in for NVML's library that is told
 * in a file what to do (tests/nvml/fake.c).  Nothing is timed: what shall happen is
 * waited for, and a test that waits too long has failed.
 */
#include "drivers/nvml/nvml.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "drivers/nvml/child.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define LIBRARY "usr/lib64/libnvidia-ml.so.1"
#define TOLD "usr/lib64/nvml.txt"
#define WAIT_MS 60000 /* only ever waited out by a test that fails */
#define LOOK_MS 5
#define HOUR_MS (60 * 60 * 1000)

/* The pauses are long enough for a busy machine: one that is killed in error is
 * started again, and costs a test only time. */
static const struct nvml_times quick = {
	.interval_ms = 50,
	.start_ms = 2000,
	.silence_ms = 500,
	.absent_ms = 20,
	.release_ms = 20,
	.retry_min_ms = 10,
	.retry_max_ms = 50,
};

/* While it is set, processes do not die. */
static bool immortal;

int __real_kill(pid_t pid, int signo);
int __wrap_kill(pid_t pid, int signo);
int __wrap_kill(pid_t pid, int signo)
{
	return __atomic_load_n(&immortal, __ATOMIC_SEQ_CST) ? 0 : __real_kill(pid, signo);
}

static void tell(const struct tree *tree, int gpus, int migs, const char *fault)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "gpus=%d migs=%d xid=0 instance=-1 serial=0 fault=%s end\n", gpus, migs,
		       fault);
	tree_puts(tree, TOLD, text);
}

static void tell_xid(const struct tree *tree, int xid, int instance, int serial)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "gpus=2 migs=0 xid=%d instance=%d serial=%d fault=none end\n", xid, instance,
		       serial);
	tree_puts(tree, TOLD, text);
}

static void install(const struct tree *tree, const char *library)
{
	tree_mkdir(tree, "proc/driver/nvidia");
	tree_link(tree, LIBRARY, library);
}

static struct nvml *start_with(const struct tree *tree, const struct nvml_times *times)
{
	struct nvml *nvml = NULL;
	struct error err = { 0 };
	int r = nvml_start(&tree->host, times, &nvml, &err);

	if (r < 0)
		fail_msg("%s", error_text(&err, r));
	return nvml;
}

static struct nvml *start(const struct tree *tree)
{
	return start_with(tree, &quick);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A report that was begun after this call: the second that is completed from now on. */
static struct nvml_report *next_report(struct nvml *nvml)
{
	uint64_t after = now_ms();
	int n = 0;

	for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
		struct nvml_report *report = nvml_latest(nvml);

		if (report && report->taken_ms > after) {
			after = report->taken_ms;
			n++;
		}
		if (n == 2)
			return report;
		nvml_report_unref(report);
		(void)poll(NULL, 0, LOOK_MS);
	}
	fail_msg("no report");
	return NULL;
}

static void wait_for_reason(struct nvml *nvml, enum nvml_state state, const char *reason)
{
	struct nvml_status status;

	for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
		nvml_status(nvml, &status);
		if (strstr(status.reason, reason) &&
		    (status.state == state || status.state == NVML_WORKING))
			return;
		(void)poll(NULL, 0, LOOK_MS);
	}
	fail_msg("state %d, reason '%s', not '%s'", (int)status.state, status.reason, reason);
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void assert_good(const struct nvml_report *report)
{
	const struct nvml_gpu *gpu = nvml_report_find(report, "0000:3c:00.0");

	assert_int_equal(report->n_gpus, 2);
	assert_int_equal(report->lost, 0);
	assert_string_equal(report->driver_version, "570.86.15");
	assert_non_null(gpu);
	assert_string_equal(gpu->uuid, "GPU-00000000-0000-0000-0000-000000000001");
	assert_string_equal(gpu->name, "NVIDIA H200");
	assert_true(gpu->memory_bytes == UINT64_C(143771) << 20);
}

static void test_facts(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	const struct nvml_gpu *gpu;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "none");
	nvml = start(tree);
	assert_int_equal(nvml_wait(nvml, WAIT_MS), 0);
	report = next_report(nvml);
	assert_good(report);
	gpu = nvml_report_find(report, "0000:3c:00.0");
	assert_int_equal(report->cuda_version, 12080);
	assert_int_equal(gpu->minor, 1);
	assert_int_equal(gpu->memory_used_bytes, 1 << 20);
	assert_int_equal(gpu->compute_major, 9);
	assert_int_equal(gpu->compute_minor, 0);
	assert_int_equal(gpu->mig_mode, 0);
	assert_int_equal(gpu->mig_mode_pending, 0);
	assert_int_equal(gpu->mig_listed, 0);
	assert_int_equal(gpu->n_migs, 0);
	assert_int_equal(gpu->utilization_percent, 37);
	assert_int_equal(gpu->memory_utilization_percent, 11);
	assert_int_equal(gpu->temperature_celsius, 42);
	assert_int_equal(gpu->power_milliwatts, 123456);
	assert_int_equal(gpu->ecc_uncorrected, 3);
	assert_int_equal(gpu->recovery_action, 0);
	assert_int_equal(gpu->n_links, 2);
	assert_string_equal(report->links[gpu->first_link].bdf, "0000:a0:00.0");
	assert_int_equal(report->links[gpu->first_link].type, NVML_LINK_SWITCH);
	assert_int_equal(report->links[gpu->first_link].count, 2);
	assert_string_equal(report->links[gpu->first_link + 1].bdf, "0000:3d:00.0");
	assert_int_equal(report->links[gpu->first_link + 1].type, NVML_LINK_GPU);
	nvml_report_unref(report);
	nvml_stop(nvml);
	assert_no_child();
}

static void test_migs(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	const struct nvml_mig *mig;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 3, "none");
	nvml = start(tree);
	report = next_report(nvml);
	assert_int_equal(report->gpus[1].mig_mode, 1);
	assert_int_equal(report->gpus[1].mig_listed, 1);
	assert_int_equal(report->gpus[1].n_migs, 3);
	assert_true(report->gpus[1].utilization_percent == NVML_UNKNOWN);
	mig = &report->migs[report->gpus[1].first_mig + 2];
	assert_string_equal(mig->uuid, "MIG-00000000-0000-0000-0002-000000000001");
	assert_string_equal(mig->profile, "1g.18gb");
	assert_int_equal(mig->gpu_instance, 9);
	assert_int_equal(mig->compute_instance, 0);
	assert_true(mig->memory_bytes == UINT64_C(16384) << 20);
	assert_int_equal(mig->gpu_slices, 1);
	assert_int_equal(mig->compute_slices, 1);
	assert_int_equal(mig->multiprocessors, 16);
	nvml_report_unref(report);

	/* They come and go while it runs. */
	tell(tree, 2, 1, "none");
	report = next_report(nvml);
	assert_int_equal(report->n_migs, 2);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

static void test_older(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml *nvml;

	install(tree, FAKE_NVML_OLDER);
	tell(tree, 2, 3, "none");
	nvml = start(tree);
	report = next_report(nvml);
	assert_good(report);
	assert_true(report->cuda_version == NVML_UNKNOWN);
	assert_int_equal(report->gpus[0].memory_used_bytes, 1 << 20);
	assert_int_equal(report->gpus[0].temperature_celsius, 41);
	assert_true(report->gpus[0].minor == NVML_UNKNOWN);
	assert_true(report->gpus[0].mig_mode == NVML_UNKNOWN);
	assert_int_equal(report->gpus[0].mig_listed, 0);
	assert_int_equal(report->n_migs, 0);
	assert_int_equal(report->n_links, 0);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

static void test_no_driver(void **state)
{
	struct tree *tree = *state;
	struct nvml *nvml = NULL;
	struct error err = { 0 };

	tree_link(tree, LIBRARY, FAKE_NVML);
	assert_int_equal(nvml_start(&tree->host, NULL, &nvml, &err), -ENOENT);
	assert_null(nvml);
	assert_string_equal(err.msg, "NVIDIA's driver is not loaded");
	nvml_stop(NULL);
	assert_no_child();
}

static void test_library_comes(void **state)
{
	struct tree *tree = *state;
	struct nvml_status status;
	struct nvml_report *report;
	struct nvml *nvml;

	if (dlopen("libnvidia-ml.so.1", RTLD_LAZY)) {
		skip(); /* the loader's own search finds one on this machine */
		return;
	}
	tree_mkdir(tree, "proc/driver/nvidia");
	nvml = start(tree);
	assert_int_equal(nvml_wait(nvml, WAIT_MS), 0);
	wait_for_reason(nvml, NVML_ABSENT, "there is no libnvidia-ml.so.1");
	assert_null(nvml_latest(nvml));

	tell(tree, 2, 0, "none");
	tree_link(tree, LIBRARY, FAKE_NVML);
	report = next_report(nvml);
	assert_good(report);
	nvml_report_unref(report);

	nvml_status(nvml, &status);
	assert_int_equal(status.state, NVML_WORKING);
	nvml_stop(nvml);
}

/* Once the driver has gone, no process is started any more. */
static void test_driver_goes(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "none");
	nvml = start(tree);
	nvml_report_unref(next_report(nvml));
	tree_remove(tree, "proc/driver/nvidia");
	tell(tree, 2, 0, "exit");
	wait_for_reason(nvml, NVML_ABSENT, "driver is not loaded");
	assert_no_child();
	report = nvml_latest(nvml);
	assert_good(report);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

/* How it goes wrong after it went well: the last good answer stays, and a new one
 * comes when the fault has ended. */
static void test_faults_later(void **state)
{
	static const struct {
		const char *fault;
		const char *reason;
	} cases[] = {
		{ "hang", "NVML does not answer" },
		{ "wait-hang", "NVML does not answer" },
		{ "crash", "the process that asks NVML ended by signal 11" },
		{ "exit", "ended with status 0" },
		{ "babble", "talks nonsense" },
		{ "flood", "talks too much" },
		{ "count", "NVML counts 4294967295 GPUs" },
	};
	struct tree *tree = *state;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "none");
	nvml = start(tree);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *report = next_report(nvml);

		assert_good(report);
		nvml_report_unref(report);
		tell(tree, 2, 0, cases[i].fault);
		wait_for_reason(nvml, NVML_FAILING, cases[i].reason);
		report = nvml_latest(nvml);
		assert_good(report);
		nvml_report_unref(report);
		tell(tree, 2, 0, "none");
	}
	nvml_report_unref(next_report(nvml));
	nvml_stop(nvml);
	assert_no_child();
}

/* How it goes wrong from the beginning: nothing is known until the fault has ended. */
static void test_faults_at_start(void **state)
{
	static const struct {
		const char *fault;
		const char *reason;
	} cases[] = {
		{ "init-hang", "NVML does not answer" },
		{ "init-crash", "the process that asks NVML ended by signal 11" },
		{ "init-error", "NVML does not start: an error without a text (999)" },
	};
	struct tree *tree = *state;

	install(tree, FAKE_NVML);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *report;
		struct nvml_status status;
		struct nvml *nvml;

		tell(tree, 2, 0, cases[i].fault);
		nvml = start(tree);
		assert_int_equal(nvml_wait(nvml, WAIT_MS), 0);
		wait_for_reason(nvml, NVML_FAILING, cases[i].reason);
		assert_null(nvml_latest(nvml));
		tell(tree, 2, 0, "none");
		report = next_report(nvml);
		assert_good(report);
		nvml_report_unref(report);
		nvml_status(nvml, &status);
		assert_true(status.starts >= 2);
		nvml_stop(nvml);
	}
	assert_no_child();
}

static void test_wrong_numbers(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	const struct nvml_gpu *gpu;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 1, "numbers");
	nvml = start(tree);
	report = next_report(nvml);
	assert_int_equal(report->n_gpus, 2);
	assert_true(report->cuda_version == NVML_UNKNOWN);
	gpu = &report->gpus[0];
	assert_string_equal(gpu->uuid, "GPU-00000000-0000-0000-0000-000000000000");
	assert_true(gpu->minor == NVML_UNKNOWN);
	assert_true(gpu->memory_bytes == NVML_UNKNOWN);
	assert_true(gpu->memory_used_bytes == NVML_UNKNOWN);
	assert_true(gpu->compute_major == NVML_UNKNOWN);
	assert_true(gpu->mig_mode == 1);
	assert_true(gpu->mig_mode_pending == NVML_UNKNOWN);
	assert_true(gpu->utilization_percent == NVML_UNKNOWN);
	assert_true(gpu->temperature_celsius == NVML_UNKNOWN);
	assert_true(gpu->power_milliwatts == NVML_UNKNOWN);
	assert_true(gpu->ecc_uncorrected == NVML_UNKNOWN);
	assert_true(gpu->recovery_action == NVML_UNKNOWN);
	assert_int_equal(gpu->n_migs, 1);
	assert_string_equal(report->migs[0].profile, "1g.18gb");
	assert_true(report->migs[0].memory_bytes == NVML_UNKNOWN);
	assert_true(report->migs[0].gpu_slices == NVML_UNKNOWN);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

/* Texts without an end: a GPU that does not say who it is counts as lost. */
static void test_wrong_strings(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "strings");
	nvml = start(tree);
	report = next_report(nvml);
	assert_string_equal(report->driver_version, "");
	assert_int_equal(report->n_gpus, 0);
	assert_int_equal(report->lost, 2);
	nvml_report_unref(report);
	tell(tree, 2, 0, "none");
	report = next_report(nvml);
	assert_good(report);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

static void test_endless_migs(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "migs");
	nvml = start(tree);
	report = next_report(nvml);
	assert_int_equal(report->n_gpus, 2);
	assert_int_equal(report->gpus[0].mig_mode, 1);
	assert_int_equal(report->gpus[0].mig_listed, 0);
	assert_int_equal(report->n_migs, 0);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

static void test_lost(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "lost");
	nvml = start(tree);
	report = next_report(nvml);
	assert_int_equal(report->lost, 1);
	assert_int_equal(report->n_gpus, 1);
	assert_null(nvml_report_find(report, "0000:3c:00.0"));
	nvml_report_unref(report);
	wait_for_reason(nvml, NVML_FAILING, "begun anew");
	tell(tree, 2, 0, "none");
	report = next_report(nvml);
	assert_good(report);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

/* Event waits that come back at once do not keep the reports from coming. */
static void test_odd_waits(void **state)
{
	static const char *const cases[] = { "wait-busy", "wait-error", "wait-storm" };
	struct tree *tree = *state;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "none");
	nvml = start(tree);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nvml_report *report;

		tell(tree, 2, 0, cases[i]);
		report = next_report(nvml);
		assert_good(report);
		nvml_report_unref(report);
	}
	nvml_stop(nvml);
}

static void wait_for_xid(struct nvml *nvml, uint64_t instance, uint64_t xid, struct nvml_xid *ret)
{
	for (int waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
		if (nvml_find_xid(nvml, "0000:3b:00.0", instance, ret) == 0 && ret->xid == xid)
			return;
		(void)poll(NULL, 0, LOOK_MS);
	}
	fail_msg("no XID %u", (unsigned int)xid);
}

static void test_xids(void **state)
{
	struct tree *tree = *state;
	struct nvml_xid xid;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "none");
	nvml = start(tree);
	nvml_report_unref(next_report(nvml));
	assert_int_equal(nvml_find_xid(nvml, "0000:3b:00.0", NVML_UNKNOWN, &xid), -ENOENT);

	/* One of an instance does not speak against the whole, nor against another. */
	tell_xid(tree, 94, 7, 1);
	wait_for_xid(nvml, 7, 94, &xid);
	assert_int_equal(xid.count, 1);
	assert_int_equal(xid.gpu_instance, 7);
	assert_int_equal(nvml_find_xid(nvml, "0000:3b:00.0", NVML_UNKNOWN, &xid), -ENOENT);
	assert_int_equal(nvml_find_xid(nvml, "0000:3b:00.0", 8, &xid), -ENOENT);

	/* One of the whole speaks against all its parts, and not against other GPUs. */
	tell_xid(tree, 48, -1, 2);
	wait_for_xid(nvml, NVML_UNKNOWN, 48, &xid);
	assert_true(xid.last_ms > 0 && xid.gpu_instance == NVML_UNKNOWN);
	assert_int_equal(nvml_find_xid(nvml, "0000:3b:00.0", 8, &xid), 0);
	assert_int_equal(nvml_find_xid(nvml, "0000:3c:00.0", NVML_UNKNOWN, &xid), -ENOENT);

	/* A program's fault is not kept; the one after it is. */
	tell_xid(tree, 31, -1, 3);
	nvml_report_unref(next_report(nvml));
	tell_xid(tree, 79, -1, 4);
	wait_for_xid(nvml, NVML_UNKNOWN, 79, &xid);
	assert_int_equal(xid.count, 2);

	/* They outlive the process that has told them. */
	tell(tree, 2, 0, "crash");
	wait_for_reason(nvml, NVML_FAILING, "ended");
	assert_int_equal(nvml_find_xid(nvml, "0000:3b:00.0", NVML_UNKNOWN, &xid), 0);
	nvml_stop(nvml);
}

/* Only what devices are made of counts as a change. */
static void test_changes(void **state)
{
	struct tree *tree = *state;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "init-hang");
	nvml = start(tree);
	assert_int_equal(nvml_changes(nvml), 0);
	tell(tree, 2, 0, "none");
	nvml_report_unref(next_report(nvml));
	assert_int_equal(nvml_changes(nvml), 1);
	tell(tree, 2, 0, "reset");
	nvml_report_unref(next_report(nvml));
	assert_int_equal(nvml_changes(nvml), 1);
	tell(tree, 2, 3, "none");
	nvml_report_unref(next_report(nvml));
	assert_int_equal(nvml_changes(nvml), 2);
	nvml_stop(nvml);
}

/* While a GPU waits for a reset, there is no process most of the time. */
static void test_out_of_the_way(void **state)
{
	struct nvml_times patient = quick;
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml_status status;
	struct nvml *nvml;

	patient.release_ms = HOUR_MS;
	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "reset");
	nvml = start_with(tree, &patient);
	assert_int_equal(nvml_wait(nvml, WAIT_MS), 0);
	for (int waited = 0; waitpid(-1, NULL, WNOHANG) == 0; waited += LOOK_MS) {
		assert_true(waited < WAIT_MS);
		(void)poll(NULL, 0, LOOK_MS);
	}
	assert_no_child();
	nvml_status(nvml, &status);
	assert_int_equal(status.state, NVML_WORKING);
	assert_int_equal(status.starts, 1);
	report = nvml_latest(nvml);
	assert_int_equal(report->gpus[0].recovery_action, NVML_RECOVERY_RESET_GPU);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

/* And it is seen when the reset was done. */
static void test_reset_done(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "reset");
	nvml = start(tree);
	report = next_report(nvml);
	assert_int_equal(report->gpus[0].recovery_action, NVML_RECOVERY_RESET_GPU);
	assert_int_equal(report->gpus[1].recovery_action, NVML_RECOVERY_NONE);
	nvml_report_unref(report);
	tell(tree, 2, 0, "none");
	report = next_report(nvml);
	assert_good(report);
	nvml_report_unref(report);
	nvml_stop(nvml);
}

/* It can be stopped at any time, and leaves nothing behind. */
static void test_stop(void **state)
{
	static const char *const cases[] = { "none", "init-hang", "hang", "init-error" };
	struct tree *tree = *state;

	install(tree, FAKE_NVML);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tell(tree, 2, 0, cases[i]);
		for (int delay_ms = 0; delay_ms <= 100; delay_ms += 50) {
			struct nvml *nvml = start(tree);

			(void)poll(NULL, 0, delay_ms);
			nvml_stop(nvml);
			assert_no_child();
		}
	}
}

/* A process that is in the hands of a driver that hangs does not go. */
static void test_stuck(void **state)
{
	struct tree *tree = *state;
	struct nvml_report *report;
	struct nvml_status before, status;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "none");
	nvml = start(tree);
	nvml_report_unref(next_report(nvml));
	__atomic_store_n(&immortal, true, __ATOMIC_SEQ_CST);
	tell(tree, 2, 0, "hang");
	do {
		(void)poll(NULL, 0, LOOK_MS);
		nvml_status(nvml, &before);
	} while (before.state != NVML_STUCK);

	/* No other is started beside it. */
	(void)poll(NULL, 0, 4 * (int)quick.retry_max_ms);
	nvml_status(nvml, &status);
	assert_int_equal(status.state, NVML_STUCK);
	assert_int_equal(status.starts, before.starts);
	report = nvml_latest(nvml);
	assert_good(report);
	nvml_report_unref(report);

	tell(tree, 2, 0, "none");
	__atomic_store_n(&immortal, false, __ATOMIC_SEQ_CST);
	nvml_report_unref(next_report(nvml));
	nvml_stop(nvml);
	assert_no_child();
}

/* Starts NVML, and ends without another word once the process has begun to work. */
static void start_and_die(const struct tree *tree)
{
	struct nvml *nvml = start(tree);

	while (!nvml_latest(nvml))
		(void)poll(NULL, 0, 1);
	_exit(0);
}

/* A process that hangs does not outlive the program that has started it. */
static void test_parent_dies(void **state)
{
	struct tree *tree = *state;
	int ended = 0;
	pid_t pid;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "wait-hang");
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		start_and_die(tree);
	for (int waited = 0; ended < 2 && waited < WAIT_MS; waited += LOOK_MS) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			ended++;
		(void)poll(NULL, 0, LOOK_MS);
	}
	assert_int_equal(ended, 2);
	assert_no_child();
}

static void test_wait_in_vain(void **state)
{
	struct tree *tree = *state;
	struct nvml *nvml;

	install(tree, FAKE_NVML);
	tell(tree, 2, 0, "init-hang");
	nvml = start(tree);
	assert_int_equal(nvml_wait(nvml, 1), -ETIMEDOUT);
	nvml_stop(nvml);
}

#define TEST(function) TREE_TEST(function)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_facts),	  TEST(test_migs),
		TEST(test_older),	  TEST(test_no_driver),
		TEST(test_library_comes), TEST(test_driver_goes),
		TEST(test_faults_later),  TEST(test_faults_at_start),
		TEST(test_wrong_numbers), TEST(test_wrong_strings),
		TEST(test_endless_migs),  TEST(test_lost),
		TEST(test_odd_waits),	  TEST(test_xids),
		TEST(test_stop),	  TEST(test_stuck),
		TEST(test_parent_dies),	  TEST(test_wait_in_vain),
		TEST(test_changes),	  TEST(test_out_of_the_way),
		TEST(test_reset_done),
	};

	if (nvml_child_is_asked(argc, argv))
		return nvml_child_main(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
