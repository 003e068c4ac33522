/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a reservoir: which repositories it has, where they come from,
 * and how it fetches, packs and serves.
 *
 * Source: the rows of config_keys.c and repository_keys.c, which also write its manual
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "reservoir/store/store.h"

#define CONFIG_TEXT_BYTES_MAX ((size_t)1024 * 1024) /* of the file */
#define CONFIG_URL_SIZE 1024			    /* bytes with the NUL */
#define CONFIG_PATH_SIZE 512			    /* bytes with the NUL */
#define CONFIG_WORD_SIZE 256 /* bytes with the NUL: a suite, a requirement, a tag */
#define CONFIG_KEY_SIZE 160  /* bytes with the NUL: a public key, a hash of a password */

struct config_word {
	char text[CONFIG_WORD_SIZE];
};

struct config_path {
	char text[CONFIG_PATH_SIZE];
};

enum repository_mode {
	REPOSITORY_MIRROR, /* synced or imported */
	REPOSITORY_CACHE,  /* fetched when a client asks for it */
	_REPOSITORY_MODE_MAX,
};

enum repository_ecosystem {
	REPOSITORY_APT,
	REPOSITORY_PYPI,
	_REPOSITORY_ECOSYSTEM_MAX,
};

enum apt_publish {
	APT_VERBATIM, /* upstream's bytes and signature */
	APT_CURATED,  /* indexes of what was selected, signed with the site's key */
	_APT_PUBLISH_MAX,
};

struct apt_options {
	struct config_word *suites; /* "bookworm"; "./" or "x/" for a flat repository */
	size_t n_suites;
	struct config_word *components;
	size_t n_components; /* 0: all that the Release file has */
	struct config_word *architectures;
	size_t n_architectures;	       /* 0: all; "all" is always in */
	struct config_word *languages; /* of Translation files */
	size_t n_languages;
	bool sources;  /* source packages too */
	bool contents; /* Contents files, for apt-file */
	bool dep11;    /* AppStream metadata and icons */
	bool cnf;      /* command-not-found */
	bool pdiffs;
	struct config_path keyring; /* OpenPGP keys that may sign; "" only with @unverified */
	bool unverified;
	bool check_valid_until; /* what upstream signed must not have expired */
	enum apt_publish publish;
	/* What is selected: "curl", "linux-image-*", "nginx=1.22.1-9"; 0: everything. */
	struct config_word *packages;
	size_t n_packages;
	struct config_word *exclude; /* names or globs, that not even a dependency brings in */
	size_t n_exclude;
	bool recommends;	      /* the closure follows Recommends */
	struct config_word *together; /* repositories whose packages the closure may use */
	size_t n_together;
	struct config_path signing_key;	     /* OpenPGP secret key of APT_CURATED */
	uint32_t valid_for_ms;		     /* Valid-Until of APT_CURATED; 0 for none */
	uint32_t keep_indexes;		     /* generations whose by-hash files stay */
	char snapshots_url[CONFIG_URL_SIZE]; /* where clients find /snapshot/, or "" */
};

struct pypi_environment {
	char python[16];	 /* "3.11" */
	char platform[64];	 /* a platform tag: "manylinux_2_17_x86_64", "win_amd64" */
	char implementation[16]; /* "cpython", "pypy" */
};

struct pypi_options {
	struct config_word *projects; /* requirements of PEP 508, or globs of names; 0: see below */
	size_t n_projects;
	struct config_path *requirements; /* files in pip's format */
	size_t n_requirements;
	bool all;		     /* every project of the upstream */
	struct config_word *exclude; /* requirements or globs */
	size_t n_exclude;
	struct pypi_environment *environments; /* for markers, and which wheels are wanted */
	size_t n_environments;		       /* 0: wheels of all, markers are taken to hold */
	bool dependencies;		       /* the closure over environments */
	bool wheels;
	bool sdists;
	bool prereleases;
	uint32_t keep_newest; /* releases per project, 0 for all */
	bool provenance;      /* attestations too */
};

struct repository {
	char name[STORE_NAME_MAX]; /* first part of the path of its URL */
	enum repository_ecosystem ecosystem;
	enum repository_mode mode;
	char upstream[CONFIG_URL_SIZE]; /* "" at a site that only imports */
	struct config_word *readers;	/* names of users; 0: everybody */
	size_t n_readers;
	uint64_t bytes_per_second;    /* of all clients together, 0 for no limit */
	uint32_t requests_per_second; /* of all clients together, 0 for no limit */
	uint32_t cache_for_ms;	      /* of REPOSITORY_CACHE: how old an index may be */
	uint64_t max_size;	      /* of REPOSITORY_CACHE: bytes, 0 for no limit */
	struct apt_options apt;
	struct pypi_options pypi;
};

struct config_sync {
	uint32_t per_host;
	uint32_t total;
	uint32_t attempts;
	uint32_t timeout_ms;
	uint64_t bytes_per_second; /* 0 for no limit */
	char window[32];	   /* "22:00-06:00" local time, or "" for always */
	uint64_t keep_free;	   /* bytes */
	struct config_path ca_file;
	char proxy[CONFIG_URL_SIZE];
	struct config_path netrc_file;
	uint32_t interval_ms; /* of writer; 0 for never */
};

struct trusted_hub {
	char id[STORE_ID_MAX];	  /* of the hub's store */
	struct config_word *keys; /* public keys as minisign writes them */
	size_t n_keys;
	uint32_t signatures; /* how many of them must have signed */
};

struct config_bundles {
	struct config_path *secret_keys; /* of the hub: files as minisign writes them */
	size_t n_secret_keys;
	uint64_t chunk_bytes;
	uint32_t compression; /* level of zstd */
	uint32_t valid_for_s;
	struct trusted_hub *hubs; /* of the site */
	size_t n_hubs;
	struct config_path drop;     /* directory that `watch` looks at */
	struct config_word *scanner; /* command and arguments, run on what is staged; 0: none */
	size_t n_scanner;
	uint32_t scanner_timeout_ms;
	struct config_path receipt_key; /* secret key of the site's receipts */
	struct config_word *sites;	/* public keys of receipts that the hub believes */
	size_t n_sites;
};

struct config_user {
	char name[64];
	char password[CONFIG_KEY_SIZE]; /* hash by `silica-reservoir hash-password`; or "" */
	char token[CONFIG_KEY_SIZE];	/* sha256 of a bearer token, 64 hex digits; or "" */
};

struct config_serve {
	char listen[64];		/* "0.0.0.0:8080", "[::]:8080", "127.0.0.1:0" */
	uint32_t threads;		/* 0: as many as CPUs, at most 8 */
	struct config_path certificate; /* PEM; "" for plain HTTP */
	struct config_path private_key;
	struct config_user *users;
	size_t n_users;
	bool anonymous;			  /* repositories without readers are open to all */
	uint64_t client_bytes_per_second; /* 0 for no limit */
	uint32_t client_requests_per_second;
	struct config_word *proxies; /* addresses whose X-Forwarded-For is believed */
	size_t n_proxies;
	struct config_path access_log; /* "" for none, "-" for standard output */
	uint64_t memory;	       /* bytes for answers kept ready */
	struct config_path statistics; /* file of counts per package; "" for memory only */
	struct config_path cache;      /* store of what `mode: cache` fetched; "": STORE/cache */
	struct config_word *status_readers; /* of the status page and metrics; 0: everybody */
	size_t n_status_readers;
	uint32_t connections;	     /* at once */
	uint32_t client_connections; /* at once from one client, 0 for no limit */
	uint32_t idle_ms;	     /* how long a connection may wait for the next request */
	uint32_t drain_ms;	     /* from the signal to end until connections are refused */
};

struct config_keep {
	uint32_t generations; /* at least so many stay */
	uint32_t for_ms;      /* and all that are younger */
	uint32_t interval_ms; /* of writer; 0 for never */
};

struct config_verify {
	uint32_t interval_ms; /* of writer; 0 for never */
};

struct reservoir_config {
	struct repository *repositories;
	size_t n_repositories;
	struct config_sync sync;
	struct config_bundles bundles;
	struct config_serve serve;
	struct config_keep keep;
	struct config_verify verify;
};

/**
 * reservoir_config_load() - Read a configuration file.
 * @path: file, at most CONFIG_TEXT_BYTES_MAX bytes
 * @ret: configuration, to be released with reservoir_config_done(); untouched on failure
 * @err: set on failure, as in "a.yaml:3:1: unknown key 'suits', did you mean 'suites'?"
 *
 * Return: 0, or
 *   -EINVAL  the contents are refused; the first fault is told
 *   -EFBIG   the file is too long
 *   negative errno of the system
 */
int reservoir_config_load(const char *path, struct reservoir_config *ret, struct error *err);

/**
 * reservoir_config_parse() - Read a configuration from memory.
 * @text: @len bytes, any value
 * @len: number of bytes
 * @name: what error messages call the text
 * @ret: configuration, to be released with reservoir_config_done(); untouched on failure
 * @err: set on failure
 *
 * Return: as reservoir_config_load().
 */
int reservoir_config_parse(const char *text, size_t len, const char *name,
			   struct reservoir_config *ret, struct error *err);

/**
 * reservoir_config_done() - Release what a configuration owns.
 * @config: configuration, or all-zero
 */
void reservoir_config_done(struct reservoir_config *config);
#define _cleanup_reservoir_config_ _cleanup_(reservoir_config_done)

/**
 * reservoir_config_describe() - Write the reference of all keys as a Markdown table.
 * @out: appended to
 */
void reservoir_config_describe(struct strbuf *out);

/**
 * reservoir_config_repository() - Find a repository by its name.
 * @config: configuration
 * @name: name
 *
 * Return: the repository, borrowed, or NULL.
 */
const struct repository *reservoir_config_repository(const struct reservoir_config *config,
						     const char *name);

/**
 * repository_ecosystem_name() - The word for an ecosystem, as in "apt".
 * @ecosystem: ecosystem
 *
 * Return: static text.
 */
const char *repository_ecosystem_name(enum repository_ecosystem ecosystem);
