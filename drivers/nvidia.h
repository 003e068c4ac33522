/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of NVIDIA's driver that take a report of NVML as an argument, whoever made
 * it; the row takes the newest one.
 *
 * Source: as drivers/nvidia.c
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "drivers/device.h"
#include "drivers/host.h"
#include "drivers/nvml/report.h"

/**
 * nvidia_scan_with() - Find the GPUs of a host.
 * @host: host
 * @report: the last report of NVML, or NULL
 * @list: the GPUs are appended
 * @err: set on failure
 *
 * Return: as scan() of struct driver.
 */
int nvidia_scan_with(const struct host *host, const struct nvml_report *report,
		     struct device_list *list, struct error *err);

/**
 * nvidia_probe_with() - Tell whether a GPU works, but for the faults it has reported.
 * @host: host
 * @report: the last report of NVML, or NULL
 * @device: GPU
 * @now_ms: time on CLOCK_MONOTONIC
 * @err: set on failure
 *
 * Return: as probe() of struct driver.
 */
int nvidia_probe_with(const struct host *host, const struct nvml_report *report,
		      const struct device *device, uint64_t now_ms, struct error *err);
