/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: answers apt, pip, uv and browsers from a store that it only reads.
 *
 * Threads of libmicrohttpd answer, each with connections of its own.  The thread that
 * made the server calls server_tick() about every second and when the store changed;
 * it alone makes pictures, reloads and saves.
 *
 * Source: microhttpd.h 0.9.75
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reservoir/config/config.h"
#include "reservoir/store/store.h"

struct server;

struct server_options {
	struct store *store; /* borrowed */
	const char *dir;     /* directory of the store */
	const char *listen;  /* ADDRESS:PORT in place of the configuration's, or NULL */
};

/**
 * server_new() - Start a server.
 * @options: where to serve what; @dir and @listen are copied
 * @config: configuration; taken over, and all-zero afterwards, when 0 is returned
 * @ret: the server, to be released with server_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL      a value of the configuration is refused
 *   -EADDRINUSE  another process listens there
 *   negative errno of the system
 */
int server_new(const struct server_options *options, struct reservoir_config *config,
	       struct server **ret, struct error *err);

/**
 * server_free() - Stop at once, and release a server.
 * @server: server or NULL
 */
void server_free(struct server *server);
DEFINE_CLEANUP(struct server, server_free);

/**
 * server_port() - Which port it listens on.
 * @server: server
 *
 * Return: port.
 */
uint16_t server_port(const struct server *server);

/**
 * server_reload() - Go on with another configuration.
 * @server: server
 * @config: configuration; taken over, and all-zero afterwards, when 0 is returned
 * @err: set on failure
 *
 * The address, threads, connections and files of `serve` stay as they were.
 *
 * Return: 0, or -EINVAL or -ENOMEM; then the old one holds.
 */
int server_reload(struct server *server, struct reservoir_config *config, struct error *err);

/**
 * server_tick() - See to what changes by itself: the store, certificates, connections
 *   that take too long, and statistics that are to be saved.
 * @server: server
 */
void server_tick(struct server *server);

/**
 * server_look() - See whether another generation was published.
 * @server: server
 */
void server_look(struct server *server);

/**
 * server_drain() - Say that it is not ready any more.
 * @server: server
 *
 * Return: milliseconds that server_close() is to wait, for those who ask /readyz.
 */
uint32_t server_drain(struct server *server);

/**
 * server_close() - Take no more connections; those there end after their answer.
 * @server: server
 *
 * Connections that the system has taken already are answered, too: so the socket is closed a
 * moment later, by one of the next calls of server_tick().
 */
void server_close(struct server *server);

/**
 * server_is_idle() - Whether no connection is left, and none can come.
 * @server: server that was closed
 *
 * Return: true if so.
 */
bool server_is_idle(const struct server *server);
