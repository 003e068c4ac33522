/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/host_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/deb822.h"

void host_sources_done(struct host_sources *sources)
{
	free(sources->sources);
	*sources = (struct host_sources) { 0 };
}

/* --- words --- */

static bool has_word(const struct host_words *words, const char *word)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->words[i], word) == 0)
			return true;
	return false;
}

/* Words that stand in YAML as they are, and mean nothing else there. */
static bool is_plain(const char *word)
{
	return word[0] && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789._/+~:@%=-") == strlen(word);
}

static int add_word(struct host_words *words, const char *word, struct error *err)
{
	if (has_word(words, word))
		return 0;
	if (words->n == HOST_WORDS_MAX)
		return error_set(err, EFBIG, "a source has more than %d words", HOST_WORDS_MAX);
	if (!is_plain(word))
		return error_set(err, EBADMSG, "a source has a word that is not understood");
	if (str_copy(words->words[words->n], HOST_WORD_SIZE, word) < 0)
		return error_set(err, EFBIG, "a source has a word that is too long");
	words->n++;
	return 0;
}

static int add_words(struct host_words *words, const struct host_words *more, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < more->n; i++)
		r = add_word(words, more->words[i], err);
	return r;
}

/* --- the list --- */

static bool is_same_words(const struct host_words *a, const struct host_words *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!has_word(b, a->words[i]))
			return false;
	return a->n == b->n;
}

/* Sources of one upstream with the same keys differ in suites only. */
static bool is_same_place(const struct host_source *a, const struct host_source *b)
{
	return strcmp(a->uri, b->uri) == 0 && strcmp(a->signed_by, b->signed_by) == 0 &&
	       a->key_inside == b->key_inside && a->trusted == b->trusted &&
	       is_same_words(&a->components, &b->components) &&
	       is_same_words(&a->architectures, &b->architectures);
}

bool host_sources_understands(const char *uri)
{
	return (str_starts_with(uri, "http://") || str_starts_with(uri, "https://") ||
		str_starts_with(uri, "file:/")) &&
	       is_plain(uri);
}

/* A mirror is a file with the URI in it. */
static bool is_understood(const struct host_source *source)
{
	const char *uri = source->uri;

	if (str_starts_with(uri, "mirror+file:/"))
		uri += strlen("mirror+");
	return host_sources_understands(uri) && source->suites.n > 0;
}

static int add_source(struct host_sources *sources, const struct host_source *source,
		      struct error *err)
{
	struct host_source *larger;

	if (!is_understood(source)) {
		sources->left_out++;
		return 0;
	}
	for (size_t i = 0; i < sources->n; i++) {
		if (!is_same_place(&sources->sources[i], source))
			continue;
		sources->sources[i].sources |= source->sources;
		return add_words(&sources->sources[i].suites, &source->suites, err);
	}
	if (sources->n == HOST_SOURCES_MAX)
		return error_set(err, EFBIG, "more than %d sources", HOST_SOURCES_MAX);
	larger = realloc(sources->sources, (sources->n + 1) * sizeof(*larger));
	if (!larger)
		return error_set(err, ENOMEM, "no memory for sources");
	larger[sources->n] = *source;
	sources->sources = larger;
	sources->n++;
	return 0;
}

static void set_signed_by(struct host_source *source, const char *value)
{
	if (value[0] == '/' && is_plain(value) &&
	    str_copy(source->signed_by, sizeof(source->signed_by), value) >= 0)
		return;
	source->key_inside = true;
}

/* --- one line a source --- */

static int read_option(struct host_source *source, char *option, struct error *err)
{
	char *value = strchr(option, '=');
	int r = 0;

	if (!value)
		return 0;
	*value++ = '\0';
	if (strcasecmp(option, "signed-by") == 0)
		set_signed_by(source, value);
	else if (strcasecmp(option, "trusted") == 0)
		source->trusted = strcmp(value, "yes") == 0;
	else if (strcasecmp(option, "arch") == 0)
		for (char *word = strsep(&value, ","); r == 0 && word; word = strsep(&value, ","))
			r = add_word(&source->architectures, word, err);
	return r;
}

/* Reads "[a=b c=d]"; @rest goes on behind it. */
static int read_options(struct host_source *source, char **rest, struct error *err)
{
	char *end = strchr(*rest, ']');
	char *options = *rest + 1;
	int r = 0;

	if (!end)
		return error_set(err, EBADMSG, "a source has a '[' without a ']'");
	*end = '\0';
	for (char *option = strsep(&options, " \t"); r == 0 && option;
	     option = strsep(&options, " \t"))
		r = read_option(source, option, err);
	*rest = end + 1;
	return r;
}

static char *next_word(char **rest)
{
	*rest += strspn(*rest, " \t");
	return **rest ? strsep(rest, " \t") : NULL;
}

static int read_line(struct host_source *source, char *rest, struct error *err)
{
	const char *type = next_word(&rest);
	const char *word;
	int r = 0;

	if (!rest)
		return 0;
	source->sources = strcmp(type, "deb-src") == 0;
	if (!source->sources && strcmp(type, "deb") != 0)
		return 0;
	rest += strspn(rest, " \t");
	if (*rest == '[')
		r = read_options(source, &rest, err);
	word = r == 0 ? next_word(&rest) : NULL;
	if (!word || !rest || str_copy(source->uri, sizeof(source->uri), word) < 0)
		return r;
	word = next_word(&rest);
	if (word)
		r = add_word(&source->suites, word, err);
	while (r == 0 && rest) {
		word = next_word(&rest);
		if (!word)
			break;
		r = add_word(&source->components, word, err);
	}
	return r;
}

int host_sources_read_lines(struct host_sources *sources, char *text, struct error *err)
{
	_cleanup_free_ struct host_source *source = malloc(sizeof(*source));

	if (!source)
		return error_set(err, ENOMEM, "no memory for a source");
	for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
		int r;

		line[strcspn(line, "#\r")] = '\0';
		if (line[strspn(line, " \t")] == '\0')
			continue;
		*source = (struct host_source) { 0 };
		r = read_line(source, line, err);
		if (r == -EBADMSG)
			sources->left_out++;
		else if (r == 0)
			r = add_source(sources, source, err);
		if (r < 0 && r != -EBADMSG)
			return r;
	}
	return 0;
}

/* --- stanzas --- */

static int read_words(const struct deb822_stanza *stanza, const char *field,
		      struct host_words *words, struct error *err)
{
	struct deb822_value value = deb822_get(stanza, field);
	struct deb822_value word;
	int r = 0;

	while (r == 0 && deb822_word(&value, &word)) {
		char text[HOST_WORD_SIZE];

		if (word.len >= sizeof(text))
			return error_set(err, EFBIG, "'%s' has a word that is too long", field);
		memcpy(text, word.text, word.len);
		text[word.len] = '\0';
		r = add_word(words, text, err);
	}
	return r;
}

static int read_stanza(const struct deb822_stanza *stanza, struct host_source *source,
		       struct host_words *types, struct host_words *uris, struct error *err)
{
	struct deb822_value trusted = deb822_get(stanza, "Trusted");
	struct deb822_value key = deb822_get(stanza, "Signed-By");
	char text[HOST_WORD_SIZE] = "";
	int r = read_words(stanza, "Types", types, err);

	if (r == 0)
		r = read_words(stanza, "URIs", uris, err);
	if (r == 0)
		r = read_words(stanza, "Suites", &source->suites, err);
	if (r == 0)
		r = read_words(stanza, "Components", &source->components, err);
	if (r == 0)
		r = read_words(stanza, "Architectures", &source->architectures, err);
	if (key.len > 0 && key.len < sizeof(text))
		memcpy(text, key.text, key.len);
	if (key.len > 0)
		set_signed_by(source, text);
	source->trusted = deb822_equal(&trusted, "yes");
	source->sources = has_word(types, "deb-src");
	return r;
}

static int on_stanza(void *ctx, const struct deb822_stanza *stanza, struct error *err)
{
	struct host_sources *sources = ctx;
	_cleanup_free_ struct host_source *source = calloc(1, sizeof(*source));
	_cleanup_free_ struct host_words *types = calloc(1, sizeof(*types));
	_cleanup_free_ struct host_words *uris = calloc(1, sizeof(*uris));
	struct deb822_value enabled = deb822_get(stanza, "Enabled");
	int r;

	if (!source || !types || !uris)
		return error_set(err, ENOMEM, "no memory for a source");
	if (deb822_equal(&enabled, "no"))
		return 0;
	r = read_stanza(stanza, source, types, uris, err);
	if (r == -EBADMSG) {
		sources->left_out++;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < uris->n; i++) {
		(void)str_copy(source->uri, sizeof(source->uri), uris->words[i]);
		r = add_source(sources, source, err);
	}
	return r;
}

/* Takes out lines that begin with '#', which deb822 has in these files only. */
static size_t drop_comments(char *text)
{
	char *to = text;
	char *line = text;

	while (*line) {
		size_t len = strcspn(line, "\n");

		len += line[len] == '\n';
		if (line[0] != '#') {
			memmove(to, line, len);
			to += len;
		}
		line += len;
	}
	*to = '\0';
	return (size_t)(to - text);
}

int host_sources_read_stanzas(struct host_sources *sources, char *text, struct error *err)
{
	_cleanup_deb822_ struct deb822_reader reader;
	int r;

	deb822_init(&reader, on_stanza, sources);
	r = deb822_feed(&reader, text, drop_comments(text), err);
	return r < 0 ? r : deb822_end(&reader, err);
}
