/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A catalog that offers the node of request.h in a directory of the plugin watcher,
 * with everything that a catalog needs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "device-plugin/catalog.h"
#include "device-plugin/telemetry.h"
#include "tests/unit/device-plugin/request.h"

#define OFFERING_SOCKETS_MAX 8
#define OFFERING_NAME_MAX 128 /* bytes with the NUL of the path of a socket */

struct offering {
	struct request_fixture *request;
	struct loop *loop;
	struct loop_source *give_up;
	struct loop_source *look;
	struct rpc *rpc; /* NULL once it has stopped */
	char dir[32];	 /* of the sockets */
	struct telemetry *telemetry;
	struct catalog *catalog;
	bool (*done)(void *ctx); /* what offering_await() waits for */
	void *ctx;
};

/**
 * offering_setup() - Make a catalog without resources; a cmocka setup function.
 * @state: set to the struct offering
 *
 * Return: 0, or -1.
 */
int offering_setup(void **state);

/**
 * offering_teardown() - Release it all; a cmocka teardown function.
 * @state: the struct offering
 *
 * Return: 0, or -1.
 */
int offering_teardown(void **state);

/**
 * offering_stop() - Stop the catalog and free the rpc, for what must outlive them.
 * @offering: offering; only offering_teardown() may follow
 */
void offering_stop(struct offering *offering);

/**
 * offering_apply() - Bring the catalog in line with an offer of whole cards.
 * @offering: offering
 * @names: names of resources with spaces between them, or ""; each has all cards
 * @terms: of all resources, or NULL for device files; a CDI kind is made of the name
 */
void offering_apply(struct offering *offering, const char *names, const struct terms *terms);

/**
 * offering_await() - Run the loop until something is so; looked at now and then.
 * @offering: offering
 * @done: tells whether it is so; fails the test if it never is
 * @ctx: passed to @done
 */
void offering_await(struct offering *offering, bool (*done)(void *ctx), void *ctx);

/**
 * offering_sockets() - List the sockets that there are, in order.
 * @offering: offering
 * @paths: their paths
 *
 * Return: how many.
 */
size_t offering_sockets(const struct offering *offering,
			char paths[OFFERING_SOCKETS_MAX][OFFERING_NAME_MAX]);

/**
 * offering_watch() - Watch a resource as a kubelet does that has found its socket.
 * @offering: offering with one resource
 *
 * Returns when the resource knows; the stream is left alone, and open until the rpc
 * is freed.
 */
void offering_watch(struct offering *offering);
