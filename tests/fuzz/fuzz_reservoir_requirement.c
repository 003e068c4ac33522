/* SPDX-License-Identifier: Apache-2.0 */
/* A requirement and its marker, and core metadata, of arbitrary bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reservoir/pypi/metadata.h"
#include "reservoir/pypi/requirement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static int on_field(void *ctx, const char *name, const char *value)
{
	size_t *n = ctx;

	require(name[0] != '\0' && strlen(value) <= PYPI_FIELD_MAX);
	(*n)++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pypi_environment environment = { "3.11", "win_amd64", "cpython" };
	_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };
	struct pypi_target target;
	size_t n = 0;

	(void)pypi_metadata_parse((const char *)data, size, on_field, &n, NULL);
	if (pypi_requirement_parse((const char *)data, size, &requirement, NULL) < 0)
		return 0;
	require(pypi_name_is_normal(requirement.name));
	for (size_t i = 0; i < requirement.n_extras; i++)
		require(pypi_name_is_normal(requirement.extras[i]));
	pypi_target_init(&environment, &target);
	(void)pypi_target_holds(&target, requirement.marker, "");
	(void)pypi_target_holds(NULL, requirement.marker, "x");
	return 0;
}
