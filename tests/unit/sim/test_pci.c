/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/pci.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"
#include "tests/unit/sim/node.h"

static struct sim make_sim(const char *description)
{
	struct sim sim = { .root_fd = -1 };

	assert_int_equal(description_parse(description, &sim.description, NULL), 0);
	return sim;
}

static void test_slots(void **state)
{
	static const struct {
		const char *description;
		uint32_t ordinal;
		const char *dir;
	} cases[] = {
		{ "numa 0", 0, "pci0000:16/0000:16:01.0/0000:17:00.0/0000:18:00.0/0000:19:00.0" },
		{ "numa 0", 1, "pci0000:16/0000:16:01.0/0000:17:00.0/0000:18:01.0/0000:1a:00.0" },
		{ "numa 0", 2, "pci0000:16/0000:16:02.0/0000:1b:00.0/0000:1c:00.0/0000:1d:00.0" },
		{ "numa 0/1", 1, "pci0000:97/0000:97:01.0/0000:98:00.0/0000:99:00.0/0000:9a:00.0" },
		{ "numa 0/1", 2, "pci0000:16/0000:16:01.0/0000:17:00.0/0000:18:01.0/0000:1a:00.0" },
		/* Three NUMA nodes take a root of a second domain. */
		{ "numa 0/1/2", 2,
		  "pci0001:16/0001:16:01.0/0001:17:00.0/0001:18:00.0/0001:19:00.0" },
		/* 26 switches of two cards fill a root: the 53rd card goes to the next. */
		{ "numa 0", 51, "pci0000:16/0000:16:1a.0/0000:7b:00.0/0000:7c:01.0/0000:7e:00.0" },
		{ "numa 0", 52, "pci0000:97/0000:97:01.0/0000:98:00.0/0000:99:00.0/0000:9a:00.0" },
		/* With four cards per switch, three cards share one with the first. */
		{ "switch 4", 3, "pci0000:16/0000:16:01.0/0000:17:00.0/0000:18:03.0/0000:1c:00.0" },
		{ "switch 1", 1, "pci0000:16/0000:16:02.0/0000:1a:00.0/0000:1b:00.0/0000:1c:00.0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim sim = make_sim(cases[i].description);
		struct card card = { .layout = &layout_rngd, .ordinal = cases[i].ordinal };
		struct tree_path dir = pci_card_dir(&sim, &card);
		char bdf[PCI_BDF_MAX];

		assert_string_equal(dir.text + strlen("sys/devices/"), cases[i].dir);
		pci_card_bdf(&sim, &card, bdf);
		assert_string_equal(strrchr(dir.text, '/') + 1, bdf);
	}
}

static int compare_bdfs(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The largest node with the narrowest and the widest switches has a slot for each. */
static void test_slots_are_unique(void **state)
{
	static const char *const descriptions[] = { "switch 1", "switch 2",
						    "switch 32, numa 0/1/2" };
	static char bdfs[DESCRIPTION_CARDS_MAX][PCI_BDF_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(descriptions); i++) {
		struct sim sim = make_sim(descriptions[i]);

		for (uint32_t k = 0; k < DESCRIPTION_CARDS_MAX; k++) {
			struct card card = { .layout = &layout_rngd, .ordinal = k };

			pci_card_bdf(&sim, &card, bdfs[k]);
		}
		qsort(bdfs, DESCRIPTION_CARDS_MAX, sizeof(bdfs[0]), compare_bdfs);
		for (size_t k = 1; k < DESCRIPTION_CARDS_MAX; k++)
			assert_string_not_equal(bdfs[k - 1], bdfs[k]);
	}
}

static void test_attributes(void **state)
{
	static const struct {
		const char *path;
		const char *value;
	} cases[] = {
		{ "0000:19:00.0/vendor", "0x1ed2\n" },	{ "0000:19:00.0/device", "0x0001\n" },
		{ "0000:19:00.0/class", "0x120000\n" }, { "0000:19:00.0/revision", "0x01\n" },
		{ "0000:19:00.0/numa_node", "0\n" },	{ "0000:1a:00.0/device", "0x0000\n" },
		{ "0000:9a:00.0/numa_node", "1\n" },	{ "0000:18:00.0/class", "0x060400\n" },
		{ "0000:16:00.0/class", "0x020000\n" }, { "0000:16:00.0/vendor", "0x8086\n" },
	};
	const struct node *node = *state;

	node_create(node, "rngd x2, warboy x1, numa 0/1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tree_path path = tree_path("sys/bus/pci/devices/%s", cases[i].path);

		assert_contents(node, path.text, cases[i].value);
	}
	assert_int_equal(node_count(node, "sys/bus/pci/devices", ""), 11);
}

static void test_config(void **state)
{
	const struct node *node = *state;
	char config[257];

	node_create(node, "rngd x1");
	assert_int_equal(file_read(node->root_fd, "sys/bus/pci/devices/0000:19:00.0/config", config,
				   sizeof(config), NULL),
			 256);
	assert_memory_equal(config, "\xd2\x1e\x01\x00", 4);
	assert_memory_equal(config + 8, "\x01\x00\x00\x12", 4);
	assert_int_equal(config[0x0e], 0);
	assert_int_equal(file_read(node->root_fd, "sys/bus/pci/devices/0000:17:00.0/config", config,
				   sizeof(config), NULL),
			 256);
	assert_int_equal(config[0x0e], 1);
	assert_memory_equal(config + 0x18, "\x17\x18\x1a", 3);
}

static void test_no_numa(void **state)
{
	const struct node *node = *state;

	node_create(node, "rngd x1, numa -1");
	assert_contents(node, "sys/bus/pci/devices/0000:19:00.0/numa_node", "-1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_slots_are_unique),
		cmocka_unit_test_setup_teardown(test_attributes, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_config, node_setup, node_teardown),
		cmocka_unit_test_setup_teardown(test_no_numa, node_setup, node_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
