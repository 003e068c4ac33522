/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing manifests.
 *
 * Entries are gathered in a buffer; a full one is sorted and written to a file without
 * a name as a run.  At the end the runs are merged, and the entries go straight to
 * the object while paths and groups wait in another file and in memory: four bytes for
 * sixteen entries.  A record of a run is the length of the path in two bytes, the
 * path with its NUL, and the entry as it stands in a manifest.
 *
 * Source: Knuth, The Art of Computer Programming 5.4.1, multiway merging
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/manifest_private.h"
#include "reservoir/store/object.h"
#include "reservoir/store/store_private.h"

#define BUFFER_BYTES ((size_t)8 * 1024 * 1024)
#define BUFFER_FIRST ((size_t)64 * 1024)
#define RECORD_MAX (2 + STORE_PATH_MAX + MANIFEST_ENTRY_SIZE)
#define RUNS_MAX \
	((size_t)4096) /* 16 million entries of the longest paths are 2,200; a file descriptor is \
			* one of all, as runs share a file */
#define RUN_READ ((size_t)16 * 1024)
#define COPY_BYTES ((size_t)16 * 1024)

struct run {
	off_t at; /* next byte to read */
	off_t end;
	unsigned char *buffer; /* RUN_READ and one record */
	size_t used;	       /* bytes of it that were given */
	size_t filled;
	struct manifest_entry entry; /* the next one */
};

struct manifest_builder {
	struct store *store;
	unsigned char *buffer;
	size_t used;
	size_t cap;
	uint32_t *offsets; /* of the records in the buffer */
	size_t n;
	size_t n_offsets;
	uint64_t n_all;
	int spill; /* file of the runs, -1 without */
	off_t spilled;
	struct run *runs;
	size_t n_runs;
	bool done;
};

/* What is being written. */
struct output {
	struct staging *staging;
	FILE *paths;
	uint32_t *groups;
	size_t n_groups;
	uint64_t n;
	uint64_t bytes;
	uint64_t paths_len;
	struct manifest_nesting nesting;
	struct manifest_entry last; /* its path is in the nesting */
};

int manifest_builder_new(struct store *store, struct manifest_builder **ret, struct error *err)
{
	struct manifest_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return error_set(err, ENOMEM, "no memory for a manifest");
	builder->store = store;
	builder->spill = -1;
	*ret = builder;
	return 0;
}

void manifest_builder_free(struct manifest_builder *builder)
{
	if (!builder)
		return;
	for (size_t i = 0; i < builder->n_runs; i++)
		free(builder->runs[i].buffer);
	free(builder->runs);
	free(builder->buffer);
	free(builder->offsets);
	if (builder->spill >= 0)
		(void)close(builder->spill);
	free(builder);
}

/* -- Records ------------------------------------------------------------ */

static size_t record_write(const struct manifest_entry *entry, unsigned char *ret)
{
	size_t len = strlen(entry->path);

	ret[0] = (unsigned char)(len & 255);
	ret[1] = (unsigned char)(len >> 8);
	memcpy(ret + 2, entry->path, len + 1);
	manifest_entry_write(entry, ret + 2 + len + 1);
	return 2 + len + 1 + MANIFEST_ENTRY_SIZE;
}

static size_t record_read(const unsigned char *data, struct manifest_entry *ret)
{
	size_t len = (size_t)data[0] | (size_t)data[1] << 8;

	ret->path = (const char *)data + 2;
	manifest_entry_read(data + 2 + len + 1, ret);
	return 2 + len + 1 + MANIFEST_ENTRY_SIZE;
}

static int compare_offsets(const void *a, const void *b, void *buffer)
{
	const unsigned char *bytes = buffer;
	struct manifest_entry x;
	struct manifest_entry y;

	(void)record_read(bytes + *(const uint32_t *)a, &x);
	(void)record_read(bytes + *(const uint32_t *)b, &y);
	return manifest_entry_compare(&x, &y);
}

static void sort(struct manifest_builder *builder)
{
	if (builder->n > 1)
		qsort_r(builder->offsets, builder->n, sizeof(builder->offsets[0]), compare_offsets,
			builder->buffer);
}

/* -- Gathering ---------------------------------------------------------- */

static int add_run(struct manifest_builder *builder, off_t begin, off_t end, struct error *err)
{
	struct run *runs;

	if (builder->n_runs >= RUNS_MAX)
		return error_set(err, E2BIG, "the manifest is too long");
	runs = reallocarray(builder->runs, builder->n_runs + 1, sizeof(*runs));
	if (!runs)
		return error_set(err, ENOMEM, "no memory for a manifest");
	builder->runs = runs;
	runs[builder->n_runs++] = (struct run) { .at = begin, .end = end };
	return 0;
}

static int write_run(struct manifest_builder *builder, FILE *file, struct error *err)
{
	off_t begin = builder->spilled;

	for (size_t i = 0; i < builder->n; i++) {
		const unsigned char *record = builder->buffer + builder->offsets[i];
		struct manifest_entry entry;
		size_t len = record_read(record, &entry);

		if (fwrite(record, 1, len, file) != len)
			return error_set(err, errno ? errno : EIO, "write a run: %m");
		builder->spilled += (off_t)len;
	}
	if (fflush(file) != 0)
		return error_set(err, errno, "write a run: %m");
	builder->n = 0;
	builder->used = 0;
	return add_run(builder, begin, builder->spilled, err);
}

static int spill(struct manifest_builder *builder, struct error *err)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd;

	if (builder->spill < 0)
		builder->spill = store_tmpfile(builder->store, err);
	if (builder->spill < 0)
		return builder->spill;
	sort(builder);
	fd = fcntl(builder->spill, F_DUPFD_CLOEXEC, 3);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		int r = error_set(err, errno, "open a run: %m");

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	return write_run(builder, file, err);
}

static int grow(struct manifest_builder *builder, struct error *err)
{
	size_t cap = builder->cap ? builder->cap * 2 : BUFFER_FIRST;
	unsigned char *buffer = realloc(builder->buffer, cap);

	if (!buffer)
		return error_set(err, ENOMEM, "no memory for a manifest");
	builder->buffer = buffer;
	builder->cap = cap;
	return 0;
}

static int grow_offsets(struct manifest_builder *builder, struct error *err)
{
	size_t n = builder->n_offsets ? builder->n_offsets * 2 : 1024;
	uint32_t *offsets = reallocarray(builder->offsets, n, sizeof(*offsets));

	if (!offsets)
		return error_set(err, ENOMEM, "no memory for a manifest");
	builder->offsets = offsets;
	builder->n_offsets = n;
	return 0;
}

static int make_room(struct manifest_builder *builder, struct error *err)
{
	int r = 0;

	if (builder->used + RECORD_MAX > BUFFER_BYTES)
		r = spill(builder, err);
	while (r == 0 && builder->used + RECORD_MAX > builder->cap)
		r = grow(builder, err);
	if (r == 0 && builder->n == builder->n_offsets)
		r = grow_offsets(builder, err);
	return r;
}

static int check_entry(const struct manifest_entry *entry, struct error *err)
{
	int r = manifest_path_check(entry->path, err);

	if (r < 0)
		return r;
	if (entry->media >= _MEDIA_MAX || entry->encoding >= _ENCODING_MAX)
		return error_set(err, EINVAL, "'%.200s' has an unknown media or encoding",
				 entry->path);
	if (entry->mtime < MANIFEST_MTIME_MIN || entry->mtime > MANIFEST_MTIME_MAX)
		return error_set(err, EINVAL, "'%.200s' has an impossible time", entry->path);
	return 0;
}

int manifest_add(struct manifest_builder *builder, const struct manifest_entry *entry,
		 struct error *err)
{
	int r = check_entry(entry, err);

	if (r < 0)
		return r;
	/* What is there twice is found later; so many more are refused now. */
	if (builder->done || builder->n_all >= 4 * (uint64_t)MANIFEST_ENTRIES_MAX)
		return error_set(err, E2BIG, "the manifest is too long");
	r = make_room(builder, err);
	if (r < 0)
		return r;
	builder->offsets[builder->n++] = (uint32_t)builder->used;
	builder->used += record_write(entry, builder->buffer + builder->used);
	builder->n_all++;
	return 0;
}

/* -- Merging ------------------------------------------------------------ */

static int refill(const struct manifest_builder *builder, struct run *run, struct error *err)
{
	size_t left = run->filled - run->used;

	if (!run->buffer)
		run->buffer = malloc(RUN_READ + RECORD_MAX);
	if (!run->buffer)
		return error_set(err, ENOMEM, "no memory for a manifest");
	memmove(run->buffer, run->buffer + run->used, left);
	run->used = 0;
	run->filled = left;
	while (run->filled < RUN_READ && run->at < run->end) {
		size_t want =
			MIN(RUN_READ + RECORD_MAX - run->filled, (size_t)(run->end - run->at));
		ssize_t n = pread(builder->spill, run->buffer + run->filled, want, run->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set(err, n < 0 ? errno : EIO, "read a run: %m");
		run->filled += (size_t)n;
		run->at += n;
	}
	return 0;
}

/* Reads the next entry of a run: 1, 0 at its end, or negative errno. */
static int advance(const struct manifest_builder *builder, struct run *run, struct error *err)
{
	int r = 0;

	if (!run->buffer || (run->filled - run->used < RECORD_MAX && run->at < run->end))
		r = refill(builder, run, err);
	if (r < 0 || run->used == run->filled)
		return r;
	run->used += record_read(run->buffer + run->used, &run->entry);
	return 1;
}

static void sift(struct run *runs, size_t n, size_t at)
{
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
			if (manifest_entry_compare(&runs[child].entry, &runs[least].entry) < 0)
				least = child;
		if (least == at)
			return;
		struct run run = runs[at];

		runs[at] = runs[least];
		runs[least] = run;
		at = least;
	}
}

static size_t write_number(size_t value, unsigned char *ret)
{
	size_t n = 0;

	for (; value > 127; value >>= 7)
		ret[n++] = (unsigned char)(value & 127) | 128;
	ret[n++] = (unsigned char)value;
	return n;
}

static int put_path(struct output *output, const char *path, size_t shared, struct error *err)
{
	unsigned char numbers[8];
	size_t rest = strlen(path + shared);
	size_t n = write_number(shared, numbers);

	n += write_number(rest, numbers + n);
	if (output->paths_len + n + rest > MANIFEST_PATHS_MAX)
		return error_set(err, E2BIG, "the paths of the manifest are too long");
	if (fwrite(numbers, 1, n, output->paths) != n ||
	    fwrite(path + shared, 1, rest, output->paths) != rest)
		return error_set(err, errno ? errno : EIO, "write paths: %m");
	output->paths_len += n + rest;
	return 0;
}

static int begin_group(struct output *output, struct error *err)
{
	if ((output->n_groups & (output->n_groups - 1)) == 0) {
		size_t n = output->n_groups ? output->n_groups * 2 : 1;
		uint32_t *groups = reallocarray(output->groups, n, sizeof(*groups));

		if (!groups)
			return error_set(err, ENOMEM, "no memory for a manifest");
		output->groups = groups;
	}
	output->groups[output->n_groups++] = htole32((uint32_t)output->paths_len);
	return 0;
}

static int refuse(const struct manifest_entry *entry, struct error *err)
{
	return error_set(err, EEXIST, "the path '%.200s' has two different entries", entry->path);
}

static bool same_content(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return a->size == b->size && a->mtime == b->mtime && digest_equal(&a->digest, &b->digest);
}

static int put_row(struct output *output, const struct manifest_entry *entry, struct error *err)
{
	unsigned char row[MANIFEST_ENTRY_SIZE];
	bool first = output->n % MANIFEST_GROUP == 0;
	size_t shared = 0;
	int r = first ? begin_group(output, err) : 0;

	while (!first && entry->path[shared] && entry->path[shared] == output->nesting.path[shared])
		shared++;
	if (r == 0)
		r = put_path(output, entry->path, shared, err);
	if (r < 0)
		return r;
	if (!manifest_nesting_add(&output->nesting, entry->path, shared,
				  shared + strlen(entry->path + shared)))
		return error_set(err, EEXIST, "a directory of the path '%.200s' is itself a path",
				 entry->path);
	if (__builtin_add_overflow(output->bytes, entry->size, &output->bytes))
		return error_set(err, EINVAL, "the sizes of the manifest overflow");
	output->last = *entry;
	output->last.path = output->nesting.path;
	output->n++;
	manifest_entry_write(entry, row);
	return staging_write(output->staging, row, sizeof(row), err);
}

static int put(struct output *output, const struct manifest_entry *entry, struct error *err)
{
	if (output->n > 0 && manifest_entry_compare(&output->last, entry) == 0)
		return same_content(&output->last, entry) ? 0 : refuse(entry, err);
	if (output->n >= MANIFEST_ENTRIES_MAX)
		return error_set(err, E2BIG, "the manifest has more than %u entries",
				 MANIFEST_ENTRIES_MAX);
	return put_row(output, entry, err);
}

static int merge_runs(struct manifest_builder *builder, struct output *output, struct error *err)
{
	struct run *runs = builder->runs;
	size_t n = builder->n_runs;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		r = advance(builder, &runs[i], err);
		if (r < 0)
			return r;
	}
	for (size_t i = n; i-- > 0;)
		sift(runs, n, i);
	while (n > 0) {
		r = put(output, &runs[0].entry, err);
		if (r == 0)
			r = advance(builder, &runs[0], err);
		if (r < 0)
			return r;
		if (r == 0) {
			struct run ended = runs[0];

			runs[0] = runs[--n];
			runs[n] = ended;
		}
		sift(runs, n, 0);
	}
	return 0;
}

static int merge_buffer(struct manifest_builder *builder, struct output *output, struct error *err)
{
	int r = 0;

	sort(builder);
	for (size_t i = 0; r == 0 && i < builder->n; i++) {
		struct manifest_entry entry;

		(void)record_read(builder->buffer + builder->offsets[i], &entry);
		r = put(output, &entry, err);
	}
	return r;
}

static int merge(struct manifest_builder *builder, struct output *output, struct error *err)
{
	int r;

	if (builder->n_runs == 0)
		return merge_buffer(builder, output, err);
	r = builder->n > 0 ? spill(builder, err) : 0;
	/* The runs' buffers take its place. */
	free(builder->buffer);
	free(builder->offsets);
	builder->buffer = NULL;
	builder->offsets = NULL;
	builder->cap = builder->n_offsets = 0;
	return r < 0 ? r : merge_runs(builder, output, err);
}

static int copy_paths(struct output *output, struct error *err)
{
	unsigned char bytes[COPY_BYTES];
	uint64_t left = output->paths_len;
	int r = 0;

	if (fflush(output->paths) != 0 || fseeko(output->paths, 0, SEEK_SET) != 0)
		return error_set(err, errno, "write paths: %m");
	while (r == 0 && left > 0) {
		size_t n = fread(bytes, 1, MIN((uint64_t)COPY_BYTES, left), output->paths);

		if (n == 0)
			return error_set(err, EIO, "read paths");
		r = staging_write(output->staging, bytes, n, err);
		left -= n;
	}
	return r;
}

static int put_end(struct output *output, struct error *err)
{
	uint64_t end[MANIFEST_END_SIZE / 8] = {
		htole64(output->n),	   htole64(output->bytes),    htole64(output->paths_len),
		htole64(output->n_groups), htole64(MANIFEST_VERSION), htole64(MANIFEST_END_MAGIC),
	};
	int r = copy_paths(output, err);

	if (r == 0)
		r = staging_write(output->staging, output->groups,
				  output->n_groups * MANIFEST_GROUP_SIZE, err);
	return r < 0 ? r : staging_write(output->staging, end, sizeof(end), err);
}

static int open_paths(struct manifest_builder *builder, struct output *output, struct error *err)
{
	int fd = store_tmpfile(builder->store, err);

	if (fd < 0)
		return fd;
	output->paths = fdopen(fd, "w+");
	if (!output->paths) {
		(void)close(fd);
		return error_set(err, ENOMEM, "no memory for a manifest");
	}
	return 0;
}

static int open_output(struct manifest_builder *builder, struct output *output, struct error *err)
{
	char key[STAGING_KEY_MAX];
	int r = open_paths(builder, output, err);

	if (r < 0)
		return r;
	(void)snprintf(key, sizeof(key), "manifest.%" PRIu64, store_next(builder->store));
	r = staging_open(builder->store, key, &output->staging, err);
	if (r == 0)
		r = staging_restart(output->staging, err);
	return r < 0 ? r : staging_write(output->staging, MANIFEST_MAGIC, MANIFEST_MAGIC_SIZE, err);
}

static void output_done(struct output *output)
{
	if (output->staging)
		(void)staging_restart(output->staging, NULL);
	staging_free(output->staging);
	if (output->paths)
		(void)fclose(output->paths);
	free(output->groups);
}

int manifest_finish(struct manifest_builder *builder, struct digest *ret, struct error *err)
{
	struct output output = { 0 };
	int r = open_output(builder, &output, err);

	builder->done = true;
	if (r == 0)
		r = merge(builder, &output, err);
	if (r == 0)
		r = put_end(&output, err);
	if (r == 0)
		r = staging_finish(output.staging, NULL, ret, err);
	output_done(&output);
	return r < 0 ? error_wrap(err, r, "write a manifest") : 0;
}
