/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes a label, what an annotation, and what neither.  Whole nodes are in the
 * golden files of tests/labels.
 */
#include "node-labeller/labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "node-labeller/label_rows.h"
#include "node-labeller/label_value.h"
#include "tests/test.h"
#include "tests/unit/inventory/memory.h"

#define CARDS_MAX 4
#define PARTS_MAX 2
#define SIXTY "012345678901234567890123456789012345678901234567890123456789"
#define BOTH "[neutral, vendor]"

struct card {
	const char *vendor; /* NULL ends */
	const char *product;
	const char *version; /* of the driver */
	uint64_t memory_mib;
	const char *link;
	const char *fault;
	bool absent;
	bool unhealthy;
	bool no_node; /* its NUMA node is not known, else it is 0 */
	/* Of the parts that it is cut into, NULL for none. */
	const char *profiles[PARTS_MAX];
	struct device_fact fact; /* name NULL for none */
};

struct making {
	struct snapshot *snapshot;
	struct policy *policy;
	struct offer offer;
	struct label_set labels;
	struct label_set annotations;
};

static void fill(char *field, size_t size, const char *text)
{
	assert_int_equal(str_copy(field, size, text ? text : ""), 0);
}

static void add_parts(struct device *device, const struct card *card)
{
	struct device_partition parts[PARTS_MAX];
	unsigned char n = 0;

	while (n < PARTS_MAX && card->profiles[n]) {
		parts[n] = (struct device_partition) { "", card->profiles[n], { n, n }, 1 << 20 };
		n++;
	}
	if (n > 0)
		assert_int_equal(device_set_partitions(device, parts, n), 0);
	device->cores = n;
	device->partitioned = n > 0;
}

static struct device *make_device(const struct card *card)
{
	const struct driver *driver = driver_find(card->vendor);
	struct device *device = device_new(driver);

	assert_non_null(driver);
	assert_non_null(device);
	fill(device->product, sizeof(device->product), card->product);
	fill(device->driver_version, sizeof(device->driver_version), card->version);
	fill(device->link_group, sizeof(device->link_group), card->link);
	fill(device->fault, sizeof(device->fault), card->fault);
	device->memory_bytes = card->memory_mib << 20;
	device->architecture = "arch";
	device->numa_node = card->no_node ? DEVICE_NUMA_UNKNOWN : 0;
	add_parts(device, card);
	if (card->fact.name)
		assert_int_equal(device_set_facts(device, &card->fact, 1), 0);
	return device;
}

static struct snapshot *make_snapshot(const struct card *cards, size_t n)
{
	struct device_state *states = calloc(n + 1, sizeof(*states));
	struct snapshot *snapshot;

	assert_non_null(states);
	for (size_t i = 0; i < n; i++) {
		states[i].device = make_device(&cards[i]);
		states[i].present = !cards[i].absent;
		states[i].healthy = !cards[i].unhealthy && !cards[i].absent;
		(void)snprintf(states[i].id, sizeof(states[i].id), "id:%05zu", i);
	}
	snapshot = snapshot_new(1, states, n);
	assert_non_null(snapshot);
	for (size_t i = 0; i < n; i++)
		device_unref(states[i].device);
	free(states);
	return snapshot;
}

static size_t count_cards(const struct card *cards)
{
	size_t n = 0;

	while (n < CARDS_MAX && cards[n].vendor)
		n++;
	return n;
}

static void prepare(struct making *making, const struct card *cards, size_t n, const char *config)
{
	static const struct policy_node nowhere = { .name = "" };
	char text[1024];
	struct config parsed = { 0 };
	struct error err = { 0 };
	int len = snprintf(text, sizeof(text), "version: v1\n%s\n", config);

	*making = (struct making) {
		.labels = { .kind = LABEL_SET_LABELS },
		.annotations = { .kind = LABEL_SET_ANNOTATIONS },
	};
	if (config_parse(text, (size_t)len, "f", &parsed, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(policy_new(&parsed, &nowhere, &making->policy, NULL), 0);
	making->snapshot = make_snapshot(cards, n);
	assert_int_equal(policy_offer(making->policy, making->snapshot, &making->offer, NULL), 0);
}

static int make(struct making *making, struct error *err)
{
	const struct labels_input input = {
		.snapshot = making->snapshot,
		.offer = &making->offer,
		.config = &policy_config(making->policy)->labels,
		.machine = "A machine (2)",
		.machine_vendor = "",
	};

	return labels_make(&input, &making->labels, &making->annotations, err);
}

static void making_done(struct making *making)
{
	label_set_done(&making->labels);
	label_set_done(&making->annotations);
	offer_done(&making->offer);
	snapshot_unref(making->snapshot);
	policy_free(making->policy);
}
#define _cleanup_making_ _cleanup_(making_done)

static const char *find_value(const struct label_set *set, const char *key)
{
	for (size_t i = 0; i < set->n; i++)
		if (strcmp(set->items[i].key, key) == 0)
			return set->items[i].value;
	return NULL;
}

static void assert_value(const struct label_set *set, const char *key, const char *want)
{
	const char *value = find_value(set, key);

	if ((value == NULL) != (want == NULL) || (want && strcmp(value, want) != 0))
		fail_msg("'%s' is '%s', not '%s'", key, value ? value : "(none)",
			 want ? want : "(none)");
}

#define A                                                                               \
	{                                                                               \
		.vendor = "nvidia", .product = "A", .version = "1.2.3", .memory_mib = 8 \
	}
#define B                                                                               \
	{                                                                               \
		.vendor = "nvidia", .product = "B", .version = "1.2.3", .memory_mib = 9 \
	}
#define A_NEWER                                                                         \
	{                                                                               \
		.vendor = "nvidia", .product = "A", .version = "1.2.4", .memory_mib = 8 \
	}

static void all_have_to_agree(_unused_ void **state)
{
	static const struct {
		struct card cards[CARDS_MAX];
		const char *key;
		const char *value;
	} cases[] = {
		{ { A, A }, "silica.dev/nvidia.product", "A" },
		{ { A, A }, "nvidia.com/gpu.product", "A" },
		{ { A, B }, "silica.dev/nvidia.product", NULL },
		{ { A, B }, "nvidia.com/gpu.product", NULL },
		{ { A, B }, "silica.dev/nvidia.memory", NULL },
		{ { A, B }, "nvidia.com/gpu.memory", NULL },
		{ { A, B }, "silica.dev/nvidia.product.A", "1" },
		{ { A, B, A }, "silica.dev/nvidia.product.A", "2" },
		{ { A, B }, "silica.dev/nvidia.product.B", "1" },
		{ { A, B }, "nvidia.com/gpu.count", "2" },
		{ { A, B }, "nvidia.com/gpu.replicas", NULL },
		{ { A, B }, "silica.dev/nvidia.driver-version", "1.2.3" },
		/* No part of a version on which they do not agree. */
		{ { A, A_NEWER }, "silica.dev/nvidia.driver-version", NULL },
		{ { A, A_NEWER }, "silica.dev/nvidia.driver-version.major", NULL },
		{ { A, A_NEWER }, "nvidia.com/cuda.driver-version.minor", NULL },
		{ { A, A_NEWER }, "silica.dev/nvidia.product", "A" },
		/* Other vendors have no say. */
		{ { A, { .vendor = "habana", .product = "C" } }, "silica.dev/nvidia.product", "A" },
		{ { A, { .vendor = "habana", .product = "C" } },
		  "silica.dev/accelerator.count",
		  "2" },
		/* One that does not know is no agreement, unless it has a fault. */
		{ { A, { .vendor = "nvidia", .product = "A" } }, "silica.dev/nvidia.memory", NULL },
		{ { A, { .vendor = "nvidia", .product = "A", .fault = "x" } },
		  "silica.dev/nvidia.memory",
		  "8" },
		{ { { .vendor = "nvidia", .product = "A", .fault = "x" }, A },
		  "silica.dev/nvidia.memory",
		  "8" },
		{ { A, { .vendor = "nvidia", .product = "A", .memory_mib = 9, .fault = "x" } },
		  "silica.dev/nvidia.memory",
		  NULL },
		/* One that is gone has none. */
		{ { A, { .vendor = "nvidia", .product = "B", .absent = true } },
		  "silica.dev/nvidia.product",
		  "A" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_making_ struct making making;

		prepare(&making, cases[i].cards, count_cards(cases[i].cards), "");
		assert_int_equal(make(&making, NULL), 0);
		assert_value(&making.labels, cases[i].key, cases[i].value);
		assert_int_equal(making.annotations.n, 0);
	}
}

static void cards_are_counted(_unused_ void **state)
{
	static const struct card gone = { .vendor = "nvidia", .absent = true };
	static const struct card sick = { .vendor = "nvidia", .unhealthy = true };
	static const struct card well = { .vendor = "nvidia" };
	const struct {
		struct card cards[CARDS_MAX];
		const char *present, *count, *healthy;
	} cases[] = {
		{ { { 0 } }, NULL, NULL, NULL },
		{ { well, sick, gone }, "true", "2", "1" },
		{ { sick }, "true", "1", "0" },
		{ { gone }, NULL, "0", "0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_making_ struct making making;

		prepare(&making, cases[i].cards, count_cards(cases[i].cards), "");
		assert_int_equal(make(&making, NULL), 0);
		assert_value(&making.labels, "silica.dev/accelerator", cases[i].present);
		assert_value(&making.labels, "silica.dev/nvidia", cases[i].present);
		assert_value(&making.labels, "silica.dev/accelerator.count", cases[i].count);
		assert_value(&making.labels, "silica.dev/nvidia.count", cases[i].count);
		assert_value(&making.labels, "nvidia.com/gpu.count", cases[i].count);
		assert_value(&making.labels, "silica.dev/accelerator.healthy", cases[i].healthy);
		assert_value(&making.labels, "silica.dev/nvidia.healthy", cases[i].healthy);
	}
}

static void topology_is_told(_unused_ void **state)
{
	static const struct {
		struct card cards[CARDS_MAX];
		const char *nodes, *groups, *largest;
	} cases[] = {
		{ { A }, "1", NULL, NULL },
		{ { A, { .vendor = "nvidia", .no_node = true } }, NULL, NULL, NULL },
		{ { { .vendor = "nvidia", .link = "x" } }, "1", NULL, NULL },
		{ { { .vendor = "nvidia", .link = "x" }, { .vendor = "nvidia", .link = "x" }, A },
		  "1",
		  "1",
		  "2" },
		{ { { .vendor = "nvidia", .link = "x" }, { .vendor = "nvidia", .link = "y" } },
		  "1",
		  NULL,
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_making_ struct making making;

		prepare(&making, cases[i].cards, count_cards(cases[i].cards), "");
		assert_int_equal(make(&making, NULL), 0);
		assert_value(&making.labels, "silica.dev/nvidia.numa-nodes", cases[i].nodes);
		assert_value(&making.labels, "silica.dev/nvidia.link-groups", cases[i].groups);
		assert_value(&making.labels, "silica.dev/nvidia.link-group-size", cases[i].largest);
	}
}

#define PARTS(NAME) "resources: [{name: " NAME ", devices: {vendor: nvidia}, unit: partition}]"
#define SHARED_PARTS(NAME)                                                          \
	"resources: [{name: " NAME ", devices: {vendor: nvidia}, unit: share, of: " \
	"partition, shares: 2}]"
#define CUT(ONE, OTHER)                                                                          \
	{                                                                                        \
		.vendor = "nvidia", .product = "A", .memory_mib = 8, .profiles = { ONE, OTHER }, \
		.fact = { "1c.2g.20gb+me.multiprocessors", "14" },                               \
	}
#define ME "1c.2g.20gb+me"

static void mig_is_told_by_what_offers_it(_unused_ void **state)
{
	static const char single[] = PARTS("nvidia.com/gpu"), other[] = PARTS("example.com/slice");
	static const char mixed[] = PARTS("'nvidia.com/mig-{profile}'");
	static const struct {
		struct card cards[CARDS_MAX];
		const char *config;
		const char *key;
		const char *value;
	} cases[] = {
		{ { CUT(ME, ME) }, single, "nvidia.com/mig.strategy", "single" },
		{ { CUT(ME, ME) }, single, "nvidia.com/gpu.count", "2" },
		{ { CUT(ME, ME) }, single, "nvidia.com/gpu.product", "A-MIG-1c.2g.20gb.me" },
		{ { CUT(ME, ME) }, single, "nvidia.com/gpu.multiprocessors", "14" },
		{ { CUT(ME, ME) }, single, "nvidia.com/gpu.slices.gi", "2" },
		{ { CUT(ME, ME) }, single, "nvidia.com/gpu.slices.ci", "1" },
		{ { CUT(ME, ME) }, single, "nvidia.com/mig-1c.2g.20gb.me.count", NULL },
		/* What parts do not agree on, or the driver does not know. */
		{ { CUT(ME, "2g.20gb") }, single, "nvidia.com/gpu.slices.gi", "2" },
		{ { CUT(ME, "2g.20gb") }, single, "nvidia.com/gpu.slices.ci", NULL },
		{ { CUT(ME, "2g.20gb") }, single, "nvidia.com/gpu.multiprocessors", NULL },
		{ { CUT("2g.20gb", NULL) }, single, "nvidia.com/gpu.slices.ci", "2" },
		{ { CUT("2g.20gb", NULL) }, single, "nvidia.com/gpu.multiprocessors", NULL },
		/* Whole ones have no slices. */
		{ { A, CUT(ME, ME) }, single, "nvidia.com/gpu.count", "3" },
		{ { A, CUT(ME, ME) }, single, "nvidia.com/gpu.slices.gi", NULL },
		{ { A }, "", "nvidia.com/gpu.multiprocessors", NULL },
		/* The name of a GPU that is shared. */
		{ { CUT(ME, ME) },
		  SHARED_PARTS("nvidia.com/gpu"),
		  "nvidia.com/mig.strategy",
		  "single" },
		{ { CUT(ME, ME) },
		  SHARED_PARTS("nvidia.com/gpu.shared"),
		  "nvidia.com/mig.strategy",
		  "single" },
		/* Names of their own. */
		{ { CUT(ME, ME) }, mixed, "nvidia.com/mig.strategy", "mixed" },
		{ { CUT(ME, ME) }, mixed, "nvidia.com/gpu.count", "1" },
		{ { CUT(ME, ME) }, mixed, "nvidia.com/gpu.slices.gi", NULL },
		{ { CUT(ME, ME) }, mixed, "nvidia.com/mig-1c.2g.20gb.me.count", "2" },
		{ { CUT(ME, ME) },
		  mixed,
		  "nvidia.com/mig-1c.2g.20gb.me.product",
		  "A-MIG-1c.2g.20gb.me" },
		{ { CUT(ME, ME) }, mixed, "nvidia.com/mig-1c.2g.20gb.me.multiprocessors", "14" },
		{ { CUT(ME, ME) }, other, "nvidia.com/mig.strategy", "mixed" },
		{ { CUT(ME, ME) }, other, "nvidia.com/gpu.count", "1" },
		{ { CUT(ME, ME) }, other, "nvidia.com/gpu.product", "A" },
		{ { CUT(ME, ME) }, other, "nvidia.com/gpu.replicas", "0" },
		{ { CUT(ME, ME) }, PARTS("nvidia.com/gpus"), "nvidia.com/mig.strategy", "mixed" },
		{ { CUT(ME, ME) },
		  PARTS("nvidia.com/gpu.shared.x"),
		  "nvidia.com/mig.strategy",
		  "mixed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_making_ struct making making;

		prepare(&making, cases[i].cards, count_cards(cases[i].cards), cases[i].config);
		assert_int_equal(make(&making, NULL), 0);
		assert_value(&making.labels, cases[i].key, cases[i].value);
	}
}

#define SHARED \
	"resources: [{name: nvidia.com/gpu, devices: {vendor: nvidia}, unit: share, shares: 2}]"

static void long_names_are_annotations(_unused_ void **state)
{
	static const struct {
		const char *product;
		const char *config;
		bool annotation;
		const char *key;
		const char *value;
	} cases[] = {
		/* 63 characters are a value, but not behind a prefix in a key. */
		{ SIXTY "abc", "", false, "silica.dev/nvidia.product", SIXTY "abc" },
		{ SIXTY "abc", "", true, "silica.dev/nvidia.overflow",
		  "silica.dev/nvidia.product." SIXTY "abc=1" },
		{ SIXTY "abc", SHARED, false, "nvidia.com/gpu.product", NULL },
		{ SIXTY "abc", SHARED, true, "nvidia.com/gpu.product", SIXTY "abc-SHARED" },
		{ "A", SHARED, false, "nvidia.com/gpu.product", "A-SHARED" },
		{ "A", SHARED, true, "nvidia.com/gpu.product", NULL },
		/* Nothing is left, or something else. */
		{ "()", "", false, "silica.dev/nvidia.product", NULL },
		{ "()", "", true, "silica.dev/nvidia.product", "()" },
		{ "()", "", true, "silica.dev/nvidia.overflow", "silica.dev/nvidia.product.()=1" },
		{ "H\xc3\xa9 \x01(x)", "", false, "silica.dev/nvidia.product", "H-x" },
		{ "H\xc3\xa9 \x01(x)", "", false, "silica.dev/nvidia.product.H-x", "1" },
		{ "\xc3\xa9", "", true, "silica.dev/nvidia.product", "??" },
		{ "", "", false, "silica.dev/nvidia.product", NULL },
		{ "", "", true, "silica.dev/nvidia.product", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct card card = { .vendor = "nvidia", .product = cases[i].product };
		_cleanup_making_ struct making making;

		prepare(&making, &card, 1, cases[i].config);
		assert_int_equal(make(&making, NULL), 0);
		assert_value(cases[i].annotation ? &making.annotations : &making.labels,
			     cases[i].key, cases[i].value);
	}
}

/* Words that look the same in a key are one. */
static void like_words_are_counted_together(_unused_ void **state)
{
	static const struct card cards[] = {
		{ .vendor = "nvidia", .product = "a b" },
		{ .vendor = "nvidia", .product = "a+b" },
		{ .vendor = "nvidia", .product = "a-b" },
	};
	_cleanup_making_ struct making making;

	prepare(&making, cards, ARRAY_SIZE(cards), "");
	assert_int_equal(make(&making, NULL), 0);
	assert_value(&making.labels, "silica.dev/nvidia.product.a-b", "3");
	assert_value(&making.labels, "silica.dev/nvidia.product", NULL);
}

static void too_many_words_are_none(_unused_ void **state)
{
	static struct card cards[LABEL_SPLIT_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
		cards[i] = (struct card) { .vendor = "habana", .product = "A" };
	for (size_t n = LABEL_SPLIT_MAX; n <= LABEL_SPLIT_MAX + 1; n++) {
		_cleanup_making_ struct making making;
		bool all = n == LABEL_SPLIT_MAX;
		char count[16];

		prepare(&making, cards, n, "");
		assert_int_equal(make(&making, NULL), 0);
		(void)snprintf(count, sizeof(count), "%zu", n);
		assert_value(&making.labels, "silica.dev/habana.device.id-00000",
			     all ? "healthy" : NULL);
		assert_value(&making.labels, "silica.dev/habana.device.id-00063",
			     all ? "healthy" : NULL);
		assert_value(&making.labels, "silica.dev/habana.product.A", count);
	}
}

static void families_can_be_chosen(_unused_ void **state)
{
	static const struct card cards[] = {
		{ .vendor = "furiosa", .product = "rngd-s", .version = "1.2.3" },
		{ .vendor = "amd", .product = "A", .memory_mib = 64 * 1024 },
	};
	static const struct {
		const char *config;
		const char *key;
		const char *value;
	} cases[] = {
		{ "", "silica.dev/furiosa", "true" },
		{ "", "furiosa.ai/npu.count", "1" },
		{ "labels: {families: [vendor]}", "silica.dev/furiosa", NULL },
		{ "labels: {families: [vendor]}", "silica.dev/accelerator", NULL },
		{ "labels: {families: [vendor]}", "furiosa.ai/npu.count", "1" },
		{ "labels: {families: [neutral]}", "silica.dev/furiosa", "true" },
		{ "labels: {families: [neutral]}", "furiosa.ai/npu.count", NULL },
		{ "", "furiosa.ai/driver.version", "1.2.3" },
		{ "", "furiosa.ai/npu.driver.version", "1.2.3" },
		{ "", "furiosa.ai/npu.product", "rngd_s" },
		{ "labels: {furiosa: code}", "furiosa.ai/driver.version", "1.2.3" },
		{ "labels: {furiosa: code}", "furiosa.ai/npu.driver.version", NULL },
		{ "labels: {furiosa: code}", "furiosa.ai/npu.product", "rngd_s" },
		{ "labels: {furiosa: docs}", "furiosa.ai/driver.version", NULL },
		{ "labels: {furiosa: docs}", "furiosa.ai/npu.driver.version", "1.2.3" },
		{ "labels: {furiosa: docs}", "furiosa.ai/npu.product", "rngd-s" },
		{ "", "beta.furiosa.ai/npu.count", NULL },
		{ "", "beta.amd.com/gpu.vram.64G", NULL },
		{ "labels: {betaNames: true}", "beta.furiosa.ai/npu.count", "1" },
		{ "labels: {betaNames: true}", "beta.furiosa.ai/machine.name", "A-machine-2" },
		{ "labels: {betaNames: true}", "beta.furiosa.ai/machine.vendor", NULL },
		{ "labels: {betaNames: true}", "beta.amd.com/gpu.vram.64G", "1" },
		{ "labels: {betaNames: true, families: [neutral]}", "beta.furiosa.ai/npu.count",
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_making_ struct making making;

		prepare(&making, cards, ARRAY_SIZE(cards), cases[i].config);
		assert_int_equal(make(&making, NULL), 0);
		assert_value(&making.labels, cases[i].key, cases[i].value);
	}
}

static void what_is_offered_is_told(_unused_ void **state)
{
	static const struct card cards[] = { A };
	static const struct {
		const char *config;
		const char *mode; /* the only one */
		const char *tier;
	} cases[] = {
		{ "", "whole", "hardware" },
		{ SHARED, "share", "none" },
		{ "exclude: [{vendor: nvidia}]", NULL, NULL },
		{ "resources: [{name: a/b, devices: {vendor: habana}}]", NULL, NULL },
		{ "resources: [{name: a/b, devices: {vendor: nvidia}, unit: share, shares: 2, "
		  "mps: {pipeDirectory: /x}}]",
		  "share", "cooperative" },
	};
	static const char *const modes[] = { "whole", "partition", "share" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_making_ struct making making;

		prepare(&making, cards, ARRAY_SIZE(cards), cases[i].config);
		assert_int_equal(make(&making, NULL), 0);
		assert_value(&making.labels, "silica.dev/nvidia.tier", cases[i].tier);
		for (size_t j = 0; j < ARRAY_SIZE(modes); j++) {
			const char *mode = cases[i].mode;
			char key[LABEL_KEY_MAX];

			(void)snprintf(key, sizeof(key), "silica.dev/nvidia.mode.%s", modes[j]);
			assert_value(&making.labels, key,
				     mode && strcmp(mode, modes[j]) == 0 ? "true" : NULL);
		}
	}
}

static void a_node_without_an_offer_has_labels(_unused_ void **state)
{
	static const struct card cards[] = { A };
	_cleanup_making_ struct making making;
	struct labels_input input = { .machine = "", .machine_vendor = "" };

	prepare(&making, cards, ARRAY_SIZE(cards), "");
	input.snapshot = making.snapshot;
	input.config = &policy_config(making.policy)->labels;
	assert_int_equal(labels_make(&input, &making.labels, &making.annotations, NULL), 0);
	assert_value(&making.labels, "silica.dev/nvidia.product", "A");
	assert_value(&making.labels, "silica.dev/nvidia.tier", NULL);
	assert_value(&making.labels, "nvidia.com/gpu.machine", "unknown");
}

static void nothing_changes_without_memory(_unused_ void **state)
{
	static const struct card cards[] = { A, { .vendor = "nvidia", .product = SIXTY "abc" } };
	_cleanup_making_ struct making making;
	int r = -ENOMEM;

	prepare(&making, cards, ARRAY_SIZE(cards), "");
	assert_int_equal(label_set_add(&making.labels, "old", "1", NULL), 0);
	assert_int_equal(label_set_add(&making.annotations, "old", "1", NULL), 0);
	for (size_t i = 0; r < 0; i++) {
		memory_fail_after(i);
		r = make(&making, NULL);
		if (memory_restore() == 0)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_int_equal(making.labels.n, 1);
		assert_int_equal(making.annotations.n, 1);
	}
	assert_int_equal(r, 0);
	assert_value(&making.labels, "old", NULL);
	assert_value(&making.annotations, "old", NULL);
	assert_value(&making.labels, "silica.dev/nvidia.count", "2");
	assert_true(making.annotations.n > 0);
}

static void labels_are_printed(_unused_ void **state)
{
	_cleanup_label_set_ struct label_set labels = { .kind = LABEL_SET_LABELS };
	_cleanup_label_set_ struct label_set annotations = { .kind = LABEL_SET_ANNOTATIONS };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(1024);

	assert_int_equal(label_set_add(&labels, "b", "1", NULL), 0);
	assert_int_equal(label_set_add(&labels, "a", "", NULL), 0);
	labels_print(&labels, &annotations, &out);
	assert_string_equal(strbuf_str(&out), "a=\nb=1\n");
	assert_int_equal(label_set_add(&annotations, "c", "x y", NULL), 0);
	strbuf_clear(&out);
	labels_print(&labels, &annotations, &out);
	assert_string_equal(strbuf_str(&out), "a=\nb=1\n\n# annotation c=x y\n");
}

/* What of a key does not depend on the cards has to be one. */
static void check_key(const char *template)
{
	char key[LABEL_KEY_MAX];
	size_t n = 0;

	for (const char *c = template; *c; c++) {
		if (*c == '{') {
			key[n++] = 'x';
			c += strcspn(c, "}");
		} else {
			key[n++] = *c;
		}
		assert_true(n < sizeof(key));
	}
	key[n] = '\0';
	if (!label_key_is_valid(key))
		fail_msg("'%s' is no key", template);
}

static bool has_word(const char *key)
{
	const char *vendor = strstr(key, "{vendor}");

	return strchr(vendor ? vendor + 1 : key, '{') != NULL;
}

static void rows_are_sound(_unused_ void **state)
{
	const struct label_table *const *tables;
	size_t n;

	tables = label_tables(&n);
	for (size_t i = 0; i < n; i++) {
		assert_true(tables[i]->title[0] != '\0' && tables[i]->text[0] != '\0');
		for (size_t j = 0; j < tables[i]->n; j++) {
			const struct label_row *row = &tables[i]->rows[j];
			char value[LABEL_VALUE_MAX];

			check_key(row->key);
			assert_true((row->fact != NULL) != (row->value != NULL));
			assert_int_equal(has_word(row->key), row->split != NULL);
			assert_true(row->text[0] != '\0' && row->example[0] != '\0');
			assert_int_equal(label_value_make(row->example, value), 0);
			assert_string_equal(row->example, value);
			if (row->driver)
				assert_non_null(driver_find(row->driver));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_have_to_agree),
		cmocka_unit_test(cards_are_counted),
		cmocka_unit_test(topology_is_told),
		cmocka_unit_test(mig_is_told_by_what_offers_it),
		cmocka_unit_test(long_names_are_annotations),
		cmocka_unit_test(like_words_are_counted_together),
		cmocka_unit_test(too_many_words_are_none),
		cmocka_unit_test(families_can_be_chosen),
		cmocka_unit_test(what_is_offered_is_told),
		cmocka_unit_test(a_node_without_an_offer_has_labels),
		cmocka_unit_test(nothing_changes_without_memory),
		cmocka_unit_test(labels_are_printed),
		cmocka_unit_test(rows_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
