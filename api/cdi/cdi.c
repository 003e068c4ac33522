/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spec is checked first, then becomes a tree of jansson's, then text.  Whoever
 * builds a part of the tree adds what it has and goes on; jansson takes a part that
 * is missing for an error, and struct tree remembers that there was one.
 */
#include "api/cdi/cdi.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "api/cdi/check.h"
#include "base/macro.h"

struct tree {
	json_t *root;
	bool failed; /* some part had no memory */
};

static void tree_done(struct tree *tree)
{
	json_decref(tree->root);
}

static bool has_dotted_class(const struct cdi_spec *spec)
{
	return strchr(strchr(spec->kind, '/'), '.') != NULL;
}

/* Newest first; the changes are in the table of the specification's "Version". */
static const struct {
	const char *version;
	bool (*is_needed)(const struct cdi_spec *spec); /* NULL: for every spec */
} versions[] = {
	{ "0.6.0", has_dotted_class },
	{ "0.5.0", NULL }, /* host paths, and names that begin with a digit */
};

static const char *const hook_names[_CDI_HOOK_MAX] = {
	[CDI_HOOK_CREATE_RUNTIME] = "createRuntime",
	[CDI_HOOK_CREATE_CONTAINER] = "createContainer",
	[CDI_HOOK_START_CONTAINER] = "startContainer",
	[CDI_HOOK_POSTSTART] = "poststart",
	[CDI_HOOK_POSTSTOP] = "poststop",
};

static const char *version_for(const struct cdi_spec *spec)
{
	size_t i = 0;

	while (versions[i].is_needed && !versions[i].is_needed(spec))
		i++;
	return versions[i].version;
}

/* The texts were checked: they are ASCII, so jansson need not look at them. */
static void set(struct tree *tree, json_t *object, const char *key, json_t *value)
{
	tree->failed |= json_object_set_new_nocheck(object, key, value) < 0;
}

static void set_string(struct tree *tree, json_t *object, const char *key, const char *value)
{
	set(tree, object, key, json_string_nocheck(value));
}

static void append(struct tree *tree, json_t *array, json_t *value)
{
	tree->failed |= json_array_append_new(array, value) < 0;
}

static void set_strings(struct tree *tree, json_t *object, const char *key,
			const char *const *values, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		append(tree, array, json_string_nocheck(values[i]));
	set(tree, object, key, array);
}

static json_t *device_node_new(struct tree *tree, const struct cdi_device_node *node)
{
	json_t *object = json_object();

	set_string(tree, object, "path", node->path);
	if (node->host_path && strcmp(node->host_path, node->path) != 0)
		set_string(tree, object, "hostPath", node->host_path);
	set_string(tree, object, "permissions", node->permissions);
	return object;
}

static json_t *mount_new(struct tree *tree, const struct cdi_mount *mount)
{
	json_t *object = json_object();

	set_string(tree, object, "hostPath", mount->host_path);
	set_string(tree, object, "containerPath", mount->container_path);
	set_strings(tree, object, "options", mount->options, mount->n_options);
	return object;
}

static json_t *hook_new(struct tree *tree, const struct cdi_hook *hook)
{
	json_t *object = json_object();

	set_string(tree, object, "hookName", hook_names[hook->name]);
	set_string(tree, object, "path", hook->path);
	if (hook->n_args > 0)
		set_strings(tree, object, "args", hook->args, hook->n_args);
	if (hook->n_env > 0)
		set_strings(tree, object, "env", hook->env, hook->n_env);
	if (hook->timeout_s > 0)
		set(tree, object, "timeout", json_integer(hook->timeout_s));
	return object;
}

static void set_device_nodes(struct tree *tree, json_t *object, const struct cdi_edits *edits)
{
	json_t *array = json_array();

	for (size_t i = 0; i < edits->n_device_nodes; i++)
		append(tree, array, device_node_new(tree, &edits->device_nodes[i]));
	set(tree, object, "deviceNodes", array);
}

static void set_mounts(struct tree *tree, json_t *object, const struct cdi_edits *edits)
{
	json_t *array = json_array();

	for (size_t i = 0; i < edits->n_mounts; i++)
		append(tree, array, mount_new(tree, &edits->mounts[i]));
	set(tree, object, "mounts", array);
}

static void set_hooks(struct tree *tree, json_t *object, const struct cdi_edits *edits)
{
	json_t *array = json_array();

	for (size_t i = 0; i < edits->n_hooks; i++)
		append(tree, array, hook_new(tree, &edits->hooks[i]));
	set(tree, object, "hooks", array);
}

static json_t *edits_new(struct tree *tree, const struct cdi_edits *edits)
{
	json_t *object = json_object();

	if (edits->n_env > 0)
		set_strings(tree, object, "env", edits->env, edits->n_env);
	if (edits->n_device_nodes > 0)
		set_device_nodes(tree, object, edits);
	if (edits->n_mounts > 0)
		set_mounts(tree, object, edits);
	if (edits->n_hooks > 0)
		set_hooks(tree, object, edits);
	return object;
}

static json_t *device_new(struct tree *tree, const struct cdi_device *device)
{
	json_t *object = json_object();

	set_string(tree, object, "name", device->name);
	set(tree, object, "containerEdits", edits_new(tree, &device->edits));
	return object;
}

static json_t *devices_new(struct tree *tree, const struct cdi_spec *spec)
{
	json_t *array = json_array();

	for (size_t i = 0; i < spec->n_devices; i++)
		append(tree, array, device_new(tree, &spec->devices[i]));
	return array;
}

static void tree_build(struct tree *tree, const struct cdi_spec *spec)
{
	json_t *edits = edits_new(tree, &spec->edits);

	tree->root = json_object();
	set_string(tree, tree->root, "cdiVersion", version_for(spec));
	set_string(tree, tree->root, "kind", spec->kind);
	set(tree, tree->root, "devices", devices_new(tree, spec));
	if (json_object_size(edits) > 0)
		set(tree, tree->root, "containerEdits", edits);
	else
		json_decref(edits);
}

static int add_text(const char *data, size_t len, void *ctx)
{
	struct strbuf *text = ctx;

	strbuf_add(text, data, len);
	return strbuf_error(text);
}

int cdi_encode(const struct cdi_spec *spec, struct strbuf *text, struct error *err)
{
	_cleanup_(tree_done) struct tree tree = { 0 };
	int r = cdi_spec_check(spec, err);

	if (r < 0)
		return r;
	tree_build(&tree, spec);
	if (tree.failed)
		return error_set(err, ENOMEM, "no memory for the CDI spec '%s'", spec->kind);
	r = json_dump_callback(tree.root, add_text, text, JSON_INDENT(2));
	strbuf_puts(text, "\n");
	if (strbuf_error(text) == -E2BIG)
		return error_set(err, E2BIG, "CDI spec '%s' does not fit in %zu bytes", spec->kind,
				 text->max);
	if (r < 0 || strbuf_error(text) < 0)
		return error_set(err, ENOMEM, "no memory to write the CDI spec '%s'", spec->kind);
	return 0;
}
