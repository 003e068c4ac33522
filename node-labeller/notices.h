/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be told as Events of the Node, and when.  No I/O.
 *
 * The same thing of the same device is one event whose count is raised, at most once a
 * minute however often it happens; when many devices fail at once they share one.
 *
 * Source: Kubernetes client-go tools/record, which aggregates in a like way
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kubernetes/kube_event.h"
#include "base/cleanup.h"
#include "inventory/snapshot.h"

#define NOTICES_MAX 64		/* different things at a time; the one that is longest quiet goes */
#define NOTICES_REPEAT_MS 60000 /* between two times that a count is raised */
#define NOTICES_FORGET_MS 3600000 /* an event is kept for an hour by the server */
#define NOTICES_SUBJECT_MAX 64	  /* bytes with the NUL: the ID of a device */
#define NOTICES_TOGETHER_MIN 5	  /* devices that change in one moment share an event */

/* What there is to say. */
struct notice {
	bool warning;	     /* else Normal */
	const char *reason;  /* static, one word in CamelCase */
	const char *subject; /* what it is about, as the ID of a device; "" for the node */
	const char *message;
};

/* An event, and how far it has been told. */
struct notice_entry {
	bool used;
	bool due;     /* has happened since it was told last */
	bool telling; /* is being told, and must stay where it is */
	bool created; /* the server has it under @name */
	bool warning;
	const char *reason;
	char subject[NOTICES_SUBJECT_MAX];
	char message[KUBE_EVENT_MESSAGE_MAX];
	char name[KUBE_EVENT_NAME_SIZE]; /* of the event; "" before it was tried */
	uint32_t count;
	int64_t first_s;  /* since 1970 */
	int64_t last_s;	  /* the same */
	uint64_t last_ms; /* monotonic */
	uint64_t told_ms; /* monotonic; 0 when never */
};

struct notices {
	struct notice_entry entries[NOTICES_MAX];
};

/**
 * notices_note() - Something has happened.
 * @notices: all-zero at first
 * @notice: what
 * @now_ms: monotonic time
 * @now_s: time in seconds since 1970
 */
void notices_note(struct notices *notices, const struct notice *notice, uint64_t now_ms,
		  int64_t now_s);

/**
 * notices_note_changes() - Note which devices have failed or recovered.
 * @notices: all-zero at first
 * @before: older snapshot, or NULL: then what has failed is noted
 * @after: newer snapshot
 * @now_ms: monotonic time
 * @now_s: time in seconds since 1970
 */
void notices_note_changes(struct notices *notices, const struct snapshot *before,
			  const struct snapshot *after, uint64_t now_ms, int64_t now_s);

/**
 * notices_next() - What is to be told now.
 * @notices: notices
 * @now_ms: monotonic time
 * @ret_wait_ms: time until there is something, when there is nothing now;
 *	UINT32_MAX when nothing is to be told at all
 *
 * Return: an entry, which stays due until notices_told(); or NULL.
 */
struct notice_entry *notices_next(struct notices *notices, uint64_t now_ms, uint32_t *ret_wait_ms);

/**
 * notices_told() - The server has it, or will not take it.
 * @entry: entry
 * @count: how often it had happened when it was told
 * @now_ms: monotonic time
 */
void notices_told(struct notice_entry *entry, uint32_t count, uint64_t now_ms);
