/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/chunks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "reservoir/bundle/admission.h"
#include "reservoir/bundle/applier.h"
#include "reservoir/store/object.h"

#define TOLD_MAX 4 /* chunks that are named */

enum chunk_state {
	CHUNK_UNKNOWN,
	CHUNK_MISSING,
	CHUNK_SHORT,
	CHUNK_DAMAGED,
	CHUNK_UNREADABLE,
	CHUNK_AGAIN, /* it was read, and needs what is not here */
	CHUNK_DONE,
};

struct chunks {
	const struct import *import;
	const struct bundle *bundle;
	struct applier *applier;
	unsigned char *states; /* enum chunk_state of each */
	int dirfd;
	char space[128];
	char unreadable[ERROR_TEXT_MAX]; /* why, of the first that is */
	struct error *err;
};

static void format_space(const struct bundle *bundle, char *out, size_t size)
{
	(void)snprintf(out, size, "bundle/import/%s/%" PRIu64, bundle->hub, bundle->sequence);
}

/* What is remembered is of one manifest: the value is the digest of the chunk. */
static int recall_chunk(void *ctx, const char *key, const void *value, size_t len)
{
	struct chunks *chunks = ctx;
	char digest[DIGEST_TEXT_SIZE];
	unsigned long index;
	char end;

	if (sscanf(key, "%5lu%c", &index, &end) != 1 || index >= chunks->bundle->n_chunks)
		return 0;
	(void)digest_format(&chunks->bundle->chunks[index].digest, digest);
	if (len == DIGEST_TEXT_SIZE - 1 && memcmp(value, digest, len) == 0)
		chunks->states[index] = CHUNK_DONE;
	return 0;
}

static int put_key(const struct import *import, const char *space, size_t index, const char *value,
		   struct error *err)
{
	char key[24];

	(void)snprintf(key, sizeof(key), "%05zu", index);
	return catalogue_put(import->catalogue, space, key, value, value ? strlen(value) : 0, err);
}

static int remember(struct chunks *chunks, size_t index)
{
	char digest[DIGEST_TEXT_SIZE];
	int r;

	if (chunks->import->dry_run)
		return 0;
	/* Objects before the note that they are there. */
	r = object_flush(chunks->import->store, chunks->err);
	r = r < 0 ? r
		  : put_key(chunks->import, chunks->space, index,
			    digest_format(&chunks->bundle->chunks[index].digest, digest),
			    chunks->err);
	return r < 0 ? r : catalogue_commit(chunks->import->catalogue, chunks->err);
}

int chunks_forget(const struct import *import, const struct bundle *bundle, struct error *err)
{
	char space[128];
	int r = 0;

	format_space(bundle, space, sizeof(space));
	for (size_t i = 0; i < bundle->n_chunks && r == 0; i++)
		r = put_key(import, space, i, NULL, err);
	return r;
}

static void cannot_read(struct chunks *chunks, size_t index, const char *why)
{
	chunks->states[index] = CHUNK_UNREADABLE;
	if (!chunks->unreadable[0])
		(void)snprintf(chunks->unreadable, sizeof(chunks->unreadable), "%s", why);
}

static int open_file(struct chunks *chunks, size_t index)
{
	struct bundle_name name = { .sequence = chunks->bundle->sequence,
				    .file = BUNDLE_FILE_CHUNK,
				    .index = (uint32_t)index };
	char text[BUNDLE_NAME_MAX];
	int fd;

	memcpy(name.hub, chunks->bundle->hub, 8);
	fd = openat(chunks->dirfd, bundle_name_format(&name, text),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		chunks->states[index] = CHUNK_MISSING;
	else if (fd < 0)
		cannot_read(chunks, index, errno == ELOOP ? "it is a link" : strerror(errno));
	return fd;
}

static int open_chunk(struct chunks *chunks, size_t index)
{
	_cleanup_close_ int fd = open_file(chunks, index);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		cannot_read(chunks, index, "it is no plain file");
		return -1;
	}
	/* What has not arrived is not worth reading. */
	chunks->states[index] = (uint64_t)st.st_size < chunks->bundle->chunks[index].size
					? CHUNK_SHORT
					: CHUNK_UNKNOWN;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return TAKE_FD(fd);
}

/* An answer about one chunk, that leaves the others to be looked at. */
static int note_damage(struct chunks *chunks, size_t index, int r)
{
	if (r == -ESTALE)
		cannot_read(chunks, index, chunks->err->msg);
	else if (r == -ENODATA || r == -EBADMSG)
		chunks->states[index] = r == -ENODATA ? CHUNK_SHORT : CHUNK_DAMAGED;
	else
		return error_wrap(chunks->err, r, "chunk %zu", index);
	*chunks->err = (struct error) { 0 };
	return 0;
}

static int apply_begun(struct chunks *chunks, size_t index)
{
	uint64_t left_out;
	int r = applier_chunk(chunks->applier, chunks->bundle, (uint32_t)index, &left_out,
			      chunks->err);

	if (r == -EAGAIN) {
		struct error why = *chunks->err;

		r = chunks->import->dry_run
			    ? 0
			    : chunks_forget(chunks->import, chunks->bundle, chunks->err);
		r = r < 0 ? r : catalogue_commit(chunks->import->catalogue, chunks->err);
		return r < 0 ? r : error_set(chunks->err, EAGAIN, "%s", why.msg);
	}
	/* It was signed: the hub itself is wrong, or this program. */
	if (r == -EBADMSG) {
		struct error why = *chunks->err;

		return error_set(chunks->err, EKEYREJECTED,
				 "chunk %zu: %s (the hub has signed it so: export a full bundle "
				 "there)",
				 index, why.msg);
	}
	if (r < 0)
		return note_damage(chunks, index, r);
	chunks->states[index] = left_out ? CHUNK_AGAIN : CHUNK_DONE;
	return left_out ? 0 : remember(chunks, index);
}

static int apply_chunk(struct chunks *chunks, size_t index)
{
	_cleanup_close_ int fd = -1;
	int r;

	fd = open_chunk(chunks, index);
	if (fd < 0 || chunks->states[index] == CHUNK_SHORT)
		return 0;
	r = applier_begin(chunks->applier, fd, &chunks->bundle->chunks[index], chunks->err);
	if (r < 0)
		return note_damage(chunks, index, r);
	return apply_begun(chunks, index);
}

static size_t count_state(const struct chunks *chunks, enum chunk_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < chunks->bundle->n_chunks; i++)
		n += chunks->states[i] == state;
	return n;
}

static int apply_round(struct chunks *chunks, enum chunk_state state)
{
	const struct import *import = chunks->import;
	int r = 0;

	for (size_t i = 0; i < chunks->bundle->n_chunks && r == 0; i++) {
		if (chunks->states[i] != state)
			continue;
		r = apply_chunk(chunks, i);
		if (r == 0 && import->progress && chunks->states[i] == CHUNK_DONE)
			import->progress(import->ctx, chunks->bundle,
					 count_state(chunks, CHUNK_DONE));
	}
	return r;
}

/* Those that were read again gave nothing: what they lack does not come from here. */
static int settle(struct chunks *chunks)
{
	if (count_state(chunks, CHUNK_DONE) + count_state(chunks, CHUNK_AGAIN) <
	    chunks->bundle->n_chunks)
		return 0;
	for (size_t i = 0; i < chunks->bundle->n_chunks; i++)
		chunks->states[i] = CHUNK_DONE;
	return 0;
}

static int apply_all(struct chunks *chunks)
{
	size_t before, again;
	int r = apply_round(chunks, CHUNK_UNKNOWN);

	again = count_state(chunks, CHUNK_AGAIN);
	while (r == 0 && again > 0 && !chunks->import->dry_run) {
		before = again;
		r = apply_round(chunks, CHUNK_AGAIN);
		again = count_state(chunks, CHUNK_AGAIN);
		if (again >= before)
			break;
	}
	return r < 0 ? r : settle(chunks);
}

static void name_chunks(const struct chunks *chunks, enum chunk_state state, const char *what,
			struct strbuf *out)
{
	size_t told = 0, n = count_state(chunks, state);

	if (n == 0)
		return;
	strbuf_printf(out, "%s%s", out->len > 0 ? "; " : "", n == 1 ? "chunk" : "chunks");
	for (size_t i = 0; i < chunks->bundle->n_chunks && told < TOLD_MAX; i++)
		if (chunks->states[i] == state)
			strbuf_printf(out, "%s %zu", told++ ? "," : "", i);
	if (n > told)
		strbuf_printf(out, " and %zu more", n - told);
	strbuf_printf(out, " %s %s", n == 1 ? "is" : "are", what);
}

static int answer(struct chunks *chunks)
{
	char unreadable[ERROR_TEXT_MAX + 64];
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT(ERROR_TEXT_MAX);

	if (count_state(chunks, CHUNK_DONE) == chunks->bundle->n_chunks)
		return 0;
	name_chunks(chunks, CHUNK_MISSING, "missing", &why);
	name_chunks(chunks, CHUNK_SHORT, "not complete", &why);
	name_chunks(chunks, CHUNK_DAMAGED, "damaged: copy it again", &why);
	(void)snprintf(unreadable, sizeof(unreadable), "not readable (%s): copy it again",
		       chunks->unreadable);
	name_chunks(chunks, CHUNK_UNREADABLE, unreadable, &why);
	name_chunks(chunks, CHUNK_AGAIN, "needed once more", &why);
	return error_set(chunks->err, EAGAIN, "of bundle %" PRIu64 ", with %zu chunks, %s",
			 chunks->bundle->sequence, chunks->bundle->n_chunks, strbuf_str(&why));
}

static int recall_all(struct chunks *chunks)
{
	const struct import *import = chunks->import;

	chunks->states = calloc(chunks->bundle->n_chunks + 1, 1);
	if (!chunks->states)
		return error_set(chunks->err, ENOMEM, "out of memory for a bundle");
	format_space(chunks->bundle, chunks->space, sizeof(chunks->space));
	if (!import->catalogue)
		return 0;
	return catalogue_each(import->catalogue, chunks->space, recall_chunk, chunks, chunks->err);
}

int chunks_remembered(const struct import *import, const struct bundle *bundle, size_t *ret,
		      struct error *err)
{
	struct chunks chunks = { .import = import, .bundle = bundle, .err = err };
	int r = recall_all(&chunks);

	if (r == 0)
		*ret = count_state(&chunks, CHUNK_DONE);
	free(chunks.states);
	return r;
}

static int prepare(struct chunks *chunks)
{
	const struct import *import = chunks->import;
	const struct applier_options options = { .store = import->store,
						 .check_only = import->dry_run,
						 .stop = import->stop,
						 .ctx = import->ctx };

	int r = recall_all(chunks);

	if (r < 0)
		return r;
	chunks->dirfd = open(import->chunk_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (chunks->dirfd < 0)
		return error_set(chunks->err, errno, "%s: %m", import->chunk_dir);
	return applier_new(&options, &chunks->applier, chunks->err);
}

int chunks_apply(const struct import *import, const struct bundle *bundle, size_t *ret_done,
		 struct error *err)
{
	struct chunks chunks = { .import = import, .bundle = bundle, .dirfd = -1, .err = err };
	int r = prepare(&chunks);

	r = r < 0 ? r : apply_all(&chunks);
	*ret_done = chunks.states ? count_state(&chunks, CHUNK_DONE) : 0;
	r = r < 0 ? r : answer(&chunks);
	applier_free(chunks.applier);
	free(chunks.states);
	if (chunks.dirfd >= 0)
		(void)close(chunks.dirfd);
	return r;
}
