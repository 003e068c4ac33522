/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of the configuration is a row: where its value lies, what it may be, and
 * what it means.  The rows of an ecosystem are a mapping of its name in each
 * repository.
 */
#include "reservoir/config/config_keys.h"

#include <assert.h>

#include "base/macro.h"
#include "reservoir/config/config.h"
#include "reservoir/config/config_check.h"

#define SECOND_MS 1000u
#define MINUTE_MS (60u * SECOND_MS)
#define HOUR_MS (60u * MINUTE_MS)
#define DAY_MS (24u * HOUR_MS)
#define GI ((uint64_t)1024 * 1024 * 1024)

#define WORDS_MAX 4096	     /* packages or projects in the file; longer lists go in files */
#define REPOSITORIES_MAX 256 /* as of one generation */
#define USERS_MAX 1024
#define FEW_MAX 64 /* suites, architectures, keys */

/* Where a value lies in its struct. */
#define FIELD(of, member) .offset = offsetof(of, member), .size = sizeof(((of *)0)->member)
#define ITEMS(of, items, n) .offset = offsetof(of, items), .n_offset = offsetof(of, n)

/* A string that fills its array. */
#define TEXT(of, member) \
	.type = SCHEMA_STRING, FIELD(of, member), .min = 1, .max = sizeof(((of *)0)->member) - 1
#define BOOL(of, member) .type = SCHEMA_BOOL, FIELD(of, member)
#define WORDS(of, items, n, row) .type = SCHEMA_LIST, ITEMS(of, items, n), .item = &(row)
#define MAPPING(rows) .type = SCHEMA_MAPPING, .keys = (rows), .n_keys = ARRAY_SIZE(rows)

static const char *const modes[] = {
	[REPOSITORY_MIRROR] = "mirror",
	[REPOSITORY_CACHE] = "cache",
	NULL,
};
static const char *const ecosystems[] = {
	[REPOSITORY_APT] = "apt",
	[REPOSITORY_PYPI] = "pypi",
	NULL,
};
static const char *const publishes[] = {
	[APT_VERBATIM] = "verbatim",
	[APT_CURATED] = "curated",
	NULL,
};

static_assert(ARRAY_SIZE(modes) == _REPOSITORY_MODE_MAX + 1, "every mode has a name");
static_assert(ARRAY_SIZE(ecosystems) == _REPOSITORY_ECOSYSTEM_MAX + 1, "every one has a name");
static_assert(ARRAY_SIZE(publishes) == _APT_PUBLISH_MAX + 1, "every way has a name");
static_assert(sizeof(enum repository_mode) == sizeof(uint32_t), "SCHEMA_ENUM stores 32 bits");

const char *repository_ecosystem_name(enum repository_ecosystem ecosystem)
{
	return ecosystems[ecosystem];
}

static const struct schema_key word_item = {
	.name = "[]",
	TEXT(struct config_word, text),
};
static const struct schema_key path_item = {
	.name = "[]",
	TEXT(struct config_path, text),
};

static const struct schema_key apt_keys[] = {
	{
		.name = "suites",
		WORDS(struct apt_options, suites, n_suites, word_item),
		.required = true,
		.min = 1,
		.max = FEW_MAX,
		.text = "Suites, as in `bookworm-updates`; one that ends with `/` is a flat "
			"repository.",
	},
	{
		.name = "components",
		WORDS(struct apt_options, components, n_components, word_item),
		.max = FEW_MAX,
		.text = "Components, as in `main`; when left out, all of the suite.",
	},
	{
		.name = "architectures",
		WORDS(struct apt_options, architectures, n_architectures, word_item),
		.max = FEW_MAX,
		.text = "Architectures, as in `amd64`, beside `all`; when left out, all of the "
			"suite.",
	},
	{
		.name = "languages",
		WORDS(struct apt_options, languages, n_languages, word_item),
		.max = FEW_MAX,
		.default_value = "[en]",
		.text = "Languages of package descriptions.",
	},
	{
		.name = "sources",
		BOOL(struct apt_options, sources),
		.default_value = "false",
		.text = "Source packages too.",
	},
	{
		.name = "contents",
		BOOL(struct apt_options, contents),
		.default_value = "false",
		.text = "Contents files, which `apt-file` reads.",
	},
	{
		.name = "dep11",
		BOOL(struct apt_options, dep11),
		.default_value = "true",
		.text = "AppStream metadata, which software centres read.",
	},
	{
		.name = "cnf",
		BOOL(struct apt_options, cnf),
		.default_value = "true",
		.text = "The index of command-not-found.",
	},
	{
		.name = "pdiffs",
		BOOL(struct apt_options, pdiffs),
		.default_value = "false",
		.text = "Differences between indexes; only of `verbatim`.",
	},
	{
		.name = "keyring",
		TEXT(struct apt_options, keyring.text),
		.text = "File of OpenPGP keys that may sign the suites, or folder of such files.",
	},
	{
		.name = "unverified",
		BOOL(struct apt_options, unverified),
		.default_value = "false",
		.text = "Take the suites without looking at their signatures. Whoever is between "
			"this program and the upstream can then change every package.",
	},
	{
		.name = "checkValidUntil",
		BOOL(struct apt_options, check_valid_until),
		.default_value = "true",
		.text = "Refuse suites whose `Valid-Until` has passed, as clients do; `false` for "
			"archives that nobody signs again.",
	},
	{
		.name = "publish",
		.type = SCHEMA_ENUM,
		FIELD(struct apt_options, publish),
		.values = publishes,
		.default_value = "verbatim",
		.text = "`verbatim`: the upstream's indexes and signature; `curated`: indexes of "
			"what was selected, signed with `signingKey`.",
	},
	{
		.name = "packages",
		WORDS(struct apt_options, packages, n_packages, word_item),
		.max = WORDS_MAX,
		.text = "Packages, as in `curl`, `python3-*` or `nginx=1.22.1-9`, with all that "
			"they depend on; when left out, every package. Needs `curated`.",
	},
	{
		.name = "exclude",
		WORDS(struct apt_options, exclude, n_exclude, word_item),
		.max = WORDS_MAX,
		.text = "Packages that are left out even when another one needs them. Needs "
			"`curated`.",
	},
	{
		.name = "recommends",
		BOOL(struct apt_options, recommends),
		.default_value = "true",
		.text = "Take what packages recommend, too.",
	},
	{
		.name = "together",
		WORDS(struct apt_options, together, n_together, word_item),
		.max = FEW_MAX,
		.text = "Other repositories of this configuration that clients have beside this "
			"one, as security updates with their own upstream: `packages` and "
			"`exclude` of all of them are looked at together, and each takes what it "
			"has of the result. Each names the others. Needs `curated`.",
	},
	{
		.name = "signingKey",
		TEXT(struct apt_options, signing_key.text),
		.text = "File of the OpenPGP secret key that signs what is `curated`.",
	},
	{
		.name = "validFor",
		.type = SCHEMA_DURATION,
		FIELD(struct apt_options, valid_for_ms),
		.max = 49u * DAY_MS,
		.default_value = "0s",
		.text = "How long clients accept what is `curated` (`Valid-Until`); `0s` for "
			"ever.",
	},
	{
		.name = "snapshotsUrl",
		TEXT(struct apt_options, snapshots_url),
		.check = reservoir_check_url,
		.text = "URL that clients have of this server. What is `curated` then says where "
			"its snapshots are, and `apt --snapshot NAME` finds them (apt 2.9 and "
			"later).",
	},
	{
		.name = "keepIndexes",
		.type = SCHEMA_U32,
		FIELD(struct apt_options, keep_indexes),
		.max = 100,
		.default_value = "4",
		.unit = "generations",
		.text = "Earlier indexes that can still be fetched by hash, for clients that are "
			"in the middle of an update.",
	},
};

static const struct schema_key environment_keys[] = {
	{
		.name = "python",
		TEXT(struct pypi_environment, python),
		.required = true,
		.check = reservoir_check_python,
		.text = "Version of Python, as in `3.11`.",
	},
	{
		.name = "platform",
		TEXT(struct pypi_environment, platform),
		.required = true,
		.check = reservoir_check_platform,
		.text = "Platform tag, as in `manylinux_2_28_x86_64`, `musllinux_1_2_aarch64`, "
			"`win_amd64` or `macosx_11_0_arm64`.",
	},
	{
		.name = "implementation",
		TEXT(struct pypi_environment, implementation),
		.default_value = "cpython",
		.text = "`cpython` or `pypy`.",
	},
};
static const struct schema_key environment_item = {
	.name = "environments[]",
	MAPPING(environment_keys),
	.size = sizeof(struct pypi_environment),
};

static const struct schema_key pypi_keys[] = {
	{
		.name = "projects",
		WORDS(struct pypi_options, projects, n_projects, word_item),
		.max = WORDS_MAX,
		.text = "Projects, as in `requests`, `numpy>=1.26` or `jupyter-*`.",
	},
	{
		.name = "requirements",
		WORDS(struct pypi_options, requirements, n_requirements, path_item),
		.max = FEW_MAX,
		.text = "Requirements files with further projects.",
	},
	{
		.name = "all",
		BOOL(struct pypi_options, all),
		.default_value = "false",
		.text = "Every project that the upstream has.",
	},
	{
		.name = "exclude",
		WORDS(struct pypi_options, exclude, n_exclude, word_item),
		.max = WORDS_MAX,
		.text = "Projects or releases that are left out, as in `requests<2.31`.",
	},
	{
		.name = "environments",
		WORDS(struct pypi_options, environments, n_environments, environment_item),
		.max = FEW_MAX,
		.text = "What packages are installed on; wheels for anything else are left out. "
			"When left out, all wheels are taken.",
	},
	{
		.name = "dependencies",
		BOOL(struct pypi_options, dependencies),
		.default_value = "true",
		.text = "Take what the projects depend on in the environments, too.",
	},
	{
		.name = "wheels",
		BOOL(struct pypi_options, wheels),
		.default_value = "true",
		.text = "Take wheels.",
	},
	{
		.name = "sdists",
		BOOL(struct pypi_options, sdists),
		.default_value = "true",
		.text = "Take source distributions.",
	},
	{
		.name = "prereleases",
		BOOL(struct pypi_options, prereleases),
		.default_value = "false",
		.text = "Take pre-releases of projects that have others.",
	},
	{
		.name = "keepNewest",
		.type = SCHEMA_U32,
		FIELD(struct pypi_options, keep_newest),
		.max = 100000,
		.default_value = "0",
		.unit = "releases",
		.text = "Only so many of the newest releases of each project; `0` for all.",
	},
	{
		.name = "provenance",
		BOOL(struct pypi_options, provenance),
		.default_value = "true",
		.text = "Carry attestations along.",
	},
};

static const struct schema_key repository_keys[] = {
	{
		.name = "name",
		TEXT(struct repository, name),
		.required = true,
		.check = reservoir_check_name,
		.text = "Name, the first part of the path of its URL.",
	},
	{
		.name = "ecosystem",
		.type = SCHEMA_ENUM,
		FIELD(struct repository, ecosystem),
		.values = ecosystems,
		.required = true,
		.text = "What kind of packages it has.",
	},
	{
		.name = "mode",
		.type = SCHEMA_ENUM,
		FIELD(struct repository, mode),
		.values = modes,
		.default_value = "mirror",
		.text = "`mirror`: synced or imported beforehand; `cache`: fetched when a client "
			"asks for it, and kept.",
	},
	{
		.name = "upstream",
		TEXT(struct repository, upstream),
		.check = reservoir_check_url,
		.text = "URL that it comes from: of APT what stands in `sources.list`, of PyPI the "
			"simple index. Left out at a site that only imports.",
	},
	{
		.name = "readers",
		WORDS(struct repository, readers, n_readers, word_item),
		.max = USERS_MAX,
		.text = "Users that may read it; when left out, everybody.",
	},
	{
		.name = "bandwidth",
		.type = SCHEMA_BYTES,
		FIELD(struct repository, bytes_per_second),
		.max = 1024 * GI,
		.default_value = "0",
		.text = "Bytes a second that it is served with, to all clients together; `0` for "
			"no limit.",
	},
	{
		.name = "requests",
		.type = SCHEMA_U32,
		FIELD(struct repository, requests_per_second),
		.max = 1000000,
		.default_value = "0",
		.text = "Requests a second that are answered, of all clients together; `0` for no "
			"limit.",
	},
	{
		.name = "cacheFor",
		.type = SCHEMA_DURATION,
		FIELD(struct repository, cache_for_ms),
		.max = 30u * DAY_MS,
		.default_value = "10m",
		.text = "How old an index of a `cache` may be before the upstream is asked again.",
	},
	{
		.name = "maxSize",
		.type = SCHEMA_BYTES,
		FIELD(struct repository, max_size),
		.max = 1024 * 1024 * GI,
		.default_value = "0",
		.text = "Bytes that a `cache` keeps; beyond, what was not asked for longest goes. "
			"`0` "
			"for no limit.",
	},
	{
		.name = "apt",
		MAPPING(apt_keys),
		FIELD(struct repository, apt),
		.when = "ecosystem",
		.when_values = 1u << REPOSITORY_APT,
		.optional = true,
		.check = reservoir_check_apt,
		.text = "What of an APT repository is taken.",
	},
	{
		.name = "pypi",
		MAPPING(pypi_keys),
		FIELD(struct repository, pypi),
		.when = "ecosystem",
		.when_values = 1u << REPOSITORY_PYPI,
		.optional = true,
		.text = "What of a Python package index is taken.",
	},
};
static const struct schema_key repository_item = {
	.name = "repositories[]",
	MAPPING(repository_keys),
	.size = sizeof(struct repository),
	.check = reservoir_check_repository,
};

static const struct schema_key sync_keys[] = {
	{
		.name = "perHost",
		.type = SCHEMA_U32,
		FIELD(struct config_sync, per_host),
		.min = 1,
		.max = 64,
		.default_value = "8",
		.unit = "transfers",
		.text = "Transfers at once from one host.",
	},
	{
		.name = "total",
		.type = SCHEMA_U32,
		FIELD(struct config_sync, total),
		.min = 1,
		.max = 256,
		.default_value = "32",
		.unit = "transfers",
		.text = "Transfers at once from all hosts.",
	},
	{
		.name = "attempts",
		.type = SCHEMA_U32,
		FIELD(struct config_sync, attempts),
		.min = 1,
		.max = 20,
		.default_value = "5",
		.text = "How often a file is tried.",
	},
	{
		.name = "timeout",
		.type = SCHEMA_DURATION,
		FIELD(struct config_sync, timeout_ms),
		.min = 100,
		.max = HOUR_MS,
		.default_value = "30s",
		.text = "How long to wait for a connection, or for the next byte.",
	},
	{
		.name = "bandwidth",
		.type = SCHEMA_BYTES,
		FIELD(struct config_sync, bytes_per_second),
		.max = 1024 * GI,
		.default_value = "0",
		.text = "Bytes a second that are fetched; `0` for no limit.",
	},
	{
		.name = "window",
		TEXT(struct config_sync, window),
		.check = reservoir_check_window,
		.text = "When fetching is allowed, in local time, as in `22:00-06:00`; when left "
			"out, always.",
	},
	{
		.name = "keepFree",
		.type = SCHEMA_BYTES,
		FIELD(struct config_sync, keep_free),
		.max = 1024 * 1024 * GI,
		.default_value = "1Gi",
		.text = "Bytes of the disk that stay free.",
	},
	{
		.name = "caFile",
		TEXT(struct config_sync, ca_file.text),
		.text = "Certificates of authorities, in PEM; when left out, the variables "
			"`SSL_CERT_FILE` and `CURL_CA_BUNDLE`, then the system's.",
	},
	{
		.name = "proxy",
		TEXT(struct config_sync, proxy),
		.check = reservoir_check_url,
		.text = "URL of a proxy; when left out, the variables `https_proxy`, `http_proxy` "
			"and `no_proxy`.",
	},
	{
		.name = "netrcFile",
		TEXT(struct config_sync, netrc_file.text),
		.text = "File with the user names and passwords of upstreams.",
	},
	{
		.name = "interval",
		.type = SCHEMA_DURATION,
		FIELD(struct config_sync, interval_ms),
		.max = 30u * DAY_MS,
		.default_value = "0s",
		.text = "Time between two syncs of `silica-reservoir writer`; `0s` for never.",
	},
};

static const struct schema_key hub_keys[] = {
	{
		.name = "id",
		TEXT(struct trusted_hub, id),
		.required = true,
		.text = "The hub's id, as `silica-reservoir status` prints it there.",
	},
	{
		.name = "keys",
		WORDS(struct trusted_hub, keys, n_keys, word_item),
		.required = true,
		.min = 1,
		.max = FEW_MAX,
		.text = "Its public keys.",
	},
	{
		.name = "signatures",
		.type = SCHEMA_U32,
		FIELD(struct trusted_hub, signatures),
		.min = 1,
		.max = FEW_MAX,
		.default_value = "1",
		.text = "By how many of the keys a bundle must be signed.",
	},
};
static const struct schema_key hub_item = {
	.name = "hubs[]",
	MAPPING(hub_keys),
	.size = sizeof(struct trusted_hub),
	.check = reservoir_check_hub,
};

static const struct schema_key bundles_keys[] = {
	{
		.name = "secretKeys",
		WORDS(struct config_bundles, secret_keys, n_secret_keys, path_item),
		.max = FEW_MAX,
		.text = "Files of the keys that `export` signs with.",
	},
	{
		.name = "chunkSize",
		.type = SCHEMA_BYTES,
		FIELD(struct config_bundles, chunk_bytes),
		.min = (uint64_t)64 * 1024,
		.max = 64 * GI,
		.default_value = "256Mi",
		.text = "Size of the files of a bundle.",
	},
	{
		.name = "compression",
		.type = SCHEMA_U32,
		FIELD(struct config_bundles, compression),
		.min = 1,
		.max = 19,
		.default_value = "9",
		.text = "Level of zstd.",
	},
	{
		.name = "validFor",
		.type = SCHEMA_U32,
		FIELD(struct config_bundles, valid_for_s),
		.min = 60,
		.max = 4000000000u,
		.default_value = "7776000",
		.unit = "seconds",
		.text = "How long a bundle may be imported; 90 days when left out.",
	},
	{
		.name = "hubs",
		WORDS(struct config_bundles, hubs, n_hubs, hub_item),
		.max = FEW_MAX,
		.unique = "id",
		.text = "Hubs whose bundles this site imports.",
	},
	{
		.name = "drop",
		TEXT(struct config_bundles, drop.text),
		.text = "Directory that `watch` takes bundles from.",
	},
	{
		.name = "scanner",
		WORDS(struct config_bundles, scanner, n_scanner, word_item),
		.max = FEW_MAX,
		.text = "Command that looks at a directory of new files, its last argument, before "
			"they are published; any exit status but 0 refuses the bundle.",
	},
	{
		.name = "scannerTimeout",
		.type = SCHEMA_DURATION,
		FIELD(struct config_bundles, scanner_timeout_ms),
		.min = SECOND_MS,
		.max = 7u * DAY_MS,
		.default_value = "1h",
		.text = "How long the command may take.",
	},
	{
		.name = "receiptKey",
		TEXT(struct config_bundles, receipt_key.text),
		.text = "File of the key that this site signs its receipts with.",
	},
	{
		.name = "sites",
		WORDS(struct config_bundles, sites, n_sites, word_item),
		.max = USERS_MAX,
		.text = "Public keys of sites whose receipts this hub believes.",
	},
};

static const struct schema_key user_keys[] = {
	{
		.name = "name",
		TEXT(struct config_user, name),
		.required = true,
		.text = "Name.",
	},
	{
		.name = "password",
		TEXT(struct config_user, password),
		.text = "Hash of the password, as `silica-reservoir hash-password` prints it.",
	},
	{
		.name = "token",
		TEXT(struct config_user, token),
		.text = "SHA-256 of a bearer token, in hex.",
	},
};
static const struct schema_key user_item = {
	.name = "users[]",
	MAPPING(user_keys),
	.size = sizeof(struct config_user),
};

static const struct schema_key serve_keys[] = {
	{
		.name = "listen",
		TEXT(struct config_serve, listen),
		.default_value = "127.0.0.1:8080",
		.text = "Address and port.",
	},
	{
		.name = "threads",
		.type = SCHEMA_U32,
		FIELD(struct config_serve, threads),
		.max = 64,
		.default_value = "0",
		.text = "Threads that answer; `0` for one per CPU, at most 8.",
	},
	{
		.name = "certificate",
		TEXT(struct config_serve, certificate.text),
		.text = "File of the certificate and its chain, in PEM, for HTTPS.",
	},
	{
		.name = "privateKey",
		TEXT(struct config_serve, private_key.text),
		.text = "File of its key.",
	},
	{
		.name = "users",
		WORDS(struct config_serve, users, n_users, user_item),
		.max = USERS_MAX,
		.unique = "name",
		.text = "Who can log in.",
	},
	{
		.name = "anonymous",
		BOOL(struct config_serve, anonymous),
		.default_value = "true",
		.text = "Repositories without `readers` are open to all; else every client must "
			"log in.",
	},
	{
		.name = "clientBandwidth",
		.type = SCHEMA_BYTES,
		FIELD(struct config_serve, client_bytes_per_second),
		.max = 1024 * GI,
		.default_value = "0",
		.text = "Bytes a second that one client gets: an address of IPv4, or a `/64` of "
			"IPv6; `0` for no limit.",
	},
	{
		.name = "clientRequests",
		.type = SCHEMA_U32,
		FIELD(struct config_serve, client_requests_per_second),
		.max = 1000000,
		.default_value = "0",
		.text = "Requests a second of one client that are answered: an address of IPv4, or "
			"a `/64` of IPv6; `0` for no limit.",
	},
	{
		.name = "proxies",
		WORDS(struct config_serve, proxies, n_proxies, word_item),
		.max = FEW_MAX,
		.text = "Addresses, or networks as in `10.244.0.0/16`, of proxies that tell the "
			"client's in `X-Forwarded-For`; nobody else's is believed.",
	},
	{
		.name = "accessLog",
		TEXT(struct config_serve, access_log.text),
		.text = "File of the access log, `-` for standard output; none when left out.",
	},
	{
		.name = "memory",
		.type = SCHEMA_BYTES,
		FIELD(struct config_serve, memory),
		.max = 64 * GI,
		.default_value = "32Mi",
		.text = "Bytes for answers that are kept ready.",
	},
	{
		.name = "statistics",
		TEXT(struct config_serve, statistics.text),
		.text = "File that keeps the counts of packages over a restart.",
	},
	{
		.name = "cache",
		TEXT(struct config_serve, cache.text),
		.text = "Directory of what repositories with `mode: cache` have fetched, one for "
			"each server; `cache` in the store when left out.",
	},
	{
		.name = "statusReaders",
		WORDS(struct config_serve, status_readers, n_status_readers, word_item),
		.max = USERS_MAX,
		.text = "Users that may see the status page and `/metrics`; when left out, "
			"everybody.",
	},
	{
		.name = "connections",
		.type = SCHEMA_U32,
		FIELD(struct config_serve, connections),
		.min = 1,
		.max = 65536,
		.default_value = "1024",
		.text = "Connections at once; more wait.",
	},
	{
		.name = "clientConnections",
		.type = SCHEMA_U32,
		FIELD(struct config_serve, client_connections),
		.max = 65536,
		.default_value = "0",
		.text = "Connections at once from one address of IPv4 or `/64` of IPv6; `0` for no "
			"limit, as is right behind a proxy.",
	},
	{
		.name = "idle",
		.type = SCHEMA_DURATION,
		FIELD(struct config_serve, idle_ms),
		.min = SECOND_MS,
		.max = HOUR_MS,
		.default_value = "60s",
		.text = "How long a connection may take for a request, wait for the next one, or "
			"take no byte of an answer.",
	},
	{
		.name = "drain",
		.type = SCHEMA_DURATION,
		FIELD(struct config_serve, drain_ms),
		.max = HOUR_MS,
		.default_value = "0s",
		.text = "How long, once it is told to end, the server still takes connections "
			"while `/readyz` already says no; in Kubernetes a few seconds.",
	},
};

static const struct schema_key keep_keys[] = {
	{
		.name = "generations",
		.type = SCHEMA_U32,
		FIELD(struct config_keep, generations),
		.min = 1,
		.max = 10000,
		.default_value = "8",
		.text = "So many of the newest generations stay.",
	},
	{
		.name = "for",
		.type = SCHEMA_DURATION,
		FIELD(struct config_keep, for_ms),
		.max = 49u * DAY_MS,
		.default_value = "24h",
		.text = "And all that are younger.",
	},
	{
		.name = "interval",
		.type = SCHEMA_DURATION,
		FIELD(struct config_keep, interval_ms),
		.max = 30u * DAY_MS,
		.default_value = "24h",
		.text = "Time between two runs of `gc` by `silica-reservoir writer`; `0s` for "
			"never.",
	},
};

static const struct schema_key verify_keys[] = {
	{
		.name = "interval",
		.type = SCHEMA_DURATION,
		FIELD(struct config_verify, interval_ms),
		.max = 49u * DAY_MS,
		.default_value = "720h",
		.text = "Time between two runs of `verify` by `silica-reservoir writer`, by one "
			"thread and with the lowest priority; `0s` for never.",
	},
};

static const struct schema_key root_keys[] = {
	{
		.name = "repositories",
		WORDS(struct reservoir_config, repositories, n_repositories, repository_item),
		.max = REPOSITORIES_MAX,
		.unique = "name",
		.text = "The repositories.",
	},
	{
		.name = "sync",
		MAPPING(sync_keys),
		FIELD(struct reservoir_config, sync),
		.default_value = "{}",
		.text = "How upstreams are fetched from.",
	},
	{
		.name = "bundles",
		MAPPING(bundles_keys),
		FIELD(struct reservoir_config, bundles),
		.default_value = "{}",
		.text = "How updates are carried.",
	},
	{
		.name = "serve",
		MAPPING(serve_keys),
		FIELD(struct reservoir_config, serve),
		.default_value = "{}",
		.text = "How clients are answered.",
	},
	{
		.name = "keep",
		MAPPING(keep_keys),
		FIELD(struct reservoir_config, keep),
		.default_value = "{}",
		.text = "What `gc` leaves, beside snapshots and what is published.",
	},
	{
		.name = "verify",
		MAPPING(verify_keys),
		FIELD(struct reservoir_config, verify),
		.default_value = "{}",
		.text = "How often all is read again.",
	},
};

const struct schema_key reservoir_config_root = {
	.name = "configuration",
	MAPPING(root_keys),
	.size = sizeof(struct reservoir_config),
};
