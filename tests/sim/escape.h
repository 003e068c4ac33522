/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of the command line that may stand for any bytes.
 *
 * Source: the subset of the C standard's escape sequences (C17, 6.4.4.4) that
 * a test needs
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

/**
 * escape_decode() - Replace escapes by the bytes that they stand for.
 * @text: with \n, \t, \\ and \xNN, two hexadecimal digits
 * @sb: string to append to
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  another escape, or one that is cut short
 *   -E2BIG, -ENOMEM  as strbuf_error()
 */
int escape_decode(const char *text, struct strbuf *sb, struct error *err);
