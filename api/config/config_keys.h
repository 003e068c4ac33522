/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the configuration file.
 *
 * Source: the schema is Silica's own
 */
#pragma once

#include "api/config/schema.h"

/* Describes struct config. */
extern const struct schema_key config_root;
