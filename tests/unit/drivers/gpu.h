/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs in a tree, and reports of NVML that speak of the same: GPU number N is at
 * 0000:3b:00.0 and following buses, as those of tests/nvml/fake.c are.
 *
 * Source: NVIDIA driver README, "Using the /proc File System Interface"; NVIDIA MIG User
 * Guide, "Device Nodes and Capabilities"
 */
#pragma once

#include <stddef.h>

#include "drivers/device.h"
#include "drivers/nvml/report.h"
#include "tests/unit/drivers/tree.h"

#define GPU_BDF "0000:3b:00.0" /* of the first */
#define GPU_UUID "GPU-00000000-0000-0000-0000-000000000000"
#define GPU_MIG_UUID "MIG-00000000-0000-0000-0000-000000000000"
#define GPU_DIR "proc/driver/nvidia/gpus/" GPU_BDF "/"
#define GPU_CAPABILITIES "proc/driver/nvidia/capabilities/gpu0/mig/"
#define GPU_NODES "/dev/nvidia0 * /dev/nvidiactl * "

/**
 * gpu_add() - Make a GPU as the kernel driver shows it, with its device files.
 * @tree: tree
 * @number: below 16
 */
void gpu_add(const struct tree *tree, unsigned int number);

/**
 * gpu_set() - Write or remove a line of the first GPU's `information`.
 * @tree: tree
 * @key: as in "Device Minor"
 * @value: what follows the colon; NULL removes the line
 */
void gpu_set(const struct tree *tree, const char *key, const char *value);

/**
 * gpu_add_instance() - Make a compute instance of the first GPU, with its device files.
 * @tree: tree
 * @gi: GPU instance; its file has number 10 * @gi
 * @ci: compute instance; its file has a number behind that, and is made last
 */
void gpu_add_instance(const struct tree *tree, unsigned int gi, unsigned int ci);

/**
 * gpu_report() - Make a report with healthy GPUs.
 * @n: number of GPUs
 *
 * Return: the report; ends the test without memory.
 */
struct nvml_report *gpu_report(unsigned int n);

/**
 * gpu_report_add_mig() - Append a MIG device to the last GPU, which has MIG on from now.
 * @report: report
 * @uuid: its identity
 * @profile: as in "1g.18gb"
 * @gi: GPU instance
 * @ci: compute instance
 */
void gpu_report_add_mig(struct nvml_report *report, const char *uuid, const char *profile,
			unsigned int gi, unsigned int ci);

/**
 * gpu_report_add_link() - Append an NVLink to the last GPU.
 * @report: report
 * @bdf: where it leads
 * @type: what is there
 */
void gpu_report_add_link(struct nvml_report *report, const char *bdf, enum nvml_link_type type);
