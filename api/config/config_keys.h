/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the configuration file.
 *
 * Source: the schema is Silica's own; the keys of struct config_furiosa are those of
 * FuriosaAI's device plugin, releases 2024.2 to 2025.3
 */
#pragma once

#include "api/config/config.h"
#include "api/config/schema.h"

#define CONFIG_DISABLED_MAX 1024 /* nodes; as many as CONFIG_EXCLUDES_MAX */

/* How a Furiosa card was cut; the first is that of a file without the key. */
enum config_partitioning {
	CONFIG_PARTITIONING_UNSET,
	CONFIG_PARTITIONING_NONE,
	CONFIG_PARTITIONING_1CORE,
	CONFIG_PARTITIONING_2CORE,
	CONFIG_PARTITIONING_4CORE,
	_CONFIG_PARTITIONING_MAX,
};

/* Cards that are not offered on one node. */
struct config_disabled {
	char node[CONFIG_NODE_NAME_MAX];
	struct config_patterns uuids; /* owned; at least one */
};

/* Deprecated keys, until config_parse() has translated them. */
struct config_furiosa {
	enum config_partitioning partitioning;
	enum config_partitioning strategy; /* the same thing by older names */
	bool debug_mode;
	struct config_disabled *disabled; /* owned */
	size_t n_disabled;
	struct config_disabled *disabled_list; /* owned; the same by its older name */
	size_t n_disabled_list;
};

/* All that a file may say. */
struct config_file {
	struct config config;
	struct config_furiosa furiosa;
};

/* Describes struct config_file. */
extern const struct schema_key config_root;
