/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Kubernetes accepts as the name of an extended resource.
 *
 * Source: IsExtendedResourceName() in Kubernetes' pkg/apis/core/v1/helper, and
 * IsQualifiedName() in apimachinery's pkg/api/validate/content
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

#define RESOURCE_DOMAIN_MAX 244 /* bytes: 253 of a DNS name less "requests." of a quota's key */
#define RESOURCE_LOCAL_MAX 63	/* bytes behind the '/', as in every label key */
#define RESOURCE_NAME_MAX (RESOURCE_DOMAIN_MAX + 1 + RESOURCE_LOCAL_MAX + 1) /* with the NUL */

/* What differs between the devices of one entry of the configuration. */
enum resource_placeholder {
	RESOURCE_PRODUCT,      /* "{product}" */
	RESOURCE_ARCHITECTURE, /* "{architecture}" */
	RESOURCE_PROFILE,      /* "{profile}", of a partition */
	_RESOURCE_PLACEHOLDER_MAX,
};

/**
 * resource_name_check() - Whether a kubelet takes a name for a resource.
 * @name: NUL-terminated name, as in "furiosa.ai/npu"
 * @err: set if not; says which rule is broken, for a person who wrote the name
 *
 * Return: 0, or -EINVAL.
 */
int resource_name_check(const char *name, struct error *err);

/**
 * resource_name_expand() - Replace the placeholders of a name.
 * @template: NUL-terminated name, as in "nvidia.com/mig-{profile}"
 * @words: for each placeholder what stands for it, or NULL where it may not be used
 * @ret: buffer of RESOURCE_NAME_MAX bytes; untouched on failure
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a placeholder is unknown, in front of the '/' or without a word, or the
 *            name that results is none
 *   -ENOMEM  no memory
 */
int resource_name_expand(const char *template, const char *const words[_RESOURCE_PLACEHOLDER_MAX],
			 char *ret, struct error *err);

/**
 * resource_name_check_template() - Whether a name with placeholders may be written.
 * @template: NUL-terminated name, as in "nvidia.com/mig-{profile}"
 * @err: set if not; says which rule is broken
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int resource_name_check_template(const char *template, struct error *err);

/**
 * resource_name_uses() - Whether a name has a placeholder.
 * @template: NUL-terminated name
 * @placeholder: which
 *
 * Return: true if it has.
 */
bool resource_name_uses(const char *template, enum resource_placeholder placeholder);
