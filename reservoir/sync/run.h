/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Syncs repositories one after another, and publishes each as it is complete: a
 * generation for each that has something new.  One that misses something keeps what
 * it had, and what was fetched for it stays.
 *
 * Source: reservoir/sync/sync.h
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reservoir/config/config.h"
#include "reservoir/fetch/fetch.h"
#include "reservoir/sync/report.h"

struct ecosystem;

struct sync_reports {
	struct sync_report *reports;
	size_t n;
};

struct sync_run {
	struct store *store; /* opened with STORE_WRITE */
	const struct reservoir_config *config;
	const struct ecosystem *(*find)(const char *name); /* ecosystem_find() */
	const char *const *names; /* of repositories; 0: all that have an upstream */
	size_t n_names;
	bool plan_only;
	const volatile sig_atomic_t *stop; /* set by a signal handler: ends the run soon */
	uint32_t (*now)(void);		   /* seconds since midnight; NULL for window_now() */

	/* Any may be NULL. */
	void (*begun)(void *ctx, const struct sync_reports *reports); /* all have their names */
	void (*planned)(void *ctx, const struct sync_report *report);
	void (*finished)(void *ctx, const struct sync_report *report);
	fetch_progress_fn progress;
	void *ctx;
};

/**
 * sync_fetcher_new() - Make a fetcher with the limits that the configuration sets.
 * @store: store opened with STORE_WRITE; borrowed
 * @config: configuration
 * @ret: the fetcher, to be released with fetcher_free()
 * @err: set on failure
 *
 * Return: as fetcher_new().
 */
int sync_fetcher_new(struct store *store, const struct config_sync *config, struct fetcher **ret,
		     struct error *err);

/**
 * sync_reports_done() - Release reports.
 * @reports: reports, or all-zero
 */
void sync_reports_done(struct sync_reports *reports);
#define _cleanup_sync_reports_ _cleanup_(sync_reports_done)

/**
 * sync_all() - Sync repositories.
 * @run: which, and who is told
 * @ret: a report for each, to be released with sync_reports_done(); filled as far as it
 *   went also on failure
 * @err: set on failure
 *
 * Return: 0 when all are complete, 1 when one is not, or
 *   -ENOENT  a name is not in the configuration
 *   -EAGAIN  outside of the time window, which is no failure: says when it opens
 *   negative errno of the system, before anything was fetched
 */
int sync_all(const struct sync_run *run, struct sync_reports *ret, struct error *err);
