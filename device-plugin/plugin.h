/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program: one loop that keeps the inventory current and the resources
 * offered, until it is told to end.
 *
 * Source: signal(7) for what ends and what reads again
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "device-plugin/options.h"

/**
 * plugin_run() - Offer the node's devices until SIGTERM or SIGINT.
 * @options: command line
 * @err: set on failure
 *
 * The configuration is read again when it changes; one that is refused leaves the
 * one before in force.
 *
 * Return: 0 after a signal has ended it, or
 *   -EINVAL  the configuration is refused
 *   -errno   the configuration cannot be read, the host root cannot be opened, or the
 *            process lacks memory, descriptors or threads to start at all
 */
int plugin_run(const struct options *options, struct error *err);

/**
 * plugin_list() - List what would be offered, without a kubelet.
 * @options: command line
 * @out: appended to, a table; on a failure to look for devices those of the drivers
 *	that did not fail
 * @err: set on failure
 *
 * Return: as plugin_run(), or as inventory_rescan().
 */
int plugin_list(const struct options *options, struct strbuf *out, struct error *err);
