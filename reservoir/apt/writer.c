/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

/* Level 6 of xz takes 94 MB of memory; this one 32 MB, and is 5 % larger. */
#define XZ_LEVEL "3"

struct form {
	struct writer *writer;
	struct archive *archive; /* NULL: plain */
	struct staging *staging; /* NULL: plain */
	struct hasher *sha256;	 /* of the plain one */
	struct hasher *sha512;
	uint64_t size;
};

struct writer {
	struct form forms[_WRITER_FORM_MAX];
	struct error error; /* of a callback */
};

static const char *const endings[_WRITER_FORM_MAX] = { "", ".gz", ".xz" };

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	for (size_t i = 0; i < _WRITER_FORM_MAX; i++) {
		struct form *form = &writer->forms[i];

		if (form->archive)
			(void)archive_write_free(form->archive);
		if (form->staging)
			(void)staging_restart(form->staging, NULL);
		staging_free(form->staging);
		hasher_free(form->sha256);
		hasher_free(form->sha512);
	}
	free(writer);
}

static la_ssize_t on_packed(struct archive *archive, void *ctx, const void *data, size_t len)
{
	struct form *form = ctx;
	int r = staging_write(form->staging, data, len, &form->writer->error);

	if (r < 0) {
		archive_set_error(archive, -r, "%s", form->writer->error.msg);
		return -1;
	}
	hasher_add(form->sha512, data, len);
	form->size += len;
	return (la_ssize_t)len;
}

static int set_filter(struct archive *archive, enum writer_form kind)
{
	if (kind == WRITER_GZIP)
		/* Without the time, which would make every one another. */
		return archive_write_add_filter_gzip(archive) == ARCHIVE_OK &&
				       archive_write_set_filter_option(archive, "gzip", "timestamp",
								       NULL) == ARCHIVE_OK
			       ? 0
			       : -EIO;
	return archive_write_add_filter_xz(archive) == ARCHIVE_OK &&
			       archive_write_set_filter_option(archive, "xz", "compression-level",
							       XZ_LEVEL) == ARCHIVE_OK
		       ? 0
		       : -EIO;
}

static int begin_archive(struct form *form, enum writer_form kind, struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	struct archive *archive = archive_write_new();
	int r = -EIO;

	form->archive = archive;
	if (!entry || !archive)
		r = -ENOMEM;
	else {
		archive_entry_set_pathname(entry, "index");
		archive_entry_set_filetype(entry, AE_IFREG);
		(void)archive_write_set_bytes_per_block(archive, 0);
		if (archive_write_set_format_raw(archive) == ARCHIVE_OK &&
		    set_filter(archive, kind) == 0 &&
		    archive_write_open(archive, form, NULL, on_packed, NULL) == ARCHIVE_OK &&
		    archive_write_header(archive, entry) == ARCHIVE_OK)
			r = 0;
	}
	archive_entry_free(entry);
	return r < 0 ? error_set(err, -r, "compress: cannot begin") : 0;
}

static int begin(struct writer *writer, struct store *store, enum writer_form kind,
		 struct error *err)
{
	struct form *form = &writer->forms[kind];
	char key[STAGING_KEY_MAX];
	int r;

	form->writer = writer;
	r = hasher_new_of("sha512", &form->sha512, err);
	if (r < 0)
		return r;
	if (kind == WRITER_PLAIN)
		return hasher_new(&form->sha256, err);
	/* The next one writes over what a process that was killed has left. */
	(void)snprintf(key, sizeof(key), "apt-index%s", endings[kind]);
	r = staging_open(store, key, &form->staging, err);
	if (r == 0)
		r = staging_restart(form->staging, err);
	return r < 0 ? r : begin_archive(form, kind, err);
}

int writer_new(struct store *store, struct writer **ret, struct error *err)
{
	_cleanup_(writer_freep) struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return error_set(err, ENOMEM, "no memory for an index");
	for (int kind = 0; kind < _WRITER_FORM_MAX; kind++) {
		int r = begin(writer, store, (enum writer_form)kind, err);

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(writer);
	return 0;
}

static int failed(const struct writer *writer, struct archive *archive, struct error *err)
{
	if (writer->error.code != 0)
		return error_set(err, writer->error.code, "%s", writer->error.msg);
	return error_set(err, EIO, "compress: %s", archive_error_string(archive));
}

int writer_add(struct writer *writer, const void *data, size_t len, struct error *err)
{
	struct form *plain = &writer->forms[WRITER_PLAIN];

	hasher_add(plain->sha256, data, len);
	hasher_add(plain->sha512, data, len);
	plain->size += len;
	for (int kind = WRITER_GZIP; kind < _WRITER_FORM_MAX; kind++) {
		struct archive *archive = writer->forms[kind].archive;

		if (len > 0 && archive_write_data(archive, data, len) != (la_ssize_t)len)
			return failed(writer, archive, err);
	}
	return 0;
}

static int finish(struct form *form, struct written *ret, struct error *err)
{
	if (form->archive && archive_write_close(form->archive) != ARCHIVE_OK)
		return failed(form->writer, form->archive, err);
	(void)hasher_end_text(form->sha512, ret->sha512);
	ret->size = form->size;
	if (!form->staging) {
		ret->sha256 = hasher_end(form->sha256);
		return 0;
	}
	return staging_finish(form->staging, NULL, &ret->sha256, err);
}

int writer_finish(struct writer *writer, struct written ret[_WRITER_FORM_MAX], struct error *err)
{
	int r = 0;

	for (int kind = 0; r == 0 && kind < _WRITER_FORM_MAX; kind++) {
		ret[kind].ending = endings[kind];
		r = finish(&writer->forms[kind], &ret[kind], err);
	}
	return r;
}
