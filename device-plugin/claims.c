/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/claims.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

/* How long a claim of Allocate lasts that the kubelet does not list: the other
 * containers of a pod, and other plugins, may take their time. */
#define UNCONFIRMED_MS 30000u

static const char unconfirmed_holder[] = "a pod that is being started";

struct entry {
	struct unit_claim *claim; /* owned, with its strings */
	bool confirmed;		  /* the kubelet lists it */
	uint64_t missed_ms;	  /* when the kubelet first did not; 0: it was not asked since */
};

struct entries {
	struct entry *list; /* by unit, then by resource, then by holder */
	size_t n;
	size_t cap;
};

struct claims {
	pthread_mutex_t lock; /* guards what follows */
	bool track;
	bool known; /* the kubelet has told once */
	struct entries entries;
	void (*changed)(void *ctx);
	void *ctx;
};

#define _cleanup_entries_ _cleanup_(entries_done)

static void entries_done(struct entries *entries)
{
	for (size_t i = 0; i < entries->n; i++)
		free(entries->list[i].claim);
	free(entries->list);
	*entries = (struct entries) { 0 };
}

static int compare_claims(const struct unit_claim *left, const struct unit_claim *right)
{
	int order = strcmp(left->unit, right->unit);

	return order != 0 ? order : strcmp(left->resource, right->resource);
}

/* Containers of a pod may have a unit one after the other: the kubelet lists it twice. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = compare_claims(left->claim, right->claim);

	return order != 0 ? order : strcmp(left->claim->holder, right->claim->holder);
}

static void entries_sort(struct entries *entries)
{
	if (entries->n > 0)
		qsort(entries->list, entries->n, sizeof(*entries->list), compare_entries);
}

/* Moves the last entry to its place among those before it, which are sorted. */
static void entries_settle(struct entries *entries, size_t last)
{
	struct entry entry = entries->list[last];
	size_t low = 0, n = last;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (compare_entries(&entries->list[middle], &entry) <= 0)
			low = middle + 1;
		else
			n = middle;
	}
	memmove(&entries->list[low + 1], &entries->list[low],
		(last - low) * sizeof(*entries->list));
	entries->list[low] = entry;
}

/* Looks among the first @n entries, which are sorted. */
static struct entry *entries_find(const struct entries *entries, size_t n,
				  const struct unit_claim *claim)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;
		int order = compare_claims(entries->list[middle].claim, claim);

		if (order == 0)
			return &entries->list[middle];
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return NULL;
}

static int entries_reserve(struct entries *entries, size_t n)
{
	size_t cap = MAX(n, entries->cap * 2);
	struct entry *list;

	if (n > UNIT_CLAIMS_MAX)
		return -ENOMEM;
	if (n <= entries->cap)
		return 0;
	list = reallocarray(entries->list, cap, sizeof(*list));
	if (!list)
		return -ENOMEM;
	entries->list = list;
	entries->cap = cap;
	return 0;
}

/* Appends a copy of a claim. */
static int entries_add(struct entries *entries, const struct unit_claim *claim,
		       const struct entry *like)
{
	struct unit_claim *copy;

	if (entries_reserve(entries, entries->n + 1) < 0)
		return -ENOMEM;
	copy = unit_claims_copy(claim, 1);
	if (!copy)
		return -ENOMEM;
	entries->list[entries->n] = *like;
	entries->list[entries->n++].claim = copy;
	return 0;
}

struct claims *claims_new(void (*changed)(void *ctx), void *ctx)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (!claims)
		return NULL;
	(void)pthread_mutex_init(&claims->lock, NULL);
	claims->changed = changed;
	claims->ctx = ctx;
	return claims;
}

void claims_free(struct claims *claims)
{
	int saved_errno = errno;

	if (!claims)
		return;
	(void)pthread_mutex_destroy(&claims->lock);
	entries_done(&claims->entries);
	free(claims);
	errno = saved_errno;
}

void claims_track(struct claims *claims, bool track)
{
	(void)pthread_mutex_lock(&claims->lock);
	claims->track = track;
	(void)pthread_mutex_unlock(&claims->lock);
}

static int check_free(const struct entries *entries, const struct unit_set *set,
		      const struct chosen *chosen, struct error *err)
{
	for (size_t i = 0; i < chosen->n; i++)
		for (size_t j = 0; j < entries->n; j++) {
			const struct unit_claim *claim = entries->list[j].claim;

			if (!unit_conflict(set, chosen->units[i], claim, 1))
				continue;
			return error_set(err, EBUSY,
					 "device '%s' of %s overlaps '%s' of %s, held by %s",
					 chosen->units[i]->id, set->rule.resource, claim->unit,
					 claim->resource, claim->holder);
		}
	return 0;
}

/* A unit that is given again begins anew: the kubelet knows its former holder gone. */
static int add_claim(struct entries *entries, size_t n_sorted, const struct unit_claim *claim)
{
	struct entry *entry = entries_find(entries, n_sorted, claim);
	struct unit_claim *copy;

	if (!entry)
		return entries_add(entries, claim, &(struct entry) { 0 });
	copy = unit_claims_copy(claim, 1);
	if (!copy)
		return -ENOMEM;
	free(entry->claim);
	*entry = (struct entry) { .claim = copy };
	return 0;
}

static void drop_after(struct entries *entries, size_t n)
{
	while (entries->n > n)
		free(entries->list[--entries->n].claim);
}

static int add_claims(struct entries *entries, const struct unit_set *set,
		      const struct chosen *chosen)
{
	size_t n_sorted = entries->n;
	int r = 0;

	for (size_t i = 0; i < chosen->n && r == 0; i++) {
		const struct unit_claim claim = { set->rule.resource, chosen->units[i]->id,
						  unconfirmed_holder };

		r = add_claim(entries, n_sorted, &claim);
	}
	if (r < 0)
		drop_after(entries, n_sorted);
	for (size_t i = n_sorted; i < entries->n; i++)
		entries_settle(entries, i);
	return r;
}

/* Returns 1 if others have to hear of it.  Where no units overlap claims are for the
 * configuration that comes next, and their lack is no reason to refuse. */
static int take(struct claims *claims, const struct unit_set *set, const struct chosen *chosen,
		struct error *err)
{
	int r = claims->track ? check_free(&claims->entries, set, chosen, err) : 0;

	if (r < 0)
		return r;
	r = add_claims(&claims->entries, set, chosen);
	if (!claims->track)
		return 0;
	if (r < 0)
		return error_set(err, ENOMEM, "no memory to claim %zu devices", chosen->n);
	return 1;
}

int claims_take(struct claims *claims, const struct unit_set *set, const struct chosen *chosen,
		struct error *err)
{
	int r;

	(void)pthread_mutex_lock(&claims->lock);
	r = take(claims, set, chosen, err);
	(void)pthread_mutex_unlock(&claims->lock);
	if (r > 0)
		claims->changed(claims->ctx);
	return MIN(r, 0);
}

/* Takes over what the kubelet lists. */
static int list_held(struct entries *next, const struct unit_claim *held, size_t n)
{
	int r = entries_reserve(next, n);

	for (size_t i = 0; i < n && r == 0; i++)
		r = entries_add(next, &held[i], &(struct entry) { .confirmed = true });
	entries_sort(next);
	return r;
}

/* Adds the claims of Allocate that are not listed and whose time is not up. */
static int keep_unconfirmed(struct entries *next, const struct entries *before, uint64_t now_ms)
{
	size_t n_held = next->n;
	int r = 0;

	for (size_t i = 0; i < before->n && r == 0; i++) {
		struct entry entry = before->list[i];

		if (entry.confirmed || entries_find(next, n_held, entry.claim))
			continue;
		if (entry.missed_ms == 0)
			entry.missed_ms = MAX(now_ms, UINT64_C(1));
		if (now_ms < entry.missed_ms + UNCONFIRMED_MS)
			r = entries_add(next, entry.claim, &entry);
	}
	entries_sort(next);
	return r;
}

static bool is_equal(const struct entries *a, const struct entries *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (compare_entries(&a->list[i], &b->list[i]) != 0)
			return false;
	return true;
}

static int confirm(struct claims *claims, struct entries *next, uint64_t now_ms)
{
	struct entries before = claims->entries;
	bool same;

	if (keep_unconfirmed(next, &before, now_ms) < 0)
		return -ENOMEM;
	same = is_equal(&before, next) && claims->known;
	claims->known = true;
	claims->entries = *next;
	*next = before;
	return !same;
}

int claims_confirm(struct claims *claims, const struct unit_claim *held, size_t n, uint64_t now_ms)
{
	_cleanup_entries_ struct entries next = { 0 };
	int r;

	if (list_held(&next, held, n) < 0)
		return -ENOMEM;
	(void)pthread_mutex_lock(&claims->lock);
	r = confirm(claims, &next, now_ms);
	(void)pthread_mutex_unlock(&claims->lock);
	return r;
}

bool claims_are_known(struct claims *claims)
{
	bool known;

	(void)pthread_mutex_lock(&claims->lock);
	known = claims->known;
	(void)pthread_mutex_unlock(&claims->lock);
	return known;
}

ssize_t claims_copy(struct claims *claims, struct unit_claim **ret)
{
	_cleanup_free_ struct unit_claim *rows = NULL;
	ssize_t n = -ENOMEM;

	(void)pthread_mutex_lock(&claims->lock);
	rows = calloc(claims->entries.n + 1, sizeof(*rows));
	for (size_t i = 0; rows && i < claims->entries.n; i++)
		rows[i] = *claims->entries.list[i].claim;
	if (rows) {
		*ret = unit_claims_copy(rows, claims->entries.n);
		n = *ret ? (ssize_t)claims->entries.n : -ENOMEM;
	}
	(void)pthread_mutex_unlock(&claims->lock);
	return n;
}
