/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of compress_as() that is xz's.
 *
 * Source: the .xz file format, version 1.1; what xz -T writes
 */
#pragma once

#include "base/error.h"
#include "reservoir/bundle/compress.h"

/**
 * compress_xz() - Compress a stream with xz.
 * @algorithm: RECORD_XZ or RECORD_XZ_BLOCKS
 * @level: level; above 10: those of --extreme
 * @io: what to read, and who takes the bytes
 * @err: set on failure
 *
 * Return: as compress_as().
 */
int compress_xz(enum record_algorithm algorithm, unsigned int level, const struct compress_io *io,
		struct error *err);
