/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look has three steps: all names are read; each manifest, in the order of hub and
 * sequence, is tried; and files of what was decided are moved.  A bundle that was
 * decided is marked by where its manifest is, so that a move that was cut off goes on
 * at the next look.
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

#define FILES_MAX 262144u /* names that are looked at: four bundles of the largest kind */
#define STEMS_MAX 1024u	  /* bundles at once */
#define STRANGERS_MAX 64u /* names that are none of ours and were told */
#define STEM_MAX 32	  /* bytes with the NUL of HUB8-SEQUENCE */

/* What is remembered of a bundle from one look to the next. */
struct memory {
	char stem[STEM_MAX];
	uint64_t fingerprint; /* of its files, when it was tried */
	uint64_t tried_ms;
	uint64_t refused_ms; /* first seen refused as it is; 0: is not */
	char told[IMPORT_WHY_MAX];
	bool is_seen; /* in this look */
};

struct found {
	struct bundle_name name;
	uint64_t fingerprint; /* of this file */
};

struct drop {
	struct drop_options options;
	int dirfd;
	struct found *files;
	size_t n_files;
	size_t max_files;
	struct memory *memories;
	size_t n_memories;
	char strangers[STRANGERS_MAX][NAME_MAX + 1];
	size_t n_strangers;
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

int drop_new(const struct drop_options *options, struct drop **ret, struct error *err)
{
	_cleanup_(drop_freep) struct drop *drop = calloc(1, sizeof(*drop));
	int r = 0;

	if (!drop)
		return error_set(err, ENOMEM, "out of memory for the drop directory");
	drop->options = *options;
	drop->dirfd = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (drop->dirfd < 0)
		return error_set(err, errno, "%s: %m", options->dir);
	drop->memories = calloc(STEMS_MAX, sizeof(*drop->memories));
	if (!drop->memories)
		return error_set(err, ENOMEM, "out of memory for the drop directory");
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++)
		r = make_folder(drop->dirfd, folders[i], err);
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
	free(drop->memories);
	free(drop);
}

static void tell(struct drop *drop, bool is_warning, const char *text)
{
	drop->options.tell(drop->options.ctx, is_warning, text);
}

static void tell_stranger(struct drop *drop, const char *name, const char *what)
{
	char text[NAME_MAX + 128];

	for (size_t i = 0; i < drop->n_strangers; i++)
		if (strcmp(drop->strangers[i], name) == 0)
			return;
	if (drop->n_strangers == STRANGERS_MAX ||
	    str_copy(drop->strangers[drop->n_strangers], sizeof(drop->strangers[0]), name) < 0)
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

static int add_file(struct drop *drop, const struct bundle_name *name, uint64_t fingerprint,
		    struct error *err)
{
	if (drop->n_files == drop->max_files) {
		size_t n = drop->max_files ? drop->max_files * 2 : 256;
		struct found *more;

		if (n > FILES_MAX)
			return error_set(err, E2BIG,
					 "the drop directory has more than %u files of bundles",
					 FILES_MAX);
		more = realloc(drop->files, n * sizeof(*more));
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

static int compare(const void *a, const void *b)
{
	const struct found *left = a, *right = b;
	int r = strcmp(left->name.hub, right->name.hub);

	if (r != 0)
		return r;
	if (left->name.sequence != right->name.sequence)
		return left->name.sequence < right->name.sequence ? -1 : 1;
	if (left->name.file != right->name.file)
		return left->name.file < right->name.file ? -1 : 1;
	return left->name.index < right->name.index ? -1 : left->name.index > right->name.index;
}

static int read_names(struct drop *drop, struct error *err)
{
	int fd = openat(drop->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_set(err, errno, "%s: %m", drop->options.dir);
	drop->n_files = 0;
	for (entry = readdir(dir); entry && r == 0; entry = readdir(dir))
		r = add_name(drop, entry->d_name, err);
	if (r == 0 && drop->n_files > 0)
		qsort(drop->files, drop->n_files, sizeof(*drop->files), compare);
	return r;
}

static void format_stem(const struct bundle_name *name, char out[STEM_MAX])
{
	(void)snprintf(out, STEM_MAX, "%.8s-%" PRIu64, name->hub, name->sequence);
}

static bool is_same_bundle(const struct bundle_name *a, const struct bundle_name *b)
{
	return a->sequence == b->sequence && strcmp(a->hub, b->hub) == 0;
}

/* The files of one bundle, in their order: the manifest first. */
struct group {
	const struct found *files;
	size_t n;
	char stem[STEM_MAX];
	uint64_t fingerprint;
};

static struct memory *recall(struct drop *drop, const char *stem)
{
	struct memory *memory;

	for (size_t i = 0; i < drop->n_memories; i++)
		if (strcmp(drop->memories[i].stem, stem) == 0)
			return &drop->memories[i];
	if (drop->n_memories == STEMS_MAX)
		return NULL;
	memory = &drop->memories[drop->n_memories++];
	*memory = (struct memory) { 0 };
	(void)str_copy(memory->stem, sizeof(memory->stem), stem);
	return memory;
}

static void forget_gone(struct drop *drop)
{
	size_t kept = 0;

	for (size_t i = 0; i < drop->n_memories; i++)
		if (drop->memories[i].is_seen)
			drop->memories[kept++] = drop->memories[i];
	drop->n_memories = kept;
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
static int move_group(struct drop *drop, const struct group *group, const char *folder,
		      struct error *err)
{
	static const enum bundle_file order[] = { BUNDLE_FILE_CHUNK, BUNDLE_FILE_MANIFEST,
						  BUNDLE_FILE_SIGNATURE };
	static const char *const notes[] = { "waiting", "reason" };
	char note[STEM_MAX + 16];
	int r = 0;

	for (size_t step = 0; step < ARRAY_SIZE(order); step++)
		for (size_t i = 0; i < group->n && r == 0; i++)
			if (group->files[i].name.file == order[step])
				r = move_file(drop, &group->files[i], folder, err);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		(void)snprintf(note, sizeof(note), "%s.%s", group->stem, notes[i]);
		(void)unlinkat(drop->dirfd, note, 0);
	}
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

static int finish(struct drop *drop, const struct group *group, const struct import_report *report,
		  struct drop_result *result, struct error *err)
{
	char folder[64], text[IMPORT_WHY_MAX + 64];
	int r;

	(void)snprintf(folder, sizeof(folder), "done/%" PRIu64, report->sequence);
	r = make_folder(drop->dirfd, folder, err);
	r = r < 0 ? r : move_group(drop, group, folder, err);
	if (r < 0)
		return r;
	result->applied += report->verdict == IMPORT_APPLIED;
	(void)snprintf(text, sizeof(text), "bundle %s is applied as generation %" PRIu64,
		       group->stem, report->generation);
	tell(drop, false, text);
	return 0;
}

/* A file that is still being written can look like anything: so it must settle. */
static int reject(struct drop *drop, const struct group *group, struct memory *memory,
		  const char *why, struct drop_result *result, struct error *err)
{
	char text[IMPORT_WHY_MAX + 64];
	uint64_t now = memory->tried_ms;
	int r;

	if (memory->refused_ms == 0)
		memory->refused_ms = now;
	if (now - memory->refused_ms < drop->options.settle_ms) {
		result->waiting++;
		return 0;
	}
	r = write_note(drop, "rejected/", group->stem, ".reason", why, err);
	r = r < 0 ? r : move_group(drop, group, "rejected", err);
	if (r < 0)
		return r;
	result->rejected++;
	(void)snprintf(text, sizeof(text), "bundle %s is refused: %s", group->stem, why);
	tell(drop, true, text);
	return 0;
}

/* Says what a bundle waits for, once, to the log and to who looks into the directory. */
static int wait_for(struct drop *drop, const struct group *group, struct memory *memory,
		    const char *why, struct error *err)
{
	char text[IMPORT_WHY_MAX + 64];

	if (strcmp(memory->told, why) == 0)
		return 0;
	(void)snprintf(memory->told, sizeof(memory->told), "%s", why);
	(void)snprintf(text, sizeof(text), "bundle %s waits: %s", group->stem, why);
	tell(drop, false, text);
	return write_note(drop, "", group->stem, ".waiting", why, err);
}

static int judge(struct drop *drop, const struct group *group, struct memory *memory,
		 const struct import_report *report, struct drop_result *result, struct error *err)
{
	if (report->verdict != IMPORT_REFUSED)
		memory->refused_ms = 0;
	switch (report->verdict) {
	case IMPORT_APPLIED:
	case IMPORT_ALREADY:
		memory->is_seen = false;
		return finish(drop, group, report, result, err);
	case IMPORT_REFUSED:
		return reject(drop, group, memory, report->why, result, err);
	default:
		result->waiting++;
		return wait_for(drop, group, memory, report->why, err);
	}
}

static bool is_worth_trying(const struct group *group, const struct memory *memory, uint64_t now_ms)
{
	return memory->tried_ms == 0 || memory->fingerprint != group->fingerprint ||
	       memory->refused_ms != 0 || now_ms - memory->tried_ms >= DROP_RETRY_MS;
}

static int try_group(struct drop *drop, const struct group *group, uint64_t now_ms,
		     struct drop_result *result, struct error *err)
{
	struct memory *memory = recall(drop, group->stem);
	struct import_report report;
	char name[BUNDLE_NAME_MAX];
	struct error local = { 0 };
	int r;

	if (!memory)
		return 0;
	memory->is_seen = true;
	if (!is_worth_trying(group, memory, now_ms)) {
		result->waiting++;
		return 0;
	}
	if (memory->fingerprint != group->fingerprint)
		memory->refused_ms = 0;
	memory->fingerprint = group->fingerprint;
	memory->tried_ms = now_ms;
	r = drop->options.import(drop->options.ctx, bundle_name_format(&group->files[0].name, name),
				 &report, &local);
	if (r == -EINTR)
		return error_set(err, EINTR, "interrupted");
	if (r < 0) {
		/* Nothing was decided: it is tried again at the next look. */
		memory->tried_ms = 0;
		result->failed++;
		return wait_for(drop, group, memory, local.msg, err);
	}
	return judge(drop, group, memory, &report, result, err);
}

/* What is left of a bundle whose manifest was moved already. */
static int tidy(struct drop *drop, const struct group *group, struct error *err)
{
	struct bundle_name name = group->files[0].name;
	char folder[64], text[BUNDLE_NAME_MAX], path[BUNDLE_NAME_MAX + 64];

	name.file = BUNDLE_FILE_MANIFEST;
	name.index = 0;
	(void)snprintf(folder, sizeof(folder), "done/%" PRIu64, name.sequence);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, bundle_name_format(&name, text));
	if (faccessat(drop->dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return move_group(drop, group, folder, err);
}

static void take_group(const struct drop *drop, size_t first, struct group *group)
{
	*group = (struct group) { .files = &drop->files[first] };
	format_stem(&drop->files[first].name, group->stem);
	while (first + group->n < drop->n_files &&
	       is_same_bundle(&group->files[0].name, &group->files[group->n].name)) {
		group->fingerprint = mix(group->fingerprint, group->files[group->n].fingerprint);
		group->n++;
	}
}

static int try_all(struct drop *drop, uint64_t now_ms, struct drop_result *result,
		   struct error *err)
{
	struct group group;
	int r = 0;

	for (size_t i = 0; i < drop->n_memories; i++)
		drop->memories[i].is_seen = false;
	for (size_t at = 0; at < drop->n_files && r == 0; at += group.n) {
		take_group(drop, at, &group);
		if (group.files[0].name.file == BUNDLE_FILE_MANIFEST)
			r = try_group(drop, &group, now_ms, result, err);
		else
			r = tidy(drop, &group, err);
	}
	forget_gone(drop);
	return r;
}

/* Whoever waited for what was applied is tried again. */
static void wake(struct drop *drop)
{
	for (size_t i = 0; i < drop->n_memories; i++)
		drop->memories[i].tried_ms = 0;
}

int drop_scan(struct drop *drop, uint64_t now_ms, struct drop_result *ret, struct error *err)
{
	struct drop_result result = { 0 };
	uint32_t applied;
	int r;

	do {
		applied = result.applied;
		result.waiting = 0;
		result.failed = 0;
		r = read_names(drop, err);
		r = r < 0 ? r : try_all(drop, MAX(now_ms, UINT64_C(1)), &result, err);
		if (result.applied > applied)
			wake(drop);
	} while (r == 0 && result.applied > applied);
	*ret = result;
	return r;
}
