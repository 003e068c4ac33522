/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "api/cdi/check.h"

#define STRINGS(...)                           \
	(const char *const[]) { __VA_ARGS__ }, \
		sizeof((const char *const[]) { __VA_ARGS__ }) / sizeof(const char *)

/* Checks a spec whose only device has these edits. */
static int check_edits(const struct cdi_edits *edits, struct error *err)
{
	const struct cdi_device device = { .name = "npu0", .edits = *edits };
	const struct cdi_spec spec = { .kind = "furiosa.ai/npu",
				       .devices = &device,
				       .n_devices = 1 };

	return cdi_spec_check(&spec, err);
}

/* With NULL as @broken the check must have passed. */
static void assert_outcome(int r, const struct error *err, const char *broken)
{
	assert_int_equal(r, broken ? -EINVAL : 0);
	if (!broken)
		return;
	assert_non_null(strstr(err->msg, "CDI spec 'furiosa.ai/npu'"));
	assert_non_null(strstr(err->msg, broken));
}

static void checks_variables(void **state)
{
	static const struct {
		const char *variable;
		const char *broken;
	} cases[] = {
		{ "A=b", NULL },
		{ "A=", NULL },
		{ "A=b=c d", NULL },
		{ "A", "'A' is not of the form" },
		{ "", "is not of the form" },
		{ "=b", "'=b' is not of the form" },
		{ "A=\n", "not printable ASCII" },
		{ "A=\xc3\xa9", "not printable ASCII" },
		{ NULL, "is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_edits edits = { .env = &cases[i].variable, .n_env = 1 };
		struct error err = { 0 };

		assert_outcome(check_edits(&edits, &err), &err, cases[i].broken);
	}
}

static void checks_device_nodes(void **state)
{
	static const struct {
		struct cdi_device_node node;
		const char *broken;
	} cases[] = {
		{ { "/dev/npu0", NULL, "rw" }, NULL },
		{ { "/dev/npu0", "/dev/npu9", "mwr" }, NULL },
		{ { "/dev/npu0", NULL, NULL }, "some of 'rwm'" },
		{ { "/dev/npu0", NULL, "" }, "some of 'rwm'" },
		{ { "/dev/npu0", NULL, "rx" }, "permissions 'rx' of '/dev/npu0'" },
		{ { "dev/npu0", NULL, "rw" }, "'dev/npu0' must begin with '/'" },
		{ { "", NULL, "rw" }, "must begin with '/'" },
		{ { NULL, NULL, "rw" }, "is missing" },
		{ { "/dev/npu0", "npu9", "rw" }, "'npu9' must begin with '/'" },
		{ { "/dev/npu\t", NULL, "rw" }, "not printable ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_edits edits = { .device_nodes = &cases[i].node,
						 .n_device_nodes = 1 };
		struct error err = { 0 };

		assert_outcome(check_edits(&edits, &err), &err, cases[i].broken);
	}
}

static void checks_mounts(void **state)
{
	const struct {
		struct cdi_mount mount;
		const char *broken;
	} cases[] = {
		{ { "/opt", "/usr", STRINGS("ro", "bind") }, NULL },
		{ { "/opt", "/usr", STRINGS("rbind") }, NULL },
		{ { "/opt", "/usr", NULL, 0 }, "'/opt' needs the option" },
		{ { "/opt", "/usr", STRINGS("ro", "rbinding") }, "needs the option" },
		{ { "/opt", "/usr", STRINGS("bind", "") }, "is empty" },
		{ { "opt", "/usr", STRINGS("bind") }, "'opt' must begin with '/'" },
		{ { "/opt", "usr", STRINGS("bind") }, "'usr' must begin with '/'" },
		{ { NULL, "/usr", STRINGS("bind") }, "is missing" },
		{ { "/opt", NULL, STRINGS("bind") }, "is missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_edits edits = { .mounts = &cases[i].mount, .n_mounts = 1 };
		struct error err = { 0 };

		assert_outcome(check_edits(&edits, &err), &err, cases[i].broken);
	}
}

static void checks_hooks(void **state)
{
	const struct {
		struct cdi_hook hook;
		const char *broken;
	} cases[] = {
		{ { .path = "/bin/hook" }, NULL },
		{ { .name = CDI_HOOK_POSTSTOP, .path = "/bin/hook", .timeout_s = INT32_MAX },
		  NULL },
		{ { .path = "/bin/hook", .timeout_s = (uint32_t)INT32_MAX + 1 }, "longer timeout" },
		{ { .name = _CDI_HOOK_MAX, .path = "/bin/hook" }, "hook 5 is none" },
		{ { .path = "hook" }, "'hook' must begin with '/'" },
		{ { .path = NULL }, "is missing" },
		{ { .path = "/bin/hook", .args = STRINGS("hook", "\x7f") }, "'\x7f'" },
		{ { .path = "/bin/hook", .env = STRINGS("PATH") }, "NAME=value" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_edits edits = { .hooks = &cases[i].hook, .n_hooks = 1 };
		struct error err = { 0 };

		assert_outcome(check_edits(&edits, &err), &err, cases[i].broken);
	}
}

static void has_a_maximum_for_texts(void **state)
{
	static char path[PATH_MAX + 1], variable[128 * 1024 + 1];
	const char *env = variable;
	struct cdi_device_node node = { path, NULL, "r" };
	const struct cdi_edits with_node = { .device_nodes = &node, .n_device_nodes = 1 };
	const struct cdi_edits with_env = { .env = &env, .n_env = 1 };

	(void)state;
	memset(path, '/', PATH_MAX);
	assert_int_equal(check_edits(&with_node, NULL), -EINVAL);
	node.path = path + 1;
	assert_int_equal(check_edits(&with_node, NULL), 0);
	memset(variable, '=', 128 * 1024);
	variable[0] = 'A';
	assert_int_equal(check_edits(&with_env, NULL), -EINVAL);
	variable[128 * 1024 - 1] = '\0';
	assert_int_equal(check_edits(&with_env, NULL), 0);
}

static void checks_devices(void **state)
{
	static const struct cdi_device_node node = { "/dev/npu0", NULL, "rw" };
	static const struct cdi_edits some = { .device_nodes = &node, .n_device_nodes = 1 };
	const struct {
		struct cdi_device devices[3];
		size_t n;
		const char *broken;
	} cases[] = {
		{ { { "npu0", some }, { "npu1", some }, { "npu2", some } }, 3, NULL },
		{ { { "npu0", some } }, 0, "it has no device" },
		{ { { "npu:0", some } }, 1, "'npu:0' has a ':'" },
		{ { { "npu0", { 0 } } }, 1, "device 'npu0' changes nothing" },
		{ { { "npu0", some }, { "npu1", some }, { "npu0", some } },
		  3,
		  "two devices are named 'npu0'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cdi_spec spec = { .kind = "furiosa.ai/npu",
					       .devices = cases[i].devices,
					       .n_devices = cases[i].n };
		struct error err = { 0 };

		assert_outcome(cdi_spec_check(&spec, &err), &err, cases[i].broken);
	}
}

static void checks_the_spec_itself(void **state)
{
	static const struct cdi_device_node node = { "/dev/npu0", NULL, "rw" };
	static const struct cdi_device device = { "npu0",
						  { .device_nodes = &node, .n_device_nodes = 1 } };
	struct cdi_spec spec = { .kind = "furiosa.ai/npu", .devices = &device, .n_devices = 1 };
	static const char *const bad[] = { "A" };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(cdi_spec_check(&spec, &err), 0);
	spec.n_devices = CDI_DEVICES_MAX + 1;
	assert_int_equal(cdi_spec_check(&spec, &err), -E2BIG);
	spec.n_devices = 1;
	spec.edits = (struct cdi_edits) { .env = bad, .n_env = 1 };
	assert_outcome(cdi_spec_check(&spec, &err), &err, "'A'");
	spec.kind = "npu";
	assert_int_equal(cdi_spec_check(&spec, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "CDI kind 'npu'"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_variables),	   cmocka_unit_test(checks_device_nodes),
		cmocka_unit_test(checks_mounts),	   cmocka_unit_test(checks_hooks),
		cmocka_unit_test(has_a_maximum_for_texts), cmocka_unit_test(checks_devices),
		cmocka_unit_test(checks_the_spec_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
