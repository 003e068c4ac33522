/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that says something on a socket, and may have to be killed.
 *
 * Source: posix_spawn(3), waitpid(2), socketpair(2)
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct nvml_process {
	pid_t pid; /* 0 when there is none */
	int fd;	   /* the parent's end, not blocking; -1 when there is none */
};

/**
 * nvml_process_start() - Start the process of drivers/nvml/child.h.
 * @root: directory that stands for the host's root
 * @interval_ms: time between two reports
 * @ret: the process; to be ended with nvml_process_end()
 * @err: set on failure
 *
 * Context: the process ends with the thread that has called this.
 * Return: 0, or -errno as socketpair(2) and posix_spawn(3) leave it.
 */
int nvml_process_start(const char *root, uint32_t interval_ms, struct nvml_process *ret,
		       struct error *err);

/**
 * nvml_process_end() - Kill the process if need be, and take note of its end.
 * @process: started process; without a descriptor after this
 * @grace_ms: how long it may take to end by itself before it is killed
 * @how: buffer of @size bytes for how it ended, as in "ended by signal 11"
 * @size: size of @how, at least 1
 *
 * A process that is in the hands of a driver that hangs does not go.  To be called
 * again then, until it has.
 *
 * Context: blocks for @grace_ms and a tenth of a second at most.
 * Return: 0, or -EBUSY if it has not gone yet; then @how is "".
 */
int nvml_process_end(struct nvml_process *process, uint32_t grace_ms, char *how, size_t size);
