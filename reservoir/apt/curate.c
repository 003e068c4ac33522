/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two passes over the suites: first packages, which says what was taken and from which
 * sources; then what follows from that. Where nothing is left out, indexes are
 * upstream's own bytes, and only Release is new.
 */
#include "reservoir/apt/curate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/closure.h"
#include "reservoir/apt/packages.h"
#include "reservoir/apt/parts.h"
#include "reservoir/apt/publish.h"
#include "reservoir/apt/suite.h"
#include "reservoir/apt/writer.h"
#include "reservoir/store/object.h"

struct curator {
	struct apt_run *run;
	bool filtered; /* something is left out */
	struct closure_result result;
	struct seen sources; /* "NAME VERSION" that was taken a package of */
};

/* An index that is written anew. */
struct rewrite {
	struct curator *curator;
	struct suite *suite;
	const struct index *index;
	struct writer *writer;
};

/* --- which packages --- */

static void tell_failure(void *ctx, const char *request, const char *text)
{
	run_fail(ctx, request, text);
}

static void tell_note(void *ctx, const char *request, const char *text)
{
	const struct apt_run *run = ctx;
	char line[ERROR_TEXT_MAX];

	(void)snprintf(line, sizeof(line), "%.200s: %.300s", request, text);
	sync_note(run->sync, line);
}

static int look_for_absent(void *ctx, const struct package_file *file, struct error *err _unused_)
{
	const struct apt_run *run = ctx;
	bool absent = seen_has(&run->absent, file->path, strlen(file->path)) ||
		      revoked_has(run->sync->revoked, &file->sha256);

	return absent ? -ENOENT : 0;
}

static bool lacks_some(const struct apt_run *run)
{
	return run->absent.n > 0 || run->sync->revoked->n > 0;
}

/* Whether a stanza speaks of a file that upstream does not have, or that was recalled. */
static bool is_absent(struct apt_run *run, enum index_kind kind, const struct deb822_stanza *stanza)
{
	struct package_file file;

	if (!lacks_some(run))
		return false;
	if (kind == INDEX_SOURCES)
		return source_files(stanza, look_for_absent, run, NULL) == -ENOENT;
	return package_file(stanza, &file, NULL) == 0 && look_for_absent(run, &file, NULL) < 0;
}

/* What a closure is made of. */
struct gather {
	struct apt_run *run;
	struct closure *closure;
};

static int add_package(void *ctx, const struct deb822_stanza *stanza, struct error *err)
{
	const struct gather *gather = ctx;

	if (is_absent(gather->run, INDEX_PACKAGES, stanza))
		return 0;
	return closure_add(gather->closure, stanza, err);
}

static bool is_for(const struct index *index, const char *architecture)
{
	const char *of = index->place.architecture;

	return index->place.kind == INDEX_PACKAGES &&
	       (!of[0] || strcmp(of, "all") == 0 || strcmp(of, architecture) == 0);
}

static int add_suite(struct closure *closure, struct suite *suite, const char *architecture,
		     struct error *err)
{
	struct gather gather = { suite->run, closure };
	int r = 0;

	for (size_t i = 0; r == 0 && i < suite->n_indexes; i++) {
		const struct index *index = &suite->indexes[i];

		if (is_for(index, architecture) && suite_is_read(suite, index))
			r = publish_read(suite->run, &index->digest, add_package, &gather, err);
	}
	return r < 0 ? error_wrap(err, r, "suite '%s'", suite->name) : 0;
}

static int close_over(struct curator *curator, const char *architecture, struct error *err)
{
	_cleanup_(closure_freep) struct closure *closure = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	struct apt_run *run = curator->run;
	char path[APT_KEY_SIZE];
	int fd = store_tmpfile(run->sync->store, err);
	int r;

	if (fd < 0)
		return fd;
	file = fdopen(fd, "w+");
	if (!file) {
		(void)close(fd);
		return error_set(err, ENOMEM, "no memory for a file");
	}
	r = closure_new(&run->options, architecture, file, &closure, err);
	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		r = add_suite(closure, &run->suites[i], architecture, err);
	if (r == 0)
		r = closure_solve(closure, &curator->result, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), APT_NOTE_CLOSURE "%s", architecture);
	r = run_note(run, path, strbuf_str(&curator->result.note), curator->result.note.len, err);
	strbuf_clear(&curator->result.note);
	return MIN(r, 0);
}

/* Architectures of machines: those configured, or all that any suite has. */
static int close_over_all(struct curator *curator, struct error *err)
{
	const struct apt_run *run = curator->run;
	const struct apt_options *options = &run->options;
	_cleanup_seen_ struct seen done = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < options->n_architectures; i++)
		if (strcmp(options->architectures[i].text, "all") != 0)
			r = close_over(curator, options->architectures[i].text, err);
	if (options->n_architectures > 0)
		return r;
	for (size_t i = 0; r == 0 && i < run->n_suites; i++) {
		const struct release *release = &run->suites[i].release;

		for (size_t j = 0; r == 0 && j < release->n_architectures; j++) {
			const char *architecture = release->architectures[j].text;

			if (strcmp(architecture, "all") == 0 ||
			    seen_add(&done, architecture, strlen(architecture), 0, NULL) !=
				    SEEN_NEW)
				continue;
			r = close_over(curator, architecture, err);
		}
	}
	return r;
}

static int choose(struct curator *curator, struct error *err)
{
	const struct apt_options *options = &curator->run->options;
	int r;

	if (options->n_packages == 0)
		return 0;
	curator->result.found = calloc(options->n_packages, sizeof(bool));
	if (!curator->result.found)
		return error_set(err, ENOMEM, "no memory for packages");
	r = close_over_all(curator, err);
	for (size_t i = 0; r == 0 && i < options->n_packages; i++)
		if (!curator->result.found[i])
			run_fail(curator->run, options->packages[i].text,
				 lacks_some(curator->run)
					 ? "the suites selected have no such package, or it was "
					   "recalled, or upstream lists it and does not have it"
					 : "there is no such package in the suites selected");
	return r;
}

/* --- what is kept of an index --- */

static bool is_chosen(const struct curator *curator, const struct package_name *name)
{
	char key[CLOSURE_KEY_MAX];
	uint64_t excluded;

	if (closure_is_excluded(&curator->run->options, name->name))
		return false;
	return curator->run->options.n_packages == 0 ||
	       (seen_get(&curator->result.chosen, key, closure_key(name, key, sizeof(key)),
			 &excluded) &&
		excluded == 0);
}

static bool has_name(const struct curator *curator, const char *name)
{
	if (curator->run->options.n_packages == 0)
		return !closure_is_excluded(&curator->run->options, name);
	return seen_has(&curator->result.names, name, strlen(name));
}

static int add_source(struct curator *curator, const struct deb822_stanza *stanza,
		      struct error *err)
{
	struct package_name source;
	char key[CLOSURE_KEY_MAX];
	size_t len;
	int r = package_source(stanza, &source, err);

	if (r < 0)
		return r;
	len = closure_key(&source, key, sizeof(key));
	r = seen_add(&curator->sources, key, len, 0, err);
	return MIN(r, 0);
}

/* Each returns 1 to keep a stanza, 0 to leave it out. */
static int keep_package(struct rewrite *rewrite, const struct deb822_stanza *stanza,
			struct error *err)
{
	struct package_name name;
	int r = package_name(stanza, &name, err);

	if (r < 0 || !is_chosen(rewrite->curator, &name) ||
	    is_absent(rewrite->curator->run, INDEX_PACKAGES, stanza))
		return MIN(r, 0);
	r = publish_files(rewrite->suite, INDEX_PACKAGES, stanza, err);
	if (r == 0)
		r = add_source(rewrite->curator, stanza, err);
	return r < 0 ? r : 1;
}

static int keep_source(struct rewrite *rewrite, const struct deb822_stanza *stanza,
		       struct error *err)
{
	struct package_name name;
	char key[CLOSURE_KEY_MAX];
	int r = package_name(stanza, &name, err);

	(void)str_copy(name.architecture, sizeof(name.architecture), "source");
	if (r < 0 || is_absent(rewrite->curator->run, INDEX_SOURCES, stanza) ||
	    (rewrite->curator->filtered &&
	     !seen_has(&rewrite->curator->sources, key, closure_key(&name, key, sizeof(key)))))
		return MIN(r, 0);
	r = publish_files(rewrite->suite, INDEX_SOURCES, stanza, err);
	return r < 0 ? r : 1;
}

static int keep_by_name(struct rewrite *rewrite, const struct deb822_stanza *stanza,
			struct error *err)
{
	bool cnf = rewrite->index->place.kind == INDEX_CNF;
	char name[PACKAGE_WORD_MAX];
	int r = deb822_copy(stanza, cnf ? "name" : "Package", name, sizeof(name), err);

	if (r < 0)
		return -EBADMSG;
	/* The first stanza of command-not-found is about the index itself. */
	return name[0] ? has_name(rewrite->curator, name) : cnf;
}

typedef int (*keep_fn)(struct rewrite *rewrite, const struct deb822_stanza *stanza,
		       struct error *err);

static const keep_fn keeps[_INDEX_KIND_MAX] = {
	[INDEX_PACKAGES] = keep_package,
	[INDEX_SOURCES] = keep_source,
	[INDEX_TRANSLATION] = keep_by_name,
	[INDEX_CNF] = keep_by_name,
};

static int on_stanza(void *ctx, const struct deb822_stanza *stanza, struct error *err)
{
	struct rewrite *rewrite = ctx;
	int r = keeps[rewrite->index->place.kind](rewrite, stanza, err);

	if (r <= 0)
		return r;
	r = writer_add(rewrite->writer, stanza->text, stanza->len, err);
	return r < 0 ? r : writer_add(rewrite->writer, "\n", 1, err);
}

static bool has_this_name(void *ctx, const char *name)
{
	const struct rewrite *rewrite = ctx;

	return has_name(rewrite->curator, name);
}

static int on_line(void *ctx, const char *text, size_t len, struct error *err)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT(PARTS_MAX);
	struct rewrite *rewrite = ctx;
	int r = parts_filter_line(text, len, has_this_name, rewrite, &line);

	if (r < 0)
		return error_set(err, -r, "no memory for a line");
	return line.len > 0 ? writer_add(rewrite->writer, line.data, line.len, err) : 0;
}

static int on_document(void *ctx, const char *text, size_t len, struct error *err)
{
	struct rewrite *rewrite = ctx;

	return parts_keeps_document(text, len, has_this_name, rewrite)
		       ? writer_add(rewrite->writer, text, len, err)
		       : 0;
}

/* How an index is read that is written anew. */
static int read_index(struct rewrite *rewrite, struct error *err)
{
	struct apt_run *run = rewrite->curator->run;
	const struct digest *digest = &rewrite->index->digest;

	switch (rewrite->index->place.kind) {
	case INDEX_CONTENTS:
		return parts_read(run, digest, PARTS_LINES, on_line, rewrite, err);
	case INDEX_DEP11:
		return parts_read(run, digest, PARTS_DOCUMENTS, on_document, rewrite, err);
	default:
		return publish_read(run, digest, on_stanza, rewrite, err);
	}
}

/* --- indexes --- */

static int add_entry(struct suite *suite, const char *path, enum media media,
		     const struct digest *digest, uint64_t size, struct error *err)
{
	struct apt_run *run = suite->run;
	struct manifest_entry current;
	struct manifest_entry entry = {
		.path = path,
		.media = media,
		.digest = *digest,
		.size = size,
		.mtime = run->sync->now,
	};
	int r;

	/* The same bytes keep their time, for clients that ask whether there are others. */
	if (run_current(run, path, &current) && digest_equal(&current.digest, digest))
		entry.mtime = current.mtime;
	r = run_add(run, &entry, err);
	return MIN(r, 0);
}

static void list_file(struct curated_release *lists, const char *path, uint64_t size,
		      const struct digest *sha256, const char *sha512)
{
	char text[DIGEST_TEXT_SIZE];

	strbuf_printf(&lists->sha256, " %s %16llu %s\n", digest_format(sha256, text),
		      (unsigned long long)size, path);
	if (sha512)
		strbuf_printf(&lists->sha512, " %s %16llu %s\n", sha512, (unsigned long long)size,
			      path);
}

static int add_written(struct suite *suite, const char *path, const struct written *written,
		       struct error *err)
{
	char where[STORE_PATH_MAX], hash[DIGEST_TEXT_SIZE];
	enum media media = media_of_path(path);
	int r = suite_path(suite, path, where, err);

	if (r == 0)
		r = add_entry(suite, where, media, &written->sha256, written->size, err);
	if (r == 0)
		r = suite_by_hash(suite, path, "SHA256", digest_format(&written->sha256, hash),
				  where, err);
	if (r == 0)
		r = add_entry(suite, where, media, &written->sha256, written->size, err);
	if (r == 0)
		r = suite_by_hash(suite, path, "SHA512", written->sha512, where, err);
	return r < 0 ? r : add_entry(suite, where, media, &written->sha256, written->size, err);
}

static int add_forms(struct suite *suite, const struct index *index,
		     const struct written forms[_WRITER_FORM_MAX], struct error *err)
{
	char path[STORE_PATH_MAX];
	int r = 0;

	for (int kind = 0; r == 0 && kind < _WRITER_FORM_MAX; kind++) {
		if (snprintf(path, sizeof(path), "%.*s%s", (int)index->place.stem,
			     suite_index_path(index), forms[kind].ending) >= (int)sizeof(path))
			return error_set(err, EBADMSG, "the path of an index is too long");
		list_file(&suite->lists, path, forms[kind].size, &forms[kind].sha256,
			  forms[kind].sha512);
		/* The plain one is listed, as in Debian, and not there. */
		if (kind != WRITER_PLAIN)
			r = add_written(suite, path, &forms[kind], err);
	}
	return r;
}

static int rewrite_index(struct curator *curator, struct suite *suite, const struct index *index,
			 struct error *err)
{
	_cleanup_(writer_freep) struct writer *writer = NULL;
	struct rewrite rewrite = { curator, suite, index, NULL };
	struct written forms[_WRITER_FORM_MAX];
	int r = writer_new(curator->run->sync->store, &writer, err);

	rewrite.writer = writer;
	if (r == 0)
		r = read_index(&rewrite, err);
	if (r == 0)
		r = writer_finish(writer, forms, err);
	if (r == 0)
		r = add_forms(suite, index, forms, err);
	return r < 0 ? error_wrap(err, r, "%s%s", suite->base, suite_index_path(index)) : 0;
}

/* An index of upstream's as it is, and the plain form that it is made of. */
static int take_index(struct suite *suite, const struct index *index, struct error *err)
{
	const struct release_file *file = index->file;
	char plain[STORE_PATH_MAX];
	const struct release_file *other;
	int r;

	if (!file)
		return 0;
	list_file(&suite->lists, file->path, file->size, &file->sha256, file->sha512);
	r = publish_index(suite, index, err);
	if (r < 0 || index->place.stem >= sizeof(plain))
		return r;
	memcpy(plain, file->path, index->place.stem);
	plain[index->place.stem] = '\0';
	other = suite_is_read(suite, index) && file->path[index->place.stem]
			? release_find(&suite->release, plain)
			: NULL;
	if (other)
		list_file(&suite->lists, other->path, other->size, &other->sha256, other->sha512);
	return publish_packages(suite, index, err);
}

static bool is_icons(const struct index *index)
{
	return index->place.kind == INDEX_DEP11 && strstr(suite_index_path(index), "/icons-");
}

static int curate_index(struct curator *curator, struct suite *suite, const struct index *index,
			bool packages, struct error *err)
{
	enum index_kind kind = index->place.kind;
	bool lists = kind == INDEX_PACKAGES || kind == INDEX_SOURCES;

	if (!index->there || suite->beside || (kind == INDEX_PACKAGES) != packages)
		return 0;
	if (!curator->filtered && !(lists && lacks_some(curator->run)))
		return take_index(suite, index, err);
	if (!suite_is_read(suite, index))
		return 0;
	/* Icons of packages that are not there do no harm. */
	if (is_icons(index))
		return take_index(suite, index, err);
	return rewrite_index(curator, suite, index, err);
}

static int curate_indexes(struct curator *curator, bool packages, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < curator->run->n_suites; i++) {
		struct suite *suite = &curator->run->suites[i];

		for (size_t j = 0; r == 0 && j < suite->n_indexes; j++)
			r = curate_index(curator, suite, &suite->indexes[j], packages, err);
	}
	return r;
}

/* --- Release --- */

/* Fields of upstream's that stay as they are: clients are alarmed when they change. */
static const char *const kept_fields[] = {
	"Origin",
	"Label",
	"Suite",
	"Version",
	"Codename",
	"NotAutomatic",
	"ButAutomaticUpgrades",
	"Description",
	"Changelogs",
	"No-Support-for-Architecture-all",
};

static void keep_fields(const struct suite *suite, struct strbuf *out)
{
	struct deb822_stanza stanza = { strbuf_str(&suite->signed_text), suite->signed_text.len };

	for (size_t i = 0; i < ARRAY_SIZE(kept_fields); i++) {
		struct deb822_value value = deb822_get(&stanza, kept_fields[i]);

		if (value.len == 0)
			continue;
		strbuf_printf(out, "%s: ", kept_fields[i]);
		strbuf_add(out, value.text, value.len);
		strbuf_puts(out, "\n");
	}
}

static void list_words(const struct suite *suite, struct strbuf *out)
{
	const struct apt_options *options = &suite->run->options;
	const struct release *release = &suite->release;

	strbuf_puts(out, "Acquire-By-Hash: yes\n");
	if (release->n_architectures > 0) {
		strbuf_puts(out, "Architectures:");
		for (size_t i = 0; i < release->n_architectures; i++)
			if (select_architecture(options, release->architectures[i].text))
				strbuf_printf(out, " %s", release->architectures[i].text);
		strbuf_puts(out, "\n");
	}
	if (suite->flat || release->n_components == 0)
		return;
	strbuf_puts(out, "Components:");
	for (size_t i = 0; i < release->n_components; i++)
		if (select_component(options, release->components[i].text))
			strbuf_printf(out, " %s", release->components[i].text);
	strbuf_puts(out, "\n");
}

/*
 * The date of a Release that says the same is that of the one before: then it is the
 * same bytes. Clients take no Release that is older than the one they have.
 */
static int64_t date_of(const struct suite *suite, const char *path, const struct strbuf *head,
		       const struct strbuf *rest)
{
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT(DEB822_RELEASE_MAX);
	struct apt_run *run = suite->run;
	struct manifest_entry entry;
	struct deb822_stanza stanza;
	struct deb822_value date;
	int64_t then;

	if (!run_current(run, path, &entry) ||
	    object_read(run->sync->store, &entry.digest, DEB822_RELEASE_MAX, &before, NULL) < 0)
		return run->sync->now;
	stanza = (struct deb822_stanza) { strbuf_str(&before), before.len };
	date = deb822_get(&stanza, "Date");
	if (release_date(&date, &then) < 0)
		return run->sync->now;
	if (before.len > head->len + rest->len &&
	    memcmp(before.data, strbuf_str(head), head->len) == 0 &&
	    memcmp(before.data + before.len - rest->len, rest->data, rest->len) == 0)
		return then;
	return MAX(run->sync->now, then + 1);
}

static int put_release(struct suite *suite, const struct strbuf *head, const struct strbuf *rest,
		       struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(DEB822_RELEASE_MAX);
	char path[STORE_PATH_MAX], date[40];
	struct digest digest;
	int r = suite_path(suite, "Release", path, err);

	if (r < 0)
		return r;
	release_date_format(date_of(suite, path, head, rest), date, sizeof(date));
	strbuf_add(&text, head->data, head->len);
	strbuf_printf(&text, "Date: %s\n", date);
	strbuf_add(&text, rest->data, rest->len);
	if (strbuf_error(&text) < 0)
		return error_set(err, -strbuf_error(&text), "a Release file is too long");
	r = object_put(suite->run->sync->store, text.data, text.len, &digest, err);
	return r < 0 ? r : add_entry(suite, path, MEDIA_TEXT, &digest, text.len, err);
}

static int write_release(struct suite *suite, struct error *err)
{
	_cleanup_strbuf_ struct strbuf head = STRBUF_INIT(DEB822_RELEASE_MAX);
	_cleanup_strbuf_ struct strbuf rest = STRBUF_INIT(DEB822_RELEASE_MAX);

	keep_fields(suite, &head);
	list_words(suite, &rest);
	strbuf_puts(&rest, "SHA256:\n");
	strbuf_add(&rest, strbuf_str(&suite->lists.sha256), suite->lists.sha256.len);
	if (suite->lists.sha512.len > 0) {
		strbuf_puts(&rest, "SHA512:\n");
		strbuf_add(&rest, strbuf_str(&suite->lists.sha512), suite->lists.sha512.len);
	}
	if (strbuf_error(&head) < 0 || strbuf_error(&rest) < 0 ||
	    strbuf_error(&suite->lists.sha256) < 0 || strbuf_error(&suite->lists.sha512) < 0)
		return error_set(err, E2BIG, "suite '%s': too many indexes", suite->name);
	return put_release(suite, &head, &rest, err);
}

static int curate_all(struct curator *curator, struct error *err)
{
	struct apt_run *run = curator->run;
	int r = choose(curator, err);

	if (r < 0 || run->n_failures > 0)
		return r;
	for (size_t i = 0; i < run->n_suites; i++) {
		strbuf_clear(&run->suites[i].lists.sha256);
		strbuf_clear(&run->suites[i].lists.sha512);
	}
	r = curate_indexes(curator, true, err);
	if (r == 0)
		r = curate_indexes(curator, false, err);
	for (size_t i = 0; r == 0 && i < run->n_suites; i++) {
		r = publish_metas(&run->suites[i], err);
		if (r == 0 && !run->suites[i].beside)
			r = write_release(&run->suites[i], err);
	}
	return r;
}

int curate(struct apt_run *run, struct error *err)
{
	struct curator curator = {
		.run = run,
		.filtered = apt_is_filtered(&run->options),
		.result = { .note = STRBUF_INIT(CLOSURE_NOTE_MAX),
			    .fail = tell_failure,
			    .tell = tell_note,
			    .ctx = run },
	};
	int r = curate_all(&curator, err);

	closure_result_done(&curator.result);
	seen_done(&curator.sources);
	return r;
}
