/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of generations, and names that keep them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/generation_private.h"
#include "reservoir/store/store_private.h"

struct listed {
	uint64_t number;
	char name[STORE_NAME_MAX];
};

struct list {
	struct listed *rows;
	size_t n;
	size_t cap;
};

static void list_done(struct list *list)
{
	free(list->rows);
}

static int list_add(struct list *list, const char *name, uint64_t number, struct error *err)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct listed *rows = reallocarray(list->rows, cap, sizeof(*rows));

		if (!rows)
			return error_set(err, ENOMEM, "no memory for a list");
		list->rows = rows;
		list->cap = cap;
	}
	list->rows[list->n].number = number;
	(void)str_copy(list->rows[list->n].name, sizeof(list->rows[0].name), name);
	list->n++;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct listed *x = a;
	const struct listed *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int by_name(const void *a, const void *b)
{
	const struct listed *x = a;
	const struct listed *y = b;

	return strcmp(x->name, y->name);
}

/* Adds a name of a directory to the list if it is what is looked for. */
typedef int (*look_fn)(struct store *store, const char *name, struct list *list, struct error *err);

static int look_through(struct store *store, const char *path, look_fn look, struct list *list,
			struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(store->fd, path);
	int r = 0;

	if (!dir)
		return error_set(err, errno, "open '%s': %m", path);
	while (r == 0) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? error_set(err, errno, "read '%s': %m", path) : 0;
		if (entry->d_name[0] != '.')
			r = look(store, entry->d_name, list, err);
	}
	return r;
}

static int look_generation(_unused_ struct store *store, const char *name, struct list *list,
			   struct error *err)
{
	uint64_t number;

	return parse_u64(name, 10, &number) < 0 ? 0 : list_add(list, "", number, err);
}

int generation_each(struct store *store, generation_fn fn, void *ctx, struct error *err)
{
	_cleanup_(list_done) struct list list = { 0 };
	uint64_t current;
	int r = generation_current_number(store, &current, err);

	if (r == 0)
		r = look_through(store, "generations", look_generation, &list, err);
	if (r < 0)
		return r;
	if (list.n)
		qsort(list.rows, list.n, sizeof(list.rows[0]), by_number);
	/* One above was being published when the writer died. */
	for (size_t i = 0; r >= 0 && i < list.n && list.rows[i].number <= current; i++)
		r = fn(ctx, list.rows[i].number);
	return r < 0 ? r : 0;
}

static int look_snapshot(struct store *store, const char *name, struct list *list,
			 struct error *err)
{
	char path[sizeof("snapshots/") + NAME_MAX]; /* of any entry */
	uint64_t number;

	if (generation_name_check(name) < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "snapshots/%s", name);
	if (generation_link_number(store->fd, path, &number, NULL) < 0)
		return 0;
	return list_add(list, name, number, err);
}

int snapshot_each(struct store *store, snapshot_fn fn, void *ctx, struct error *err)
{
	_cleanup_(list_done) struct list list = { 0 };
	int r = look_through(store, "snapshots", look_snapshot, &list, err);

	if (r < 0)
		return r;
	if (list.n)
		qsort(list.rows, list.n, sizeof(list.rows[0]), by_name);
	for (size_t i = 0; r >= 0 && i < list.n; i++)
		r = fn(ctx, list.rows[i].name, list.rows[i].number);
	return r < 0 ? r : 0;
}

static int check_name(const char *name, struct error *err)
{
	uint64_t number;

	if (generation_name_check(name) < 0 || parse_u64(name, 10, &number) != -EINVAL ||
	    strcmp(name, "current") == 0)
		return error_set(err, EINVAL,
				 "'%.64s' is no name of a snapshot: letters, digits, '.', '_' and "
				 "'-', at most %d, and no plain number",
				 name, STORE_NAME_MAX - 1);
	return 0;
}

static int set_gated(struct store *store, const char *name, uint64_t number, struct error *err)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	char target[GENERATION_NAME_MAX];
	char path[GENERATION_NAME_MAX];
	uint64_t taken;
	int r = generation_read(store, number, &generation, err);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "snapshots/%s", name);
	if (generation_link_number(store->fd, path, &taken, NULL) == 0)
		return error_set(err, EEXIST, "there is a snapshot '%s' of generation %" PRIu64,
				 name, taken);
	(void)snprintf(target, sizeof(target), "../generations/%" PRIu64, number);
	return durable_link(store->fd, "snapshots", name, target, err);
}

int snapshot_set(struct store *store, const char *name, uint64_t number, struct error *err)
{
	int r = check_name(name, err);

	if (r == 0)
		r = store_gate_enter(store, err);
	if (r < 0)
		return r;
	r = set_gated(store, name, number, err);
	store_gate_leave(store);
	return r;
}

int snapshot_remove(struct store *store, const char *name, struct error *err)
{
	char path[GENERATION_NAME_MAX];

	if (generation_name_check(name) < 0)
		return error_set(err, ENOENT, "there is no snapshot '%.64s'", name);
	(void)snprintf(path, sizeof(path), "snapshots/%s", name);
	if (unlinkat(store->fd, path, 0) < 0)
		return errno == ENOENT ? error_set(err, ENOENT, "there is no snapshot '%s'", name)
				       : error_set(err, errno, "remove '%s': %m", path);
	return durable_sync_dir(store->fd, "snapshots", err);
}
