/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/rebuild.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "reservoir/bundle/compress.h"
#include "reservoir/store/digest.h"

/* As it is done. */
struct work {
	const struct rebuild *rebuild;
	struct hasher *hasher;
	uint64_t size; /* made so far */
	size_t at;     /* of the memory */
	struct compress_file file;
};

static int another(struct error *err)
{
	return error_set(err, EBADMSG,
			 "a compressed index cannot be made again: this program has another "
			 "version of zlib, zstd or liblzma than the hub's; use the same release of "
			 "it at both");
}

/* In pieces of the same length as of a file, as the hub has tried it. */
static ssize_t read_memory(struct work *work, const unsigned char **ret)
{
	const struct bytes *memory = &work->rebuild->memory;
	size_t n = MIN(memory->len - work->at, COMPRESS_PIECE);

	*ret = memory->data + work->at;
	work->at += n;
	return (ssize_t)n;
}

static ssize_t read_some(void *ctx, const unsigned char **ret, struct error *err)
{
	struct work *work = ctx;
	const struct rebuild *rebuild = work->rebuild;

	if (rebuild->stop && rebuild->stop(rebuild->ctx))
		return error_set(err, EINTR, "interrupted");
	if (rebuild->fd < 0)
		return read_memory(work, ret);
	if (work->file.at > RECORD_INDEX_MAX)
		return another(err);
	return compress_file_next(&work->file, ret, err);
}

static int write_some(void *ctx, const unsigned char *data, size_t len, struct error *err)
{
	struct work *work = ctx;

	if (len > work->rebuild->record->size - work->size)
		return another(err);
	work->size += len;
	hasher_add(work->hasher, data, len);
	return work->rebuild->staging ? staging_write(work->rebuild->staging, data, len, err) : 0;
}

static int run(struct work *work, struct error *err)
{
	const struct rebuild *rebuild = work->rebuild;
	const struct record *record = rebuild->record;
	struct compress_io io = { read_some, write_some, work };
	struct digest digest;
	int r = write_some(work, rebuild->before.data, rebuild->before.len, err);

	r = r < 0 ? r : compress_as(record->algorithm, record->level, &io, err);
	r = r < 0 ? r : write_some(work, rebuild->after.data, rebuild->after.len, err);
	if (r < 0)
		return r;
	digest = hasher_end(work->hasher);
	return digest_equal(&digest, &record->digest) ? 0 : another(err);
}

int rebuild(const struct rebuild *rebuild, struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	_cleanup_free_ struct work *work = calloc(1, sizeof(*work));
	int r = hasher_new(&hasher, err);

	if (!work)
		return error_set(err, ENOMEM, "out of memory for packing");
	if (r < 0)
		return r;
	work->rebuild = rebuild;
	work->hasher = hasher;
	work->file.fd = rebuild->fd;
	return run(work, err);
}
