/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One epoll instance.  Each source is a descriptor with a dispatch function;
 * posted calls are a locked list with an eventfd.
 */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Room for several events; one event is at most its header and a file name. */
#define WATCH_BUFFER_SIZE (8 * (sizeof(struct inotify_event) + NAME_MAX + 1))

struct posted_call {
	struct posted_call *next;
	loop_fn fn;
	void *ctx;
};

struct loop {
	int epoll_fd;
	int wake_fd;
	bool stopped;
	struct loop_source *wake;
	pthread_mutex_t lock; /* guards the two pointers below */
	struct posted_call *first;
	struct posted_call **last;
};

struct loop_source {
	struct loop *loop;
	int fd;
	bool owns_fd;
	bool busy;  /* its dispatch function goes on after a callback */
	bool freed; /* while busy: to be released when that ends */
	void (*dispatch)(struct loop_source *source);
	union {
		loop_fd_fn on_fd;
		loop_fn on_timer;
		loop_signal_fn on_signal;
		loop_watch_fn on_watch;
	};
	void *ctx;
};

/* Makes a source for @fd; on success the source owns @fd if @owns_fd says so. */
static int source_new(struct loop *loop, int fd, bool owns_fd,
		      void (*dispatch)(struct loop_source *), void *ctx, struct loop_source **ret,
		      struct error *err)
{
	_cleanup_free_ struct loop_source *source = calloc(1, sizeof(*source));
	struct epoll_event event = { .events = EPOLLIN };

	if (!source)
		return error_set(err, ENOMEM, "no memory for an event source");
	*source = (struct loop_source) {
		.loop = loop, .fd = fd, .owns_fd = owns_fd, .dispatch = dispatch, .ctx = ctx
	};
	event.data.ptr = source;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return error_set(err, errno, "epoll_ctl: %s", strerror(errno));
	*ret = TAKE_PTR(source);
	return 0;
}

void loop_source_free(struct loop_source *source)
{
	int saved_errno = errno;

	if (!source)
		return;
	(void)epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->owns_fd)
		(void)close(source->fd);
	if (source->busy)
		source->freed = true;
	else
		free(source);
	errno = saved_errno;
}

static struct posted_call *take_posted(struct loop *loop)
{
	struct posted_call *calls;

	pthread_mutex_lock(&loop->lock);
	calls = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	pthread_mutex_unlock(&loop->lock);
	return calls;
}

static void run_posted(void *ctx, int fd)
{
	struct loop *loop = ctx;
	struct posted_call *call;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
	call = take_posted(loop);
	while (call) {
		struct posted_call *next = call->next;

		call->fn(call->ctx);
		free(call);
		call = next;
	}
}

int loop_new(struct loop **ret, struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return error_set(err, ENOMEM, "no memory for the event loop");
	loop->last = &loop->first;
	(void)pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0)
		return error_set(err, errno, "make the event loop: %s", strerror(errno));
	r = loop_add_fd(loop, loop->wake_fd, run_posted, loop, &loop->wake, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(loop);
	return 0;
}

void loop_free(struct loop *loop)
{
	struct posted_call *call;

	if (!loop)
		return;
	loop_source_free(loop->wake);
	call = take_posted(loop);
	while (call) {
		struct posted_call *next = call->next;

		free(call);
		call = next;
	}
	if (loop->epoll_fd >= 0)
		(void)close(loop->epoll_fd);
	if (loop->wake_fd >= 0)
		(void)close(loop->wake_fd);
	(void)pthread_mutex_destroy(&loop->lock);
	free(loop);
}

int loop_run(struct loop *loop, struct error *err)
{
	loop->stopped = false;
	while (!loop->stopped) {
		struct epoll_event event;
		int n = epoll_wait(loop->epoll_fd, &event, 1, -1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, errno, "epoll_wait: %s", strerror(errno));
		if (n > 0) {
			struct loop_source *source = event.data.ptr;

			source->dispatch(source);
		}
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

int loop_post(struct loop *loop, loop_fn fn, void *ctx)
{
	struct posted_call *call = calloc(1, sizeof(*call));
	const uint64_t one = 1;
	_unused_ ssize_t n;

	if (!call)
		return -ENOMEM;
	call->fn = fn;
	call->ctx = ctx;
	pthread_mutex_lock(&loop->lock);
	*loop->last = call;
	loop->last = &call->next;
	pthread_mutex_unlock(&loop->lock);
	/* It fails only when the counter is full, and then the loop wakes anyway. */
	n = write(loop->wake_fd, &one, sizeof(one));
	return 0;
}

static void dispatch_fd(struct loop_source *source)
{
	source->on_fd(source->ctx, source->fd);
}

int loop_add_fd(struct loop *loop, int fd, loop_fd_fn fn, void *ctx, struct loop_source **ret,
		struct error *err)
{
	int r = source_new(loop, fd, false, dispatch_fd, ctx, ret, err);

	if (r < 0)
		return r;
	(*ret)->on_fd = fn;
	return 0;
}

int loop_fd_set_events(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno
											: 0;
}

static void dispatch_timer(struct loop_source *source)
{
	uint64_t expirations;

	/* A timer that was set anew after it fired has nothing to read. */
	if (read(source->fd, &expirations, sizeof(expirations)) < 0)
		return;
	source->on_timer(source->ctx);
}

int loop_add_timer(struct loop *loop, loop_fn fn, void *ctx, struct loop_source **ret,
		   struct error *err)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r;

	if (fd < 0)
		return error_set(err, errno, "timerfd_create: %s", strerror(errno));
	r = source_new(loop, fd, true, dispatch_timer, ctx, ret, err);
	if (r < 0)
		return r;
	(void)TAKE_FD(fd);
	(*ret)->on_timer = fn;
	return 0;
}

static struct timespec timespec_from_ms(uint32_t ms)
{
	return (struct timespec) { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
}

int loop_timer_set(struct loop_source *timer, uint32_t delay_ms, uint32_t interval_ms)
{
	struct itimerspec spec = { .it_value = timespec_from_ms(delay_ms),
				   .it_interval = timespec_from_ms(interval_ms) };

	/* An all-zero value would disarm the timer. */
	if (delay_ms == 0)
		spec.it_value.tv_nsec = 1;
	return timerfd_settime(timer->fd, 0, &spec, NULL) < 0 ? -errno : 0;
}

void loop_timer_stop(struct loop_source *timer)
{
	const struct itimerspec disarmed = { 0 };

	(void)timerfd_settime(timer->fd, 0, &disarmed, NULL);
}

static void dispatch_signal(struct loop_source *source)
{
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	source->on_signal(source->ctx, (int)info.ssi_signo);
}

int loop_add_signals(struct loop *loop, const int *signals, loop_signal_fn fn, void *ctx,
		     struct loop_source **ret, struct error *err)
{
	_cleanup_close_ int fd = -1;
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	for (; *signals; signals++)
		(void)sigaddset(&set, *signals);
	r = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (r != 0)
		return error_set(err, r, "block signals: %s", strerror(r));
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_set(err, errno, "signalfd: %s", strerror(errno));
	r = source_new(loop, fd, true, dispatch_signal, ctx, ret, err);
	if (r < 0)
		return r;
	(void)TAKE_FD(fd);
	(*ret)->on_signal = fn;
	return 0;
}

static void dispatch_watch(struct loop_source *source)
{
	_Alignas(struct inotify_event) char buf[WATCH_BUFFER_SIZE];
	ssize_t len = read(source->fd, buf, sizeof(buf));

	source->busy = true;
	for (ssize_t at = 0; at < len && !source->freed;) {
		const struct inotify_event *event = (const void *)(buf + at);

		at += (ssize_t)(sizeof(*event) + event->len);
		source->on_watch(source->ctx, event->len > 0 ? event->name : "", event->mask);
	}
	source->busy = false;
	if (source->freed)
		free(source);
}

int loop_add_watch(struct loop *loop, const char *path, uint32_t mask, loop_watch_fn fn, void *ctx,
		   struct loop_source **ret, struct error *err)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	if (fd < 0)
		return error_set(err, errno, "inotify_init1: %s", strerror(errno));
	if (inotify_add_watch(fd, path, mask | IN_ONLYDIR) < 0)
		return error_set(err, errno, "watch '%s': %s", path, strerror(errno));
	r = source_new(loop, fd, true, dispatch_watch, ctx, ret, err);
	if (r < 0)
		return r;
	(void)TAKE_FD(fd);
	(*ret)->on_watch = fn;
	return 0;
}
