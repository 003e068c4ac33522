/* SPDX-License-Identifier: Apache-2.0 */
/* Which taints of a node go and come, and which of them are Silica's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node-labeller/taints.h"
#include "tests/test.h"

#define TEXT_MAX 4096

#define STARTUP "{\"key\":\"furiosa.ai/not-ready\",\"effect\":\"NoSchedule\"}"
#define KUBELET "{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoSchedule\"}"
#define EXCLUSIVE(key) "{\"key\":\"" key "\",\"value\":\"exclusive\",\"effect\":\"NoSchedule\"}"

struct given {
	const char *taints;	/* JSON, with ',' between */
	const char *capacity;	/* the same, as in "\"a.b/c\":\"3\"" */
	const char *annotation; /* or NULL */
	const char *resources[3];
	bool startup;
	bool exclusive;
};

static struct json_t *make_node(const struct given *given)
{
	struct json_t *node = NULL;
	char text[TEXT_MAX];
	int len =
		snprintf(text, sizeof(text),
			 "{\"metadata\":{\"annotations\":{%s%s%s}},"
			 "\"spec\":{\"taints\":[%s]},\"status\":{\"capacity\":{%s}}}",
			 given->annotation ? "\"" TAINTS_ANNOTATION "\":\"" : "",
			 given->annotation ? given->annotation : "", given->annotation ? "\"" : "",
			 given->taints, given->capacity ? given->capacity : "");

	assert_int_equal(kube_object_parse(text, (size_t)len, &node, NULL), 0);
	return node;
}

static struct picture make(const struct given *given, const char *resources[3])
{
	struct picture picture;

	picture_empty(&picture);
	picture.remove_startup_taints = given->startup;
	picture.exclusive_taints = given->exclusive;
	for (size_t i = 0; i < 3 && given->resources[i]; i++)
		resources[picture.n_resources++] = given->resources[i];
	picture.resources = resources;
	return picture;
}

/* "key=value:effect" of each, with ' ' between. */
static void print(const struct kube_taint *taints, size_t n, struct strbuf *out)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s%s=%s:%s", i > 0 ? " " : "", taints[i].key,
			      taints[i].value ? taints[i].value : "", taints[i].effect);
}

static void expect(const struct given *given, int r, const char *taints, const char *annotation)
{
	_cleanup_(kube_object_freep) struct json_t *node = make_node(given);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf ours = STRBUF_INIT(TEXT_MAX);
	const char *resources[3];
	struct picture picture = make(given, resources);
	struct kube_taint ret[KUBE_TAINTS_MAX];
	size_t n;

	assert_int_equal(taints_plan(node, &picture, ret, &n, NULL), r);
	print(ret, n, &out);
	assert_string_equal(strbuf_str(&out), taints);
	taints_annotation(node, &picture, &ours);
	assert_string_equal(strbuf_str(&ours), annotation);
}

static void nothing_is_touched_unless_asked_for(_unused_ void **state)
{
	const struct given given = { .taints = STARTUP "," EXCLUSIVE("furiosa.ai/npu"),
				     .capacity = "\"furiosa.ai/npu\":\"1\"",
				     .resources = { "furiosa.ai/npu" } };

	expect(&given, 0, "furiosa.ai/not-ready=:NoSchedule furiosa.ai/npu=exclusive:NoSchedule",
	       "");
}

static void a_startup_taint_goes_when_its_resources_are_there(_unused_ void **state)
{
	static const struct {
		const char *capacity;
		const char *resources[3];
		bool goes;
	} cases[] = {
		{ "\"furiosa.ai/npu\":\"3\"", { "furiosa.ai/npu" }, true },
		{ "\"furiosa.ai/npu\":\"0\"", { "furiosa.ai/npu" }, false },
		{ "\"furiosa.ai/npu\":\"1k\"", { "furiosa.ai/npu" }, true },
		{ "", { "furiosa.ai/npu" }, false },
		{ "\"furiosa.ai/npu\":\"3\"", { NULL }, false },
		{ "\"furiosa.ai/npu\":\"3\"", { "nvidia.com/gpu" }, false },
		{ "\"furiosa.ai/npu\":\"3\"", { "furiosa.ai/npu", "furiosa.ai/rngd" }, false },
		{ "\"furiosa.ai/npu\":\"3\"", { "furiosa.ai/npu", "nvidia.com/gpu" }, true },
		{ "\"furiosa.ai/npu\":\"3\",\"furiosa.ai/rngd\":\"8\"",
		  { "furiosa.ai/npu", "furiosa.ai/rngd" },
		  true },
		{ "\"furiosa.ain/npu\":\"3\"", { "furiosa.ain/npu" }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct given given = { .taints = STARTUP "," KUBELET,
				       .capacity = cases[i].capacity,
				       .startup = true };

		memcpy(given.resources, cases[i].resources, sizeof(given.resources));
		expect(&given, cases[i].goes,
		       cases[i].goes ? "node.kubernetes.io/not-ready=:NoSchedule"
				     : "furiosa.ai/not-ready=:NoSchedule "
				       "node.kubernetes.io/not-ready=:NoSchedule",
		       "");
	}
}

static void taints_of_kubernetes_stay(_unused_ void **state)
{
	const struct given given = { .taints = KUBELET,
				     .capacity = "\"node.kubernetes.io/npu\":\"1\"",
				     .resources = { "node.kubernetes.io/npu" },
				     .startup = true };

	expect(&given, 0, "node.kubernetes.io/not-ready=:NoSchedule", "");
}

static void an_exclusive_taint_is_announced_and_set(_unused_ void **state)
{
	const struct given given = { .taints = KUBELET,
				     .resources = { "furiosa.ai/npu", "nvidia.com/gpu" },
				     .exclusive = true };

	expect(&given, 1,
	       "node.kubernetes.io/not-ready=:NoSchedule furiosa.ai/npu=exclusive:NoSchedule "
	       "nvidia.com/gpu=exclusive:NoSchedule",
	       "furiosa.ai/npu,nvidia.com/gpu");
}

static void one_that_is_there_is_not_set_again(_unused_ void **state)
{
	const struct given given = { .taints = EXCLUSIVE("furiosa.ai/npu"),
				     .annotation = "furiosa.ai/npu",
				     .resources = { "furiosa.ai/npu" },
				     .exclusive = true };

	expect(&given, 0, "furiosa.ai/npu=exclusive:NoSchedule", "furiosa.ai/npu");
}

static void one_of_somebody_else_stays_his(_unused_ void **state)
{
	const struct given wanted = { .taints = EXCLUSIVE("furiosa.ai/npu"),
				      .resources = { "furiosa.ai/npu" },
				      .exclusive = true };
	const struct given unwanted = { .taints = EXCLUSIVE("furiosa.ai/npu"),
					.annotation = "furiosa.ai/npux" };

	expect(&wanted, 0, "furiosa.ai/npu=exclusive:NoSchedule", "");
	expect(&unwanted, 0, "furiosa.ai/npu=exclusive:NoSchedule", "");
}

static void ours_go_and_are_listed_until_they_have_gone(_unused_ void **state)
{
	const struct given there = { .taints = EXCLUSIVE("a.b/x") "," EXCLUSIVE("a.b/y"),
				     .annotation = "a.b/x,a.b/y",
				     .resources = { "a.b/y" },
				     .exclusive = true };
	const struct given gone = { .taints = "", .annotation = "a.b/x,a.b/y" };

	expect(&there, 1, "a.b/y=exclusive:NoSchedule", "a.b/y,a.b/x");
	expect(&gone, 0, "", "");
}

static void another_value_or_effect_is_another_taint(_unused_ void **state)
{
	const struct given given = {
		.taints = "{\"key\":\"a.b/x\",\"value\":\"mine\",\"effect\":\"NoSchedule\"},"
			  "{\"key\":\"a.b/x\",\"value\":\"exclusive\",\"effect\":\"NoExecute\"}",
		.annotation = "a.b/x"
	};

	expect(&given, 0, "a.b/x=mine:NoSchedule a.b/x=exclusive:NoExecute", "");
}

static void a_node_full_of_taints_is_refused(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(64 * 1024);
	_cleanup_(kube_object_freep) struct json_t *node = NULL;
	const struct given given = { .resources = { "a.b/x" }, .exclusive = true };
	const char *resources[3];
	struct picture picture = make(&given, resources);
	struct kube_taint ret[KUBE_TAINTS_MAX];
	struct error err = { 0 };
	size_t n;

	strbuf_puts(&text, "{\"spec\":{\"taints\":[");
	for (int i = 0; i < KUBE_TAINTS_MAX; i++)
		strbuf_printf(&text, "%s{\"key\":\"k%d\",\"effect\":\"NoSchedule\"}", i ? "," : "",
			      i);
	strbuf_puts(&text, "]}}");
	assert_int_equal(kube_object_parse(strbuf_str(&text), text.len, &node, NULL), 0);
	assert_int_equal(taints_plan(node, &picture, ret, &n, &err), -EFBIG);
	assert_non_null(strstr(err.msg, "no room for 'a.b/x'"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_touched_unless_asked_for),
		cmocka_unit_test(a_startup_taint_goes_when_its_resources_are_there),
		cmocka_unit_test(taints_of_kubernetes_stay),
		cmocka_unit_test(an_exclusive_taint_is_announced_and_set),
		cmocka_unit_test(one_that_is_there_is_not_set_again),
		cmocka_unit_test(one_of_somebody_else_stays_his),
		cmocka_unit_test(ours_go_and_are_listed_until_they_have_gone),
		cmocka_unit_test(another_value_or_effect_is_another_taint),
		cmocka_unit_test(a_node_full_of_taints_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
