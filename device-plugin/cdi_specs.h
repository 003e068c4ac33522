/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishes the CDI specs of the resources whose units are handed out by name.
 *
 * Source: Container Device Interface SPEC.md
 */
#pragma once

#include "api/cdi/directory.h"
#include "base/error.h"
#include "device-plugin/catalog.h"
#include "drivers/host.h"

/**
 * cdi_specs_publish() - Bring the directory in line with the resources.
 * @directory: directory of the specs
 * @host: host whose device files they name
 * @catalog: resources
 * @err: set on failure; names the file
 *
 * Each unit is a device of the spec of its resource.  Specs of resources that are
 * gone, or no longer use CDI, are removed; the others stay as they were where they
 * cannot be written.
 *
 * Context: the loop's thread; blocks on writing.
 * Return: number of files written and removed, or
 *   -ENOMEM  no memory
 *   -errno   as cdi_directory_publish()
 */
int cdi_specs_publish(struct cdi_directory *directory, const struct host *host,
		      const struct catalog *catalog, struct error *err);
