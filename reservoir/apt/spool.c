/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

struct record {
	uint32_t path_len;
	uint32_t media;
	uint32_t encoding;
	struct digest digest;
	uint64_t size;
	int64_t mtime;
};

struct spool {
	FILE *file;
	uint64_t n;
	char path[STORE_PATH_MAX];
};

int spool_new(struct store *store, struct spool **ret, struct error *err)
{
	_cleanup_close_ int fd = store_tmpfile(store, err);
	_cleanup_(spool_freep) struct spool *spool = calloc(1, sizeof(*spool));

	if (fd < 0)
		return fd;
	if (!spool)
		return error_set(err, ENOMEM, "no memory for a spool");
	spool->file = fdopen(fd, "w+");
	if (!spool->file)
		return error_set(err, errno, "temporary file: %s", strerror(errno));
	(void)TAKE_FD(fd);
	*ret = TAKE_PTR(spool);
	return 0;
}

void spool_free(struct spool *spool)
{
	int saved_errno = errno;

	if (spool && spool->file)
		(void)fclose(spool->file);
	free(spool);
	errno = saved_errno;
}

int spool_add(struct spool *spool, const struct manifest_entry *entry, struct error *err)
{
	struct record record;

	memset(&record, 0, sizeof(record));
	record.path_len = (uint32_t)strlen(entry->path);
	record.media = entry->media;
	record.encoding = entry->encoding;
	record.digest = entry->digest;
	record.size = entry->size;
	record.mtime = entry->mtime;
	if (fwrite(&record, sizeof(record), 1, spool->file) != 1 ||
	    fwrite(entry->path, record.path_len, 1, spool->file) != 1)
		return error_set(err, errno, "write to a temporary file: %s", strerror(errno));
	spool->n++;
	return 0;
}

uint64_t spool_count(const struct spool *spool)
{
	return spool->n;
}

int spool_rewind(struct spool *spool, struct error *err)
{
	return fflush(spool->file) != 0 || fseek(spool->file, 0, SEEK_SET) != 0
		       ? error_set(err, errno, "temporary file: %s", strerror(errno))
		       : 0;
}

int spool_next(struct spool *spool, struct manifest_entry *ret, struct error *err)
{
	struct record record;

	if (fread(&record, sizeof(record), 1, spool->file) != 1)
		return ferror(spool->file) ? error_set(err, EIO, "read a temporary file") : 0;
	if (record.path_len >= sizeof(spool->path) ||
	    fread(spool->path, record.path_len, 1, spool->file) != 1)
		return error_set(err, EIO, "read a temporary file");
	spool->path[record.path_len] = '\0';
	*ret = (struct manifest_entry) {
		.path = spool->path,
		.media = (enum media)record.media,
		.encoding = (enum encoding)record.encoding,
		.digest = record.digest,
		.size = record.size,
		.mtime = record.mtime,
	};
	return 1;
}
