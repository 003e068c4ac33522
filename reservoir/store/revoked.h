/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was recalled: objects that are given to nobody any more, whatever names them.
 *
 * The list is part of a generation, so that it is published, signed and carried with
 * it.  That of the current generation holds for all others too: for snapshots, and for
 * what a rollback brings back.
 *
 * Source: reservoir/store/generation.h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "reservoir/store/digest.h"

#define REVOKED_MAX 4096 /* objects: 275 KB of a generation's text, and years of recalls */

struct revoked {
	struct digest *digests; /* ascending, each once */
	size_t n;
};

/**
 * revoked_done() - Release a list.
 * @revoked: list
 */
void revoked_done(struct revoked *revoked);

/**
 * revoked_has() - Whether an object was recalled.
 * @revoked: list, or NULL for none
 * @digest: object
 *
 * Return: true if so.
 */
bool revoked_has(const struct revoked *revoked, const struct digest *digest);

/**
 * revoked_describe() - Write what tells a list from others.
 * @revoked: list, or NULL for none
 * @out: receives a line; nothing of an empty list
 */
void revoked_describe(const struct revoked *revoked, struct strbuf *out);

/**
 * revoked_add() - Recall an object.
 * @revoked: list
 * @digest: object
 * @err: set on failure
 *
 * Return: 1 if it is new in the list, 0 if not, -E2BIG or -ENOMEM.
 */
int revoked_add(struct revoked *revoked, const struct digest *digest, struct error *err);

/**
 * revoked_merge() - Recall all that another list has.
 * @revoked: list
 * @other: list
 * @err: set on failure
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int revoked_merge(struct revoked *revoked, const struct revoked *other, struct error *err);

/**
 * revoked_remove() - Give an object out again.
 * @revoked: list
 * @digest: object
 *
 * Return: true if the list had it.
 */
bool revoked_remove(struct revoked *revoked, const struct digest *digest);
