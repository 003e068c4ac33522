/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "drivers/driver.h"
#include "drivers/udev.h"
#include "policy/load.h"

#define COMPONENT "node"

/* One card brings dozens of events within milliseconds: one rescan serves all. */
#define SETTLE_MS 100
/* A scan makes every device anew and drops those it knew.  With hundreds of cards
 * that is megabytes, which would stay in the heap until the next scan; with few it
 * is not worth the page faults. */
#define TRIM_DEVICES_MIN 64
/* For the first answer of a driver that asks more than files: a node whose devices are
 * told in two steps makes the kubelet see them change. */
#define FIRST_ANSWER_MS 2000
/* Device files of a node come and go in a handful of directories. */
#define NODE_DIRS_MAX 128
#define NODE_DIR_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE_SELF)

struct node_dir {
	struct node *node;
	const char *path;	   /* relative to the host root; of a driver */
	struct loop_source *watch; /* NULL while the directory is not there */
};

struct node {
	struct node_setup setup;
	const struct driver **drivers; /* what the setup's point at; the policy may go */
	struct inventory *inventory;
	struct loop_source *probe_timer;
	struct loop_source *rescan_timer;
	struct loop_source *soon_timer;
	struct udev_watch *udev;
	struct loop_source *udev_source;
	struct node_dir dirs[NODE_DIRS_MAX];
	size_t n_dirs;
	uint64_t answer;	      /* of the drivers, when they were last asked */
	char problem[ERROR_TEXT_MAX]; /* of the last rescan; logged when it changes */
	char silence[ERROR_TEXT_MAX]; /* why drivers get no answer; the same */
};

static void report_problem(struct node *node, const char *text)
{
	if (!error_is_news(node->problem, text))
		return;
	if (text[0])
		log_error(COMPONENT, "%s; the devices stay as they were, will try again", text);
	else
		log_info(COMPONENT, "the devices can be read again");
}

static void report_silence(struct node *node, const char *text)
{
	if (!error_is_news(node->silence, text))
		return;
	if (text[0])
		log_warning(COMPONENT, "%s; less is known of the devices until then", text);
	else
		log_info(COMPONENT, "the drivers get answers again");
}

/* What files do not tell.  The number is of before the scan: what comes later is new. */
static void ask_drivers(struct node *node, uint32_t wait_ms)
{
	const struct node_setup *setup = &node->setup;
	struct error err = { 0 };
	int r = drivers_ask(setup->drivers, setup->n_drivers, setup->host, wait_ms, &err);

	report_silence(node, r < 0 ? error_text(&err, r) : "");
	node->answer = drivers_answer(setup->drivers, setup->n_drivers, setup->host);
}

static void tell_changes(struct node *node, struct snapshot *before)
{
	_cleanup_(snapshot_unrefp) struct snapshot *after = inventory_snapshot(node->inventory);

	if (after != before)
		node->setup.changed(node->setup.ctx, before, after);
}

static void on_dir_event(void *ctx, _unused_ const char *name, uint32_t mask)
{
	struct node_dir *dir = ctx;

	if (mask & (IN_IGNORED | IN_DELETE_SELF)) {
		loop_source_free(dir->watch);
		dir->watch = NULL;
	}
	node_rescan_soon(dir->node);
}

/* Directories of device files appear with the first card of a vendor. */
static void watch_dirs(struct node *node)
{
	for (size_t i = 0; i < node->n_dirs; i++) {
		_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(4096);
		struct node_dir *dir = &node->dirs[i];

		if (dir->watch)
			continue;
		strbuf_printf(&path, "%s/%s", node->setup.host->root, dir->path);
		/* Without it the periodic rescan finds out, only later. */
		(void)loop_add_watch(node->setup.loop, strbuf_str(&path), NODE_DIR_EVENTS,
				     on_dir_event, dir, &dir->watch, NULL);
	}
}

struct snapshot *node_snapshot(const struct node *node)
{
	return inventory_snapshot(node->inventory);
}

void node_rescan(struct node *node)
{
	_cleanup_(snapshot_unrefp) struct snapshot *before = inventory_snapshot(node->inventory);
	uint64_t start_ns = clock_ns();
	struct error err = { 0 };
	int r;

	watch_dirs(node);
	ask_drivers(node, 0);
	r = inventory_rescan(node->inventory, clock_ms(), &err);
	if (node->setup.scanned)
		node->setup.scanned(node->setup.ctx, start_ns);
	report_problem(node, r < 0 ? error_text(&err, r) : "");
	tell_changes(node, before);
	if (before->n_devices >= TRIM_DEVICES_MIN)
		(void)malloc_trim(0);
}

static void on_rescan_timer(void *ctx)
{
	struct node *node = ctx;

	node_rescan(node);
	node->setup.rescanned(node->setup.ctx);
}

static void on_soon_timer(void *ctx)
{
	node_rescan(ctx);
}

/* Once for each: a rescan that is put off again and again would never come. */
static void look_for_answers(struct node *node)
{
	const struct node_setup *setup = &node->setup;
	uint64_t answer = drivers_answer(setup->drivers, setup->n_drivers, setup->host);

	if (answer == node->answer)
		return;
	node->answer = answer;
	node_rescan_soon(node);
}

static void on_probe_timer(void *ctx)
{
	struct node *node = ctx;
	_cleanup_(snapshot_unrefp) struct snapshot *before = inventory_snapshot(node->inventory);
	struct error err = { 0 };
	int r = inventory_probe(node->inventory, &err);

	if (r < 0)
		report_problem(node, error_text(&err, r));
	tell_changes(node, before);
	look_for_answers(node);
}

static void on_udev_event(void *ctx, _unused_ int fd)
{
	struct node *node = ctx;

	if (udev_watch_drain(node->udev))
		node_rescan_soon(node);
}

void node_rescan_soon(struct node *node)
{
	(void)loop_timer_set(node->soon_timer, SETTLE_MS, 0);
}

/* Several vendors have files in the same directory. */
static void add_dir(struct node *node, const char *path)
{
	for (size_t i = 0; i < node->n_dirs; i++)
		if (strcmp(node->dirs[i].path, path) == 0)
			return;
	if (node->n_dirs < NODE_DIRS_MAX)
		node->dirs[node->n_dirs++] = (struct node_dir) { .node = node, .path = path };
}

static void collect_dirs(struct node *node, const struct driver *const *drivers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const char *const *path = drivers[i]->node_dirs; path && *path; path++)
			add_dir(node, *path);
}

/* Hot-plug events are a help, not a need: where there are none, the periodic
 * rescan sees what has changed. */
static void watch_udev(struct node *node, const struct driver *const *drivers, size_t n)
{
	struct error err = { 0 };
	int r;

	r = udev_watch_new(drivers, n, &node->udev, &err);
	if (r == 0)
		r = loop_add_fd(node->setup.loop, udev_watch_fd(node->udev), on_udev_event, node,
				&node->udev_source, &err);
	if (r < 0)
		log_info(COMPONENT, "no hot-plug events (%s); devices are looked for every %u ms",
			 error_text(&err, r), node->setup.rescan_interval_ms);
}

static int add_timers(struct node *node, struct error *err)
{
	const struct {
		loop_fn fn;
		struct loop_source **source;
		uint32_t interval_ms;
	} timers[] = {
		{ on_probe_timer, &node->probe_timer, node->setup.probe_interval_ms },
		{ on_rescan_timer, &node->rescan_timer, node->setup.rescan_interval_ms },
		{ on_soon_timer, &node->soon_timer, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		uint32_t interval_ms = timers[i].interval_ms;
		int r;

		r = loop_add_timer(node->setup.loop, timers[i].fn, node, timers[i].source, err);
		if (r < 0)
			return r;
		if (interval_ms > 0)
			(void)loop_timer_set(*timers[i].source, interval_ms, interval_ms);
	}
	return 0;
}

int node_new(const struct node_setup *setup, struct node **ret, struct error *err)
{
	_cleanup_(node_freep) struct node *node = calloc(1, sizeof(*node));
	const struct driver *const *drivers = setup->drivers;
	size_t n = setup->n_drivers;
	int r;

	if (!node)
		return error_set(err, ENOMEM, "no memory to watch the node");
	node->setup = *setup;
	node->drivers = calloc(n + 1, sizeof(struct driver *));
	if (!node->drivers)
		return error_set(err, ENOMEM, "no memory for %zu drivers", n);
	if (n > 0)
		memcpy(node->drivers, drivers, n * sizeof(struct driver *));
	node->setup.drivers = node->drivers;
	r = inventory_new(setup->host, drivers, n, &setup->policy, &node->inventory, err);
	if (r < 0)
		return r;
	r = add_timers(node, err);
	if (r < 0)
		return r;
	collect_dirs(node, drivers, n);
	watch_udev(node, drivers, n);
	ask_drivers(node, FIRST_ANSWER_MS);
	node_rescan(node);
	*ret = TAKE_PTR(node);
	return 0;
}

static void add_policy(struct node_setup *setup, const struct policy *policy)
{
	const struct config *config = policy_config(policy);

	setup->drivers = policy_drivers(policy, &setup->n_drivers);
	setup->policy = policy_inventory(policy);
	setup->probe_interval_ms = config->health.interval_ms;
	setup->rescan_interval_ms = config->rescan_interval_ms;
}

int node_follow_policy(const struct node_setup *setup, const struct policy *before,
		       const struct policy *policy, struct node **node, struct snapshot **snapshot,
		       struct error *err)
{
	struct node_setup full = *setup;
	struct node *next = NULL;
	int r;

	if (before && policy_same_watch(before, policy))
		return 0;
	add_policy(&full, policy);
	r = node_new(&full, &next, err);
	if (r < 0)
		return r;
	node_free(*node);
	*node = next;
	/* The first look tells of changes only if there are devices. */
	snapshot_unref(*snapshot);
	*snapshot = node_snapshot(next);
	return 0;
}

void node_free(struct node *node)
{
	int saved_errno = errno;

	if (!node)
		return;
	for (size_t i = 0; i < node->n_dirs; i++)
		loop_source_free(node->dirs[i].watch);
	loop_source_free(node->udev_source);
	udev_watch_free(node->udev);
	loop_source_free(node->probe_timer);
	loop_source_free(node->rescan_timer);
	loop_source_free(node->soon_timer);
	inventory_free(node->inventory);
	free(node->drivers);
	free(node);
	errno = saved_errno;
}
