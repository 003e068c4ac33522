/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "reservoir/apt/select.h"

static struct config_word main_only[] = { { "main" } };
static struct config_word amd64[] = { { "amd64" } };
static struct config_word english[] = { { "en" } };
static struct release_word components[] = { { "main" }, { "contrib" } };

static const struct apt_options little = {
	.components = main_only,
	.n_components = 1,
	.architectures = amd64,
	.n_architectures = 1,
	.languages = english,
	.n_languages = 1,
};
static const struct apt_options everything = {
	.languages = english,
	.n_languages = 1,
	.sources = true,
	.contents = true,
	.dep11 = true,
	.cnf = true,
	.pdiffs = true,
};

static void which_indexes(_unused_ void **state)
{
	static const struct {
		const char *path;
		enum index_kind little, everything;
	} cases[] = {
		{ "main/binary-amd64/Packages", INDEX_PACKAGES, INDEX_PACKAGES },
		{ "main/binary-amd64/Packages.xz", INDEX_PACKAGES, INDEX_PACKAGES },
		{ "main/binary-all/Packages.gz", INDEX_PACKAGES, INDEX_PACKAGES },
		{ "main/binary-arm64/Packages.xz", INDEX_NONE, INDEX_PACKAGES },
		{ "contrib/binary-amd64/Packages.xz", INDEX_NONE, INDEX_PACKAGES },
		{ "main/binary-amd64/Release", INDEX_STUB, INDEX_STUB },
		{ "main/debian-installer/binary-amd64/Packages.xz", INDEX_NONE, INDEX_NONE },
		{ "main/installer-amd64/current/images/SHA256SUMS", INDEX_NONE, INDEX_NONE },
		{ "main/source/Sources.xz", INDEX_NONE, INDEX_SOURCES },
		{ "main/i18n/Translation-en.bz2", INDEX_TRANSLATION, INDEX_TRANSLATION },
		{ "main/i18n/Translation-de.bz2", INDEX_NONE, INDEX_NONE },
		{ "main/cnf/Commands-amd64.xz", INDEX_NONE, INDEX_CNF },
		{ "main/dep11/Components-amd64.yml.gz", INDEX_NONE, INDEX_DEP11 },
		{ "main/dep11/icons-64x64.tar.gz", INDEX_NONE, INDEX_DEP11 },
		{ "main/Contents-amd64.gz", INDEX_NONE, INDEX_CONTENTS },
		{ "Contents-amd64.gz", INDEX_NONE, INDEX_CONTENTS },
		{ "main/binary-amd64/Packages.diff/Index", INDEX_NONE, INDEX_PDIFF },
		{ "mainly/binary-amd64/Packages.xz", INDEX_NONE, INDEX_NONE },
		{ "main/binary-amd64/x/Packages.xz", INDEX_NONE, INDEX_NONE },
		{ "Packages.gz", INDEX_NONE, INDEX_NONE },
	};
	const struct release release = { .components = components, .n_components = 2 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct index_place place;

		select_index(&little, &release, false, cases[i].path, &place);
		if (place.kind != cases[i].little)
			fail_msg("%s: %d", cases[i].path, place.kind);
		select_index(&everything, &release, false, cases[i].path, &place);
		if (place.kind != cases[i].everything)
			fail_msg("%s: %d of everything", cases[i].path, place.kind);
	}
}

static void what_an_index_is(_unused_ void **state)
{
	const struct release release = { .components = components, .n_components = 2 };
	struct index_place place;

	select_index(&little, &release, false, "main/binary-amd64/Packages.xz", &place);
	assert_string_equal(place.component, "main");
	assert_string_equal(place.architecture, "amd64");
	assert_int_equal(place.stem, strlen("main/binary-amd64/Packages"));
}

static void flat_repositories(_unused_ void **state)
{
	const struct release release = { 0 };
	struct index_place place;

	select_index(&little, &release, true, "Packages.gz", &place);
	assert_int_equal(place.kind, INDEX_PACKAGES);
	select_index(&little, &release, true, "Sources.gz", &place);
	assert_int_equal(place.kind, INDEX_NONE);
	select_index(&everything, &release, true, "Sources.gz", &place);
	assert_int_equal(place.kind, INDEX_SOURCES);
}

static void the_index_of_all(_unused_ void **state)
{
	static struct release_word with[] = { { "all" }, { "amd64" } };
	static struct release_word without[] = { { "amd64" } };
	static const struct {
		struct release_word *architectures;
		size_t n;
		bool inside;
		enum index_kind kind;
	} cases[] = {
		{ with, 2, false, INDEX_PACKAGES },
		{ with, 2, true, INDEX_NONE },
		{ without, 1, false, INDEX_NONE },
		{ NULL, 0, false, INDEX_PACKAGES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct release release = {
			.components = components,
			.n_components = 2,
			.architectures = cases[i].architectures,
			.n_architectures = cases[i].n,
			.all_is_inside = cases[i].inside,
		};
		struct index_place place;

		select_index(&little, &release, false, "main/binary-all/Packages.gz", &place);
		assert_int_equal(place.kind, cases[i].kind);
	}
}

static void a_component_below_a_folder(_unused_ void **state)
{
	static struct release_word updates[] = { { "updates/main" } };
	const struct apt_options options = { .n_languages = 0 };
	const struct release release = { .components = updates, .n_components = 1 };
	struct index_place place;

	select_index(&options, &release, false, "main/binary-amd64/Packages.gz", &place);
	assert_int_equal(place.kind, INDEX_PACKAGES);
	assert_string_equal(place.component, "updates/main");
	assert_true(select_component(&little, "updates/main"));
	assert_false(select_component(&little, "updates/contrib"));
}

static void a_component_below_another(_unused_ void **state)
{
	static struct config_word wanted[] = { { "main" }, { "main/debug" } };
	static struct release_word names[] = { { "main" }, { "main/debug" } };
	const struct apt_options both = { .components = wanted, .n_components = 2 };
	const struct apt_options all = { .n_components = 0 };
	const struct apt_options *const options[] = { &both, &all };
	const struct release release = { .components = names, .n_components = 2 };
	struct index_place place;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		select_index(options[i], &release, false, "main/debug/binary-amd64/Packages.gz",
			     &place);
		assert_int_equal(place.kind, INDEX_PACKAGES);
		assert_string_equal(place.component, "main/debug");
	}
	select_index(&little, &release, false, "main/debug/binary-amd64/Packages.gz", &place);
	assert_int_equal(place.kind, INDEX_NONE);
}

static void which_form_is_read(_unused_ void **state)
{
	static struct release_file files[] = {
		{ .path = "a/Packages" },
		{ .path = "a/Packages.gz" },
		{ .path = "a/Packages.xz" },
		{ .path = "b/Packages" },
	};
	const struct release release = { .files = files, .n_files = ARRAY_SIZE(files) };

	assert_false(select_is_best(&release, "a/Packages"));
	assert_true(select_is_best(&release, "a/Packages.gz"));
	assert_false(select_is_best(&release, "a/Packages.xz"));
	assert_true(select_is_best(&release, "b/Packages"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_indexes),
		cmocka_unit_test(what_an_index_is),
		cmocka_unit_test(flat_repositories),
		cmocka_unit_test(the_index_of_all),
		cmocka_unit_test(a_component_below_a_folder),
		cmocka_unit_test(a_component_below_another),
		cmocka_unit_test(which_form_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
