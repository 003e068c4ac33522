/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which packages are selected, with all that they depend on: asked of libsolv, for one
 * architecture at a time, as if they were installed on an empty machine.
 *
 * Requests that can be installed together are; each of the others is looked at alone.
 * So what conflicts is all there, and so are old versions beside what they need.
 *
 * Source: Debian Policy, chapter 7 "Declaring relationships between packages"
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "reservoir/apt/deb822.h"
#include "reservoir/apt/packages.h"
#include "reservoir/apt/seen.h"
#include "reservoir/config/config.h"

#define CLOSURE_NOTE_MAX ((size_t)32 * 1024 * 1024) /* all of Debian in lines of 100 bytes */

/* Words of the lines of the note: NAME VERSION ARCHITECTURE WORD BY. */
#define CLOSURE_ASKED "asked"
#define CLOSURE_NEEDED "needed"
#define CLOSURE_RECOMMENDED "recommended"
#define CLOSURE_EXCLUDED "excluded"

/**
 * typedef closure_tell_fn - Takes a request that cannot be satisfied, or is worth a note.
 * @ctx: as given in the result
 * @request: as configured
 * @text: why, one line
 */
typedef void (*closure_tell_fn)(void *ctx, const char *request, const char *text);

struct closure_result {
	struct seen chosen;   /* keys of closure_key() */
	struct seen names;    /* of what was chosen */
	struct strbuf note;   /* lines, of one architecture */
	bool *found;	      /* by request: some architecture has it */
	closure_tell_fn fail; /* a request that cannot be satisfied */
	closure_tell_fn tell; /* a note */
	void *ctx;
};

struct closure;

/**
 * closure_new() - Begin with no packages.
 * @options: what is selected; borrowed
 * @architecture: of the machine that it is for, as in "amd64"
 * @file: empty file opened for reading and writing; borrowed, written to
 * @ret: the closure, to be released with closure_free()
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM.
 */
int closure_new(const struct apt_options *options, const char *architecture, FILE *file,
		struct closure **ret, struct error *err);

/**
 * closure_free() - Release a closure.
 * @closure: closure or NULL
 */
void closure_free(struct closure *closure);
DEFINE_CLEANUP(struct closure, closure_free);

/**
 * closure_add() - Add a package that there is.
 * @closure: closure that is not solved yet
 * @stanza: stanza of Packages
 * @err: set on failure
 *
 * Return: 0, -EBADMSG, or negative errno of the system.
 */
int closure_add(struct closure *closure, const struct deb822_stanza *stanza, struct error *err);

/**
 * closure_solve() - Choose packages.
 * @closure: closure
 * @result: added to
 * @err: set on failure
 *
 * Return: 0, or -ENOMEM, -EBADMSG; what cannot be satisfied is told to @result.
 */
int closure_solve(struct closure *closure, struct closure_result *result, struct error *err);

/**
 * closure_result_done() - Release what a result owns.
 * @result: result
 */
void closure_result_done(struct closure_result *result);

/**
 * closure_key() - What a package is known by.
 * @name: name, version and architecture
 * @ret: receives the key
 * @size: bytes of @ret
 *
 * Return: bytes of the key.
 */
size_t closure_key(const struct package_name *name, char *ret, size_t size);
#define CLOSURE_KEY_MAX (2 * PACKAGE_WORD_MAX + 64)

/**
 * closure_is_excluded() - Whether a package is left out whatever needs it.
 * @options: what is selected
 * @name: name of the package
 *
 * Return: true if so.
 */
bool closure_is_excluded(const struct apt_options *options, const char *name);

/**
 * closure_is_glob() - Whether a request stands for several packages.
 * @request: as configured
 *
 * Return: true if it has one of "*?[".
 */
bool closure_is_glob(const char *request);
