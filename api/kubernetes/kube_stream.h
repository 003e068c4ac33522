/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer of a watch, cut into events.  No I/O.
 *
 * Source: kubernetes.io/docs/reference/using-api/api-concepts, "Efficient detection of
 *	changes": a JSON document per line
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/kubernetes/kube_object.h"
#include "api/kubernetes/kube_watch.h"
#include "base/error.h"
#include "base/strbuf.h"

struct kube_stream {
	struct strbuf buf;
	size_t start;	/* of what was not given out yet */
	size_t tail;	/* bytes of the last line, which has no end yet */
	size_t n_lines; /* whole lines from @start on */
	size_t event_max;
};

struct kube_stream_event {
	bool error; /* the object is a Status, and nothing comes behind it */
	enum kube_event_type type;
	struct json_t *document; /* to be released with kube_object_free() */
	struct json_t *object;	 /* borrowed from @document */
};

/**
 * kube_stream_init() - Begin a stream.
 * @stream: to be released with kube_stream_done()
 * @event_max: bytes of the longest line
 */
void kube_stream_init(struct kube_stream *stream, size_t event_max);

/**
 * kube_stream_done() - Release what a stream holds.
 * @stream: stream, or all zero
 */
void kube_stream_done(struct kube_stream *stream);

/**
 * kube_stream_add() - Take bytes that have arrived.
 * @stream: stream
 * @data: @len bytes
 * @len: number of bytes
 *
 * Return: 0, or
 *   -EAGAIN  nothing was taken: there are events to take out first
 *   -EFBIG   a line is longer than the maximum
 *   -ENOMEM  no memory
 */
int kube_stream_add(struct kube_stream *stream, const char *data, size_t len);

/**
 * kube_stream_next() - Take out an event.
 * @stream: stream
 * @ret: the event
 * @err: set on failure
 *
 * Return: 1, or 0 when there is no whole event, or
 *   -EBADMSG  what a line says is no event
 *   -ENOMEM   no memory
 */
int kube_stream_next(struct kube_stream *stream, struct kube_stream_event *ret, struct error *err);
