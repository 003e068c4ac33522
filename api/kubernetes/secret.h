/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that must not be left in memory: tokens and keys.
 *
 * Source: explicit_bzero(3)
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

/**
 * secret_free() - Wipe and release a text.
 * @text: NUL-terminated text from the heap, or NULL
 */
static inline void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}
DEFINE_CLEANUP(char, secret_free);

#define _cleanup_secret_ _cleanup_(secret_freep)

/**
 * secret_read() - Read a file with a token, a certificate or a key.
 * @path: file
 * @ret: its text, to be released with secret_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EFBIG   longer than KUBE_CREDENTIAL_MAX
 *   -EINVAL  empty, or with a NUL inside
 *   -ENOMEM  no memory
 *   -errno   as file_read() leaves it
 */
int secret_read(const char *path, char **ret, struct error *err);

/**
 * secret_read_token() - Read a file with a token.
 * @path: file
 * @ret: the token without white space around it, to be released with secret_free()
 * @err: set on failure
 *
 * Return: 0, or as secret_read(), -EINVAL also when it could not stand in a header.
 */
int secret_read_token(const char *path, char **ret, struct error *err);

/**
 * secret_check_token() - Whether a text can be a token.
 * @token: text
 *
 * Return: 0, or -EINVAL when it could not stand in a header.
 */
int secret_check_token(const char *token);
