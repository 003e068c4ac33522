/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/versions.h"

#include <string.h>

/* Of a project with as many versions as files may be: 200,000 of 400 bytes. */
#define ARENA_MAX ((size_t)128 * 1024 * 1024)

struct pypi_versions pypi_versions_init(void)
{
	return (struct pypi_versions) { .arena = arena_init(ARENA_MAX) };
}

void pypi_versions_done(struct pypi_versions *versions)
{
	arena_done(&versions->arena);
	versions->last = NULL;
}

/* Written alike, too: "1.0" and "1.0.0" are the same version, and two texts. */
static bool is_same(const struct pypi_version *a, const struct pypi_version *b)
{
	return a->n_release == b->n_release && pypi_version_compare(a, b) == 0 &&
	       strcmp(a->local, b->local) == 0;
}

static const char *keep_text(struct arena *arena, const struct pypi_version *version)
{
	char text[PYPI_VERSION_MAX], *copy;
	size_t size;

	if (pypi_version_format(version, text, sizeof(text)) < 0)
		return NULL;
	size = strlen(text) + 1;
	copy = arena_alloc(arena, size);
	return copy ? memcpy(copy, text, size) : NULL;
}

const struct pypi_known_version *pypi_versions_keep(struct pypi_versions *versions,
						    const struct pypi_version *version)
{
	struct pypi_known_version *known;

	if (versions->last && is_same(&versions->last->version, version))
		return versions->last;
	known = arena_alloc(&versions->arena, sizeof(*known));
	if (!known)
		return NULL;
	known->version = *version;
	known->text = keep_text(&versions->arena, version);
	versions->last = known;
	return known;
}
