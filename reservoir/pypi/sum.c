/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/sum.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define PIECE ((size_t)64 * 1024)

DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free);

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

static int compute(int fd, EVP_MD_CTX *context, unsigned char ret[EVP_MAX_MD_SIZE],
		   unsigned int *ret_len, struct error *err)
{
	char piece[PIECE];
	ssize_t n;

	for (;;) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (EVP_DigestUpdate(context, piece, (size_t)n) != 1)
			return error_set(err, ENOMEM, "no memory for a hash");
	}
	if (n < 0)
		return error_set(err, errno, "a file cannot be read: %m");
	return EVP_DigestFinal_ex(context, ret, ret_len) == 1
		       ? 0
		       : error_set(err, ENOMEM, "no memory for a hash");
}

static const EVP_MD *kind_of(const char *sum)
{
	char name[16];
	size_t len = strcspn(sum, "=");

	if (len >= sizeof(name))
		return NULL;
	memcpy(name, sum, len);
	name[len] = '\0';
	return EVP_get_digestbyname(name);
}

int pypi_sum_check(int fd, const char *sum, struct error *err)
{
	_cleanup_(EVP_MD_CTX_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *kind = kind_of(sum);
	unsigned char bytes[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned int len = 0;
	int r;

	if (!context)
		return error_set(err, ENOMEM, "no memory for a hash");
	if (!kind || EVP_DigestInit_ex(context, kind, NULL) != 1)
		return 0;
	r = compute(fd, context, bytes, &len, err);
	if (r < 0)
		return r;
	hex[0] = '\0';
	for (unsigned int i = 0; i < len; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", bytes[i]);
	if (strcmp(sum + strcspn(sum, "=") + 1, hex) != 0)
		return error_set(err, EBADMSG, "hashes to %.*s=%s, expected %s",
				 (int)strcspn(sum, "="), sum, hex, sum);
	return 0;
}
