/* SPDX-License-Identifier: Apache-2.0 */
/* The families whose cards are entries of a class: what their drivers rely on. */
#include "tests/sim/class_family.h"

#include <string.h>
#include <unistd.h>

#include "tests/test.h"
#include "tests/unit/sim/node.h"

#define PCI "sys/bus/pci/devices/0000:19:00.0/"

static int run(const struct node *node, int (*command)(const struct request *, struct error *),
	       const char *card, const char *second, const char *third)
{
	struct request request = { .dir = node->dir, .args = { card, second, third } };

	return command(&request, NULL);
}

static void test_attributes(void **state)
{
	static const struct {
		const char *description;
		const char *path;
		const char *value; /* NULL: there is none */
	} cases[] = {
		{ "atom x1", "sys/class/rebellions/rbln0/status", "0\n" },
		{ "atom x1, newlines off", "sys/class/rebellions/rbln0/status", "0" },
		{ "atom x1", "sys/class/rebellions/rbln0/kernel_version", "1.2.92-6d00b56\n" },
		{ "atom x1", "sys/class/rebellions/rbln0/dev", "240:0\n" },
		{ "atom x1", "sys/class/rebellions/rbln0/device/vendor", "0x1eff\n" },
		{ "wormhole x1", "sys/class/tenstorrent/tenstorrent!0/tt_card_type", "n150\n" },
		{ "wormhole x1", "sys/class/tenstorrent/tenstorrent!0/tt_serial",
		  "010001806AC32348\n" },
		{ "wormhole x1, serial empty", "sys/class/tenstorrent/tenstorrent!0/tt_serial",
		  "" },
		{ "wormhole x1, serial none", "sys/class/tenstorrent/tenstorrent!0/tt_serial",
		  NULL },
		{ "wormhole x1, uuid zero", "sys/class/tenstorrent/tenstorrent!0/tt_asic_id",
		  "0000000000000000\n" },
		{ "wormhole x1",
		  "sys/class/tenstorrent/tenstorrent!0/device/hwmon/hwmon0/temp1_max", "75000\n" },
		{ "wormhole x1", "sys/module/tenstorrent/version", "2.0.0\n" },
		{ "blackhole x1", "sys/class/tenstorrent/tenstorrent!0/tt_therm_trip_count",
		  "0\n" },
		{ "blackhole x1", PCI "subsystem_device", "0x0040\n" },
		{ "aic x1", "sys/class/accel/accel0/dev", "261:0\n" },
		{ "aic x1", "sys/class/accel/accel0/device/device", "0xa100\n" },
		{ "trainium x1", "sys/class/neuron_device/neuron0/core_count", "2" },
		{ "trainium x1", "sys/class/neuron_device/neuron0/connected_devices", "3, 1\n" },
		{ "trainium x1", "sys/class/neuron_device/neuron0/device/vendor", NULL },
		{ "trainium x1, serial empty", "sys/class/neuron_device/neuron0/info/serial_number",
		  "\n" },
		{ "trainium x1, serial none", "sys/class/neuron_device/neuron0/info/serial_number",
		  NULL },
		{ "edgetpu x1", "sys/class/apex/apex_0/status", "ALIVE\n" },
		{ "edgetpu x1", "sys/class/apex/apex_0/pci_address", "0000:19:00.0\n" },
	};
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		node_create(node, cases[i].description);
		assert_contents(node, cases[i].path, cases[i].value);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

/* What `fail` changes, what `recover` brings back, and what goes with the card. */
static const struct {
	const char *description;
	const char *card;
	const char *path; /* shows the state */
	const char *healthy;
	const char *failed;
	const char *entry;
	const char *moved; /* the entry with the index 7 */
	const char *node;
	const char *node_name;
} family_cases[] = {
	{ "atom x1", "atom0", "sys/class/rebellions/rbln0/status", "0\n", "3\n",
	  "sys/class/rebellions/rbln0", "sys/class/rebellions/rbln7", "dev/rbln0", "rbln" },
	{ "wormhole x1", "wormhole0", PCI "hwmon/hwmon0/temp1_input", "45000\n", "81000\n",
	  "sys/class/tenstorrent/tenstorrent!0", "sys/class/tenstorrent/tenstorrent!7",
	  "dev/tenstorrent/0", "chip" },
	{ "blackhole x1", "blackhole0", PCI "hwmon/hwmon0/temp1_input", "45000\n", "81000\n",
	  "sys/class/tenstorrent/tenstorrent!0", "sys/class/tenstorrent/tenstorrent!7",
	  "dev/tenstorrent/0", "chip" },
	{ "trainium x1", "trainium0",
	  "sys/class/neuron_device/neuron0/stats/hardware/mem_ecc_uncorrected", "0\n", "1\n",
	  "sys/class/neuron_device/neuron0", "sys/class/neuron_device/neuron7", "dev/neuron0",
	  "neuron" },
	{ "edgetpu x1", "edgetpu0", "sys/class/apex/apex_0/status", "ALIVE\n", "DEAD\n",
	  "sys/class/apex/apex_0", "sys/class/apex/apex_7", "dev/apex_0", "apex" },
};

static void test_states(void **state)
{
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(family_cases); i++) {
		const char *card = family_cases[i].card;

		node_create(node, family_cases[i].description);
		assert_contents(node, family_cases[i].path, family_cases[i].healthy);
		assert_int_equal(run(node, command_fail, card, NULL, NULL), 0);
		assert_contents(node, family_cases[i].path, family_cases[i].failed);
		assert_int_equal(run(node, command_recover, card, NULL, NULL), 0);
		assert_contents(node, family_cases[i].path, family_cases[i].healthy);
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

static void test_coming_and_going(void **state)
{
	const struct node *node = *state;

	for (size_t i = 0; i < ARRAY_SIZE(family_cases); i++) {
		const char *card = family_cases[i].card;

		node_create(node, family_cases[i].description);
		assert_true(node_exists(node, family_cases[i].entry));
		assert_int_equal(file_is_char_device(node->root_fd, family_cases[i].node), 0);
		assert_int_equal(run(node, command_unplug, card, NULL, NULL), 0);
		assert_false(node_exists(node, family_cases[i].entry));
		assert_false(node_exists(node, family_cases[i].node));
		assert_false(node_exists(node, PCI "vendor"));
		assert_int_equal(run(node, command_plug, card, NULL, NULL), 0);
		assert_true(node_exists(node, family_cases[i].node));
		assert_int_equal(run(node, command_renumber, card, "7", NULL), 0);
		assert_false(node_exists(node, family_cases[i].entry));
		assert_true(node_exists(node, family_cases[i].moved));
		assert_int_equal(run(node, command_renumber, card, "0", NULL), 0);
		assert_contents(node, family_cases[i].path, family_cases[i].healthy);
		assert_int_equal(
			run(node, command_remove_node, card, family_cases[i].node_name, NULL), 0);
		assert_false(node_exists(node, family_cases[i].node));
		assert_int_equal(node_teardown(state), 0);
		assert_int_equal(node_setup(state), 0);
	}
}

static void test_class_entry_is_below_the_pci_device(void **state)
{
	const struct node *node = *state;
	char target[256] = "";

	node_create(node, "atom x1");
	assert_true(readlinkat(node->root_fd, "sys/class/rebellions/rbln0", target,
			       sizeof(target) - 1) > 0);
	assert_string_equal(target, "../../devices/pci0000:16/0000:16:01.0/0000:17:00.0/"
				    "0000:18:00.0/0000:19:00.0/rebellions/rbln0");
	memset(target, 0, sizeof(target));
	assert_true(readlinkat(node->root_fd, "sys/class/rebellions/rbln0/device", target,
			       sizeof(target) - 1) > 0);
	assert_string_equal(target, "../../../0000:19:00.0");
}

/* The file of the default group is the node's: it outlives a card. */
static void test_group_of_atoms(void **state)
{
	const struct node *node = *state;

	node_create(node, "atom x2");
	assert_int_equal(node_count(node, "dev", "rbln"), 2);
	assert_int_equal(node_count(node, "dev", "rsd"), 1);
	assert_int_equal(run(node, command_unplug, "atom0", NULL, NULL), 0);
	assert_int_equal(run(node, command_unplug, "atom1", NULL, NULL), 0);
	assert_int_equal(node_count(node, "dev", "rsd"), 1);
	assert_int_equal(run(node, command_plug, "atom0", NULL, NULL), 0);
}

/* Offline is no attribute, but a channel that is gone. */
static void test_channel_of_aic(void **state)
{
	static const char channel[] = PCI "mhi0/mhi0_QAIC_CONTROL";
	const struct node *node = *state;

	node_create(node, "aic x1");
	assert_true(node_exists(node, channel));
	assert_true(node_exists(node, PCI "driver"));
	assert_true(faccessat(node->root_fd, PCI "driver", F_OK, 0) == 0);
	assert_int_equal(run(node, command_fail, "aic0", NULL, NULL), 0);
	assert_false(node_exists(node, channel));
	assert_true(node_exists(node, "sys/class/accel/accel0"));
	assert_int_equal(run(node, command_renumber, "aic0", "3", NULL), 0);
	assert_false(node_exists(node, channel));
	assert_true(node_exists(node, "sys/class/accel/accel3"));
	assert_int_equal(run(node, command_recover, "aic0", NULL, NULL), 0);
	assert_true(node_exists(node, channel));
	assert_int_equal(run(node, command_unplug, "aic0", NULL, NULL), 0);
	assert_false(node_exists(node, "dev/accel"));
}

#define NODE_TEST(name) cmocka_unit_test_setup_teardown(name, node_setup, node_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NODE_TEST(test_attributes),
		NODE_TEST(test_states),
		NODE_TEST(test_coming_and_going),
		NODE_TEST(test_class_entry_is_below_the_pci_device),
		NODE_TEST(test_group_of_atoms),
		NODE_TEST(test_channel_of_aic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
