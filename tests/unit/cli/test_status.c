/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "cli/status.h"
#include "tests/unit/cli/scene.h"
#include "tests/unit/inventory/node.h"

static const struct unit_rule rules[] = {
	{ .resource = "node/2", .kind = UNIT_PARTITION, .cores = 2 },
};

/* What a kubelet has said, and what is made of it. */
static void print(const struct kubelet *kubelet, enum settings_output output, struct strbuf *out)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = node_snapshot("0 1");
	const struct podresources *held =
		kubelet->list.state == KUBELET_ANSWERED ? &kubelet->list.table : NULL;
	_cleanup_view_ struct view view = scene_view(snapshot, rules, 1, held);
	_cleanup_holdings_ struct holdings holdings = { 0 };
	_cleanup_findings_ struct findings findings = { 0 };
	struct settings settings = settings_default();
	struct findings_input input = {
		.snapshot = snapshot,
		.sets = (const struct unit_set *const *)view.sets,
		.n_sets = 1,
		.holdings = &holdings,
		.held = held,
		.failure = kubelet->list.error.msg,
	};
	const struct status status = { &settings, &view, kubelet, &holdings, &findings };

	settings.output = output;
	assert_int_equal(holdings_join(&view, held, &holdings, NULL), 0);
	assert_int_equal(findings_make(&input, &findings, NULL), 0);
	assert_int_equal(status_print(&status, out), 0);
	assert_int_equal(strbuf_error(out), 0);
}

/* An ID of another plugin may be anything. */
static struct kubelet answer(void)
{
	static const struct scene_row rows[] = { { "p", "node/2", "A_cores_0-1" },
						 { "q", "node/2", "A_cores_4-5" },
						 { "q", "node/2", "evil\033[2J" } };
	struct kubelet kubelet = { 0 };

	kubelet.list.table = scene_table(rows, ARRAY_SIZE(rows));
	kubelet.allocatable.state = KUBELET_UNSUPPORTED;
	(void)error_set(&kubelet.allocatable.error, ENOSYS, "the kubelet does not have it");
	return kubelet;
}

static void prints_a_table(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);
	_cleanup_kubelet_ struct kubelet kubelet = answer();

	(void)state;
	print(&kubelet, SETTINGS_OUTPUT_TABLE, &out);
	assert_string_equal(
		strbuf_str(&out),
		"NAME  PRODUCT  HEALTH   RESOURCE  HELD\n"
		"npu0  rngd     Healthy  node/2    [##..] 2/4\n"
		"npu1  rngd     Healthy  node/2    [....] 0/4\n"
		"# held, . free\n"
		"\n"
		"NAMESPACE  POD  CONTAINER  RESOURCE  NAME  DEVICE\n"
		"ns         p    c          node/2    npu0  A_cores_0-1\n"
		"ns         q    c          node/2    npu0  A_cores_4-5\n"
		"ns         q    c          node/2    -     evil\\x1b[2J\n"
		"\n"
		"What the kubelet takes for healthy is not known (unsupported): the kubelet does "
		"not have it\n"
		"warning (held-unoffered): ns/q (c) holds evil\\x1b[2J of node/2, which is not "
		"offered\n"
		"    The device is gone, or the configuration has changed since the pod was "
		"started. It becomes free when the pod ends.\n"
		"info (free): 6 of 8 devices of node/2 are free now\n");
}

static void prints_without_a_kubelet(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);
	struct kubelet kubelet = { .list = { .state = KUBELET_SILENT } };

	(void)state;
	(void)error_set(&kubelet.list.error, ETIMEDOUT, "no answer in time");
	print(&kubelet, SETTINGS_OUTPUT_TABLE, &out);
	assert_ptr_equal(strstr(strbuf_str(&out),
				"NAME  PRODUCT  HEALTH   RESOURCE  HELD\n"
				"npu0  rngd     Healthy  node/2    [....] ?/4\n"
				"npu1  rngd     Healthy  node/2    [....] ?/4\n"
				". healthy\n"
				"\n"
				"warning (no-podresources): who holds what is not known: no answer "
				"in time\n"),
			 strbuf_str(&out));
}

static void prints_documents(void **state)
{
	static const char *const parts[] = {
		"\"state\": \"answered\"",
		"\"state\": \"unsupported\"",
		"\"total\": 4",
		"\"held\": 2",
		"\"pod\": \"q\"",
		"\"unit\": \"A_cores_4-5\"",
		"\"device\": \"A\"",
		"\"device\": null",
		"\"offered\": false",
		"\"kind\": \"held-unoffered\"",
		"\"severity\": \"warning\"",
		"\"unit\": \"evil\\\\x1b[2J\"",
	};
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);
	_cleanup_kubelet_ struct kubelet kubelet = answer();

	(void)state;
	print(&kubelet, SETTINGS_OUTPUT_JSON, &out);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		assert_non_null(strstr(strbuf_str(&out), parts[i]));
}

static void prints_unknowns_as_null(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(65536);
	struct kubelet kubelet = { .list = { .state = KUBELET_REFUSED } };

	(void)state;
	(void)error_set(&kubelet.list.error, EACCES, "not for you");
	print(&kubelet, SETTINGS_OUTPUT_YAML, &out);
	assert_non_null(
		strstr(strbuf_str(&out), "state: \"refused\"\n    error: \"not for you\"\n"));
	assert_non_null(strstr(strbuf_str(&out), "held: null\n    free: null\n"));
	assert_non_null(strstr(strbuf_str(&out), "holders: []\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_a_table),
		cmocka_unit_test(prints_without_a_kubelet),
		cmocka_unit_test(prints_documents),
		cmocka_unit_test(prints_unknowns_as_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
