/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/inventory/memory.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

static bool limited;
static size_t n_left;
static size_t n_failed;

void memory_fail_after(size_t n)
{
	limited = true;
	n_left = n;
	n_failed = 0;
}

size_t memory_restore(void)
{
	limited = false;
	return n_failed;
}

bool memory_fails(void)
{
	if (!limited)
		return false;
	if (n_left > 0) {
		n_left--;
		return false;
	}
	n_failed++;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return memory_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return memory_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return memory_fails() ? NULL : __real_reallocarray(old, n, size);
}
