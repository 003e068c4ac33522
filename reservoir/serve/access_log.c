/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No thread that answers may wait for who reads the log: what a pipe has no room for stays in
 * the buffers, and once these are full, lines are left out and counted.
 */
#include "reservoir/serve/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/thread.h"
#include "reservoir/config/config.h"

#define BUFFER_SIZE 65536u
#define QUOTED_MAX 512u /* bytes of a target or an agent in a line; the rest is left out */
#define LINE_MAX_BYTES (4 * 4 * QUOTED_MAX + 512u) /* four such, with every byte escaped */
#define FLUSH_NS UINT64_C(250000000)
#define LAST_TRIES 20 /* of the lines that are left at the end */
#define LAST_MS 50    /* between two of these */

struct buffer {
	pthread_mutex_t lock;
	size_t len;
	int64_t second; /* that @stamp is of */
	char stamp[40];
	char data[BUFFER_SIZE];
};

struct access_log {
	char path[CONFIG_PATH_SIZE];
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows, and of writing */
	pthread_cond_t wake;
	bool ends;
	int fd;
	bool is_file;	      /* what takes all at once, and no pipe */
	struct buffer *begun; /* with a line that was written in part, or NULL */
	atomic_uint_fast64_t lost;
	bool torn; /* the last write failed */
	struct trouble trouble;
	char out[BUFFER_SIZE];
	struct buffer buffers[ACCESS_LOG_THREADS];
};

static void note_failure(struct access_log *log, int r)
{
	log->torn = true;
	trouble_note(&log->trouble, r, NULL);
}

/* What a full disk took of the last lines may have ended within one. */
static bool mend(struct access_log *log)
{
	int r = log->torn ? file_write_all(log->fd, "\n", 1) : 0;

	if (r < 0)
		note_failure(log, r);
	else
		log->torn = false;
	return r == 0;
}

/* How much of it there was room for; all of it when nothing can be written, as to a full disk.
 * What is ready for more takes PIPE_BUF bytes without a wait: poll(2), pipe(7). */
static size_t write_some(struct access_log *log, const char *data, size_t len)
{
	size_t done = 0;

	if (!mend(log))
		return len;
	while (done < len) {
		struct pollfd room = { .fd = log->fd, .events = POLLOUT };
		size_t left = len - done;
		ssize_t n;

		if (!log->is_file && poll(&room, 1, 0) <= 0)
			break;
		n = write(log->fd, data + done, log->is_file ? left : MIN(left, (size_t)PIPE_BUF));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			note_failure(log, n < 0 ? -errno : -EIO);
			return len;
		}
		done += (size_t)n;
	}
	if (done > 0)
		trouble_note(&log->trouble, 0, NULL);
	return done;
}

/* Writes what one thread has gathered, as far as there is room. */
static void drain(struct access_log *log, struct buffer *buffer)
{
	size_t len, n;

	(void)pthread_mutex_lock(&buffer->lock);
	len = buffer->len;
	memcpy(log->out, buffer->data, len);
	(void)pthread_mutex_unlock(&buffer->lock);
	n = write_some(log, log->out, len);
	if (n == 0)
		return;
	log->begun = log->out[n - 1] == '\n' ? NULL : buffer;
	(void)pthread_mutex_lock(&buffer->lock);
	memmove(buffer->data, buffer->data + n, buffer->len - n);
	__atomic_store_n(&buffer->len, buffer->len - n, __ATOMIC_RELAXED);
	(void)pthread_mutex_unlock(&buffer->lock);
}

/* The same, behind the rest of another's line; called with the lock of the log. */
static void flush_one(struct access_log *log, struct buffer *buffer)
{
	if (log->begun && log->begun != buffer)
		drain(log, log->begun);
	if (!log->begun || log->begun == buffer)
		drain(log, buffer);
}

/* Whether all is written. */
static bool flush_all(struct access_log *log)
{
	bool all = true;

	for (size_t i = 0; i < ACCESS_LOG_THREADS; i++) {
		struct buffer *buffer = &log->buffers[i];

		if (__atomic_load_n(&buffer->len, __ATOMIC_RELAXED) > 0)
			flush_one(log, buffer);
		all &= __atomic_load_n(&buffer->len, __ATOMIC_RELAXED) == 0;
	}
	return all;
}

static void tell_lost(struct access_log *log)
{
	uint64_t lost = atomic_exchange(&log->lost, 0);

	if (lost > 0)
		log_warning("serve", "%llu lines are not in the access log: it was not read",
			    (unsigned long long)lost);
}

static void *run(void *ctx)
{
	struct access_log *log = ctx;

	(void)pthread_mutex_lock(&log->lock);
	while (!log->ends) {
		(void)thread_wait(&log->wake, &log->lock, clock_ns() + FLUSH_NS);
		if (!flush_all(log))
			continue;
		(void)pthread_mutex_unlock(&log->lock);
		tell_lost(log);
		(void)pthread_mutex_lock(&log->lock);
	}
	(void)pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* One with a name may be that of a pipe, which must not wait either. */
static int open_file(const char *path, struct error *err)
{
	int fd = strcmp(path, "-") == 0
			 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
			 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0640);

	return fd < 0 ? error_set(err, errno, "the access log '%s' cannot be opened: %s", path,
				  strerror(errno))
		      : fd;
}

static void use_file(struct access_log *log, int fd)
{
	struct stat st;

	log->fd = fd;
	log->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int access_log_new(const char *path, struct access_log **ret, struct error *err)
{
	struct access_log *log;
	int fd = open_file(path, err);

	if (fd < 0)
		return fd;
	log = calloc(1, sizeof(*log));
	if (!log || str_copy(log->path, sizeof(log->path), path) < 0) {
		free(log);
		(void)close(fd);
		return error_set(err, ENOMEM, "no memory for the access log");
	}
	use_file(log, fd);
	log->trouble.what = "the access log";
	(void)pthread_mutex_init(&log->lock, NULL);
	(void)pthread_cond_init(&log->wake, NULL);
	for (size_t i = 0; i < ACCESS_LOG_THREADS; i++)
		(void)pthread_mutex_init(&log->buffers[i].lock, NULL);
	if (pthread_create(&log->thread, NULL, run, log) != 0) {
		(void)close(fd);
		free(log);
		return error_set(err, EAGAIN, "no thread for the access log");
	}
	*ret = log;
	return 0;
}

const struct trouble *access_log_trouble(const struct access_log *log)
{
	return &log->trouble;
}

void access_log_free(struct access_log *log)
{
	if (!log)
		return;
	(void)pthread_mutex_lock(&log->lock);
	log->ends = true;
	(void)pthread_cond_signal(&log->wake);
	(void)pthread_mutex_unlock(&log->lock);
	(void)pthread_join(log->thread, NULL);
	for (int i = 0; i < LAST_TRIES && !flush_all(log); i++)
		(void)poll(NULL, 0, LAST_MS);
	tell_lost(log);
	for (size_t i = 0; i < ACCESS_LOG_THREADS; i++)
		(void)pthread_mutex_destroy(&log->buffers[i].lock);
	(void)pthread_cond_destroy(&log->wake);
	(void)pthread_mutex_destroy(&log->lock);
	(void)close(log->fd);
	free(log);
}

int access_log_reopen(struct access_log *log, struct error *err)
{
	int fd;

	if (!log)
		return 0;
	fd = open_file(log->path, err);
	if (fd < 0)
		return fd;
	(void)pthread_mutex_lock(&log->lock);
	(void)flush_all(log);
	(void)close(log->fd);
	use_file(log, fd);
	(void)pthread_mutex_unlock(&log->lock);
	return 0;
}

/* Puts a text in quotes, so that no client can write a line of its own. */
static char *put_quoted(char *p, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const char *end = text + QUOTED_MAX;

	for (; *text && text < end; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			*p++ = *text;
			continue;
		}
		*p++ = '\\';
		*p++ = 'x';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	return p;
}

static char *put_text(char *p, const char *text)
{
	while (*text)
		*p++ = *text++;
	return p;
}

static char *put_number(char *p, uint64_t number)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static void set_stamp(struct buffer *buffer, int64_t now)
{
	time_t time = (time_t)now;
	struct tm tm;

	if (buffer->second == now)
		return;
	buffer->second = now;
	(void)localtime_r(&time, &tm);
	if (strftime(buffer->stamp, sizeof(buffer->stamp), " [%d/%b/%Y:%H:%M:%S %z] \"", &tm) == 0)
		buffer->stamp[0] = '\0';
}

static size_t format(struct buffer *buffer, const struct access_line *line, char *out)
{
	char *p = put_text(out, line->address);

	p = put_text(p, " - ");
	p = put_text(p, line->user);
	set_stamp(buffer, line->time);
	p = put_text(p, buffer->stamp);
	p = put_quoted(p, line->method); /* any word that a client sends */
	*p++ = ' ';
	p = put_quoted(p, line->target);
	*p++ = ' ';
	p = put_text(p, line->version); /* one that the library knows */
	p = put_text(p, "\" ");
	p = put_number(p, line->status);
	*p++ = ' ';
	p = put_number(p, line->bytes);
	p = put_text(p, " \"");
	p = put_quoted(p, line->referer ? line->referer : "-");
	p = put_text(p, "\" \"");
	p = put_quoted(p, line->user_agent ? line->user_agent : "-");
	p = put_text(p, "\" ");
	p = put_text(p, line->repository);
	*p++ = ' ';
	p = put_number(p, line->duration_ns / 1000000);
	*p++ = '\n';
	return (size_t)(p - out);
}

void access_log_add(struct access_log *log, unsigned int thread, const struct access_line *line)
{
	struct buffer *buffer;

	if (!log)
		return;
	buffer = &log->buffers[thread];
	(void)pthread_mutex_lock(&buffer->lock);
	if (buffer->len + LINE_MAX_BYTES > BUFFER_SIZE) {
		(void)pthread_mutex_unlock(&buffer->lock);
		(void)pthread_mutex_lock(&log->lock);
		flush_one(log, buffer);
		(void)pthread_mutex_unlock(&log->lock);
		(void)pthread_mutex_lock(&buffer->lock);
	}
	if (buffer->len + LINE_MAX_BYTES > BUFFER_SIZE)
		atomic_fetch_add(&log->lost, 1);
	else
		__atomic_store_n(&buffer->len,
				 buffer->len + format(buffer, line, buffer->data + buffer->len),
				 __ATOMIC_RELAXED);
	(void)pthread_mutex_unlock(&buffer->lock);
}
