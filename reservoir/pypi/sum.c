/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/sum.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "reservoir/store/digest.h"

#define KIND_MAX 16 /* bytes with the NUL: the longest of the names is "sha512" */

const struct pypi_sum_kind pypi_sum_kinds[PYPI_SUM_KINDS] = {
	{ "sha512", 128 }, { "sha384", 96 }, { "sha224", 56 }, { "sha1", 40 }, { "md5", 32 },
};

int pypi_sum_make(const struct pypi_sum_kind *kind, const char *hex, char ret[PYPI_SUM_MAX])
{
	size_t n = strlen(kind->name);

	if (strspn(hex, "0123456789abcdefABCDEF") != kind->digits)
		return -EINVAL;
	(void)snprintf(ret, PYPI_SUM_MAX, "%s=", kind->name);
	for (size_t i = 0; i < kind->digits; i++)
		ret[n + 1 + i] = char_lower(hex[i]);
	ret[n + 1 + kind->digits] = '\0';
	return 0;
}

static int hash(int fd, const char *sum, char ret[HASH_TEXT_SIZE], struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	size_t len = strcspn(sum, "=");
	char kind[KIND_MAX];
	uint64_t size;
	int r;

	if (len >= sizeof(kind))
		return error_set(err, ENOTSUP, "there is no such hash here");
	memcpy(kind, sum, len);
	kind[len] = '\0';
	r = hasher_new_of(kind, &hasher, err);
	if (r < 0)
		return r;
	r = hasher_add_file(hasher, fd, UINT64_MAX, &size);
	if (r < 0)
		return error_set(err, -r, "a file cannot be read: %s", strerror(-r));
	(void)hasher_end_text(hasher, ret);
	return 0;
}

int pypi_sum_check(int fd, const char *sum, struct error *err)
{
	size_t kind = strcspn(sum, "=");
	char hex[HASH_TEXT_SIZE];
	int r = hash(fd, sum, hex, err);

	if (r < 0)
		return r == -ENOTSUP ? 0 : r;
	if (strcmp(sum + kind + 1, hex) != 0)
		return error_set(err, EBADMSG, "hashes to %.*s=%s, expected %s", (int)kind, sum,
				 hex, sum);
	return 0;
}
