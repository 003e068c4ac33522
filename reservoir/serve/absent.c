/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/absent.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/store/digest.h"
#include "reservoir/store/store.h"

#define SETS 1024u /* with WAYS: 4096 names, 200 KiB */
#define WAYS 4u

struct row {
	struct digest name; /* of repository and path */
	int64_t when;	    /* 0: free */
};

struct absent {
	struct row rows[SETS][WAYS];
};

struct absent *absent_new(void)
{
	return calloc(1, sizeof(struct absent));
}

static struct digest name_of(const char *repository, const char *path)
{
	char text[STORE_NAME_MAX + STORE_PATH_MAX];
	size_t n = strnlen(repository, STORE_NAME_MAX - 1);
	size_t len = strnlen(path, STORE_PATH_MAX - 1);

	memcpy(text, repository, n);
	text[n++] = '\0';
	memcpy(text + n, path, len);
	return digest_of(text, n + len);
}

static size_t set_of(const struct digest *name)
{
	return ((size_t)name->bytes[0] << 8 | name->bytes[1]) % SETS;
}

/* Its row of a set; WAYS if there is none. */
static size_t find(const struct row set[WAYS], const struct digest *name)
{
	size_t i = 0;

	while (i < WAYS && !(set[i].when && digest_equal(&set[i].name, name)))
		i++;
	return i;
}

/* The row that was noted first, or a free one. */
static size_t oldest(const struct row set[WAYS])
{
	size_t found = 0;

	for (size_t i = 1; i < WAYS; i++)
		if (set[i].when < set[found].when)
			found = i;
	return found;
}

void absent_note(struct absent *absent, const char *repository, const char *path, int64_t now)
{
	struct digest name = name_of(repository, path);
	struct row *set = absent->rows[set_of(&name)];
	size_t i = find(set, &name);

	set[i < WAYS ? i : oldest(set)] = (struct row) { .name = name, .when = now };
}

void absent_forget(struct absent *absent, const char *repository, const char *path)
{
	struct digest name = name_of(repository, path);
	struct row *set = absent->rows[set_of(&name)];
	size_t i = find(set, &name);

	if (i < WAYS)
		set[i].when = 0;
}

bool absent_find(const struct absent *absent, const char *repository, const char *path,
		 int64_t *ret)
{
	struct digest name = name_of(repository, path);
	const struct row *set = absent->rows[set_of(&name)];
	size_t i = find(set, &name);

	if (i < WAYS)
		*ret = set[i].when;
	return i < WAYS;
}
