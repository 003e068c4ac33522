/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"

#define COMPONENT "resource"

/* How far a resource is on its way out; one step at each check, so that the kubelet
 * has had the empty list before the stream ends. */
enum stage {
	STAGE_OFFERED,
	STAGE_WITHDRAWN, /* its list is empty */
	STAGE_STOPPED,	 /* its sockets are closed */
};

struct row {
	struct resource *resource;
	enum stage stage;
	bool wanted; /* scratch: the new offer has it */
};

struct catalog {
	struct resource_setup setup;
	struct row *rows; /* the offered ones first */
	size_t n_rows;
	size_t n_offered;
	size_t cap;
	bool made; /* there was an offer */
};

struct catalog *catalog_new(const struct resource_setup *setup)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));

	if (catalog)
		catalog->setup = *setup;
	return catalog;
}

/* A resource that is withdrawn, but not stopped, can be offered again. */
static struct row *find(const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->n_rows; i++)
		if (catalog->rows[i].stage != STAGE_STOPPED &&
		    strcmp(resource_name(catalog->rows[i].resource), name) == 0)
			return &catalog->rows[i];
	return NULL;
}

static int reserve(struct catalog *catalog)
{
	size_t cap = MAX(catalog->cap * 2, (size_t)16);
	struct row *rows;

	if (catalog->n_rows < catalog->cap)
		return 0;
	rows = reallocarray(catalog->rows, cap, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	catalog->rows = rows;
	catalog->cap = cap;
	return 0;
}

static struct row *find_or_add(struct catalog *catalog, const char *name)
{
	struct row *row = find(catalog, name);
	struct error err = { 0 };
	int r;

	if (row)
		return row;
	r = reserve(catalog);
	if (r == 0) {
		row = &catalog->rows[catalog->n_rows];
		*row = (struct row) { 0 };
		r = resource_new(&catalog->setup, name, &row->resource, &err);
	}
	if (r < 0) {
		log_error(COMPONENT, "%s: cannot be offered: %s", name, error_text(&err, r));
		return NULL;
	}
	catalog->n_rows++;
	return row;
}

static void withdraw_unwanted(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->n_rows; i++) {
		struct row *row = &catalog->rows[i];

		if (row->wanted || row->stage != STAGE_OFFERED)
			continue;
		log_info(COMPONENT, "%s: is no longer offered", resource_name(row->resource));
		resource_withdraw(row->resource);
		row->stage = STAGE_WITHDRAWN;
	}
}

/* The wanted ones first, in the order of the offer, which a person reads. */
static void sort(struct catalog *catalog, const struct offer *offer)
{
	size_t n = 0;

	for (size_t i = 0; i < offer->n_resources; i++) {
		struct row *row = find(catalog, offer->resources[i].name);
		struct row moved;

		if (!row || row->stage != STAGE_OFFERED)
			continue;
		moved = *row;
		*row = catalog->rows[n];
		catalog->rows[n++] = moved;
	}
	catalog->n_offered = n;
}

void catalog_apply(struct catalog *catalog, const struct offer *offer, const struct unit_plan *plan)
{
	for (size_t i = 0; i < catalog->n_rows; i++)
		catalog->rows[i].wanted = false;
	for (size_t i = 0; i < offer->n_resources; i++) {
		const struct offer_resource *offered = &offer->resources[i];
		struct row *row = find_or_add(catalog, offered->name);

		if (!row)
			continue;
		row->wanted = true;
		row->stage = STAGE_OFFERED;
		resource_update(row->resource, plan, offered->rule, &offered->terms);
	}
	withdraw_unwanted(catalog);
	sort(catalog, offer);
	catalog->made = true;
}

bool catalog_is_made(const struct catalog *catalog)
{
	return catalog->made;
}

bool catalog_hides(const struct catalog *catalog)
{
	bool hides = false;

	for (size_t i = 0; i < catalog->n_offered && !hides; i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *units =
			resource_units(catalog->rows[i].resource);

		hides = units && units->n_claims > 0;
	}
	return hides;
}

/* Takes a resource a step further out; returns false once it is gone. */
static bool step_out(struct row *row)
{
	if (row->stage == STAGE_WITHDRAWN) {
		resource_stop(row->resource);
		row->stage = STAGE_STOPPED;
	} else if (resource_is_idle(row->resource)) {
		resource_free(row->resource);
		return false;
	}
	return true;
}

void catalog_check(struct catalog *catalog)
{
	size_t n = 0;

	for (size_t i = 0; i < catalog->n_rows; i++) {
		struct row *row = &catalog->rows[i];

		if (row->stage == STAGE_OFFERED)
			resource_check(row->resource);
		else if (!step_out(row))
			continue;
		catalog->rows[n++] = *row;
	}
	catalog->n_rows = n;
}

void catalog_dir_event(struct catalog *catalog, enum lifecycle_path path, const char *name,
		       uint32_t mask)
{
	for (size_t i = 0; i < catalog->n_rows; i++)
		if (catalog->rows[i].stage != STAGE_STOPPED)
			resource_dir_event(catalog->rows[i].resource, path, name, mask);
}

size_t catalog_count(const struct catalog *catalog)
{
	return catalog->n_offered;
}

struct resource *catalog_get(const struct catalog *catalog, size_t i)
{
	return catalog->rows[i].resource;
}

void catalog_stop(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->n_rows; i++)
		if (catalog->rows[i].stage != STAGE_STOPPED)
			resource_stop(catalog->rows[i].resource);
}

void catalog_free(struct catalog *catalog)
{
	int saved_errno = errno;

	if (!catalog)
		return;
	for (size_t i = 0; i < catalog->n_rows; i++)
		resource_free(catalog->rows[i].resource);
	free(catalog->rows);
	free(catalog);
	errno = saved_errno;
}
