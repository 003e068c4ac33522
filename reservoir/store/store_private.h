/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share of a store.
 *
 * Two locks.  DIR/lock is the writer's, held as long as it has the store open.
 * DIR/gate is held for moments, by whoever publishes, removes or takes the writer's
 * lock, so that each sees what the others have done.  Both are locks of open file
 * descriptions, which can be asked for without being taken, and work over NFS.
 *
 * Source: fcntl(2), "Open file description locks"
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "reservoir/store/store.h"

#define OBJECT_PATH_MAX 96 /* "objects/ab/" and 64 digits */
#define OBJECT_FANOUT 256
#define BUFFERS_MAX 64	/* for stagings: mapped anew they would cost more than what they save */
#define PENDING_MAX 256 /* objects that wait for one another: each has a descriptor */
#define PENDING_BYTES_MAX ((uint64_t)64 * 1024 * 1024)
#define PENDING_SLOTS (4 * PENDING_MAX) /* of the index: a power of two */

struct spiller;
struct staging;

struct pending_file {
	int fd;
	uint64_t size;
};

/* Objects that are whole, lie in DIR/staging/<sha256>.whole, and wait. */
struct pending {
	struct digest digests[PENDING_MAX];
	struct pending_file files[PENDING_MAX];
	uint16_t slots[PENDING_SLOTS]; /* number + 1 of a digest */
	size_t n;
	uint64_t bytes;
	bool dirty[OBJECT_FANOUT]; /* directories with names that are not durable yet */
};

struct store {
	int fd;
	int lock_fd; /* -1 of a reader */
	int gate_fd; /* -1 until it is needed */
	enum store_access access;
	char id[STORE_ID_MAX];
	struct timespec since;	 /* change time of DIR/lock when it was taken, by the file system */
	uint64_t counter;	 /* of what is made in DIR/staging */
	pthread_mutex_t gate;	 /* held with DIR/gate */
	pthread_mutex_t landing; /* held by who syncs what waits; taken inside of the gate */
	pthread_mutex_t mutex;	 /* of what follows; taken inside of the others */
	struct staging *stagings;
	unsigned char *buffers[BUFFERS_MAX]; /* that no staging has at the moment */
	size_t n_buffers;
	struct spiller *spiller; /* NULL until there is much to write */
	struct pending pending;
};

/**
 * store_gate_enter() - Wait for the gate, and hold it.
 * @store: store; of a reader the gate is opened first
 * @err: set on failure
 *
 * Return: 0, -EROFS, or negative errno of the system.
 */
int store_gate_enter(struct store *store, struct error *err);

/**
 * store_gate_leave() - Let others pass.
 * @store: store whose gate is held
 */
void store_gate_leave(struct store *store);

/**
 * store_next() - A number that no other caller of this process gets.
 * @store: store
 *
 * Return: number.
 */
uint64_t store_next(struct store *store);

/**
 * object_path() - Where an object lies.
 * @digest: its name
 * @ret: receives the path relative to the store
 *
 * Return: @ret.
 */
const char *object_path(const struct digest *digest, char ret[OBJECT_PATH_MAX]);

/**
 * object_lies_there() - Whether an object is there, under its name.
 * @store: store; of a writer the object is touched
 * @digest: its name
 *
 * Return: true if so; else errno says why, or is as it was when no file lies there.
 */
bool object_lies_there(struct store *store, const struct digest *digest);

/**
 * object_land() - Give durable content its name.
 * @store: store; its mutex is held
 * @name: path relative to the store
 * @digest: what it hashes to
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int object_land(struct store *store, const char *name, const struct digest *digest,
		struct error *err);

/**
 * pending_has() - Whether an object waits.
 * @pending: objects that wait
 * @digest: its name
 *
 * Return: true if so.
 */
bool pending_has(const struct pending *pending, const struct digest *digest);

/**
 * pending_path() - Where an object lies that waits.
 * @digest: its name
 * @ret: receives the path relative to the store
 *
 * Return: @ret.
 */
const char *pending_path(const struct digest *digest, char ret[OBJECT_PATH_MAX]);

/**
 * pending_enter() - Take the store's mutex with room for one more object that waits; a
 *   full group ends the wait of all.
 * @store: store opened with STORE_WRITE; its mutex is not held
 * @err: set on failure
 *
 * Return: 0 with the mutex held, or negative errno of the system without it.
 */
int pending_enter(struct store *store, struct error *err);

/**
 * pending_add() - Let an object wait.
 * @store: store after pending_enter()
 * @digest: name of what lies at pending_path(); none that waits already
 * @size: its bytes
 * @fd: the file, which belongs to the store from here on
 */
void pending_add(struct store *store, const struct digest *digest, uint64_t size, int fd);

/**
 * pending_put() - Let an object in memory wait; one that is there already is left as it is.
 * @store: store after pending_enter()
 * @data: @len bytes
 * @len: number of bytes
 * @digest: what they hash to
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int pending_put(struct store *store, const void *data, size_t len, const struct digest *digest,
		struct error *err);

/**
 * pending_done() - Release what waits: the files lie where the next writer looks.
 * @pending: objects that wait, or all-zero
 */
void pending_done(struct pending *pending);

/**
 * pending_recover() - Take up what waited when an earlier writer died.
 * @store: store opened with STORE_WRITE
 * @err: set on failure
 *
 * Return: 0, or negative errno of the system.
 */
int pending_recover(struct store *store, struct error *err);
