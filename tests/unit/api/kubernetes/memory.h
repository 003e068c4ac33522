/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail on demand, for test programs that are linked with --wrap for
 * what memory.c wraps.
 *
 * Source: ld(1), --wrap
 */
#pragma once

#include <stddef.h>

/**
 * memory_fail_after() - Let allocations fail.
 * @n: how many still succeed before all others fail
 */
void memory_fail_after(size_t n);

/**
 * memory_restore() - Let allocations succeed again.
 *
 * Return: number of allocations that failed.
 */
size_t memory_restore(void);
