/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels that the tools of NVIDIA, AMD and Intel write.
 *
 * Of NVIDIA's GPUs under the strategy "single" it is the MIG devices that the labels of a
 * GPU are about; under "mixed" they have labels of their own, named as their resources.
 *
 * Source: NVIDIA/k8s-device-plugin at 1b826ac, internal/lm and docs/gpu-feature-discovery;
 * ROCm/k8s-device-plugin at ed76468, cmd/k8s-node-labeller; ROCm/gpu-operator, manual, "GPU
 * Partition Labels"; intel/intel-device-plugins-for-kubernetes at 94a91bc,
 * deployments/nfd/overlays/node-feature-rules
 */
#include "node-labeller/label_rows.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "node-labeller/facts.h"

/* A fact that the driver has noted for labels; @names is indexed by the row's argument. */
static bool take_fact(const struct label_item *item, const char *name, char *text)
{
	const char *value = device_fact(item->device, name);

	return value && label_printf(text, "%s", value);
}

/* --- NVIDIA --- */

#define MIG_RESOURCE "nvidia.com/mig-"
#define GPU_RESOURCE "nvidia.com/gpu"
#define RENAMED ".shared" /* behind the name of a resource: nothing has to say it again */

/* Whether it is by the name of a GPU, renamed or not, that parts are offered. */
static bool is_single(const struct offer_resource *resource)
{
	const char *rest = resource ? str_starts_with(resource->name, GPU_RESOURCE) : NULL;

	return rest && (rest[0] == '\0' || strcmp(rest, RENAMED) == 0);
}

/* What the labels of a GPU are about. */
static bool select_gpu(const struct label_item *item)
{
	if (item->partition)
		return is_single(item->resource);
	return !item->device->partitioned || !is_single(item->part_resource);
}

/* What labels of its own profile are about. */
static bool select_mig(const struct label_item *item)
{
	return item->partition && item->resource && !is_single(item->resource);
}

static bool is_renamed(const struct offer_resource *resource)
{
	size_t len = strlen(resource->name), suffix = sizeof(RENAMED) - 1;

	return len > suffix && strcmp(resource->name + len - suffix, RENAMED) == 0;
}

static bool is_shared(const struct label_item *item)
{
	return item->resource && item->rule->shares > 0;
}

static bool fact_gpu_product(const struct label_item *item, _unused_ int arg, char *text)
{
	const char *mig = item->partition ? "-MIG-" : "";
	const char *shared = is_shared(item) && !is_renamed(item->resource) ? "-SHARED" : "";
	char profile[LABEL_TEXT_MAX] = "";

	if (item->partition && !fact_profile(item, 0, profile))
		return false;
	return item->device->product[0] != '\0' &&
	       label_printf(text, "%s%s%s%s", item->device->product, mig, profile, shared);
}

/* None of a GPU that MIG has cut: its parts are what is offered. */
static bool fact_replicas(const struct label_item *item, _unused_ int arg, char *text)
{
	if (!item->partition && item->device->partitioned)
		return label_printf(text, "0");
	return label_printf(text, "%u", is_shared(item) ? item->rule->shares : 1);
}

static bool fact_sharing(const struct label_item *item, _unused_ int arg, char *text)
{
	if (!is_shared(item))
		return label_printf(text, "none");
	return label_printf(text, "%s",
			    item->resource->terms.mps_pipe_dir[0] != '\0' ? "mps" : "time-slicing");
}

/* Of GPUs that MIG has cut and others that are whole, the latter decide: only they are
 * offered under the name of a GPU. */
static bool agree_on(const struct label_group *group, label_fact_fn fact, bool cut, char *text)
{
	char other[LABEL_TEXT_MAX];
	bool said = false;

	for (size_t i = 0; i < group->n; i++) {
		const struct label_item *item = group->items[i];

		if ((!item->partition && item->device->partitioned) != cut)
			continue;
		if (!fact(item, 0, said ? other : text) || (said && strcmp(text, other) != 0))
			return false;
		said = true;
	}
	return said;
}

static bool has_whole(const struct label_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (group->items[i]->partition || !group->items[i]->device->partitioned)
			return true;
	return false;
}

enum gpu_value {
	GPU_PRODUCT,
	GPU_REPLICAS,
	GPU_SHARING,
	_GPU_VALUE_MAX,
};

static bool value_gpu(const struct label_group *group, int arg, char *text)
{
	static const label_fact_fn facts[_GPU_VALUE_MAX] = {
		[GPU_PRODUCT] = fact_gpu_product,
		[GPU_REPLICAS] = fact_replicas,
		[GPU_SHARING] = fact_sharing,
	};

	return agree_on(group, facts[arg], !has_whole(group), text);
}

static bool fact_compute_major(const struct label_item *item, _unused_ int arg, char *text)
{
	return take_fact(item, "compute.major", text);
}

static bool fact_compute_minor(const struct label_item *item, _unused_ int arg, char *text)
{
	return take_fact(item, "compute.minor", text);
}

static bool fact_cuda(const struct label_item *item, int arg, char *text)
{
	char version[LABEL_TEXT_MAX];

	return take_fact(item, "cuda.version", version) &&
	       version_part(version, (enum version_part)arg, text);
}

/* What only a MIG device has: a whole GPU says nothing. */
static bool fact_multiprocessors(const struct label_item *item, _unused_ int arg, char *text)
{
	char name[DEVICE_FACT_MAX];

	if (!item->partition)
		return false;
	(void)snprintf(name, sizeof(name), "%s.multiprocessors", item->partition->profile);
	return take_fact(item, name, text);
}

/* "1c.3g.71gb" is one compute slice of a GPU instance of three; "3g.71gb" has all three. */
static bool take_slices(const char *profile, char unit, char *text)
{
	size_t n = strspn(profile, "0123456789");

	if (n == 0 || n > 2)
		return false;
	if (profile[n] == unit)
		return label_printf(text, "%.*s", (int)n, profile);
	return profile[n] == 'c' && profile[n + 1] == '.' &&
	       take_slices(profile + n + 2, unit, text);
}

static bool fact_slices_gi(const struct label_item *item, _unused_ int arg, char *text)
{
	return item->partition && take_slices(item->partition->profile, 'g', text);
}

static bool fact_slices_ci(const struct label_item *item, _unused_ int arg, char *text)
{
	return item->partition && (take_slices(item->partition->profile, 'c', text) ||
				   take_slices(item->partition->profile, 'g', text));
}

static bool value_gpu_machine(const struct label_group *group, _unused_ int arg, char *text)
{
	const char *machine = group->view->input->machine;

	return group->n > 0 && label_printf(text, "%s", machine[0] != '\0' ? machine : "unknown");
}

/* PCI class of a card with a display, and of one without. */
static bool value_gpu_mode(const struct label_group *group, _unused_ int arg, char *text)
{
	static const struct {
		uint32_t class;
		const char *mode;
	} modes[] = { { 0x030000, "graphics" }, { 0x030200, "compute" } };
	uint32_t class = group->n > 0 ? group->items[0]->device->pci.class : 0;

	for (size_t i = 0; i < group->n; i++) {
		if (group->items[i]->device->pci.vendor == 0)
			return false;
		if (group->items[i]->device->pci.class != class)
			return label_printf(text, "unknown");
	}
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (modes[i].class == class)
			return label_printf(text, "%s", modes[i].mode);
	return group->n > 0 && label_printf(text, "unknown");
}

/* "true" if one is known to be capable; nothing where one may be, for all that is known. */
static bool value_mig_capable(const struct label_group *group, _unused_ int arg, char *text)
{
	bool unknown = group->n == 0;

	for (size_t i = 0; i < group->n; i++) {
		const struct device *device = group->items[i]->device;
		const char *capable = device_fact(device, "mig.capable");

		if (device->partitioned || (capable && strcmp(capable, "true") == 0))
			return label_printf(text, "true");
		unknown = unknown || !capable;
	}
	return !unknown && label_printf(text, "false");
}

static bool value_mig_strategy(const struct label_group *group, _unused_ int arg, char *text)
{
	for (size_t i = 0; i < group->n; i++) {
		const struct offer_resource *resource = group->items[i]->part_resource;

		if (resource && group->items[i]->device->partitioned)
			return label_printf(text, is_single(resource) ? "single" : "mixed");
	}
	return false;
}

/* MPS is what the configuration says, and cannot be with MIG. */
static bool value_mps_capable(const struct label_group *group, _unused_ int arg, char *text)
{
	bool mps = false;

	for (size_t i = 0; i < group->n; i++) {
		const struct label_item *item = group->items[i];

		if (item->device->partitioned)
			return label_printf(text, "false");
		mps = mps || (is_shared(item) && item->resource->terms.mps_pipe_dir[0] != '\0');
	}
	return group->n > 0 && label_printf(text, mps ? "true" : "false");
}

#define NVIDIA .family = CONFIG_FAMILY_VENDOR, .driver = "nvidia"
#define GPU(KEY, FACT, TEXT, EXAMPLE)                                                       \
	{                                                                                   \
		NVIDIA, .key = "nvidia.com/gpu." KEY, .select = select_gpu, .fact = (FACT), \
			.text = (TEXT), .example = EXAMPLE                                  \
	}
#define GPU_VALUE(KEY, VALUE, TEXT, EXAMPLE)                                                     \
	{                                                                                        \
		NVIDIA, .key = "nvidia.com/gpu." KEY, .select = select_gpu, .value = value_gpu,  \
			.arg = (VALUE), .also = fact_product, .text = (TEXT), .example = EXAMPLE \
	}
#define MIG(KEY, FACT, TEXT, EXAMPLE)                                                             \
	{                                                                                         \
		NVIDIA, .key = MIG_RESOURCE "{profile}." KEY, .select = select_mig,               \
			.split = fact_profile, .fact = (FACT), .text = (TEXT), .example = EXAMPLE \
	}
#define NODE(KEY, VALUE, TEXT, EXAMPLE)                                             \
	{                                                                           \
		NVIDIA, .key = "nvidia.com/" KEY, .value = (VALUE), .text = (TEXT), \
			.example = EXAMPLE                                          \
	}
#define CUDA(KEY, FACT, PART, TEXT, EXAMPLE)                                           \
	{                                                                              \
		NVIDIA, .key = "nvidia.com/cuda." KEY, .fact = (FACT), .also = (FACT), \
			.arg = (PART), .text = (TEXT), .example = EXAMPLE              \
	}

static const struct label_row nvidia_rows[] = {
	{
		NVIDIA,
		.key = "nvidia.com/gpu.count",
		.select = select_gpu,
		.value = value_count,
		.text = "Number of GPUs, of all models; with the strategy `single`, of MIG devices "
			"and of the GPUs that are whole.",
		.example = "8",
	},
	GPU_VALUE("product", GPU_PRODUCT,
		  "Product; `-MIG-<profile>` behind it with the strategy `single`, `-SHARED` where "
		  "it is shared under its own name.",
		  "NVIDIA-H200-SHARED"),
	GPU("memory", fact_memory, "Memory in MiB.", "143771"),
	GPU("family", fact_architecture, "Architecture.", "hopper"),
	GPU("compute.major", fact_compute_major, "First number of the compute capability.", "9"),
	{
		NVIDIA,
		.key = "nvidia.com/gpu.compute.minor",
		.fact = fact_compute_minor,
		.also = fact_compute_major,
		.text = "Its second number.",
		.example = "0",
	},
	GPU_VALUE("replicas", GPU_REPLICAS, "Shares of one GPU; `0` where MIG has cut all.", "4"),
	GPU_VALUE("sharing-strategy", GPU_SHARING, "`none`, `time-slicing` or `mps`.",
		  "time-slicing"),
	GPU("multiprocessors", fact_multiprocessors,
	    "Multiprocessors of one MIG device. This and the next two only with the strategy "
	    "`single`, where no GPU is whole.",
	    "16"),
	GPU("slices.gi", fact_slices_gi, "Slices of its GPU instance.", "1"),
	GPU("slices.ci", fact_slices_ci, "Slices of its compute instance.", "1"),
	NODE("gpu.machine", value_gpu_machine, "Product name of the machine.", "DGX-H200"),
	NODE("gpu.mode", value_gpu_mode, "`graphics` or `compute`, by PCI class.", "compute"),
	NODE("mig.capable", value_mig_capable, "Whether a GPU can be cut by MIG.", "true"),
	NODE("mig.strategy", value_mig_strategy,
	     "`single` where MIG devices are offered under the name of a GPU, `mixed` where under "
	     "names of their own.",
	     "mixed"),
	NODE("mps.capable", value_mps_capable, "Whether shares are clients of MPS.", "false"),
	{
		NVIDIA,
		.key = MIG_RESOURCE "{profile}.count",
		.select = select_mig,
		.split = fact_profile,
		.value = value_count,
		.text = "Number of MIG devices of this profile.",
		.example = "7",
	},
	MIG("product", fact_gpu_product, "As `nvidia.com/gpu.product`.", "NVIDIA-H200-MIG-1g.18gb"),
	MIG("memory", fact_memory, "Memory of one in MiB.", "16384"),
	MIG("multiprocessors", fact_multiprocessors, "Multiprocessors of one.", "16"),
	MIG("slices.gi", fact_slices_gi, "Slices of its GPU instance.", "1"),
	MIG("slices.ci", fact_slices_ci, "Slices of its compute instance.", "1"),
	MIG("replicas", fact_replicas, "Shares of one.", "1"),
	MIG("sharing-strategy", fact_sharing, "`none`, `time-slicing` or `mps`.", "none"),
	CUDA("driver-version.full", fact_driver_version, VERSION_FULL,
	     "Version of the kernel driver.", "550.54.15"),
	CUDA("driver-version.major", fact_driver_version, VERSION_MAJOR, "Its first number.",
	     "550"),
	CUDA("driver-version.minor", fact_driver_version, VERSION_MINOR, "Its second number.",
	     "54"),
	CUDA("driver-version.revision", fact_driver_version, VERSION_REVISION,
	     "Its third number; may be empty.", "15"),
	CUDA("runtime-version.full", fact_cuda, VERSION_FULL, "Newest CUDA that the driver can do.",
	     "12.4"),
	CUDA("runtime-version.major", fact_cuda, VERSION_MAJOR, "Its first number.", "12"),
	CUDA("runtime-version.minor", fact_cuda, VERSION_MINOR, "Its second number.", "4"),
};

const struct label_table label_table_nvidia = {
	.title = "NVIDIA",
	.text = "Names and values of GPU Feature Discovery. Memory, family, compute capability "
		"and\n"
		"what is said of MIG need NVML, and are left out where it does not answer. Not\n"
		"written: `gfd.timestamp`, which would change the node for nothing; `gpu.clique`,\n"
		"`vgpu.*`, `engines.*` and the names without `-version`, which are deprecated.\n"
		"Where models differ, the first one does not stand for all: what they do not "
		"agree\n"
		"on is left out.",
	.rows = nvidia_rows,
	.n = ARRAY_SIZE(nvidia_rows),
};

/* --- AMD --- */

/* In GiB, to the nearest. */
static bool fact_vram(const struct label_item *item, _unused_ int arg, char *text)
{
	const uint64_t gib = UINT64_C(1) << 30;
	uint64_t n = (item->device->memory_bytes + gib / 2) / gib;

	return n > 0 && label_printf(text, "%" PRIu64 "G", n);
}

/* "AMD Instinct MI210 (MCM)" into "AMD_Instinct_MI210_MCM". */
static bool fact_product_name(const struct label_item *item, _unused_ int arg, char *text)
{
	char *out = text;

	if (!take_fact(item, "product-name", text))
		return false;
	for (const char *in = text; *in; in++)
		if (!strchr("()", *in))
			*out++ = (char)(*in == ' ' ? '_' : *in);
	*out = '\0';
	return text[0] != '\0';
}

enum amd_fact {
	AMD_SIMD_COUNT,
	AMD_CU_COUNT,
	AMD_SRC_VERSION,
	AMD_PARTITION,
	_AMD_FACT_MAX,
};

static bool fact_amd(const struct label_item *item, int arg, char *text)
{
	static const char *const names[_AMD_FACT_MAX] = {
		[AMD_SIMD_COUNT] = "simd-count",
		[AMD_CU_COUNT] = "cu-count",
		[AMD_SRC_VERSION] = "driver-src-version",
		[AMD_PARTITION] = "partition",
	};

	return take_fact(item, names[arg], text);
}

enum amd_support {
	AMD_COMPUTE_PARTITIONING,
	AMD_MEMORY_PARTITIONING,
	_AMD_SUPPORT_MAX,
};

/* "true" where one card can be cut. */
static bool value_amd_support(const struct label_group *group, int arg, char *text)
{
	static const char *const names[_AMD_SUPPORT_MAX] = {
		[AMD_COMPUTE_PARTITIONING] = "compute-partitioning",
		[AMD_MEMORY_PARTITIONING] = "memory-partitioning",
	};

	for (size_t i = 0; i < group->n; i++)
		if (device_fact(group->items[i]->device, names[arg]))
			return label_printf(text, "true");
	return group->n > 0 && label_printf(text, "false");
}

#define AMD .family = CONFIG_FAMILY_VENDOR, .driver = "amd"
#define AMD_GPU(KEY, FACT, ARG, TEXT, EXAMPLE)                                                \
	{                                                                                     \
		AMD, .key = "amd.com/gpu." KEY, .fact = (FACT), .arg = (ARG), .text = (TEXT), \
		     .example = EXAMPLE                                                       \
	}
#define AMD_BETA(KEY, FACT, ARG, TEXT)                                                          \
	{                                                                                       \
		AMD, .key = "beta.amd.com/gpu." KEY ".{value}", .when = LABEL_BETA,             \
		     .split = (FACT), .split_arg = (ARG), .value = value_count, .text = (TEXT), \
		     .example = "8"                                                             \
	}

static const struct label_row amd_rows[] = {
	AMD_GPU("vram", fact_vram, 0, "Memory of one card in GiB, rounded.", "192G"),
	AMD_GPU("device-id", fact_pci_device, 0, "PCI device id.", "74a1"),
	AMD_GPU("product-name", fact_product_name, 0, "Product.", "AMD_Instinct_MI300X_OAM"),
	AMD_GPU("simd-count", fact_amd, AMD_SIMD_COUNT,
		"SIMDs of one card, of its first part where it is cut.", "1216"),
	AMD_GPU("cu-count", fact_amd, AMD_CU_COUNT, "Compute units, the same.", "304"),
	AMD_GPU("driver-version", fact_driver_version, VERSION_FULL,
		"Version of the kernel driver.", "6.10.5"),
	AMD_GPU("driver-src-version", fact_amd, AMD_SRC_VERSION,
		"Version of the source of the kernel driver.", "5E6C12C3D5E8C2F0B1A4D11"),
	{
		AMD,
		.key = "amd.com/compute-memory-partition",
		.fact = fact_amd,
		.arg = AMD_PARTITION,
		.text = "How the cards are cut.",
		.example = "cpx_nps1",
	},
	{
		AMD,
		.key = "amd.com/compute-partitioning-supported",
		.value = value_amd_support,
		.arg = AMD_COMPUTE_PARTITIONING,
		.text = "Whether a card can be cut.",
		.example = "true",
	},
	{
		AMD,
		.key = "amd.com/memory-partitioning-supported",
		.value = value_amd_support,
		.arg = AMD_MEMORY_PARTITIONING,
		.text = "Whether the memory of a card can be.",
		.example = "true",
	},
	AMD_BETA("vram", fact_vram, 0, "Number of cards with so much memory."),
	AMD_BETA("device-id", fact_pci_device, 0, "Number of cards with this PCI device id."),
	AMD_BETA("product-name", fact_product_name, 0, "Number of cards of this product."),
	AMD_BETA("simd-count", fact_amd, AMD_SIMD_COUNT, "Number of cards with so many SIMDs."),
	AMD_BETA("cu-count", fact_amd, AMD_CU_COUNT, "Number of cards with so many compute units."),
};

const struct label_table label_table_amd = {
	.title = "AMD",
	.text = "Names and values of the node labeller in `ROCm/k8s-device-plugin`. Not written:\n"
		"`family` and `firmware`, which need libdrm. The form that counts, under\n"
		"`beta.amd.com/`, needs `labels.betaNames`.",
	.rows = amd_rows,
	.n = ARRAY_SIZE(amd_rows),
};

/* --- Intel --- */

/* What the rules name, and nothing else. */
static const struct intel_model {
	uint16_t device;
	const char *family;
	const char *product; /* NULL: the rules name none */
} intel_models[] = {
	{ 0x0bda, "Max_Series", "Max_1100" },  { 0x0bd5, "Max_Series", "Max_1550" },
	{ 0x0bd0, "Max_Series", NULL },	       { 0x0bd6, "Max_Series", NULL },
	{ 0x0bd7, "Max_Series", NULL },	       { 0x0bd9, "Max_Series", NULL },
	{ 0x0bdb, "Max_Series", NULL },	       { 0x56c0, "Flex_Series", "Flex_170" },
	{ 0x56c1, "Flex_Series", "Flex_140" }, { 0x5690, "A_Series", NULL },
	{ 0x5691, "A_Series", NULL },	       { 0x5692, "A_Series", NULL },
	{ 0x5693, "A_Series", NULL },	       { 0x5694, "A_Series", NULL },
	{ 0x5695, "A_Series", NULL },	       { 0x5696, "A_Series", NULL },
	{ 0x5697, "A_Series", NULL },	       { 0x56a0, "A_Series", NULL },
	{ 0x56a1, "A_Series", NULL },	       { 0x56a3, "A_Series", NULL },
	{ 0x56a4, "A_Series", NULL },	       { 0x56a5, "A_Series", NULL },
	{ 0x56a6, "A_Series", NULL },	       { 0x56b0, "A_Series", NULL },
	{ 0x56b1, "A_Series", NULL },	       { 0x56b2, "A_Series", NULL },
	{ 0x56b3, "A_Series", NULL },
};

#define PCI_CLASS_VGA 0x0300
#define PCI_CLASS_DISPLAY 0x0380

/* NPUs have no labels. */
static bool select_intel_gpu(const struct label_item *item)
{
	uint32_t class = item->device->pci.class >> 8;

	return !item->partition && (class == PCI_CLASS_VGA || class == PCI_CLASS_DISPLAY);
}

enum intel_fact {
	INTEL_FAMILY,
	INTEL_PRODUCT,
};

static bool fact_intel(const struct label_item *item, int arg, char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(intel_models); i++) {
		const struct intel_model *model = &intel_models[i];
		const char *word = arg == INTEL_FAMILY ? model->family : model->product;

		if (model->device == item->device->pci.device)
			return word && label_printf(text, "%s", word);
	}
	return false;
}

static bool fact_intel_id(const struct label_item *item, _unused_ int arg, char *text)
{
	return label_printf(text, "%04" PRIx32 "-%04x", item->device->pci.class >> 8,
			    item->device->pci.device);
}

#define INTEL .family = CONFIG_FAMILY_VENDOR, .driver = "intel", .select = select_intel_gpu

static const struct label_row intel_rows[] = {
	{
		INTEL,
		.key = "intel.feature.node.kubernetes.io/gpu",
		.value = value_true,
		.text = "The node has a GPU.",
		.example = "true",
	},
	{
		INTEL,
		.key = "gpu.intel.com/device-id.{device}.present",
		.split = fact_intel_id,
		.value = value_true,
		.text = "The node has a GPU of this PCI class and device id.",
		.example = "true",
	},
	{
		INTEL,
		.key = "gpu.intel.com/device-id.{device}.count",
		.split = fact_intel_id,
		.value = value_count,
		.text = "Number of those.",
		.example = "2",
	},
	{
		INTEL,
		.key = "gpu.intel.com/device.count",
		.value = value_some,
		.text = "Number of GPUs.",
		.example = "2",
	},
	{
		INTEL,
		.key = "gpu.intel.com/family",
		.fact = fact_intel,
		.arg = INTEL_FAMILY,
		.text = "Family, of those that have one in Intel's rules.",
		.example = "Flex_Series",
	},
	{
		INTEL,
		.key = "gpu.intel.com/product",
		.fact = fact_intel,
		.arg = INTEL_PRODUCT,
		.text = "Product, the same.",
		.example = "Flex_170",
	},
};

const struct label_table label_table_intel = {
	.title = "Intel",
	.text = "Names and values of the rules for Node Feature Discovery that Intel's device\n"
		"plugins bring along, without their need of it.",
	.rows = intel_rows,
	.n = ARRAY_SIZE(intel_rows),
};
