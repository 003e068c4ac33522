/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/idle.h"

static const struct podresources *known_table(const struct kubelet_answer *answer)
{
	return answer->state == KUBELET_ANSWERED ? &answer->table : NULL;
}

static void watch_done(struct idle_watch *watch)
{
	free(watch->loads);
}

/* Watches what is held, and then looks at node and kubelet again: only those are
 * judged who have held it from the beginning to the end. */
static int watch_idle(const struct settings *settings, struct view *view, struct kubelet *kubelet,
		      struct idle_watch *watch, struct error *err)
{
	_cleanup_kubelet_ struct kubelet before = *kubelet;
	_cleanup_view_ struct view old = *view;
	int r;

	*kubelet = (struct kubelet) { 0 };
	*view = VIEW_INIT;
	watch->host = &old.host;
	watch->grace_ms = settings->grace_ms;
	watch->window_ms = settings->window_ms;
	watch->loads = idle_loads(old.snapshot, &before.list.table, &watch->n_loads);
	if (!watch->loads)
		return error_set(err, ENOMEM, "no memory for loads");
	r = watch->n_loads > 0 ? idle_watch(watch, err) : 0;
	if (r == 0)
		r = kubelet_ask(settings, kubelet, err);
	if (r == 0)
		r = view_open(view, settings, err);
	if (r < 0)
		return r;
	return idle_settle(watch, view->snapshot, &before.list.table, &kubelet->list.table, err);
}

/* Whether --check is to fail. */
static bool is_remarkable(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		if (finding_severity(findings->list[i].kind) > FINDING_INFO)
			return true;
	return false;
}

static int judge(const struct status *status, const struct idle_watch *watch,
		 struct findings *findings, struct error *err)
{
	const struct settings *settings = status->settings;
	const struct kubelet_answer *list = &status->kubelet->list;
	const struct findings_input input = {
		.snapshot = status->view->snapshot,
		.sets = (const struct unit_set *const *)status->view->sets,
		.n_sets = status->view->offer.n_resources,
		.holdings = status->holdings,
		.held = known_table(list),
		.allocatable = known_table(&status->kubelet->allocatable),
		.failure = error_text(&list->error, -EIO),
		.loads = watch->loads,
		.n_loads = watch->n_loads,
		.idle_below = settings->idle_below_percent / 100.0,
		.window_seconds = settings->window_ms / 1000.0,
	};

	return findings_make(&input, findings, err);
}

int status_run(const struct settings *settings, struct strbuf *out, struct error *err)
{
	_cleanup_view_ struct view view = VIEW_INIT;
	_cleanup_kubelet_ struct kubelet kubelet = { 0 };
	_cleanup_holdings_ struct holdings holdings = { 0 };
	_cleanup_findings_ struct findings findings = { 0 };
	const struct status status = { settings, &view, &kubelet, &holdings, &findings };
	_cleanup_(watch_done) struct idle_watch watch = { 0 };
	int r = view_open(&view, settings, err);

	if (r == 0)
		r = kubelet_ask(settings, &kubelet, err);
	if (r == 0 && settings->idle && kubelet.list.state == KUBELET_ANSWERED)
		r = watch_idle(settings, &view, &kubelet, &watch, err);
	if (r == 0)
		r = view_build(&view, known_table(&kubelet.list), err);
	if (r == 0)
		r = holdings_join(&view, known_table(&kubelet.list), &holdings, err);
	if (r == 0)
		r = judge(&status, &watch, &findings, err);
	if (r < 0)
		return r;
	r = status_print(&status, out);
	if (r < 0)
		return error_set(err, -r, "no memory for the status");
	view_print_notes(&view);
	return settings->check && is_remarkable(&findings) ? COMMAND_FINDINGS : COMMAND_DONE;
}
