/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row of the catalogue is at most 160 bytes, whatever the project has: serial, two
 * digests, an entity tag.  The row "." ties them to a manifest, which has the same
 * digest as a note; after a rollback or a run that was killed they differ, and every
 * project is looked at again.
 */
#include <string.h>

#include "base/parse.h"
#include "reservoir/pypi/run.h"

#define ROW_VERSION 1
#define ROW_FIXED (1 + 8 + 2 * DIGEST_SIZE)

bool pypi_run_row_parse(const void *value, size_t len, struct row *ret)
{
	const unsigned char *bytes = value;
	struct row row = { 0 };

	if (len < ROW_FIXED || len - ROW_FIXED >= sizeof(row.etag) || bytes[0] != ROW_VERSION)
		return false;
	for (int i = 0; i < 8; i++)
		row.serial |= (uint64_t)bytes[1 + i] << (8 * i);
	memcpy(row.page.bytes, bytes + 9, DIGEST_SIZE);
	memcpy(row.built.bytes, bytes + 9 + DIGEST_SIZE, DIGEST_SIZE);
	memcpy(row.etag, bytes + ROW_FIXED, len - ROW_FIXED);
	*ret = row;
	return true;
}

bool pypi_run_row_get(struct run *run, const char *name, struct row *ret)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);

	return catalogue_get(run->sync->catalogue, run->space, name, &value, NULL) == 0 &&
	       pypi_run_row_parse(value.data, value.len, ret);
}

int pypi_run_row_put(struct run *run, const char *name, const struct row *row, struct error *err)
{
	unsigned char bytes[ROW_FIXED + sizeof(row->etag)] = { ROW_VERSION };
	size_t etag = strlen(row->etag);

	for (int i = 0; i < 8; i++)
		bytes[1 + i] = (unsigned char)(row->serial >> (8 * i));
	memcpy(bytes + 9, row->page.bytes, DIGEST_SIZE);
	memcpy(bytes + 9 + DIGEST_SIZE, row->built.bytes, DIGEST_SIZE);
	memcpy(bytes + ROW_FIXED, row->etag, etag);
	return catalogue_put(run->sync->catalogue, run->space, name, bytes, ROW_FIXED + etag, err);
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
	return r;
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
