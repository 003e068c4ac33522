/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_node.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

static const char node[] =
	"{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"42\"},\"spec\":{\"taints\":["
	"{\"key\":\"a\",\"effect\":\"NoExecute\",\"timeAdded\":\"2026-01-02T03:04:05Z\"},"
	"{\"key\":\"b\",\"value\":\"v\",\"effect\":\"NoSchedule\"}]},\"status\":{"
	"\"capacity\":{\"furiosa.ai/npu\":\"2\",\"cpu\":\"8\"},\"allocatable\":{\"furiosa.ai/"
	"npu\":\"1\"},"
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\","
	"\"message\":\"fine\",\"lastHeartbeatTime\":\"2026-01-02T03:04:05Z\","
	"\"lastTransitionTime\":\"2026-01-01T00:00:00.123456Z\"},{\"type\":\"Odd\"}]}}";

static struct json_t *parse(const char *text)
{
	struct json_t *object = NULL;

	assert_int_equal(kube_object_parse(text, strlen(text), &object, NULL), 0);
	return object;
}

static void reads_taints(void **state)
{
	static const char *const bad[] = {
		"{\"spec\":{\"taints\":[{\"key\":\"a\"}]}}",
		"{\"spec\":{\"taints\":[{\"effect\":\"NoSchedule\"}]}}",
		"{\"spec\":{\"taints\":[7]}}",
	};
	struct kube_taint taints[KUBE_TAINTS_MAX];
	struct json_t *object = parse(node);
	size_t n = 0;

	(void)state;
	assert_int_equal(kube_node_taints(object, taints, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(taints[0].key, "a");
	assert_null(taints[0].value);
	assert_string_equal(taints[0].time_added, "2026-01-02T03:04:05Z");
	assert_string_equal(taints[1].value, "v");
	assert_string_equal(taints[1].effect, "NoSchedule");
	assert_null(taints[1].time_added);
	kube_object_free(object);
	object = parse("{}");
	assert_int_equal(kube_node_taints(object, taints, &n, NULL), 0);
	assert_int_equal(n, 0);
	kube_object_free(object);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		object = parse(bad[i]);
		assert_int_equal(kube_node_taints(object, taints, &n, NULL), -EBADMSG);
		kube_object_free(object);
	}
}

static void reads_only_so_many_taints(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(1 << 20);
	struct kube_taint taints[KUBE_TAINTS_MAX];
	struct json_t *object;
	size_t n = 0;

	(void)state;
	strbuf_puts(&text, "{\"spec\":{\"taints\":[{\"key\":\"a\",\"effect\":\"b\"}");
	for (size_t i = 1; i < KUBE_TAINTS_MAX; i++)
		strbuf_puts(&text, ",{\"key\":\"a\",\"effect\":\"b\"}");
	strbuf_puts(&text, "]}}");
	object = parse(strbuf_str(&text));
	assert_int_equal(kube_node_taints(object, taints, &n, NULL), 0);
	assert_int_equal(n, KUBE_TAINTS_MAX);
	kube_object_free(object);
	text.len -= 3;
	strbuf_puts(&text, ",{\"key\":\"a\",\"effect\":\"b\"}]}}");
	object = parse(strbuf_str(&text));
	assert_int_equal(kube_node_taints(object, taints, &n, NULL), -EFBIG);
	kube_object_free(object);
}

static void reads_conditions(void **state)
{
	struct kube_condition condition;
	struct json_t *object = parse(node);

	(void)state;
	assert_int_equal(kube_node_condition(object, "Ready", &condition), 0);
	assert_string_equal(condition.status, "True");
	assert_string_equal(condition.reason, "KubeletReady");
	assert_string_equal(condition.message, "fine");
	assert_int_equal(condition.heartbeat_s, 1767323045);
	assert_int_equal(condition.transition_s, 1767225600);
	assert_int_equal(kube_node_condition(object, "Odd", &condition), 0);
	assert_null(condition.status);
	assert_int_equal(condition.heartbeat_s, 0);
	assert_int_equal(kube_node_condition(object, "Other", &condition), -ENOENT);
	kube_object_free(object);
}

static void reads_capacities(void **state)
{
	struct json_t *object = parse(node);

	(void)state;
	assert_string_equal(kube_node_capacity(object, "furiosa.ai/npu"), "2");
	assert_null(kube_node_capacity(object, "memory"));
	kube_object_free(object);
}

static const struct kube_pair labels_at[] = { { "z", "1" }, { "a/b", "" } };
static const struct kube_pair annotations_at[] = { { "c", "\"\\\n" } };
static const struct kube_pair removal_at[] = { { "z", NULL }, { "y", "2" } };
static const struct kube_pair broken_at[] = { { "z", "\xff" } };
static const struct kube_pairs labels = { labels_at, ARRAY_SIZE(labels_at) };
static const struct kube_pairs annotations = { annotations_at, ARRAY_SIZE(annotations_at) };
static const struct kube_pairs removal = { removal_at, ARRAY_SIZE(removal_at) };
static const struct kube_pairs broken = { broken_at, ARRAY_SIZE(broken_at) };
static const struct kube_pairs none = { 0 };

static void applies_maps(void **state)
{
	_cleanup_free_ char *body = NULL;
	_cleanup_free_ char *empty = NULL;
	char *unset = NULL;

	(void)state;
	assert_int_equal(kube_node_apply_maps("n", labels, annotations, &body, NULL), 0);
	assert_string_equal(body, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				  "\"annotations\":{\"c\":\"\\\"\\\\\\n\"},"
				  "\"labels\":{\"a/b\":\"\",\"z\":\"1\"},\"name\":\"n\"}}");
	assert_int_equal(kube_node_apply_maps("n", none, none, &empty, NULL), 0);
	assert_string_equal(empty, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				   "\"annotations\":{},\"labels\":{},\"name\":\"n\"}}");
	assert_int_equal(kube_node_apply_maps("n", removal, none, &unset, NULL), -EINVAL);
	assert_int_equal(kube_node_apply_maps("n", broken, none, &unset, NULL), -EINVAL);
	assert_int_equal(kube_node_apply_maps("n", none, broken, &unset, NULL), -EINVAL);
	assert_int_equal(kube_node_apply_maps("\xff", none, none, &unset, NULL), -EINVAL);
	assert_null(unset);
}

static void merges_maps(void **state)
{
	_cleanup_free_ char *body = NULL;
	char *unset = NULL;

	(void)state;
	assert_int_equal(kube_node_merge_maps(removal, annotations, &body, NULL), 0);
	assert_string_equal(body, "{\"metadata\":{\"annotations\":{\"c\":\"\\\"\\\\\\n\"},"
				  "\"labels\":{\"y\":\"2\",\"z\":null}}}");
	assert_int_equal(kube_node_merge_maps(broken, none, &unset, NULL), -EINVAL);
	assert_null(unset);
}

static void patches_taints(void **state)
{
	static const struct kube_taint taint = { "k", "", "NoSchedule", NULL };
	static const struct kube_taint keyless = { NULL, NULL, "NoSchedule", NULL };
	_cleanup_free_ char *replaced = NULL;
	_cleanup_free_ char *first = NULL;
	struct json_t *tainted = parse(node);
	struct json_t *clean = parse("{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{}}");
	struct json_t *unversioned = parse("{}");
	char *unset = NULL;

	(void)state;
	assert_int_equal(kube_node_patch_taints(tainted, &taint, 1, &replaced, NULL), 0);
	assert_string_equal(
		replaced,
		"[{\"op\":\"test\",\"path\":\"/spec/taints\",\"value\":["
		"{\"effect\":\"NoExecute\",\"key\":\"a\",\"timeAdded\":\"2026-01-02T03:04:05Z\"},"
		"{\"effect\":\"NoSchedule\",\"key\":\"b\",\"value\":\"v\"}]},"
		"{\"op\":\"add\",\"path\":\"/spec/taints\",\"value\":["
		"{\"effect\":\"NoSchedule\",\"key\":\"k\"}]}]");
	assert_int_equal(kube_node_patch_taints(clean, NULL, 0, &first, NULL), 0);
	assert_string_equal(first, "[{\"op\":\"test\",\"path\":\"/metadata/resourceVersion\","
				   "\"value\":\"7\"},{\"op\":\"add\",\"path\":\"/spec/taints\","
				   "\"value\":[]}]");
	assert_int_equal(kube_node_patch_taints(clean, &keyless, 1, &unset, NULL), -EINVAL);
	assert_int_equal(kube_node_patch_taints(unversioned, NULL, 0, &unset, NULL), -EBADMSG);
	assert_int_equal(kube_node_patch_taints(clean, NULL, KUBE_TAINTS_MAX + 1, &unset, NULL),
			 -EFBIG);
	assert_null(unset);
	kube_object_free(tainted);
	kube_object_free(clean);
	kube_object_free(unversioned);
}

static void applies_conditions(void **state)
{
	struct kube_condition condition = {
		.type = "NpuReady",
		.status = "False",
		.reason = "NoDriver",
		.message = "why",
		.heartbeat_s = 1767323045,
		.transition_s = 1,
	};
	_cleanup_free_ char *body = NULL;
	_cleanup_free_ char *removed = NULL;
	_cleanup_free_ char *last = NULL;
	char *unset = NULL;

	(void)state;
	assert_int_equal(kube_node_apply_condition("n", &condition, &body, NULL), 0);
	assert_string_equal(body, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				  "\"name\":\"n\"},\"status\":{\"conditions\":[{"
				  "\"lastHeartbeatTime\":\"2026-01-02T03:04:05Z\","
				  "\"lastTransitionTime\":\"1970-01-01T00:00:01Z\","
				  "\"message\":\"why\",\"reason\":\"NoDriver\","
				  "\"status\":\"False\",\"type\":\"NpuReady\"}]}}");
	assert_int_equal(kube_node_apply_condition("n", NULL, &removed, NULL), 0);
	assert_string_equal(removed, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
				     "\"name\":\"n\"},\"status\":{\"conditions\":[]}}");
	condition.heartbeat_s = INT64_C(253402300799);
	assert_int_equal(kube_node_apply_condition("n", &condition, &last, NULL), 0);
	assert_non_null(strstr(last, "9999-12-31T23:59:59Z"));
	condition.heartbeat_s++;
	assert_int_equal(kube_node_apply_condition("n", &condition, &unset, NULL), -EINVAL);
	condition.heartbeat_s = -1;
	assert_int_equal(kube_node_apply_condition("n", &condition, &unset, NULL), -EINVAL);
	condition.heartbeat_s = 0;
	condition.status = NULL;
	assert_int_equal(kube_node_apply_condition("n", &condition, &unset, NULL), -EINVAL);
	assert_null(unset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_taints),	    cmocka_unit_test(reads_only_so_many_taints),
		cmocka_unit_test(reads_conditions), cmocka_unit_test(reads_capacities),
		cmocka_unit_test(applies_maps),	    cmocka_unit_test(merges_maps),
		cmocka_unit_test(patches_taints),   cmocka_unit_test(applies_conditions),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_node", tests, NULL, NULL);
}
