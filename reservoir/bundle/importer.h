/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying a bundle at a site: everything is checked before anything of it is
 * written, and clients see the new generation whole or not at all.
 *
 * An import that was interrupted goes on: which chunks are done is in the catalogue.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "reservoir/bundle/bundle.h"
#include "reservoir/config/config.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/generation.h"

enum import_verdict {
	IMPORT_APPLIED, /* or would be, of a dry run */
	IMPORT_ALREADY, /* it is what the site has */
	IMPORT_WAITING, /* for chunks, a signature, an earlier bundle, or the right time */
	IMPORT_REFUSED, /* for good */
	_IMPORT_VERDICT_MAX,
};

#define IMPORT_WHY_MAX 1024 /* bytes with the NUL */

struct import_report {
	enum import_verdict verdict;
	char why[IMPORT_WHY_MAX]; /* unless it was applied */
	char hub[STORE_ID_MAX];	  /* "" while that is not proved, as all below */
	uint64_t sequence;
	enum bundle_kind kind;
	uint64_t generation; /* that was published, or that has it already */
	uint64_t objects;
	uint64_t bytes;
	uint64_t removed;
	uint64_t scanned; /* files that the scanner saw */
	size_t n_chunks;
	size_t n_done; /* chunks */
	bool dry_run;  /* set by the caller: @verdict is what it would be */
};

struct import {
	struct store *store;	     /* opened with STORE_WRITE; of a dry run also STORE_READ */
	struct catalogue *catalogue; /* NULL of a dry run */
	const struct config_bundles *config;
	const char *dir;       /* where the manifest and its signatures lie */
	const char *name;      /* of the manifest */
	const char *chunk_dir; /* where the chunks lie */
	const char *receipts;  /* directory for the receipt, or NULL */
	bool dry_run;
	bool repair; /* only bring back objects that are lost, of any bundle that was signed */
	int64_t now; /* seconds since 1970 */
	/* Makes what clients get of what was collected, where this site signs itself:
	 * @ret_served is @collected where it does not.  NULL: nowhere. */
	int (*finish)(void *ctx, const struct generation_repository *repository,
		      struct digest *ret_served, struct error *err);
	/* Called after each chunk, or NULL. */
	void (*progress)(void *ctx, const struct bundle *bundle, size_t done);
	/* Asked now and then, or NULL: true ends with -EINTR. */
	bool (*stop)(void *ctx);
	void *ctx;
};

/**
 * import_bundle() - Apply a bundle.
 * @import: which, and how
 * @ret: what became of it; valid when 0 is returned
 * @err: set on failure
 *
 * Return: 0 whatever the verdict, or
 *   -EINTR   it was to stop; the next run goes on
 *   -ENOSPC  the disk is full, or would be
 *   negative errno of the system
 */
int import_bundle(const struct import *import, struct import_report *ret, struct error *err);

/**
 * import_report_format() - Write a report as JSON.
 * @report: report
 * @name: of the manifest
 * @out: appended to
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int import_report_format(const struct import_report *report, const char *name, struct strbuf *out,
			 struct error *err);

/**
 * import_verdict_name() - The word for a verdict.
 * @verdict: verdict
 *
 * Return: "applied", "already", "waiting" or "refused".
 */
const char *import_verdict_name(enum import_verdict verdict);
