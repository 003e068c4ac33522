/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All drivers on a node that the input has spoiled.
 *
 * There is a node with a card of each kind.  They are good, and made once; what an
 * input does to one is undone after it.  The first byte of an input chooses the
 * node, and what follows is a row of changes: two bytes choose an entry, one says in which of the
 * ways of tests/hostile/spoil.c it is spoiled, or, past those, that a byte with a
 * length and so many bytes follow, which become the contents of a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/hostile/check.h"
#include "tests/hostile/every_driver.h"
#include "tests/hostile/spoil.h"
#include "tests/sim/commands.h"
#include "tests/sim/tree.h"

#define CHANGES_MAX 8
#define HEAD_BYTES 3 /* of a change */

struct node {
	char root[80];
	char aside[80];
	struct host host;
	struct spoil_site site;
	struct spoil_paths paths;
};

/* One for each driver, and for each way in which one finds cards. */
static const char *const cards[] = {
	"aic x1", "atom x1",	   "edgetpu x1", "flex170 x1",	"gaudi2 x1", "ipu x1",
	"lpu x1", "mi300x-cpx x1", "npu x1",	 "rdu x1",	"rngd x1",   "sapeon x1",
	"tsp x1", "trainium x1",   "warboy x1",	 "wormhole x1",
};

static char base_dir[64];
static struct node nodes[ARRAY_SIZE(cards)];
static struct every_driver every;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	(void)fprintf(stderr, "%s\n", what);
	__builtin_trap();
}

static void remove_nodes(void)
{
	(void)tree_remove(AT_FDCWD, base_dir, NULL);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(fd >= 0, path);
	return fd;
}

static void make_node(struct node *node, const char *card)
{
	_cleanup_device_list_ struct device_list list = { 0 };
	struct request request = { .dir = node->root, .args = { card }, .nodes = NODES_LINKS };
	struct error err = { 0 };

	(void)snprintf(node->root, sizeof(node->root), "%s/%s", base_dir, card);
	(void)snprintf(node->aside, sizeof(node->aside), "%s/%s aside", base_dir, card);
	must(command_create(&request, &err) == 0, err.msg);
	must(mkdir(node->aside, 0755) == 0, "mkdir");
	node->site =
		(struct spoil_site) { open_dir(node->root), open_dir(node->aside), node->aside };
	must(host_open(&node->host, node->root, &err) == 0, err.msg);
	must(spoil_paths_list(&node->paths, node->site.root_fd, "sys", &err) == 0, err.msg);
	must(spoil_paths_list(&node->paths, node->site.root_fd, "dev", &err) == 0, err.msg);
	must(every_driver_scan(&every, &node->host, &list, &err) == 0, err.msg);
	must(list.n > 0, "the card is found");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error err = { 0 };

	(void)argc;
	(void)argv;
	must(every_driver_init(&every, &err) == 0, err.msg);
	(void)snprintf(base_dir, sizeof(base_dir), "%s/fuzz-trees-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(base_dir) != NULL, "mkdtemp");
	(void)atexit(remove_nodes);
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
		make_node(&nodes[i], cards[i]);
	return 0;
}

/* Makes the change at the front of the input; returns how many bytes it had.  The path
 * is NULL if the entry is not there any more. */
static size_t make_change(const struct node *node, const uint8_t *data, size_t size,
			  unsigned int slot, const char **ret_path)
{
	size_t n;
	const struct spoil *table = spoil_table(&n);
	const char *path = node->paths.paths[(size_t)(data[0] << 8 | data[1]) % node->paths.n];
	struct spoil text = { .name = "input", .kind = SPOIL_TEXT };
	size_t used = HEAD_BYTES;

	if (data[2] >= n) {
		text.len = size > used ? MIN((size_t)data[used], size - used - 1) : 0;
		text.data = (const char *)data + used + (size > used);
		used += text.len + (size > used);
	}
	*ret_path = path;
	if (spoil_put(&node->site, data[2] < n ? &table[data[2]] : &text, path, slot, NULL) < 0)
		*ret_path = NULL;
	return used;
}

static void check_list(const struct node *node, const struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *wrong = check_device(list->devices[i]);

		must(!wrong, wrong);
		wrong = check_answers(&node->host, list->devices[i]);
		must(!wrong, wrong);
	}
}

/* What is scanned twice is the same, and what does not fail is sound. */
static void scan(const struct node *node)
{
	_cleanup_device_list_ struct device_list first = { 0 };
	_cleanup_device_list_ struct device_list second = { 0 };
	struct error err = { 0 };
	int r = every_driver_scan(&every, &node->host, &first, &err);

	must(r == 0 || err.msg[0] != '\0', "a failure without a reason");
	check_list(node, &first);
	must(every_driver_scan(&every, &node->host, &second, NULL) == r, "another result");
	must(first.n == second.n, "another number of devices");
	for (size_t i = 0; i < first.n; i++)
		must(device_equal(first.devices[i], second.devices[i]), "another device");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *paths[CHANGES_MAX]; /* of the changes that were made */
	const struct node *node;
	unsigned int n = 0;

	if (size == 0)
		return 0;
	node = &nodes[data[0] % ARRAY_SIZE(nodes)];
	data++;
	size--;
	while (size >= HEAD_BYTES && n < CHANGES_MAX) {
		size_t used = make_change(node, data, size, n, &paths[n]);

		data += used;
		size -= used;
		n += paths[n] != NULL;
	}
	scan(node);
	while (n-- > 0)
		must(spoil_undo(&node->site, paths[n], n, NULL) == 0, "not undone");
	return 0;
}
