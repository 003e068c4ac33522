/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory with a store in it, for one test.
 *
 * Source: tests/test.h
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reservoir/store/store.h"
#include "tests/folder.h"
#include "tests/test.h"

struct scratch {
	char dir[FOLDER_MAX];
	char store[80];
};

/**
 * scratch_setup() - Make a directory and a store.
 * @state: receives a struct scratch
 *
 * Return: 0.
 */
static inline int scratch_setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));
	struct error err = { 0 };

	assert_non_null(scratch);
	folder_make(scratch->dir);
	(void)snprintf(scratch->store, sizeof(scratch->store), "%s/store", scratch->dir);
	if (store_create(scratch->store, &err) < 0)
		fail_msg("%s", err.msg);
	*state = scratch;
	return 0;
}

/**
 * scratch_teardown() - Remove all of it.
 * @state: of scratch_setup()
 *
 * Return: 0.
 */
static inline int scratch_teardown(void **state)
{
	struct scratch *scratch = *state;

	folder_remove(scratch->dir);
	free(scratch);
	return 0;
}

/**
 * scratch_open() - Open the store, or fail the test.
 * @scratch: scratch
 * @access: whether to write
 *
 * Return: the store.
 */
static inline struct store *scratch_open(const struct scratch *scratch, enum store_access access)
{
	struct store *store = NULL;
	struct error err = { 0 };

	if (store_open(scratch->store, access, &store, &err) < 0)
		fail_msg("%s", err.msg);
	return store;
}
