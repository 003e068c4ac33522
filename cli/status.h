/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silicactl status: who holds what, and what is remarkable about it.
 *
 * There is no column for how long a device has been held: neither PodResources nor
 * anything else of the kubelet tells.  Its checkpoint is written anew for every
 * device of any pod, so that its age is no pod's.
 *
 * Source: k8s.io/kubelet pkg/apis/podresources/v1/api.proto; kubernetes/kubernetes
 * pkg/kubelet/cm/devicemanager/checkpoint
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/findings.h"
#include "cli/holdings.h"
#include "cli/kubelet.h"
#include "cli/settings.h"
#include "cli/view.h"

/* All that is to be written. */
struct status {
	const struct settings *settings;
	const struct view *view;
	const struct kubelet *kubelet;
	const struct holdings *holdings;
	const struct findings *findings;
};

/**
 * status_run() - Do what `silicactl status` does.
 * @settings: command line
 * @out: appended to
 * @err: set on failure
 *
 * Return: COMMAND_DONE or COMMAND_FINDINGS, or as view_open() and idle_watch().
 */
int status_run(const struct settings *settings, struct strbuf *out, struct error *err);

/**
 * status_print() - Write a status in the form that is asked for.
 * @status: what to write
 * @out: appended to
 *
 * Return: 0, or -ENOMEM.
 */
int status_print(const struct status *status, struct strbuf *out);
