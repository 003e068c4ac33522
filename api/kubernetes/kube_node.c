/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_node.h"

#include <string.h>

#include "api/kubernetes/json.h"

int kube_node_taints(const struct json_t *node, struct kube_taint *ret, size_t *ret_n,
		     struct error *err)
{
	const json_t *taints = JSON_FIND(node, "spec", "taints");
	size_t n = json_array_size(taints);

	if (n > KUBE_TAINTS_MAX)
		return error_set(err, EFBIG, "a node with %zu taints, more than %d", n,
				 KUBE_TAINTS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *taint = json_array_get(taints, i);

		ret[i] = (struct kube_taint) {
			.key = json_text(json_object_get(taint, "key")),
			.value = json_text(json_object_get(taint, "value")),
			.effect = json_text(json_object_get(taint, "effect")),
			.time_added = json_text(json_object_get(taint, "timeAdded")),
		};
		if (!ret[i].key || !ret[i].effect)
			return error_set(err, EBADMSG, "taint %zu of a node has no key or effect",
					 i);
	}
	*ret_n = n;
	return 0;
}

int kube_node_condition(const struct json_t *node, const char *type, struct kube_condition *ret)
{
	const json_t *conditions = JSON_FIND(node, "status", "conditions");

	for (size_t i = 0; i < json_array_size(conditions); i++) {
		const json_t *json = json_array_get(conditions, i);
		const char *found = json_text(json_object_get(json, "type"));

		if (!found || strcmp(found, type) != 0)
			continue;
		*ret = (struct kube_condition) {
			.type = found,
			.status = json_text(json_object_get(json, "status")),
			.reason = json_text(json_object_get(json, "reason")),
			.message = json_text(json_object_get(json, "message")),
			.heartbeat_s = json_parse_time(
				json_text(json_object_get(json, "lastHeartbeatTime"))),
			.transition_s = json_parse_time(
				json_text(json_object_get(json, "lastTransitionTime"))),
		};
		return 0;
	}
	return -ENOENT;
}

const char *kube_node_capacity(const struct json_t *node, const char *resource)
{
	return json_text(JSON_FIND(node, "status", "capacity", resource));
}

/* A map of texts; NULL when one is no text that JSON can hold. */
static json_t *pack_map(struct kube_pairs pairs, bool removes)
{
	json_t *map = json_object();

	for (size_t i = 0; i < pairs.n; i++) {
		const struct kube_pair *pair = &pairs.at[i];
		json_t *value =
			pair->value ? json_string(pair->value) : (removes ? json_null() : NULL);

		if (json_object_set_new(map, pair->key, value) < 0) {
			json_decref(map);
			return NULL;
		}
	}
	return map;
}

int kube_node_apply_maps(const char *name, struct kube_pairs labels, struct kube_pairs annotations,
			 char **ret, struct error *err)
{
	json_t *json =
		json_pack("{s:s, s:s, s:{s:s, s:o, s:o}}", "apiVersion", "v1", "kind", "Node",
			  "metadata", "name", name, "labels", pack_map(labels, false),
			  "annotations", pack_map(annotations, false));

	return json_take(json, "labels to apply", ret, err);
}

int kube_node_merge_maps(struct kube_pairs labels, struct kube_pairs annotations, char **ret,
			 struct error *err)
{
	json_t *json = json_pack("{s:{s:o, s:o}}", "metadata", "labels", pack_map(labels, true),
				 "annotations", pack_map(annotations, true));

	return json_take(json, "labels to merge", ret, err);
}

static json_t *pack_taints(const struct kube_taint *taints, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct kube_taint *taint = &taints[i];
		const char *value = taint->value && taint->value[0] ? taint->value : NULL;
		json_t *json =
			json_pack("{s:s, s:s, s:s*, s:s*}", "key", taint->key, "effect",
				  taint->effect, "value", value, "timeAdded", taint->time_added);

		if (json_array_append_new(list, json) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/*
 * A test of a list that is not there fails on some servers and not on others, so
 * then the version of the node is tested instead.
 */
static json_t *pack_test(const json_t *node, bool has_list)
{
	json_t *taints = JSON_FIND(node, "spec", "taints");

	if (has_list)
		return json_pack("{s:s, s:s, s:O}", "op", "test", "path", "/spec/taints", "value",
				 taints);
	return json_pack("{s:s, s:s, s:s}", "op", "test", "path", "/metadata/resourceVersion",
			 "value", kube_object_resource_version(node));
}

int kube_node_patch_taints(const struct json_t *node, const struct kube_taint *taints, size_t n,
			   char **ret, struct error *err)
{
	bool has_list = json_array_size(JSON_FIND(node, "spec", "taints")) > 0;
	json_t *json;

	if (n > KUBE_TAINTS_MAX)
		return error_set(err, EFBIG, "%zu taints are more than %d", n, KUBE_TAINTS_MAX);
	if (!kube_object_resource_version(node))
		return error_set(err, EBADMSG, "a node without a resource version");
	json = json_pack("[o, {s:s, s:s, s:o}]", pack_test(node, has_list), "op", "add", "path",
			 "/spec/taints", "value", pack_taints(taints, n));
	return json_take(json, "taints", ret, err);
}

/* A time that is 0 is left out. */
static int pack_time(int64_t seconds, char *buf, const char **ret)
{
	*ret = seconds == 0 ? NULL : buf;
	return seconds == 0 ? 0 : json_time(seconds, buf);
}

static json_t *pack_conditions(const struct kube_condition *condition)
{
	char heartbeat_text[JSON_TIME_SIZE], transition_text[JSON_TIME_SIZE];
	const char *heartbeat, *transition;

	if (!condition)
		return json_array();
	if (pack_time(condition->heartbeat_s, heartbeat_text, &heartbeat) < 0 ||
	    pack_time(condition->transition_s, transition_text, &transition) < 0)
		return NULL;
	return json_pack("[{s:s, s:s, s:s*, s:s*, s:s*, s:s*}]", "type", condition->type, "status",
			 condition->status, "reason", condition->reason, "message",
			 condition->message, "lastHeartbeatTime", heartbeat, "lastTransitionTime",
			 transition);
}

int kube_node_apply_condition(const char *name, const struct kube_condition *condition, char **ret,
			      struct error *err)
{
	json_t *json = json_pack("{s:s, s:s, s:{s:s}, s:{s:o}}", "apiVersion", "v1", "kind", "Node",
				 "metadata", "name", name, "status", "conditions",
				 pack_conditions(condition));

	return json_take(json, "a condition", ret, err);
}
