/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the devices, how often, and what is put together. */
#include <stdio.h>
#include <string.h>

#include "node-labeller/notices.h"
#include "tests/test.h"
#include "tests/unit/inventory/node.h"

#define START_MS 1000000
#define MINUTE_MS 60000

static const struct notice failure = { true, "DeviceFailed", "A", "it is ill" };

static struct notice_entry *next(struct notices *notices, uint64_t now_ms)
{
	uint32_t wait_ms;

	return notices_next(notices, now_ms, &wait_ms);
}

static size_t count_due(const struct notices *notices)
{
	size_t n = 0;

	for (size_t i = 0; i < NOTICES_MAX; i++)
		n += notices->entries[i].due;
	return n;
}

static void news_is_told_at_once(_unused_ void **state)
{
	static struct notices notices;
	const struct notice_entry *entry;
	uint32_t wait_ms;

	notices = (struct notices) { 0 };
	assert_null(notices_next(&notices, START_MS, &wait_ms));
	assert_int_equal(wait_ms, UINT32_MAX);
	notices_note(&notices, &failure, START_MS, 100);
	entry = next(&notices, START_MS);
	assert_non_null(entry);
	assert_true(entry->warning);
	assert_string_equal(entry->reason, "DeviceFailed");
	assert_string_equal(entry->message, "it is ill");
	assert_int_equal(entry->count, 1);
	assert_int_equal(entry->first_s, 100);
}

static void the_same_again_is_counted_and_told_later(_unused_ void **state)
{
	static struct notices notices;
	struct notice_entry *entry;
	uint32_t wait_ms;

	notices = (struct notices) { 0 };
	notices_note(&notices, &failure, START_MS, 100);
	entry = next(&notices, START_MS);
	notices_told(entry, entry->count, START_MS);
	assert_null(next(&notices, START_MS));
	for (int i = 1; i <= 20; i++)
		notices_note(&notices, &failure, START_MS + (uint64_t)i, 100 + i);
	assert_null(notices_next(&notices, START_MS + 20, &wait_ms));
	assert_int_equal(wait_ms, MINUTE_MS - 20);
	assert_ptr_equal(next(&notices, START_MS + MINUTE_MS), entry);
	assert_int_equal(entry->count, 21);
	assert_int_equal(entry->first_s, 100);
	assert_int_equal(entry->last_s, 120);
}

static void what_happens_while_it_is_told_is_told_again(_unused_ void **state)
{
	static struct notices notices;
	struct notice_entry *entry;

	notices = (struct notices) { 0 };
	notices_note(&notices, &failure, START_MS, 100);
	entry = next(&notices, START_MS);
	notices_note(&notices, &failure, START_MS + 1, 101);
	notices_told(entry, 1, START_MS + 2);
	assert_true(entry->due);
}

static void after_an_hour_it_is_news_again(_unused_ void **state)
{
	static struct notices notices;
	struct notice_entry *entry;

	notices = (struct notices) { 0 };
	notices_note(&notices, &failure, START_MS, 100);
	entry = next(&notices, START_MS);
	notices_told(entry, entry->count, START_MS);
	notices_note(&notices, &failure, START_MS + NOTICES_FORGET_MS + 1, 5000);
	entry = next(&notices, START_MS + NOTICES_FORGET_MS + 1);
	assert_int_equal(entry->count, 1);
	assert_int_equal(entry->first_s, 5000);
}

static void the_longest_quiet_makes_room(_unused_ void **state)
{
	static struct notices notices;
	struct notice_entry *busy;

	notices = (struct notices) { 0 };
	for (unsigned int i = 0; i <= NOTICES_MAX; i++) {
		char subject[16];
		const struct notice notice = { false, "DeviceRecovered", subject, "" };

		(void)snprintf(subject, sizeof(subject), "D%u", i);
		notices_note(&notices, &notice, START_MS + i, 100);
		if (i == 0) {
			busy = next(&notices, START_MS);
			busy->telling = true;
		}
	}
	assert_string_equal(notices.entries[0].subject, "D0");
	assert_string_equal(notices.entries[1].subject, "D64");
}

/* Copies the snapshot with the health of the devices that the mask names. */
static struct snapshot *with_health(struct snapshot *snapshot, unsigned int unhealthy)
{
	struct device_state states[16];

	for (size_t i = 0; i < snapshot->n_devices; i++) {
		states[i] = snapshot->devices[i];
		states[i].healthy = !(unhealthy & 1U << i);
		(void)snprintf(states[i].reason, sizeof(states[i].reason), "%s",
			       states[i].healthy ? "" : "it is ill");
	}
	return snapshot_new(snapshot->generation + 1, states, snapshot->n_devices);
}

static void changes_of_devices_are_told(_unused_ void **state)
{
	static const struct {
		unsigned int before;
		unsigned int after;
		size_t n;
		const char *reason;
		const char *message;
	} cases[] = {
		{ 0, 0, 0, NULL, NULL },
		{ 0, 1, 1, "DeviceFailed", "): it is ill" },
		{ 1, 1, 0, NULL, NULL },
		{ 1, 0, 1, "DeviceRecovered", " A (" },
		{ 1, 2, 2, "DeviceFailed", " B (" },
		{ 0, 0xf, 4, "DeviceFailed", " A (" },
		{ 0, 0x1f, 1, "DeviceFailed", "5 devices have failed: " },
		{ 0x1f, 0, 1, "DeviceRecovered", "5 devices have recovered: " },
	};
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0 0 0 0 0");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(snapshot_unrefp) struct snapshot *before =
			with_health(node, cases[i].before);
		_cleanup_(snapshot_unrefp) struct snapshot *after =
			with_health(node, cases[i].after);
		static struct notices notices;
		const struct notice_entry *entry;

		notices = (struct notices) { 0 };
		notices_note_changes(&notices, before, after, START_MS, 100);
		assert_int_equal(count_due(&notices), cases[i].n);
		entry = next(&notices, START_MS);
		assert_int_equal(entry != NULL, cases[i].reason != NULL);
		if (!entry || !cases[i].reason)
			continue;
		assert_string_equal(entry->reason, cases[i].reason);
		if (!strstr(entry->message, cases[i].message))
			fail_msg("'%s' is not in '%s'", cases[i].message, entry->message);
	}
}

static void at_the_start_only_what_has_failed_is_news(_unused_ void **state)
{
	static struct notices notices;
	_cleanup_(snapshot_unrefp) struct snapshot *node = node_snapshot("0 0 0");
	_cleanup_(snapshot_unrefp) struct snapshot *after = with_health(node, 2);

	notices = (struct notices) { 0 };
	notices_note_changes(&notices, NULL, after, START_MS, 100);
	assert_int_equal(count_due(&notices), 1);
	assert_string_equal(next(&notices, START_MS)->subject, "B");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_is_told_at_once),
		cmocka_unit_test(the_same_again_is_counted_and_told_later),
		cmocka_unit_test(what_happens_while_it_is_told_is_told_again),
		cmocka_unit_test(after_an_hour_it_is_news_again),
		cmocka_unit_test(the_longest_quiet_makes_room),
		cmocka_unit_test(changes_of_devices_are_told),
		cmocka_unit_test(at_the_start_only_what_has_failed_is_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
