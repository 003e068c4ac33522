/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/cdi_specs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "device-plugin/edits.h"

/* Bytes for all specs before they are text: 1,024 units of an RNGD's 36 files. */
#define SPECS_MEMORY_MAX ((size_t)256 * 1024 * 1024)

static const char *const mount_options[] = { "rbind", "rw", "nosuid", "nodev" };
static const char *const read_only_options[] = { "rbind", "ro", "nosuid", "nodev" };

/* What is being put together. */
struct work {
	struct arena arena;
	const struct host *host;
	struct cdi_file *files;
	size_t n_files;
	struct error *err;
};

#define _cleanup_work_ _cleanup_(work_done)

static void work_done(struct work *work)
{
	arena_done(&work->arena);
}

static int no_memory(const struct work *work)
{
	return error_set(work->err, ENOMEM, "no memory for the CDI specs");
}

static int fill_nodes(struct work *work, const struct kubelet_allocation *allocation,
		      struct cdi_edits *edits)
{
	size_t n = allocation->n_devices;
	struct cdi_device_node *nodes = arena_alloc(&work->arena, (n + 1) * sizeof(*nodes));

	if (!nodes)
		return no_memory(work);
	for (size_t i = 0; i < n; i++)
		nodes[i] = (struct cdi_device_node) { .path = allocation->devices[i].path,
						      .permissions =
							      allocation->devices[i].permissions };
	edits->device_nodes = nodes;
	edits->n_device_nodes = n;
	return 0;
}

static int fill_mounts(struct work *work, const struct kubelet_allocation *allocation,
		       struct cdi_edits *edits)
{
	size_t n = allocation->n_mounts;
	struct cdi_mount *mounts = arena_alloc(&work->arena, (n + 1) * sizeof(*mounts));

	if (!mounts)
		return no_memory(work);
	for (size_t i = 0; i < n; i++)
		mounts[i] = (struct cdi_mount) {
			.host_path = allocation->mounts[i].host_path,
			.container_path = allocation->mounts[i].container_path,
			.options =
				allocation->mounts[i].read_only ? read_only_options : mount_options,
			.n_options = ARRAY_SIZE(mount_options),
		};
	edits->mounts = mounts;
	edits->n_mounts = n;
	return 0;
}

static int fill_device(struct work *work, const struct unit_set *units, const struct unit *unit,
		       const struct terms *terms, struct cdi_device *device)
{
	struct terms as_files = { .ways = TERMS_DEVICE_NODES };
	const struct chosen chosen = { &unit, 1 };
	struct kubelet_allocation allocation = { 0 };
	char *name = arena_alloc(&work->arena, CDI_NAME_MAX);
	int r;

	if (!name)
		return no_memory(work);
	memcpy(as_files.mps_pipe_dir, terms->mps_pipe_dir, sizeof(as_files.mps_pipe_dir));
	r = cdi_device_name(unit->id, name, work->err);
	if (r == 0)
		r = edits_make(&work->arena, work->host, units, &chosen, &as_files, &allocation,
			       work->err);
	*device = (struct cdi_device) { .name = name };
	if (r == 0)
		r = fill_nodes(work, &allocation, &device->edits);
	return r < 0 ? r : fill_mounts(work, &allocation, &device->edits);
}

/* Units without files are no CDI devices; there is nothing that they would add. */
static bool has_files(const struct unit_set *units, const struct unit *unit)
{
	return unit_state(units, unit)->device->n_nodes > 0;
}

static int add_file(struct work *work, const struct unit_set *units, const struct terms *terms)
{
	struct cdi_device *devices =
		arena_alloc(&work->arena, (units->n_units + 1) * sizeof(*devices));
	char *kind = arena_alloc(&work->arena, sizeof(terms->cdi_kind));
	size_t n = 0;

	if (!devices || !kind)
		return no_memory(work);
	memcpy(kind, terms->cdi_kind, sizeof(terms->cdi_kind));
	for (size_t i = 0; i < units->n_units; i++) {
		int r;

		if (!has_files(units, &units->units[i]))
			continue;
		r = fill_device(work, units, &units->units[i], terms, &devices[n++]);
		if (r < 0)
			return r;
	}
	work->files[work->n_files++] =
		(struct cdi_file) { .spec = { .kind = kind, .devices = devices, .n_devices = n } };
	return 0;
}

static int add_files(struct work *work, const struct catalog *catalog)
{
	for (size_t i = 0; i < catalog_count(catalog); i++) {
		struct resource *resource = catalog_get(catalog, i);
		_cleanup_(unit_set_unrefp) struct unit_set *units = resource_units(resource);
		struct terms terms = resource_terms(resource);
		int r;

		if (!units || terms.cdi_kind[0] == '\0')
			continue;
		r = add_file(work, units, &terms);
		if (r < 0)
			return r;
	}
	return 0;
}

int cdi_specs_publish(struct cdi_directory *directory, const struct host *host,
		      const struct catalog *catalog, struct error *err)
{
	_cleanup_free_ struct cdi_file *files = calloc(catalog_count(catalog) + 1, sizeof(*files));
	_cleanup_work_ struct work work = {
		.arena = arena_init(SPECS_MEMORY_MAX), .host = host, .files = files, .err = err
	};
	int r;

	if (!files)
		return no_memory(&work);
	r = add_files(&work, catalog);
	return r < 0 ? r : cdi_directory_publish(directory, files, work.n_files, err);
}
