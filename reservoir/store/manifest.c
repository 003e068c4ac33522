/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading manifests.
 *
 * All is checked once, in one pass, when a manifest is opened: hash, counts, order,
 * paths.  A million entries take some tens of milliseconds.  Reading then needs
 * no checks but one against the end of the bytes.
 */
#include "reservoir/store/manifest.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/parse.h"
#include "reservoir/store/manifest_private.h"
#include "reservoir/store/mapping.h"
#include "reservoir/store/object.h"

struct manifest {
	const unsigned char *entries;
	const unsigned char *paths;
	const unsigned char *groups;
	uint64_t n;
	uint64_t bytes;
	size_t paths_len;
	size_t n_groups;
	struct mapping mapping; /* all-zero of bytes that are borrowed */
};

static uint64_t read_u64(const unsigned char *data)
{
	uint64_t value;

	memcpy(&value, data, sizeof(value));
	return le64toh(value);
}

static void write_u64(unsigned char *data, uint64_t value)
{
	value = htole64(value);
	memcpy(data, &value, sizeof(value));
}

void manifest_entry_write(const struct manifest_entry *entry,
			  unsigned char ret[MANIFEST_ENTRY_SIZE])
{
	uint64_t rest = ((uint64_t)entry->mtime & ((UINT64_C(1) << 48) - 1)) |
			(uint64_t)entry->media << 48 | (uint64_t)entry->encoding << 56;

	memcpy(ret, entry->digest.bytes, DIGEST_SIZE);
	write_u64(ret + DIGEST_SIZE, entry->size);
	write_u64(ret + DIGEST_SIZE + 8, rest);
}

void manifest_entry_read(const unsigned char *data, struct manifest_entry *ret)
{
	uint64_t rest = read_u64(data + DIGEST_SIZE + 8);
	uint64_t mtime = rest & ((UINT64_C(1) << 48) - 1);

	memcpy(ret->digest.bytes, data, DIGEST_SIZE);
	ret->size = read_u64(data + DIGEST_SIZE);
	ret->mtime = mtime >> 47 ? (int64_t)mtime - (INT64_C(1) << 48) : (int64_t)mtime;
	ret->media = (enum media)(rest >> 48 & 255);
	ret->encoding = (enum encoding)(rest >> 56);
}

int manifest_entry_compare(const struct manifest_entry *a, const struct manifest_entry *b)
{
	int r = strcmp(a->path, b->path);

	if (r == 0)
		r = (int)a->media - (int)b->media;
	return r ? r : (int)a->encoding - (int)b->encoding;
}

/* -- Paths -------------------------------------------------------------- */

static bool is_plain_text(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* What is wrong with a path of which the first @good bytes are those of a good one. */
static const char *path_fault(const char *path, size_t good, size_t len)
{
	const char *part = path + good;

	if (len == 0 || len >= STORE_PATH_MAX)
		return len ? "is too long" : "is empty";
	if (!is_plain_text(path + good) || path[0] == ' ' || path[len - 1] == ' ')
		return "has unprintable characters, or space at an end";
	/* The part that the first other byte belongs to. */
	while (part > path && part[-1] != '/')
		part--;
	for (; *part; part++) {
		const char *end = strchrnul(part, '/');
		size_t n = (size_t)(end - part);

		if (n == 0 || (part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.'))))
			return "has an empty part, '.' or '..'";
		part = end;
		if (*part == '\0')
			break;
	}
	return NULL;
}

int manifest_path_check(const char *path, struct error *err)
{
	const char *fault = path_fault(path, 0, strlen(path));

	return fault ? error_set(err, EINVAL, "the path '%.200s' %s", path, fault) : 0;
}

bool manifest_nesting_add(struct manifest_nesting *nesting, const char *path, size_t shared,
			  size_t len)
{
	while (path[shared] && path[shared] == nesting->path[shared])
		shared++;
	while (nesting->n > 0 && nesting->lengths[nesting->n - 1] > shared)
		nesting->n--;
	for (size_t i = 0; i < nesting->n; i++)
		if (path[nesting->lengths[i]] == '/')
			return false;
	if (nesting->n == 0 || nesting->lengths[nesting->n - 1] != len)
		nesting->lengths[nesting->n++] = (uint16_t)len;
	memcpy(nesting->path + shared, path + shared, len - shared + 1);
	return true;
}

/* -- Rows --------------------------------------------------------------- */

static bool read_number(const struct manifest *manifest, size_t *at, size_t *ret)
{
	size_t value = 0;

	for (unsigned int shift = 0; shift < 14; shift += 7) {
		unsigned char byte;

		if (*at >= manifest->paths_len)
			return false;
		byte = manifest->paths[(*at)++];
		value |= (size_t)(byte & 127) << shift;
		if (!(byte & 128)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Puts the path of the next row in the cursor. */
static bool read_path(struct manifest_cursor *cursor, size_t *ret_shared)
{
	const struct manifest *manifest = cursor->manifest;
	size_t at = cursor->at;
	size_t shared;
	size_t rest;

	if (!read_number(manifest, &at, &shared) || !read_number(manifest, &at, &rest) ||
	    shared + rest >= STORE_PATH_MAX || rest > manifest->paths_len - at ||
	    memchr(manifest->paths + at, '\0', rest))
		return false;
	memcpy(cursor->path + shared, manifest->paths + at, rest);
	cursor->path[shared + rest] = '\0';
	cursor->at = at + rest;
	*ret_shared = shared;
	return true;
}

static size_t group_at(const struct manifest *manifest, size_t group)
{
	uint32_t at;

	memcpy(&at, manifest->groups + group * MANIFEST_GROUP_SIZE, sizeof(at));
	return le32toh(at);
}

static void enter_group(const struct manifest *manifest, size_t group, struct manifest_cursor *ret)
{
	ret->manifest = manifest;
	ret->next = (uint64_t)group * MANIFEST_GROUP;
	ret->at = group < manifest->n_groups ? group_at(manifest, group) : manifest->paths_len;
	ret->path[0] = '\0';
}

bool manifest_next(struct manifest_cursor *cursor, struct manifest_entry *ret)
{
	size_t shared;

	if (cursor->next >= cursor->manifest->n || !read_path(cursor, &shared))
		return false;
	manifest_entry_read(cursor->manifest->entries + cursor->next * MANIFEST_ENTRY_SIZE, ret);
	ret->path = cursor->path;
	cursor->next++;
	return true;
}

/* The last group that begins before a path, or the first of all. */
static size_t find_group(const struct manifest *manifest, const char *path,
			 struct manifest_cursor *cursor)
{
	size_t low = 0;
	size_t high = manifest->n_groups;
	size_t shared;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		enter_group(manifest, middle, cursor);
		if (read_path(cursor, &shared) && strcmp(cursor->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? low - 1 : 0;
}

void manifest_seek(const struct manifest *manifest, const char *path, struct manifest_cursor *ret)
{
	size_t group = find_group(manifest, path, ret);

	enter_group(manifest, group, ret);
	while (ret->next < manifest->n) {
		size_t at = ret->at;
		size_t shared;
		char last[STORE_PATH_MAX];

		memcpy(last, ret->path, strlen(ret->path) + 1);
		if (!read_path(ret, &shared))
			return;
		if (strcmp(ret->path, path) >= 0) {
			memcpy(ret->path, last, strlen(last) + 1);
			ret->at = at;
			return;
		}
		ret->next++;
	}
}

bool manifest_find(const struct manifest *manifest, const char *path, struct manifest_entry *ret)
{
	struct manifest_cursor cursor;

	manifest_seek(manifest, path, &cursor);
	if (!manifest_next(&cursor, ret) || strcmp(ret->path, path) != 0)
		return false;
	ret->path = path;
	return true;
}

bool manifest_variant(const struct manifest *manifest, const char *path, enum media media,
		      enum encoding encoding, struct manifest_entry *ret)
{
	struct manifest_cursor cursor;

	manifest_seek(manifest, path, &cursor);
	while (manifest_next(&cursor, ret) && strcmp(ret->path, path) == 0) {
		if (ret->media != media || ret->encoding != encoding)
			continue;
		ret->path = path;
		return true;
	}
	return false;
}

uint64_t manifest_count(const struct manifest *manifest)
{
	return manifest->n;
}

uint64_t manifest_bytes(const struct manifest *manifest)
{
	return manifest->bytes;
}

/* -- Opening ------------------------------------------------------------ */

static int damaged(struct error *err, const char *what)
{
	return error_set(err, EBADMSG, "no manifest, or a damaged one: %s", what);
}

static int layout(struct manifest *manifest, const unsigned char *data, size_t len,
		  struct error *err)
{
	const unsigned char *end = data + len - MANIFEST_END_SIZE;
	uint64_t paths_len;
	uint64_t n_groups;

	if (len < MANIFEST_MAGIC_SIZE + MANIFEST_END_SIZE ||
	    memcmp(data, MANIFEST_MAGIC, MANIFEST_MAGIC_SIZE) != 0 ||
	    read_u64(end + 40) != MANIFEST_END_MAGIC)
		return damaged(err, "magic");
	if (read_u64(end + 32) != MANIFEST_VERSION)
		return damaged(err, "version");
	manifest->n = read_u64(end);
	manifest->bytes = read_u64(end + 8);
	paths_len = read_u64(end + 16);
	n_groups = read_u64(end + 24);
	if (manifest->n > MANIFEST_ENTRIES_MAX || paths_len > MANIFEST_PATHS_MAX ||
	    n_groups != (manifest->n + MANIFEST_GROUP - 1) / MANIFEST_GROUP ||
	    len != MANIFEST_MAGIC_SIZE + manifest->n * MANIFEST_ENTRY_SIZE + paths_len +
			    n_groups * MANIFEST_GROUP_SIZE + MANIFEST_END_SIZE)
		return damaged(err, "counts");
	manifest->paths_len = (size_t)paths_len;
	manifest->n_groups = (size_t)n_groups;
	manifest->entries = data + MANIFEST_MAGIC_SIZE;
	manifest->paths = manifest->entries + manifest->n * MANIFEST_ENTRY_SIZE;
	manifest->groups = manifest->paths + paths_len;
	return 0;
}

/* What was seen of the row before; its path lies in the nesting. */
struct row {
	enum media media;
	enum encoding encoding;
	size_t len; /* of the path */
};

static bool is_behind(const struct manifest_entry *entry, const struct row *before,
		      const char *path_before, size_t shared)
{
	int r = strcmp(path_before + shared, entry->path + shared);

	if (r == 0)
		r = (int)before->media - (int)entry->media;
	return r < 0 || (r == 0 && before->encoding < entry->encoding);
}

/* Looks at one more row; of its path, at what is not as in the one before. */
static const char *row_fault(struct manifest_cursor *cursor, struct manifest_nesting *nesting,
			     struct row *before, uint64_t *bytes)
{
	const struct manifest *manifest = cursor->manifest;
	bool first = cursor->next % MANIFEST_GROUP == 0;
	struct manifest_entry entry;
	size_t shared;
	size_t len;

	if (first && group_at(manifest, cursor->next / MANIFEST_GROUP) != cursor->at)
		return "groups";
	if (!read_path(cursor, &shared) || shared > (first ? 0 : before->len))
		return "paths";
	len = shared + strlen(cursor->path + shared);
	manifest_entry_read(manifest->entries + cursor->next * MANIFEST_ENTRY_SIZE, &entry);
	entry.path = cursor->path;
	if (entry.media >= _MEDIA_MAX || entry.encoding >= _ENCODING_MAX)
		return "media";
	if (path_fault(cursor->path, shared, len))
		return "a path";
	if (cursor->next > 0 && !is_behind(&entry, before, nesting->path, shared))
		return "order";
	if (!manifest_nesting_add(nesting, cursor->path, shared, len))
		return "a path is another's directory";
	if (__builtin_add_overflow(*bytes, entry.size, bytes))
		return "sizes";
	*before = (struct row) { .media = entry.media, .encoding = entry.encoding, .len = len };
	cursor->next++;
	return NULL;
}

static int check(const struct manifest *manifest, struct error *err)
{
	struct manifest_nesting nesting = { .n = 0 };
	struct row before = { 0 };
	struct manifest_cursor cursor;
	uint64_t bytes = 0;

	enter_group(manifest, 0, &cursor);
	cursor.at = 0;
	while (cursor.next < manifest->n) {
		const char *fault = row_fault(&cursor, &nesting, &before, &bytes);

		if (fault)
			return damaged(err, fault);
	}
	if (cursor.at != manifest->paths_len || bytes != manifest->bytes)
		return damaged(err, "sums");
	return 0;
}

static int lay_out(const void *data, size_t len, struct manifest **ret, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *manifest = calloc(1, sizeof(*manifest));
	int r;

	if (!manifest)
		return error_set(err, ENOMEM, "no memory for a manifest");
	r = len < MANIFEST_END_SIZE ? damaged(err, "size") : layout(manifest, data, len, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(manifest);
	return 0;
}

int manifest_parse(const void *data, size_t len, struct manifest **ret, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	int r = lay_out(data, len, &manifest, err);

	if (r == 0)
		r = check(manifest, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(manifest);
	return 0;
}

/* By read(2): where a disk cannot read, that is an error, and not a signal as below mmap(2). */
static int check_hash(int fd, const struct digest *digest, struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	struct digest found;
	uint64_t size;
	int r = hasher_new(&hasher, err);

	if (r < 0)
		return r;
	r = hasher_add_file(hasher, fd, UINT64_MAX, &size);
	if (r < 0)
		return error_set(err, -r, "read it: %s", strerror(-r));
	found = hasher_end(hasher);
	return digest_equal(&found, digest) ? 0 : damaged(err, "its hash");
}

static int check_mapped(int fd, void *data, size_t len, const struct digest *digest,
			struct manifest **ret, struct error *err)
{
	int r = check_hash(fd, digest, err);

	if (r < 0)
		return r;
	r = manifest_parse(data, len, ret, err);
	/* It was read once from end to end; what is needed comes back from the page cache. */
	(void)madvise(data, len, MADV_DONTNEED);
	(void)madvise(data, len, MADV_RANDOM);
	return r;
}

static int open_mapped(struct store *store, const struct digest *digest, bool known,
		       struct manifest **ret, struct error *err)
{
	uint64_t size = 0;
	_cleanup_close_ int fd = object_open(store, digest, &size, err);
	struct mapping mapping;
	int r;

	if (fd < 0)
		return fd;
	if (size == 0 || size > SIZE_MAX / 2)
		return damaged(err, "size");
	r = mapping_open(fd, (size_t)size, &mapping);
	if (r < 0)
		return error_set(err, -r, "map it: %s", strerror(-r));
	r = known ? lay_out(mapping.data, mapping.len, ret, err)
		  : check_mapped(fd, mapping.data, mapping.len, digest, ret, err);
	if (r < 0) {
		mapping_close(&mapping);
		return r;
	}
	(*ret)->mapping = mapping;
	return 0;
}

int manifest_open(struct store *store, const struct digest *digest, struct manifest **ret,
		  struct error *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r = open_mapped(store, digest, false, ret, err);

	return r < 0 ? error_wrap(err, r, "manifest %s", digest_format(digest, text)) : 0;
}

int manifest_open_known(struct store *store, const struct digest *digest, struct manifest **ret,
			struct error *err)
{
	return open_mapped(store, digest, true, ret, err);
}

void manifest_free(struct manifest *manifest)
{
	if (!manifest)
		return;
	mapping_close(&manifest->mapping);
	free(manifest);
}

bool manifest_is_lost(const struct manifest *manifest)
{
	return mapping_is_lost(&manifest->mapping);
}

/* -- Differences -------------------------------------------------------- */

static bool same(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return a->size == b->size && a->mtime == b->mtime && digest_equal(&a->digest, &b->digest);
}

int manifest_diff(const struct manifest *before, const struct manifest *after, manifest_diff_fn fn,
		  void *ctx)
{
	struct manifest_cursor cursors[2];
	struct manifest_entry a;
	struct manifest_entry b;
	bool has_a = false;
	bool has_b = false;
	int r = 0;

	if (before) {
		manifest_seek(before, "", &cursors[0]);
		has_a = manifest_next(&cursors[0], &a);
	}
	if (after) {
		manifest_seek(after, "", &cursors[1]);
		has_b = manifest_next(&cursors[1], &b);
	}
	while (r >= 0 && (has_a || has_b)) {
		int order = !has_a ? 1 : !has_b ? -1 : manifest_entry_compare(&a, &b);

		if (order < 0)
			r = fn(ctx, MANIFEST_REMOVED, &a, NULL);
		else if (order > 0)
			r = fn(ctx, MANIFEST_ADDED, NULL, &b);
		else if (!same(&a, &b))
			r = fn(ctx, MANIFEST_CHANGED, &a, &b);
		if (order <= 0)
			has_a = manifest_next(&cursors[0], &a);
		if (order >= 0)
			has_b = manifest_next(&cursors[1], &b);
	}
	return r < 0 ? r : 0;
}
