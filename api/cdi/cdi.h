/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Specs of the Container Device Interface: what a runtime changes in a container
 * that asks for a device by name.
 *
 * The structs are only data and own nothing.  All paths are the host's, also
 * those of a program that sees the host under another root.
 *
 * Source: SPEC.md 1.1.0 of the Container Device Interface
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/cdi/name.h"
#include "base/error.h"
#include "base/strbuf.h"

/* 64 cards of 35 files, each card whole and in 36 ranges of its cores, take 9 MiB. */
#define CDI_SPEC_MAX ((size_t)16 * 1024 * 1024) /* bytes of the JSON text */
#define CDI_DEVICES_MAX 65536			/* of one spec; the kubelet takes 60,000 IDs */

/* A device file for a container. */
struct cdi_device_node {
	const char *path;	 /* in the container */
	const char *host_path;	 /* NULL: the same as @path */
	const char *permissions; /* some of "rwm" */
};

/* A file or directory of the host for a container. */
struct cdi_mount {
	const char *host_path;
	const char *container_path;
	const char *const *options; /* of mount(8); "rbind" or "bind" must be among them */
	size_t n_options;
};

/* The moments of a container's life, as the OCI runtime specification names them. */
enum cdi_hook_name {
	CDI_HOOK_CREATE_RUNTIME,
	CDI_HOOK_CREATE_CONTAINER,
	CDI_HOOK_START_CONTAINER,
	CDI_HOOK_POSTSTART,
	CDI_HOOK_POSTSTOP,
	_CDI_HOOK_MAX,
};

/* A program of the host that the runtime runs; it reads the state on stdin. */
struct cdi_hook {
	const char *path;
	const char *const *args; /* the first is the name of the program */
	size_t n_args;
	const char *const *env; /* "NAME=value" */
	size_t n_env;
	enum cdi_hook_name name; /* the moment */
	uint32_t timeout_s;	 /* 0: the runtime waits for good */
};

/* What is added to a container. */
struct cdi_edits {
	const char *const *env; /* "NAME=value" */
	size_t n_env;
	const struct cdi_device_node *device_nodes;
	size_t n_device_nodes;
	const struct cdi_mount *mounts;
	size_t n_mounts;
	const struct cdi_hook *hooks;
	size_t n_hooks;
};

struct cdi_device {
	const char *name;	/* unique in the spec; cdi_device_name() makes one */
	struct cdi_edits edits; /* at least one */
};

struct cdi_spec {
	const char *kind; /* "vendor/class" */
	const struct cdi_device *devices;
	size_t n_devices;	/* at least one */
	struct cdi_edits edits; /* for every container that gets one of the devices */
};

/**
 * cdi_encode() - Write a spec as JSON.
 * @spec: spec to write
 * @text: the text is appended, a newline at its end; give it CDI_SPEC_MAX as maximum
 * @err: set on failure; names the device and the value
 *
 * The version is the lowest that has what the spec uses, but at least 0.5.0.  Keys
 * come in the order of the specification, lists in the order given, so equal specs
 * have equal texts.
 *
 * Return: 0, or
 *   -EINVAL  as cdi_spec_check() finds it
 *   -E2BIG   too many devices, or the text does not fit
 *   -ENOMEM  no memory
 */
int cdi_encode(const struct cdi_spec *spec, struct strbuf *text, struct error *err);
