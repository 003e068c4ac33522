/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/nvidia_proc.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_information(void **state)
{
	static const struct {
		const char *text;
		struct nvidia_information expected;
	} cases[] = {
		{ "Model: \t\t NVIDIA A100-SXM4-40GB\nIRQ:   \t\t 315\n"
		  "GPU UUID: \t GPU-edfee158-11c1-52b8-0517-92f30e7fac88\n"
		  "Video BIOS: \t 92.00.45.00.03\nBus Location: \t 0000:07:00.0\n"
		  "Device Minor: \t 3\nGPU Excluded:\t No\n",
		  { "NVIDIA A100-SXM4-40GB", "GPU-edfee158-11c1-52b8-0517-92f30e7fac88",
		    "92.00.45.00.03", 3, false } },
		/* as long as the GPU is not in use */
		{ "Model: Tesla K80\nGPU UUID: GPU-\?\?\?\?\?\?\?\?-\?\?\?\?-\?\?\?\?-\?\?\?\?-"
		  "\?\?\?\?\?\?\?\?\?\?\?\?\nVideo BIOS: \?\?.\?\?.\?\?.\?\?.\?\?\n"
		  "Device Minor: 0\nGPU Excluded: Yes\n",
		  { "Tesla K80", "", "", 0, true } },
		{ "", { "", "", "", NVIDIA_MINOR_UNKNOWN, false } },
		{ "Model\nGPU UUID\nDevice Minor\nGPU Excluded\n:\n\n:::\n",
		  { "", "", "", NVIDIA_MINOR_UNKNOWN, false } },
		{ "Model: a\001b\nGPU UUID: MIG-1\nVideo BIOS: 1 2\nDevice Minor: -1\n"
		  "GPU Excluded: perhaps\n",
		  { "", "", "", NVIDIA_MINOR_UNKNOWN, false } },
		{ "Model: " X64 X64 "\nGPU UUID: GPU-" X64 "\nDevice Minor: 1048576\n",
		  { "", "", "", NVIDIA_MINOR_UNKNOWN, false } },
		{ "Device Minor: 1048575\n", { "", "", "", 1048575, false } },
		{ "Device Minor: 0x10\n", { "", "", "", NVIDIA_MINOR_UNKNOWN, false } },
		{ "Model: one: two\n", { "one: two", "", "", NVIDIA_MINOR_UNKNOWN, false } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nvidia_information *expected = &cases[i].expected;
		struct nvidia_information information;
		char text[1024];

		assert_true(strlen(cases[i].text) < sizeof(text));
		memcpy(text, cases[i].text, strlen(cases[i].text) + 1);
		nvidia_parse_information(text, &information);
		assert_string_equal(information.model, expected->model);
		assert_string_equal(information.uuid, expected->uuid);
		assert_string_equal(information.video_bios, expected->video_bios);
		assert_int_equal(information.minor, expected->minor);
		assert_int_equal(information.excluded, expected->excluded);
	}
}

static void test_read_information(void **state)
{
	const struct tree *tree = *state;
	struct nvidia_information information;
	char huge[8192];
	struct error err = { 0 };

	assert_int_equal(nvidia_read_information(tree->host.root_fd, &information, &err), -ENOENT);
	tree_puts(tree, "information", "Device Minor: 7\n");
	assert_int_equal(nvidia_read_information(tree->host.root_fd, &information, NULL), 0);
	assert_int_equal(information.minor, 7);
	memset(huge, '\n', sizeof(huge));
	tree_write(tree, "information", huge, sizeof(huge));
	assert_int_equal(nvidia_read_information(tree->host.root_fd, &information, NULL), -EFBIG);
}

static void test_version(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 "
		  "UTC 2023\nGCC version:  gcc version 12.3.0\n",
		  "535.104.05" },
		{ "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  550.54  Release Build",
		  "550.54" },
		{ "NVRM version: none\nGCC version: 12.3.0\n", "" },
		{ "1. .1 1..2 535 v1.2 1.2a", "1..2" },
		{ "", "" },
		{ "\n\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char version[DEVICE_VERSION_MAX] = "before";

		nvidia_parse_version(cases[i].text, version);
		assert_string_equal(version, cases[i].expected);
	}
}

static void test_long_version(void **state)
{
	char version[DEVICE_VERSION_MAX] = "before";
	char text[DEVICE_VERSION_MAX + 1];

	(void)state;
	memset(text, '1', sizeof(text));
	text[1] = '.';
	text[DEVICE_VERSION_MAX] = '\0';
	nvidia_parse_version(text, version);
	assert_string_equal(version, "");
	text[DEVICE_VERSION_MAX - 1] = '\0';
	nvidia_parse_version(text, version);
	assert_string_equal(version, text);
}

static void test_read_version(void **state)
{
	const struct tree *tree = *state;
	char version[DEVICE_VERSION_MAX] = "before";

	assert_int_equal(nvidia_read_version(&tree->host, version, NULL), 0);
	assert_string_equal(version, "");
	tree_puts(tree, "proc/driver/nvidia/version", "Kernel Module  535.104.05  Sat");
	assert_int_equal(nvidia_read_version(&tree->host, version, NULL), 0);
	assert_string_equal(version, "535.104.05");
}

static void test_cap_minor(void **state)
{
	static const struct {
		const char *text;
		int expected;
		uint32_t minor;
	} cases[] = {
		{ "DeviceFileMinor: 21\nDeviceFileMode: 292\nDeviceFileModify: 1\n", 1, 21 },
		{ "DeviceFileMode: 292\nDeviceFileMinor: 0", 1, 0 },
		{ "DeviceFileMinor: many\n", 0, 0 },
		{ "DeviceFileMode: 292\n", 0, 0 },
		{ "DeviceFileMinor: 1048576\n", 0, 0 },
		{ "", 0, 0 },
		{ X64 X64 X64 X64 "\nDeviceFileMinor: 21\n", 0, 0 },
		{ NULL, 0, 0 },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t minor = UINT32_MAX;

		tree_remove(tree, "access");
		if (cases[i].text)
			tree_puts(tree, "access", cases[i].text);
		assert_int_equal(nvidia_read_cap_minor(&tree->host, "access", &minor, NULL),
				 cases[i].expected);
		if (cases[i].expected > 0)
			assert_int_equal(minor, cases[i].minor);
	}
}

static void test_product(void **state)
{
	static const struct {
		const char *model;
		const char *product;
	} cases[] = {
		{ "NVIDIA H100 80GB HBM3", "NVIDIA-H100-80GB-HBM3" },
		{ "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
		  "NVIDIA-RTX-PRO-6000-Blackwell-Max-Q-Workstation-Edition" },
		{ "NVIDIA GeForce RTX 3070 Ti (Laptop) / GPU",
		  "NVIDIA-GeForce-RTX-3070-Ti-Laptop-GPU" },
		{ "  Tesla  T4 ", "Tesla-T4" },
		{ "A_1.2-", "A_1.2" },
		{ "\"!\" /", "" },
		{ "", "" },
		{ X64, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char product[DEVICE_PRODUCT_MAX] = "before";

		nvidia_product(cases[i].model, product);
		assert_string_equal(product, cases[i].product);
	}
}

#define TEST(function) TREE_TEST(function)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_information),
		TEST(test_read_information),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_long_version),
		TEST(test_read_version),
		TEST(test_cap_minor),
		cmocka_unit_test(test_product),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
