/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/users.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/parse.h"
#include "base/strindex.h"
#include "reservoir/store/digest.h"

/* Two passes over 16 MiB: some 15 ms, once per client and restart. */
#define HASH_PASSES 2u
#define HASH_MEMORY ((size_t)16 * 1024 * 1024)
/* What a hash of the configuration may cost: it is paid by the server's memory. */
#define HASH_MEMORY_MAX_KI 65536u
#define HASH_PASSES_MAX 10u

#define AUTHORIZATION_MAX 1024 /* bytes; names and tokens have at most 255 */
#define SECRET_MAX 256	       /* bytes with the NUL */
#define KNOWN_SETS 256u	       /* with KNOWN_WAYS: as many clients as there may be users */
#define KNOWN_WAYS 4u
#define TOKEN_NAME "__token__"

static_assert(crypto_pwhash_STRBYTES <= CONFIG_KEY_SIZE, "a hash fits into the configuration");

struct known {
	unsigned char key[crypto_generichash_BYTES]; /* of the header that was right */
	uint32_t user;
	bool used;
};

struct users {
	struct config_user *users;
	size_t n;
	struct digest *tokens; /* all-zero without */
	struct strindex names;
	unsigned char secret[crypto_generichash_KEYBYTES];
	char nobody[crypto_pwhash_STRBYTES]; /* hashed in place of unknown users' */
	pthread_mutex_t lock;
	unsigned int next; /* way that is replaced next */
	struct known known[KNOWN_SETS][KNOWN_WAYS];
};

/* What the header says. */
struct credential {
	bool basic;
	char name[sizeof(((struct config_user *)0)->name)];
	char secret[SECRET_MAX];
};

static const char *name_of(const void *table, uint32_t row)
{
	return ((const struct config_user *)table)[row].name;
}

static int check_hash(const struct config_user *user, struct error *err)
{
	unsigned int memory, passes;

	if (!user->password[0])
		return 0;
	if (sscanf(user->password, "$argon2id$v=19$m=%9u,t=%9u,p=1$", &memory, &passes) != 2)
		return error_set(err, EINVAL,
				 "the password of user '%s' is no hash; 'silica-reservoir "
				 "hash-password' makes one",
				 user->name);
	if (memory > HASH_MEMORY_MAX_KI || passes > HASH_PASSES_MAX)
		return error_set(err, EINVAL,
				 "the password of user '%s' takes more than %u MiB or %u passes "
				 "to check",
				 user->name, HASH_MEMORY_MAX_KI / 1024, HASH_PASSES_MAX);
	return 0;
}

static int check_user(const struct config_user *user, struct digest *token, struct error *err)
{
	if (user->token[0] && digest_parse(user->token, token) < 0)
		return error_set(err, EINVAL, "the token of user '%s' is no SHA-256 in hex",
				 user->name);
	if (strchr(user->name, ':') || !str_is_printable(user->name))
		return error_set(err, EINVAL,
				 "the user name '%s' has a character that no login "
				 "can have",
				 user->name);
	return check_hash(user, err);
}

static int fill(struct users *users, const struct config_serve *config, struct error *err)
{
	int r = 0;

	users->users = calloc(config->n_users + 1, sizeof(*users->users));
	users->tokens = calloc(config->n_users + 1, sizeof(*users->tokens));
	if (!users->users || !users->tokens)
		return error_set(err, ENOMEM, "no memory for users");
	users->n = config->n_users;
	for (size_t i = 0; i < users->n && r == 0; i++) {
		users->users[i] = config->users[i];
		r = check_user(&users->users[i], &users->tokens[i], err);
	}
	if (r < 0)
		return r;
	if (strindex_init(&users->names, users->users, users->n, name_of) < 0)
		return error_set(err, ENOMEM, "no memory for users");
	randombytes_buf(users->secret, sizeof(users->secret));
	if (users->n > 0 && crypto_pwhash_str(users->nobody, "", 0, HASH_PASSES, HASH_MEMORY) != 0)
		return error_set(err, ENOMEM, "no memory to hash a password");
	return 0;
}

int users_new(const struct config_serve *config, struct users **ret, struct error *err)
{
	_cleanup_(users_freep) struct users *users = NULL;
	int r;

	if (sodium_init() < 0)
		return error_set(err, EIO, "libsodium cannot be used");
	users = calloc(1, sizeof(*users));
	if (!users)
		return error_set(err, ENOMEM, "no memory for users");
	(void)pthread_mutex_init(&users->lock, NULL);
	r = fill(users, config, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(users);
	return 0;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	strindex_done(&users->names);
	(void)pthread_mutex_destroy(&users->lock);
	free(users->users);
	free(users->tokens);
	free(users);
}

uint32_t users_find(const struct users *users, const char *name)
{
	int64_t row = strindex_find(&users->names, name);

	return row < 0 ? USER_NONE : (uint32_t)row;
}

const char *users_name(const struct users *users, uint32_t user)
{
	return user < users->n ? users->users[user].name : "-";
}

static bool read_basic(const char *text, struct credential *credential)
{
	char plain[AUTHORIZATION_MAX];
	const char *end;
	size_t len;
	char *colon;

	if (sodium_base642bin((unsigned char *)plain, sizeof(plain) - 1, text, strlen(text), NULL,
			      &len, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    end[strspn(end, " ")] != '\0' || memchr(plain, '\0', len))
		return false;
	plain[len] = '\0';
	colon = strchr(plain, ':');
	if (!colon)
		return false;
	*colon = '\0';
	credential->basic = true;
	return str_copy(credential->name, sizeof(credential->name), plain) == 0 &&
	       str_copy(credential->secret, sizeof(credential->secret), colon + 1) == 0;
}

/* Whether a header begins with the name of a scheme; what follows it. */
static const char *scheme(const char *header, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(header, name, len) != 0 || header[len] != ' ')
		return NULL;
	return header + len + strspn(header + len, " ");
}

static bool read_credential(const char *header, struct credential *credential)
{
	const char *rest;

	if (strlen(header) >= AUTHORIZATION_MAX)
		return false;
	rest = scheme(header, "Basic");
	if (rest)
		return read_basic(rest, credential);
	rest = scheme(header, "Bearer");
	return rest && str_copy(credential->secret, sizeof(credential->secret), rest) == 0;
}

/* Compares with every token, in a time that tells nothing of them. */
static uint32_t find_token(const struct users *users, const char *secret)
{
	struct digest digest = digest_of(secret, strlen(secret));
	uint32_t found = USER_NONE;

	for (size_t i = 0; i < users->n; i++)
		if (sodium_memcmp(&digest, &users->tokens[i], sizeof(digest)) == 0 &&
		    users->users[i].token[0])
			found = (uint32_t)i;
	return found;
}

static void known_key(const struct users *users, const char *header,
		      unsigned char key[crypto_generichash_BYTES])
{
	(void)crypto_generichash(key, crypto_generichash_BYTES, (const unsigned char *)header,
				 strlen(header), users->secret, sizeof(users->secret));
}

static uint32_t find_known(struct users *users, const unsigned char *key)
{
	struct known *set = users->known[key[0] % KNOWN_SETS];
	uint32_t user = USER_NONE;

	(void)pthread_mutex_lock(&users->lock);
	for (size_t i = 0; i < KNOWN_WAYS; i++)
		if (set[i].used && sodium_memcmp(set[i].key, key, sizeof(set[i].key)) == 0)
			user = set[i].user;
	(void)pthread_mutex_unlock(&users->lock);
	return user;
}

static void remember(struct users *users, const unsigned char *key, uint32_t user)
{
	struct known *known;

	(void)pthread_mutex_lock(&users->lock);
	known = &users->known[key[0] % KNOWN_SETS][users->next++ % KNOWN_WAYS];
	memcpy(known->key, key, sizeof(known->key));
	known->user = user;
	known->used = true;
	(void)pthread_mutex_unlock(&users->lock);
}

static enum login login(struct users *users, const char *header, const unsigned char *key,
			struct credential *credential, uint32_t *ret)
{
	uint32_t user;

	if (!read_credential(header, credential))
		return LOGIN_WRONG;
	user = find_token(users, credential->secret);
	if (user != USER_NONE && credential->basic && strcmp(credential->name, TOKEN_NAME) != 0 &&
	    strcmp(credential->name, users->users[user].name) != 0)
		user = USER_NONE;
	if (user == USER_NONE)
		return credential->basic ? LOGIN_SLOW : LOGIN_WRONG;
	remember(users, key, user);
	*ret = user;
	return LOGIN_USER;
}

static enum login look_up(struct users *users, const char *header, unsigned char *key,
			  struct credential *credential, uint32_t *ret)
{
	*ret = USER_NONE;
	if (!header || users->n == 0)
		return LOGIN_ANONYMOUS;
	known_key(users, header, key);
	*ret = find_known(users, key);
	if (*ret != USER_NONE)
		return LOGIN_USER;
	return login(users, header, key, credential, ret);
}

enum login users_login(struct users *users, const char *authorization, uint32_t *ret)
{
	unsigned char key[crypto_generichash_BYTES];
	struct credential credential = { 0 };
	enum login outcome = look_up(users, authorization, key, &credential, ret);

	sodium_memzero(&credential, sizeof(credential));
	return outcome;
}

/* An unknown name takes as long as a wrong password. */
static uint32_t check_password(const struct users *users, const struct credential *credential)
{
	uint32_t user = users_find(users, credential->name);
	bool has = user != USER_NONE && users->users[user].password[0];
	const char *hash = has ? users->users[user].password : users->nobody;
	int r = crypto_pwhash_str_verify(hash, credential->secret, strlen(credential->secret));

	return r == 0 && has ? user : USER_NONE;
}

enum login users_check(struct users *users, const char *authorization, uint32_t *ret)
{
	unsigned char key[crypto_generichash_BYTES];
	struct credential credential = { 0 };
	enum login outcome = look_up(users, authorization, key, &credential, ret);

	if (outcome == LOGIN_SLOW) {
		*ret = check_password(users, &credential);
		outcome = *ret == USER_NONE ? LOGIN_WRONG : LOGIN_USER;
		if (outcome == LOGIN_USER)
			remember(users, key, *ret);
	}
	sodium_memzero(&credential, sizeof(credential));
	return outcome;
}

int users_hash(const char *password, char ret[CONFIG_KEY_SIZE], struct error *err)
{
	size_t len = strlen(password);

	if (len == 0 || len >= SECRET_MAX)
		return error_set(err, EINVAL, "a password has 1 to %d bytes", SECRET_MAX - 1);
	if (sodium_init() < 0)
		return error_set(err, EIO, "libsodium cannot be used");
	if (crypto_pwhash_str(ret, password, len, HASH_PASSES, HASH_MEMORY) != 0)
		return error_set(err, ENOMEM, "no memory to hash a password");
	return 0;
}
