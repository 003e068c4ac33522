/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine's own apt is configured with, as repositories of a configuration.
 *
 * Source: sources.list(5)
 */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

/**
 * apt_from_host() - Write the repositories that the sources of a machine name.
 * @host_root: root of the machine, as in "/" or "/host"
 * @out: items of YAML, appended; nothing when it has no apt
 * @err: set on failure
 *
 * Read are etc/apt/sources.list and etc/apt/sources.list.d; what is not understood is
 * told in a comment.
 *
 * Return: 0, or
 *   -EFBIG   a file is too long, or there are too many sources
 *   -ENOMEM  no memory
 *   negative errno of the system
 */
int apt_from_host(const char *host_root, struct strbuf *out, struct error *err);
