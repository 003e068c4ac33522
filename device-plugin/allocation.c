/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/allocation.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/kubelet/messages.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "device-plugin/edits.h"
#include "drivers/driver.h"

#define ID_SHOWN_MAX 100 /* characters of an unknown ID in an error text */
/* Bytes of one answer; what the kubelet takes is 4 MiB. */
#define ANSWER_MEMORY_MAX (64 * 1024 * 1024)

#define _cleanup_allocate_request_ _cleanup_(kubelet_allocate_request_done)

static int compare_units(const void *a, const void *b)
{
	const struct unit *const *left = a;
	const struct unit *const *right = b;

	return (*left > *right) - (*left < *right);
}

/* A unit may be named twice; it is still one unit. */
static void sort_and_merge(struct chosen *chosen)
{
	size_t n = 0;

	qsort(chosen->units, chosen->n, sizeof(*chosen->units), compare_units);
	for (size_t i = 0; i < chosen->n; i++)
		if (n == 0 || chosen->units[n - 1] != chosen->units[i])
			chosen->units[n++] = chosen->units[i];
	chosen->n = n;
}

/* Finds the units of @ids; @chosen->units has room for all of them. */
static int choose_units(const struct unit_set *set, const struct kubelet_ids *ids,
			struct chosen *chosen, struct error *err)
{
	if (ids->n == 0)
		return error_set(err, EINVAL, "a container of the request names no device of %s",
				 set->rule.resource);
	for (size_t i = 0; i < ids->n; i++) {
		const struct unit *unit = unit_set_find(set, ids->ids[i]);

		if (!unit)
			return error_set(err, EINVAL, "%s has no device '%.*s'", set->rule.resource,
					 ID_SHOWN_MAX, ids->ids[i]);
		chosen->units[i] = unit;
	}
	chosen->n = ids->n;
	sort_and_merge(chosen);
	return 0;
}

static int refuse_unit(const struct unit_set *set, const struct unit *unit, const char *reason,
		       struct error *err)
{
	return error_set(err, EIO, "device '%s' of %s is unhealthy: %s", unit->id,
			 set->rule.resource, reason);
}

/* How much of what a unit stands on has been looked at for the unit before it. */
enum checked {
	CHECKED_NOTHING,
	CHECKED_DEVICE, /* another part of the same device */
	CHECKED_ALL,	/* another share of the same part */
};

static enum checked checked_before(const struct chosen *chosen, size_t i)
{
	const struct unit *unit = chosen->units[i];
	const struct unit *before = i > 0 ? chosen->units[i - 1] : NULL;

	if (!before || before->device != unit->device)
		return CHECKED_NOTHING;
	return before->cores.first == unit->cores.first && before->cores.last == unit->cores.last
		       ? CHECKED_ALL
		       : CHECKED_DEVICE;
}

static int check_unit(const struct allocation *allocation, const struct unit *unit,
		      enum checked checked, struct error *err)
{
	const struct unit_set *set = allocation->set;
	const struct device *device = unit_state(set, unit)->device;
	char reason[HEALTH_REASON_MAX];
	struct error cause = { 0 };
	int r = 0;

	if (!unit->healthy)
		return refuse_unit(set, unit, unit_reason(set, unit, reason, sizeof(reason)), err);
	if (checked == CHECKED_NOTHING)
		r = device->driver->probe(allocation->host, device, &cause);
	if (r == 0 && checked != CHECKED_ALL)
		r = driver_check_nodes(allocation->host, device, unit->cores, &cause);
	return r < 0 ? refuse_unit(set, unit, error_text(&cause, r), err) : 0;
}

/* Units of one device stand together, so each device is probed once. */
static int check_units(const struct allocation *allocation, const struct chosen *chosen,
		       struct error *err)
{
	for (size_t i = 0; i < chosen->n; i++) {
		int r = check_unit(allocation, chosen->units[i], checked_before(chosen, i), err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int check_number(const struct allocation *allocation, const struct chosen *chosen,
			struct error *err)
{
	if (!allocation->terms->one_share || chosen->n <= 1)
		return 0;
	return error_set(err, EINVAL,
			 "a container asks for %zu of %s, and may have one: more shares do not "
			 "give it more (failRequestsGreaterThanOne)",
			 chosen->n, allocation->set->rule.resource);
}

/* What becomes of a container's request once its units are known to be good. */
typedef int (*serve_fn)(const struct allocation *allocation, const struct chosen *chosen, void *ctx,
			struct error *err);

static int serve_container(const struct allocation *allocation, const struct kubelet_ids *ids,
			   serve_fn serve, void *ctx, struct error *err)
{
	_cleanup_free_ const struct unit **units = calloc(ids->n + 1, sizeof(*units));
	struct chosen chosen = { .units = units };
	int r;

	if (!units)
		return error_set(err, ENOMEM, "no memory for %zu devices", ids->n);
	r = choose_units(allocation->set, ids, &chosen, err);
	if (r == 0)
		r = check_number(allocation, &chosen, err);
	if (r == 0)
		r = check_units(allocation, &chosen, err);
	return r < 0 ? r : serve(allocation, &chosen, ctx, err);
}

/* The answer to all containers of a request. */
struct answer {
	struct arena arena;
	struct kubelet_allocation *containers;
	size_t n;
};

#define _cleanup_answer_ _cleanup_(answer_done)

static void answer_done(struct answer *answer)
{
	arena_done(&answer->arena);
	free(answer->containers);
}

static int allocate_container(const struct allocation *allocation, const struct chosen *chosen,
			      void *ctx, struct error *err)
{
	struct answer *answer = ctx;
	int r;

	r = edits_make(&answer->arena, allocation->host, allocation->set, chosen, allocation->terms,
		       &answer->containers[answer->n], err);
	if (r == 0)
		r = claims_take(allocation->claims, allocation->set, chosen, err);
	answer->n += r == 0;
	return r;
}

int allocation_allocate(const struct allocation *allocation, const uint8_t *request, size_t len,
			struct rpc_message *ret_reply, struct error *err)
{
	_cleanup_allocate_request_ struct kubelet_allocate_request decoded = { 0 };
	_cleanup_answer_ struct answer answer = { .arena = arena_init(ANSWER_MEMORY_MAX) };
	int r;

	r = kubelet_decode_allocate(request, len, &decoded, err);
	if (r < 0)
		return r;
	if (decoded.n == 0)
		return error_set(err, EINVAL, "the request names no container");
	answer.containers = calloc(decoded.n, sizeof(*answer.containers));
	if (!answer.containers)
		return error_set(err, ENOMEM, "no memory for %zu containers", decoded.n);
	for (size_t i = 0; i < decoded.n; i++) {
		r = serve_container(allocation, &decoded.containers[i], allocate_container, &answer,
				    err);
		if (r < 0)
			return r;
	}
	r = kubelet_encode_allocations(answer.containers, answer.n, ret_reply);
	return r < 0 ? error_set(err, -r, "no memory for the answer") : 0;
}

static int start_container(_unused_ const struct allocation *allocation,
			   _unused_ const struct chosen *chosen, _unused_ void *ctx,
			   _unused_ struct error *err)
{
	return 0;
}

int allocation_pre_start(const struct allocation *allocation, const uint8_t *request, size_t len,
			 struct rpc_message *ret_reply, struct error *err)
{
	_cleanup_allocate_request_ struct kubelet_allocate_request decoded = { 0 };
	int r;

	r = kubelet_decode_pre_start(request, len, &decoded, err);
	if (r == 0)
		r = serve_container(allocation, &decoded.containers[0], start_container, NULL, err);
	if (r < 0)
		return r;
	*ret_reply = (struct rpc_message) { 0 }; /* the response has no fields */
	return 0;
}
