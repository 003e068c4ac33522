/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "device-plugin/cdi_specs.h"
#include "tests/test.h"
#include "tests/unit/device-plugin/offering.h"

#define SPEC_MAX 65536

struct fixture {
	struct offering *offering;
	char path[64];
	struct cdi_directory *directory;
};

static const struct terms cdi_terms = { .ways = TERMS_CDI };

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *offering;

	if (!fixture || offering_setup(&offering) < 0)
		return -1;
	fixture->offering = offering;
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/cdi",
		       fixture->offering->request->tree->root);
	assert_int_equal(
		cdi_directory_new(fixture->path, CDI_DIRECTORY_PREFIX, &fixture->directory, NULL),
		0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *offering = fixture->offering;

	cdi_directory_free(fixture->directory);
	free(fixture);
	return offering_teardown(&offering);
}

static int publish(const struct fixture *fixture, struct error *err)
{
	const struct offering *offering = fixture->offering;

	return cdi_specs_publish(fixture->directory, &offering->request->tree->host,
				 offering->catalog, err);
}

static size_t count_files(const struct fixture *fixture)
{
	DIR *dir = opendir(fixture->path);
	size_t n = 0;

	if (!dir)
		return 0;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

static json_t *load(const struct fixture *fixture, const char *name)
{
	_cleanup_free_ char *text = malloc(SPEC_MAX);
	char path[128];
	json_t *spec;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	assert_true(file_read(AT_FDCWD, path, text, SPEC_MAX, NULL) > 0);
	spec = json_loads(text, 0, NULL);
	assert_non_null(spec);
	return spec;
}

/* The devices with their files, as in "A:/dev/a,/dev/a0 B:". */
static void describe(const json_t *spec, struct strbuf *out)
{
	const json_t *devices = json_object_get(spec, "devices");

	for (size_t i = 0; i < json_array_size(devices); i++) {
		const json_t *device = json_array_get(devices, i);
		const json_t *nodes =
			json_object_get(json_object_get(device, "containerEdits"), "deviceNodes");

		strbuf_printf(out, "%s%s:", i > 0 ? " " : "",
			      json_string_value(json_object_get(device, "name")));
		for (size_t j = 0; j < json_array_size(nodes); j++) {
			const json_t *node = json_array_get(nodes, j);

			assert_string_equal(json_string_value(json_object_get(node, "permissions")),
					    "rw");
			strbuf_printf(out, "%s%s", j > 0 ? "," : "",
				      json_string_value(json_object_get(node, "path")));
		}
	}
}

static void units_are_devices_of_a_spec(void **state)
{
	static const char expected[] =
		"A:/dev/a,/dev/a0,/dev/a1,/dev/a2,/dev/a3,/dev/a0-1,/dev/a2-3 "
		"B:/dev/b,/dev/b0,/dev/b1,/dev/b2,/dev/b3,/dev/b0-1,/dev/b2-3 "
		"C:/dev/c,/dev/c0,/dev/c1,/dev/c2,/dev/c3,/dev/c0-1,/dev/c2-3";
	const struct fixture *fixture = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(SPEC_MAX);
	json_t *spec;

	offering_apply(fixture->offering, "a.b/x", &cdi_terms);
	assert_int_equal(publish(fixture, NULL), 1);
	spec = load(fixture, "silica-silica.a.b_x.json");
	assert_string_equal(json_string_value(json_object_get(spec, "kind")), "silica.a.b/x");
	describe(spec, &text);
	assert_string_equal(strbuf_str(&text), expected);
	json_decref(spec);
	/* What is as it should be is not written again. */
	assert_int_equal(publish(fixture, NULL), 0);
}

static void the_mount_of_mps_is_in_the_spec(void **state)
{
	const struct fixture *fixture = *state;
	struct terms terms = { .ways = TERMS_CDI, .mps_pipe_dir = "/run/mps" };
	const json_t *device, *mounts, *mount;
	json_t *spec;

	offering_apply(fixture->offering, "a.b/x", &terms);
	assert_int_equal(publish(fixture, NULL), 1);
	spec = load(fixture, "silica-silica.a.b_x.json");
	device = json_array_get(json_object_get(spec, "devices"), 0);
	mounts = json_object_get(json_object_get(device, "containerEdits"), "mounts");
	assert_int_equal(json_array_size(mounts), 1);
	mount = json_array_get(mounts, 0);
	assert_string_equal(json_string_value(json_object_get(mount, "hostPath")), "/run/mps");
	assert_string_equal(json_string_value(json_object_get(mount, "containerPath")),
			    "/tmp/nvidia-mps");
	assert_string_equal(json_string_value(json_array_get(json_object_get(mount, "options"), 1)),
			    "rw");
	json_decref(spec);
}

static void specs_follow_the_resources(void **state)
{
	const struct fixture *fixture = *state;

	/* Resources that are handed out as files have none. */
	offering_apply(fixture->offering, "a.b/x", NULL);
	assert_int_equal(publish(fixture, NULL), 0);
	assert_int_equal(count_files(fixture), 0);
	offering_apply(fixture->offering, "a.b/x a.b/y", &cdi_terms);
	assert_int_equal(publish(fixture, NULL), 2);
	assert_int_equal(count_files(fixture), 2);
	offering_apply(fixture->offering, "a.b/y", &cdi_terms);
	assert_int_equal(publish(fixture, NULL), 1);
	assert_int_equal(count_files(fixture), 1);
	offering_apply(fixture->offering, "a.b/y", NULL);
	assert_int_equal(publish(fixture, NULL), 1);
	assert_int_equal(count_files(fixture), 0);
}

static void what_cannot_be_written_is_an_error(void **state)
{
	const struct fixture *fixture = *state;
	struct error err = { 0 };

	tree_puts(fixture->offering->request->tree, "cdi", "");
	offering_apply(fixture->offering, "a.b/x", &cdi_terms);
	assert_int_equal(publish(fixture, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, fixture->path));
	/* A name that no runtime takes. */
	tree_remove(fixture->offering->request->tree, "cdi");
	offering_apply(fixture->offering, "a.b/1x", &cdi_terms);
	assert_int_equal(publish(fixture, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "1x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(units_are_devices_of_a_spec, setup, teardown),
		cmocka_unit_test_setup_teardown(the_mount_of_mps_is_in_the_spec, setup, teardown),
		cmocka_unit_test_setup_teardown(specs_follow_the_resources, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_an_error, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
