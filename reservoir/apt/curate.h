/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes of what was selected, written anew: stanzas are upstream's, byte for byte,
 * and Release says what the site's key is going to sign.
 *
 * Source: wiki.debian.org/DebianRepository/Format
 */
#pragma once

#include "reservoir/apt/run.h"

/**
 * curate() - Make the manifest of what was selected.
 * @run: run whose indexes were fetched
 * @err: set on failure
 *
 * Return: 0, or
 *   -EBADMSG  an index is damaged
 *   negative errno of the system; what cannot be satisfied is failed (run_fail())
 */
int curate(struct apt_run *run, struct error *err);
