/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place in which bytes become what Kubernetes accepts as a label.
 *
 * A value has at most 63 characters of [A-Za-z0-9._-], with a letter or digit at both
 * ends, or none at all.  A key is an optional DNS name of at most 253 characters with a
 * '/' behind, and a name with the syntax of a value that is not empty.
 *
 * Source: Kubernetes documentation, Concepts, Labels and Selectors, "Syntax and character
 * set"; Concepts, Annotations; RFC 1123, section 2.1
 */
#pragma once

#include <stdbool.h>

#include "base/strbuf.h"

#define LABEL_VALUE_MAX 64 /* bytes with the NUL */
#define LABEL_NAME_MAX 64  /* the same of what stands behind the '/' of a key */
#define LABEL_KEY_MAX 318  /* with the NUL: a DNS name of 253 bytes, '/', a name */

/**
 * label_value_make() - Make a value of any text.
 * @text: NUL-terminated bytes, any value
 * @ret: the value; "" on failure
 *
 * Each run of bytes that no value can have becomes one '-'; what is neither letter nor
 * digit is cut from both ends.  "" stays "".
 *
 * Return: 0, or
 *   -EINVAL        nothing is left
 *   -ENAMETOOLONG  more than 63 characters are left; a value that is cut would be
 *                  another one
 */
int label_value_make(const char *text, char ret[LABEL_VALUE_MAX]);

/**
 * label_value_is_valid() - Whether Kubernetes accepts a value.
 * @value: text
 *
 * Return: true if it does.
 */
bool label_value_is_valid(const char *value);

/**
 * label_key_is_valid() - Whether Kubernetes accepts the key of a label or annotation.
 * @key: text
 *
 * Return: true if it does.
 */
bool label_key_is_valid(const char *key);

/**
 * annotation_value_make() - Make the value of an annotation of any text.
 * @text: NUL-terminated bytes, any value
 * @out: appended to; ask strbuf_error() afterwards
 *
 * What is not printable ASCII becomes '?', a byte at a time.
 */
void annotation_value_make(const char *text, struct strbuf *out);
