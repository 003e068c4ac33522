/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/negotiate.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"

#define Q_NONE (-1) /* not named */
#define Q_ONE 1000

static const struct {
	const char *name;
	enum encoding encoding;
} names[] = {
	{ "identity", ENCODING_IDENTITY },
	{ "gzip", ENCODING_GZIP },
	{ "x-gzip", ENCODING_GZIP },
	{ "zstd", ENCODING_ZSTD },
};

/* From the best to the worst of what a client likes equally. */
static const enum encoding preferred[] = { ENCODING_ZSTD, ENCODING_GZIP, ENCODING_IDENTITY };

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Thousandths of "0.5"; what is none counts as 0. */
static int read_q(const char *p)
{
	int q = 0;

	if (*p != '0' && *p != '1')
		return 0;
	q = (*p++ - '0') * Q_ONE;
	if (*p == '.')
		for (int scale = Q_ONE / 10; scale > 0 && *++p >= '0' && *p <= '9'; scale /= 10)
			q += (*p - '0') * scale;
	return q > Q_ONE ? Q_ONE : q;
}

/* The weight among the parameters of an item that ends at @end. */
static int item_q(const char *p, const char *end)
{
	while (p < end) {
		p = skip_blanks(p + 1);
		if ((p[0] == 'q' || p[0] == 'Q') && p[1] == '=')
			return read_q(p + 2);
		p += strcspn(p, ";,");
	}
	return Q_ONE;
}

static void note(const char *name, size_t len, int q, int weights[_ENCODING_MAX], int *rest)
{
	if (len == 1 && *name == '*')
		*rest = q;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == len && strncasecmp(name, names[i].name, len) == 0)
			weights[names[i].encoding] = q;
}

static void read_weights(const char *p, int weights[_ENCODING_MAX], int *rest)
{
	while (*p) {
		const char *end;
		size_t len;

		p += strspn(p, " \t,");
		end = p + strcspn(p, ",");
		len = strcspn(p, " \t;,");
		if (len > 0)
			note(p, len, item_q(p + strcspn(p, ";,"), end), weights, rest);
		p = end;
	}
}

int negotiate_encoding(const char *accept, unsigned int offered)
{
	int weights[_ENCODING_MAX] = { Q_NONE, Q_NONE, Q_NONE };
	int rest = Q_NONE, best = 0, choice = -1;

	if (!accept)
		return offered & ENCODING_BIT(ENCODING_IDENTITY) ? ENCODING_IDENTITY : -1;
	read_weights(accept, weights, &rest);
	if (weights[ENCODING_IDENTITY] == Q_NONE)
		weights[ENCODING_IDENTITY] = rest == Q_NONE ? 1 : rest; /* good if none better */
	for (size_t i = 0; i < ARRAY_SIZE(preferred); i++) {
		enum encoding encoding = preferred[i];
		int q = weights[encoding] == Q_NONE ? rest : weights[encoding];

		if ((offered & ENCODING_BIT(encoding)) && q > best) {
			best = q;
			choice = (int)encoding;
		}
	}
	return choice;
}
