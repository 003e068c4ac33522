/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <string.h>

#include "base/strbuf.h"
#include "reservoir/apt/parts.h"

static bool is_chosen(_unused_ void *ctx, const char *name)
{
	return strcmp(name, "hello") == 0 || strcmp(name, "libhello") == 0;
}

static const struct {
	const char *line, *kept;
} lines[] = {
	{ "usr/bin/hello   misc/hello\n", "usr/bin/hello   misc/hello\n" },
	{ "usr/bin/hello misc/hello", "usr/bin/hello misc/hello\n" },
	{ "a b\tc misc/x,universe/misc/hello,libs/libhello\r\n",
	  "a b\tc universe/misc/hello,libs/libhello\n" },
	{ "x hello\n", "x hello\n" },
	{ "usr/bin/x misc/other\n", "" },
	{ "FILE   LOCATION\n", "" },
	{ "misc/hello\n", "" },
	{ "x ,,/,misc/\n", "" },
	{ "\n", "" },
	{ "", "" },
};

static void keeps_lines_of_what_was_chosen(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_strbuf_ struct strbuf kept = STRBUF_INIT(1000);

		assert_int_equal(parts_filter_line(lines[i].line, strlen(lines[i].line), is_chosen,
						   NULL, &kept),
				 0);
		assert_string_equal(strbuf_str(&kept), lines[i].kept);
	}
}

static void refuses_long_names(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf kept = STRBUF_INIT(1000);
	char line[600] = "x misc/";

	memset(line + 7, 'h', sizeof(line) - 8);
	assert_int_equal(parts_filter_line(line, strlen(line), is_chosen, NULL, &kept), 0);
	assert_int_equal(kept.len, 0);
}

static const struct {
	const char *document;
	bool kept;
} documents[] = {
	{ "---\nFile: DEP-11\nVersion: '0.8'\n", true },
	{ "---\nID: x\nPackage: hello\nName:\n  C: x\n", true },
	{ "---\nPackage: 'libhello'\n", true },
	{ "---\nPackage: hello", true },
	{ "---\nPackage: other\n", false },
	{ "---\nDescription:\n  Package: hello\n", false },
	{ "---\nPackage:\n", false },
	{ "Package:", false },
	{ "", false },
};

static void keeps_documents_of_what_was_chosen(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		assert_int_equal(parts_keeps_document(documents[i].document,
						      strlen(documents[i].document), is_chosen,
						      NULL),
				 documents[i].kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_lines_of_what_was_chosen),
		cmocka_unit_test(refuses_long_names),
		cmocka_unit_test(keeps_documents_of_what_was_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
