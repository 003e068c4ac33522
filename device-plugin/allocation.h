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
#include <stdint.h>

#include "api/grpc/rpc.h"
#include "base/error.h"
#include "device-plugin/claims.h"
#include "drivers/host.h"
#include "inventory/unit.h"
#include "policy/terms.h"

/* What requests are answered from; everything is borrowed. */
struct allocation {
	const struct host *host;
	const struct unit_set *set; /* units of the resource */
	const struct terms *terms;
	struct claims *claims; /* of the whole node */
};

/**
 * allocation_allocate() - Answer an AllocateRequest.
 * @allocation: units and terms of the resource
 * @request: AllocateRequest of @len bytes
 * @len: length of @request
 * @ret_reply: AllocateResponse
 * @err: set on failure; names the unit and the reason
 *
 * Every unit is checked anew: that it is listed as healthy, that its device works
 * at this moment, that each of its files is a character device, and that nobody
 * holds a unit of another resource that overlaps it.
 *
 * Context: any thread; blocks on sysfs and on fstatat(2).
 * Return: 0, or
 *   -EINVAL  malformed, empty, a unit is not known, or too many shares
 *   -EIO     a unit is not healthy
 *   -EBUSY   a unit overlaps one that somebody holds
 *   -E2BIG   the request passes a maximum
 *   -ENOMEM  no memory
 */
int allocation_allocate(const struct allocation *allocation, const uint8_t *request, size_t len,
			struct rpc_message *ret_reply, struct error *err);

/**
 * allocation_pre_start() - Answer a PreStartContainerRequest.
 * @allocation: units and terms of the resource
 * @request: PreStartContainerRequest of @len bytes
 * @len: length of @request
 * @ret_reply: PreStartContainerResponse
 * @err: set on failure; names the unit and the reason
 *
 * The units are checked as for Allocate, but for claims.
 *
 * Context: any thread; blocks on sysfs and on fstatat(2).
 * Return: as allocation_allocate().
 */
int allocation_pre_start(const struct allocation *allocation, const uint8_t *request, size_t len,
			 struct rpc_message *ret_reply, struct error *err);
