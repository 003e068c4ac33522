/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of keys as JSON Schema, for those who check a text before the program
 * that reads it does.
 *
 * What schema_read() accepts is valid, and unknown keys, wrong types and wrong names
 * are not.  What a row's @check demands, and the range of a duration or a size with a
 * unit, is left to the reader: the schema is the looser of the two.  Deprecated keys
 * are not in it.
 *
 * Source: JSON Schema draft-07, Core and Validation (json-schema.org/draft-07)
 */
#pragma once

#include "api/config/schema.h"
#include "base/error.h"
#include "base/strbuf.h"

/**
 * schema_json() - Write a table of keys as JSON Schema.
 * @root: SCHEMA_MAPPING
 * @title: what the schema is called
 * @out: appended to, indented and with a newline at the end
 * @err: set on failure
 *
 * Return: 0, or
 *   -ENOMEM  no memory
 *   -E2BIG   @out has a maximum, which the text exceeds
 */
int schema_json(const struct schema_key *root, const char *title, struct strbuf *out,
		struct error *err);
