/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/kubernetes/json.h"

#define SUFFIX_MAX 17 /* a dot and sixteen hexadecimal digits */

void kube_event_name(const char *node, uint64_t unique, char *ret)
{
	size_t len = MIN(strlen(node), (size_t)KUBE_EVENT_NAME_SIZE - 3 - SUFFIX_MAX);

	/* No label of a name ends with a dot or a dash. */
	while (len > 0 && (node[len - 1] == '.' || node[len - 1] == '-'))
		len--;
	(void)snprintf(ret, KUBE_EVENT_NAME_SIZE, "%.*s.%" PRIx64, (int)len, node, unique);
}

static int check_text(const char *what, const char *text, size_t max, struct error *err)
{
	if (!text || text[0] == '\0')
		return error_set(err, EINVAL, "an event without a %s", what);
	if (strlen(text) > max)
		return error_set(err, EINVAL, "the %s of an event is longer than %zu bytes", what,
				 max);
	return 0;
}

struct times {
	char first[JSON_TIME_SIZE];
	char last[JSON_TIME_SIZE];
};

static int check_event(const struct kube_event *event, struct times *ret, struct error *err)
{
	int r = check_text("reason", event->reason, KUBE_EVENT_REASON_MAX, err);

	if (r == 0)
		r = check_text("message", event->message, KUBE_EVENT_MESSAGE_MAX, err);
	if (r == 0 &&
	    (json_time(event->first_s, ret->first) < 0 || json_time(event->last_s, ret->last) < 0))
		r = error_set(err, EINVAL, "the time of an event is out of range");
	return r;
}

int kube_event_create(const char *name, const struct kube_event *event, char **ret,
		      struct error *err)
{
	struct times times;
	json_t *json;
	int r = check_event(event, &times, err);

	if (r < 0)
		return r;
	json = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s},"
			 " s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}",
			 "apiVersion", "v1", "kind", "Event", "metadata", "name", name, "namespace",
			 KUBE_EVENT_NAMESPACE, "involvedObject", "apiVersion", "v1", "kind", "Node",
			 "name", event->node, "uid", event->node, "source", "component",
			 event->component, "host", event->node, "reportingComponent",
			 event->component, "reportingInstance", event->instance, "type",
			 event->warning ? "Warning" : "Normal", "reason", event->reason, "message",
			 event->message, "firstTimestamp", times.first, "lastTimestamp", times.last,
			 "count", (json_int_t)event->count);
	return json_take(json, "an event", ret, err);
}

int kube_event_raise(const struct kube_event *event, char **ret, struct error *err)
{
	struct times times;
	json_t *json;
	int r = check_event(event, &times, err);

	if (r < 0)
		return r;
	json = json_pack("{s:s, s:s, s:I}", "message", event->message, "lastTimestamp", times.last,
			 "count", (json_int_t)event->count);
	return json_take(json, "an event", ret, err);
}
