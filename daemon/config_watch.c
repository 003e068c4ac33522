/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "api/config/config.h"
#include "base/file.h"
#include "base/macro.h"

#define WATCH_EVENTS                                                                        \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF)
/* A swap is several events within milliseconds, and a write by parts may be longer. */
#define SETTLE_MS 100
/* In case an event was lost, or the directory cannot be watched. */
#define LOOK_MS 5000

struct config_watch {
	struct loop *loop;
	const char *path;
	char *dir;
	void (*changed)(void *ctx);
	void *ctx;
	struct loop_source *watch; /* NULL while the directory cannot be watched */
	struct loop_source *soon_timer;
	struct loop_source *look_timer;
	uint64_t seen;
};

/* FNV-1a, 64 bits: enough to tell one version of a file from the next. */
static uint64_t hash(const char *text, size_t len)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		value = (value ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return value;
}

/* A number for what the file holds, or for why it cannot be read. */
static uint64_t look(const char *path)
{
	_cleanup_free_ char *text = malloc(CONFIG_TEXT_MAX + 1);
	ssize_t len = text ? file_read(AT_FDCWD, path, text, CONFIG_TEXT_MAX + 1, NULL) : -ENOMEM;

	return len < 0 ? (uint64_t)-len : hash(text, (size_t)len);
}

static void look_again(struct config_watch *watch)
{
	uint64_t seen = look(watch->path);

	if (seen == watch->seen || seen == ENOMEM)
		return;
	watch->seen = seen;
	watch->changed(watch->ctx);
}

static void on_event(void *ctx, _unused_ const char *name, uint32_t mask)
{
	struct config_watch *watch = ctx;

	if (mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) {
		loop_source_free(watch->watch);
		watch->watch = NULL;
	}
	(void)loop_timer_set(watch->soon_timer, SETTLE_MS, 0);
}

static void start_watch(struct config_watch *watch)
{
	if (!watch->watch)
		(void)loop_add_watch(watch->loop, watch->dir, WATCH_EVENTS, on_event, watch,
				     &watch->watch, NULL);
}

static void on_timer(void *ctx)
{
	struct config_watch *watch = ctx;

	start_watch(watch);
	look_again(watch);
}

static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	/* "/file" lies in "/". */
	if (dir && slash == path) {
		free(dir);
		dir = strdup("/");
	}
	return dir;
}

int config_watch_new(struct loop *loop, const char *path, void (*changed)(void *ctx), void *ctx,
		     struct config_watch **ret, struct error *err)
{
	_cleanup_(config_watch_freep) struct config_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (watch)
		watch->dir = dir_of(path);
	if (!watch || !watch->dir)
		return error_set(err, ENOMEM, "no memory to watch '%s'", path);
	watch->loop = loop;
	watch->path = path;
	watch->changed = changed;
	watch->ctx = ctx;
	r = loop_add_timer(loop, on_timer, watch, &watch->soon_timer, err);
	if (r == 0)
		r = loop_add_timer(loop, on_timer, watch, &watch->look_timer, err);
	if (r < 0)
		return r;
	(void)loop_timer_set(watch->look_timer, LOOK_MS, LOOK_MS);
	start_watch(watch);
	watch->seen = look(path);
	*ret = TAKE_PTR(watch);
	return 0;
}

void config_watch_free(struct config_watch *watch)
{
	int saved_errno = errno;

	if (!watch)
		return;
	loop_source_free(watch->watch);
	loop_source_free(watch->soon_timer);
	loop_source_free(watch->look_timer);
	free(watch->dir);
	free(watch);
	errno = saved_errno;
}
