/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as a kubelet encodes them, and a node of fake cards to ask for.
 *
 * The node is a tree of unit_drivers_tree with three cards of four cores, "A",
 * "B" and "C".  Card A has the files /dev/a, which all its partitions need, and
 * /dev/a0 to /dev/a3 and /dev/a0-1, /dev/a2-3 for its cores; B and C likewise.
 */
#pragma once

#include "api/grpc/rpc.h"
#include "device-plugin/claims.h"
#include "inventory/unit.h"
#include "policy/terms.h"
#include "tests/unit/drivers/tree.h"

extern const struct unit_rule request_whole;
extern const struct unit_rule request_pairs; /* partitions of two cores */

struct request_fixture {
	struct tree *tree;
	struct snapshot *snapshot; /* request_node() */
	struct unit_set *whole;
	struct unit_set *pairs;
	struct terms terms; /* device files only */
	struct claims *claims;
	unsigned int n_claimed; /* calls of the ledger's function */
};

/**
 * request_setup() - Make the node and its units; a cmocka setup function.
 * @state: set to the struct request_fixture
 *
 * Return: 0, or -1.
 */
int request_setup(void **state);

/**
 * request_teardown() - Release it all; a cmocka teardown function.
 * @state: the struct request_fixture
 *
 * Return: 0, or -1.
 */
int request_teardown(void **state);

/**
 * request_node() - Make the cards' files and a snapshot of healthy cards.
 * @tree: empty tree
 *
 * A card works as long as its file /dev/<card>.works is there.
 *
 * Return: the snapshot, with one reference; never NULL.
 */
struct snapshot *request_node(const struct tree *tree);

/**
 * request_units() - Make the units of a snapshot.
 * @snapshot: the node
 * @rule: the only rule
 *
 * Return: the set, with one reference; never NULL.
 */
struct unit_set *request_units(struct snapshot *snapshot, const struct unit_rule *rule);

/**
 * request_allocate() - Encode an AllocateRequest.
 * @text: IDs with spaces between them; a '|' begins another container; "" for no
 *	container
 *
 * Return: the message, the caller's.
 */
struct rpc_message request_allocate(const char *text);

/**
 * request_pre_start() - Encode a PreStartContainerRequest.
 * @text: IDs with spaces between them
 *
 * Return: the message, the caller's.
 */
struct rpc_message request_pre_start(const char *text);

/**
 * request_preferred() - Encode a PreferredAllocationRequest for one container.
 * @available: IDs with spaces between them
 * @must_include: IDs with spaces between them
 * @size: how many to choose
 *
 * Return: the message, the caller's.
 */
struct rpc_message request_preferred(const char *available, const char *must_include, int size);
