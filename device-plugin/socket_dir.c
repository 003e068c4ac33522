/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/socket_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/log.h"

#define COMPONENT "registration"

#define WATCH_EVENTS \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF)
/* How often to try to watch a directory that cannot be watched. */
#define RETRY_MS 1000

struct socket_dir {
	struct loop *loop;
	const char *path;
	const struct socket_dir_events *events;
	void *ctx;
	struct loop_source *timer;
	struct loop_source *watch; /* NULL while the directory cannot be watched */
	int complained;		   /* the last failure that was logged, a negative errno */
};

static void start_watch(struct socket_dir *dir);

static void on_event(void *ctx, const char *name, uint32_t mask)
{
	struct socket_dir *dir = ctx;

	if (mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
		loop_source_free(dir->watch);
		dir->watch = NULL;
		start_watch(dir);
	} else if (mask & IN_Q_OVERFLOW) {
		dir->events->look_again(dir->ctx);
	} else {
		dir->events->changed(dir->ctx, name, mask);
	}
}

static void start_watch(struct socket_dir *dir)
{
	struct error err = { 0 };
	int r;

	r = loop_add_watch(dir->loop, dir->path, WATCH_EVENTS, on_event, dir, &dir->watch, &err);
	if (r < 0) {
		if (r != dir->complained)
			log_warning(COMPONENT, "%s; waiting for the kubelet's directory",
				    error_text(&err, r));
		dir->complained = r;
		(void)loop_timer_set(dir->timer, RETRY_MS, 0);
		return;
	}
	if (dir->complained != 0)
		log_info(COMPONENT, "watching '%s'", dir->path);
	dir->complained = 0;
	dir->events->look_again(dir->ctx);
}

static void on_timer(void *ctx)
{
	struct socket_dir *dir = ctx;

	if (!dir->watch)
		start_watch(dir);
}

int socket_dir_new(struct loop *loop, const char *path, const struct socket_dir_events *events,
		   void *ctx, struct socket_dir **ret, struct error *err)
{
	_cleanup_(socket_dir_freep) struct socket_dir *dir = calloc(1, sizeof(*dir));
	int r;

	if (!dir)
		return error_set(err, ENOMEM, "no memory to watch '%s'", path);
	*dir = (struct socket_dir) { .loop = loop, .path = path, .events = events, .ctx = ctx };
	r = loop_add_timer(loop, on_timer, dir, &dir->timer, err);
	if (r < 0)
		return r;
	start_watch(dir);
	*ret = TAKE_PTR(dir);
	return 0;
}

void socket_dir_free(struct socket_dir *dir)
{
	if (!dir)
		return;
	loop_source_free(dir->watch);
	loop_source_free(dir->timer);
	free(dir);
}
