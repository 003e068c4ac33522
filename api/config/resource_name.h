/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Kubernetes accepts as the name of an extended resource.
 *
 * Source: IsExtendedResourceName() in Kubernetes' pkg/apis/core/v1/helper, and
 * IsQualifiedName() in apimachinery's pkg/api/validate/content
 */
#pragma once

#include "base/error.h"

#define RESOURCE_DOMAIN_MAX 244 /* bytes: 253 of a DNS name less "requests." of a quota's key */
#define RESOURCE_LOCAL_MAX 63	/* bytes behind the '/', as in every label key */
#define RESOURCE_NAME_MAX (RESOURCE_DOMAIN_MAX + 1 + RESOURCE_LOCAL_MAX + 1) /* with the NUL */

/**
 * resource_name_check() - Whether a kubelet takes a name for a resource.
 * @name: NUL-terminated name, as in "furiosa.ai/npu"
 * @err: set if not; says which rule is broken, for a person who wrote the name
 *
 * Return: 0, or -EINVAL.
 */
int resource_name_check(const char *name, struct error *err);
