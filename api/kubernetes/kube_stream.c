/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_stream.h"

#include <stdint.h>
#include <string.h>

#include "api/kubernetes/json.h"
#include "base/macro.h"

void kube_stream_init(struct kube_stream *stream, size_t event_max)
{
	/* The bounds are kept by kube_stream_add(). */
	*stream = (struct kube_stream) {
		.buf = STRBUF_INIT(SIZE_MAX / 4),
		.event_max = event_max,
	};
}

void kube_stream_done(struct kube_stream *stream)
{
	strbuf_done(&stream->buf);
}

/* Counts the lines that end in @data; gives -EFBIG when one is too long. */
static int count_lines(struct kube_stream *stream, const char *data, size_t len, size_t *ret_tail)
{
	size_t tail = stream->tail;
	size_t n = 0;

	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline ? (size_t)(newline - data) : len;

		if (part > stream->event_max || tail > stream->event_max - part)
			return -EFBIG;
		tail = newline ? 0 : tail + part;
		n += newline != NULL;
		part += newline != NULL;
		data += part;
		len -= part;
	}
	stream->n_lines += n;
	*ret_tail = tail;
	return 0;
}

/* Moves what is left to the front. */
static void compact(struct kube_stream *stream)
{
	struct strbuf *buf = &stream->buf;

	if (stream->start == 0)
		return;
	memmove(buf->data, buf->data + stream->start, buf->len - stream->start + 1);
	buf->len -= stream->start;
	stream->start = 0;
}

int kube_stream_add(struct kube_stream *stream, const char *data, size_t len)
{
	size_t tail = 0;
	int r;

	if (stream->n_lines > 0 && stream->buf.len - stream->start + len > stream->event_max)
		return -EAGAIN;
	r = count_lines(stream, data, len, &tail);
	if (r < 0)
		return r;
	compact(stream);
	strbuf_add(&stream->buf, data, len);
	stream->tail = tail;
	return strbuf_error(&stream->buf);
}

static const char *const type_names[_KUBE_EVENT_TYPE_MAX] = {
	[KUBE_EVENT_ADDED] = "ADDED",
	[KUBE_EVENT_MODIFIED] = "MODIFIED",
	[KUBE_EVENT_DELETED] = "DELETED",
	[KUBE_EVENT_BOOKMARK] = "BOOKMARK",
};

static int read_type(const char *text, struct kube_stream_event *ret)
{
	ret->error = text && strcmp(text, "ERROR") == 0;
	for (size_t i = 0; text && i < ARRAY_SIZE(type_names); i++) {
		if (strcmp(type_names[i], text) == 0) {
			ret->type = (enum kube_event_type)i;
			return 0;
		}
	}
	return ret->error ? 0 : -EBADMSG;
}

static int read_event(const char *line, size_t len, struct kube_stream_event *ret,
		      struct error *err)
{
	_cleanup_(kube_object_freep) struct json_t *document = NULL;
	struct kube_stream_event event = { 0 };
	int r = kube_object_parse(line, len, &document, err);

	if (r < 0)
		return error_wrap(err, r, "an event of a watch");
	event.object = json_object_get(document, "object");
	if (read_type(json_text(json_object_get(document, "type")), &event) < 0 ||
	    !json_is_object(event.object))
		return error_set(err, EBADMSG, "an event of a watch without a type or an object");
	event.document = TAKE_PTR(document);
	*ret = event;
	return 1;
}

static bool is_blank(const char *line, size_t len)
{
	return len == 0 || (len == 1 && line[0] == '\r');
}

int kube_stream_next(struct kube_stream *stream, struct kube_stream_event *ret, struct error *err)
{
	while (stream->n_lines > 0) {
		const char *line = stream->buf.data + stream->start;
		const char *newline = memchr(line, '\n', stream->buf.len - stream->start);
		size_t len = (size_t)(newline - line);

		stream->start += len + 1;
		stream->n_lines--;
		if (!is_blank(line, len))
			return read_event(line, len, ret, err);
	}
	return 0;
}
