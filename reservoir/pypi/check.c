/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/run.h"
#include "reservoir/pypi/sum.h"

/* The metadata of a wheel that is there; false when it has none that can be read. */
static bool metadata_of(struct run *run, const struct digest *wheel, struct digest *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PYPI_METADATA_MAX + BUFSIZ);
	_cleanup_close_ int fd = object_open(run->sync->store, wheel, NULL, NULL);

	if (fd < 0 || pypi_metadata_extract(fd, true, &text, NULL) < 0)
		return false;
	*ret = digest_of(strbuf_str(&text), text.len);
	return true;
}

/* 1 when the wheel says something else than was read by Range. */
static int check_wheel(struct run *run, uint32_t number, const struct pypi_file *file,
		       const struct digest *wheel, struct error *err)
{
	char beside[STORE_PATH_MAX], note[STORE_PATH_MAX + 128];
	const struct resolved *resolved;
	struct digest found;

	pypi_run_path(run, number, file->name, ".metadata", beside);
	resolved = pypi_run_resolved(run, beside);
	if (!resolved || !resolved->peeked)
		return 0;
	if (metadata_of(run, wheel, &found) && digest_equal(&found, &resolved->digest))
		return pypi_run_resolve_own(run, beside, &found, false, err);
	(void)snprintf(note, sizeof(note),
		       "%s: its metadata is not what the upstream sent of it before; what is "
		       "needed is found out again",
		       file->name);
	sync_note(run->sync, note);
	return 1;
}

/* Of a file that came in this run. */
static int check_sum(struct run *run, const char *path, const struct pypi_file *file,
		     const struct digest *digest, struct error *err)
{
	struct error problem = { 0 };
	_cleanup_close_ int fd = -1;
	int r;

	if (!file->sum || !pypi_run_resolved(run, path))
		return 0;
	fd = object_open(run->sync->store, digest, NULL, err);
	if (fd < 0)
		return fd;
	r = pypi_sum_check(fd, file->sum, &problem);
	if (r != -EBADMSG)
		return r < 0 ? error_set(err, -r, "%s: %s", path, problem.msg) : 0;
	/* The bytes may be another's, too: what nobody needs goes with gc. */
	pypi_run_missing(run, path, problem.msg);
	return 0;
}

static int check_file(struct run *run, uint32_t number, const struct pypi_file *file,
		      struct error *err)
{
	char path[STORE_PATH_MAX];
	struct digest digest;
	int r;

	pypi_run_path(run, number, file->name, "", path);
	if (!pypi_run_digest(run, path, file->has_sha256 ? &file->sha256 : NULL, &digest) ||
	    !object_exists(run->sync->store, &digest))
		return 0;
	r = check_sum(run, path, file, &digest, err);
	return r < 0 || run->missed ? r : check_wheel(run, number, file, &digest, err);
}

/* 1 when a wheel of the project says something else. */
static int check_project(struct run *run, uint32_t number, struct error *err)
{
	_cleanup_loaded_ struct loaded loaded = { 0 };
	int r = pypi_run_load(run, number, &loaded, err), sum = 0;

	for (size_t i = 0; r >= 0 && i < loaded.choice.n; i++) {
		r = check_file(run, number, loaded.choice.files[i].file, err);
		sum |= r > 0;
	}
	return r < 0 ? r : sum;
}

int pypi_run_check(struct run *run, struct error *err)
{
	int sum = 0;

	for (size_t i = 0; i < run->names.n; i++) {
		int r;

		if (!(run->projects[i].flags & PROJECT_DOUBTED))
			continue;
		r = check_project(run, (uint32_t)i, err);
		if (r < 0)
			return r;
		sum |= r;
	}
	return run->missed ? 0 : sum;
}
