/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/kubernetes/kube_config.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/strbuf.h"

#define TOP(current) "apiVersion: v1\nkind: Config\ncurrent-context: " current "\n"
#define CLUSTER(text) "clusters:\n- {name: c, cluster: {" text "}}\n"
#define CONTEXT(text) "contexts:\n- {name: x, context: {" text "}}\n"
#define USER(text) "users:\n- {name: u, user: {" text "}}\n"
#define SERVER "server: 'https://k:6443'"
#define FILE_WITH(cluster, user) \
	TOP("x") CLUSTER(SERVER cluster) CONTEXT("cluster: c, user: u") USER(user)

static int load(const char *text, struct kube_config *config, struct error *err)
{
	return kube_config_from_text(text, strlen(text), "/etc/kube/config", config, err);
}

static void reads_a_whole_kubeconfig(void **state)
{
	/* As cloud providers write it, with what nobody needs. */
	static const char text[] = "apiVersion: v1\n"
				   "clusters:\n"
				   "- cluster:\n"
				   "    certificate-authority-data: LS0tLS1CRUdJTi0tLS0t\n"
				   "    server: https://other\n"
				   "  name: other\n"
				   "- cluster:\n"
				   "    certificate-authority: ../pki/ca.crt\n"
				   "    server: https://[2001:db8::1]:6443/prefix/\n"
				   "    tls-server-name: kubernetes.default.svc\n"
				   "    proxy-url: socks5://proxy:1080\n"
				   "    extensions: [{name: e, extension: {a: [1, {b: c}]}}]\n"
				   "  name: mine\n"
				   "contexts:\n"
				   "- context: {cluster: other, user: admin}\n"
				   "  name: admin@other\n"
				   "- context: {cluster: mine, user: me, namespace: silica}\n"
				   "  name: me@mine\n"
				   "current-context: me@mine\n"
				   "kind: Config\n"
				   "preferences: {colors: true}\n"
				   "users:\n"
				   "- name: admin\n"
				   "  user: {exec: {command: aws, args: [a, b]}}\n"
				   "- name: me\n"
				   "  user:\n"
				   "    client-certificate: /pki/me.crt\n"
				   "    client-key-data: LS0tLS1CRUdJTi0tLS0t\n"
				   "    tokenFile: token\n"
				   "    username: ''\n"
				   "    exec: null\n";
	_cleanup_kube_config_ struct kube_config config = { 0 };

	(void)state;
	assert_int_equal(load(text, &config, NULL), 0);
	assert_string_equal(config.server, "https://[2001:db8::1]:6443/prefix/");
	assert_string_equal(config.namespace_, "silica");
	assert_string_equal(config.ca_file, "/etc/kube/../pki/ca.crt");
	assert_null(config.ca_data);
	assert_string_equal(config.client_cert_file, "/pki/me.crt");
	assert_string_equal(config.client_key_data, "-----BEGIN-----");
	assert_string_equal(config.token_file, "/etc/kube/token");
	assert_null(config.token);
	assert_string_equal(config.tls_server_name, "kubernetes.default.svc");
	assert_string_equal(config.proxy_url, "socks5://proxy:1080");
	assert_false(config.insecure_skip_tls_verify);
}

static void reads_little(void **state)
{
	_cleanup_kube_config_ struct kube_config config = { 0 };
	_cleanup_kube_config_ struct kube_config json = { 0 };

	(void)state;
	assert_int_equal(load(TOP("x") CLUSTER(SERVER) CONTEXT("cluster: c"), &config, NULL), 0);
	assert_string_equal(config.namespace_, "default");
	assert_null(config.token);
	assert_int_equal(
		load("{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":"
		     "{\"cluster\":\"c\"}}],\"clusters\":[{\"name\":\"c\",\"cluster\":"
		     "{\"server\":\"http://127.0.0.1:8001\"}}]}",
		     &json, NULL),
		0);
	assert_string_equal(json.server, "http://127.0.0.1:8001");
}

static const struct {
	const char *text;
	int r;
	const char *error;
} kubeconfigs[] = {
	{ FILE_WITH("", "token: t"), 0, NULL },
	{ FILE_WITH("", "token: 12345"), 0, NULL },
	{ FILE_WITH(", insecure-skip-tls-verify: true", ""), 0, NULL },
	{ FILE_WITH(", insecure-skip-tls-verify: null", ""), 0, NULL },
	{ FILE_WITH(", unknown: {a: [b]}", "other: [1]"), 0, NULL },
	{ "", -EINVAL, "is empty" },
	{ "[]", -EINVAL, "no mapping" },
	{ "text", -EINVAL, "no mapping" },
	{ "a: b: c", -EINVAL, "not YAML" },
	{ "kind: Pod\n" CLUSTER(SERVER), -EINVAL, "no kubeconfig" },
	{ "kind: Config\n", -ENOENT, "no current-context" },
	{ TOP("''") CLUSTER(SERVER), -ENOENT, "no current-context" },
	{ TOP("y") CLUSTER(SERVER) CONTEXT("cluster: c"), -ENOENT, "no context 'y'" },
	{ TOP("x") CLUSTER(SERVER) CONTEXT("cluster: d"), -ENOENT, "no cluster 'd'" },
	{ TOP("x") CLUSTER(SERVER) CONTEXT("user: u"), -EINVAL, "names no cluster" },
	{ TOP("x") CLUSTER(SERVER) CONTEXT("cluster: c, user: v"), -ENOENT, "no user 'v'" },
	{ TOP("x") CLUSTER("") CONTEXT("cluster: c"), -EINVAL, "no URL" },
	{ TOP("x") CLUSTER("server: 'k:6443'") CONTEXT("cluster: c"), -EINVAL, "server" },
	{ TOP("x") CLUSTER("server: 'ftp://k'") CONTEXT("cluster: c"), -EINVAL,
	  "neither https nor http" },
	{ TOP("x") CLUSTER("server: 'https://u:secret@k'") CONTEXT("cluster: c"), -EINVAL,
	  "a user, a query or a fragment" },
	{ TOP("x") CLUSTER("server: 'https://k?secret'") CONTEXT("cluster: c"), -EINVAL,
	  "a user, a query or a fragment" },
	{ TOP("x") CLUSTER("server: 'http://k'") CONTEXT("cluster: c"), -EINVAL, "plain http" },
	{ TOP("x") CLUSTER("server: 'http://127.evil.com'") CONTEXT("cluster: c"), -EINVAL,
	  "plain http" },
	{ TOP("x") CLUSTER("server: 'http://[::1]:1'") CONTEXT("cluster: c"), 0, NULL },
	{ TOP("x") CLUSTER("server: 'http://localhost'") CONTEXT("cluster: c, user: u")
		  USER("token: secret"),
	  -EINVAL, "a token or certificate for a server that is plain http" },
	{ FILE_WITH("", "exec: {command: secret}"), -EOPNOTSUPP, "'exec' fetches" },
	{ FILE_WITH("", "auth-provider: {name: secret}"), -EOPNOTSUPP,
	  "use a token, a tokenFile or a client certificate" },
	{ FILE_WITH("", "username: secret, password: secret"), -EOPNOTSUPP, "is a password" },
	{ FILE_WITH("", "token: t, as: secret"), -EOPNOTSUPP, "impersonation" },
	{ FILE_WITH("", "token: t, as-groups: [secret]"), -EOPNOTSUPP, "impersonation" },
	{ FILE_WITH("", "token: t, token: secret"), -EINVAL, "is there twice" },
	{ FILE_WITH("", "token: [secret]"), -EINVAL, "is no text" },
	{ FILE_WITH("", "token: 'sec ret'"), -EINVAL, "the token is none" },
	{ FILE_WITH("", "token: \"secret\\r\\nHost: x\""), -EINVAL, "the token is none" },
	{ FILE_WITH("", "client-certificate: a"), -EINVAL, "go together" },
	{ FILE_WITH("", "client-key: a"), -EINVAL, "go together" },
	{ FILE_WITH("", "client-key-data: secret!"), -EINVAL, "no text in base64" },
	{ FILE_WITH(", insecure-skip-tls-verify: 'true'", ""), -EINVAL, "neither true nor false" },
	{ FILE_WITH(", insecure-skip-tls-verify: true, certificate-authority: a", ""), -EINVAL,
	  "beside a certificate authority" },
	{ FILE_WITH(", tls-server-name: 'a/b'", ""), -EINVAL, "no name of a host" },
	{ FILE_WITH(", proxy-url: 'ftp://p'", ""), -EINVAL, "proxy-url" },
	{ FILE_WITH(", proxy-url: 'http://'", ""), -EINVAL, "proxy-url" },
	{ TOP("x") "clusters: {a: b}\n", -EINVAL, "is no list" },
	{ TOP("x") "clusters: [a]\n", -EINVAL, "is no mapping" },
	{ TOP("x") CLUSTER(SERVER) CLUSTER(SERVER) CONTEXT("cluster: c"), -EINVAL,
	  "has the name of an earlier one" },
	{ TOP("x") CLUSTER(SERVER) CONTEXT("cluster: c, namespace: A"), -EINVAL, "namespace 'A'" },
	{ "a: &x b\nc: *x\n", -EINVAL, "anchors" },
	{ "a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", -EFBIG,
	  "too deep" },
	{ FILE_WITH("", "") "---\na: b\n", -EINVAL, "more than one document" },
};

static void judges_kubeconfigs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kubeconfigs); i++) {
		_cleanup_kube_config_ struct kube_config config = { 0 };
		struct error err = { 0 };

		assert_int_equal(load(kubeconfigs[i].text, &config, &err), kubeconfigs[i].r);
		if (kubeconfigs[i].error)
			assert_non_null(strstr(err.msg, kubeconfigs[i].error));
		assert_null(strstr(err.msg, "secret"));
	}
}

static void says_where(void **state)
{
	struct kube_config config = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(load(FILE_WITH("", "exec: {}"), &config, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "/etc/kube/config:9:3: 'exec'"));
}

static void limits_lists_and_sizes(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4 << 20);
	_cleanup_kube_config_ struct kube_config config = { 0 };

	(void)state;
	strbuf_puts(&text, FILE_WITH("", "token: t"));
	for (size_t i = 1; i < 256; i++)
		strbuf_printf(&text, "- {name: u%zu, user: {token: t}}\n", i);
	assert_int_equal(load(strbuf_str(&text), &config, NULL), 0);
	kube_config_done(&config);
	strbuf_puts(&text, "- {name: more}\n");
	assert_int_equal(load(strbuf_str(&text), &config, NULL), -EFBIG);
	strbuf_clear(&text);
	strbuf_puts(&text, FILE_WITH("", "token: t") "note: ");
	for (size_t i = text.len; i < KUBE_CONFIG_SIZE_MAX; i++)
		strbuf_puts(&text, "x");
	assert_int_equal(load(strbuf_str(&text), &config, NULL), 0);
	kube_config_done(&config);
	strbuf_puts(&text, "x");
	assert_int_equal(load(strbuf_str(&text), &config, NULL), -EFBIG);
}

static void put(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	if (text)
		assert_int_equal(file_publish(path, text, strlen(text), 0600, NULL), 0);
	else
		(void)unlink(path);
}

static int make_dir(void **state)
{
	char *dir = strdup("/tmp/silica-kube-XXXXXX");

	if (!dir || !mkdtemp(dir))
		return -1;
	*state = dir;
	return 0;
}

static int remove_dir(void **state)
{
	char *dir = *state;

	put(dir, "token", NULL);
	put(dir, "ca.crt", NULL);
	put(dir, "namespace", NULL);
	put(dir, "config", NULL);
	(void)rmdir(dir);
	free(dir);
	return 0;
}

static void finds_the_pod(void **state)
{
	const char *dir = *state;
	static const struct {
		const char *host, *port;
		const char *server; /* NULL: it is refused */
	} cases[] = {
		{ "10.96.0.1", "443", "https://10.96.0.1:443" },
		{ "fd00::1", "6443", "https://[fd00::1]:6443" },
		{ "kubernetes.default.svc", "1", "https://kubernetes.default.svc:1" },
		{ "a b", "443", NULL },
		{ "a/b", "443", NULL },
		{ "u@b", "443", NULL },
		{ "fd00::1]", "443", NULL },
		{ "a", "0", NULL },
		{ "a", "65536", NULL },
		{ "a", "x", NULL },
	};

	put(dir, "token", "t\n");
	put(dir, "ca.crt", "pem");
	put(dir, "namespace", "silica");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kube_pod pod = { cases[i].host, cases[i].port, dir };
		_cleanup_kube_config_ struct kube_config config = { 0 };
		int r = kube_config_from_pod(&pod, &config, NULL);

		assert_int_equal(r, cases[i].server ? 0 : -EINVAL);
		if (!cases[i].server)
			continue;
		assert_string_equal(config.server, cases[i].server);
		assert_string_equal(config.namespace_, "silica");
		assert_non_null(strstr(config.token_file, "/token"));
		assert_non_null(strstr(config.ca_file, "/ca.crt"));
	}
}

static void misses_what_the_pod_lacks(void **state)
{
	const char *dir = *state;
	const struct kube_pod pod = { "h", "1", dir };
	const struct kube_pod nowhere = { NULL, NULL, dir };
	const struct kube_pod empty = { "", "", dir };
	_cleanup_kube_config_ struct kube_config config = { 0 };
	struct error err = { 0 };

	assert_int_equal(kube_config_from_pod(&nowhere, &config, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "not in a pod"));
	assert_int_equal(kube_config_from_pod(&empty, &config, NULL), -ENOENT);
	put(dir, "namespace", NULL);
	put(dir, "token", NULL);
	assert_int_equal(kube_config_from_pod(&pod, &config, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no service account"));
	put(dir, "token", "");
	assert_int_equal(kube_config_from_pod(&pod, &config, NULL), -EINVAL);
	put(dir, "token", "t");
	put(dir, "ca.crt", NULL);
	assert_int_equal(kube_config_from_pod(&pod, &config, NULL), -ENOENT);
	put(dir, "ca.crt", "pem");
	put(dir, "namespace", "../x");
	assert_int_equal(kube_config_from_pod(&pod, &config, NULL), -EINVAL);
	put(dir, "namespace", NULL);
	assert_int_equal(kube_config_from_pod(&pod, &config, NULL), 0);
	assert_string_equal(config.namespace_, "default");
}

static void loads_files(void **state)
{
	const char *dir = *state;
	_cleanup_kube_config_ struct kube_config config = { 0 };
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *token = NULL;

	put(dir, "config", FILE_WITH("", "tokenFile: t"));
	assert_true(asprintf(&path, "%s/config", dir) > 0);
	assert_true(asprintf(&token, "%s/t", dir) > 0);
	assert_int_equal(kube_config_load(path, &config, NULL), 0);
	assert_string_equal(config.token_file, token);
	kube_config_done(&config);
	assert_int_equal(kube_config_load("/nonexistent/config", &config, NULL), -ENOENT);
	assert_int_equal(kube_config_load("/dev/null", &config, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_kubeconfig),  cmocka_unit_test(reads_little),
		cmocka_unit_test(judges_kubeconfigs),	     cmocka_unit_test(says_where),
		cmocka_unit_test(limits_lists_and_sizes),    cmocka_unit_test(finds_the_pod),
		cmocka_unit_test(misses_what_the_pod_lacks), cmocka_unit_test(loads_files),
	};

	return cmocka_run_group_tests_name("api/kubernetes/kube_config", tests, make_dir,
					   remove_dir);
}
