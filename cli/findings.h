/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remarkable about who holds what: from facts to sentences with advice.
 * Pure: no I/O, no clock.
 *
 * Source: that a device is idle when its average use over a window is below a
 * threshold is how Backend.AI's manual describes its idle checks
 */
#pragma once

#include <stddef.h>

#include "api/kubelet/podresources.h"
#include "base/arena.h"
#include "base/error.h"
#include "cli/holdings.h"
#include "inventory/unit.h"

#define FINDINGS_MAX 256 /* that are told; a person reads no more of them */

enum finding_severity {
	FINDING_INFO,	 /* as it should be */
	FINDING_WARNING, /* something waits, or is wasted */
	FINDING_ERROR,	 /* a container does not have what it was given */
	_FINDING_SEVERITY_MAX,
};

enum finding_kind {
	FINDING_HELD_TWICE,	/* one device, two containers */
	FINDING_HELD_OVERLAP,	/* two devices, one part of the hardware */
	FINDING_HELD_UNHEALTHY, /* or gone */
	FINDING_HELD_UNOFFERED, /* the resource is offered, without this device */
	FINDING_HELD_ELSEWHERE, /* the device is known, but not under this resource */
	FINDING_HELD_IDLE,
	FINDING_UNHEALTHY,	 /* whoever holds it */
	FINDING_NOT_LISTED,	 /* the kubelet has nothing of a resource */
	FINDING_MISSING,	 /* healthy here, but not to the kubelet */
	FINDING_SURPLUS,	 /* the kubelet has what is not offered */
	FINDING_STALE,		 /* healthy to the kubelet, but not here */
	FINDING_NO_PODRESOURCES, /* nothing is known of who holds what */
	FINDING_FREE,
	_FINDING_KIND_MAX,
};

struct finding {
	enum finding_kind kind;
	const char *message; /* in the arena; foreign text is in it as it is */
};

/* How busy a device was. */
struct load {
	const struct device_state *state;
	double ratio_sum; /* of the samples, each 0 to 1 */
	size_t n_samples; /* 0: it does not say */
};

struct findings_input {
	const struct snapshot *snapshot;
	const struct unit_set *const *sets; /* of all resources */
	size_t n_sets;
	const struct holdings *holdings;
	const struct podresources *held;	/* NULL when not known */
	const struct podresources *allocatable; /* the same */
	const char *failure;			/* why @held is not known */

	const struct load *loads; /* of devices that were watched */
	size_t n_loads;
	double idle_below; /* 0 to 1 */
	double window_seconds;
};

struct findings {
	struct finding *list; /* in the arena; the most severe first */
	size_t n;
	size_t n_left_out; /* beyond FINDINGS_MAX */
	struct arena arena;
};

/**
 * findings_make() - Find what is remarkable.
 * @input: facts
 * @ret: findings, to be released with findings_done()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int findings_make(const struct findings_input *input, struct findings *ret, struct error *err);

/**
 * findings_done() - Release findings.
 * @findings: findings, or all-zero
 */
void findings_done(struct findings *findings);
#define _cleanup_findings_ _cleanup_(findings_done)

/**
 * finding_name() - The word for a kind.
 * @kind: kind
 *
 * Return: as in "held-twice"; static.
 */
const char *finding_name(enum finding_kind kind);

/**
 * finding_advice() - What to do about a kind.
 * @kind: kind
 *
 * Return: one or two sentences; static.
 */
const char *finding_advice(enum finding_kind kind);

/**
 * finding_severity() - How bad a kind is.
 * @kind: kind
 *
 * Return: severity.
 */
enum finding_severity finding_severity(enum finding_kind kind);

/**
 * finding_severity_name() - The word for a severity.
 * @severity: severity
 *
 * Return: "info", "warning" or "error"; static.
 */
const char *finding_severity_name(enum finding_severity severity);
