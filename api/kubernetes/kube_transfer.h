/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request under way: what calls and watches have in common.
 *
 * libcurl must not be called from within its own callbacks, and whoever is called
 * back may free anything.  So the body that arrives is only put away, and everybody
 * else is called once libcurl has returned.
 *
 * Source: libcurl's curl_easy_setopt(3), curl_multi_socket_action(3), CURLOPT_QUICK_EXIT(3)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "api/kubernetes/kube_answer.h"
#include "api/kubernetes/kube_client.h"
#include "base/error.h"
#include "base/loop.h"

struct kube_transfer;

struct kube_transfer_ops {
	/* Puts bytes away: 0, -EAGAIN to be given them again after ready(), or -errno to fail.
	 * Called by libcurl: neither it nor this folder may be called from here. */
	int (*body)(void *ctx, const char *data, size_t len, struct error *err);
	/* Bytes were put away.  May free the transfer. */
	void (*ready)(void *ctx);
	/* It is over; the answer has no body.  May free the transfer. */
	void (*done)(void *ctx, struct kube_answer *answer);
};

/**
 * kube_transfer_start() - Send a request.
 * @client: client
 * @request: what to ask; copied
 * @packed: the answer may come compressed
 * @ops: whom to call; borrowed for the life of the transfer
 * @ctx: passed to @ops
 * @ret: the transfer, to be released with kube_transfer_free()
 * @err: set on failure
 *
 * Return: 0, or as kube_call_start().
 */
int kube_transfer_start(struct kube_client *client, const struct kube_request *request, bool packed,
			const struct kube_transfer_ops *ops, void *ctx, struct kube_transfer **ret,
			struct error *err);

/**
 * kube_transfer_free() - Cancel a transfer that goes on, and release it.
 * @transfer: transfer or NULL
 */
void kube_transfer_free(struct kube_transfer *transfer);
DEFINE_CLEANUP(struct kube_transfer, kube_transfer_free);

/**
 * kube_transfer_resume() - Go on after bytes were not taken.
 * @transfer: transfer
 */
void kube_transfer_resume(struct kube_transfer *transfer);

/**
 * kube_transfer_status() - The status of the answer whose body arrives.
 * @transfer: transfer
 *
 * Return: status of HTTP, 0 when there is none yet.
 */
int kube_transfer_status(const struct kube_transfer *transfer);

/**
 * kube_transfer_question() - What was asked.
 * @transfer: transfer
 *
 * Return: method and path; borrowed.
 */
const struct kube_question *kube_transfer_question(const struct kube_transfer *transfer);

/**
 * kube_transfer_locate() - Put in front of an error what was asked, and of whom.
 * @transfer: transfer
 * @answer: its answer
 */
void kube_transfer_locate(const struct kube_transfer *transfer, struct kube_answer *answer);

/**
 * kube_client_loop() - The loop of a client.
 * @client: client
 *
 * Return: loop; borrowed.
 */
struct loop *kube_client_loop(const struct kube_client *client);
