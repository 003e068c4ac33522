/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to put on machines that install with apt.
 *
 * Source: sources.list(5), "DEB822-STYLE FORMAT"; apt_auth.conf(5)
 */
#pragma once

#include "reservoir/ecosystem.h"

/**
 * apt_client_config() - Write the files of a client.
 * @repository: repository
 * @manifest: what is served of it, or NULL: where the configuration names no suites, these are
 * @client: CLIENT_APT
 * @base: URL of the repository
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  another client
 *   -ENOENT  neither the configuration nor @manifest has a suite
 */
int apt_client_config(const struct repository *repository, const struct manifest *manifest,
		      enum client client, const char *base, struct strbuf *out, struct error *err);
