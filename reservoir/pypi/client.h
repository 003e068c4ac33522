/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients of a Python package index are configured with, here and elsewhere.
 *
 * Source: pip's documentation, "Configuration"; uv's documentation, "Package indexes"
 */
#pragma once

#include "reservoir/ecosystem.h"

/**
 * pypi_client_config() - Say what to put on a client.
 * @repository: repository
 * @manifest: what is served of it, or NULL; not looked at
 * @client: CLIENT_PIP or CLIENT_UV
 * @base: URL of the repository, without a slash at its end
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, or -EINVAL for another client.
 */
int pypi_client_config(const struct repository *repository, const struct manifest *manifest,
		       enum client client, const char *base, struct strbuf *out, struct error *err);

/**
 * pypi_from_host() - Write the repositories that a machine's pip and uv are configured with.
 * @host_root: what stands for the machine's "/"
 * @out: appended to
 * @err: set on failure
 *
 * The environment counts too when @host_root is "/".
 *
 * Return: 0, also when there are none; or negative errno of the system.
 */
int pypi_from_host(const char *host_root, struct strbuf *out, struct error *err);
