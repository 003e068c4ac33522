/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/condition.h"

#include <string.h>

#include "node-labeller/plan.h"

static struct kube_condition make(const struct picture *picture, int64_t now_s)
{
	bool healthy = picture->n_unhealthy == 0;

	return (struct kube_condition) {
		.type = CONDITION_TYPE,
		.status = healthy ? "True" : "False",
		.reason = healthy ? "DevicesHealthy" : "DeviceUnhealthy",
		.message = picture->message,
		.heartbeat_s = now_s,
		.transition_s = now_s,
	};
}

static bool is_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

enum condition_change condition_plan(const struct json_t *node, const struct picture *picture,
				     int64_t now_s, struct kube_condition *ret)
{
	struct kube_condition there = { 0 };
	bool is_there = kube_node_condition(node, CONDITION_TYPE, &there) == 0;
	bool same_status;

	/* One that somebody else has set is not ours to take away, and cannot be. */
	if (!picture->condition)
		return kube_object_owns_condition(node, PLAN_MANAGER, CONDITION_TYPE)
			       ? CONDITION_REMOVE
			       : CONDITION_SAME;
	*ret = make(picture, now_s);
	same_status = is_there && is_text(there.status, ret->status);
	if (same_status && is_text(there.reason, ret->reason) &&
	    is_text(there.message, ret->message))
		return CONDITION_SAME;
	if (same_status && there.transition_s > 0)
		ret->transition_s = there.transition_s;
	return CONDITION_WRITE;
}
