/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "api/cdi/cdi.h"

static const struct cdi_device_node nodes[] = {
	{ .path = "/dev/npu0", .permissions = "rw" },
	{ .path = "/dev/npu1", .host_path = "/dev/npu1", .permissions = "r" },
	{ .path = "/dev/rsd0", .host_path = "/dev/rsd7", .permissions = "rwm" },
};
static const char *const options[] = { "ro", "rbind" };
static const struct cdi_mount mounts[] = {
	{ .host_path = "/opt/vendor",
	  .container_path = "/usr/lib/vendor",
	  .options = options,
	  .n_options = 2 },
};
static const char *const env[] = { "NPU=\"0\"\\", "EMPTY=" };
static const char *const args[] = { "limit", "--all" };
static const char *const hook_env[] = { "PATH=/bin" };
static const struct cdi_hook hooks[] = {
	{ .name = CDI_HOOK_CREATE_RUNTIME, .path = "/usr/bin/limit" },
	{ .name = CDI_HOOK_POSTSTOP,
	  .path = "/usr/bin/limit",
	  .args = args,
	  .n_args = 2,
	  .env = hook_env,
	  .n_env = 1,
	  .timeout_s = 5 },
};
static const struct cdi_device full[] = {
	{ .name = "npu0", .edits = { .device_nodes = nodes, .n_device_nodes = 3 } },
	{ .name = "1", .edits = { .env = env, .n_env = 2 } },
};

#define EVERYTHING                                                         \
	{                                                                  \
		.kind = "furiosa.ai/npu", .devices = full, .n_devices = 2, \
		.edits = {                                                 \
			.mounts = mounts,                                  \
			.n_mounts = 1,                                     \
			.hooks = hooks,                                    \
			.n_hooks = 2,                                      \
		},                                                         \
	}

static const char everything_text[] = "{\n"
				      "  \"cdiVersion\": \"0.5.0\",\n"
				      "  \"kind\": \"furiosa.ai/npu\",\n"
				      "  \"devices\": [\n"
				      "    {\n"
				      "      \"name\": \"npu0\",\n"
				      "      \"containerEdits\": {\n"
				      "        \"deviceNodes\": [\n"
				      "          {\n"
				      "            \"path\": \"/dev/npu0\",\n"
				      "            \"permissions\": \"rw\"\n"
				      "          },\n"
				      "          {\n"
				      "            \"path\": \"/dev/npu1\",\n"
				      "            \"permissions\": \"r\"\n"
				      "          },\n"
				      "          {\n"
				      "            \"path\": \"/dev/rsd0\",\n"
				      "            \"hostPath\": \"/dev/rsd7\",\n"
				      "            \"permissions\": \"rwm\"\n"
				      "          }\n"
				      "        ]\n"
				      "      }\n"
				      "    },\n"
				      "    {\n"
				      "      \"name\": \"1\",\n"
				      "      \"containerEdits\": {\n"
				      "        \"env\": [\n"
				      "          \"NPU=\\\"0\\\"\\\\\",\n"
				      "          \"EMPTY=\"\n"
				      "        ]\n"
				      "      }\n"
				      "    }\n"
				      "  ],\n"
				      "  \"containerEdits\": {\n"
				      "    \"mounts\": [\n"
				      "      {\n"
				      "        \"hostPath\": \"/opt/vendor\",\n"
				      "        \"containerPath\": \"/usr/lib/vendor\",\n"
				      "        \"options\": [\n"
				      "          \"ro\",\n"
				      "          \"rbind\"\n"
				      "        ]\n"
				      "      }\n"
				      "    ],\n"
				      "    \"hooks\": [\n"
				      "      {\n"
				      "        \"hookName\": \"createRuntime\",\n"
				      "        \"path\": \"/usr/bin/limit\"\n"
				      "      },\n"
				      "      {\n"
				      "        \"hookName\": \"poststop\",\n"
				      "        \"path\": \"/usr/bin/limit\",\n"
				      "        \"args\": [\n"
				      "          \"limit\",\n"
				      "          \"--all\"\n"
				      "        ],\n"
				      "        \"env\": [\n"
				      "          \"PATH=/bin\"\n"
				      "        ],\n"
				      "        \"timeout\": 5\n"
				      "      }\n"
				      "    ]\n"
				      "  }\n"
				      "}\n";

static void writes_every_key_in_order(void **state)
{
	static const struct cdi_spec spec = EVERYTHING;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);

	(void)state;
	assert_int_equal(cdi_encode(&spec, &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), everything_text);
}

static void leaves_out_what_is_empty(void **state)
{
	static const struct cdi_spec spec = {
		.kind = "furiosa.ai/npu",
		.devices = &full[1],
		.n_devices = 1,
	};
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);
	json_t *root, *device;

	(void)state;
	assert_int_equal(cdi_encode(&spec, &text, NULL), 0);
	root = json_loads(strbuf_str(&text), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_int_equal(json_object_size(root), 3);
	assert_null(json_object_get(root, "containerEdits"));
	device = json_array_get(json_object_get(root, "devices"), 0);
	assert_int_equal(json_object_size(json_object_get(device, "containerEdits")), 1);
	json_decref(root);
}

static void says_the_lowest_version(void **state)
{
	static const struct {
		const char *kind, *version;
	} cases[] = {
		{ "furiosa.ai/npu", "0.5.0" },
		{ "furiosa.ai/npu_4-core", "0.5.0" },
		{ "furiosa.ai/npu.4core", "0.6.0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_spec spec = {
			.kind = cases[i].kind,
			.devices = full,
			.n_devices = 2,
		};
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);
		json_t *root;

		assert_int_equal(cdi_encode(&spec, &text, NULL), 0);
		root = json_loads(strbuf_str(&text), 0, NULL);
		assert_string_equal(json_string_value(json_object_get(root, "cdiVersion")),
				    cases[i].version);
		json_decref(root);
	}
}

static void knows_every_hook(void **state)
{
	static const char *const names[_CDI_HOOK_MAX] = { "createRuntime", "createContainer",
							  "startContainer", "poststart",
							  "poststop" };

	(void)state;
	for (int i = 0; i < _CDI_HOOK_MAX; i++) {
		const struct cdi_hook hook = { .name = (enum cdi_hook_name)i, .path = "/hook" };
		const struct cdi_device device = { .name = "npu0",
						   .edits = { .hooks = &hook, .n_hooks = 1 } };
		const struct cdi_spec spec = { .kind = "a/b", .devices = &device, .n_devices = 1 };
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);

		assert_int_equal(cdi_encode(&spec, &text, NULL), 0);
		assert_non_null(strstr(strbuf_str(&text), names[i]));
	}
}

static void refuses_what_does_not_fit(void **state)
{
	static const struct cdi_spec spec = EVERYTHING;
	size_t len = sizeof(everything_text) - 1;
	struct error err = { 0 };

	(void)state;
	for (size_t max = len - 2; max <= len; max++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(max);

		assert_int_equal(cdi_encode(&spec, &text, &err), max < len ? -E2BIG : 0);
	}
	assert_non_null(strstr(err.msg, "does not fit"));
}

static void refuses_an_invalid_spec(void **state)
{
	static const struct cdi_spec spec = { .kind = "furiosa.ai/npu" };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);

	(void)state;
	assert_int_equal(cdi_encode(&spec, &text, NULL), -EINVAL);
	assert_int_equal(text.len, 0);
}

static size_t allocations_left;

static void *scarce_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

/* Whichever allocation of jansson's fails, nothing half is written. */
static void survives_without_memory(void **state)
{
	static const struct cdi_spec spec = EVERYTHING;
	size_t n;
	int r = -ENOMEM;

	(void)state;
	json_set_alloc_funcs(scarce_malloc, free);
	for (n = 0; r < 0; n++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);
		struct error err = { 0 };

		assert_true(n < 10000);
		allocations_left = n;
		r = cdi_encode(&spec, &text, &err);
		if (r == 0)
			assert_string_equal(strbuf_str(&text), everything_text);
		else
			assert_int_equal(err.code, ENOMEM);
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n > 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_key_in_order),
		cmocka_unit_test(leaves_out_what_is_empty),
		cmocka_unit_test(says_the_lowest_version),
		cmocka_unit_test(knows_every_hook),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(refuses_an_invalid_spec),
		cmocka_unit_test(survives_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
