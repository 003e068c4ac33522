/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two versions and specifiers, a line each: what is read can be written and read again,
 * the order is one, and what matches does so in every spelling.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/pypi/version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int read_version(const char *line, size_t len, struct pypi_version *ret)
{
	char text[2 * PYPI_VERSION_MAX];
	struct pypi_version again;

	if (pypi_version_parse(line, len, ret) < 0)
		return 0;
	require(pypi_version_format(ret, text, sizeof(text)) == 0);
	/* What is written can be longer than what was read: "c" is "rc0". */
	if (strlen(text) < PYPI_VERSION_MAX) {
		require(pypi_version_parse(text, strlen(text), &again) == 0);
		require(pypi_version_compare(ret, &again) == 0);
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_pypi_specifiers_ struct pypi_specifiers set = { 0 };
	const char *text = (const char *)data, *end = text + size;
	struct pypi_version versions[2];
	int n = 0;

	for (int i = 0; i < 2; i++) {
		const char *newline = size ? memchr(text, '\n', (size_t)(end - text)) : NULL;

		if (!newline)
			return 0;
		n += read_version(text, (size_t)(newline - text), &versions[n]);
		text = newline + 1;
	}
	if (n == 2)
		require(pypi_version_compare(&versions[0], &versions[1]) ==
			-pypi_version_compare(&versions[1], &versions[0]));
	if (pypi_specifiers_parse(text, (size_t)(end - text), &set, NULL) < 0)
		return 0;
	(void)pypi_specifiers_pin(&set);
	(void)pypi_specifiers_want_prereleases(&set);
	for (int i = 0; i < n; i++)
		(void)pypi_specifiers_match(&set, &versions[i]);
	return 0;
}
