/* SPDX-License-Identifier: Apache-2.0 */
#include "device-plugin/edits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/cdi/name.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "drivers/driver.h"
#include "drivers/host.h"

#define DEVICE_PERMISSIONS "rw"
#define ENVS_MAX 16	    /* of one driver, and those of Silica and MPS */
#define MOUNTS_MAX 16	    /* of one driver, and that of MPS */
#define ENV_TEXT_MAX 131071 /* what execve(2) takes for one string, less the NUL */
#define MPS_PIPE_IN_CONTAINER "/tmp/nvidia-mps"
#define CDI_ANNOTATION "cdi.k8s.io/silica-device-plugin" /* one per container is enough */

/* What is being put together, and from what. */
struct work {
	struct arena *arena;
	const struct host *host;
	const struct unit_set *set;
	const struct chosen *chosen;
	const struct terms *terms;
	struct kubelet_allocation *result;
	struct error *err;
};

size_t edits_same_device(const struct chosen *chosen, size_t from)
{
	size_t to = from;

	while (to < chosen->n && chosen->units[to]->device == chosen->units[from]->device)
		to++;
	return to - from;
}

static const struct device *device_of(const struct work *work, size_t i)
{
	return unit_state(work->set, work->chosen->units[i])->device;
}

static int no_memory(const struct work *work)
{
	return error_set(work->err, ENOMEM, "no memory for what %zu devices need", work->chosen->n);
}

static const char *keep_text(const struct work *work, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc(work->arena, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

/* --- device files --- */

static bool within(struct core_range inner, struct core_range outer)
{
	return outer.first <= inner.first && inner.last <= outer.last;
}

/* Whether one of the @n units of a device opens the file. */
static bool needs_node(const struct device_node *node, const struct unit *const *units, size_t n)
{
	if (node->shared)
		return true;
	for (size_t i = 0; i < n; i++)
		if (within(node->cores, units[i]->cores))
			return true;
	return false;
}

/* Files such as /dev/kfd belong to several devices; the container gets them once. */
static bool is_listed(const struct kubelet_allocation *result, size_t n_before, const char *path)
{
	for (size_t i = 0; i < n_before; i++)
		if (strcmp(result->devices[i].path, path) == 0)
			return true;
	return false;
}

/* Lists the files of the units of one device, from number @from on. */
static void list_files(const struct work *work, size_t from, size_t n_units)
{
	struct kubelet_allocation *result = work->result;
	const struct device *device = device_of(work, from);
	size_t n_before = result->n_devices;

	for (size_t i = 0; i < device->n_nodes; i++) {
		const struct device_node *node = &device->nodes[i];

		if (needs_node(node, &work->chosen->units[from], n_units) &&
		    !(node->shared && is_listed(result, n_before, node->path)))
			result->devices[result->n_devices++] =
				(struct kubelet_device_spec) { node->path, DEVICE_PERMISSIONS };
	}
}

static int put_device_nodes(const struct work *work)
{
	struct kubelet_allocation *result = work->result;
	size_t cap = 0;

	for (size_t i = 0; i < work->chosen->n; i += edits_same_device(work->chosen, i))
		cap += device_of(work, i)->n_nodes;
	result->devices = arena_alloc(work->arena, (cap + 1) * sizeof(*result->devices));
	if (!result->devices)
		return no_memory(work);
	for (size_t i = 0; i < work->chosen->n; i += edits_same_device(work->chosen, i))
		list_files(work, i, edits_same_device(work->chosen, i));
	return 0;
}

/* --- mounts --- */

static void add_mount(const struct work *work, const struct kubelet_mount *mount)
{
	struct kubelet_allocation *result = work->result;

	for (size_t i = 0; i < result->n_mounts; i++)
		if (strcmp(result->mounts[i].container_path, mount->container_path) == 0)
			return;
	if (result->n_mounts < MOUNTS_MAX)
		result->mounts[result->n_mounts++] = *mount;
}

static bool host_has(const struct work *work, const char *path)
{
	return faccessat(work->host->root_fd, path + 1, F_OK, 0) == 0;
}

static void add_driver_mounts(const struct work *work, const struct driver *driver)
{
	for (const struct driver_mount *mount = driver->mounts; mount && mount->path; mount++)
		if (host_has(work, mount->path))
			add_mount(work, &(struct kubelet_mount) { mount->path, mount->path,
								  mount->read_only });
}

static int put_mounts(const struct work *work)
{
	struct kubelet_allocation *result = work->result;

	result->mounts = arena_alloc(work->arena, MOUNTS_MAX * sizeof(*result->mounts));
	if (!result->mounts)
		return no_memory(work);
	for (size_t i = 0; i < work->chosen->n; i += edits_same_device(work->chosen, i))
		add_driver_mounts(work, device_of(work, i)->driver);
	if (work->terms->mps_pipe_dir[0] != '\0')
		add_mount(work, &(struct kubelet_mount) { MPS_PIPE_IN_CONTAINER,
							  work->terms->mps_pipe_dir, false });
	return 0;
}

/* --- variables --- */

static int add_env(const struct work *work, const char *key, const struct strbuf *value)
{
	struct kubelet_allocation *result = work->result;
	const char *text;

	if (strbuf_error(value) < 0)
		return no_memory(work);
	if (result->n_envs == ENVS_MAX)
		return 0;
	text = keep_text(work, strbuf_str(value));
	if (!text)
		return no_memory(work);
	result->envs[result->n_envs++] = (struct kubelet_pair) { key, text };
	return 0;
}

/* Identity of the device of a unit, or of its partition: without the "::3" of a share. */
static const char *part_id(const struct work *work, const struct unit *unit, char *buf)
{
	char *colon;

	if (work->set->rule.shares == 0)
		return unit->id;
	(void)str_copy(buf, UNIT_ID_MAX, unit->id);
	colon = strrchr(buf, ':');
	if (colon && colon > buf)
		colon[-1] = '\0';
	return buf;
}

/* Whether number @i is a further share of the part that the one before it is of. */
static bool is_same_part(const struct chosen *chosen, size_t i)
{
	const struct unit *unit = chosen->units[i];

	return i > 0 && chosen->units[i - 1]->device == unit->device &&
	       chosen->units[i - 1]->cores.first == unit->cores.first &&
	       chosen->units[i - 1]->cores.last == unit->cores.last;
}

static size_t same_part(const struct chosen *chosen, size_t from)
{
	size_t to = from + 1;

	while (to < chosen->n && is_same_part(chosen, to))
		to++;
	return to - from;
}

static const char *uuid_value(const struct work *work, const struct unit *unit, char *buf)
{
	const struct device *device = unit_state(work->set, unit)->device;

	if (work->set->rule.kind == UNIT_WHOLE && device->uuid[0] != '\0')
		return device->uuid;
	return part_id(work, unit, buf);
}

static const char *index_value(const struct work *work, const struct unit *unit, char *buf)
{
	int index = unit_state(work->set, unit)->device->index;

	if (index == DEVICE_INDEX_UNKNOWN)
		return NULL;
	(void)snprintf(buf, UNIT_ID_MAX, "%d", index);
	return buf;
}

static const char *node_value(const struct work *work, const struct unit *unit, _unused_ char *buf)
{
	const struct device *device = unit_state(work->set, unit)->device;

	return device->n_nodes > 0 ? device->nodes[0].path : NULL;
}

static const char *bdf_value(const struct work *work, const struct unit *unit, _unused_ char *buf)
{
	const struct device *device = unit_state(work->set, unit)->device;

	return device->bdf[0] != '\0' ? device->bdf : NULL;
}

static const char *env_value(const struct work *work, enum driver_env_value value,
			     const struct unit *unit, char *buf)
{
	static const char *(*const values[_DRIVER_ENV_VALUE_MAX])(
		const struct work *work, const struct unit *unit, char *buf) = {
		[DRIVER_ENV_UUID] = uuid_value,
		[DRIVER_ENV_INDEX] = index_value,
		[DRIVER_ENV_NODE] = node_value,
		[DRIVER_ENV_BDF] = bdf_value,
	};

	return values[value](work, unit, buf);
}

/* The numbers and files of a device are the same for all its partitions. */
static bool is_of_device(enum driver_env_value value)
{
	return value != DRIVER_ENV_UUID;
}

/* A list with an item missing would name other devices than were given: then none. */
static int put_driver_env(const struct work *work, const struct driver *driver,
			  const struct driver_env *env)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ENV_TEXT_MAX);
	const struct chosen *chosen = work->chosen;
	size_t step;

	for (size_t i = 0; i < chosen->n; i += step) {
		char buf[UNIT_ID_MAX];
		const char *value;

		step = is_of_device(env->value) ? edits_same_device(chosen, i)
						: same_part(chosen, i);
		if (device_of(work, i)->driver != driver)
			continue;
		value = env_value(work, env->value, chosen->units[i], buf);
		if (!value)
			return 0;
		strbuf_printf(&text, "%s%s", text.len > 0 ? "," : "", value);
	}
	return add_env(work, env->name, &text);
}

static bool has_env(const struct kubelet_allocation *result, const char *key)
{
	for (size_t i = 0; i < result->n_envs; i++)
		if (strcmp(result->envs[i].key, key) == 0)
			return true;
	return false;
}

static int put_envs_of_driver(const struct work *work, const struct driver *driver)
{
	for (const struct driver_env *env = driver->env; env && env->name; env++) {
		int r = has_env(work->result, env->name) ? 0 : put_driver_env(work, driver, env);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The variables of every driver that has a device here; as a rule there is one.
 * Devices of several may alternate. */
static int put_driver_envs(const struct work *work)
{
	const struct driver *last = NULL;

	for (size_t i = 0; i < work->chosen->n; i += edits_same_device(work->chosen, i)) {
		const struct driver *driver = device_of(work, i)->driver;
		int r = driver != last ? put_envs_of_driver(work, driver) : 0;

		if (r < 0)
			return r;
		last = driver;
	}
	return 0;
}

/* One item of each of the lists that go with the parts of devices. */
struct part_texts {
	struct strbuf devices;
	struct strbuf shares;
	struct strbuf memory;
	enum terms_tier tier;
};

static void part_texts_done(struct part_texts *texts)
{
	strbuf_done(&texts->devices);
	strbuf_done(&texts->shares);
	strbuf_done(&texts->memory);
}

static void describe_part(const struct work *work, size_t from, size_t n, struct part_texts *texts)
{
	const struct unit *unit = work->chosen->units[from];
	const char *comma = texts->devices.len > 0 ? "," : "";
	enum terms_tier tier;
	char buf[UNIT_ID_MAX];

	strbuf_printf(&texts->devices, "%s%s", comma, part_id(work, unit, buf));
	strbuf_printf(&texts->shares, "%s%zu/%u", comma, n, work->set->rule.shares);
	strbuf_printf(&texts->memory, "%s%" PRIu64, comma, unit_memory_bytes(work->set, unit) * n);
	tier = terms_tier(work->terms, &work->set->rule, device_of(work, from));
	texts->tier = MIN(texts->tier, tier);
}

static int put_part_envs(const struct work *work)
{
	_cleanup_(part_texts_done) struct part_texts texts = {
		.devices = STRBUF_INIT(ENV_TEXT_MAX),
		.shares = STRBUF_INIT(ENV_TEXT_MAX),
		.memory = STRBUF_INIT(ENV_TEXT_MAX),
		.tier = TERMS_TIER_HARDWARE,
	};
	_cleanup_strbuf_ struct strbuf tier = STRBUF_INIT(ENV_TEXT_MAX);
	int r;

	if (work->set->rule.kind == UNIT_WHOLE && work->set->rule.shares == 0)
		return 0;
	for (size_t i = 0; i < work->chosen->n; i += same_part(work->chosen, i))
		describe_part(work, i, same_part(work->chosen, i), &texts);
	strbuf_puts(&tier, terms_tier_name(texts.tier));
	r = add_env(work, "SILICA_DEVICES", &texts.devices);
	if (r == 0 && work->set->rule.shares > 0)
		r = add_env(work, "SILICA_SHARES", &texts.shares);
	if (r == 0)
		r = add_env(work, "SILICA_MEMORY_BYTES", &texts.memory);
	if (r == 0)
		r = add_env(work, "SILICA_ENFORCEMENT", &tier);
	return r;
}

/* Limits for each of the devices, which the container numbers from 0. */
static int put_mps_memory(const struct work *work)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ENV_TEXT_MAX);
	size_t number = 0;

	for (size_t i = 0; i < work->chosen->n; i += same_part(work->chosen, i)) {
		const struct unit *unit = work->chosen->units[i];
		uint64_t memory_bytes =
			unit_memory_bytes(work->set, unit) * same_part(work->chosen, i);

		if (memory_bytes == 0)
			return 0;
		strbuf_printf(&text, "%s%zu=%" PRIu64 "M", number > 0 ? "," : "", number,
			      memory_bytes >> 20);
		number++;
	}
	return add_env(work, "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT", &text);
}

/* MPS knows one percentage for all devices of a client: the smallest keeps to all. */
static size_t smallest_share(const struct work *work)
{
	size_t smallest = work->set->rule.shares;

	for (size_t i = 0; i < work->chosen->n; i += same_part(work->chosen, i))
		smallest = MIN(smallest, same_part(work->chosen, i));
	return smallest;
}

static int put_mps_envs(const struct work *work)
{
	_cleanup_strbuf_ struct strbuf pipe_dir = STRBUF_INIT(ENV_TEXT_MAX);
	_cleanup_strbuf_ struct strbuf threads = STRBUF_INIT(ENV_TEXT_MAX);
	int r;

	if (work->terms->mps_pipe_dir[0] == '\0' || work->set->rule.shares == 0)
		return 0;
	strbuf_puts(&pipe_dir, MPS_PIPE_IN_CONTAINER);
	strbuf_printf(&threads, "%zu",
		      MAX(100 * smallest_share(work) / work->set->rule.shares, (size_t)1));
	r = add_env(work, "CUDA_MPS_PIPE_DIRECTORY", &pipe_dir);
	if (r == 0)
		r = add_env(work, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE", &threads);
	return r < 0 ? r : put_mps_memory(work);
}

static int put_envs(const struct work *work)
{
	struct kubelet_allocation *result = work->result;
	int r;

	result->envs = arena_alloc(work->arena, ENVS_MAX * sizeof(*result->envs));
	if (!result->envs)
		return no_memory(work);
	r = put_driver_envs(work);
	if (r == 0)
		r = put_part_envs(work);
	return r < 0 ? r : put_mps_envs(work);
}

/* --- CDI --- */

static int put_cdi_name(const struct work *work, const struct unit *unit, const char **ret)
{
	char name[CDI_NAME_MAX], qualified[CDI_QUALIFIED_NAME_MAX];
	int r = cdi_device_name(unit->id, name, work->err);

	if (r == 0)
		r = cdi_qualified_name(work->terms->cdi_kind, name, qualified, work->err);
	if (r < 0)
		return r;
	*ret = keep_text(work, qualified);
	return *ret ? 0 : no_memory(work);
}

/* Units without device files are in no spec, so they are not named either. */
static int name_cdi_devices(const struct work *work, const char **names, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < work->chosen->n; i++) {
		int r;

		if (device_of(work, i)->n_nodes == 0)
			continue;
		r = put_cdi_name(work, work->chosen->units[i], &names[n++]);
		if (r < 0)
			return r;
	}
	*ret_n = n;
	return 0;
}

static int put_annotation(const struct work *work, const char *const *names, size_t n)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ENV_TEXT_MAX);
	struct kubelet_allocation *result = work->result;
	struct kubelet_pair *annotation = arena_alloc(work->arena, sizeof(*annotation));

	for (size_t i = 0; i < n; i++)
		strbuf_printf(&text, "%s%s", i > 0 ? "," : "", names[i]);
	if (!annotation || strbuf_error(&text) < 0)
		return no_memory(work);
	annotation->key = CDI_ANNOTATION;
	annotation->value = keep_text(work, strbuf_str(&text));
	if (!annotation->value)
		return no_memory(work);
	result->annotations = annotation;
	result->n_annotations = 1;
	return 0;
}

static int put_cdi(const struct work *work)
{
	const char **names = arena_alloc(work->arena, (work->chosen->n + 1) * sizeof(*names));
	size_t n;
	int r;

	if (!names)
		return no_memory(work);
	r = name_cdi_devices(work, names, &n);
	if (r < 0 || n == 0)
		return r;
	if (work->terms->ways & TERMS_CDI) {
		work->result->cdi_devices = names;
		work->result->n_cdi_devices = n;
	}
	return work->terms->ways & TERMS_ANNOTATIONS ? put_annotation(work, names, n) : 0;
}

int edits_make(struct arena *arena, const struct host *host, const struct unit_set *set,
	       const struct chosen *chosen, const struct terms *terms,
	       struct kubelet_allocation *ret, struct error *err)
{
	static const struct {
		unsigned int ways; /* one of which asks for it */
		int (*put)(const struct work *work);
	} parts[] = {
		{ TERMS_DEVICE_NODES, put_device_nodes },
		{ TERMS_DEVICE_NODES | TERMS_ENV, put_mounts },
		{ TERMS_ENV, put_envs },
		{ TERMS_CDI | TERMS_ANNOTATIONS, put_cdi },
	};
	const struct work work = { arena, host, set, chosen, terms, ret, err };

	*ret = (struct kubelet_allocation) { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = terms->ways & parts[i].ways ? parts[i].put(&work) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
