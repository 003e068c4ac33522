/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch: one request whose answer goes on for minutes, an event per line.
 *
 * It ends after a while, always: the server is asked to end it, and a connection
 * that is silent for longer counts as dead.  The caller then begins anew, from the
 * last resource version that it saw, or from a read if that is gone.
 *
 * Source: kubernetes.io/docs/reference/using-api/api-concepts, "Efficient detection
 *	of changes" and "Watch bookmarks"
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/kubernetes/kube_client.h"
#include "base/cleanup.h"
#include "base/error.h"

#define KUBE_WATCH_TIMEOUT_S 300U /* after which a change that was missed is seen at the latest */
#define KUBE_WATCH_GRACE_S 30U	  /* how much later than asked for a server may end it */

/* Bytes of one event: etcd keeps objects of 1.5 MiB, which as JSON can be some more. */
#define KUBE_EVENT_MAX (4U * 1024 * 1024)

struct json_t; /* of jansson */
struct kube_watch;

enum kube_event_type {
	KUBE_EVENT_ADDED,
	KUBE_EVENT_MODIFIED,
	KUBE_EVENT_DELETED,
	KUBE_EVENT_BOOKMARK, /* nothing but a newer resource version */
	_KUBE_EVENT_TYPE_MAX,
};

struct kube_watch_request {
	const char *path;	      /* collection, with a query or not; see kube_path.h */
	const char *resource_version; /* to go on from; NULL for the state as it is, as ADDED */
	uint32_t timeout_s;	      /* after which the server ends it; 0: KUBE_WATCH_TIMEOUT_S */
	uint32_t silence_s;	      /* a watch that says nothing for so long is dead; 0: when it
				       * should have ended long ago. An idle server sends a
				       * bookmark about every minute */
	size_t event_max;	      /* bytes of one event; 0 means KUBE_EVENT_MAX */
};

struct kube_watch_callbacks {
	/* An event: the object is borrowed for the callback. */
	void (*event)(void *ctx, enum kube_event_type type, const struct json_t *object);
	/* The watch is over, once: KUBE_OK, KUBE_GONE or a failure by kube_answer_outcome(). */
	kube_answer_fn end;
	void *ctx;
};

/**
 * kube_watch_start() - Watch a collection.
 * @client: client
 * @request: what to watch; copied
 * @callbacks: called from the loop until @end, or until the watch is freed; copied
 * @ret: the watch, to be released with kube_watch_free() before or after @end
 * @err: set on failure
 *
 * Return: 0, or as kube_call_start().
 */
int kube_watch_start(struct kube_client *client, const struct kube_watch_request *request,
		     const struct kube_watch_callbacks *callbacks, struct kube_watch **ret,
		     struct error *err);

/**
 * kube_watch_free() - End a watch that goes on, and release it.
 * @watch: watch or NULL
 */
void kube_watch_free(struct kube_watch *watch);
DEFINE_CLEANUP(struct kube_watch, kube_watch_free);
