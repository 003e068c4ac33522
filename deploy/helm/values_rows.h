/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of values share.
 *
 * Source: as deploy/helm/values_keys.h
 */
#pragma once

#include "api/config/schema.h"
#include "base/macro.h"

#define DNS_LABEL_MAX 63   /* a DNS label, RFC 1123 */
#define DNS_MAX 253	   /* a DNS subdomain, RFC 1123 */
#define VALUE_MAX 63	   /* of a label */
#define MOUNT_PATH_MAX 255 /* of a mount; as long as paths in the configuration */
#define TEXT_MAX 512	   /* an annotation that somebody writes by hand */
#define LABELS_MAX 32	   /* of one object */
#define PORTS_MAX 8	   /* of one rule of a NetworkPolicy */

#define WORD "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
#define DNS_NAME "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
#define LABEL_KEY "^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$"
#define LABEL_VALUE "^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$"
/* Absolute, and no part is empty, "." or "..". */
#define PATH "^(/[-_.+:@A-Za-z0-9]*[-_+:@A-Za-z0-9][-_.+:@A-Za-z0-9]*)+$"
#define IMAGE "^[a-z0-9]([-._/:a-z0-9]*[a-z0-9])?$"
#define TAG "^([A-Za-z0-9_][-._A-Za-z0-9]*)?$"
#define DIGEST "^(sha256:[0-9a-f]{64})?$"

#define STRING(MIN, MAX, PATTERN) \
	.type = SCHEMA_STRING, .min = (MIN), .max = (MAX), .pattern = (PATTERN)
#define MAPPING(rows) .type = SCHEMA_MAPPING, .keys = (rows), .n_keys = ARRAY_SIZE(rows)
#define OBJECT .type = SCHEMA_FOREIGN, .values = values_object
#define ARRAY .type = SCHEMA_FOREIGN, .values = values_array
/* Templates go through it, which they can do with lists only. */
#define LIST(row, LEAST, MOST) \
	.type = SCHEMA_LIST, .item = &(row), .lists_only = true, .min = (LEAST), .max = (MOST)
#define SWITCH(value) .type = SCHEMA_BOOL, .default_value = (value)

#define LABELS(least) \
	.type = SCHEMA_MAP, .item = &values_label_item, .min = (least), .max = LABELS_MAX
#define ANNOTATIONS .type = SCHEMA_MAP, .item = &values_annotation_item, .max = LABELS_MAX

/* Rows of an image. */
#define IMAGE_REPOSITORY(value)                                                            \
	{                                                                                  \
		.name = "repository", STRING(1, DNS_MAX, IMAGE), .default_value = (value), \
		.text = "Name of the image, with the registry in front."                   \
	}
#define IMAGE_TAG                                                            \
	{                                                                    \
		.name = "tag", STRING(0, 128, TAG), .default_value = "\"\"", \
		.text = "Tag; that of the chart's `appVersion` when empty."  \
	}
#define IMAGE_DIGEST                                                                 \
	{                                                                            \
		.name = "digest", STRING(0, 71, DIGEST), .default_value = "\"\"",    \
		.text = "Digest, as in `sha256:...`; it is used instead of the tag." \
	}
#define IMAGE_PULL_POLICY                                                                  \
	{                                                                                  \
		.name = "pullPolicy", .type = SCHEMA_ENUM, .values = values_pull_policies, \
		.default_value = "IfNotPresent", .text = "When a node pulls the image."    \
	}

/* Rows of a workload; @pods is "pod" or "pods". */
#define POD_ANNOTATIONS(pods)                                                 \
	{                                                                     \
		.name = "podAnnotations", ANNOTATIONS, .default_value = "{}", \
		.text = "Annotations of the " pods "."                        \
	}
#define POD_LABELS(pods)                                               \
	{                                                              \
		.name = "podLabels", LABELS(0), .default_value = "{}", \
		.text = "Further labels of the " pods "."              \
	}

extern const char *const values_object[]; /* the types of a SCHEMA_FOREIGN */
extern const char *const values_array[];
extern const char *const values_pull_policies[];
extern const struct schema_key values_label_item;
extern const struct schema_key values_annotation_item;
extern const struct schema_key values_port_item;

/* The rows of `reservoir`. */
#define RESERVOIR_VALUES 15
extern const struct schema_key reservoir_values[RESERVOIR_VALUES];
