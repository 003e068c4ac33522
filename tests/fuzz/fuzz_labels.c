/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards with arbitrary bytes in every text, made into labels: what comes out is what
 * Kubernetes accepts, by rules of our own, and the words of the cards are cut nowhere.
 *
 * A card is a line of fields with '|' between them: vendor, ID, product, version of the
 * driver, version of the firmware, group of links, profile of its parts, name and value of
 * a fact.  In the first line, a letter each switches something on.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "drivers/driver.h"
#include "node-labeller/label_value.h"
#include "node-labeller/labels.h"

#define CARDS_MAX 80 /* above LABEL_SPLIT_MAX */
#define TEXT_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* --- cards --- */

/* As a driver leaves out what is too long. */
static void fill(char *field, size_t size, const char *text)
{
	(void)str_copy(field, size, text ? text : "");
}

static void add_parts(struct device *device, const char *profile)
{
	const struct device_partition parts[] = {
		{ "", profile, { 0, 0 }, UINT64_C(5) << 30 },
		{ "", profile, { 1, 1 }, UINT64_C(5) << 30 },
	};

	device->cores = 2;
	device->partitioned = device_set_partitions(device, parts, 2) == 0;
}

static struct device *read_card(char *line, char id[DEVICE_ID_MAX])
{
	const struct driver *driver = driver_find(strsep(&line, "|"));
	struct device *device = device_new(driver ? driver : driver_find("nvidia"));
	struct device_fact fact = { "", "" };
	const char *profile;

	require(device != NULL);
	fill(id, DEVICE_ID_MAX, strsep(&line, "|"));
	fill(device->product, sizeof(device->product), strsep(&line, "|"));
	fill(device->driver_version, sizeof(device->driver_version), strsep(&line, "|"));
	fill(device->firmware_version, sizeof(device->firmware_version), strsep(&line, "|"));
	fill(device->link_group, sizeof(device->link_group), strsep(&line, "|"));
	profile = strsep(&line, "|");
	if (profile && profile[0] != '\0')
		add_parts(device, profile);
	if (line) {
		fact.name = strsep(&line, "|");
		fact.value = line ? line : "";
		(void)device_set_facts(device, &fact, 1);
	}
	device->memory_bytes = strlen(device->product) << 30;
	device->numa_node = (int)strlen(device->link_group) - 1;
	device->pci.vendor = (uint16_t)strlen(device->driver_version);
	device->pci.class = 0x030000;
	return device;
}

static struct snapshot *read_cards(char *text)
{
	static struct device_state states[CARDS_MAX];
	struct snapshot *snapshot;
	size_t n = 0;

	for (char *line = strsep(&text, "\n"); line && n < CARDS_MAX; line = strsep(&text, "\n")) {
		states[n] = (struct device_state) {
			.present = line[0] != '!',
			.healthy = line[0] != '!' && line[0] != '?',
		};
		states[n].device = read_card(line, states[n].id);
		n++;
	}
	snapshot = snapshot_new(1, states, n);
	require(snapshot != NULL);
	for (size_t i = 0; i < n; i++)
		device_unref(states[i].device);
	return snapshot;
}

/* --- rules of Kubernetes, once more --- */

static int is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void check_word(const char *word, size_t max)
{
	static const char ends[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const char inner[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strlen(word);

	require(len > 0 && len <= max && is_one_of(word[0], ends) &&
		is_one_of(word[len - 1], ends));
	require(strspn(word, inner) == len);
}

static void check_set(const struct label_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const char *slash = strchr(set->items[i].key, '/');
		const char *value = set->items[i].value;

		require(slash && slash - set->items[i].key <= 253);
		check_word(slash + 1, 63);
		require(i == 0 || strcmp(set->items[i - 1].key, set->items[i].key) < 0);
		if (set->kind == LABEL_SET_LABELS && value[0] != '\0')
			check_word(value, 63);
		require(str_is_printable(value));
	}
}

/* --- one input --- */

static void check_node(struct snapshot *snapshot, const struct config_labels *config,
		       const char *machine)
{
	const struct labels_input input = {
		.snapshot = snapshot,
		.config = config,
		.machine = machine,
		.machine_vendor = machine,
	};
	_cleanup_label_set_ struct label_set labels = { .kind = LABEL_SET_LABELS };
	_cleanup_label_set_ struct label_set annotations = { .kind = LABEL_SET_ANNOTATIONS };
	_cleanup_label_set_ struct label_set again = { .kind = LABEL_SET_LABELS };
	int r = labels_make(&input, &labels, &annotations, NULL);

	require(r == 0 || r == -E2BIG);
	check_set(&labels);
	check_set(&annotations);
	require(labels_make(&input, &again, &annotations, NULL) == r);
	require(label_set_equal(&labels, &again));
}

static void check_value(const char *text)
{
	char value[LABEL_VALUE_MAX], again[LABEL_VALUE_MAX];

	if (label_value_make(text, value) < 0)
		return;
	if (value[0] != '\0')
		check_word(value, 63);
	require(label_value_make(value, again) == 0 && strcmp(value, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
	struct config_labels config = { .families = 3 };
	static char text[TEXT_MAX];
	char *rest = text;
	const char *head;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_value(text);
	head = strsep(&rest, "\n");
	config.beta_names = strchr(head, 'b') != NULL;
	config.furiosa = strchr(head, 'c')   ? CONFIG_FURIOSA_CODE
			 : strchr(head, 'd') ? CONFIG_FURIOSA_DOCS
					     : CONFIG_FURIOSA_BOTH;
	snapshot = read_cards(rest ? rest : text + size);
	check_node(snapshot, &config, head);
	return 0;
}
