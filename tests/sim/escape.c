/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/escape.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

/* Decodes what stands behind a backslash; gives how many characters that was. */
static int decode_one(const char *text, char *ret)
{
	static const char letters[] = "nt\\";
	static const char bytes[] = "\n\t\\";
	const char *letter = *text ? strchr(letters, *text) : NULL;
	char digits[3] = "";
	uint64_t value;

	if (letter) {
		*ret = bytes[letter - letters];
		return 1;
	}
	if (*text != 'x' || strnlen(text, 3) < 3)
		return -EINVAL;
	memcpy(digits, text + 1, 2);
	/* parse_u64() would take "0x" as a prefix; two bare digits are wanted. */
	if (strspn(digits, "0123456789abcdefABCDEF") != 2 || parse_u64(digits, 16, &value) < 0)
		return -EINVAL;
	*ret = (char)value;
	return 3;
}

int escape_decode(const char *text, struct strbuf *sb, struct error *err)
{
	const char *p = text;
	int r;

	while (*p) {
		size_t plain = strcspn(p, "\\");
		char byte;

		strbuf_add(sb, p, plain);
		p += plain;
		if (*p == '\0')
			break;
		r = decode_one(p + 1, &byte);
		if (r < 0)
			return error_set(err, EINVAL, "bad escape at '%s'; use \\n \\t \\\\ \\xNN",
					 p);
		strbuf_add(sb, &byte, 1);
		p += 1 + r;
	}
	r = strbuf_error(sb);
	return r < 0 ? error_set(err, -r, "value: %s", strerror(-r)) : 0;
}
