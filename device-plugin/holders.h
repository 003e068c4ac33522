/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the kubelet from time to time who holds which device, and keeps the claims
 * in step with it.
 *
 * Source: Kubernetes pkg/kubelet/apis/grpc/ratelimit.go for how often that may be
 */
#pragma once

#include <stdbool.h>

#include "api/grpc/rpc.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/loop.h"
#include "device-plugin/claims.h"
#include "device-plugin/telemetry.h"
#include "inventory/snapshot.h"

struct holders;

struct holders_setup {
	struct loop *loop;
	struct rpc *rpc;
	const char *kubelet_dir;     /* borrowed */
	struct claims *claims;	     /* borrowed */
	struct telemetry *telemetry; /* borrowed; NULL counts nothing */
	/* Called when the claims have changed, and then, or without that, when a question
	 * has had its answer or has failed.  Context: the loop's thread. */
	void (*changed)(void *ctx);
	void (*answered)(void *ctx);
	void *ctx;
};

/**
 * holders_new() - Begin to ask.
 * @setup: copied
 * @ret: to be released with holders_free()
 * @err: set on failure
 *
 * Return: 0, or -ENAMETOOLONG, or -ENOMEM, or -errno of the event loop.
 */
int holders_new(const struct holders_setup *setup, struct holders **ret, struct error *err);

/**
 * holders_free() - Stop to ask.
 * @holders: holders or NULL
 */
void holders_free(struct holders *holders);
DEFINE_CLEANUP(struct holders, holders_free);

/**
 * holders_track() - Say how current the answer has to be.
 * @holders: holders
 * @overlap: units can overlap, so every change counts; else it is enough to know
 *	of units of an earlier configuration that pods still hold
 */
void holders_track(struct holders *holders, bool overlap);

/**
 * holders_ask_soon() - Ask in a moment; further calls are merged.
 * @holders: holders
 *
 * Context: the loop's thread.
 */
void holders_ask_soon(struct holders *holders);

/**
 * holders_ask() - Ask now.
 * @holders: holders
 *
 * Context: the loop's thread.
 * Return: true if `answered` will be called; false if the question cannot be asked.
 */
bool holders_ask(struct holders *holders);
