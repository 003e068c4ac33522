/* SPDX-License-Identifier: Apache-2.0 */
#include "api/kubelet/unpack.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

static void *allocate_piece(void *data, size_t size)
{
	struct unpacked *unpacked = data;

	return arena_alloc(&unpacked->arena, size);
}

/* Pieces of an arena go with it. */
static void free_piece(_unused_ void *data, _unused_ void *p)
{
}

void unpacked_free(struct unpacked *unpacked)
{
	int saved_errno = errno;

	if (unpacked)
		arena_done(&unpacked->arena);
	free(unpacked);
	errno = saved_errno;
}

int unpack(const ProtobufCMessageDescriptor *descriptor, size_t memory_max, const uint8_t *data,
	   size_t len, struct unpacked **ret, struct error *err)
{
	_cleanup_(unpacked_freep) struct unpacked *unpacked = calloc(1, sizeof(*unpacked));
	ProtobufCAllocator allocator = { allocate_piece, free_piece, unpacked };

	if (!unpacked)
		return error_set(err, ENOMEM, "no memory for a %s", descriptor->short_name);
	unpacked->arena = arena_init(memory_max);
	unpacked->message = protobuf_c_message_unpack(descriptor, &allocator, len, data);
	if (unpacked->message) {
		*ret = TAKE_PTR(unpacked);
		return 0;
	}
	if (unpacked->arena.exceeded)
		return error_set(err, E2BIG, "%s of %zu bytes needs more than %zu MiB of memory",
				 descriptor->short_name, len, memory_max / (1024 * 1024));
	if (unpacked->arena.out_of_memory)
		return error_set(err, ENOMEM, "no memory for a %s", descriptor->short_name);
	return error_set(err, EINVAL, "%zu bytes are no %s", len, descriptor->short_name);
}
