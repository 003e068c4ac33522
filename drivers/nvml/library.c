/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvml/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/parse.h"

#define LIBRARY "libnvidia-ml.so.1"
#define ERROR_STRING_MAX 128 /* the longest that NVML has is about half of it */

/* Where drivers are installed to, below the root of a host. */
static const char *const directories[] = {
	"/usr/lib/x86_64-linux-gnu",			/* Debian, Ubuntu */
	"/usr/lib/aarch64-linux-gnu",			/* the same */
	"/usr/lib64",					/* Red Hat, SUSE, Amazon Linux */
	"/usr/lib",					/* Arch */
	"/usr/lib/x86_64-linux-gnu/nvidia/current",	/* Debian's own packages */
	"/run/nvidia/driver/usr/lib/x86_64-linux-gnu",	/* the GPU operator's container */
	"/run/nvidia/driver/usr/lib/aarch64-linux-gnu", /* the same */
	"/run/nvidia/driver/usr/lib64",			/* the same */
	"/home/kubernetes/bin/nvidia/lib64",		/* Container-Optimized OS */
	"/run/opengl-driver/lib",			/* NixOS */
};

struct symbol {
	const char *name;
	const char *older; /* tried when the library has no @name; NULL if there is none */
	bool required;
	size_t offset;
};

#define SYMBOL(member, ...)                                        \
	{                                                          \
		__VA_ARGS__, offsetof(struct nvml_library, member) \
	}

static const struct symbol symbols[] = {
	SYMBOL(init, "nvmlInit_v2", NULL, true),
	SYMBOL(error_string, "nvmlErrorString", NULL, false),
	SYMBOL(driver_version, "nvmlSystemGetDriverVersion", NULL, false),
	SYMBOL(cuda_version, "nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion",
	       false),
	SYMBOL(device_count, "nvmlDeviceGetCount_v2", NULL, true),
	SYMBOL(device_by_index, "nvmlDeviceGetHandleByIndex_v2", NULL, true),
	SYMBOL(uuid, "nvmlDeviceGetUUID", NULL, true),
	SYMBOL(pci_info, "nvmlDeviceGetPciInfo_v3", NULL, true),
	SYMBOL(minor, "nvmlDeviceGetMinorNumber", NULL, false),
	SYMBOL(name, "nvmlDeviceGetName", NULL, false),
	SYMBOL(memory, "nvmlDeviceGetMemoryInfo", NULL, false),
	SYMBOL(memory_v2, "nvmlDeviceGetMemoryInfo_v2", NULL, false),
	SYMBOL(compute_capability, "nvmlDeviceGetCudaComputeCapability", NULL, false),
	SYMBOL(utilization, "nvmlDeviceGetUtilizationRates", NULL, false),
	SYMBOL(temperature, "nvmlDeviceGetTemperature", NULL, false),
	SYMBOL(temperature_v1, "nvmlDeviceGetTemperatureV", NULL, false),
	SYMBOL(power, "nvmlDeviceGetPowerUsage", NULL, false),
	SYMBOL(ecc_errors, "nvmlDeviceGetTotalEccErrors", NULL, false),
	SYMBOL(field_values, "nvmlDeviceGetFieldValues", NULL, false),
	SYMBOL(mig_mode, "nvmlDeviceGetMigMode", NULL, false),
	SYMBOL(mig_count, "nvmlDeviceGetMaxMigDeviceCount", NULL, false),
	SYMBOL(mig_by_index, "nvmlDeviceGetMigDeviceHandleByIndex", NULL, false),
	SYMBOL(gpu_instance, "nvmlDeviceGetGpuInstanceId", NULL, false),
	SYMBOL(compute_instance, "nvmlDeviceGetComputeInstanceId", NULL, false),
	SYMBOL(attributes, "nvmlDeviceGetAttributes_v2", NULL, false),
	SYMBOL(link_state, "nvmlDeviceGetNvLinkState", NULL, false),
	SYMBOL(link_remote, "nvmlDeviceGetNvLinkRemotePciInfo_v2", NULL, false),
	SYMBOL(link_type, "nvmlDeviceGetNvLinkRemoteDeviceType", NULL, false),
	SYMBOL(event_set_create, "nvmlEventSetCreate", NULL, false),
	SYMBOL(register_events, "nvmlDeviceRegisterEvents", NULL, false),
	/* The older one leaves the instances at the end of the struct as they are. */
	SYMBOL(event_wait, "nvmlEventSetWait_v2", "nvmlEventSetWait", false),
};

static int find_symbols(void *handle, struct nvml_library *ret, struct error *err)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		const struct symbol *symbol = &symbols[i];
		void *found = dlsym(handle, symbol->name);

		if (!found && symbol->older)
			found = dlsym(handle, symbol->older);
		if (!found && symbol->required)
			return error_set(err, ELIBBAD, LIBRARY " has no %s()", symbol->name);
		/* dlsym() gives functions as objects; their bytes are the same. */
		memcpy((char *)ret + symbol->offset, &found, sizeof(found));
	}
	return 0;
}

static int load(const char *path, struct nvml_library *ret, struct error *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const char *why = handle ? NULL : dlerror();

	if (!handle)
		return error_set(err, ELIBBAD, "load '%s': %s", path, why ? why : "no reason");
	return find_symbols(handle, ret, err);
}

static int load_below(const char *root, struct nvml_library *ret, struct error *err)
{
	int result = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s%s/" LIBRARY, root, directories[i]);

		if (len < 0 || (size_t)len >= sizeof(path) || access(path, F_OK) < 0)
			continue;
		result = load(path, ret, err);
		if (result == 0)
			return 0;
	}
	return result;
}

int nvml_library_open(const char *root, struct nvml_library *ret, struct error *err)
{
	bool is_root = strcmp(root, "/") == 0;
	int r = is_root ? -ENOENT : load_below(root, ret, err);

	if (r == 0 || load(LIBRARY, ret, r == -ENOENT ? err : NULL) == 0)
		return 0;
	if (is_root)
		r = load_below("", ret, err);
	if (r == -ENOENT)
		return error_set(err, ENOENT, "there is no " LIBRARY);
	return r;
}

const char *nvml_library_error(const struct nvml_library *library, int result)
{
	const char *text = library->error_string ? library->error_string(result) : NULL;

	if (!text || strnlen(text, ERROR_STRING_MAX) == ERROR_STRING_MAX || !str_is_printable(text))
		return "an error without a text";
	return text;
}
