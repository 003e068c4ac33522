/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MIG: GPUs that the hardware cuts into instances.
 *
 * That a GPU is cut, and the device files that open its instances, are in
 * /proc/driver/nvidia/capabilities.  What an instance is called, by its profile and by
 * the UUID that NVIDIA's runtime takes, only NVML tells; so without NVML a GPU that is
 * cut has no partitions that could be handed out.
 *
 * Source: NVIDIA MIG User Guide, "Device Nodes and Capabilities"
 */
#pragma once

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"
#include "drivers/nodes.h"
#include "drivers/nvml/report.h"

/**
 * nvidia_mig_read() - Find out whether a GPU is cut, and into what.
 * @host: host
 * @report: the last report, or NULL
 * @gpu: what @report says of the GPU, or NULL
 * @device: the GPU, whose index is its minor number; gets its partitions
 * @nodes: gets the device files of the partitions that are there
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, or a negative errno as sysfs_list() gives it.
 */
int nvidia_mig_read(const struct host *host, const struct nvml_report *report,
		    const struct nvml_gpu *gpu, struct device *device, struct node_list *nodes,
		    struct error *err);
