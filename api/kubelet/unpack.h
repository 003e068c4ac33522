/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a message of the kubelet's into memory that has a maximum.
 *
 * A few bytes on the wire can ask for much memory: a message of millions of empty
 * strings is refused before it is built.
 *
 * Source: protobuf-c 1.4, protobuf-c/protobuf-c.h
 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"

/* A decoded message and the memory that it lies in. */
struct unpacked {
	struct arena arena;
	ProtobufCMessage *message;
};

/**
 * unpack() - Read a message.
 * @descriptor: which message
 * @memory_max: how many bytes of memory the decoded message may take
 * @data: message of @len bytes
 * @len: length of @data
 * @ret: the message, to be released with unpacked_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  it is no such message
 *   -E2BIG   it needs more memory than is allowed
 *   -ENOMEM  no memory
 */
int unpack(const ProtobufCMessageDescriptor *descriptor, size_t memory_max, const uint8_t *data,
	   size_t len, struct unpacked **ret, struct error *err);

/**
 * unpacked_free() - Release a message.
 * @unpacked: message or NULL
 */
void unpacked_free(struct unpacked *unpacked);
DEFINE_CLEANUP(struct unpacked, unpacked_free);
