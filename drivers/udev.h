/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hot-plug events through libudev's netlink monitor.
 *
 * Where udevd runs its processed events are used; elsewhere (in a container, as
 * a rule) the kernel's own.  An event only says "look again": facts are read by
 * a rescan, never from the event.
 *
 * Source: libudev, udev_monitor_new_from_netlink(3)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/driver.h"

struct udev_watch;

/**
 * udev_watch_new() - Begin to receive events of the drivers' subsystems.
 * @drivers: array of @n drivers
 * @n: number of drivers
 * @ret: the watch, to be released with udev_watch_free()
 * @err: set on failure
 *
 * Return: 0, or -errno, -ENOTSUP where no monitor can be had.
 */
int udev_watch_new(const struct driver *const *drivers, size_t n, struct udev_watch **ret,
		   struct error *err);

/**
 * udev_watch_free() - Stop to receive events.
 * @watch: watch or NULL
 */
void udev_watch_free(struct udev_watch *watch);
DEFINE_CLEANUP(struct udev_watch, udev_watch_free);

/**
 * udev_watch_fd() - Descriptor that is readable when an event waits.
 * @watch: watch
 *
 * Return: the descriptor; borrowed.
 */
int udev_watch_fd(const struct udev_watch *watch);

/**
 * udev_watch_drain() - Take every waiting event.
 * @watch: watch
 *
 * Return: true if one of them concerns a device of the drivers.
 */
bool udev_watch_drain(struct udev_watch *watch);
