/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written and survives a power cut.
 *
 * A file that is renamed has its content on the disk before, and its directory is
 * synced after.  A failed sync is final: the kernel may have dropped the pages, so
 * the same file is never synced again and believed.
 *
 * Source: fsync(2), rename(2); Rebello and others, "Can Applications Recover from
 * fsync Failures?", USENIX ATC 2020
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * durable_mkdir() - Make a directory, durable with its name.
 * @dirfd: directory that @path is relative to
 * @path: directory to make
 * @err: set on failure
 *
 * Return: 0, also if it is there, or negative errno of the system.
 */
int durable_mkdir(int dirfd, const char *path, struct error *err);

/**
 * durable_sync_dir() - Make the names in a directory durable.
 * @dirfd: directory that @path is relative to
 * @path: directory
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int durable_sync_dir(int dirfd, const char *path, struct error *err);

/**
 * durable_publish() - Replace a file so that readers see the old or the new one.
 * @dirfd: directory that @dir is relative to
 * @dir: directory of the file
 * @name: file in it
 * @data: @len bytes
 * @len: number of bytes
 * @mode: permissions
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int durable_publish(int dirfd, const char *dir, const char *name, const void *data, size_t len,
		    mode_t mode, struct error *err);

/**
 * durable_link() - Replace a symbolic link so that readers see the old or the new one.
 * @dirfd: directory that @dir is relative to
 * @dir: directory of the link
 * @name: link in it
 * @target: what it holds
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int durable_link(int dirfd, const char *dir, const char *name, const char *target,
		 struct error *err);
