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
