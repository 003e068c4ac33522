/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of the labeller, and what its probes say.
 *
 * Source: prometheus.io, "Metric and label naming"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"

/* What is published. */
enum telemetry_target {
	TELEMETRY_LABELS,
	TELEMETRY_TAINTS,
	TELEMETRY_CONDITION,
	TELEMETRY_EVENT,
	_TELEMETRY_TARGET_MAX,
};

struct telemetry;

/**
 * telemetry_new() - Make the metrics, all of them zero.
 * @ret: the metrics, to be released with telemetry_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int telemetry_new(struct telemetry **ret, struct error *err);

/**
 * telemetry_free() - Release them.
 * @telemetry: metrics or NULL
 */
void telemetry_free(struct telemetry *telemetry);
DEFINE_CLEANUP(struct telemetry, telemetry_free);

/**
 * telemetry_picture() - Note what shall be on the node.
 * @telemetry: metrics or NULL
 * @n_labels: how many labels
 * @n_devices: how many devices are listed
 * @n_unhealthy: how many of them are unhealthy
 */
void telemetry_picture(struct telemetry *telemetry, size_t n_labels, size_t n_devices,
		       size_t n_unhealthy);

/**
 * telemetry_published() - Count an attempt to publish.
 * @telemetry: metrics or NULL
 * @target: what
 * @ok: whether it was accepted
 */
void telemetry_published(struct telemetry *telemetry, enum telemetry_target target, bool ok);

/**
 * telemetry_settled() - Note whether the node is what it shall be.
 * @telemetry: metrics or NULL
 * @settled: nothing is left to do
 */
void telemetry_settled(struct telemetry *telemetry, bool settled);

/**
 * telemetry_reload() - Count a reading of the configuration.
 * @telemetry: metrics or NULL
 * @accepted: whether it is in force
 */
void telemetry_reload(struct telemetry *telemetry, bool accepted);

/**
 * telemetry_is_settled() - Whether everything was published once, and is.
 * @telemetry: metrics
 *
 * Return: true if so.
 */
bool telemetry_is_settled(const struct telemetry *telemetry);

/**
 * telemetry_write() - Write all metrics.
 * @telemetry: metrics
 * @out: appended to
 * @err: set on failure
 *
 * Return: as metrics_write().
 */
int telemetry_write(struct telemetry *telemetry, struct strbuf *out, struct error *err);
