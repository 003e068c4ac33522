/* SPDX-License-Identifier: Apache-2.0 */
/* The condition of a node: when it is written, and since when it holds. */
#include <stdio.h>
#include <string.h>

#include "node-labeller/condition.h"
#include "tests/test.h"

#define OURS                                                                                     \
	"{\"metadata\":{\"managedFields\":[{\"manager\":\"silica-node-labeller\",\"operation\":" \
	"\"Apply\",\"subresource\":\"status\",\"fieldsV1\":{\"f:status\":{\"f:conditions\":{"    \
	"\"k:{\\\"type\\\":\\\"AcceleratorsHealthy\\\"}\":{}}}}}]}}"
#define CONDITION(status, reason, message)                                                 \
	"{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},"           \
	"{\"type\":\"AcceleratorsHealthy\",\"status\":\"" status "\",\"reason\":\"" reason \
	"\",\"message\":\"" message "\",\"lastTransitionTime\":\"1970-01-01T00:01:00Z\"}]}}"

static enum condition_change plan(const char *text, size_t n_unhealthy, bool wanted,
				  struct kube_condition *ret)
{
	_cleanup_(kube_object_freep) struct json_t *node = NULL;
	static struct picture picture;

	picture_empty(&picture);
	picture.condition = wanted;
	picture.n_devices = 3;
	picture.n_unhealthy = n_unhealthy;
	(void)snprintf(picture.message, sizeof(picture.message), "%zu are ill", n_unhealthy);
	assert_int_equal(kube_object_parse(text, strlen(text), &node, NULL), 0);
	return condition_plan(node, &picture, 1000, ret);
}

static void says_what_the_devices_are(_unused_ void **state)
{
	struct kube_condition condition;

	assert_int_equal(plan("{}", 0, true, &condition), CONDITION_WRITE);
	assert_string_equal(condition.status, "True");
	assert_string_equal(condition.reason, "DevicesHealthy");
	assert_int_equal(condition.transition_s, 1000);
	assert_int_equal(plan("{}", 2, true, &condition), CONDITION_WRITE);
	assert_string_equal(condition.status, "False");
	assert_string_equal(condition.reason, "DeviceUnhealthy");
	assert_string_equal(condition.message, "2 are ill");
}

static void is_written_only_when_it_changes(_unused_ void **state)
{
	struct kube_condition condition;

	assert_int_equal(
		plan(CONDITION("False", "DeviceUnhealthy", "2 are ill"), 2, true, &condition),
		CONDITION_SAME);
	assert_int_equal(
		plan(CONDITION("False", "DeviceUnhealthy", "1 are ill"), 2, true, &condition),
		CONDITION_WRITE);
	assert_int_equal(plan(CONDITION("False", "Other", "2 are ill"), 2, true, &condition),
			 CONDITION_WRITE);
}

static void holds_since_its_status_changed(_unused_ void **state)
{
	struct kube_condition condition;

	assert_int_equal(
		plan(CONDITION("False", "DeviceUnhealthy", "1 are ill"), 2, true, &condition),
		CONDITION_WRITE);
	assert_int_equal(condition.transition_s, 60);
	assert_int_equal(condition.heartbeat_s, 1000);
	assert_int_equal(
		plan(CONDITION("True", "DevicesHealthy", "0 are ill"), 2, true, &condition),
		CONDITION_WRITE);
	assert_int_equal(condition.transition_s, 1000);
}

static void goes_when_it_is_not_kept(_unused_ void **state)
{
	struct kube_condition condition;

	assert_int_equal(plan("{}", 1, false, &condition), CONDITION_SAME);
	assert_int_equal(plan(OURS, 1, false, &condition), CONDITION_REMOVE);
	/* Somebody else has set it. */
	assert_int_equal(plan(CONDITION("True", "DevicesHealthy", ""), 1, false, &condition),
			 CONDITION_SAME);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_devices_are),
		cmocka_unit_test(is_written_only_when_it_changes),
		cmocka_unit_test(holds_since_its_status_changed),
		cmocka_unit_test(goes_when_it_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
