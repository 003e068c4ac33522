/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/generation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/generation_private.h"
#include "reservoir/store/manifest_private.h"
#include "reservoir/store/object.h"
#include "reservoir/store/store_private.h"

#define END_PREFIX "\nsha256:"
#define END_LEN (sizeof(END_PREFIX) - 1 + DIGEST_TEXT_SIZE) /* with the last newline */
#define NAME_CHARACTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-"

void generation_free(struct generation *generation)
{
	if (!generation)
		return;
	free(generation->repositories);
	revoked_done(&generation->revoked);
	free(generation);
}

int generation_name_check(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= STORE_NAME_MAX || name[0] == '.' || name[0] == '-' ||
	    strspn(name, NAME_CHARACTERS) != len)
		return -EINVAL;
	return 0;
}

/* -- Reading ------------------------------------------------------------ */

static int parse_file(const char *text, size_t len, struct generation **ret, struct error *err)
{
	char digits[DIGEST_TEXT_SIZE];
	struct digest expected;
	struct digest found;
	const char *end = text + len - END_LEN;

	if (len <= END_LEN || memcmp(end, END_PREFIX, strlen(END_PREFIX)) != 0 ||
	    text[len - 1] != '\n')
		return error_set(err, EBADMSG, "the file is damaged");
	memcpy(digits, end + strlen(END_PREFIX), sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	found = digest_of(text, len - END_LEN);
	if (digest_parse(digits, &expected) < 0 || !digest_equal(&expected, &found))
		return error_set(err, EBADMSG, "the file is damaged");
	return generation_parse(text, len - END_LEN, ret, err);
}

static int read_file(int dirfd, uint64_t number, struct generation **ret, struct error *err)
{
	size_t size = GENERATION_TEXT_MAX + END_LEN + 1;
	_cleanup_free_ char *text = malloc(size);
	char path[GENERATION_NAME_MAX];
	ssize_t n;
	int r;

	if (!text)
		return error_set(err, ENOMEM, "no memory for a generation");
	(void)snprintf(path, sizeof(path), "generations/%" PRIu64, number);
	n = file_read(dirfd, path, text, size, err);
	if (n < 0)
		return n == -ENOENT ? error_set(err, ENOENT, "there is none") : (int)n;
	r = parse_file(text, (size_t)n, ret, err);
	if (r < 0)
		return r;
	if ((*ret)->number == number)
		return 0;
	generation_free(TAKE_PTR(*ret));
	return error_set(err, EBADMSG, "the file is that of another generation");
}

int generation_read(struct store *store, uint64_t number, struct generation **ret,
		    struct error *err)
{
	int r = read_file(store->fd, number, ret, err);

	return r < 0 ? error_wrap(err, r, "generation %" PRIu64, number) : 0;
}

int generation_link_number(int dirfd, const char *path, uint64_t *ret, struct error *err)
{
	char target[GENERATION_NAME_MAX];
	const char *rest;
	ssize_t n = readlinkat(dirfd, path, target, sizeof(target) - 1);

	if (n < 0)
		return error_set(err, errno, "read link '%s': %m", path);
	target[n] = '\0';
	rest = str_starts_with(target, "../");
	rest = str_starts_with(rest ? rest : target, "generations/");
	if (!rest || parse_u64(rest, 10, ret) < 0)
		return error_set(err, EBADMSG, "the link '%s' names no generation", path);
	return 0;
}

int generation_current_number(struct store *store, uint64_t *ret, struct error *err)
{
	return generation_link_number(store->fd, "current", ret, err);
}

int generation_current(struct store *store, struct generation **ret, struct error *err)
{
	uint64_t number;
	int r = generation_current_number(store, &number, err);

	return r < 0 ? r : generation_read(store, number, ret, err);
}

int generation_find(struct store *store, const char *word, struct generation **ret,
		    struct error *err)
{
	char path[GENERATION_NAME_MAX];
	uint64_t number;
	int r;

	if (strcmp(word, "current") == 0)
		return generation_current(store, ret, err);
	if (parse_u64(word, 10, &number) == 0)
		return generation_read(store, number, ret, err);
	if (generation_name_check(word) < 0)
		return error_set(err, EINVAL, "'%.64s' is neither a number nor a name", word);
	(void)snprintf(path, sizeof(path), "snapshots/%s", word);
	r = generation_link_number(store->fd, path, &number, err);
	if (r == -ENOENT)
		return error_set(err, ENOENT, "there is no snapshot '%s'", word);
	return r < 0 ? r : generation_read(store, number, ret, err);
}

/* -- Repositories ------------------------------------------------------- */

static size_t place(const struct generation *generation, const char *name)
{
	size_t i = 0;

	while (i < generation->n_repositories && strcmp(generation->repositories[i].name, name) < 0)
		i++;
	return i;
}

static bool is_at(const struct generation *generation, size_t i, const char *name)
{
	return i < generation->n_repositories &&
	       strcmp(generation->repositories[i].name, name) == 0;
}

const struct generation_repository *generation_repository(const struct generation *generation,
							  const char *name)
{
	size_t i = place(generation, name);

	return is_at(generation, i, name) ? &generation->repositories[i] : NULL;
}

int generation_copy(const struct generation *generation, struct generation **ret, struct error *err)
{
	_cleanup_(generation_freep) struct generation *copy = calloc(1, sizeof(*copy));
	size_t n = generation->n_repositories;
	int r;

	if (copy && n)
		copy->repositories = calloc(n, sizeof(copy->repositories[0]));
	if (!copy || (n && !copy->repositories))
		return error_set(err, ENOMEM, "no memory for a generation");
	if (n)
		memcpy(copy->repositories, generation->repositories,
		       n * sizeof(copy->repositories[0]));
	copy->n_repositories = n;
	memcpy(copy->origin_id, generation->origin_id, sizeof(copy->origin_id));
	copy->origin_sequence = generation->origin_sequence;
	copy->origin_root = generation->origin_root;
	r = revoked_merge(&copy->revoked, &generation->revoked, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(copy);
	return 0;
}

static int insert(struct generation *generation, size_t i, struct error *err)
{
	struct generation_repository *list;
	size_t n = generation->n_repositories;

	if (n >= GENERATION_REPOSITORIES_MAX)
		return error_set(err, E2BIG, "a store has at most %d repositories",
				 GENERATION_REPOSITORIES_MAX);
	list = reallocarray(generation->repositories, n + 1, sizeof(*list));
	if (!list)
		return error_set(err, ENOMEM, "no memory for a generation");
	memmove(list + i + 1, list + i, (n - i) * sizeof(*list));
	generation->repositories = list;
	generation->n_repositories = n + 1;
	return 0;
}

int generation_set(struct generation *generation, const struct generation_repository *repository,
		   struct error *err)
{
	struct generation_repository copy = *repository;
	size_t i = place(generation, copy.name);
	int r = 0;

	if (generation_name_check(copy.name) < 0)
		return error_set(err, EINVAL, "'%.64s' is no name of a repository", copy.name);
	if (!is_at(generation, i, copy.name))
		r = insert(generation, i, err);
	if (r == 0)
		generation->repositories[i] = copy;
	return r;
}

void generation_remove(struct generation *generation, const char *name)
{
	size_t i = place(generation, name);
	struct generation_repository *list = generation->repositories;

	if (!is_at(generation, i, name))
		return;
	memmove(list + i, list + i + 1, (generation->n_repositories - i - 1) * sizeof(*list));
	generation->n_repositories--;
}

/* -- Publishing --------------------------------------------------------- */

struct presence {
	struct store *store;
	const struct revoked *revoked; /* need not be there */
	struct error *err;
};

static int object_needed(struct store *store, const struct digest *digest, struct error *err)
{
	char text[DIGEST_TEXT_SIZE];

	errno = 0;
	if (object_lies_there(store, digest))
		return 0;
	if (errno != 0 && errno != ENOENT)
		return error_set(err, errno, "object %s: %m", digest_format(digest, text));
	return error_set(err, ENOENT, "object %s is not in the store", digest_format(digest, text));
}

static int entry_needed(void *ctx, _unused_ enum manifest_change change,
			_unused_ const struct manifest_entry *before,
			const struct manifest_entry *after)
{
	const struct presence *presence = ctx;
	int r;

	if (!after || revoked_has(presence->revoked, &after->digest))
		return 0;
	r = object_needed(presence->store, &after->digest, presence->err);
	return r < 0 ? error_wrap(presence->err, r, "'%.200s'", after->path) : 0;
}

/* What the published generation has is kept by whoever collects garbage; what is new
 * must be there. */
static int manifest_needed(struct presence *presence, const struct digest *before,
			   const struct digest *after)
{
	_cleanup_(manifest_freep) struct manifest *old = NULL;
	_cleanup_(manifest_freep) struct manifest *new = NULL;
	int r;

	if (before && digest_equal(before, after))
		return 0;
	r = manifest_open(presence->store, after, &new, presence->err);
	if (r < 0)
		return r;
	if (before)
		(void)manifest_open_known(presence->store, before, &old, NULL);
	return manifest_diff(old, new, entry_needed, presence);
}

static int repository_needed(struct presence *presence, const struct generation *parent,
			     const struct generation_repository *repository)
{
	const struct generation_repository *before =
		generation_repository(parent, repository->name);
	int r = manifest_needed(presence, before ? &before->collected : NULL,
				&repository->collected);

	if (r == 0 && !digest_equal(&repository->collected, &repository->served))
		r = manifest_needed(presence, before ? &before->served : NULL, &repository->served);
	return r < 0 ? error_wrap(presence->err, r, "repository '%s'", repository->name) : 0;
}

static int write_generation(int dirfd, struct generation *generation, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(GENERATION_TEXT_MAX + END_LEN);
	char name[GENERATION_NAME_MAX];
	char digits[DIGEST_TEXT_SIZE];
	int r = generation_format(generation, &text, err);

	if (r < 0)
		return r;
	generation->root = digest_of(text.data, text.len);
	strbuf_printf(&text, END_PREFIX "%s\n", digest_format(&generation->root, digits));
	if (strbuf_error(&text) < 0)
		return error_set(err, -strbuf_error(&text), "the generation is too long");
	(void)snprintf(name, sizeof(name), "%" PRIu64, generation->number);
	return durable_publish(dirfd, "generations", name, text.data, text.len, 0444, err);
}

static int point(int dirfd, uint64_t number, struct error *err)
{
	char target[GENERATION_NAME_MAX];

	(void)snprintf(target, sizeof(target), "generations/%" PRIu64, number);
	return durable_link(dirfd, ".", "current", target, err);
}

int generation_publish_first(int dirfd, struct error *err)
{
	struct generation first = { .created = (int64_t)time(NULL), .reason = "init" };
	int r = write_generation(dirfd, &first, err);

	return r < 0 ? r : point(dirfd, 0, err);
}

/* Behind one that cannot be read comes the next number, with nothing before it. */
static int read_parent(struct store *store, bool replaces, struct generation **ret,
		       struct error *err)
{
	int r = generation_current(store, ret, err);

	if (!replaces || (r != -EBADMSG && r != -ENOENT))
		return r;
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return error_set(err, ENOMEM, "no memory for a generation");
	return generation_current_number(store, &(*ret)->number, err);
}

static int publish_gated(struct store *store, struct generation *generation, struct error *err)
{
	_cleanup_(generation_freep) struct generation *parent = NULL;
	struct presence presence = { .store = store, .revoked = &generation->revoked, .err = err };
	int r = read_parent(store, generation->replaces, &parent, err);

	if (r == 0 && !generation->lifts)
		r = revoked_merge(&generation->revoked, &parent->revoked, err);
	for (size_t i = 0; r == 0 && i < generation->n_repositories; i++)
		r = repository_needed(&presence, parent, &generation->repositories[i]);
	if (r < 0)
		return r;
	generation->number = parent->number + 1;
	generation->parent = parent->root;
	generation->created = MAX((int64_t)time(NULL), parent->created);
	r = write_generation(store->fd, generation, err);
	return r < 0 ? r : point(store->fd, generation->number, err);
}

int generation_publish(struct store *store, struct generation *generation, struct error *err)
{
	int r = object_flush(store, err);

	if (r == 0)
		r = store_gate_enter(store, err);
	if (r < 0)
		return error_wrap(err, r, "publish");
	r = publish_gated(store, generation, err);
	store_gate_leave(store);
	return r < 0 ? error_wrap(err, r, "publish") : 0;
}
