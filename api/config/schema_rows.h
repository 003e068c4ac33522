/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short names for what rows of a schema say again and again.
 *
 * Source: api/config/schema.h
 */
#pragma once

#include <stddef.h>

#include "api/config/schema.h"
#include "base/macro.h"

/* Where a value lies in its struct. */
#define FIELD(of, member) .offset = offsetof(of, member), .size = sizeof(((of *)0)->member)
#define ITEMS(of, items, n) .offset = offsetof(of, items), .n_offset = offsetof(of, n)

/* A string that fills its array, and is not empty. */
#define TEXT(of, member) \
	.type = SCHEMA_STRING, FIELD(of, member), .min = 1, .max = sizeof(((of *)0)->member) - 1

#define MAPPING(rows) .type = SCHEMA_MAPPING, .keys = (rows), .n_keys = ARRAY_SIZE(rows)
