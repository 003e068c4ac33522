/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's metrics: a table of families, counters for what happens, and gauges
 * of the node that are read at each scrape.
 *
 * Every function takes NULL for telemetry and does nothing then.
 *
 * Source: prometheus.io, "Metric and label naming"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "device-plugin/lifecycle.h"
#include "drivers/host.h"
#include "inventory/snapshot.h"

struct catalog;
struct telemetry;

enum telemetry_rpc {
	TELEMETRY_RPC_OPTIONS,
	TELEMETRY_RPC_PREFERRED,
	TELEMETRY_RPC_ALLOCATE,
	TELEMETRY_RPC_PRE_START,
	_TELEMETRY_RPC_MAX,
};

/* Where gauges are read; everything is asked for on the loop's thread. */
struct telemetry_source {
	const struct host *host;
	/* Gives a reference of the newest snapshot, or NULL. */
	struct snapshot *(*snapshot)(void *ctx);
	const struct catalog *(*catalog)(void *ctx);
	void *ctx;
};

/**
 * telemetry_new() - Make the metrics.
 * @source: where gauges are read; copied
 * @ret: the metrics, to be released with telemetry_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int telemetry_new(const struct telemetry_source *source, struct telemetry **ret, struct error *err);

/**
 * telemetry_free() - Release the metrics.
 * @telemetry: metrics or NULL
 */
void telemetry_free(struct telemetry *telemetry);
DEFINE_CLEANUP(struct telemetry, telemetry_free);

/**
 * telemetry_write() - Write all metrics.
 * @telemetry: metrics
 * @out: appended to
 * @err: set on failure
 *
 * Context: the loop's thread.
 * Return: as metrics_write().
 */
int telemetry_write(struct telemetry *telemetry, struct strbuf *out, struct error *err);

/**
 * telemetry_rpc() - Count a call of the kubelet.
 * @telemetry: metrics or NULL
 * @resource: name of the resource
 * @rpc: which call
 * @start_ns: when it began, by clock_ns()
 * @r: how it ended, 0 or a negative errno
 *
 * Context: any thread.
 */
void telemetry_rpc(struct telemetry *telemetry, const char *resource, enum telemetry_rpc rpc,
		   uint64_t start_ns, int r);

/**
 * telemetry_registered() - Count a registration.
 * @telemetry: metrics or NULL
 * @resource: name of the resource
 * @path: way to the kubelet
 * @accepted: whether the kubelet has taken it
 */
void telemetry_registered(struct telemetry *telemetry, const char *resource,
			  enum lifecycle_path path, bool accepted);

/**
 * telemetry_podresources() - Count a question for who holds which device.
 * @telemetry: metrics or NULL
 * @answered: whether there was an answer
 */
void telemetry_podresources(struct telemetry *telemetry, bool answered);

/**
 * telemetry_reload() - Count an attempt to take over a configuration.
 * @telemetry: metrics or NULL
 * @accepted: whether it is in force
 */
void telemetry_reload(struct telemetry *telemetry, bool accepted);

/**
 * telemetry_scan() - Record how long a look at the devices took.
 * @telemetry: metrics or NULL
 * @start_ns: when it began, by clock_ns()
 */
void telemetry_scan(struct telemetry *telemetry, uint64_t start_ns);
