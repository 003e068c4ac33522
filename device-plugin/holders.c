/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubelet/podresources_client.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macro.h"

#define COMPONENT "podresources"

#define TRACK_MS 2000u /* between two questions while units can overlap */
#define RARE_MS 60000u /* and while they cannot */
#define SOON_MS 100u   /* after an Allocate: the pod has other containers, too */
/* Bytes for the names of all holders: 131,072 devices of containers of their own. */
#define NAMES_MEMORY_MAX ((size_t)64 * 1024 * 1024)
#define HOLDER_MAX 512 /* bytes of "pod a/b, container c": 63, 253 and 63 characters */

struct holders {
	struct holders_setup setup;
	struct podresources_client *client;
	struct loop_source *timer;
	struct loop_source *soon_timer;
	uint32_t interval_ms;
	int complained; /* the last failure that was logged, a negative errno */
};

/* A refusal is told once, and again when the reason is another. */
static void report(struct holders *holders, int r, const struct error *err)
{
	if (r == holders->complained)
		return;
	holders->complained = r;
	if (r == 0)
		log_info(COMPONENT, "the kubelet tells again who holds which device");
	else
		log_warning(COMPONENT,
			    "the kubelet does not tell who holds which device: %s; units that "
			    "overlap stay as they were",
			    error_text(err, r));
}

/* "pod a/b, container c"; the holdings of a container stand together. */
static const char *name_holder(struct arena *arena, const struct podresources_holding *holding,
			       const struct podresources_holding *before, const char *name_before)
{
	char text[HOLDER_MAX];
	char *name;

	if (before && strcmp(before->container, holding->container) == 0 &&
	    strcmp(before->pod_name, holding->pod_name) == 0 &&
	    strcmp(before->pod_namespace, holding->pod_namespace) == 0)
		return name_before;
	(void)snprintf(text, sizeof(text), "pod %s/%s, container %s", holding->pod_namespace,
		       holding->pod_name, holding->container);
	name = arena_alloc(arena, strlen(text) + 1);
	return name ? memcpy(name, text, strlen(text) + 1) : NULL;
}

static int fill_claims(struct arena *arena, const struct podresources *table,
		       struct unit_claim *held)
{
	const struct podresources_holding *before = NULL;
	const char *name = NULL;

	for (size_t i = 0; i < table->n; i++) {
		const struct podresources_holding *holding = &table->holdings[i];

		name = name_holder(arena, holding, before, name);
		if (!name)
			return -ENOMEM;
		held[i] = (struct unit_claim) { holding->resource, holding->device_id, name };
		before = holding;
	}
	return 0;
}

static int confirm(const struct holders *holders, const struct podresources *table)
{
	_cleanup_free_ struct unit_claim *held = calloc(table->n + 1, sizeof(*held));
	struct arena arena = arena_init(NAMES_MEMORY_MAX);
	int r = held ? fill_claims(&arena, table, held) : -ENOMEM;

	if (r == 0)
		r = claims_confirm(holders->setup.claims, held, table->n, clock_ms());
	arena_done(&arena);
	return r;
}

static void on_answer(void *ctx, int r, struct podresources *table, const struct error *err)
{
	struct holders *holders = ctx;

	telemetry_podresources(holders->setup.telemetry, r == 0);
	report(holders, r, err);
	if (r == 0 && confirm(holders, table) > 0)
		holders->setup.changed(holders->setup.ctx);
	holders->setup.answered(holders->setup.ctx);
}

bool holders_ask(struct holders *holders)
{
	struct error err = { 0 };
	int r = podresources_client_list(holders->client, &err);

	if (r < 0 && r != -EBUSY)
		report(holders, r, &err);
	return r == 0 || r == -EBUSY;
}

static void on_timer(void *ctx)
{
	(void)holders_ask(ctx);
}

int holders_new(const struct holders_setup *setup, struct holders **ret, struct error *err)
{
	_cleanup_(holders_freep) struct holders *holders = calloc(1, sizeof(*holders));
	struct podresources_client_setup client = {
		.rpc = setup->rpc,
		.loop = setup->loop,
		.kubelet_dir = setup->kubelet_dir,
		.timeout_ms = PODRESOURCES_TIMEOUT_MS,
		.fn = on_answer,
		.ctx = holders,
	};
	int r;

	if (!holders)
		return error_set(err, ENOMEM, "no memory to ask who holds which device");
	holders->setup = *setup;
	r = podresources_client_new(&client, &holders->client, err);
	if (r == 0)
		r = loop_add_timer(setup->loop, on_timer, holders, &holders->timer, err);
	if (r == 0)
		r = loop_add_timer(setup->loop, on_timer, holders, &holders->soon_timer, err);
	if (r < 0)
		return r;
	holders_track(holders, false);
	(void)holders_ask(holders);
	*ret = TAKE_PTR(holders);
	return 0;
}

void holders_free(struct holders *holders)
{
	int saved_errno = errno;

	if (!holders)
		return;
	podresources_client_free(holders->client);
	loop_source_free(holders->timer);
	loop_source_free(holders->soon_timer);
	free(holders);
	errno = saved_errno;
}

void holders_track(struct holders *holders, bool overlap)
{
	uint32_t interval_ms = overlap ? TRACK_MS : RARE_MS;

	claims_track(holders->setup.claims, overlap);
	if (interval_ms == holders->interval_ms)
		return;
	holders->interval_ms = interval_ms;
	(void)loop_timer_set(holders->timer, interval_ms, interval_ms);
}

void holders_ask_soon(struct holders *holders)
{
	(void)loop_timer_set(holders->soon_timer, SOON_MS, 0);
}
