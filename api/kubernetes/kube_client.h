/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the API server, from a program's event loop.
 *
 * Nothing blocks: names are resolved by a thread of libcurl's, everything else is
 * an event of the loop.  Callbacks are called from the loop, never from within the
 * function that starts a request, and may start and free requests, their own
 * included.  Calls and watches must be freed before the client, and the client
 * before the loop.
 *
 * Certificates are verified, TLS is at least 1.2, redirects are not followed,
 * HTTP/2 is used when offered, connections are kept.  Files with a token, a
 * certificate or a key are read for every request, so what is rotated is used.
 *
 * Source: libcurl's curl_multi_socket_action(3) and curl_easy_setopt(3), 7.88;
 *	kubernetes.io/docs/reference/using-api/api-concepts
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/kubernetes/kube_answer.h"
#include "api/kubernetes/kube_config.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"

#define KUBE_TIMEOUT_MS 30000U		  /* of a request that names none */
#define KUBE_BODY_MAX (16U * 1024 * 1024) /* bytes of an answer, unpacked: ten times an object */

#define KUBE_MERGE_PATCH "application/merge-patch+json"
#define KUBE_JSON_PATCH "application/json-patch+json"
#define KUBE_APPLY_PATCH "application/apply-patch+yaml"
#define KUBE_STRATEGIC_PATCH "application/strategic-merge-patch+json"
#define KUBE_JSON "application/json"

struct kube_client;
struct kube_call;

struct kube_request {
	const char *method;	  /* GET, POST, PUT, PATCH or DELETE */
	const char *path;	  /* from the root, with the query; see kube_path.h */
	const char *content_type; /* of @body; NULL without one */
	const char *body;	  /* @body_len bytes, copied; NULL for none */
	size_t body_len;
	uint32_t timeout_ms; /* for everything from resolving on; 0 means KUBE_TIMEOUT_MS */
	size_t body_max;     /* bytes of the answer; 0 means KUBE_BODY_MAX */
};

/**
 * typedef kube_answer_fn - Called once, when a request is over.
 * @ctx: as given to kube_call_start()
 * @answer: what came of it; borrowed for the call
 *
 * The call stays the caller's, and may be freed in here.
 */
typedef void (*kube_answer_fn)(void *ctx, const struct kube_answer *answer);

/**
 * kube_client_new() - Make a client; no connection is made yet.
 * @loop: loop that will call; must outlive the client
 * @config: where the server is; copied
 * @user_agent: name and version of the program
 * @ret: the client, to be released with kube_client_free()
 * @err: set on failure
 *
 * From then on the process ignores SIGPIPE, unless it has a handler of its own.
 *
 * Return: 0, or
 *   -EINVAL      @config names no server that can be talked to
 *   -EOPNOTSUPP  the libcurl that was found lacks what is needed
 *   -ENOMEM      no memory
 *   -errno       as loop_add_timer() leaves it
 */
int kube_client_new(struct loop *loop, const struct kube_config *config, const char *user_agent,
		    struct kube_client **ret, struct error *err);

/**
 * kube_client_free() - Close the connections and release a client.
 * @client: client or NULL; its calls and watches must have been freed
 */
void kube_client_free(struct kube_client *client);
DEFINE_CLEANUP(struct kube_client, kube_client_free);

/**
 * kube_call_start() - Send a request.
 * @client: client
 * @request: what to ask; copied
 * @done: called once from the loop, unless the call is freed before
 * @ctx: passed to @done
 * @ret: the call, to be released with kube_call_free() before or after @done
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  method or path are none
 *   -ENOMEM  no memory
 *   -errno   of reading a file with a token, certificate or key; worth a retry
 */
int kube_call_start(struct kube_client *client, const struct kube_request *request,
		    kube_answer_fn done, void *ctx, struct kube_call **ret, struct error *err);

/**
 * kube_call_free() - Cancel a request that goes on, and release it.
 * @call: call or NULL
 */
void kube_call_free(struct kube_call *call);
DEFINE_CLEANUP(struct kube_call, kube_call_free);
