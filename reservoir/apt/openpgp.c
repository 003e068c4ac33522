/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpgv gets everything in files that are only in memory, under fixed numbers, and writes
 * into such files: there are no pipes to block on and no names to guess.
 */
#include "reservoir/apt/openpgp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rnp/rnp.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"

#define BEGIN_SIGNED "-----BEGIN PGP SIGNED MESSAGE-----"
#define END_SIGNATURE "-----END PGP SIGNATURE-----"
#define BEGIN_KEYS "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define END_KEYS "-----END PGP PUBLIC KEY BLOCK-----"
#define STATUS_MAX ((size_t)64 * 1024) /* a signature is told in half a kB */

/* The numbers that gpgv has its files under. */
enum {
	FD_STATUS = 3,
	FD_KEYRING,
	FD_TEXT,
	FD_SIGNATURE,
	FD_OUTPUT,
	_FD_MAX,
};

static int memory_file(const void *data, size_t len, struct error *err)
{
	_cleanup_close_ int fd = memfd_create("openpgp", MFD_CLOEXEC);
	const char *at = data;

	if (fd < 0)
		return error_set(err, errno, "memfd_create: %s", strerror(errno));
	/* Out of the way of the numbers above, so that dup2() of one does not close another. */
	if (fd < _FD_MAX) {
		int high = fcntl(fd, F_DUPFD_CLOEXEC, _FD_MAX);

		if (high < 0)
			return error_set(err, errno, "dup: %s", strerror(errno));
		(void)close(fd);
		fd = high;
	}
	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n <= 0)
			return error_set(err, errno, "write in memory: %s", strerror(errno));
		at += n;
		len -= (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_set(err, errno, "seek in memory: %s", strerror(errno));
	return TAKE_FD(fd);
}

static int read_all(int fd, size_t max, struct strbuf *ret, const char *what, struct error *err)
{
	char buf[16384];
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);

		if (n < 0)
			return error_set(err, errno, "read %s: %s", what, strerror(errno));
		if (n == 0)
			break;
		at += n;
		if ((size_t)at > max)
			return error_set(err, EFBIG, "%s has more than %zu bytes", what, max);
		strbuf_add(ret, buf, (size_t)n);
	}
	return strbuf_error(ret) < 0 ? error_set(err, ENOMEM, "no memory for %s", what) : 0;
}

/* --- keyrings --- */

/* Appends one block of keys that are in ASCII as bytes. */
static int dearmor(const char *block, size_t block_len, struct strbuf *ret, struct error *err)
{
	rnp_input_t input = NULL;
	rnp_output_t output = NULL;
	uint8_t *data = NULL;
	size_t len = 0;
	int r = 0;

	if (rnp_input_from_memory(&input, (const uint8_t *)block, block_len, false) ||
	    rnp_output_to_memory(&output, OPENPGP_KEYRING_MAX) || rnp_dearmor(input, output) ||
	    rnp_output_memory_get_buf(output, &data, &len, false))
		r = error_set(err, EBADMSG, "the armor of the keys is damaged");
	else
		strbuf_add(ret, data, len);
	(void)rnp_output_destroy(output);
	(void)rnp_input_destroy(input);
	return r;
}

/* Keys in ASCII may follow each other in a file, with comments before and between them. */
static int dearmor_all(const struct strbuf *armored, struct strbuf *ret, struct error *err)
{
	const char *stop = armored->data + armored->len;
	const char *block = memmem(armored->data, armored->len, BEGIN_KEYS, strlen(BEGIN_KEYS));
	int r = 0;

	while (r == 0 && block) {
		const char *end = memmem(block, (size_t)(stop - block), END_KEYS, strlen(END_KEYS));
		/* Without an end it is damaged, which is told by whoever reads it. */
		const char *after = end ? end + strlen(END_KEYS) : stop;

		r = dearmor(block, (size_t)(after - block), ret, err);
		block = memmem(after, (size_t)(stop - after), BEGIN_KEYS, strlen(BEGIN_KEYS));
	}
	return r;
}

/* Keys as bytes begin with the tag of a packet, or the length of a keybox's first part. */
static bool is_armored(const struct strbuf *keys)
{
	return keys->data[0] != '\0' && !((unsigned char)keys->data[0] & 0x80) &&
	       memmem(keys->data, keys->len, BEGIN_KEYS, strlen(BEGIN_KEYS));
}

/* Appends the keys of one file. */
static int add_keys(int dirfd, const char *path, struct strbuf *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf keys = STRBUF_INIT(OPENPGP_KEYRING_MAX + 65536);
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_set(err, errno, "keyring '%s': %s", path, strerror(errno));
	r = read_all(fd, OPENPGP_KEYRING_MAX, &keys, "the keyring", err);
	if (r == 0 && keys.len == 0)
		r = error_set(err, EBADMSG, "it is empty");
	if (r == 0 && is_armored(&keys))
		r = dearmor_all(&keys, ret, err);
	else if (r == 0)
		strbuf_add(ret, keys.data, keys.len);
	return r < 0 ? error_wrap(err, r, "keyring '%s'", path) : 0;
}

static bool is_keyring(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && (strcmp(dot, ".gpg") == 0 || strcmp(dot, ".asc") == 0);
}

static int add_folder(int fd, const char *path, struct strbuf *ret, struct error *err)
{
	_cleanup_close_ int other = dup(fd);
	_cleanup_closedir_ DIR *dir = other < 0 ? NULL : fdopendir(other);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_set(err, errno, "keyring '%s': %s", path, strerror(errno));
	(void)TAKE_FD(other);
	for (entry = readdir(dir); r == 0 && entry; entry = readdir(dir))
		if (is_keyring(entry->d_name))
			r = add_keys(fd, entry->d_name, ret, err);
	return r;
}

static int open_keyring(const char *path, int *ret_fd, struct error *err)
{
	_cleanup_strbuf_ struct strbuf keys = STRBUF_INIT(OPENPGP_KEYRING_MAX);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd >= 0 ? add_folder(fd, path, &keys, err) : add_keys(AT_FDCWD, path, &keys, err);

	if (r == 0 && strbuf_error(&keys) < 0)
		r = error_set(err, -strbuf_error(&keys), "keyring '%s' is too long", path);
	if (r == 0 && keys.len == 0)
		r = error_set(err, ENOENT, "keyring '%s' has no files *.gpg and *.asc", path);
	if (r == 0)
		r = memory_file(keys.data, keys.len, err);
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

/* --- the child --- */

static int wait_for(pid_t pid, struct error *err)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n = pidfd < 0 ? -1 : poll(&poll_fd, 1, OPENPGP_TIMEOUT_MS);

	while (n < 0 && pidfd >= 0 && errno == EINTR)
		n = poll(&poll_fd, 1, OPENPGP_TIMEOUT_MS);
	if (n <= 0 && pidfd >= 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return n <= 0 && pidfd >= 0 ? error_set(err, ETIMEDOUT, "gpgv did not answer in %d s",
						OPENPGP_TIMEOUT_MS / 1000)
				    : 0;
}

static int spawn(const int fds[_FD_MAX], char *const *argv, struct error *err)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	static char locale[] = "LC_ALL=C";
	static char home[] = "GNUPGHOME=/nonexistent";
	char *const environment[] = { path, locale, home, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int r = posix_spawn_file_actions_init(&actions);

	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, fds[FD_OUTPUT], 1);
	for (int fd = FD_STATUS; r == 0 && fd < FD_OUTPUT; fd++)
		if (fds[fd] >= 0)
			r = posix_spawn_file_actions_adddup2(&actions, fds[fd], fd);
	if (r == 0)
		r = posix_spawnp(&pid, "gpgv", &actions, NULL, argv, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return error_set(err, r, "gpgv cannot be run: %s", strerror(r));
	return wait_for(pid, err);
}

/* --- what it says --- */

/* A word of the status, and what it says of the signature that it is about. */
static const struct verdict {
	const char *word;
	int code;	  /* 0: good so far */
	const char *text; /* with a place for the key */
} verdicts[] = {
	{ "GOODSIG ", 0, "" },
	{ "BADSIG ", EBADMSG, "the signature of key %s is not for this text: it was changed" },
	{ "EXPKEYSIG ", EKEYREJECTED,
	  "the key %s that signed it has expired: a newer keyring has it for longer, or its "
	  "successor" },
	{ "REVKEYSIG ", EKEYREJECTED, "the key %s that signed it was revoked" },
	{ "EXPSIG ", EKEYREJECTED, "the signature of key %s has expired" },
	{ "NO_PUBKEY ", EKEYREJECTED, "the key %s that signed it is not in the keyring" },
	{ "ERRSIG ", EKEYREJECTED, "the signature of key %s cannot be checked" },
	{ "NODATA ", EBADMSG, "there is no signature" },
};

struct judgement {
	bool last_good; /* GOODSIG was told, and VALIDSIG has not come yet */
	size_t good;
	int code;
	const struct verdict *worst;
	char key[64];
};

static void judge(struct judgement *judgement, const char *line)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		const char *rest = str_starts_with(line, verdicts[i].word);

		if (!rest)
			continue;
		judgement->last_good = verdicts[i].code == 0;
		/* A text that was changed outweighs keys that are not known. */
		if (verdicts[i].code == 0 ||
		    (judgement->worst && judgement->worst->code == EBADMSG))
			return;
		judgement->worst = &verdicts[i];
		(void)snprintf(judgement->key, sizeof(judgement->key), "%.*s",
			       (int)MIN(strcspn(rest, " "), sizeof(judgement->key) - 1), rest);
		return;
	}
	if (str_starts_with(line, "VALIDSIG ") && judgement->last_good) {
		judgement->good++;
		judgement->last_good = false;
	}
}

static int refuse(const struct judgement *judgement, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(ERROR_TEXT_MAX);
	const char *place;

	if (!judgement->worst)
		return error_set(err, EKEYREJECTED, "there is no signature that counts");
	place = strstr(judgement->worst->text, "%s");
	if (place) {
		strbuf_add(&text, judgement->worst->text, (size_t)(place - judgement->worst->text));
		strbuf_puts(&text, judgement->key);
		strbuf_puts(&text, place + 2);
	} else {
		strbuf_puts(&text, judgement->worst->text);
	}
	return error_set(err, judgement->worst->code, "%s", strbuf_str(&text));
}

int openpgp_status(char *status, struct error *err)
{
	struct judgement judgement = { 0 };

	for (char *line = strsep(&status, "\n"); line; line = strsep(&status, "\n")) {
		const char *rest = str_starts_with(line, "[GNUPG:] ");

		if (rest)
			judge(&judgement, rest);
	}
	/* As apt: keys that are not known beside one that is do no harm. */
	if (judgement.good > 0 && !(judgement.worst && judgement.worst->code == EBADMSG))
		return 0;
	return refuse(&judgement, err);
}

/* --- both ways --- */

struct check {
	int fds[_FD_MAX];
};

static void check_done(struct check *check)
{
	for (size_t i = 0; i < _FD_MAX; i++)
		cleanup_closep(&check->fds[i]);
}

static int prepare(struct check *check, const char *keyring, const struct openpgp_input *text,
		   struct error *err)
{
	int r;

	if (text->len > OPENPGP_SIGNED_MAX)
		return error_set(err, EFBIG, "the text has more than %zu bytes",
				 OPENPGP_SIGNED_MAX);
	r = open_keyring(keyring, &check->fds[FD_KEYRING], err);
	if (r < 0)
		return r;
	r = memory_file(text->data, text->len, err);
	if (r < 0)
		return r;
	check->fds[FD_TEXT] = r;
	r = memory_file(NULL, 0, err);
	if (r < 0)
		return r;
	check->fds[FD_STATUS] = r;
	r = memory_file(NULL, 0, err);
	if (r < 0)
		return r;
	check->fds[FD_OUTPUT] = r;
	return 0;
}

static int run(struct check *check, bool detached, struct error *err)
{
	static char words[][24] = { "gpgv", "--status-fd", "3",		"--weak-digest",
				    "SHA1", "--keyring",   "/dev/fd/4", "--output",
				    "-",    "/dev/fd/5",   "/dev/fd/6" };
	char *const inline_argv[] = { words[0], words[1], words[2], words[3], words[4], words[5],
				      words[6], words[7], words[8], words[9], NULL };
	char *const detached_argv[] = { words[0], words[1], words[2],  words[3], words[4],
					words[5], words[6], words[10], words[9], NULL };
	_cleanup_strbuf_ struct strbuf status = STRBUF_INIT(STATUS_MAX + 65536);
	int r = spawn(check->fds, detached ? detached_argv : inline_argv, err);

	if (r == 0)
		r = read_all(check->fds[FD_STATUS], STATUS_MAX, &status, "gpgv's answer", err);
	if (r < 0)
		return r;
	strbuf_puts(&status, "\n");
	return openpgp_status(status.data, err);
}

/* Lines of five dashes behind the first; in the text itself they have "- " in front. */
static size_t count_marks(const char *data, size_t len)
{
	const char *end = data + len;
	size_t n = 0;

	for (;; n++) {
		data = memmem(data, (size_t)(end - data), "\n-----", 6);
		if (!data)
			return n;
		data++;
	}
}

/* Whether it is one clear-signed text with one signature and nothing else: gpgv skips what
 * is around it, and openpgp_strip() must take the very text that gpgv has looked at. */
static bool is_clear_signed(const struct openpgp_input *text)
{
	const char *data = text->data;
	size_t len = text->len;

	while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	return len > strlen(BEGIN_SIGNED) + strlen(END_SIGNATURE) &&
	       memcmp(data, BEGIN_SIGNED, strlen(BEGIN_SIGNED)) == 0 &&
	       memcmp(data + len - strlen(END_SIGNATURE), END_SIGNATURE, strlen(END_SIGNATURE)) ==
		       0 &&
	       count_marks(data, len) == 2 &&
	       !memmem(data + 1, len - 1, BEGIN_SIGNED, strlen(BEGIN_SIGNED));
}

int openpgp_read_inline(const char *keyring, const struct openpgp_input *text, struct strbuf *ret,
			struct error *err)
{
	_cleanup_(check_done) struct check check = { { -1, -1, -1, -1, -1, -1, -1, -1 } };
	int r;

	if (!is_clear_signed(text))
		return error_set(err, EBADMSG, "it is not one clear-signed text");
	r = prepare(&check, keyring, text, err);
	if (r == 0)
		r = run(&check, false, err);
	if (r == 0)
		r = read_all(check.fds[FD_OUTPUT], OPENPGP_SIGNED_MAX, ret, "the signed text", err);
	return r;
}

int openpgp_strip(const struct openpgp_input *text, struct strbuf *ret, struct error *err)
{
	static const char begin[] = BEGIN_SIGNED "\n";
	static const char signature[] = "\n-----BEGIN PGP SIGNATURE-----";
	const char *data = text->data;
	const char *stop = data + text->len;
	const char *line, *end;

	if (text->len < strlen(begin) || memcmp(data, begin, strlen(begin)) != 0)
		return error_set(err, EBADMSG, "it is not one clear-signed text");
	line = memmem(data, text->len, "\n\n", 2);
	end = line ? memmem(line, (size_t)(stop - line), signature, strlen(signature)) : NULL;
	if (!end)
		return error_set(err, EBADMSG, "it is not one clear-signed text");
	/* A line that begins with a dash has "- " put in front. */
	for (line += 2; line <= end;) {
		const char *next = (const char *)memchr(line, '\n', (size_t)(end + 1 - line)) + 1;

		if (next - line > 2 && line[0] == '-' && line[1] == ' ')
			line += 2;
		strbuf_add(ret, line, (size_t)(next - line));
		line = next;
	}
	return strbuf_error(ret) < 0 ? error_set(err, -strbuf_error(ret), "it is too long") : 0;
}

int openpgp_check_detached(const char *keyring, const struct openpgp_input *text,
			   const struct openpgp_input *signature, struct error *err)
{
	_cleanup_(check_done) struct check check = { { -1, -1, -1, -1, -1, -1, -1, -1 } };
	int r;

	if (signature->len > OPENPGP_SIGNED_MAX)
		return error_set(err, EFBIG, "the signature is too long");
	r = prepare(&check, keyring, text, err);
	if (r < 0)
		return r;
	r = memory_file(signature->data, signature->len, err);
	if (r < 0)
		return r;
	check.fds[FD_SIGNATURE] = r;
	return run(&check, true, err);
}
