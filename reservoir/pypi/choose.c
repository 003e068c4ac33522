/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/choose.h"

#include <string.h>

#include "base/macro.h"

struct candidate {
	const struct pypi_file *file;
	const struct pypi_known_version *version; /* NULL for what is no version */
	uint64_t fits;
	enum pypi_kind kind;
};

/* Candidates of one version, the newest release first. */
struct release {
	const struct pypi_known_version *version; /* NULL for what is no version */
	size_t begin, end;
	uint64_t chosen; /* mask of targets */
};

struct chooser {
	const struct pypi_selection *selection;
	const struct pypi_index *index;
	struct candidate *candidates;
	size_t n;
	struct release *releases;
	size_t n_releases;
	struct pypi_versions versions;
	const char *python; /* what Requires-Python said last, and where that fits */
	uint64_t fits_python;
};

void pypi_choice_done(struct pypi_choice *choice)
{
	free(choice->files);
	pypi_versions_done(&choice->versions);
	*choice = (struct pypi_choice) { 0 };
}

/* --- candidates --- */

/* Whether one of the repairs of a Python will do, as of 3.11. */
static bool python_fits(const struct pypi_specifiers *specifiers, struct pypi_version python)
{
	for (; python.release[2] <= PYPI_REPAIRS_MAX; python.release[2]++)
		if (pypi_specifiers_match(specifiers, &python))
			return true;
	return false;
}

/* Installers take what Requires-Python says wrongly for any Python. */
static uint64_t read_python(const struct pypi_selection *selection, const char *text)
{
	_cleanup_pypi_specifiers_ struct pypi_specifiers specifiers = { 0 };
	uint64_t mask = 0;

	if (!text || pypi_specifiers_parse(text, strlen(text), &specifiers, NULL) < 0)
		return selection->environments;
	for (size_t i = 0; i < selection->n_targets; i++)
		if (python_fits(&specifiers, selection->pythons[i]))
			mask |= UINT64_C(1) << i;
	return selection->n_targets ? mask : selection->environments;
}

/* Files in a row mostly say the same. */
static uint64_t fits_python(struct chooser *chooser, const char *text)
{
	if (chooser->n == 0 || text != chooser->python) {
		chooser->python = text;
		chooser->fits_python = read_python(chooser->selection, text);
	}
	return chooser->fits_python;
}

static uint64_t fits_tags(const struct pypi_selection *selection, const struct pypi_file_name *name)
{
	uint64_t mask = 0;

	if (name->kind != PYPI_WHEEL || selection->n_targets == 0)
		return selection->environments;
	for (size_t i = 0; i < selection->n_targets; i++)
		if (pypi_wheel_fits(name, &selection->targets[i]))
			mask |= UINT64_C(1) << i;
	return mask;
}

/* Whether a file is one, as far as its name tells. */
static bool may_be_candidate(const struct chooser *chooser, const struct pypi_file *file,
			     struct pypi_file_name *name)
{
	const struct pypi_selection *selection = chooser->selection;
	const struct pypi_options *options = selection->options;

	if (pypi_file_name_parse(file->name, chooser->index->name, name) < 0)
		return false;
	if (file->has_sha256 && revoked_has(selection->revoked, &file->sha256))
		return false;
	return name->kind == PYPI_WHEEL ? options->wheels
					: name->kind == PYPI_SDIST && options->sdists;
}

/* 1 when a file is a candidate, 0 when it is none, or -ENOMEM. */
static int make_candidate(struct chooser *chooser, const struct pypi_file *file,
			  struct candidate *ret)
{
	struct pypi_file_name name;
	uint64_t fits = 0;

	if (may_be_candidate(chooser, file, &name))
		fits = fits_tags(chooser->selection, &name);
	if (fits && name.has_version)
		fits &= ~pypi_selection_forbidden(chooser->selection, chooser->index->name,
						  &name.version);
	if (fits)
		fits &= fits_python(chooser, file->requires_python);
	if (!fits)
		return 0;
	*ret = (struct candidate) { .file = file, .fits = fits, .kind = name.kind };
	if (!name.has_version)
		return 1;
	ret->version = pypi_versions_keep(&chooser->versions, &name.version);
	return ret->version ? 1 : -ENOMEM;
}

/* The newest first; what is no version last. */
static int order(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	int r = (right->version != NULL) - (left->version != NULL);

	if (r == 0 && left->version != right->version)
		r = pypi_version_compare(&right->version->version, &left->version->version);
	return r != 0 ? r : strcmp(left->file->name, right->file->name);
}

static bool same_release(const struct candidate *a, const struct candidate *b)
{
	return a->version == b->version ||
	       (a->version && b->version &&
		pypi_version_compare(&a->version->version, &b->version->version) == 0);
}

static void group(struct chooser *chooser)
{
	for (size_t i = 0; i < chooser->n; i++) {
		const struct candidate *candidate = &chooser->candidates[i];

		if (i == 0 || !same_release(candidate - 1, candidate))
			chooser->releases[chooser->n_releases++] = (struct release) {
				.version = candidate->version,
				.begin = i,
			};
		chooser->releases[chooser->n_releases - 1].end = i + 1;
	}
}

static int gather(struct chooser *chooser, struct error *err)
{
	size_t n = chooser->index->n_files;

	if (n == 0 || !pypi_index_offers(chooser->index))
		return 0;
	chooser->candidates = calloc(n, sizeof(*chooser->candidates));
	chooser->releases = calloc(n, sizeof(*chooser->releases));
	if (!chooser->candidates || !chooser->releases)
		return error_set(err, ENOMEM, "no memory for the files of %s",
				 chooser->index->name);
	for (size_t i = 0; i < n; i++) {
		int r = make_candidate(chooser, &chooser->index->files[i],
				       &chooser->candidates[chooser->n]);

		if (r < 0)
			return error_set(err, -r, "no memory for the versions of %s",
					 chooser->index->name);
		chooser->n += r > 0;
	}
	if (chooser->n > 0)
		qsort(chooser->candidates, chooser->n, sizeof(*chooser->candidates), order);
	group(chooser);
	return 0;
}

/* --- releases --- */

/* What one pass over the releases looks for. */
struct look {
	const struct pypi_input *inputs; /* all with @environment must match */
	size_t n;
	uint64_t environment;
	bool prereleases;
	bool wheels_only;
};

static bool version_matches(const struct look *look, const struct pypi_version *version)
{
	for (size_t i = 0; i < look->n; i++) {
		const struct pypi_input *input = &look->inputs[i];

		if (!(input->environments & look->environment))
			continue;
		if (version ? !pypi_specifiers_match(input->specifiers, version)
			    : !input->direct || input->specifiers->n > 0)
			return false;
	}
	return true;
}

/* A yanked release is taken when nothing else will do, or when all there is is mirrored. */
static bool takes_yanked(const struct chooser *chooser, const struct look *look)
{
	for (size_t i = 0; i < look->n; i++) {
		const struct pypi_input *input = &look->inputs[i];

		if ((input->environments & look->environment) &&
		    !(input->direct && chooser->selection->options->keep_newest == 0) &&
		    !pypi_specifiers_pin(input->specifiers))
			return false;
	}
	return true;
}

static bool is_usable(const struct chooser *chooser, const struct release *release,
		      const struct look *look)
{
	bool yanked = takes_yanked(chooser, look);

	for (size_t i = release->begin; i < release->end; i++) {
		const struct candidate *candidate = &chooser->candidates[i];

		if ((candidate->fits & look->environment) && (yanked || !candidate->file->yanked) &&
		    (!look->wheels_only || candidate->kind == PYPI_WHEEL))
			return true;
	}
	return false;
}

static size_t take_releases(struct chooser *chooser, const struct look *look)
{
	uint32_t keep = chooser->selection->options->keep_newest;
	size_t n = 0;

	for (size_t i = 0; i < chooser->n_releases && (keep == 0 || n < keep); i++) {
		struct release *release = &chooser->releases[i];

		if (!release->version && keep > 0)
			continue;
		if (release->version && !look->prereleases &&
		    pypi_version_is_prerelease(&release->version->version))
			continue;
		if (!version_matches(look, release->version ? &release->version->version : NULL) ||
		    !is_usable(chooser, release, look))
			continue;
		release->chosen |= look->environment;
		n++;
	}
	return n;
}

static bool wants_prereleases(const struct chooser *chooser, const struct look *look)
{
	if (chooser->selection->options->prereleases)
		return true;
	for (size_t i = 0; i < look->n; i++)
		if ((look->inputs[i].environments & look->environment) &&
		    pypi_specifiers_want_prereleases(look->inputs[i].specifiers))
			return true;
	return false;
}

/* What needs nothing to be built is better, and so is what is no pre-release. */
static bool look_for(struct chooser *chooser, struct look look)
{
	bool wheels =
		chooser->selection->options->keep_newest > 0 && chooser->selection->options->wheels;

	for (int pass = wants_prereleases(chooser, &look); pass < 2; pass++) {
		look.prereleases = pass > 0;
		look.wheels_only = wheels;
		if (wheels && take_releases(chooser, &look) > 0)
			return true;
		look.wheels_only = false;
		if (take_releases(chooser, &look) > 0)
			return true;
	}
	return false;
}

static void look_for_all(struct chooser *chooser, struct pypi_input *inputs, size_t n)
{
	for (size_t bit = 0; bit < PYPI_TARGETS_MAX; bit++) {
		struct look look = { .environment = UINT64_C(1) << bit };
		size_t asking = 0;

		for (size_t i = 0; i < n; i++) {
			if (!(inputs[i].environments & look.environment))
				continue;
			asking++;
			look.inputs = &inputs[i];
			look.n = 1;
			if (!look_for(chooser, look))
				inputs[i].unsatisfied |= look.environment;
		}
		look.inputs = inputs;
		look.n = n;
		if (asking > 1 && chooser->selection->options->keep_newest > 0)
			(void)look_for(chooser, look);
	}
}

/* --- the choice --- */

static bool release_has_wheel(const struct chooser *chooser, const struct release *release,
			      uint64_t wanted)
{
	for (size_t i = release->begin; i < release->end; i++)
		if (chooser->candidates[i].kind == PYPI_WHEEL &&
		    (chooser->candidates[i].fits & wanted))
			return true;
	return false;
}

static void take_files(const struct chooser *chooser, const struct release *release,
		       uint64_t wanted, struct pypi_choice *choice)
{
	bool has_wheel = release_has_wheel(chooser, release, wanted);

	for (size_t i = release->begin; i < release->end; i++) {
		const struct candidate *candidate = &chooser->candidates[i];
		struct pypi_chosen *chosen = &choice->files[choice->n];

		if (!(candidate->fits & wanted) ||
		    (i > release->begin &&
		     strcmp(candidate[-1].file->name, candidate->file->name) == 0))
			continue;
		*chosen = (struct pypi_chosen) {
			.file = candidate->file,
			.kind = candidate->kind,
			.fits = candidate->fits & wanted,
			.has_wheel = has_wheel,
			.version = release->version ? release->version->text : NULL,
		};
		choice->n++;
	}
}

static int collect(struct chooser *chooser, uint64_t wanted, struct pypi_choice *ret,
		   struct error *err)
{
	/* One more, as none may be NULL. */
	struct pypi_choice choice = { .files = calloc(chooser->n + 1, sizeof(*choice.files)) };

	if (!choice.files)
		return error_set(err, ENOMEM, "no memory for the files of %s",
				 chooser->index->name);
	for (size_t i = chooser->n_releases; i > 0; i--)
		if (chooser->releases[i - 1].chosen)
			take_files(chooser, &chooser->releases[i - 1], wanted, &choice);
	choice.versions = TAKE_STRUCT(chooser->versions);
	*ret = choice;
	return 0;
}

static void chooser_done(struct chooser *chooser)
{
	free(chooser->candidates);
	free(chooser->releases);
	pypi_versions_done(&chooser->versions);
}

int pypi_choose(const struct pypi_selection *selection, const struct pypi_index *index,
		struct pypi_input *inputs, size_t n_inputs, struct pypi_choice *ret,
		struct error *err)
{
	_cleanup_(chooser_done) struct chooser chooser = { .selection = selection,
							   .index = index,
							   .versions = pypi_versions_init() };
	uint64_t wanted = 0;
	int r = gather(&chooser, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n_inputs; i++) {
		inputs[i].unsatisfied = 0;
		wanted |= inputs[i].environments;
	}
	look_for_all(&chooser, inputs, n_inputs);
	return collect(&chooser, wanted, ret, err);
}
