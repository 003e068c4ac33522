/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/negotiate.h"

#include "tests/test.h"

#define I ENCODING_BIT(ENCODING_IDENTITY)
#define G ENCODING_BIT(ENCODING_GZIP)
#define Z ENCODING_BIT(ENCODING_ZSTD)

static const struct {
	const char *accept;
	unsigned int offered;
	int choice;
} cases[] = {
	{ NULL, I | G | Z, ENCODING_IDENTITY },
	{ NULL, G, -1 },
	{ "", I | G, ENCODING_IDENTITY },
	{ "gzip", I | G | Z, ENCODING_GZIP },
	{ "gzip, deflate, zstd", I | G | Z, ENCODING_ZSTD },
	{ "gzip, deflate, zstd", I | G, ENCODING_GZIP },
	{ "gzip;q=1.0, zstd;q=0.5", I | G | Z, ENCODING_GZIP },
	{ "GZIP ; Q=0.001", I | G, ENCODING_GZIP },
	{ "gzip;q=0", I | G, ENCODING_IDENTITY },
	{ "gzip;q=0", G, -1 },
	{ "identity;q=0", I, -1 },
	{ "identity;q=0, gzip", I | G, ENCODING_GZIP },
	{ "*;q=0", I | G | Z, -1 },
	{ "identity, *;q=0", I | G | Z, ENCODING_IDENTITY },
	{ "*", I | G | Z, ENCODING_ZSTD },
	{ "*;q=0.1, identity;q=0.5", I | G | Z, ENCODING_IDENTITY },
	{ "br, deflate", I | G, ENCODING_IDENTITY },
	{ "identity", I | G, ENCODING_IDENTITY },
	{ "x-gzip", I | G, ENCODING_GZIP },
	{ "gzipped", I | G, ENCODING_IDENTITY },
	{ ",, ,gzip,", I | G, ENCODING_GZIP },
	{ "gzip;q=nonsense", I | G, ENCODING_IDENTITY },
	{ "gzip;level=9;q=0.2", I | G, ENCODING_GZIP },
	{ "gzip;q=7", I | G, ENCODING_IDENTITY },
	{ ";;;=,", I, ENCODING_IDENTITY },
};

static void chooses(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int choice = negotiate_encoding(cases[i].accept, cases[i].offered);

		if (choice != cases[i].choice)
			fail_msg("'%s' of %x gives %d",
				 cases[i].accept ? cases[i].accept : "(none)", cases[i].offered,
				 choice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
