/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "api/kubernetes/kube_answer.h"
#include "base/strbuf.h"

static void sorts_answers(void **state)
{
	static const struct {
		int status;
		int error;
		bool json_patch;
		enum kube_outcome outcome;
	} cases[] = {
		{ 200, 0, false, KUBE_OK },	      { 201, 0, false, KUBE_OK },
		{ 204, 0, false, KUBE_OK },	      { 0, ECONNREFUSED, false, KUBE_RETRY },
		{ 0, ETIMEDOUT, false, KUBE_RETRY },  { 0, EKEYREJECTED, false, KUBE_RETRY },
		{ 0, EFBIG, false, KUBE_REFUSED },    { 408, 0, false, KUBE_RETRY },
		{ 429, 0, false, KUBE_RETRY },	      { 500, 0, false, KUBE_RETRY },
		{ 503, 0, false, KUBE_RETRY },	      { 599, 0, false, KUBE_RETRY },
		{ 409, 0, false, KUBE_CONFLICT },     { 422, 0, true, KUBE_CONFLICT },
		{ 422, 0, false, KUBE_REFUSED },      { 410, 0, false, KUBE_GONE },
		{ 401, 0, false, KUBE_UNAUTHORIZED }, { 403, 0, false, KUBE_FORBIDDEN },
		{ 404, 0, false, KUBE_NOT_FOUND },    { 415, 0, false, KUBE_UNSUPPORTED },
		{ 400, 0, false, KUBE_REFUSED },      { 302, 0, false, KUBE_REFUSED },
		{ 101, 0, false, KUBE_REFUSED },      { 418, 0, true, KUBE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kube_answer answer = {
			.status = cases[i].status,
			.json_patch = cases[i].json_patch,
			.err.code = cases[i].error,
		};

		assert_int_equal(kube_answer_outcome(&answer), cases[i].outcome);
	}
}

#define STATUS(message) "{\"kind\":\"Status\",\"message\":\"" message "\"}"
#define ALLOW(verb, resource) \
	"; allow it by a rule of RBAC with the verb '" verb "' on the resource '" resource "'"
#define CANNOT(verb) "nodes n is forbidden: User u cannot " verb " resource nodes"
#define ABSENT "; the object is not there, or no longer, and an apply would create it"

static void explains_answers(void **state)
{
	static const struct {
		int status;
		const char *body;
		struct kube_question question;
		const char *text;
	} cases[] = {
		{ 404,
		  STATUS("nodes \\\"n\\\" not found"),
		  { "GET", "/api/v1/nodes/n" },
		  "404 Not Found: nodes \"n\" not found" },
		{ 404, "", { "GET", "/" }, "404 Not Found" },
		{ 404, "<html>", { "GET", "/" }, "404 Not Found" },
		{ 404, "{\"kind\":\"Node\",\"message\":\"x\"}", { "GET", "/" }, "404 Not Found" },
		{ 500, STATUS("a\\nb\\u0007c"), { "GET", "/" }, "500: a b c" },
		{ 401,
		  "",
		  { "GET", "/" },
		  "401 Unauthorized; the token or certificate is not, or no longer, known to the "
		  "server" },
		{ 403, "", { "GET", "/api/v1/nodes/n" }, "403 Forbidden" ALLOW("get", "nodes") },
		{ 403,
		  STATUS("no"),
		  { "GET", "/api/v1/nodes" },
		  "403 Forbidden: no" ALLOW("list", "nodes") },
		{ 403,
		  "",
		  { "GET", "/api/v1/nodes?a=b&watch=1" },
		  "403 Forbidden" ALLOW("watch", "nodes") },
		{ 403,
		  "",
		  { "PATCH", "/api/v1/nodes/n/status?fieldManager=x" },
		  "403 Forbidden" ALLOW("patch", "nodes/status") },
		{ 403,
		  "",
		  { "POST", "/api/v1/namespaces/default/events" },
		  "403 Forbidden" ALLOW("create", "events") },
		{ 403,
		  "",
		  { "PATCH", "/api/v1/namespaces/default/events/e" },
		  "403 Forbidden" ALLOW("patch", "events") },
		{ 403,
		  "",
		  { "GET", "/api/v1/namespaces/default" },
		  "403 Forbidden" ALLOW("get", "namespaces") },
		{ 403,
		  "",
		  { "DELETE", "/apis/apps/v1/namespaces/a/daemonsets/b" },
		  "403 Forbidden" ALLOW("delete", "daemonsets") },
		{ 403,
		  "",
		  { "PUT", "/apis/nfd/v1/things/b" },
		  "403 Forbidden" ALLOW("update", "things") },
		{ 403, STATUS("no"), { "GET", "/version" }, "403 Forbidden: no" },
		{ 403,
		  STATUS(CANNOT("patch")),
		  { "PATCH", "/api/v1/nodes/n" },
		  "403 Forbidden: " CANNOT("patch") ALLOW("patch", "nodes") },
		{ 403,
		  STATUS(CANNOT("create")),
		  { "PATCH", "/api/v1/nodes/n" },
		  "403 Forbidden: " CANNOT("create") ABSENT },
		{ 403,
		  STATUS(CANNOT("create")),
		  { "POST", "/api/v1/nodes" },
		  "403 Forbidden: " CANNOT("create") ALLOW("create", "nodes") },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kube_answer answer = {
			.status = cases[i].status,
			.body = cases[i].body,
			.len = strlen(cases[i].body),
		};

		kube_answer_explain(&answer, &cases[i].question);
		assert_string_equal(answer.err.msg, cases[i].text);
		assert_int_not_equal(answer.err.code, 0);
	}
}

/* Names are as long as they like, and what is behind them counts. */
static void explains_long_messages(void **state)
{
	static const struct {
		const char *end; /* of the message */
		const char *advice;
	} cases[] = {
		{ "", ALLOW("patch", "nodes/status") },
		{ " cannot create resource", ABSENT },
	};
	const struct kube_question question = { "PATCH", "/api/v1/nodes/n/status" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strbuf_ struct strbuf body = STRBUF_INIT(4096);
		struct kube_answer answer = { .status = 403 };

		strbuf_puts(&body, "{\"kind\":\"Status\",\"message\":\"");
		for (size_t j = 0; j < 3000; j++)
			strbuf_puts(&body, "x");
		strbuf_printf(&body, "%s\"}", cases[i].end);
		answer.body = strbuf_str(&body);
		answer.len = body.len;
		kube_answer_explain(&answer, &question);
		assert_non_null(strstr(answer.err.msg, "xxx"));
		assert_string_equal(strstr(answer.err.msg, "; "), cases[i].advice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_answers),
		cmocka_unit_test(explains_answers),
		cmocka_unit_test(explains_long_messages),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_answer", tests, NULL, NULL);
}
