/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the reader of descriptions.  Of what it accepts a
 * driver is made, which must stay below /dev and /sys, and find nothing on a host
 * that has nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drivers/declared_path.h"
#include "policy/declared.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* An empty directory, made once and removed at once: only we know it. */
static const struct host *empty_host(void)
{
	static char root[] = "/tmp/silica-fuzz.XXXXXX";
	static struct host host = { .root_fd = -1 };

	if (host.root_fd < 0)
		require(mkdtemp(root) && host_open(&host, root, NULL) == 0 && rmdir(root) == 0);
	return &host;
}

static void check_spec(const struct declared_spec *spec)
{
	struct declared_pattern pattern;
	unsigned int needs;

	require(declared_spec_check(spec, NULL) == 0);
	for (size_t i = 0; i < spec->n_nodes; i++)
		require(declared_template_check(spec->nodes[i].path, &needs, NULL) == 0 &&
			!strstr(spec->nodes[i].path, "/../"));
	for (size_t i = 0; i < spec->match.n_files; i++)
		require(declared_pattern_parse(spec->match.files[i], &pattern, NULL) == 0 &&
			!strstr(spec->match.files[i], "/../"));
	for (size_t i = 0; i < _DECLARED_FACT_MAX; i++)
		require(spec->attributes[i][0] != '/' && !strstr(spec->attributes[i], "/../"));
}

static void check_driver(const struct driver *driver)
{
	struct device_list list = { 0 };

	check_spec(declared_driver_spec(driver));
	for (const char *const *dir = driver->node_dirs; *dir; dir++)
		require(strncmp(*dir, "dev", 3) == 0 && !strchr(*dir, '{'));
	require(driver->doc.reads && driver->doc.health && driver->doc.nodes);
	require(driver->scan(driver, empty_host(), &list, NULL) == 0);
	require(list.n == 0);
	device_list_done(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_config_driver_ struct config_driver config = { 0 };
	_cleanup_(declared_driver_freep) struct driver *driver = NULL;
	struct error err = { 0 };
	int r = config_driver_parse((const char *)data, size, "fuzz", &config, &err);

	if (r == 0)
		r = declared_from_config(&config, &driver, &err);
	if (r < 0)
		require(err.code != 0 && err.msg[0] != '\0' && !driver);
	else
		check_driver(driver);
	return 0;
}
