/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail on demand, for test programs that are linked with
 * --wrap for malloc, calloc, realloc and reallocarray.
 *
 * Source: ld(1), --wrap
 */
#pragma once

#include <stdbool.h>
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

/**
 * memory_fails() - Whether an allocation that happens now is to fail; it is counted.
 *
 * For programs that wrap further functions, which allocate within a library.
 *
 * Return: true if it is.
 */
bool memory_fails(void);
