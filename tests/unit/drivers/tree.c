/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/drivers/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "tests/folder.h"
#include "tests/test.h"

#define PATH_BYTES 512 /* of what tests name */

int tree_setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return -1;
	folder_make(tree->root);
	if (host_open(&tree->host, tree->root, NULL) < 0) {
		free(tree);
		return -1;
	}
	*state = tree;
	return 0;
}

/* It may be missing. */
static void remove_all(const char *path)
{
	(void)nftw(path, folder_remove_entry, FOLDER_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

int tree_teardown(void **state)
{
	struct tree *tree = *state;

	host_close(&tree->host);
	folder_remove(tree->root);
	free(tree);
	return 0;
}

void tree_mkdir(const struct tree *tree, const char *path)
{
	char part[PATH_BYTES];

	assert_int_equal(str_copy(part, sizeof(part), path), 0);
	for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdirat(tree->host.root_fd, part, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	assert_true(mkdirat(tree->host.root_fd, part, 0755) == 0 || errno == EEXIST);
}

static void make_parent(const struct tree *tree, const char *path)
{
	char parent[PATH_BYTES];
	char *slash;

	assert_int_equal(str_copy(parent, sizeof(parent), path), 0);
	slash = strrchr(parent, '/');
	if (!slash)
		return;
	*slash = '\0';
	tree_mkdir(tree, parent);
}

void tree_write(const struct tree *tree, const char *path, const void *data, size_t len)
{
	int fd;

	make_parent(tree, path);
	fd = openat(tree->host.root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
}

void tree_puts(const struct tree *tree, const char *path, const char *text)
{
	tree_write(tree, path, text, strlen(text));
}

void tree_link(const struct tree *tree, const char *path, const char *target)
{
	make_parent(tree, path);
	assert_int_equal(symlinkat(target, tree->host.root_fd, path), 0);
}

void tree_remove(const struct tree *tree, const char *path)
{
	char full[PATH_BYTES];
	int len = snprintf(full, sizeof(full), "%s/%s", tree->root, path);

	assert_in_range(len, 1, sizeof(full) - 1);
	remove_all(full);
}
