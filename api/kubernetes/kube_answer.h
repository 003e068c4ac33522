/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came of a request to the API server, and what to do next.  No I/O.
 *
 * Source: "HTTP Status codes" and "Response Status Kind" of Kubernetes' API conventions
 *	(github.com/kubernetes/community, contributors/devel/sig-architecture); RFC 9110 section 15;
 *	kubernetes/kubernetes, staging/src/k8s.io/apiserver, pkg/endpoints/handlers/update.go
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define KUBE_RETRY_AFTER_MAX_MS (10U * 60 * 1000) /* a server that wants more is asked earlier */

enum kube_outcome {
	KUBE_OK,	   /* 2xx; of a watch: the server has ended it in order */
	KUBE_RETRY,	   /* no answer, 408, 429, 5xx: the same again, after a while */
	KUBE_CONFLICT,	   /* 409, or a JSON Patch whose test failed: read, then try anew */
	KUBE_GONE,	   /* 410: the resource version is too old; read, then watch anew */
	KUBE_UNAUTHORIZED, /* 401: the token has run out; it is read anew for every request */
	KUBE_FORBIDDEN,	   /* 403: a rule of RBAC is missing */
	KUBE_NOT_FOUND,	   /* 404 */
	KUBE_UNSUPPORTED,  /* 415: the server does not know this kind of patch */
	KUBE_REFUSED,	   /* anything else: the same again would be refused again */
	_KUBE_OUTCOME_MAX,
};

struct kube_answer {
	int status;	  /* of HTTP; 0 when no whole answer came */
	const char *body; /* NUL-terminated, "" when there is none; borrowed for the callback */
	size_t len;	  /* bytes of @body without the NUL */
	uint32_t retry_after_ms; /* how long the server asks to wait, 0 when it does not say */
	bool json_patch;	 /* the request was a JSON Patch, whose test fails with 422 */
	struct error err;	 /* why it is not KUBE_OK, as one line for a person */
};

/* What an answer is the answer to. */
struct kube_question {
	const char *method;
	const char *path;
};

/**
 * kube_answer_outcome() - Sort an answer by what is to be done next.
 * @answer: answer
 *
 * Return: outcome.
 */
enum kube_outcome kube_answer_outcome(const struct kube_answer *answer);

/**
 * kube_answer_explain() - Say why a request was not done.
 * @answer: answer with a status that is no 2xx; its err is set
 * @question: what was asked
 *
 * The text has the server's own words, if its body is a Status, and says for the
 * well-known failures what to do; for a 403 which verb and resource are missing, unless
 * it is an apply that would create what is not there.
 */
void kube_answer_explain(struct kube_answer *answer, const struct kube_question *question);
