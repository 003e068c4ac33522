/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvidia_mig.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "drivers/nvidia_proc.h"
#include "drivers/sysfs.h"

#define PATH_MAX_BYTES 128 /* ".../capabilities/gpu1048575/mig/gi14/ci7/access" has 75 */
#define NAME_CHARACTERS SYSFS_LETTERS SYSFS_DIGITS ".+-"

_Static_assert(NVML_MIGS_MAX <= DEVICE_PARTITIONS_MAX, "every MIG device is a partition");

/* Whether there is a GPU instance: then MIG is on, whatever NVML has said last. */
static int has_instances(const struct host *host, const struct device *device, struct error *err)
{
	static const char *const suffixes[] = { "", NULL };
	_cleanup_sysfs_entries_ struct sysfs_entries list = { 0 };
	char path[PATH_MAX_BYTES];
	int r;

	if (device->index == DEVICE_INDEX_UNKNOWN)
		return 0;
	(void)snprintf(path, sizeof(path), NVIDIA_PROC_DIR "/capabilities/gpu%d/mig",
		       device->index);
	r = sysfs_list(host, path, "gi", suffixes, &list, err);
	/* One that cannot be listed tells nothing. */
	if (r < 0 && !sysfs_is_shortage(r))
		return 0;
	return r < 0 ? r : list.n > 0;
}

/* Older drivers have identities with slashes, which nothing that is given out may have. */
static bool is_usable(const struct nvml_mig *mig)
{
	return strlen(mig->uuid) < DEVICE_UUID_MAX && sysfs_is_id(mig->uuid) &&
	       strlen(mig->profile) < DEVICE_PROFILE_MAX &&
	       sysfs_consists_of(mig->profile, NAME_CHARACTERS) &&
	       mig->gpu_instance != NVML_UNKNOWN && mig->compute_instance != NVML_UNKNOWN;
}

static int compare_migs(const void *a, const void *b)
{
	const struct nvml_mig *x = *(const struct nvml_mig *const *)a;
	const struct nvml_mig *y = *(const struct nvml_mig *const *)b;

	if (x->gpu_instance != y->gpu_instance)
		return x->gpu_instance < y->gpu_instance ? -1 : 1;
	if (x->compute_instance != y->compute_instance)
		return x->compute_instance < y->compute_instance ? -1 : 1;
	return strcmp(x->uuid, y->uuid);
}

static size_t collect(const struct nvml_report *report, const struct nvml_gpu *gpu,
		      const struct nvml_mig **ret)
{
	size_t n = 0;

	for (size_t i = 0; gpu && i < gpu->n_migs; i++)
		if (is_usable(&report->migs[gpu->first_mig + i]))
			ret[n++] = &report->migs[gpu->first_mig + i];
	qsort(ret, n, sizeof(*ret), compare_migs);
	return n;
}

/* The file that opens a part.  NVIDIA's runtime makes it when a container begins, so one
 * that is missing is no fault: it would never be made if nothing were given out. */
static int take_cap_node(const struct host *host, const char *path, const struct core_range *cores,
			 struct node_list *nodes, struct error *err)
{
	uint32_t minor;
	int r = nvidia_read_cap_minor(host, path, &minor, err);

	if (r > 0)
		(void)node_list_take(nodes, cores, "/dev/nvidia-caps/nvidia-cap%" PRIu32, minor);
	return r < 0 ? r : 0;
}

/* A MIG device takes two: of its GPU instance and of its compute instance. */
static int take_nodes(const struct host *host, const struct device *device,
		      const struct nvml_mig *mig, const struct core_range *cores,
		      struct node_list *nodes, struct error *err)
{
	char path[PATH_MAX_BYTES];
	int r;

	(void)snprintf(path, sizeof(path),
		       NVIDIA_PROC_DIR "/capabilities/gpu%d/mig/gi%" PRIu64 "/access",
		       device->index, mig->gpu_instance);
	r = take_cap_node(host, path, cores, nodes, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path),
		       NVIDIA_PROC_DIR "/capabilities/gpu%d/mig/gi%" PRIu64 "/ci%" PRIu64 "/access",
		       device->index, mig->gpu_instance, mig->compute_instance);
	return take_cap_node(host, path, cores, nodes, err);
}

static struct device_partition partition_of(const struct nvml_mig *mig, size_t place)
{
	return (struct device_partition) {
		.id = mig->uuid,
		.profile = mig->profile,
		.cores = { (uint8_t)place, (uint8_t)place },
		.memory_bytes = mig->memory_bytes == NVML_UNKNOWN ? 0 : mig->memory_bytes,
	};
}

static int set_partitions(const struct host *host, const struct nvml_mig *const *migs, size_t n,
			  struct device *device, struct node_list *nodes, struct error *err)
{
	struct device_partition partitions[NVML_MIGS_MAX];
	int r;

	for (size_t i = 0; i < n; i++) {
		partitions[i] = partition_of(migs[i], i);
		r = take_nodes(host, device, migs[i], &partitions[i].cores, nodes, err);
		if (r < 0)
			return r;
	}
	r = device_set_partitions(device, partitions, n);
	if (r < 0)
		return error_set(err, -r, "partitions of '%s': %s", device->name, strerror(-r));
	device->cores = (unsigned int)n;
	return 0;
}

int nvidia_mig_read(const struct host *host, const struct nvml_report *report,
		    const struct nvml_gpu *gpu, struct device *device, struct node_list *nodes,
		    struct error *err)
{
	const struct nvml_mig *migs[NVML_MIGS_MAX];
	int r = has_instances(host, device, err);
	size_t n;

	if (r < 0)
		return r;
	if (r == 0 && (!gpu || gpu->mig_mode != 1))
		return 0;
	device->partitioned = true;
	n = collect(report, gpu, migs);
	if (n == 0 && (!gpu || gpu->mig_listed != 1 || gpu->n_migs > 0))
		device_set_fault(device, "MIG is on, and NVML does not tell the partitions");
	return set_partitions(host, migs, n, device, nodes, err);
}
