/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "api/kubernetes/kube_path.h"

static void checks_names(void **state)
{
	static const char *const good[] = { "n", "node-1", "ip-10-0-0-1.ec2.internal",
					    "1", "a--b",   "0.1" };
	static const char *const bad[] = { "",	   "Node",  "-a",   "a-",  ".a",      "a.",
					   "a..b", "a.-b",  "a-.b", "a/b", "a b",     "a_b",
					   "..",   "a%2fb", "a?b",  "a\n", "\xc3\xa9" };
	char longest[255];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(kube_name_check("node", good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(kube_name_check("node", bad[i], NULL), -EINVAL);
	assert_int_equal(kube_name_check("node", NULL, NULL), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[253] = '\0';
	assert_int_equal(kube_name_check("node", longest, NULL), 0);
	longest[253] = 'a';
	longest[254] = '\0';
	assert_int_equal(kube_name_check("node", longest, NULL), -EINVAL);
}

static void shows_what_it_refuses(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(kube_name_check("node", "A", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "node 'A' is no name"));
	assert_int_equal(kube_name_check("node", "\x1b[31m", &err), -EINVAL);
	assert_null(strchr(err.msg, '\x1b'));
}

static void makes_paths(void **state)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);

	(void)state;
	assert_int_equal(kube_path_node("n-1", NULL, &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/api/v1/nodes/n-1");
	assert_int_equal(kube_path_node("n-1", "status", &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/api/v1/nodes/n-1/status");
	assert_int_equal(kube_path_one_node("n-1.x", &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/api/v1/nodes?fieldSelector=metadata.name%3Dn-1.x");
	assert_int_equal(kube_path_nodes(500, NULL, &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/api/v1/nodes?limit=500");
	assert_int_equal(kube_path_nodes(1, "a+/=&b", &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/api/v1/nodes?limit=1&continue=a%2B%2F%3D%26b");
	assert_int_equal(kube_path_apply("n", NULL, "silica/a b&\"", true, &path, NULL), 0);
	assert_string_equal(strbuf_str(&path),
			    "/api/v1/nodes/n?fieldManager=silica%2Fa%20b%26%22&force=true");
	assert_int_equal(kube_path_apply("n", "status", "Aa0-._~", false, &path, NULL), 0);
	assert_string_equal(strbuf_str(&path),
			    "/api/v1/nodes/n/status?fieldManager=Aa0-._~&force=false");
	assert_int_equal(kube_path_event("default", NULL, NULL, &path, NULL), 0);
	assert_string_equal(strbuf_str(&path), "/api/v1/namespaces/default/events");
	assert_int_equal(kube_path_event("default", "n.1", "m", &path, NULL), 0);
	assert_string_equal(strbuf_str(&path),
			    "/api/v1/namespaces/default/events/n.1?fieldManager=m");
}

static void refuses_paths(void **state)
{
	_cleanup_strbuf_ struct strbuf path = STRBUF_INIT(KUBE_PATH_MAX);
	char manager[KUBE_MANAGER_MAX + 2];

	(void)state;
	memset(manager, '/', sizeof(manager));
	manager[KUBE_MANAGER_MAX] = '\0';
	assert_int_equal(kube_path_apply("n", NULL, manager, true, &path, NULL), 0);
	manager[KUBE_MANAGER_MAX] = '/';
	manager[KUBE_MANAGER_MAX + 1] = '\0';
	assert_int_equal(kube_path_apply("n", NULL, manager, true, &path, NULL), -EINVAL);
	assert_int_equal(kube_path_apply("n", NULL, "", true, &path, NULL), -EINVAL);
	assert_int_equal(kube_path_apply("n", NULL, "a\nb", true, &path, NULL), -EINVAL);
	assert_int_equal(kube_path_node("../n", NULL, &path, NULL), -EINVAL);
	assert_int_equal(kube_path_node("n", "a/b", &path, NULL), -EINVAL);
	assert_int_equal(kube_path_one_node("n,m", &path, NULL), -EINVAL);
	assert_int_equal(kube_path_event("a/b", NULL, NULL, &path, NULL), -EINVAL);
	assert_int_equal(kube_path_event("a", "../b", NULL, &path, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_names),
		cmocka_unit_test(shows_what_it_refuses),
		cmocka_unit_test(makes_paths),
		cmocka_unit_test(refuses_paths),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_path", tests, NULL, NULL);
}
