/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configuration means to the server: who may read what, and how fast.  It does
 * not change; another configuration is another one.
 *
 * Source: reservoir/config/config.h
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "reservoir/config/config.h"
#include "reservoir/serve/limit.h"
#include "reservoir/serve/users.h"

#define SETUP_FAILURE_TOKENS 6u /* what a failed login takes; a second gives one */

/* Of one repository. */
struct setup_repository {
	const struct repository *config;
	uint64_t *readers; /* bit per user; NULL: not restricted */
	struct limit *requests;
	struct limit *bytes;
};

/* An address, or those that begin with the same bits. */
struct setup_network {
	struct limit_key address;
	unsigned int bits;
};

struct setup {
	atomic_uint refs;
	struct reservoir_config config;
	struct users *users;
	struct setup_repository *repositories; /* as in @config */
	uint64_t *status_readers;	       /* bit per user; NULL: not restricted */
	struct limit *requests;		       /* per client */
	struct limit *bytes;		       /* per client */
	struct limit *failures;		       /* logins that failed, per client */
	struct setup_network *proxies;
	size_t n_proxies;
};

/**
 * setup_new() - Read a configuration for the server.
 * @config: configuration; taken over, and all-zero afterwards, when 0 is returned
 * @ret: the setup, with one reference
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a value is refused
 *   -ENOMEM  no memory
 */
int setup_new(struct reservoir_config *config, struct setup **ret, struct error *err);

/**
 * setup_ref() - Keep a setup.
 * @setup: setup
 *
 * Return: @setup.
 */
struct setup *setup_ref(struct setup *setup);

/**
 * setup_unref() - Let go of a setup.
 * @setup: setup or NULL
 */
void setup_unref(struct setup *setup);
DEFINE_CLEANUP(struct setup, setup_unref);

/**
 * setup_repository() - Find what is configured for a repository.
 * @setup: setup
 * @name: name
 *
 * Return: the row, or NULL for one that only the store knows.
 */
const struct setup_repository *setup_repository(const struct setup *setup, const char *name);

/**
 * setup_may_read() - Whether a user may read a repository.
 * @setup: setup
 * @repository: what is configured for it, or NULL
 * @user: user, or USER_NONE
 *
 * Return: true if so.
 */
bool setup_may_read(const struct setup *setup, const struct setup_repository *repository,
		    uint32_t user);

/**
 * setup_may_watch() - Whether a user may read the status page and the metrics.
 * @setup: setup
 * @user: user, or USER_NONE
 *
 * Return: true if so.
 */
bool setup_may_watch(const struct setup *setup, uint32_t user);

/**
 * setup_is_proxy() - Whether an address is that of a proxy.
 * @setup: setup
 * @address: address of the other end
 *
 * Return: true if what it says of clients is believed.
 */
bool setup_is_proxy(const struct setup *setup, const struct limit_key *address);

/**
 * setup_address() - Read an address; IPv4 is mapped into IPv6.
 * @text: address
 * @ret: the address
 *
 * Return: true if it is one.
 */
bool setup_address(const char *text, struct limit_key *ret);
