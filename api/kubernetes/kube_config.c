/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/kube_config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/kubernetes/kube_config_check.h"
#include "api/kubernetes/kube_path.h"
#include "api/kubernetes/secret.h"
#include "base/file.h"
#include "base/parse.h"

#define HOST_MAX 253	 /* bytes: of a DNS name */
#define NAMESPACE_MAX 63 /* bytes: a DNS label */

void kube_config_done(struct kube_config *config)
{
	char *const texts[] = {
		config->server,		 config->namespace_,	   config->ca_file,
		config->ca_data,	 config->client_cert_file, config->client_cert_data,
		config->client_key_file, config->client_key_data,  config->token,
		config->token_file,	 config->tls_server_name,  config->proxy_url,
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		secret_free(texts[i]);
	*config = (struct kube_config) { 0 };
}

static int pod_server(const struct kube_pod *pod, char **ret, struct error *err)
{
	struct in6_addr address;
	bool v6 = inet_pton(AF_INET6, pod->host, &address) == 1;
	uint32_t port;

	if (parse_u32(pod->port, UINT16_MAX, &port) < 0 || port == 0)
		return error_set(err, EINVAL, "KUBERNETES_SERVICE_PORT is no port");
	if (!v6 && (strlen(pod->host) > HOST_MAX || !str_is_printable(pod->host) ||
		    strpbrk(pod->host, " /?#@:[]\\%") || pod->host[0] == '\0'))
		return error_set(err, EINVAL, "KUBERNETES_SERVICE_HOST is no host");
	if (asprintf(ret, v6 ? "https://[%s]:%u" : "https://%s:%u", pod->host, port) < 0) {
		*ret = NULL;
		return error_set(err, ENOMEM, "no memory for the server");
	}
	return 0;
}

static int join(const char *dir, const char *name, char **ret, struct error *err)
{
	if (asprintf(ret, "%s/%s", dir, name) < 0) {
		*ret = NULL;
		return error_set(err, ENOMEM, "no memory for '%s/%s'", dir, name);
	}
	return 0;
}

/* The namespace is missing where a token was projected by hand. */
static int pod_namespace(const char *dir, char **ret, struct error *err)
{
	_cleanup_free_ char *path = NULL;
	char name[NAMESPACE_MAX + 3] = "default"; /* with a newline behind it */
	ssize_t len;
	int r = join(dir, "namespace", &path, err);

	if (r < 0)
		return r;
	len = file_read(AT_FDCWD, path, name, sizeof(name), err);
	if (len == -ENOENT)
		(void)str_copy(name, sizeof(name), "default");
	else if (len < 0)
		return (int)len;
	(void)str_trim(name);
	r = kube_name_check("namespace", name, err);
	if (r < 0)
		return error_wrap(err, r, "'%s'", path);
	*ret = strdup(name);
	return *ret ? 0 : error_set(err, ENOMEM, "no memory for the namespace");
}

/* What every request will need is looked for now, when somebody reads the error. */
static int check_pod_files(const struct kube_config *config, struct error *err)
{
	_cleanup_secret_ char *token = NULL;
	_cleanup_secret_ char *ca = NULL;
	int r = secret_read_token(config->token_file, &token, err);

	if (r == 0)
		r = secret_read(config->ca_file, &ca, err);
	if (r == -ENOENT)
		return error_wrap(err, r,
				  "this pod has no service account "
				  "(automountServiceAccountToken: false?)");
	return r;
}

int kube_config_from_pod(const struct kube_pod *pod, struct kube_config *ret, struct error *err)
{
	_cleanup_kube_config_ struct kube_config config = { 0 };
	int r;

	if (!pod->host || !pod->port || pod->host[0] == '\0' || pod->port[0] == '\0')
		return error_set(err, ENOENT,
				 "not in a pod: KUBERNETES_SERVICE_HOST and _PORT are not set; "
				 "outside of one a kubeconfig is needed");
	r = pod_server(pod, &config.server, err);
	if (r == 0)
		r = join(pod->dir, "token", &config.token_file, err);
	if (r == 0)
		r = join(pod->dir, "ca.crt", &config.ca_file, err);
	if (r == 0)
		r = pod_namespace(pod->dir, &config.namespace_, err);
	if (r == 0)
		r = check_pod_files(&config, err);
	if (r == 0)
		r = kube_config_check(&config, err);
	if (r < 0)
		return r;
	*ret = config;
	config = (struct kube_config) { 0 };
	return 0;
}

static int load_file(const char *path, struct kube_config *ret, struct error *err)
{
	_cleanup_free_ char *buf = malloc(KUBE_CONFIG_SIZE_MAX + 1);
	ssize_t len;
	int r;

	if (!buf)
		return error_set(err, ENOMEM, "no memory to read '%s'", path);
	len = file_read(AT_FDCWD, path, buf, KUBE_CONFIG_SIZE_MAX + 1, err);
	if (len < 0)
		return (int)len;
	r = kube_config_from_text(buf, (size_t)len, path, ret, err);
	explicit_bzero(buf, (size_t)len);
	return r;
}

int kube_config_load(const char *kubeconfig, struct kube_config *ret, struct error *err)
{
	const struct kube_pod pod = {
		.host = getenv("KUBERNETES_SERVICE_HOST"),
		.port = getenv("KUBERNETES_SERVICE_PORT"),
		.dir = KUBE_SERVICE_ACCOUNT_DIR,
	};

	return kubeconfig ? load_file(kubeconfig, ret, err) : kube_config_from_pod(&pod, ret, err);
}
