/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host whose devices are looked at: a directory that stands for "/".
 *
 * Drivers name everything relative to it ("sys/class/...", "dev/..."), so the
 * same code reads a live machine, a host's root mounted in a container, or a
 * simulated node.
 *
 * Source: openat(2), "Rationale for openat() and other directory file descriptor APIs"
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

struct nvml;

struct host {
	int root_fd;	  /* directory descriptor, for the *at() calls */
	const char *root; /* its path, for messages and for libraries that want one */
	/* NVIDIA's library, in a process of its own, once nvidia_driver.ask() has begun
	 * to ask it; owned.  NULL before, which is how it stays on most hosts. */
	struct nvml *nvml;
};

/**
 * host_open() - Open the directory that stands for the root of a host.
 * @host: filled on success; released with host_close()
 * @root: path of the directory; borrowed, must outlive @host
 * @err: set on failure
 *
 * Return: 0, or -errno as open(2) leaves it.
 */
int host_open(struct host *host, const char *root, struct error *err);

/**
 * host_close() - Release what host_open() took, and stop what drivers have begun to ask.
 * @host: opened host, or one whose root_fd is negative
 *
 * Context: blocks for the fifth of a second at most.
 */
void host_close(struct host *host);
#define _cleanup_host_ _cleanup_(host_close)
