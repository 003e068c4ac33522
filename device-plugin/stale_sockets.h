/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that an instance of the plugin has left behind when it was killed.
 *
 * A kubelet clears its device plugin directory when it starts, but never the one
 * that its plugin watcher looks at, where it would try a dead socket for ever.
 *
 * Source: unix(7), connect(2): nobody listens to a socket that refuses
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A socket younger than this may be about to be listened to. */
#define STALE_SOCKET_AGE_S 2

/**
 * stale_sockets_remove() - Remove the plugin's sockets that nobody serves.
 * @dir: directory of sockets; may be missing
 * @min_age_s: how old a socket must be, in seconds; STALE_SOCKET_AGE_S but in tests
 *
 * Only sockets whose names begin with SOCKET_PREFIX are touched.
 *
 * Return: number of sockets removed.
 */
size_t stale_sockets_remove(const char *dir, int64_t min_age_s);

/* What the names of the plugin's sockets begin with. */
#define SOCKET_PREFIX "silica-"
