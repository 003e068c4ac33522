/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of the server itself: probes, metrics, and its status for people and programs.
 *
 * Source: the probes are those of Kubernetes; the metrics are api/metrics/metrics.h's
 */
#pragma once

#include <stddef.h>

#include "reservoir/serve/core.h"

struct status_page {
	unsigned int status; /* HTTP status */
	const char *type;    /* Content-Type; static */
	char *text;	     /* owned; NULL without memory */
	size_t len;
};

/**
 * status_page() - Make a page.
 * @core: server
 * @path: "", "healthz", "readyz", "metrics" or "status.json"
 * @ret: the page
 *
 * Context: any thread.
 */
void status_page(struct core *core, const char *path, struct status_page *ret);

/**
 * status_metrics() - Make the metrics.
 * @core: server; what the metrics are read from
 * @ret: to be released with metrics_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int status_metrics(struct core *core, struct metrics **ret, struct error *err);
