/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/statistics.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"

#define SLOTS 262144u /* a power of two, above STATISTICS_MAX */
#define VERSION 1

struct row {
	struct row *chain;
	uint64_t downloads;
	uint64_t bytes;
	char *package; /* in the same allocation, after the repository */
	char repository[];
};

struct statistics {
	char path[CONFIG_PATH_SIZE];
	pthread_mutex_t lock;
	bool changed;
	struct trouble trouble;
	size_t n;
	struct row *slots[SLOTS];
};

static uint32_t hash(const char *repository, const char *package)
{
	uint32_t h = 2166136261u;

	for (const char *p = repository; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	h = (h ^ '/') * 16777619u;
	for (const char *p = package; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return h % SLOTS;
}

static struct row *add_row(struct row **slot, const char *repository, const char *package)
{
	size_t len = strlen(repository) + 1, more = strlen(package) + 1;
	struct row *row = calloc(1, sizeof(*row) + len + more);

	if (!row)
		return NULL;
	memcpy(row->repository, repository, len);
	row->package = row->repository + len;
	memcpy(row->package, package, more);
	row->chain = *slot;
	*slot = row;
	return row;
}

static struct row *find(struct statistics *statistics, const char *repository, const char *package)
{
	struct row **slot = &statistics->slots[hash(repository, package)];

	for (struct row *row = *slot; row; row = row->chain)
		if (strcmp(row->package, package) == 0 && strcmp(row->repository, repository) == 0)
			return row;
	if (statistics->n >= STATISTICS_MAX && package[0])
		return find(statistics, repository, "");
	statistics->n++;
	return add_row(slot, repository, package);
}

static void count(struct statistics *statistics, const char *repository, const char *package,
		  uint64_t downloads, uint64_t bytes)
{
	struct row *row;

	(void)pthread_mutex_lock(&statistics->lock);
	row = find(statistics, repository, package);
	if (row) {
		row->downloads += downloads;
		row->bytes += bytes;
	}
	statistics->changed = true;
	(void)pthread_mutex_unlock(&statistics->lock);
}

void statistics_count(struct statistics *statistics, const struct ecosystem *ecosystem,
		      const char *repository, const char *path, uint64_t bytes)
{
	char package[STATISTICS_NAME_MAX];

	if (ecosystem && ecosystem->package && ecosystem->package(path, package, sizeof(package)))
		count(statistics, repository, package, 1, bytes);
}

static void load_repository(struct statistics *statistics, const char *repository, json_t *packages)
{
	const char *package;
	json_t *value;

	json_object_foreach(packages, package, value)
	{
		json_int_t downloads = json_integer_value(json_array_get(value, 0));
		json_int_t bytes = json_integer_value(json_array_get(value, 1));

		if (strlen(package) < STATISTICS_NAME_MAX && downloads > 0 && bytes >= 0)
			count(statistics, repository, package, (uint64_t)downloads,
			      (uint64_t)bytes);
	}
}

static int load(struct statistics *statistics, struct error *err)
{
	json_error_t where;
	const char *repository;
	json_t *value, *root;

	if (!statistics->path[0] || access(statistics->path, F_OK) < 0)
		return 0;
	root = json_load_file(statistics->path, JSON_REJECT_DUPLICATES, &where);
	if (!root || json_integer_value(json_object_get(root, "version")) != VERSION) {
		json_decref(root);
		return error_set(err, EBADMSG, "the statistics in '%s' cannot be read",
				 statistics->path);
	}
	json_object_foreach(json_object_get(root, "repositories"), repository, value)
	{
		if (strlen(repository) < STORE_NAME_MAX)
			load_repository(statistics, repository, value);
	}
	json_decref(root);
	statistics->changed = false;
	return 0;
}

int statistics_new(const char *path, struct statistics **ret, struct error *err)
{
	struct statistics *statistics = calloc(1, sizeof(*statistics));

	if (!statistics || str_copy(statistics->path, sizeof(statistics->path), path) < 0) {
		free(statistics);
		return error_set(err, ENOMEM, "no memory for statistics");
	}
	statistics->trouble.what = "the statistics";
	(void)pthread_mutex_init(&statistics->lock, NULL);
	(void)load(statistics, err);
	*ret = statistics;
	return 0;
}

const struct trouble *statistics_trouble(const struct statistics *statistics)
{
	return &statistics->trouble;
}

void statistics_free(struct statistics *statistics)
{
	if (!statistics)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		struct row *row = statistics->slots[i];

		while (row) {
			struct row *next = row->chain;

			free(row);
			row = next;
		}
	}
	(void)pthread_mutex_destroy(&statistics->lock);
	free(statistics);
}

/* Puts a row where it belongs among the most frequent ones. */
static size_t insert(const struct row *row, struct statistics_row *rows, size_t n, size_t max)
{
	size_t at = n;

	while (at > 0 && rows[at - 1].downloads < row->downloads)
		at--;
	if (at >= max)
		return n;
	if (n == max)
		n--;
	memmove(&rows[at + 1], &rows[at], (n - at) * sizeof(*rows));
	rows[at] = (struct statistics_row) { .downloads = row->downloads, .bytes = row->bytes };
	(void)str_copy(rows[at].repository, sizeof(rows[at].repository), row->repository);
	(void)str_copy(rows[at].package, sizeof(rows[at].package), row->package);
	return n + 1;
}

size_t statistics_top(struct statistics *statistics, struct statistics_row *rows, size_t max)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&statistics->lock);
	for (size_t i = 0; i < SLOTS; i++)
		for (const struct row *row = statistics->slots[i]; row; row = row->chain)
			if (row->package[0])
				n = insert(row, rows, n, max);
	(void)pthread_mutex_unlock(&statistics->lock);
	return n;
}

static json_t *object_of(json_t *repositories, const char *name)
{
	json_t *object = json_object_get(repositories, name);

	if (object)
		return object;
	object = json_object();
	return json_object_set_new(repositories, name, object) == 0 ? object : NULL;
}

static char *dump(struct statistics *statistics)
{
	json_t *repositories = json_object();
	json_t *root = json_pack("{si so}", "version", VERSION, "repositories", repositories);
	char *text;

	for (size_t i = 0; i < SLOTS && root; i++)
		for (const struct row *row = statistics->slots[i]; row; row = row->chain)
			(void)json_object_set_new(object_of(repositories, row->repository),
						  row->package,
						  json_pack("[II]", (json_int_t)row->downloads,
							    (json_int_t)row->bytes));
	text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(root);
	return text;
}

static char *take_changes(struct statistics *statistics)
{
	char *text = NULL;

	(void)pthread_mutex_lock(&statistics->lock);
	if (statistics->changed) {
		text = dump(statistics);
		statistics->changed = !text;
	}
	(void)pthread_mutex_unlock(&statistics->lock);
	return text;
}

static void keep_for_later(struct statistics *statistics)
{
	(void)pthread_mutex_lock(&statistics->lock);
	statistics->changed = true;
	(void)pthread_mutex_unlock(&statistics->lock);
}

void statistics_save(struct statistics *statistics)
{
	_cleanup_free_ char *text = statistics->path[0] ? take_changes(statistics) : NULL;
	struct error err = { 0 };
	int r;

	if (!text)
		return;
	r = file_publish(statistics->path, text, strlen(text), 0640, &err);
	trouble_note(&statistics->trouble, r, &err);
	if (r < 0)
		keep_for_later(statistics);
}
