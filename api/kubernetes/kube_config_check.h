/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that a configuration must keep, wherever it comes from.
 *
 * Source: kubernetes.io/docs/reference/config-api/kubeconfig.v1; RFC 3986
 */
#pragma once

#include <stdbool.h>

#include "api/kubernetes/kube_config.h"
#include "base/error.h"

/* The parts of a server's address. */
struct kube_server {
	char *scheme; /* "https" or "http" */
	char *host;   /* an IPv6 address in brackets */
	char *port;
	char *path; /* "" or what is put in front of every path, without a '/' at the end */
	bool loopback;
};

/**
 * kube_server_parse() - Take a server's address apart.
 * @url: address
 * @ret: to be released with kube_server_done()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  no address of a server
 *   -ENOMEM  no memory
 */
int kube_server_parse(const char *url, struct kube_server *ret, struct error *err);

/**
 * kube_server_done() - Release the parts.
 * @server: parts, or all zero
 */
void kube_server_done(struct kube_server *server);

#define _cleanup_kube_server_ _cleanup_(kube_server_done)

/**
 * kube_config_check() - Hold a configuration to the rules.
 * @config: configuration
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  it contradicts itself, or would send credentials in clear
 *   -ENOMEM  no memory
 */
int kube_config_check(const struct kube_config *config, struct error *err);
