/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The completion queue and its thread.
 *
 * Everything asynchronous is a struct rpc_tag: it goes into gRPC with a batch
 * and comes out of the queue here, where its function is called.  One lock
 * guards all state; handlers of calls run without it.
 */
#include "api/grpc/rpc.h"

#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "api/grpc/internal.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"

/*
 * absl::SetMutexDeadlockDetectionMode(OnDeadlockCycle), under the name that Debian
 * builds it with; absent elsewhere.  Debian's Abseil is built with the checks of
 * a debug build: it searches a graph of all locks for cycles at every lock that
 * gRPC takes, a fifth of the time of a small call.
 *
 * Source: absl/synchronization/mutex.h, where 0 is OnDeadlockCycle::kIgnore
 */
extern void set_mutex_deadlock_detection_mode(int mode) __asm__(
	"_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE")
	__attribute__((weak));

static void log_grpc(gpr_log_func_args *args)
{
	log_debug("grpc", "%s:%d: %s", args->file, args->line, args->message);
}

static void *serve_queue(void *arg)
{
	struct rpc *rpc = arg;

	for (;;) {
		void (*complete)(struct rpc_tag * tag, bool ok);
		struct rpc_tag *tag;
		gpr_timespec until;
		grpc_event event;

		rpc_lock(rpc);
		until = rpc_servers_expire(rpc);
		rpc_unlock(rpc);
		event = grpc_completion_queue_next(rpc->queue, until, NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_QUEUE_TIMEOUT)
			continue;
		tag = event.tag;
		/* Who fills a tag takes the lock afterwards, and starts what it is of. */
		rpc_lock(rpc);
		complete = tag->complete;
		rpc_unlock(rpc);
		complete(tag, event.success != 0);
	}
}

int rpc_new(struct rpc **ret, struct error *err)
{
	struct rpc *rpc = calloc(1, sizeof(*rpc));
	int r;

	if (!rpc)
		return error_set(err, ENOMEM, "no memory for gRPC");
	gpr_set_log_function(log_grpc);
	if (set_mutex_deadlock_detection_mode)
		set_mutex_deadlock_detection_mode(0);
	grpc_init();
	(void)pthread_mutex_init(&rpc->lock, NULL);
	(void)pthread_cond_init(&rpc->idle, NULL);
	rpc->queue = grpc_completion_queue_create_for_next(NULL);
	r = pthread_create(&rpc->thread, NULL, serve_queue, rpc);
	if (r != 0) {
		grpc_completion_queue_shutdown(rpc->queue);
		grpc_completion_queue_destroy(rpc->queue);
		grpc_shutdown();
		free(rpc);
		return error_set(err, r, "start the gRPC thread: %s", strerror(r));
	}
	*ret = rpc;
	return 0;
}

void rpc_free(struct rpc *rpc)
{
	if (!rpc)
		return;
	rpc_lock(rpc);
	rpc_calls_cancel(rpc);
	while (rpc->n_active > 0)
		(void)pthread_cond_wait(&rpc->idle, &rpc->lock);
	rpc_unlock(rpc);
	grpc_completion_queue_shutdown(rpc->queue);
	(void)pthread_join(rpc->thread, NULL);
	grpc_completion_queue_destroy(rpc->queue);
	(void)pthread_cond_destroy(&rpc->idle);
	(void)pthread_mutex_destroy(&rpc->lock);
	free(rpc);
	grpc_shutdown_blocking();
}

void rpc_activate(struct rpc *rpc)
{
	rpc->n_active++;
}

void rpc_deactivate(struct rpc *rpc)
{
	rpc->n_active--;
	if (rpc->n_active == 0)
		(void)pthread_cond_broadcast(&rpc->idle);
}

void rpc_message_done(struct rpc_message *message)
{
	cleanup_freep(&message->data);
	*message = (struct rpc_message) { 0 };
}

int rpc_target(const char *path, char *buf, size_t size, struct error *err)
{
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	size_t len = strlen(path);

	if (len > max)
		return error_set(err, ENAMETOOLONG,
				 "socket path '%s' has %zu bytes, a unix socket allows %zu", path,
				 len, max);
	if ((size_t)snprintf(buf, size, "unix:%s", path) >= size)
		return error_set(err, ENAMETOOLONG, "socket path '%s' is too long", path);
	return 0;
}

grpc_slice rpc_slice_from_message(struct rpc_message *message)
{
	grpc_slice slice;

	if (message->len == 0) {
		rpc_message_done(message);
		return grpc_empty_slice();
	}
	slice = grpc_slice_new(message->data, message->len, free);
	*message = (struct rpc_message) { 0 };
	return slice;
}

void rpc_slice_text(grpc_slice slice, char *buf, size_t size)
{
	size_t len = MIN(GRPC_SLICE_LENGTH(slice), size - 1);

	memcpy(buf, GRPC_SLICE_START_PTR(slice), len);
	buf[len] = '\0';
}

enum rpc_status rpc_status_from_errno(int r)
{
	static const struct {
		int code;
		enum rpc_status status;
	} rows[] = {
		{ 0, RPC_STATUS_OK },
		{ EINVAL, RPC_STATUS_INVALID_ARGUMENT },
		{ ENOENT, RPC_STATUS_NOT_FOUND },
		{ ENODEV, RPC_STATUS_NOT_FOUND },
		{ E2BIG, RPC_STATUS_RESOURCE_EXHAUSTED },
		{ ENOMEM, RPC_STATUS_RESOURCE_EXHAUSTED },
		{ EIO, RPC_STATUS_UNAVAILABLE },
		{ EAGAIN, RPC_STATUS_UNAVAILABLE },
		{ ENOSYS, RPC_STATUS_UNIMPLEMENTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == -r)
			return rows[i].status;
	return RPC_STATUS_INTERNAL;
}

const char *rpc_status_name(int status)
{
	static const char *const names[] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	if (status < 0 || (size_t)status >= ARRAY_SIZE(names))
		return "UNKNOWN";
	return names[status];
}
