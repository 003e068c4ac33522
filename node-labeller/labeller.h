/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: one loop that keeps what is known of the node's devices published, until
 * it is told to end.
 *
 * Source: signal(7) for what ends and what reads again
 */
#pragma once

#include "base/error.h"
#include "node-labeller/options.h"

/**
 * labeller_run() - Publish until SIGTERM or SIGINT; with --once, once.
 * @options: command line
 * @err: set on failure
 *
 * A configuration that is refused leaves the one before in force; without one before
 * nothing is published until there is one.
 *
 * Return: 0, or
 *   -EINVAL  the API server's place or the node's name is not known or not usable; with
 *            --once, also that the configuration is refused
 *   -errno   the host root cannot be opened, or the process lacks memory or descriptors
 *            to start at all; with --once, also what kept it from publishing
 */
int labeller_run(const struct options *options, struct error *err);
