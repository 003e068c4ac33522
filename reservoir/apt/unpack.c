/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/macro.h"

#define BLOCK ((size_t)64 * 1024)
#define SMALL ((uint64_t)16 * 1024 * 1024) /* comes out of anything without a question */

static int failed(struct archive *archive, struct error *err)
{
	const char *text = archive_error_string(archive);
	int code = archive_errno(archive);

	return error_set(err, code == ENOMEM ? ENOMEM : EBADMSG, "decompress: %s",
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

static int setup(struct archive **ret, struct error *err)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return error_set(err, ENOMEM, "no memory to decompress");
	/* No filter of these runs another program. */
	(void)archive_read_support_filter_gzip(archive);
	(void)archive_read_support_filter_xz(archive);
	(void)archive_read_support_filter_lzma(archive);
	(void)archive_read_support_filter_bzip2(archive);
	(void)archive_read_support_filter_zstd(archive);
	(void)archive_read_support_filter_lz4(archive);
	(void)archive_read_support_format_empty(archive);
	(void)archive_read_support_format_raw(archive);
	*ret = archive;
	return 0;
}

int unpack_object(struct store *store, const struct digest *digest, unpack_fn fn, void *ctx,
		  struct error *err)
{
	struct archive *archive;
	uint64_t size;
	_cleanup_close_ int fd = object_open(store, digest, &size, err);
	int r;

	if (fd < 0)
		return fd;
	r = setup(&archive, err);
	if (r < 0)
		return r;
	if (archive_read_open_fd(archive, fd, BLOCK) != ARCHIVE_OK)
		r = failed(archive, err);
	else
		r = read_entry(archive, size, fn, ctx, err);
	(void)archive_read_free(archive);
	return r;
}

int unpack_memory(const void *data, size_t len, unpack_fn fn, void *ctx, struct error *err)
{
	struct archive *archive;
	int r = setup(&archive, err);

	if (r < 0)
		return r;
	if (archive_read_open_memory(archive, data, len) != ARCHIVE_OK)
		r = failed(archive, err);
	else
		r = read_entry(archive, len, fn, ctx, err);
	(void)archive_read_free(archive);
	return r;
}
