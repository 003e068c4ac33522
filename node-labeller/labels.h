/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the labels of a node are: a pure function of its devices and of what it offers.
 *
 *	snapshot, offer ---view---> groups of cards ---rows---> labels, annotations
 *
 * Each label is a row of a table (label_rows.h): the name, whose cards it is about, and a
 * function that says what it is worth.  A label that is about several cards is written only
 * when they agree; there is none with the value of the first card for all.  What does not
 * fit into a label, as a name of more than 63 characters, becomes an annotation of the same
 * key.
 *
 * Source: none outside the project; those of the rows are with them
 */
#pragma once

#include "api/config/config.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "inventory/snapshot.h"
#include "node-labeller/label_set.h"
#include "policy/policy.h"

struct labels_input {
	struct snapshot *snapshot;
	const struct offer *offer; /* made of @snapshot; NULL where nothing is offered */
	const struct config_labels *config;
	const char *machine;	    /* the DMI product name; "" when not known */
	const char *machine_vendor; /* the DMI system vendor; "" when not known */
};

/**
 * labels_make() - Say what labels a node has.
 * @input: the node; borrowed during the call
 * @labels: set of kind LABEL_SET_LABELS; its contents are replaced on success
 * @annotations: set of kind LABEL_SET_ANNOTATIONS; the same
 * @err: set on failure
 *
 * Return: 0, or
 *   -E2BIG   more than LABEL_SET_MAX labels, or more than UNITS_MAX units of a resource
 *   -ENOMEM  no memory
 */
int labels_make(const struct labels_input *input, struct label_set *labels,
		struct label_set *annotations, struct error *err);

/**
 * labels_print() - Write labels and annotations for people.
 * @labels: labels
 * @annotations: annotations
 * @out: appended to, a line "key=value" per label, and after an empty line one with
 *	"# annotation " in front per annotation; ask strbuf_error() afterwards
 */
void labels_print(const struct label_set *labels, const struct label_set *annotations,
		  struct strbuf *out);
