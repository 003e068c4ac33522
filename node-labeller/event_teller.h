/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the API server what has happened on the node, an Event at a time.
 *
 * Source: kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1
 */
#pragma once

#include "api/kubernetes/kube_client.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "node-labeller/notices.h"
#include "node-labeller/publisher.h"

struct event_teller;

/**
 * event_teller_new() - Make a teller that has nothing to tell.
 * @setup: of its publisher; borrowed
 * @client: client; borrowed
 * @ret: the teller, to be released with event_teller_free() before the client
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno of the event loop.
 */
int event_teller_new(const struct publisher_setup *setup, struct kube_client *client,
		     struct event_teller **ret, struct error *err);

/**
 * event_teller_note() - Something has happened.
 * @teller: teller
 * @notice: what
 */
void event_teller_note(struct event_teller *teller, const struct notice *notice);

/**
 * event_teller_note_changes() - Devices may have failed or recovered.
 * @teller: teller
 * @before: older snapshot, or NULL
 * @after: newer snapshot
 */
void event_teller_note_changes(struct event_teller *teller, const struct snapshot *before,
			       const struct snapshot *after);

/**
 * event_teller_free() - Stop to tell.
 * @teller: teller or NULL
 */
void event_teller_free(struct event_teller *teller);
DEFINE_CLEANUP(struct event_teller, event_teller_free);
