/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/idle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/loop.h"
#include "base/macro.h"
#include "drivers/driver.h"
#include "inventory/unit.h"

static bool is_same_holder(const struct podresources_holding *a,
			   const struct podresources_holding *b)
{
	return strcmp(a->pod_namespace, b->pod_namespace) == 0 &&
	       strcmp(a->pod_name, b->pod_name) == 0 && strcmp(a->container, b->container) == 0;
}

static struct load *find_load(struct load *loads, size_t n, const struct device_state *state)
{
	for (size_t i = 0; state && i < n; i++)
		if (loads[i].state == state)
			return &loads[i];
	return NULL;
}

struct load *idle_loads(const struct snapshot *snapshot, const struct podresources *held,
			size_t *ret_n)
{
	struct load *loads = calloc(snapshot->n_devices + 1, sizeof(*loads));

	*ret_n = 0;
	for (size_t i = 0; loads && i < held->n; i++) {
		struct core_range cores;
		const struct device_state *state =
			unit_locate(snapshot, held->holdings[i].device_id, &cores);

		if (state && !find_load(loads, *ret_n, state))
			loads[(*ret_n)++].state = state;
	}
	return loads;
}

/* Points to the same devices of a later snapshot; those that are gone have none. */
static void follow(struct idle_watch *watch, const struct snapshot *snapshot)
{
	size_t n = 0;

	for (size_t i = 0; i < watch->n_loads; i++) {
		struct load load = watch->loads[i];

		load.state = snapshot_find(snapshot, load.state->id);
		if (load.state)
			watch->loads[n++] = load;
	}
	watch->n_loads = n;
}

static void forget_new(struct idle_watch *watch, const struct snapshot *snapshot,
		       const struct podresources *before, const struct podresources *after)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct podresources_holding *row = &after->holdings[i];
		const struct podresources_holding *old =
			podresources_find(before, row->resource, row->device_id);
		struct core_range cores;
		struct load *load = find_load(watch->loads, watch->n_loads,
					      unit_locate(snapshot, row->device_id, &cores));

		if (load && (!old || !is_same_holder(old, row)))
			load->n_samples = 0;
	}
}

int idle_settle(struct idle_watch *watch, const struct snapshot *snapshot,
		const struct podresources *before, const struct podresources *after,
		struct error *err)
{
	size_t n;
	_cleanup_free_ struct load *still = idle_loads(snapshot, after, &n);

	if (!still)
		return error_set(err, ENOMEM, "no memory for loads");
	follow(watch, snapshot);
	forget_new(watch, snapshot, before, after);
	for (size_t i = 0; i < watch->n_loads; i++)
		if (!find_load(still, n, watch->loads[i].state))
			watch->loads[i].n_samples = 0;
	return 0;
}

struct sampler {
	struct idle_watch *watch;
	struct loop *loop;
	uint32_t left; /* samples to take */
};

static void take_sample(const struct host *host, struct load *load)
{
	const struct device *device = load->state->device;
	struct device_readings readings = device_readings_none();

	if (!device->driver->measure ||
	    device->driver->measure(host, device, &readings, NULL) < 0 ||
	    readings.utilization_ratio < 0)
		return;
	load->ratio_sum += readings.utilization_ratio;
	load->n_samples++;
}

static void on_timer(void *ctx)
{
	struct sampler *sampler = ctx;
	struct idle_watch *watch = sampler->watch;

	for (size_t i = 0; i < watch->n_loads; i++)
		take_sample(watch->host, &watch->loads[i]);
	if (--sampler->left == 0)
		loop_stop(sampler->loop);
}

uint32_t idle_interval_ms(uint32_t window_ms)
{
	return MAX(window_ms / IDLE_SAMPLES, (uint32_t)IDLE_INTERVAL_MIN_MS);
}

int idle_watch(struct idle_watch *watch, struct error *err)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(loop_source_freep) struct loop_source *timer = NULL;
	uint32_t interval_ms = idle_interval_ms(watch->window_ms);
	struct sampler sampler = { .watch = watch, .left = watch->window_ms / interval_ms + 1 };
	int r = loop_new(&loop, err);

	if (r < 0)
		return r;
	sampler.loop = loop;
	r = loop_add_timer(loop, on_timer, &sampler, &timer, err);
	if (r < 0)
		return r;
	r = loop_timer_set(timer, watch->grace_ms, interval_ms);
	return r < 0 ? error_set(err, -r, "cannot start a timer") : loop_run(loop, err);
}
