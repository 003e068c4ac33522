/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/expand.h"

#define SMALL ((uint64_t)16 * 1024 * 1024) /* comes out of anything without a question */

static int failed(struct archive *archive, struct error *err)
{
	const char *text = archive_error_string(archive);
	int code = archive_errno(archive);

	if (code == E2BIG)
		return error_set(err, EFBIG, "%s", text);
	return error_set(err, code == ENOMEM ? ENOMEM : EBADMSG, "%s%s",
			 text && str_starts_with(text, "decompress: ") ? "" : "decompress: ",
			 text ? text : "it is damaged");
}

static int read_data(struct archive *archive, uint64_t packed, unpack_fn fn, void *ctx,
		     struct error *err)
{
	uint64_t max = MIN(UNPACK_MAX, MAX(packed * UNPACK_RATIO_MAX, SMALL));
	uint64_t total = 0;
	char buf[16384];

	for (;;) {
		la_ssize_t n = archive_read_data(archive, buf, sizeof(buf));
		int r;

		if (n == 0)
			return 0;
		if (n < 0)
			return failed(archive, err);
		total += (uint64_t)n;
		if (total > max)
			return error_set(err, EFBIG, "decompress: more than %llu bytes come out",
					 (unsigned long long)max);
		r = fn(ctx, buf, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

static int read_entry(struct archive *archive, uint64_t packed, unpack_fn fn, void *ctx,
		      struct error *err)
{
	struct archive_entry *entry;
	int r = archive_read_next_header(archive, &entry);

	if (r == ARCHIVE_EOF)
		return 0;
	return r < ARCHIVE_WARN ? failed(archive, err) : read_data(archive, packed, fn, ctx, err);
}

static struct archive *setup(void)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return NULL;
	/* No filter of these runs another program; xz and zstd are read in front of it. */
	(void)archive_read_support_filter_gzip(archive);
	(void)archive_read_support_filter_bzip2(archive);
	(void)archive_read_support_filter_lz4(archive);
	(void)archive_read_support_format_empty(archive);
	(void)archive_read_support_format_raw(archive);
	return archive;
}

static int unpack(struct expander *expander, uint64_t packed, unpack_fn fn, void *ctx,
		  struct error *err)
{
	struct archive *archive = setup();
	int r;

	if (!archive)
		return error_set(err, ENOMEM, "no memory to decompress");
	if (expander_open_archive(expander, archive) != ARCHIVE_OK)
		r = failed(archive, err);
	else
		r = read_entry(archive, packed, fn, ctx, err);
	(void)archive_read_free(archive);
	return r;
}

int unpack_object(struct store *store, const struct digest *digest, unpack_fn fn, void *ctx,
		  struct error *err)
{
	_cleanup_(expander_freep) struct expander *expander = NULL;
	uint64_t size;
	_cleanup_close_ int fd = object_open(store, digest, &size, err);
	int r;

	if (fd < 0)
		return fd;
	r = expander_new(fd, &expander, err);
	return r < 0 ? r : unpack(expander, size, fn, ctx, err);
}

int unpack_memory(const void *data, size_t len, unpack_fn fn, void *ctx, struct error *err)
{
	_cleanup_(expander_freep) struct expander *expander = NULL;
	int r = expander_new_memory(data, len, &expander, err);

	return r < 0 ? r : unpack(expander, len, fn, ctx, err);
}
