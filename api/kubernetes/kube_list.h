/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of objects, as the API server gives them in parts.  No I/O.
 *
 * Source: kubernetes.io/docs/reference/using-api/api-concepts, "Retrieving large results
 *	sets in chunks"
 */
#pragma once

struct json_t; /* of jansson */

/**
 * typedef kube_list_fn - Called for each object of a list.
 * @ctx: as given to kube_list_each()
 * @object: the object; borrowed from the list
 *
 * Return: 0 to go on, or a negative errno.
 */
typedef int (*kube_list_fn)(void *ctx, const struct json_t *object);

/**
 * kube_list_each() - Go through a list.
 * @list: list
 * @fn: called for each item that is an object
 * @ctx: passed to @fn
 *
 * Return: 0, or what @fn has ended it with.
 */
int kube_list_each(const struct json_t *list, kube_list_fn fn, void *ctx);

/**
 * kube_list_continue() - What asks for the next part.
 * @list: list
 *
 * Return: a token, or NULL when this was the last part.
 */
const char *kube_list_continue(const struct json_t *list);
