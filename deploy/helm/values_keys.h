/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of the Helm chart, as a table of keys.
 *
 * values.yaml, values.schema.json and the table of the chart's README are written from
 * it; the templates read the names.  What the Kubernetes API or the programs of Silica
 * read is a SCHEMA_FOREIGN: the chart hands it on.
 *
 * Source: the values are Silica's own; names that are of the Kubernetes API are as
 * there, Reference, Kubernetes API, Workload Resources
 */
#pragma once

#include "api/config/schema.h"

/* A SCHEMA_MAPPING that is only told of: its rows have no offsets. */
extern const struct schema_key values_root;
