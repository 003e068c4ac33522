/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which units a container should be given: the answer to GetPreferredAllocation.
 *
 * Source: behaviour of kubelets 1.26 to 1.36: an error fails the pod, fewer or
 * more IDs than asked for make the kubelet choose at random
 */
#pragma once

#include <stddef.h>

#include "api/grpc/rpc.h"
#include "base/error.h"
#include "inventory/preferred.h"
#include "inventory/unit.h"

/**
 * preference_answer() - Answer a PreferredAllocationRequest.
 * @set: units of the resource
 * @policy: what the choice is to be good for
 * @request: PreferredAllocationRequest of @len bytes
 * @len: length of @request
 * @ret_reply: PreferredAllocationResponse; for each container as many different
 *	IDs as it asked for, or all there are if these are fewer
 * @err: set on failure
 *
 * IDs that are not known are no failure: a preference must not fail a pod.
 *
 * Context: any thread.
 * Return: 0, or
 *   -EINVAL  malformed
 *   -E2BIG   the request passes a maximum
 *   -ENOMEM  no memory
 */
int preference_answer(const struct unit_set *set, enum preferred_policy policy,
		      const uint8_t *request, size_t len, struct rpc_message *ret_reply,
		      struct error *err);
