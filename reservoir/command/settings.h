/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line of silica-reservoir says, and the options that say it.
 *
 * Source: POSIX.1-2017, XBD 12.2, with GNU's long options
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/options.h"
#include "reservoir/config/config.h"

#define SETTINGS_WORDS_MAX 256 /* repositories, or chunks of a bundle named one by one */

struct settings {
	const char *program;
	const char *words[SETTINGS_WORDS_MAX];
	size_t n_words;

	const char *store;  /* directory */
	const char *config; /* NULL: STORE/reservoir.yaml */
	enum log_level log_level;
	enum log_format log_format;
	bool help;
	bool json; /* of what prints a report */

	const char *host_root; /* of init --from-host */
	bool from_host;
	const char *key_file; /* where init writes the secret key of bundles */
	bool if_needed;	      /* of init */

	bool dry_run;		/* of sync, gc, import, recall */
	bool no_progress;	/* of sync */
	const char *since;	/* of export: generation, or "receipt" */
	const char *output;	/* of export: directory */
	const char *bundle_dir; /* of import: where the chunks are, when not beside the manifest */
	const char *receipts;	/* of import: directory for the receipt */
	bool once;		/* of watch: one look */
	bool repair;		/* of verify, import */
	uint32_t jobs;		/* of verify: threads; 0: one for each processor */
	const char *keep;	/* of gc: how many generations */
	const char *drop;	/* of gc: a generation */
	const char *listen;	/* of serve: ADDRESS:PORT */
	const char *base_url;	/* of client-config */
	const char *repository; /* of explain, diff, rollback: only this one */
	bool remove;		/* of snapshot */
	bool undo;		/* of recall */

	/* Of writer. */
	const char *lease;	/* name of the Lease; NULL: the lock of the store is enough */
	const char *namespace_; /* of the Lease; NULL: the pod's, or the kubeconfig's */
	const char *kubeconfig; /* NULL: the service account of the pod */
	const char *identity;	/* NULL: the host's name and a random number */
	uint32_t lease_duration_ms;
};

/* Options that every command has, and those of some. */
extern const struct option_row settings_common[];
extern const struct option_row settings_store[];
extern const struct option_row settings_report[]; /* --json */
extern const struct option_row settings_init[];
extern const struct option_row settings_sync[];
extern const struct option_row settings_serve[];
extern const struct option_row settings_export[];
extern const struct option_row settings_import[];
extern const struct option_row settings_watch[];
extern const struct option_row settings_verify[];
extern const struct option_row settings_gc[];
extern const struct option_row settings_snapshot[];
extern const struct option_row settings_recall[];
extern const struct option_row settings_repository[]; /* --repository */
extern const struct option_row settings_client[];
extern const struct option_row settings_writer[];

/**
 * settings_default() - What holds without a command line.
 *
 * Return: settings.
 */
struct settings settings_default(void);

/**
 * settings_load_config() - Read the configuration that the command line names.
 * @settings: settings; without a configuration, reservoir.yaml in the store
 * @ret: configuration, to be released with reservoir_config_done()
 * @err: set on failure
 *
 * Return: 0, -ENAMETOOLONG, or as reservoir_config_load().
 */
int settings_load_config(const struct settings *settings, struct reservoir_config *ret,
			 struct error *err);
