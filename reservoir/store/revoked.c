/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/revoked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void revoked_done(struct revoked *revoked)
{
	free(revoked->digests);
	*revoked = (struct revoked) { 0 };
}

/* Where a digest is, or would be. */
static size_t place(const struct revoked *revoked, const struct digest *digest)
{
	size_t low = 0, high = revoked->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(revoked->digests[middle].bytes, digest->bytes, DIGEST_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct revoked *revoked, size_t i, const struct digest *digest)
{
	return i < revoked->n && digest_equal(&revoked->digests[i], digest);
}

bool revoked_has(const struct revoked *revoked, const struct digest *digest)
{
	return revoked && revoked->n > 0 && is_at(revoked, place(revoked, digest), digest);
}

void revoked_describe(const struct revoked *revoked, struct strbuf *out)
{
	char hex[DIGEST_TEXT_SIZE];
	struct digest digest;

	if (!revoked || revoked->n == 0)
		return;
	digest = digest_of(revoked->digests, revoked->n * sizeof(*revoked->digests));
	strbuf_printf(out, "recalled %s\n", digest_format(&digest, hex));
}

int revoked_add(struct revoked *revoked, const struct digest *digest, struct error *err)
{
	size_t i = place(revoked, digest);
	struct digest *digests;

	if (is_at(revoked, i, digest))
		return 0;
	if (revoked->n >= REVOKED_MAX)
		return error_set(err, E2BIG, "at most %d files can be recalled", REVOKED_MAX);
	digests = reallocarray(revoked->digests, revoked->n + 1, sizeof(*digests));
	if (!digests)
		return error_set(err, ENOMEM, "no memory for what was recalled");
	memmove(digests + i + 1, digests + i, (revoked->n - i) * sizeof(*digests));
	digests[i] = *digest;
	revoked->digests = digests;
	revoked->n++;
	return 1;
}

int revoked_merge(struct revoked *revoked, const struct revoked *other, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < other->n; i++)
		r = revoked_add(revoked, &other->digests[i], err);
	return r < 0 ? r : 0;
}

bool revoked_remove(struct revoked *revoked, const struct digest *digest)
{
	size_t i = place(revoked, digest);

	if (!is_at(revoked, i, digest))
		return false;
	memmove(revoked->digests + i, revoked->digests + i + 1,
		(revoked->n - i - 1) * sizeof(*digest));
	revoked->n--;
	return true;
}
