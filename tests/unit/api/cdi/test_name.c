/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cdi/name.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static void checks_kinds(void **state)
{
	static const struct {
		const char *kind;
		const char *broken; /* NULL: it is valid */
	} cases[] = {
		{ "furiosa.ai/npu", NULL },
		{ "a/b", NULL },
		{ "vendor/class", NULL },
		{ "foo.bar.baz/foo-bar123.B_az", NULL },
		{ LABEL_63 ".ai/" LABEL_63, NULL },
		{ "", "must have one '/'" },
		{ "furiosa.ai", "must have one '/'" },
		{ "furiosa.ai/npu/", "must have one '/'" },
		{ "furiosa.ai/npu/half", "must have one '/'" },
		{ "/npu", "1 to 253 bytes in front" },
		{ "Furiosa.ai/npu", "DNS name" },
		{ "furiosa..ai/npu", "DNS name" },
		{ ".furiosa.ai/npu", "DNS name" },
		{ "furiosa.ai./npu", "DNS name" },
		{ "-furiosa.ai/npu", "DNS name" },
		{ "furiosa-.ai/npu", "DNS name" },
		{ "furiosa_ai/npu", "DNS name" },
		{ LABEL_63 "4.ai/npu", "DNS name" },
		{ "3com.com/nic", "begin with a letter" },
		{ "furiosa.ai/", "1 to 63 bytes behind" },
		{ "furiosa.ai/" LABEL_63 "4", "1 to 63 bytes behind" },
		{ "furiosa.ai/n u", "only letters" },
		{ "furiosa.ai/n=u", "only letters" },
		{ "furiosa.ai/4npu", "begin with a letter" },
		{ "furiosa.ai/npu-", "end with a letter or digit" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		int r = cdi_kind_check(cases[i].kind, &err);

		assert_int_equal(r, cases[i].broken ? -EINVAL : 0);
		if (cases[i].broken)
			assert_non_null(strstr(err.msg, cases[i].broken));
	}
}

static void refuses_a_vendor_past_dns(void **state)
{
	char kind[CDI_KIND_MAX + 1];
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i <= CDI_VENDOR_MAX; i++)
		kind[i] = i % 32 == 31 ? '.' : 'a';
	(void)snprintf(kind + CDI_VENDOR_MAX, 5, "/npu");
	assert_int_equal(cdi_kind_check(kind, &err), 0);
	(void)snprintf(kind + CDI_VENDOR_MAX, 6, "a/npu");
	assert_int_equal(cdi_kind_check(kind, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "1 to 253 bytes in front"));
}

static void checks_names(void **state)
{
	static const struct {
		const char *name;
		const char *broken; /* NULL: it is valid */
	} cases[] = {
		{ "npu0", NULL },
		{ "0", NULL },
		{ "GPU-1_3A_3A3", NULL },
		{ "0000.27.00.0", NULL },
		{ "", "1 to 255 bytes" },
		{ "0000:27:00.0", "annotation" },
		{ "npu 0", "only letters" },
		{ "npu/0", "only letters" },
		{ "npu\xc3\xa9", "only letters" },
		{ "-npu0", "begin and end" },
		{ "npu0.", "begin and end" },
		{ "_", "begin and end" },
	};
	char longest[CDI_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		int r = cdi_name_check(cases[i].name, &err);

		assert_int_equal(r, cases[i].broken ? -EINVAL : 0);
		if (cases[i].broken)
			assert_non_null(strstr(err.msg, cases[i].broken));
	}
	memset(longest, 'n', sizeof(longest));
	longest[CDI_NAME_MAX] = '\0';
	assert_int_equal(cdi_name_check(longest, NULL), -EINVAL);
	assert_int_equal(cdi_name_check(longest + 1, NULL), 0);
}

static void makes_names_of_ids(void **state)
{
	static const struct {
		const char *id, *name;
	} cases[] = {
		{ "npu0", "npu0" },
		{ "GPU-8f3.1", "GPU-8f3.1" },
		{ "GPU-1::3", "GPU-1_3A_3A3" },
		{ "0000:27:00.0", "0000_3A27_3A00.0" },
		{ "card_cores_0-3", "card_5Fcores_5F0-3" },
		{ "npu-", "npu_2D" },
		{ "npu.", "npu_2E" },
		{ "-npu", "x__-npu" },
		{ ":npu", "x___3Anpu" },
		{ "x__-npu", "x_5F_5F-npu" },
		{ "-", "x___2D" },
		{ " \xff", "x___20_FF" },
	};
	char name[CDI_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(cdi_device_name(cases[i].id, name, NULL), 0);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(cdi_name_check(name, NULL), 0);
	}
}

static void refuses_ids_that_do_not_fit(void **state)
{
	char name[CDI_NAME_MAX], id[CDI_NAME_MAX + 1];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(cdi_device_name("", name, &err), -EINVAL);
	memset(id, 'n', sizeof(id));
	id[CDI_NAME_MAX] = '\0';
	assert_int_equal(cdi_device_name(id, name, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.msg, "too long"));
	assert_int_equal(cdi_device_name(id + 1, name, &err), 0);
	/* The longest ID all of whose bytes are escaped, and one more. */
	memset(id, ':', 85);
	id[84] = '\0';
	assert_int_equal(cdi_device_name(id, name, &err), 0);
	id[84] = ':';
	id[85] = '\0';
	assert_int_equal(cdi_device_name(id, name, &err), -ENAMETOOLONG);
}

/* All short IDs of the bytes that the escapes are made of, and of others. */
static const char alphabet[] = "x_3A-.:";
#define ID_LEN 5
#define ID_COUNT (7 + 49 + 343 + 2401 + 16807)

/* Writes ID number @i. */
static void make_id(size_t i, char id[ID_LEN + 1])
{
	size_t len = 1, count = 7;

	for (; i >= count; count *= 7, len++)
		i -= count;
	for (size_t at = 0; at < len; at++, i /= 7)
		id[at] = alphabet[i % 7];
	id[len] = '\0';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void different_ids_have_different_names(void **state)
{
	char(*names)[CDI_NAME_MAX] = calloc(ID_COUNT, sizeof(*names));
	char id[ID_LEN + 1];

	(void)state;
	assert_non_null(names);
	for (size_t i = 0; i < ID_COUNT; i++) {
		make_id(i, id);
		assert_int_equal(cdi_device_name(id, names[i], NULL), 0);
		assert_int_equal(cdi_name_check(names[i], NULL), 0);
	}
	qsort(names, ID_COUNT, sizeof(*names), compare_names);
	for (size_t i = 1; i < ID_COUNT; i++)
		assert_string_not_equal(names[i - 1], names[i]);
	free(names);
}

static void qualifies_names(void **state)
{
	char qualified[CDI_QUALIFIED_NAME_MAX];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(cdi_qualified_name("furiosa.ai/npu", "npu0", qualified, &err), 0);
	assert_string_equal(qualified, "furiosa.ai/npu=npu0");
	assert_int_equal(cdi_qualified_name("furiosa.ai", "npu0", qualified, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "CDI kind 'furiosa.ai'"));
	assert_int_equal(cdi_qualified_name("furiosa.ai/npu", "npu:0", qualified, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "CDI device name 'npu:0'"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_kinds),
		cmocka_unit_test(refuses_a_vendor_past_dns),
		cmocka_unit_test(checks_names),
		cmocka_unit_test(makes_names_of_ids),
		cmocka_unit_test(refuses_ids_that_do_not_fit),
		cmocka_unit_test(different_ids_have_different_names),
		cmocka_unit_test(qualifies_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
