/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All values lie in one table; a transaction begins with the first write and ends
 * with catalogue_commit().  The store's lock has one writer, so the database is
 * locked for good and needs no shared memory, which file systems of a network lack.
 */
#include "reservoir/store/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/macro.h"
#include "reservoir/store/store_private.h"

#define FILE_NAME "catalogue.sqlite"
#define PATH_SIZE 64 /* of /proc/self/fd/N/catalogue.sqlite */
#define EVENT_MAX 64
#define TEXT_MAX 4096 /* of an event: a list of names is told as a number */

enum statement {
	GET,
	PUT,
	REMOVE,
	EACH,
	NEXT_SPACE,
	FORGET,
	LAST_EVENT,
	ADD_EVENT,
	_STATEMENT_MAX,
};

static const char *const statements[] = {
	[GET] = "SELECT value FROM entry WHERE space = ?1 AND key = ?2",
	[PUT] = ("INSERT INTO entry (space, key, value) VALUES (?1, ?2, ?3) "
		 "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value"),
	[REMOVE] = "DELETE FROM entry WHERE space = ?1 AND key = ?2",
	/* Keys and spaces are texts: not NULL, and before every blob. */
	[EACH] = "SELECT key, value FROM entry WHERE space = ?1 AND key >= '' ORDER BY key",
	[NEXT_SPACE] = "SELECT min(space) FROM entry WHERE space > ?1 AND space < x''",
	[FORGET] = "DELETE FROM entry WHERE space = ?1",
	[LAST_EVENT] = "SELECT hash FROM audit ORDER BY number DESC LIMIT 1",
	[ADD_EVENT] = "INSERT INTO audit (time, event, text, hash) VALUES (?1, ?2, ?3, ?4)",
};

static const char *const schema[] = {
	"PRAGMA locking_mode = EXCLUSIVE",
	"PRAGMA synchronous = OFF", /* of an empty database nothing can be lost */
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL",
	"PRAGMA cache_size = -4096", /* KiB */
	"BEGIN",
	("CREATE TABLE IF NOT EXISTS entry (space TEXT NOT NULL, key TEXT NOT NULL, "
	 "value BLOB NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID"),
	("CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, "
	 "event TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL)"),
	"COMMIT",
};

struct catalogue {
	struct store *store;
	sqlite3 *db;
	sqlite3_stmt *prepared[_STATEMENT_MAX];
	bool in_transaction;
	bool has_room; /* of what was forgotten, to be given back */
	bool damaged;  /* moved aside when it is closed */
};

static int open_ourselves(const struct catalogue *catalogue, const char *name)
{
	_cleanup_close_ int fd =
		openat(catalogue->store->fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : 0;
}

/* What the system said.  A file that cannot be opened for writing is tried for reading, and
 * only what that came to is told: so it is asked again. */
static int system_code(struct catalogue *catalogue, int code)
{
	int said = code == SQLITE_CANTOPEN ? -open_ourselves(catalogue, FILE_NAME "-wal")
					   : sqlite3_system_errno(catalogue->db);

	switch (code) {
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_FULL:
		return said ? said : ENOSPC;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return said ? said : EIO;
	default:
		return EIO;
	}
}

static int damaged(struct catalogue *catalogue, struct error *err)
{
	catalogue->damaged = true;
	return error_set(err, EBADMSG, "the catalogue is damaged: %s",
			 sqlite3_errmsg(catalogue->db));
}

static int failed(struct catalogue *catalogue, struct error *err)
{
	int code = sqlite3_errcode(catalogue->db) & 255;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return damaged(catalogue, err);
	errno = system_code(catalogue, code);
	return error_set(err, errno, "'" FILE_NAME "': %s: %m", sqlite3_errmsg(catalogue->db));
}

static int execute(struct catalogue *catalogue, const char *sql, struct error *err)
{
	return sqlite3_exec(catalogue->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : failed(catalogue, err);
}

/* What is not ours does nothing when a table is used. */
static void distrust(struct catalogue *catalogue)
{
	static const int features[] = { SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
					SQLITE_DBCONFIG_TRUSTED_SCHEMA };

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		(void)sqlite3_db_config(catalogue->db, features[i], 0, NULL);
}

static int prepare(struct catalogue *catalogue, struct error *err)
{
	distrust(catalogue);
	for (size_t i = 0; i < ARRAY_SIZE(schema); i++) {
		int r = execute(catalogue, schema[i], err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < _STATEMENT_MAX; i++) {
		int code = sqlite3_prepare_v3(catalogue->db, statements[i], -1,
					      SQLITE_PREPARE_PERSISTENT, &catalogue->prepared[i],
					      NULL);

		/* Tables of these names that are no such tables. */
		if (code == SQLITE_ERROR)
			return damaged(catalogue, err);
		if (code != SQLITE_OK)
			return failed(catalogue, err);
	}
	return 0;
}

static void close_db(struct catalogue *catalogue)
{
	for (size_t i = 0; i < _STATEMENT_MAX; i++) {
		(void)sqlite3_finalize(catalogue->prepared[i]);
		catalogue->prepared[i] = NULL;
	}
	(void)sqlite3_close_v2(catalogue->db);
	catalogue->db = NULL;
	catalogue->in_transaction = false;
}

static int open_db(struct catalogue *catalogue, struct error *err)
{
	char path[PATH_SIZE];
	int r = open_ourselves(catalogue, FILE_NAME);

	if (r < 0)
		return error_set(err, -r, "open '" FILE_NAME "': %s", strerror(-r));
	/* By descriptor: the directory may have moved since it was opened. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" FILE_NAME, catalogue->store->fd);
	if (sqlite3_open_v2(path, &catalogue->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			    NULL) != SQLITE_OK)
		return catalogue->db ? failed(catalogue, err)
				     : error_set(err, ENOMEM, "no memory for the catalogue");
	(void)sqlite3_busy_timeout(catalogue->db, 5000);
	return prepare(catalogue, err);
}

static void move_aside(const struct store *store)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char from[PATH_SIZE];
		char to[PATH_SIZE];

		(void)snprintf(from, sizeof(from), FILE_NAME "%s", ends[i]);
		(void)snprintf(to, sizeof(to), "catalogue.damaged%s", ends[i]);
		(void)renameat(store->fd, from, store->fd, to);
	}
}

int catalogue_open(struct store *store, struct catalogue **ret, struct error *err)
{
	_cleanup_(catalogue_closep) struct catalogue *catalogue = calloc(1, sizeof(*catalogue));
	int r;

	if (!catalogue)
		return error_set(err, ENOMEM, "no memory for the catalogue");
	catalogue->store = store;
	r = open_db(catalogue, err);
	if (r == -EBADMSG) {
		close_db(catalogue);
		move_aside(store);
		catalogue->damaged = false;
		(void)error_set(err, EBADMSG,
				"the catalogue was damaged and is begun anew; the old one is "
				"'catalogue.damaged' in the store");
		r = open_db(catalogue, NULL);
		if (r < 0)
			return error_set(err, -r, "the catalogue is damaged, and cannot be made");
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(catalogue);
	return 0;
}

void catalogue_close(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	close_db(catalogue);
	if (catalogue->damaged)
		move_aside(catalogue->store);
	free(catalogue);
}

/* -- Values ------------------------------------------------------------- */

/* A disk that is full, or fails, ends a transaction, also one that others have written to. */
static int check_transaction(struct catalogue *catalogue, struct error *err)
{
	if (!sqlite3_get_autocommit(catalogue->db))
		return 0;
	catalogue->in_transaction = false;
	return error_set(err, EIO, "'" FILE_NAME "': what was written before it failed is undone");
}

static int begin(struct catalogue *catalogue, struct error *err)
{
	int r;

	if (catalogue->in_transaction)
		return check_transaction(catalogue, err);
	r = execute(catalogue, "BEGIN IMMEDIATE", err);
	catalogue->in_transaction = r == 0;
	return r;
}

static sqlite3_stmt *bind(struct catalogue *catalogue, enum statement which, const char *space,
			  const char *key)
{
	sqlite3_stmt *statement = catalogue->prepared[which];

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	(void)sqlite3_bind_text(statement, 1, space, -1, SQLITE_STATIC);
	if (key)
		(void)sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
	return statement;
}

static int end(struct catalogue *catalogue, sqlite3_stmt *statement, int code, struct error *err)
{
	int r = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : failed(catalogue, err);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return r;
}

int catalogue_get(struct catalogue *catalogue, const char *space, const char *key,
		  struct strbuf *ret, struct error *err)
{
	sqlite3_stmt *statement = bind(catalogue, GET, space, key);
	int code = sqlite3_step(statement);
	int r;

	if (code == SQLITE_ROW)
		strbuf_add(ret, sqlite3_column_blob(statement, 0),
			   (size_t)sqlite3_column_bytes(statement, 0));
	r = end(catalogue, statement, code, err);
	if (r < 0)
		return r;
	if (code == SQLITE_DONE)
		return error_set(err, ENOENT, "the catalogue has no '%.64s' of '%.64s'", key,
				 space);
	return strbuf_error(ret) < 0
		       ? error_set(err, -strbuf_error(ret), "a value of the catalogue is too long")
		       : 0;
}

int catalogue_put(struct catalogue *catalogue, const char *space, const char *key,
		  const void *value, size_t len, struct error *err)
{
	sqlite3_stmt *statement;
	int r;

	if (strlen(key) >= CATALOGUE_KEY_MAX || strlen(space) >= CATALOGUE_KEY_MAX ||
	    len > CATALOGUE_VALUE_MAX)
		return error_set(err, E2BIG, "'%.64s' of '%.64s' is too long for the catalogue",
				 key, space);
	r = begin(catalogue, err);
	if (r < 0)
		return r;
	statement = bind(catalogue, value ? PUT : REMOVE, space, key);
	if (value && (len ? sqlite3_bind_blob(statement, 3, value, (int)len, SQLITE_STATIC)
			  : sqlite3_bind_zeroblob(statement, 3, 0)) != SQLITE_OK)
		return failed(catalogue, err);
	return end(catalogue, statement, sqlite3_step(statement), err);
}

int catalogue_each(struct catalogue *catalogue, const char *space, catalogue_fn fn, void *ctx,
		   struct error *err)
{
	sqlite3_stmt *statement = bind(catalogue, EACH, space, NULL);
	int code = sqlite3_step(statement);
	int r = 0;

	while (code == SQLITE_ROW) {
		r = fn(ctx, (const char *)sqlite3_column_text(statement, 0),
		       sqlite3_column_blob(statement, 1),
		       (size_t)sqlite3_column_bytes(statement, 1));
		if (r < 0)
			break;
		code = sqlite3_step(statement);
	}
	if (r < 0) {
		(void)end(catalogue, statement, SQLITE_DONE, NULL);
		return r;
	}
	return end(catalogue, statement, code, err);
}

int catalogue_next_space(struct catalogue *catalogue, const char *after, struct strbuf *ret,
			 struct error *err)
{
	sqlite3_stmt *statement = bind(catalogue, NEXT_SPACE, after, NULL);
	int code = sqlite3_step(statement);
	const char *text =
		code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	int r;

	if (text)
		strbuf_puts(ret, text);
	else if (code == SQLITE_ROW)
		code = SQLITE_DONE;
	r = end(catalogue, statement, code, err);
	if (r == 0 && code == SQLITE_DONE)
		return -ENOENT;
	return r < 0 || strbuf_error(ret) == 0 ? r : error_set(err, ENOMEM, "no memory for a kind");
}

int catalogue_forget(struct catalogue *catalogue, const char *space, struct error *err)
{
	sqlite3_stmt *statement;
	int r = begin(catalogue, err);

	if (r < 0)
		return r;
	statement = bind(catalogue, FORGET, space, NULL);
	r = end(catalogue, statement, sqlite3_step(statement), err);
	catalogue->has_room |= r == 0 && sqlite3_changes(catalogue->db) > 0;
	return r;
}

void catalogue_rollback(struct catalogue *catalogue)
{
	if (!sqlite3_get_autocommit(catalogue->db))
		(void)execute(catalogue, "ROLLBACK", NULL);
	catalogue->in_transaction = false;
	catalogue->has_room = false;
}

int catalogue_commit(struct catalogue *catalogue, struct error *err)
{
	int r;

	if (!catalogue->in_transaction)
		return 0;
	r = check_transaction(catalogue, err);
	if (r == 0)
		r = execute(catalogue, "COMMIT", err);
	if (r < 0) {
		catalogue_rollback(catalogue);
		return r;
	}
	catalogue->in_transaction = false;
	/* On a full disk it is given back another time, or used by what comes. */
	if (catalogue->has_room)
		(void)execute(catalogue, "VACUUM", NULL);
	catalogue->has_room = false;
	return 0;
}

/* -- Audit -------------------------------------------------------------- */

static int last_event(struct catalogue *catalogue, struct digest *ret, struct error *err)
{
	sqlite3_stmt *statement = catalogue->prepared[LAST_EVENT];
	int code = sqlite3_step(statement);

	*ret = (struct digest) { 0 };
	if (code == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == DIGEST_SIZE)
		memcpy(ret->bytes, sqlite3_column_blob(statement, 0), DIGEST_SIZE);
	return end(catalogue, statement, code, err);
}

/* Each event hashes the one before, so that none can be changed or left out alone. */
static int chain(const struct digest *last, int64_t now, const char *event, const char *text,
		 struct digest *ret, struct error *err)
{
	_cleanup_(hasher_freep) struct hasher *hasher = NULL;
	char time_text[32];
	int n = snprintf(time_text, sizeof(time_text), "%" PRId64, now);
	int r = hasher_new(&hasher, err);

	if (r < 0)
		return r;
	hasher_add(hasher, last->bytes, DIGEST_SIZE);
	hasher_add(hasher, time_text, (size_t)n + 1);
	hasher_add(hasher, event, strlen(event) + 1);
	hasher_add(hasher, text, strlen(text) + 1);
	*ret = hasher_end(hasher);
	return 0;
}

int catalogue_audit(struct catalogue *catalogue, const char *event, const char *text,
		    struct error *err)
{
	sqlite3_stmt *statement = catalogue->prepared[ADD_EVENT];
	int64_t now = (int64_t)time(NULL);
	struct digest last;
	struct digest hash;
	int r;

	if (strlen(event) >= EVENT_MAX || strlen(text) >= TEXT_MAX)
		return error_set(err, E2BIG, "the event '%.64s' is too long", event);
	r = begin(catalogue, err);
	if (r == 0)
		r = last_event(catalogue, &last, err);
	if (r == 0)
		r = chain(&last, now, event, text, &hash, err);
	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(statement, 1, now);
	(void)sqlite3_bind_text(statement, 2, event, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 3, text, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(statement, 4, hash.bytes, DIGEST_SIZE, SQLITE_STATIC);
	return end(catalogue, statement, sqlite3_step(statement), err);
}
