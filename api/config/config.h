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
 * Keys of other plugins that are still accepted are translated while reading, so
 * no field of the struct stands for them; each leaves a note for the log.
 *
 * Source: the schema is Silica's own; the size of a ConfigMap is bounded in
 * Kubernetes' documentation, Concepts, Configuration, ConfigMaps
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/config/declared_keys.h"
#include "api/config/resource_name.h"
#include "api/config/schema.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strbuf.h"

#define CONFIG_TEXT_MAX (1024 * 1024) /* bytes of a file: what a ConfigMap can hold */
#define CONFIG_RESOURCES_MAX 64	      /* each has a socket and a registration with the kubelet */
#define CONFIG_EXCLUDES_MAX 1024      /* one per node of a large cluster that has a bad card */
#define CONFIG_WORD_MAX 32	      /* bytes with the NUL of the name of a driver */
#define CONFIG_DRIVERS_MAX 64	      /* a multiple of the drivers that there are */
#define CONFIG_PATTERN_MAX 65	      /* bytes with the NUL; the longest is a product's name */
#define CONFIG_PATTERNS_MAX 64	      /* of one list: the UUIDs of the fullest nodes */
#define CONFIG_STARS_MAX 4	      /* of one pattern; bounds the time that matching takes */
#define CONFIG_NODE_NAME_MAX 254      /* with the NUL: a DNS name */
#define CONFIG_LABELS_MAX 16	      /* of one selector of nodes */
#define CONFIG_LABEL_KEY_MAX 318      /* with the NUL: a DNS name of 253 bytes, '/', 63 bytes */
#define CONFIG_LABEL_VALUE_MAX 64     /* with the NUL, as Kubernetes has it */
#define CONFIG_PATH_MAX 256	      /* bytes with the NUL of a directory */
#define CONFIG_CORES_MAX 64	      /* of one partition */
#define CONFIG_SHARES_MIN 2
#define CONFIG_SHARES_MAX 10000 /* of one unit; more devices than a kubelet takes otherwise */
#define CONFIG_NOTES_MAX 8	/* deprecated keys of one file */

enum config_version {
	CONFIG_V1,
	_CONFIG_VERSION_MAX,
};

enum config_unit {
	CONFIG_UNIT_WHOLE,
	CONFIG_UNIT_PARTITION,
	CONFIG_UNIT_SHARE,
	_CONFIG_UNIT_MAX,
};

/* What an answer to Allocate carries; each stands for a bit. */
enum config_allocate {
	CONFIG_ALLOCATE_DEVICE_NODES,
	CONFIG_ALLOCATE_ENV,
	CONFIG_ALLOCATE_CDI,
	CONFIG_ALLOCATE_ANNOTATIONS,
	_CONFIG_ALLOCATE_MAX,
};

enum config_preferred {
	CONFIG_PREFERRED_ALIGNED,     /* near each other */
	CONFIG_PREFERRED_PACKED,      /* on few devices */
	CONFIG_PREFERRED_DISTRIBUTED, /* over many devices */
	_CONFIG_PREFERRED_MAX,
};

/* Labels of a node; each stands for a bit. */
enum config_label_family {
	CONFIG_FAMILY_NEUTRAL, /* one spelling for every vendor */
	CONFIG_FAMILY_VENDOR,  /* those of the vendors' own tools */
	_CONFIG_FAMILY_MAX,
};

/* What Furiosa's tool writes and what its manual has are not the same names. */
enum config_furiosa_names {
	CONFIG_FURIOSA_BOTH,
	CONFIG_FURIOSA_CODE,
	CONFIG_FURIOSA_DOCS,
	_CONFIG_FURIOSA_MAX,
};

/* '*' stands for any bytes, also none; '?' for one; every other byte for itself. */
struct config_pattern {
	char text[CONFIG_PATTERN_MAX];
	struct schema_place place; /* all-zero where it was not written */
};

/* Holds where one of them does; none at all means that anything does. */
struct config_patterns {
	struct config_pattern *items; /* owned */
	size_t n;		      /* 0 to CONFIG_PATTERNS_MAX */
};

/* Which devices: all five must hold. */
struct config_selector {
	struct config_patterns vendor;	     /* name of a driver, as in "furiosa" */
	struct config_patterns product;	     /* as in "rngd" */
	struct config_patterns architecture; /* as in "xe" */
	struct config_patterns bdf;	     /* as in "0000:27:00.0" */
	struct config_patterns uuid;
};

struct config_label {
	char key[CONFIG_LABEL_KEY_MAX];
	char value[CONFIG_LABEL_VALUE_MAX]; /* may be "" */
};

/* A pattern as well. */
struct config_node_name {
	char text[CONFIG_NODE_NAME_MAX];
};

/* Which nodes: one of the names, and all of the labels. */
struct config_nodes {
	struct config_node_name *names; /* owned; none means any */
	size_t n_names;			/* 0 to CONFIG_PATTERNS_MAX */
	struct config_label *labels;	/* owned; no key twice */
	size_t n_labels;		/* 0 to CONFIG_LABELS_MAX */
};

/* Devices that are offered by no resource; at least one pattern or label is there. */
struct config_exclude {
	struct config_selector devices;
	struct config_nodes nodes;
};

/* The control daemon of NVIDIA's Multi-Process Service that shares are clients of. */
struct config_mps {
	char pipe_directory[CONFIG_PATH_MAX]; /* on the host; "" without MPS */
	char log_directory[CONFIG_PATH_MAX];  /* on the host, or "" */
};

struct config_resource {
	/* Passed resource_name_check_template().  Unique in the file, except among
	 * resources that all have @nodes. */
	char name[RESOURCE_NAME_MAX];
	struct config_selector devices;
	struct config_nodes nodes;
	enum config_unit unit;
	enum config_unit of; /* what a share is of: whole or partition; else whole */

	/* Which partitions, where @unit or @of is one; else 0 and "".  At most one of the
	 * two; neither means all partitions that the hardware has been cut into. */
	uint32_t cores;			  /* a power of two, or 0 */
	char profile[CONFIG_PATTERN_MAX]; /* pattern, or "" */

	uint32_t shares;		     /* of one device or partition; 0 if not a share */
	bool fail_requests_greater_than_one; /* only of a share */
	bool overlap;	   /* offers also what an earlier resource offers; see the key's text */
	uint32_t allocate; /* bits 1 << enum config_allocate, at least one */
	enum config_preferred preferred;
	struct config_mps mps; /* only of a share, with vendor nvidia */
};

struct config_driver_name {
	char name[CONFIG_WORD_MAX];
	struct schema_place place;
};

struct config_drivers {
	struct config_driver_name *enable; /* owned; besides those that are on by default */
	size_t n_enable;
	struct config_driver_name *disable; /* owned; none of them is in @enable */
	size_t n_disable;
	struct config_driver
		*declare; /* owned; cards that are described, with names of their own */
	size_t n_declare; /* 0 to CONFIG_DECLARED_MAX */
};

struct config_cdi {
	char directory[CONFIG_PATH_MAX]; /* on the host, absolute */
};

struct config_health {
	uint32_t interval_ms;	  /* between two probes of a device */
	uint32_t unhealthy_after; /* bad probes in a row, at least 1 */
	uint32_t healthy_after;	  /* good probes in a row, at least 1 */
	uint32_t forget_after_ms; /* absence after which a device is dropped; 0 means at once */
};

struct config_labels {
	uint32_t families; /* bits 1 << enum config_label_family, at least one */
	enum config_furiosa_names furiosa;
	bool beta_names; /* those of older releases, too */
};

/* What is kept on the Node object beside labels. */
struct config_node_extras {
	bool remove_startup_taints;
	bool exclusive_taints;
	bool condition;
	bool events;
};

/* What the log should say about a configuration that was accepted. */
struct config_note {
	char text[ERROR_TEXT_MAX]; /* as in "a.yaml:3:1: key 'partitioning' is deprecated: ..." */
};

/* Moving the struct is fine: the lists, and so their strings, stay where they are. */
struct config {
	char *source; /* owned; what the text was called, for messages */
	enum config_version version;
	struct config_drivers drivers;
	struct config_exclude *exclude;	   /* owned */
	size_t n_exclude;		   /* 0 to CONFIG_EXCLUDES_MAX */
	struct config_resource *resources; /* owned; in the order of the file */
	size_t n_resources;		   /* 1 to CONFIG_RESOURCES_MAX */
	bool resources_are_default;	   /* the file has none: one of every known vendor */
	struct config_cdi cdi;
	struct config_health health;
	uint32_t rescan_interval_ms;
	struct config_labels labels;
	struct config_node_extras node;
	struct config_note *notes; /* owned; not part of what is printed */
	size_t n_notes;		   /* 0 to CONFIG_NOTES_MAX */
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
 * config_parse() makes an equal configuration of the text unless that is longer than
 * CONFIG_TEXT_MAX.  The text has no deprecated keys, so that there are no notes
 * then, and has resources, so that they are no default any more.
 */
void config_print(const struct config *config, struct strbuf *out);

/**
 * config_describe() - Write the reference of all keys as a Markdown table.
 * @out: appended to; ask strbuf_error() afterwards
 */
void config_describe(struct strbuf *out);
