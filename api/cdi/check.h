/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether runtimes will take a spec: one that they refuse takes all of its devices
 * along, and the complaint is in their log only.
 *
 * Source: Validate() of the types in pkg/cdi 1.1.1 of the Container Device
 * Interface; yaml.org/spec/1.2.2, 5.1 "Character Set", since they read JSON as YAML
 */
#pragma once

#include "api/cdi/cdi.h"

/**
 * cdi_spec_check() - Whether a spec is valid.
 * @spec: spec to look at
 * @err: set if not; names the device and the value
 *
 * All texts must be printable ASCII, which JSON and YAML read alike.
 *
 * Return: 0, or
 *   -EINVAL  a name, path, variable, option or permission is not valid, there is no
 *            device, a device changes nothing, or two have the same name
 *   -E2BIG   more than CDI_DEVICES_MAX devices
 *   -ENOMEM  no memory
 */
int cdi_spec_check(const struct cdi_spec *spec, struct error *err);
