/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What export, import and watch share: the store with its catalogue and configuration,
 * and the ecosystems as the bundles need them.
 *
 * Source: reservoir/bundle
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "reservoir/bundle/importer.h"
#include "reservoir/command/settings.h"
#include "reservoir/config/config.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/store.h"

struct bundle_context {
	struct reservoir_config config;
	struct store *store;
	struct catalogue *catalogue; /* NULL of STORE_READ */
};

/**
 * bundle_context_open() - Open what a command works on.
 * @settings: what the command line says
 * @access: whether it writes
 * @ret: context, to be released with bundle_context_done()
 * @err: set on failure
 *
 * Return: 0, or negative errno of what could not be opened.
 */
int bundle_context_open(const struct settings *settings, enum store_access access,
			struct bundle_context *ret, struct error *err);

/**
 * bundle_context_done() - Release a context.
 * @context: context
 */
void bundle_context_done(struct bundle_context *context);
#define _cleanup_bundle_context_ _cleanup_(bundle_context_done)

/**
 * bundle_is_package() - Whether a path of a repository is a package's.
 * @ecosystem: name of the ecosystem
 * @path: path
 *
 * Return: false for an index.
 */
bool bundle_is_package(const char *ecosystem, const char *path);

/**
 * bundle_finish() - What clients get of a repository that came in a bundle.
 * @ctx: struct bundle_context
 * @repository: as the hub collected it
 * @ret_served: its manifest, or the one collected where this site signs nothing itself
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int bundle_finish(void *ctx, const struct generation_repository *repository,
		  struct digest *ret_served, struct error *err);

/**
 * bundle_describe() - Print what became of a bundle, for people.
 * @report: report
 * @name: of the manifest
 * @dry_run: whether nothing was written
 */
void bundle_describe(const struct import_report *report, const char *name, bool dry_run);
