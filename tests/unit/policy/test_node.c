/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "policy/node.h"
#include "tests/test.h"
#include "tests/unit/drivers/tree.h"
#include "tests/unit/inventory/memory.h"

#define TEXT_MAX ((size_t)64 * 1024 * 8)

/* Writes @text as the file of labels, and reads it. */
static int load(const struct tree *tree, const char *text, struct node_identity *ret,
		struct error *err)
{
	char path[64];

	tree_puts(tree, "labels", text);
	(void)snprintf(path, sizeof(path), "%s/labels", tree->root);
	return node_identity_load("n1", path, ret, err);
}

static void labels_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *labels; /* as in "key:value;" */
	} cases[] = {
		{ "", "" },
		{ "a=\"b\"\n", "a:b;" },
		{ "a=\"b\"", "a:b;" },
		{ "\n\na=\"b\"\n\nc=\"\"\n", "a:b;c:;" },
		{ "feature.node.kubernetes.io/pci-1234.present=\"true\"\nx/y=\"1.2-3_4\"",
		  "feature.node.kubernetes.io/pci-1234.present:true;x/y:1.2-3_4;" },
		/* What other tools write. */
		{ "a=b\nc=d=e\nf=", "a:b;c:d=e;f:;" },
		{ "a=\"b\\\"c\\\\d\"", "a:b\"c\\d;" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_node_identity_ struct node_identity identity = { 0 };
		_cleanup_strbuf_ struct strbuf labels = STRBUF_INIT(4096);

		assert_int_equal(load(*state, cases[i].text, &identity, NULL), 0);
		assert_string_equal(identity.node.name, "n1");
		for (size_t j = 0; j < identity.node.n_labels; j++)
			strbuf_printf(&labels, "%s:%s;", identity.node.labels[j].key,
				      identity.node.labels[j].value);
		assert_string_equal(strbuf_str(&labels), cases[i].labels);
	}
}

static void what_is_no_label_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t line;
	} cases[] = {
		{ "a", 1 },	    { "=b", 1 },	  { "a=\"b\"\nc", 2 },
		{ "\n\na=\"", 3 },  { "a=\"b", 1 },	  { "a=\"b\"c\"", 1 },
		{ "a=\"b\\\"", 1 }, { "a=\"b\\nc\"", 1 }, { "a=\"b\"\r\n", 1 },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct node_identity identity = { 0 };
		struct error err = { 0 };
		char text[128];

		assert_int_equal(load(tree, cases[i].text, &identity, &err), -EINVAL);
		(void)snprintf(text, sizeof(text),
			       "%s/labels:%zu: is no label, expected key=\"value\"", tree->root,
			       cases[i].line);
		assert_string_equal(err.msg, text);
		assert_null(identity.text);
	}
}

static void files_that_cannot_be_read_are_refused(void **state)
{
	const struct tree *tree = *state;
	struct node_identity identity;
	struct error err = { 0 };
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/labels", tree->root);
	assert_int_equal(node_identity_load("n1", path, &identity, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
	tree_write(tree, "labels", "a=\"b\0\"", 7);
	assert_int_equal(node_identity_load("n1", path, &identity, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is no text"));
}

static void labels_have_a_maximum(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	_cleanup_node_identity_ struct node_identity identity = { 0 };
	struct error err = { 0 };

	for (int i = 0; i < POLICY_LABELS_MAX; i++)
		strbuf_printf(&text, "k%d=\"v\"\n", i);
	assert_int_equal(load(*state, strbuf_str(&text), &identity, NULL), 0);
	assert_int_equal(identity.node.n_labels, POLICY_LABELS_MAX);
	node_identity_done(&identity);
	strbuf_puts(&text, "last=\"v\"\n");
	assert_int_equal(load(*state, strbuf_str(&text), &identity, &err), -E2BIG);
	assert_non_null(strstr(err.msg, ":1025: more than 1024 labels"));
	while (text.len <= NODE_LABELS_FILE_MAX)
		strbuf_puts(&text, "########################################################\n");
	assert_int_equal(load(*state, strbuf_str(&text), &identity, &err), -EFBIG);
}

static void the_name_is_given_or_of_the_environment(_unused_ void **state)
{
	static char variable[] = "NODE_NAME=of-the-environment";
	static char *with[] = { variable, NULL };
	static char *without[] = { NULL };
	static const struct {
		const char *given;
		char **environment;
		const char *name;
	} cases[] = {
		{ "given", with, "given" },
		{ "given", without, "given" },
		{ NULL, with, "of-the-environment" },
		{ NULL, without, "" },
	};
	char **before = environ;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_node_identity_ struct node_identity identity = { 0 };
		int r;

		environ = cases[i].environment;
		r = node_identity_load(cases[i].given, NULL, &identity, NULL);
		environ = before;
		assert_int_equal(r, 0);
		assert_string_equal(identity.node.name, cases[i].name);
		assert_int_equal(identity.node.n_labels, 0);
	}
}

static void survives_no_memory(void **state)
{
	_cleanup_node_identity_ struct node_identity identity = { 0 };
	const struct tree *tree = *state;
	char path[64];

	tree_puts(tree, "labels", "a=\"b\"\n");
	(void)snprintf(path, sizeof(path), "%s/labels", tree->root);
	for (size_t i = 0; i < 2; i++) {
		memory_fail_after(i);
		assert_int_equal(node_identity_load("n1", path, &identity, NULL), -ENOMEM);
		assert_true(memory_restore() > 0);
	}
	assert_int_equal(node_identity_load("n1", path, &identity, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(labels_are_read),
		TREE_TEST(what_is_no_label_is_refused),
		TREE_TEST(files_that_cannot_be_read_are_refused),
		TREE_TEST(labels_have_a_maximum),
		cmocka_unit_test(the_name_is_given_or_of_the_environment),
		TREE_TEST(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
