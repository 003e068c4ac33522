/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices that the configuration file has another content.
 *
 * A ConfigMap is swapped by a symbolic link beside the file, and editors replace
 * files, so the directory is watched and not the file; the content decides, not
 * the event.  Where nothing can be watched a timer looks as well.
 *
 * Source: inotify(7); Kubernetes pkg/volume/util/atomic_writer.go
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

struct config_watch;

/**
 * config_watch_new() - Begin to watch a file.
 * @loop: event loop
 * @path: file; borrowed
 * @changed: called with @ctx on the loop's thread when the content is another one
 *	than at the last call, or than at the beginning; also when the file has gone
 * @ctx: passed to @changed
 * @ret: the watch, to be released with config_watch_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno of the event loop.
 */
int config_watch_new(struct loop *loop, const char *path, void (*changed)(void *ctx), void *ctx,
		     struct config_watch **ret, struct error *err);

/**
 * config_watch_free() - Stop to watch.
 * @watch: watch or NULL
 */
void config_watch_free(struct config_watch *watch);
DEFINE_CLEANUP(struct config_watch, config_watch_free);
