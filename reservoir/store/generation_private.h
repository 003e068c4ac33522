/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of generations share.
 *
 * A file of a generation is its canonical JSON, a newline, and a line "sha256:" with
 * what the JSON hashes to, so that damage is found without another file.
 *
 * Source: reservoir/store/generation.h
 */
#pragma once

#include "reservoir/store/generation.h"

#define GENERATION_NAME_MAX 96 /* "../generations/" and 20 digits */

/**
 * generation_publish_first() - Write generation 0 of a store that is being made.
 * @dirfd: directory of the store
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int generation_publish_first(int dirfd, struct error *err);

/**
 * generation_link_number() - Which generation a symbolic link names.
 * @dirfd: directory of the store
 * @path: link
 * @ret: number
 * @err: set on failure
 *
 * Return: 0, -EBADMSG if it names none, or negative errno of the system.
 */
int generation_link_number(int dirfd, const char *path, uint64_t *ret, struct error *err);
