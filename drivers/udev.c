/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/udev.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The control socket of udevd: there while it runs.  Source: udevd's udev-ctrl.c */
#define UDEVD_CONTROL "/run/udev/control"

/* Room for some hundred events.  More in one burst are lost, which is told by
 * ENOBUFS and answered by the same rescan. */
#define RECEIVE_BUFFER_BYTES (1024 * 1024)

/* Taken at one go, so that a storm of events leaves time for the rest of the
 * loop; the descriptor stays readable for what is left. */
#define DRAIN_EVENTS_MAX 4096

struct udev_watch {
	struct udev *udev;
	struct udev_monitor *monitor;
};

static int add_filters(struct udev_monitor *monitor, const struct driver *const *drivers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (const char *const *s = drivers[i]->subsystems; *s; s++) {
			int r = udev_monitor_filter_add_match_subsystem_devtype(monitor, *s, NULL);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int start(struct udev_watch *watch, const struct driver *const *drivers, size_t n,
		 struct error *err)
{
	const char *source = access(UDEVD_CONTROL, F_OK) == 0 ? "udev" : "kernel";
	int r;

	watch->udev = udev_new();
	if (!watch->udev)
		return error_set(err, ENOMEM, "no memory for libudev");
	watch->monitor = udev_monitor_new_from_netlink(watch->udev, source);
	if (!watch->monitor)
		return error_set(err, ENOTSUP, "no '%s' events: %s", source, strerror(errno));
	r = add_filters(watch->monitor, drivers, n);
	if (r < 0)
		return error_set(err, -r, "filter '%s' events: %s", source, strerror(-r));
	/* The system's default is smaller; it serves where this is refused. */
	(void)udev_monitor_set_receive_buffer_size(watch->monitor, RECEIVE_BUFFER_BYTES);
	r = udev_monitor_enable_receiving(watch->monitor);
	if (r < 0)
		return error_set(err, -r, "receive '%s' events: %s", source, strerror(-r));
	return 0;
}

int udev_watch_new(const struct driver *const *drivers, size_t n, struct udev_watch **ret,
		   struct error *err)
{
	_cleanup_(udev_watch_freep) struct udev_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return error_set(err, ENOMEM, "no memory to watch events");
	r = start(watch, drivers, n, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(watch);
	return 0;
}

void udev_watch_free(struct udev_watch *watch)
{
	if (!watch)
		return;
	udev_monitor_unref(watch->monitor);
	udev_unref(watch->udev);
	free(watch);
}

int udev_watch_fd(const struct udev_watch *watch)
{
	return udev_monitor_get_fd(watch->monitor);
}

bool udev_watch_drain(struct udev_watch *watch)
{
	bool concerned = false;

	for (size_t i = 0; i < DRAIN_EVENTS_MAX; i++) {
		struct udev_device *device;

		errno = 0;
		device = udev_monitor_receive_device(watch->monitor);
		if (!device && (errno == EAGAIN || errno == 0))
			break;
		/* What libudev's filter let through concerns us, and so may what was lost. */
		if (device || errno == ENOBUFS)
			concerned = true;
		udev_device_unref(device);
	}
	return concerned;
}
