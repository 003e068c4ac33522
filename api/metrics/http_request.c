/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head is read anew from its first byte whenever bytes have come: it is
 * short, and so no state has to be kept in step with a buffer.
 */
#include "api/metrics/http_request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"

enum {
	STATUS_BAD_REQUEST = 400,
	STATUS_METHOD_NOT_ALLOWED = 405,
	STATUS_CONTENT_TOO_LARGE = 413,
	STATUS_URI_TOO_LONG = 414,
	STATUS_FIELDS_TOO_LARGE = 431,
	STATUS_NOT_IMPLEMENTED = 501,
	STATUS_VERSION_NOT_SUPPORTED = 505,
};

/* Some bytes of the head. */
struct span {
	const char *at;
	size_t len;
};

/* What the fields have said so far. */
struct fields {
	unsigned int n_hosts;
	unsigned int n_lengths;
	unsigned int n_codings;
	bool has_body;
	bool is_chunked;
	bool close;
	bool keep_alive;
};

/* RFC 9110, 9.3, and RFC 5789; any other is unknown here. */
static const struct {
	const char *name;
	int status;
	bool head_only;
} methods[] = {
	{ "GET", HTTP_OK, false },
	{ "HEAD", HTTP_OK, true },
	{ "POST", STATUS_METHOD_NOT_ALLOWED, false },
	{ "PUT", STATUS_METHOD_NOT_ALLOWED, false },
	{ "DELETE", STATUS_METHOD_NOT_ALLOWED, false },
	{ "CONNECT", STATUS_METHOD_NOT_ALLOWED, false },
	{ "OPTIONS", STATUS_METHOD_NOT_ALLOWED, false },
	{ "TRACE", STATUS_METHOD_NOT_ALLOWED, false },
	{ "PATCH", STATUS_METHOD_NOT_ALLOWED, false },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110, 5.6.2: tchar. */
static bool is_token_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct span span)
{
	for (size_t i = 0; i < span.len; i++)
		if (!is_token_char(span.at[i]))
			return false;
	return span.len > 0;
}

static bool span_equals(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static bool span_is_word(struct span span, const char *text)
{
	return span.len == strlen(text) && strncasecmp(span.at, text, span.len) == 0;
}

/* Cuts @rest at the first @end: what is before it is returned, and if there is
 * none everything is. */
static struct span cut(struct span *rest, char end)
{
	const char *at = rest->len > 0 ? memchr(rest->at, end, rest->len) : NULL;
	struct span part = { .at = rest->at, .len = at ? (size_t)(at - rest->at) : rest->len };

	rest->at += at ? part.len + 1 : part.len;
	rest->len -= at ? part.len + 1 : part.len;
	return part;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
	for (; span.len > 0 && is_blank(span.at[0]); span.len--)
		span.at++;
	while (span.len > 0 && is_blank(span.at[span.len - 1]))
		span.len--;
	return span;
}

/* Takes the next line, without its end.  Returns HTTP_OK, HTTP_MORE or 400. */
static int next_line(struct span *rest, struct span *ret)
{
	const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
	struct span line = *rest;

	if (!end)
		return HTTP_MORE;
	line.len = (size_t)(end - rest->at);
	if (line.len == 0 || line.at[line.len - 1] != '\r')
		return STATUS_BAD_REQUEST;
	line.len--;
	/* A CR alone, and a NUL, have been used to make two readers disagree. */
	if (memchr(line.at, '\r', line.len) || memchr(line.at, '\0', line.len))
		return STATUS_BAD_REQUEST;
	rest->len -= (size_t)(end + 1 - rest->at);
	rest->at = end + 1;
	*ret = line;
	return HTTP_OK;
}

static int parse_method(struct span method, struct http_request *ret)
{
	if (!is_token(method))
		return STATUS_BAD_REQUEST;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!span_equals(method, methods[i].name))
			continue;
		ret->head_only = methods[i].head_only;
		return methods[i].status;
	}
	return STATUS_NOT_IMPLEMENTED;
}

/* RFC 9112, 2.3. */
static int parse_version(struct span version, struct http_request *ret)
{
	if (version.len != strlen("HTTP/1.1") || memcmp(version.at, "HTTP/", 5) != 0 ||
	    !is_digit(version.at[5]) || version.at[6] != '.' || !is_digit(version.at[7]))
		return STATUS_BAD_REQUEST;
	if (version.at[5] != '1')
		return STATUS_VERSION_NOT_SUPPORTED;
	ret->is_1_0 = version.at[7] == '0';
	return HTTP_OK;
}

/* RFC 9112, 3.2.2: a server must take "http://host/path" for "/path". */
static struct span without_authority(struct span target)
{
	static const char scheme[] = "http://";
	const size_t scheme_len = sizeof(scheme) - 1;
	const char *slash;

	if (target.len < scheme_len || strncasecmp(target.at, scheme, scheme_len) != 0)
		return target;
	target.at += scheme_len;
	target.len -= scheme_len;
	slash = target.len > 0 ? memchr(target.at, '/', target.len) : NULL;
	if (!slash)
		return (struct span) { .at = "/", .len = 1 };
	target.len -= (size_t)(slash - target.at);
	target.at = slash;
	return target;
}

static int parse_target(struct span target, struct http_request *ret)
{
	struct span path;

	for (size_t i = 0; i < target.len; i++)
		if (target.at[i] <= ' ' || target.at[i] > '~')
			return STATUS_BAD_REQUEST;
	target = without_authority(target);
	if (target.len == 0 || target.at[0] != '/')
		return STATUS_BAD_REQUEST;
	path = cut(&target, '?');
	if (path.len >= sizeof(ret->path))
		path.len = 0;
	memcpy(ret->path, path.at, path.len);
	ret->path[path.len] = '\0';
	return HTTP_OK;
}

/* RFC 9112, 3: method SP request-target SP HTTP-version. */
static int parse_request_line(struct span line, struct http_request *ret)
{
	struct span method = cut(&line, ' ');
	struct span target = cut(&line, ' ');
	int status = parse_version(line, ret);
	int method_status = parse_method(method, ret);

	if (method_status == STATUS_BAD_REQUEST)
		return STATUS_BAD_REQUEST;
	if (status != HTTP_OK)
		return status;
	if (method_status != HTTP_OK)
		return method_status;
	return parse_target(target, ret);
}

/* RFC 3986, 3.2.2: what a host and a port are made of.  It is not looked at
 * further: every name leads here. */
static int take_host(struct fields *fields, struct span value)
{
	fields->n_hosts++;
	for (size_t i = 0; i < value.len; i++)
		if (!is_token_char(value.at[i]) && !strchr("()[]:;,=", value.at[i]))
			return STATUS_BAD_REQUEST;
	return HTTP_OK;
}

static int take_length(struct fields *fields, struct span value)
{
	fields->n_lengths++;
	for (size_t i = 0; i < value.len; i++) {
		if (!is_digit(value.at[i]))
			return STATUS_BAD_REQUEST;
		fields->has_body = fields->has_body || value.at[i] != '0';
	}
	return value.len > 0 ? HTTP_OK : STATUS_BAD_REQUEST;
}

static int take_coding(struct fields *fields, struct span value)
{
	fields->n_codings++;
	fields->is_chunked = span_is_word(value, "chunked");
	return HTTP_OK;
}

static int take_connection(struct fields *fields, struct span value)
{
	while (value.len > 0) {
		struct span option = trim(cut(&value, ','));

		fields->close = fields->close || span_is_word(option, "close");
		fields->keep_alive = fields->keep_alive || span_is_word(option, "keep-alive");
	}
	return HTTP_OK;
}

/* The fields that matter; all others are read over. */
static const struct {
	const char *name;
	int (*take)(struct fields *fields, struct span value);
} known_fields[] = {
	{ "Host", take_host },
	{ "Content-Length", take_length },
	{ "Transfer-Encoding", take_coding },
	{ "Connection", take_connection },
};

/* RFC 9110, 5.5: no controls but the tab. */
static bool is_field_value(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.at[i] < ' ' && value.at[i] != '\t') ||
		    value.at[i] == 0x7f)
			return false;
	return true;
}

/* RFC 9112, 5: name ":" value.  No space is before the colon, and a line that
 * begins with one would continue the line before. */
static int parse_field(struct fields *fields, struct span line)
{
	bool has_colon = memchr(line.at, ':', line.len) != NULL;
	struct span name = cut(&line, ':');
	struct span value = trim(line);

	if (!has_colon || !is_token(name) || !is_field_value(value))
		return STATUS_BAD_REQUEST;
	for (size_t i = 0; i < ARRAY_SIZE(known_fields); i++)
		if (span_is_word(name, known_fields[i].name))
			return known_fields[i].take(fields, value);
	return HTTP_OK;
}

/* RFC 9112, 3.2 for Host, 6.1 and 6.3 for the body. */
static int check_fields(const struct fields *fields, const struct http_request *request)
{
	if (fields->n_hosts > 1 || (fields->n_hosts == 0 && !request->is_1_0))
		return STATUS_BAD_REQUEST;
	if (fields->n_lengths > 1 || fields->n_codings > 1)
		return STATUS_BAD_REQUEST;
	if (fields->n_codings > 0 && (fields->n_lengths > 0 || request->is_1_0))
		return STATUS_BAD_REQUEST;
	if (fields->n_codings > 0)
		return fields->is_chunked ? STATUS_CONTENT_TOO_LARGE : STATUS_NOT_IMPLEMENTED;
	return fields->has_body ? STATUS_CONTENT_TOO_LARGE : HTTP_OK;
}

static int parse_fields(struct span *rest, struct fields *fields)
{
	for (unsigned int n = 0;; n++) {
		struct span line;
		int status = next_line(rest, &line);

		if (status != HTTP_OK)
			return status;
		if (line.len == 0)
			return HTTP_OK;
		if (n >= HTTP_FIELDS_MAX)
			return STATUS_FIELDS_TOO_LARGE;
		status = parse_field(fields, line);
		if (status != HTTP_OK)
			return status;
	}
}

/* Takes the first line.  RFC 9112, 2.2: an empty one before it is read over. */
static int first_line(struct span *rest, struct span *ret)
{
	int status = next_line(rest, ret);

	if (status == HTTP_OK && ret->len == 0)
		status = next_line(rest, ret);
	return status;
}

/* Whether the first byte can begin a request; the hello of TLS cannot. */
static bool begins_well(const char *data, size_t len)
{
	return len == 0 || data[0] == '\r' || is_token_char(data[0]);
}

int http_request_parse(const char *data, size_t len, struct http_request *ret)
{
	struct span rest = { .at = data, .len = len };
	struct fields fields = { 0 };
	struct span line;
	int status;

	*ret = (struct http_request) { 0 };
	if (!begins_well(data, len))
		return STATUS_BAD_REQUEST;
	status = first_line(&rest, &line);
	if (status == HTTP_MORE && len >= HTTP_HEAD_MAX)
		return STATUS_URI_TOO_LONG;
	if (status != HTTP_OK)
		return status;
	status = parse_request_line(line, ret);
	if (status != HTTP_OK)
		return status;
	status = parse_fields(&rest, &fields);
	if (status == HTTP_MORE && len >= HTTP_HEAD_MAX)
		return STATUS_FIELDS_TOO_LARGE;
	if (status != HTTP_OK)
		return status;
	status = check_fields(&fields, ret);
	if (status != HTTP_OK)
		return status;
	ret->keep_alive = !fields.close && (!ret->is_1_0 || fields.keep_alive);
	ret->len = len - rest.len;
	return HTTP_OK;
}
