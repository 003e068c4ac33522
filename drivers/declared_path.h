/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths of a description: device files with placeholders, attributes with a
 * star, and what a path from outside may look like.
 *
 * Source: none outside the project
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "drivers/declared.h"
#include "drivers/device.h"

/* What a placeholder stands for; as a bit mask, what a template needs to know. */
#define DECLARED_NEEDS_INDEX (1u << 0)
#define DECLARED_NEEDS_NAME (1u << 1)
#define DECLARED_NEEDS_BDF (1u << 2)

/**
 * declared_path_is_relative() - Whether a path stays below where it starts.
 * @path: NUL-terminated text
 *
 * Return: true if it has printable components other than "." and "..", separated
 *   by one '/' each, and does not begin with one.
 */
bool declared_path_is_relative(const char *path);

/**
 * declared_template_check() - Whether a text is a template of a device file.
 * @path: NUL-terminated text, as in "/dev/acme{index}"
 * @ret_needs: mask of DECLARED_NEEDS_*
 * @err: set if not
 *
 * Return: 0, or -EINVAL.
 */
int declared_template_check(const char *path, unsigned int *ret_needs, struct error *err);

/**
 * declared_template_expand() - Make the path of a device's file.
 * @path: template that declared_template_check() has passed
 * @device: device whose name, index and bdf are known, as far as they are
 * @ret: buffer of NODE_PATH_MAX bytes
 *
 * Return: 0, or
 *   -ENODATA       the device lacks what a placeholder stands for
 *   -ENAMETOOLONG  the path does not fit
 *   -ENOMEM        no memory
 */
int declared_template_expand(const char *path, const struct device *device, char *ret);

/* A pattern such as "/dev/acme{index}.pci", taken apart. */
struct declared_pattern {
	char dir[NODE_PATH_MAX];    /* "dev" */
	char prefix[NODE_PATH_MAX]; /* "acme" */
	char suffix[NODE_PATH_MAX]; /* ".pci" */
};

/**
 * declared_pattern_parse() - Take the pattern of a device file apart.
 * @path: template with {index} in its last component, and no other placeholder
 * @ret: the parts
 * @err: set on failure
 *
 * Return: 0, or -EINVAL.
 */
int declared_pattern_parse(const char *path, struct declared_pattern *ret, struct error *err);

/**
 * declared_attribute_resolve() - Put a directory's name in the place of a star.
 * @dirfd: directory that the attribute is below
 * @attribute: path, of which one component may be "*"
 * @ret: buffer of DECLARED_RESOLVED_MAX bytes
 *
 * Return: 0, or
 *   -ENOENT        no directory is there
 *   -ENOTUNIQ      more than one is
 *   -ENAMETOOLONG  the path does not fit
 *   -errno         as open(2) or readdir(3) leaves it
 */
int declared_attribute_resolve(int dirfd, const char *attribute, char *ret);
#define DECLARED_RESOLVED_MAX (DECLARED_ATTRIBUTE_MAX + 64) /* with the name of a directory */
