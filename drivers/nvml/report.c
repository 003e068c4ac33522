/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

struct nvml_report *nvml_report_new(void)
{
	struct nvml_report *report = calloc(1, sizeof(*report));

	if (report)
		report->refs = 1;
	return report;
}

struct nvml_report *nvml_report_ref(struct nvml_report *report)
{
	(void)__atomic_add_fetch(&report->refs, 1, __ATOMIC_RELAXED);
	return report;
}

void nvml_report_unref(struct nvml_report *report)
{
	if (!report || __atomic_sub_fetch(&report->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(report->gpus);
	free(report->migs);
	free(report->links);
	free(report);
}

/* Makes the array longer by one: a report has dozens, and is kept as it is. */
static void *append(void *array, size_t n, const void *element, size_t size)
{
	void *grown = reallocarray(array, n + 1, size);

	if (grown)
		memcpy((char *)grown + n * size, element, size);
	return grown;
}

int nvml_report_add_gpu(struct nvml_report *report, const struct nvml_gpu *gpu)
{
	struct nvml_gpu added = *gpu;
	struct nvml_gpu *gpus;

	if (report->n_gpus >= NVML_GPUS_MAX)
		return -E2BIG;
	added.first_mig = report->n_migs;
	added.n_migs = 0;
	added.first_link = report->n_links;
	added.n_links = 0;
	gpus = append(report->gpus, report->n_gpus, &added, sizeof(added));
	if (!gpus)
		return -ENOMEM;
	report->gpus = gpus;
	report->n_gpus++;
	return 0;
}

int nvml_report_add_mig(struct nvml_report *report, const struct nvml_mig *mig)
{
	struct nvml_gpu *gpu = &report->gpus[report->n_gpus - 1];
	struct nvml_mig *migs;

	if (gpu->n_migs >= NVML_MIGS_MAX)
		return -E2BIG;
	migs = append(report->migs, report->n_migs, mig, sizeof(*mig));
	if (!migs)
		return -ENOMEM;
	report->migs = migs;
	report->n_migs++;
	gpu->n_migs++;
	return 0;
}

int nvml_report_add_link(struct nvml_report *report, const struct nvml_link *link)
{
	struct nvml_gpu *gpu = &report->gpus[report->n_gpus - 1];
	struct nvml_link *links;

	if (gpu->n_links >= NVML_LINKS_MAX)
		return -E2BIG;
	links = append(report->links, report->n_links, link, sizeof(*link));
	if (!links)
		return -ENOMEM;
	report->links = links;
	report->n_links++;
	gpu->n_links++;
	return 0;
}

const struct nvml_gpu *nvml_report_find(const struct nvml_report *report, const char *bdf)
{
	for (size_t i = 0; i < report->n_gpus; i++)
		if (strcmp(report->gpus[i].bdf, bdf) == 0)
			return &report->gpus[i];
	return NULL;
}

static bool is_same_gpu(const struct nvml_gpu *a, const struct nvml_gpu *b)
{
	return strcmp(a->uuid, b->uuid) == 0 && strcmp(a->bdf, b->bdf) == 0 &&
	       strcmp(a->name, b->name) == 0 && a->minor == b->minor &&
	       a->memory_bytes == b->memory_bytes && a->compute_major == b->compute_major &&
	       a->compute_minor == b->compute_minor && a->mig_mode == b->mig_mode &&
	       a->mig_listed == b->mig_listed && a->n_migs == b->n_migs && a->n_links == b->n_links;
}

static bool is_same_mig(const struct nvml_mig *a, const struct nvml_mig *b)
{
	return strcmp(a->uuid, b->uuid) == 0 && strcmp(a->profile, b->profile) == 0 &&
	       a->gpu_instance == b->gpu_instance && a->compute_instance == b->compute_instance &&
	       a->memory_bytes == b->memory_bytes && a->multiprocessors == b->multiprocessors;
}

static bool is_same_link(const struct nvml_link *a, const struct nvml_link *b)
{
	return strcmp(a->bdf, b->bdf) == 0 && a->type == b->type && a->count == b->count;
}

bool nvml_report_same_facts(const struct nvml_report *a, const struct nvml_report *b)
{
	bool same = strcmp(a->driver_version, b->driver_version) == 0 &&
		    a->cuda_version == b->cuda_version && a->n_gpus == b->n_gpus &&
		    a->n_migs == b->n_migs && a->n_links == b->n_links;

	for (size_t i = 0; same && i < a->n_gpus; i++)
		same = is_same_gpu(&a->gpus[i], &b->gpus[i]);
	for (size_t i = 0; same && i < a->n_migs; i++)
		same = is_same_mig(&a->migs[i], &b->migs[i]);
	for (size_t i = 0; same && i < a->n_links; i++)
		same = is_same_link(&a->links[i], &b->links[i]);
	return same;
}

bool nvml_report_wants_reset(const struct nvml_report *report)
{
	for (size_t i = 0; i < report->n_gpus; i++) {
		uint64_t action = report->gpus[i].recovery_action;

		if (action == NVML_RECOVERY_RESET_GPU || action == NVML_RECOVERY_DRAIN_AND_RESET ||
		    action == NVML_RECOVERY_RESET_BUS)
			return true;
	}
	return false;
}

bool nvml_xid_is_application(uint64_t xid)
{
	/* Source: NVIDIA, "XID Errors": the causes listed are user applications;
	 * the list is that of NVIDIA's own device plugin. */
	static const uint64_t application[] = {
		13,  /* graphics engine exception */
		31,  /* memory page fault */
		43,  /* stopped processing */
		45,  /* preemptive cleanup, due to previous errors */
		68,  /* video processor exception */
		109, /* context switch timeout */
	};

	for (size_t i = 0; i < ARRAY_SIZE(application); i++)
		if (application[i] == xid)
			return true;
	return false;
}
