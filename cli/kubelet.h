/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kubelet says of the devices, and what it means that it says nothing.
 *
 * Source: Kubernetes, "Device Plugins", monitoring device plugin resources
 */
#pragma once

#include <stdbool.h>

#include "api/kubelet/podresources.h"
#include "base/error.h"
#include "cli/settings.h"

enum kubelet_state {
	KUBELET_ANSWERED,
	KUBELET_ABSENT,	     /* no socket, or nobody behind it */
	KUBELET_REFUSED,     /* not for this user */
	KUBELET_SILENT,	     /* no answer in time */
	KUBELET_UNSUPPORTED, /* it does not have the call */
	KUBELET_FAILED,	     /* anything else */
	_KUBELET_STATE_MAX,
};

/* An answer, or why there is none. */
struct kubelet_answer {
	enum kubelet_state state;
	struct podresources table; /* all-zero without an answer */
	struct error error;	   /* what the call said; empty with an answer */
};

struct kubelet {
	struct kubelet_answer list;	   /* who holds what */
	struct kubelet_answer allocatable; /* what is healthy to the kubelet */
};

/**
 * kubelet_ask() - Ask the kubelet who holds what and what it takes for healthy.
 * @settings: where it is, and how long to wait
 * @ret: the answers, to be released with kubelet_done()
 * @err: set on failure
 *
 * A kubelet that does not answer is no failure.  It is not asked twice when the
 * first call shows that it is not there.
 *
 * Return: 0, or -ENOMEM, or -EAGAIN when no thread can be made.
 */
int kubelet_ask(const struct settings *settings, struct kubelet *ret, struct error *err);

/**
 * kubelet_state_of() - What the outcome of a call means.
 * @r: 0, or a negative errno of api/kubelet/podresources_client.h
 *
 * Return: the state.
 */
enum kubelet_state kubelet_state_of(int r);

/**
 * kubelet_state_name() - The word for a state.
 * @state: state
 *
 * Return: "answered", "absent", "refused", "silent", "unsupported" or "failed"; static.
 */
const char *kubelet_state_name(enum kubelet_state state);

/**
 * kubelet_done() - Release the answers.
 * @kubelet: answers, or all-zero
 */
void kubelet_done(struct kubelet *kubelet);
#define _cleanup_kubelet_ _cleanup_(kubelet_done)
