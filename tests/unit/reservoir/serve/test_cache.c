/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/cache.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/serve/cache_record.h"
#include "reservoir/store/catalogue.h"
#include "reservoir/store/object.h"
#include "tests/unit/reservoir/store/scratch.h"

/*
 * The upstream is a directory.  An ecosystem of the test: "index/..." is an index with
 * a line "PATH SHA256" for each file; "pool/..." are packages, and "pool/of-NAME" is on
 * "index/NAME".
 */
static int expect(const char *path, const void *data, size_t len, expectation_fn fn, void *ctx,
		  _unused_ struct error *err)
{
	_cleanup_free_ char *text = strndup(data, len);
	char *line = text;
	int r = 0;

	if (!str_starts_with(path, "index/"))
		return 0;
	while (r >= 0 && line && *line) {
		char name[64], hash[DIGEST_TEXT_SIZE];
		struct expectation expectation = { .path = name };

		if (sscanf(line, "%63s %64s", name, hash) != 2 ||
		    digest_parse(hash, &expectation.sha256) < 0)
			return -EINVAL;
		r = fn(ctx, &expectation);
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	return r;
}

static bool package(const char *path, char *ret, size_t size)
{
	return str_starts_with(path, "pool/") && str_copy(ret, size, "p") == 0;
}

static bool find_index(const char *path, char ret[STORE_PATH_MAX])
{
	const char *name = str_starts_with(path, "pool/of-");

	if (name)
		(void)snprintf(ret, STORE_PATH_MAX, "index/%s", name);
	return name;
}

static const struct ecosystem ecosystem = {
	.name = "test",
	.expect = expect,
	.package = package,
	.index = find_index,
};

struct fixture {
	struct scratch *scratch;
	char upstream[128], dir[128];
	struct repository config;
	struct setup_repository setup;
	struct picture_repository repository;
	struct config_sync sync;
	struct cache *cache;
};

struct waiter {
	struct cache_wait wait;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
};

static void put(const struct fixture *fixture, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->upstream, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void drop(const struct fixture *fixture, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->upstream, name);
	assert_int_equal(unlink(path), 0);
}

static void open_cache(struct fixture *fixture)
{
	struct error err;

	if (cache_new(fixture->dir, &fixture->sync, 1 << 20, &fixture->cache, &err) < 0)
		fail_msg("%s", err.msg);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char path[256];

	assert_non_null(fixture);
	(void)scratch_setup((void **)&fixture->scratch);
	(void)snprintf(fixture->dir, sizeof(fixture->dir), "%s/cache", fixture->scratch->dir);
	(void)snprintf(fixture->upstream, sizeof(fixture->upstream), "%s/up",
		       fixture->scratch->dir);
	assert_int_equal(mkdir(fixture->upstream, 0755), 0);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", fixture->upstream,
			       i == 0 ? "index" : "pool");
		assert_int_equal(mkdir(path, 0755), 0);
	}
	fixture->sync = (struct config_sync) {
		.per_host = 4, .total = 4, .attempts = 1, .timeout_ms = 2000
	};
	(void)snprintf(fixture->config.upstream, sizeof(fixture->config.upstream), "file://%s",
		       fixture->upstream);
	fixture->config.mode = REPOSITORY_CACHE;
	fixture->config.cache_for_ms = 3600000;
	fixture->setup.config = &fixture->config;
	fixture->repository.setup = &fixture->setup;
	fixture->repository.ecosystem = &ecosystem;
	(void)str_copy(fixture->repository.info.name, STORE_NAME_MAX, "r");
	open_cache(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	cache_free(fixture->cache);
	(void)scratch_teardown((void **)&fixture->scratch);
	free(fixture);
	return 0;
}

static void on_done(struct cache_wait *wait)
{
	struct waiter *waiter = (struct waiter *)(void *)wait;

	(void)pthread_mutex_lock(&waiter->lock);
	waiter->done = true;
	(void)pthread_cond_signal(&waiter->wake);
	(void)pthread_mutex_unlock(&waiter->lock);
}

static void fetch(struct fixture *fixture, const char *path, const struct digest *damaged, size_t n)
{
	struct waiter waiters[8];

	assert_true(n <= ARRAY_SIZE(waiters));
	for (size_t i = 0; i < n; i++) {
		waiters[i] = (struct waiter) { .wait.done = on_done,
					       .lock = PTHREAD_MUTEX_INITIALIZER,
					       .wake = PTHREAD_COND_INITIALIZER };
		cache_fetch(fixture->cache, &fixture->repository, path, damaged, &waiters[i].wait);
	}
	for (size_t i = 0; i < n; i++) {
		(void)pthread_mutex_lock(&waiters[i].lock);
		while (!waiters[i].done)
			(void)pthread_cond_wait(&waiters[i].wake, &waiters[i].lock);
		(void)pthread_mutex_unlock(&waiters[i].lock);
	}
}

/* What a client gets, after a fetch if one is needed; and the bytes that there are. */
static enum cache_outcome ask(struct fixture *fixture, const char *path, char text[256])
{
	_cleanup_(shared_unrefp) struct shared_manifest *manifest = NULL;
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT(255);
	struct manifest_entry entry;
	struct origin origin;
	struct error err;
	enum cache_outcome outcome = cache_look(fixture->cache, &fixture->repository, path,
						CACHE_WAITED_NOT, &manifest, &origin);

	if (outcome == CACHE_ASK_INDEX) {
		fetch(fixture, origin.path, NULL, 2);
		outcome = cache_look(fixture->cache, &fixture->repository, path, CACHE_WAITED_INDEX,
				     &manifest, &origin);
	}
	if (outcome == CACHE_ASK) {
		fetch(fixture, path, NULL, 3);
		outcome = cache_look(fixture->cache, &fixture->repository, path, CACHE_WAITED,
				     &manifest, &origin);
	}
	text[0] = '\0';
	if (outcome != CACHE_FOUND)
		return outcome;
	assert_int_equal(store_open(fixture->dir, STORE_READ, &store, &err), 0);
	assert_true(manifest_find(manifest->manifest, path, &entry));
	assert_int_equal(object_read(store, &entry.digest, 255, &data, &err), 0);
	(void)str_copy(text, 256, strbuf_str(&data));
	return outcome;
}

static void put_index(const struct fixture *fixture, const char *name, const char *of)
{
	struct digest digest = digest_of(of, strlen(of));
	char hash[DIGEST_TEXT_SIZE], line[256];

	(void)snprintf(line, sizeof(line), "%s %s\n", name, digest_format(&digest, hash));
	put(fixture, "index/a", line);
}

static void fetches_what_is_vouched_for(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	put_index(fixture, "pool/x~y+.deb", "hello");
	put(fixture, "pool/x~y+.deb", "hello");
	assert_int_equal(ask(fixture, "pool/x~y+.deb", text), CACHE_REFUSED);
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x~y+.deb", text), CACHE_FOUND);
	assert_string_equal(text, "hello");
	assert_int_equal(ask(fixture, "pool/other", text), CACHE_REFUSED);
	assert_int_equal(ask(fixture, "index/none", text), CACHE_ABSENT);
}

static void says_what_the_upstream_lacks(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	put_index(fixture, "pool/x", "hello");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_ABSENT);
	put(fixture, "pool/x", "hello");
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	/* Nobody can say what it has. */
	put_index(fixture, "pool/y", "other");
	fixture->config.cache_for_ms = 0;
	drop(fixture, "index/a");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_ABSENT);
	put_index(fixture, "pool/y", "other");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	cache_free(TAKE_PTR(fixture->cache));
	open_cache(fixture);
	(void)str_copy(fixture->config.upstream, sizeof(fixture->config.upstream),
		       "http://127.0.0.1:1");
	assert_int_equal(ask(fixture, "pool/y", text), CACHE_FAILED);
}

/* The client has the name from elsewhere: from another server, or a lock file. */
static void fetches_the_index_first(void **state)
{
	struct fixture *fixture = *state;
	struct shared_manifest *manifest = NULL;
	struct origin origin;
	char text[256];

	put(fixture, "pool/of-a", "hello");
	put(fixture, "pool/of-b", "hello");
	put_index(fixture, "pool/of-a", "hello");
	assert_int_equal(ask(fixture, "pool/of-a", text), CACHE_FOUND);
	assert_string_equal(text, "hello");
	/* There is no such index, or it says nothing of the file; neither is asked for again. */
	assert_int_equal(ask(fixture, "pool/of-b", text), CACHE_REFUSED);
	put(fixture, "index/c", "");
	assert_int_equal(ask(fixture, "pool/of-c", text), CACHE_REFUSED);
	put_index(fixture, "pool/of-c", "hello");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cache_look(fixture->cache, &fixture->repository,
					    i ? "pool/of-b" : "pool/of-c", CACHE_WAITED_NOT,
					    &manifest, &origin),
				 CACHE_REFUSED);
	(void)str_copy(fixture->config.upstream, sizeof(fixture->config.upstream),
		       "http://127.0.0.1:1");
	assert_int_equal(ask(fixture, "pool/of-d", text), CACHE_FAILED);
}

static void takes_no_wrong_bytes(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	put_index(fixture, "pool/x", "hello");
	put(fixture, "pool/x", "Hello");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FAILED);
	put(fixture, "pool/x", "hello");
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	assert_string_equal(text, "hello");
}

static void follows_the_upstream(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	fixture->config.cache_for_ms = 0;
	put(fixture, "pool/x", "one");
	put_index(fixture, "pool/x", "one");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	put(fixture, "pool/x", "three");
	put_index(fixture, "pool/x", "three");
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	assert_string_equal(text, "one");
	/* A file's time is only good to the second: the index is another one for sure. */
	drop(fixture, "index/a");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_ABSENT);
	put_index(fixture, "pool/x", "three");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	assert_string_equal(text, "three");
}

/* The manifest of a path, which is there; counted as often as it was looked for. */
static struct shared_manifest *look(const struct fixture *fixture, const char *path)
{
	struct shared_manifest *shared = NULL;
	struct origin origin;

	assert_int_equal(cache_look(fixture->cache, &fixture->repository, path, CACHE_WAITED_NOT,
				    &shared, &origin),
			 CACHE_FOUND);
	return shared;
}

static void opens_a_manifest_once(void **state)
{
	_cleanup_(shared_unrefp) struct shared_manifest *first = NULL, *second = NULL,
							*other = NULL;
	struct fixture *fixture = *state;
	char text[256];

	put_index(fixture, "pool/x", "one");
	put(fixture, "pool/x", "one");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	first = look(fixture, "index/a");
	second = look(fixture, "index/a");
	other = look(fixture, "pool/x");
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	assert_true(first->refs > 2);
	/* It outlives the cache. */
	cache_free(TAKE_PTR(fixture->cache));
	assert_int_equal(first->refs, 2);
}

static void lives_without_its_upstream(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	put(fixture, "pool/x", "one");
	put(fixture, "pool/y", "two");
	put_index(fixture, "pool/x", "one");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	/* Another process, with an upstream that is gone. */
	cache_free(fixture->cache);
	(void)str_copy(fixture->config.upstream, sizeof(fixture->config.upstream),
		       "http://127.0.0.1:1");
	fixture->config.cache_for_ms = 0;
	open_cache(fixture);
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	assert_string_equal(text, "one");
	assert_int_equal(ask(fixture, "index/b", text), CACHE_FAILED);
	assert_int_equal(ask(fixture, "pool/y", text), CACHE_REFUSED);
}

static bool has_object(const struct fixture *fixture, const char *text)
{
	_cleanup_(store_closep) struct store *store = NULL;
	struct digest digest = digest_of(text, strlen(text));
	struct error err;

	assert_int_equal(store_open(fixture->dir, STORE_READ, &store, &err), 0);
	return object_exists(store, &digest);
}

/* Puts a package of @len times a letter there, and what vouches for it. */
static void put_package(const struct fixture *fixture, char letter, size_t len, char text[256])
{
	char path[32], index[32], line[256], hash[DIGEST_TEXT_SIZE];
	struct digest digest;

	memset(text, letter, len);
	text[len] = '\0';
	digest = digest_of(text, len);
	(void)snprintf(path, sizeof(path), "pool/%c", letter);
	(void)snprintf(index, sizeof(index), "index/%c", letter);
	(void)snprintf(line, sizeof(line), "%s %s\n", path, digest_format(&digest, hash));
	put(fixture, path, text);
	put(fixture, index, line);
}

static const char *const names[] = { "x", "y", "z" };

/* Of three packages of 200 bytes two fit; the one that was asked for longest ago goes. */
static void keeps_to_its_size(void **state)
{
	struct fixture *fixture = *state;
	char texts[ARRAY_SIZE(names)][256], path[32], text[256];

	fixture->config.max_size = 800; /* with the indexes, of 72 bytes each */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		put_package(fixture, names[i][0], 200, texts[i]);
		(void)snprintf(path, sizeof(path), "index/%s", names[i]);
		assert_int_equal(ask(fixture, path, text), CACHE_FOUND);
	}
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/y", text), CACHE_FOUND);
	(void)poll(NULL, 0, 1100); /* that it was asked for is noted once a second */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "index/%s", names[i]);
		assert_int_equal(ask(fixture, path, text), CACHE_FOUND);
	}
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "pool/z", text), CACHE_FOUND);
	assert_string_equal(text, texts[2]);
	assert_true(has_object(fixture, texts[0]));
	assert_false(has_object(fixture, texts[1]));
	assert_true(has_object(fixture, texts[2]));
	/* It is fetched again. */
	assert_int_equal(ask(fixture, "pool/y", text), CACHE_FOUND);
	assert_string_equal(text, texts[1]);
}

/* Two names of the same bytes need them until both are gone. */
static void keeps_what_another_needs(void **state)
{
	struct fixture *fixture = *state;
	char text[256];

	fixture->config.cache_for_ms = 0;
	put(fixture, "index/a", "");
	put(fixture, "index/b", "");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_int_equal(ask(fixture, "index/b", text), CACHE_FOUND);
	drop(fixture, "index/a");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_ABSENT);
	assert_true(has_object(fixture, ""));
	drop(fixture, "index/b");
	assert_int_equal(ask(fixture, "index/b", text), CACHE_ABSENT);
	assert_false(has_object(fixture, ""));
}

static int count_key(void *ctx, _unused_ const char *key, _unused_ const void *value,
		     _unused_ size_t len)
{
	(*(size_t *)ctx)++;
	return 0;
}

static void writes_no_absent_names(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	char text[256], path[32];
	struct error err;
	size_t n = 0;

	for (int i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "index/none-%d", i);
		assert_int_equal(ask(fixture, path, text), CACHE_ABSENT);
	}
	put(fixture, "index/none-3", "");
	assert_int_equal(ask(fixture, "index/none-3", text), CACHE_ABSENT);
	fixture->config.cache_for_ms = 0;
	assert_int_equal(ask(fixture, "index/none-3", text), CACHE_FOUND);
	cache_free(fixture->cache);
	fixture->cache = NULL;
	assert_int_equal(store_open(fixture->dir, STORE_WRITE, &store, &err), 0);
	assert_int_equal(catalogue_open(store, &catalogue, &err), 0);
	assert_int_equal(catalogue_each(catalogue, "cache/r", count_key, &n, &err), 0);
	assert_int_equal(n, 1);
}

/* Changes the bytes of an object, or removes it. */
static void damage(const struct fixture *fixture, const struct digest *digest, bool gone)
{
	char path[256], text[DIGEST_TEXT_SIZE];
	FILE *file;

	(void)digest_format(digest, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", fixture->dir, text, text);
	if (gone) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	assert_int_equal(chmod(path, 0600), 0);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_true(fputs("?", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void has_again_what_it_lost(void **state)
{
	struct fixture *fixture = *state;
	const char *const paths[] = { "index/a", "pool/x" };
	char text[256], before[256];

	put(fixture, "pool/x", "hello");
	put_index(fixture, "pool/x", "hello");
	for (size_t i = 0; i < ARRAY_SIZE(paths) * 4; i++) {
		const char *path = paths[i / 4];
		_cleanup_(shared_unrefp) struct shared_manifest *manifest = NULL;
		struct manifest_entry entry;
		struct digest digest;
		bool of_manifest = i % 2;

		assert_int_equal(ask(fixture, path, before), CACHE_FOUND);
		manifest = look(fixture, path);
		assert_true(manifest_find(manifest->manifest, path, &entry));
		digest = of_manifest ? manifest->digest : entry.digest;
		/* Another process, as who has a manifest open goes on with it. */
		cache_free(TAKE_PTR(fixture->cache));
		damage(fixture, &digest, i % 4 / 2);
		open_cache(fixture);
		if (!of_manifest)
			fetch(fixture, path, &digest, 2);
		assert_int_equal(ask(fixture, path, text), CACHE_FOUND);
		assert_string_equal(text, before);
	}
}

static void asks_again_when_the_clock_was_set_back(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(catalogue_closep) struct catalogue *catalogue = NULL;
	_cleanup_(cache_records_freep) struct cache_records *records = NULL;
	struct cache_record record;
	char text[256];
	struct error err;

	put(fixture, "index/a", "");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	cache_free(TAKE_PTR(fixture->cache));
	assert_int_equal(store_open(fixture->dir, STORE_WRITE, &store, &err), 0);
	assert_int_equal(catalogue_open(store, &catalogue, &err), 0);
	assert_int_equal(cache_records_new(store, catalogue, &records, &err), 0);
	assert_true(cache_record_get(records, "r", "index/a", &record));
	record.fetched += 86400;
	assert_int_equal(
		catalogue_put(catalogue, "cache/r", "index/a", &record, sizeof(record), &err), 0);
	assert_int_equal(catalogue_commit(catalogue, &err), 0);
	cache_records_free(TAKE_PTR(records));
	catalogue_close(TAKE_PTR(catalogue));
	store_close(TAKE_PTR(store));
	open_cache(fixture);
	drop(fixture, "index/a");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_ABSENT);
}

#define MANY 64

struct ordered {
	struct cache_wait wait;
	atomic_uint *counter;
	unsigned int place;
};

static void note_place(struct cache_wait *wait)
{
	struct ordered *ordered = (struct ordered *)(void *)wait;

	/* Only the cache's thread counts; who waits for the number reads the place. */
	ordered->place = atomic_load(ordered->counter);
	atomic_store(ordered->counter, ordered->place + 1);
}

/* The first name is that of a pipe: nothing is fetched until somebody writes to it. */
static void fetches_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct ordered all[MANY];
	atomic_uint counter = 0;
	char path[256], name[32];
	int fd = -1;

	fixture->sync.total = 1;
	cache_free(TAKE_PTR(fixture->cache));
	open_cache(fixture);
	(void)snprintf(path, sizeof(path), "%s/index/0", fixture->upstream);
	assert_int_equal(mkfifo(path, 0600), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "index/%u", i);
		all[i] = (struct ordered) { .wait.done = note_place, .counter = &counter };
		cache_fetch(fixture->cache, &fixture->repository, name, NULL, &all[i].wait);
		if (i > 0)
			continue;
		fd = open(path, O_WRONLY | O_CLOEXEC); /* waits for who reads */
		assert_true(fd >= 0);
	}
	(void)close(fd);
	for (int i = 0; i < 2000 && atomic_load(&counter) < MANY; i++)
		(void)poll(NULL, 0, 10);
	assert_int_equal(atomic_load(&counter), MANY);
	for (unsigned int i = 16; i < MANY; i++)
		assert_true(all[i].place > all[i - 16].place);
}

/* What does not fit is told, not tried again at once, and no reason not to serve the rest. */
static void tells_of_a_full_disk(void **state)
{
	struct fixture *fixture = *state;
	const struct trouble *trouble;
	char text[256];
	uint64_t n;

	put_index(fixture, "pool/x", "hello");
	put(fixture, "pool/x", "hello");
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	cache_free(fixture->cache);
	fixture->sync.keep_free = UINT64_MAX;
	open_cache(fixture);
	trouble = cache_trouble(fixture->cache);
	assert_int_equal(trouble->n, 0);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_UNWRITABLE);
	n = trouble->n;
	assert_true(n > 0);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_UNWRITABLE);
	assert_int_equal(trouble->code, -ENOSPC);
	assert_int_equal(trouble->n, n);
	assert_int_equal(ask(fixture, "index/a", text), CACHE_FOUND);
	assert_false(has_object(fixture, "hello"));
	cache_free(fixture->cache);
	fixture->sync.keep_free = 0;
	open_cache(fixture);
	assert_int_equal(ask(fixture, "pool/x", text), CACHE_FOUND);
}

static void one_server_has_it(void **state)
{
	struct fixture *fixture = *state;
	struct cache *other = NULL;
	struct error err;

	assert_int_equal(cache_new(fixture->dir, &fixture->sync, 1 << 20, &other, &err), -EBUSY);
	assert_null(other);
}

static void tells_who_waits_at_the_end(void **state)
{
	struct fixture *fixture = *state;

	cache_stop(fixture->cache);
	fetch(fixture, "index/a", NULL, 2); /* returns */
}

#define WITH_CACHE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(says_what_the_upstream_lacks),
		WITH_CACHE(fetches_the_index_first),
		WITH_CACHE(fetches_what_is_vouched_for),
		WITH_CACHE(takes_no_wrong_bytes),
		WITH_CACHE(follows_the_upstream),
		WITH_CACHE(opens_a_manifest_once),
		WITH_CACHE(lives_without_its_upstream),
		WITH_CACHE(keeps_to_its_size),
		WITH_CACHE(keeps_what_another_needs),
		WITH_CACHE(writes_no_absent_names),
		WITH_CACHE(has_again_what_it_lost),
		WITH_CACHE(fetches_in_order),
		WITH_CACHE(asks_again_when_the_clock_was_set_back),
		WITH_CACHE(tells_of_a_full_disk),
		WITH_CACHE(one_server_has_it),
		WITH_CACHE(tells_who_waits_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
