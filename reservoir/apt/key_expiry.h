/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Until when clients believe the key of a site: one that has expired has apt(8) refuse all
 * that it signed, also what was signed before.
 *
 * Source: RFC 4880, section 5.2.3.6; EXPKEYSIG of gpgv(1), which apt takes as an error
 */
#pragma once

#include <stdint.h>

#include "base/strbuf.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/store.h"

#define KEY_EXPIRY_WARN_S (INT64_C(30) * 24 * 3600) /* time to carry a key to every client */

struct rnp_ffi_st;

/**
 * key_expiry() - When the key that signs expires.
 * @ffi: where keys were loaded, of which the first that can sign counts
 *
 * Return: seconds since 1970, or 0 for never, and for no such key.
 */
int64_t key_expiry(struct rnp_ffi_st *ffi);

/**
 * apt_warn() - Say that the key which is served beside a repository expires before long.
 * @store: store
 * @manifest: what is served
 * @now: seconds since 1970
 * @out: a line without its end is appended; nothing when there is no such key, or time
 */
void apt_warn(struct store *store, const struct manifest *manifest, int64_t now,
	      struct strbuf *out);
