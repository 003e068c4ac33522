#pragma once

int bare(int a);

/**
 * wrong_name() - Something else.
 *
 * Return: 0.
 */
int right_name(void);

/**
 * lacks_all() - Missing both.
 * @b: no such parameter
 */
int *lacks_all(int a);

/*
 * plain_comment() - Not a kernel-doc comment.
 */
static inline void plain_comment(void)
{
}

typedef void (*bare_fn)(void *ctx);
