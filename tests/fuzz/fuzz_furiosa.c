/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parsers of what a card's attributes and class entries hold.  They are
 * static, so the driver is a part of this file.
 *
 * The first byte of the input says which parser gets the rest.  Beside the
 * sanitizers, what a parser accepts is held to what its users rely on.
 */
#include "drivers/furiosa.c" /* NOLINT(bugprone-suspicious-include) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static void fuzz_core_ranges(char *text)
{
	struct device device = { .cores = 8 };

	if (parse_core_ranges(text, &device) < 0)
		return;
	must(device.n_core_ranges > 0 && device.n_core_ranges <= DEVICE_CORE_RANGES_MAX);
	for (size_t i = 0; i < device.n_core_ranges; i++) {
		must(device.core_ranges[i].first <= device.core_ranges[i].last);
		must(device.core_ranges[i].last < 8);
	}
}

static void fuzz_entry(char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
		struct device device = { 0 };
		struct sysfs_entry entry;

		if (sysfs_parse_entry(text, architectures[i].entry_prefix,
				      architectures[i].mgmt_suffixes, &entry) < 0)
			continue;
		/* An accepted entry is found again under the path made of its parts. */
		set_architecture(&architectures[i], entry, &device);
		must(strcmp(strrchr(device.sysfs_path, '/') + 1, text) == 0);
	}
}

static void fuzz_version(char *text)
{
	if (is_version(text))
		must(str_is_printable(text) && text[0] >= '0' && text[0] <= '9');
}

static void fuzz_id(char *text)
{
	if (sysfs_is_id(text))
		must(str_is_printable(text) && !strpbrk(text, " /") && text[0] != '\0');
}

static void fuzz_type(char *text)
{
	struct device device = { 0 };

	if (set_product_by_type(&device, text))
		must(device.product[0] != '\0' && str_is_printable(device.product));
}

static void fuzz_bdf(char *text)
{
	char bdf[DEVICE_BDF_MAX], again[DEVICE_BDF_MAX];

	if (pci_bdf_parse(text, bdf) < 0)
		return;
	must(pci_bdf_parse(bdf, again) == 0 && strcmp(bdf, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(char *text) = {
		fuzz_core_ranges, fuzz_entry, fuzz_version, fuzz_id, fuzz_type, fuzz_bdf,
	};
	char text[4 * SYSFS_LINE_MAX];

	if (size < 1 || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	parsers[data[0] % ARRAY_SIZE(parsers)](text);
	return 0;
}
