/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store with repositories of files, and a server of it, for one test.
 *
 * Source: tests/unit/reservoir/store/scratch.h
 */
#pragma once

#include <inttypes.h>

#include "reservoir/serve/server.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

#define SITE_MTIME 1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */
#define SITE_DATE "Tue, 14 Nov 2023 22:13:20 GMT"

struct site_file {
	const char *path; /* NULL ends a list */
	const char *data;
	size_t len; /* 0: that of the text */
	enum media media;
	enum encoding encoding;
};

/**
 * site_publish() - Publish a repository of files, beside those that there are.
 * @store: store opened for writing
 * @name: name of the repository
 * @ecosystem: name of its ecosystem; "plain" for one that no row is for
 * @files: what it has
 */
static inline void site_publish(struct store *store, const char *name, const char *ecosystem,
				const struct site_file *files)
{
	_cleanup_(generation_freep) struct generation *before = NULL, *next = NULL;
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct generation_repository row = { .synced = SITE_MTIME };
	struct error err = { 0 };
	int r = manifest_builder_new(store, &builder, &err);

	for (; r >= 0 && files->path; files++) {
		size_t len = files->len ? files->len : strlen(files->data);
		struct manifest_entry entry = {
			.path = files->path,
			.media = files->media,
			.encoding = files->encoding,
			.size = len,
			.mtime = SITE_MTIME,
		};

		r = object_put(store, files->data, len, &entry.digest, &err);
		if (r >= 0)
			r = manifest_add(builder, &entry, &err);
		row.n_files++;
		row.bytes += len;
	}
	if (r >= 0)
		r = manifest_finish(builder, &row.served, &err);
	row.collected = row.served;
	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)snprintf(row.ecosystem, sizeof(row.ecosystem), "%s", ecosystem);
	if (r >= 0)
		r = generation_current(store, &before, &err);
	if (r >= 0)
		r = generation_copy(before, &next, &err);
	if (r >= 0)
		r = generation_set(next, &row, &err);
	if (r >= 0)
		(void)snprintf(next->reason, sizeof(next->reason), "test");
	if (r >= 0)
		r = generation_publish(store, next, &err);
	if (r < 0)
		fail_msg("%s", err.msg);
}

/**
 * site_serve() - Start a server on a free port.
 * @store: store opened for reading
 * @dir: its directory
 * @yaml: configuration
 *
 * Return: the server.
 */
static inline struct server *site_serve(struct store *store, const char *dir, const char *yaml)
{
	struct server_options options = { .store = store, .dir = dir, .listen = "127.0.0.1:0" };
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	struct server *server = NULL;
	struct error err = { 0 };
	int r = reservoir_config_parse(yaml, strlen(yaml), "test", &config, &err);

	if (r >= 0)
		r = server_new(&options, &config, &server, &err);
	if (r < 0)
		fail_msg("%s", err.msg);
	return server;
}
