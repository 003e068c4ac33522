/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and texts that come from cards and configurations into specs.
 *
 * The first byte of the input says what the rest is taken for.  Beside the
 * sanitizers: a name leads back to its ID, and what is accepted into a spec is read
 * from the JSON as it was.
 */
#include <jansson.h>
#include <string.h>

#include "api/cdi/cdi.h"
#include "base/macro.h"
#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		__builtin_trap();
}

/* Turns a name back into the ID that it was made of. */
static void decode_name(const char *name, char id[CDI_NAME_MAX])
{
	const char *rest = str_starts_with(name, "x__");
	size_t len = 0;
	uint64_t byte;

	for (name = rest ? rest : name; *name; name++) {
		char digits[3] = { 0 };

		if (*name != '_') {
			id[len++] = *name;
			continue;
		}
		memcpy(digits, name + 1, 2);
		must(parse_u64(digits, 16, &byte) == 0);
		id[len++] = (char)(unsigned char)byte;
		name += 2;
	}
	id[len] = '\0';
}

static void fuzz_name(const char *text)
{
	char name[CDI_NAME_MAX], id[CDI_NAME_MAX];

	if (cdi_device_name(text, name, NULL) < 0)
		return;
	must(cdi_name_check(name, NULL) == 0);
	decode_name(name, id);
	must(strcmp(id, text) == 0);
}

static void fuzz_kind(const char *text)
{
	char qualified[CDI_QUALIFIED_NAME_MAX];
	struct error err = { 0 };

	if (cdi_kind_check(text, &err) < 0) {
		must(err.msg[0] != '\0');
		return;
	}
	/* It can be part of a file's name. */
	must(strlen(text) < CDI_KIND_MAX && text[0] != '.' && str_is_printable(text));
	must(strchr(text, '/') == strrchr(text, '/') && !strchr(text, '@'));
	must(cdi_qualified_name(text, "npu0", qualified, NULL) == 0);
	must(str_starts_with(qualified, text) != NULL);
}

/* The text stands in every place of a spec that takes any text. */
static void fuzz_spec(const char *text)
{
	const struct cdi_device_node node = { .path = text, .permissions = "rw" };
	const struct cdi_device device = {
		.name = "npu0",
		.edits = { .device_nodes = &node, .n_device_nodes = 1 },
	};
	const struct cdi_spec spec = {
		.kind = "furiosa.ai/npu",
		.devices = &device,
		.n_devices = 1,
		.edits = { .env = &text, .n_env = strchr(text, '=') ? 1 : 0 },
	};
	_cleanup_strbuf_ struct strbuf json = STRBUF_INIT(CDI_SPEC_MAX);
	const char *path = NULL;
	json_t *root;

	if (cdi_encode(&spec, &json, NULL) < 0)
		return;
	root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
	must(root && json_unpack(root, "{s:[{s:{s:[{s:s}]}}]}", "devices", "containerEdits",
				 "deviceNodes", "path", &path) == 0);
	must(strcmp(path, text) == 0);
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const takers[])(const char *text) = { fuzz_name, fuzz_kind, fuzz_spec };
	char text[2 * CDI_KIND_MAX];

	if (size < 1 || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	takers[data[0] % ARRAY_SIZE(takers)](text);
	return 0;
}
