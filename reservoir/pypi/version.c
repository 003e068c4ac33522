/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/version.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"

/* What is left of a text. */
struct rest {
	const char *at;
	const char *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_local(char c)
{
	return is_digit(c) || (char_lower(c) >= 'a' && char_lower(c) <= 'z');
}

static bool is_separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

static struct rest trimmed(const char *text, size_t len)
{
	struct rest rest = { text, text + len };

	while (rest.at < rest.end && char_is_space(*rest.at))
		rest.at++;
	while (rest.at < rest.end && char_is_space(rest.end[-1]))
		rest.end--;
	return rest;
}

/* 1 with a number, 0 without, negative for one that is too large. */
static int take_number(struct rest *rest, uint64_t *ret)
{
	uint64_t value = 0;

	if (rest->at == rest->end || !is_digit(*rest->at))
		return 0;
	for (; rest->at < rest->end && is_digit(*rest->at); rest->at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*rest->at - '0'), &value))
			return -EINVAL;
	*ret = value;
	return 1;
}

static bool take_char(struct rest *rest, char c)
{
	if (rest->at == rest->end || char_lower(*rest->at) != c)
		return false;
	rest->at++;
	return true;
}

static bool take_word(struct rest *rest, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(rest->end - rest->at) < len || strncasecmp(rest->at, word, len) != 0)
		return false;
	rest->at += len;
	return true;
}

static bool take_separator(struct rest *rest)
{
	if (rest->at == rest->end || !is_separator(*rest->at))
		return false;
	rest->at++;
	return true;
}

static int take_release(struct rest *rest, struct pypi_version *version)
{
	uint64_t number;
	int r;

	(void)take_char(rest, 'v');
	r = take_number(rest, &number);
	if (r > 0 && take_char(rest, '!')) {
		version->epoch = number;
		r = take_number(rest, &number);
	}
	for (;;) {
		if (r <= 0 || version->n_release == PYPI_RELEASE_MAX)
			return -EINVAL;
		version->release[version->n_release++] = number;
		if (rest->end - rest->at < 2 || *rest->at != '.' || !is_digit(rest->at[1]))
			return 0;
		rest->at++;
		r = take_number(rest, &number);
	}
}

static const struct {
	const char *word;
	enum pypi_phase phase;
} phases[] = {
	/* Longer ones before those that they begin with. */
	{ "alpha", PYPI_PHASE_ALPHA },	     { "a", PYPI_PHASE_ALPHA },
	{ "beta", PYPI_PHASE_BETA },	     { "b", PYPI_PHASE_BETA },
	{ "preview", PYPI_PHASE_CANDIDATE }, { "pre", PYPI_PHASE_CANDIDATE },
	{ "c", PYPI_PHASE_CANDIDATE },	     { "rc", PYPI_PHASE_CANDIDATE },
};

/* The number behind a word, 0 when it is left out. */
static int take_count(struct rest *rest, uint64_t *ret)
{
	*ret = 0;
	(void)take_separator(rest);
	return take_number(rest, ret) < 0 ? -EINVAL : 0;
}

static int take_pre(struct rest *rest, struct pypi_version *version)
{
	struct rest try = *rest;

	version->phase = PYPI_PHASE_FINAL;
	(void)take_separator(&try);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		if (!take_word(&try, phases[i].word))
			continue;
		version->phase = phases[i].phase;
		*rest = try;
		return take_count(rest, &version->pre);
	}
	return 0;
}

static int take_post(struct rest *rest, struct pypi_version *version)
{
	static const char *const words[] = { "post", "rev", "r" };
	struct rest try = *rest;
	int r;

	if (take_char(&try, '-')) {
		r = take_number(&try, &version->post);
		if (r != 0) {
			*rest = try;
			version->has_post = true;
			return r < 0 ? r : 0;
		}
	}
	try = *rest;
	(void)take_separator(&try);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!take_word(&try, words[i]))
			continue;
		*rest = try;
		version->has_post = true;
		return take_count(rest, &version->post);
	}
	return 0;
}

static int take_dev(struct rest *rest, struct pypi_version *version)
{
	struct rest try = *rest;

	(void)take_separator(&try);
	if (!take_word(&try, "dev"))
		return 0;
	*rest = try;
	version->has_dev = true;
	return take_count(rest, &version->dev);
}

static int take_local(struct rest *rest, struct pypi_version *version)
{
	size_t n = 0;

	if (!take_char(rest, '+'))
		return 0;
	if (rest->at == rest->end || is_separator(rest->end[-1]))
		return -EINVAL;
	for (bool separated = true; rest->at < rest->end; rest->at++) {
		char c = *rest->at;

		if (n == PYPI_LOCAL_MAX - 1 || (is_separator(c) ? separated : !is_local(c)))
			return -EINVAL;
		separated = is_separator(c);
		version->local[n++] = (char)(separated ? '.' : char_lower(c));
	}
	version->local[n] = '\0';
	return 0;
}

int pypi_version_parse(const char *text, size_t len, struct pypi_version *ret)
{
	static int (*const parts[])(struct rest *, struct pypi_version *) = {
		take_release, take_pre, take_post, take_dev, take_local,
	};
	struct pypi_version version = { .phase = PYPI_PHASE_FINAL };
	struct rest rest = trimmed(text, len);

	if (rest.end - rest.at >= PYPI_VERSION_MAX)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i](&rest, &version) < 0)
			return -EINVAL;
	if (rest.at != rest.end)
		return -EINVAL;
	*ret = version;
	return 0;
}

/* "01.x" is "1.x". */
static void format_local(struct strbuf *out, const char *local)
{
	while (*local) {
		size_t len = strcspn(local, ".");

		if (strspn(local, "0123456789") == len)
			while (len > 1 && *local == '0') {
				local++;
				len--;
			}
		strbuf_add(out, local, len);
		local += len;
		if (*local == '.') {
			strbuf_puts(out, ".");
			local++;
		}
	}
}

int pypi_version_format(const struct pypi_version *version, char *ret, size_t size)
{
	static const char *const words[] = { "a", "b", "rc" };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(size > 0 ? size - 1 : 0);

	if (version->epoch > 0)
		strbuf_printf(&out, "%ju!", (uintmax_t)version->epoch);
	for (size_t i = 0; i < version->n_release; i++)
		strbuf_printf(&out, i ? ".%ju" : "%ju", (uintmax_t)version->release[i]);
	if (version->phase != PYPI_PHASE_FINAL)
		strbuf_printf(&out, "%s%ju", words[version->phase], (uintmax_t)version->pre);
	if (version->has_post)
		strbuf_printf(&out, ".post%ju", (uintmax_t)version->post);
	if (version->has_dev)
		strbuf_printf(&out, ".dev%ju", (uintmax_t)version->dev);
	if (version->local[0]) {
		strbuf_puts(&out, "+");
		format_local(&out, version->local);
	}
	if (size == 0 || strbuf_error(&out) < 0)
		return -ENAMETOOLONG;
	memcpy(ret, strbuf_str(&out), out.len + 1);
	return 0;
}

/* --- order --- */

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_releases(const struct pypi_version *a, const struct pypi_version *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = order(i < a->n_release ? a->release[i] : 0,
			      i < b->n_release ? b->release[i] : 0);

		if (r != 0)
			return r;
	}
	return 0;
}

/* 1.0.dev1 is before 1.0a1, although no phase is named. */
static int phase_rank(const struct pypi_version *version)
{
	if (version->phase == PYPI_PHASE_FINAL && !version->has_post && version->has_dev)
		return -1;
	return (int)version->phase;
}

/* A part of a local version: numbers are after words, and have no leading zeros. */
static int compare_parts(const char *a, size_t a_len, const char *b, size_t b_len)
{
	bool a_number = strspn(a, "0123456789") >= a_len,
	     b_number = strspn(b, "0123456789") >= b_len;
	size_t common = MIN(a_len, b_len);
	int r;

	if (a_number != b_number)
		return a_number ? 1 : -1;
	if (a_number) {
		for (; a_len > 1 && *a == '0'; a++)
			a_len--;
		for (; b_len > 1 && *b == '0'; b++)
			b_len--;
		if (a_len != b_len)
			return a_len < b_len ? -1 : 1;
		common = a_len;
	}
	r = memcmp(a, b, common);
	return r != 0 ? r : order(a_len, b_len);
}

static int compare_locals(const char *a, const char *b)
{
	while (*a && *b) {
		size_t a_len = strcspn(a, "."), b_len = strcspn(b, ".");
		int r = compare_parts(a, a_len, b, b_len);

		if (r != 0)
			return r;
		a += a_len + (a[a_len] == '.');
		b += b_len + (b[b_len] == '.');
	}
	return (*a != '\0') - (*b != '\0');
}

static int compare_public(const struct pypi_version *a, const struct pypi_version *b)
{
	int r = order(a->epoch, b->epoch);

	if (r == 0)
		r = compare_releases(a, b, MAX(a->n_release, b->n_release));
	if (r == 0)
		r = phase_rank(a) - phase_rank(b);
	if (r == 0)
		r = order(a->pre, b->pre);
	if (r == 0)
		r = a->has_post - b->has_post;
	if (r == 0)
		r = order(a->post, b->post);
	if (r == 0)
		r = b->has_dev - a->has_dev;
	return r != 0 ? r : order(a->dev, b->dev);
}

int pypi_version_compare(const struct pypi_version *a, const struct pypi_version *b)
{
	int r = compare_public(a, b);

	return r != 0 ? r : compare_locals(a->local, b->local);
}

bool pypi_version_is_prerelease(const struct pypi_version *version)
{
	return version->phase != PYPI_PHASE_FINAL || version->has_dev;
}

/* --- specifiers --- */

static const char *const operators[] = {
	/* Longer ones before those that they begin with. */
	[PYPI_COMPATIBLE] = "~=", [PYPI_ARBITRARY] = "===", [PYPI_EQUAL] = "==",
	[PYPI_NOT_EQUAL] = "!=",  [PYPI_LESS_EQUAL] = "<=", [PYPI_GREATER_EQUAL] = ">=",
	[PYPI_LESS] = "<",	  [PYPI_GREATER] = ">",
};

void pypi_specifiers_done(struct pypi_specifiers *specifiers)
{
	free(specifiers->items);
	*specifiers = (struct pypi_specifiers) { 0 };
}

static int read_arbitrary(struct rest rest, struct pypi_specifier *ret)
{
	size_t len = (size_t)(rest.end - rest.at);

	if (len == 0 || len >= sizeof(ret->text))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (char_is_space(rest.at[i]) || rest.at[i] == '\0')
			return -EINVAL;
		ret->text[i] = char_lower(rest.at[i]);
	}
	return 0;
}

static bool is_allowed(const struct pypi_specifier *specifier)
{
	const struct pypi_version *version = &specifier->version;
	bool equality = specifier->op == PYPI_EQUAL || specifier->op == PYPI_NOT_EQUAL;

	if (specifier->prefix && (!equality || version->phase != PYPI_PHASE_FINAL ||
				  version->has_post || version->has_dev || version->local[0]))
		return false;
	if (version->local[0] && !equality)
		return false;
	return specifier->op != PYPI_COMPATIBLE || version->n_release >= 2;
}

/*
 * What was written before the operators had their rules: ">=1.0.*" is meant as ">=1.0", and
 * "!=3.0*" as "!=3.0.*".
 */
static void repair(struct pypi_specifier *specifier, struct rest *rest)
{
	bool equality = specifier->op == PYPI_EQUAL || specifier->op == PYPI_NOT_EQUAL;

	while (rest->end > rest->at && (rest->end[-1] == '\'' || rest->end[-1] == '"'))
		rest->end--;
	if (rest->end - rest->at < 2 || rest->end[-1] != '*')
		return;
	rest->end -= rest->end[-2] == '.' ? 2 : 1;
	specifier->prefix = equality;
}

static int read_specifier(const char *text, size_t len, bool lenient, struct pypi_specifier *ret)
{
	struct rest rest = trimmed(text, len);
	struct pypi_specifier out = { .op = _PYPI_OPERATOR_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (take_word(&rest, operators[i])) {
			out.op = (enum pypi_operator)i;
			break;
		}
	if (out.op == _PYPI_OPERATOR_MAX)
		return -EINVAL;
	rest = trimmed(rest.at, (size_t)(rest.end - rest.at));
	if (out.op == PYPI_ARBITRARY) {
		if (read_arbitrary(rest, &out) < 0)
			return -EINVAL;
	} else {
		if (lenient)
			repair(&out, &rest);
		else if (rest.end - rest.at > 2 && memcmp(rest.end - 2, ".*", 2) == 0) {
			out.prefix = true;
			rest.end -= 2;
		}
		if (pypi_version_parse(rest.at, (size_t)(rest.end - rest.at), &out.version) < 0 ||
		    (rest.at < rest.end && char_is_space(rest.end[-1])) || !is_allowed(&out))
			return -EINVAL;
	}
	*ret = out;
	return 0;
}

static int add_specifier(struct pypi_specifiers *set, struct rest part, bool lenient,
			 struct error *err)
{
	struct pypi_specifier specifier, *items;
	size_t len = (size_t)(part.end - part.at);

	if (read_specifier(part.at, len, lenient, &specifier) < 0)
		return error_set(err, EINVAL, "'%.*s' is no specifier of versions",
				 (int)MIN(len, (size_t)80), part.at);
	if (set->n == PYPI_SPECIFIERS_MAX)
		return error_set(err, E2BIG, "more than %d specifiers", PYPI_SPECIFIERS_MAX);
	items = reallocarray(set->items, set->n + 1, sizeof(*items));
	if (!items)
		return error_set(err, ENOMEM, "no memory for specifiers");
	set->items = items;
	items[set->n++] = specifier;
	return 0;
}

static bool begins_operator(char c)
{
	return c != '\0' && strchr("<>=!~", c);
}

/* Where a specifier ends: at a comma, and of what is not written well before an operator. */
static const char *specifier_end(const char *text, const char *end, bool lenient)
{
	const char *at = text;

	while (lenient && at < end && (char_is_space(*at) || begins_operator(*at)))
		at++;
	while (at < end && *at != ',' && !(lenient && begins_operator(*at)))
		at++;
	return at;
}

static int parse_set(const char *text, size_t len, bool lenient, struct pypi_specifiers *ret,
		     struct error *err)
{
	_cleanup_pypi_specifiers_ struct pypi_specifiers set = { 0 };
	const char *end = text + len;

	while (text < end) {
		const char *stop = specifier_end(text, end, lenient);
		struct rest part = trimmed(text, (size_t)(stop - text));

		/* As packaging does, nothing between commas is nothing. */
		if (part.at < part.end) {
			int r = add_specifier(&set, part, lenient, err);

			if (r < 0)
				return r;
		}
		text = stop + (stop < end && *stop == ',');
	}
	*ret = set;
	set = (struct pypi_specifiers) { 0 };
	return 0;
}

int pypi_specifiers_parse(const char *text, size_t len, struct pypi_specifiers *ret,
			  struct error *err)
{
	return parse_set(text, len, false, ret, err);
}

int pypi_specifiers_parse_lenient(const char *text, size_t len, struct pypi_specifiers *ret,
				  struct error *err)
{
	return parse_set(text, len, true, ret, err);
}

static bool same_base(const struct pypi_version *a, const struct pypi_version *b)
{
	return a->epoch == b->epoch && compare_releases(a, b, MAX(a->n_release, b->n_release)) == 0;
}

static bool has_prefix(const struct pypi_version *version, const struct pypi_version *prefix,
		       size_t n)
{
	return version->epoch == prefix->epoch && compare_releases(version, prefix, n) == 0;
}

static bool match_equal(const struct pypi_specifier *specifier, const struct pypi_version *version)
{
	if (specifier->prefix)
		return has_prefix(version, &specifier->version, specifier->version.n_release);
	if (!specifier->version.local[0])
		return compare_public(version, &specifier->version) == 0;
	return pypi_version_compare(version, &specifier->version) == 0;
}

/* Whether a version is one before another: 1.0rc1 is of 1.0, and 1.0.post1.dev2 of 1.0.post1. */
static bool leads_to(const struct pypi_version *version, const struct pypi_version *to)
{
	if (!pypi_version_is_prerelease(version) || !same_base(version, to))
		return false;
	return !to->has_post ||
	       (version->phase == to->phase && version->has_post && version->post == to->post);
}

/* "<1.0" is not meant to take 1.0rc1, nor ">1.0" 1.0.post1 or 1.0+x. */
static bool match_less(const struct pypi_version *version, const struct pypi_version *than)
{
	return pypi_version_compare(version, than) < 0 &&
	       (pypi_version_is_prerelease(than) || !leads_to(version, than));
}

/* Whether a version is another one with something behind it: a repair, or a local part. */
static bool follows(const struct pypi_version *version, const struct pypi_version *of)
{
	struct pypi_version bare = *version;

	if (!of->has_post && version->has_post) {
		bare.has_post = bare.has_dev = false;
		bare.post = bare.dev = 0;
	}
	return compare_public(&bare, of) == 0;
}

static bool match_greater(const struct pypi_version *version, const struct pypi_version *than)
{
	return pypi_version_compare(version, than) > 0 && !follows(version, than);
}

static bool match_arbitrary(const struct pypi_specifier *specifier,
			    const struct pypi_version *version)
{
	char text[PYPI_VERSION_MAX];

	return pypi_version_format(version, text, sizeof(text)) == 0 &&
	       strcmp(text, specifier->text) == 0;
}

static bool match(const struct pypi_specifier *specifier, const struct pypi_version *version)
{
	const struct pypi_version *than = &specifier->version;

	switch (specifier->op) {
	case PYPI_COMPATIBLE:
		return compare_public(version, than) >= 0 &&
		       has_prefix(version, than, than->n_release - 1);
	case PYPI_ARBITRARY:
		return match_arbitrary(specifier, version);
	case PYPI_EQUAL:
		return match_equal(specifier, version);
	case PYPI_NOT_EQUAL:
		return !match_equal(specifier, version);
	case PYPI_LESS_EQUAL:
		return compare_public(version, than) <= 0;
	case PYPI_GREATER_EQUAL:
		return compare_public(version, than) >= 0;
	case PYPI_LESS:
		return match_less(version, than);
	case PYPI_GREATER:
		return match_greater(version, than);
	case _PYPI_OPERATOR_MAX:
		break;
	}
	return false;
}

bool pypi_specifiers_match(const struct pypi_specifiers *specifiers,
			   const struct pypi_version *version)
{
	for (size_t i = 0; i < specifiers->n; i++)
		if (!match(&specifiers->items[i], version))
			return false;
	return true;
}

bool pypi_specifiers_want_prereleases(const struct pypi_specifiers *specifiers)
{
	for (size_t i = 0; i < specifiers->n; i++) {
		const struct pypi_specifier *specifier = &specifiers->items[i];
		struct pypi_version named = specifier->version;

		if (specifier->op == PYPI_NOT_EQUAL || specifier->op == PYPI_LESS ||
		    specifier->op == PYPI_GREATER)
			continue;
		if (specifier->op == PYPI_ARBITRARY &&
		    pypi_version_parse(specifier->text, strlen(specifier->text), &named) < 0)
			continue;
		if (pypi_version_is_prerelease(&named))
			return true;
	}
	return false;
}

bool pypi_specifiers_pin(const struct pypi_specifiers *specifiers)
{
	for (size_t i = 0; i < specifiers->n; i++)
		if (specifiers->items[i].op == PYPI_ARBITRARY ||
		    (specifiers->items[i].op == PYPI_EQUAL && !specifiers->items[i].prefix))
			return true;
	return false;
}
