/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reservoir-bigstore DIR FILES: a store with one repository of so many files, which share
 * a few objects: what a server looks at when it starts.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"

#define FILES_MAX 10000000u /* more than a server is measured with */
#define PER_PROJECT 10u
#define OBJECTS 256u
#define WHEN 1704067200 /* 2024-01-01 */

struct object {
	struct digest digest;
	uint64_t size;
};

static int put_objects(struct store *store, struct object objects[OBJECTS], struct error *err)
{
	char text[32];
	int r = 0;

	for (unsigned int i = 0; r >= 0 && i < OBJECTS; i++) {
		objects[i].size = (uint64_t)snprintf(text, sizeof(text), "object %u\n", i);
		r = object_put(store, text, objects[i].size, &objects[i].digest, err);
	}
	return r < 0 ? r : object_flush(store, err);
}

static int add_file(struct manifest_builder *builder, const struct object *objects, uint64_t number,
		    struct error *err)
{
	char path[STORE_PATH_MAX];
	struct manifest_entry entry = {
		.path = path,
		.media = MEDIA_ZIP,
		.digest = objects[number % OBJECTS].digest,
		.size = objects[number % OBJECTS].size,
		.mtime = WHEN,
	};
	uint64_t project = number / PER_PROJECT;

	(void)snprintf(path, sizeof(path),
		       "packages/project-%07" PRIu64 "/project_%07" PRIu64 "-1.%" PRIu64
		       "-py3-none-any.whl",
		       project, project, number % PER_PROJECT);
	return manifest_add(builder, &entry, err);
}

static int make_manifest(struct store *store, uint64_t n, struct digest *ret, struct error *err)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct object objects[OBJECTS];
	int r = put_objects(store, objects, err);

	if (r >= 0)
		r = manifest_builder_new(store, &builder, err);
	for (uint64_t i = 0; r >= 0 && i < n; i++)
		r = add_file(builder, objects, i, err);
	return r < 0 ? r : manifest_finish(builder, ret, err);
}

static int make_store(const char *dir, uint64_t n, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct generation_repository repository = {
		.name = "pypi",
		.ecosystem = "pypi",
		.n_files = n,
		.synced = WHEN,
	};
	struct generation generation = {
		.reason = "made for a benchmark",
		.repositories = &repository,
		.n_repositories = 1,
	};
	int r = store_create(dir, err);

	if (r >= 0)
		r = store_open(dir, STORE_WRITE, &store, err);
	if (r >= 0)
		r = make_manifest(store, n, &repository.collected, err);
	if (r < 0)
		return r;
	repository.served = repository.collected;
	return generation_publish(store, &generation, err);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	uint64_t n;

	if (argc != 3 || parse_u64(argv[2], 10, &n) < 0 || n == 0 || n > FILES_MAX) {
		(void)fprintf(stderr, "usage: reservoir-bigstore DIR FILES\n");
		return 2;
	}
	if (make_store(argv[1], n, &err) < 0) {
		(void)fprintf(stderr, "reservoir-bigstore: %s\n", err.msg);
		return 1;
	}
	return 0;
}
