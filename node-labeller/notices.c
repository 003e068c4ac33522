/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/strbuf.h"
#include "drivers/driver.h"

/* Devices of one snapshot change that have gone the same way. */
struct group {
	const char *reason;
	const char *verb; /* as in "have failed" */
	bool warning;
	const struct device_state **states; /* @n of them, of the newer snapshot */
	size_t n;
};

static bool is_forgotten(const struct notice_entry *entry, uint64_t now_ms)
{
	return !entry->due && now_ms - entry->last_ms > NOTICES_FORGET_MS;
}

static struct notice_entry *find(struct notices *notices, const struct notice *notice,
				 uint64_t now_ms)
{
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice_entry *entry = &notices->entries[i];

		if (entry->used && !is_forgotten(entry, now_ms) &&
		    strcmp(entry->reason, notice->reason) == 0 &&
		    strcmp(entry->subject, notice->subject) == 0)
			return entry;
	}
	return NULL;
}

/* A free one, else the one that is quiet for longest. */
static struct notice_entry *make_room(struct notices *notices)
{
	struct notice_entry *oldest = NULL;

	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice_entry *entry = &notices->entries[i];

		if (!entry->used)
			return entry;
		if (!entry->telling && (!oldest || entry->last_ms < oldest->last_ms))
			oldest = entry;
	}
	return oldest;
}

void notices_note(struct notices *notices, const struct notice *notice, uint64_t now_ms,
		  int64_t now_s)
{
	struct notice_entry *entry = find(notices, notice, now_ms);

	if (!entry) {
		entry = make_room(notices);
		*entry = (struct notice_entry) { .used = true,
						 .warning = notice->warning,
						 .reason = notice->reason,
						 .first_s = now_s };
		(void)snprintf(entry->subject, sizeof(entry->subject), "%s", notice->subject);
	}
	(void)snprintf(entry->message, sizeof(entry->message), "%s", notice->message);
	entry->count++;
	entry->due = true;
	entry->last_s = now_s;
	entry->last_ms = now_ms;
}

static void describe(const struct device_state *state, struct strbuf *out)
{
	strbuf_printf(out, "%s %s %s (%s)", state->device->driver->vendor, state->device->product,
		      state->id, state->device->name);
	if (state->reason[0])
		strbuf_printf(out, ": %s", state->reason);
}

static void note_one(struct notices *notices, const struct group *group,
		     const struct device_state *state, uint64_t now_ms, int64_t now_s)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(KUBE_EVENT_MESSAGE_MAX);
	struct notice notice = { group->warning, group->reason, state->id, "" };

	describe(state, &text);
	notice.message = strbuf_str(&text);
	notices_note(notices, &notice, now_ms, now_s);
}

/* As many of them as fit; the log has them all. */
static void note_together(struct notices *notices, const struct group *group, uint64_t now_ms,
			  int64_t now_s)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4 * KUBE_EVENT_MESSAGE_MAX);
	struct notice notice = { group->warning, group->reason, "", "" };
	size_t i = 0;

	strbuf_printf(&text, "%zu devices %s: ", group->n, group->verb);
	for (; i < group->n && text.len < KUBE_EVENT_MESSAGE_MAX / 2; i++) {
		strbuf_puts(&text, i > 0 ? "; " : "");
		describe(group->states[i], &text);
	}
	if (i < group->n)
		strbuf_printf(&text, "; and %zu more", group->n - i);
	notice.message = strbuf_str(&text);
	notices_note(notices, &notice, now_ms, now_s);
}

static void note_group(struct notices *notices, const struct group *group, uint64_t now_ms,
		       int64_t now_s)
{
	if (group->n >= NOTICES_TOGETHER_MIN) {
		note_together(notices, group, now_ms, now_s);
		return;
	}
	for (size_t i = 0; i < group->n; i++)
		note_one(notices, group, group->states[i], now_ms, now_s);
}

/* Failed: it is unhealthy and was not.  What is there for the first time and works is no
 * news. */
static void sort_change(struct group *failed, struct group *recovered,
			const struct snapshot *before, const struct device_state *state)
{
	const struct device_state *old = before ? snapshot_find(before, state->id) : NULL;
	bool was_healthy = !old || old->healthy;
	struct group *group;

	if (state->healthy == was_healthy)
		return;
	group = state->healthy ? recovered : failed;
	group->states[group->n++] = state;
}

void notices_note_changes(struct notices *notices, const struct snapshot *before,
			  const struct snapshot *after, uint64_t now_ms, int64_t now_s)
{
	_cleanup_free_ const struct device_state **states =
		calloc(2 * after->n_devices + 1, sizeof(*states));
	struct group failed = { "DeviceFailed", "have failed", true, states, 0 };
	struct group recovered = { "DeviceRecovered", "have recovered", false, NULL, 0 };

	if (!states)
		return;
	recovered.states = states + after->n_devices;
	for (size_t i = 0; i < after->n_devices; i++)
		sort_change(&failed, &recovered, before, &after->devices[i]);
	note_group(notices, &failed, now_ms, now_s);
	note_group(notices, &recovered, now_ms, now_s);
}

static uint32_t wait_of(const struct notice_entry *entry, uint64_t now_ms)
{
	uint64_t passed = now_ms - entry->told_ms;

	if (entry->told_ms == 0 || passed >= NOTICES_REPEAT_MS)
		return 0;
	return (uint32_t)(NOTICES_REPEAT_MS - passed);
}

struct notice_entry *notices_next(struct notices *notices, uint64_t now_ms, uint32_t *ret_wait_ms)
{
	*ret_wait_ms = UINT32_MAX;
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice_entry *entry = &notices->entries[i];
		uint32_t wait_ms;

		if (!entry->used || !entry->due)
			continue;
		wait_ms = wait_of(entry, now_ms);
		if (wait_ms == 0)
			return entry;
		*ret_wait_ms = MIN(*ret_wait_ms, wait_ms);
	}
	return NULL;
}

void notices_told(struct notice_entry *entry, uint32_t count, uint64_t now_ms)
{
	entry->due = entry->count != count;
	entry->told_ms = now_ms;
}
