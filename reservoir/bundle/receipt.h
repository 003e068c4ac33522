/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt: what a site says it has, signed, so that the hub's next bundle is exactly
 * what it lacks.
 *
 * Source: docs/bundle-format.md
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "reservoir/config/config.h"
#include "reservoir/store/digest.h"
#include "reservoir/store/store.h"

#define RECEIPT_TEXT_MAX 1024 /* bytes */

struct receipt {
	char site[STORE_ID_MAX]; /* id of the site's store */
	char hub[STORE_ID_MAX];
	uint64_t sequence;  /* of the bundle that was applied last */
	struct digest root; /* of the hub's generation that the site has */
	int64_t applied;    /* seconds since 1970 */
};

/**
 * receipt_write() - Write a receipt, SITE8-HUB8-SEQUENCE.receipt, and its signature.
 * @receipt: receipt
 * @key_path: file of the site's secret key; "" for no signature
 * @dir: directory
 * @err: set on failure
 *
 * Return: 0, or negative errno.
 */
int receipt_write(const struct receipt *receipt, const char *key_path, const char *dir,
		  struct error *err);

/**
 * receipt_read() - Read a receipt, and prove that a known site signed it.
 * @path: file; its signature lies beside it
 * @sites: public keys of sites
 * @n_sites: how many
 * @hub: id of this hub, which it must be for
 * @ret: the receipt
 * @err: set on failure
 *
 * Return: 0, or
 *   -EKEYREJECTED  not signed by one of the keys, or for another hub
 *   -EBADMSG       it is no receipt
 *   negative errno of the system
 */
int receipt_read(const char *path, const struct config_word *sites, size_t n_sites, const char *hub,
		 struct receipt *ret, struct error *err);
