/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is handed out in pieces and given back as a whole, with a maximum.
 *
 * For what is built at once and dropped at once, such as a decoded message of
 * thousands of strings: a piece costs an addition instead of a malloc().
 *
 * Source: D. R. Hanson, "Fast allocation and deallocation of memory based on
 * object lifetimes", Software: Practice and Experience 20(1), 1990
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;		    /* of the newest block */
	size_t left;		    /* bytes that may still be taken from the system */
	bool exceeded;		    /* the maximum was reached */
	bool out_of_memory;	    /* the system had none to give */
};

/**
 * arena_init() - Make an empty arena.
 * @max: how many bytes it may take from the system in all
 *
 * Return: the arena, to be released with arena_done().
 */
struct arena arena_init(size_t max);

/**
 * arena_alloc() - Take a piece.
 * @arena: arena
 * @size: bytes
 *
 * Return: the piece, aligned for any type and not cleared; NULL when there is no
 *   memory or the maximum is reached; @arena says which.
 */
void *arena_alloc(struct arena *arena, size_t size);

/**
 * arena_done() - Give back all pieces.
 * @arena: initialised or all-zero arena
 */
void arena_done(struct arena *arena);
