/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock that durations are measured by: it does not jump when somebody sets
 * the time.
 *
 * Source: clock_gettime(2), CLOCK_MONOTONIC
 */
#pragma once

#include <stdint.h>

/**
 * clock_ns() - Monotonic time in nanoseconds.
 *
 * Return: time since some moment before the program began.
 */
uint64_t clock_ns(void);

/**
 * clock_ms() - Monotonic time in milliseconds.
 *
 * Return: time since some moment before the program began.
 */
uint64_t clock_ms(void);
