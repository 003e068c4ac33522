/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/attributes.h"

#include <string.h>

#include "tests/sim/tree.h"

#define ATTRIBUTE_MAX 4096 /* PAGE_SIZE: what sysfs gives one attribute */

static int make_parent(const struct sim *sim, const char *dir, const char *name, struct error *err)
{
	const char *slash = strrchr(name, '/');
	struct tree_path parent;

	if (!slash)
		return 0;
	parent = tree_path("%s/%.*s", dir, (int)(slash - name), name);
	return tree_mkdirs(sim->root_fd, parent.text, err);
}

static int write_value(const struct sim *sim, const char *dir, const char *name, const char *value,
		       struct error *err)
{
	struct tree_path path = tree_path("%s/%s", dir, name);
	size_t len = strlen(value);
	int r = make_parent(sim, dir, name, err);

	if (r < 0)
		return r;
	if (!sim->description.newlines && len > 0 && value[len - 1] == '\n')
		len--;
	return tree_write(sim->root_fd, path.text, value, len, err);
}

int attributes_write(const struct sim *sim, const struct card *card, const char *dir,
		     const struct attribute *rows, size_t n, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ATTRIBUTE_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		strbuf_clear(&text);
		if (rows[i].value)
			strbuf_puts(&text, rows[i].value);
		else if (!rows[i].print(&text, sim, card))
			continue;
		r = strbuf_error(&text);
		if (r < 0)
			return error_set(err, -r, "attribute '%s': %s", rows[i].name, strerror(-r));
		r = write_value(sim, dir, rows[i].name, strbuf_str(&text), err);
	}
	return r;
}

int attributes_remove(const struct sim *sim, const char *dir, const struct attribute *rows,
		      size_t n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct tree_path path =
			tree_path("%s/%.*s", dir, (int)strcspn(rows[i].name, "/"), rows[i].name);

		r = tree_remove(sim->root_fd, path.text, err);
	}
	return r;
}
