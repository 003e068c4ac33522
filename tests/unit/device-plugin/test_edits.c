/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers get, written as a text: a line for each kind of thing.
 *
 * The node has the cards A, C and D of one driver and B and E of another, listed in
 * that order of their letters.  C says neither its number nor its place, and E has
 * no device files.  Each card has two partitions of one core; those of D have names
 * of their own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "device-plugin/edits.h"
#include "drivers/driver.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define TEXT_MAX 8192
#define CHOSEN_MAX 16
#define MEMORY_MAX ((size_t)1024 * 1024)
#define GIB (UINT64_C(1) << 30)

static const struct driver_env north_env[] = {
	{ "N_IDS", DRIVER_ENV_UUID },
	{ "N_INDEX", DRIVER_ENV_INDEX },
	{ "N_NODE", DRIVER_ENV_NODE },
	{ "N_BDF", DRIVER_ENV_BDF },
	{ 0 },
};
static const struct driver_mount north_mounts[] = {
	{ "/opt/north", true },
	{ "/run/north.sock", false },
	{ "/opt/missing", true },
	{ 0 },
};
static const struct driver_env south_env[] = { { "S_IDS", DRIVER_ENV_UUID }, { 0 } };

static const struct driver north = { .name = "north",
				     .vendor = "North",
				     .env = north_env,
				     .mounts = north_mounts,
				     .partition_isolation = DRIVER_ISOLATION_HARDWARE };
static const struct driver south = { .name = "south",
				     .vendor = "South",
				     .env = south_env,
				     .partition_isolation = DRIVER_ISOLATION_COOPERATIVE };

static const struct device_partition halves[] = {
	{ "", "half", { 0, 0 }, 4 * GIB },
	{ "", "half", { 1, 1 }, 4 * GIB },
};
static const struct device_partition named_halves[] = {
	{ "MIG-1", "half", { 0, 0 }, 4 * GIB },
	{ "MIG-2", "half", { 1, 1 }, 0 },
};

static const struct {
	const struct driver *driver;
	const char *uuid;
	const char *bdf;
	uint64_t memory_bytes;
	const struct device_partition *partitions;
	int index;
	bool has_files;
} cards[] = {
	{ &north, "GPU-a", "0000:01:00.0", 8 * GIB, halves, 0, true },
	{ &south, "", "0000:02:00.0", 8 * GIB, halves, 0, true },
	{ &north, "", "", 0, halves, DEVICE_INDEX_UNKNOWN, true },
	{ &north, "GPU-d", "0000:04:00.0", 8 * GIB, named_halves, 3, true },
	{ &south, "", "", 8 * GIB, halves, 4, false },
};

struct fixture {
	struct tree *tree;
	struct snapshot *snapshot;
};

static void add_files(struct device *device, char card)
{
	char whole[] = "/dev/X", first[] = "/dev/X0", second[] = "/dev/X1";
	const struct device_node nodes[] = { { whole, true, { 0, 0 } },
					     { "/dev/ctl", true, { 0, 0 } },
					     { first, false, { 0, 0 } },
					     { second, false, { 1, 1 } } };

	whole[5] = first[5] = second[5] = card;
	assert_int_equal(device_set_nodes(device, nodes, ARRAY_SIZE(nodes)), 0);
}

static struct device *make_card(size_t i)
{
	struct device *device = device_new(cards[i].driver);

	assert_non_null(device);
	(void)str_copy(device->uuid, sizeof(device->uuid), cards[i].uuid);
	(void)str_copy(device->bdf, sizeof(device->bdf), cards[i].bdf);
	device->numa_node = DEVICE_NUMA_UNKNOWN;
	device->index = cards[i].index;
	device->memory_bytes = cards[i].memory_bytes;
	device->cores = 2;
	device->partitions = cards[i].partitions;
	device->n_partitions = 2;
	if (cards[i].has_files)
		add_files(device, (char)('A' + i));
	return device;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct device_state states[ARRAY_SIZE(cards)] = { 0 };
	void *tree;

	if (!fixture || tree_setup(&tree) < 0)
		return -1;
	fixture->tree = tree;
	tree_mkdir(fixture->tree, "opt/north");
	tree_puts(fixture->tree, "run/north.sock", "");
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		states[i] = (struct device_state) { .device = make_card(i),
						    .present = true,
						    .healthy = true };
		(void)snprintf(states[i].id, sizeof(states[i].id), "%c", (char)('A' + i));
	}
	fixture->snapshot = snapshot_new(1, states, ARRAY_SIZE(cards));
	for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
		device_unref(states[i].device);
	*state = fixture;
	return fixture->snapshot ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *tree = fixture->tree;

	snapshot_unref(fixture->snapshot);
	free(fixture);
	return tree_teardown(&tree);
}

static struct unit_set *make_units(const struct fixture *fixture, enum unit_kind kind,
				   unsigned int shares)
{
	const struct unit_rule rule = { .resource = "fake.io/card",
					.kind = kind,
					.cores = kind == UNIT_PARTITION,
					.shares = shares };
	const struct unit_plan plan = { .snapshot = fixture->snapshot,
					.rules = &rule,
					.n_rules = 1 };
	struct unit_set *set = NULL;

	assert_int_equal(unit_set_build(&plan, 0, &set, NULL), 0);
	return set;
}

static int compare_units(const void *a, const void *b)
{
	const struct unit *const *left = a;
	const struct unit *const *right = b;

	return (*left > *right) - (*left < *right);
}

/* Chooses the units of a text with a space between IDs. */
static void choose(const struct unit_set *set, const char *text, struct chosen *ret)
{
	char copy[256];
	char *rest = copy;

	assert_int_equal(str_copy(copy, sizeof(copy), text), 0);
	ret->n = 0;
	for (char *id = strsep(&rest, " "); id; id = strsep(&rest, " ")) {
		assert_true(ret->n < CHOSEN_MAX);
		ret->units[ret->n] = unit_set_find(set, id);
		assert_non_null(ret->units[ret->n++]);
	}
	qsort(ret->units, ret->n, sizeof(*ret->units), compare_units);
}

static void write_pairs(const char *name, const struct kubelet_pair *pairs, size_t n,
			struct strbuf *out)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s%s=%s\n", name, pairs[i].key, pairs[i].value);
}

static void write_edits(const struct kubelet_allocation *edits, struct strbuf *out)
{
	for (size_t i = 0; i < edits->n_devices; i++) {
		assert_string_equal(edits->devices[i].permissions, "rw");
		strbuf_printf(out, "%s%s", i > 0 ? " " : "",
			      edits->devices[i].path + strlen("/dev/"));
	}
	strbuf_puts(out, edits->n_devices > 0 ? "\n" : "");
	for (size_t i = 0; i < edits->n_mounts; i++)
		strbuf_printf(out, "%s>%s%s\n", edits->mounts[i].host_path,
			      edits->mounts[i].container_path,
			      edits->mounts[i].read_only ? " ro" : "");
	write_pairs("", edits->envs, edits->n_envs, out);
	write_pairs("annotation ", edits->annotations, edits->n_annotations, out);
	for (size_t i = 0; i < edits->n_cdi_devices; i++)
		strbuf_printf(out, "cdi %s\n", edits->cdi_devices[i]);
}

struct edits_case {
	const char *name;
	enum unit_kind kind;
	unsigned int shares;
	unsigned int ways;
	bool mps;
	const char *units;
	const char *edits;
};

static struct terms terms_of(const struct edits_case *edits_case)
{
	struct terms terms = { .ways = edits_case->ways };

	if (edits_case->mps)
		(void)str_copy(terms.mps_pipe_dir, sizeof(terms.mps_pipe_dir), "/run/mps");
	if (edits_case->ways & (TERMS_CDI | TERMS_ANNOTATIONS))
		(void)str_copy(terms.cdi_kind, sizeof(terms.cdi_kind), "silica.fake.io/card");
	return terms;
}

static int make(const struct fixture *fixture, const struct edits_case *edits_case,
		struct arena *arena, struct strbuf *out, struct error *err)
{
	_cleanup_(unit_set_unrefp) struct unit_set *set =
		make_units(fixture, edits_case->kind, edits_case->shares);
	const struct unit *units[CHOSEN_MAX];
	struct chosen chosen = { .units = units };
	const struct terms terms = terms_of(edits_case);
	struct kubelet_allocation edits;
	int r;

	choose(set, edits_case->units, &chosen);
	r = edits_make(arena, &fixture->tree->host, set, &chosen, &terms, &edits, err);
	if (r == 0)
		write_edits(&edits, out);
	return r;
}

static void check(const struct fixture *fixture, const struct edits_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(arena_done) struct arena arena = arena_init(MEMORY_MAX);
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);

		assert_int_equal(make(fixture, &cases[i], &arena, &out, NULL), 0);
		if (strcmp(strbuf_str(&out), cases[i].edits) != 0)
			fail_msg("%s:\n%s", cases[i].name, strbuf_str(&out));
	}
}

#define NORTH_MOUNTS "/opt/north>/opt/north ro\n/run/north.sock>/run/north.sock\n"

static void device_files_and_mounts(void **state)
{
	static const struct edits_case cases[] = {
		{ "a whole card", UNIT_WHOLE, 0, TERMS_DEVICE_NODES, false, "A",
		  "A ctl A0 A1\n" NORTH_MOUNTS },
		{ "a file of several cards is there once", UNIT_WHOLE, 0, TERMS_DEVICE_NODES, false,
		  "A B", "A ctl A0 A1 B B0 B1\n" NORTH_MOUNTS },
		{ "a driver without mounts", UNIT_WHOLE, 0, TERMS_DEVICE_NODES, false, "B",
		  "B ctl B0 B1\n" },
		{ "a partition has its own files and the shared ones", UNIT_PARTITION, 0,
		  TERMS_DEVICE_NODES, false, "B_cores_1", "B ctl B1\n" },
		{ "partitions of one card and of another", UNIT_PARTITION, 0, TERMS_DEVICE_NODES,
		  false, "B_cores_0 B_cores_1 MIG-2", "B ctl B0 B1 D D1\n" NORTH_MOUNTS },
		{ "shares of a card have its files once", UNIT_WHOLE, 3, TERMS_DEVICE_NODES, false,
		  "B::0 B::2", "B ctl B0 B1\n" },
		{ "a card without files", UNIT_WHOLE, 0, TERMS_DEVICE_NODES, false, "E", "" },
		{ "nothing", UNIT_WHOLE, 0, 0, false, "A", "" },
	};

	check(*state, cases, ARRAY_SIZE(cases));
}

static void only_mounts_that_the_host_has(void **state)
{
	static const struct edits_case none = {
		"none", UNIT_WHOLE, 0, TERMS_DEVICE_NODES, false, "A", "A ctl A0 A1\n"
	};
	static const struct edits_case one = { "one",
					       UNIT_WHOLE,
					       0,
					       TERMS_DEVICE_NODES,
					       false,
					       "A",
					       "A ctl A0 A1\n/opt/missing>/opt/missing ro\n" };
	const struct fixture *fixture = *state;

	tree_remove(fixture->tree, "opt");
	tree_remove(fixture->tree, "run");
	check(fixture, &none, 1);
	tree_puts(fixture->tree, "opt/missing", "");
	check(fixture, &one, 1);
}

static void variables_of_drivers(void **state)
{
	static const struct edits_case cases[] = {
		{ "a card", UNIT_WHOLE, 0, TERMS_ENV, false, "A",
		  NORTH_MOUNTS "N_IDS=GPU-a\nN_INDEX=0\nN_NODE=/dev/A\nN_BDF=0000:01:00.0\n" },
		{ "two cards", UNIT_WHOLE, 0, TERMS_ENV, false, "D A",
		  NORTH_MOUNTS "N_IDS=GPU-a,GPU-d\nN_INDEX=0,3\nN_NODE=/dev/A,/dev/D\n"
			       "N_BDF=0000:01:00.0,0000:04:00.0\n" },
		{ "a list with an item missing is none", UNIT_WHOLE, 0, TERMS_ENV, false, "A C",
		  NORTH_MOUNTS "N_IDS=GPU-a,C\nN_NODE=/dev/A,/dev/C\n" },
		{ "drivers that alternate, each once", UNIT_WHOLE, 0, TERMS_ENV, false, "A B C",
		  NORTH_MOUNTS "N_IDS=GPU-a,C\nN_NODE=/dev/A,/dev/C\nS_IDS=B\n" },
		{ "the card without a UUID has its ID", UNIT_WHOLE, 0, TERMS_ENV, false, "B",
		  "S_IDS=B\n" },
	};

	check(*state, cases, ARRAY_SIZE(cases));
}

static void variables_of_partitions(void **state)
{
	static const struct edits_case cases[] = {
		{ "cores", UNIT_PARTITION, 0, TERMS_ENV, false, "B_cores_0",
		  "S_IDS=B_cores_0\nSILICA_DEVICES=B_cores_0\nSILICA_MEMORY_BYTES=4294967296\n"
		  "SILICA_ENFORCEMENT=cooperative\n" },
		{ "names of the vendor's; one number for each card", UNIT_PARTITION, 0, TERMS_ENV,
		  false, "MIG-1 MIG-2",
		  NORTH_MOUNTS "N_IDS=MIG-1,MIG-2\nN_INDEX=3\nN_NODE=/dev/D\nN_BDF=0000:04:00.0\n"
			       "SILICA_DEVICES=MIG-1,MIG-2\nSILICA_MEMORY_BYTES=4294967296,0\n"
			       "SILICA_ENFORCEMENT=hardware\n" },
		{ "the weakest of several", UNIT_PARTITION, 0, TERMS_ENV, false, "B_cores_1 MIG-1",
		  NORTH_MOUNTS "S_IDS=B_cores_1\nN_IDS=MIG-1\nN_INDEX=3\nN_NODE=/dev/D\n"
			       "N_BDF=0000:04:00.0\nSILICA_DEVICES=B_cores_1,MIG-1\n"
			       "SILICA_MEMORY_BYTES=4294967296,4294967296\n"
			       "SILICA_ENFORCEMENT=cooperative\n" },
	};

	check(*state, cases, ARRAY_SIZE(cases));
}

static void variables_of_shares(void **state)
{
	static const struct edits_case cases[] = {
		{ "of one card", UNIT_WHOLE, 4, TERMS_ENV, false, "B::1",
		  "S_IDS=B\nSILICA_DEVICES=B\nSILICA_SHARES=1/4\nSILICA_MEMORY_BYTES=2147483648\n"
		  "SILICA_ENFORCEMENT=none\n" },
		{ "several of several cards", UNIT_WHOLE, 4, TERMS_ENV, false, "B::0 B::3 E::2",
		  "S_IDS=B,E\nSILICA_DEVICES=B,E\nSILICA_SHARES=2/4,1/4\n"
		  "SILICA_MEMORY_BYTES=4294967296,2147483648\nSILICA_ENFORCEMENT=none\n" },
		{ "of partitions", UNIT_PARTITION, 2, TERMS_ENV, false,
		  "B_cores_0::0 B_cores_0::1 B_cores_1::1",
		  "S_IDS=B_cores_0,B_cores_1\nSILICA_DEVICES=B_cores_0,B_cores_1\n"
		  "SILICA_SHARES=2/2,1/2\nSILICA_MEMORY_BYTES=4294967296,2147483648\n"
		  "SILICA_ENFORCEMENT=none\n" },
	};

	check(*state, cases, ARRAY_SIZE(cases));
}

#define MPS_MOUNT "/run/mps>/tmp/nvidia-mps\n"
#define MPS_DIR "CUDA_MPS_PIPE_DIRECTORY=/tmp/nvidia-mps\n"

static void variables_of_mps(void **state)
{
	static const struct edits_case cases[] = {
		{ "the smallest part of several cards", UNIT_WHOLE, 4, TERMS_ENV, true,
		  "B::0 B::3 E::2",
		  MPS_MOUNT "S_IDS=B,E\nSILICA_DEVICES=B,E\nSILICA_SHARES=2/4,1/4\n"
			    "SILICA_MEMORY_BYTES=4294967296,2147483648\n"
			    "SILICA_ENFORCEMENT=cooperative\n" MPS_DIR
			    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=25\n"
			    "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT=0=4096M,1=2048M\n" },
		{ "less than a hundredth is a hundredth", UNIT_WHOLE, 200, TERMS_ENV, true, "E::0",
		  MPS_MOUNT "S_IDS=E\nSILICA_DEVICES=E\nSILICA_SHARES=1/200\n"
			    "SILICA_MEMORY_BYTES=42949672\n"
			    "SILICA_ENFORCEMENT=cooperative\n" MPS_DIR
			    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=1\n"
			    "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT=0=40M\n" },
		{ "no limit where the memory is not known", UNIT_WHOLE, 2, TERMS_ENV, true, "C::0",
		  NORTH_MOUNTS MPS_MOUNT
		  "N_IDS=C\nN_NODE=/dev/C\nSILICA_DEVICES=C\nSILICA_SHARES=1/2\n"
		  "SILICA_MEMORY_BYTES=0\nSILICA_ENFORCEMENT=cooperative\n" MPS_DIR
		  "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=50\n" },
		{ "the mount goes with device files, too", UNIT_WHOLE, 2, TERMS_DEVICE_NODES, true,
		  "B::0", "B ctl B0 B1\n" MPS_MOUNT },
	};

	check(*state, cases, ARRAY_SIZE(cases));
}

static void names_of_cdi(void **state)
{
	static const struct edits_case cases[] = {
		{ "a card", UNIT_WHOLE, 0, TERMS_CDI, false, "A", "cdi silica.fake.io/card=A\n" },
		{ "what a name cannot have is escaped", UNIT_PARTITION, 2, TERMS_CDI, false,
		  "B_cores_0::1", "cdi silica.fake.io/card=B_5Fcores_5F0_3A_3A1\n" },
		{ "as an annotation", UNIT_WHOLE, 0, TERMS_ANNOTATIONS, false, "A B",
		  "annotation cdi.k8s.io/silica-device-plugin="
		  "silica.fake.io/card=A,silica.fake.io/card=B\n" },
		{ "both, and files", UNIT_WHOLE, 0,
		  TERMS_CDI | TERMS_ANNOTATIONS | TERMS_DEVICE_NODES, false, "B",
		  "B ctl B0 B1\nannotation cdi.k8s.io/silica-device-plugin="
		  "silica.fake.io/card=B\ncdi silica.fake.io/card=B\n" },
		{ "a card without files is in no spec", UNIT_WHOLE, 0,
		  TERMS_CDI | TERMS_ANNOTATIONS, false, "B E",
		  "annotation cdi.k8s.io/silica-device-plugin="
		  "silica.fake.io/card=B\ncdi silica.fake.io/card=B\n" },
		{ "nothing to name", UNIT_WHOLE, 0, TERMS_CDI | TERMS_ANNOTATIONS, false, "E", "" },
	};

	check(*state, cases, ARRAY_SIZE(cases));
}

static void a_kind_that_is_none_is_refused(void **state)
{
	const struct fixture *fixture = *state;
	_cleanup_(unit_set_unrefp) struct unit_set *set = make_units(fixture, UNIT_WHOLE, 0);
	_cleanup_(arena_done) struct arena arena = arena_init(MEMORY_MAX);
	const struct chosen chosen = { (const struct unit *[]) { &set->units[0] }, 1 };
	const struct terms terms = { .ways = TERMS_CDI, .cdi_kind = "silica.fake.io/1g.10gb" };
	struct kubelet_allocation edits;
	struct error err = { 0 };

	assert_int_equal(
		edits_make(&arena, &fixture->tree->host, set, &chosen, &terms, &edits, &err),
		-EINVAL);
	assert_string_not_equal(err.msg, "");
}

/* However much memory there is, it is enough or the answer is that it is not. */
static void without_memory_nothing_is_handed_out(void **state)
{
	static const struct edits_case all = {
		"all", UNIT_WHOLE,
		2,     TERMS_DEVICE_NODES | TERMS_ENV | TERMS_CDI | TERMS_ANNOTATIONS,
		true,  "A::0 B::1",
		NULL
	};
	size_t n_refused = 0;
	int r = -ENOMEM;

	for (size_t max = 0; r != 0; max += 64) {
		_cleanup_(arena_done) struct arena arena = arena_init(max);
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(TEXT_MAX);
		struct error err = { 0 };

		r = make(*state, &all, &arena, &out, &err);
		if (r == 0)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(err.msg, "no memory for what 2 devices need");
		n_refused++;
	}
	assert_true(n_refused > 10);
}

static void units_of_one_device_are_counted(void **state)
{
	_cleanup_(unit_set_unrefp) struct unit_set *set = make_units(*state, UNIT_PARTITION, 0);
	const struct unit *units[CHOSEN_MAX];
	struct chosen chosen = { .units = units };

	choose(set, "A_cores_0 A_cores_1 B_cores_1 MIG-1 MIG-2", &chosen);
	assert_int_equal(edits_same_device(&chosen, 0), 2);
	assert_int_equal(edits_same_device(&chosen, 1), 1);
	assert_int_equal(edits_same_device(&chosen, 2), 1);
	assert_int_equal(edits_same_device(&chosen, 3), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(device_files_and_mounts, setup, teardown),
		cmocka_unit_test_setup_teardown(only_mounts_that_the_host_has, setup, teardown),
		cmocka_unit_test_setup_teardown(variables_of_drivers, setup, teardown),
		cmocka_unit_test_setup_teardown(variables_of_partitions, setup, teardown),
		cmocka_unit_test_setup_teardown(variables_of_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(variables_of_mps, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_cdi, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kind_that_is_none_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_nothing_is_handed_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(units_of_one_device_are_counted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
