/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cli/scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "tests/test.h"

#define MESSAGE_MAX 65536

/* Bytes of the view's arena: rules and resources of one test. */
#define OFFER_MAX 65536

struct view scene_view(struct snapshot *snapshot, const struct unit_rule *rules, size_t n,
		       const struct podresources *held)
{
	struct view view = VIEW_INIT;

	view.node.node.name = "";
	view.snapshot = snapshot_ref(snapshot);
	view.offer.arena = arena_init(OFFER_MAX);
	view.offer.rules = arena_alloc(&view.offer.arena, (n + 1) * sizeof(*rules));
	view.offer.resources =
		arena_alloc(&view.offer.arena, (n + 1) * sizeof(*view.offer.resources));
	assert_non_null(view.offer.rules);
	assert_non_null(view.offer.resources);
	for (size_t i = 0; i < n; i++) {
		view.offer.rules[i] = rules[i];
		view.offer.resources[i] =
			(struct offer_resource) { .name = rules[i].resource, .rule = i };
		view.offer.overlap |= rules[i].overlap;
	}
	view.offer.n_rules = n;
	view.offer.n_resources = n;
	assert_int_equal(view_build(&view, held, NULL), 0);
	return view;
}

/* Appends a field of protobuf that carries bytes. */
static void put_field(struct strbuf *out, unsigned int number, const char *data, size_t len)
{
	uint8_t head[] = { (uint8_t)(number << 3 | 2), (uint8_t)((len & 0x7f) | 0x80),
			   (uint8_t)(len >> 7) };

	assert_true(len < 1 << 14);
	strbuf_add(out, head, sizeof(head));
	strbuf_add(out, data, len);
}

static void put_row(struct strbuf *out, const struct scene_row *row)
{
	_cleanup_strbuf_ struct strbuf devices = STRBUF_INIT(MESSAGE_MAX);
	_cleanup_strbuf_ struct strbuf container = STRBUF_INIT(MESSAGE_MAX);
	_cleanup_strbuf_ struct strbuf pod = STRBUF_INIT(MESSAGE_MAX);

	put_field(&devices, 1, row->resource, strlen(row->resource));
	put_field(&devices, 2, row->device_id, strlen(row->device_id));
	put_field(&container, 1, "c", 1);
	put_field(&container, 2, devices.data, devices.len);
	put_field(&pod, 1, row->pod, strlen(row->pod));
	put_field(&pod, 2, "ns", 2);
	put_field(&pod, 3, container.data, container.len);
	put_field(out, 1, pod.data, pod.len);
}

struct podresources scene_table(const struct scene_row *rows, size_t n)
{
	_cleanup_strbuf_ struct strbuf message = STRBUF_INIT(MESSAGE_MAX);
	struct podresources table = { 0 };
	struct error err = { 0 };

	for (size_t i = 0; i < n; i++)
		put_row(&message, &rows[i]);
	if (podresources_decode_list((const uint8_t *)strbuf_str(&message), message.len, &table,
				     &err) < 0)
		fail_msg("%s", err.msg);
	return table;
}
