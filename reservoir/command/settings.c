/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/settings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/hash_pool.h"
#include "reservoir/writer/lease.h"

#define TEXT(name, value, text, member)                                                  \
	{                                                                                \
		name, 0, value, text, option_set_text, offsetof(struct settings, member) \
	}
#define SWITCH(name, text, member)                                                        \
	{                                                                                 \
		name, 0, NULL, text, option_set_switch, offsetof(struct settings, member) \
	}
#define CHOICE(name, value, text, member)                                                  \
	{                                                                                  \
		name, 0, value, text, option_set_choice, offsetof(struct settings, member) \
	}
#define END       \
	{         \
		0 \
	}

const struct option_row settings_common[] = {
	CHOICE("log-level", LOG_LEVEL_CHOICES, "least level that is logged (default: info)",
	       log_level),
	CHOICE("log-format", LOG_FORMAT_CHOICES, "form of the log (default: text)", log_format),
	{ "help", 'h', NULL, "print what the command does, and exit", option_set_switch,
	  offsetof(struct settings, help) },
	END,
};

const struct option_row settings_store[] = {
	TEXT("store", "DIR", "directory of the store (default: .)", store),
	TEXT("config", "FILE", "configuration (default: reservoir.yaml in the store)", config),
	END,
};

const struct option_row settings_report[] = {
	SWITCH("json", "print JSON", json),
	END,
};

const struct option_row settings_init[] = {
	SWITCH("from-host", "write what this machine's apt and pip are configured with", from_host),
	TEXT("host-root", "DIR", "directory that stands for the machine's / (default: /)",
	     host_root),
	TEXT("key", "FILE", "also make a key that signs bundles", key_file),
	SWITCH("if-needed", "do nothing where a store is already", if_needed),
	END,
};

const struct option_row settings_sync[] = {
	SWITCH("dry-run", "print the plan, and fetch no files", dry_run),
	SWITCH("no-progress", "print lines even on a terminal", no_progress),
	SWITCH("json", "print the report as JSON", json),
	END,
};

const struct option_row settings_serve[] = {
	TEXT("listen", "ADDRESS:PORT", "in place of what the configuration says", listen),
	END,
};

const struct option_row settings_export[] = {
	TEXT("since", "GENERATION", "generation, snapshot or receipt of the site (default: none)",
	     since),
	TEXT("output", "DIR", "directory that the bundle is written to (default: .)", output),
	END,
};

const struct option_row settings_import[] = {
	TEXT("chunks", "DIR", "where the chunks are (default: beside the manifest)", bundle_dir),
	TEXT("receipt", "DIR", "write a signed receipt for the hub there", receipts),
	SWITCH("repair", "publish nothing, only bring back objects that are lost", repair),
	SWITCH("dry-run", "check all, and write nothing", dry_run),
	SWITCH("json", "print the report as JSON", json),
	END,
};

const struct option_row settings_watch[] = {
	SWITCH("once", "look once, and exit", once),
	END,
};

static int set_jobs(_unused_ const struct option_row *row, void *field, const char *value)
{
	uint32_t jobs;

	if (parse_u32(value, HASH_JOBS_MAX, &jobs) < 0 || jobs == 0)
		return -EINVAL;
	*(uint32_t *)field = jobs;
	return 0;
}

const struct option_row settings_verify[] = {
	{ "jobs", 'j', "N", "threads that read (default: one for each processor)", set_jobs,
	  offsetof(struct settings, jobs) },
	SWITCH("repair", "fetch what is damaged again from the upstreams", repair),
	SWITCH("json", "print the report as JSON", json),
	END,
};

const struct option_row settings_gc[] = {
	SWITCH("dry-run", "say what would be removed", dry_run),
	TEXT("keep", "N", "generations that stay, in place of what the configuration says", keep),
	TEXT("drop", "N", "give up generation N and its snapshots, readable or not", drop),
	END,
};

const struct option_row settings_snapshot[] = {
	SWITCH("remove", "keep it no longer", remove),
	SWITCH("json", "print the list as JSON", json),
	END,
};

const struct option_row settings_recall[] = {
	SWITCH("undo", "give them out again", undo),
	SWITCH("dry-run", "say which files it would be", dry_run),
	SWITCH("json", "print JSON", json),
	END,
};

const struct option_row settings_repository[] = {
	TEXT("repository", "NAME", "only this repository", repository),
	SWITCH("json", "print JSON", json),
	END,
};

const struct option_row settings_client[] = {
	TEXT("base-url", "URL", "where clients find this server", base_url),
	TEXT("repository", "NAME", "only this repository", repository),
	END,
};

static int set_lease_duration(_unused_ const struct option_row *row, void *field, const char *value)
{
	uint32_t *duration_ms = field;
	uint32_t ms;

	if (parse_duration_ms(value, &ms) < 0 || ms < LEASE_DURATION_MIN_S * 1000 ||
	    ms > LEASE_DURATION_MAX_S * 1000 || ms % 1000 != 0)
		return -EINVAL;
	*duration_ms = ms;
	return 0;
}

const struct option_row settings_writer[] = {
	TEXT("lease", "NAME", "Lease of Kubernetes by which one of several writers is chosen",
	     lease),
	TEXT("namespace", "NAME", "namespace of the Lease (default: that of the pod)", namespace_),
	TEXT("kubeconfig", "FILE", "where the API server is (default: service account of the pod)",
	     kubeconfig),
	TEXT("identity", "NAME", "name of this writer (default: the host's, and a random number)",
	     identity),
	{ "lease-duration", 0, "DURATION",
	  "whole seconds until another one takes over (default: 15s)", set_lease_duration,
	  offsetof(struct settings, lease_duration_ms) },
	END,
};

struct settings settings_default(void)
{
	return (struct settings) {
		.program = "silica-reservoir",
		.store = ".",
		.output = ".",
		.host_root = "/",
		.log_level = LOG_LEVEL_INFO,
		.lease_duration_ms = LEASE_DURATION_S * 1000,
	};
}

int settings_load_config(const struct settings *settings, struct reservoir_config *ret,
			 struct error *err)
{
	char path[PATH_MAX];
	int n;

	int r;

	if (settings->config)
		return reservoir_config_load(settings->config, ret, err);
	n = snprintf(path, sizeof(path), "%s/reservoir.yaml", settings->store);
	if (n < 0 || (size_t)n >= sizeof(path))
		return error_set(err, ENAMETOOLONG, "the path of the store is too long");
	r = reservoir_config_load(path, ret, err);
	return r == -ENOENT ? error_set(err, ENOENT,
					"there is no configuration '%s': --store says where the "
					"store is, and `silica-reservoir init` makes both",
					path)
			    : r;
}
