/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl explain: which devices a container would get, and why a device is
 * offered or not.
 *
 * Source: Kubernetes device plugin API v1beta1, GetPreferredAllocation
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/settings.h"

#define EXPLAIN_REQUEST_MAX 65536 /* devices: of a node, as a kubelet may have them */

/**
 * explain_run() - Do what `silicactl explain` does.
 * @settings: command line; its words are "allocate RESOURCE=N" or "device ID"
 * @out: appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE, COMMAND_FAILED if the request cannot be met or there is no
 *   such device, COMMAND_MISUSED, or as view_open().
 */
int explain_run(const struct settings *settings, struct strbuf *out, struct error *err);
