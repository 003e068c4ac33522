/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/plain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "reservoir/store/unpack.h"

struct expansion {
	struct plain *plain;
	struct hasher *hasher;
	uint64_t max;
};

static int write_some(void *ctx, const char *data, size_t len, struct error *err)
{
	struct expansion *expansion = ctx;
	int r;

	if (len > expansion->max - expansion->plain->size)
		return error_set(err, EFBIG, "an index is too long to be compared");
	hasher_add(expansion->hasher, data, len);
	expansion->plain->size += len;
	r = file_write_all(expansion->plain->fd, data, len);
	return r < 0 ? error_set(err, -r, "writing an expanded index: %s", strerror(-r)) : 0;
}

/* What cannot be expanded travels as it is. */
static int result(int r, const struct error *why, struct error *err)
{
	if (r == -EBADMSG || r == -EFBIG || r == -ENOENT)
		return 0;
	return r < 0 ? error_set(err, -r, "%s", why->msg) : 1;
}

int plain_open(struct store *store, const struct digest *packed, uint64_t max, struct plain *ret,
	       struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	_cleanup_plain_ struct plain plain = { .fd = store_tmpfile(store, err) };
	struct expansion expansion = { .plain = &plain, .max = max };
	struct error local = { 0 };
	int r = plain.fd < 0 ? plain.fd : hasher_new(&hasher, err);

	if (r < 0)
		return r;
	expansion.hasher = hasher;
	r = unpack_object(store, packed, write_some, &expansion, &local);
	r = result(r, &local, err);
	if (r <= 0 || plain.size == 0)
		return MIN(r, 0);
	plain.digest = hasher_end(hasher);
	*ret = plain;
	plain.fd = -1;
	return 1;
}

void plain_done(struct plain *plain)
{
	if (plain->fd >= 0)
		(void)close(plain->fd);
	plain->fd = -1;
}
