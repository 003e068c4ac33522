/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to bind a socket, when to register, when to wait: the decisions of one
 * endpoint, free of I/O and clocks.
 *
 * Two ways lead to a kubelet.  Classic: it has a socket, to which the plugin
 * says Register; it removes every socket of the directory when it starts, so the
 * plugin binds and registers again.  Watcher: the kubelet finds the plugin's
 * socket in a directory by itself.  In both a kubelet that has lost the
 * ListAndWatch stream never asks again, so the plugin must notice and begin anew.
 *
 * Only the stream that follows the last registration counts.  Newer kubelets drop
 * the older stream of a plugin that registers twice, which must not make it
 * register a third time; older ones drop the newest.
 *
 * Source: behaviour of kubelets 1.26 to 1.36
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"

enum lifecycle_path {
	LIFECYCLE_CLASSIC,
	LIFECYCLE_WATCHER,
	_LIFECYCLE_PATH_MAX,
};

enum lifecycle_event {
	LIFECYCLE_KUBELET_CAME, /* its socket, or the watched directory, is there */
	LIFECYCLE_KUBELET_GONE, /* the same has disappeared */
	LIFECYCLE_SOCKET_GONE,	/* somebody has unlinked the plugin's socket */
	LIFECYCLE_BOUND,	/* the plugin's socket is being served */
	LIFECYCLE_BIND_FAILED,
	LIFECYCLE_ACCEPTED,	 /* Register has returned OK */
	LIFECYCLE_REFUSED,	 /* Register has failed */
	LIFECYCLE_STREAM_OPENED, /* the kubelet has called ListAndWatch */
	LIFECYCLE_STREAM_CLOSED, /* that ListAndWatch has ended */
	LIFECYCLE_TIMER,	 /* the timer that was asked for has fired */
	_LIFECYCLE_EVENT_MAX,
};

enum lifecycle_action {
	LIFECYCLE_NOTHING,
	LIFECYCLE_BIND,	    /* drop the old socket if there is one, serve a new one */
	LIFECYCLE_REGISTER, /* call Register */
};

enum lifecycle_timer {
	LIFECYCLE_TIMER_KEEP,
	LIFECYCLE_TIMER_STOP,
	LIFECYCLE_TIMER_SET,
};

struct lifecycle {
	enum lifecycle_path path;
	bool kubelet; /* there is somebody to register with */
	bool bound;   /* the plugin's socket is served and in its place */
	bool calling; /* Register is in flight */
	bool watched; /* the kubelet's stream is open */
	struct backoff backoff;
};

/* What to do after an event. */
struct lifecycle_step {
	enum lifecycle_action action;
	enum lifecycle_timer timer;
	uint32_t delay_ms; /* for LIFECYCLE_TIMER_SET */
};

/**
 * lifecycle_init() - The state before any event.
 * @path: way to the kubelet
 *
 * Return: the state.
 */
struct lifecycle lifecycle_init(enum lifecycle_path path);

/**
 * lifecycle_step() - Take in an event and decide.
 * @lifecycle: state to move on
 * @event: what has happened
 * @random: any 32 random bits, for the jitter of delays
 *
 * Return: what to do; at most one action, and what becomes of the one timer.
 */
struct lifecycle_step lifecycle_step(struct lifecycle *lifecycle, enum lifecycle_event event,
				     uint32_t random);
