/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the Container Device Interface: kinds, devices, and both together.
 *
 * Where the specification and the package that runtimes read specs with differ, a
 * name must please both.
 *
 * Source: SPEC.md 1.1.0 of the Container Device Interface, "Kind" and "CDI
 * Devices"; its Go package pkg/parser 1.1.1, which wants a letter at the front of
 * both parts of a kind; AnnotationKey() of pkg/cdi for the bytes of an annotation
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define CDI_VENDOR_MAX 253				      /* bytes, of a DNS name */
#define CDI_CLASS_MAX 63				      /* bytes, of a label */
#define CDI_KIND_MAX (CDI_VENDOR_MAX + 1 + CDI_CLASS_MAX + 1) /* bytes with the NUL */
#define CDI_NAME_MAX 256 /* bytes with the NUL, ours: an ID of 84 bytes, all of them escaped */
#define CDI_QUALIFIED_NAME_MAX (CDI_KIND_MAX + CDI_NAME_MAX) /* with a '=' and the NUL */

/**
 * cdi_kind_check() - Whether runtimes take a kind.
 * @kind: NUL-terminated kind, as in "furiosa.ai/npu"
 * @err: set if not; says which rule is broken
 *
 * Return: 0, or -EINVAL.
 */
int cdi_kind_check(const char *kind, struct error *err);

/**
 * cdi_name_check() - Whether a name of a device works everywhere.
 * @name: NUL-terminated name, as in "npu0"
 * @err: set if not; says which rule is broken
 *
 * Stricter than the specification: a ':' is refused, because it cannot be part of
 * the key of an annotation, by which some runtimes are told of devices.
 *
 * Return: 0, or -EINVAL.
 */
int cdi_name_check(const char *name, struct error *err);

/**
 * cdi_device_name() - Make the name of a device from any ID.
 * @id: NUL-terminated ID, any bytes
 * @name: buffer for a name that cdi_name_check() takes
 * @err: set on failure
 *
 * Letters, digits, '-' and '.' stay as they are where they may stand, so most IDs
 * are their own names; "GPU-1::3" becomes "GPU-1_3A_3A3".  Different IDs have
 * different names.
 *
 * Return: 0, or
 *   -EINVAL        @id is empty
 *   -ENAMETOOLONG  the name would not fit
 */
int cdi_device_name(const char *id, char name[CDI_NAME_MAX], struct error *err);

/**
 * cdi_qualified_name() - Put together what a runtime is asked for.
 * @kind: kind of the spec
 * @name: name of the device in it
 * @qualified: buffer for "vendor/class=name"
 * @err: set on failure
 *
 * Return: 0, or -EINVAL when cdi_kind_check() or cdi_name_check() refuses a part.
 */
int cdi_qualified_name(const char *kind, const char *name, char qualified[CDI_QUALIFIED_NAME_MAX],
		       struct error *err);
