/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A temporary directory that stands for the root of a host, for tests to fill.
 * What goes wrong while it is made ends the test.
 *
 * Source: the approach is that of kmod's test suite, which redirects the root
 */
#pragma once

#include <stddef.h>

#include "drivers/host.h"
#include "tests/folder.h"

struct tree {
	char root[FOLDER_MAX];
	struct host host;
};

/* A test in a tree of its own. */
#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

/**
 * tree_setup() - Make an empty tree; a cmocka setup function.
 * @state: set to the struct tree
 *
 * Return: 0, or -1.
 */
int tree_setup(void **state);

/**
 * tree_teardown() - Remove a tree with all that is in it; a cmocka teardown function.
 * @state: the struct tree
 *
 * Return: 0.
 */
int tree_teardown(void **state);

/**
 * tree_mkdir() - Make a directory and those above it.
 * @tree: tree
 * @path: relative to the root
 */
void tree_mkdir(const struct tree *tree, const char *path);

/**
 * tree_write() - Write a file; its directory is made.
 * @tree: tree
 * @path: relative to the root
 * @data: @len bytes
 * @len: number of bytes
 */
void tree_write(const struct tree *tree, const char *path, const void *data, size_t len);

/**
 * tree_puts() - Write a text file; its directory is made.
 * @tree: tree
 * @path: relative to the root
 * @text: contents
 */
void tree_puts(const struct tree *tree, const char *path, const char *text);

/**
 * tree_link() - Make a symbolic link; its directory is made.
 * @tree: tree
 * @path: relative to the root
 * @target: what it leads to
 */
void tree_link(const struct tree *tree, const char *path, const char *target);

/**
 * tree_remove() - Remove a file or a directory with all that is in it.
 * @tree: tree
 * @path: relative to the root; may be missing
 */
void tree_remove(const struct tree *tree, const char *path);
