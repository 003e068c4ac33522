/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_answer.h"

#include <stdio.h>
#include <string.h>

#include "api/kubernetes/json.h"
#include "api/kubernetes/kube_object.h"
#include "base/macro.h"
#include "base/parse.h"

#define MESSAGE_SIZE 260 /* bytes with the NUL that are shown of a message: half of an error */
#define RESOURCE_SIZE 80 /* bytes with the NUL of a resource with its subresource */

static const struct {
	int status;
	enum kube_outcome outcome;
	const char *name;
	const char *advice; /* "" when the server's words are enough */
} statuses[] = {
	{ 400, KUBE_REFUSED, "Bad Request", "" },
	{ 401, KUBE_UNAUTHORIZED, "Unauthorized",
	  "the token or certificate is not, or no longer, known to the server" },
	{ 403, KUBE_FORBIDDEN, "Forbidden", "" },
	{ 404, KUBE_NOT_FOUND, "Not Found", "" },
	{ 408, KUBE_RETRY, "Request Timeout", "" },
	{ 409, KUBE_CONFLICT, "Conflict", "" },
	{ 410, KUBE_GONE, "Gone", "" },
	{ 415, KUBE_UNSUPPORTED, "Unsupported Media Type", "" },
	{ 422, KUBE_REFUSED, "Unprocessable Entity", "" },
	{ 429, KUBE_RETRY, "Too Many Requests", "" },
};

enum kube_outcome kube_answer_outcome(const struct kube_answer *answer)
{
	int status = answer->status;

	/* A body that is too long today will be so tomorrow. */
	if (status == 0)
		return answer->err.code == EFBIG ? KUBE_REFUSED : KUBE_RETRY;
	if (status == 422 && answer->json_patch)
		return KUBE_CONFLICT;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].outcome;
	if (status >= 500)
		return KUBE_RETRY;
	return status >= 200 && status < 300 ? KUBE_OK : KUBE_REFUSED;
}

/* One line of printable ASCII, cut: it is for a person. */
static void show(char *buf, size_t size, const char *text)
{
	size_t len = MIN(strlen(text), size - 1);

	memcpy(buf, text, len);
	buf[len] = '\0';
	for (char *p = buf; *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = ' ';
}

/* The server's own words, when the body is a Status; borrowed from @ret_status. */
static const char *read_message(const struct kube_answer *answer, struct json_t **ret_status)
{
	const char *kind, *message;

	if (!answer->body || kube_object_parse(answer->body, answer->len, ret_status, NULL) < 0)
		return "";
	kind = json_text(json_object_get(*ret_status, "kind"));
	message = json_text(json_object_get(*ret_status, "message"));
	return kind && strcmp(kind, "Status") == 0 && message ? message : "";
}

/* The verb of RBAC that a method needs; a GET of a collection is a list or a watch. */
static const char *verb_of(const struct kube_question *question, bool named)
{
	static const char *const verbs[][2] = {
		{ "POST", "create" },
		{ "PUT", "update" },
		{ "PATCH", "patch" },
		{ "DELETE", "delete" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(question->method, verbs[i][0]) == 0)
			return verbs[i][1];
	if (strstr(question->path, "watch=1"))
		return "watch";
	return named ? "get" : "list";
}

/* One segment of a path; gives what is behind it. */
static const char *segment(const char *path, int *ret_len)
{
	path += *path == '/';
	*ret_len = (int)strcspn(path, "/?");
	return path;
}

static bool is_segment(const char *path, int len, const char *name)
{
	return (size_t)len == strlen(name) && strncmp(path, name, (size_t)len) == 0;
}

/* Takes resource, and subresource, out of /api/v1/... or /apis/GROUP/VERSION/... */
static bool read_resource(const char *path, char *buf, size_t size, bool *ret_named)
{
	const char *parts[8] = { 0 };
	int lens[8] = { 0 };
	size_t n = 0, at;

	while (n < ARRAY_SIZE(parts)) {
		path = segment(path, &lens[n]);
		if (lens[n] == 0)
			break;
		parts[n] = path;
		path += lens[n++];
	}
	at = n > 0 && is_segment(parts[0], lens[0], "apis") ? 3 : 2;
	if (n > at + 2 && is_segment(parts[at], lens[at], "namespaces"))
		at += 2;
	if (n <= at)
		return false;
	*ret_named = n > at + 1;
	if (n > at + 2)
		return snprintf(buf, size, "%.*s/%.*s", lens[at], parts[at], lens[at + 2],
				parts[at + 2]) < (int)size;
	return snprintf(buf, size, "%.*s", lens[at], parts[at]) < (int)size;
}

/* An apply creates what is not there, which needs a verb that a patch does not. */
static bool would_create(const struct kube_question *question, const char *words)
{
	return strcmp(question->method, "PATCH") == 0 && strstr(words, " cannot create ");
}

/* @words are all that the server says, and @message what is shown of them. */
static void explain_forbidden(struct kube_answer *answer, const struct kube_question *question,
			      const char *words, const char *message)
{
	char resource[RESOURCE_SIZE];
	bool named;

	if (would_create(question, words)) {
		error_set(&answer->err, EACCES,
			  "403 Forbidden: %s; the object is not there, or no longer, and an apply "
			  "would create it",
			  message);
		return;
	}
	if (!read_resource(question->path, resource, sizeof(resource), &named)) {
		error_set(&answer->err, EACCES, "403 Forbidden: %s", message);
		return;
	}
	error_set(&answer->err, EACCES,
		  "403 Forbidden%s%s; allow it by a rule of RBAC with the verb '%s' on the "
		  "resource '%s'",
		  *message ? ": " : "", message, verb_of(question, named), resource);
}

void kube_answer_explain(struct kube_answer *answer, const struct kube_question *question)
{
	_cleanup_(kube_object_freep) struct json_t *status = NULL;
	const char *name = "", *advice = "", *words;
	char message[MESSAGE_SIZE];

	words = read_message(answer, &status);
	show(message, sizeof(message), words);
	if (answer->status == 403) {
		explain_forbidden(answer, question, words, message);
		return;
	}
	if (answer->status >= 300 && answer->status < 400)
		advice =
			"redirects are not followed: the server's URL is not that of an API server";
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		if (statuses[i].status == answer->status) {
			name = statuses[i].name;
			advice = statuses[i].advice;
		}
	}
	error_set(&answer->err, EPROTO, "%d%s%s%s%s%s%s", answer->status, *name ? " " : "", name,
		  *message ? ": " : "", message, *advice ? "; " : "", advice);
}
