/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is offered of a made-up node, and who holds it.
 */
#pragma once

#include "api/kubelet/podresources.h"
#include "cli/view.h"
#include "inventory/unit.h"

/* A device that a container of the pod "ns/POD" holds. */
struct scene_row {
	const char *pod; /* "" in a table of allocatable devices */
	const char *resource;
	const char *device_id;
};

/**
 * scene_view() - Make a view of a node without looking at one.
 * @snapshot: node; a reference is taken
 * @rules: array of @n rules, each of another resource; must outlive the view
 * @n: number of rules
 * @held: who holds what, or NULL
 *
 * Return: the view, to be released with view_close().
 */
struct view scene_view(struct snapshot *snapshot, const struct unit_rule *rules, size_t n,
		       const struct podresources *held);

/**
 * scene_table() - Make a table as a kubelet's answer to List is read.
 * @rows: array of @n rows
 * @n: number of rows
 *
 * Return: the table, to be released with podresources_done().
 */
struct podresources scene_table(const struct scene_row *rows, size_t n);
