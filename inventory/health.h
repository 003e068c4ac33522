/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health with hysteresis: a device leaves and comes back only after enough
 * probes in a row agree.  Pure: no clock, no I/O.
 *
 * Source: the two thresholds are those of a Kubernetes container probe,
 * failureThreshold and successThreshold
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct health_policy {
	uint32_t unhealthy_after; /* bad probes in a row until unhealthy, >= 1 */
	uint32_t healthy_after;	  /* good probes in a row until healthy again, >= 1 */
};

struct health {
	bool healthy;
	uint32_t streak; /* probes in a row that spoke against @healthy */
};

/**
 * health_init() - The state after the first probe, which decides alone.
 * @good: result of the probe
 *
 * Return: the state.
 */
struct health health_init(bool good);

/**
 * health_step() - Take in the result of another probe.
 * @health: state to move on
 * @policy: how many probes it takes
 * @good: result of the probe
 *
 * Return: true if the device has just become healthy or unhealthy.
 */
bool health_step(struct health *health, const struct health_policy *policy, bool good);
