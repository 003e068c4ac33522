/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The next request that brings a Node nearer to what it shall be.  No I/O.
 *
 *	node as read, picture ---plan_next()---> a request, or nothing left to do
 *
 * Labels and annotations come first: what else is kept on the node may be forbidden
 * without harm to them.  Each answer is the node anew, and the next plan is made of it.
 *
 * Source: kubernetes.io/docs/reference/using-api/server-side-apply
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/kubernetes/kube_client.h"
#include "api/kubernetes/kube_node.h"
#include "api/kubernetes/kube_path.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "node-labeller/picture.h"

#define PLAN_MANAGER "silica-node-labeller" /* field manager */

/* On a server that does not remember what is ours: "key,key,@annotation". */
#define PLAN_OWNED_ANNOTATION "silica.dev/owned"

enum plan_step {
	PLAN_NOTHING,
	PLAN_MAPS, /* labels and annotations */
	PLAN_TAINTS,
	PLAN_CONDITION,
	_PLAN_STEP_MAX,
};

struct plan_input {
	const char *name;	       /* of the node */
	const struct json_t *node;     /* as read, with its managed fields */
	const struct picture *picture; /* what shall be on it */
	bool merge;		       /* the server knows no server-side apply */
	unsigned int skip;	       /* bits 1 << enum plan_step of what is not to be tried now */
	int64_t now_s;		       /* seconds since 1970 */
};

struct plan {
	enum plan_step step;
	struct strbuf path;
	const char *content_type;
	char *body; /* owned; NULL with PLAN_NOTHING */
};
#define PLAN_INIT                                  \
	{                                          \
		.path = STRBUF_INIT(KUBE_PATH_MAX) \
	}

/**
 * plan_next() - Make the next request.
 * @input: what is and what shall be
 * @ret: PLAN_INIT; released with plan_done()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL   the name is none of a node, or a text is not UTF-8
 *   -EBADMSG  the node is none
 *   -EFBIG    too many taints
 *   -ENOMEM   no memory
 */
int plan_next(const struct plan_input *input, struct plan *ret, struct error *err);

/**
 * plan_step_name() - The word for a step, for messages.
 * @step: step
 *
 * Return: as in "labels"; static.
 */
const char *plan_step_name(enum plan_step step);

/**
 * plan_is_marked() - Whether something on a node is Silica's.
 * @node: node as read
 *
 * Return: true if there are labels, annotations, taints or a condition of ours.
 */
bool plan_is_marked(const struct json_t *node);

/**
 * plan_done() - Release a plan.
 * @plan: PLAN_INIT, made or not
 */
void plan_done(struct plan *plan);
#define _cleanup_plan_ _cleanup_(plan_done)
