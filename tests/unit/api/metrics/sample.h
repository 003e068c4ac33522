/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics of every type, with what is hard to write in their labels and help: for
 * the unit test, which knows the text, and for the linter of Prometheus.
 */
#pragma once

#include "api/metrics/metrics.h"

enum sample_family {
	SAMPLE_ALLOCATIONS,
	SAMPLE_DURATION,
	SAMPLE_START,
	SAMPLE_DEVICES,
	SAMPLE_EMPTY,
	SAMPLE_TEMPERATURE,
	SAMPLE_BUILD,
	_SAMPLE_MAX,
};

/**
 * sample_new() - Make the metrics, with some series.
 *
 * Return: the metrics, to be released with metrics_free(); NULL on failure.
 */
struct metrics *sample_new(void);
