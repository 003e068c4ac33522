/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a page was found, if that is not where it was asked for: what it says of its
 * files is relative to there.  The catalogue keeps it for a later run, which may take the
 * page out of the store.
 */
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/pypi/run.h"

/* A key beside that of a project: no name of a project has a slash. */
#define MOVED "/moved"

static void moved_key(const struct run *run, uint32_t number,
		      char ret[PYPI_NAME_MAX + sizeof(MOVED)])
{
	(void)snprintf(ret, PYPI_NAME_MAX + sizeof(MOVED), "%s" MOVED, run->names.names[number]);
}

static void read_moved(const struct run *run, uint32_t number, char ret[FETCH_URL_MAX])
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);
	char key[PYPI_NAME_MAX + sizeof(MOVED)];

	moved_key(run, number, key);
	ret[0] = '\0';
	if (catalogue_get(run->sync->catalogue, run->space, key, &value, NULL) == 0)
		(void)str_copy(ret, FETCH_URL_MAX, strbuf_str(&value));
}

static void set_flag(struct run *run, uint32_t number, bool moved)
{
	struct project *project = &run->projects[number];

	project->flags = (uint16_t)(moved ? project->flags | PROJECT_MOVED
					  : project->flags & ~PROJECT_MOVED);
}

int pypi_run_set_moved(struct run *run, uint32_t number, const char *asked, const char *found,
		       struct error *err)
{
	char key[PYPI_NAME_MAX + sizeof(MOVED)], known[FETCH_URL_MAX];

	if (!found || strcmp(asked, found) == 0)
		found = "";
	set_flag(run, number, found[0] != '\0');
	read_moved(run, number, known);
	if (strcmp(known, found) == 0)
		return 0;
	moved_key(run, number, key);
	return catalogue_put(run->sync->catalogue, run->space, key, found, strlen(found), err);
}

void pypi_run_get_moved(struct run *run, uint32_t number)
{
	char known[FETCH_URL_MAX];

	read_moved(run, number, known);
	set_flag(run, number, known[0] != '\0');
}

/* Where the page of a project is asked for, or the list of all. */
static int asked_url(const struct run *run, uint32_t number, char ret[FETCH_URL_MAX],
		     struct error *err)
{
	const char *upstream = run->sync->repository->upstream;
	size_t len = strlen(upstream);
	bool is_list = number == UINT32_MAX;

	while (len > 0 && upstream[len - 1] == '/')
		len--;
	if (snprintf(ret, FETCH_URL_MAX, "%.*s/%s%s", (int)len, upstream,
		     is_list ? "" : run->names.names[number], is_list ? "" : "/") >= FETCH_URL_MAX)
		return error_set(err, EINVAL, "the URL of the index is too long");
	return 0;
}

int pypi_run_page_url(const struct run *run, uint32_t number, char ret[FETCH_URL_MAX],
		      struct error *err)
{
	char url[FETCH_URL_MAX];
	int r = asked_url(run, number, url, err);

	return r < 0 ? r : fetch_url_join(url, "", ret, err);
}

int pypi_run_file_url(const struct run *run, uint32_t number, const char *reference,
		      char ret[FETCH_URL_MAX], struct error *err)
{
	char base[FETCH_URL_MAX] = "";
	int r = 0;

	if (run->projects[number].flags & PROJECT_MOVED)
		read_moved(run, number, base);
	if (!base[0])
		r = asked_url(run, number, base, err);
	return r < 0 ? r : fetch_url_join(base, reference, ret, err);
}
