/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row for each kind says how bad it is and what to do; a function for each group
 * of kinds looks at the facts.  The kinds are in order of severity, so that the
 * functions that are called first find what is to be told first.
 */
#include "cli/findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "cli/text.h"

#define MESSAGE_MAX 8192 /* bytes: some names, of 1 KiB at most each */
#define NAMED_MAX 3	 /* devices that a message names; the rest is a number */
#define MEMORY_MAX ((size_t)8 * 1024 * 1024) /* of all messages, and of the list */

struct kind_row {
	const char *name;
	enum finding_severity severity;
	const char *advice;
};

static const struct kind_row kinds[_FINDING_KIND_MAX] = {
	[FINDING_HELD_TWICE] = { "held-twice", FINDING_ERROR,
				 "The kubelet has given one device out twice. Delete one of the "
				 "pods." },
	[FINDING_HELD_OVERLAP] = { "held-overlap", FINDING_ERROR,
				   "The containers share hardware that each takes for its own. "
				   "Delete one of the pods; then see whether the configuration was "
				   "changed while pods held devices." },
	[FINDING_HELD_UNHEALTHY] = { "held-unhealthy", FINDING_ERROR,
				     "The container works with a broken device. Move its pod to "
				     "another device." },
	[FINDING_HELD_UNOFFERED] = { "held-unoffered", FINDING_WARNING,
				     "The device is gone, or the configuration has changed since "
				     "the pod was started. It becomes free when the pod ends." },
	[FINDING_HELD_ELSEWHERE] = { "held-elsewhere", FINDING_WARNING,
				     "Another device plugin, or an earlier configuration, has "
				     "given it out. Two plugins for one device give it out "
				     "twice." },
	[FINDING_HELD_IDLE] = { "held-idle", FINDING_WARNING,
				"Ask the owner of the pod whether it is still needed." },
	[FINDING_UNHEALTHY] = { "unhealthy", FINDING_WARNING,
				"It is given to nobody until it works again, and comes back by "
				"itself." },
	[FINDING_NOT_LISTED] = { "not-listed", FINDING_WARNING,
				 "See whether silica-device-plugin runs on this node, what it "
				 "logs, and whether it has the same configuration." },
	[FINDING_MISSING] = { "missing", FINDING_WARNING,
			      "The plugin may wait for good probes after a failure. If it lasts, "
			      "see its log." },
	[FINDING_SURPLUS] = { "surplus", FINDING_WARNING,
			      "The plugin runs with another configuration, or has not noticed yet "
			      "what has gone." },
	[FINDING_STALE] = { "stale", FINDING_WARNING,
			    "The plugin notices within its probe interval. If it lasts, see its "
			    "log." },
	[FINDING_NO_PODRESOURCES] = { "no-podresources", FINDING_WARNING,
				      "Run it as root on the node, with --kubelet-dir if the "
				      "kubelet has another directory. A kubelet has it since "
				      "1.20." },
	[FINDING_FREE] = { "free", FINDING_INFO, "Nothing has to be done." },
};

const char *finding_name(enum finding_kind kind)
{
	return kinds[kind].name;
}

const char *finding_advice(enum finding_kind kind)
{
	return kinds[kind].advice;
}

enum finding_severity finding_severity(enum finding_kind kind)
{
	return kinds[kind].severity;
}

const char *finding_severity_name(enum finding_severity severity)
{
	static const char *const names[_FINDING_SEVERITY_MAX] = {
		[FINDING_INFO] = "info",
		[FINDING_WARNING] = "warning",
		[FINDING_ERROR] = "error",
	};

	return names[severity];
}

struct work {
	const struct findings_input *input;
	struct findings *findings;
	int failed; /* negative errno */
};

static const char *keep(struct work *work, const struct strbuf *text)
{
	char *copy = arena_alloc(&work->findings->arena, text->len + 1);

	return copy ? memcpy(copy, strbuf_str(text), text->len + 1) : NULL;
}

/* Adds a finding whose message is @text. */
static void add(struct work *work, enum finding_kind kind, const struct strbuf *text)
{
	struct findings *findings = work->findings;
	const char *message;

	if (findings->n == FINDINGS_MAX) {
		findings->n_left_out++;
		return;
	}
	message = keep(work, text);
	if (!message || strbuf_error(text) < 0) {
		work->failed = -ENOMEM;
		return;
	}
	findings->list[findings->n++] = (struct finding) { kind, message };
}

static void put_holder(struct strbuf *text, const struct podresources_holding *row)
{
	strbuf_printf(text, "%s/%s (%s)", row->pod_namespace, row->pod_name, row->container);
}

/* --- held --- */

static void find_held_twice(struct work *work)
{
	struct podresources_conflict conflict;
	size_t at = 0;

	while (podresources_next_conflict(work->input->held, &at, &conflict)) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);

		if (!holdings_find(work->input->holdings, conflict.other))
			continue;
		strbuf_printf(&text, "%s of %s is held by ", conflict.other->device_id,
			      conflict.other->resource);
		put_holder(&text, conflict.first);
		strbuf_puts(&text, " and by ");
		put_holder(&text, conflict.other);
		add(work, FINDING_HELD_TWICE, &text);
	}
}

/* By device, resource and cores, then by the order of the kubelet. */
static int compare_parts(const void *a, const void *b)
{
	const struct holding *left = *(const struct holding *const *)a;
	const struct holding *right = *(const struct holding *const *)b;

	if (left->state != right->state)
		return left->state < right->state ? -1 : 1;
	if (left->set != right->set)
		return (uintptr_t)left->set < (uintptr_t)right->set ? -1 : 1;
	if (left->cores.first != right->cores.first)
		return left->cores.first - right->cores.first;
	if (left->cores.last != right->cores.last)
		return left->cores.last - right->cores.last;
	return (left > right) - (left < right);
}

static bool is_another_share(const struct holding *a, const struct holding *b)
{
	return a->set && a->set == b->set && a->set->rule.shares > 0 && a->state == b->state &&
	       a->cores.first == b->cores.first && a->cores.last == b->cores.last;
}

/* Lists one holding for each part that is held, however many shares of it are. */
static size_t list_parts(const struct holdings *holdings, const struct holding **parts)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < holdings->n; i++)
		if (holdings->list[i].state)
			parts[n++] = &holdings->list[i];
	qsort(parts, n, sizeof(struct holding *), compare_parts);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !is_another_share(parts[kept - 1], parts[i]))
			parts[kept++] = parts[i];
	return kept;
}

static void add_overlap(struct work *work, const struct holding *a, const struct holding *b)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);

	put_holder(&text, a->row);
	strbuf_printf(&text, " holds %s of %s, ", a->row->device_id, a->row->resource);
	put_holder(&text, b->row);
	strbuf_printf(&text, " %s of %s: both are parts of %s that overlap", b->row->device_id,
		      b->row->resource, a->state->device->name);
	add(work, FINDING_HELD_OVERLAP, &text);
}

static void find_overlaps(struct work *work)
{
	const struct holdings *holdings = work->input->holdings;
	_cleanup_free_ const struct holding **parts =
		calloc(holdings->n + 1, sizeof(struct holding *));
	size_t n;

	if (!parts) {
		work->failed = -ENOMEM;
		return;
	}
	n = list_parts(holdings, parts);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n && parts[j]->state == parts[i]->state; j++)
			if (holdings_overlap(parts[i], parts[j]))
				add_overlap(work, parts[i], parts[j]);
}

/* What is wrong with one holding by itself, if anything. */
static int kind_of(const struct holding *holding)
{
	if (holding->state && !holding->state->healthy)
		return FINDING_HELD_UNHEALTHY;
	if (holding->set && !holding->unit)
		return FINDING_HELD_UNOFFERED;
	if (!holding->set)
		return FINDING_HELD_ELSEWHERE;
	return -1;
}

static void add_holding(struct work *work, enum finding_kind kind, const struct holding *holding)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);
	const struct podresources_holding *row = holding->row;

	put_holder(&text, row);
	strbuf_printf(&text, " holds %s of %s", row->device_id, row->resource);
	if (kind == FINDING_HELD_UNHEALTHY)
		strbuf_printf(&text, ", which is %s: %s",
			      holding->state->present ? "unhealthy" : "gone",
			      holding->state->reason);
	else if (kind == FINDING_HELD_UNOFFERED)
		strbuf_puts(&text, ", which is not offered");
	else
		strbuf_printf(&text, ", which is %s; that resource is not offered here",
			      holding->state->device->name);
	add(work, kind, &text);
}

static void find_held_badly(struct work *work)
{
	static const enum finding_kind order[] = { FINDING_HELD_UNHEALTHY, FINDING_HELD_UNOFFERED,
						   FINDING_HELD_ELSEWHERE };
	const struct holdings *holdings = work->input->holdings;

	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		for (size_t i = 0; i < holdings->n; i++)
			if (kind_of(&holdings->list[i]) == (int)order[k])
				add_holding(work, order[k], &holdings->list[i]);
}

/* Names the containers that hold something of a device. */
static void put_holders(struct strbuf *text, const struct holdings *holdings,
			const struct device_state *state)
{
	const struct podresources_holding *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < holdings->n; i++) {
		const struct podresources_holding *row = holdings->list[i].row;

		if (holdings->list[i].state != state ||
		    (last && strcmp(last->pod_name, row->pod_name) == 0 &&
		     strcmp(last->pod_namespace, row->pod_namespace) == 0 &&
		     strcmp(last->container, row->container) == 0))
			continue;
		last = row;
		if (n++ >= NAMED_MAX)
			continue;
		strbuf_puts(text, n > 1 ? ", " : "");
		put_holder(text, row);
	}
	if (n > NAMED_MAX)
		strbuf_printf(text, " and %zu more", n - NAMED_MAX);
}

static void find_idle(struct work *work)
{
	const struct findings_input *input = work->input;

	for (size_t i = 0; i < input->n_loads; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);
		const struct load *load = &input->loads[i];
		double mean;

		if (load->n_samples == 0)
			continue;
		mean = load->ratio_sum / (double)load->n_samples;
		if (mean >= input->idle_below)
			continue;
		strbuf_printf(&text,
			      "%s (%s) was used %.1f %% on average over %g s, below %.0f %%; "
			      "held by ",
			      load->state->device->name, load->state->id, mean * 100,
			      input->window_seconds, input->idle_below * 100);
		put_holders(&text, input->holdings, load->state);
		add(work, FINDING_HELD_IDLE, &text);
	}
}

static void find_unhealthy(struct work *work)
{
	const struct snapshot *snapshot = work->input->snapshot;

	for (size_t i = 0; i < snapshot->n_devices; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);
		const struct device_state *state = &snapshot->devices[i];

		if (state->healthy)
			continue;
		strbuf_printf(&text, "%s (%s) is %s: %s", state->device->name, state->id,
			      state->present ? "unhealthy" : "gone", state->reason);
		add(work, FINDING_UNHEALTHY, &text);
	}
}

/* --- offered here, listed by the kubelet --- */

/* IDs of one resource that have something in common. */
struct ids {
	const char *named[NAMED_MAX];
	size_t n;
};

static void note_id(struct ids *ids, const char *id)
{
	if (ids->n < NAMED_MAX)
		ids->named[ids->n] = id;
	ids->n++;
}

static void add_ids(struct work *work, enum finding_kind kind, const char *resource,
		    const struct ids *ids, const char *what)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);

	if (ids->n == 0)
		return;
	strbuf_printf(&text, "%zu device%s of %s %s", ids->n, text_plural(ids->n), resource, what);
	for (size_t i = 0; i < MIN(ids->n, (size_t)NAMED_MAX); i++)
		strbuf_printf(&text, "%s%s", i > 0 ? ", " : ": ", ids->named[i]);
	if (ids->n > NAMED_MAX)
		strbuf_printf(&text, " and %zu more", ids->n - NAMED_MAX);
	add(work, kind, &text);
}

/* What the kubelet has of a resource, and what of it is not offered. */
static size_t count_listed(const struct findings_input *input, const struct unit_set *set,
			   struct ids *surplus)
{
	const struct podresources *table = input->allocatable;
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		if (strcmp(table->holdings[i].resource, set->rule.resource) != 0)
			continue;
		n++;
		if (!unit_set_find(set, table->holdings[i].device_id))
			note_id(surplus, table->holdings[i].device_id);
	}
	return n;
}

static void compare_set(struct work *work, const struct unit_set *set)
{
	const char *resource = set->rule.resource;
	struct ids missing = { 0 }, stale = { 0 }, surplus = { 0 };
	size_t n_listed = count_listed(work->input, set, &surplus);

	for (size_t i = 0; i < set->n_units; i++) {
		const struct unit *unit = &set->units[i];
		bool listed =
			podresources_find(work->input->allocatable, resource, unit->id) != NULL;

		if (unit->healthy && !listed)
			note_id(&missing, unit->id);
		if (!unit->healthy && listed)
			note_id(&stale, unit->id);
	}
	if (n_listed == 0)
		add_ids(work, FINDING_NOT_LISTED, resource, &missing,
			"healthy here, and none listed by the kubelet");
	else
		add_ids(work, FINDING_MISSING, resource, &missing,
			"healthy here, but not to the kubelet");
	add_ids(work, FINDING_SURPLUS, resource, &surplus,
		"listed by the kubelet, but not offered");
	add_ids(work, FINDING_STALE, resource, &stale, "healthy to the kubelet, but not here");
}

static void find_no_podresources(struct work *work)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);

	strbuf_printf(&text, "who holds what is not known: %s", work->input->failure);
	add(work, FINDING_NO_PODRESOURCES, &text);
}

static void find_free(struct work *work, const struct unit_set *set)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(MESSAGE_MAX);
	size_t n = 0;

	for (size_t i = 0; i < set->n_units; i++)
		n += set->units[i].healthy &&
		     !podresources_find(work->input->held, set->rule.resource, set->units[i].id);
	if (n == 0)
		return;
	strbuf_printf(&text, "%zu of %zu device%s of %s %s free now", n, set->n_units,
		      text_plural(set->n_units), set->rule.resource, n == 1 ? "is" : "are");
	add(work, FINDING_FREE, &text);
}

/* --- all of it --- */

static void find_all(struct work *work)
{
	const struct findings_input *input = work->input;

	if (input->held) {
		find_held_twice(work);
		find_overlaps(work);
		find_held_badly(work);
		find_idle(work);
	}
	find_unhealthy(work);
	for (size_t i = 0; input->allocatable && i < input->n_sets; i++)
		compare_set(work, input->sets[i]);
	if (!input->held)
		find_no_podresources(work);
	for (size_t i = 0; input->held && i < input->n_sets; i++)
		find_free(work, input->sets[i]);
}

int findings_make(const struct findings_input *input, struct findings *ret, struct error *err)
{
	_cleanup_findings_ struct findings findings = { .arena = arena_init(MEMORY_MAX) };
	struct work work = { .input = input, .findings = &findings };

	findings.list = arena_alloc(&findings.arena, FINDINGS_MAX * sizeof(*findings.list));
	if (!findings.list)
		work.failed = -ENOMEM;
	else
		find_all(&work);
	if (work.failed < 0)
		return error_set(err, ENOMEM, "no memory for findings");
	*ret = findings;
	findings = (struct findings) { 0 };
	return 0;
}

void findings_done(struct findings *findings)
{
	arena_done(&findings->arena);
	*findings = (struct findings) { 0 };
}
