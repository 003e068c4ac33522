/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcurl is told about every request, and what it says of failures.
 *
 * Source: libcurl's curl_easy_setopt(3) and libcurl-errors(3)
 */
#pragma once

#include <stdbool.h>

#include <curl/curl.h>

#include "api/kubernetes/kube_config.h"
#include "base/error.h"

struct kube_target;

/**
 * kube_curl_init() - Prepare libcurl, and see whether it can do what is needed.
 * @err: set on failure
 *
 * Return: 0, or
 *   -EOPNOTSUPP  it lacks TLS, or would block while it resolves names
 *   -ENOMEM      no memory
 */
int kube_curl_init(struct error *err);

/**
 * kube_target_new() - Work out what is the same for all requests to a server.
 * @config: configuration; copied
 * @user_agent: name and version of the program; copied
 * @ret: to be released with kube_target_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  as kube_config_check()
 *   -ENOMEM  no memory
 */
int kube_target_new(const struct kube_config *config, const char *user_agent,
		    struct kube_target **ret, struct error *err);

/**
 * kube_target_free() - Release a target.
 * @target: target or NULL
 */
void kube_target_free(struct kube_target *target);
DEFINE_CLEANUP(struct kube_target, kube_target_free);

/**
 * kube_target_prepare() - Tell libcurl where a request goes, and who asks.
 * @target: target
 * @easy: handle
 * @path: path with query
 * @headers: list of headers; those of the target are added
 * @err: set on failure
 *
 * Files with a certificate, a key or a token are read now.
 *
 * Return: 0, or
 *   -ENOMEM  no memory
 *   -errno   of reading a file
 */
int kube_target_prepare(const struct kube_target *target, CURL *easy, const char *path,
			struct curl_slist **headers, struct error *err);

/**
 * kube_target_server() - The server, for an error.
 * @target: target
 *
 * Return: URL without a path; borrowed.
 */
const char *kube_target_server(const struct kube_target *target);

/**
 * kube_headers_add() - Add a header to a list.
 * @headers: list
 * @name: its name
 * @value: its value; NULL takes away what libcurl would send
 *
 * Return: 0, or -ENOMEM.
 */
int kube_headers_add(struct curl_slist **headers, const char *name, const char *value);

/**
 * kube_headers_free() - Wipe and release a list of headers.
 * @headers: list or NULL
 */
void kube_headers_free(struct curl_slist *headers);

/**
 * kube_curl_explain() - Say why there was no answer.
 * @code: what libcurl says
 * @detail: the text that it has left, "" for none
 * @err: error to fill
 *
 * Return: -errno.
 */
int kube_curl_explain(CURLcode code, const char *detail, struct error *err);
