/* Source: none is needed here */
#pragma once

/*
 * Source: the manual
 */
#define GOOD(a) \
	do {    \
	} while (0)

struct good {
	int (*call)(int undocumented);
};

/**
 * typedef good_fn - Called now and then.
 * @ctx: context
 *
 * Return: a number.
 */
typedef int (*good_fn)(void *ctx);

/**
 * good_call() - Call.
 * @fn: what to call
 * @names: array, with a comma in its comment (see there)
 * @fmt: format
 *
 * Return: 0.
 */
int good_call(void (*fn)(void *ctx, int n), const char *names[4], const char *fmt, ...)
	_printf_(3, 4);

/**
 * good_free() - Release.
 */
static inline void good_free(void)
{
	extern int inner(int a);
}
DEFINE_CLEANUP(struct good, good_free);
