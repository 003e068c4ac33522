/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scalars of api/config/schema.h: from text to value.
 *
 * Source: sizes in bytes are Kubernetes' quantities, Reference, Kubernetes API,
 * Common Definitions, Quantity, cut down to whole numbers
 */
#pragma once

#include <stdbool.h>

#include "api/config/schema.h"

/* How a size in bytes may end. */
struct schema_byte_unit {
	const char *suffix;
	uint64_t bytes;
};

/* The largest first; ends with the suffix "", whose factor is 1. */
extern const struct schema_byte_unit schema_byte_units[];

/**
 * schema_scan() - Read one scalar.
 * @key: row of a scalar; of a SCHEMA_SET, @text is one member
 * @text: NUL-terminated text
 * @value: of the row's type and size; untouched when @text does not fit, except
 *         that the bit of a member is added to a SCHEMA_SET
 *
 * Return: true if the text is of the row's type and within its range.
 */
bool schema_scan(const struct schema_key *key, const char *text, void *value);
