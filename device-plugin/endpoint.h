/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way of one resource to the kubelet: a socket that serves the resource, and
 * its registration.
 *
 * The decisions are those of lifecycle.h; here they are carried out.  All
 * functions belong to the loop's thread; what happens on gRPC's thread is noted
 * in the listener and taken up by the loop.
 *
 * Source: k8s.io/kubelet pkg/apis/deviceplugin/v1beta1, service Registration
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/grpc/server.h"
#include "base/cleanup.h"
#include "base/loop.h"
#include "device-plugin/lifecycle.h"

struct endpoint;

struct endpoint_setup {
	struct loop *loop;
	struct rpc *rpc;
	enum lifecycle_path path;
	const char *dir;      /* in which the plugin's socket is made; borrowed */
	const char *resource; /* its name; borrowed */
	/* Handles a unary method of the kubelet.  Context: gRPC's thread. */
	int (*handle)(void *ctx, const char *method, const uint8_t *request, size_t len,
		      struct rpc_message *ret_reply, struct error *err);
	/* Gives the current ListAndWatchResponse.  Context: the loop's thread. */
	int (*encode)(void *ctx, struct rpc_message *ret);
	/* Told how a call of Register has ended.  Context: the loop's thread. */
	void (*registered)(void *ctx, enum lifecycle_path path, bool accepted);
	void *ctx; /* of the three functions; must outlive the endpoint */
};

/**
 * endpoint_new() - Make an endpoint that waits for a kubelet.
 * @setup: copied
 * @ret: the endpoint, to be released with endpoint_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or -errno as timerfd_create(2) leaves it.
 */
int endpoint_new(const struct endpoint_setup *setup, struct endpoint **ret, struct error *err);

/**
 * endpoint_stop() - End the streams with a status and unlink the socket.
 * @endpoint: endpoint; only endpoint_free() may follow
 */
void endpoint_stop(struct endpoint *endpoint);

/**
 * endpoint_is_idle() - Whether nothing refers to a stopped endpoint any more.
 * @endpoint: stopped endpoint
 *
 * Return: true once it can be freed while the rpc goes on.
 */
bool endpoint_is_idle(struct endpoint *endpoint);

/**
 * endpoint_is_watched() - Whether the kubelet's ListAndWatch is open.
 * @endpoint: endpoint
 *
 * Return: true as long as the kubelet hears of changes.
 */
bool endpoint_is_watched(const struct endpoint *endpoint);

/**
 * endpoint_socket() - Where an endpoint serves.
 * @endpoint: endpoint
 *
 * Return: path of its socket, borrowed until the loop goes on; NULL when there is none.
 */
const char *endpoint_socket(const struct endpoint *endpoint);

/**
 * endpoint_free() - Release an endpoint.
 * @endpoint: stopped endpoint or NULL; it must be idle, or the rpc have been freed,
 *	so that nothing on its thread refers to the endpoint any more
 */
void endpoint_free(struct endpoint *endpoint);
DEFINE_CLEANUP(struct endpoint, endpoint_free);

/**
 * endpoint_publish() - Send the current list of devices to the kubelet.
 * @endpoint: endpoint
 */
void endpoint_publish(struct endpoint *endpoint);

/**
 * endpoint_dir_event() - Take note of a change in the endpoint's directory.
 * @endpoint: endpoint
 * @name: name of the entry that changed
 * @mask: inotify event bits
 */
void endpoint_dir_event(struct endpoint *endpoint, const char *name, uint32_t mask);

/**
 * endpoint_check() - Look whether the sockets are still what they were.
 * @endpoint: endpoint
 *
 * For the start, and from time to time in case an event was lost.
 */
void endpoint_check(struct endpoint *endpoint);
