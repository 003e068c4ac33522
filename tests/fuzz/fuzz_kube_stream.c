/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the splitter of watches, in two ways of cutting them: what
 * comes out must be the same, as where chunks end means nothing.  The objects are then
 * read, and bodies are made of them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_event.h"
#include "api/kubernetes/kube_node.h"
#include "api/kubernetes/kube_object.h"
#include "api/kubernetes/kube_stream.h"
#include "base/macro.h"

#define EVENT_MAX_BYTES 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void count_key(void *ctx, const char *key)
{
	*(size_t *)ctx += strlen(key);
}

static void check_taints(const struct json_t *object)
{
	static struct kube_taint taints[KUBE_TAINTS_MAX];
	char *body = NULL;
	size_t n = 0;

	if (kube_node_taints(object, taints, &n, NULL) < 0)
		return;
	require(n <= KUBE_TAINTS_MAX);
	if (kube_node_patch_taints(object, taints, n, &body, NULL) == 0)
		require(strncmp(body, "[{\"op\":\"test\"", 13) == 0);
	free(body);
}

static void check_condition(const struct json_t *object)
{
	struct kube_condition condition;
	char *body = NULL;

	if (kube_node_condition(object, "Ready", &condition) < 0)
		return;
	if (kube_node_apply_condition("n", &condition, &body, NULL) == 0)
		require(strstr(body, "\"Ready\"") != NULL);
	free(body);
}

static void check_object(const struct json_t *object)
{
	size_t n = 0;

	(void)kube_object_name(object);
	(void)kube_object_resource_version(object);
	for (int map = 0; map < _KUBE_MAP_MAX; map++) {
		(void)kube_object_get(object, (enum kube_map)map, "a");
		kube_object_each_owned(object, "us", (enum kube_map)map, count_key, &n);
	}
	(void)kube_node_capacity(object, "cpu");
	check_taints(object);
	check_condition(object);
}

struct result {
	size_t n_events;
	size_t errors; /* ERROR events */
	int r;	       /* how it ended */
};

/* Takes out all events; false when one is none. */
static int drain(struct kube_stream *stream, struct result *result)
{
	for (;;) {
		struct kube_stream_event event;
		int r = kube_stream_next(stream, &event, NULL);

		if (r <= 0)
			return r;
		require(event.object != NULL && (event.error || event.type < _KUBE_EVENT_TYPE_MAX));
		result->n_events++;
		result->errors += event.error;
		check_object(event.object);
		kube_object_free(event.document);
	}
}

static struct result feed(const uint8_t *data, size_t size, size_t chunk)
{
	struct result result = { 0 };
	struct kube_stream stream;

	kube_stream_init(&stream, EVENT_MAX_BYTES);
	while (size > 0 && result.r == 0) {
		size_t len = MIN(chunk, size);
		char *copy = malloc(len);

		if (!copy)
			break;
		memcpy(copy, data, len);
		result.r = kube_stream_add(&stream, copy, len);
		free(copy);
		require(result.r != -EAGAIN);
		if (result.r == 0)
			result.r = drain(&stream, &result);
		data += len;
		size -= len;
	}
	require(stream.tail <= EVENT_MAX_BYTES);
	kube_stream_done(&stream);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result one = feed(data, size, 1);
	struct result many = feed(data, size, size > 0 ? size : 1);
	struct result some = feed(data, size, 7);

	/* A line that is too long is seen before the events in front of it are taken out. */
	require(one.r == some.r && one.n_events == some.n_events && one.errors == some.errors);
	require(many.r == -EFBIG || (one.r == many.r && one.n_events == many.n_events));
	return 0;
}
