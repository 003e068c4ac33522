/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "api/metrics/metrics.h"
#include "base/file.h"
#include "base/macro.h"
#include "reservoir/serve/status_facts.h"
#include "reservoir/store/synced.h"

#define PAGE_MAX ((size_t)4 * 1024 * 1024) /* 256 repositories at a few KiB */

static uint64_t count_files(int dirfd, const char *name)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(dirfd, name);
	struct dirent *entry;
	uint64_t n = 0;

	if (!dir)
		return 0;
	for (entry = readdir(dir); entry && n < STATUS_QUARANTINE_MAX; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	return n;
}

static bool is_cache(const struct picture_repository *repository)
{
	return repository->setup && repository->setup->config->mode == REPOSITORY_CACHE;
}

/* Whether anything of what was published can be read. */
static bool has_something(const struct picture *picture)
{
	bool damaged = false;

	for (size_t i = 0; i < picture->n_repositories; i++) {
		const struct picture_repository *row = &picture->repositories[i];

		if (row->manifest || is_cache(row))
			return true;
		damaged |= row->published;
	}
	return !damaged;
}

bool status_is_ready(const struct core *core, const struct picture *picture)
{
	return picture && has_something(picture) && follow_reads(core->follow) &&
	       !atomic_load(&core->draining);
}

struct status_facts *status_facts(struct core *core)
{
	struct status_facts *facts = calloc(1, sizeof(*facts));
	struct statvfs disk;

	if (!facts)
		return NULL;
	facts->store = core->store;
	facts->picture = follow_picture(core->follow, NULL);
	follow_fault(core->follow, &facts->fault);
	facts->reads = follow_reads(core->follow);
	facts->ready = status_is_ready(core, facts->picture);
	facts->now = (int64_t)time(NULL);
	if (fstatvfs(store_dirfd(core->store), &disk) == 0) {
		facts->disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
		facts->disk_size = (uint64_t)disk.f_blocks * disk.f_frsize;
	}
	facts->quarantined = count_files(store_dirfd(core->store), "quarantine");
	workers_sum(core->workers, &facts->totals);
	facts->hot = hot_count(core->hot);
	facts->n_top = statistics_top(core->statistics, facts->top, STATUS_TOP_MAX);
	return facts;
}

void status_facts_free(struct status_facts *facts)
{
	if (!facts)
		return;
	picture_unref(facts->picture);
	free(facts);
}

const char *status_state(const struct picture_repository *repository)
{
	if (is_cache(repository))
		return "cache";
	if (!repository->published)
		return "empty";
	if (!repository->manifest)
		return "damaged";
	return repository->fault.code ? "old" : "ok";
}

static json_t *repository_json(const struct status_facts *facts,
			       const struct picture_repository *row)
{
	const struct worker_counts *counts = &facts->totals.repositories[row->slot];
	uint64_t requests = 0;
	json_t *json;

	for (size_t i = 0; i < STATUS_CLASSES; i++)
		requests += counts->requests[i];
	json = json_pack("{ss ss ss sI sI sI sI sI sI}", "name", row->info.name, "ecosystem",
			 row->ecosystem ? row->ecosystem->name : row->info.ecosystem, "state",
			 status_state(row), "files", (json_int_t)row->info.n_files, "bytes",
			 (json_int_t)row->info.bytes, "synced",
			 (json_int_t)synced_at(facts->store, &row->info), "requests",
			 (json_int_t)requests, "notModified", (json_int_t)counts->unchanged,
			 "bytesSent", (json_int_t)counts->bytes);
	if (row->fault.code)
		(void)json_object_set_new(json, "fault", json_string(row->fault.msg));
	return json;
}

static json_t *top_json(const struct status_facts *facts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->n_top; i++)
		(void)json_array_append_new(
			list, json_pack("{ss ss sI sI}", "repository", facts->top[i].repository,
					"package", facts->top[i].package, "downloads",
					(json_int_t)facts->top[i].downloads, "bytes",
					(json_int_t)facts->top[i].bytes));
	return list;
}

static json_t *generation_json(const struct picture *picture)
{
	char root[DIGEST_TEXT_SIZE];

	return json_pack("{sI sI ss ss}", "number", (json_int_t)picture->number, "created",
			 (json_int_t)picture->created, "reason", picture->reason, "root",
			 digest_format(&picture->root, root));
}

static void page_json(struct core *core, const struct status_facts *facts, struct status_page *ret)
{
	json_t *repositories = json_array(), *root;

	for (size_t i = 0; facts->picture && i < facts->picture->n_repositories; i++)
		(void)json_array_append_new(
			repositories, repository_json(facts, &facts->picture->repositories[i]));
	root = json_pack("{sb ss ss sI sI sI sI sI sI sI so so}", "ready", (int)facts->ready,
			 "version", SILICA_VERSION, "store", store_id(core->store), "started",
			 (json_int_t)core->started, "diskFree", (json_int_t)facts->disk_free,
			 "diskSize", (json_int_t)facts->disk_size, "quarantined",
			 (json_int_t)facts->quarantined, "connections",
			 (json_int_t)atomic_load(&core->connections), "readyAnswers",
			 (json_int_t)facts->hot.entries, "readyBytes", (json_int_t)facts->hot.bytes,
			 "repositories", repositories, "topPackages", top_json(facts));
	if (facts->picture)
		(void)json_object_set_new(root, "generation", generation_json(facts->picture));
	if (facts->fault.code)
		(void)json_object_set_new(root, "fault", json_string(facts->fault.msg));
	ret->text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
	json_decref(root);
	ret->type = "application/json";
}

static void page_html(struct core *core, const struct status_facts *facts, struct strbuf *out,
		      struct status_page *ret)
{
	ret->type = "text/html; charset=utf-8";
	status_html(core, facts, out);
}

static void put_faults(const struct picture *picture, struct strbuf *out)
{
	for (size_t i = 0; i < picture->n_repositories; i++) {
		const struct picture_repository *row = &picture->repositories[i];

		if (row->fault.code)
			strbuf_printf(out, "repository '%s' is %s: %s\n", row->info.name,
				      status_state(row), row->fault.msg);
	}
}

/* Of no more than it needs: everybody may ask, as often as they like. */
static void page_ready(struct core *core, struct strbuf *out, struct status_page *ret)
{
	_cleanup_(picture_unrefp) struct picture *picture = follow_picture(core->follow, NULL);
	bool ready = status_is_ready(core, picture);
	struct error fault;

	follow_fault(core->follow, &fault);
	ret->status = ready ? 200 : 503;
	if (ready)
		strbuf_printf(out, "ready: generation %llu\n", (unsigned long long)picture->number);
	else
		strbuf_printf(out, "not ready%s%s\n", fault.code ? ": " : "", fault.msg);
	if (ready && fault.code)
		strbuf_printf(out, "what is published cannot be read: %s\n", fault.msg);
	if (picture)
		put_faults(picture, out);
}

static void page_metrics(struct core *core, struct strbuf *out, struct status_page *ret)
{
	struct error err;

	ret->type = METRICS_CONTENT_TYPE;
	if (metrics_write(core->metrics, out, &err) < 0) {
		strbuf_clear(out);
		strbuf_printf(out, "%s\n", err.msg);
		ret->status = 500;
	}
}

static void make(struct core *core, const char *path, struct strbuf *out, struct status_page *ret)
{
	_cleanup_(status_facts_freep) struct status_facts *facts = NULL;

	if (strcmp(path, "healthz") == 0) {
		strbuf_puts(out, "ok\n");
		return;
	}
	if (strcmp(path, "readyz") == 0) {
		page_ready(core, out, ret);
		return;
	}
	if (strcmp(path, "metrics") == 0) {
		page_metrics(core, out, ret);
		return;
	}
	facts = status_facts(core);
	if (!facts)
		return;
	if (strcmp(path, "status.json") == 0)
		page_json(core, facts, ret);
	else
		page_html(core, facts, out, ret);
}

void status_page(struct core *core, const char *path, struct status_page *ret)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(PAGE_MAX);

	ret->status = 200;
	ret->type = "text/plain; charset=utf-8";
	ret->text = NULL;
	make(core, path, &out, ret);
	if (!ret->text && strbuf_error(&out) == 0)
		ret->text = TAKE_PTR(out.data);
	ret->len = ret->text ? strlen(ret->text) : 0;
}
