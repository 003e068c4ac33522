/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/explain.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/suggest.h"
#include "reservoir/apt/closure.h"
#include "reservoir/apt/packages.h"
#include "reservoir/apt/run.h"
#include "reservoir/apt/select.h"
#include "reservoir/store/object.h"
#include "reservoir/store/unpack.h"

#define AFTER_POOL "pool0" /* '0' is the next character behind '/' */
#define CHAIN_MAX 64	   /* packages between one and the request that brought it in */

struct explanation {
	struct store *store;
	const struct repository *repository;
	const struct manifest *manifest;
	const char *what;
	struct strbuf *out;
	const char *path; /* of the index that is read */
	size_t found;
	char nearest[PACKAGE_WORD_MAX];
	size_t distance; /* to @nearest */
};

/* --- where it is --- */

static void consider(struct explanation *explanation, const char *name)
{
	size_t distance = suggest_distance(explanation->what, name);

	if (distance >= explanation->distance || !suggest_is_close(distance, explanation->what))
		return;
	explanation->distance = distance;
	(void)str_copy(explanation->nearest, sizeof(explanation->nearest), name);
}

static int on_stanza(void *ctx, const struct deb822_stanza *stanza, struct error *err)
{
	struct explanation *explanation = ctx;
	struct package_name name;
	int r = package_name(stanza, &name, err);

	if (r < 0)
		return r;
	if (strcmp(name.name, explanation->what) != 0) {
		consider(explanation, name.name);
		return 0;
	}
	explanation->found++;
	strbuf_printf(explanation->out, "  %s %s %s: in %s\n", name.name, name.version,
		      name.architecture, explanation->path);
	return 0;
}

static int feed(void *ctx, const char *data, size_t len, struct error *err)
{
	return deb822_feed(ctx, data, len, err);
}

static int read_index(struct explanation *explanation, const struct manifest_entry *entry,
		      struct error *err)
{
	_cleanup_deb822_ struct deb822_reader reader;
	int r;

	explanation->path = entry->path;
	deb822_init(&reader, on_stanza, explanation);
	r = unpack_object(explanation->store, &entry->digest, feed, &reader, err);
	if (r == 0)
		r = deb822_end(&reader, err);
	return r < 0 ? error_wrap(err, r, "%s", entry->path) : 0;
}

/* Of the forms of an index, the first in the order of names. */
static bool is_packages(const char *path, char last[STORE_PATH_MAX])
{
	static const char name[] = "Packages";
	size_t stem = select_ending(path);
	size_t len = strlen(name);

	if (stem < len || memcmp(path + stem - len, name, len) != 0 ||
	    (stem > len && path[stem - len - 1] != '/') ||
	    (strlen(last) == stem && memcmp(last, path, stem) == 0))
		return false;
	memcpy(last, path, stem);
	last[stem] = '\0';
	return true;
}

static int find_places(struct explanation *explanation, struct error *err)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	char last[STORE_PATH_MAX] = "";
	int r = 0;

	manifest_seek(explanation->manifest, "", &cursor);
	while (r == 0 && manifest_next(&cursor, &entry)) {
		/* Most files are packages, and no index is among them. */
		if (str_starts_with(entry.path, "pool/"))
			manifest_seek(explanation->manifest, AFTER_POOL, &cursor);
		else if (is_packages(entry.path, last))
			r = read_index(explanation, &entry, err);
	}
	return r;
}

/* --- why: the notes of the closure --- */

/* A line of a note: NAME VERSION ARCHITECTURE WORD BY. */
struct reason {
	char name[PACKAGE_WORD_MAX];
	char version[PACKAGE_WORD_MAX];
	char word[16];
	char by[PACKAGE_WORD_MAX];
};

static bool find_reason(const struct strbuf *note, const char *name, struct reason *ret)
{
	size_t len = strlen(name);
	const char *line = strbuf_str(note);

	while (*line) {
		if (strncmp(line, name, len) == 0 && line[len] == ' ' &&
		    sscanf(line, "%255s %255s %*s %15s %255s", ret->name, ret->version, ret->word,
			   ret->by) == 4)
			return true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return false;
}

static void put_reason(const struct reason *reason, struct strbuf *out)
{
	static const struct {
		const char *word, *text;
	} texts[] = {
		{ CLOSURE_ASKED, "is asked for" },
		{ CLOSURE_NEEDED, "is needed by" },
		{ CLOSURE_RECOMMENDED, "is recommended by" },
		{ CLOSURE_EXCLUDED, "is left out (apt.exclude), although needed by" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i].word, reason->word) == 0)
			strbuf_printf(out, "  %s %s %s%s%s\n", reason->name, reason->version,
				      texts[i].text, i > 0 ? " " : "", i > 0 ? reason->by : "");
}

static bool put_chain(const struct strbuf *note, const char *what, struct strbuf *out)
{
	struct reason reason;
	char name[PACKAGE_WORD_MAX];
	size_t n = 0;

	if (str_copy(name, sizeof(name), what) < 0)
		return false;
	while (n < CHAIN_MAX && find_reason(note, name, &reason)) {
		put_reason(&reason, out);
		n++;
		if (strcmp(reason.by, "-") == 0 || strcmp(reason.by, name) == 0)
			break;
		(void)str_copy(name, sizeof(name), reason.by);
	}
	return n > 0;
}

static int explain_closures(struct explanation *explanation, bool *ret_told, struct error *err)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	manifest_seek(explanation->manifest, APT_NOTE_CLOSURE, &cursor);
	while (manifest_next(&cursor, &entry)) {
		_cleanup_strbuf_ struct strbuf note = STRBUF_INIT(CLOSURE_NOTE_MAX);
		const char *architecture = str_starts_with(entry.path, APT_NOTE_CLOSURE);
		int r;

		if (!architecture)
			break;
		r = object_read(explanation->store, &entry.digest, CLOSURE_NOTE_MAX, &note, err);
		if (r < 0)
			return r;
		if (put_chain(&note, explanation->what, explanation->out))
			*ret_told = true;
	}
	return 0;
}

/* By name, with a version or not, or by a glob. */
static bool is_asked_for(const struct apt_options *apt, const char *what)
{
	for (size_t i = 0; i < apt->n_packages; i++) {
		const char *word = apt->packages[i].text;
		size_t len = strcspn(word, "=");

		if (fnmatch(word, what, 0) == 0 ||
		    (strlen(what) == len && memcmp(word, what, len) == 0))
			return true;
	}
	return false;
}

static void put_why(struct explanation *explanation, bool told)
{
	const struct apt_options *apt = &explanation->repository->apt;
	struct strbuf *out = explanation->out;

	/* At a site that imports, it is the hub that chose, and its bundles are told. */
	if (told || !explanation->repository->upstream[0])
		return;
	if (explanation->found > 0) {
		strbuf_puts(out, "  every package of the suites is taken\n");
		return;
	}
	if (closure_is_excluded(apt, explanation->what))
		strbuf_printf(out, "  %s is left out: apt.exclude names it\n", explanation->what);
	else if (is_asked_for(apt, explanation->what))
		strbuf_printf(out,
			      "  %s is not here, although apt.packages asks for it: the last sync "
			      "that was published had none to take\n",
			      explanation->what);
	else if (apt->n_packages > 0)
		strbuf_printf(out,
			      "  %s is not here: apt.packages does not ask for it, and nothing "
			      "that is asked for needs it\n",
			      explanation->what);
	else
		strbuf_printf(out, "  %s is not here: the suites have no such package\n",
			      explanation->what);
	if (explanation->nearest[0])
		strbuf_printf(out, "  a name like it that is here: %s\n", explanation->nearest);
}

int apt_explain(struct store *store, const struct repository *repository,
		const struct manifest *manifest, const char *what, struct strbuf *out,
		struct error *err)
{
	struct explanation explanation = {
		.store = store,
		.repository = repository,
		.manifest = manifest,
		.what = what,
		.out = out,
		.distance = SUGGEST_WORD_MAX,
	};
	bool told = false;
	int r = find_places(&explanation, err);

	if (r == 0)
		r = explain_closures(&explanation, &told, err);
	if (r < 0)
		return r;
	put_why(&explanation, told);
	return 0;
}
