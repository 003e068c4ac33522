/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"

#include <errno.h>
#include <string.h>

#include "api/kubernetes/base64.h"
#include "api/kubernetes/secret.h"

static void decodes(void **state)
{
	/* The first six are the vectors of RFC 4648 section 10. */
	static const struct {
		const char *text;
		const char *decoded; /* NULL: it is no text in base64 */
	} cases[] = {
		{ "Zg==", "f" },
		{ "Zm8=", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYg==", "foob" },
		{ "Zm9vYmE=", "fooba" },
		{ "Zm9vYmFy", "foobar" },
		{ "Zm9v\r\nYm\nFy\n", "foobar" },
		{ "+/+/", "\xfb\xff\xbf" },
		{ "", NULL },
		{ "\n", NULL },
		{ "Zg", NULL },
		{ "Zg=", NULL },
		{ "Zg=a", NULL },
		{ "Z===", NULL },
		{ "====", NULL },
		{ "Zg==Zg==", NULL },
		{ "Zh==", NULL },
		{ "Zm9=", NULL },
		{ "Zm-_", NULL },
		{ "Zm 9v", NULL },
		{ "AAAA", NULL },
		{ "Zg==\n=", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_secret_ char *decoded = NULL;
		int r = base64_decode_text(cases[i].text, &decoded);

		assert_int_equal(r, cases[i].decoded ? 0 : -EINVAL);
		if (cases[i].decoded)
			assert_string_equal(decoded, cases[i].decoded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
	};

	return cmocka_run_group_tests_name("api/kubernetes/base64", tests, NULL, NULL);
}
