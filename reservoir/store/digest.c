/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/digest.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/parse.h"

#define READ_BYTES ((size_t)64 * 1024)

static_assert(2 * EVP_MAX_MD_SIZE < HASH_TEXT_SIZE, "any hash has room as text");

struct hasher {
	EVP_MD_CTX *ctx;
};

static int make(const EVP_MD *kind, struct hasher **ret, struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = calloc(1, sizeof(*hasher));

	if (hasher)
		hasher->ctx = EVP_MD_CTX_new();
	if (!hasher || !hasher->ctx)
		return error_set(err, ENOMEM, "no memory for a hash");
	if (EVP_DigestInit_ex(hasher->ctx, kind, NULL) != 1)
		return error_set(err, ENOTSUP, "this machine does not compute such a hash");
	*ret = TAKE_PTR(hasher);
	return 0;
}

int hasher_new(struct hasher **ret, struct error *err)
{
	int r = make(EVP_sha256(), ret, err);

	return r == -ENOTSUP ? error_set(err, ENOMEM, "no memory for a hash") : r;
}

int hasher_new_of(const char *kind, struct hasher **ret, struct error *err)
{
	const EVP_MD *known = EVP_get_digestbyname(kind);

	return known ? make(known, ret, err)
		     : error_set(err, ENOTSUP, "there is no hash '%s' here", kind);
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	free(hasher);
}

void hasher_add(struct hasher *hasher, const void *data, size_t len)
{
	(void)EVP_DigestUpdate(hasher->ctx, data, len);
}

int hasher_add_file(struct hasher *hasher, int fd, uint64_t max, uint64_t *ret)
{
	char buffer[READ_BYTES];

	*ret = 0;
	while (*ret < max) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		hasher_add(hasher, buffer, (size_t)n);
		*ret += (uint64_t)n;
	}
	return 0;
}

struct digest hasher_end(struct hasher *hasher)
{
	struct digest digest = { 0 };

	(void)EVP_DigestFinal_ex(hasher->ctx, digest.bytes, NULL);
	(void)EVP_DigestInit_ex(hasher->ctx, NULL, NULL);
	return digest;
}

static void format(const unsigned char *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
}

const char *hasher_end_text(struct hasher *hasher, char text[HASH_TEXT_SIZE])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	(void)EVP_DigestFinal_ex(hasher->ctx, bytes, &len);
	(void)EVP_DigestInit_ex(hasher->ctx, NULL, NULL);
	format(bytes, len, text);
	return text;
}

struct digest hasher_peek(const struct hasher *hasher)
{
	struct digest digest = { 0 };
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	/* Without memory the digest is all zeros, which nothing hashes to. */
	if (copy && EVP_MD_CTX_copy_ex(copy, hasher->ctx) == 1)
		(void)EVP_DigestFinal_ex(copy, digest.bytes, NULL);
	EVP_MD_CTX_free(copy);
	return digest;
}

struct digest digest_of(const void *data, size_t len)
{
	struct digest digest;

	(void)SHA256(data, len, digest.bytes);
	return digest;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

const char *digest_format(const struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
	format(digest->bytes, DIGEST_SIZE, text);
	return text;
}

int digest_parse(const char *text, struct digest *ret)
{
	struct digest digest;

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = char_digit(text[2 * i]);
		int low = high < 0 ? -1 : char_digit(text[2 * i + 1]);

		if (low < 0)
			return -EINVAL;
		digest.bytes[i] = (unsigned char)(high << 4 | low);
	}
	if (text[2 * DIGEST_SIZE] != '\0')
		return -EINVAL;
	*ret = digest;
	return 0;
}
