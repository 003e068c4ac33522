/* SPDX-License-Identifier: Apache-2.0 */
#include "node-labeller/label_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/test.h"

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void values_are_made(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *value; /* NULL: too long; "" and not of "": nothing left */
	} cases[] = {
		{ "", "" },
		{ "rngd", "rngd" },
		{ "NVIDIA H100 80GB HBM3", "NVIDIA-H100-80GB-HBM3" },
		{ "2025.4.0-dev2+0e9e56a", "2025.4.0-dev2-0e9e56a" },
		{ "1.6.0, c1bebfd", "1.6.0-c1bebfd" },
		{ "AMD (MCM)  OAM", "AMD-MCM-OAM" },
		{ "  -_.a_b.c-._\n", "a_b.c" },
		{ "(x)", "x" },
		{ "a--b__c", "a--b__c" },
		{ "0000:27:00.0", "0000-27-00.0" },
		{ "caf\xc3\xa9 bar", "caf-bar" },
		{ "\x01\x7f\xff", "" },
		{ "---", "" },
		{ "/", "" },
		{ SIXTY "abc", SIXTY "abc" },
		{ SIXTY "abc---", SIXTY "abc" },
		{ "+++" SIXTY "abc", SIXTY "abc" },
		{ SIXTY "abcd", NULL },
		{ SIXTY "---d", NULL },
		{ SIXTY TEN TEN TEN TEN, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *want = cases[i].value;
		char value[LABEL_VALUE_MAX];
		int expected = 0;
		int r = label_value_make(cases[i].text, value);

		if (!want)
			expected = -ENAMETOOLONG;
		else if (want[0] == '\0' && cases[i].text[0] != '\0')
			expected = -EINVAL;
		assert_int_equal(r, expected);
		assert_string_equal(value, want ? want : "");
		assert_true(label_value_is_valid(value));
	}
}

/* Whatever single byte it is made of, Kubernetes takes the value. */
static void every_byte_will_do(_unused_ void **state)
{
	for (int byte = 1; byte < 256; byte++) {
		const char text[] = { 'a', (char)byte, (char)byte, 'z', (char)byte, '\0' };
		char value[LABEL_VALUE_MAX];

		assert_int_equal(label_value_make(text, value), 0);
		assert_int_equal(value[0], 'a');
		assert_true(label_value_is_valid(value));
	}
}

static void values_are_checked(_unused_ void **state)
{
	static const struct {
		const char *value;
		bool valid;
	} cases[] = {
		{ "", true },
		{ "a", true },
		{ "A-b_c.9", true },
		{ SIXTY "abc", true },
		{ "-", false },
		{ "a-", false },
		{ ".a", false },
		{ "a b", false },
		{ "a/b", false },
		{ "a+b", false },
		{ "a\n", false },
		{ "\xc3\xa9", false },
		{ SIXTY "abcd", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(label_value_is_valid(cases[i].value), cases[i].valid);
}

static void keys_are_checked(_unused_ void **state)
{
	static const struct {
		const char *key;
		bool valid;
	} cases[] = {
		{ "a", true },
		{ "npu.count", true },
		{ "furiosa.ai/npu.count", true },
		{ "beta.amd.com/gpu.vram.64G", true },
		{ "x/" SIXTY "abc", true },
		{ "0-1.a-b/A", true },
		{ "", false },
		{ "/a", false },
		{ "a/", false },
		{ "a/b/c", false },
		{ "A.b/c", false },
		{ "a_b/c", false },
		{ "a..b/c", false },
		{ ".a/c", false },
		{ "a./c", false },
		{ "-a/c", false },
		{ "a-/c", false },
		{ "a.-b/c", false },
		{ "a-.b/c", false },
		{ "a/-c", false },
		{ "a/c d", false },
		{ "a/c=d", false },
		{ "x/" SIXTY "abcd", false },
	};
	char key[LABEL_KEY_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (label_key_is_valid(cases[i].key) != cases[i].valid)
			fail_msg("'%s'", cases[i].key);
	(void)snprintf(key, sizeof(key), "%0253d/a", 0);
	assert_true(label_key_is_valid(key));
	(void)snprintf(key, sizeof(key), "%0254d/a", 0);
	assert_false(label_key_is_valid(key));
}

static void annotations_are_printable(_unused_ void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT(64);

	annotation_value_make("a, b (c)\n\t\xc3\xa9~", &out);
	assert_string_equal(strbuf_str(&out), "a, b (c)????~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_made),	     cmocka_unit_test(every_byte_will_do),
		cmocka_unit_test(values_are_checked),	     cmocka_unit_test(keys_are_checked),
		cmocka_unit_test(annotations_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
