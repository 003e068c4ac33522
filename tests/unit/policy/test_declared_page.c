/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/declared-drivers.md, put to the test: its first block of YAML is applied to
 * the machine of its first block of text, and the second must be what is listed.
 * The other blocks of YAML must be configurations that are accepted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "inventory/inventory.h"
#include "policy/policy.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"

#define PAGE_MAX (64 * 1024)
#define BLOCKS_MAX 8

struct page {
	char text[PAGE_MAX];
	const char *yaml[BLOCKS_MAX]; /* contents of the blocks, in order */
	size_t n_yaml;
	const char *plain[BLOCKS_MAX];
	size_t n_plain;
};

static struct page page;

/* Cuts the block off that begins at @text; returns what follows. */
static char *end_block(char *text)
{
	char *end = strstr(text, "\n```\n");

	assert_non_null(end);
	end[1] = '\0';
	return end + strlen("\n```\n");
}

static int read_page(void **state)
{
	char *rest = page.text;

	(void)state;
	if (file_read(AT_FDCWD, DECLARED_PAGE, page.text, sizeof(page.text), NULL) < 0)
		return -1;
	for (char *mark = strstr(rest, "\n```"); mark; mark = strstr(rest, "\n```")) {
		char *block = strchr(mark + 1, '\n');

		assert_non_null(block);
		block++;
		assert_true(page.n_yaml < BLOCKS_MAX && page.n_plain < BLOCKS_MAX);
		if (str_starts_with(mark, "\n```yaml\n"))
			page.yaml[page.n_yaml++] = block;
		else
			page.plain[page.n_plain++] = block;
		rest = end_block(block) - 1;
	}
	return 0;
}

/* "path: contents" or "path -> target". */
static void add_line(const struct tree *tree, char *line)
{
	char *link = strstr(line, " -> ");
	char *file = strstr(line, ": ");

	if (link) {
		*link = '\0';
		tree_link(tree, line, link + strlen(" -> "));
		return;
	}
	assert_non_null(file);
	*file = '\0';
	tree_puts(tree, line, file + strlen(": "));
}

static void add_tree(const struct tree *tree, const char *text)
{
	char lines[PAGE_MAX];
	char *rest = lines;

	assert_int_equal(str_copy(lines, sizeof(lines), text), 0);
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] != '\0')
			add_line(tree, line);
}

static struct policy *apply(const char *yaml)
{
	const struct policy_node node = { .name = "" };
	_cleanup_config_ struct config config = { 0 };
	struct policy *policy = NULL;
	struct error err = { 0 };
	int r = config_parse(yaml, strlen(yaml), "page", &config, &err);

	if (r == 0)
		r = policy_new(&config, &node, &policy, &err);
	if (r < 0)
		fail_msg("%s", error_text(&err, r));
	return policy;
}

static void print_snapshot(const struct snapshot *snapshot, struct strbuf *out)
{
	for (size_t i = 0; i < snapshot->n_devices; i++) {
		const struct device_state *state = &snapshot->devices[i];
		const struct device *device = state->device;

		strbuf_printf(out, "%s %s %s numa ", state->id, device->product, device->name);
		if (device->numa_node >= 0)
			strbuf_printf(out, "%d", device->numa_node);
		else
			strbuf_puts(out, "-");
		strbuf_printf(out, " %s%s%s\n", state->healthy ? "healthy" : "unhealthy",
			      state->healthy ? "" : ": ", state->healthy ? "" : state->reason);
	}
}

static void test_example(void **state)
{
	const struct tree *tree = *state;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_(inventory_freep) struct inventory *inventory = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(PAGE_MAX);
	struct inventory_policy limits;
	const struct driver *const *drivers;
	struct snapshot *snapshot;
	size_t n;

	assert_true(page.n_yaml >= 1);
	assert_int_equal(page.n_plain, 2);
	add_tree(tree, page.plain[0]);
	policy = apply(page.yaml[0]);
	drivers = policy_drivers(policy, &n);
	limits = policy_inventory(policy);
	assert_int_equal(inventory_new(&tree->host, drivers, n, &limits, &inventory, NULL), 0);
	/* The inventory keeps the drivers, and devices outlive both. */
	policy_free(TAKE_PTR(policy));
	assert_int_equal(inventory_rescan(inventory, 0, NULL), 1);
	snapshot = inventory_snapshot(inventory);
	print_snapshot(snapshot, &text);
	assert_string_equal(strbuf_str(&text), page.plain[1]);
	inventory_free(TAKE_PTR(inventory));
	assert_string_equal(snapshot->devices[0].device->driver->vendor, "Acme");
	snapshot_unref(snapshot);
}

static bool has_driver(const struct policy *policy, const char *name)
{
	size_t n;
	const struct driver *const *drivers = policy_drivers(policy, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(drivers[i]->name, name) == 0)
			return true;
	return false;
}

static void test_others(void **state)
{
	static const char *const names[] = { "acme", "groq", "hyperaccel" };

	(void)state;
	assert_int_equal(page.n_yaml, ARRAY_SIZE(names));
	for (size_t i = 0; i < page.n_yaml; i++) {
		_cleanup_(policy_freep) struct policy *policy = apply(page.yaml[i]);

		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			assert_int_equal(has_driver(policy, names[k]), i == k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(test_example),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
