/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/packages.h"
#include "reservoir/apt/suite.h"
#include "reservoir/store/object.h"
#include "reservoir/store/unpack.h"

#define NOTE_MAX ((size_t)16 * 1024 * 1024) /* 100 generations of 1000 indexes */

/* --- files of packages --- */

struct wanted {
	struct suite *suite;
	enum index_kind kind;
};

static int want_file(void *ctx, const struct package_file *file, struct error *err)
{
	const struct suite *suite = ctx;
	struct manifest_entry entry = {
		.path = file->path,
		.media = media_of_path(file->path),
		.digest = file->sha256,
		.size = file->size,
		.mtime = suite->release.date,
	};
	int r = run_want(suite->run, &entry, err);

	return MIN(r, 0);
}

int publish_files(struct suite *suite, enum index_kind kind, const struct deb822_stanza *stanza,
		  struct error *err)
{
	struct package_file file;
	int r;

	if (kind == INDEX_SOURCES)
		return source_files(stanza, want_file, suite, err);
	r = package_file(stanza, &file, err);
	return r < 0 ? r : want_file(suite, &file, err);
}

static int on_stanza(void *ctx, const struct deb822_stanza *stanza, struct error *err)
{
	const struct wanted *wanted = ctx;

	return publish_files(wanted->suite, wanted->kind, stanza, err);
}

static int feed(void *ctx, const char *data, size_t len, struct error *err)
{
	return deb822_feed(ctx, data, len, err);
}

int publish_read(struct apt_run *run, const struct digest *digest, deb822_fn fn, void *ctx,
		 struct error *err)
{
	_cleanup_deb822_ struct deb822_reader reader;
	int r;

	deb822_init(&reader, fn, ctx);
	r = unpack_object(run->sync->store, digest, feed, &reader, err);
	return r < 0 ? r : deb822_end(&reader, err);
}

int publish_packages(struct suite *suite, const struct index *index, struct error *err)
{
	struct wanted wanted = { suite, index->place.kind };
	int r;

	if ((index->place.kind != INDEX_PACKAGES && index->place.kind != INDEX_SOURCES) ||
	    !suite_is_read(suite, index))
		return 0;
	r = publish_read(suite->run, &index->digest, on_stanza, &wanted, err);
	return r < 0 ? error_wrap(err, r, "%s%s", suite->base, suite_index_path(index)) : 0;
}

/* --- indexes --- */

static int add_at(struct suite *suite, const struct index *index, const char *path,
		  struct error *err)
{
	struct manifest_entry entry = {
		.path = path,
		.media = media_of_path(suite_index_path(index)),
		.digest = index->digest,
		.size = index->size,
		.mtime = index->mtime,
	};
	int r = run_add(suite->run, &entry, err);

	return MIN(r, 0);
}

int publish_index(struct suite *suite, const struct index *index, struct error *err)
{
	char path[STORE_PATH_MAX], hash[DIGEST_TEXT_SIZE];
	int r = suite_path(suite, suite_index_path(index), path, err);

	if (r == 0)
		r = add_at(suite, index, path, err);
	/* Patches are only asked for by name, and a Release made here says that hashes are. */
	if (r < 0 || index->path || !(suite->release.by_hash || suite->run->curated))
		return r;
	r = suite_by_hash(suite, suite_index_path(index), "SHA256",
			  digest_format(&index->digest, hash), path, err);
	if (r == 0)
		r = add_at(suite, index, path, err);
	if (r < 0 || !index->file->sha512)
		return r;
	r = suite_by_hash(suite, suite_index_path(index), "SHA512", index->file->sha512, path, err);
	return r < 0 ? r : add_at(suite, index, path, err);
}

int publish_metas(struct suite *suite, struct error *err)
{
	int r = 0;

	for (int kind = 0; r >= 0 && kind < _META_KIND_MAX; kind++) {
		struct manifest_entry entry = suite->metas[kind].entry;
		char path[APT_KEY_SIZE];

		if (!suite->metas[kind].there)
			continue;
		r = suite_kept_path(suite, (enum meta_kind)kind, path, err);
		if (r < 0)
			return r;
		entry.path = path;
		entry.media = kind == META_SIGNATURE ? MEDIA_PGP_SIGNATURE : MEDIA_TEXT;
		r = run_add(suite->run, &entry, err);
	}
	return MIN(r, 0);
}

static int publish_suite(struct suite *suite, struct error *err)
{
	int r = publish_metas(suite, err);

	for (size_t i = 0; r == 0 && i < suite->n_indexes; i++)
		if (suite->indexes[i].there)
			r = publish_index(suite, &suite->indexes[i], err);
	for (size_t i = 0; r == 0 && i < suite->n_indexes; i++)
		r = publish_packages(suite, &suite->indexes[i], err);
	return r;
}

int publish_verbatim(struct apt_run *run, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		r = publish_suite(&run->suites[i], err);
	return r;
}

/* --- earlier indexes --- */

/* Lines of "AGE PATH": for how many syncs upstream has not had an index any more. */
static int read_ages(struct apt_run *run, struct seen *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(NOTE_MAX);
	struct manifest_entry entry;
	char *rest;
	int r;

	if (!run_current(run, APT_NOTE_BY_HASH, &entry))
		return 0;
	r = object_read(run->sync->store, &entry.digest, NOTE_MAX, &text, err);
	/* Without it all begin to age anew. */
	if (r < 0 || text.len == 0)
		return r == -ENOMEM ? r : 0;
	rest = text.data;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char *path = strchr(line, ' ');
		uint64_t age;

		if (!path)
			continue;
		*path++ = '\0';
		if (parse_u64(line, 10, &age) == 0) {
			r = seen_add(ret, path, strlen(path), age, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int keep_earlier(struct apt_run *run, const struct seen *ages,
			const struct manifest_entry *entry, struct strbuf *note, struct error *err)
{
	uint64_t age = 0;
	int r;

	if (!strstr(entry->path, "by-hash/") ||
	    seen_has(&run->paths, entry->path, strlen(entry->path)))
		return 0;
	(void)seen_get(ages, entry->path, strlen(entry->path), &age);
	if (age + 1 > run->options.keep_indexes)
		return 0;
	strbuf_printf(note, "%llu %s\n", (unsigned long long)age + 1, entry->path);
	r = run_add(run, entry, err);
	return MIN(r, 0);
}

static int keep_of_suite(const struct suite *suite, const struct seen *ages, struct strbuf *note,
			 struct error *err)
{
	struct apt_run *run = suite->run;
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	int r = 0;

	manifest_seek(run->sync->current, suite->base, &cursor);
	while (r == 0 && manifest_next(&cursor, &entry) && str_starts_with(entry.path, suite->base))
		r = keep_earlier(run, ages, &entry, note, err);
	return r;
}

int publish_earlier(struct apt_run *run, struct error *err)
{
	_cleanup_strbuf_ struct strbuf note = STRBUF_INIT(NOTE_MAX);
	_cleanup_seen_ struct seen ages = { 0 };
	char options[DIGEST_TEXT_SIZE];
	int r = run->sync->current ? read_ages(run, &ages, err) : 0;

	for (size_t i = 0; r == 0 && run->sync->current && i < run->n_suites; i++)
		if (!run->suites[i].stop && !run->suites[i].beside)
			r = keep_of_suite(&run->suites[i], &ages, &note, err);
	if (r == 0 && strbuf_error(&note) < 0)
		r = error_set(err, -strbuf_error(&note), "too many earlier indexes");
	if (r == 0 && note.len > 0)
		r = run_note(run, APT_NOTE_BY_HASH, note.data, note.len, err);
	if (r < 0)
		return r;
	(void)digest_format(&run->selection, options);
	r = run_note(run, APT_NOTE_OPTIONS, options, strlen(options), err);
	return MIN(r, 0);
}
