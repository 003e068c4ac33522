/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes too long for a thread that answers: it is done by others, while the
 * connection sleeps.
 *
 * Source: a helpers with a lock and a condition
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

/* Embedded in what it is about. */
struct job {
	void (*run)(struct job *job);
	struct job *next;
};

struct helpers;

/**
 * helpers_new() - Start threads.
 * @threads: how many, 1 to 16
 * @ret: the helpers, to be released with helpers_free()
 * @err: set on failure
 *
 * Return: 0, -ENOMEM or -EAGAIN.
 */
int helpers_new(unsigned int threads, struct helpers **ret, struct error *err);

/**
 * helpers_free() - Do what is queued, and end the threads.
 * @helpers: helpers or NULL
 */
void helpers_free(struct helpers *helpers);
DEFINE_CLEANUP(struct helpers, helpers_free);

/**
 * helpers_add() - Have something done.
 * @helpers: helpers
 * @job: what; stays until it runs
 *
 * Context: any thread.
 */
void helpers_add(struct helpers *helpers, struct job *job);
