/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/output.h"

static void writes_the_whole_text(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(16);
	char written[16] = "";
	FILE *stream = fmemopen(written, sizeof(written), "w");

	(void)state;
	assert_non_null(stream);
	strbuf_add(&text, "one\0two\n", 8);
	assert_int_equal(output_write(&text, stream, NULL), 0);
	assert_memory_equal(written, "one\0two\n", 8);
	assert_int_equal(fclose(stream), 0);
}

static void writes_no_part_of_a_text_that_is_too_long(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(4);
	struct error err = { 0 };
	char written[16] = "";
	FILE *stream = fmemopen(written, sizeof(written), "w");

	(void)state;
	assert_non_null(stream);
	strbuf_puts(&text, "four");
	strbuf_puts(&text, "five");
	assert_int_equal(output_write(&text, stream, &err), -E2BIG);
	assert_string_equal(written, "");
	assert_non_null(strstr(err.msg, "too long"));
	assert_int_equal(fclose(stream), 0);
}

/* A write into this file is an error only when the stream is flushed. */
static void tells_a_full_disk(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(16);
	struct error err = { 0 };
	FILE *stream = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(stream);
	strbuf_puts(&text, "text");
	assert_int_equal(output_write(&text, stream, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "No space left"));
	(void)fclose(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_whole_text),
		cmocka_unit_test(writes_no_part_of_a_text_that_is_too_long),
		cmocka_unit_test(tells_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
