/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "reservoir/apt/deb822.h"

struct log {
	char text[256];
	int stop; /* what the second stanza returns */
	size_t n;
};

static int keep(void *ctx, const struct deb822_stanza *stanza, _unused_ struct error *err)
{
	struct log *log = ctx;

	(void)snprintf(log->text + strlen(log->text), sizeof(log->text) - strlen(log->text),
		       "[%.*s]", (int)stanza->len, stanza->text);
	return log->n++ == 1 ? log->stop : 0;
}

static int read_pieces(const char *text, size_t len, size_t piece, struct log *log)
{
	_cleanup_deb822_ struct deb822_reader reader;
	int r = 0;

	deb822_init(&reader, keep, log);
	for (size_t at = 0; r == 0 && at < len; at += piece)
		r = deb822_feed(&reader, text + at, MIN(piece, len - at), NULL);
	return r < 0 ? r : deb822_end(&reader, NULL);
}

static void stanzas_in_pieces_of_any_size(_unused_ void **state)
{
	static const struct {
		const char *text, *stanzas;
	} cases[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "A: 1\n", "[A: 1\n]" },
		{ "A: 1", "[A: 1\n]" },
		{ "A: 1\n\nB: 2\n\n", "[A: 1\n][B: 2\n]" },
		{ "\n\nA: 1\n b\n\n \t\n\nB: 2\nC: 3", "[A: 1\n b\n][B: 2\nC: 3\n]" },
		{ "A: 1\r\n\r\nB: 2\r\n", "[A: 1\r\n][B: 2\r\n]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t piece = 1; piece <= 20; piece++) {
			struct log log = { .text = "" };

			assert_int_equal(
				read_pieces(cases[i].text, strlen(cases[i].text), piece, &log), 0);
			assert_string_equal(log.text, cases[i].stanzas);
		}
	}
}

static void a_reader_can_be_stopped(_unused_ void **state)
{
	struct log log = { .stop = -ECANCELED };

	assert_int_equal(read_pieces("A: 1\n\nB: 2\n\nC: 3\n\n", 18, 18, &log), -ECANCELED);
	assert_int_equal(log.n, 2);
}

static void refuses_nul_and_endless_stanzas(_unused_ void **state)
{
	_cleanup_free_ char *text = malloc(DEB822_STANZA_MAX + 2);
	struct log log = { .text = "" };

	assert_non_null(text);
	assert_int_equal(read_pieces("A: \0b\n", 7, 7, &log), -EBADMSG);
	memset(text, 'a', DEB822_STANZA_MAX + 2);
	assert_int_equal(read_pieces(text, DEB822_STANZA_MAX + 2, 65536, &log), -EFBIG);
	assert_int_equal(log.n, 0);
}

static void fields(_unused_ void **state)
{
	static const char text[] = "Package: curl\nempty:\nDepends:   a,\n b ,\n\tc \nSize: 42\n"
				   "No-Colon\nPackages: other\nLast: end";
	static const struct {
		const char *name, *value;
	} cases[] = {
		{ "Package", "curl" },
		{ "package", "curl" },
		{ "Packages", "other" },
		{ "empty", "" },
		{ "Depends", "a,\n b ,\n\tc" },
		{ "Size", "42" },
		{ "No-Colon", "" },
		{ "Missing", "" },
		{ "Last", "end" },
		{ "Pack", "" },
	};
	const struct deb822_stanza stanza = { text, strlen(text) };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct deb822_value value = deb822_get(&stanza, cases[i].name);

		if (!deb822_equal(&value, cases[i].value))
			fail_msg("%s: '%.*s'", cases[i].name, (int)value.len, value.text);
	}
}

static void copies_one_line_that_fits(_unused_ void **state)
{
	static const char text[] = "A: four\nB: a\n b\nC: \xc3\xa9\n";
	const struct deb822_stanza stanza = { text, strlen(text) };
	char four[5], three[4];

	assert_int_equal(deb822_copy(&stanza, "A", four, sizeof(four), NULL), 0);
	assert_string_equal(four, "four");
	assert_int_equal(deb822_copy(&stanza, "A", three, sizeof(three), NULL), -EFBIG);
	assert_int_equal(deb822_copy(&stanza, "B", four, sizeof(four), NULL), -EBADMSG);
	assert_int_equal(deb822_copy(&stanza, "C", four, sizeof(four), NULL), -EBADMSG);
	assert_int_equal(deb822_copy(&stanza, "D", four, sizeof(four), NULL), 0);
	assert_string_equal(four, "");
}

static void numbers(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
		{ "-1", -EBADMSG, 0 },
		{ "1 2", -EBADMSG, 0 },
		{ "000000000000000000000000001", -EBADMSG, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct deb822_value value = { cases[i].text, strlen(cases[i].text) };
		uint64_t number = 0;

		assert_int_equal(deb822_u64(&value, &number), cases[i].r);
		assert_true(number == cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas_in_pieces_of_any_size),
		cmocka_unit_test(a_reader_can_be_stopped),
		cmocka_unit_test(refuses_nul_and_endless_stanzas),
		cmocka_unit_test(fields),
		cmocka_unit_test(copies_one_line_that_fits),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
