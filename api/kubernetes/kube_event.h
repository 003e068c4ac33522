/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events about a node, as `kubectl describe node` shows them.  No I/O.
 *
 * An event that happens again is not a new one: its count is raised.  The object it is
 * about is found by its UID, which kubelets set to the node's name, and so do we.
 *
 * Source: kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1, in the
 *	older form of the core group; the names are those of client-go's tools/record
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define KUBE_EVENT_NAMESPACE "default" /* of events about objects that have no namespace */
#define KUBE_EVENT_MESSAGE_MAX 1024    /* bytes: the limit of the events.k8s.io group */
#define KUBE_EVENT_REASON_MAX 128      /* bytes, likewise */
#define KUBE_EVENT_NAME_SIZE 256       /* bytes with the NUL: a DNS subdomain has 253 */

struct kube_event {
	const char *node;      /* name of the node it is about */
	const char *component; /* who says it, as in "silica-node-labeller" */
	const char *instance;  /* which of them: the node or pod it runs on */
	bool warning;	       /* else Normal */
	const char *reason;    /* one word in CamelCase */
	const char *message;
	int64_t first_s; /* seconds since 1970 */
	int64_t last_s;
	uint32_t count;
};

/**
 * kube_event_name() - Make the name of an event.
 * @node: node it is about
 * @unique: a number that no other event about it has: nanoseconds, random bits
 * @ret: buffer of KUBE_EVENT_NAME_SIZE bytes
 *
 * The end of a node's name is left out where it would not fit.
 */
void kube_event_name(const char *node, uint64_t unique, char *ret);

/**
 * kube_event_create() - The body that creates an event.
 * @name: as kube_event_name() made it
 * @event: event
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent by POST as KUBE_JSON to kube_path_event() without a name.
 *
 * Return: 0, or
 *   -EINVAL  a text is NULL, empty, not UTF-8 or too long, or a time is out of range
 *   -ENOMEM  no memory
 */
int kube_event_create(const char *name, const struct kube_event *event, char **ret,
		      struct error *err);

/**
 * kube_event_raise() - The body that says that an event has happened again.
 * @event: event with its new count, time and message
 * @ret: JSON, to be released with free()
 * @err: set on failure
 *
 * To be sent as KUBE_MERGE_PATCH to kube_path_event() with its name; the server drops
 * events after an hour, so a 404 means that it is to be created anew.
 *
 * Return: 0, or as kube_event_create().
 */
int kube_event_raise(const struct kube_event *event, char **ret, struct error *err);
