/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds which unit, as far as the plugin has to know: so that units which
 * overlap are not handed out together.
 *
 * A claim begins with Allocate, which knows no pod, and is confirmed when the
 * kubelet lists the unit under a pod; one that the kubelet does not list is
 * dropped after a while, and one that it no longer lists at once.  As long as the
 * kubelet cannot be asked every claim stays: rather a unit too few than one twice.
 *
 * Source: Kubernetes pkg/kubelet/cm/devicemanager: a unit is in the list of
 * PodResources as soon as Allocate has returned, and there is no call that ends it
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "device-plugin/edits.h"
#include "inventory/unit.h"

struct claims;

/**
 * claims_new() - Make an empty ledger.
 * @changed: called with @ctx after Allocate has added a claim, on its thread, while
 *	units can overlap
 * @ctx: passed to @changed
 *
 * Return: the ledger, to be released with claims_free(), or NULL without memory.
 */
struct claims *claims_new(void (*changed)(void *ctx), void *ctx);

/**
 * claims_free() - Release a ledger.
 * @claims: ledger or NULL
 */
void claims_free(struct claims *claims);
DEFINE_CLEANUP(struct claims, claims_free);

/**
 * claims_track() - Say whether units can overlap.
 * @claims: ledger
 * @track: whether what Allocate adds is compared with what is there, and others have
 *	to hear of it at once; else claims are only kept for the configuration that
 *	comes next
 *
 * Context: any thread.
 */
void claims_track(struct claims *claims, bool track);

/**
 * claims_take() - Claim units for a container, unless they overlap others.
 * @claims: ledger
 * @set: units of the resource
 * @chosen: units of the container
 * @err: set on failure; names the holder
 *
 * Nothing is claimed on failure.
 *
 * Context: any thread.
 * Return: 0, or
 *   -EBUSY   one overlaps a unit that somebody holds
 *   -ENOMEM  no memory, or more than UNIT_CLAIMS_MAX claims
 */
int claims_take(struct claims *claims, const struct unit_set *set, const struct chosen *chosen,
		struct error *err);

/**
 * claims_confirm() - Take over what the kubelet lists.
 * @claims: ledger
 * @held: array of @n claims that the kubelet knows
 * @n: number of claims
 * @now_ms: monotonic time in milliseconds, when the kubelet has answered
 *
 * Context: any thread.
 * Return: 1 if the ledger has changed, 0 if not, or -ENOMEM; it then stays.
 */
int claims_confirm(struct claims *claims, const struct unit_claim *held, size_t n, uint64_t now_ms);

/**
 * claims_are_known() - Whether the kubelet has ever told who holds what.
 * @claims: ledger
 *
 * Context: any thread.
 * Return: true after the first claims_confirm().
 */
bool claims_are_known(struct claims *claims);

/**
 * claims_copy() - The claims at this moment.
 * @claims: ledger
 * @ret: array of claims, to be released with free()
 *
 * Context: any thread.
 * Return: number of claims, or -ENOMEM.
 */
ssize_t claims_copy(struct claims *claims, struct unit_claim **ret);
