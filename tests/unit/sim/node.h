/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated node in a temporary directory, for the tests of this folder.
 *
 * Source: cmocka's fixtures: state is made in a setup function and released in a
 * teardown function, which also runs after a failed assertion
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "tests/sim/commands.h"
#include "tests/sim/tree.h"
#include "tests/test.h"

#define NODE_VALUE_MAX 4096

struct node {
	char dir[64];
	int root_fd;
};

/**
 * node_setup() - Make an empty temporary directory.
 * @state: set to a struct node
 *
 * Return: 0, or -1.
 */
static inline int node_setup(void **state)
{
	static struct node node;

	(void)umask(0);
	node = (struct node) { .dir = "/tmp/silica-sim.XXXXXX" };
	if (!mkdtemp(node.dir))
		return -1;
	node.root_fd = open(node.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &node;
	return node.root_fd < 0 ? -1 : 0;
}

/**
 * node_teardown() - Remove the temporary directory.
 * @state: as set by node_setup()
 *
 * Return: 0, or -1.
 */
static inline int node_teardown(void **state)
{
	struct node *node = *state;

	(void)close(node->root_fd);
	return tree_remove(AT_FDCWD, node->dir, NULL) < 0 ? -1 : 0;
}

/**
 * node_create() - Build a node whose device files are links.
 * @node: node
 * @description: what it shall have
 */
static inline void node_create(const struct node *node, const char *description)
{
	struct request request = { .dir = node->dir,
				   .args = { description },
				   .nodes = NODES_LINKS };
	struct error err = { 0 };

	if (command_create(&request, &err) < 0)
		fail_msg("create '%s': %s", description, err.msg);
}

/**
 * node_exists() - Whether something is at a path; links are not followed.
 * @node: node
 * @path: path relative to its root
 *
 * Return: true if so.
 */
static inline bool node_exists(const struct node *node, const char *path)
{
	return faccessat(node->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/**
 * node_count() - Count the entries of a directory.
 * @node: node
 * @path: directory, relative to its root
 * @prefix: only names that begin so count
 *
 * Return: number of entries; 0 when there is no such directory.
 */
static inline int node_count(const struct node *node, const char *path, const char *prefix)
{
	int fd = openat(node->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int n = 0;

	if (!dir)
		return 0;
	for (entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	return n;
}

/**
 * assert_contents() - Check a file byte by byte.
 * @node: node
 * @path: file, relative to its root
 * @expected: its contents, or NULL if there shall be no such file
 */
static inline void assert_contents(const struct node *node, const char *path, const char *expected)
{
	char value[NODE_VALUE_MAX];
	ssize_t len = file_read(node->root_fd, path, value, sizeof(value), NULL);

	if (!expected) {
		assert_int_equal(len, -ENOENT);
		return;
	}
	if (len < 0)
		fail_msg("'%s' cannot be read: %s", path, strerror((int)-len));
	assert_string_equal(value, expected);
	assert_int_equal(len, strlen(expected));
}
