/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/pypi.h"

#include "reservoir/pypi/cached.h"
#include "reservoir/pypi/client.h"
#include "reservoir/pypi/explain.h"
#include "reservoir/pypi/route.h"
#include "reservoir/pypi/sync.h"

const struct ecosystem pypi_ecosystem = {
	.name = "pypi",
	.text = "PyPI",
	.sync = pypi_sync,
	.route = pypi_route,
	.index = pypi_index_of,
	.expect = pypi_expect,
	.origin = pypi_origin,
	.pages = pypi_pages,
	.package = pypi_package,
	.spell = pypi_spell,
	.client_config = pypi_client_config,
	.explain = pypi_explain,
	.from_host = pypi_from_host,
};
