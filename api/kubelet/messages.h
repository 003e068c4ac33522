/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the messages of the device plugin API and plain structs.
 *
 * Decoded requests borrow their strings from a message that they own.  What a
 * request may cost in memory is bounded by KUBELET_REQUEST_MEMORY_MAX, so a
 * message of millions of empty strings is refused before it is built.
 *
 * Source: protobuf-c 1.4; field numbers of k8s.io/kubelet
 * pkg/apis/deviceplugin/v1beta1/api.proto and
 * pkg/apis/pluginregistration/v1/api.proto
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/grpc/rpc.h"
#include "base/error.h"

#define KUBELET_REQUEST_MEMORY_MAX (64U * 1024 * 1024) /* 60,000 IDs twice take 8 MiB */
#define KUBELET_CONTAINERS_MAX 256		       /* of one request; the kubelet sends one */

struct kubelet_device {
	const char *id;
	bool healthy;
	int numa_node; /* negative: none is sent */
};

/**
 * typedef kubelet_device_fn - Gives the devices of a list one by one.
 * @ctx: as given with the function
 * @i: number of the device
 *
 * Return: the device; its strings live until the list is encoded.
 */
typedef struct kubelet_device (*kubelet_device_fn)(const void *ctx, size_t i);

/* The IDs that one container wants. */
struct kubelet_ids {
	char *const *ids;
	size_t n;
};

struct kubelet_allocate_request {
	struct kubelet_ids *containers;
	size_t n;
	void *message; /* that the strings belong to */
};

struct kubelet_preference {
	struct kubelet_ids available;
	struct kubelet_ids must_include;
	size_t size; /* how many to choose, the must_include ones among them */
};

struct kubelet_preferred_request {
	struct kubelet_preference *containers;
	size_t n;
	void *message; /* that the strings belong to */
};

/* A device file for a container. */
struct kubelet_device_spec {
	const char *path;	 /* on the host, and the same in the container */
	const char *permissions; /* some of "rwm" */
};

/* A file or directory of the host for a container. */
struct kubelet_mount {
	const char *container_path;
	const char *host_path;
	bool read_only;
};

/* A variable or an annotation; of one kind no two have the same key. */
struct kubelet_pair {
	const char *key;
	const char *value;
};

/* What one container gets; all strings and arrays are the caller's. */
struct kubelet_allocation {
	struct kubelet_device_spec *devices;
	size_t n_devices;
	struct kubelet_pair *envs;
	size_t n_envs;
	struct kubelet_mount *mounts;
	size_t n_mounts;
	struct kubelet_pair *annotations;
	size_t n_annotations;
	const char **cdi_devices; /* qualified names, "vendor.com/class=name" */
	size_t n_cdi_devices;
};

/**
 * kubelet_device_list_size_max() - Encoded size of a list at its longest.
 * @n: number of devices
 * @get: gives device number 0 to @n - 1
 * @ctx: passed to @get
 *
 * Return: bytes of the ListAndWatchResponse if every device were unhealthy,
 *   which is the longer word.
 */
size_t kubelet_device_list_size_max(size_t n, kubelet_device_fn get, const void *ctx);

/**
 * kubelet_encode_device_list() - Make a ListAndWatchResponse.
 * @n: number of devices
 * @get: gives device number 0 to @n - 1
 * @ctx: passed to @get
 * @ret: the message
 *
 * Return: 0, or -ENOMEM.
 */
int kubelet_encode_device_list(size_t n, kubelet_device_fn get, const void *ctx,
			       struct rpc_message *ret);

/**
 * kubelet_encode_options() - Make a DevicePluginOptions.
 * @ret: the message; it says that preferred allocations are available and that
 *	PreStartContainer is not required
 *
 * Return: 0, or -ENOMEM.
 */
int kubelet_encode_options(struct rpc_message *ret);

/**
 * kubelet_encode_register() - Make a RegisterRequest.
 * @endpoint: name of the plugin's socket in the device plugin directory
 * @resource: name of the resource
 * @ret: the message
 *
 * Return: 0, or -ENOMEM.
 */
int kubelet_encode_register(const char *endpoint, const char *resource, struct rpc_message *ret);

/**
 * kubelet_encode_plugin_info() - Make a PluginInfo for the plugin watcher.
 * @resource: name of the resource
 * @ret: the message; its empty endpoint means the socket that was asked
 *
 * Return: 0, or -ENOMEM.
 */
int kubelet_encode_plugin_info(const char *resource, struct rpc_message *ret);

/**
 * kubelet_decode_registration_status() - Read a RegistrationStatus.
 * @data: message of @len bytes
 * @len: length of @data
 * @ret_registered: whether the kubelet has taken the plugin
 * @text: buffer of @size bytes for its reason if it has not; longer ones are cut
 * @size: size of @text, at least 1
 * @err: set on failure
 *
 * Return: 0, or -EINVAL when it is no such message.
 */
int kubelet_decode_registration_status(const uint8_t *data, size_t len, bool *ret_registered,
				       char *text, size_t size, struct error *err);

/**
 * kubelet_decode_allocate() - Read an AllocateRequest.
 * @data: message of @len bytes
 * @len: length of @data
 * @ret: the request, to be released with kubelet_allocate_request_done()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  it is no such message
 *   -E2BIG   it has more containers or needs more memory than is allowed
 *   -ENOMEM  no memory
 */
int kubelet_decode_allocate(const uint8_t *data, size_t len, struct kubelet_allocate_request *ret,
			    struct error *err);

/**
 * kubelet_allocate_request_done() - Release a request.
 * @request: decoded or all-zero request
 */
void kubelet_allocate_request_done(struct kubelet_allocate_request *request);

/**
 * kubelet_decode_pre_start() - Read a PreStartContainerRequest.
 * @data: message of @len bytes
 * @len: length of @data
 * @ret: the request with one container, to be released with
 *	kubelet_allocate_request_done()
 * @err: set on failure
 *
 * Return: as kubelet_decode_allocate().
 */
int kubelet_decode_pre_start(const uint8_t *data, size_t len, struct kubelet_allocate_request *ret,
			     struct error *err);

/**
 * kubelet_encode_allocations() - Make an AllocateResponse.
 * @containers: array of @n allocations, in the order of the request
 * @n: number of containers
 * @ret: the message
 *
 * Return: 0, or -ENOMEM.
 */
int kubelet_encode_allocations(const struct kubelet_allocation *containers, size_t n,
			       struct rpc_message *ret);

/**
 * kubelet_decode_preferred() - Read a PreferredAllocationRequest.
 * @data: message of @len bytes
 * @len: length of @data
 * @ret: the request, to be released with kubelet_preferred_request_done()
 * @err: set on failure
 *
 * Return: as kubelet_decode_allocate(); -EINVAL also for a negative size.
 */
int kubelet_decode_preferred(const uint8_t *data, size_t len, struct kubelet_preferred_request *ret,
			     struct error *err);

/**
 * kubelet_preferred_request_done() - Release a request.
 * @request: decoded or all-zero request
 */
void kubelet_preferred_request_done(struct kubelet_preferred_request *request);

/**
 * kubelet_encode_preferred() - Make a PreferredAllocationResponse.
 * @containers: array of @n lists of IDs, in the order of the request
 * @n: number of containers
 * @ret: the message
 *
 * Return: 0, or -ENOMEM.
 */
int kubelet_encode_preferred(const struct kubelet_ids *containers, size_t n,
			     struct rpc_message *ret);
