/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs what was curated, at the place that serves it.
 *
 * Source: reservoir/ecosystem.h
 */
#pragma once

#include "reservoir/config/config.h"
#include "reservoir/store/store.h"

/* The public key of the site, for clients. */
#define APT_KEYRING "silica-archive-keyring"

/**
 * apt_finish() - Make the manifest that clients get.
 * @store: store opened with STORE_WRITE
 * @repository: repository; its apt.signing_key signs what is curated
 * @collected: manifest as it was collected
 * @ret_served: manifest with InRelease and Release.gpg of every suite, and the key
 * @err: set on failure
 *
 * The same manifest and key give the same bytes, but for Valid-Until. A Release that is
 * dated a moment ahead, as another was published in this second, is waited for.
 *
 * Return: 0, or
 *   -EKEYREJECTED, -EBADMSG  the key cannot sign
 *   negative errno of the system
 */
int apt_finish(struct store *store, const struct repository *repository,
	       const struct digest *collected, struct digest *ret_served, struct error *err);
