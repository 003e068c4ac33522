/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What NVML says about the GPUs of a node, as plain numbers and text.
 *
 * A report is immutable once it was made, and shared by reference.  What NVML does
 * not tell, or tells in a form that cannot be right, is NVML_UNKNOWN or "".
 *
 * Source: NVIDIA, "NVML API Reference Guide"; MIG names are those of NVIDIA's MIG
 * User Guide, "MIG Device Names"
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "drivers/device.h"

#define NVML_UNKNOWN UINT64_MAX

/* Maxima, texts with their NUL. */
#define NVML_GPUS_MAX 64    /* four times what a node holds today */
#define NVML_MIGS_MAX 16    /* per GPU; an H200 has 7 at most */
#define NVML_LINKS_MAX 64   /* per GPU; NVML knows 36 */
#define NVML_ID_MAX 64	    /* "MIG-GPU-" and a UUID and "/1/0", as older drivers write it */
#define NVML_NAME_MAX 96    /* NVML_DEVICE_NAME_V2_BUFFER_SIZE */
#define NVML_PROFILE_MAX 32 /* "1c.3g.71gb+me" */

/* What brings a GPU back to work: nvmlDeviceGpuRecoveryAction_t. */
enum nvml_recovery {
	NVML_RECOVERY_NONE,
	NVML_RECOVERY_RESET_GPU,
	NVML_RECOVERY_REBOOT_NODE,
	NVML_RECOVERY_DRAIN_P2P,
	NVML_RECOVERY_DRAIN_AND_RESET,
	NVML_RECOVERY_IMEX_DOMAIN,
	NVML_RECOVERY_RESET_BUS,
	NVML_RECOVERY_REBOOT_SYSTEM,
	_NVML_RECOVERY_MAX,
};

/* What is at the other end of an NVLink: nvmlIntNvLinkDeviceType_t. */
enum nvml_link_type {
	NVML_LINK_GPU = 0,
	NVML_LINK_SWITCH = 2,
};

/* All NVLinks of a GPU that end at the same device. */
struct nvml_link {
	char bdf[DEVICE_BDF_MAX]; /* of the other end */
	uint64_t type;		  /* enum nvml_link_type, other values are no GPU */
	uint64_t count;		  /* how many are active */
};

/* A MIG device: a compute instance in a GPU instance. */
struct nvml_mig {
	char uuid[NVML_ID_MAX];
	char profile[NVML_PROFILE_MAX]; /* "1g.18gb", as `nvidia-smi -L` names it */
	uint64_t gpu_instance;
	uint64_t compute_instance;
	uint64_t memory_bytes;
	uint64_t memory_used_bytes;
	uint64_t gpu_slices; /* of the GPU instance */
	uint64_t compute_slices;
	uint64_t multiprocessors;
};

struct nvml_gpu {
	char uuid[NVML_ID_MAX];
	char bdf[DEVICE_BDF_MAX]; /* as pci_bdf_parse() writes it */
	char name[NVML_NAME_MAX];
	uint64_t minor; /* of /dev/nvidia<minor> */
	uint64_t memory_bytes;
	uint64_t memory_used_bytes;
	uint64_t compute_major;
	uint64_t compute_minor;
	uint64_t mig_mode;	   /* 0 or 1; unknown where the GPU has no MIG */
	uint64_t mig_mode_pending; /* after the next reset */
	uint64_t mig_listed;	   /* 1: all its MIG devices are below; 0: not all */
	uint64_t utilization_percent;
	uint64_t memory_utilization_percent;
	uint64_t temperature_celsius;
	uint64_t power_milliwatts;
	uint64_t ecc_uncorrected; /* since the driver was loaded */
	uint64_t recovery_action; /* enum nvml_recovery, or one that is newer */
	size_t first_mig;	  /* in the report's */
	size_t n_migs;
	size_t first_link; /* in the report's */
	size_t n_links;
};

struct nvml_report {
	int refs; /* atomic; use nvml_report_ref() and nvml_report_unref() */
	char driver_version[DEVICE_VERSION_MAX];
	uint64_t cuda_version; /* of the driver: 12040 is 12.4 */
	uint64_t lost;	       /* GPUs that did not tell who they are */
	uint64_t taken_ms;     /* when it was complete, on CLOCK_MONOTONIC */
	struct nvml_gpu *gpus;
	size_t n_gpus;
	struct nvml_mig *migs;
	size_t n_migs;
	struct nvml_link *links;
	size_t n_links;
};

/* A fault that a GPU's driver has reported. */
struct nvml_event {
	char bdf[DEVICE_BDF_MAX];
	uint64_t xid;
	uint64_t gpu_instance; /* NVML_UNKNOWN: the whole GPU */
	uint64_t compute_instance;
};

/**
 * nvml_report_new() - Make an empty report with one reference.
 *
 * Return: the report, or NULL when there is no memory.
 */
struct nvml_report *nvml_report_new(void);

/**
 * nvml_report_ref() - Take another reference.
 * @report: report to share
 *
 * Context: any thread.
 * Return: @report.
 */
struct nvml_report *nvml_report_ref(struct nvml_report *report);

/**
 * nvml_report_unref() - Give back a reference; the last one releases the report.
 * @report: report or NULL
 *
 * Context: any thread.
 */
void nvml_report_unref(struct nvml_report *report);
DEFINE_CLEANUP(struct nvml_report, nvml_report_unref);

/**
 * nvml_report_add_gpu() - Append a GPU, so far without MIG devices and links.
 * @report: report that is being made
 * @gpu: copied
 *
 * Return: 0, or -ENOMEM, or -E2BIG past NVML_GPUS_MAX.
 */
int nvml_report_add_gpu(struct nvml_report *report, const struct nvml_gpu *gpu);

/**
 * nvml_report_add_mig() - Append a MIG device to the last GPU.
 * @report: report that has a GPU
 * @mig: copied
 *
 * Return: 0, or -ENOMEM, or -E2BIG past NVML_MIGS_MAX of this GPU.
 */
int nvml_report_add_mig(struct nvml_report *report, const struct nvml_mig *mig);

/**
 * nvml_report_add_link() - Append a link to the last GPU.
 * @report: report that has a GPU
 * @link: copied
 *
 * Return: 0, or -ENOMEM, or -E2BIG past NVML_LINKS_MAX of this GPU.
 */
int nvml_report_add_link(struct nvml_report *report, const struct nvml_link *link);

/**
 * nvml_report_find() - Look a GPU up by where it is.
 * @report: report
 * @bdf: PCI address as pci_bdf_parse() writes it
 *
 * Return: the GPU, borrowed from @report; NULL if it is not there.
 */
const struct nvml_gpu *nvml_report_find(const struct nvml_report *report, const char *bdf);

/**
 * nvml_report_same_facts() - Whether two reports tell of the same things.
 * @a: a report
 * @b: a report
 *
 * Return: true if driver, GPUs, MIG devices and links are the same, whatever their
 *   load and health.
 */
bool nvml_report_same_facts(const struct nvml_report *a, const struct nvml_report *b);

/**
 * nvml_report_wants_reset() - Whether a GPU waits for a reset.
 * @report: report
 *
 * Return: true if NVML asks to reset one, which it refuses while programs use it.
 */
bool nvml_report_wants_reset(const struct nvml_report *report);

/**
 * nvml_xid_is_application() - Whether a fault is the fault of a program, not of the GPU.
 * @xid: number of the fault
 *
 * Return: true for those that say nothing about the GPU's health.
 */
bool nvml_xid_is_application(uint64_t xid);
