/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of bytes as people read them.
 *
 * Source: IEC 80000-13 for KiB, MiB and GiB
 */
#pragma once

#include <stdint.h>

#define SIZE_TEXT_MAX 16 /* bytes with the NUL */

/**
 * size_format() - Write a number of bytes with a unit, as in "1.4 GiB".
 * @bytes: number
 * @ret: receives it
 *
 * Return: @ret.
 */
const char *size_format(uint64_t bytes, char ret[SIZE_TEXT_MAX]);
