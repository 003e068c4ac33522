/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "reservoir/apt/closure.h"

/* An archive: name, version, architecture and fields. */
static const struct {
	const char *name, *version, *architecture, *fields;
} archive[] = {
	{ "app", "1.0", "amd64", "Depends: lib (>= 1.0), virt | nothing\nRecommends: doc\n" },
	{ "app", "0.9", "amd64", "Depends: lib (= 0.9)\n" },
	{ "lib", "1:1.0", "amd64", "Depends: base\n" },
	{ "lib", "0.9", "amd64", "" },
	{ "base", "2", "all", "Pre-Depends: libc:any\n" },
	{ "libc", "2.36", "amd64", "Multi-Arch: same\n" },
	{ "libc", "2.36", "arm64", "" },
	{ "doc", "1", "all", "" },
	{ "provider", "1", "all", "Provides: virt\n" },
	{ "broken", "1", "all", "Depends: nowhere\n" },
	{ "left", "1", "all", "Conflicts: right\n" },
	{ "right", "1", "all", "Conflicts: left\n" },
	{ "other", "1", "all", "" },
	{ "mine", "1", "amd64", "Depends: libc:amd64 (>= 2),\n base:native\n" },
	{ "theirs", "1", "amd64", "Depends: libc:arm64\n" },
	{ "self", "1", "all", "Depends: self, cycle-a\nProvides: self\n" },
	{ "cycle-a", "1", "all", "Pre-Depends: cycle-b (= 1)\n" },
	{ "cycle-b", "1", "all", "Depends: cycle-a\n" },
	{ "lib++6", "1:2~rc1+b2", "amd64", "Provides: abi (= 1:2)\n" },
	{ "needs", "1", "all", "Depends: lib++6 (<< 1:2), abi (>= 1:2)\n" },
};

struct told {
	char failed[512], noted[512];
};

static void tell_failed(void *ctx, const char *request, const char *text)
{
	struct told *told = ctx;
	size_t len = strlen(told->failed);

	(void)snprintf(told->failed + len, sizeof(told->failed) - len, "%s: %s;", request, text);
}

static void tell_noted(void *ctx, const char *request, const char *text)
{
	struct told *told = ctx;
	size_t len = strlen(told->noted);

	(void)snprintf(told->noted + len, sizeof(told->noted) - len, "%s: %s;", request, text);
}

static void add_archive(struct closure *closure)
{
	for (size_t i = 0; i < ARRAY_SIZE(archive); i++) {
		char text[512];
		struct deb822_stanza stanza = { text, 0 };
		int n = snprintf(text, sizeof(text),
				 "Package: %s\nVersion: %s\nArchitecture: %s\n%s", archive[i].name,
				 archive[i].version, archive[i].architecture, archive[i].fields);

		stanza.len = (size_t)n;
		assert_int_equal(closure_add(closure, &stanza, NULL), 0);
	}
}

static void solve(const struct apt_options *options, struct closure_result *result)
{
	_cleanup_(closure_freep) struct closure *closure = NULL;
	_cleanup_fclose_ FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(closure_new(options, "amd64", file, &closure, NULL), 0);
	add_archive(closure);
	assert_int_equal(closure_solve(closure, result, NULL), 0);
}

static size_t words(const char *text, struct config_word *ret)
{
	size_t n = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		(void)snprintf(ret[n++].text, sizeof(ret->text), "%.*s", (int)len, text);
		text += len + (text[len] == ' ');
	}
	return n;
}

static void closures(_unused_ void **state)
{
	static const struct {
		const char *packages, *exclude;
		bool recommends;
		const char *note;   /* its lines, in any order */
		const char *failed; /* begins with */
		const char *noted;
	} cases[] = {
		{ "app", "", true,
		  "app 1.0 amd64 asked -\nlib 1:1.0 amd64 needed app\nbase 2 all needed lib\n"
		  "libc 2.36 amd64 needed base\nprovider 1 all needed app\n"
		  "doc 1 all recommended app\n",
		  "", "" },
		{ "lib", "", false,
		  "lib 1:1.0 amd64 asked -\nbase 2 all needed lib\nlibc 2.36 amd64 needed base\n",
		  "", "" },
		{ "app=0.9", "", true, "app 0.9 amd64 asked -\nlib 0.9 amd64 needed app\n", "",
		  "" },
		{ "virt", "", true, "provider 1 all asked -\n", "", "" },
		{ "o*r", "", true, "other 1 all asked -\n", "", "" },
		{ "left right", "", true, "left 1 all asked -\nright 1 all asked -\n", "", "" },
		{ "broken", "", true, "", "broken: nothing provides nowhere", "" },
		{ "bro*", "", true, "", "", "broken: nothing provides nowhere" },
		{ "othr", "", true, "", "",
		  "othr: there is none for architecture 'amd64', did you "
		  "mean 'other'?" },
		{ "app=2", "", true, "", "", "app=2: there is none" },
		{ "lib", "base", true, "lib 1:1.0 amd64 asked -\nbase 2 all excluded lib\n", "",
		  "" },
		{ "mine", "", true,
		  "mine 1 amd64 asked -\nlibc 2.36 amd64 needed mine\nbase 2 all needed mine\n", "",
		  "" },
		{ "theirs", "", true, "", "theirs: nothing provides libc:arm64", "" },
		{ "self", "", true,
		  "self 1 all asked -\ncycle-a 1 all needed self\ncycle-b 1 all needed cycle-a\n",
		  "", "" },
		{ "needs", "", true, "needs 1 all asked -\nlib++6 1:2~rc1+b2 amd64 needed needs\n",
		  "", "" },
		{ "o* doc", "other", true, "doc 1 all asked -\n", "", "o*: there is none" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config_word packages[4], exclude[4];
		struct told told = { "", "" };
		bool *found = calloc(4, sizeof(*found));
		struct closure_result result = {
			.note = STRBUF_INIT(CLOSURE_NOTE_MAX),
			.found = found,
			.fail = tell_failed,
			.tell = tell_noted,
			.ctx = &told,
		};
		const struct apt_options options = {
			.packages = packages,
			.n_packages = words(cases[i].packages, packages),
			.exclude = exclude,
			.n_exclude = words(cases[i].exclude, exclude),
			.recommends = cases[i].recommends,
		};
		char wanted[512];
		char *rest = wanted;

		assert_non_null(found);
		solve(&options, &result);
		if (strlen(strbuf_str(&result.note)) != strlen(cases[i].note))
			fail_msg("%s: %s", cases[i].packages, strbuf_str(&result.note));
		(void)snprintf(wanted, sizeof(wanted), "%s", cases[i].note);
		for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
			if (!strstr(strbuf_str(&result.note), line))
				fail_msg("%s: %s", cases[i].packages, strbuf_str(&result.note));
		if (strncmp(told.failed, cases[i].failed, strlen(cases[i].failed)) != 0 ||
		    (cases[i].failed[0] == '\0') != (told.failed[0] == '\0'))
			fail_msg("%s: failed '%s'", cases[i].packages, told.failed);
		if (strncmp(told.noted, cases[i].noted, strlen(cases[i].noted)) != 0)
			fail_msg("%s: noted '%s'", cases[i].packages, told.noted);
		closure_result_done(&result);
	}
}

static void keys_know_no_epoch_of_zero(_unused_ void **state)
{
	static const struct package_name with = { "a", "0:1.0", "all" };
	static const struct package_name without = { "a", "1.0", "all" };
	char a[CLOSURE_KEY_MAX], b[CLOSURE_KEY_MAX];

	assert_int_equal(closure_key(&with, a, sizeof(a)), closure_key(&without, b, sizeof(b)));
	assert_string_equal(a, b);
	assert_string_equal(a, "a 1.0 all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closures),
		cmocka_unit_test(keys_know_no_epoch_of_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
