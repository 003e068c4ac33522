/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/drivers/gpu.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "tests/test.h"
#include "tests/unit/drivers/card.h"

#define TEXT_MAX 4096

static const char information[] = "Model: \t\t NVIDIA H200\n"
				  "IRQ:   \t\t 315\n"
				  "GPU UUID: \t GPU-00000000-0000-0000-0000-%012u\n"
				  "Video BIOS: \t 96.00.74.00.1F\n"
				  "Bus Type: \t PCIe\n"
				  "DMA Size: \t 52 bits\n"
				  "DMA Mask: \t 0xfffffffffffff\n"
				  "Bus Location: \t 0000:%02x:00.0\n"
				  "Device Minor: \t %u\n"
				  "GPU Firmware: \t 570.86.15\n"
				  "GPU Excluded:\t No\n";

static const char version[] =
	"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  "
	"(builder@host)  Thu Jan 23 22:50:36 UTC 2025\n"
	"GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n";

static void link_node(const struct tree *tree, const char *path)
{
	if (faccessat(tree->host.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		tree_link(tree, path, "/dev/null");
}

void gpu_add(const struct tree *tree, unsigned int number)
{
	char bdf[DEVICE_BDF_MAX], path[128], text[TEXT_MAX];
	const struct card_pci pci = { .bdf = bdf,
				      .vendor = "0x10de\n",
				      .device = "0x2335\n",
				      .class = "0x030200\n",
				      .driver = "nvidia" };

	(void)snprintf(bdf, sizeof(bdf), "0000:%02x:00.0", 0x3b + number);
	(void)snprintf(text, sizeof(text), information, number, 0x3b + number, number);
	(void)snprintf(path, sizeof(path), "proc/driver/nvidia/gpus/%s/information", bdf);
	tree_puts(tree, path, text);
	tree_puts(tree, "proc/driver/nvidia/version", version);
	card_add_pci(tree, &pci);
	(void)snprintf(path, sizeof(path), "dev/nvidia%u", number);
	link_node(tree, path);
	link_node(tree, "dev/nvidiactl");
}

void gpu_set(const struct tree *tree, const char *key, const char *value)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
	char text[TEXT_MAX];
	char *rest = text;

	assert_true(file_read(tree->host.root_fd, GPU_DIR "information", text, sizeof(text),
			      NULL) >= 0);
	for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] != '\0' && strncmp(line, key, strlen(key)) != 0)
			strbuf_printf(&out, "%s\n", line);
	if (value)
		strbuf_printf(&out, "%s: \t %s\n", key, value);
	tree_puts(tree, GPU_DIR "information", strbuf_str(&out));
}

static void add_capability(const struct tree *tree, const char *dir, unsigned int minor)
{
	char path[128], text[64];

	(void)snprintf(path, sizeof(path), GPU_CAPABILITIES "%s/access", dir);
	(void)snprintf(text, sizeof(text),
		       "DeviceFileMinor: %u\nDeviceFileMode: 292\nDeviceFileModify: 1\n", minor);
	tree_puts(tree, path, text);
	(void)snprintf(path, sizeof(path), "dev/nvidia-caps/nvidia-cap%u", minor);
	link_node(tree, path);
}

void gpu_add_instance(const struct tree *tree, unsigned int gi, unsigned int ci)
{
	char dir[32];

	(void)snprintf(dir, sizeof(dir), "gi%u", gi);
	add_capability(tree, dir, 10 * gi);
	(void)snprintf(dir, sizeof(dir), "gi%u/ci%u", gi, ci);
	add_capability(tree, dir, 10 * gi + 1 + ci);
}

struct nvml_report *gpu_report(unsigned int n)
{
	struct nvml_report *report = nvml_report_new();

	assert_non_null(report);
	for (unsigned int i = 0; i < n; i++) {
		struct nvml_gpu gpu = {
			.name = "NVIDIA H200",
			.minor = i,
			.memory_bytes = UINT64_C(143771) << 20,
			.memory_used_bytes = UINT64_C(1) << 20,
			.compute_major = 9,
			.mig_mode_pending = 0,
			.mig_listed = 0,
			.utilization_percent = 37,
			.memory_utilization_percent = 11,
			.temperature_celsius = 42,
			.power_milliwatts = 123456,
		};

		(void)snprintf(gpu.bdf, sizeof(gpu.bdf), "0000:%02x:00.0", 0x3b + i);
		(void)snprintf(gpu.uuid, sizeof(gpu.uuid), "GPU-00000000-0000-0000-0000-%012u", i);
		assert_int_equal(nvml_report_add_gpu(report, &gpu), 0);
	}
	return report;
}

void gpu_report_add_mig(struct nvml_report *report, const char *uuid, const char *profile,
			unsigned int gi, unsigned int ci)
{
	struct nvml_gpu *gpu = &report->gpus[report->n_gpus - 1];
	struct nvml_mig mig = { .gpu_instance = gi,
				.compute_instance = ci,
				.memory_bytes = UINT64_C(16384) << 20 };

	(void)snprintf(mig.uuid, sizeof(mig.uuid), "%s", uuid);
	(void)snprintf(mig.profile, sizeof(mig.profile), "%s", profile);
	gpu->mig_mode = 1;
	gpu->mig_listed = 1;
	assert_int_equal(nvml_report_add_mig(report, &mig), 0);
}

void gpu_report_add_link(struct nvml_report *report, const char *bdf, enum nvml_link_type type)
{
	struct nvml_link link = { .type = type, .count = 1 };

	(void)snprintf(link.bdf, sizeof(link.bdf), "%s", bdf);
	assert_int_equal(nvml_report_add_link(report, &link), 0);
}
