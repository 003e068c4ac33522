/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/holdings.h"
#include "cli/kubelet.h"
#include "cli/reasons.h"
#include "cli/table.h"
#include "cli/view.h"
#include "inventory/inventory.h"
#include "inventory/preferred.h"

#define LINE_MAX_BYTES 4096 /* of a name of a resource and an ID, escaped */

/* Node and kubelet, as both of the commands need them. */
struct scene {
	const struct settings *settings;
	struct view view;
	struct kubelet kubelet;
	const struct podresources *held; /* NULL when not known, or not asked for */
};

static void scene_close(struct scene *scene)
{
	view_close(&scene->view);
	kubelet_done(&scene->kubelet);
}

static int scene_open(struct scene *scene, struct error *err)
{
	const struct settings *settings = scene->settings;
	int r = view_open(&scene->view, settings, err);

	if (r == 0 && settings->free == SETTINGS_FREE_NOW)
		r = kubelet_ask(settings, &scene->kubelet, err);
	if (r < 0)
		return r;
	if (settings->free == SETTINGS_FREE_NOW && scene->kubelet.list.state == KUBELET_ANSWERED)
		scene->held = &scene->kubelet.list.table;
	view_print_notes(&scene->view);
	return view_build(&scene->view, scene->held, err);
}

static void say_unknown(const struct scene *scene, struct strbuf *out)
{
	if (scene->held || scene->settings->free == SETTINGS_FREE_ALL)
		return;
	strbuf_puts(out, "Who holds what is not known: ");
	text_escape(out, error_text(&scene->kubelet.list.error, -EIO));
	strbuf_puts(out, "\n\n");
}

/* --- allocate --- */

struct request {
	char resource[RESOURCE_NAME_MAX];
	uint32_t n;
	const struct unit_set *set;
	const struct terms *terms;
	struct candidate *candidates; /* owned */
	size_t n_candidates;
};

static void request_done(struct request *request)
{
	free(request->candidates);
}

/* "furiosa.ai/npu=2" */
static int parse_request(const char *word, struct request *ret, struct error *err)
{
	const char *equals = strrchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : 0;

	if (len == 0 || len >= sizeof(ret->resource) ||
	    parse_u32(equals + 1, EXPLAIN_REQUEST_MAX, &ret->n) < 0 || ret->n == 0)
		return error_set(err, EINVAL, "'%s' is no request such as furiosa.ai/npu=2", word);
	memcpy(ret->resource, word, len);
	ret->resource[len] = '\0';
	return 0;
}

static int find_resource(const struct view *view, struct request *request, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX / 2);

	for (size_t i = 0; i < view->offer.n_resources; i++) {
		const struct offer_resource *resource = &view->offer.resources[i];

		strbuf_printf(&known, "%s%s", i > 0 ? ", " : "", resource->name);
		if (strcmp(resource->name, request->resource) != 0)
			continue;
		request->set = view->sets[i];
		request->terms = &resource->terms;
		return 0;
	}
	return error_set(err, ENOENT, "the node offers no '%s'; it offers: %s", request->resource,
			 known.len > 0 ? strbuf_str(&known) : "nothing");
}

static bool is_held(const struct scene *scene, const struct unit_set *set, const struct unit *unit)
{
	return scene->held && podresources_find(scene->held, set->rule.resource, unit->id);
}

static int list_candidates(const struct scene *scene, struct request *request, struct error *err)
{
	const struct unit_set *set = request->set;

	request->candidates = calloc(set->n_units + 1, sizeof(*request->candidates));
	if (!request->candidates)
		return error_set(err, ENOMEM, "no memory for the candidates");
	for (size_t i = 0; i < set->n_units; i++)
		if (set->units[i].healthy && !is_held(scene, set, &set->units[i]))
			request->candidates[request->n_candidates++].unit = &set->units[i];
	return 0;
}

static struct candidate *find_candidate(struct request *request, const char *id, size_t len)
{
	for (size_t i = 0; i < request->n_candidates; i++) {
		const struct unit *unit = request->candidates[i].unit;

		if (unit && strlen(unit->id) == len && strncmp(unit->id, id, len) == 0)
			return &request->candidates[i];
	}
	return NULL;
}

/* Marks the devices of --must, "ID,ID". */
static int mark_must(const char *must, struct request *request, struct error *err)
{
	uint32_t n = 0;

	for (const char *id = must; id; id = strchr(id, ',') ? strchr(id, ',') + 1 : NULL) {
		size_t len = strcspn(id, ",");
		struct candidate *candidate = find_candidate(request, id, len);

		if (!candidate)
			return error_set(err, ENOENT, "'%.*s' is no free and healthy device of %s",
					 (int)MIN(len, (size_t)PODRESOURCES_DEVICE_ID_MAX), id,
					 request->resource);
		n += !candidate->must_include;
		candidate->must_include = true;
	}
	if (n > request->n)
		return error_set(err, EINVAL, "%u devices must be included, of %u", n, request->n);
	return 0;
}

static void describe_request(const struct scene *scene, const struct request *request,
			     struct strbuf *out)
{
	const struct unit_set *set = request->set;
	size_t n_held = 0;

	for (size_t i = 0; i < set->n_units; i++)
		n_held += is_held(scene, set, &set->units[i]);
	strbuf_printf(out, "%u of %s; %zu of %zu are %shealthy", request->n, request->resource,
		      request->n_candidates, set->n_units, scene->held ? "free and " : "");
	if (n_held > 0)
		strbuf_printf(out, ", %zu held", n_held);
	if (set->n_units > n_held + request->n_candidates)
		strbuf_printf(out, ", %zu not healthy",
			      set->n_units - n_held - request->n_candidates);
	strbuf_printf(out, ".\nPolicy %s.\n", reasons_policy(request->terms->preferred));
}

/* Whether a kubelet and the plugin would refuse it, whatever is chosen. */
static bool refuse(const struct request *request, struct strbuf *out)
{
	if (request->n_candidates < request->n)
		strbuf_puts(out, "The request cannot be met: a pod would not be admitted.\n");
	else if (request->terms->one_share && request->n > 1)
		strbuf_puts(out, "The request is refused: failRequestsGreaterThanOne allows one "
				 "share to a container.\n");
	else
		return false;
	return true;
}

static int choose(const struct scene *scene, const struct request *request, struct strbuf *out,
		  struct error *err)
{
	_cleanup_free_ size_t *chosen = calloc(request->n, sizeof(*chosen));
	struct reasons_choice choice = {
		.set = request->set,
		.policy = request->terms->preferred,
		.candidates = request->candidates,
		.n = request->n_candidates,
		.chosen = chosen,
	};
	int r = -ENOMEM;

	if (chosen)
		r = preferred_choose(choice.set, choice.policy, choice.candidates, choice.n,
				     request->n, chosen);
	if (r >= 0) {
		choice.n_chosen = (size_t)r;
		strbuf_puts(out, "\n");
		r = reasons_choice(&choice, scene->settings->paint, out);
	}
	if (r < 0)
		return error_set(err, -r, "no memory for the choice");
	strbuf_puts(out, "\nThe kubelet asks only where it has a choice, and a topology manager "
			 "may narrow it before.\n");
	return COMMAND_DONE;
}

static int explain_allocate(const struct scene *scene, const char *word, struct strbuf *out,
			    struct error *err)
{
	_cleanup_(request_done) struct request request = { 0 };
	int r = parse_request(word, &request, err);

	if (r == 0)
		r = find_resource(&scene->view, &request, err);
	if (r == 0)
		r = list_candidates(scene, &request, err);
	if (r == 0)
		r = mark_must(scene->settings->must, &request, err);
	if (r < 0)
		return r;
	say_unknown(scene, out);
	describe_request(scene, &request, out);
	if (refuse(&request, out))
		return COMMAND_FAILED;
	return choose(scene, &request, out, err);
}

/* --- device --- */

static const struct device_state *find_device(const struct snapshot *snapshot, const char *word)
{
	struct core_range cores;

	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];
		const struct device *device = state->device;

		if (strcmp(state->id, word) == 0 || strcmp(device->name, word) == 0 ||
		    strcmp(device->bdf, word) == 0 || strcmp(device->uuid, word) == 0 ||
		    strcmp(device->serial, word) == 0)
			return state;
	}
	return unit_locate(snapshot, word, &cores);
}

static bool is_on(const struct view *view, const struct driver *driver)
{
	const struct driver *const *drivers;
	size_t n;

	drivers = policy_drivers(view->policy, &n);
	for (size_t i = 0; i < n; i++)
		if (drivers[i] == driver)
			return true;
	return false;
}

/* The devices that the drivers find which are off; NULL if that cannot be told. */
static struct snapshot *scan_with_others(const struct view *view)
{
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	_cleanup_free_ const struct driver **others = NULL;
	struct inventory_policy policy = policy_inventory(view->policy);
	const struct driver *const *all;
	size_t n, n_others = 0;

	all = driver_registry(&n);
	others = calloc(n + 1, sizeof(struct driver *));
	for (size_t i = 0; others && i < n; i++)
		if (!is_on(view, all[i]))
			others[n_others++] = all[i];
	if (n_others == 0 ||
	    inventory_new(&view->host, others, n_others, &policy, &inventory, NULL) < 0)
		return NULL;
	(void)inventory_rescan(inventory, 0, NULL);
	return inventory_snapshot(inventory);
}

static int explain_absent(const struct scene *scene, const char *word, struct strbuf *out)
{
	_cleanup_(snapshot_unrefp) struct snapshot *others = scan_with_others(&scene->view);
	const struct device_state *state = others ? find_device(others, word) : NULL;

	strbuf_puts(out, "'");
	text_escape(out, word);
	if (!state) {
		strbuf_puts(out, "' is no device of this node; silicactl devices lists them.\n");
		return COMMAND_FAILED;
	}
	strbuf_printf(out,
		      "' is a device of driver '%s', which is off: add it to 'drivers.enable' of "
		      "the configuration.\n",
		      state->device->driver->name);
	return COMMAND_DONE;
}

static void put_pair(struct strbuf *out, const char *what, const char *text)
{
	if (text[0] == '\0')
		return;
	strbuf_printf(out, "  %-9s ", what);
	text_escape(out, text);
	strbuf_puts(out, "\n");
}

static void describe_device(const struct device_state *state, struct strbuf *out)
{
	const struct device *device = state->device;
	char numa[12] = "";

	if (device->numa_node != DEVICE_NUMA_UNKNOWN)
		(void)snprintf(numa, sizeof(numa), "%d", device->numa_node);
	text_escape(out, device->name);
	strbuf_printf(out, ": %s ", device->driver->vendor);
	text_escape(out, device->product);
	strbuf_puts(out, "\n");
	put_pair(out, "device", state->id);
	put_pair(out, "PCI", device->bdf);
	put_pair(out, "NUMA", numa);
	put_pair(out, "memory", text_bytes(device->memory_bytes).text);
	put_pair(out, "health", state->healthy ? "Healthy" : state->reason);
}

/* The first rule before @number that is about the device as well. */
static const struct unit_rule *earlier_rule(const struct offer *offer, size_t number,
					    const struct device *device)
{
	for (size_t i = 0; i < number; i++)
		if (unit_rule_matches(&offer->rules[i], device))
			return &offer->rules[i];
	return NULL;
}

static const char *rule_name(const struct unit_rule *rule)
{
	return rule->resource ? rule->resource : "exclude";
}

/* Why a rule that is about a device has no unit of it. */
static void say_empty(const struct offer *offer, size_t number, const struct device *device,
		      struct strbuf *out)
{
	const struct unit_rule *earlier = earlier_rule(offer, number, device);
	struct error err = { 0 };

	if (unit_rule_fits(&offer->rules[number], device, &err) < 0)
		strbuf_printf(out, ", but it cannot be cut so: %s", err.msg);
	else if (earlier && !earlier->resource)
		strbuf_puts(out, ", but it is excluded");
	else if (earlier)
		strbuf_printf(out, ", but %s comes first", earlier->resource);
	else
		strbuf_puts(out, ", but it has no such part");
}

static size_t count_units(const struct unit_set *set, const struct device_state *state)
{
	size_t n = 0;

	for (size_t i = 0; set && i < set->n_units; i++)
		n += unit_state(set, &set->units[i]) == state;
	return n;
}

static void explain_rule(const struct view *view, size_t number, const struct device_state *state,
			 struct strbuf *out)
{
	const struct unit_rule *rule = &view->offer.rules[number];
	const struct unit_set *set = rule->resource ? view_find_set(view, rule->resource) : NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(LINE_MAX_BYTES);
	size_t n = count_units(set, state);

	reasons_rule(rule, state->device, &text);
	if (unit_rule_matches(rule, state->device)) {
		if (!rule->resource)
			strbuf_puts(&text, ": withheld from all resources");
		else if (n > 0)
			strbuf_printf(&text, ": %zu unit%s", n, text_plural(n));
		else
			say_empty(&view->offer, number, state->device, &text);
	}
	strbuf_printf(out, "  %zu. %s: ", number + 1, rule_name(rule));
	text_escape(out, strbuf_str(&text));
	strbuf_puts(out, "\n");
}

static void put_holder(struct table *table, const struct scene *scene, const struct unit_set *set,
		       const struct unit *unit)
{
	const struct podresources_holding *row =
		scene->held ? podresources_find(scene->held, set->rule.resource, unit->id) : NULL;

	if (row)
		table_put(table, PAINT_NONE, "%s/%s (%s)", row->pod_namespace, row->pod_name,
			  row->container);
	else
		table_put(table, PAINT_NONE, "%s", scene->held ? "" : "?");
}

static void put_units(struct table *table, const struct scene *scene, const struct unit_set *set,
		      const struct device_state *state)
{
	for (size_t i = 0; i < set->n_units; i++) {
		const struct unit *unit = &set->units[i];
		char reason[HEALTH_REASON_MAX];

		if (unit_state(set, unit) != state)
			continue;
		table_put(table, PAINT_NONE, "%s", set->rule.resource);
		table_put(table, PAINT_NONE, "%s", unit->id);
		table_put(table, unit->healthy ? PAINT_GOOD : PAINT_BAD, "%s",
			  unit->healthy ? "Healthy" : "Unhealthy");
		put_holder(table, scene, set, unit);
		table_put(table, PAINT_NONE, "%s", unit_reason(set, unit, reason, sizeof(reason)));
	}
}

/* The units of a device of all resources; returns how many. */
static int print_units(const struct scene *scene, const struct device_state *state,
		       struct strbuf *out)
{
	static const char *const headers[] = { "RESOURCE", "UNIT",   "HEALTH",
					       "HELD BY",  "REASON", NULL };
	const struct view *view = &scene->view;
	_cleanup_table_ struct table table = table_init(headers);

	for (size_t i = 0; i < view->offer.n_resources; i++)
		put_units(&table, scene, view->sets[i], state);
	if (table.n == 0 && table.error == 0) {
		strbuf_puts(out, "It is not offered.\n");
		return 0;
	}
	return table_print(&table, scene->settings->paint, out);
}

/* Who holds something of a device that is not among its units. */
static int print_strangers(const struct scene *scene, const struct device_state *state,
			   struct strbuf *out, struct error *err)
{
	_cleanup_holdings_ struct holdings holdings = { 0 };
	int r = holdings_join(&scene->view, scene->held, &holdings, err);

	for (size_t i = 0; r == 0 && i < holdings.n; i++) {
		const struct holding *holding = &holdings.list[i];

		if (holding->state != state || holding->unit)
			continue;
		strbuf_printf(out, "%s/%s (%s) holds ", holding->row->pod_namespace,
			      holding->row->pod_name, holding->row->container);
		text_escape(out, holding->row->device_id);
		strbuf_printf(out, " of %s, which is not offered.\n", holding->row->resource);
	}
	return r;
}

static int explain_device(const struct scene *scene, const char *word, struct strbuf *out,
			  struct error *err)
{
	const struct view *view = &scene->view;
	const struct device_state *state = find_device(view->snapshot, word);
	int r;

	if (!state)
		return explain_absent(scene, word, out);
	describe_device(state, out);
	strbuf_printf(out, "\nRules of this node, the first that matches has it:\n");
	for (size_t i = 0; i < view->offer.n_rules; i++)
		explain_rule(view, i, state, out);
	strbuf_puts(out, view->offer.n_rules == 0 ? "  none\n\n" : "\n");
	say_unknown(scene, out);
	r = print_units(scene, state, out);
	if (r < 0)
		return error_set(err, -r, "no memory for the units");
	r = print_strangers(scene, state, out, err);
	return r < 0 ? r : COMMAND_DONE;
}

/* --- command --- */

static const struct {
	const char *name;
	int (*run)(const struct scene *scene, const char *word, struct strbuf *out,
		   struct error *err);
} subjects[] = {
	{ "allocate", explain_allocate },
	{ "device", explain_device },
};

int explain_run(const struct settings *settings, struct strbuf *out, struct error *err)
{
	_cleanup_(scene_close) struct scene scene = { .settings = settings, .view = VIEW_INIT };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (strcmp(subjects[i].name, settings->words[0]) != 0)
			continue;
		r = scene_open(&scene, err);
		return r < 0 ? r : subjects[i].run(&scene, settings->words[1], out, err);
	}
	(void)error_set(err, EINVAL, "explain takes allocate or device, not '%s'",
			settings->words[0]);
	return COMMAND_MISUSED;
}
