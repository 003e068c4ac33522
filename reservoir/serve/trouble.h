/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of the server's own that cannot be written, as on a full disk: serving goes on, it
 * is told once and counted each time.
 *
 * Source: write(2), ERRORS
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/error.h"

struct trouble {
	const char *what;	/* cannot be written: "the access log" */
	atomic_int code;	/* negative errno of the last try, or 0 */
	atomic_uint_fast64_t n; /* tries that failed */
};

/**
 * trouble_note() - Note how a try to write went.
 * @trouble: of the file
 * @r: 0, or negative errno; another one than the last time is logged
 * @err: what was recorded of it, or NULL
 *
 * Context: any thread.
 */
void trouble_note(struct trouble *trouble, int r, const struct error *err);
