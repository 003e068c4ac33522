/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The object behind a declared driver: the row that everyone sees, and what its
 * pointers lead to, in one block of memory with a count of references.
 */
#include "drivers/declared.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "drivers/declared_path.h"
#include "drivers/declared_row.h"

#define DIRS_MAX (DECLARED_NODES_MAX + DECLARED_FILES_MAX)
#define DOC_TEXT_MAX 4096 /* bytes of one row; the longest part is a list of device files */

enum doc_text { DOC_READS, DOC_HEALTH, DOC_NODES, _DOC_TEXT_MAX };

struct declared {
	struct driver driver;
	int refs; /* atomic */
	struct declared_spec spec;
	struct driver_env env[DECLARED_ENV_MAX + 1];
	struct driver_mount mounts[DECLARED_MOUNTS_MAX + 1];
	char dirs[DIRS_MAX][NODE_PATH_MAX];
	const char *node_dirs[DIRS_MAX + 1];
	const char *subsystems[2];
	char *doc[_DOC_TEXT_MAX]; /* owned */
};

/* A driver is constant to all who refer to it, but not to what counts them. */
static struct declared *object_of(const struct driver *driver)
{
	union {
		const struct driver *constant;
		struct declared *object; /* the row is its first member */
	} alias = { .constant = driver };

	return alias.object;
}

static void declared_ref(const struct driver *driver)
{
	__atomic_add_fetch(&object_of(driver)->refs, 1, __ATOMIC_RELAXED);
}

static void declared_unref(const struct driver *driver)
{
	struct declared *object = object_of(driver);

	/* Acquire and release: whoever frees must see all that the others did. */
	if (__atomic_sub_fetch(&object->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(object->doc); i++)
		free(object->doc[i]);
	free(object);
}

/* --- what the row points to --- */

static void set_env(struct declared *object)
{
	const struct declared_spec *spec = &object->spec;

	for (size_t i = 0; i < spec->n_env; i++)
		object->env[i] = (struct driver_env) { .name = spec->env[i].name,
						       .value = spec->env[i].value };
	for (size_t i = 0; i < spec->n_mounts; i++)
		object->mounts[i] =
			(struct driver_mount) { .path = spec->mounts[i].path,
						.read_only = spec->mounts[i].read_only };
	object->driver.env = spec->n_env > 0 ? object->env : NULL;
	object->driver.mounts = spec->n_mounts > 0 ? object->mounts : NULL;
}

/* Notes the directory of a device file, unless a placeholder is part of it. */
static void add_dir(struct declared *object, size_t *n, const char *path)
{
	int len = (int)(strrchr(path, '/') - path) - 1;
	char *dir = object->dirs[*n];

	(void)snprintf(dir, NODE_PATH_MAX, "%.*s", len, path + 1);
	if (strchr(dir, '{'))
		return;
	for (size_t i = 0; i < *n; i++)
		if (strcmp(object->node_dirs[i], dir) == 0)
			return;
	object->node_dirs[(*n)++] = dir;
}

/* The name of an entry of a class may begin with a directory, as "acme!card0". */
static void add_node_dir(struct declared *object, size_t *n, const char *path)
{
	const char *rest = str_starts_with(path, "/dev/{name}");
	char name[NODE_PATH_MAX];

	if (!rest || strchr(rest, '/')) {
		add_dir(object, n, path);
		return;
	}
	(void)snprintf(name, sizeof(name), "/dev/%s", object->spec.match.prefix);
	for (char *c = name; *c; c++)
		if (*c == '!')
			*c = '/';
	add_dir(object, n, name);
}

static void set_places(struct declared *object)
{
	const struct declared_spec *spec = &object->spec;
	size_t n = 0;

	for (size_t i = 0; i < spec->match.n_files; i++)
		add_dir(object, &n, spec->match.files[i]);
	for (size_t i = 0; i < spec->n_nodes; i++)
		add_node_dir(object, &n, spec->nodes[i].path);
	object->driver.node_dirs = object->node_dirs;
	if (declared_source(spec) == DECLARED_SOURCE_CLASS)
		object->subsystems[0] = spec->match.class_name;
	else if (spec->match.pci_vendor != 0)
		object->subsystems[0] = "pci";
	object->driver.subsystems = object->subsystems;
}

/* --- what docs/hardware.md says of it --- */

static void print_reads(const struct declared_spec *spec, struct strbuf *out)
{
	const struct declared_match *match = &spec->match;
	const char *sep = "";

	if (match->class_name[0] != '\0') {
		strbuf_printf(out, "`/sys/class/%s/%sN%s`", match->class_name, match->prefix,
			      match->suffix);
		sep = ", ";
	}
	for (size_t i = 0; i < match->n_files; i++, sep = ", ")
		strbuf_printf(out, "%s`%s`", sep, match->files[i]);
	if (match->pci_vendor != 0) {
		strbuf_printf(out, "%sPCI vendor `%04x`", sep, match->pci_vendor);
		sep = ", ";
	}
	for (size_t i = 0; i < match->n_ids; i++)
		strbuf_printf(out, "%s`%04x`", i == 0 ? " device " : ", ", match->ids[i].device);
	if (match->pci_class_mask != 0)
		strbuf_printf(out, "%sPCI class `%06x`", sep, match->pci_class);
}

static void print_health(const struct declared_spec *spec, struct strbuf *out)
{
	static const char *const tests[_DECLARED_TEST_MAX] = {
		[DECLARED_TEST_EQUALS] = "is",
		[DECLARED_TEST_NOT_EQUALS] = "is not",
		[DECLARED_TEST_LESS_THAN] = "is less than",
	};
	const struct declared_health *rule = &spec->health;

	strbuf_puts(out, "it is there, with its device files");
	if (rule->exists[0] != '\0')
		strbuf_printf(out, "; `%s` exists", rule->exists);
	if (rule->test != DECLARED_TEST_NONE)
		strbuf_printf(out, "; `%s` %s `%s`", rule->attribute, tests[rule->test],
			      rule->other[0] != '\0' ? rule->other : rule->value);
}

static void print_nodes(const struct declared_spec *spec, struct strbuf *out)
{
	for (size_t i = 0; i < spec->n_nodes; i++)
		strbuf_printf(out, "%s`%s`%s", i == 0 ? "" : ", ", spec->nodes[i].path,
			      spec->nodes[i].optional ? " if there" : "");
	if (spec->n_nodes == 0 && spec->match.n_files > 0)
		strbuf_puts(out, "the file that was found");
	else if (spec->n_nodes == 0)
		strbuf_puts(out, "none known: unhealthy until they are declared");
}

static const char *identity_text(const struct declared_spec *spec)
{
	bool uuid = spec->attributes[DECLARED_UUID][0] != '\0';
	bool serial = spec->attributes[DECLARED_SERIAL][0] != '\0';

	if (spec->identity_by_index)
		return "what there is of UUID, serial number and PCI address, else the name, "
		       "which a renumbering changes";
	if (uuid)
		return serial ? "UUID, else serial number, else PCI address"
			      : "UUID, else PCI address";
	return serial ? "serial number, else PCI address" : "PCI address";
}

static int set_doc(struct declared *object)
{
	static void (*const prints[_DOC_TEXT_MAX])(const struct declared_spec *spec,
						   struct strbuf *out) = {
		[DOC_READS] = print_reads,
		[DOC_HEALTH] = print_health,
		[DOC_NODES] = print_nodes,
	};

	for (size_t i = 0; i < _DOC_TEXT_MAX; i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(DOC_TEXT_MAX);

		prints[i](&object->spec, &out);
		if (strbuf_error(&out) < 0)
			return strbuf_error(&out);
		object->doc[i] = strdup(strbuf_str(&out));
		if (!object->doc[i])
			return -ENOMEM;
	}
	object->driver.doc = (struct driver_doc) {
		.hardware = object->spec.vendor,
		.reads = object->doc[DOC_READS],
		.identity = identity_text(&object->spec),
		.health = object->doc[DOC_HEALTH],
		.nodes = object->doc[DOC_NODES],
		.evidence = object->spec.evidence,
	};
	return 0;
}

/* --- the object --- */

static void set_row(struct declared *object)
{
	struct driver *driver = &object->driver;

	driver->name = object->spec.name;
	driver->vendor = object->spec.vendor;
	driver->opt_in = object->spec.opt_in;
	driver->data = &object->spec;
	driver->scan = declared_scan;
	driver->probe = declared_probe;
	driver->measure = object->spec.temperature[0] != '\0' ? declared_measure : NULL;
	driver->ref = declared_ref;
	driver->unref = declared_unref;
	set_env(object);
	set_places(object);
}

int declared_driver_new(const struct declared_spec *spec, struct driver **ret, struct error *err)
{
	struct declared *object;
	int r;

	r = declared_spec_check(spec, err);
	if (r < 0)
		return r;
	object = calloc(1, sizeof(*object));
	if (!object)
		return error_set(err, ENOMEM, "no memory for driver '%s'", spec->name);
	object->refs = 1;
	object->spec = *spec;
	set_row(object);
	r = set_doc(object);
	if (r < 0) {
		declared_unref(&object->driver);
		return error_set(err, -r, "driver '%s': %s", spec->name, strerror(-r));
	}
	*ret = &object->driver;
	return 0;
}

void declared_driver_free(struct driver *driver)
{
	if (driver)
		declared_unref(driver);
}

const struct declared_spec *declared_driver_spec(const struct driver *driver)
{
	return driver->scan == declared_scan ? driver->data : NULL;
}

const char *declared_driver_warning(const struct driver *driver)
{
	const struct declared_spec *spec = declared_driver_spec(driver);

	if (!spec || !spec->identity_by_index)
		return NULL;
	return "devices without UUID, serial number and PCI address are known by their names: "
	       "when the kernel numbers them anew, one is taken for another, and this is not seen";
}
