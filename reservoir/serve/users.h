/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client is: passwords, and tokens.
 *
 * Passwords are hashed with Argon2id, which is slow on purpose.  So what was found
 * right once is remembered under a keyed hash, for as long as the users live, and only
 * the first request of a client waits.
 *
 * Source: RFC 7617 (Basic), RFC 6750 (Bearer); libsodium's crypto_pwhash()
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "reservoir/config/config.h"

#define USER_NONE UINT32_MAX

enum login {
	LOGIN_ANONYMOUS, /* nothing was said */
	LOGIN_USER,	 /* a user */
	LOGIN_WRONG,	 /* nobody, or malformed */
	LOGIN_SLOW,	 /* a password that is to be hashed: ask users_check() on another thread */
	_LOGIN_MAX,
};

struct users;

/**
 * users_new() - Make the users of a configuration.
 * @config: users and whether others are let in; borrowed
 * @ret: the users, to be released with users_free()
 * @err: set on failure
 *
 * Return: 0, or
 *   -EINVAL  a hash of a password or token is none, or costs too much to check
 *   -ENOMEM  no memory
 */
int users_new(const struct config_serve *config, struct users **ret, struct error *err);

/**
 * users_free() - Release users.
 * @users: users or NULL
 */
void users_free(struct users *users);
DEFINE_CLEANUP(struct users, users_free);

/**
 * users_find() - Find a user by name.
 * @users: users
 * @name: name
 *
 * Return: number of the user, or USER_NONE.
 */
uint32_t users_find(const struct users *users, const char *name);

/**
 * users_name() - The name of a user.
 * @users: users
 * @user: number, or USER_NONE
 *
 * Return: name, or "-"; borrowed.
 */
const char *users_name(const struct users *users, uint32_t user);

/**
 * users_login() - Say who a client is, at once.
 * @users: users
 * @authorization: Authorization of the request, or NULL
 * @ret: the user, of LOGIN_USER; else USER_NONE
 *
 * A token is taken as a bearer token, and as the password of `__token__` or of its user.
 *
 * Context: any thread.
 * Return: enum login.
 */
enum login users_login(struct users *users, const char *authorization, uint32_t *ret);

/**
 * users_check() - The same, with the hashing of a password.
 * @users: users
 * @authorization: Authorization of the request, or NULL
 * @ret: the user, of LOGIN_USER; else USER_NONE
 *
 * Context: any thread; takes tens of milliseconds.
 * Return: enum login, never LOGIN_SLOW.
 */
enum login users_check(struct users *users, const char *authorization, uint32_t *ret);

/**
 * users_hash() - Hash a password for the configuration.
 * @password: password, 1 to 255 bytes
 * @ret: receives CONFIG_KEY_SIZE bytes
 * @err: set on failure
 *
 * Return: 0, or -EINVAL or -ENOMEM.
 */
int users_hash(const char *password, char ret[CONFIG_KEY_SIZE], struct error *err);
