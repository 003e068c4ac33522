/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of files that are not SHA-256, as old and small indexes give them alone.
 *
 * Source: PEP 503 and PEP 691: any hash that Python's hashlib has by name; FIPS 180-4,
 * RFC 1321
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define PYPI_SUM_MAX 144 /* bytes with the NUL of "sha512=" and 128 digits */
#define PYPI_SUM_KINDS 5

struct pypi_sum_kind {
	const char *name;
	size_t digits;
};

/* The strongest first. */
extern const struct pypi_sum_kind pypi_sum_kinds[PYPI_SUM_KINDS];

/**
 * pypi_sum_make() - Write a hash as one text.
 * @kind: row of pypi_sum_kinds
 * @hex: digits, and perhaps more behind them
 * @ret: receives as in "md5=d41d8cd98f00b204e9800998ecf8427e", in lower case
 *
 * Return: 0, or -EINVAL when @hex is none.
 */
int pypi_sum_make(const struct pypi_sum_kind *kind, const char *hex, char ret[PYPI_SUM_MAX]);

/**
 * pypi_sum_check() - See whether a file has a hash.
 * @fd: file, open for reading at its beginning
 * @sum: as pypi_sum_make() writes it
 * @err: set on failure
 *
 * Return: 0, also for a hash that this machine does not compute, as MD5 where only FIPS
 * 140 is allowed; or
 *   -EBADMSG  it has another
 *   -ENOMEM, negative errno of the system
 */
int pypi_sum_check(int fd, const char *sum, struct error *err);
