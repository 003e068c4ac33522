/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices are sorted by place, so that those below one bridge are neighbours.  Each
 * adds the bridges that it does not share with the one before it, then itself.
 * Whether a line has a sister below it is then found from the last line upwards.
 */
#include "cli/picture.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/text.h"

/* A NUMA node, a PCI path of components of one character, the device. */
#define DEPTH_MAX (2 + DEVICE_PCI_PATH_MAX / 2)

struct line {
	const struct device_state *state; /* NULL for a bridge */
	const char *text;		  /* name of a bridge, of @len bytes */
	size_t len;
	size_t depth; /* 0 for a NUMA node, whose first device is @state */
	bool is_last; /* there is no sister below it */
};

struct tree {
	struct line *lines;
	size_t n;
	size_t cap;
};

static void tree_done(struct tree *tree)
{
	free(tree->lines);
}

static int add_line(struct tree *tree, const struct line *line)
{
	if (tree->n == tree->cap) {
		size_t cap = tree->cap > 0 ? 2 * tree->cap : 64;
		struct line *lines = reallocarray(tree->lines, cap, sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		tree->lines = lines;
		tree->cap = cap;
	}
	tree->lines[tree->n++] = *line;
	return 0;
}

/* A separator sorts before every other character. */
static int rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : (unsigned char)c;
}

/* By NUMA node, an unknown one last; by path; by ID. */
static int compare_places(const void *a, const void *b)
{
	const struct device_state *left = *(const struct device_state *const *)a;
	const struct device_state *right = *(const struct device_state *const *)b;
	const char *p = left->device->pci.path;
	const char *q = right->device->pci.path;

	if (left->device->numa_node != right->device->numa_node)
		return (unsigned int)left->device->numa_node <
				       (unsigned int)right->device->numa_node
			       ? -1
			       : 1;
	for (; *p != '\0' && *p == *q; p++, q++)
		continue;
	return *p != *q ? rank(*p) - rank(*q) : strcmp(left->id, right->id);
}

/* Length of the path to the bridge above a device, without the '/' at its end. */
static size_t length_of_bridges(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* How many bytes of whole bridges two devices share. */
static size_t shared_bridges(const struct device *a, const struct device *b)
{
	const char *p = a->pci.path, *q = b->pci.path;
	size_t len = MIN(length_of_bridges(p), length_of_bridges(q));
	size_t shared = 0;

	for (size_t i = 0; i < len && p[i] == q[i]; i++)
		if (p[i + 1] == '/' && q[i + 1] == '/')
			shared = i + 1;
	return shared;
}

/* Adds the bridges of a device behind the first @shared bytes of its path. */
static int add_bridges(struct tree *tree, const struct device *device, size_t shared,
		       size_t *ret_depth)
{
	const char *path = device->pci.path;
	size_t len = length_of_bridges(path);
	size_t depth = 1, end;
	int r = 0;

	for (size_t start = 0; start < len && r == 0; start = end + 1, depth++) {
		end = start + strcspn(path + start, "/");
		if (start < shared)
			continue;
		r = add_line(tree, &(struct line) { .text = path + start,
						    .len = end - start,
						    .depth = depth });
	}
	*ret_depth = depth;
	return r;
}

static int add_device(struct tree *tree, const struct device_state *state,
		      const struct device_state *before)
{
	bool same_node = before && before->device->numa_node == state->device->numa_node;
	size_t shared = same_node ? shared_bridges(before->device, state->device) : 0;
	size_t depth = 1;
	int r = 0;

	if (!same_node)
		r = add_line(tree, &(struct line) { .state = state });
	if (r == 0)
		r = add_bridges(tree, state->device, shared, &depth);
	return r < 0 ? r : add_line(tree, &(struct line) { .state = state, .depth = depth });
}

static void find_last(struct tree *tree)
{
	bool more[DEPTH_MAX] = { false };

	for (size_t i = tree->n; i > 0; i--) {
		struct line *line = &tree->lines[i - 1];

		line->is_last = !more[line->depth];
		more[line->depth] = true;
		memset(more + line->depth + 1, 0, (DEPTH_MAX - line->depth - 1) * sizeof(*more));
	}
}

/* The strokes of a drawing: below an open branch, none, a branch, the last branch. */
struct strokes {
	const char *down, *blank, *branch, *last;
};

static const struct strokes ascii_strokes = { "|  ", "   ", "|- ", "`- " };
static const struct strokes utf8_strokes = { "\xe2\x94\x82  ", "   ", "\xe2\x94\x9c\xe2\x94\x80 ",
					     "\xe2\x94\x94\xe2\x94\x80 " };

static void put_device(const struct device_state *state, struct strbuf *out)
{
	const struct device *device = state->device;

	if (device->bdf[0])
		strbuf_printf(out, "%s  ", device->bdf);
	text_escape(out, device->name);
	strbuf_puts(out, "  ");
	text_escape(out, device->product);
	if (!state->present)
		strbuf_puts(out, "  (gone)");
	else if (!state->healthy)
		strbuf_puts(out, "  (unhealthy)");
}

static void put_line(const struct line *line, struct strbuf *out)
{
	if (line->depth == 0 && line->state->device->numa_node == DEVICE_NUMA_UNKNOWN)
		strbuf_puts(out, "NUMA node not known");
	else if (line->depth == 0)
		strbuf_printf(out, "NUMA node %d", line->state->device->numa_node);
	else if (line->state)
		put_device(line->state, out);
	else
		strbuf_add(out, line->text, line->len);
	strbuf_puts(out, "\n");
}

static void draw(const struct tree *tree, const struct strokes *strokes, struct strbuf *out)
{
	bool open[DEPTH_MAX] = { false };

	for (size_t i = 0; i < tree->n; i++) {
		const struct line *line = &tree->lines[i];

		for (size_t depth = 1; depth < line->depth; depth++)
			strbuf_puts(out, open[depth] ? strokes->down : strokes->blank);
		if (line->depth > 0)
			strbuf_puts(out, line->is_last ? strokes->last : strokes->branch);
		open[line->depth] = !line->is_last;
		put_line(line, out);
	}
}

/* One line for each group of devices that links of the vendor join. */
static void put_links(const struct device_state *const *states, size_t n, struct strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		const char *group = states[i]->device->link_group;
		size_t first = 0;

		if (group[0] == '\0')
			continue;
		while (strcmp(states[first]->device->link_group, group) != 0)
			first++;
		if (first < i)
			continue;
		strbuf_puts(out, "link ");
		text_escape(out, group);
		for (size_t j = i; j < n; j++) {
			if (strcmp(states[j]->device->link_group, group) != 0)
				continue;
			strbuf_puts(out, j == i ? ": " : ", ");
			text_escape(out, states[j]->device->name);
		}
		strbuf_puts(out, "\n");
	}
}

const struct device_state **picture_order(const struct snapshot *snapshot)
{
	const struct device_state **states =
		calloc(snapshot->n_devices + 1, sizeof(struct device_state *));

	for (size_t i = 0; states && i < snapshot->n_devices; i++)
		states[i] = &snapshot->devices[i];
	if (states)
		qsort(states, snapshot->n_devices, sizeof(struct device_state *), compare_places);
	return states;
}

int picture_topology(const struct snapshot *snapshot, bool utf8, struct strbuf *out)
{
	_cleanup_free_ const struct device_state **states = picture_order(snapshot);
	_cleanup_(tree_done) struct tree tree = { 0 };
	int r = 0;

	if (!states)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->n_devices && r == 0; i++)
		r = add_device(&tree, states[i], i > 0 ? states[i - 1] : NULL);
	if (r < 0)
		return r;
	find_last(&tree);
	draw(&tree, utf8 ? &utf8_strokes : &ascii_strokes, out);
	put_links(states, snapshot->n_devices, out);
	return 0;
}
