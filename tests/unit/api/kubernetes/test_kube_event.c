/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_event.h"
#include "api/kubernetes/kube_path.h"
#include "base/cleanup.h"

static const struct kube_event event = {
	.node = "n",
	.component = "silica-node-labeller",
	.instance = "pod-1",
	.warning = true,
	.reason = "NoDriver",
	.message = "why",
	.first_s = 1,
	.last_s = 1767323045,
	.count = 4294967295,
};

static void names_events(void **state)
{
	char name[KUBE_EVENT_NAME_SIZE];
	char node[254];

	(void)state;
	kube_event_name("n-1.x", 0xdeadbeef, name);
	assert_string_equal(name, "n-1.x.deadbeef");
	for (size_t len = 230; len < sizeof(node); len++) {
		memset(node, 'a', sizeof(node));
		node[235] = '.';
		node[234] = '-';
		node[233] = '-';
		node[len] = '\0';
		kube_event_name(node, UINT64_MAX, name);
		assert_int_equal(kube_name_check("event", name, NULL), 0);
	}
}

static void creates_events(void **state)
{
	_cleanup_free_ char *body = NULL;

	(void)state;
	assert_int_equal(kube_event_create("n.1", &event, &body, NULL), 0);
	assert_string_equal(body,
			    "{\"apiVersion\":\"v1\",\"count\":4294967295,"
			    "\"firstTimestamp\":\"1970-01-01T00:00:01Z\",\"involvedObject\":{"
			    "\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"n\"},"
			    "\"kind\":\"Event\",\"lastTimestamp\":\"2026-01-02T03:04:05Z\","
			    "\"message\":\"why\",\"metadata\":{\"name\":\"n.1\","
			    "\"namespace\":\"default\"},\"reason\":\"NoDriver\","
			    "\"reportingComponent\":\"silica-node-labeller\","
			    "\"reportingInstance\":\"pod-1\",\"source\":{"
			    "\"component\":\"silica-node-labeller\",\"host\":\"n\"},"
			    "\"type\":\"Warning\"}");
}

static void raises_events(void **state)
{
	_cleanup_free_ char *body = NULL;

	(void)state;
	assert_int_equal(kube_event_raise(&event, &body, NULL), 0);
	assert_string_equal(body,
			    "{\"count\":4294967295,\"lastTimestamp\":\"2026-01-02T03:04:05Z\","
			    "\"message\":\"why\"}");
}

static int create(const struct kube_event *changed)
{
	_cleanup_free_ char *created = NULL;
	_cleanup_free_ char *raised = NULL;
	int r = kube_event_create("n.1", changed, &created, NULL);

	assert_int_equal(kube_event_raise(changed, &raised, NULL), r);
	return r;
}

static void refuses_events(void **state)
{
	struct kube_event changed = event;
	char text[KUBE_EVENT_MESSAGE_MAX + 2];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[KUBE_EVENT_MESSAGE_MAX + 1] = '\0';
	changed.message = text;
	assert_int_equal(create(&changed), -EINVAL);
	changed.message = text + 1;
	assert_int_equal(create(&changed), 0);
	changed.message = "";
	assert_int_equal(create(&changed), -EINVAL);
	changed.message = "\xff";
	assert_int_equal(create(&changed), -EINVAL);
	changed = event;
	changed.reason = NULL;
	assert_int_equal(create(&changed), -EINVAL);
	changed.reason = text + KUBE_EVENT_MESSAGE_MAX + 1 - KUBE_EVENT_REASON_MAX;
	assert_int_equal(create(&changed), 0);
	changed.reason--;
	assert_int_equal(create(&changed), -EINVAL);
	changed = event;
	changed.last_s = -1;
	assert_int_equal(create(&changed), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_events),
		cmocka_unit_test(creates_events),
		cmocka_unit_test(raises_events),
		cmocka_unit_test(refuses_events),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_event", tests, NULL, NULL);
}
