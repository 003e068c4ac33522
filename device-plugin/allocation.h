/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers get for the units they were given: the answers to Allocate and
 * PreStartContainer.
 *
 * Source: behaviour of kubelets 1.26 to 1.36: IDs come unsorted and may be asked
 * for again, several containers may share a request
 */
#pragma once

#include <stddef.h>

#include "api/grpc/rpc.h"
#include "base/error.h"
#include "drivers/host.h"
#include "inventory/unit.h"

/**
 * allocation_allocate() - Answer an AllocateRequest.
 * @host: host whose device files are handed out
 * @set: units of the resource
 * @request: AllocateRequest of @len bytes
 * @len: length of @request
 * @ret_reply: AllocateResponse
 * @err: set on failure; names the unit and the reason
 *
 * Every unit is checked anew: that it is listed as healthy, that its device works
 * at this moment, and that each of its files is a character device.
 *
 * Context: any thread; blocks on sysfs and on fstatat(2).
 * Return: 0, or
 *   -EINVAL  malformed, empty, or a unit is not known
 *   -EIO     a unit is not healthy
 *   -E2BIG   the request passes a maximum
 *   -ENOMEM  no memory
 */
int allocation_allocate(const struct host *host, const struct unit_set *set, const uint8_t *request,
			size_t len, struct rpc_message *ret_reply, struct error *err);

/**
 * allocation_pre_start() - Answer a PreStartContainerRequest.
 * @host: host whose device files were handed out
 * @set: units of the resource
 * @request: PreStartContainerRequest of @len bytes
 * @len: length of @request
 * @ret_reply: PreStartContainerResponse
 * @err: set on failure; names the unit and the reason
 *
 * The units are checked as for Allocate.
 *
 * Context: any thread; blocks on sysfs and on fstatat(2).
 * Return: as allocation_allocate().
 */
int allocation_pre_start(const struct host *host, const struct unit_set *set,
			 const uint8_t *request, size_t len, struct rpc_message *ret_reply,
			 struct error *err);
