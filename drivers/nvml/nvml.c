/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread does nothing but wait, with a deadline, for its process to speak: for the
 * first report to begin, then for the next line while a report is being read, then for
 * the next report.  The start takes long where the GPUs were not in use, the rest does
 * not.  It never calls NVML, so it can always be stopped.
 *
 * What others read (report, status, faults) is behind one lock, which is held for
 * copying only.
 */
#include "drivers/nvml/nvml.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/thread.h"
#include "drivers/nvml/process.h"
#include "drivers/nvml/wire.h"

#define COMPONENT "nvml"
#define DRIVER_DIR "proc/driver/nvidia"

/* A process that has told this many reports ends a run of failures. */
#define STEADY_REPORTS 10
/* A process that ends by itself is waited for, so that how it ended is known. */
#define GRACE_MS 100
#define STUCK_LOOK_MS 1000
/* A whole report of the most GPUs is half of it. */
#define BYTES_PER_SECOND_MAX (1024 * 1024)
/* Every GPU instance of eight GPUs; of more, the oldest is forgotten. */
#define XIDS_MAX 64
#define STACK_BYTES ((size_t)128 * 1024)

static const struct nvml_times usual_times = {
	.interval_ms = 5000,
	.start_ms = 30000, /* eight GPUs without persistence mode take half of it */
	.silence_ms = 2000,
	.absent_ms = 60000,
	.release_ms = 60000, /* long enough for nvidia-smi, and for who tries it again */
	.retry_min_ms = 1000,
	.retry_max_ms = 60000,
};

struct nvml {
	struct host host; /* a copy, as the caller may move its own */
	struct nvml_times times;
	int stop_fd;
	pthread_t thread;

	/* The thread's own. */
	struct nvml_process process;
	struct backoff backoff;
	uint32_t reports; /* of this process */
	bool in_the_way;  /* the process keeps a GPU from being reset */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* there is a report, or a failure */
	struct nvml_report *latest;
	uint64_t changes; /* of the facts in it */
	struct nvml_status status;
	struct nvml_xid xids[XIDS_MAX];
	size_t n_xids;
};

/* What is known of the conversation with one process. */
struct talk {
	struct nvml_reader reader;
	uint64_t phase_until; /* when this report, or the wait for it, must be over */
	uint64_t until;	      /* when the next byte must be there */
	uint64_t second;      /* in which the bytes are counted */
	size_t bytes;
};

static void take_report(void *ctx, struct nvml_report *report)
{
	struct nvml *nvml = ctx;
	struct nvml_report *before;

	report->taken_ms = clock_ms();
	if (nvml->reports < STEADY_REPORTS && ++nvml->reports == STEADY_REPORTS)
		backoff_reset(&nvml->backoff);
	nvml->in_the_way = nvml_report_wants_reset(report);
	(void)pthread_mutex_lock(&nvml->lock);
	before = nvml->latest;
	if (!before || !nvml_report_same_facts(before, report))
		nvml->changes++;
	nvml->latest = report;
	nvml->status.state = NVML_WORKING;
	(void)pthread_cond_broadcast(&nvml->changed);
	(void)pthread_mutex_unlock(&nvml->lock);
	nvml_report_unref(before);
}

/* The row for a fault; a new one, or the oldest, if it has none. */
static struct nvml_xid *xid_row(struct nvml *nvml, const struct nvml_event *event)
{
	struct nvml_xid *oldest = &nvml->xids[0];

	for (size_t i = 0; i < nvml->n_xids; i++) {
		struct nvml_xid *row = &nvml->xids[i];

		if (row->gpu_instance == event->gpu_instance && strcmp(row->bdf, event->bdf) == 0)
			return row;
		if (row->last_ms < oldest->last_ms)
			oldest = row;
	}
	if (nvml->n_xids < XIDS_MAX)
		oldest = &nvml->xids[nvml->n_xids++];
	*oldest = (struct nvml_xid) { .gpu_instance = event->gpu_instance };
	memcpy(oldest->bdf, event->bdf, sizeof(oldest->bdf));
	return oldest;
}

static void take_event(void *ctx, const struct nvml_event *event)
{
	struct nvml *nvml = ctx;
	struct nvml_xid *row;

	log_debug(COMPONENT, "XID %" PRIu64 " of GPU %s", event->xid, event->bdf);
	if (nvml_xid_is_application(event->xid))
		return;
	(void)pthread_mutex_lock(&nvml->lock);
	row = xid_row(nvml, event);
	row->xid = event->xid;
	row->count++;
	row->last_ms = clock_ms();
	(void)pthread_mutex_unlock(&nvml->lock);
}

static void set_state(struct nvml *nvml, enum nvml_state state, const char *reason)
{
	(void)pthread_mutex_lock(&nvml->lock);
	nvml->status.state = state;
	(void)snprintf(nvml->status.reason, sizeof(nvml->status.reason), "%s", reason);
	(void)pthread_cond_broadcast(&nvml->changed);
	(void)pthread_mutex_unlock(&nvml->lock);
	log_debug(COMPONENT, "%s", reason);
}

/* Waits until @fd (-1: none) can be read; -ECANCELED when it is time to stop. */
static int wait_until(const struct nvml *nvml, int fd, uint64_t until)
{
	struct pollfd fds[] = { { .fd = nvml->stop_fd, .events = POLLIN },
				{ .fd = fd, .events = POLLIN } };

	for (;;) {
		uint64_t now = clock_ms();
		int ms = until > now ? (int)MIN(until - now, (uint64_t)INT32_MAX) : 0;
		int n = poll(fds, ARRAY_SIZE(fds), ms);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			return fds[0].revents ? -ECANCELED : 0;
		if (n == 0 && now + (uint64_t)ms >= until)
			return -ETIMEDOUT;
	}
}

/* A process that never stops to talk is as bad as one that does not. */
static bool talks_too_much(struct talk *talk, size_t len)
{
	uint64_t second = clock_ms() / 1000;

	if (second != talk->second) {
		talk->second = second;
		talk->bytes = 0;
	}
	talk->bytes += len;
	return talk->bytes > BYTES_PER_SECOND_MAX;
}

static void set_deadline(const struct nvml_times *times, struct talk *talk, uint32_t phase_before)
{
	uint64_t now = clock_ms();

	if (talk->reader.phase != phase_before)
		talk->phase_until =
			now + (talk->reader.report ? times->start_ms
						   : times->interval_ms + times->silence_ms);
	talk->until = talk->phase_until;
	if (talk->reader.report)
		talk->until = MIN(talk->until, now + times->silence_ms);
}

/* Reads once what the process says. */
static int hear(struct nvml *nvml, struct talk *talk, struct error *err)
{
	uint32_t phase = talk->reader.phase;
	char buffer[4096];
	ssize_t n = recv(nvml->process.fd, buffer, sizeof(buffer), 0);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return error_set(err, EPIPE, "the process that asks NVML is gone");
	if (talks_too_much(talk, (size_t)n))
		return error_set(err, EPROTO, "the process that asks NVML talks too much");
	r = nvml_reader_feed(&talk->reader, buffer, (size_t)n, err);
	if (r == 0)
		set_deadline(&nvml->times, talk, phase);
	return r;
}

/* Listens until something is wrong. */
static int listen_to(struct nvml *nvml, struct error *err)
{
	struct talk talk = { .reader.sink = { take_report, take_event, nvml } };
	uint64_t begun = clock_ms();
	int r;

	talk.phase_until = begun + nvml->times.start_ms;
	talk.until = talk.phase_until;
	do {
		r = wait_until(nvml, nvml->process.fd, talk.until);
		if (r == -ETIMEDOUT)
			(void)error_set(err, ETIMEDOUT, "NVML does not answer");
		else if (r == 0)
			r = hear(nvml, &talk, err);
	} while (r == 0 && !nvml->in_the_way);
	nvml_reader_done(&talk.reader);
	return r;
}

/* Waits out a process that SIGKILL does not reach: to start more would only add to
 * those that hang in the driver. */
static void end_process(struct nvml *nvml, uint32_t grace_ms, char *how, size_t size)
{
	while (nvml_process_end(&nvml->process, grace_ms, how, size) < 0) {
		set_state(nvml, NVML_STUCK, "the process that asks NVML hangs in the driver");
		if (wait_until(nvml, -1, clock_ms() + STUCK_LOOK_MS) == -ECANCELED)
			return;
	}
}

/* Starts a process and listens to it; returns how that failed, or 0 when the process
 * was in the way. */
static int try_once(struct nvml *nvml, struct error *err)
{
	char how[64];
	int r;

	if (faccessat(nvml->host.root_fd, DRIVER_DIR, F_OK, 0) < 0)
		return error_set(err, ENOENT, "NVIDIA's driver is not loaded");
	r = nvml_process_start(nvml->host.root, nvml->times.interval_ms, &nvml->process, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&nvml->lock);
	nvml->status.starts++;
	(void)pthread_mutex_unlock(&nvml->lock);
	nvml->reports = 0;
	nvml->in_the_way = false;
	r = listen_to(nvml, err);
	end_process(nvml, r == -EPIPE ? GRACE_MS : 0, how, sizeof(how));
	if (r == -EPIPE && how[0] != '\0')
		return error_set(err, EPIPE, "the process that asks NVML %s", how);
	return r;
}

static uint32_t next_delay_ms(struct nvml *nvml, int r)
{
	if (r == 0)
		return nvml->times.release_ms;
	if (r == -ENOENT)
		return nvml->times.absent_ms;
	return backoff_next_ms(&nvml->backoff, random_u32());
}

static void *run(void *ctx)
{
	struct nvml *nvml = ctx;
	uint32_t delay_ms;
	int r;

	do {
		struct error err = { 0 };

		r = try_once(nvml, &err);
		if (r == -ECANCELED)
			break;
		if (r < 0)
			set_state(nvml, r == -ENOENT ? NVML_ABSENT : NVML_FAILING,
				  error_text(&err, r));
		delay_ms = next_delay_ms(nvml, r);
	} while (wait_until(nvml, -1, clock_ms() + delay_ms) == -ETIMEDOUT);
	return NULL;
}

static int start_thread(struct nvml *nvml)
{
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return r;
	/* Refused where a sanitizer wants more; then it has the usual one. */
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	r = pthread_create(&nvml->thread, &attributes, run, nvml);
	(void)pthread_attr_destroy(&attributes);
	return r;
}

static void init_lock(struct nvml *nvml)
{
	(void)pthread_mutex_init(&nvml->lock, NULL);
	(void)pthread_cond_init(&nvml->changed, NULL);
}

static void nvml_free(struct nvml *nvml)
{
	cleanup_closep(&nvml->stop_fd);
	(void)pthread_cond_destroy(&nvml->changed);
	(void)pthread_mutex_destroy(&nvml->lock);
	nvml_report_unref(nvml->latest);
	free(nvml);
}

int nvml_start(const struct host *host, const struct nvml_times *times, struct nvml **ret,
	       struct error *err)
{
	struct nvml *nvml;
	int r;

	if (faccessat(host->root_fd, DRIVER_DIR, F_OK, 0) < 0)
		return error_set(err, ENOENT, "NVIDIA's driver is not loaded");
	nvml = calloc(1, sizeof(*nvml));
	if (!nvml)
		return error_set(err, ENOMEM, "no memory for NVML");
	nvml->host = *host;
	nvml->times = times ? *times : usual_times;
	nvml->process.fd = -1;
	nvml->backoff = (struct backoff) { .min_ms = nvml->times.retry_min_ms,
					   .max_ms = nvml->times.retry_max_ms };
	init_lock(nvml);
	nvml->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = nvml->stop_fd < 0 ? errno : start_thread(nvml);
	if (r != 0) {
		nvml_free(nvml);
		return error_set(err, r, "start a thread for NVML: %s", strerror(r));
	}
	*ret = nvml;
	return 0;
}

void nvml_stop(struct nvml *nvml)
{
	if (!nvml)
		return;
	(void)eventfd_write(nvml->stop_fd, 1);
	(void)pthread_join(nvml->thread, NULL);
	nvml_free(nvml);
}

int nvml_wait(struct nvml *nvml, uint32_t timeout_ms)
{
	uint64_t until_ns = clock_ns() + (uint64_t)timeout_ms * 1000000;
	int r = 0;

	(void)pthread_mutex_lock(&nvml->lock);
	while (r == 0 && nvml->status.state == NVML_STARTING)
		r = thread_wait(&nvml->changed, &nvml->lock, until_ns);
	(void)pthread_mutex_unlock(&nvml->lock);
	return r == 0 ? 0 : -ETIMEDOUT;
}

struct nvml_report *nvml_latest(struct nvml *nvml)
{
	struct nvml_report *report;

	(void)pthread_mutex_lock(&nvml->lock);
	report = nvml->latest ? nvml_report_ref(nvml->latest) : NULL;
	(void)pthread_mutex_unlock(&nvml->lock);
	return report;
}

uint64_t nvml_changes(struct nvml *nvml)
{
	uint64_t changes;

	(void)pthread_mutex_lock(&nvml->lock);
	changes = nvml->changes;
	(void)pthread_mutex_unlock(&nvml->lock);
	return changes;
}

void nvml_status(struct nvml *nvml, struct nvml_status *ret)
{
	(void)pthread_mutex_lock(&nvml->lock);
	*ret = nvml->status;
	(void)pthread_mutex_unlock(&nvml->lock);
}

/* Whether a fault speaks against a GPU instance, or against the whole GPU. */
static bool concerns(const struct nvml_xid *xid, const char *bdf, uint64_t gpu_instance)
{
	return strcmp(xid->bdf, bdf) == 0 &&
	       (xid->gpu_instance == NVML_UNKNOWN || xid->gpu_instance == gpu_instance);
}

int nvml_find_xid(struct nvml *nvml, const char *bdf, uint64_t gpu_instance, struct nvml_xid *ret)
{
	const struct nvml_xid *last = NULL;

	(void)pthread_mutex_lock(&nvml->lock);
	for (size_t i = 0; i < nvml->n_xids; i++) {
		const struct nvml_xid *xid = &nvml->xids[i];

		if (concerns(xid, bdf, gpu_instance) && (!last || xid->last_ms > last->last_ms))
			last = xid;
	}
	if (last)
		*ret = *last;
	(void)pthread_mutex_unlock(&nvml->lock);
	return last ? 0 : -ENOENT;
}
