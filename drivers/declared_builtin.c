/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/declared_builtin.h"

#include <string.h>

#include "base/macro.h"

#define PCI_VENDOR_REBELLIONS 0x1eff /* pci.ids; the default of HyperAccel's library */

/* Made of the files by drivers/declared/embed.cmake. */
extern const char declared_text_graphcore[];
extern const char declared_text_groq[];
extern const char declared_text_hyperaccel[];
extern const char declared_text_sambanova[];
extern const char declared_text_sapeon[];

static const struct declared_builtin builtins[] = {
	{ .name = "graphcore", .text = declared_text_graphcore },
	{ .name = "groq", .text = declared_text_groq },
	{
		.name = "hyperaccel",
		.text = declared_text_hyperaccel,
		.needs_pci_vendor = true,
		.wrong_pci_vendor = PCI_VENDOR_REBELLIONS,
	},
	{ .name = "sambanova", .text = declared_text_sambanova },
	{ .name = "sapeon", .text = declared_text_sapeon },
};

const struct declared_builtin *declared_builtins(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(builtins);
	return builtins;
}

const struct declared_builtin *declared_builtin(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}
