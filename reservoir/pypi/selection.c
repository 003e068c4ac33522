/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/selection.h"

#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/requirements_file.h"

/* Changed when what is made of the same options changes. */
#define MAKER "2"

/* --- entries --- */

static void wanteds_done(struct pypi_wanteds *wanteds)
{
	for (size_t i = 0; i < wanteds->n; i++) {
		free(wanteds->items[i].text);
		pypi_requirement_done(&wanteds->items[i].requirement);
	}
	free(wanteds->items);
	*wanteds = (struct pypi_wanteds) { 0 };
}

static struct pypi_wanted *new_wanted(struct pypi_wanteds *wanteds, const char *text)
{
	struct pypi_wanted *item;

	if (wanteds->n == wanteds->cap) {
		size_t cap = wanteds->cap ? 2 * wanteds->cap : 16;
		struct pypi_wanted *items = reallocarray(wanteds->items, cap, sizeof(*items));

		if (!items)
			return NULL;
		wanteds->items = items;
		wanteds->cap = cap;
	}
	item = &wanteds->items[wanteds->n];
	*item = (struct pypi_wanted) { .text = strdup(text) };
	if (!item->text)
		return NULL;
	wanteds->n++;
	return item;
}

/* Takes @requirement over. */
static int add_requirement(struct pypi_wanteds *wanteds, const char *text,
			   struct pypi_requirement *requirement, struct error *err)
{
	struct pypi_wanted *item = new_wanted(wanteds, text);

	if (!item)
		return error_set(err, ENOMEM, "no memory for the selection");
	memcpy(item->pattern, requirement->name, sizeof(item->pattern));
	item->requirement = *requirement;
	*requirement = (struct pypi_requirement) { 0 };
	wanteds->n_names++;
	return 0;
}

/* A '*' in the name, not in a version, makes a glob. */
static bool is_glob(const char *text)
{
	return text[strcspn(text, "*?<>=!~;([@ ")] == '*' ||
	       text[strcspn(text, "*?<>=!~;([@ ")] == '?';
}

static int add_glob(struct pypi_wanteds *wanteds, const char *text, struct error *err)
{
	struct pypi_wanted *item = new_wanted(wanteds, text);
	size_t len = strlen(text);

	if (!item)
		return error_set(err, ENOMEM, "no memory for the selection");
	item->glob = true;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (i == sizeof(item->pattern) - 1 ||
		    !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*?",
			    c))
			return error_set(err, EINVAL, "'%s' is neither a requirement nor a glob",
					 text);
		item->pattern[i] = (char)(c == '_' || c == '.' ? '-' : char_lower(c));
	}
	return 0;
}

static int add_word(struct pypi_wanteds *wanteds, const char *text, struct error *err)
{
	_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };
	int r;

	if (is_glob(text))
		return add_glob(wanteds, text, err);
	r = pypi_requirement_parse(text, strlen(text), &requirement, err);
	if (r == 0 && requirement.url)
		r = error_set(err, EINVAL, "it names a URL");
	if (r < 0)
		return error_wrap(err, r, "'%s'", text);
	return add_requirement(wanteds, text, &requirement, err);
}

static int add_words(struct pypi_wanteds *wanteds, const struct config_word *words, size_t n,
		     const char *key, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = add_word(wanteds, words[i].text, err);

		if (r < 0)
			return error_wrap(err, r, "%s", key);
	}
	return 0;
}

struct files {
	struct pypi_selection *selection;
	struct error *err;
};

static int add_from_file(void *ctx, struct pypi_requirement *requirement, const char *text,
			 bool constraint)
{
	struct files *files = ctx;

	return add_requirement(constraint ? &files->selection->constraints
					  : &files->selection->wanted,
			       text, requirement, files->err);
}

static int order_wanted(const void *a, const void *b)
{
	const struct pypi_wanted *left = a, *right = b;
	int r = left->glob - right->glob;

	if (r == 0)
		r = strcmp(left->pattern, right->pattern);
	return r != 0 ? r : strcmp(left->text, right->text);
}

/* The first of the names that is not before @name. */
static size_t lower_bound(const struct pypi_wanteds *wanteds, const char *name)
{
	size_t low = 0, high = wanteds->n_names;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(wanteds->items[middle].pattern, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct pypi_wanted *pypi_wanteds_find(const struct pypi_wanteds *wanteds, const char *name,
					    const struct pypi_wanted *after)
{
	size_t at = after ? (size_t)(after - wanteds->items) + 1 : lower_bound(wanteds, name);

	if (at < wanteds->n_names) {
		if (strcmp(wanteds->items[at].pattern, name) == 0)
			return &wanteds->items[at];
		at = wanteds->n_names;
	}
	for (; at < wanteds->n; at++)
		if (pypi_name_glob(wanteds->items[at].pattern, name))
			return &wanteds->items[at];
	return NULL;
}

/* --- selections --- */

static int add_targets(struct pypi_selection *selection, struct error *err)
{
	const struct pypi_options *options = selection->options;

	selection->environments = 1;
	if (options->n_environments == 0)
		return 0;
	if (options->n_environments > PYPI_TARGETS_MAX)
		return error_set(err, E2BIG, "more than %d environments", PYPI_TARGETS_MAX);
	selection->targets = calloc(options->n_environments, sizeof(*selection->targets));
	selection->pythons = calloc(options->n_environments, sizeof(*selection->pythons));
	if (!selection->targets || !selection->pythons)
		return error_set(err, ENOMEM, "no memory for environments");
	for (size_t i = 0; i < options->n_environments; i++) {
		struct pypi_target *target = &selection->targets[i];
		char python[PYPI_PYTHON_MAX];

		pypi_target_init(&options->environments[i], target);
		pypi_target_python(target, 0, python);
		(void)pypi_version_parse(python, strlen(python), &selection->pythons[i]);
		selection->environments |= UINT64_C(1) << i;
	}
	selection->n_targets = options->n_environments;
	return 0;
}

static uint64_t environments_of(const struct pypi_selection *selection,
				const struct pypi_marker *marker)
{
	uint64_t mask = 0;

	if (!marker || selection->n_targets == 0)
		return selection->environments;
	for (size_t i = 0; i < selection->n_targets; i++)
		if (pypi_target_holds(&selection->targets[i], marker, ""))
			mask |= UINT64_C(1) << i;
	return mask;
}

static void finish(const struct pypi_selection *selection, struct pypi_wanteds *wanteds)
{
	for (size_t i = 0; i < wanteds->n; i++)
		wanteds->items[i].environments =
			environments_of(selection, wanteds->items[i].requirement.marker);
	if (wanteds->n > 0)
		qsort(wanteds->items, wanteds->n, sizeof(*wanteds->items), order_wanted);
}

static int read_files(struct pypi_selection *selection, struct error *err)
{
	struct files files = { selection, err };

	for (size_t i = 0; i < selection->options->n_requirements; i++) {
		int r = pypi_requirements_read(selection->options->requirements[i].text,
					       add_from_file, &files, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int fill(struct pypi_selection *selection, struct error *err)
{
	const struct pypi_options *options = selection->options;
	int r = add_words(&selection->wanted, options->projects, options->n_projects, "projects",
			  err);

	if (r == 0)
		r = add_words(&selection->excluded, options->exclude, options->n_exclude, "exclude",
			      err);
	if (r == 0)
		r = read_files(selection, err);
	if (r == 0)
		r = add_targets(selection, err);
	if (r == 0 && selection->wanted.n == 0 && !options->all)
		r = error_set(err, EINVAL,
			      "nothing is selected: it needs 'pypi.projects', "
			      "'pypi.requirements' or 'pypi.all: true'");
	if (r < 0)
		return r;
	finish(selection, &selection->wanted);
	finish(selection, &selection->excluded);
	finish(selection, &selection->constraints);
	return 0;
}

int pypi_selection_init(const struct pypi_options *options, struct pypi_selection *ret,
			struct error *err)
{
	_cleanup_pypi_selection_ struct pypi_selection selection = { .options = options };
	int r = fill(&selection, err);

	if (r < 0)
		return r;
	*ret = selection;
	selection = (struct pypi_selection) { 0 };
	return 0;
}

void pypi_selection_done(struct pypi_selection *selection)
{
	wanteds_done(&selection->wanted);
	wanteds_done(&selection->excluded);
	wanteds_done(&selection->constraints);
	free(selection->targets);
	free(selection->pythons);
	*selection = (struct pypi_selection) { 0 };
}

bool pypi_selection_needs_list(const struct pypi_selection *selection)
{
	return selection->options->all || selection->wanted.n > selection->wanted.n_names;
}

bool pypi_selection_closes(const struct pypi_selection *selection)
{
	return selection->options->dependencies && !selection->options->all;
}

bool pypi_selection_has(const struct pypi_selection *selection, const char *name)
{
	return selection->options->all || pypi_wanteds_find(&selection->wanted, name, NULL);
}

bool pypi_selection_excludes(const struct pypi_selection *selection, const char *name)
{
	const struct pypi_wanted *entry = NULL;

	for (;;) {
		entry = pypi_wanteds_find(&selection->excluded, name, entry);
		if (!entry || (entry->requirement.specifiers.n == 0 && !entry->requirement.marker))
			return entry != NULL;
	}
}

/* Where entries say of a version whether it matches: @matches of them.  One whose marker
 * nothing is known of leaves nothing out. */
static uint64_t where(const struct pypi_selection *selection, const struct pypi_wanteds *wanteds,
		      const char *name, const struct pypi_version *version, bool matches)
{
	const struct pypi_wanted *entry = pypi_wanteds_find(wanteds, name, NULL);
	uint64_t mask = 0;

	for (; entry; entry = pypi_wanteds_find(wanteds, name, entry)) {
		const struct pypi_requirement *requirement = &entry->requirement;

		if ((!requirement->marker || selection->n_targets > 0) &&
		    pypi_specifiers_match(&requirement->specifiers, version) == matches)
			mask |= entry->environments;
	}
	return mask;
}

uint64_t pypi_selection_forbidden(const struct pypi_selection *selection, const char *name,
				  const struct pypi_version *version)
{
	return where(selection, &selection->excluded, name, version, true) |
	       where(selection, &selection->constraints, name, version, false);
}

static void describe(struct strbuf *out, const char *key, const struct pypi_wanteds *wanteds)
{
	for (size_t i = 0; i < wanteds->n; i++)
		strbuf_printf(out, "%s %s\n", key, wanteds->items[i].text);
}

int pypi_selection_digest(const struct pypi_selection *selection, const char *upstream,
			  struct digest *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT((size_t)64 * 1024 * 1024);
	const struct pypi_options *options = selection->options;

	strbuf_printf(&out, MAKER " %s\n", upstream);
	describe(&out, "wanted", &selection->wanted);
	describe(&out, "excluded", &selection->excluded);
	describe(&out, "constraint", &selection->constraints);
	for (size_t i = 0; i < options->n_environments; i++)
		strbuf_printf(&out, "environment %s %s %s\n", options->environments[i].python,
			      options->environments[i].platform,
			      options->environments[i].implementation);
	strbuf_printf(&out, "%d %d %d %d %d %d %u\n", options->all, options->dependencies,
		      options->wheels, options->sdists, options->prereleases, options->provenance,
		      options->keep_newest);
	revoked_describe(selection->revoked, &out);
	if (strbuf_error(&out) < 0)
		return error_set(err, ENOMEM, "no memory for the selection");
	*ret = digest_of(out.data, out.len);
	return 0;
}
