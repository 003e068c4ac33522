/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/select.h"

#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

/* Endings, the fastest to read first. */
static const char *const endings[] = { ".gz", ".zst", ".lz4", ".xz", ".lzma", ".bz2" };

/* What stands in a pattern. */
enum place {
	PLACE_NOTHING,
	PLACE_ARCHITECTURE,
	PLACE_LANGUAGE,
	PLACE_ANY,
};

static bool always(const struct apt_options *options _unused_)
{
	return true;
}

static bool want_sources(const struct apt_options *options)
{
	return options->sources;
}

static bool want_contents(const struct apt_options *options)
{
	return options->contents;
}

static bool want_cnf(const struct apt_options *options)
{
	return options->cnf;
}

static bool want_dep11(const struct apt_options *options)
{
	return options->dep11;
}

/* The path of an index: before, what differs, and after. */
static const struct pattern {
	const char *before;
	const char *after;
	enum place place;
	enum index_kind kind;
	bool (*want)(const struct apt_options *options);
} patterns[] = {
	{ "binary-", "/Packages", PLACE_ARCHITECTURE, INDEX_PACKAGES, always },
	{ "binary-", "/Release", PLACE_ARCHITECTURE, INDEX_STUB, always },
	{ "source/Sources", "", PLACE_NOTHING, INDEX_SOURCES, want_sources },
	{ "source/Release", "", PLACE_NOTHING, INDEX_STUB, want_sources },
	{ "i18n/Translation-", "", PLACE_LANGUAGE, INDEX_TRANSLATION, always },
	{ "cnf/Commands-", "", PLACE_ARCHITECTURE, INDEX_CNF, want_cnf },
	{ "dep11/Components-", ".yml", PLACE_ARCHITECTURE, INDEX_DEP11, want_dep11 },
	{ "dep11/CID-Index-", ".json", PLACE_ARCHITECTURE, INDEX_DEP11, want_dep11 },
	{ "dep11/icons-", ".tar", PLACE_ANY, INDEX_DEP11, want_dep11 },
	{ "Contents-", "", PLACE_ARCHITECTURE, INDEX_CONTENTS, want_contents },
};

/* Of a flat repository, and those of all components. */
static const struct pattern flat_patterns[] = {
	{ "Packages", "", PLACE_NOTHING, INDEX_PACKAGES, always },
	{ "Sources", "", PLACE_NOTHING, INDEX_SOURCES, want_sources },
	{ "Translation-", "", PLACE_LANGUAGE, INDEX_TRANSLATION, always },
};
static const struct pattern top_patterns[] = {
	{ "Contents-", "", PLACE_ARCHITECTURE, INDEX_CONTENTS, want_contents },
};

size_t select_ending(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len > n && strcmp(path + len - n, endings[i]) == 0)
			return len - n;
	}
	return len;
}

static bool has_word(const struct config_word *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i].text, word) == 0 || strcmp(words[i].text, "*") == 0)
			return true;
	return false;
}

bool select_architecture(const struct apt_options *options, const char *architecture)
{
	return strcmp(architecture, "all") == 0 || options->n_architectures == 0 ||
	       has_word(options->architectures, options->n_architectures, architecture);
}

static bool takes(const struct apt_options *options, enum place place, const char *word)
{
	switch (place) {
	case PLACE_ARCHITECTURE:
		return select_architecture(options, word) ||
		       (options->sources && strcmp(word, "source") == 0);
	case PLACE_LANGUAGE:
		return has_word(options->languages, options->n_languages, word);
	case PLACE_NOTHING:
		return word[0] == '\0';
	case PLACE_ANY:
	default:
		return true;
	}
}

/* Whether a stem has the form of a pattern; writes what stands in its place. */
static bool matches(const struct pattern *pattern, const char *stem, size_t len,
		    char ret_word[RELEASE_WORD_SIZE])
{
	size_t before = strlen(pattern->before);
	size_t after = strlen(pattern->after);
	size_t word;

	if (len < before + after || memcmp(stem, pattern->before, before) != 0 ||
	    memcmp(stem + len - after, pattern->after, after) != 0)
		return false;
	word = len - before - after;
	if (word >= RELEASE_WORD_SIZE || memchr(stem + before, '/', word))
		return false;
	memcpy(ret_word, stem + before, word);
	ret_word[word] = '\0';
	return true;
}

static void match_any(const struct apt_options *options, const struct pattern *table, size_t n,
		      const char *stem, size_t len, struct index_place *ret)
{
	static const char diff[] = ".diff/Index";
	bool is_diff =
		len > strlen(diff) && memcmp(stem + len - strlen(diff), diff, strlen(diff)) == 0;

	if (is_diff)
		len -= strlen(diff);
	for (size_t i = 0; i < n; i++) {
		if (!matches(&table[i], stem, len, ret->architecture))
			continue;
		if (!table[i].want(options) || !takes(options, table[i].place, ret->architecture) ||
		    (is_diff && !options->pdiffs))
			return;
		ret->kind = is_diff ? INDEX_PDIFF : table[i].kind;
		return;
	}
}

/*
 * What follows the component in a path. A suite as "x/updates" has the component
 * "updates/main", and "main" in its paths.
 */
static const char *behind_component(const char *path, const char *component)
{
	const char *last = strrchr(component, '/');
	const char *rest = str_starts_with(path, component);

	if (!rest && last)
		rest = str_starts_with(path, last + 1);
	return rest && rest[0] == '/' ? rest + 1 : NULL;
}

bool select_component(const struct apt_options *options, const char *component)
{
	const char *last = strrchr(component, '/');

	return options->n_components == 0 ||
	       has_word(options->components, options->n_components, component) ||
	       (last && has_word(options->components, options->n_components, last + 1));
}

static const char *component_at(const struct apt_options *options, const struct release *release,
				size_t i)
{
	if (options->n_components > 0)
		return i < options->n_components ? options->components[i].text : NULL;
	return i < release->n_components ? release->components[i].text : NULL;
}

static void match_components(const struct apt_options *options, const struct release *release,
			     const char *path, struct index_place *ret)
{
	const char *component = component_at(options, release, 0);

	for (size_t i = 0; component; component = component_at(options, release, ++i)) {
		const char *rest = behind_component(path, component);

		if (!rest)
			continue;
		match_any(options, patterns, ARRAY_SIZE(patterns), rest,
			  ret->stem - (size_t)(rest - path), ret);
		/* Beside "main" there may be "main/debug". */
		if (ret->kind == INDEX_NONE)
			continue;
		if (str_copy(ret->component, sizeof(ret->component), component) < 0)
			ret->kind = INDEX_NONE;
		return;
	}
}

/*
 * Whether clients ask for indexes of "all". A suite that does not name it among its
 * architectures may list them still, and no longer write them.
 */
static bool asks_for_all(const struct release *release, enum index_kind kind)
{
	if (kind == INDEX_PACKAGES && release->all_is_inside)
		return false;
	for (size_t i = 0; i < release->n_architectures; i++)
		if (strcmp(release->architectures[i].text, "all") == 0)
			return true;
	return release->n_architectures == 0;
}

void select_index(const struct apt_options *options, const struct release *release, bool flat,
		  const char *path, struct index_place *ret)
{
	*ret = (struct index_place) { .kind = INDEX_NONE, .stem = select_ending(path) };
	if (flat) {
		match_any(options, flat_patterns, ARRAY_SIZE(flat_patterns), path, ret->stem, ret);
		return;
	}
	match_any(options, top_patterns, ARRAY_SIZE(top_patterns), path, ret->stem, ret);
	if (ret->kind == INDEX_NONE)
		match_components(options, release, path, ret);
	if (strcmp(ret->architecture, "all") == 0 && !asks_for_all(release, ret->kind))
		ret->kind = INDEX_NONE;
}

static bool is_listed(const struct release *release, const char *path, size_t stem,
		      const char *ending)
{
	char other[STORE_PATH_MAX];
	size_t n = strlen(ending);

	if (stem + n >= sizeof(other))
		return false;
	memcpy(other, path, stem);
	memcpy(other + stem, ending, n + 1);
	return release_find(release, other) != NULL;
}

bool select_is_best(const struct release *release, const char *path)
{
	size_t stem = select_ending(path);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		if (strcmp(path + stem, endings[i]) == 0)
			return true;
		if (is_listed(release, path, stem, endings[i]))
			return false;
	}
	return true;
}
