/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for NVIDIA's libnvidia-ml.so.1, which can be told to misbehave.
 *
 * It reads "nvml.txt" from the directory that it was loaded from, again at each count
 * of the GPUs and while it waits for events:
 *
 *	gpus=2 migs=0 xid=79 instance=-1 serial=1 fault=none end
 *
 * Without that file, its GPUs are those of the tree that it lies in, usr/lib64 below the
 * root, as /proc/driver/nvidia of the tree has them: tests/sim builds such trees.
 *
 * An event with the XID is delivered whenever the serial has changed.  FAKE_NVML_OLDER
 * leaves out what a driver of some years ago had not.
 *
 * Source: NVIDIA, "NVML API Reference Guide"
 */
#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "drivers/nvml/abi.h"
#include "drivers/nvml/child.h"

#define GPUS_MAX 8
#define MIGS_MAX 7
#define LOOK_MS 5
#define HANG_MS (2 * 60 * 1000)
#define ERROR_INVALID_ARGUMENT 2
#define ERROR_NOT_SUPPORTED 3
#define ERROR_GPU_IS_LOST 15
#define ERROR_UNKNOWN 999

/* A function of NVML, with the prototype that the compiler wants to see. */
#define NVML(name, ...)        \
	int name(__VA_ARGS__); \
	int name(__VA_ARGS__)

enum fault {
	FAULT_NONE,
	FAULT_INIT_HANG,
	FAULT_INIT_CRASH,
	FAULT_INIT_ERROR,
	FAULT_HANG,    /* in the middle of a report */
	FAULT_CRASH,   /* the same */
	FAULT_EXIT,    /* the same */
	FAULT_BABBLE,  /* writes to a descriptor that is not its own */
	FAULT_FLOOD,   /* the same, and does not stop */
	FAULT_COUNT,   /* more GPUs than there can be */
	FAULT_NUMBERS, /* numbers below zero */
	FAULT_STRINGS, /* without an end */
	FAULT_MIGS,    /* more MIG devices than there can be */
	FAULT_LOST,    /* the last GPU has fallen off the bus */
	FAULT_RESET,   /* the first GPU waits for a reset */
	FAULT_WAIT_HANG,
	FAULT_WAIT_BUSY,  /* comes back at once */
	FAULT_WAIT_ERROR, /* the same */
	FAULT_WAIT_STORM, /* an event each time */
	_FAULT_MAX,
};

static const char *const faults[_FAULT_MAX] = {
	[FAULT_NONE] = "none",
	[FAULT_INIT_HANG] = "init-hang",
	[FAULT_INIT_CRASH] = "init-crash",
	[FAULT_INIT_ERROR] = "init-error",
	[FAULT_HANG] = "hang",
	[FAULT_CRASH] = "crash",
	[FAULT_EXIT] = "exit",
	[FAULT_BABBLE] = "babble",
	[FAULT_FLOOD] = "flood",
	[FAULT_COUNT] = "count",
	[FAULT_NUMBERS] = "numbers",
	[FAULT_STRINGS] = "strings",
	[FAULT_MIGS] = "migs",
	[FAULT_LOST] = "lost",
	[FAULT_RESET] = "reset",
	[FAULT_WAIT_HANG] = "wait-hang",
	[FAULT_WAIT_BUSY] = "wait-busy",
	[FAULT_WAIT_ERROR] = "wait-error",
	[FAULT_WAIT_STORM] = "wait-storm",
};

struct nvml_handle {
	unsigned int gpu;
	int mig; /* -1: the GPU itself */
};

struct nvml_event_set {
	unsigned int serial; /* of the event that was delivered last */
};

static struct {
	unsigned int gpus;
	unsigned int migs;
	unsigned int xid;
	int instance;
	unsigned int serial;
	enum fault fault;
} told;

/* A GPU of the tree; without a UUID there is none. */
struct tree_gpu {
	char bdf[24];
	char uuid[48];
	unsigned int minor;
	unsigned int gis[MIGS_MAX]; /* its GPU instances */
	unsigned int n_gis;
};

static struct tree_gpu tree[GPUS_MAX];
static struct nvml_handle gpus[GPUS_MAX];
static struct nvml_handle migs[GPUS_MAX][MIGS_MAX];
static struct nvml_event_set events;

static int compare_numbers(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void look_at_instances(const char *root, struct tree_gpu *gpu)
{
	char path[PATH_MAX];
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/proc/driver/nvidia/capabilities/gpu%u/mig", root,
		       gpu->minor);
	dir = opendir(path);
	if (!dir)
		return;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		if (gpu->n_gis < MIGS_MAX &&
		    sscanf(entry->d_name, "gi%u", &gpu->gis[gpu->n_gis]) == 1)
			gpu->n_gis++;
	(void)closedir(dir);
	qsort(gpu->gis, gpu->n_gis, sizeof(gpu->gis[0]), compare_numbers);
}

static void look_at_gpu(const char *root, const char *name, struct tree_gpu *gpu)
{
	char path[PATH_MAX], line[256];
	FILE *file;

	*gpu = (struct tree_gpu) { 0 };
	(void)snprintf(gpu->bdf, sizeof(gpu->bdf), "%.20s", name);
	(void)snprintf(path, sizeof(path), "%s/proc/driver/nvidia/gpus/%.20s/information", root,
		       name);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		(void)sscanf(line, "GPU UUID: %47s", gpu->uuid);
		(void)sscanf(line, "Device Minor: %u", &gpu->minor);
	}
	(void)fclose(file);
	look_at_instances(root, gpu);
}

static int is_no_dot(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their addresses. */
static void look_at_tree(const char *root)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];
	int n;

	(void)snprintf(path, sizeof(path), "%s/proc/driver/nvidia/gpus", root);
	n = scandir(path, &entries, is_no_dot, alphasort);
	told.gpus = 0;
	for (int i = 0; i < n; i++) {
		if (told.gpus < GPUS_MAX)
			look_at_gpu(root, entries[i]->d_name, &tree[told.gpus++]);
		free(entries[i]);
	}
	free(entries);
}

/* The GPU of the tree that a handle means, or NULL when there is no tree. */
static const struct tree_gpu *tree_gpu(const struct nvml_handle *device)
{
	const struct tree_gpu *gpu = &tree[device->gpu];

	return gpu->uuid[0] != '\0' ? gpu : NULL;
}

/* Reads what it is told; a text that is being written, without its end, is none. */
static void look(void)
{
	char path[PATH_MAX], fault[16] = "", end[4] = "";
	unsigned int n_gpus, n_migs, xid, serial;
	int instance, n;
	Dl_info info;
	FILE *file;

	if (dladdr(&told, &info) == 0)
		return;
	n = (int)(strrchr(info.dli_fname, '/') - info.dli_fname);
	(void)snprintf(path, sizeof(path), "%.*s/nvml.txt", n, info.dli_fname);
	file = fopen(path, "re");
	if (!file) {
		(void)snprintf(path, sizeof(path), "%.*s/../..", n, info.dli_fname);
		look_at_tree(path);
		return;
	}
	n = fscanf(file, "gpus=%u migs=%u xid=%u instance=%d serial=%u fault=%15s %3s", &n_gpus,
		   &n_migs, &xid, &instance, &serial, fault, end);
	(void)fclose(file);
	if (n != 7 || strcmp(end, "end") != 0 || n_gpus > GPUS_MAX || n_migs > MIGS_MAX)
		return;
	told.gpus = n_gpus;
	told.migs = n_migs;
	told.xid = xid;
	told.instance = instance;
	told.serial = serial;
	for (enum fault i = 0; i < _FAULT_MAX; i++)
		if (strcmp(faults[i], fault) == 0)
			told.fault = i;
}

/* Longer than anyone waits, and not for ever: nothing is left of a test that fails. */
static void hang(void)
{
	(void)poll(NULL, 0, HANG_MS);
	_exit(0);
}

/* Ends by the signal, whatever a sanitizer would make of it. */
static void crash(void)
{
	const struct sigaction usual = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGSEGV, &usual, NULL);
	(void)raise(SIGSEGV);
}

/* Fills all of a buffer, so that no end is left. */
static bool endless(char *text, size_t size)
{
	if (told.fault != FAULT_STRINGS)
		return false;
	memset(text, 'A', size);
	return true;
}

static bool wrong_numbers(void)
{
	return told.fault == FAULT_NUMBERS;
}

NVML(nvmlInit_v2, void)
{
	look();
	for (unsigned int i = 0; i < GPUS_MAX; i++) {
		gpus[i] = (struct nvml_handle) { .gpu = i, .mig = -1 };
		for (int j = 0; j < MIGS_MAX; j++)
			migs[i][j] = (struct nvml_handle) { .gpu = i, .mig = j };
	}
	events.serial = told.serial;
	if (told.fault == FAULT_INIT_HANG)
		hang();
	if (told.fault == FAULT_INIT_CRASH)
		crash();
	return told.fault == FAULT_INIT_ERROR ? ERROR_UNKNOWN : NVML_SUCCESS;
}

const char *nvmlErrorString(int result);
const char *nvmlErrorString(int result)
{
	return result == ERROR_UNKNOWN ? "\033[2J" : "Some Error";
}

NVML(nvmlSystemGetDriverVersion, char *version, unsigned int size)
{
	if (!endless(version, size))
		(void)snprintf(version, size, "570.86.15");
	return NVML_SUCCESS;
}

static void babble(void)
{
	static const char noise[] = "hello\tversion=1\nreport\n\001";

	(void)send(NVML_CHILD_FD, noise, strlen(noise), MSG_NOSIGNAL);
}

/* What the child itself would say, but without an end. */
static void flood(void)
{
	static const char event[] = "event\tbdf=0000:3b:00.0\txid=13\n";

	while (send(NVML_CHILD_FD, event, strlen(event), MSG_NOSIGNAL) > 0)
		continue;
}

NVML(nvmlDeviceGetCount_v2, unsigned int *count)
{
	look();
	*count = told.fault == FAULT_COUNT ? UINT_MAX : told.gpus;
	if (told.fault == FAULT_BABBLE)
		babble();
	if (told.fault == FAULT_FLOOD)
		flood();
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetHandleByIndex_v2, unsigned int index, struct nvml_handle **device)
{
	if (index >= told.gpus)
		return ERROR_INVALID_ARGUMENT;
	*device = &gpus[index];
	return NVML_SUCCESS;
}

static bool is_lost(const struct nvml_handle *device)
{
	return told.fault == FAULT_LOST && device->gpu == told.gpus - 1;
}

static int tree_uuid(const struct nvml_handle *device, const struct tree_gpu *gpu, char *uuid,
		     unsigned int size)
{
	if (device->mig < 0)
		(void)snprintf(uuid, size, "%s", gpu->uuid);
	else /* the GPU's, with two other digits at the end */
		(void)snprintf(uuid, size, "MIG-%.34s%02u", gpu->uuid + strlen("GPU-"),
			       gpu->gis[device->mig]);
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetUUID, struct nvml_handle *device, char *uuid, unsigned int size)
{
	const struct tree_gpu *gpu = tree_gpu(device);

	if (gpu)
		return tree_uuid(device, gpu, uuid, size);
	if (is_lost(device))
		return ERROR_GPU_IS_LOST;
	if (endless(uuid, size))
		return NVML_SUCCESS;
	if (device->mig < 0)
		(void)snprintf(uuid, size, "GPU-00000000-0000-0000-0000-%012u", device->gpu);
	else
		(void)snprintf(uuid, size, "MIG-00000000-0000-0000-%04d-%012u", device->mig,
			       device->gpu);
	return NVML_SUCCESS;
}

static void set_bus_id(struct nvml_pci_info *info, unsigned int bus)
{
	memset(info, 0, sizeof(*info));
	if (!endless(info->bus_id, sizeof(info->bus_id)))
		(void)snprintf(info->bus_id, sizeof(info->bus_id), "00000000:%02X:00.0", bus);
}

NVML(nvmlDeviceGetPciInfo_v3, struct nvml_handle *device, struct nvml_pci_info *info)
{
	const struct tree_gpu *gpu = tree_gpu(device);

	if (is_lost(device))
		return ERROR_GPU_IS_LOST;
	set_bus_id(info, 0x3b + device->gpu);
	if (gpu)
		(void)snprintf(info->bus_id, sizeof(info->bus_id), "0000%.20s", gpu->bdf);
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetName, struct nvml_handle *device, char *name, unsigned int size)
{
	if (endless(name, size))
		return NVML_SUCCESS;
	(void)snprintf(name, size, "NVIDIA H200%s", device->mig < 0 ? "" : " MIG 1g.18gb");
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetMemoryInfo, struct nvml_handle *device, struct nvml_memory *memory)
{
	unsigned long long mib = device->mig < 0 ? 143771 : 16384;

	if (told.fault == FAULT_HANG)
		hang();
	if (told.fault == FAULT_CRASH)
		crash();
	if (told.fault == FAULT_EXIT)
		_exit(0);
	*memory = (struct nvml_memory) { .total = mib << 20, .used = 1 << 20 };
	if (wrong_numbers())
		memset(memory, 0xff, sizeof(*memory));
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetTemperature, struct nvml_handle *device, unsigned int sensor,
     unsigned int *celsius)
{
	if (sensor != NVML_SENSOR_GPU || device->mig >= 0)
		return ERROR_NOT_SUPPORTED;
	*celsius = wrong_numbers() ? UINT_MAX : 41;
	return NVML_SUCCESS;
}

#ifndef FAKE_NVML_OLDER

NVML(nvmlSystemGetCudaDriverVersion_v2, int *version)
{
	*version = wrong_numbers() ? -12080 : 12080;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetMinorNumber, struct nvml_handle *device, unsigned int *minor)
{
	*minor = wrong_numbers() ? UINT_MAX : device->gpu;
	if (tree_gpu(device))
		*minor = tree_gpu(device)->minor;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetMemoryInfo_v2, struct nvml_handle *device, struct nvml_memory_v2 *memory)
{
	struct nvml_memory older;

	if (memory->version != NVML_MEMORY_V2_VERSION)
		return ERROR_INVALID_ARGUMENT;
	(void)nvmlDeviceGetMemoryInfo(device, &older);
	memory->total = older.total;
	memory->used = older.used;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetCudaComputeCapability, _unused_ struct nvml_handle *device, int *major,
     int *minor)
{
	*major = wrong_numbers() ? INT_MIN : 9;
	*minor = 0;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetUtilizationRates, _unused_ struct nvml_handle *device,
     struct nvml_utilization *utilization)
{
	if (told.migs > 0)
		return ERROR_NOT_SUPPORTED; /* as it is where MIG is on */
	*utilization = (struct nvml_utilization) { .gpu = 37, .memory = 11 };
	if (wrong_numbers())
		*utilization = (struct nvml_utilization) { .gpu = UINT_MAX, .memory = 101 };
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetTemperatureV, struct nvml_handle *device, struct nvml_temperature *temperature)
{
	if (temperature->version != NVML_TEMPERATURE_V1_VERSION || device->mig >= 0)
		return ERROR_INVALID_ARGUMENT;
	temperature->celsius = wrong_numbers() ? -1 : 42;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetPowerUsage, _unused_ struct nvml_handle *device, unsigned int *milliwatts)
{
	*milliwatts = wrong_numbers() ? UINT_MAX : 123456;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetTotalEccErrors, _unused_ struct nvml_handle *device, unsigned int type,
     unsigned int counter, unsigned long long *count)
{
	if (type != NVML_ECC_UNCORRECTED || counter != NVML_ECC_VOLATILE)
		return ERROR_INVALID_ARGUMENT;
	*count = wrong_numbers() ? ULLONG_MAX - 1 : 3;
	return NVML_SUCCESS;
}

static unsigned int recovery_action(const struct nvml_handle *device)
{
	if (wrong_numbers())
		return UINT_MAX;
	return told.fault == FAULT_RESET && device->gpu == 0;
}

NVML(nvmlDeviceGetFieldValues, struct nvml_handle *device, int count, struct nvml_field *fields)
{
	for (int i = 0; i < count; i++) {
		bool known = fields[i].id == NVML_FIELD_RECOVERY_ACTION;

		fields[i].result = known ? NVML_SUCCESS : ERROR_NOT_SUPPORTED;
		fields[i].value.number = recovery_action(device);
	}
	return NVML_SUCCESS;
}

/* How many MIG devices a GPU has. */
static unsigned int count_migs(const struct nvml_handle *device)
{
	return tree_gpu(device) ? tree_gpu(device)->n_gis : told.migs;
}

NVML(nvmlDeviceGetMigMode, struct nvml_handle *device, unsigned int *current, unsigned int *pending)
{
	*current = count_migs(device) > 0 || told.fault == FAULT_MIGS;
	*pending = wrong_numbers() ? UINT_MAX : *current;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetMaxMigDeviceCount, _unused_ struct nvml_handle *device, unsigned int *count)
{
	*count = told.fault == FAULT_MIGS ? UINT_MAX : MIGS_MAX;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetMigDeviceHandleByIndex, struct nvml_handle *device, unsigned int index,
     struct nvml_handle **mig)
{
	if (told.fault == FAULT_MIGS)
		index %= MIGS_MAX;
	else if (index >= count_migs(device))
		return NVML_ERROR_NOT_FOUND;
	*mig = &migs[device->gpu][index];
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetGpuInstanceId, struct nvml_handle *mig, unsigned int *id)
{
	*id = tree_gpu(mig) ? tree_gpu(mig)->gis[mig->mig] : (unsigned int)mig->mig + 7;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetComputeInstanceId, _unused_ struct nvml_handle *mig, unsigned int *id)
{
	*id = 0;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetAttributes_v2, struct nvml_handle *mig, struct nvml_attributes *attributes)
{
	if (mig->mig < 0)
		return ERROR_INVALID_ARGUMENT;
	*attributes = (struct nvml_attributes) { .multiprocessors = 16,
						 .gpu_instance_slices = 1,
						 .compute_instance_slices = 1,
						 .memory_mib = 16384 };
	if (wrong_numbers())
		memset(attributes, 0xff, sizeof(*attributes));
	return NVML_SUCCESS;
}

/* Two links to a switch, one to the next GPU, one that is down. */
NVML(nvmlDeviceGetNvLinkState, _unused_ struct nvml_handle *device, unsigned int link,
     unsigned int *active)
{
	if (link > 3)
		return ERROR_INVALID_ARGUMENT;
	*active = link < 3;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetNvLinkRemotePciInfo_v2, struct nvml_handle *device, unsigned int link,
     struct nvml_pci_info *info)
{
	set_bus_id(info, link < 2 ? 0xa0 : 0x3c + device->gpu);
	return NVML_SUCCESS;
}

NVML(nvmlDeviceGetNvLinkRemoteDeviceType, _unused_ struct nvml_handle *device, unsigned int link,
     unsigned int *type)
{
	*type = link < 2 ? 2 : 0;
	return NVML_SUCCESS;
}

NVML(nvmlEventSetCreate, struct nvml_event_set **set)
{
	*set = &events;
	return NVML_SUCCESS;
}

NVML(nvmlDeviceRegisterEvents, _unused_ struct nvml_handle *device, unsigned long long types,
     _unused_ struct nvml_event_set *set)
{
	return types == NVML_EVENT_XID ? NVML_SUCCESS : ERROR_INVALID_ARGUMENT;
}

static int deliver(struct nvml_event_set *set, struct nvml_event_data *data)
{
	set->serial = told.serial;
	*data = (struct nvml_event_data) { .device = &gpus[0],
					   .type = NVML_EVENT_XID,
					   .data = told.xid,
					   .gpu_instance = (unsigned int)told.instance,
					   .compute_instance = (unsigned int)told.instance };
	return NVML_SUCCESS;
}

NVML(nvmlEventSetWait_v2, struct nvml_event_set *set, struct nvml_event_data *data,
     unsigned int timeout_ms)
{
	if (told.fault == FAULT_WAIT_HANG)
		hang();
	if (told.fault == FAULT_WAIT_BUSY)
		return NVML_ERROR_TIMEOUT;
	if (told.fault == FAULT_WAIT_ERROR)
		return ERROR_UNKNOWN;
	if (told.fault == FAULT_WAIT_STORM)
		return deliver(set, data);
	if (tree_gpu(&gpus[0])) { /* nothing happens there, and to look takes its time */
		(void)poll(NULL, 0, (int)timeout_ms);
		return NVML_ERROR_TIMEOUT;
	}
	for (unsigned int waited = 0; waited < timeout_ms; waited += LOOK_MS) {
		look();
		if (set->serial != told.serial)
			return deliver(set, data);
		(void)poll(NULL, 0, LOOK_MS);
	}
	return NVML_ERROR_TIMEOUT;
}

#endif
