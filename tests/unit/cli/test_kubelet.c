/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "cli/kubelet.h"

static void names_outcomes(void **state)
{
	static const struct {
		int r;
		const char *name;
	} cases[] = {
		{ 0, "answered" },	{ -ENOENT, "absent" },	  { -ECONNREFUSED, "absent" },
		{ -EACCES, "refused" }, { -ETIMEDOUT, "silent" }, { -ENOSYS, "unsupported" },
		{ -EBADMSG, "failed" }, { -EIO, "failed" },	  { -EAGAIN, "failed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(kubelet_state_name(kubelet_state_of(cases[i].r)),
				    cases[i].name);
}

static void says_that_there_is_none(void **state)
{
	_cleanup_kubelet_ struct kubelet kubelet = { 0 };
	struct settings settings = settings_default();

	(void)state;
	settings.kubelet_dir = "/nowhere";
	assert_int_equal(kubelet_ask(&settings, &kubelet, NULL), 0);
	assert_int_equal(kubelet.list.state, KUBELET_ABSENT);
	assert_int_equal(kubelet.allocatable.state, KUBELET_ABSENT);
	assert_non_null(strstr(kubelet.list.error.msg, "/nowhere"));
	assert_int_equal(kubelet.list.table.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_outcomes),
		cmocka_unit_test(says_that_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
