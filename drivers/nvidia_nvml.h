/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What NVML's reports mean for a GPU: its facts, whether it is fit for work, its load.
 *
 * Pure: reports and times in, verdicts out.  A report speaks for a GPU only if it has
 * one with the same UUID at its PCI address.
 *
 * How a GPU that has reported a fault (XID) comes back:
 *
 *	NVML names no recovery action    as soon as it says so, 10 s after the fault
 *	NVML names one, as a GPU reset   when it has been done, and NVML names none
 *	NVML cannot tell (old driver,    10 minutes after the last fault
 *	  or it does not answer)
 *
 * Source: NVIDIA, "GPU Memory Error Management", Error Recovery and Response Flags;
 * NVML API Reference Guide, nvmlDeviceGpuRecoveryAction_t; NVIDIA, "XID Errors"
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/nvml/nvml.h"
#include "drivers/nvml/report.h"

/* A report from before this is too old to be shown as load: six intervals. */
#define NVIDIA_READINGS_MS (30 * 1000)
/* What was said to be wrong counts for so long after it was said last. */
#define NVIDIA_FAULT_MS (10 * 60 * 1000)
/* From a fault until NVML surely knows what it takes to recover: two reports. */
#define NVIDIA_SETTLE_MS (10 * 1000)

/**
 * nvidia_find_gpu() - What a report says of a device.
 * @report: report, or NULL
 * @device: device with its address; one without a UUID is known by that alone
 *
 * Return: the GPU, borrowed from @report; NULL if the report does not speak of it.
 */
const struct nvml_gpu *nvidia_find_gpu(const struct nvml_report *report,
				       const struct device *device);

/**
 * nvidia_architecture() - Name of a GPU's family.
 * @gpu: GPU
 *
 * Return: "hopper"; static.  "" when its compute capability is not known.
 */
const char *nvidia_architecture(const struct nvml_gpu *gpu);

/**
 * nvidia_set_facts() - Note what labels in the manner of NVIDIA's tools show.
 * @report: report that has @gpu
 * @gpu: GPU
 * @device: its device, whose partitions are set
 *
 * The facts are "compute.major", "compute.minor", "cuda.version" ("12.4"), "mig.capable"
 * ("true", "false") and for each profile of MIG "1g.18gb.multiprocessors", as far as NVML
 * tells them.
 *
 * Return: 0, or
 *   -ENOMEM  no memory
 */
int nvidia_set_facts(const struct nvml_report *report, const struct nvml_gpu *gpu,
		     struct device *device);

/**
 * nvidia_link_group() - Which GPUs are joined by NVLinks, directly or by switches.
 * @report: report
 * @bdf: PCI address of the GPU
 * @ret: buffer of DEVICE_LINK_GROUP_MAX bytes; the same for all GPUs that are joined,
 *	"" for one that is joined to no other
 */
void nvidia_link_group(const struct nvml_report *report, const char *bdf, char *ret);

/**
 * nvidia_judge_report() - Whether a report speaks against a GPU.
 * @report: report, or NULL
 * @device: the GPU
 * @now_ms: time on CLOCK_MONOTONIC
 * @err: set on failure; says what it takes to recover
 *
 * Return: 0, or
 *   -ENODEV  NVML has lost it
 *   -EIO     NVML asks for a recovery action
 */
int nvidia_judge_report(const struct nvml_report *report, const struct device *device,
			uint64_t now_ms, struct error *err);

/**
 * nvidia_judge_xid() - Whether a fault still speaks against a GPU.
 * @xid: the fault
 * @report: the last report, or NULL
 * @device: the GPU
 * @now_ms: time on CLOCK_MONOTONIC
 * @err: set on failure
 *
 * Return: 0 if the GPU has recovered, or -EIO.
 */
int nvidia_judge_xid(const struct nvml_xid *xid, const struct nvml_report *report,
		     const struct device *device, uint64_t now_ms, struct error *err);

/**
 * nvidia_readings() - The load of a GPU.
 * @report: report, or NULL
 * @device: the GPU
 * @now_ms: time on CLOCK_MONOTONIC
 *
 * Return: the readings; none if the report is too old or does not speak of it.
 */
struct device_readings nvidia_readings(const struct nvml_report *report,
				       const struct device *device, uint64_t now_ms);
