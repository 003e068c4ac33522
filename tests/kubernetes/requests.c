/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kube-requests KUBECONFIG - make the requests that standard input names, one per line:
 *
 *	call	METHOD PATH TIMEOUT_MS BODY_MAX CONTENT_TYPE BODY
 *	watch	PATH VERSION TIMEOUT_S SILENCE_S EVENT_MAX
 *	cancel
 *
 * Words are separated by tabs; "-" stands for none.  Instead of a file "pod:DIR" means
 * the service account in DIR, of a pod of which the environment knows the rest.  Each
 * answer, event and end is a line of JSON.  At the end of the input all that goes on is
 * cancelled, and the program ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_object.h"
#include "api/kubernetes/kube_watch.h"
#include "base/loop.h"
#include "base/macro.h"
#include "base/parse.h"

#define LINE_SIZE (256 * 1024)
#define WORDS 7
#define SLOTS 64 /* requests at a time */

struct slot {
	struct program *program;
	struct kube_call *call;
	struct kube_watch *watch;
};

struct program {
	struct loop *loop;
	struct kube_client *client;
	struct slot slots[SLOTS];
	char line[LINE_SIZE];
	size_t len;
};

static const char *const outcomes[_KUBE_OUTCOME_MAX] = {
	[KUBE_OK] = "ok",
	[KUBE_RETRY] = "retry",
	[KUBE_CONFLICT] = "conflict",
	[KUBE_GONE] = "gone",
	[KUBE_UNAUTHORIZED] = "unauthorized",
	[KUBE_FORBIDDEN] = "forbidden",
	[KUBE_NOT_FOUND] = "not found",
	[KUBE_UNSUPPORTED] = "unsupported",
	[KUBE_REFUSED] = "refused",
};

static const char *const events[_KUBE_EVENT_TYPE_MAX] = {
	[KUBE_EVENT_ADDED] = "ADDED",
	[KUBE_EVENT_MODIFIED] = "MODIFIED",
	[KUBE_EVENT_DELETED] = "DELETED",
	[KUBE_EVENT_BOOKMARK] = "BOOKMARK",
};

static void print(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);

	printf("%s\n", text ? text : "{\"kind\":\"failed\",\"error\":\"no text\"}");
	fflush(stdout);
	free(text);
	json_decref(json);
}

static void print_answer(const char *kind, const struct kube_answer *answer)
{
	/* A body that is no text is only counted. */
	json_t *body = json_stringn(answer->body, answer->len);

	print(json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:o}", "kind", kind, "outcome",
			outcomes[kube_answer_outcome(answer)], "status", answer->status,
			"retryAfterMs", (json_int_t)answer->retry_after_ms, "length",
			(json_int_t)answer->len, "error", answer->err.msg, "body",
			body ? body : json_null()));
}

static void print_failure(const char *error)
{
	print(json_pack("{s:s, s:s}", "kind", "failed", "error", error));
}

static void on_answer(void *ctx, const struct kube_answer *answer)
{
	struct slot *slot = ctx;

	print_answer("answer", answer);
	kube_call_free(TAKE_PTR(slot->call));
}

static void on_event(void *ctx _unused_, enum kube_event_type type, const struct json_t *object)
{
	const char *name = kube_object_name(object);
	const char *version = kube_object_resource_version(object);
	const char *label = kube_object_get(object, KUBE_LABELS, "test");

	print(json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "kind", "event", "type", events[type],
			"name", name, "version", version, "label", label));
}

static void on_end(void *ctx, const struct kube_answer *answer)
{
	struct slot *slot = ctx;

	print_answer("end", answer);
	kube_watch_free(TAKE_PTR(slot->watch));
}

static struct slot *free_slot(struct program *program)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (!program->slots[i].call && !program->slots[i].watch)
			return &program->slots[i];
	return NULL;
}

static const char *text(const char *word)
{
	return strcmp(word, "-") == 0 ? NULL : word;
}

static uint32_t number(const char *word)
{
	uint32_t value = 0;

	if (text(word) && parse_u32(word, UINT32_MAX, &value) < 0)
		print_failure("no number");
	return value;
}

static int start_call(struct program *program, struct slot *slot, char *const *words,
		      struct error *err)
{
	const char *body = text(words[6]);
	struct kube_request request = {
		.method = words[1],
		.path = words[2],
		.timeout_ms = number(words[3]),
		.body_max = number(words[4]),
		.content_type = text(words[5]),
		.body = body,
		.body_len = body ? strlen(body) : 0,
	};

	return kube_call_start(program->client, &request, on_answer, slot, &slot->call, err);
}

static int start_watch(struct program *program, struct slot *slot, char *const *words,
		       struct error *err)
{
	struct kube_watch_callbacks callbacks = { .event = on_event, .end = on_end, .ctx = slot };
	struct kube_watch_request request = {
		.path = words[1],
		.resource_version = text(words[2]),
		.timeout_s = number(words[3]),
		.silence_s = number(words[4]),
		.event_max = number(words[5]),
	};

	return kube_watch_start(program->client, &request, &callbacks, &slot->watch, err);
}

static int cancel(struct program *program, struct slot *slot _unused_, char *const *words _unused_,
		  struct error *err _unused_)
{
	for (size_t i = 0; i < SLOTS; i++) {
		kube_call_free(TAKE_PTR(program->slots[i].call));
		kube_watch_free(TAKE_PTR(program->slots[i].watch));
	}
	return 0;
}

static const struct command {
	const char *name;
	size_t words;
	int (*run)(struct program *program, struct slot *slot, char *const *words,
		   struct error *err);
} commands[] = {
	{ "call", 7, start_call },
	{ "watch", 6, start_watch },
	{ "cancel", 1, cancel },
};

static void run_line(struct program *program, char *line)
{
	struct slot *slot = free_slot(program);
	struct error err = { 0 };
	char *words[WORDS];
	size_t n = 0;

	for (char *at = line; at && n < WORDS;) {
		char *tab = n + 1 < WORDS ? strchr(at, '\t') : NULL;

		words[n++] = at;
		at = tab ? tab + 1 : NULL;
		if (tab)
			*tab = '\0';
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(words[0], commands[i].name) != 0 || n != commands[i].words || !slot)
			continue;
		if (commands[i].run(program, slot, words, &err) < 0)
			print_failure(err.msg);
		return;
	}
	print_failure("no such command");
}

static void on_input(void *ctx, int fd)
{
	struct program *program = ctx;
	ssize_t n = read(fd, program->line + program->len, LINE_SIZE - 1 - program->len);
	char *newline;

	if (n <= 0) {
		loop_stop(program->loop);
		return;
	}
	program->len += (size_t)n;
	program->line[program->len] = '\0';
	for (newline = strchr(program->line, '\n'); newline;
	     newline = strchr(program->line, '\n')) {
		*newline = '\0';
		run_line(program, program->line);
		program->len -= (size_t)(newline + 1 - program->line);
		memmove(program->line, newline + 1, program->len + 1);
	}
}

static int load(const char *where, struct kube_config *ret, struct error *err)
{
	const char *dir = str_starts_with(where, "pod:");
	const struct kube_pod pod = {
		.host = getenv("KUBERNETES_SERVICE_HOST"),
		.port = getenv("KUBERNETES_SERVICE_PORT"),
		.dir = dir,
	};

	return dir ? kube_config_from_pod(&pod, ret, err) : kube_config_load(where, ret, err);
}

static int run(const char *where, struct program *program, struct error *err)
{
	_cleanup_kube_config_ struct kube_config config = { 0 };
	_cleanup_(loop_freep) struct loop *loop = NULL;
	_cleanup_(kube_client_freep) struct kube_client *client = NULL;
	_cleanup_(loop_source_freep) struct loop_source *input = NULL;
	int r = load(where, &config, err);

	if (r == 0)
		r = loop_new(&loop, err);
	if (r == 0)
		r = kube_client_new(loop, &config, "kube-requests/" SILICA_VERSION, &client, err);
	program->loop = loop;
	program->client = client;
	if (r == 0)
		r = loop_add_fd(loop, STDIN_FILENO, on_input, program, &input, err);
	if (r == 0)
		r = loop_run(loop, err);
	(void)cancel(program, NULL, NULL, NULL);
	return r;
}

int main(int argc, char **argv)
{
	static struct program program;
	struct error err = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: kube-requests KUBECONFIG|pod:DIR\n");
		return 2;
	}
	if (run(argv[1], &program, &err) < 0) {
		print_failure(err.msg);
		return 1;
	}
	return 0;
}
