/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection, and the request that it is at.
 *
 * Source: microhttpd.h
 */
#pragma once

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "reservoir/serve/core.h"
#include "reservoir/serve/plan.h"

#define PEER_TARGET_LOGGED 513 /* bytes with the NUL; the rest is not logged */
#define PEER_FORMAT_MAX 64     /* bytes with the NUL; media types of indexes have 40 */

struct MHD_Connection;

struct peer {
	struct core *core;
	struct MHD_Connection *connection;
	struct peer *next, *before; /* in the server's list */
	int fd;
	struct limit_key address; /* of the other end */
	char address_text[INET6_ADDRSTRLEN];
	/* Since when it has not asked for anything, as clock_ns(); 0 while it is answered. */
	atomic_uint_fast64_t waiting_ns;

	/* Of the request; begins anew with each. */
	struct request request;
	bool begun;
	bool read;
	bool counts;
	uint64_t begun_ns;
	const char *method;
	const char *version;
	char target[PEER_TARGET_LOGGED];
	char format[PEER_FORMAT_MAX]; /* of the query, decoded */
	struct limit_key client;      /* whom the request is from: @address unless it is a proxy */
	struct limit_key counted;     /* whom limits count for @client */
	enum login login;	      /* _LOGIN_MAX: not known yet */
	uint32_t login_wait_ms;	      /* of LOGIN_SLOW after a sleep: too many were wrong */
	uint32_t user;
	char user_name[sizeof(((struct config_user *)0)->name)];
	struct picture *picture; /* referenced while the connection sleeps */
	struct job job;
	struct cache_wait wait;
	enum cache_waited waited; /* for the upstream of a cache */
	unsigned int status;
	unsigned int slot;
	uint64_t bytes;			   /* of the body, as far as they were sent */
	const struct ecosystem *ecosystem; /* of a package */
	char path[STORE_PATH_MAX];	   /* of a package */
};

/**
 * peer_address() - Read the address of a socket.
 * @from: address of IPv4 or IPv6
 * @ret: the address; IPv4 is mapped into IPv6
 */
void peer_address(const struct sockaddr *from, struct limit_key *ret);

/**
 * peer_new() - Make a peer of a connection.
 * @core: server
 * @connection: connection
 * @ret: the peer, to be released with free()
 *
 * Return: 0, or -ENOMEM.
 */
int peer_new(struct core *core, struct MHD_Connection *connection, struct peer **ret);

/**
 * peer_begin() - Begin a request.
 * @peer: peer
 * @target: target with its query
 */
void peer_begin(struct peer *peer, const char *target);

/**
 * peer_read() - Read the headers of a request.
 * @peer: peer
 * @target: target without its query; borrowed for the request
 * @method: method; borrowed for the request
 * @version: version of HTTP; borrowed for the request
 */
void peer_read(struct peer *peer, const char *target, const char *method, const char *version);

/**
 * peer_identify() - Say whom a request is from.
 * @peer: peer
 * @setup: whose proxies are believed
 */
void peer_identify(struct peer *peer, const struct setup *setup);

/**
 * peer_end() - End a request: it is counted and logged.
 * @peer: peer
 * @worker: of the calling thread, or NULL
 * @whole: the answer was sent to its end
 */
void peer_end(struct peer *peer, struct worker *worker, bool whole);
