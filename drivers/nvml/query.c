/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/query.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/nvml/wire.h"
#include "drivers/pci.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
/* MIG divides a GPU's memory into eight parts: MIG User Guide, "Partitioning". */
#define MEMORY_PARTS 8

/* Whether the library has the function, and it succeeds. */
#define ASK(library, function, ...) \
	((library)->function && (library)->function(__VA_ARGS__) == NVML_SUCCESS)

/* Text from a buffer that should be closed by a NUL and fit; else "". */
static void take_text(const char *buffer, size_t buffer_size, char *ret, size_t size)
{
	ret[0] = '\0';
	if (memchr(buffer, '\0', buffer_size))
		(void)str_copy(ret, size, buffer);
}

static void query_uuid(const struct nvml_library *library, struct nvml_handle *device, char *ret)
{
	char uuid[NVML_UUID_BYTES] = "";

	if (ASK(library, uuid, device, uuid, sizeof(uuid)))
		take_text(uuid, sizeof(uuid), ret, NVML_ID_MAX);
}

/* NVML writes eight digits of a domain; the rest of the house writes four. */
static void take_bdf(const struct nvml_pci_info *info, char *ret)
{
	char bdf[sizeof(info->bus_id)];

	take_text(info->bus_id, sizeof(info->bus_id), bdf, sizeof(bdf));
	if (pci_bdf_parse(bdf, ret) < 0)
		ret[0] = '\0';
}

void nvml_query_bdf(const struct nvml_library *library, struct nvml_handle *device, char *ret)
{
	struct nvml_pci_info info = { 0 };

	ret[0] = '\0';
	if (ASK(library, pci_info, device, &info))
		take_bdf(&info, ret);
}

static void query_identity(const struct nvml_library *library, struct nvml_handle *device,
			   struct nvml_gpu *ret)
{
	char name[NVML_NAME_BYTES] = "";
	unsigned int minor;

	query_uuid(library, device, ret->uuid);
	nvml_query_bdf(library, device, ret->bdf);
	if (ASK(library, name, device, name, sizeof(name)))
		take_text(name, sizeof(name), ret->name, sizeof(ret->name));
	if (ASK(library, minor, device, &minor))
		ret->minor = minor;
}

/* The second version counts what the driver keeps for itself apart. */
static void query_memory(const struct nvml_library *library, struct nvml_handle *device,
			 uint64_t *ret_total, uint64_t *ret_used)
{
	struct nvml_memory_v2 newer = { .version = NVML_MEMORY_V2_VERSION };
	struct nvml_memory memory = { 0 };

	if (ASK(library, memory_v2, device, &newer)) {
		*ret_total = newer.total;
		*ret_used = newer.used;
	} else if (ASK(library, memory, device, &memory)) {
		*ret_total = memory.total;
		*ret_used = memory.used;
	}
}

static void query_compute(const struct nvml_library *library, struct nvml_handle *device,
			  struct nvml_gpu *ret)
{
	int major, minor;

	if (!ASK(library, compute_capability, device, &major, &minor) || major < 0 || minor < 0)
		return;
	ret->compute_major = (uint64_t)major;
	ret->compute_minor = (uint64_t)minor;
}

static void query_mig_mode(const struct nvml_library *library, struct nvml_handle *device,
			   struct nvml_gpu *ret)
{
	unsigned int current, pending;

	if (!ASK(library, mig_mode, device, &current, &pending))
		return;
	ret->mig_mode = current;
	ret->mig_mode_pending = pending;
}

static void query_temperature(const struct nvml_library *library, struct nvml_handle *device,
			      struct nvml_gpu *ret)
{
	struct nvml_temperature newer = { .version = NVML_TEMPERATURE_V1_VERSION,
					  .sensor = NVML_SENSOR_GPU };
	unsigned int celsius;

	if (ASK(library, temperature_v1, device, &newer) && newer.celsius >= 0)
		ret->temperature_celsius = (uint64_t)newer.celsius;
	else if (ASK(library, temperature, device, NVML_SENSOR_GPU, &celsius))
		ret->temperature_celsius = celsius;
}

static void query_recovery(const struct nvml_library *library, struct nvml_handle *device,
			   struct nvml_gpu *ret)
{
	struct nvml_field field = { .id = NVML_FIELD_RECOVERY_ACTION };

	if (ASK(library, field_values, device, 1, &field) && field.result == NVML_SUCCESS)
		ret->recovery_action = field.value.number;
}

static void query_readings(const struct nvml_library *library, struct nvml_handle *device,
			   struct nvml_gpu *ret)
{
	struct nvml_utilization utilization;
	unsigned long long errors;
	unsigned int milliwatts;

	if (ASK(library, utilization, device, &utilization)) {
		ret->utilization_percent = utilization.gpu;
		ret->memory_utilization_percent = utilization.memory;
	}
	if (ASK(library, power, device, &milliwatts))
		ret->power_milliwatts = milliwatts;
	if (ASK(library, ecc_errors, device, NVML_ECC_UNCORRECTED, NVML_ECC_VOLATILE, &errors))
		ret->ecc_uncorrected = errors;
}

void nvml_query_versions(const struct nvml_library *library, struct nvml_report *ret)
{
	char version[NVML_VERSION_BYTES] = "";
	int cuda;

	nvml_record_clear(NVML_RECORD_REPORT, ret);
	if (ASK(library, driver_version, version, sizeof(version)))
		take_text(version, sizeof(version), ret->driver_version,
			  sizeof(ret->driver_version));
	if (ASK(library, cuda_version, &cuda) && cuda > 0)
		ret->cuda_version = (uint64_t)cuda;
}

void nvml_query_gpu(const struct nvml_library *library, struct nvml_handle *device,
		    struct nvml_gpu *ret)
{
	memset(ret, 0, sizeof(*ret));
	nvml_record_clear(NVML_RECORD_GPU, ret);
	query_identity(library, device, ret);
	query_memory(library, device, &ret->memory_bytes, &ret->memory_used_bytes);
	query_compute(library, device, ret);
	query_mig_mode(library, device, ret);
	query_temperature(library, device, ret);
	query_recovery(library, device, ret);
	query_readings(library, device, ret);
}

/* As `nvidia-smi` rounds it: up to whole eighths of the GPU's memory, which counts in
 * whole gigabytes.  The 16.0 GiB of an H200's smallest part are its "18gb". */
static uint64_t profile_gigabytes(uint64_t mig_mib, uint64_t gpu_bytes)
{
	uint64_t parts = (mig_mib * MIB * MEMORY_PARTS + gpu_bytes - 1) / gpu_bytes;
	uint64_t gpu_gigabytes = (gpu_bytes + GIB - 1) / GIB;

	return (parts * gpu_gigabytes + MEMORY_PARTS / 2) / MEMORY_PARTS;
}

/* Whether the parts are such that a name can be made of them. */
static bool is_plausible(const struct nvml_attributes *attributes, uint64_t gpu_bytes)
{
	if (attributes->gpu_instance_slices - 1U >= NVML_MIGS_MAX ||
	    attributes->compute_instance_slices - 1U >= NVML_MIGS_MAX)
		return false;
	return attributes->memory_mib > 0 && gpu_bytes < UINT64_MAX / MIB &&
	       attributes->memory_mib <= gpu_bytes / MIB;
}

void nvml_mig_profile(const char *device_name, const struct nvml_attributes *attributes,
		      uint64_t gpu_bytes, char *ret)
{
	static const char mark[] = "MIG ";
	const char *name = strstr(device_name, mark);
	unsigned long long gigabytes;

	ret[0] = '\0';
	if (name) {
		(void)str_copy(ret, NVML_PROFILE_MAX, name + strlen(mark));
		return;
	}
	if (!is_plausible(attributes, gpu_bytes))
		return;
	gigabytes = profile_gigabytes(attributes->memory_mib, gpu_bytes);
	if (attributes->compute_instance_slices == attributes->gpu_instance_slices)
		(void)snprintf(ret, NVML_PROFILE_MAX, "%ug.%llugb", attributes->gpu_instance_slices,
			       gigabytes);
	else
		(void)snprintf(ret, NVML_PROFILE_MAX, "%uc.%ug.%llugb",
			       attributes->compute_instance_slices, attributes->gpu_instance_slices,
			       gigabytes);
}

static void query_attributes(const struct nvml_library *library, struct nvml_handle *device,
			     struct nvml_mig *ret, struct nvml_attributes *ret_attributes)
{
	*ret_attributes = (struct nvml_attributes) { 0 };
	if (!ASK(library, attributes, device, ret_attributes))
		return;
	ret->gpu_slices = ret_attributes->gpu_instance_slices;
	ret->compute_slices = ret_attributes->compute_instance_slices;
	ret->multiprocessors = ret_attributes->multiprocessors;
	if (ret_attributes->memory_mib < UINT64_MAX / MIB)
		ret->memory_bytes = ret_attributes->memory_mib * MIB;
}

void nvml_query_mig(const struct nvml_library *library, struct nvml_handle *device,
		    const struct nvml_gpu *gpu, struct nvml_mig *ret)
{
	char buffer[NVML_NAME_BYTES] = "", name[NVML_NAME_BYTES] = "";
	struct nvml_attributes attributes;
	unsigned int id;

	memset(ret, 0, sizeof(*ret));
	nvml_record_clear(NVML_RECORD_MIG, ret);
	query_uuid(library, device, ret->uuid);
	if (ASK(library, gpu_instance, device, &id))
		ret->gpu_instance = id;
	if (ASK(library, compute_instance, device, &id))
		ret->compute_instance = id;
	query_attributes(library, device, ret, &attributes);
	query_memory(library, device, &ret->memory_bytes, &ret->memory_used_bytes);
	if (ASK(library, name, device, buffer, sizeof(buffer)))
		take_text(buffer, sizeof(buffer), name, sizeof(name));
	nvml_mig_profile(name, &attributes, gpu->memory_bytes, ret->profile);
}

static void add_link(struct nvml_links *links, const struct nvml_link *link)
{
	for (size_t i = 0; i < links->n; i++) {
		if (strcmp(links->links[i].bdf, link->bdf) != 0)
			continue;
		links->links[i].count++;
		return;
	}
	links->links[links->n++] = *link; /* one at most for each link that is asked */
}

void nvml_query_links(const struct nvml_library *library, struct nvml_handle *device,
		      struct nvml_links *ret)
{
	ret->n = 0;
	for (unsigned int i = 0; i < NVML_LINKS_MAX; i++) {
		struct nvml_link link = { .type = NVML_UNKNOWN, .count = 1 };
		struct nvml_pci_info info = { 0 };
		unsigned int active, type;

		/* Past the last link, and without NVLink, this fails. */
		if (!ASK(library, link_state, device, i, &active))
			return;
		if (active != 1 || !ASK(library, link_remote, device, i, &info))
			continue;
		take_bdf(&info, link.bdf);
		if (ASK(library, link_type, device, i, &type))
			link.type = type;
		if (link.bdf[0] != '\0')
			add_link(ret, &link);
	}
}
