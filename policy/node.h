/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which node the program runs on: its name, and its labels from a file.
 *
 * The file has a label a line, as the downward API writes them: key="value", with
 * the escapes of Go.
 *
 * Source: Kubernetes pkg/fieldpath/fieldpath.go, FormatMap(); Go strconv.Quote()
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "policy/policy.h"

#define NODE_LABELS_FILE_MAX (256 * 1024) /* bytes; a node object has at most that of metadata */

/* Owns its strings. */
struct node_identity {
	struct policy_node node;
	char *text; /* that they lie in */
	struct policy_label *labels;
};

/**
 * node_identity_load() - Find out which node this is.
 * @name: name of the node; NULL takes the environment variable NODE_NAME, or ""
 * @labels_path: file of labels, or NULL for none
 * @ret: the node, to be released with node_identity_done()
 * @err: set on failure; names file and line
 *
 * Return: 0, or
 *   -EINVAL  a line is no label
 *   -E2BIG   more than POLICY_LABELS_MAX labels
 *   -ENOMEM  no memory
 *   -errno   as open(2) and read(2) leave it
 */
int node_identity_load(const char *name, const char *labels_path, struct node_identity *ret,
		       struct error *err);

/**
 * node_identity_done() - Release it.
 * @identity: loaded or all-zero
 */
void node_identity_done(struct node_identity *identity);
#define _cleanup_node_identity_ _cleanup_(node_identity_done)
