/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvidia_nvml.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "drivers/driver.h"

const struct nvml_gpu *nvidia_find_gpu(const struct nvml_report *report,
				       const struct device *device)
{
	const struct nvml_gpu *gpu = report ? nvml_report_find(report, device->bdf) : NULL;

	if (gpu && device->uuid[0] != '\0' && gpu->uuid[0] != '\0' &&
	    strcmp(gpu->uuid, device->uuid) != 0)
		return NULL; /* another card has taken the place */
	return gpu;
}

/* Source: NVIDIA, CUDA C++ Programming Guide, "Compute Capabilities"; the names are
 * those of NVIDIA's node labels. */
static const struct {
	uint64_t major;
	uint64_t minor; /* from this one on */
	const char *name;
} architectures[] = {
	{ 12, 0, "blackwell" },	  { 10, 0, "blackwell" }, { 9, 0, "hopper" },
	{ 8, 9, "ada-lovelace" }, { 8, 0, "ampere" },	  { 7, 5, "turing" },
	{ 7, 0, "volta" },	  { 6, 0, "pascal" },	  { 5, 0, "maxwell" },
	{ 3, 0, "kepler" },
};

const char *nvidia_architecture(const struct nvml_gpu *gpu)
{
	if (gpu->compute_major == NVML_UNKNOWN || gpu->compute_minor == NVML_UNKNOWN)
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
		if (architectures[i].major == gpu->compute_major &&
		    architectures[i].minor <= gpu->compute_minor)
			return architectures[i].name;
	return "";
}

/* --- facts for labels --- */

/* Facts with the strings that device_set_facts() copies. */
struct facts {
	struct device_fact facts[DEVICE_FACTS_MAX];
	char names[DEVICE_FACTS_MAX][DEVICE_FACT_MAX];
	char values[DEVICE_FACTS_MAX][DEVICE_FACT_MAX];
	size_t n;
};

/* Four, and one for each MIG device. */
_Static_assert(4 + NVML_MIGS_MAX <= DEVICE_FACTS_MAX, "every fact has room");

static void add_fact(struct facts *facts, const char *name, const char *value)
{
	char *copy = facts->names[facts->n], *text = facts->values[facts->n];

	for (size_t i = 0; i < facts->n; i++)
		if (strcmp(facts->names[i], name) == 0)
			return;
	if (str_copy(copy, DEVICE_FACT_MAX, name) < 0 || str_copy(text, DEVICE_FACT_MAX, value) < 0)
		return;
	facts->facts[facts->n++] = (struct device_fact) { copy, text };
}

static void add_number(struct facts *facts, const char *name, uint64_t value)
{
	char text[24]; /* a number has 20 digits at most */

	if (value == NVML_UNKNOWN)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	add_fact(facts, name, text);
}

/* 12040 is 12.4. */
static void add_cuda(struct facts *facts, uint64_t version)
{
	char text[48];

	if (version == NVML_UNKNOWN || version < 1000)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64, version / 1000,
		       version % 1000 / 10);
	add_fact(facts, "cuda.version", text);
}

static void add_profiles(struct facts *facts, const struct nvml_report *report,
			 const struct nvml_gpu *gpu, const struct device *device)
{
	for (size_t i = 0; device->partitioned && i < gpu->n_migs; i++) {
		const struct nvml_mig *mig = &report->migs[gpu->first_mig + i];
		char name[DEVICE_FACT_MAX];

		(void)snprintf(name, sizeof(name), "%s.multiprocessors", mig->profile);
		add_number(facts, name, mig->multiprocessors);
	}
}

int nvidia_set_facts(const struct nvml_report *report, const struct nvml_gpu *gpu,
		     struct device *device)
{
	struct facts facts = { .n = 0 };

	add_number(&facts, "compute.major", gpu->compute_major);
	add_number(&facts, "compute.minor", gpu->compute_minor);
	add_cuda(&facts, report->cuda_version);
	add_fact(&facts, "mig.capable", gpu->mig_mode == NVML_UNKNOWN ? "false" : "true");
	add_profiles(&facts, report, gpu, device);
	return device_set_facts(device, facts.facts, facts.n);
}

/* --- NVLinks --- */

static const struct nvml_link *links_of(const struct nvml_report *report, size_t gpu)
{
	return &report->links[report->gpus[gpu].first_link];
}

static bool leads_to_gpu(const struct nvml_report *report, size_t from, size_t to)
{
	for (size_t i = 0; i < report->gpus[from].n_links; i++)
		if (strcmp(links_of(report, from)[i].bdf, report->gpus[to].bdf) == 0)
			return true;
	return false;
}

static bool share_a_switch(const struct nvml_report *report, size_t a, size_t b)
{
	for (size_t i = 0; i < report->gpus[a].n_links; i++) {
		const struct nvml_link *link = &links_of(report, a)[i];

		if (link->type != NVML_LINK_SWITCH)
			continue;
		for (size_t j = 0; j < report->gpus[b].n_links; j++)
			if (links_of(report, b)[j].type == NVML_LINK_SWITCH &&
			    strcmp(links_of(report, b)[j].bdf, link->bdf) == 0)
				return true;
	}
	return false;
}

static bool are_joined(const struct nvml_report *report, size_t a, size_t b)
{
	return leads_to_gpu(report, a, b) || leads_to_gpu(report, b, a) ||
	       share_a_switch(report, a, b);
}

/* Marks all GPUs that can be reached from those marked so far; returns how many. */
static size_t reach(const struct nvml_report *report, bool *reached, size_t start)
{
	size_t queue[NVML_GPUS_MAX] = { start };
	size_t n = 1;

	reached[start] = true;
	for (size_t done = 0; done < n; done++)
		for (size_t i = 0; i < report->n_gpus; i++)
			if (!reached[i] && are_joined(report, queue[done], i)) {
				reached[i] = true;
				queue[n++] = i;
			}
	return n;
}

/* Named after the first of the group, in order of addresses. */
void nvidia_link_group(const struct nvml_report *report, const char *bdf, char *ret)
{
	const struct nvml_gpu *gpu = nvml_report_find(report, bdf);
	bool reached[NVML_GPUS_MAX] = { false };
	const char *first = bdf;

	ret[0] = '\0';
	if (!gpu || reach(report, reached, (size_t)(gpu - report->gpus)) < 2)
		return;
	for (size_t i = 0; i < report->n_gpus; i++)
		if (reached[i] && strcmp(report->gpus[i].bdf, first) < 0)
			first = report->gpus[i].bdf;
	(void)snprintf(ret, DEVICE_LINK_GROUP_MAX, "nvlink-%s", first);
}

/* --- health --- */

/* What an administrator has to do. */
static const char *const actions[_NVML_RECOVERY_MAX] = {
	[NVML_RECOVERY_RESET_GPU] = "reset the GPU (nvidia-smi --gpu-reset)",
	[NVML_RECOVERY_REBOOT_NODE] = "reboot the node",
	[NVML_RECOVERY_DRAIN_P2P] = "drain its peer-to-peer traffic",
	[NVML_RECOVERY_DRAIN_AND_RESET] = "drain its peer-to-peer traffic and reset the GPU",
	[NVML_RECOVERY_IMEX_DOMAIN] = "recover the IMEX domain",
	[NVML_RECOVERY_RESET_BUS] = "reset its PCI bus",
	[NVML_RECOVERY_REBOOT_SYSTEM] = "reboot the system",
};

static bool is_recent(uint64_t then_ms, uint64_t now_ms, uint64_t ms)
{
	return now_ms < then_ms || now_ms - then_ms < ms;
}

int nvidia_judge_report(const struct nvml_report *report, const struct device *device,
			uint64_t now_ms, struct error *err)
{
	const struct nvml_gpu *gpu = nvidia_find_gpu(report, device);
	uint64_t action = gpu ? gpu->recovery_action : NVML_RECOVERY_NONE;

	if (!report || !is_recent(report->taken_ms, now_ms, NVIDIA_FAULT_MS))
		return 0;
	if (!gpu && report->lost > 0 && !nvml_report_find(report, device->bdf))
		return error_set(err, ENODEV, "NVML has lost the GPU");
	if (action == NVML_RECOVERY_NONE || action == NVML_UNKNOWN)
		return 0;
	if (action >= _NVML_RECOVERY_MAX)
		return error_set(err, EIO, "NVML asks for recovery action %" PRIu64, action);
	return error_set(err, EIO, "NVML asks to %s", actions[action]);
}

/* Whether NVML has said, after a fault, that the GPU can be used again. */
static bool has_recovered(const struct nvml_xid *xid, const struct nvml_report *report,
			  const struct device *device)
{
	const struct nvml_gpu *gpu = nvidia_find_gpu(report, device);

	return gpu && gpu->recovery_action == NVML_RECOVERY_NONE &&
	       report->taken_ms >= xid->last_ms &&
	       report->taken_ms - xid->last_ms >= NVIDIA_SETTLE_MS;
}

int nvidia_judge_xid(const struct nvml_xid *xid, const struct nvml_report *report,
		     const struct device *device, uint64_t now_ms, struct error *err)
{
	char where[48] = "";

	if (!is_recent(xid->last_ms, now_ms, NVIDIA_FAULT_MS) || has_recovered(xid, report, device))
		return 0;
	if (xid->gpu_instance != NVML_UNKNOWN)
		(void)snprintf(where, sizeof(where), " in GPU instance %" PRIu64,
			       xid->gpu_instance);
	return error_set(err, EIO, "XID %" PRIu64 "%s, reported %" PRIu64 " time%s", xid->xid,
			 where, xid->count, xid->count == 1 ? "" : "s");
}

/* --- load --- */

static double scaled(uint64_t value, double scale)
{
	return value == NVML_UNKNOWN ? -1 : (double)value * scale;
}

struct device_readings nvidia_readings(const struct nvml_report *report,
				       const struct device *device, uint64_t now_ms)
{
	const struct nvml_gpu *gpu = nvidia_find_gpu(report, device);

	if (!gpu || !is_recent(report->taken_ms, now_ms, NVIDIA_READINGS_MS))
		return device_readings_none();
	return (struct device_readings) {
		.temperature_celsius = scaled(gpu->temperature_celsius, 1),
		.power_watts = scaled(gpu->power_milliwatts, 1e-3),
		.utilization_ratio = scaled(gpu->utilization_percent, 1e-2),
		.memory_used_bytes = scaled(gpu->memory_used_bytes, 1),
	};
}
