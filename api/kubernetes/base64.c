/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubernetes/base64.h"

#include <stdint.h>
#include <string.h>

#include "api/kubernetes/secret.h"

#define QUANTUM 4 /* letters that stand for three bytes */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The next letter, or '\0' at the end. */
static char next_letter(const char **text)
{
	*text += strspn(*text, "\r\n");
	if (**text == '\0')
		return '\0';
	return *(*text)++;
}

/* Decodes four letters into at most three bytes; gives their number. */
static int decode_quantum(const char *letters, char *ret)
{
	uint32_t bits = 0;
	int n = letters[3] != '=' ? 3 : (letters[2] != '=' ? 2 : 1);

	for (int i = 0; i < QUANTUM; i++) {
		const char *at = strchr(alphabet, letters[i]);

		if (i <= n ? !at : letters[i] != '=')
			return -EINVAL;
		bits = bits << 6 | (i <= n ? (uint32_t)(at - alphabet) : 0);
	}
	for (int i = 0; i < n; i++) {
		ret[i] = (char)(bits >> (16 - 8 * i) & 0xff);
		if (ret[i] == '\0')
			return -EINVAL;
	}
	return (bits & ((1U << (24 - 8 * n)) - 1)) == 0 ? n : -EINVAL;
}

int base64_decode_text(const char *text, char **ret)
{
	_cleanup_secret_ char *out = calloc(1, strlen(text) / QUANTUM * 3 + QUANTUM);
	char letters[QUANTUM];
	size_t len = 0;
	int n = 3;

	if (!out)
		return -ENOMEM;
	for (;;) {
		letters[0] = next_letter(&text);
		if (letters[0] == '\0')
			break;
		for (int i = 1; i < QUANTUM; i++) {
			letters[i] = next_letter(&text);
			if (letters[i] == '\0')
				return -EINVAL;
		}
		/* Nothing comes behind a padding. */
		n = n == 3 ? decode_quantum(letters, out + len) : -EINVAL;
		if (n < 0)
			return n;
		len += (size_t)n;
	}
	if (len == 0)
		return -EINVAL;
	*ret = TAKE_PTR(out);
	return 0;
}
