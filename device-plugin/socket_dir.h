/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of the kubelet's that is watched for sockets, and that may not be
 * there yet, or not any more.
 *
 * Source: inotify(7)
 */
#pragma once

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

struct socket_dir;

struct socket_dir_events {
	/* An entry has come or gone; inotify event bits. */
	void (*changed)(void *ctx, const char *name, uint32_t mask);
	/* The directory has appeared, or events were lost: everything may be different. */
	void (*look_again)(void *ctx);
};

/**
 * socket_dir_new() - Watch a directory.
 * @loop: loop that will call
 * @path: directory; borrowed
 * @events: called with @ctx; borrowed for good
 * @ctx: passed to the functions
 * @ret: the watch, to be released with socket_dir_free()
 * @err: set on failure
 *
 * A directory that is not there is waited for.
 *
 * Return: 0, or -ENOMEM, or -errno as timerfd_create(2) leaves it.
 */
int socket_dir_new(struct loop *loop, const char *path, const struct socket_dir_events *events,
		   void *ctx, struct socket_dir **ret, struct error *err);

/**
 * socket_dir_free() - Stop to watch.
 * @dir: watch or NULL
 */
void socket_dir_free(struct socket_dir *dir);
DEFINE_CLEANUP(struct socket_dir, socket_dir_free);
