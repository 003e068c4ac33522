/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that has loaded NVML says.  The first byte says in how large pieces
 * it arrives; whole reports are written again, and read again.
 */
#include <stdint.h>
#include <string.h>

#include "drivers/nvml/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static void must_be_written(enum nvml_record type, const void *record)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(NVML_LINE_MAX);

	must(nvml_record_write(&out, type, record) == 0);
	must(strbuf_error(&out) == 0 && out.len > 0 && out.len < NVML_LINE_MAX);
}

static void take_report(_unused_ void *ctx, struct nvml_report *report)
{
	size_t migs = 0, links = 0;

	must(report->n_gpus <= NVML_GPUS_MAX && report->lost <= NVML_GPUS_MAX);
	for (size_t i = 0; i < report->n_gpus; i++) {
		const struct nvml_gpu *gpu = &report->gpus[i];

		must(gpu->first_mig == migs && gpu->n_migs <= NVML_MIGS_MAX);
		must(gpu->first_link == links && gpu->n_links <= NVML_LINKS_MAX);
		migs += gpu->n_migs;
		links += gpu->n_links;
		must_be_written(NVML_RECORD_GPU, gpu);
	}
	must(migs == report->n_migs && links == report->n_links);
	for (size_t i = 0; i < migs; i++)
		must_be_written(NVML_RECORD_MIG, &report->migs[i]);
	for (size_t i = 0; i < links; i++)
		must_be_written(NVML_RECORD_LINK, &report->links[i]);
	nvml_report_unref(report);
}

static void take_event(_unused_ void *ctx, const struct nvml_event *event)
{
	must_be_written(NVML_RECORD_EVENT, event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nvml_reader reader = { .sink = { take_report, take_event, NULL } };
	size_t step;
	int r = 0;

	if (size < 1)
		return 0;
	step = (size_t)data[0] + 1;
	for (size_t i = 1; r == 0 && i < size; i += step) {
		struct error err = { 0 };

		r = nvml_reader_feed(&reader, (const char *)data + i, MIN(step, size - i), &err);
		must(r <= 0 && err.code == -r);
	}
	nvml_reader_done(&reader);
	return 0;
}
