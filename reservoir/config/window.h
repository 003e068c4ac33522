/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time of the day when fetching is allowed.
 *
 * Source: the key sync.window of the configuration
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define WINDOW_DAY_S 86400u

struct window {
	bool always;
	uint32_t from_s; /* since midnight */
	uint32_t to_s;	 /* since midnight; before @from_s when midnight lies between */
};

/**
 * window_parse() - Read a window.
 * @text: as in "22:00-06:00", or "" for always
 * @ret: window
 * @err: set on failure
 *
 * Two times that are the same are a whole day.
 *
 * Return: 0, or -EINVAL.
 */
int window_parse(const char *text, struct window *ret, struct error *err);

/**
 * window_opens_in() - How long until fetching is allowed.
 * @window: window
 * @now_s: seconds since midnight
 *
 * Return: seconds, 0 when it is.
 */
uint32_t window_opens_in(const struct window *window, uint32_t now_s);

/**
 * window_now() - The time of the day, of the place the machine is in.
 *
 * Return: seconds since midnight.
 */
uint32_t window_now(void);
