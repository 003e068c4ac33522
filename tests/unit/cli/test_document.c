/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <math.h>
#include <string.h>

#include "cli/document.h"

/* One of everything. */
static void write_all(struct strbuf *out, bool yaml)
{
	struct document doc = document_begin(out, yaml);

	document_text(&doc, "text", "a\"b\\c\n");
	document_text(&doc, "none", NULL);
	document_count(&doc, "count", UINT64_MAX);
	document_number(&doc, "number", 0.25);
	document_number(&doc, "unknown", -1);
	document_number(&doc, "nan", NAN);
	document_bool(&doc, "flag", true);
	document_begin_array(&doc, "empty");
	document_end(&doc);
	document_begin_array(&doc, "list");
	document_begin_object(&doc, NULL);
	document_text(&doc, "id", "x");
	document_begin_object(&doc, "inner");
	document_bool(&doc, "other", false);
	document_end(&doc);
	document_begin_array(&doc, "words");
	document_text(&doc, NULL, "one");
	document_text(&doc, NULL, "two");
	document_end(&doc);
	document_end(&doc);
	document_begin_object(&doc, NULL);
	document_end(&doc);
	document_end(&doc);
	document_end(&doc);
}

static const char json[] = "{\n"
			   "  \"text\": \"a\\\"b\\\\\\\\c\\\\x0a\",\n"
			   "  \"none\": null,\n"
			   "  \"count\": 18446744073709551615,\n"
			   "  \"number\": 0.25,\n"
			   "  \"unknown\": null,\n"
			   "  \"nan\": null,\n"
			   "  \"flag\": true,\n"
			   "  \"empty\": [],\n"
			   "  \"list\": [\n"
			   "    {\n"
			   "      \"id\": \"x\",\n"
			   "      \"inner\": {\n"
			   "        \"other\": false\n"
			   "      },\n"
			   "      \"words\": [\n"
			   "        \"one\",\n"
			   "        \"two\"\n"
			   "      ]\n"
			   "    },\n"
			   "    {}\n"
			   "  ]\n"
			   "}\n";

static const char yaml[] = "text: \"a\\\"b\\\\\\\\c\\\\x0a\"\n"
			   "none: null\n"
			   "count: 18446744073709551615\n"
			   "number: 0.25\n"
			   "unknown: null\n"
			   "nan: null\n"
			   "flag: true\n"
			   "empty: []\n"
			   "list:\n"
			   "- id: \"x\"\n"
			   "  inner:\n"
			   "    other: false\n"
			   "  words:\n"
			   "  - \"one\"\n"
			   "  - \"two\"\n"
			   "- {}\n";

static void writes_json(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	write_all(&out, false);
	assert_string_equal(strbuf_str(&out), json);
}

static void writes_yaml(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(4096);

	(void)state;
	write_all(&out, true);
	assert_string_equal(strbuf_str(&out), yaml);
}

static void keeps_failures(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(16);

	(void)state;
	write_all(&out, false);
	assert_true(strbuf_error(&out) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_json),
		cmocka_unit_test(writes_yaml),
		cmocka_unit_test(keeps_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
