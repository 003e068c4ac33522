/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node offers.  A node is written as in "north/card north/gpu:1g,2g+x": the
 * driver of a device, its product and the profiles that it is cut into.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "policy/policy.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"
#include "tests/unit/policy/drivers.h"

#define DEVICES_LIMIT 512
#define TEXT_MAX 65536

static void add_profiles(struct device *device, char *text)
{
	struct device_partition partitions[DEVICE_PARTITIONS_MAX];
	size_t n = 0;

	for (char *profile = strsep(&text, ","); profile; profile = strsep(&text, ",")) {
		partitions[n] = (struct device_partition) { "", profile, { 0, 0 }, 0 };
		partitions[n].cores.first = partitions[n].cores.last = (uint8_t)n;
		n++;
	}
	device->partitioned = true;
	device->cores = (unsigned int)n;
	assert_int_equal(device_set_partitions(device, partitions, n), 0);
}

static struct device *make_device(char *word)
{
	char *driver_name = strsep(&word, "/");
	const struct driver *driver = driver_find(driver_name);
	struct device *device = device_new(driver);
	char *product = strsep(&word, ":");

	assert_non_null(driver);
	assert_int_equal(str_copy(device->product, sizeof(device->product), product), 0);
	device->architecture = "arch";
	device->numa_node = DEVICE_NUMA_UNKNOWN;
	if (word)
		add_profiles(device, word);
	return device;
}

static struct snapshot *make_node(const char *text)
{
	static struct device_state states[DEVICES_LIMIT];
	char *copy = strdup(text);
	char *rest = copy;
	struct snapshot *snapshot;
	size_t n = 0;

	for (char *word = strsep(&rest, " "); word && *word; word = strsep(&rest, " ")) {
		assert_true(n < DEVICES_LIMIT);
		states[n] = (struct device_state) { .device = make_device(word),
						    .present = true,
						    .healthy = true };
		(void)snprintf(states[n].id, sizeof(states[n].id), "d%03zu", n);
		n++;
	}
	snapshot = snapshot_new(1, states, n);
	assert_non_null(snapshot);
	while (n > 0)
		device_unref(states[--n].device);
	free(copy);
	return snapshot;
}

/* Writes the resources with their units, as in "a.b/c:d000,d001 a.b/d:". */
static void write_units(const struct offer *offer, struct snapshot *snapshot, struct strbuf *out)
{
	const struct unit_plan plan = { .snapshot = snapshot,
					.rules = offer->rules,
					.n_rules = offer->n_rules };

	for (size_t i = 0; i < offer->n_resources; i++) {
		_cleanup_(unit_set_unrefp) struct unit_set *set = NULL;

		assert_string_equal(offer->resources[i].name,
				    offer->rules[offer->resources[i].rule].resource);
		assert_int_equal(unit_set_build(&plan, offer->resources[i].rule, &set, NULL), 0);
		strbuf_printf(out, "%s%s:", i > 0 ? " " : "", offer->resources[i].name);
		for (size_t j = 0; j < set->n_units; j++)
			strbuf_printf(out, "%s%s", j > 0 ? "," : "", set->units[j].id);
	}
}

static void assert_offer(const char *config, const struct policy_node *node, const char *devices,
			 const char *expected, const char *problem)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node(devices);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_offer_ struct offer offer = { 0 };

	assert_int_equal(drivers_policy(config, node, &policy, NULL), 0);
	assert_int_equal(policy_offer(policy, snapshot, &offer, NULL), 0);
	write_units(&offer, snapshot, &out);
	assert_string_equal(strbuf_str(&out), expected);
	assert_int_equal(offer.n_problems, problem ? 1 : 0);
	if (problem)
		assert_string_equal(offer.problems[0], problem);
}

#define PRODUCTS "resources:\n- name: a.b/{product}\n"
#define PROFILES "resources:\n- name: a.b/mig-{profile}\n  unit: partition\n"

static void names_are_filled_in(_unused_ void **state)
{
	static const struct {
		const char *config;
		const char *devices;
		const char *offer;
		const char *problem;
	} cases[] = {
		{ PRODUCTS, "", "", NULL },
		{ PRODUCTS, "north/x", "a.b/x:d000", NULL },
		{ PRODUCTS, "north/x south/y north/x", "a.b/x:d000,d002 a.b/y:d001", NULL },
		{ "resources:\n- name: a.b/x-{architecture}.{product}\n", "north/x north/y",
		  "a.b/x-arch.x:d000 a.b/x-arch.y:d001", NULL },
		/* Only what the resource is about. */
		{ PRODUCTS "  devices: {vendor: south}\n", "north/x south/y", "a.b/y:d001", NULL },
		{ PRODUCTS, "north/x:1g north/y", "a.b/y:d001", NULL },
		/* A '+' cannot stand in a name. */
		{ PROFILES, "north/x:1g.5gb,1g.5gb+me north/x:1g.5gb",
		  "a.b/mig-1g.5gb:d000_cores_0,d001_cores_0 a.b/mig-1g.5gb.me:d000_cores_1", NULL },
		{ PROFILES "  profile: \"*+*\"\n", "north/x:1g.5gb,1g.5gb+me",
		  "a.b/mig-1g.5gb.me:d000_cores_1", NULL },
		{ "resources:\n- name: a.b/{product}-{profile}\n  unit: partition\n",
		  "north/x:1g north/y:1g,2g north/z",
		  "a.b/x-1g:d000_cores_0 a.b/y-1g:d001_cores_0 a.b/y-2g:d001_cores_1", NULL },
		/* Names that none can have are told of once, the others are there. */
		{ PRODUCTS, "north/x+ north/y north/x+", "a.b/y:d001",
		  "resource name 'a.b/{product}' must begin and end with a letter or digit behind "
		  "the '/'; filled in: 'x+'" },
		{ PRODUCTS, "north/x(y)", "",
		  "resource name 'a.b/{product}' must have only letters, digits, '-', '_' and '.' "
		  "behind the '/'; filled in: 'x(y)'" },
		{ PRODUCTS, "north/", "",
		  "resource name 'a.b/{product}' must have 1 to 63 bytes behind the '/'; "
		  "filled in: ''" },
		/* One without placeholders is there before its devices. */
		{ "resources:\n- name: a.b/c\n", "", "a.b/c:", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_offer(cases[i].config, NULL, cases[i].devices, cases[i].offer,
			     cases[i].problem);
}

#define NODES(nodes)                                           \
	"resources:\n- name: a.b/here\n  nodes: {" nodes "}\n" \
	"- name: a.b/rest\n"

static void nodes_are_chosen_by_name_and_label(_unused_ void **state)
{
	static const struct policy_label labels[] = {
		{ "pool", "train" },
		{ "zone", "" },
		{ "pool", "infer" },
	};
	static const struct policy_node node = { "gpu-1", labels, ARRAY_SIZE(labels) };
	static const struct policy_node unknown = { .name = "" };
	static const struct {
		const char *config;
		bool here;
		bool here_unknown; /* on a node without name and labels */
	} cases[] = {
		{ NODES("names: [gpu-1]"), true, false },
		{ NODES("names: [cpu, \"gpu-*\"]"), true, false },
		{ NODES("names: [gpu-2, gpu]"), false, false },
		{ NODES("names: [\"*\"]"), true, true },
		{ NODES("labels: {pool: train}"), true, false },
		{ NODES("labels: {pool: train, zone: \"\"}"), true, false },
		{ NODES("labels: {pool: train, zone: z}"), false, false },
		/* The first of a key counts. */
		{ NODES("labels: {pool: infer}"), false, false },
		{ NODES("labels: {pools: train}"), false, false },
		{ NODES("names: [gpu-1], labels: {pool: train}"), true, false },
		{ NODES("names: [gpu-2], labels: {pool: train}"), false, false },
		{ NODES("names: [gpu-1], labels: {pool: x}"), false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char *const offers[] = { "a.b/rest:d000", "a.b/here:d000 a.b/rest:" };

		assert_offer(cases[i].config, &node, "north/x", offers[cases[i].here], NULL);
		assert_offer(cases[i].config, &unknown, "north/x", offers[cases[i].here_unknown],
			     NULL);
	}
}

static void the_first_of_a_name_counts(_unused_ void **state)
{
	static const struct policy_node node = { .name = "n1" };
	static const char config[] = "resources:\n"
				     "- name: a.b/c\n  nodes: {names: [other]}\n"
				     "  devices: {product: x}\n"
				     "- name: a.b/c\n  nodes: {names: [n1]}\n"
				     "  devices: {product: y}\n"
				     "- name: a.b/c\n  nodes: {names: [\"n*\"]}\n"
				     "  devices: {product: z}\n";

	assert_offer(config, &node, "north/x north/y north/z", "a.b/c:d001", NULL);
	assert_offer(config, NULL, "north/x north/y north/z", "", NULL);
}

#define ALL "resources:\n- name: a.b/c\n"

static void excluded_devices_are_in_no_resource(_unused_ void **state)
{
	static const struct policy_node node = { .name = "n1" };
	static const struct {
		const char *config;
		const char *offer;
	} cases[] = {
		{ ALL "exclude:\n- product: y\n", "a.b/c:d000,d002" },
		{ ALL "exclude:\n- product: y\n- vendor: south\n", "a.b/c:d000" },
		{ ALL "exclude:\n- nodes: {names: [n1]}\n", "a.b/c:" },
		{ ALL "exclude:\n- nodes: {names: [n2]}\n", "a.b/c:d000,d001,d002" },
		{ ALL "exclude:\n- product: y\n  nodes: {names: [n1]}\n", "a.b/c:d000,d002" },
		{ ALL "exclude:\n- product: y\n  nodes: {names: [n2]}\n", "a.b/c:d000,d001,d002" },
		{ ALL "exclude:\n- product: w\n", "a.b/c:d000,d001,d002" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_offer(cases[i].config, &node, "north/x north/y south/z", cases[i].offer,
			     NULL);
}

static void resources_have_a_maximum(_unused_ void **state)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;

	assert_int_equal(drivers_policy(PRODUCTS, NULL, &policy, NULL), 0);
	for (size_t more = 0; more < 2; more++) {
		_cleanup_strbuf_ struct strbuf devices = STRBUF_INIT(TEXT_MAX);
		_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
		_cleanup_offer_ struct offer offer = { 0 };
		struct error err = { 0 };

		for (size_t i = 0; i < POLICY_RESOURCES_MAX + more; i++)
			strbuf_printf(&devices, "%snorth/p%zu", i > 0 ? " " : "", i);
		snapshot = make_node(strbuf_str(&devices));
		assert_int_equal(policy_offer(policy, snapshot, &offer, &err), more ? -E2BIG : 0);
		assert_int_equal(offer.n_resources, more ? 0 : POLICY_RESOURCES_MAX);
		assert_string_equal(err.msg,
				    more ? "the configuration makes more than 256 resources" : "");
	}
}

static void terms_and_rules_are_those_of_the_configuration(_unused_ void **state)
{
	static const char config[] =
		"resources:\n"
		"- name: a.b/one\n"
		"- name: a.b/two\n  unit: partition\n  cores: 2\n  preferred: packed\n"
		"  allocate: [cdi, annotations]\n  overlap: true\n"
		"- name: a.b/three\n  unit: share\n  of: partition\n  profile: 1g\n  shares: 4\n"
		"  preferred: distributed\n  failRequestsGreaterThanOne: true\n  allocate: [env]\n";
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node("");
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_offer_ struct offer offer = { 0 };
	const struct offer_resource *row;

	assert_int_equal(drivers_policy(config, NULL, &policy, NULL), 0);
	assert_int_equal(policy_offer(policy, snapshot, &offer, NULL), 0);
	assert_int_equal(offer.n_resources, 3);
	assert_true(offer.overlap);

	row = &offer.resources[0];
	assert_int_equal(row->terms.ways, TERMS_DEVICE_NODES | TERMS_ENV);
	assert_int_equal(row->terms.preferred, PREFERRED_ALIGNED);
	assert_string_equal(row->terms.cdi_kind, "");
	assert_int_equal(offer.rules[row->rule].kind, UNIT_WHOLE);
	assert_int_equal(offer.rules[row->rule].shares, 0);
	assert_null(offer.rules[row->rule].profile);

	row = &offer.resources[1];
	assert_int_equal(row->terms.ways, TERMS_CDI | TERMS_ANNOTATIONS);
	assert_int_equal(row->terms.preferred, PREFERRED_PACKED);
	assert_string_equal(row->terms.cdi_kind, "silica.a.b/two");
	assert_int_equal(offer.rules[row->rule].kind, UNIT_PARTITION);
	assert_int_equal(offer.rules[row->rule].cores, 2);
	assert_true(offer.rules[row->rule].overlap);

	row = &offer.resources[2];
	assert_int_equal(row->terms.ways, TERMS_ENV);
	assert_int_equal(row->terms.preferred, PREFERRED_DISTRIBUTED);
	assert_true(row->terms.one_share);
	assert_string_equal(row->terms.mps_pipe_dir, "");
	assert_int_equal(offer.rules[row->rule].kind, UNIT_PARTITION);
	assert_int_equal(offer.rules[row->rule].shares, 4);
	assert_string_equal(offer.rules[row->rule].profile, "1g");
}

static void without_overlap_nothing_has_to_be_tracked(_unused_ void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node("");
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_offer_ struct offer offer = { 0 };

	assert_int_equal(drivers_policy(ALL, NULL, &policy, NULL), 0);
	assert_int_equal(policy_offer(policy, snapshot, &offer, NULL), 0);
	assert_false(offer.overlap);
}

static void survives_no_memory(_unused_ void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = make_node("north/x+ north/y:1g");
	_cleanup_(policy_freep) struct policy *policy = NULL;
	size_t n_failed = 1, n_tries;

	assert_int_equal(drivers_policy(PRODUCTS "- name: a.b/{profile}\n  unit: partition\n", NULL,
					&policy, NULL),
			 0);
	for (n_tries = 0; n_failed > 0; n_tries++) {
		_cleanup_offer_ struct offer offer = { 0 };
		struct error err = { 0 };
		int r;

		memory_fail_after(n_tries);
		r = policy_offer(policy, snapshot, &offer, &err);
		n_failed = memory_restore();
		/* The text of a problem is all that may be missing. */
		if (r < 0)
			assert_string_equal(err.msg, "no memory for the resources");
		assert_true(r == 0 || (r == -ENOMEM && n_failed > 0));
	}
	assert_true(n_tries > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_filled_in),
		cmocka_unit_test(nodes_are_chosen_by_name_and_label),
		cmocka_unit_test(the_first_of_a_name_counts),
		cmocka_unit_test(excluded_devices_are_in_no_resource),
		cmocka_unit_test(resources_have_a_maximum),
		cmocka_unit_test(terms_and_rules_are_those_of_the_configuration),
		cmocka_unit_test(without_overlap_nothing_has_to_be_tracked),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
