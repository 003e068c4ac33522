/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/document.h"
#include "cli/status.h"
#include "cli/table.h"

#define BAR_MAX ((size_t)TEXT_BAR_WIDTH + 64) /* bytes of a bar and its numbers */

static bool is_held_known(const struct status *status)
{
	return status->kubelet->list.state == KUBELET_ANSWERED;
}

/* --- table --- */

static void put_health(struct table *table, const struct device_state *state)
{
	if (state->healthy)
		table_put(table, PAINT_GOOD, "Healthy");
	else
		table_put(table, PAINT_BAD, state->present ? "Unhealthy" : "Gone");
}

static void put_reason(struct table *table, const struct device_state *state)
{
	table_put(table, state->healthy ? PAINT_NONE : PAINT_BAD, "%s",
		  state->healthy ? "" : state->reason);
}

static enum paint paint_of_bar(const struct text_bar *bar)
{
	if (bar->unusable > 0)
		return PAINT_BAD;
	return bar->held > 0 ? PAINT_WARNING : PAINT_GOOD;
}

static void put_bar(struct table *table, const struct status *status, const struct card_use *use)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(BAR_MAX);

	text_bar(&use->bar, &text);
	if (is_held_known(status))
		strbuf_printf(&text, " %zu/%zu", use->bar.held, use->n_units);
	else
		strbuf_printf(&text, " ?/%zu", use->n_units);
	table_put(table, paint_of_bar(&use->bar), "%s", strbuf_str(&text));
}

static void put_device(struct table *table, const struct device_state *state, bool wide)
{
	table_put(table, PAINT_NONE, "%s", state->device->name);
	table_put(table, PAINT_NONE, "%s", state->device->product);
	if (wide)
		table_put(table, PAINT_NONE, "%s", state->device->bdf);
	if (wide)
		table_put(table, PAINT_NONE, "%s", state->id);
	put_health(table, state);
}

static bool is_used(const struct holdings *holdings, const struct device_state *state)
{
	for (size_t i = 0; i < holdings->n_uses; i++)
		if (holdings->uses[i].state == state)
			return true;
	return false;
}

static int print_devices(const struct status *status, struct strbuf *out)
{
	static const char *const headers[] = {
		"NAME", "PRODUCT", "HEALTH", "RESOURCE", "HELD", NULL
	};
	static const char *const wide_headers[] = { "NAME",   "PRODUCT", "PCI",
						    "DEVICE", "HEALTH",	 "RESOURCE",
						    "HELD",   "REASON",	 NULL };
	bool wide = status->settings->output == SETTINGS_OUTPUT_WIDE;
	const struct snapshot *snapshot = status->view->snapshot;
	const struct holdings *holdings = status->holdings;
	_cleanup_table_ struct table table = table_init(wide ? wide_headers : headers);

	for (size_t i = 0; i < holdings->n_uses; i++) {
		put_device(&table, holdings->uses[i].state, wide);
		table_put(&table, PAINT_NONE, "%s", holdings->uses[i].set->rule.resource);
		put_bar(&table, status, &holdings->uses[i]);
		if (wide)
			put_reason(&table, holdings->uses[i].state);
	}
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		if (is_used(holdings, &snapshot->devices[i]))
			continue;
		put_device(&table, &snapshot->devices[i], wide);
		table_put(&table, PAINT_DIM, "%s", "not offered");
		table_put(&table, PAINT_NONE, "%s", "");
		if (wide)
			put_reason(&table, &snapshot->devices[i]);
	}
	return table_print(&table, status->settings->paint, out);
}

static void print_legend(const struct status *status, struct strbuf *out)
{
	struct text_bar sum = { 0 };

	for (size_t i = 0; i < status->holdings->n_uses; i++) {
		sum.unusable += status->holdings->uses[i].bar.unusable;
		sum.hidden += status->holdings->uses[i].bar.hidden;
	}
	table_paint(out, status->settings->paint, PAINT_DIM,
		    is_held_known(status) ? "# held, . free" : ". healthy");
	if (sum.unusable > 0)
		table_paint(out, status->settings->paint, PAINT_DIM, ", x unhealthy");
	if (sum.hidden > 0)
		table_paint(out, status->settings->paint, PAINT_DIM,
			    ", - held through another resource");
	strbuf_puts(out, "\n");
}

static int print_holders(const struct status *status, struct strbuf *out)
{
	static const char *const headers[] = { "NAMESPACE", "POD",    "CONTAINER", "RESOURCE",
					       "NAME",	    "DEVICE", NULL };
	const struct holdings *holdings = status->holdings;
	_cleanup_table_ struct table table = table_init(headers);

	if (holdings->n == 0) {
		strbuf_puts(out, "No container holds a device of this node.\n");
		return 0;
	}
	for (size_t i = 0; i < holdings->n; i++) {
		const struct holding *holding = &holdings->list[i];
		bool is_bad = !holding->unit || !holding->state->healthy;

		table_put(&table, PAINT_NONE, "%s", holding->row->pod_namespace);
		table_put(&table, PAINT_NONE, "%s", holding->row->pod_name);
		table_put(&table, PAINT_NONE, "%s", holding->row->container);
		table_put(&table, PAINT_NONE, "%s", holding->row->resource);
		table_put(&table, PAINT_NONE, "%s",
			  holding->state ? holding->state->device->name : "");
		table_put(&table, is_bad ? PAINT_BAD : PAINT_NONE, "%s", holding->row->device_id);
	}
	return table_print(&table, status->settings->paint, out);
}

static void print_finding(const struct status *status, const struct finding *finding,
			  struct strbuf *out)
{
	static const enum paint paints[_FINDING_SEVERITY_MAX] = {
		[FINDING_INFO] = PAINT_GOOD,
		[FINDING_WARNING] = PAINT_WARNING,
		[FINDING_ERROR] = PAINT_BAD,
	};
	enum finding_severity severity = finding_severity(finding->kind);
	char head[64];

	(void)snprintf(head, sizeof(head), "%s (%s)", finding_severity_name(severity),
		       finding_name(finding->kind));
	table_paint(out, status->settings->paint, paints[severity], head);
	strbuf_puts(out, ": ");
	text_escape(out, finding->message);
	strbuf_puts(out, "\n");
	if (severity > FINDING_INFO)
		strbuf_printf(out, "    %s\n", finding_advice(finding->kind));
}

/* Silence of either call is told, even where the other has answered. */
static void print_kubelet(const struct status *status, struct strbuf *out)
{
	const struct kubelet_answer *allocatable = &status->kubelet->allocatable;

	if (!is_held_known(status) || allocatable->state == KUBELET_ANSWERED)
		return;
	strbuf_printf(out, "What the kubelet takes for healthy is not known (%s): ",
		      kubelet_state_name(allocatable->state));
	text_escape(out, error_text(&allocatable->error, -EIO));
	strbuf_puts(out, "\n");
}

static int print_text(const struct status *status, struct strbuf *out)
{
	int r;

	if (status->view->snapshot->n_devices == 0) {
		strbuf_puts(out, "No devices found; see silicactl devices.\n");
	} else {
		r = print_devices(status, out);
		if (r < 0)
			return r;
		print_legend(status, out);
	}
	if (is_held_known(status)) {
		strbuf_puts(out, "\n");
		r = print_holders(status, out);
		if (r < 0)
			return r;
	}
	strbuf_puts(out, "\n");
	print_kubelet(status, out);
	for (size_t i = 0; i < status->findings->n; i++)
		print_finding(status, &status->findings->list[i], out);
	if (status->findings->n_left_out > 0)
		strbuf_printf(out, "and %zu more\n", status->findings->n_left_out);
	return 0;
}

/* --- JSON and YAML --- */

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void add_answer(struct document *doc, const char *key, const struct kubelet_answer *answer)
{
	document_begin_object(doc, key);
	document_text(doc, "state", kubelet_state_name(answer->state));
	document_text(doc, "error",
		      answer->state == KUBELET_ANSWERED ? NULL : error_text(&answer->error, -EIO));
	document_end(doc);
}

static void add_use(struct document *doc, const struct status *status, const struct card_use *use)
{
	bool known = is_held_known(status);

	document_begin_object(doc, NULL);
	document_text(doc, "resource", use->set->rule.resource);
	document_count(doc, "total", use->n_units);
	/* A negative number is null. */
	document_number(doc, "held", known ? (double)use->bar.held : -1);
	document_number(doc, "free", known ? (double)use->bar.free : -1);
	document_count(doc, "unhealthy", use->bar.unusable);
	document_count(doc, "hidden", use->bar.hidden);
	document_end(doc);
}

static void add_device(struct document *doc, const struct status *status,
		       const struct device_state *state)
{
	document_begin_object(doc, NULL);
	document_text(doc, "id", state->id);
	document_text(doc, "name", state->device->name);
	document_text(doc, "product", state->device->product);
	document_text(doc, "pciAddress", or_null(state->device->bdf));
	document_bool(doc, "present", state->present);
	document_bool(doc, "healthy", state->healthy);
	document_text(doc, "reason", state->healthy ? NULL : or_null(state->reason));
	document_begin_array(doc, "resources");
	for (size_t i = 0; i < status->holdings->n_uses; i++)
		if (status->holdings->uses[i].state == state)
			add_use(doc, status, &status->holdings->uses[i]);
	document_end(doc);
	document_end(doc);
}

static void add_holding(struct document *doc, const struct holding *holding)
{
	document_begin_object(doc, NULL);
	document_text(doc, "namespace", holding->row->pod_namespace);
	document_text(doc, "pod", holding->row->pod_name);
	document_text(doc, "container", holding->row->container);
	document_text(doc, "resource", holding->row->resource);
	document_text(doc, "unit", holding->row->device_id);
	document_text(doc, "device", holding->state ? holding->state->id : NULL);
	document_bool(doc, "offered", holding->unit != NULL);
	document_end(doc);
}

static void add_finding(struct document *doc, const struct finding *finding)
{
	document_begin_object(doc, NULL);
	document_text(doc, "kind", finding_name(finding->kind));
	document_text(doc, "severity", finding_severity_name(finding_severity(finding->kind)));
	document_text(doc, "message", finding->message);
	document_text(doc, "advice", finding_advice(finding->kind));
	document_end(doc);
}

static void print_document(const struct status *status, struct strbuf *out)
{
	struct document doc = document_begin(out, status->settings->output == SETTINGS_OUTPUT_YAML);
	const struct snapshot *snapshot = status->view->snapshot;

	document_text(&doc, "node", or_null(status->view->node.node.name));
	document_begin_object(&doc, "kubelet");
	add_answer(&doc, "list", &status->kubelet->list);
	add_answer(&doc, "allocatable", &status->kubelet->allocatable);
	document_end(&doc);
	document_begin_array(&doc, "devices");
	for (size_t i = 0; i < snapshot->n_devices; i++)
		add_device(&doc, status, &snapshot->devices[i]);
	document_end(&doc);
	document_begin_array(&doc, "holders");
	for (size_t i = 0; i < status->holdings->n; i++)
		add_holding(&doc, &status->holdings->list[i]);
	document_end(&doc);
	document_begin_array(&doc, "findings");
	for (size_t i = 0; i < status->findings->n; i++)
		add_finding(&doc, &status->findings->list[i]);
	document_end(&doc);
	document_count(&doc, "findingsLeftOut", status->findings->n_left_out);
	document_end(&doc);
}

int status_print(const struct status *status, struct strbuf *out)
{
	if (status->settings->output == SETTINGS_OUTPUT_TABLE ||
	    status->settings->output == SETTINGS_OUTPUT_WIDE)
		return print_text(status, out);
	print_document(status, out);
	return 0;
}
