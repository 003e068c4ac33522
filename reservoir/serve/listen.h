/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket that a server listens on.
 *
 * Source: ip(7), ipv6(7)
 */
#pragma once

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
 * listen_port() - The port of a socket.
 * @fd: socket that listens
 *
 * Return: port, or 0.
 */
uint16_t listen_port(int fd);
