/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking NVML about one GPU or MIG device.
 *
 * A getter that is missing, fails or answers what cannot be leaves its field
 * unknown; the others go on.
 *
 * Source: NVIDIA, "NVML API Reference Guide"
 */
#pragma once

#include "drivers/nvml/library.h"
#include "drivers/nvml/report.h"

/* The other ends of the NVLinks of one GPU. */
struct nvml_links {
	struct nvml_link links[NVML_LINKS_MAX];
	size_t n;
};

/**
 * nvml_query_versions() - Ask for the versions of the driver.
 * @library: initialised library
 * @ret: report whose versions are set
 */
void nvml_query_versions(const struct nvml_library *library, struct nvml_report *ret);

/**
 * nvml_query_gpu() - Ask a GPU for its facts and readings.
 * @library: initialised library
 * @device: the GPU
 * @ret: the answers
 */
void nvml_query_gpu(const struct nvml_library *library, struct nvml_handle *device,
		    struct nvml_gpu *ret);

/**
 * nvml_query_mig() - Ask a MIG device for its facts and readings.
 * @library: initialised library
 * @device: the MIG device
 * @gpu: the GPU that it is a part of
 * @ret: the answers
 */
void nvml_query_mig(const struct nvml_library *library, struct nvml_handle *device,
		    const struct nvml_gpu *gpu, struct nvml_mig *ret);

/**
 * nvml_query_links() - Ask a GPU where its active NVLinks lead.
 * @library: initialised library
 * @device: the GPU
 * @ret: the answers
 */
void nvml_query_links(const struct nvml_library *library, struct nvml_handle *device,
		      struct nvml_links *ret);

/**
 * nvml_query_bdf() - Ask a GPU for its PCI address.
 * @library: initialised library
 * @device: the GPU
 * @ret: buffer of DEVICE_BDF_MAX bytes; "" when it does not tell
 */
void nvml_query_bdf(const struct nvml_library *library, struct nvml_handle *device, char *ret);

/**
 * nvml_mig_profile() - The name of a MIG device's profile.
 * @device_name: what NVML calls the device, as in "NVIDIA H200 MIG 1g.18gb"
 * @attributes: its parts, from which the name is made where @device_name has none
 * @gpu_bytes: memory of the whole GPU, or NVML_UNKNOWN
 * @ret: buffer of NVML_PROFILE_MAX bytes; "" when it cannot be told
 */
void nvml_mig_profile(const char *device_name, const struct nvml_attributes *attributes,
		      uint64_t gpu_bytes, char *ret);
