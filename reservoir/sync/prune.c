/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/sync/prune.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"

/* Where objects came from, which upstreams tell better; older programs noted it. */
#define SOURCE_SPACE "source"
#define SOURCE_FILE "sources.journal"

/* Of each repository, and only asked for again when it is lost. */
static const char *const prefixes[] = { "apt/", "expect/", "pypi/" };

static const char *repository_of(const char *space)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *name = str_starts_with(space, prefixes[i]);

		if (name)
			return name;
	}
	return NULL;
}

static bool is_needed(const char *space, const struct reservoir_config *config,
		      const struct generation *current)
{
	const char *name = repository_of(space);

	if (!name)
		return strcmp(space, SOURCE_SPACE) != 0;
	return reservoir_config_repository(config, name) || generation_repository(current, name);
}

static int forget(struct catalogue *catalogue, const struct reservoir_config *config,
		  const struct generation *current, struct error *err)
{
	_cleanup_strbuf_ struct strbuf space = STRBUF_INIT(CATALOGUE_KEY_MAX);
	_cleanup_strbuf_ struct strbuf next = STRBUF_INIT(CATALOGUE_KEY_MAX);
	int r;

	for (;;) {
		strbuf_clear(&next);
		r = catalogue_next_space(catalogue, strbuf_str(&space), &next, err);
		if (r < 0)
			break;
		strbuf_clear(&space);
		strbuf_puts(&space, strbuf_str(&next));
		if (is_needed(strbuf_str(&space), config, current))
			continue;
		r = catalogue_forget(catalogue, strbuf_str(&space), err);
		if (r < 0)
			break;
	}
	return r == -ENOENT ? catalogue_commit(catalogue, err) : r;
}

int prune_catalogue(struct store *store, struct catalogue *catalogue,
		    const struct reservoir_config *config, const struct generation *current,
		    struct error *err)
{
	int r = forget(catalogue, config, current, err);

	if (r == 0 && unlinkat(store_dirfd(store), SOURCE_FILE, 0) < 0 && errno != ENOENT)
		r = error_set(err, errno, "remove the store's " SOURCE_FILE ": %m");
	return r;
}
