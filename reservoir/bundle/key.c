/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/file.h"
#include "base/parse.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define HASH_SIZE 64 /* BLAKE2b-512 */
#define UNTRUSTED "untrusted comment: "
#define TRUSTED "trusted comment: "

/* What the base64 lines hold, byte for byte; no member is wider than a byte. */
struct public_bytes {
	char algorithm[2]; /* "Ed" */
	unsigned char id[KEY_ID_SIZE];
	unsigned char key[32];
};

struct secret_bytes {
	char algorithm[2]; /* "Ed" */
	char kdf[2];	   /* zero, or "Sc" when the rest is encrypted */
	char checksum_kind[2];
	unsigned char salt[32];
	unsigned char limits[16];
	unsigned char id[KEY_ID_SIZE];
	unsigned char key[64];
	unsigned char checksum[32];
};

struct signature_bytes {
	char algorithm[2]; /* "ED": of the hash */
	unsigned char id[KEY_ID_SIZE];
	unsigned char signature[64];
};

/* minisign writes tabs into its comments. */
static bool is_line(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c != '\t' && (c < ' ' || c == 0x7f))
			return false;
	}
	return true;
}

static int start(struct error *err)
{
	return sodium_init() < 0 ? error_set(err, EIO, "libsodium does not start") : 0;
}

static void hash(const void *data, size_t len, unsigned char out[HASH_SIZE])
{
	(void)crypto_generichash(out, HASH_SIZE, data, len, NULL, 0);
}

/* minisign prints ids as a little-endian number. */
static void format_id(const unsigned char id[KEY_ID_SIZE], char text[2 * KEY_ID_SIZE + 1])
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < KEY_ID_SIZE; i++) {
		text[2 * i] = digits[id[KEY_ID_SIZE - 1 - i] >> 4];
		text[2 * i + 1] = digits[id[KEY_ID_SIZE - 1 - i] & 15];
	}
	text[2 * (size_t)KEY_ID_SIZE] = '\0';
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] > 127)
			return false;
	return true;
}

/* libsodium reads a byte that is not ASCII as "/". */
static bool decode(const char *text, size_t len, void *out, size_t size)
{
	size_t got;

	return is_ascii(text, len) &&
	       sodium_base642bin(out, size, text, len, NULL, &got, NULL, BASE64) == 0 &&
	       got == size;
}

int public_key_parse(const char *text, struct public_key *ret, struct error *err)
{
	struct public_bytes bytes;

	if (!decode(text, strlen(text), &bytes, sizeof(bytes)) ||
	    memcmp(bytes.algorithm, "Ed", 2) != 0)
		return error_set(err, EINVAL,
				 "'%.64s' is no public key; it is the second line of the file "
				 "that ends in .pub",
				 text);
	memcpy(ret->id, bytes.id, sizeof(ret->id));
	memcpy(ret->key, bytes.key, sizeof(ret->key));
	return 0;
}

const char *public_key_format(const struct public_key *key, char text[KEY_TEXT_SIZE])
{
	struct public_bytes bytes = { .algorithm = { 'E', 'd' } };

	memcpy(bytes.id, key->id, sizeof(bytes.id));
	memcpy(bytes.key, key->key, sizeof(bytes.key));
	return sodium_bin2base64(text, KEY_TEXT_SIZE, (const unsigned char *)&bytes, sizeof(bytes),
				 BASE64);
}

static int write_new(const char *path, const char *text, mode_t mode, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return errno == EEXIST ? error_set(err, EEXIST,
						   "%s is there already, and a key is not written "
						   "over",
						   path)
				       : error_set(err, errno, "%s: %m", path);
	r = file_write_all(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	/* A key that is lost with the power is lost with all that was signed by it. */
	if (r == 0)
		r = file_sync_parent(AT_FDCWD, path);
	if (r == 0)
		return 0;
	(void)unlink(path);
	return error_set(err, -r, "%s: %s", path, strerror(-r));
}

static int write_secret(const char *path, const struct secret_key *key, struct error *err)
{
	struct secret_bytes bytes = { .algorithm = { 'E', 'd' }, .checksum_kind = { 'B', '2' } };
	char word[sodium_base64_ENCODED_LEN(sizeof(bytes), BASE64)];
	char text[KEY_FILE_MAX];
	int r;

	memcpy(bytes.id, key->id, sizeof(bytes.id));
	memcpy(bytes.key, key->key, sizeof(bytes.key));
	(void)sodium_bin2base64(word, sizeof(word), (const unsigned char *)&bytes, sizeof(bytes),
				BASE64);
	(void)snprintf(text, sizeof(text), UNTRUSTED "silica-reservoir secret key\n%s\n", word);
	r = write_new(path, text, 0600, err);
	sodium_memzero(&bytes, sizeof(bytes));
	sodium_memzero(word, sizeof(word));
	sodium_memzero(text, sizeof(text));
	return r;
}

/* A machine that is new has no folder for keys; nobody else is to look into it. */
static int make_folder_of(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int r;

	if (!slash || slash == path)
		return 0;
	if (snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
	    (int)sizeof(folder))
		return error_set(err, ENAMETOOLONG, "the name of the key's file is too long");
	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST
			       ? 0
			       : error_set(err, errno, "make the key's folder '%s': %m", folder);
	r = file_sync_parent(AT_FDCWD, folder);
	return r < 0 ? error_set(err, -r, "sync what holds '%s': %s", folder, strerror(-r)) : 0;
}

int key_generate(const char *path, char text[KEY_TEXT_SIZE], struct error *err)
{
	_cleanup_secret_key_ struct secret_key key = { 0 };
	char public_path[PATH_MAX], id[2 * KEY_ID_SIZE + 1], lines[KEY_FILE_MAX];
	struct public_key public;
	int r = start(err);

	if (r < 0)
		return r;
	if (snprintf(public_path, sizeof(public_path), "%s.pub", path) >= (int)sizeof(public_path))
		return error_set(err, ENAMETOOLONG, "the name of the key's file is too long");
	r = make_folder_of(path, err);
	if (r < 0)
		return r;
	(void)crypto_sign_keypair(public.key, key.key);
	randombytes_buf(key.id, sizeof(key.id));
	memcpy(public.id, key.id, sizeof(public.id));
	format_id(public.id, id);
	(void)snprintf(lines, sizeof(lines), UNTRUSTED "minisign public key %s\n%s\n", id,
		       public_key_format(&public, text));
	r = write_new(public_path, lines, 0644, err);
	if (r < 0)
		return r;
	r = write_secret(path, &key, err);
	if (r < 0)
		(void)unlink(public_path);
	return r;
}

/* The second line of the file of a key, ended by a NUL in place. */
static char *second_line(char *text)
{
	char *line = strchr(text, '\n');

	if (!str_starts_with(text, UNTRUSTED) || !line)
		return NULL;
	line++;
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

int secret_key_load(const char *path, struct secret_key *ret, struct error *err)
{
	struct secret_bytes bytes;
	char text[KEY_FILE_MAX];
	const char *line;
	ssize_t n;
	int r = start(err);

	if (r < 0)
		return r;
	n = file_read(AT_FDCWD, path, text, sizeof(text), err);
	if (n < 0)
		return (int)n;
	line = second_line(text);
	if (!line || !decode(line, strlen(line), &bytes, sizeof(bytes)) ||
	    memcmp(bytes.algorithm, "Ed", 2) != 0)
		r = error_set(err, EINVAL, "%s is no file of a secret key", path);
	else if (bytes.kdf[0] || bytes.kdf[1])
		r = error_set(err, ENOTSUP,
			      "the key in %s is encrypted with a password; make one without by "
			      "'silica-reservoir keygen' or 'minisign -G -W'",
			      path);
	if (r == 0) {
		memcpy(ret->id, bytes.id, sizeof(ret->id));
		memcpy(ret->key, bytes.key, sizeof(ret->key));
	}
	sodium_memzero(&bytes, sizeof(bytes));
	sodium_memzero(text, sizeof(text));
	return r;
}

void secret_key_done(struct secret_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

struct public_key secret_key_public(const struct secret_key *key)
{
	struct public_key public;

	memcpy(public.id, key->id, sizeof(public.id));
	memcpy(public.key, key->key + 32, sizeof(public.key));
	return public;
}

/* What the second signature is of. */
static size_t join(const unsigned char signature[64], const char *comment,
		   unsigned char out[64 + SIGNATURE_COMMENT_MAX])
{
	size_t len = strnlen(comment, SIGNATURE_COMMENT_MAX);

	memcpy(out, signature, 64);
	memcpy(out + 64, comment, len);
	return 64 + len;
}

int signature_make(const struct secret_key *key, const void *data, size_t len, const char *comment,
		   struct strbuf *out, struct error *err)
{
	struct signature_bytes bytes = { .algorithm = { 'E', 'D' } };
	char word[sodium_base64_ENCODED_LEN(sizeof(bytes), BASE64)];
	unsigned char digest[HASH_SIZE], global[64], joined[64 + SIGNATURE_COMMENT_MAX];
	int r;

	if (strlen(comment) >= SIGNATURE_COMMENT_MAX || !is_line(comment))
		return error_set(err, E2BIG, "the comment of a signature is too long");
	hash(data, len, digest);
	memcpy(bytes.id, key->id, sizeof(bytes.id));
	(void)crypto_sign_detached(bytes.signature, NULL, digest, sizeof(digest), key->key);
	(void)crypto_sign_detached(global, NULL, joined, join(bytes.signature, comment, joined),
				   key->key);
	(void)sodium_bin2base64(word, sizeof(word), (const unsigned char *)&bytes, sizeof(bytes),
				BASE64);
	strbuf_printf(out, UNTRUSTED "signature of silica-reservoir\n%s\n" TRUSTED "%s\n", word,
		      comment);
	(void)sodium_bin2base64(word, sizeof(word), global, sizeof(global), BASE64);
	strbuf_printf(out, "%s\n", word);
	r = strbuf_error(out);
	return r < 0 ? error_set(err, -r, "out of memory for a signature") : 0;
}

/* Cuts the next line off; its end is that of the text when it has no newline. */
static const char *next_line(const char **at, const char *end, size_t *ret_len)
{
	const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));

	if (!newline)
		return NULL;
	*at = newline + 1;
	*ret_len = (size_t)(newline - line);
	return line;
}

static bool take_comment(const char *line, size_t len, const char *prefix, char *ret, size_t size)
{
	size_t n = strlen(prefix);

	if (len < n || memcmp(line, prefix, n) != 0 || len - n >= size)
		return false;
	memcpy(ret, line + n, len - n);
	ret[len - n] = '\0';
	return strlen(ret) == len - n && is_line(ret);
}

static bool take_lines(const char *const lines[4], const size_t lens[4], struct signature *ret)
{
	char untrusted[SIGNATURE_COMMENT_MAX];
	struct signature_bytes bytes;

	if (!take_comment(lines[0], lens[0], UNTRUSTED, untrusted, sizeof(untrusted)) ||
	    !decode(lines[1], lens[1], &bytes, sizeof(bytes)) ||
	    memcmp(bytes.algorithm, "ED", 2) != 0 ||
	    !take_comment(lines[2], lens[2], TRUSTED, ret->comment, sizeof(ret->comment)) ||
	    !decode(lines[3], lens[3], ret->global, sizeof(ret->global)))
		return false;
	memcpy(ret->id, bytes.id, sizeof(ret->id));
	memcpy(ret->signature, bytes.signature, sizeof(ret->signature));
	return true;
}

int signature_parse(const char *text, size_t len, struct signature *ret, struct error *err)
{
	const char *lines[4], *at = text, *end = text + len;
	size_t lens[4];

	if (len > SIGNATURE_FILE_MAX)
		return error_set(err, EBADMSG, "a signature has %zu bytes, more than %d", len,
				 SIGNATURE_FILE_MAX);
	for (size_t i = 0; i < 4; i++) {
		lines[i] = next_line(&at, end, &lens[i]);
		if (!lines[i])
			return error_set(err, ENODATA, "the signature is not complete");
	}
	if (at != end || !take_lines(lines, lens, ret))
		return error_set(err, EBADMSG, "the signature is not one of minisign's");
	return 0;
}

bool signature_check(const struct signature *signature, const struct public_key *key,
		     const void *data, size_t len)
{
	unsigned char digest[HASH_SIZE], joined[64 + SIGNATURE_COMMENT_MAX];

	if (start(NULL) < 0 || memcmp(signature->id, key->id, sizeof(key->id)) != 0)
		return false;
	hash(data, len, digest);
	return crypto_sign_verify_detached(signature->signature, digest, sizeof(digest),
					   key->key) == 0 &&
	       crypto_sign_verify_detached(signature->global, joined,
					   join(signature->signature, signature->comment, joined),
					   key->key) == 0;
}
