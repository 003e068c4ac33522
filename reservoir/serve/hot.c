/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table in shards, each with a lock, a chain per slot and a list by last use.  An
 * entry has a count of its users; one that is thrown out ends with its last user.
 * The bytes belong to a blob with a count of its own, as libmicrohttpd still sends
 * from them when the entry is gone.
 */
#include "reservoir/serve/hot.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/strbuf.h"
#include "reservoir/store/object.h"

#define SHARDS 16u
#define SLOTS 512u /* of a shard */
/* One send of a whole page costs less than many of sendfile(2), of which libmicrohttpd gives
 * each 128 KiB; above, the copy costs more.  A package is no page that is asked for again and
 * again: larger ones would only push pages out. */
#define INDEX_IN_MEMORY_MAX ((uint64_t)512 * 1024)
#define IN_MEMORY_MAX ((uint64_t)64 * 1024)
#define CHECKED_MAX ((uint64_t)1024 * 1024) /* larger ones take too long to hash for one request */
#define FILES_MAX 512u			    /* descriptors that are kept open */
#define FILES_SHARE 8u			    /* and this part of what the system allows */
#define ENTRY_COST 1536u		    /* bytes of an entry and its two responses, about */
#define CHECK_NS UINT64_C(1000000000)	    /* how long a descriptor is believed */

struct blob {
	atomic_uint refs;
	atomic_uint_fast64_t *held; /* of the place */
	uint64_t size;
	char *data;
};

struct hot_entry {
	struct hot_key key;
	atomic_uint refs; /* the table's is one */
	struct hot_entry *chain;
	struct hot_entry *newer, *older;
	struct MHD_Response *unchanged;
	/* Set once, under the lock of the shard: bytes with their response, or a descriptor. */
	struct MHD_Response *whole;
	struct blob *blob;
	int fd;
	atomic_bool loaded;
	ino_t inode;
	atomic_uint_fast64_t checked_ns;
	uint64_t cost;
	bool listed;
};

struct shard {
	pthread_mutex_t lock;
	struct hot_entry *slots[SLOTS];
	struct hot_entry *newest, *oldest;
	uint64_t bytes;
	uint64_t entries;
	unsigned int files;
	uint64_t hits, misses;
};

struct hot {
	struct store *store;
	uint64_t shard_bytes;
	uint64_t shard_files;
	uint64_t held_max;
	atomic_uint_fast64_t held; /* bytes of all blobs, also of those that are only still sent */
	struct shard shards[SHARDS];
};

static uint64_t count_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FILES_MAX;
	return MIN((uint64_t)limit.rlim_cur / FILES_SHARE, (uint64_t)FILES_MAX);
}

int hot_new(struct store *store, uint64_t bytes, struct hot **ret, struct error *err)
{
	struct hot *hot = calloc(1, sizeof(*hot));

	if (!hot)
		return error_set(err, ENOMEM, "no memory for answers");
	hot->store = store;
	hot->shard_bytes = bytes / SHARDS;
	hot->shard_files = count_files() / SHARDS;
	hot->held_max = bytes + bytes / 2;
	for (size_t i = 0; i < SHARDS; i++)
		(void)pthread_mutex_init(&hot->shards[i].lock, NULL);
	*ret = hot;
	return 0;
}

static void blob_unref(void *cls)
{
	struct blob *blob = cls;

	if (!blob || atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) != 1)
		return;
	atomic_fetch_sub_explicit(blob->held, blob->size, memory_order_relaxed);
	free(blob->data);
	free(blob);
}

static void entry_free(struct hot_entry *entry)
{
	if (entry->unchanged)
		MHD_destroy_response(entry->unchanged);
	if (entry->whole)
		MHD_destroy_response(entry->whole);
	if (entry->fd >= 0)
		(void)close(entry->fd);
	blob_unref(entry->blob);
	free(entry);
}

void hot_put(struct hot_entry *entry)
{
	if (entry && atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) == 1)
		entry_free(entry);
}

void hot_free(struct hot *hot)
{
	if (!hot)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct hot_entry *entry = hot->shards[i].newest;

		while (entry) {
			struct hot_entry *next = entry->older;

			hot_put(entry);
			entry = next;
		}
		(void)pthread_mutex_destroy(&hot->shards[i].lock);
	}
	free(hot);
}

static uint64_t hash(const struct hot_key *key)
{
	uint64_t h;

	memcpy(&h, key->digest.bytes, sizeof(h)); /* as good as random */
	return h ^ (uint64_t)key->mtime ^ (uint64_t)(uintptr_t)key->type;
}

static struct shard *shard_of(struct hot *hot, const struct hot_key *key)
{
	return &hot->shards[hash(key) % SHARDS];
}

static struct hot_entry **slot_of(struct shard *shard, const struct hot_key *key)
{
	return &shard->slots[hash(key) / SHARDS % SLOTS];
}

static void list_remove(struct shard *shard, struct hot_entry *entry)
{
	*(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
	entry->newer = entry->older = NULL;
}

static void list_push(struct shard *shard, struct hot_entry *entry)
{
	entry->older = shard->newest;
	*(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
	shard->newest = entry;
}

/* Takes an entry out of the table; the caller gives the table's count back. */
static void unlist(struct shard *shard, struct hot_entry *entry)
{
	struct hot_entry **at = slot_of(shard, &entry->key);

	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	list_remove(shard, entry);
	shard->bytes -= entry->cost;
	shard->entries--;
	shard->files -= entry->fd >= 0;
	entry->listed = false;
}

/* Makes room; @keep stays. */
static void shrink(struct hot *hot, struct shard *shard, const struct hot_entry *keep)
{
	struct hot_entry *entry = shard->oldest;

	while (entry && (shard->bytes > hot->shard_bytes || shard->files > hot->shard_files)) {
		struct hot_entry *newer = entry->newer;
		bool helps = shard->bytes > hot->shard_bytes || entry->fd >= 0;

		if (entry != keep && helps) {
			unlist(shard, entry);
			hot_put(entry);
		}
		entry = newer;
	}
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	(void)MHD_add_response_header(response, name, value);
}

static const char *vary_of(const struct hot_key *key)
{
	if (key->varies_by_accept)
		return key->varies_by_encoding ? "Accept, Accept-Encoding" : "Accept";
	return key->varies_by_encoding ? "Accept-Encoding" : NULL;
}

void hot_headers(const struct hot_key *key, struct MHD_Response *response, bool entity)
{
	/* A day at most: a file that was recalled must not live on in caches for good. */
	static const char *const freshness[][2] = {
		[FRESH_ASK] = { "no-cache", "private, no-cache" },
		[FRESH_FOREVER] = { "max-age=86400", "private, max-age=86400" },
	};
	const char *coding = encoding_name((enum encoding)key->encoding);
	const char *vary = vary_of(key);
	char etag[ETAG_MAX], date[HTTP_DATE_MAX] = "";

	etag_format(&key->digest, (enum encoding)key->encoding, etag);
	add_header(response, MHD_HTTP_HEADER_ETAG, etag);
	if (key->mtime > 0)
		http_date_format(key->mtime, date);
	if (date[0])
		add_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date);
	add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
		   freshness[key->freshness][key->is_private]);
	if (vary)
		add_header(response, MHD_HTTP_HEADER_VARY, vary);
	if (!entity)
		return;
	add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, key->type);
	if (coding)
		add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, coding);
	add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
}

static struct hot_entry *entry_new(const struct hot_key *key)
{
	struct hot_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->fd = -1;
	entry->cost = ENTRY_COST;
	entry->listed = true;
	atomic_init(&entry->refs, 2); /* the table's and the caller's */
	entry->unchanged = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!entry->unchanged) {
		free(entry);
		return NULL;
	}
	hot_headers(key, entry->unchanged, false);
	return entry;
}

static struct hot_entry *find(struct shard *shard, const struct hot_key *key)
{
	struct hot_entry *entry = *slot_of(shard, key);

	while (entry && memcmp(&entry->key, key, sizeof(*key)) != 0)
		entry = entry->chain;
	return entry;
}

static struct hot_entry *add(struct hot *hot, struct shard *shard, const struct hot_key *key)
{
	struct hot_entry **slot = slot_of(shard, key);
	struct hot_entry *entry = entry_new(key);

	shard->misses++;
	if (!entry)
		return NULL;
	entry->chain = *slot;
	*slot = entry;
	list_push(shard, entry);
	shard->bytes += entry->cost;
	shard->entries++;
	shrink(hot, shard, entry);
	return entry;
}

struct hot_entry *hot_get(struct hot *hot, const struct hot_key *key)
{
	struct shard *shard = shard_of(hot, key);
	struct hot_entry *entry;

	(void)pthread_mutex_lock(&shard->lock);
	entry = find(shard, key);
	if (entry) {
		atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
		shard->hits++;
		if (shard->newest != entry) {
			list_remove(shard, entry);
			list_push(shard, entry);
		}
	} else {
		entry = add(hot, shard, key);
	}
	(void)pthread_mutex_unlock(&shard->lock);
	return entry;
}

struct MHD_Response *hot_unchanged(const struct hot_entry *entry)
{
	return entry->unchanged;
}

/* What is loaded for an entry, until it is the entry's. */
struct load {
	struct MHD_Response *response;
	struct blob *blob;
	int fd;
	ino_t inode;
};

/* Reads an object, and sees that it is what it is to be. */
static int read_object(struct hot *hot, const struct hot_key *key, struct strbuf *ret,
		       struct error *err)
{
	int r = object_read(hot->store, &key->digest, (size_t)key->size, ret, err);

	if (r < 0)
		return r;
	if (ret->len != key->size)
		return error_set(err, EBADMSG, "an object has %zu bytes and not %llu", ret->len,
				 (unsigned long long)key->size);
	return 0;
}

/* A client that reads slowly keeps what was thrown out long ago: once there is too much of
 * that, files are sent from their descriptors. */
static bool is_for_memory(struct hot *hot, const struct hot_key *key)
{
	uint64_t most = key->is_index ? INDEX_IN_MEMORY_MAX : IN_MEMORY_MAX;

	return key->size <= MIN(most, hot->shard_bytes / 4) &&
	       atomic_load_explicit(&hot->held, memory_order_relaxed) + key->size <= hot->held_max;
}

/* Takes over the bytes, without the room behind them. */
static struct blob *blob_new(struct hot *hot, struct strbuf *bytes)
{
	struct blob *blob = calloc(1, sizeof(*blob));
	char *data = blob ? realloc(bytes->data, MAX(bytes->len, (size_t)1)) : NULL;

	if (!data) {
		free(blob);
		return NULL;
	}
	bytes->data = NULL;
	blob->data = data;
	blob->size = bytes->len;
	blob->held = &hot->held;
	atomic_fetch_add_explicit(blob->held, blob->size, memory_order_relaxed);
	atomic_init(&blob->refs, 2); /* the entry's and the response's */
	return blob;
}

static int load_bytes(struct hot *hot, const struct hot_key *key, struct load *ret,
		      struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT(INDEX_IN_MEMORY_MAX + 1);
	struct blob *blob;
	int r = read_object(hot, key, &bytes, err);

	if (r < 0)
		return r;
	blob = blob_new(hot, &bytes);
	if (!blob)
		return error_set(err, ENOMEM, "no memory for a file");
	ret->response = MHD_create_response_from_buffer_with_free_callback_cls(
		(size_t)key->size, blob->data, blob_unref, blob);
	if (!ret->response) {
		atomic_store(&blob->refs, 1);
		blob_unref(blob);
		return error_set(err, ENOMEM, "no memory for a file");
	}
	ret->blob = blob;
	return 0;
}

static int open_object(struct hot *hot, const struct hot_key *key, ino_t *ret_inode,
		       struct error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	uint64_t size;

	fd = object_open(hot->store, &key->digest, &size, err);
	if (fd < 0)
		return fd;
	if (size != key->size)
		return error_set(err, EBADMSG, "an object has %llu bytes and not %llu",
				 (unsigned long long)size, (unsigned long long)key->size);
	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "an object cannot be looked at: %s", strerror(errno));
	*ret_inode = st.st_ino;
	return TAKE_FD(fd);
}

static int load_file(struct hot *hot, const struct hot_key *key, struct load *ret,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT(CHECKED_MAX + 1);
	int r = key->size <= CHECKED_MAX ? read_object(hot, key, &bytes, err) : 0;
	int fd = r < 0 ? r : open_object(hot, key, &ret->inode, err);

	if (fd < 0)
		return fd;
	ret->fd = fd;
	return 0;
}

/* Makes what was loaded the entry's, unless another thread was faster. */
static void adopt(struct hot *hot, struct hot_entry *entry, struct load *load)
{
	struct shard *shard = shard_of(hot, &entry->key);
	uint64_t more = load->blob ? entry->key.size : 0;

	(void)pthread_mutex_lock(&shard->lock);
	if (!entry->loaded) {
		entry->blob = TAKE_PTR(load->blob);
		entry->whole = TAKE_PTR(load->response);
		entry->fd = TAKE_FD(load->fd);
		entry->inode = load->inode;
		atomic_store(&entry->checked_ns, clock_ns());
		entry->cost += more;
		if (entry->listed) {
			shard->bytes += more;
			shard->files += entry->fd >= 0;
		}
		atomic_store(&entry->loaded, true);
		shrink(hot, shard, entry);
	}
	(void)pthread_mutex_unlock(&shard->lock);
	if (load->response)
		MHD_destroy_response(load->response);
	if (load->fd >= 0)
		(void)close(load->fd);
	blob_unref(load->blob);
}

static int check_file(struct hot *hot, struct hot_entry *entry, struct error *err)
{
	struct shard *shard = shard_of(hot, &entry->key);
	uint64_t now = clock_ns();
	ino_t inode = 0;
	int fd;

	if (entry->fd < 0 || now - atomic_load(&entry->checked_ns) < CHECK_NS)
		return 0;
	fd = open_object(hot, &entry->key, &inode, err);
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && inode == entry->inode) {
		atomic_store(&entry->checked_ns, now);
		return 0;
	}
	(void)pthread_mutex_lock(&shard->lock);
	if (entry->listed) {
		unlist(shard, entry);
		hot_put(entry); /* the caller has one more */
	}
	(void)pthread_mutex_unlock(&shard->lock);
	return fd < 0 ? fd : error_set(err, ESTALE, "an object was replaced");
}

static int load_entry(struct hot *hot, struct hot_entry *entry, struct error *err)
{
	struct load load = { .fd = -1 };
	int r;

	if (atomic_load_explicit(&entry->loaded, memory_order_acquire))
		return check_file(hot, entry, err);
	r = is_for_memory(hot, &entry->key) ? load_bytes(hot, &entry->key, &load, err)
					    : load_file(hot, &entry->key, &load, err);
	if (r < 0)
		return r;
	if (load.response)
		hot_headers(&entry->key, load.response, true);
	adopt(hot, entry, &load);
	return 0;
}

int hot_whole(struct hot *hot, struct hot_entry *entry, struct MHD_Response **ret,
	      struct error *err)
{
	int r = load_entry(hot, entry, err);

	if (r < 0)
		return r;
	*ret = entry->whole;
	return 0;
}

static struct MHD_Response *part_of_bytes(struct blob *blob, const struct byte_range *range)
{
	struct MHD_Response *response;

	atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
	response = MHD_create_response_from_buffer_with_free_callback_cls(
		(size_t)range->length, blob->data + range->first, blob_unref, blob);
	if (!response)
		blob_unref(blob);
	return response;
}

static struct MHD_Response *part_of_file(int fd, const struct byte_range *range)
{
	_cleanup_close_ int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct MHD_Response *response;

	if (copy < 0)
		return NULL;
	response = MHD_create_response_from_fd_at_offset64(range->length, copy, range->first);
	if (response)
		(void)TAKE_FD(copy);
	return response;
}

int hot_part(struct hot *hot, struct hot_entry *entry, const struct byte_range *range,
	     struct MHD_Response **ret, struct error *err)
{
	int r = load_entry(hot, entry, err);

	if (r < 0)
		return r;
	*ret = entry->blob ? part_of_bytes(entry->blob, range) : part_of_file(entry->fd, range);
	if (!*ret)
		return error_set(err, ENOMEM, "no memory or descriptor for a part of a file");
	hot_headers(&entry->key, *ret, true);
	return 0;
}

int hot_open(struct hot *hot, struct hot_entry *entry, struct error *err)
{
	ino_t inode;

	return open_object(hot, &entry->key, &inode, err);
}

struct hot_counts hot_count(struct hot *hot)
{
	struct hot_counts counts = { .held = atomic_load(&hot->held) };

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &hot->shards[i];

		(void)pthread_mutex_lock(&shard->lock);
		counts.hits += shard->hits;
		counts.misses += shard->misses;
		counts.bytes += shard->bytes;
		counts.entries += shard->entries;
		(void)pthread_mutex_unlock(&shard->lock);
	}
	return counts;
}
