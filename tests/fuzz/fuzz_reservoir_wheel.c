/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a file, in the first line, and the environment that it may fit, in the second. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/pypi/wheel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pypi_environment environment = { "3.11", "", "cpython" };
	struct pypi_file_name name, again;
	struct pypi_target target;
	char text[1024], *rest = text;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	(void)strsep(&rest, "\n");
	if (pypi_file_name_parse(text, NULL, &name) < 0)
		return 0;
	require(!strchr(text, '/') && text[0] != '.');
	require(pypi_name_is_normal(name.project));
	require(pypi_file_name_parse(text, name.project, &again) == 0);
	if (!rest || str_copy(environment.platform, sizeof(environment.platform), rest) < 0)
		return 0;
	pypi_target_init(&environment, &target);
	(void)pypi_wheel_fits(&name, &target);
	return 0;
}
