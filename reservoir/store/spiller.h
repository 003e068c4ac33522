/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that hashes and writes bytes while more of them arrive.
 *
 * Source: pthread_cond_wait(3), write(2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "reservoir/store/digest.h"

struct spiller;

/* Bytes to be appended to a file; all of it stays where it is until spiller_wait(). */
struct spill {
	int fd;
	struct hasher *hasher; /* is given them, too */
	const unsigned char *data;
	size_t len;
	bool is_away; /* the rest is the spiller's: the thread has it */
	int result;
};

/**
 * spiller_new() - Start the thread.
 *
 * Return: spiller, to be released with spiller_free(); NULL without memory, or a thread.
 */
struct spiller *spiller_new(void);

/**
 * spiller_free() - End the thread.
 * @spiller: spiller that nobody waits for, or NULL
 */
void spiller_free(struct spiller *spiller);
DEFINE_CLEANUP(struct spiller, spiller_free);

/**
 * spiller_write() - Hash and write bytes: in the thread if it has nothing else to do, or
 *   before this returns.
 * @spiller: spiller, or NULL
 * @spill: what to do
 */
void spiller_write(struct spiller *spiller, struct spill *spill);

/**
 * spiller_wait() - Wait until bytes are hashed and written.
 * @spiller: spiller, or NULL
 * @spill: what spiller_write() was given, or all-zero
 *
 * Return: 0, or negative errno of write(2): some of the bytes may have been written.
 */
int spiller_wait(struct spiller *spiller, struct spill *spill);
