/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of the configuration is a row: where its value lies, what it may be, and
 * what it means.  Those of a repository are in repository_keys.c.
 */
#include "reservoir/config/config_keys.h"

#include "base/macro.h"
#include "reservoir/config/config.h"
#include "reservoir/config/config_check.h"
#include "reservoir/config/config_rows.h"

#define REPOSITORIES_MAX 256 /* as of one generation */

const struct schema_key reservoir_config_word = {
	.name = "[]",
	TEXT(struct config_word, text),
};
const struct schema_key reservoir_config_path = {
	.name = "[]",
	TEXT(struct config_path, text),
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
			"`CURL_CA_BUNDLE`, `SSL_CERT_FILE`, `SSL_CERT_DIR`, "
			"`REQUESTS_CA_BUNDLE` and `PIP_CERT`, then the system's.",
	},
	{
		.name = "proxy",
		TEXT(struct config_sync, proxy),
		.check = reservoir_check_url,
		.text = "URL of a proxy; when left out, the variables `https_proxy`, `http_proxy` "
			"and `no_proxy`, or the same in capitals.",
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
		WORDS(struct trusted_hub, keys, n_keys, reservoir_config_word),
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
		WORDS(struct config_bundles, secret_keys, n_secret_keys, reservoir_config_path),
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
		WORDS(struct config_bundles, scanner, n_scanner, reservoir_config_word),
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
		WORDS(struct config_bundles, sites, n_sites, reservoir_config_word),
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
		WORDS(struct config_serve, proxies, n_proxies, reservoir_config_word),
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
		WORDS(struct config_serve, status_readers, n_status_readers, reservoir_config_word),
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
		.text = "Connections at once; more wait. Fewer where the system does not allow "
			"so many open files.",
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
		WORDS(struct reservoir_config, repositories, n_repositories,
		      reservoir_config_repository_item),
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
