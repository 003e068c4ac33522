/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64, as kubeconfigs have certificates and keys.
 *
 * Source: RFC 4648 section 4
 */
#pragma once

#include "base/error.h"

/**
 * base64_decode_text() - Decode a text.
 * @text: base64 with padding; line breaks are skipped
 * @ret: the decoded text, to be released with secret_free()
 *
 * Return: 0, or
 *   -EINVAL  no base64, or what it stands for is empty or has a NUL inside
 *   -ENOMEM  no memory
 */
int base64_decode_text(const char *text, char **ret);
