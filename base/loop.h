/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop of a program: one thread waits for file descriptors, timers,
 * signals, inotify events and calls posted by other threads.
 *
 * Every source belongs to whoever made it, and may be freed at any time from
 * the loop's thread, its own callback included: the loop fetches one event at a
 * time, so no stale event of a freed source can be pending.
 *
 * Source: epoll(7), timerfd_create(2), signalfd(2), inotify(7), eventfd(2)
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct loop;
struct loop_source;

/**
 * typedef loop_fd_fn - Called when a file descriptor is ready.
 * @ctx: as given to loop_add_fd()
 * @fd: the descriptor
 */
typedef void (*loop_fd_fn)(void *ctx, int fd);

/**
 * typedef loop_fn - Called when a timer fires or a posted call is due.
 * @ctx: as given when it was made
 */
typedef void (*loop_fn)(void *ctx);

/**
 * typedef loop_signal_fn - Called when a signal has arrived.
 * @ctx: as given to loop_add_signals()
 * @signo: number of the signal
 */
typedef void (*loop_signal_fn)(void *ctx, int signo);

/**
 * typedef loop_watch_fn - Called when something happens in a directory.
 * @ctx: as given to loop_add_watch()
 * @name: name of the entry, "" when the directory itself or the queue is meant
 * @mask: inotify event bits; IN_Q_OVERFLOW when events were lost
 */
typedef void (*loop_watch_fn)(void *ctx, const char *name, uint32_t mask);

/**
 * loop_new() - Make an event loop.
 * @ret: the loop, to be released with loop_free()
 * @err: set on failure
 *
 * Return: 0, or -errno as epoll_create1(2) or eventfd(2) leave it.
 */
int loop_new(struct loop **ret, struct error *err);

/**
 * loop_free() - Release a loop; its sources must have been freed.
 * @loop: loop or NULL
 *
 * Calls that were posted and never ran are dropped.
 */
void loop_free(struct loop *loop);
DEFINE_CLEANUP(struct loop, loop_free);

/**
 * loop_run() - Dispatch events until loop_stop().
 * @loop: loop to run
 * @err: set on failure
 *
 * Return: 0, or -errno as epoll_wait(2) leaves it.
 */
int loop_run(struct loop *loop, struct error *err);

/**
 * loop_stop() - Make loop_run() return after the current callback.
 * @loop: loop that runs
 *
 * Context: the loop's thread.
 */
void loop_stop(struct loop *loop);

/**
 * loop_post() - Have a function called on the loop's thread.
 * @loop: loop to call from
 * @fn: function to call
 * @ctx: passed to @fn
 *
 * Calls run in the order in which they were posted.
 *
 * Context: any thread.
 * Return: 0, or -ENOMEM; then @fn will not be called.
 */
int loop_post(struct loop *loop, loop_fn fn, void *ctx);

/**
 * loop_add_fd() - Watch a file descriptor for input.
 * @loop: loop that will call
 * @fd: descriptor; stays the caller's
 * @fn: called when @fd is readable, has hung up or has an error
 * @ctx: passed to @fn
 * @ret: the source, to be released with loop_source_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno as epoll_ctl(2) leaves it.
 */
int loop_add_fd(struct loop *loop, int fd, loop_fd_fn fn, void *ctx, struct loop_source **ret,
		struct error *err);

/**
 * loop_fd_set_events() - Choose what a descriptor is watched for.
 * @source: source made by loop_add_fd()
 * @events: EPOLLIN, EPOLLOUT, both, or 0: then only a hang-up or an error is told
 *
 * A hang-up and an error are always told, and go on being told until the source
 * is freed.
 *
 * Return: 0, or -errno as epoll_ctl(2) leaves it.
 */
int loop_fd_set_events(struct loop_source *source, uint32_t events);

/**
 * loop_add_timer() - Make a timer, stopped at first.
 * @loop: loop that will call
 * @fn: called when the timer fires
 * @ctx: passed to @fn
 * @ret: the source, to be released with loop_source_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno as timerfd_create(2) leaves it.
 */
int loop_add_timer(struct loop *loop, loop_fn fn, void *ctx, struct loop_source **ret,
		   struct error *err);

/**
 * loop_timer_set() - Start, restart or stop a timer.
 * @timer: source made by loop_add_timer()
 * @delay_ms: time until it fires, in milliseconds; 0 means at once
 * @interval_ms: time between later firings in milliseconds; 0 means once only
 *
 * Return: 0, or -errno as timerfd_settime(2) leaves it.
 */
int loop_timer_set(struct loop_source *timer, uint32_t delay_ms, uint32_t interval_ms);

/**
 * loop_timer_stop() - Stop a timer.
 * @timer: source made by loop_add_timer()
 */
void loop_timer_stop(struct loop_source *timer);

/**
 * loop_add_signals() - Receive signals as events.
 * @loop: loop that will call
 * @signals: array of signal numbers that ends with 0
 * @fn: called once per signal received
 * @ctx: passed to @fn
 * @ret: the source, to be released with loop_source_free()
 * @err: set on failure
 *
 * Blocks the signals in the calling thread: call it before other threads start,
 * which inherit the mask.
 *
 * Return: 0, or -ENOMEM, or -errno as signalfd(2) leaves it.
 */
int loop_add_signals(struct loop *loop, const int *signals, loop_signal_fn fn, void *ctx,
		     struct loop_source **ret, struct error *err);

/**
 * loop_add_watch() - Watch a directory.
 * @loop: loop that will call
 * @path: directory
 * @mask: inotify event bits to ask for
 * @fn: called once per event
 * @ctx: passed to @fn
 * @ret: the source, to be released with loop_source_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT  there is no such directory
 *   -ENOSPC  the user's limit of inotify watches is reached
 *   -errno   as inotify_add_watch(2) leaves it
 */
int loop_add_watch(struct loop *loop, const char *path, uint32_t mask, loop_watch_fn fn, void *ctx,
		   struct loop_source **ret, struct error *err);

/**
 * loop_source_free() - Stop and release a source.
 * @source: source or NULL
 *
 * Context: the loop's thread.
 */
void loop_source_free(struct loop_source *source);
DEFINE_CLEANUP(struct loop_source, loop_source_free);
