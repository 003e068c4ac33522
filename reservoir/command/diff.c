/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/size.h"
#include "reservoir/command/command.h"
#include "reservoir/command/commands.h"
#include "reservoir/command/report.h"
#include "reservoir/store/generation.h"
#include "reservoir/store/manifest.h"

static const char *const changes[] = {
	[MANIFEST_ADDED] = "added",
	[MANIFEST_REMOVED] = "removed",
	[MANIFEST_CHANGED] = "changed",
};

struct sum {
	uint64_t files;
	uint64_t bytes;
};

struct difference {
	const struct settings *settings;
	struct store *store;
	const struct generation *before;
	const struct generation *after;
	const char *repository; /* that is being compared */
	struct sum sums[3];
	struct error *err;
};

static int put_json(const struct difference *difference, enum manifest_change change,
		    const struct manifest_entry *before, const struct manifest_entry *after)
{
	const struct manifest_entry *entry = after ? after : before;
	char text[2][DIGEST_TEXT_SIZE];

	return report_print_json(
		json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:s?, s:s?}", "repository",
			  difference->repository, "change", changes[change], "path", entry->path,
			  "media", media_type(entry->media), "encoding",
			  encoding_name(entry->encoding), "bytes", (json_int_t)entry->size,
			  "before", before ? digest_format(&before->digest, text[0]) : NULL,
			  "after", after ? digest_format(&after->digest, text[1]) : NULL),
		true, difference->err);
}

static int put_text(const struct difference *difference, enum manifest_change change,
		    const struct manifest_entry *entry)
{
	const char *encoding = encoding_name(entry->encoding);
	char size[SIZE_TEXT_MAX];
	int n = printf("%c %10s  %s/%s%s%s%s\n", "+-*"[change], size_format(entry->size, size),
		       difference -> repository, entry -> path, encoding ? " (" : "",
		       encoding ? encoding : "", encoding ? ")" : "");

	return n < 0 ? error_set(difference->err, errno, "write to standard output: %m") : 0;
}

static int put(void *ctx, enum manifest_change change, const struct manifest_entry *before,
	       const struct manifest_entry *after)
{
	struct difference *difference = ctx;
	const struct manifest_entry *entry = after ? after : before;

	/* Nobody gets these. */
	if (str_starts_with(entry->path, MANIFEST_NOTES))
		return 0;
	difference->sums[change].files++;
	difference->sums[change].bytes += entry->size;
	return difference->settings->json ? put_json(difference, change, before, after)
					  : put_text(difference, change, entry);
}

static bool is_wanted(const struct difference *difference, const char *name)
{
	const char *only = difference->settings->repository;

	return !only || strcmp(only, name) == 0;
}

static int compare(struct difference *difference, const struct generation_repository *before,
		   const struct generation_repository *after)
{
	_cleanup_(manifest_freep) struct manifest *old = NULL;
	_cleanup_(manifest_freep) struct manifest *new = NULL;
	int r = 0;

	difference->repository = before ? before->name : after ? after->name : "";
	if (!is_wanted(difference, difference->repository))
		return 0;
	if (before && after && digest_equal(&before->served, &after->served))
		return 0;
	if (before)
		r = manifest_open(difference->store, &before->served, &old, difference->err);
	if (r == 0 && after)
		r = manifest_open(difference->store, &after->served, &new, difference->err);
	return r < 0 ? error_wrap(difference->err, r, "repository '%s'", difference->repository)
		     : manifest_diff(old, new, put, difference);
}

/* Both lists are sorted by name: -1, 0 or 1 says whose is next. */
static int compare_names(const struct generation_repository *before,
			 const struct generation_repository *after)
{
	if (!before || !after)
		return before ? -1 : 1;
	return strcmp(before->name, after->name);
}

static const struct generation_repository *row(const struct generation *generation, size_t i)
{
	return i < generation->n_repositories ? &generation->repositories[i] : NULL;
}

static int compare_all(struct difference *difference)
{
	size_t i = 0;
	size_t j = 0;
	int r = 0;

	while (r >= 0) {
		const struct generation_repository *before = row(difference->before, i);
		const struct generation_repository *after = row(difference->after, j);
		int order = compare_names(before, after);

		if (!before && !after)
			return 0;
		if (before && order <= 0)
			i++;
		else
			before = NULL;
		if (after && order >= 0)
			j++;
		else
			after = NULL;
		r = compare(difference, before, after);
	}
	return r;
}

static int put_sums(const struct difference *difference, struct error *err)
{
	const struct sum *sums = difference->sums;
	char word[SIZE_TEXT_MAX];

	if (difference->settings->json)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (printf("%s%s %" PRIu64 " files, %s", i ? "; " : "", changes[i], sums[i].files,
			   size_format(sums[i].bytes, word)) < 0)
			return error_set(err, errno, "write to standard output: %m");
	return putchar('\n') == EOF ? error_set(err, errno, "write to standard output: %m") : 0;
}

int diff_run(const struct settings *settings, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	_cleanup_(generation_freep) struct generation *before = NULL;
	_cleanup_(generation_freep) struct generation *after = NULL;
	struct difference difference = { .settings = settings, .err = err };
	int r = store_open(settings->store, STORE_READ, &store, err);

	if (r == 0)
		r = generation_find(store, settings->words[0], &before, err);
	if (r == 0)
		r = generation_find(store, settings->words[1], &after, err);
	if (r != 0)
		return r;
	if (settings->repository && !generation_repository(before, settings->repository) &&
	    !generation_repository(after, settings->repository))
		return error_set(err, ENOENT, "neither generation has a repository '%.64s'",
				 settings->repository);
	difference.store = store;
	difference.before = before;
	difference.after = after;
	r = compare_all(&difference);
	return r < 0 ? r : put_sums(&difference, err);
}
