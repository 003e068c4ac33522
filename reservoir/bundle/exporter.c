/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run remembers is in the catalogue: which difference has which sequence
 * number, and after each chunk where the next one begins.
 */
#include "reservoir/bundle/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/bundle/admission.h"
#include "reservoir/bundle/chunk_writer.h"
#include "reservoir/bundle/key.h"
#include "reservoir/bundle/object_writer.h"
#include "reservoir/bundle/plan.h"

#define SPACE "bundle/export"
#define VALUE_MAX 256

/* Where a chunk ends, and the next one begins. */
struct cursor {
	uint64_t ordinal;
	uint64_t offset;
	uint64_t objects; /* written so far */
	uint64_t bytes;
};

struct run {
	const struct export *export;
	struct export_report *report;
	struct bundle bundle;
	struct error *err;
	int dirfd;
	char space[64]; /* of the chunks in the catalogue */
	struct cursor at;
	uint64_t skip; /* objects that an earlier run has written */
	size_t max_chunks;
	struct chunk_writer *writer;
	struct object_writer *objects;
};

static int add_chunk(struct run *run, const struct bundle_chunk *chunk)
{
	struct bundle *bundle = &run->bundle;

	if (bundle->n_chunks == run->max_chunks) {
		size_t n = run->max_chunks ? run->max_chunks * 2 : 64;
		struct bundle_chunk *more = realloc(bundle->chunks, n * sizeof(*more));

		if (!more)
			return error_set(run->err, ENOMEM, "out of memory for a bundle");
		bundle->chunks = more;
		run->max_chunks = n;
	}
	bundle->chunks[bundle->n_chunks++] = *chunk;
	run->report->bundle_bytes += chunk->size;
	return 0;
}

/* A value of the catalogue as text; "" when there is none. */
static int get_text(struct run *run, const char *space, const char *key, char *ret, size_t size)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(VALUE_MAX);
	int r = catalogue_get(run->export->catalogue, space, key, &value, run->err);

	ret[0] = '\0';
	if (r == -ENOENT) {
		*run->err = (struct error) { 0 };
		return 0;
	}
	return r < 0 ? r : str_copy(ret, size, strbuf_str(&value));
}

static int put_text(struct run *run, const char *space, const char *key, const char *text)
{
	return catalogue_put(run->export->catalogue, space, key, text, strlen(text), run->err);
}

/* The same difference, packed in the same way, is the same bundle. */
static void format_key(const struct run *run, char out[VALUE_MAX])
{
	const struct export *export = run->export;
	char base[DIGEST_TEXT_SIZE] = "none", root[DIGEST_TEXT_SIZE];

	if (export->base)
		(void)digest_format(&export->base->root, base);
	(void)snprintf(out, VALUE_MAX, "%s %s %" PRIu64 " %" PRIu32 " %d", base,
		       digest_format(&export->after->root, root), export->config->chunk_bytes,
		       export->config->compression, BUNDLE_FORMAT);
}

/*
 * Sites take no bundle that was made before the last one, so a clock that was set back
 * makes none.  What was further ahead than sites bear none of them has taken.
 */
static int take_time(struct run *run)
{
	int64_t now = run->export->now, last = 0;
	char text[VALUE_MAX], end;
	int r = get_text(run, SPACE, "created", text, sizeof(text));

	if (r < 0)
		return r;
	if (text[0] && sscanf(text, "%" SCNd64 "%c", &last, &end) != 1)
		return error_set(run->err, EBADMSG, "the catalogue is damaged");
	run->bundle.created = last > now + ADMISSION_CLOCK_SLACK_S ? now : MAX(last, now);
	(void)snprintf(text, sizeof(text), "%" PRId64, run->bundle.created);
	return put_text(run, SPACE, "created", text);
}

static int new_sequence(struct run *run, const char *key)
{
	char text[VALUE_MAX];
	uint64_t last = 0;
	int r = get_text(run, SPACE, "sequence", text, sizeof(text));

	if (r < 0 || (text[0] && parse_u64(text, 10, &last) < 0))
		return r < 0 ? r : error_set(run->err, EBADMSG, "the catalogue is damaged");
	run->bundle.sequence = last + 1;
	(void)snprintf(text, sizeof(text), "%" PRIu64, last + 1);
	r = put_text(run, SPACE, "sequence", text);
	r = r < 0 ? r : take_time(run);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64, last + 1, run->bundle.created);
	r = put_text(run, SPACE, key, text);
	return r < 0 ? r : catalogue_commit(run->export->catalogue, run->err);
}

/* The number of the bundle: that of an earlier run of the same, while it is valid. */
static int take_sequence(struct run *run)
{
	int64_t now = run->export->now;
	char key[VALUE_MAX], text[VALUE_MAX], end;
	int r;

	format_key(run, key);
	r = get_text(run, SPACE, key, text, sizeof(text));
	if (r < 0)
		return r;
	if (sscanf(text, "%" SCNu64 " %" SCNd64 "%c", &run->bundle.sequence, &run->bundle.created,
		   &end) == 2 &&
	    run->bundle.created <= now + ADMISSION_CLOCK_SLACK_S &&
	    run->bundle.created + run->export->config->valid_for_s > now)
		return 0;
	return new_sequence(run, key);
}

static int chunk_done(void *ctx, uint32_t index, const struct bundle_chunk *chunk,
		      struct error *err)
{
	struct run *run = ctx;
	char key[16], text[VALUE_MAX], digest[DIGEST_TEXT_SIZE];
	int r = add_chunk(run, chunk);

	(void)snprintf(key, sizeof(key), "%05" PRIu32, index);
	(void)snprintf(text, sizeof(text),
		       "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		       digest_format(&chunk->digest, digest), chunk->size, run->at.ordinal,
		       run->at.offset, run->at.objects, run->at.bytes);
	r = r < 0 ? r : put_text(run, run->space, key, text);
	r = r < 0 ? r : catalogue_commit(run->export->catalogue, err);
	if (r == 0 && run->export->progress)
		run->export->progress(run->export->ctx, index, chunk);
	return r;
}

/* Whether a file is the chunk that was recorded. */
static bool chunk_is_there(struct run *run, uint32_t index, const struct bundle_chunk *chunk)
{
	struct bundle_name name = { .sequence = run->bundle.sequence,
				    .file = BUNDLE_FILE_CHUNK,
				    .index = index };
	char text[BUNDLE_NAME_MAX];
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	_cleanup_close_ int fd = -1;
	uint64_t size = 0;
	struct digest digest;
	struct stat st;

	memcpy(name.hub, run->bundle.hub, 8);
	fd = openat(run->dirfd, bundle_name_format(&name, text),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size != chunk->size || hasher_new(&hasher, NULL) < 0)
		return false;
	if (hasher_add_file(hasher, fd, UINT64_MAX, &size) < 0)
		return false;
	digest = hasher_end(hasher);
	return digest_equal(&digest, &chunk->digest);
}

static bool read_record(const char *text, struct bundle_chunk *chunk, struct cursor *at)
{
	char digest[DIGEST_TEXT_SIZE], end;

	return sscanf(text, "%64s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "%c",
		      digest, &chunk->size, &at->ordinal, &at->offset, &at->objects, &at->bytes,
		      &end) == 6 &&
	       digest_parse(digest, &chunk->digest) == 0;
}

/* Finds the whole chunks of an earlier run. */
static int resume(struct run *run)
{
	struct bundle_chunk chunk;
	char key[16], text[VALUE_MAX];
	struct cursor at;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < BUNDLE_CHUNKS_MAX; i++) {
		(void)snprintf(key, sizeof(key), "%05" PRIu32, i);
		r = get_text(run, run->space, key, text, sizeof(text));
		if (r < 0 || !read_record(text, &chunk, &at) || !chunk_is_there(run, i, &chunk))
			break;
		run->at = at;
		r = add_chunk(run, &chunk);
	}
	run->skip = run->at.ordinal;
	run->report->n_resumed = run->bundle.n_chunks;
	return r;
}

static void at_offset(void *ctx, uint64_t offset)
{
	struct run *run = ctx;

	run->at.offset = offset;
}

static int put_object(void *ctx, const struct plan_object *object)
{
	struct run *run = ctx;
	uint64_t offset = 0;
	int r;

	if (object->ordinal < run->skip)
		return 0;
	if (object->ordinal == run->skip)
		offset = run->at.offset;
	run->at.ordinal = object->ordinal;
	run->at.offset = offset;
	r = object_writer_put(run->objects, object, offset, at_offset, run, run->err);
	run->at.ordinal++;
	run->at.offset = 0;
	run->at.objects++;
	run->at.bytes += object->size;
	return r;
}

static int write_chunks(struct run *run, const struct plan *plan)
{
	_cleanup_(packer_freep) struct packer *packer = NULL;
	_cleanup_(chunk_writer_freep) struct chunk_writer *writer = NULL;
	_cleanup_(object_writer_freep) struct object_writer *objects = NULL;
	struct chunk_writer_options options = {
		.dirfd = run->dirfd,
		.hub = run->bundle.hub,
		.sequence = run->bundle.sequence,
		.chunk_bytes = run->export->config->chunk_bytes,
		.index = (uint32_t)run->bundle.n_chunks,
		.fn = chunk_done,
		.ctx = run,
	};
	int r = packer_new((int)run->export->config->compression, &packer, run->err);

	options.packer = packer;
	r = r < 0 ? r : chunk_writer_new(&options, &writer, run->err);
	r = r < 0 ? r
		  : object_writer_new(run->export->store, packer, writer, run->bundle.kind,
				      &objects, run->err);
	if (r < 0)
		return r;
	run->objects = objects;
	r = plan_walk(plan, run->err);
	return r < 0 ? r : chunk_writer_end(writer, run->err);
}

static int publish(struct run *run, enum bundle_file file, uint32_t index,
		   const struct strbuf *data)
{
	struct bundle_name name = { .sequence = run->bundle.sequence,
				    .file = file,
				    .index = index };
	char text[BUNDLE_NAME_MAX], path[PATH_MAX];

	memcpy(name.hub, run->bundle.hub, 8);
	if (snprintf(path, sizeof(path), "%s/%s", run->export->dir,
		     bundle_name_format(&name, text)) >= (int)sizeof(path))
		return error_set(run->err, ENAMETOOLONG, "the directory's name is too long");
	return file_publish(path, data->data, data->len, 0644, run->err);
}

static int sign(struct run *run, uint32_t index, const struct strbuf *manifest)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(SIGNATURE_FILE_MAX);
	_cleanup_secret_key_ struct secret_key key = { 0 };
	char comment[256];
	int r = secret_key_load(run->export->config->secret_keys[index].text, &key, run->err);

	(void)snprintf(comment, sizeof(comment), "bundle %" PRIu64 " of hub %s",
		       run->bundle.sequence, run->bundle.hub);
	r = r < 0 ? r
		  : signature_make(&key, manifest->data, manifest->len, comment, &text, run->err);
	return r < 0 ? r : publish(run, BUNDLE_FILE_SIGNATURE, index, &text);
}

static int write_manifest(struct run *run)
{
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(BUNDLE_TEXT_MAX);
	const struct config_bundles *config = run->export->config;
	struct bundle_name name = { .sequence = run->bundle.sequence };
	int r = bundle_format(&run->bundle, &manifest, run->err);

	memcpy(name.hub, run->bundle.hub, 8);
	(void)bundle_name_format(&name, run->report->name);
	r = r < 0 ? r : publish(run, BUNDLE_FILE_MANIFEST, 0, &manifest);
	for (size_t i = 0; i < config->n_secret_keys && r == 0; i++)
		r = sign(run, (uint32_t)i, &manifest);
	return r;
}

/* Every key must be readable before hours are spent. */
static int check_keys(const struct export *export, struct error *err)
{
	const struct config_bundles *config = export->config;
	int r = 0;

	if (config->n_secret_keys == 0)
		return error_set(err, EINVAL,
				 "'bundles.secretKeys' names no key to sign with; make one by "
				 "'silica-reservoir keygen FILE'");
	for (size_t i = 0; i < config->n_secret_keys && r == 0; i++) {
		_cleanup_secret_key_ struct secret_key key = { 0 };

		r = secret_key_load(config->secret_keys[i].text, &key, err);
	}
	return r;
}

static uint64_t count_recalled(const struct generation *before, const struct generation *after)
{
	uint64_t n = 0;

	for (size_t i = 0; i < after->revoked.n; i++)
		n += !revoked_has(&before->revoked, &after->revoked.digests[i]);
	return n;
}

static int describe(struct run *run, const struct plan *plan)
{
	const struct export *export = run->export;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(GENERATION_TEXT_MAX);
	struct bundle *bundle = &run->bundle;
	int r = generation_format(export->after, &text, run->err);

	if (r < 0)
		return r;
	bundle->generation_len = text.len;
	bundle->generation = TAKE_PTR(text.data);
	text = STRBUF_INIT(0);
	bundle->number = export->after->number;
	bundle->root = export->after->root;
	bundle->has_base = export->base != NULL;
	if (export->base) {
		bundle->base_number = export->base->number;
		bundle->base_root = export->base->root;
	}
	r = plan_removed(plan, &bundle->removed, &run->report->objects, run->err);
	if (r == 0 && export->base)
		bundle->removed += count_recalled(export->base, export->after);
	return r;
}

static int run_export(struct run *run)
{
	const struct export *export = run->export;
	struct plan plan = { .store = export->store,
			     .before = export->base,
			     .after = export->after,
			     .fn = put_object,
			     .ctx = run,
			     .is_package = export->is_package };
	int r = str_copy(run->bundle.hub, sizeof(run->bundle.hub), store_id(export->store));

	r = r < 0 ? r : describe(run, &plan);
	r = r < 0 ? r : take_sequence(run);
	if (r < 0)
		return r;
	run->bundle.kind = !export->base					  ? BUNDLE_FULL
			   : run->report->objects == 0 && run->bundle.removed > 0 ? BUNDLE_RECALL
										  : BUNDLE_DELTA;
	run->bundle.format = run->bundle.kind == BUNDLE_FULL ? BUNDLE_FORMAT_FULL : BUNDLE_FORMAT;
	run->bundle.expires = run->bundle.created + export->config->valid_for_s;
	(void)snprintf(run->space, sizeof(run->space), SPACE "/%" PRIu64, run->bundle.sequence);
	r = resume(run);
	r = r < 0 ? r : write_chunks(run, &plan);
	run->bundle.objects = run->at.objects;
	run->bundle.bytes = run->at.bytes;
	return r < 0 ? r : write_manifest(run);
}

static void report(const struct run *run, struct export_report *ret)
{
	ret->sequence = run->bundle.sequence;
	ret->kind = run->bundle.kind;
	ret->base_number = run->bundle.base_number;
	ret->number = run->bundle.number;
	ret->objects = run->bundle.objects;
	ret->bytes = run->bundle.bytes;
	ret->removed = run->bundle.removed;
	ret->n_chunks = run->bundle.n_chunks;
}

int export_bundle(const struct export *export, struct export_report *ret, struct error *err)
{
	_cleanup_close_ int dirfd = -1;
	struct export_report result = { 0 };
	struct error local = { 0 };
	struct run run = { .export = export, .report = &result, .err = err ? err : &local };
	int r;

	if (export->base && digest_equal(&export->base->root, &export->after->root))
		return error_set(err, EALREADY,
				 "nothing changed since generation %" PRIu64 ": there is nothing "
				 "to export",
				 export->base->number);
	r = check_keys(export, run.err);
	if (r < 0)
		return r;
	dirfd = open(export->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error_set(err, errno, "open '%s', where the bundle goes: %m", export->dir);
	run.dirfd = dirfd;
	r = run_export(&run);
	report(&run, &result);
	bundle_done(&run.bundle);
	if (r == -ENOSPC || r == -EDQUOT)
		return error_wrap(run.err, r,
				  "bundle %" PRIu64
				  " stops after %zu chunks, and goes on there when "
				  "there is room",
				  result.sequence, result.n_chunks);
	if (r < 0)
		return error_wrap(run.err, r, "bundle %" PRIu64, result.sequence);
	*ret = result;
	return 0;
}
