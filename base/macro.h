/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small macros that every folder needs.  Nothing here has a run-time part.
 *
 * Source: GCC manual, "Common Function Attributes" and "Statement Exprs"
 */
#pragma once

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define _unused_ __attribute__((unused))
#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Type-safe because both sides are evaluated once, in their own type. */
#define MIN(a, b)                              \
	__extension__({                        \
		__typeof__(a) min_a = (a);     \
		__typeof__(b) min_b = (b);     \
		min_a < min_b ? min_a : min_b; \
	})
#define MAX(a, b)                              \
	__extension__({                        \
		__typeof__(a) max_a = (a);     \
		__typeof__(b) max_b = (b);     \
		max_a > max_b ? max_a : max_b; \
	})
