/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVML, kept at arm's length: the last good answer of a library that may hang, crash
 * or talk nonsense, without any of it reaching the program.
 *
 * A thread starts the process of drivers/nvml/child.h, reads what it says, kills it
 * when it is silent for too long or says what cannot be, and starts it again after a
 * while.  Everyone else takes the last report, which is there at once.  A program that
 * uses this has a line in its main(), see drivers/nvml/child.h.
 *
 * NVML opens /dev/nvidiactl and its kin by itself, so they have to be there for the
 * process, whatever the host's root is.  It keeps them open while it waits for events,
 * as every program does that hears of XIDs: the driver counts it as a user then, and
 * can neither be unloaded nor reset a GPU until it has been stopped.  So while a GPU
 * needs a reset, by what NVML says, the process is stopped after each report for
 * release_ms: in these gaps it can be reset, and XIDs are not heard.
 *
 * Source: NVIDIA, "NVML API Reference Guide"; /proc/driver/nvidia is that of NVIDIA's
 * driver README, "proc interface"
 */
#pragma once

#include <stdint.h>

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "drivers/host.h"
#include "drivers/nvml/report.h"

struct nvml;

/* Times, in milliseconds. */
struct nvml_times {
	uint32_t interval_ms; /* between two reports */
	uint32_t start_ms;    /* until the first one begins, and for each as a whole */
	uint32_t silence_ms;  /* longest pause within a report, and delay of the next */
	uint32_t absent_ms;   /* between two looks for the driver or the library */
	uint32_t release_ms;  /* without a process, while a GPU waits for a reset */
	uint32_t retry_min_ms;
	uint32_t retry_max_ms;
};

enum nvml_state {
	NVML_STARTING, /* no answer yet */
	NVML_WORKING,
	NVML_ABSENT,  /* there is no driver or no library */
	NVML_FAILING, /* the process has failed; it will be started again */
	NVML_STUCK,   /* the process has failed and cannot be killed */
};

struct nvml_status {
	enum nvml_state state;
	uint32_t starts;	     /* of the process */
	char reason[ERROR_TEXT_MAX]; /* of the last failure; "" when there was none */
};

/* The last of a kind of fault: of a GPU as a whole, or of a GPU instance in it. */
struct nvml_xid {
	char bdf[DEVICE_BDF_MAX];
	uint64_t gpu_instance; /* or NVML_UNKNOWN */
	uint64_t xid;
	uint64_t count;	  /* since the first */
	uint64_t last_ms; /* when it was told, on CLOCK_MONOTONIC */
};

/**
 * nvml_start() - Begin to ask NVML.
 * @host: host; its descriptor and its path are borrowed and must outlive the result
 * @times: times, or NULL for those of every day
 * @ret: to be released with nvml_stop()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT  NVIDIA's driver is not loaded on this host; nothing was started
 *   -ENOMEM  no memory
 *   -errno   as eventfd(2) and pthread_create(3) leave it
 */
int nvml_start(const struct host *host, const struct nvml_times *times, struct nvml **ret,
	       struct error *err);

/**
 * nvml_stop() - End the process and the thread.
 * @nvml: as started, or NULL
 *
 * Context: blocks for the fifth of a second at most.
 */
void nvml_stop(struct nvml *nvml);
DEFINE_CLEANUP(struct nvml, nvml_stop);

/**
 * nvml_wait() - Wait for the first outcome; for programs that ask once.
 * @nvml: started
 * @timeout_ms: longest wait
 *
 * Context: any thread; blocks.
 * Return: 0 as soon as there was a report or a failure, else -ETIMEDOUT.
 */
int nvml_wait(struct nvml *nvml, uint32_t timeout_ms);

/**
 * nvml_latest() - The last good answer.
 * @nvml: started
 *
 * It may be old: taken_ms tells.
 *
 * Context: any thread; does not wait for NVML.
 * Return: a reference, to be given back with nvml_report_unref(); NULL when there
 *   was none yet.
 */
struct nvml_report *nvml_latest(struct nvml *nvml);

/**
 * nvml_changes() - How often NVML has told other facts than before.
 * @nvml: started
 *
 * Facts are what makes devices and partitions; readings and faults are none.
 *
 * Context: any thread; does not wait for NVML.
 * Return: 0 before the first report.
 */
uint64_t nvml_changes(struct nvml *nvml);

/**
 * nvml_status() - How it goes.
 * @nvml: started
 * @ret: filled
 *
 * Context: any thread; does not wait for NVML.
 */
void nvml_status(struct nvml *nvml, struct nvml_status *ret);

/**
 * nvml_find_xid() - The last fault that speaks against a GPU or a part of it.
 * @nvml: started
 * @bdf: PCI address of the GPU, as pci_bdf_parse() writes it
 * @gpu_instance: GPU instance; a fault of the whole GPU counts for all of them.
 *	NVML_UNKNOWN: only faults of the whole GPU count
 * @ret: the fault
 *
 * Faults of programs (nvml_xid_is_application()) are not kept.  Faults outlive the
 * process that told them.
 *
 * Context: any thread; does not wait for NVML.
 * Return: 0, or -ENOENT when there was none.
 */
int nvml_find_xid(struct nvml *nvml, const char *bdf, uint64_t gpu_instance, struct nvml_xid *ret);
