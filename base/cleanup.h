/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership: an owned local carries the attribute and is always
 * initialised; TAKE_PTR() and TAKE_FD() hand it over to a caller.
 *
 * The functions below preserve errno, so that a cleanup on an error path does
 * not hide the error.
 *
 * Source: GCC manual, "Common Variable Attributes", cleanup
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)
#define _cleanup_closedir_ _cleanup_(cleanup_closedirp)
#define _cleanup_fclose_ _cleanup_(cleanup_fclosep)

/* Hand over an owned pointer: evaluates to it and leaves NULL behind. */
#define TAKE_PTR(p)                        \
	__extension__({                    \
		__typeof__(p) taken = (p); \
		(p) = NULL;                \
		taken;                     \
	})

/* Hand over an owned file descriptor: evaluates to it and leaves -1 behind. */
#define TAKE_FD(fd)               \
	__extension__({           \
		int taken = (fd); \
		(fd) = -1;        \
		taken;            \
	})

/* Hand over an owned struct: evaluates to it and leaves all-zero behind. */
#define TAKE_STRUCT(s)                       \
	__extension__({                      \
		__typeof__(s) taken = (s);   \
		(s) = (__typeof__(s)) { 0 }; \
		taken;                       \
	})

/* Defines foo_freep(struct foo **) for use with _cleanup_(), from foo_free(). */
#define DEFINE_CLEANUP(type, func)                \
	static inline void func##p(type **object) \
	{                                         \
		int saved_errno = errno;          \
                                                  \
		func(*object);                    \
		errno = saved_errno;              \
	}                                         \
	struct cleanup_semicolon_##func

/**
 * cleanup_freep() - free() the pointer that @p points to.
 * @p: address of any owned pointer; the pointer may be NULL
 */
static inline void cleanup_freep(void *p)
{
	int saved_errno = errno;

	free(*(void **)p);
	errno = saved_errno;
}

/**
 * cleanup_closep() - close() the file descriptor that @fd points to.
 * @fd: address of an owned descriptor; negative means none
 */
static inline void cleanup_closep(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved_errno;
}

/**
 * cleanup_closedirp() - closedir() the directory stream that @dir points to.
 * @dir: address of an owned stream, which may be NULL
 */
static inline void cleanup_closedirp(DIR **dir)
{
	int saved_errno = errno;

	if (*dir)
		(void)closedir(*dir);
	errno = saved_errno;
}

/**
 * cleanup_fclosep() - fclose() the stream that @file points to.
 * @file: address of an owned stream, which may be NULL
 */
static inline void cleanup_fclosep(FILE **file)
{
	int saved_errno = errno;

	if (*file)
		(void)fclose(*file);
	errno = saved_errno;
}
