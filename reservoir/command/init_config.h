/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration that `init` writes: comments that show what can be said, and
 * what the machine's own configuration says.
 *
 * Source: the rows of reservoir/config
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

#define INIT_CONFIG_MAX ((size_t)256 * 1024) /* a machine has a handful of sources */

/**
 * init_config_write() - Write a configuration.
 * @host_root: directory that stands for the machine's /, whose sources become
 *   repositories; NULL for none
 * @key: absolute path of the secret key that bundles are signed with, or NULL
 * @out: initialised with INIT_CONFIG_MAX; appended to
 * @err: set on failure
 *
 * What is written has gone through reservoir_config_parse().
 *
 * Return: 0, or
 *   -ENOENT  the machine has no source that is understood
 *   -EINVAL  what the machine's configuration says cannot be a repository
 *   negative errno of the system
 */
int init_config_write(const char *host_root, const char *key, struct strbuf *out,
		      struct error *err);
