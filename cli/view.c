/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"
#include "drivers/driver.h"
#include "inventory/inventory.h"

/* Bytes of "ns/pod (container)". */
#define HOLDER_MAX \
	(PODRESOURCES_NAMESPACE_MAX + PODRESOURCES_POD_MAX + PODRESOURCES_CONTAINER_MAX + 8)
/* Bytes: as many containers as there can be devices, with the longest names. */
#define HOLDERS_MEMORY_MAX ((size_t)64 * 1024 * 1024)

/* For drivers that ask more than files; who looks is waiting. */
#define FIRST_ANSWER_MS 2000

static int make_policy(struct view *view, struct error *err)
{
	const struct settings *settings = view->settings;
	_cleanup_config_ struct config config = { 0 };
	int r = settings->config ? config_load(settings->config, &config, err)
				 : config_default(&config, err);

	if (r == 0)
		r = node_identity_load(settings->node_name, settings->node_labels, &view->node,
				       err);
	return r < 0 ? r : policy_new(&config, &view->node.node, &view->policy, err);
}

static int scan(struct view *view, struct error *err)
{
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	struct inventory_policy policy = policy_inventory(view->policy);
	const struct driver *const *drivers;
	size_t n;
	int r;

	drivers = policy_drivers(view->policy, &n);
	/* Without an answer the picture has less in it, and is one all the same. */
	(void)drivers_ask(drivers, n, &view->host, FIRST_ANSWER_MS, NULL);
	r = inventory_new(&view->host, drivers, n, &policy, &inventory, err);
	if (r < 0)
		return r;
	r = inventory_rescan(inventory, 0, &view->scan_error);
	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "%s", error_text(&view->scan_error, r));
	view->snapshot = inventory_snapshot(inventory);
	return 0;
}

int view_open(struct view *view, const struct settings *settings, struct error *err)
{
	int r;

	view->settings = settings;
	r = make_policy(view, err);
	if (r == 0)
		r = host_open(&view->host, settings->host_root, err);
	if (r == 0)
		r = scan(view, err);
	if (r == 0)
		r = policy_offer(view->policy, view->snapshot, &view->offer, err);
	return r;
}

static bool is_same_container(const struct podresources_holding *a,
			      const struct podresources_holding *b)
{
	return strcmp(a->pod_namespace, b->pod_namespace) == 0 &&
	       strcmp(a->pod_name, b->pod_name) == 0 && strcmp(a->container, b->container) == 0;
}

/* "ns/pod (container)" */
static const char *name_holder(struct arena *arena, const struct podresources_holding *row)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(HOLDER_MAX);
	char *name;

	strbuf_printf(&text, "%s/%s (%s)", row->pod_namespace, row->pod_name, row->container);
	name = arena_alloc(arena, text.len + 1);
	return name ? memcpy(name, strbuf_str(&text), text.len + 1) : NULL;
}

/* The holdings of a container stand together, and share its name. */
static int fill_claims(struct arena *arena, const struct podresources *held,
		       struct unit_claim *claims)
{
	for (size_t i = 0; i < held->n; i++) {
		const struct podresources_holding *row = &held->holdings[i];
		bool same = i > 0 && is_same_container(row, row - 1);

		claims[i] = (struct unit_claim) {
			.resource = row->resource,
			.unit = row->device_id,
			.holder = same ? claims[i - 1].holder : name_holder(arena, row),
		};
		if (!claims[i].holder)
			return -ENOMEM;
	}
	return 0;
}

static int build_sets(struct view *view, const struct unit_plan *plan, struct error *err)
{
	int r = 0;

	view->sets = calloc(view->offer.n_resources + 1, sizeof(struct unit_set *));
	if (!view->sets)
		return error_set(err, ENOMEM, "no memory for the resources");
	for (size_t i = 0; r == 0 && i < view->offer.n_resources; i++)
		r = unit_set_build(plan, view->offer.resources[i].rule, &view->sets[i], err);
	return r;
}

int view_build(struct view *view, const struct podresources *held, struct error *err)
{
	_cleanup_(arena_done) struct arena names = arena_init(HOLDERS_MEMORY_MAX);
	size_t n = held ? held->n : 0;
	_cleanup_free_ struct unit_claim *claims = calloc(n + 1, sizeof(*claims));
	const struct unit_plan plan = {
		.snapshot = view->snapshot,
		.rules = view->offer.rules,
		.n_rules = view->offer.n_rules,
		.claims = claims,
		.n_claims = n,
	};

	if (!claims || (held && fill_claims(&names, held, claims) < 0))
		return error_set(err, ENOMEM, "no memory for what is held");
	return build_sets(view, &plan, err);
}

const struct unit_set *view_find_set(const struct view *view, const char *resource)
{
	for (size_t i = 0; i < view->offer.n_resources; i++)
		if (strcmp(view->offer.resources[i].name, resource) == 0)
			return view->sets[i];
	return NULL;
}

static void add_note(struct strbuf *notes, const char *program, const char *text)
{
	strbuf_printf(notes, "%s: note: ", program);
	text_escape(notes, text);
	strbuf_puts(notes, "\n");
}

void view_print_notes(const struct view *view)
{
	_cleanup_strbuf_ struct strbuf notes = STRBUF_INIT(VIEW_NOTES_MAX);
	const struct config *config = policy_config(view->policy);
	const char *program = view->settings->program;

	for (size_t i = 0; i < config->n_notes; i++)
		add_note(&notes, program, config->notes[i].text);
	if (view->scan_error.code != 0)
		add_note(&notes, program, view->scan_error.msg);
	for (size_t i = 0; i < view->offer.n_problems; i++)
		add_note(&notes, program, view->offer.problems[i]);
	(void)fputs(strbuf_str(&notes), stderr);
}

void view_close(struct view *view)
{
	for (size_t i = 0; view->sets && i < view->offer.n_resources; i++)
		unit_set_unref(view->sets[i]);
	free(view->sets);
	offer_done(&view->offer);
	snapshot_unref(view->snapshot);
	policy_free(view->policy);
	node_identity_done(&view->node);
	host_close(&view->host);
	*view = VIEW_INIT;
}
