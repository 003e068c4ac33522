/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creating, opening and locking a store.
 *
 * The file `format` is made last, so that what is half created is no store; creating
 * again goes on with it.  The text of the lock says who has it; it is only believed
 * while the lock is held, as a process that was killed leaves it behind.
 */
#include "reservoir/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/store/durable.h"
#include "reservoir/store/generation_private.h"
#include "reservoir/store/object.h"
#include "reservoir/store/spiller.h"
#include "reservoir/store/store_private.h"

#define FORMAT_NAME "silica-reservoir"
#define FORMAT_TEXT_MAX 128
#define CMDLINE_MAX 4096

static const char *const directories[] = {
	"objects", "staging", "quarantine", "generations", "snapshots",
};

/* What may lie in a directory that becomes a store: an interrupted creation, and what
 * mkfs makes. */
static bool may_be_there(const char *name)
{
	static const char *const names[] = { ".", "..", "lost+found", "current", "lock", "gate" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (strcmp(name, directories[i]) == 0)
			return true;
	return name[0] == '.' && strstr(name, ".new");
}

static int check_empty(const char *path, struct error *err)
{
	_cleanup_closedir_ DIR *dir = opendir(path);

	if (!dir)
		return error_set(err, errno, "open '%s': %m", path);
	if (faccessat(dirfd(dir), "format", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, EEXIST, "there is a store in '%s' already", path);
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? error_set(err, errno, "read '%s': %m", path) : 0;
		if (!may_be_there(entry->d_name))
			return error_set(err, EEXIST, "'%s' is not empty: it has '%s'", path,
					 entry->d_name);
	}
}

static int make_id(char id[STORE_ID_MAX], struct error *err)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_set(err, errno, "no random bytes: %m");
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int make_directories(int fd, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(directories); i++) {
		if (mkdirat(fd, directories[i], 0755) < 0 && errno != EEXIST)
			return error_set(err, errno, "make directory '%s': %m", directories[i]);
	}
	for (unsigned int i = 0; i < OBJECT_FANOUT; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "objects/%02x", i);
		if (mkdirat(fd, path, 0755) < 0 && errno != EEXIST)
			return error_set(err, errno, "make directory '%s': %m", path);
	}
	return durable_sync_dir(fd, "objects", err);
}

static int fill(int fd, struct error *err)
{
	char id[STORE_ID_MAX];
	char text[FORMAT_TEXT_MAX];
	int r = make_directories(fd, err);

	if (r == 0)
		r = generation_publish_first(fd, err);
	if (r == 0)
		r = make_id(id, err);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), FORMAT_NAME " %d %s\n", STORE_FORMAT, id);
	return durable_publish(fd, ".", "format", text, strlen(text), 0444, err);
}

static int parse_format(char *text, char id[STORE_ID_MAX], struct error *err)
{
	char *number_text = text + strlen(FORMAT_NAME " ");
	size_t digits;
	uint64_t number;

	(void)str_trim(text);
	if (!str_starts_with(text, FORMAT_NAME " "))
		return error_set(err, EBADMSG, "the file 'format' is damaged");
	digits = strcspn(number_text, " ");
	text = number_text + digits + (number_text[digits] == ' ');
	number_text[digits] = '\0';
	if (parse_u64(number_text, 10, &number) < 0)
		return error_set(err, EBADMSG, "the file 'format' is damaged");
	if (number > STORE_FORMAT)
		return error_set(err, ENOTSUP,
				 "the store has format %" PRIu64
				 ", made by a newer version; this one knows up to %d",
				 number, STORE_FORMAT);
	if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
		return error_set(err, EBADMSG, "the file 'format' is damaged");
	return str_copy(id, STORE_ID_MAX, text);
}

static int read_format(struct store *store, struct error *err)
{
	char text[FORMAT_TEXT_MAX];
	ssize_t n = file_read(store->fd, "format", text, sizeof(text), err);

	if (n == -ENOENT)
		return error_set(err, ENOENT,
				 "there is no store; `silica-reservoir init` makes one");
	return n < 0 ? (int)n : parse_format(text, store->id, err);
}

/* -- Locks -------------------------------------------------------------- */

static int set_lock(int fd, short type, int command)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	while (fcntl(fd, command, &lock) < 0)
		if (errno != EINTR)
			return errno == EACCES ? -EAGAIN : -errno;
	return 0;
}

static int open_writable(int dirfd, const char *name, struct error *err)
{
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		return error_set(err, EROFS, "the store cannot be written: open '%s': %m", name);
	return error_set(err, errno, "open '%s': %m", name);
}

static int wait_for_gate(int fd, struct error *err)
{
	int r = set_lock(fd, F_WRLCK, F_OFD_SETLKW);

	return r < 0 ? error_set(err, -r, "wait for the gate: %s", error_text(NULL, r)) : 0;
}

/* -- Creating ----------------------------------------------------------- */

/* The first pods of a site all begin with this: one creates, the others find a store. */
static int fill_alone(int fd, const char *dir, struct error *err)
{
	_cleanup_close_ int gate = open_writable(fd, "gate", err);
	int r = gate < 0 ? gate : wait_for_gate(gate, err);

	if (r == 0)
		r = check_empty(dir, err);
	return r < 0 ? r : fill(fd, err);
}

int store_create(const char *dir, struct error *err)
{
	_cleanup_close_ int fd = -1;
	int r = durable_mkdir(AT_FDCWD, dir, err);

	if (r == 0)
		r = check_empty(dir, err);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, errno, "open '%s': %m", dir);
	r = fill_alone(fd, dir, err);
	return r < 0 ? error_wrap(err, r, "make a store in '%s'", dir) : 0;
}

/* -- The gate ----------------------------------------------------------- */

int store_gate_enter(struct store *store, struct error *err)
{
	int r;

	(void)pthread_mutex_lock(&store->gate);
	if (store->gate_fd < 0)
		store->gate_fd = open_writable(store->fd, "gate", err);
	r = store->gate_fd < 0 ? store->gate_fd : wait_for_gate(store->gate_fd, err);
	if (r < 0)
		(void)pthread_mutex_unlock(&store->gate);
	return r;
}

void store_gate_leave(struct store *store)
{
	(void)set_lock(store->gate_fd, F_UNLCK, F_OFD_SETLK);
	(void)pthread_mutex_unlock(&store->gate);
}

/* The command is the first word behind the program's name. */
static void command_name(char *text, size_t size)
{
	char line[CMDLINE_MAX];
	ssize_t n = file_read(AT_FDCWD, "/proc/self/cmdline", line, sizeof(line), NULL);
	const char *word = n > 0 ? memchr(line, '\0', (size_t)n) : NULL;

	if (!word || word + 1 >= line + n || !str_is_printable(word + 1) ||
	    str_copy(text, size, word + 1) < 0)
		(void)str_copy(text, size, "unknown");
}

static int write_owner(int fd, struct error *err)
{
	char text[STORE_WRITER_MAX];
	char host[128] = "unknown";
	char command[64];
	char since[32];
	struct tm tm;
	time_t now = time(NULL);
	int n;

	(void)gethostname(host, sizeof(host) - 1);
	command_name(command, sizeof(command));
	(void)gmtime_r(&now, &tm);
	(void)strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	n = snprintf(text, sizeof(text), "process %ld on %.100s (%s), since %s\n", (long)getpid(),
		     host, command, since);
	if (n < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n)
		return error_set(err, errno, "write 'lock': %m");
	return 0;
}

static void read_owner(int fd, char text[STORE_WRITER_MAX])
{
	ssize_t n = pread(fd, text, STORE_WRITER_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	(void)str_trim(text);
	if (text[0] == '\0' || !str_is_printable(text))
		(void)str_copy(text, STORE_WRITER_MAX, "another process");
}

static int take_lock(struct store *store, struct error *err)
{
	char owner[STORE_WRITER_MAX];
	struct stat st;
	int r = set_lock(store->lock_fd, F_WRLCK, F_OFD_SETLK);

	if (r == -EAGAIN) {
		read_owner(store->lock_fd, owner);
		return error_set(err, EBUSY, "the store is being written by %s", owner);
	}
	if (r < 0)
		return error_set(err, -r, "lock the store: %s", error_text(NULL, r));
	r = write_owner(store->lock_fd, err);
	/* By the file system's own clock, which objects are compared with. */
	if (r == 0 && (futimens(store->lock_fd, NULL) < 0 || fstat(store->lock_fd, &st) < 0))
		r = error_set(err, errno, "touch 'lock': %m");
	if (r == 0)
		store->since = st.st_ctim;
	return r;
}

static int lock(struct store *store, struct error *err)
{
	int r;

	store->lock_fd = open_writable(store->fd, "lock", err);
	if (store->lock_fd < 0)
		return store->lock_fd;
	r = store_gate_enter(store, err);
	if (r < 0)
		return r;
	r = take_lock(store, err);
	store_gate_leave(store);
	return r;
}

int store_writer(const struct store *store, char ret[STORE_WRITER_MAX], int64_t *ret_since)
{
	_cleanup_close_ int fd =
		openat(store->fd, "lock", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	struct flock held = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct stat st;

	ret[0] = '\0';
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_OFD_GETLK, &held) < 0)
		return -errno;
	if (held.l_type == F_UNLCK)
		return 0;
	read_owner(fd, ret);
	if (ret_since)
		*ret_since = fstat(fd, &st) < 0 ? 0 : (int64_t)st.st_ctim.tv_sec;
	return 1;
}

/* -- Opening ------------------------------------------------------------ */

static int open_parts(const char *dir, struct store *store, struct error *err)
{
	int r;

	store->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0)
		return error_set(err, errno, "%m");
	r = read_format(store, err);
	if (r < 0 || store->access == STORE_READ)
		return r;
	r = lock(store, err);
	return r < 0 ? r : pending_recover(store, err);
}

int store_open(const char *dir, enum store_access access, struct store **ret, struct error *err)
{
	_cleanup_(store_closep) struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return error_set(err, ENOMEM, "no memory for a store");
	store->fd = store->lock_fd = store->gate_fd = -1;
	store->access = access;
	(void)pthread_mutex_init(&store->gate, NULL);
	(void)pthread_mutex_init(&store->landing, NULL);
	(void)pthread_mutex_init(&store->mutex, NULL);
	r = open_parts(dir, store, err);
	if (r < 0)
		return error_wrap(err, r, "store '%s'", dir);
	*ret = TAKE_PTR(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	spiller_free(store->spiller);
	while (store->n_buffers > 0)
		free(store->buffers[--store->n_buffers]);
	pending_done(&store->pending);
	if (store->lock_fd >= 0)
		(void)close(store->lock_fd);
	if (store->gate_fd >= 0)
		(void)close(store->gate_fd);
	if (store->fd >= 0)
		(void)close(store->fd);
	(void)pthread_mutex_destroy(&store->gate);
	(void)pthread_mutex_destroy(&store->landing);
	(void)pthread_mutex_destroy(&store->mutex);
	free(store);
}

const char *store_id(const struct store *store)
{
	return store->id;
}

int store_dirfd(const struct store *store)
{
	return store->fd;
}

uint64_t store_next(struct store *store)
{
	uint64_t n;

	(void)pthread_mutex_lock(&store->mutex);
	n = store->counter++;
	(void)pthread_mutex_unlock(&store->mutex);
	return n;
}

int store_free_bytes(const struct store *store, uint64_t *ret, struct error *err)
{
	struct statvfs fs;

	if (fstatvfs(store->fd, &fs) < 0)
		return error_set(err, errno, "ask the file system what is free: %m");
	*ret = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}
