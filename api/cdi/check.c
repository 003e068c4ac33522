/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cdi/check.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strindex.h"

#define SHOWN_MAX 80		/* bytes of a refused value that an error repeats */
#define STRING_MAX (128 * 1024) /* bytes with the NUL, of one string for execve(2) */

static int refuse(struct error *err, const char *what, const char *value, const char *why)
{
	return error_set(err, EINVAL, "%s '%.*s' %s", what, SHOWN_MAX, value ? value : "", why);
}

static int check_text(const char *what, const char *text, struct error *err)
{
	if (!text)
		return refuse(err, what, text, "is missing");
	if (strnlen(text, STRING_MAX) == STRING_MAX)
		return refuse(err, what, text, "is longer than execve(2) takes");
	if (!str_is_printable(text))
		return refuse(err, what, text, "has a byte that is not printable ASCII");
	return 0;
}

static int check_path(const char *what, const char *path, struct error *err)
{
	int r = check_text(what, path, err);

	if (r < 0)
		return r;
	if (path[0] != '/')
		return refuse(err, what, path, "must begin with '/'");
	if (strlen(path) >= PATH_MAX)
		return refuse(err, what, path, "is longer than a path can be");
	return 0;
}

static int check_env(const char *const *env, size_t n, struct error *err)
{
	int r;

	for (size_t i = 0; i < n; i++) {
		r = check_text("variable", env[i], err);
		if (r < 0)
			return r;
		if (env[i][0] == '=' || !strchr(env[i], '='))
			return refuse(err, "variable", env[i], "is not of the form NAME=value");
	}
	return 0;
}

static int check_device_node(const struct cdi_device_node *node, struct error *err)
{
	const char *permissions = node->permissions ? node->permissions : "";
	int r = check_path("device path", node->path, err);

	if (r == 0 && node->host_path)
		r = check_path("device path", node->host_path, err);
	if (r < 0)
		return r;
	if (permissions[0] == '\0' || permissions[strspn(permissions, "rwm")] != '\0')
		return error_set(err, EINVAL, "permissions '%.*s' of '%.*s' must be some of 'rwm'",
				 SHOWN_MAX, permissions, SHOWN_MAX, node->path);
	return 0;
}

/* A mount that is no bind mount would want a file system's type. */
static int check_mount(const struct cdi_mount *mount, struct error *err)
{
	int r = check_path("mount path", mount->host_path, err);
	bool binds = false;

	if (r == 0)
		r = check_path("mount path", mount->container_path, err);
	for (size_t i = 0; i < mount->n_options && r == 0; i++) {
		r = check_text("mount option", mount->options[i], err);
		if (r == 0 && mount->options[i][0] == '\0')
			r = refuse(err, "mount option", "", "is empty");
		binds |= r == 0 && (strcmp(mount->options[i], "bind") == 0 ||
				    strcmp(mount->options[i], "rbind") == 0);
	}
	if (r == 0 && !binds)
		r = refuse(err, "mount of", mount->host_path, "needs the option 'bind' or 'rbind'");
	return r;
}

static int check_hook(const struct cdi_hook *hook, struct error *err)
{
	int r;

	if ((unsigned int)hook->name >= _CDI_HOOK_MAX)
		return error_set(err, EINVAL, "hook %d is none", (int)hook->name);
	if (hook->timeout_s > INT32_MAX)
		return refuse(err, "hook", hook->path, "has a longer timeout than runtimes read");
	r = check_path("hook", hook->path, err);
	for (size_t i = 0; i < hook->n_args && r == 0; i++)
		r = check_text("argument", hook->args[i], err);
	return r < 0 ? r : check_env(hook->env, hook->n_env, err);
}

static int check_edits(const struct cdi_edits *edits, struct error *err)
{
	int r = check_env(edits->env, edits->n_env, err);

	for (size_t i = 0; i < edits->n_device_nodes && r == 0; i++)
		r = check_device_node(&edits->device_nodes[i], err);
	for (size_t i = 0; i < edits->n_mounts && r == 0; i++)
		r = check_mount(&edits->mounts[i], err);
	for (size_t i = 0; i < edits->n_hooks && r == 0; i++)
		r = check_hook(&edits->hooks[i], err);
	return r;
}

static bool is_empty(const struct cdi_edits *edits)
{
	return edits->n_env + edits->n_device_nodes + edits->n_mounts + edits->n_hooks == 0;
}

static int check_device(const struct cdi_device *device, struct error *err)
{
	int r = cdi_name_check(device->name, err);

	if (r < 0)
		return r;
	if (is_empty(&device->edits))
		return error_set(err, EINVAL, "device '%s' changes nothing", device->name);
	r = check_edits(&device->edits, err);
	if (r < 0)
		return error_wrap(err, r, "device '%s'", device->name);
	return 0;
}

static const char *name_of(const void *devices, uint32_t row)
{
	return ((const struct cdi_device *)devices)[row].name;
}

static int check_unique(const struct cdi_spec *spec, struct error *err)
{
	struct strindex index = { 0 };
	int r = strindex_init(&index, spec->devices, spec->n_devices, name_of);

	if (r < 0)
		return error_set(err, -r, "no memory for an index of devices");
	for (size_t i = 0; i < spec->n_devices && r == 0; i++)
		if (strindex_find(&index, spec->devices[i].name) != (int64_t)i)
			r = error_set(err, EINVAL, "two devices are named '%s'",
				      spec->devices[i].name);
	strindex_done(&index);
	return r;
}

static int check_devices(const struct cdi_spec *spec, struct error *err)
{
	int r;

	if (spec->n_devices == 0)
		return error_set(err, EINVAL, "it has no device");
	if (spec->n_devices > CDI_DEVICES_MAX)
		return error_set(err, E2BIG, "it has more than %d devices", CDI_DEVICES_MAX);
	for (size_t i = 0; i < spec->n_devices; i++) {
		r = check_device(&spec->devices[i], err);
		if (r < 0)
			return r;
	}
	return check_unique(spec, err);
}

int cdi_spec_check(const struct cdi_spec *spec, struct error *err)
{
	int r = cdi_kind_check(spec->kind, err);

	if (r < 0)
		return r;
	r = check_edits(&spec->edits, err);
	if (r == 0)
		r = check_devices(spec, err);
	if (r < 0)
		return error_wrap(err, r, "CDI spec '%.*s'", SHOWN_MAX, spec->kind);
	return 0;
}
