/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One labeller per node: the second one waits until the first has gone.
 *
 * The lock is on the directory of device files, which is the same file in all containers
 * that see the host's, needs no right to write and no place of its own, and ends with the
 * process.  That of sysfs is not: containers see only parts of sysfs.
 *
 * Source: flock(2)
 */
#pragma once

#include "base/error.h"
#include "drivers/host.h"

#define LOCK_PATH "dev" /* relative to the host root */

/**
 * lock_try() - Try to become the one labeller of a node.
 * @host: the node
 * @ret_fd: on success a descriptor; closing it gives the lock back
 * @err: set on failure
 *
 * Return: 1 if the lock was taken, 0 if another process has it, or
 *   -errno  as open(2) or flock(2) leave it: the host has no such directory, or cannot lock
 */
int lock_try(const struct host *host, int *ret_fd, struct error *err);
