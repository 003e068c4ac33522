/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that run for long end early when they are told to, with a report of what
 * was done until then.
 *
 * Source: sigaction(2), alarm(2), sigwait(3), signal-safety(7)
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"

/**
 * stop_catch() - Note SIGINT and SIGTERM from now on.
 * @ret: becomes other than 0 with the first of them
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int stop_catch(const volatile sig_atomic_t **ret, struct error *err);

/**
 * stop_within() - End the program with COMMAND_INCOMPLETE when it has not ended by
 *   itself some time after the first of these signals, whatever it is at.
 * @seconds: time, from 1 on
 * @last_words: called before that on another thread, to report what was done; false when the
 *   program is about to end by itself, and is let. May be NULL.
 * @ctx: given to @last_words; lives as long as the program
 * @err: set on failure
 *
 * For commands that lose nothing by that: whose bytes are found again by the next run.
 * Called before there are other threads.
 *
 * Return: 0, or negative errno.
 */
int stop_within(unsigned int seconds, bool (*last_words)(void *ctx), void *ctx, struct error *err);
