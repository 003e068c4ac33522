/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the API server is, and who we are to it: what a pod finds in its service
 * account, or what a kubeconfig says.
 *
 * Refused with a reason, instead of talking to the server as somebody else or in
 * clear: programs that fetch credentials (exec, auth-provider), passwords,
 * impersonation, and plain HTTP to anything but this machine.
 *
 * Source: kubernetes.io/docs/reference/config-api/kubeconfig.v1;
 *	kubernetes.io/docs/tasks/run-application/access-api-from-pod
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

#define KUBE_SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

#define KUBE_CONFIG_SIZE_MAX (1024 * 1024) /* bytes: dozens of clusters with certificates inside */
#define KUBE_CREDENTIAL_MAX (1024 * 1024)  /* bytes of a token, certificate or key: as a Secret */

/* All strings are the config's own, NULL where there is none. */
struct kube_config {
	char *server;		/* https://host[:port][/path], without a '/' at the end */
	char *namespace_;	/* of the pod or the context; never NULL */
	char *ca_file;		/* at most one of file and data; none is the system's own */
	char *ca_data;		/* PEM */
	char *client_cert_file; /* neither of both, or with a key */
	char *client_cert_data;
	char *client_key_file;
	char *client_key_data;
	char *token; /* a token file goes before a token, as with kubectl */
	char *token_file;
	char *tls_server_name; /* instead of the server's host, in its certificate */
	char *proxy_url;
	bool insecure_skip_tls_verify;
};

/* What a pod knows about its cluster. */
struct kube_pod {
	const char *host; /* $KUBERNETES_SERVICE_HOST, or NULL */
	const char *port; /* $KUBERNETES_SERVICE_PORT, or NULL */
	const char *dir;  /* of the service account */
};

/**
 * kube_config_load() - Find out where the server is and who we are.
 * @kubeconfig: file to read, or NULL for the service account of the pod we are in
 * @ret: to be released with kube_config_done()
 * @err: set on failure
 *
 * Return: 0, or as kube_config_from_pod() or kube_config_from_text(), or
 *   -errno  as file_read() leaves it
 */
int kube_config_load(const char *kubeconfig, struct kube_config *ret, struct error *err);

/**
 * kube_config_from_pod() - Use the service account of a pod.
 * @pod: what the pod knows
 * @ret: to be released with kube_config_done()
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOENT  not in a pod, or in one without a service account
 *   -EINVAL  host, port or namespace are none
 *   -ENOMEM  no memory
 *   -errno   as file_read() leaves it
 */
int kube_config_from_pod(const struct kube_pod *pod, struct kube_config *ret, struct error *err);

/**
 * kube_config_from_text() - Use the current context of a kubeconfig.
 * @text: @len bytes
 * @len: number of bytes
 * @path: file that it was read from: files it names are relative to its directory
 * @ret: to be released with kube_config_done()
 * @err: set on failure, with path, line and column in front where there is one place
 *
 * Return: 0, or
 *   -EINVAL      no kubeconfig, or one that contradicts itself
 *   -ENOENT      it names a context, cluster or user that it does not have
 *   -EOPNOTSUPP  it wants what is refused, see above
 *   -EFBIG       too long, too deep, or more of something than the maximum
 *   -ENOMEM      no memory
 */
int kube_config_from_text(const char *text, size_t len, const char *path, struct kube_config *ret,
			  struct error *err);

/**
 * kube_config_done() - Release the contents; keys and tokens are wiped.
 * @config: config, or all zero
 */
void kube_config_done(struct kube_config *config);

#define _cleanup_kube_config_ _cleanup_(kube_config_done)
