/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers questions of versions, specifiers, markers and tags, one a line, for
 * oracle.py to compare with what packaging says.
 */
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/requirement.h"
#include "reservoir/pypi/wheel.h"

#define FIELDS_MAX 16

/* version TEXT: its one spelling. */
static void answer_version(char **fields)
{
	char text[2 * PYPI_VERSION_MAX];
	struct pypi_version version;

	if (pypi_version_parse(fields[1], strlen(fields[1]), &version) < 0 ||
	    pypi_version_format(&version, text, sizeof(text)) < 0)
		puts("invalid");
	else
		printf("%s %d\n", text, pypi_version_is_prerelease(&version));
}

/* compare A B */
static void answer_compare(char **fields)
{
	struct pypi_version a, b;
	int r;

	if (pypi_version_parse(fields[1], strlen(fields[1]), &a) < 0 ||
	    pypi_version_parse(fields[2], strlen(fields[2]), &b) < 0) {
		puts("invalid");
		return;
	}
	r = pypi_version_compare(&a, &b);
	printf("%d\n", (r > 0) - (r < 0));
}

/* match SPECIFIERS VERSION */
static void answer_match(char **fields)
{
	_cleanup_pypi_specifiers_ struct pypi_specifiers set = { 0 };
	struct pypi_version version;

	if (pypi_specifiers_parse(fields[1], strlen(fields[1]), &set, NULL) < 0 ||
	    pypi_version_parse(fields[2], strlen(fields[2]), &version) < 0)
		puts("invalid");
	else
		printf("%d\n", pypi_specifiers_match(&set, &version));
}

/* marker TEXT and values in the order of the enum */
static void answer_marker(char **fields)
{
	_cleanup_(pypi_marker_freep) struct pypi_marker *marker = NULL;
	struct pypi_values values = { { NULL } };

	for (size_t i = 0; i < _PYPI_VARIABLE_MAX; i++)
		values.values[i] = fields[2 + i] ? fields[2 + i] : "";
	if (pypi_marker_parse(fields[1], strlen(fields[1]), &marker, NULL) < 0)
		puts("invalid");
	else
		printf("%d\n", pypi_marker_holds(marker, &values));
}

/* requirement TEXT */
static void answer_requirement(char **fields)
{
	_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };

	if (pypi_requirement_parse(fields[1], strlen(fields[1]), &requirement, NULL) < 0)
		puts("invalid");
	else
		printf("%s %zu %zu %d %d\n", requirement.name, requirement.n_extras,
		       requirement.specifiers.n, requirement.url, requirement.marker != NULL);
}

/* file NAME: project and version */
static void answer_file(char **fields)
{
	char text[2 * PYPI_VERSION_MAX];
	struct pypi_file_name name;

	if (pypi_file_name_parse(fields[1], NULL, &name) < 0 || !name.has_version ||
	    pypi_version_format(&name.version, text, sizeof(text)) < 0)
		puts("invalid");
	else
		printf("%s %s\n", name.project, text);
}

/* wheel NAME PYTHON PLATFORM IMPLEMENTATION */
static void answer_wheel(char **fields)
{
	struct pypi_environment environment = { "", "", "" };
	struct pypi_file_name name;
	struct pypi_target target;

	if (str_copy(environment.python, sizeof(environment.python), fields[2]) < 0 ||
	    str_copy(environment.platform, sizeof(environment.platform), fields[3]) < 0 ||
	    str_copy(environment.implementation, sizeof(environment.implementation), fields[4]) <
		    0 ||
	    pypi_file_name_parse(fields[1], NULL, &name) < 0 || name.kind != PYPI_WHEEL) {
		puts("invalid");
		return;
	}
	pypi_target_init(&environment, &target);
	printf("%d\n", pypi_wheel_fits(&name, &target));
}

static const struct {
	const char *word;
	size_t n_fields;
	void (*fn)(char **fields);
} questions[] = {
	{ "version", 2, answer_version },
	{ "compare", 3, answer_compare },
	{ "match", 3, answer_match },
	{ "marker", 2 + _PYPI_VARIABLE_MAX, answer_marker },
	{ "requirement", 2, answer_requirement },
	{ "file", 2, answer_file },
	{ "wheel", 5, answer_wheel },
};

static void answer(char *line)
{
	char *fields[FIELDS_MAX] = { NULL };
	size_t n = 0;

	while (line && n < FIELDS_MAX)
		fields[n++] = strsep(&line, "\t");
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (strcmp(fields[0], questions[i].word) == 0 && n == questions[i].n_fields) {
			questions[i].fn(fields);
			return;
		}
	puts("what?");
}

int main(void)
{
	static char line[65536];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	return 0;
}
