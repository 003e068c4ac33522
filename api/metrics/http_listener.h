/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an HTTP server listens: the address as a person writes it, and the socket.
 *
 *	unix:/run/silica/metrics.sock    a unix socket; only its owner may connect
 *	127.0.0.1:9400, [::1]:9400       one address of the node
 *	:9400                            every address, IPv4 and IPv6
 *	tcp:...                          the same as without tcp:
 *
 * Names are not resolved: that could block, and an address is what is meant.
 *
 * Source: unix(7), ip(7), ipv6(7); unix_bind_bsd() in Linux net/unix/af_unix.c for
 * the mode of a socket
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/options.h"

#define HTTP_ADDRESS_TEXT_MAX 128 /* bytes with the NUL: "unix:" and a path of 107 */

struct http_address {
	struct sockaddr_storage socket;
	socklen_t len;
	bool any; /* every address of the node */
};

/* A listening socket. */
struct http_listener {
	int fd;				  /* -1 when there is none */
	char path[HTTP_ADDRESS_TEXT_MAX]; /* of a unix socket, else "" */
	dev_t dev;			  /* which file @path was when it was made */
	ino_t ino;
};

#define HTTP_LISTENER_NONE ((struct http_listener) { .fd = -1 })

/**
 * http_address_parse() - Read where to listen.
 * @text: NUL-terminated address
 * @ret: the address
 * @err: set on failure; says what is expected
 *
 * Return: 0, or
 *   -EINVAL        it is no address, or one of a name
 *   -ENAMETOOLONG  the path of a unix socket has more than 107 bytes
 */
int http_address_parse(const char *text, struct http_address *ret, struct error *err);

/**
 * http_option_set_address() - Take an address of a command line in; an option_fn.
 * @row: row
 * @field: const char *, set to @value, or to NULL for "none"
 * @value: value
 *
 * Return: 0, or -EINVAL when it is no address.
 */
int http_option_set_address(const struct option_row *row, void *field, const char *value);

/**
 * http_listener_open() - Listen.
 * @address: where
 * @ret: the listener, to be closed with http_listener_close()
 * @err: set on failure; names the address
 *
 * A unix socket gets mode 0600.  One that nobody listens to is replaced; its
 * folder must exist.  Port 0 lets the kernel choose one.
 *
 * Return: 0, or
 *   -EADDRINUSE  somebody listens there
 *   -EEXIST      the path is there and is no socket
 *   -errno       as socket(2), bind(2) and listen(2) leave it, -ENOENT when the
 *                folder of a unix socket is not there
 */
int http_listener_open(const struct http_address *address, struct http_listener *ret,
		       struct error *err);

/**
 * http_listener_close() - Stop listening.
 * @listener: listener, open or HTTP_LISTENER_NONE
 *
 * A unix socket is removed, unless another one has taken its place.
 */
void http_listener_close(struct http_listener *listener);

/**
 * http_listener_text() - Write where a listener listens.
 * @listener: open listener
 * @ret: the address as http_address_parse() takes it, with the port chosen
 *
 * Return: 0, or -errno as getsockname(2) leaves it.
 */
int http_listener_text(const struct http_listener *listener, char ret[HTTP_ADDRESS_TEXT_MAX]);
