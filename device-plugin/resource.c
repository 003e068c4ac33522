/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/resource.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/config/resource_name.h"
#include "api/kubelet/kubelet.h"
#include "api/kubelet/messages.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "device-plugin/allocation.h"
#include "device-plugin/preference.h"

#define COMPONENT "resource"

struct resource {
	struct resource_setup setup;
	char name[RESOURCE_NAME_MAX];
	struct endpoint *endpoints[_LIFECYCLE_PATH_MAX]; /* NULL where not wanted */
	bool offered;	      /* has had a unit, so the kubelet is told of it */
	bool too_long;	      /* the newest list was refused */
	pthread_mutex_t lock; /* guards what follows, which gRPC's thread reads */
	struct unit_set *units;
	struct terms terms;
};

struct unit_set *resource_units(struct resource *resource)
{
	struct unit_set *units;

	(void)pthread_mutex_lock(&resource->lock);
	units = resource->units ? unit_set_ref(resource->units) : NULL;
	(void)pthread_mutex_unlock(&resource->lock);
	return units;
}

struct terms resource_terms(struct resource *resource)
{
	struct terms terms;

	(void)pthread_mutex_lock(&resource->lock);
	terms = resource->terms;
	(void)pthread_mutex_unlock(&resource->lock);
	return terms;
}

const char *resource_name(const struct resource *resource)
{
	return resource->name;
}

const struct endpoint *resource_endpoint(const struct resource *resource, enum lifecycle_path path)
{
	return resource->offered ? resource->endpoints[path] : NULL;
}

static struct kubelet_device list_device(const void *ctx, size_t i)
{
	const struct unit_set *units = ctx;
	const struct unit *unit = &units->units[i];

	return (struct kubelet_device) { .id = unit->id,
					 .healthy = unit->healthy,
					 .numa_node = unit_state(units, unit)->device->numa_node };
}

static int encode_list(void *ctx, struct rpc_message *ret)
{
	struct resource *resource = ctx;
	_cleanup_(unit_set_unrefp) struct unit_set *units = resource_units(resource);

	return kubelet_encode_device_list(units->n_units, list_device, units, ret);
}

/* What a request is answered from: the newest units and terms. */
struct request {
	struct resource *resource;
	struct allocation allocation;
	struct terms terms;
	const uint8_t *data;
	size_t len;
};

static int answer_options(_unused_ const struct request *request, struct rpc_message *ret_reply,
			  _unused_ struct error *err)
{
	return kubelet_encode_options(ret_reply);
}

static int answer_preferred(const struct request *request, struct rpc_message *ret_reply,
			    struct error *err)
{
	return preference_answer(request->allocation.set, request->terms.preferred, request->data,
				 request->len, ret_reply, err);
}

static int answer_allocate(const struct request *request, struct rpc_message *ret_reply,
			   struct error *err)
{
	return allocation_allocate(&request->allocation, request->data, request->len, ret_reply,
				   err);
}

static int answer_pre_start(const struct request *request, struct rpc_message *ret_reply,
			    struct error *err)
{
	return allocation_pre_start(&request->allocation, request->data, request->len, ret_reply,
				    err);
}

static const struct {
	const char *method;
	int (*answer)(const struct request *request, struct rpc_message *ret_reply,
		      struct error *err);
	enum telemetry_rpc rpc;
} answers[] = {
	{ KUBELET_METHOD_OPTIONS, answer_options, TELEMETRY_RPC_OPTIONS },
	{ KUBELET_METHOD_PREFERRED, answer_preferred, TELEMETRY_RPC_PREFERRED },
	{ KUBELET_METHOD_ALLOCATE, answer_allocate, TELEMETRY_RPC_ALLOCATE },
	{ KUBELET_METHOD_PRE_START, answer_pre_start, TELEMETRY_RPC_PRE_START },
};

static int answer(const struct request *request, const char *method, struct rpc_message *ret_reply,
		  struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct telemetry *telemetry = request->resource->setup.telemetry;
		uint64_t start_ns;
		int r;

		if (strcmp(answers[i].method, method) != 0)
			continue;
		start_ns = clock_ns();
		r = answers[i].answer(request, ret_reply, err);
		telemetry_rpc(telemetry, request->resource->name, answers[i].rpc, start_ns, r);
		return r;
	}
	return -ENOSYS;
}

/* Answers a call, on gRPC's thread. */
static int handle_call(void *ctx, const char *method, const uint8_t *data, size_t len,
		       struct rpc_message *ret_reply, struct error *err)
{
	struct resource *resource = ctx;
	_cleanup_(unit_set_unrefp) struct unit_set *units = resource_units(resource);
	struct request request = { .resource = resource, .data = data, .len = len };
	int r;

	request.terms = resource_terms(resource);
	request.allocation = (struct allocation) { resource->setup.host, units, &request.terms,
						   resource->setup.claims };
	r = answer(&request, method, ret_reply, err);
	if (r < 0)
		log_warning(COMPONENT, "%s: %s refused: %s", resource->name,
			    strrchr(method, '/') + 1, error_text(err, r));
	if (r == -EIO)
		resource->setup.suspect(resource->setup.ctx);
	return r;
}

static void on_registered(void *ctx, enum lifecycle_path path, bool accepted)
{
	const struct resource *resource = ctx;

	telemetry_registered(resource->setup.telemetry, resource->name, path, accepted);
}

int resource_new(const struct resource_setup *setup, const char *name, struct resource **ret,
		 struct error *err)
{
	_cleanup_(resource_freep) struct resource *resource = calloc(1, sizeof(*resource));
	const char *const dirs[_LIFECYCLE_PATH_MAX] = {
		[LIFECYCLE_CLASSIC] = setup->classic_dir,
		[LIFECYCLE_WATCHER] = setup->watcher_dir,
	};
	int r;

	if (!resource)
		return error_set(err, ENOMEM, "no memory for a resource");
	resource->setup = *setup;
	(void)str_copy(resource->name, sizeof(resource->name), name);
	(void)pthread_mutex_init(&resource->lock, NULL);
	for (enum lifecycle_path path = 0; path < _LIFECYCLE_PATH_MAX; path++) {
		const struct endpoint_setup endpoint = {
			.loop = setup->loop,
			.rpc = setup->rpc,
			.path = path,
			.dir = dirs[path],
			.resource = resource->name,
			.handle = handle_call,
			.encode = encode_list,
			.registered = on_registered,
			.ctx = resource,
		};

		if (!dirs[path])
			continue;
		r = endpoint_new(&endpoint, &resource->endpoints[path], err);
		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(resource);
	return 0;
}

void resource_stop(struct resource *resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(resource->endpoints); i++)
		if (resource->endpoints[i])
			endpoint_stop(resource->endpoints[i]);
}

bool resource_is_idle(struct resource *resource)
{
	bool idle = true;

	for (size_t i = 0; i < ARRAY_SIZE(resource->endpoints); i++)
		idle = idle &&
		       (!resource->endpoints[i] || endpoint_is_idle(resource->endpoints[i]));
	return idle;
}

void resource_free(struct resource *resource)
{
	if (!resource)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(resource->endpoints); i++)
		endpoint_free(resource->endpoints[i]);
	unit_set_unref(resource->units);
	(void)pthread_mutex_destroy(&resource->lock);
	free(resource);
}

static const char *how_to_shorten(const struct unit_rule *rule)
{
	if (rule->kind == UNIT_PARTITION)
		return "use a larger 'cores', or divide the devices over several resources";
	return "divide the devices over several resources with 'devices'";
}

/* A longer message would end the stream and make every device unhealthy. */
static bool fits_message(struct resource *resource, const struct unit_set *units)
{
	size_t size = kubelet_device_list_size_max(units->n_units, list_device, units);
	bool fits = size <= KUBELET_MESSAGE_MAX;

	if (!fits && !resource->too_long)
		log_error(COMPONENT,
			  "%s: the list of %zu devices may take %zu bytes, the kubelet accepts %u; "
			  "%s; %s",
			  resource->name, units->n_units, size, KUBELET_MESSAGE_MAX,
			  resource->units ? "the list of before stays" : "it is not offered",
			  how_to_shorten(&units->rule));
	resource->too_long = !fits;
	return fits;
}

/* Replaces the units; returns whether a kubelet would see a difference. */
static bool take_units(struct resource *resource, struct unit_set *units, const struct terms *terms)
{
	bool changed = !resource->units || !unit_set_equal(resource->units, units);
	struct unit_set *before;

	(void)pthread_mutex_lock(&resource->lock);
	before = resource->units;
	resource->units = units;
	if (terms)
		resource->terms = *terms;
	(void)pthread_mutex_unlock(&resource->lock);
	unit_set_unref(before);
	return changed;
}

static void log_units(const struct resource *resource)
{
	size_t n_healthy = 0;

	for (size_t i = 0; i < resource->units->n_units; i++)
		n_healthy += resource->units->units[i].healthy;
	log_info(COMPONENT, "%s: %zu devices, %zu of them healthy", resource->name,
		 resource->units->n_units, n_healthy);
}

static void offer(struct resource *resource)
{
	bool first = !resource->offered;

	if (first && resource->units->n_units == 0)
		return;
	resource->offered = true;
	log_units(resource);
	for (size_t i = 0; i < ARRAY_SIZE(resource->endpoints); i++) {
		if (!resource->endpoints[i])
			continue;
		if (first)
			endpoint_check(resource->endpoints[i]);
		else
			endpoint_publish(resource->endpoints[i]);
	}
}

void resource_update(struct resource *resource, const struct unit_plan *plan, size_t rule,
		     const struct terms *terms)
{
	_cleanup_(unit_set_unrefp) struct unit_set *units = NULL;
	struct error err = { 0 };
	int r;

	r = unit_set_build(plan, rule, &units, &err);
	if (r < 0) {
		log_error(COMPONENT, "%s: cannot list the devices: %s", resource->name,
			  error_text(&err, r));
		return;
	}
	if (!fits_message(resource, units))
		return;
	if (take_units(resource, TAKE_PTR(units), terms))
		offer(resource);
}

void resource_withdraw(struct resource *resource)
{
	_cleanup_(snapshot_unrefp) struct snapshot *nothing = snapshot_new(0, NULL, 0);
	const struct unit_rule rule = { .resource = resource->name };
	const struct unit_plan plan = { .snapshot = nothing, .rules = &rule, .n_rules = 1 };
	struct unit_set *units;

	if (nothing && unit_set_build(&plan, 0, &units, NULL) == 0 &&
	    take_units(resource, units, NULL))
		offer(resource);
}

void resource_check(struct resource *resource)
{
	if (!resource->offered)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(resource->endpoints); i++)
		if (resource->endpoints[i])
			endpoint_check(resource->endpoints[i]);
}

void resource_dir_event(struct resource *resource, enum lifecycle_path path, const char *name,
			uint32_t mask)
{
	if (resource->offered && resource->endpoints[path])
		endpoint_dir_event(resource->endpoints[path], name, mask);
}
