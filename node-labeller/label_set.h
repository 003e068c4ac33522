/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels or annotations of a node: sorted by key, no key twice, with maxima.
 *
 * Source: Kubernetes documentation, Concepts, Labels and Selectors; Annotations
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* A node of sixteen cards of four vendors has about 200; what etcd takes ends it later. */
#define LABEL_SET_MAX 1024
#define ANNOTATION_VALUE_MAX 4096 /* bytes; all annotations of an object may have 256 KiB */

enum label_set_kind {
	LABEL_SET_LABELS,
	LABEL_SET_ANNOTATIONS, /* whose values may be longer, and any printable ASCII */
	_LABEL_SET_KIND_MAX,
};

struct label {
	char *key;   /* both in one block of their own */
	char *value; /* may be "" */
};

/* Begins as { .kind = ... }. */
struct label_set {
	enum label_set_kind kind;
	struct label *items; /* in order of key, as strcmp() has it */
	size_t n;
	size_t cap;
};

/**
 * typedef label_set_diff_fn - Called for each key in which two sets differ.
 * @ctx: as given to label_set_diff()
 * @key: the key
 * @before: value in the older set, or NULL
 * @after: value in the newer set, or NULL
 */
typedef void (*label_set_diff_fn)(void *ctx, const char *key, const char *before,
				  const char *after);

/**
 * label_set_add() - Add a label.
 * @set: set
 * @key: its key; copied
 * @value: its value; copied
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  Kubernetes accepts no such key or value
 *   -EEXIST  the key is there
 *   -E2BIG   the set has LABEL_SET_MAX labels
 *   -ENOMEM  no memory
 */
int label_set_add(struct label_set *set, const char *key, const char *value, struct error *err);

/**
 * label_set_diff() - List what differs between two sets.
 * @before: older set
 * @after: newer set
 * @fn: called once per key that was added, removed or changed, in order; or NULL
 * @ctx: passed to @fn
 *
 * Return: number of differences; 0 when the sets are equal.
 */
size_t label_set_diff(const struct label_set *before, const struct label_set *after,
		      label_set_diff_fn fn, void *ctx);

/**
 * label_set_equal() - Whether two sets have the same keys with the same values.
 * @a: a set
 * @b: a set
 *
 * Return: true if they have.
 */
bool label_set_equal(const struct label_set *a, const struct label_set *b);

/**
 * label_set_done() - Release the contents; the set is empty then, of the same kind.
 * @set: set
 */
void label_set_done(struct label_set *set);
#define _cleanup_label_set_ _cleanup_(label_set_done)
