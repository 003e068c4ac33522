/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look has three steps: all names are read, and sorted into bundles; each manifest is
 * tried, in the order of hub and sequence, first of those that have a signature; and files
 * of what was decided are moved.  A bundle that was decided is marked by where its manifest
 * is, so that a move that was cut off goes on at the next look.
 *
 * What is remembered of a bundle is bounded by the files that are looked at.
 */
#include "reservoir/bundle/drop.h"

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
#include "reservoir/bundle/bundle.h"

#define STRANGERS_MAX 64u /* names that are none of ours and were told */
#define STEM_MAX 32	  /* bytes with the NUL of HUB8-SEQUENCE */
#define TRIES_MAX 256u	  /* of bundles without a signature in one look */
#define TOO_MANY "too-many-files"

struct found {
	struct bundle_name name;
	uint64_t fingerprint; /* of this file */
};

/* A bundle as it lies here, and what is remembered of it from one look to the next. */
struct parcel {
	const struct found *files; /* the manifest first; good during the look */
	size_t n;		   /* 0: they were moved */
	struct bundle_name name;   /* of the first file */
	uint64_t fingerprint;	   /* of the files */
	uint64_t changed_ms;	   /* when it was first seen as it is */
	uint64_t tried_ms;	   /* 0: it was not, as it is */
	uint64_t refused_ms;	   /* first refused as it is; 0: is not */
	uint64_t told;		   /* hash of what was said of it last */
};

struct drop {
	struct drop_options options;
	int dirfd;
	struct found *files;
	size_t n_files;
	size_t max_files;     /* that there is room for */
	uint32_t over;	      /* files that are not looked at */
	uint64_t foreign;     /* names of no bundle */
	struct stat rejected; /* of rejected/, when its files were counted */
	uint64_t in_rejected;
	struct parcel *parcels; /* in the order of hub and sequence */
	size_t n_parcels;
	char strangers[STRANGERS_MAX][NAME_MAX + 1];
	size_t n_strangers;
	bool too_many_strangers; /* as was told */
	bool too_many;		 /* the same of files */
};

static const char *const folders[] = { "done", "rejected", "receipts" };

static int make_folder(int dirfd, const char *name, struct error *err)
{
	struct stat st;

	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return error_set(err, errno, "making %s in the drop directory: %m", name);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, ENOTDIR, "%s in the drop directory is no directory", name);
	return 0;
}

static int open_dir(struct drop *drop, struct error *err)
{
	_cleanup_close_ int fd = open(drop->options.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return error_set(err, errno, "open the drop directory '%s': %m", drop->options.dir);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++)
		r = make_folder(fd, folders[i], err);
	if (r < 0)
		return r;
	if (drop->dirfd >= 0)
		(void)close(drop->dirfd);
	drop->dirfd = TAKE_FD(fd);
	return 0;
}

/* Whoever empties a directory may remove it, mount another, and forget its folders. */
static int follow_dir(struct drop *drop, struct error *err)
{
	struct stat here, there;

	if (fstat(drop->dirfd, &here) < 0 || stat(drop->options.dir, &there) < 0)
		return error_set(err, errno, "the drop directory '%s': %m", drop->options.dir);
	if (here.st_ino != there.st_ino || here.st_dev != there.st_dev)
		return open_dir(drop, err);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (faccessat(drop->dirfd, folders[i], F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return open_dir(drop, err);
	return 0;
}

/* Only when it has changed: nobody empties it but people. */
static void count_rejected(struct drop *drop)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(drop->dirfd, "rejected");
	struct stat st;

	if (!dir || fstat(dirfd(dir), &st) < 0 ||
	    (st.st_ino == drop->rejected.st_ino && st.st_dev == drop->rejected.st_dev &&
	     st.st_mtim.tv_sec == drop->rejected.st_mtim.tv_sec &&
	     st.st_mtim.tv_nsec == drop->rejected.st_mtim.tv_nsec))
		return;
	drop->rejected = st;
	drop->in_rejected = 0;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		drop->in_rejected += entry->d_name[0] != '.';
}

int drop_new(const struct drop_options *options, struct drop **ret, struct error *err)
{
	_cleanup_(drop_freep) struct drop *drop = calloc(1, sizeof(*drop));
	int r;

	if (!drop)
		return error_set(err, ENOMEM, "out of memory for the drop directory");
	drop->options = *options;
	drop->dirfd = -1;
	if (drop->options.max_files == 0)
		drop->options.max_files = DROP_FILES_MAX;
	r = open_dir(drop, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(drop);
	return 0;
}

void drop_free(struct drop *drop)
{
	if (!drop)
		return;
	if (drop->dirfd >= 0)
		(void)close(drop->dirfd);
	free(drop->files);
	free(drop->parcels);
	free(drop);
}

static void tell(struct drop *drop, bool is_warning, const char *text)
{
	drop->options.tell(drop->options.ctx, is_warning, text);
}

static void tell_stranger(struct drop *drop, const char *name, const char *what)
{
	char text[NAME_MAX + 128];

	drop->foreign++;
	for (size_t i = 0; i < drop->n_strangers; i++)
		if (strcmp(drop->strangers[i], name) == 0)
			return;
	if (drop->n_strangers == STRANGERS_MAX) {
		if (!drop->too_many_strangers)
			tell(drop, true,
			     "there are more files that are of no bundle: they are left alone");
		drop->too_many_strangers = true;
		return;
	}
	if (str_copy(drop->strangers[drop->n_strangers], sizeof(drop->strangers[0]), name) < 0)
		return;
	drop->n_strangers++;
	(void)snprintf(text, sizeof(text), "%s %s: it is left alone",
		       str_is_printable(name) ? name : "a file", what);
	tell(drop, true, text);
}

static bool is_ours(const char *name)
{
	size_t len = strlen(name);

	if (name[0] == '.')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (strcmp(name, folders[i]) == 0)
			return true;
	/* What a copying program has not renamed yet, and what we write; a reason comes back
	 * from rejected/ with its bundle. */
	return (len > 5 && strcmp(name + len - 5, ".part") == 0) ||
	       (len > 7 && strcmp(name + len - 7, ".reason") == 0) ||
	       (len > 8 && strcmp(name + len - 8, ".waiting") == 0);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	for (size_t i = 0; i < 8; i++)
		hash = (hash ^ (value >> 8 * i & 0xff)) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t fingerprint_of(const struct bundle_name *name, const struct stat *st)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = mix(hash, (uint64_t)name->file);
	hash = mix(hash, name->index);
	hash = mix(hash, (uint64_t)st->st_size);
	hash = mix(hash, (uint64_t)st->st_ino);
	hash = mix(hash, (uint64_t)st->st_mtim.tv_sec);
	return mix(hash, (uint64_t)st->st_mtim.tv_nsec);
}

static int compare_bundles(const struct bundle_name *left, const struct bundle_name *right)
{
	int r = strcmp(left->hub, right->hub);

	if (r != 0 || left->sequence == right->sequence)
		return r;
	return left->sequence < right->sequence ? -1 : 1;
}

static int compare(const void *a, const void *b)
{
	const struct found *left = a, *right = b;
	int r = compare_bundles(&left->name, &right->name);

	if (r != 0)
		return r;
	if (left->name.file != right->name.file)
		return left->name.file < right->name.file ? -1 : 1;
	return left->name.index < right->name.index ? -1 : left->name.index > right->name.index;
}

/* Files of which some are about to be dropped: sorting is for many at a time. */
static size_t room_for(const struct drop *drop)
{
	return (size_t)drop->options.max_files + drop->options.max_files / 4 + 1;
}

/* Sorts the files; of more than are looked at those that come first are kept, so that of all
 * bundles but the last there is all that is there. */
static void keep_first(struct drop *drop)
{
	if (drop->n_files > 0)
		qsort(drop->files, drop->n_files, sizeof(*drop->files), compare);
	if (drop->n_files <= drop->options.max_files)
		return;
	drop->over += (uint32_t)(drop->n_files - drop->options.max_files);
	drop->n_files = drop->options.max_files;
}

static int add_file(struct drop *drop, const struct bundle_name *name, uint64_t fingerprint,
		    struct error *err)
{
	if (drop->n_files == room_for(drop))
		keep_first(drop);
	if (drop->n_files == drop->max_files) {
		size_t n = MIN(drop->max_files ? drop->max_files * 2 : 256, room_for(drop));
		struct found *more = realloc(drop->files, n * sizeof(*more));

		if (!more)
			return error_set(err, ENOMEM, "out of memory for the drop directory");
		drop->files = more;
		drop->max_files = n;
	}
	drop->files[drop->n_files++] = (struct found) { *name, fingerprint };
	return 0;
}

static int add_name(struct drop *drop, const char *text, struct error *err)
{
	struct bundle_name name;
	struct stat st;

	if (is_ours(text))
		return 0;
	if (!bundle_name_parse(text, &name)) {
		tell_stranger(drop, text, "is no file of a bundle");
		return 0;
	}
	if (fstatat(drop->dirfd, text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISREG(st.st_mode)) {
		tell_stranger(drop, text, "is no plain file");
		return 0;
	}
	return add_file(drop, &name, fingerprint_of(&name, &st), err);
}

static int read_names(struct drop *drop, struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(drop->dirfd, ".");
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_set(err, errno, "%s: %m", drop->options.dir);
	drop->n_files = 0;
	drop->over = 0;
	drop->foreign = 0;
	for (entry = readdir(dir); entry && r == 0; entry = readdir(dir))
		r = add_name(drop, entry->d_name, err);
	keep_first(drop);
	return r;
}

static void format_stem(const struct bundle_name *name, char out[STEM_MAX])
{
	(void)snprintf(out, STEM_MAX, "%.8s-%" PRIu64, name->hub, name->sequence);
}

/* The bundle that begins with a file. */
static struct parcel take_parcel(const struct drop *drop, size_t first, uint64_t now_ms)
{
	struct parcel parcel = { .files = &drop->files[first],
				 .name = drop->files[first].name,
				 .changed_ms = now_ms };

	while (first + parcel.n < drop->n_files &&
	       compare_bundles(&parcel.name, &parcel.files[parcel.n].name) == 0) {
		parcel.fingerprint = mix(parcel.fingerprint, parcel.files[parcel.n].fingerprint);
		parcel.n++;
	}
	return parcel;
}

/* What was told of it stays; the rest only when it is as it was. */
static void inherit(struct parcel *parcel, const struct parcel *before)
{
	parcel->told = before->told;
	if (parcel->fingerprint != before->fingerprint)
		return;
	parcel->changed_ms = before->changed_ms;
	parcel->tried_ms = before->tried_ms;
	parcel->refused_ms = before->refused_ms;
}

static size_t count_parcels(const struct drop *drop)
{
	size_t n = drop->n_files > 0;

	for (size_t i = 1; i < drop->n_files; i++)
		n += compare_bundles(&drop->files[i - 1].name, &drop->files[i].name) != 0;
	return n;
}

/* Sorts the files into bundles; both lists are in the same order. */
static int take_parcels(struct drop *drop, uint64_t now_ms, struct error *err)
{
	struct parcel *parcels = calloc(count_parcels(drop) + 1, sizeof(*parcels));
	size_t n = 0, old = 0;

	if (!parcels)
		return error_set(err, ENOMEM, "out of memory for the drop directory");
	for (size_t at = 0; at < drop->n_files; at += parcels[n++].n) {
		parcels[n] = take_parcel(drop, at, now_ms);
		while (old < drop->n_parcels &&
		       compare_bundles(&drop->parcels[old].name, &parcels[n].name) < 0)
			old++;
		if (old < drop->n_parcels &&
		    compare_bundles(&drop->parcels[old].name, &parcels[n].name) == 0)
			inherit(&parcels[n], &drop->parcels[old]);
	}
	free(drop->parcels);
	drop->parcels = parcels;
	drop->n_parcels = n;
	return 0;
}

static int move_file(struct drop *drop, const struct found *file, const char *folder,
		     struct error *err)
{
	char name[BUNDLE_NAME_MAX], to[BUNDLE_NAME_MAX + 64];

	(void)bundle_name_format(&file->name, name);
	(void)snprintf(to, sizeof(to), "%s/%s", folder, name);
	if (renameat(drop->dirfd, name, drop->dirfd, to) < 0 && errno != ENOENT)
		return error_set(err, errno, "moving %s to %s: %m", name, folder);
	return 0;
}

/* Chunks, then the manifest, which decides where the rest belongs, then signatures. */
static int move_parcel(struct drop *drop, struct parcel *parcel, const char *folder,
		       struct error *err)
{
	static const enum bundle_file order[] = { BUNDLE_FILE_CHUNK, BUNDLE_FILE_MANIFEST,
						  BUNDLE_FILE_SIGNATURE };
	static const char *const notes[] = { "waiting", "reason" };
	char stem[STEM_MAX], note[STEM_MAX + 16];
	int r = 0;

	for (size_t step = 0; step < ARRAY_SIZE(order); step++)
		for (size_t i = 0; i < parcel->n && r == 0; i++)
			if (parcel->files[i].name.file == order[step])
				r = move_file(drop, &parcel->files[i], folder, err);
	format_stem(&parcel->name, stem);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		(void)snprintf(note, sizeof(note), "%s.%s", stem, notes[i]);
		(void)unlinkat(drop->dirfd, note, 0);
	}
	if (r == 0)
		parcel->n = 0;
	return r;
}

static int write_note(struct drop *drop, const char *folder, const char *stem, const char *end,
		      const char *text, struct error *err)
{
	char path[PATH_MAX], line[IMPORT_WHY_MAX + 2];

	(void)snprintf(line, sizeof(line), "%s\n", text);
	if (snprintf(path, sizeof(path), "%s/%s%s%s", drop->options.dir, folder, stem, end) >=
	    (int)sizeof(path))
		return error_set(err, ENAMETOOLONG, "the drop directory has too long a name");
	return file_publish(path, line, strlen(line), 0644, err);
}

static void tell_of(struct drop *drop, const struct parcel *parcel, bool is_warning,
		    const char *what, const char *why)
{
	char stem[STEM_MAX], text[IMPORT_WHY_MAX + 64];

	format_stem(&parcel->name, stem);
	(void)snprintf(text, sizeof(text), "bundle %s %s%s", stem, what, why);
	tell(drop, is_warning, text);
}

/* Whether it is not what was said last. */
static bool is_news(struct parcel *parcel, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; text[i]; i++)
		hash = mix(hash, (unsigned char)text[i]);
	if (parcel->told == hash)
		return false;
	parcel->told = hash;
	return true;
}

static int finish(struct drop *drop, struct parcel *parcel, const struct import_report *report,
		  struct drop_result *result, struct error *err)
{
	char folder[64], generation[24];
	int r;

	(void)snprintf(folder, sizeof(folder), "done/%" PRIu64, report->sequence);
	r = make_folder(drop->dirfd, folder, err);
	r = r < 0 ? r : move_parcel(drop, parcel, folder, err);
	if (r < 0)
		return r;
	result->applied += report->verdict == IMPORT_APPLIED;
	(void)snprintf(generation, sizeof(generation), "%" PRIu64, report->generation);
	tell_of(drop, parcel, false, "is applied as generation ", generation);
	return 0;
}

static int put_away(struct drop *drop, struct parcel *parcel, const char *why,
		    struct drop_result *result, struct error *err)
{
	char stem[STEM_MAX];
	int r;

	format_stem(&parcel->name, stem);
	r = write_note(drop, "rejected/", stem, ".reason", why, err);
	r = r < 0 ? r : move_parcel(drop, parcel, "rejected", err);
	if (r < 0)
		return r;
	result->rejected++;
	tell_of(drop, parcel, true, "is refused: ", why);
	return 0;
}

/* A file that is still being written can look like anything: so it must settle. */
static int reject(struct drop *drop, struct parcel *parcel, const char *why,
		  struct drop_result *result, struct error *err)
{
	if (parcel->refused_ms == 0)
		parcel->refused_ms = parcel->tried_ms;
	if (parcel->tried_ms - parcel->refused_ms < drop->options.settle_ms) {
		result->waiting++;
		return 0;
	}
	return put_away(drop, parcel, why, result, err);
}

/* Says what a bundle waits for, once, to the log and to who looks into the directory. */
static int wait_for(struct drop *drop, struct parcel *parcel, const char *why, struct error *err)
{
	char stem[STEM_MAX];

	if (!is_news(parcel, why))
		return 0;
	tell_of(drop, parcel, false, "waits: ", why);
	format_stem(&parcel->name, stem);
	return write_note(drop, "", stem, ".waiting", why, err);
}

static int judge(struct drop *drop, struct parcel *parcel, const struct import_report *report,
		 struct drop_result *result, struct error *err)
{
	if (report->verdict != IMPORT_REFUSED)
		parcel->refused_ms = 0;
	switch (report->verdict) {
	case IMPORT_APPLIED:
	case IMPORT_ALREADY:
		return finish(drop, parcel, report, result, err);
	case IMPORT_REFUSED:
		return reject(drop, parcel, report->why, result, err);
	default:
		result->waiting++;
		return wait_for(drop, parcel, report->why, err);
	}
}

static bool is_worth_trying(const struct drop *drop, const struct parcel *parcel, uint64_t now_ms)
{
	if (parcel->refused_ms != 0)
		return now_ms - parcel->refused_ms >= drop->options.settle_ms;
	return parcel->tried_ms == 0 || now_ms - parcel->tried_ms >= DROP_RETRY_MS;
}

static int import(struct drop *drop, struct parcel *parcel, struct drop_result *result,
		  struct error *err)
{
	struct import_report report;
	char name[BUNDLE_NAME_MAX];
	struct error local = { 0 };
	int r = drop->options.import(drop->options.ctx, bundle_name_format(&parcel->name, name),
				     &report, &local);

	if (r == -EINTR)
		return error_set(err, EINTR, "interrupted");
	if (r == 0)
		return judge(drop, parcel, &report, result, err);
	/* Nothing was decided: it is tried again at the next look. */
	parcel->tried_ms = 0;
	result->failed++;
	return wait_for(drop, parcel, local.msg, err);
}

/* A bundle that cannot be moved, or told of, does not keep the others. */
static int pass_over(struct drop *drop, struct parcel *parcel, struct drop_result *result,
		     const struct error *why)
{
	result->failed++;
	if (is_news(parcel, why->msg))
		tell_of(drop, parcel, true, "is left where it is: ", why->msg);
	return 0;
}

static int try_parcel(struct drop *drop, struct parcel *parcel, uint64_t now_ms,
		      struct drop_result *result, struct error *err)
{
	struct error local = { 0 };
	int r;

	if (!is_worth_trying(drop, parcel, now_ms)) {
		result->waiting++;
		return 0;
	}
	parcel->tried_ms = now_ms;
	r = import(drop, parcel, result, &local);
	if (r == -EINTR || r == -ENOMEM)
		return error_set(err, -r, "%s", local.msg);
	return r < 0 ? pass_over(drop, parcel, result, &local) : 0;
}

static bool has_manifest(const struct parcel *parcel)
{
	return parcel->name.file == BUNDLE_FILE_MANIFEST;
}

/* Without one there is nothing to apply, only something to say. */
static bool has_signature(const struct parcel *parcel)
{
	return parcel->n > 1 && parcel->files[1].name.file == BUNDLE_FILE_SIGNATURE;
}

/* What is left of a bundle whose manifest was moved already. */
static int tidy(struct drop *drop, struct parcel *parcel, struct error *err)
{
	struct bundle_name name = parcel->name;
	char folder[64], text[BUNDLE_NAME_MAX], path[BUNDLE_NAME_MAX + 64];

	name.file = BUNDLE_FILE_MANIFEST;
	name.index = 0;
	(void)snprintf(folder, sizeof(folder), "done/%" PRIu64, name.sequence);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, bundle_name_format(&name, text));
	if (faccessat(drop->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return move_parcel(drop, parcel, folder, err);
}

static int try_signed(struct drop *drop, uint64_t now_ms, struct drop_result *result,
		      struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < drop->n_parcels && r == 0; i++)
		if (has_manifest(&drop->parcels[i]) && has_signature(&drop->parcels[i]))
			r = try_parcel(drop, &drop->parcels[i], now_ms, result, err);
	return r;
}

/* Not all in one look: those that come next have not been tried, and these have. */
static int try_unsigned(struct drop *drop, uint64_t now_ms, struct drop_result *result,
			struct error *err)
{
	uint32_t tries = 0;
	int r = 0;

	for (size_t i = 0; i < drop->n_parcels && r == 0; i++) {
		struct parcel *parcel = &drop->parcels[i];
		struct error local = { 0 };

		if (!has_manifest(parcel)) {
			if (tidy(drop, parcel, &local) < 0)
				(void)pass_over(drop, parcel, result, &local);
			continue;
		}
		if (has_signature(parcel))
			continue;
		tries += is_worth_trying(drop, parcel, now_ms);
		if (tries > TRIES_MAX)
			result->waiting++;
		else
			r = try_parcel(drop, parcel, now_ms, result, err);
	}
	return r;
}

/* Of the last one the rest may be among the files that were not looked at, unless it is alone. */
static bool is_stale(const struct drop *drop, size_t number, uint64_t now_ms)
{
	const struct parcel *parcel = &drop->parcels[number];

	return parcel->n > 0 && now_ms - parcel->changed_ms >= DROP_STALE_MS &&
	       (number + 1 < drop->n_parcels || number == 0);
}

/* Those that wait and have not changed for long make room for those that were not seen. */
static void make_room(struct drop *drop, uint64_t now_ms, struct drop_result *result)
{
	char why[IMPORT_WHY_MAX];

	(void)snprintf(why, sizeof(why),
		       "it was not complete for %d s, and the drop directory has more than %u "
		       "files: move it back when it is complete",
		       DROP_STALE_MS / 1000, drop->options.max_files);
	for (size_t i = 0; i < drop->n_parcels; i++) {
		struct parcel *parcel = &drop->parcels[i];
		struct error local = { 0 };

		if (is_stale(drop, i, now_ms) && put_away(drop, parcel, why, result, &local) < 0)
			(void)pass_over(drop, parcel, result, &local);
	}
}

/* Says that there are too many files, when that begins, and when it ends. */
static void tell_too_many(struct drop *drop)
{
	char text[256];

	if (drop->too_many == (drop->over > 0))
		return;
	drop->too_many = drop->over > 0;
	if (!drop->too_many) {
		(void)unlinkat(drop->dirfd, TOO_MANY ".waiting", 0);
		tell(drop, false, "the drop directory has no more files than can be looked at");
		return;
	}
	(void)snprintf(text, sizeof(text),
		       "the drop directory has more than %u files of bundles, and %u were not "
		       "looked at: what does not become complete is moved to rejected/",
		       drop->options.max_files, drop->over);
	tell(drop, true, text);
	(void)write_note(drop, "", TOO_MANY, ".waiting", text, NULL);
}

/* Whoever waited for what was applied is tried again. */
static void wake(struct drop *drop)
{
	for (size_t i = 0; i < drop->n_parcels; i++)
		drop->parcels[i].tried_ms = 0;
}

static int look(struct drop *drop, uint64_t now_ms, struct drop_result *result, struct error *err)
{
	int r = read_names(drop, err);

	r = r < 0 ? r : take_parcels(drop, now_ms, err);
	if (r < 0)
		return r;
	tell_too_many(drop);
	result->over = drop->over;
	r = try_signed(drop, now_ms, result, err);
	return r < 0 ? r : try_unsigned(drop, now_ms, result, err);
}

static void count(struct drop *drop, struct drop_result *result)
{
	count_rejected(drop);
	result->files = drop->over;
	for (size_t i = 0; i < drop->n_parcels; i++)
		result->files += drop->parcels[i].n;
	result->foreign = drop->foreign;
	result->in_rejected = drop->in_rejected;
}

int drop_scan(struct drop *drop, uint64_t now_ms, struct drop_result *ret, struct error *err)
{
	struct drop_result result = { 0 };
	uint32_t applied;
	int r = follow_dir(drop, err);

	if (r < 0)
		return r;
	now_ms = MAX(now_ms, UINT64_C(1));
	do {
		applied = result.applied;
		result.waiting = 0;
		result.failed = 0;
		r = look(drop, now_ms, &result, err);
		if (result.applied > applied)
			wake(drop);
	} while (r == 0 && result.applied > applied);
	if (r == 0 && result.over > 0)
		make_room(drop, now_ms, &result);
	count(drop, &result);
	*ret = result;
	return r;
}
