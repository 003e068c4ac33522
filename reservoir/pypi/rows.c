/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A project has one row in the catalogue, of some 100 bytes whatever it has:
 *
 *	version 2 | what is built | serial, 8 bytes | digest of its page
 *	          | digest of what is built, if it is of another page | entity tag
 *
 * The row "." ties them to a manifest, which has the same digest as a note; after a
 * rollback or a run that was killed they differ, and every project is looked at again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/pypi/run.h"

#define ROW_VERSION 2
#define ROW_FIXED (2 + 8 + DIGEST_SIZE)
#define ROW_VERSION_LONG 1 /* always had both digests, and no word of what is built */
#define ROW_FIXED_LONG (1 + 8 + 2 * DIGEST_SIZE)

enum built {
	BUILT_NOTHING,
	BUILT_PAGE,  /* of the page that was fetched last */
	BUILT_OTHER, /* of another, which follows */
	_BUILT_MAX,
};

static uint64_t get_serial(const unsigned char *bytes)
{
	uint64_t serial = 0;

	for (int i = 0; i < 8; i++)
		serial |= (uint64_t)bytes[i] << (8 * i);
	return serial;
}

static bool get_etag(const unsigned char *bytes, size_t len, struct row *row)
{
	if (len >= sizeof(row->etag))
		return false;
	memcpy(row->etag, bytes, len);
	return true;
}

/* What an older program wrote. */
static bool parse_long(const unsigned char *bytes, size_t len, struct row *row)
{
	if (len < ROW_FIXED_LONG)
		return false;
	row->serial = get_serial(bytes + 1);
	memcpy(row->page.bytes, bytes + 9, DIGEST_SIZE);
	memcpy(row->built.bytes, bytes + 9 + DIGEST_SIZE, DIGEST_SIZE);
	return get_etag(bytes + ROW_FIXED_LONG, len - ROW_FIXED_LONG, row);
}

static bool parse(const unsigned char *bytes, size_t len, struct row *row)
{
	size_t fixed = ROW_FIXED;

	if (len < fixed || bytes[1] >= _BUILT_MAX)
		return false;
	row->serial = get_serial(bytes + 2);
	memcpy(row->page.bytes, bytes + 10, DIGEST_SIZE);
	if (bytes[1] == BUILT_PAGE)
		row->built = row->page;
	if (bytes[1] == BUILT_OTHER) {
		fixed += DIGEST_SIZE;
		if (len < fixed)
			return false;
		memcpy(row->built.bytes, bytes + ROW_FIXED, DIGEST_SIZE);
	}
	return get_etag(bytes + fixed, len - fixed, row);
}

bool pypi_run_row_parse(const void *value, size_t len, struct row *ret)
{
	const unsigned char *bytes = value;
	struct row row = { 0 };
	bool good = false;

	if (len > 0 && bytes[0] == ROW_VERSION)
		good = parse(bytes, len, &row);
	else if (len > 0 && bytes[0] == ROW_VERSION_LONG)
		good = parse_long(bytes, len, &row);
	if (good)
		*ret = row;
	return good;
}

bool pypi_run_row_get(struct run *run, const char *name, struct row *ret)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);

	return catalogue_get(run->sync->catalogue, run->space, name, &value, NULL) == 0 &&
	       pypi_run_row_parse(value.data, value.len, ret);
}

static enum built built_of(const struct row *row)
{
	static const struct digest none;

	if (digest_equal(&row->built, &none))
		return BUILT_NOTHING;
	return digest_equal(&row->built, &row->page) ? BUILT_PAGE : BUILT_OTHER;
}

int pypi_run_row_put(struct run *run, const char *name, const struct row *row, struct error *err)
{
	unsigned char bytes[ROW_FIXED + DIGEST_SIZE + sizeof(row->etag)] = { ROW_VERSION };
	enum built built = built_of(row);
	size_t etag = strlen(row->etag), len = ROW_FIXED;

	bytes[1] = (unsigned char)built;
	for (int i = 0; i < 8; i++)
		bytes[2 + i] = (unsigned char)(row->serial >> (8 * i));
	memcpy(bytes + 10, row->page.bytes, DIGEST_SIZE);
	if (built == BUILT_OTHER) {
		memcpy(bytes + len, row->built.bytes, DIGEST_SIZE);
		len += DIGEST_SIZE;
	}
	memcpy(bytes + len, row->etag, etag);
	return catalogue_put(run->sync->catalogue, run->space, name, bytes, len + etag, err);
}

/* A key beside that of a project: no name of a project has a slash. */
#define GONE "/gone"

static void gone_key(const char *name, char ret[PYPI_NAME_MAX + sizeof(GONE)])
{
	(void)snprintf(ret, PYPI_NAME_MAX + sizeof(GONE), "%s" GONE, name);
}

bool pypi_run_was_gone(struct run *run, const char *name)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);
	char key[PYPI_NAME_MAX + sizeof(GONE)];

	gone_key(name, key);
	return catalogue_get(run->sync->catalogue, run->space, key, &value, NULL) == 0 &&
	       value.len == 1 && value.data[0] == 1;
}

int pypi_run_set_gone(struct run *run, const char *name, bool gone, struct error *err)
{
	char key[PYPI_NAME_MAX + sizeof(GONE)];
	unsigned char value = gone;

	if (pypi_run_was_gone(run, name) == gone)
		return 0;
	gone_key(name, key);
	return catalogue_put(run->sync->catalogue, run->space, key, &value, 1, err);
}

/* The digests that stand in "." and in the note: of the options, and of the state. */
void pypi_run_state_load(struct run *run)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);
	struct manifest_entry note;
	struct digest digest;

	run->known_state = false;
	if (!run->sync->current || !manifest_find(run->sync->current, PYPI_NOTE_STATE, &note) ||
	    catalogue_get(run->sync->catalogue, run->space, ".", &value, NULL) < 0 ||
	    value.len != DIGEST_SIZE + DIGEST_SIZE)
		return;
	digest = note.digest;
	run->known_state = memcmp(value.data, digest.bytes, DIGEST_SIZE) == 0 &&
			   memcmp(value.data + DIGEST_SIZE, run->options.bytes, DIGEST_SIZE) == 0;
}

static int save_project(struct run *run, const char *name, const struct project *project,
			struct error *err)
{
	struct row row;

	if (!(project->flags & PROJECT_PAGE) || (project->flags & PROJECT_UNCHANGED) ||
	    !pypi_run_row_get(run, name, &row) ||
	    (digest_equal(&row.built, &project->page) && !(project->flags & PROJECT_LACKS)))
		return 0;
	/* What it lacks is asked for again. */
	row.built = project->flags & PROJECT_LACKS ? (struct digest) { 0 } : project->page;
	return pypi_run_row_put(run, name, &row, err);
}

static int save_list(struct run *run, struct error *err)
{
	struct row row;

	if (!pypi_run_row_get(run, PYPI_LIST_KEY, &row))
		return 0;
	row.built = run->absent.n + run->n_lacking > 0 ? (struct digest) { 0 } : row.page;
	return pypi_run_row_put(run, PYPI_LIST_KEY, &row, err);
}

struct leftovers {
	struct run *run;
	struct pypi_table keys;
};

/* Keys that are no name, and those of projects that are selected, stay. */
static int look_for_leftover(void *ctx, const char *key, const void *value _unused_,
			     size_t len _unused_)
{
	struct leftovers *leftovers = ctx;
	char name[PYPI_NAME_MAX];
	size_t n = strcspn(key, "/");
	int64_t number;

	if (n == 0 || n >= sizeof(name) || strcmp(key, ".") == 0)
		return 0;
	memcpy(name, key, n);
	name[n] = '\0';
	if (pypi_table_find(&leftovers->run->names, name) >= 0)
		return 0;
	number = pypi_table_add(&leftovers->keys, key);
	return number < 0 ? (int)number : 0;
}

/* What is not selected any more leaves no row behind. */
static int drop_leftovers(struct run *run, struct error *err)
{
	struct leftovers leftovers = { .run = run };
	struct catalogue *catalogue = run->sync->catalogue;
	int r;

	pypi_table_init(&leftovers.keys);
	r = catalogue_each(catalogue, run->space, look_for_leftover, &leftovers, err);
	if (r == -ENOMEM || r == -E2BIG)
		(void)error_set(err, -r, "no memory for projects that are gone");
	for (size_t i = 0; r == 0 && i < leftovers.keys.n; i++)
		r = catalogue_put(catalogue, run->space, leftovers.keys.names[i], NULL, 0, err);
	pypi_table_done(&leftovers.keys);
	return r;
}

int pypi_run_state_save(struct run *run, struct error *err)
{
	unsigned char bytes[2 * DIGEST_SIZE];
	int r = save_list(run, err);

	for (size_t i = 0; r == 0 && i < run->names.n; i++)
		r = save_project(run, run->names.names[i], &run->projects[i], err);
	memcpy(bytes, run->state.bytes, DIGEST_SIZE);
	memcpy(bytes + DIGEST_SIZE, run->options.bytes, DIGEST_SIZE);
	if (r == 0)
		r = catalogue_put(run->sync->catalogue, run->space, ".", bytes, sizeof(bytes), err);
	return r < 0 ? r : drop_leftovers(run, err);
}

/*
 * Sums do not depend on the order, so that a million names need not be sorted.  They only
 * tell states apart that this program itself made, so that a fast hash will do.
 */
struct sum {
	uint64_t parts[2];
};

static uint64_t mix(uint64_t value)
{
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9); /* SplitMix64 */
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static void add_up(struct sum *sum, const char *name, const struct project *project)
{
	uint64_t value = mix(project->serial), words[DIGEST_SIZE / 8];

	memcpy(words, project->page.bytes, DIGEST_SIZE);
	for (size_t i = 0; i < DIGEST_SIZE / 8; i++)
		value = mix(value ^ words[i]);
	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * UINT64_C(1099511628211);
	sum->parts[0] += mix(value);
	sum->parts[1] += mix(~value);
}

int pypi_run_state_make(struct run *run, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4096);
	struct sum sum = { { 0, 0 } };
	char hex[DIGEST_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < run->names.n; i++) {
		if (!(run->projects[i].flags & (PROJECT_PAGE | PROJECT_UNCHANGED)))
			continue;
		add_up(&sum, run->names.names[i], &run->projects[i]);
		n++;
	}
	strbuf_printf(&text, "options %s\n", digest_format(&run->options, hex));
	strbuf_printf(&text, "projects %zu %016jx%016jx\n", n, (uintmax_t)sum.parts[0],
		      (uintmax_t)sum.parts[1]);
	if (run->absent.n + run->n_lacking > 0)
		strbuf_printf(&text, "absent %ju %ju\n", (uintmax_t)run->absent.n,
			      (uintmax_t)run->n_lacking);
	if (strbuf_error(&text) < 0)
		return error_set(err, ENOMEM, "no memory for the state");
	run->state = digest_of(text.data, text.len);
	return object_put(run->sync->store, text.data, text.len, NULL, err);
}
