/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cdi-sample DIRECTORY - publish specs with everything that a spec can have, and
 * print the qualified names of their devices.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/cdi/directory.h"
#include "base/macro.h"

/* A file that every host has stands for a device's. */
static const struct cdi_device_node renamed = {
	.path = "/dev/npu0",
	.host_path = "/dev/null",
	.permissions = "rw",
};
static const struct cdi_device_node same = { .path = "/dev/zero", .permissions = "r" };
static const char *const options[] = { "ro", "nosuid", "rbind" };
static const struct cdi_mount mount = {
	.host_path = "/opt/vendor",
	.container_path = "/usr/lib/vendor",
	.options = options,
	.n_options = ARRAY_SIZE(options),
};
static const char *const variables[] = { "NPU_TIER=\"kernel\" \\ {a: b}", "NPU_EMPTY=" };
static const char *const arguments[] = { "limit", "--memory", "" };
static const char *const path_variable[] = { "PATH=/usr/bin" };
static const struct cdi_hook hooks[] = {
	{ .name = CDI_HOOK_CREATE_RUNTIME,
	  .path = "/usr/bin/limit",
	  .args = arguments,
	  .n_args = ARRAY_SIZE(arguments),
	  .env = path_variable,
	  .n_env = ARRAY_SIZE(path_variable),
	  .timeout_s = 5 },
	{ .name = CDI_HOOK_CREATE_CONTAINER, .path = "/usr/bin/create" },
	{ .name = CDI_HOOK_START_CONTAINER, .path = "/usr/bin/start" },
	{ .name = CDI_HOOK_POSTSTART, .path = "/usr/bin/after-start" },
	{ .name = CDI_HOOK_POSTSTOP, .path = "/usr/bin/after-stop" },
};

/* IDs of units as drivers and partitions make them, and worse. */
static const char *const ids[] = {
	"0",
	"A76AAD68-6855-40B1-9E86-D080852D1C80",
	"GPU-b5f1::3",
	"0000:27:00.0",
	"npu0_cores_0-3",
	"-dash.",
	"\xc3\xa9\n\"",
};

static int make_devices(char (*names)[CDI_NAME_MAX], struct cdi_device *devices, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		int r = cdi_device_name(ids[i], names[i], err);

		if (r < 0)
			return r;
		devices[i] = (struct cdi_device) {
			.name = names[i],
			.edits = { .device_nodes = &renamed, .n_device_nodes = 1 },
		};
	}
	return 0;
}

static int print_names(const struct cdi_file *files, size_t n, struct error *err)
{
	char qualified[CDI_QUALIFIED_NAME_MAX];

	for (size_t i = 0; i < n; i++) {
		const struct cdi_spec *spec = &files[i].spec;

		for (size_t j = 0; j < spec->n_devices; j++) {
			int r = cdi_qualified_name(spec->kind, spec->devices[j].name, qualified,
						   err);

			if (r < 0)
				return r;
			printf("%s\n", qualified);
		}
	}
	return 0;
}

static int publish(const char *path, struct error *err)
{
	_cleanup_(cdi_directory_freep) struct cdi_directory *dir = NULL;
	char names[ARRAY_SIZE(ids)][CDI_NAME_MAX];
	struct cdi_device devices[ARRAY_SIZE(ids)];
	const struct cdi_device other = {
		.name = "1",
		.edits = { .device_nodes = &same, .n_device_nodes = 1 },
	};
	const struct cdi_edits common = {
		.env = variables,
		.n_env = ARRAY_SIZE(variables),
		.mounts = &mount,
		.n_mounts = 1,
		.hooks = hooks,
		.n_hooks = ARRAY_SIZE(hooks),
	};
	const struct cdi_file files[] = {
		{ .spec = { "vendor.example/npu", devices, ARRAY_SIZE(ids), common } },
		{ .resource = "vendor.example/npu-other",
		  .spec = { "vendor.example/npu", &other, 1, { 0 } } },
		{ .spec = { "vendor.example/npu.4core", &other, 1, { 0 } } },
	};
	int r = make_devices(names, devices, err);

	if (r == 0)
		r = cdi_directory_new(path, CDI_DIRECTORY_PREFIX, &dir, err);
	if (r == 0)
		r = cdi_directory_publish(dir, files, ARRAY_SIZE(files), err);
	return r < 0 ? r : print_names(files, ARRAY_SIZE(files), err);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: cdi-sample DIRECTORY\n");
		return EXIT_FAILURE;
	}
	r = publish(argv[1], &err);
	if (r < 0) {
		fprintf(stderr, "cdi-sample: %s\n", error_text(&err, r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
