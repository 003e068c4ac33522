/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the configuration share, which stand in several files.
 *
 * Source: api/config/schema.h
 */
#pragma once

#include "api/config/schema.h"
#include "api/config/schema_rows.h"
#include "reservoir/config/config.h"

#define SECOND_MS 1000u
#define MINUTE_MS (60u * SECOND_MS)
#define HOUR_MS (60u * MINUTE_MS)
#define DAY_MS (24u * HOUR_MS)
#define GI ((uint64_t)1024 * 1024 * 1024)

#define USERS_MAX 1024
#define FEW_MAX 64 /* suites, architectures, keys */

#define BOOL(of, member) .type = SCHEMA_BOOL, FIELD(of, member)
#define WORDS(of, items, n, row) .type = SCHEMA_LIST, ITEMS(of, items, n), .item = &(row)

/* Items of lists: a word, a path, and a repository with the rows of its ecosystem. */
extern const struct schema_key reservoir_config_word;
extern const struct schema_key reservoir_config_path;
extern const struct schema_key reservoir_config_repository_item;
