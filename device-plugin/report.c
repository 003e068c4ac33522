/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/report.h"

#include <stdio.h>

#include "base/log.h"
#include "drivers/driver.h"

#define COMPONENT "device"

static const char *known(const char *text)
{
	return text[0] ? text : "-";
}

static void report_added(const struct change *change)
{
	const struct device_state *state = change->after;
	const struct device *device = state->device;

	log_info(COMPONENT,
		 "'%s' found: %s %s at %s, PCI %s, NUMA node %d, driver %s, firmware %s%s%s",
		 state->id, device->driver->vendor, device->product, device->name,
		 known(device->bdf), device->numa_node, known(device->driver_version),
		 known(device->firmware_version),
		 state->healthy ? "" : "; unhealthy: ", state->healthy ? "" : state->reason);
}

static void report_removed(const struct change *change)
{
	log_info(COMPONENT, "'%s' is no longer listed: %s", change->before->id,
		 change->before->reason);
}

static void report_health(const struct change *change)
{
	const struct device_state *state = change->after;

	if (state->healthy)
		log_info(COMPONENT, "'%s' (%s) is healthy: %s", state->id, state->device->name,
			 state->reason);
	else
		log_warning(COMPONENT, "'%s' (%s) is unhealthy: %s", state->id, state->device->name,
			    state->reason);
}

static void report_facts(const struct change *change)
{
	const struct device *before = change->before->device;
	const struct device *after = change->after->device;

	log_info(COMPONENT, "'%s' has changed: was %s at PCI %s, is %s at PCI %s",
		 change->after->id, before->name, known(before->bdf), after->name,
		 known(after->bdf));
}

static void report_change(_unused_ void *ctx, const struct change *change)
{
	static void (*const reports[_CHANGE_MAX])(const struct change *) = {
		[CHANGE_ADDED] = report_added,
		[CHANGE_REMOVED] = report_removed,
		[CHANGE_HEALTH] = report_health,
		[CHANGE_FACTS] = report_facts,
	};

	reports[change->kind](change);
}

void report_changes(const struct snapshot *before, const struct snapshot *after)
{
	(void)snapshot_diff(before, after, report_change, NULL);
}

/* What the rules say of one device. */
struct verdict {
	bool offered;
	bool withheld;
	const struct unit_rule *misfit; /* the first one that matches and cannot cut it */
	struct error reason;		/* why it cannot */
};

static void judge(const struct device *device, const struct unit_rule *rules, size_t n_rules,
		  struct verdict *verdict)
{
	for (size_t i = 0; i < n_rules && !verdict->offered && !verdict->withheld; i++) {
		struct error err = { 0 };

		if (!unit_rule_matches(&rules[i], device))
			continue;
		if (!rules[i].resource) {
			verdict->withheld = true;
		} else if (unit_rule_fits(&rules[i], device, &err) >= 0) {
			verdict->offered = true;
		} else if (!verdict->misfit) {
			verdict->misfit = &rules[i];
			verdict->reason = err;
		}
	}
}

void report_unoffered(const struct snapshot *snapshot, const struct unit_rule *rules,
		      size_t n_rules)
{
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];
		struct verdict verdict = { 0 };

		judge(state->device, rules, n_rules, &verdict);
		if (verdict.offered)
			continue;
		if (verdict.withheld)
			log_info(COMPONENT,
				 "'%s' (%s %s) is not offered: the configuration "
				 "excludes it",
				 state->id, state->device->driver->name, state->device->product);
		else if (!verdict.misfit)
			log_warning(COMPONENT,
				    "'%s' (%s %s) is not offered: no resource of the "
				    "configuration selects it",
				    state->id, state->device->driver->name, state->device->product);
		else
			log_warning(COMPONENT, "'%s' (%s) is not offered as %s: %s", state->id,
				    state->device->product, verdict.misfit->resource,
				    verdict.reason.msg);
	}
}

#define UNITS_FORMAT "%-28s  %-48s  %-9s  %-4s  %-12s  %-9s  %s\n"

void report_units_header(struct strbuf *out)
{
	strbuf_printf(out, UNITS_FORMAT, "RESOURCE", "DEVICE", "HEALTH", "NUMA", "PCI", "NAME",
		      "REASON");
}

void report_units(const struct unit_set *units, struct strbuf *out)
{
	for (size_t i = 0; i < units->n_units; i++) {
		const struct unit *unit = &units->units[i];
		const struct device *device = unit_state(units, unit)->device;
		char reason[HEALTH_REASON_MAX];
		char numa[12] = "-";

		if (device->numa_node >= 0)
			(void)snprintf(numa, sizeof(numa), "%d", device->numa_node);
		strbuf_printf(out, UNITS_FORMAT, units->rule.resource, unit->id,
			      unit->healthy ? "Healthy" : "Unhealthy", numa, known(device->bdf),
			      device->name, unit_reason(units, unit, reason, sizeof(reason)));
	}
}
