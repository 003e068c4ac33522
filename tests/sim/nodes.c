/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "tests/sim/tree.h"

/* Symbolic links lead here: always there, a character device, harmless. */
#define LINK_TARGET "/dev/null"

enum node_kind nodes_probe(int root_fd)
{
	int r;

	(void)unlinkat(root_fd, TREE_TEMPORARY, 0);
	r = mknodat(root_fd, TREE_TEMPORARY, S_IFCHR | 0666, makedev(1, 3)); /* as /dev/null */
	if (r < 0)
		return NODE_KIND_LINKS;
	(void)unlinkat(root_fd, TREE_TEMPORARY, 0);
	return NODE_KIND_REAL;
}

const char *node_suffix(const struct sim *sim, const struct node_template *node)
{
	if (sim->description.spelling == SPELLING_OLD && node->old_suffix)
		return node->old_suffix;
	return node->suffix;
}

static bool has_node(const struct sim *sim, const struct node_template *node)
{
	return !node->p2pmem || sim->description.p2pmem;
}

int node_find(const struct sim *sim, const struct card *card, const char *name,
	      const struct node_template **ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT(ERROR_TEXT_MAX);

	for (size_t i = 0; i < card->layout->n_nodes; i++) {
		const struct node_template *node = &card->layout->nodes[i];

		if (!has_node(sim, node))
			continue;
		if (strcmp(node->name, name) == 0) {
			*ret = node;
			return 0;
		}
		strbuf_printf(&known, " %s", node->name);
	}
	return error_set(err, ENOENT, "'%s' has no device file '%s'; known are:%s", card->handle,
			 name, strbuf_str(&known));
}

static struct node_place place_of(const struct card *card, const struct node_template *node)
{
	const struct node_place family = { 0 };

	return card->layout->places ? card->layout->places[node - card->layout->nodes] : family;
}

static struct tree_path node_path(const struct sim *sim, const struct card *card,
				  const struct node_template *node)
{
	const struct node_place place = place_of(card, node);
	const char *name = place.device_name ? place.device_name : card->layout->device_name;

	if (place.common)
		return tree_path("dev/%s", name);
	return tree_path("dev/%s%" PRIu32 "%s", name, card->index + place.offset,
			 node_suffix(sim, node));
}

int node_make(const struct sim *sim, dev_t dev, const char *path, struct error *err)
{
	if (sim->node_kind == NODE_KIND_LINKS)
		return tree_link(LINK_TARGET, sim->root_fd, path, err);
	if (mknodat(sim->root_fd, path, S_IFCHR | 0666, dev) < 0)
		return error_set(err, errno, "make device file '%s': %s", path, strerror(errno));
	return 0;
}

static int make_node(const struct sim *sim, const struct card *card,
		     const struct node_template *node, const char *path, struct error *err)
{
	unsigned int place = (unsigned int)(node - card->layout->nodes);
	dev_t dev =
		makedev(card->layout->chrdevs[0].major, card->index * SIM_MINORS_PER_CARD + place);

	return node_make(sim, dev, path, err);
}

static const char *subdirectory(const struct card *card, struct tree_path *path)
{
	char *slash;

	*path = tree_path("dev/%s", card->layout->device_name);
	slash = strrchr(path->text, '/');
	*slash = '\0';
	return strcmp(path->text, "dev") == 0 ? NULL : path->text;
}

int nodes_create(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path buffer;
	const char *dir = subdirectory(card, &buffer);
	int r = dir ? tree_mkdirs(sim->root_fd, dir, err) : 0;

	for (size_t i = 0; r >= 0 && i < card->layout->n_nodes; i++) {
		const struct node_template *node = &card->layout->nodes[i];
		struct tree_path path;

		if (!has_node(sim, node))
			continue;
		path = node_path(sim, card, node);
		if (place_of(card, node).common &&
		    faccessat(sim->root_fd, path.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		r = make_node(sim, card, node, path.text, err);
	}
	return r;
}

int nodes_remove(const struct sim *sim, const struct card *card, struct error *err)
{
	struct tree_path buffer;
	const char *dir = subdirectory(card, &buffer);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < card->layout->n_nodes; i++)
		if (!place_of(card, &card->layout->nodes[i]).common)
			r = node_remove(sim, card, &card->layout->nodes[i], err);
	if (r < 0 || !dir)
		return r;
	if (unlinkat(sim->root_fd, dir, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY && errno != ENOENT)
		return error_set(err, errno, "remove '%s': %s", dir, strerror(errno));
	return 0;
}

int node_remove(const struct sim *sim, const struct card *card, const struct node_template *node,
		struct error *err)
{
	struct tree_path path = node_path(sim, card, node);

	return tree_remove(sim->root_fd, path.text, err);
}

int node_restore(const struct sim *sim, const struct card *card, const struct node_template *node,
		 struct error *err)
{
	struct tree_path path = node_path(sim, card, node);
	int r;

	(void)unlinkat(sim->root_fd, TREE_TEMPORARY, 0);
	r = make_node(sim, card, node, TREE_TEMPORARY, err);
	if (r < 0)
		return r;
	return tree_rename_temporary(sim->root_fd, path.text, err);
}

int node_break(const struct sim *sim, const struct card *card, const struct node_template *node,
	       struct error *err)
{
	struct tree_path path = node_path(sim, card, node);

	return tree_replace(sim->root_fd, path.text, "", 0, err);
}
