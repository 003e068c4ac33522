/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file, schema v1, as a plain struct.
 *
 * Reading is strict: an unknown, repeated or misplaced key, a value of the wrong
 * type and a value out of range are errors that name file, line and column.  A
 * program that reloads keeps the struct it has when the new file is refused.
 *
 * Which keys there are, with ranges and defaults, stands in the rows of
 * config_keys.c; docs/configuration.md is written from them.
 *
 * Source: the schema is Silica's own; the size of a ConfigMap is bounded in
 * Kubernetes' documentation, Concepts, Configuration, ConfigMaps
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/config/resource_name.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"

#define CONFIG_TEXT_MAX (1024 * 1024) /* bytes of a file: what a ConfigMap can hold */
#define CONFIG_RESOURCES_MAX 64	      /* each has a socket and a registration with the kubelet */
#define CONFIG_WORD_MAX 32	      /* bytes with the NUL of a vendor or product */
#define CONFIG_CORES_MAX 64	      /* of one partition */

enum config_version {
	CONFIG_V1,
	_CONFIG_VERSION_MAX,
};

enum config_unit {
	CONFIG_UNIT_WHOLE,
	CONFIG_UNIT_PARTITION,
	_CONFIG_UNIT_MAX,
};

/* Which devices; "" means any. */
struct config_devices {
	char vendor[CONFIG_WORD_MAX];  /* name of a driver, as in "furiosa" */
	char product[CONFIG_WORD_MAX]; /* as in "rngd" */
};

struct config_resource {
	char name[RESOURCE_NAME_MAX]; /* passed resource_name_check(); unique in the file */
	struct config_devices devices;
	enum config_unit unit;
	uint32_t cores; /* of one partition, a power of two; 0 for CONFIG_UNIT_WHOLE */
};

struct config_health {
	uint32_t interval_ms;	  /* between two probes of a device */
	uint32_t unhealthy_after; /* bad probes in a row, at least 1 */
	uint32_t healthy_after;	  /* good probes in a row, at least 1 */
	uint32_t forget_after_ms; /* absence after which a device is dropped; 0 means at once */
};

/* Moving the struct is fine: the resources, and so their names, stay where they are. */
struct config {
	enum config_version version;
	struct config_resource *resources; /* owned; in the order of the file */
	size_t n_resources;		   /* 1 to CONFIG_RESOURCES_MAX */
	struct config_health health;
	uint32_t rescan_interval_ms;
};

/**
 * config_default() - The configuration of a node without a file.
 * @ret: configuration, to be released with config_done()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int config_default(struct config *ret, struct error *err);

/**
 * config_load() - Read a configuration file.
 * @path: file to read, at most CONFIG_TEXT_MAX bytes
 * @ret: configuration, to be released with config_done(); untouched on failure
 * @err: set on failure, as in "a.yaml:3:1: unknown key 'resourses', did you mean 'resources'?"
 *
 * Context: any thread; blocks on reading the file.
 * Return: 0, or
 *   -EINVAL  the contents are refused; the first fault is told
 *   -ENOMEM  no memory
 *   -EFBIG   the file is too long
 *   -errno   as open(2) and read(2) leave it
 */
int config_load(const char *path, struct config *ret, struct error *err);

/**
 * config_parse() - Read a configuration from memory.
 * @text: @len bytes of UTF-8, any value; need not be NUL-terminated
 * @len: number of bytes
 * @name: what error messages call the text, usually its path
 * @ret: configuration, to be released with config_done(); untouched on failure
 * @err: set on failure
 *
 * Context: any thread.
 * Return: 0, or
 *   -EINVAL  the contents are refused; the first fault is told
 *   -ENOMEM  no memory
 *   -EFBIG   @len is above CONFIG_TEXT_MAX
 */
int config_parse(const char *text, size_t len, const char *name, struct config *ret,
		 struct error *err);

/**
 * config_done() - Release what a configuration owns.
 * @config: configuration, or all-zero
 */
void config_done(struct config *config);
#define _cleanup_config_ _cleanup_(config_done)

/**
 * config_print() - Write the effective configuration as YAML.
 * @config: configuration
 * @out: appended to; ask strbuf_error() afterwards
 *
 * config_parse() makes an equal configuration of the text.
 */
void config_print(const struct config *config, struct strbuf *out);

/**
 * config_describe() - Write the reference of all keys as a Markdown table.
 * @out: appended to; ask strbuf_error() afterwards
 */
void config_describe(struct strbuf *out);
