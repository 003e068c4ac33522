/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the configuration.
 *
 * Source: api/config/schema.h
 */
#pragma once

#include "api/config/schema.h"

extern const struct schema_key reservoir_config_root;
