/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `client-config` prints: where this server is, and what each ecosystem says of
 * its clients.
 *
 * Source: RFC 3986; the formats are those of the ecosystems
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "reservoir/command/settings.h"
#include "reservoir/config/config.h"

#define CLIENT_CONFIG_MAX ((size_t)1024 * 1024) /* of 256 repositories */

/**
 * client_config_base() - Where clients find the server, from what it listens on.
 * @serve: configuration
 * @host: name of this machine, for a server that listens on all addresses
 * @ret: buffer of @size bytes; URL without a '/' at the end
 * @size: size of @ret
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL        the port is chosen when the server starts
 *   -ENAMETOOLONG  the URL does not fit
 */
int client_config_base(const struct config_serve *serve, const char *host, char *ret, size_t size,
		       struct error *err);

/**
 * client_config_write() - Write what to put on a client.
 * @settings: command line; its word is the client
 * @config: configuration
 * @out: initialised with CLIENT_CONFIG_MAX; appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE, COMMAND_MISUSED for an unknown client, or
 *   -EINVAL  the base URL is none
 *   -ENOENT  there is no such repository
 *   negative errno of the ecosystem
 */
int client_config_write(const struct settings *settings, const struct reservoir_config *config,
			struct strbuf *out, struct error *err);
