/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/object.h"

int suite_init(struct suite *suite, struct apt_run *run, const struct repository *repository,
	       const char *name, struct error *err)
{
	size_t len = strlen(name);
	int n;

	*suite = (struct suite) {
		.run = run,
		.repository = repository,
		.beside = repository != run->sync->repository,
		.name = name,
		.flat = len > 0 && name[len - 1] == '/',
		.signed_text = STRBUF_INIT(DEB822_RELEASE_MAX),
		.lists = { STRBUF_INIT(DEB822_RELEASE_MAX), STRBUF_INIT(DEB822_RELEASE_MAX) },
	};
	for (size_t i = 0; i < _META_KIND_MAX; i++)
		suite->metas[i].data = STRBUF_INIT(DEB822_RELEASE_MAX);
	while (suite->flat && name[0] == '.' && name[1] == '/')
		name += 2;
	while (suite->flat && name[0] == '/')
		name++;
	n = suite->flat ? snprintf(suite->base, sizeof(suite->base), "%s", name)
			: snprintf(suite->base, sizeof(suite->base), "dists/%s/", name);
	if (n < 0 || (size_t)n >= sizeof(suite->base))
		return error_set(err, EINVAL, "the name of suite '%s' is too long", suite->name);
	return suite->base[0] ? manifest_path_check(suite->base, err) : 0;
}

static void indexes_done(struct suite *suite)
{
	for (size_t i = 0; i < suite->n_indexes; i++)
		free(suite->indexes[i].path);
	free(suite->indexes);
	suite->indexes = NULL;
	suite->n_indexes = 0;
}

void suite_done(struct suite *suite)
{
	indexes_done(suite);
	release_done(&suite->release);
	strbuf_done(&suite->signed_text);
	strbuf_done(&suite->lists.sha256);
	strbuf_done(&suite->lists.sha512);
	for (size_t i = 0; i < _META_KIND_MAX; i++)
		strbuf_done(&suite->metas[i].data);
}

int suite_path(const struct suite *suite, const char *path, char ret[STORE_PATH_MAX],
	       struct error *err)
{
	int n = snprintf(ret, STORE_PATH_MAX, "%s%s", suite->base, path);

	return n < 0 || n >= STORE_PATH_MAX
		       ? error_set(err, EBADMSG, "the path of '%s' is too long", path)
		       : 0;
}

int suite_by_hash(const struct suite *suite, const char *path, const char *algorithm,
		  const char *hash, char ret[STORE_PATH_MAX], struct error *err)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash - path) + 1 : 0;
	int n = snprintf(ret, STORE_PATH_MAX, "%s%.*sby-hash/%s/%s", suite->base, dir, path,
			 algorithm, hash);

	return n < 0 || n >= STORE_PATH_MAX
		       ? error_set(err, EBADMSG, "the path of '%s' is too long", path)
		       : 0;
}

/* --- choosing --- */

static bool is_wanted(const struct suite *suite, const char *path, struct index_place *place)
{
	const struct apt_options *options = &suite->repository->apt;

	select_index(options, &suite->release, suite->flat, path, place);
	if (place->kind == INDEX_NONE || (suite->beside && place->kind != INDEX_PACKAGES))
		return false;
	/* Written anew, from the form that is read fastest. */
	if (suite->run->curated && apt_is_filtered(&suite->run->options))
		return place->kind != INDEX_STUB && place->kind != INDEX_PDIFF &&
		       !strstr(path, "/CID-Index-") && select_is_best(&suite->release, path);
	if (suite->run->curated && (place->kind == INDEX_STUB || place->kind == INDEX_PDIFF))
		return false;
	/* Clients ask for one that is not compressed only when there is no other. */
	return path[place->stem] != '\0' || select_is_best(&suite->release, path);
}

static int choose_indexes(struct suite *suite, struct error *err)
{
	const struct release *release = &suite->release;

	suite->indexes = calloc(release->n_files + 1, sizeof(*suite->indexes));
	if (!suite->indexes)
		return error_set(err, ENOMEM, "no memory for indexes");
	for (size_t i = 0; i < release->n_files; i++) {
		struct index *index = &suite->indexes[suite->n_indexes];

		if (!is_wanted(suite, release->files[i].path, &index->place))
			continue;
		index->file = &release->files[i];
		index->digest = index->file->sha256;
		index->size = index->file->size;
		suite->n_indexes++;
	}
	return 0;
}

static bool has_index(const struct suite *suite, const char *component, const char *architecture)
{
	for (size_t i = 0; i < suite->n_indexes; i++) {
		const struct index *index = &suite->indexes[i];

		if (index->place.kind == INDEX_PACKAGES &&
		    (!component || strcmp(index->place.component, component) == 0) &&
		    (!architecture || strcmp(index->place.architecture, architecture) == 0))
			return true;
	}
	return false;
}

/* What was asked for and is not there: a word that is wrong, or a suite without it. */
static void note_absent(const struct suite *suite)
{
	const struct apt_options *options = &suite->repository->apt;
	char text[ERROR_TEXT_MAX];

	if (!has_index(suite, NULL, NULL)) {
		run_fail(suite->run, suite->name,
			 "its Release lists no packages of the components and architectures asked "
			 "for");
		return;
	}
	for (size_t i = 0; !suite->flat && i < options->n_components; i++) {
		if (has_index(suite, options->components[i].text, NULL))
			continue;
		(void)snprintf(text, sizeof(text), "suite '%s' has no component '%s'", suite->name,
			       options->components[i].text);
		sync_note(suite->run->sync, text);
	}
	for (size_t i = 0; !suite->flat && i < options->n_architectures; i++) {
		if (strcmp(options->architectures[i].text, "all") == 0 ||
		    has_index(suite, NULL, options->architectures[i].text))
			continue;
		(void)snprintf(text, sizeof(text), "suite '%s' has no architecture '%s'",
			       suite->name, options->architectures[i].text);
		sync_note(suite->run->sync, text);
	}
}

/* --- reading --- */

static int check_date(const struct suite *suite, struct error *err)
{
	char date[40];

	if (suite->release.date <= suite->run->sync->now + SYNC_AHEAD_MAX_S)
		return 0;
	release_date_format(suite->release.date, date, sizeof(date));
	return error_set(err, ESTALE,
			 "suite '%s': what upstream signed is of the future, of %s: its clock or "
			 "that of this machine is wrong",
			 suite->name, date);
}

static int check_valid_until(const struct suite *suite, struct error *err)
{
	char date[40];

	if (suite->release.valid_until == 0 || !suite->repository->apt.check_valid_until ||
	    suite->run->sync->now <= suite->release.valid_until)
		return 0;
	release_date_format(suite->release.valid_until, date, sizeof(date));
	return error_set(err, ESTALE,
			 "suite '%s': what upstream signed has expired on %s: the upstream is no "
			 "longer updated, or the clock of this machine is wrong",
			 suite->name, date);
}

void suites_check_current(struct apt_run *run)
{
	for (size_t i = 0; i < run->n_suites; i++) {
		struct suite *suite = &run->suites[i];
		struct error why = { 0 };

		suite->release.valid_until = suite_current_until(suite);
		if (check_valid_until(suite, &why) == 0)
			continue;
		/* What is signed here goes on being accepted. */
		if (run->curated)
			sync_note(run->sync, why.msg);
		else
			run_fail(run, suite->name, why.msg);
	}
}

static int read_suite(struct suite *suite, struct error *err)
{
	int r = suite_read_signed(suite, err);

	if (r < 0)
		return r;
	release_done(&suite->release);
	r = release_parse(suite->signed_text.data ? suite->signed_text.data : "",
			  suite->signed_text.len, &suite->release, err);
	if (r < 0)
		return error_wrap(err, r, "suite '%s': Release", suite->name);
	for (size_t i = 0; i < _META_KIND_MAX; i++)
		if (suite->metas[i].entry.mtime == 0)
			suite->metas[i].entry.mtime = suite->release.date;
	r = check_date(suite, err);
	if (r == 0)
		r = check_valid_until(suite, err);
	if (r == 0)
		r = suite_check_age(suite, err);
	if (r < 0)
		return r;
	indexes_done(suite);
	r = choose_indexes(suite, err);
	if (r == 0)
		note_absent(suite);
	return r;
}

int suites_read(struct apt_run *run, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		if (!run->suites[i].stop)
			r = read_suite(&run->suites[i], err);
	return r;
}

/* --- fetching --- */

struct index_ask {
	struct suite *suite;
	size_t at;  /* of the index, which may move */
	bool plain; /* by its own name, after its hash was not there */
};

static int ask_index(struct suite *suite, size_t at, bool plain, struct error *err);

/* Whether another form of the same index was had. */
static bool has_other_form(const struct suite *suite, const struct index *index)
{
	const char *path = suite_index_path(index);

	for (size_t i = 0; i < suite->n_indexes; i++) {
		const struct index *other = &suite->indexes[i];

		if (other != index && other->there && other->place.stem == index->place.stem &&
		    memcmp(suite_index_path(other), path, index->place.stem) == 0)
			return true;
	}
	return false;
}

static void take_index(struct index *index, const struct suite *suite,
		       const struct fetch_result *result)
{
	index->there = true;
	index->size = result->size;
	index->mtime = result->mtime != 0 ? result->mtime : suite->release.date;
}

static void on_index(void *ctx, const struct fetch_request *request _unused_,
		     const struct fetch_result *result)
{
	_cleanup_free_ struct index_ask *ask = ctx;
	struct suite *suite = ask->suite;
	struct index *index = &suite->indexes[ask->at];
	struct error error = { 0 };
	char path[APT_KEY_SIZE];

	if (result->status == FETCH_DONE) {
		take_index(index, suite, result);
		return;
	}
	if (result->status == FETCH_ABSENT && !ask->plain) {
		int r = ask_index(suite, ask->at, true, &error);

		if (r < 0)
			run_abort(suite->run, r, &error);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s%s", suite->base, suite_index_path(index));
	if (result->status == FETCH_FAILED) {
		index->failed = true;
		run_fail(suite->run, path, result->error.msg);
	}
}

static int ask_index(struct suite *suite, size_t at, bool plain, struct error *err)
{
	const struct index *index = &suite->indexes[at];
	char path[STORE_PATH_MAX], url[FETCH_URL_MAX], hash[DIGEST_TEXT_SIZE];
	_cleanup_free_ struct index_ask *ask = malloc(sizeof(*ask));
	struct fetch_request request = {
		.url = url,
		.sha256 = &index->digest,
		.size = index->size,
		.urgent = true,
		.label = suite->run->sync->repository->name,
		.done = on_index,
		.ctx = ask,
	};
	int r;

	if (!ask)
		return error_set(err, ENOMEM, "no memory for a request");
	*ask = (struct index_ask) { .suite = suite, .at = at };
	/* By its hash it is the right one, even while upstream changes. */
	ask->plain = plain || !suite->release.by_hash || index->path;
	r = ask->plain ? suite_path(suite, suite_index_path(index), path, err)
		       : suite_by_hash(suite, suite_index_path(index), "SHA256",
				       digest_format(&index->digest, hash), path, err);
	if (r == 0)
		r = run_url(suite->repository, path, url, err);
	if (r == 0)
		r = fetcher_add(suite->run->sync->fetcher, &request, err);
	if (r == 0)
		(void)TAKE_PTR(ask);
	return r;
}

static int want_index(struct suite *suite, size_t at, struct error *err)
{
	struct index *index = &suite->indexes[at];
	struct manifest_entry entry;
	char path[STORE_PATH_MAX];
	int r = suite_path(suite, suite_index_path(index), path, err);

	if (r < 0)
		return r;
	if (run_current(suite->run, path, &entry) && digest_equal(&entry.digest, &index->digest) &&
	    object_exists(suite->run->sync->store, &entry.digest)) {
		index->there = true;
		index->mtime = entry.mtime;
		return 0;
	}
	return ask_index(suite, at, false, err);
}

/* Release lists files that upstream does not have. Of packages one form must be there. */
static void settle_index(struct suite *suite, const struct index *index)
{
	char path[APT_KEY_SIZE], text[APT_KEY_SIZE + 64];

	if (index->there || index->failed || has_other_form(suite, index))
		return;
	(void)snprintf(path, sizeof(path), "%s%s", suite->base, suite_index_path(index));
	if (index->place.kind == INDEX_PACKAGES || index->place.kind == INDEX_SOURCES) {
		if (index->size > 0)
			run_fail(suite->run, path,
				 "upstream lists this index, and does not have it");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s: upstream lists it, and does not have it", path);
	sync_note(suite->run->sync, text);
}

static int fetch_all(struct apt_run *run, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		for (size_t j = 0; r == 0 && j < run->suites[i].n_indexes; j++)
			r = want_index(&run->suites[i], j, err);
	return r < 0 ? r : run_fetch(run, NULL, err);
}

/* --- patches of indexes --- */

static int add_patch(struct suite *suite, size_t of, const struct deb822_value *line,
		     struct error *err)
{
	struct deb822_value rest = *line, hash, size, name;
	const char *path = suite_index_path(&suite->indexes[of]);
	int dir = (int)(strrchr(path, '/') - path) + 1;
	struct index index = { .place = { .kind = INDEX_PDIFF } };
	struct index *larger;
	char text[DIGEST_TEXT_SIZE], where[STORE_PATH_MAX];

	if (!deb822_word(&rest, &hash) || !deb822_word(&rest, &size) ||
	    !deb822_word(&rest, &name) || hash.len != DIGEST_TEXT_SIZE - 1)
		return error_set(err, EBADMSG, "'%s': a line has no hash, size and name", path);
	memcpy(text, hash.text, hash.len);
	text[hash.len] = '\0';
	if (digest_parse(text, &index.digest) < 0 || deb822_u64(&size, &index.size) < 0 ||
	    snprintf(where, sizeof(where), "%.*s%.*s", dir, path, (int)MIN(name.len, (size_t)255),
		     name.text) >= (int)sizeof(where) ||
	    manifest_path_check(where, err) < 0)
		return error_set(err, EBADMSG, "'%s': a line has no hash, size and name", path);
	larger = realloc(suite->indexes, (suite->n_indexes + 1) * sizeof(*larger));
	if (!larger)
		return error_set(err, ENOMEM, "no memory for patches");
	suite->indexes = larger;
	index.path = strdup(where);
	if (!index.path)
		return error_set(err, ENOMEM, "no memory for patches");
	index.place.stem = select_ending(index.path);
	suite->indexes[suite->n_indexes++] = index;
	return 0;
}

static int add_patches(struct suite *suite, size_t of, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(DEB822_STANZA_MAX);
	struct deb822_stanza stanza;
	struct deb822_value lines, line;
	int r = object_read(suite->run->sync->store, &suite->indexes[of].digest, DEB822_STANZA_MAX,
			    &text, err);

	if (r < 0)
		return r;
	stanza = (struct deb822_stanza) { strbuf_str(&text), text.len };
	lines = deb822_get(&stanza, "SHA256-Download");
	while (r == 0 && suite->n_indexes < RELEASE_FILES_MAX && deb822_line(&lines, &line))
		if (line.len > 0)
			r = add_patch(suite, of, &line, err);
	return r;
}

int suites_fetch_indexes(struct apt_run *run, struct error *err)
{
	int r = fetch_all(run, err);
	size_t added = 0;

	for (size_t i = 0; r == 0 && i < run->n_suites; i++) {
		struct suite *suite = &run->suites[i];
		size_t n = suite->n_indexes;

		for (size_t j = 0; r == 0 && j < n; j++)
			if (suite->indexes[j].place.kind == INDEX_PDIFF && suite->indexes[j].there)
				r = add_patches(suite, j, err);
		for (size_t j = n; r == 0 && j < suite->n_indexes; j++, added++)
			r = want_index(suite, j, err);
	}
	if (r == 0 && added > 0)
		r = run_fetch(run, NULL, err);
	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		for (size_t j = 0; j < run->suites[i].n_indexes; j++)
			settle_index(&run->suites[i], &run->suites[i].indexes[j]);
	return r;
}

/* --- reading --- */

const char *suite_index_path(const struct index *index)
{
	return index->path ? index->path : index->file->path;
}

bool suite_is_read(const struct suite *suite, const struct index *index)
{
	static const char *const order[] = { ".gz", ".zst", ".lz4", "", ".xz", ".lzma", ".bz2" };
	const char *path = suite_index_path(index);

	if (!index->there)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (strcmp(path + index->place.stem, order[i]) == 0)
			return true;
		for (size_t j = 0; j < suite->n_indexes; j++) {
			const struct index *other = &suite->indexes[j];

			if (other->there && other->place.stem == index->place.stem &&
			    memcmp(suite_index_path(other), path, index->place.stem) == 0 &&
			    strcmp(suite_index_path(other) + other->place.stem, order[i]) == 0)
				return false;
		}
	}
	return true;
}
