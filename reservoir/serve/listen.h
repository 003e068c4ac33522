/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket that a server listens on.
 *
 * Source: ip(7), ipv6(7), socket(7) SO_ATTACH_FILTER, tcp(7) TCP_INFO
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/**
 * listen_open() - Listen on an address.
 * @where: "ADDRESS:PORT", "[ADDRESS]:PORT"; port 0 for any that is free
 * @err: set on failure
 *
 * Return: file descriptor, or
 *   -EINVAL  that is no numeric address and port
 *   negative errno of the system
 */
int listen_open(const char *where, struct error *err);

/**
 * listen_refuse() - Let no new connection into the queue of a socket; what is there, or
 *   shakes hands, can still be accepted.  Others try again a second later, as when a
 *   segment is lost, and find whoever listens then.
 * @fd: socket that listens
 *
 * Return: 0, or negative errno of the system.
 */
int listen_refuse(int fd);

/**
 * listen_has_waiting() - Whether a connection waits to be accepted.
 * @fd: socket that listens
 *
 * Return: true if so.
 */
bool listen_has_waiting(int fd);

/**
 * listen_port() - The port of a socket.
 * @fd: socket that listens
 *
 * Return: port, or 0.
 */
uint16_t listen_port(int fd);
