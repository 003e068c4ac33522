/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/allocation.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/kubelet/messages.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "drivers/driver.h"

#define ID_SHOWN_MAX 100 /* characters of an unknown ID in an error text */
#define DEVICE_PERMISSIONS "rw"

#define _cleanup_allocate_request_ _cleanup_(kubelet_allocate_request_done)

/* The different units that one container asks for, in the order of the set. */
struct chosen {
	const struct unit **units;
	size_t n;
};

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

static int check_unit(const struct host *host, const struct unit_set *set, const struct unit *unit,
		      bool probe, struct error *err)
{
	const struct device *device = unit_state(set, unit)->device;
	char reason[HEALTH_REASON_MAX];
	struct error cause = { 0 };
	int r = 0;

	if (!unit->healthy)
		return refuse_unit(set, unit, unit_reason(set, unit, reason, sizeof(reason)), err);
	if (probe)
		r = device->driver->probe(host, device, &cause);
	if (r == 0)
		r = driver_check_nodes(host, device, unit->cores, &cause);
	return r < 0 ? refuse_unit(set, unit, error_text(&cause, r), err) : 0;
}

/* Units of one device stand together, so each device is probed once. */
static int check_units(const struct host *host, const struct unit_set *set,
		       const struct chosen *chosen, struct error *err)
{
	for (size_t i = 0; i < chosen->n; i++) {
		bool first = i == 0 || chosen->units[i]->device != chosen->units[i - 1]->device;
		int r = check_unit(host, set, chosen->units[i], first, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool within(struct core_range inner, struct core_range outer)
{
	return outer.first <= inner.first && inner.last <= outer.last;
}

/* Whether one of the @n units of a device opens the file. */
static bool needs_node(const struct device_node *node, const struct unit *const *units, size_t n)
{
	if (node->shared)
		return true;
	for (size_t i = 0; i < n; i++)
		if (within(node->cores, units[i]->cores))
			return true;
	return false;
}

static size_t same_device(const struct chosen *chosen, size_t from)
{
	size_t to = from;

	while (to < chosen->n && chosen->units[to]->device == chosen->units[from]->device)
		to++;
	return to - from;
}

/* Lists the files of all units; those that units of one device share, once. */
static int list_files(const struct unit_set *set, const struct chosen *chosen,
		      struct kubelet_allocation *allocation)
{
	size_t cap = 0;

	for (size_t i = 0; i < chosen->n; i += same_device(chosen, i))
		cap += unit_state(set, chosen->units[i])->device->n_nodes;
	allocation->devices = calloc(cap + 1, sizeof(*allocation->devices));
	if (!allocation->devices)
		return -ENOMEM;
	for (size_t i = 0; i < chosen->n; i += same_device(chosen, i)) {
		const struct device *device = unit_state(set, chosen->units[i])->device;
		size_t n_units = same_device(chosen, i);

		for (size_t node = 0; node < device->n_nodes; node++)
			if (needs_node(&device->nodes[node], &chosen->units[i], n_units))
				allocation->devices[allocation->n_devices++] =
					(struct kubelet_device_spec) { device->nodes[node].path,
								       DEVICE_PERMISSIONS };
	}
	return 0;
}

/* Checks what one container asks for; lists its files if @allocation is given. */
static int serve_container(const struct host *host, const struct unit_set *set,
			   const struct kubelet_ids *ids, struct kubelet_allocation *allocation,
			   struct error *err)
{
	_cleanup_free_ const struct unit **units = calloc(ids->n + 1, sizeof(*units));
	struct chosen chosen = { .units = units };
	int r;

	if (!units)
		return error_set(err, ENOMEM, "no memory for %zu devices", ids->n);
	r = choose_units(set, ids, &chosen, err);
	if (r < 0)
		return r;
	r = check_units(host, set, &chosen, err);
	if (r < 0 || !allocation)
		return r;
	r = list_files(set, &chosen, allocation);
	return r < 0 ? error_set(err, -r, "no memory for the files of %zu devices", chosen.n) : 0;
}

static int allocate_containers(const struct host *host, const struct unit_set *set,
			       const struct kubelet_allocate_request *request,
			       struct kubelet_allocation *allocations,
			       struct rpc_message *ret_reply, struct error *err)
{
	int r;

	for (size_t i = 0; i < request->n; i++) {
		r = serve_container(host, set, &request->containers[i], &allocations[i], err);
		if (r < 0)
			return r;
	}
	r = kubelet_encode_allocations(allocations, request->n, ret_reply);
	return r < 0 ? error_set(err, -r, "no memory for the answer") : 0;
}

int allocation_allocate(const struct host *host, const struct unit_set *set, const uint8_t *request,
			size_t len, struct rpc_message *ret_reply, struct error *err)
{
	_cleanup_allocate_request_ struct kubelet_allocate_request decoded = { 0 };
	_cleanup_free_ struct kubelet_allocation *allocations = NULL;
	int r;

	r = kubelet_decode_allocate(request, len, &decoded, err);
	if (r < 0)
		return r;
	if (decoded.n == 0)
		return error_set(err, EINVAL, "the request names no container");
	allocations = calloc(decoded.n, sizeof(*allocations));
	if (!allocations)
		return error_set(err, ENOMEM, "no memory for %zu containers", decoded.n);
	r = allocate_containers(host, set, &decoded, allocations, ret_reply, err);
	for (size_t i = 0; i < decoded.n; i++)
		free(allocations[i].devices);
	return r;
}

int allocation_pre_start(const struct host *host, const struct unit_set *set,
			 const uint8_t *request, size_t len, struct rpc_message *ret_reply,
			 struct error *err)
{
	_cleanup_allocate_request_ struct kubelet_allocate_request decoded = { 0 };
	int r;

	r = kubelet_decode_pre_start(request, len, &decoded, err);
	if (r < 0)
		return r;
	r = serve_container(host, set, &decoded.containers[0], NULL, err);
	if (r < 0)
		return r;
	*ret_reply = (struct rpc_message) { 0 }; /* the response has no fields */
	return 0;
}
