/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"

#define SNAPSHOTS_MAX 16u		 /* open at once; each maps its manifests */
#define SNAPSHOT_NS UINT64_C(1000000000) /* how long a name is believed */

struct snapshot_picture {
	char name[STORE_NAME_MAX];
	struct picture *picture; /* NULL: free */
	uint64_t checked_ns;
	uint64_t used_ns;
};

struct follow {
	struct store *store;
	struct picture_slots slots;
	atomic_uint_fast64_t version;
	atomic_bool reads;
	pthread_mutex_t lock; /* of what follows */
	struct setup *setup;
	struct picture *picture;
	struct error fault;
	pthread_mutex_t snapshot_lock;
	struct snapshot_picture snapshots[SNAPSHOTS_MAX];
};

int follow_new(struct store *store, struct setup *setup, struct follow **ret, struct error *err)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return error_set(err, ENOMEM, "no memory to follow the store");
	follow->store = store;
	follow->setup = setup_ref(setup);
	(void)pthread_mutex_init(&follow->lock, NULL);
	(void)pthread_mutex_init(&follow->snapshot_lock, NULL);
	(void)follow_look(follow);
	*ret = follow;
	return 0;
}

static void drop_snapshots(struct follow *follow)
{
	(void)pthread_mutex_lock(&follow->snapshot_lock);
	for (size_t i = 0; i < SNAPSHOTS_MAX; i++) {
		picture_unref(follow->snapshots[i].picture);
		follow->snapshots[i] = (struct snapshot_picture) { 0 };
	}
	(void)pthread_mutex_unlock(&follow->snapshot_lock);
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	drop_snapshots(follow);
	picture_unref(follow->picture);
	setup_unref(follow->setup);
	(void)pthread_mutex_destroy(&follow->snapshot_lock);
	(void)pthread_mutex_destroy(&follow->lock);
	free(follow);
}

static void publish(struct follow *follow, struct picture *picture)
{
	struct picture *old;

	(void)pthread_mutex_lock(&follow->lock);
	old = follow->picture;
	follow->picture = picture;
	follow->fault = (struct error) { 0 };
	atomic_fetch_add(&follow->version, 1);
	(void)pthread_mutex_unlock(&follow->lock);
	picture_unref(old);
}

static void set_fault(struct follow *follow, const struct error *fault)
{
	(void)pthread_mutex_lock(&follow->lock);
	follow->fault = *fault;
	(void)pthread_mutex_unlock(&follow->lock);
}

static bool has_faults(const struct picture *picture)
{
	for (size_t i = 0; i < picture->n_repositories; i++) {
		const struct picture_repository *row = &picture->repositories[i];

		if (row->fault.code || (row->manifest && manifest_is_lost(row->manifest->manifest)))
			return true;
	}
	return false;
}

/* Whether what is published is what the picture shows, without a fault. */
static bool is_current(const struct follow *follow, uint64_t number)
{
	const struct picture *picture = follow->picture;

	return picture && picture->number == number && picture->setup == follow->setup &&
	       !follow->fault.code && !has_faults(picture);
}

/* Reads which generation is current, and sees that content is there. */
static int look_at_store(struct follow *follow, uint64_t *ret_number, struct error *err)
{
	int r = generation_current_number(follow->store, ret_number, err);

	if (r == 0 && faccessat(store_dirfd(follow->store), "objects", X_OK, AT_EACCESS) < 0)
		r = error_set(err, errno, "objects: %s", strerror(errno));
	atomic_store_explicit(&follow->reads, r == 0, memory_order_relaxed);
	return r;
}

static int look(struct follow *follow, bool *ret_changed, struct error *err)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct picture *picture = NULL;
	uint64_t number;
	int r;

	r = look_at_store(follow, &number, err);
	if (r < 0 || is_current(follow, number))
		return r;
	r = generation_current(follow->store, &generation, err);
	if (r < 0)
		return r;
	r = picture_new(follow->store, follow->setup, generation, &follow->slots, follow->picture,
			&picture, err);
	if (r < 0)
		return r;
	publish(follow, picture);
	*ret_changed = true;
	return 0;
}

bool follow_look(struct follow *follow)
{
	struct error err = { 0 };
	bool changed = false;
	int r = look(follow, &changed, &err);

	if (r < 0 && !err.code)
		(void)error_set(&err, -r, "the store cannot be read");
	if (r < 0)
		set_fault(follow, &err);
	else if (!changed && follow->fault.code)
		set_fault(follow, &(struct error) { 0 });
	return changed;
}

void follow_setup(struct follow *follow, struct setup *setup)
{
	struct setup *before;

	(void)pthread_mutex_lock(&follow->lock);
	before = follow->setup;
	follow->setup = setup_ref(setup);
	(void)pthread_mutex_unlock(&follow->lock);
	setup_unref(before);
	(void)follow_look(follow);
	drop_snapshots(follow);
}

uint64_t follow_version(const struct follow *follow)
{
	return atomic_load_explicit(&follow->version, memory_order_acquire);
}

struct picture *follow_picture(struct follow *follow, uint64_t *ret_version)
{
	struct picture *picture;

	(void)pthread_mutex_lock(&follow->lock);
	picture = follow->picture ? picture_ref(follow->picture) : NULL;
	if (ret_version)
		*ret_version = atomic_load(&follow->version);
	(void)pthread_mutex_unlock(&follow->lock);
	return picture;
}

bool follow_may_watch(struct follow *follow)
{
	bool may;

	(void)pthread_mutex_lock(&follow->lock);
	may = setup_may_watch(follow->setup, USER_NONE);
	(void)pthread_mutex_unlock(&follow->lock);
	return may;
}

void follow_fault(struct follow *follow, struct error *ret)
{
	(void)pthread_mutex_lock(&follow->lock);
	*ret = follow->fault;
	(void)pthread_mutex_unlock(&follow->lock);
}

bool follow_reads(const struct follow *follow)
{
	return atomic_load_explicit(&follow->reads, memory_order_relaxed);
}

const struct picture_slots *follow_slots(const struct follow *follow)
{
	return &follow->slots;
}

/* The place of a name, or the one that was not used for the longest time. */
static struct snapshot_picture *find_snapshot(struct follow *follow, const char *name)
{
	struct snapshot_picture *oldest = &follow->snapshots[0];

	for (size_t i = 0; i < SNAPSHOTS_MAX; i++) {
		struct snapshot_picture *row = &follow->snapshots[i];

		if (row->picture && strcmp(row->name, name) == 0)
			return row;
		if (row->used_ns < oldest->used_ns)
			oldest = row;
	}
	picture_unref(oldest->picture);
	*oldest = (struct snapshot_picture) { 0 };
	(void)str_copy(oldest->name, sizeof(oldest->name), name);
	return oldest;
}

static void drop_snapshot(struct snapshot_picture *row)
{
	picture_unref(row->picture);
	*row = (struct snapshot_picture) { 0 };
}

static int open_snapshot(struct follow *follow, const struct picture *current,
			 struct snapshot_picture *row, struct error *err)
{
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct picture_slots *slots = &follow->slots;
	struct picture *picture;
	int r = generation_find(follow->store, row->name, &generation, err);

	if (r < 0)
		return r;
	row->checked_ns = clock_ns();
	if (row->picture && row->picture->number == generation->number &&
	    row->picture->setup == current->setup)
		return 0;
	r = picture_new(follow->store, current->setup, generation, slots, current, &picture, err);
	if (r < 0)
		return r;
	picture_unref(row->picture);
	row->picture = picture;
	return 0;
}

/* Only what was pinned: numbers of generations would bring back what was recalled. */
static bool is_snapshot_name(const char *name)
{
	return name[strspn(name, "0123456789")] != '\0' && strcmp(name, "current") != 0;
}

int follow_snapshot(struct follow *follow, const struct picture *current, const char *name,
		    struct picture **ret, struct error *err)
{
	struct snapshot_picture *row;
	int r = 0;

	if (!is_snapshot_name(name))
		return error_set(err, ENOENT, "there is no such snapshot");
	(void)pthread_mutex_lock(&follow->snapshot_lock);
	row = find_snapshot(follow, name);
	if (!row->picture || row->picture->setup != current->setup ||
	    clock_ns() - row->checked_ns > SNAPSHOT_NS)
		r = open_snapshot(follow, current, row, err);
	row->used_ns = clock_ns();
	if (r < 0)
		drop_snapshot(row);
	else
		*ret = picture_ref(row->picture);
	(void)pthread_mutex_unlock(&follow->snapshot_lock);
	return r;
}
