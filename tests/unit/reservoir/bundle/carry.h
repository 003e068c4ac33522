/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hub and a site with a directory between them, and content made from numbers.
 *
 * Source: reservoir/bundle
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "reservoir/bundle/compress.h"
#include "reservoir/bundle/exporter.h"
#include "reservoir/bundle/importer.h"
#include "reservoir/bundle/key.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"
#include "tests/test.h"

#define CARRY_PACKED_MAX ((size_t)16 * 1024 * 1024)
#define CARRY_NOW 1800000000 /* seconds since 1970 */

/* What a file of a repository has in it. */
struct content {
	const char *path;
	size_t size;
	unsigned int seed;
	bool is_text;  /* lines that differ little from seed to seed; else random bytes */
	bool has_gzip; /* and a variant of it */
	bool has_xz;   /* and files beside it, as Debian's archive makes them */
	bool has_gz;
	unsigned int changed; /* of a .gz that nothing makes again: bytes in 1000 of the seed */
	bool is_hidden;	      /* the file itself is only listed */
};

struct carry {
	char dir[64];
	char hub_dir[96];
	char site_dir[96];
	char medium[96];
	char receipts[96];
	struct config_path secret;
	struct config_word public;
	struct trusted_hub trusted;
	struct config_bundles hub_config;
	struct config_bundles site_config;
	struct store *hub;
	struct catalogue *hub_catalogue;
	struct store *site;
	struct catalogue *site_catalogue;
	struct config_path receipt_secret;
	struct config_word receipt_public;
};

#define CARRY_TRY(r, err) carry_try((r), (err), __LINE__)

/**
 * carry_try() - End the test when something failed.
 * @r: what a function returned
 * @err: error
 * @line: line of the test
 */
static inline void carry_try(int r, const struct error *err, int line)
{
	if (r < 0)
		fail_msg("line %d: %d: %s", line, r, err->msg);
}

/**
 * carry_remove() - Remove one entry of a tree, of nftw().
 * @path: path
 * @st: not used
 * @type: not used
 * @ftw: not used
 *
 * Return: what remove() says.
 */
static inline int carry_remove(const char *path, _unused_ const struct stat *st, _unused_ int type,
			       _unused_ struct FTW *ftw)
{
	return remove(path);
}

/**
 * carry_open_site() - Open the site's store and catalogue.
 * @carry: hub and site
 */
static inline void carry_open_site(struct carry *carry)
{
	struct error err = { 0 };

	CARRY_TRY(store_open(carry->site_dir, STORE_WRITE, &carry->site, &err), &err);
	CARRY_TRY(catalogue_open(carry->site, &carry->site_catalogue, &err), &err);
}

/**
 * carry_close_site() - Close them.
 * @carry: hub and site
 */
static inline void carry_close_site(struct carry *carry)
{
	catalogue_close(carry->site_catalogue);
	store_close(carry->site);
	carry->site_catalogue = NULL;
	carry->site = NULL;
}

/**
 * carry_make_keys() - Make the keys of the hub and of the site's receipts.
 * @carry: hub and site
 */
static inline void carry_make_keys(struct carry *carry)
{
	char text[KEY_TEXT_SIZE];
	struct error err = { 0 };

	(void)snprintf(carry->secret.text, sizeof(carry->secret.text), "%s/hub.key", carry->dir);
	CARRY_TRY(key_generate(carry->secret.text, text, &err), &err);
	(void)snprintf(carry->public.text, sizeof(carry->public.text), "%s", text);
	(void)snprintf(carry->receipt_secret.text, sizeof(carry->receipt_secret.text),
		       "%s/site.key", carry->dir);
	CARRY_TRY(key_generate(carry->receipt_secret.text, text, &err), &err);
	(void)snprintf(carry->receipt_public.text, sizeof(carry->receipt_public.text), "%s", text);
}

/**
 * carry_configure() - Let the site trust the hub.
 * @carry: hub and site
 */
static inline void carry_configure(struct carry *carry)
{
	carry->hub_config = (struct config_bundles) {
		.secret_keys = &carry->secret,
		.n_secret_keys = 1,
		.chunk_bytes = 64 * 1024,
		.compression = 3,
		.valid_for_s = 86400 * 30,
		.sites = &carry->receipt_public,
		.n_sites = 1,
	};
	carry->trusted =
		(struct trusted_hub) { .keys = &carry->public, .n_keys = 1, .signatures = 1 };
	(void)snprintf(carry->trusted.id, sizeof(carry->trusted.id), "%s", store_id(carry->hub));
	carry->site_config = (struct config_bundles) {
		.compression = 3,
		.hubs = &carry->trusted,
		.n_hubs = 1,
		.receipt_key = carry->receipt_secret,
		.scanner_timeout_ms = 10000,
	};
}

/**
 * carry_setup() - Make a hub and a site.
 * @state: where the test keeps them
 *
 * Return: 0.
 */
static inline int carry_setup(void **state)
{
	struct carry *carry = calloc(1, sizeof(*carry));
	struct error err = { 0 };

	assert_non_null(carry);
	(void)snprintf(carry->dir, sizeof(carry->dir), "/tmp/silica-bundle-XXXXXX");
	assert_non_null(mkdtemp(carry->dir));
	(void)snprintf(carry->hub_dir, sizeof(carry->hub_dir), "%s/hub", carry->dir);
	(void)snprintf(carry->site_dir, sizeof(carry->site_dir), "%s/site", carry->dir);
	(void)snprintf(carry->medium, sizeof(carry->medium), "%s/medium", carry->dir);
	(void)snprintf(carry->receipts, sizeof(carry->receipts), "%s/receipts", carry->dir);
	assert_int_equal(mkdir(carry->medium, 0755), 0);
	assert_int_equal(mkdir(carry->receipts, 0755), 0);
	CARRY_TRY(store_create(carry->hub_dir, &err), &err);
	CARRY_TRY(store_create(carry->site_dir, &err), &err);
	CARRY_TRY(store_open(carry->hub_dir, STORE_WRITE, &carry->hub, &err), &err);
	CARRY_TRY(catalogue_open(carry->hub, &carry->hub_catalogue, &err), &err);
	carry_open_site(carry);
	carry_make_keys(carry);
	carry_configure(carry);
	*state = carry;
	return 0;
}

/**
 * carry_teardown() - Remove them.
 * @state: where the test keeps them
 *
 * Return: 0.
 */
static inline int carry_teardown(void **state)
{
	struct carry *carry = *state;

	carry_close_site(carry);
	catalogue_close(carry->hub_catalogue);
	store_close(carry->hub);
	(void)nftw(carry->dir, carry_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(carry);
	return 0;
}

/**
 * carry_bytes() - Bytes of a file: of text every 50th line has the seed in it.
 * @content: what the file has in it
 *
 * Return: the bytes, to be released with free().
 */
static inline unsigned char *carry_bytes(const struct content *content)
{
	unsigned char *bytes = malloc(content->size + 128);
	uint64_t state = (content->changed ? 1 : content->seed) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	size_t at = 0;

	assert_non_null(bytes);
	for (unsigned int line = 0; content->is_text && at < content->size; line++)
		at += (size_t)snprintf(
			(char *)bytes + at, 128, "Package: p%u\nSHA256: %x%x\nSeed: %u\n\n", line,
			line * 2654435761u, line * 40503u, line % 50 == 0 ? content->seed : 0);
	for (; at < content->size; at++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		bytes[at] = (unsigned char)(state >> 56);
		if (at % 50000 < content->changed * 50)
			bytes[at] ^= (unsigned char)content->seed;
	}
	return bytes;
}

/* What carry_compress() goes on with. */
struct carry_stream {
	const unsigned char *data;
	size_t len;
	struct strbuf *out;
};

/**
 * carry_stream_read() - Give all bytes at once.
 * @ctx: stream
 * @ret: the bytes
 * @err: not set
 *
 * Return: their number; then 0.
 */
static inline ssize_t carry_stream_read(void *ctx, const unsigned char **ret, struct error *err)
{
	struct carry_stream *stream = ctx;
	ssize_t n = (ssize_t)stream->len;

	(void)err;
	*ret = stream->data;
	stream->len = 0;
	return n;
}

/**
 * carry_stream_write() - Take bytes.
 * @ctx: stream
 * @data: @len bytes
 * @len: number of bytes
 * @err: not set
 *
 * Return: 0.
 */
static inline int carry_stream_write(void *ctx, const unsigned char *data, size_t len,
				     struct error *err)
{
	struct carry_stream *stream = ctx;

	(void)err;
	strbuf_add(stream->out, data, len);
	return 0;
}

/**
 * carry_compress() - Compress bytes as a record says.
 * @algorithm: algorithm
 * @level: level
 * @data: @len bytes
 * @len: number of bytes
 * @out: appended to
 *
 * Return: 0 or negative errno.
 */
static inline int carry_compress(enum record_algorithm algorithm, unsigned int level,
				 const void *data, size_t len, struct strbuf *out)
{
	struct carry_stream stream = { data, len, out };
	struct compress_io io = { carry_stream_read, carry_stream_write, &stream };
	struct error err = { 0 };

	return compress_as(algorithm, level, &io, &err);
}

/**
 * carry_archive() - Compress bytes as an archive does: of gzip with a time in the header.
 * @algorithm: algorithm
 * @level: level
 * @data: @len bytes
 * @len: number of bytes
 * @out: receives the file
 *
 * Return: 0 or negative errno.
 */
static inline int carry_archive(enum record_algorithm algorithm, unsigned int level,
				const void *data, size_t len, struct strbuf *out)
{
	int r = carry_compress(algorithm == RECORD_DEFLATE ? RECORD_GZIP : algorithm, level, data,
			       len, out);

	if (r == 0 && algorithm == RECORD_DEFLATE)
		out->data[4] = 1;
	return r;
}

/* How a file is compressed, and what it is then. */
struct carry_form {
	const char *suffix; /* "": a variant of the same name */
	enum media media;
	enum encoding encoding;
	enum record_algorithm algorithm;
	unsigned int level;
};

static const struct carry_form carry_gzip = { "", MEDIA_TEXT, ENCODING_GZIP, RECORD_GZIP, 9 };
static const struct carry_form carry_xz = { ".xz", MEDIA_XZ, ENCODING_IDENTITY, RECORD_XZ_BLOCKS,
					    16 };
static const struct carry_form carry_gz = { ".gz", MEDIA_GZIP, ENCODING_IDENTITY, RECORD_DEFLATE,
					    9 };

/**
 * carry_add_packed() - Add what a file is when it is compressed.
 * @store: store
 * @builder: manifest that is made
 * @content: what the file has in it
 * @bytes: bytes of the file
 * @form: how it is compressed
 */
static inline void carry_add_packed(struct store *store, struct manifest_builder *builder,
				    const struct content *content, const unsigned char *bytes,
				    const struct carry_form *form)
{
	char path[128];
	struct manifest_entry entry = { .path = path,
					.media = form->media,
					.encoding = form->encoding };
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(CARRY_PACKED_MAX);
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s%s", content->path, form->suffix);
	CARRY_TRY(carry_archive(form->algorithm, form->level, bytes, content->size, &packed), &err);
	entry.size = packed.len;
	CARRY_TRY(object_put(store, packed.data, packed.len, &entry.digest, &err), &err);
	CARRY_TRY(manifest_add(builder, &entry, &err), &err);
}

/**
 * carry_manifest() - Make objects and a manifest of files.
 * @store: store
 * @contents: files, ended by one without a path
 *
 * Return: the manifest.
 */
static inline struct digest carry_manifest(struct store *store, const struct content *contents)
{
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	struct digest digest;
	struct error err = { 0 };

	CARRY_TRY(manifest_builder_new(store, &builder, &err), &err);
	for (; contents->path; contents++) {
		struct manifest_entry entry = { .path = contents->path,
						.media = contents->is_text   ? MEDIA_TEXT
							 : contents->changed ? MEDIA_GZIP
									     : MEDIA_DEB,
						.size = contents->size };
		unsigned char *bytes = carry_bytes(contents);

		CARRY_TRY(object_put(store, bytes, contents->size, &entry.digest, &err), &err);
		if (!contents->is_hidden)
			CARRY_TRY(manifest_add(builder, &entry, &err), &err);
		if (contents->has_gzip)
			carry_add_packed(store, builder, contents, bytes, &carry_gzip);
		if (contents->has_gz)
			carry_add_packed(store, builder, contents, bytes, &carry_gz);
		if (contents->has_xz)
			carry_add_packed(store, builder, contents, bytes, &carry_xz);
		free(bytes);
	}
	CARRY_TRY(manifest_finish(builder, &digest, &err), &err);
	CARRY_TRY(object_flush(store, &err), &err);
	return digest;
}

/**
 * carry_publish_both() - Publish a repository whose clients get other files than it has.
 * @store: store
 * @name: name
 * @served: files of clients, ended by one without a path
 * @collected: files that were collected
 */
static inline void carry_publish_both(struct store *store, const char *name,
				      const struct content *served, const struct content *collected)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	struct generation_repository repository = { .ecosystem = "apt" };
	struct error err = { 0 };

	repository.collected = carry_manifest(store, collected);
	repository.served =
		served == collected ? repository.collected : carry_manifest(store, served);
	(void)snprintf(repository.name, sizeof(repository.name), "%s", name);
	CARRY_TRY(manifest_open(store, &repository.served, &manifest, &err), &err);
	repository.n_files = manifest_count(manifest);
	repository.bytes = manifest_bytes(manifest);
	CARRY_TRY(generation_current(store, &current, &err), &err);
	CARRY_TRY(generation_copy(current, &next, &err), &err);
	CARRY_TRY(generation_set(next, &repository, &err), &err);
	CARRY_TRY(generation_publish(store, next, &err), &err);
}

/**
 * carry_publish() - Publish a repository of files, beside the others.
 * @store: store
 * @name: name
 * @contents: files, ended by one without a path
 */
static inline void carry_publish(struct store *store, const char *name,
				 const struct content *contents)
{
	carry_publish_both(store, name, contents, contents);
}

/**
 * carry_try_export() - Export what the hub has.
 * @carry: hub and site
 * @since: generation of the hub to begin from; 0: none
 * @now: seconds since 1970
 * @ret: receives the result
 * @err: error
 *
 * Return: as export_bundle().
 */
static inline int carry_try_export(struct carry *carry, uint64_t since, int64_t now,
				   struct export_report *ret, struct error *err)
{
	_cleanup_(generation_freep) struct generation *base = NULL;
	_cleanup_(generation_freep) struct generation *after = NULL;
	struct export export = { .store = carry->hub,
				 .catalogue = carry->hub_catalogue,
				 .config = &carry->hub_config,
				 .dir = carry->medium,
				 .now = now };

	if (since > 0)
		CARRY_TRY(generation_read(carry->hub, since, &base, err), err);
	CARRY_TRY(generation_current(carry->hub, &after, err), err);
	export.base = base;
	export.after = after;
	return export_bundle(&export, ret, err);
}

/**
 * carry_export() - Export what the hub has, which must work.
 * @carry: hub and site
 * @since: generation of the hub to begin from; 0: none
 *
 * Return: what was written.
 */
static inline struct export_report carry_export(struct carry *carry, uint64_t since)
{
	struct export_report report = { 0 };
	struct error err = { 0 };

	CARRY_TRY(carry_try_export(carry, since, CARRY_NOW, &report, &err), &err);
	return report;
}

/**
 * carry_try_import() - Import a bundle of the medium.
 * @carry: hub and site
 * @name: name
 * @now: seconds since 1970
 * @dry_run: whether nothing is written
 * @ret: receives the result
 * @err: error
 *
 * Return: as import_bundle().
 */
static inline int carry_try_import(struct carry *carry, const char *name, int64_t now, bool dry_run,
				   struct import_report *ret, struct error *err)
{
	struct import import = { .store = carry->site,
				 .catalogue = dry_run ? NULL : carry->site_catalogue,
				 .config = &carry->site_config,
				 .dir = carry->medium,
				 .chunk_dir = carry->medium,
				 .receipts = carry->receipts,
				 .name = name,
				 .dry_run = dry_run,
				 .now = now };

	return import_bundle(&import, ret, err);
}

/**
 * carry_import() - Import a bundle of the medium, which must give a verdict.
 * @carry: hub and site
 * @name: name
 *
 * Return: the report.
 */
static inline struct import_report carry_import(struct carry *carry, const char *name)
{
	struct import_report report = { 0 };
	struct error err = { 0 };

	CARRY_TRY(carry_try_import(carry, name, CARRY_NOW, false, &report, &err), &err);
	return report;
}

#define carry_assert(report, wanted) carry_assert_verdict((report), (wanted), __LINE__)

/**
 * carry_assert_verdict() - See that a verdict is the one wanted.
 * @report: report
 * @wanted: verdict
 * @line: line of the test
 */
static inline void carry_assert_verdict(struct import_report report, enum import_verdict wanted,
					int line)
{
	if (report.verdict != wanted)
		fail_msg("line %d: %s instead of %s: %s", line, import_verdict_name(report.verdict),
			 import_verdict_name(wanted), report.why);
}

/**
 * carry_check_packed() - See that a compressed file is what it was at the hub.
 * @store: store
 * @manifest: what is served
 * @content: the file
 * @bytes: what it has in it
 * @form: how it is compressed
 */
static inline void carry_check_packed(struct store *store, const struct manifest *manifest,
				      const struct content *content, const unsigned char *bytes,
				      const struct carry_form *form)
{
	char path[128];
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(CARRY_PACKED_MAX);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CARRY_PACKED_MAX);
	struct manifest_entry entry;
	struct error err = { 0 };

	(void)snprintf(path, sizeof(path), "%s%s", content->path, form->suffix);
	CARRY_TRY(carry_archive(form->algorithm, form->level, bytes, content->size, &packed), &err);
	assert_true(manifest_variant(manifest, path, form->media, form->encoding, &entry));
	CARRY_TRY(object_read(store, &entry.digest, CARRY_PACKED_MAX, &text, &err), &err);
	assert_int_equal(text.len, packed.len);
	assert_memory_equal(text.data, packed.data, text.len);
}

/**
 * carry_check_file() - See that a file is what it was at the hub.
 * @store: store
 * @manifest: what is served
 * @content: the file
 * @bytes: what it has in it
 */
static inline void carry_check_file(struct store *store, const struct manifest *manifest,
				    const struct content *content, const unsigned char *bytes)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(content->size + 1);
	struct manifest_entry entry;
	struct error err = { 0 };

	assert_true(manifest_find(manifest, content->path, &entry));
	CARRY_TRY(object_read(store, &entry.digest, content->size + 1, &text, &err), &err);
	assert_int_equal(text.len, content->size);
	assert_true(content->size == 0 || memcmp(text.data, bytes, text.len) == 0);
}

/**
 * carry_check() - See that the site serves exactly these files of a repository.
 * @carry: hub and site
 * @name: name
 * @contents: files, ended by one without a path
 */
static inline void carry_check(struct carry *carry, const char *name,
			       const struct content *contents)
{
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	const struct generation_repository *repository;
	struct error err = { 0 };
	size_t n = 0;

	CARRY_TRY(generation_current(carry->site, &current, &err), &err);
	repository = generation_repository(current, name);
	assert_non_null(repository);
	CARRY_TRY(manifest_open(carry->site, &repository->served, &manifest, &err), &err);
	for (; contents->path; contents++) {
		unsigned char *bytes = carry_bytes(contents);

		if (!contents->is_hidden)
			carry_check_file(carry->site, manifest, contents, bytes);
		if (contents->has_gzip)
			carry_check_packed(carry->site, manifest, contents, bytes, &carry_gzip);
		if (contents->has_gz)
			carry_check_packed(carry->site, manifest, contents, bytes, &carry_gz);
		if (contents->has_xz)
			carry_check_packed(carry->site, manifest, contents, bytes, &carry_xz);
		free(bytes);
		n += (size_t)!contents->is_hidden + contents->has_gzip + contents->has_gz +
		     contents->has_xz;
	}
	assert_int_equal(manifest_count(manifest), n);
}

/**
 * carry_path() - The path of a file of the medium.
 * @carry: hub and site
 * @name: name
 * @out: receives it
 *
 * Return: @out.
 */
static inline const char *carry_path(const struct carry *carry, const char *name, char out[256])
{
	(void)snprintf(out, 256, "%s/%s", carry->medium, name);
	return out;
}

/**
 * carry_read() - Read a file of the medium whole.
 * @carry: hub and site
 * @name: name
 * @ret: receives the result
 *
 * Return: its bytes, to be released with free().
 */
static inline unsigned char *carry_read(const struct carry *carry, const char *name, size_t *ret)
{
	char path[256];
	int fd = open(carry_path(carry, name, path), O_RDONLY | O_CLOEXEC);
	struct stat st;
	unsigned char *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	(void)close(fd);
	*ret = (size_t)st.st_size;
	return bytes;
}

/**
 * carry_write() - Write a file of the medium.
 * @carry: hub and site
 * @name: name
 * @data: bytes
 * @len: how many
 */
static inline void carry_write(const struct carry *carry, const char *name, const void *data,
			       size_t len)
{
	char path[256];
	struct error err = { 0 };

	CARRY_TRY(file_publish(carry_path(carry, name, path), data, len, 0644, &err), &err);
}

/**
 * carry_count_objects() - Count the objects of the site's store.
 * @carry: hub and site
 *
 * Return: how many there are.
 */
static inline size_t carry_count_objects(const struct carry *carry)
{
	char path[128];
	size_t n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/objects", carry->site_dir);
	dir = opendir(path);
	for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		char sub[512];
		DIR *inner;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(sub, sizeof(sub), "%s/%s", path, entry->d_name);
		inner = opendir(sub);
		for (const struct dirent *object = inner ? readdir(inner) : NULL; object;
		     object = readdir(inner))
			n += object->d_name[0] != '.';
		if (inner)
			(void)closedir(inner);
	}
	if (dir)
		(void)closedir(dir);
	return n;
}
