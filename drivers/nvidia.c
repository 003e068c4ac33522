/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA GPUs.
 *
 * Two sources, the first of which is enough for whole GPUs:
 *
 *	/proc/driver/nvidia	which GPUs the kernel driver has, UUID, model, minor
 *				number, whether MIG is on (nvidia_proc.c, nvidia_mig.c)
 *	NVML			memory, architecture, MIG devices, NVLinks, load, faults
 *				(nvidia_nvml.c); asked by a process of its own, whose last
 *				report a scan takes without waiting
 *
 * A report that is missing leaves facts unknown, and never makes a GPU unhealthy.  One
 * that was given stays true for facts until the next one; what it holds against a GPU
 * does not (nvidia_nvml.h).
 *
 * /dev/nvidia-uvm and its kin are given out where they are there, and are no condition:
 * NVIDIA's tools make them when the first container or program needs them, so a GPU
 * that waited for them would never get one.
 *
 * Reading `information` may block while the kernel driver struggles with a GPU.  So a
 * probe takes a report for it while one is fresh.
 *
 * Source: NVIDIA driver README; NVIDIA MIG User Guide; nvidia-container-toolkit at
 * d34b304, internal/info/proc; pci.ids, vendor 10de
 */
#include "drivers/nvidia.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/parse.h"
#include "drivers/driver.h"
#include "drivers/nodes.h"
#include "drivers/nvidia_mig.h"
#include "drivers/nvidia_nvml.h"
#include "drivers/nvidia_proc.h"
#include "drivers/nvml/child.h"
#include "drivers/nvml/nvml.h"
#include "drivers/pci.h"
#include "drivers/sysfs.h"

#define GPUS_DIR NVIDIA_PROC_DIR "/gpus"
#define KERNEL_DRIVER "nvidia"
#define BDF_PATH_MAX 64 /* "sys/bus/pci/devices/0000:27:00.0/driver" has 39 bytes */

/* Entries of GPUS_DIR, each named as a PCI address. */
struct gpu_names {
	char (*names)[DEVICE_BDF_MAX];
	size_t n;
	size_t cap;
};

struct scan {
	const struct host *host;
	const struct nvml_report *report;
	struct pci_reader *pci;
	char version[DEVICE_VERSION_MAX]; /* of the kernel driver */
	struct device_list *list;
};

/* --- the list of GPUs --- */

static void gpu_names_done(struct gpu_names *names)
{
	free(names->names);
}

static int add_name(struct gpu_names *names, const char *name)
{
	if (names->n == DEVICES_MAX)
		return -E2BIG;
	if (names->n == names->cap) {
		size_t cap = names->cap > 0 ? names->cap * 2 : 16;
		char(*grown)[DEVICE_BDF_MAX] = reallocarray(names->names, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->names = grown;
		names->cap = cap;
	}
	return str_copy(names->names[names->n++], DEVICE_BDF_MAX, name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int read_names(DIR *dir, struct gpu_names *names)
{
	for (;;) {
		char bdf[DEVICE_BDF_MAX];
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		/* Only as the kernel writes it, so that name and address are one. */
		if (pci_bdf_parse(entry->d_name, bdf) < 0 || strcmp(entry->d_name, bdf) != 0)
			continue;
		r = add_name(names, bdf);
		if (r < 0)
			return r;
	}
}

static int list_gpus(const struct host *host, struct gpu_names *names, struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(host->root_fd, GPUS_DIR);
	int r;

	if (!dir && errno == ENOENT)
		return 0; /* the kernel driver is not loaded, or has no GPU */
	if (!dir)
		return error_set(err, errno, "open '" GPUS_DIR "': %s", strerror(errno));
	r = read_names(dir, names);
	if (r < 0)
		return error_set(err, -r, "list '" GPUS_DIR "': %s", strerror(-r));
	if (names->n > 0)
		qsort(names->names, names->n, sizeof(*names->names), compare_names);
	return 0;
}

/* --- one GPU --- */

static int read_information(int dirfd, struct device *device, struct nvidia_information *ret,
			    struct error *err)
{
	struct error reason = { 0 };
	int r = nvidia_read_information(dirfd, ret, &reason);

	if (r == 0)
		return 0;
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "%s", error_text(&reason, r));
	*ret = (struct nvidia_information) { .minor = NVIDIA_MINOR_UNKNOWN };
	device_set_fault(device, "information cannot be read: %s", error_text(&reason, r));
	return 0;
}

/* Whether the GPU was given to another driver, as to vfio-pci for a virtual machine. */
static int is_given_away(const struct host *host, const char *bdf, struct error *err)
{
	char path[BDF_PATH_MAX], name[SYSFS_LINE_MAX];
	int r;

	(void)snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", bdf);
	r = sysfs_link_name(host->root_fd, path, name, sizeof(name));
	if (sysfs_is_shortage(r))
		return error_set(err, -r, "driver of PCI device '%s': %s", bdf, strerror(-r));
	if (r == 0 && strcmp(name, KERNEL_DRIVER) != 0)
		return 1;
	return pci_has_vfs(host, bdf, err);
}

/* What the kernel driver tells comes first; NVML fills in what is missing. */
static void set_identity(const struct nvidia_information *information, const struct nvml_gpu *gpu,
			 struct device *device)
{
	int minor = information->minor;
	const char *model = information->model;

	(void)str_copy(device->uuid, sizeof(device->uuid), information->uuid);
	if (gpu && device->uuid[0] == '\0' && strlen(gpu->uuid) < sizeof(device->uuid) &&
	    sysfs_is_id(gpu->uuid))
		(void)str_copy(device->uuid, sizeof(device->uuid), gpu->uuid);
	if (gpu && minor == NVIDIA_MINOR_UNKNOWN && gpu->minor <= NVIDIA_MINOR_MAX)
		minor = (int)gpu->minor;
	if (minor != NVIDIA_MINOR_UNKNOWN) {
		device->index = minor;
		(void)snprintf(device->name, sizeof(device->name), "nvidia%d", minor);
	}
	nvidia_product(model[0] == '\0' && gpu ? gpu->name : model, device->product);
}

static void set_facts(const struct scan *scan, const struct nvidia_information *information,
		      const struct nvml_gpu *gpu, struct device *device)
{
	(void)str_copy(device->driver_version, sizeof(device->driver_version), scan->version);
	(void)str_copy(device->firmware_version, sizeof(device->firmware_version),
		       information->video_bios);
	if (!gpu)
		return;
	device->architecture = nvidia_architecture(gpu);
	if (gpu->memory_bytes != NVML_UNKNOWN)
		device->memory_bytes = gpu->memory_bytes;
}

static void find_nodes(struct node_list *nodes, struct device *device)
{
	static const char *const optional[] = { "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools",
						"/dev/nvidia-modeset", NULL };

	if (device->index == DEVICE_INDEX_UNKNOWN)
		device_set_fault(device, "its device file is not known: no Device Minor");
	else
		node_list_need(nodes, NULL, "/dev/%s", device->name);
	node_list_need(nodes, NULL, "/dev/nvidiactl");
	for (const char *const *path = optional; *path; path++)
		(void)node_list_take(nodes, NULL, "%s", *path);
}

/* NVLinks do not join the parts of GPUs that are cut. */
static void set_links(const struct scan *scan, const struct nvml_gpu *gpu, struct device *device)
{
	if (gpu && !device->partitioned)
		nvidia_link_group(scan->report, device->bdf, device->link_group);
}

static int describe(const struct scan *scan, const struct nvidia_information *information,
		    struct device *device, struct error *err)
{
	const struct nvml_gpu *gpu;
	struct node_list nodes;
	int r;

	(void)str_copy(device->uuid, sizeof(device->uuid), information->uuid);
	gpu = nvidia_find_gpu(scan->report, device);
	set_identity(information, gpu, device);
	set_facts(scan, information, gpu, device);
	r = sysfs_join_pci(scan->pci, device, err);
	if (r < 0)
		return r;
	node_list_init(&nodes, scan->host, device);
	find_nodes(&nodes, device);
	r = nvidia_mig_read(scan->host, scan->report, gpu, device, &nodes, err);
	if (r < 0)
		return r;
	set_links(scan, gpu, device);
	r = gpu ? nvidia_set_facts(scan->report, gpu, device) : 0;
	if (r < 0)
		return error_set(err, -r, "facts of '%s': %s", device->name, strerror(-r));
	return node_list_finish(&nodes, err);
}

static void set_place(const char *bdf, struct device *device)
{
	(void)str_copy(device->bdf, sizeof(device->bdf), bdf);
	(void)str_copy(device->name, sizeof(device->name), bdf); /* until there is a better one */
	(void)snprintf(device->sysfs_path, sizeof(device->sysfs_path), GPUS_DIR "/%s", bdf);
}

/* Returns 1 if @device is one of ours, 0 if it is not to be used or has vanished. */
static int read_gpu(const struct scan *scan, struct device *device, struct error *err)
{
	_cleanup_close_ int dirfd = sysfs_open(scan->host, device->sysfs_path, err);
	struct nvidia_information information;
	int r;

	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	r = is_given_away(scan->host, device->bdf, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = read_information(dirfd, device, &information, err);
	if (r < 0)
		return r;
	if (information.excluded)
		return 0;
	r = describe(scan, &information, device, err);
	if (r < 0)
		return r;
	return sysfs_is_still(scan->host, device->sysfs_path, dirfd);
}

static int scan_gpu(const struct scan *scan, const char *bdf, struct error *err)
{
	_cleanup_(device_cleanupp) struct device *device = device_new(&nvidia_driver);
	int r;

	if (!device)
		return error_set(err, ENOMEM, "no memory for a device");
	set_place(bdf, device);
	r = read_gpu(scan, device, err);
	if (r <= 0)
		return r;
	r = device_list_add(scan->list, device);
	if (r < 0)
		return error_set(err, -r, "list '%s': %s", device->name, strerror(-r));
	(void)TAKE_PTR(device);
	return 0;
}

int nvidia_scan_with(const struct host *host, const struct nvml_report *report,
		     struct device_list *list, struct error *err)
{
	_cleanup_(gpu_names_done) struct gpu_names names = { 0 };
	_cleanup_(pci_reader_freep) struct pci_reader *pci = NULL;
	struct scan scan = { .host = host, .report = report, .list = list };
	int r = list_gpus(host, &names, err);

	if (r < 0 || names.n == 0)
		return r;
	r = pci_reader_new(host, &pci, err);
	if (r == 0)
		r = nvidia_read_version(host, scan.version, err);
	scan.pci = pci;
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = scan_gpu(&scan, names.names[i], err);
	return r;
}

/* --- probe --- */

/* A fresh report that has the GPU says as much as its file, and cannot block. */
static bool is_vouched_for(const struct nvml_report *report, const struct device *device,
			   uint64_t now_ms)
{
	const struct nvml_gpu *gpu = nvidia_find_gpu(report, device);

	return gpu && device->uuid[0] != '\0' && gpu->minor == (uint64_t)device->index &&
	       now_ms - report->taken_ms < NVIDIA_READINGS_MS;
}

static int probe_identity(const struct host *host, const struct device *device, struct error *err)
{
	_cleanup_close_ int dirfd = sysfs_open(host, device->sysfs_path, err);
	struct nvidia_information information;
	int r;

	if (dirfd == -ENOENT)
		return error_set(err, ENODEV, "gone from /" GPUS_DIR);
	if (dirfd < 0)
		return dirfd;
	r = nvidia_read_information(dirfd, &information, err);
	if (r < 0)
		return error_wrap(err, r, "information cannot be read");
	if (information.uuid[0] != '\0' && device->uuid[0] != '\0' &&
	    strcmp(information.uuid, device->uuid) != 0)
		return error_set(err, ENODEV, "GPU UUID is '%s', expected '%s'", information.uuid,
				 device->uuid);
	if (information.minor != NVIDIA_MINOR_UNKNOWN && information.minor != device->index)
		return error_set(err, ENODEV, "Device Minor is %d, expected %d", information.minor,
				 device->index);
	return 0;
}

int nvidia_probe_with(const struct host *host, const struct nvml_report *report,
		      const struct device *device, uint64_t now_ms, struct error *err)
{
	int r;

	if (faccessat(host->root_fd, device->sysfs_path, F_OK, 0) < 0 && errno == ENOENT)
		return error_set(err, ENODEV, "gone from /" GPUS_DIR);
	if (!is_vouched_for(report, device, now_ms)) {
		r = probe_identity(host, device, err);
		if (r < 0)
			return r;
	}
	r = pci_probe(host, device->bdf, NULL, err);
	return r < 0 ? r : nvidia_judge_report(report, device, now_ms, err);
}

static int probe_xid(struct nvml *nvml, const struct nvml_report *report,
		     const struct device *device, uint64_t gpu_instance, struct error *err)
{
	struct nvml_xid xid;

	if (nvml_find_xid(nvml, device->bdf, gpu_instance, &xid) < 0)
		return 0;
	return nvidia_judge_xid(&xid, report, device, clock_ms(), err);
}

/* Faults of the GPU as a whole, and of the GPU instances that are partitions of it. */
static int probe_xids(struct nvml *nvml, const struct nvml_report *report,
		      const struct device *device, struct error *err)
{
	const struct nvml_gpu *gpu = nvidia_find_gpu(report, device);
	int r = probe_xid(nvml, report, device, NVML_UNKNOWN, err);

	for (size_t i = 0; r == 0 && gpu && i < gpu->n_migs; i++)
		r = probe_xid(nvml, report, device, report->migs[gpu->first_mig + i].gpu_instance,
			      err);
	return r;
}

/* --- the row --- */

/* Scans and probes run on several threads, and NVML may begin to be asked meanwhile. */
static struct nvml *nvml_of(const struct host *host)
{
	return __atomic_load_n(&host->nvml, __ATOMIC_ACQUIRE);
}

static struct nvml_report *latest_report(const struct host *host)
{
	struct nvml *nvml = nvml_of(host);

	return nvml ? nvml_latest(nvml) : NULL;
}

static int nvidia_scan(_unused_ const struct driver *driver, const struct host *host,
		       struct device_list *list, struct error *err)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = latest_report(host);

	return nvidia_scan_with(host, report, list, err);
}

static int nvidia_probe(const struct host *host, const struct device *device, struct error *err)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = latest_report(host);
	struct nvml *nvml = nvml_of(host);
	int r = nvidia_probe_with(host, report, device, clock_ms(), err);

	return r < 0 || !nvml ? r : probe_xids(nvml, report, device, err);
}

static int nvidia_measure(const struct host *host, const struct device *device,
			  struct device_readings *ret, struct error *err)
{
	_cleanup_(nvml_report_unrefp) struct nvml_report *report = latest_report(host);

	if (faccessat(host->root_fd, device->sysfs_path, F_OK, 0) < 0)
		return error_set(err, ENODEV, "gone from /" GPUS_DIR);
	*ret = nvidia_readings(report, device, clock_ms());
	return 0;
}

/* Begins when the kernel driver is there, which may be loaded at any time. */
static int begin_nvml(struct host *host, struct error *err)
{
	struct nvml *nvml = NULL;
	int r;

	if (host->nvml)
		return 0;
	r = nvml_start(host, NULL, &nvml, err);
	if (r == 0)
		__atomic_store_n(&host->nvml, nvml, __ATOMIC_RELEASE);
	return r;
}

static int nvidia_ask(struct host *host, uint32_t wait_ms, struct error *err)
{
	struct nvml_status status;
	int r;

	if (!nvml_child_is_possible() || faccessat(host->root_fd, NVIDIA_PROC_DIR, F_OK, 0) < 0)
		return 0;
	r = begin_nvml(host, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* the kernel driver has just gone */
	if (wait_ms > 0)
		(void)nvml_wait(host->nvml, wait_ms);
	nvml_status(host->nvml, &status);
	if (status.state == NVML_STARTING || status.state == NVML_WORKING)
		return 0;
	return error_set(err, EIO, "NVML: %s", status.reason);
}

static uint64_t nvidia_answer(const struct host *host)
{
	struct nvml *nvml = nvml_of(host);

	return nvml ? nvml_changes(nvml) : 0;
}

static const struct driver_env nvidia_env[] = {
	{ "NVIDIA_VISIBLE_DEVICES", DRIVER_ENV_UUID },
	{ 0 },
};

static const char *const nvidia_node_dirs[] = { "dev", "dev/nvidia-caps", NULL };

/* The kernel driver announces nothing of its own; that it was bound, the bus does. */
static const char *const nvidia_subsystems[] = { "pci", NULL };

const struct driver nvidia_driver = {
	.name = "nvidia",
	.vendor = "NVIDIA",
	.env = nvidia_env,
	.partition_isolation = DRIVER_ISOLATION_HARDWARE,
	.doc = {
		.hardware = "GPUs of NVIDIA's kernel driver for Linux, MIG included; not Tegra",
		.reads = "`/proc/driver/nvidia/gpus/*/information`, "
			 "`/proc/driver/nvidia/version`, `/proc/driver/nvidia/capabilities`; where "
			 "libnvidia-ml.so.1 is there: memory, architecture, MIG devices, NVLinks, "
			 "load. Left out: GPUs with `GPU Excluded: Yes`, bound to another driver "
			 "(`vfio-pci`), or with virtual functions",
		.identity = "`GPU UUID`, else PCI address; MIG devices: their UUID, from NVML only",
		.health = "`information` can be read; it answers on the PCI bus; NVML has not lost "
			"it, names no recovery action, and has reported no XID but those of "
			"programs (13, 31, 43, 45, 68, 109). After an XID it is healthy again "
			"10 s after NVML names no recovery action, as after a GPU reset; where "
			"NVML cannot tell, 10 minutes after the last XID. While a GPU waits for a "
			"reset, NVML is asked once a minute and let go, so that the reset is not "
			"refused. An XID of one GPU instance makes its whole GPU unhealthy. "
			"Without NVML, XIDs are not seen",
		.nodes = "`/dev/nvidiaN`, `/dev/nvidiactl`; `/dev/nvidia-uvm`, "
			"`/dev/nvidia-uvm-tools`, `/dev/nvidia-modeset` when there; a MIG device "
			"gets these and, when there, the two `/dev/nvidia-caps/nvidia-capN` of "
			"its instances",
		.evidence = "vendor documentation and source. MIG without NVML: that a GPU is cut "
			"is seen, what into is not, so nothing of it is offered; a GPU with MIG "
			"on and no instance looks whole then",
	},
	.ask = nvidia_ask,
	.answer = nvidia_answer,
	.scan = nvidia_scan,
	.probe = nvidia_probe,
	.measure = nvidia_measure,
	.node_dirs = nvidia_node_dirs,
	.subsystems = nvidia_subsystems,
};
