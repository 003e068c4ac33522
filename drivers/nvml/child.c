/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread: it asks for everything, sends it, and waits for events until it is time
 * to ask again.  It sends after each GPU, so that the parent can tell one that is slow
 * from a library that hangs.  Nothing is caught: whatever goes wrong ends the process,
 * and the parent begins anew.
 */
#include "drivers/nvml/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/parse.h"
#include "drivers/nvml/library.h"
#include "drivers/nvml/query.h"
#include "drivers/nvml/wire.h"

/* Where the links lead changes with a reset only, and to ask costs dozens of calls. */
#define LINKS_ROUNDS 12
/* NVML counts its GPUs once; one that was lost may be there for a new process. */
#define LOST_ROUNDS_MAX 12
/* Between two reports.  Faults come in storms, and the first say it all. */
#define EVENTS_MAX 256
#define BUFFER_MAX (64 * 1024) /* what belongs to one GPU has 30 KiB at most */
#define INTERVAL_MAX_MS (60 * 60 * 1000)

/* A GPU as it was when it was asked last. */
struct seen_gpu {
	struct nvml_handle *device;
	char bdf[DEVICE_BDF_MAX];
	struct nvml_links links;
};

struct child {
	struct nvml_library library;
	struct nvml_event_set *events; /* NULL when there can be none */
	struct strbuf out;
	struct strbuf parts; /* of the GPU that is asked, to follow its own record */
	uint32_t interval_ms;
	uint32_t rounds;
	uint32_t lost_rounds; /* one after the other in which a GPU was lost */
	struct seen_gpu gpus[NVML_GPUS_MAX];
	unsigned int n_gpus;
};

static bool possible; /* set once, before there are threads */

bool nvml_child_is_possible(void)
{
	return possible;
}

bool nvml_child_is_asked(int argc, char *const *argv)
{
	possible = true;
	return argc == NVML_CHILD_ARGUMENTS && strcmp(argv[0], NVML_CHILD_NAME) == 0;
}

/* Sends what was written. */
static int flush(struct child *child, struct error *err)
{
	const char *data = strbuf_str(&child->out);
	size_t left = child->out.len;

	if (strbuf_error(&child->out) < 0)
		return error_set(err, ENOMEM, "no memory for what NVML says");
	while (left > 0) {
		ssize_t n = send(NVML_CHILD_FD, data, left, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, errno, "the parent is gone: %s", strerror(errno));
		data += n;
		left -= (size_t)n;
	}
	strbuf_clear(&child->out);
	return 0;
}

static int nvml_failed(const struct child *child, const char *what, int result, struct error *err)
{
	return error_set(err, EIO, "%s: %s (%d)", what, nvml_library_error(&child->library, result),
			 result);
}

/* Events are a gain, not a need: without them the reports go on. */
static void begin_events(struct child *child)
{
	const struct nvml_library *library = &child->library;
	unsigned int count;

	if (!library->event_set_create || !library->register_events || !library->event_wait ||
	    library->event_set_create(&child->events) != NVML_SUCCESS ||
	    library->device_count(&count) != NVML_SUCCESS)
		return;
	for (unsigned int i = 0; i < count && i < NVML_GPUS_MAX; i++) {
		struct nvml_handle *device;

		if (library->device_by_index(i, &device) == NVML_SUCCESS)
			(void)library->register_events(device, NVML_EVENT_XID, child->events);
	}
}

static int begin(struct child *child, const char *root, struct error *err)
{
	struct nvml_hello hello = { .version = NVML_WIRE_VERSION };
	int r;

	(void)nvml_record_write(&child->out, NVML_RECORD_HELLO, &hello);
	r = flush(child, err);
	if (r == 0)
		r = nvml_library_open(root, &child->library, err);
	if (r < 0)
		return r;
	r = child->library.init();
	if (r != NVML_SUCCESS)
		return nvml_failed(child, "NVML does not start", r, err);
	begin_events(child);
	return 0;
}

static int write_mig(struct child *child, const struct nvml_gpu *gpu, struct nvml_handle *device)
{
	struct nvml_mig mig;

	nvml_query_mig(&child->library, device, gpu, &mig);
	return nvml_record_write(&child->parts, NVML_RECORD_MIG, &mig);
}

/* How many places for MIG devices a GPU has; false when it does not say so sanely. */
static bool count_migs(const struct child *child, struct nvml_handle *device, unsigned int *ret)
{
	const struct nvml_library *library = &child->library;

	return library->mig_count && library->mig_by_index &&
	       library->mig_count(device, ret) == NVML_SUCCESS && *ret <= NVML_MIGS_MAX;
}

/* Returns false when not all MIG devices of a GPU can be told. */
static bool write_migs(struct child *child, const struct nvml_gpu *gpu, struct nvml_handle *device)
{
	unsigned int count;
	bool all = true;

	strbuf_clear(&child->parts);
	if (gpu->mig_mode != 1 || !count_migs(child, device, &count))
		return false;
	for (unsigned int i = 0; i < count; i++) {
		struct nvml_handle *mig;
		int result = child->library.mig_by_index(device, i, &mig);

		if (result == NVML_ERROR_NOT_FOUND)
			continue; /* a place that is free */
		if (result != NVML_SUCCESS || write_mig(child, gpu, mig) < 0)
			all = false;
	}
	return all;
}

static void write_links(struct child *child, struct seen_gpu *seen)
{
	if (child->rounds % LINKS_ROUNDS == 0)
		nvml_query_links(&child->library, seen->device, &seen->links);
	for (size_t i = 0; i < seen->links.n; i++)
		(void)nvml_record_write(&child->out, NVML_RECORD_LINK, &seen->links.links[i]);
}

/* Returns false when the GPU does not tell who it is. */
static bool write_gpu(struct child *child, unsigned int index)
{
	struct seen_gpu *seen = &child->gpus[index];
	struct nvml_gpu gpu;

	if (child->library.device_by_index(index, &seen->device) != NVML_SUCCESS)
		return false;
	nvml_query_gpu(&child->library, seen->device, &gpu);
	gpu.mig_listed = write_migs(child, &gpu, seen->device);
	if (nvml_record_write(&child->out, NVML_RECORD_GPU, &gpu) < 0)
		return false;
	memcpy(seen->bdf, gpu.bdf, sizeof(seen->bdf));
	strbuf_add(&child->out, strbuf_str(&child->parts), child->parts.len);
	write_links(child, seen);
	return true;
}

static int send_report(struct child *child, struct error *err)
{
	struct nvml_report report = { 0 };
	int r;

	nvml_query_versions(&child->library, &report);
	(void)nvml_record_write(&child->out, NVML_RECORD_REPORT, &report);
	r = child->library.device_count(&child->n_gpus);
	if (r != NVML_SUCCESS)
		return nvml_failed(child, "NVML does not count its GPUs", r, err);
	if (child->n_gpus > NVML_GPUS_MAX)
		return error_set(err, EIO, "NVML counts %u GPUs", child->n_gpus);
	for (unsigned int i = 0; i < child->n_gpus; i++) {
		if (!write_gpu(child, i))
			report.lost++;
		r = flush(child, err);
		if (r < 0)
			return r;
	}
	(void)nvml_record_write(&child->out, NVML_RECORD_END, &report);
	child->rounds++;
	child->lost_rounds = report.lost > 0 ? child->lost_rounds + 1 : 0;
	return flush(child, err);
}

/* A lost GPU may not tell its address any more; its handle does. */
static void find_bdf(const struct child *child, struct nvml_handle *device, char *ret)
{
	for (unsigned int i = 0; i < child->n_gpus; i++) {
		if (child->gpus[i].device != device)
			continue;
		memcpy(ret, child->gpus[i].bdf, DEVICE_BDF_MAX);
		return;
	}
	nvml_query_bdf(&child->library, device, ret);
}

static int send_event(struct child *child, const struct nvml_event_data *data, struct error *err)
{
	struct nvml_event event = { .xid = data->data,
				    .gpu_instance = data->gpu_instance,
				    .compute_instance = data->compute_instance };

	if (data->type != NVML_EVENT_XID)
		return 0;
	find_bdf(child, data->device, event.bdf);
	(void)nvml_record_write(&child->out, NVML_RECORD_EVENT, &event);
	return flush(child, err);
}

/* Waits without NVML; fails when the parent is gone. */
static int wait_idle(uint64_t ms, struct error *err)
{
	struct pollfd parent = { .fd = NVML_CHILD_FD };

	if (poll(&parent, 1, (int)ms) > 0)
		return error_set(err, EPIPE, "the parent is gone");
	return 0;
}

/* Waits for events until it is time for the next report. */
static int wait_events(struct child *child, struct error *err)
{
	uint64_t until = clock_ms() + child->interval_ms;
	unsigned int budget = child->events ? EVENTS_MAX : 0;

	for (uint64_t now = clock_ms(); now < until; now = clock_ms()) {
		struct nvml_event_data data = { .gpu_instance = NVML_INSTANCE_NONE,
						.compute_instance = NVML_INSTANCE_NONE };
		int result = NVML_SUCCESS;
		int r = 0;

		if (budget == 0)
			return wait_idle(until - now, err);
		budget--;
		result = child->library.event_wait(child->events, &data,
						   (unsigned int)(until - now));
		if (result == NVML_SUCCESS)
			r = send_event(child, &data, err);
		else if (result != NVML_ERROR_TIMEOUT)
			budget = 0; /* it would fail again at once */
		if (r < 0)
			return r;
	}
	return 0;
}

static int serve(struct child *child, const char *root, struct error *err)
{
	int r = begin(child, root, err);

	while (r == 0) {
		r = send_report(child, err);
		if (r == 0 && child->lost_rounds >= LOST_ROUNDS_MAX)
			r = error_set(err, EIO, "a GPU is lost; NVML is begun anew");
		if (r == 0)
			r = wait_events(child, err);
	}
	return r;
}

static void send_failure(struct child *child, int r, const struct error *err)
{
	struct nvml_failure failure = { .absent = r == -ENOENT };

	if (str_copy(failure.text, sizeof(failure.text), error_text(err, r)) < 0 ||
	    !str_is_printable(failure.text))
		(void)str_copy(failure.text, sizeof(failure.text), strerror(-r));
	strbuf_clear(&child->out);
	(void)nvml_record_write(&child->out, NVML_RECORD_FAILURE, &failure);
	(void)flush(child, NULL);
}

/* Ends with its parent even where the library hangs, and leaves no core files of
 * somebody else's faults behind. */
static int prepare(void)
{
	struct pollfd parent = { .fd = NVML_CHILD_FD };
	struct rlimit none = { 0 };

	(void)prctl(PR_SET_NAME, NVML_CHILD_NAME);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_CORE, &none);
	return poll(&parent, 1, 0) == 0 ? 0 : -EPIPE; /* it may have ended before */
}

int nvml_child_main(char *const *argv)
{
	struct child *child = calloc(1, sizeof(*child));
	struct error err = { 0 };
	int r;

	if (!child || prepare() < 0 || parse_u32(argv[2], INTERVAL_MAX_MS, &child->interval_ms) < 0)
		_exit(EXIT_FAILURE);
	child->out = STRBUF_INIT(BUFFER_MAX);
	child->parts = STRBUF_INIT(BUFFER_MAX);
	r = serve(child, argv[1], &err);
	send_failure(child, r, &err);
	/* Nothing that the library has left for the end is run. */
	_exit(EXIT_FAILURE);
}
