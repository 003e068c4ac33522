/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/picture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "drivers/sysfs.h"
#include "inventory/unit.h"
#include "node-labeller/labels.h"

#define RESOURCES_MEMORY_MAX (256 * 1024) /* bytes: POLICY_RESOURCES_MAX names of their maximum */
#define DMI_DIR "sys/class/dmi/id"

/* What the firmware calls the machine; both "" where it says nothing. */
struct machine {
	char product[SYSFS_LINE_MAX];
	char vendor[SYSFS_LINE_MAX];
};

static void read_machine(const struct host *host, struct machine *ret)
{
	_cleanup_close_ int fd = sysfs_open(host, DMI_DIR, NULL);

	if (fd < 0)
		return;
	if (sysfs_read_fact(fd, "product_name", ret->product, NULL) <= 0)
		ret->product[0] = '\0';
	if (sysfs_read_fact(fd, "sys_vendor", ret->vendor, NULL) <= 0)
		ret->vendor[0] = '\0';
}

static int add_resource(struct picture *picture, const char *name)
{
	size_t size = strlen(name) + 1;
	char *copy = arena_alloc(&picture->arena, size);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, size);
	picture->resources[picture->n_resources++] = copy;
	return 0;
}

/* A resource without a unit is not registered with the kubelet. */
static int has_units(struct snapshot *snapshot, const struct offer *offer, size_t i,
		     struct error *err)
{
	_cleanup_(unit_set_unrefp) struct unit_set *units = NULL;
	const struct unit_plan plan = { .snapshot = snapshot,
					.rules = offer->rules,
					.n_rules = offer->n_rules };
	int r = unit_set_build(&plan, offer->resources[i].rule, &units, err);

	return r < 0 ? r : units->n_units > 0;
}

static int take_resources(struct picture *picture, struct snapshot *snapshot,
			  const struct offer *offer, struct error *err)
{
	picture->resources = arena_alloc(&picture->arena,
					 (offer->n_resources + 1) * sizeof(*picture->resources));
	if (!picture->resources)
		return error_set(err, ENOMEM, "no memory for the resources of the node");
	for (size_t i = 0; i < offer->n_resources; i++) {
		int r = has_units(snapshot, offer, i, err);

		if (r > 0 && add_resource(picture, offer->resources[i].name) < 0)
			r = error_set(err, ENOMEM, "no memory for the resources of the node");
		if (r < 0)
			return r;
	}
	return 0;
}

/* As many devices as fit; the first ones tell most. */
static void write_message(struct picture *picture, const struct snapshot *snapshot)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PICTURE_MESSAGE_MAX * 4);
	size_t told = 0;

	strbuf_printf(&text, "%zu of %zu devices are healthy",
		      picture->n_devices - picture->n_unhealthy, picture->n_devices);
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];

		if (state->healthy || text.len > PICTURE_MESSAGE_MAX / 2)
			continue;
		strbuf_printf(&text, "; %s (%s): %s", state->id, state->device->name,
			      state->reason);
		told++;
	}
	if (told < picture->n_unhealthy)
		strbuf_printf(&text, "; and %zu more", picture->n_unhealthy - told);
	(void)snprintf(picture->message, sizeof(picture->message), "%s", strbuf_str(&text));
}

static void count_devices(struct picture *picture, const struct snapshot *snapshot)
{
	picture->n_devices = snapshot->n_devices;
	for (size_t i = 0; i < snapshot->n_devices; i++)
		picture->n_unhealthy += !snapshot->devices[i].healthy;
	write_message(picture, snapshot);
}

static void take_switches(struct picture *picture, const struct config_node_extras *extras)
{
	picture->remove_startup_taints = extras->remove_startup_taints;
	picture->exclusive_taints = extras->exclusive_taints;
	picture->condition = extras->condition && picture->n_devices > 0;
}

void picture_empty(struct picture *ret)
{
	*ret = (struct picture) { .labels = { .kind = LABEL_SET_LABELS },
				  .annotations = { .kind = LABEL_SET_ANNOTATIONS },
				  .arena = arena_init(RESOURCES_MEMORY_MAX) };
}

int picture_make(const struct policy *policy, struct snapshot *snapshot, const struct host *host,
		 struct picture *ret, struct error *err)
{
	_cleanup_offer_ struct offer offer = { 0 };
	_cleanup_picture_ struct picture picture;
	struct machine machine = { 0 };
	struct labels_input input = { .snapshot = snapshot,
				      .offer = &offer,
				      .config = &policy_config(policy)->labels,
				      .machine = machine.product,
				      .machine_vendor = machine.vendor };
	int r;

	picture_empty(&picture);
	read_machine(host, &machine);
	r = policy_offer(policy, snapshot, &offer, err);
	if (r == 0)
		r = labels_make(&input, &picture.labels, &picture.annotations, err);
	if (r == 0)
		r = take_resources(&picture, snapshot, &offer, err);
	if (r < 0)
		return r;
	count_devices(&picture, snapshot);
	take_switches(&picture, &policy_config(policy)->node);
	picture_empty(ret);
	picture_move(ret, &picture);
	return 0;
}

void picture_move(struct picture *to, struct picture *from)
{
	picture_done(to);
	*to = *from;
	picture_empty(from);
}

void picture_done(struct picture *picture)
{
	label_set_done(&picture->labels);
	label_set_done(&picture->annotations);
	arena_done(&picture->arena);
}
