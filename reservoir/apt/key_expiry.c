/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/key_expiry.h"

#include <rnp/rnp.h>
#include <rnp/rnp_err.h>
#include <stdbool.h>
#include <time.h>

#include "base/macro.h"
#include "reservoir/apt/finish.h"
#include "reservoir/apt/sign.h"
#include "reservoir/store/object.h"

/* --- keys --- */

static bool can_sign(rnp_key_handle_t key)
{
	bool signs = false, revoked = false;

	return rnp_key_allows_usage(key, "sign", &signs) == RNP_SUCCESS && signs &&
	       rnp_key_is_revoked(key, &revoked) == RNP_SUCCESS && !revoked;
}

static uint32_t created(rnp_key_handle_t key)
{
	uint32_t when = 0;

	(void)rnp_key_get_creation(key, &when);
	return when;
}

/* INT64_MAX for never. */
static int64_t end_of(rnp_key_handle_t key)
{
	uint32_t seconds = 0;

	return rnp_key_get_expiration(key, &seconds) == RNP_SUCCESS && seconds > 0
		       ? (int64_t)created(key) + seconds
		       : INT64_MAX;
}

/* Of a primary key and those below it, that which signs is the newest that can. */
static bool look_at_primary(rnp_key_handle_t primary, int64_t *ret)
{
	int64_t newest = can_sign(primary) ? (int64_t)created(primary) : -1;
	int64_t end = INT64_MAX;
	size_t n = 0;

	(void)rnp_key_get_subkey_count(primary, &n);
	for (size_t i = 0; i < n; i++) {
		rnp_key_handle_t key = NULL;

		if (rnp_key_get_subkey_at(primary, i, &key) != RNP_SUCCESS)
			continue;
		if (can_sign(key) && (int64_t)created(key) >= newest) {
			newest = (int64_t)created(key);
			end = end_of(key);
		}
		(void)rnp_key_handle_destroy(key);
	}
	*ret = MIN(end, end_of(primary));
	return newest >= 0;
}

static bool look_at_key(rnp_ffi_t ffi, const char *fingerprint, int64_t *ret)
{
	rnp_key_handle_t key = NULL;
	bool is_primary = false, found;

	if (rnp_locate_key(ffi, "fingerprint", fingerprint, &key) != RNP_SUCCESS || !key)
		return false;
	found = rnp_key_is_primary(key, &is_primary) == RNP_SUCCESS && is_primary &&
		look_at_primary(key, ret);
	(void)rnp_key_handle_destroy(key);
	return found;
}

int64_t key_expiry(struct rnp_ffi_st *ffi)
{
	rnp_identifier_iterator_t iterator = NULL;
	const char *fingerprint = NULL;
	int64_t end = INT64_MAX;
	bool found = false;

	if (rnp_identifier_iterator_create(ffi, &iterator, "fingerprint") != RNP_SUCCESS)
		return 0;
	while (!found && rnp_identifier_iterator_next(iterator, &fingerprint) == RNP_SUCCESS &&
	       fingerprint)
		found = look_at_key(ffi, fingerprint, &end);
	(void)rnp_identifier_iterator_destroy(iterator);
	return found && end != INT64_MAX ? end : 0;
}

/* --- what is served --- */

static int64_t expiry_of(const struct strbuf *keys)
{
	rnp_input_t input = NULL;
	rnp_ffi_t ffi = NULL;
	int64_t end = 0;

	if (rnp_ffi_create(&ffi, "GPG", "GPG") == RNP_SUCCESS &&
	    rnp_input_from_memory(&input, (const uint8_t *)strbuf_str(keys), keys->len, false) ==
		    RNP_SUCCESS &&
	    rnp_load_keys(ffi, "GPG", input, RNP_LOAD_SAVE_PUBLIC_KEYS) == RNP_SUCCESS)
		end = key_expiry(ffi);
	(void)rnp_input_destroy(input);
	(void)rnp_ffi_destroy(ffi);
	return end;
}

static const char *format_day(int64_t when, char ret[32])
{
	time_t time = (time_t)when;
	struct tm tm = { 0 };

	(void)gmtime_r(&time, &tm);
	(void)strftime(ret, 32, "%Y-%m-%d", &tm);
	return ret;
}

void apt_warn(struct store *store, const struct manifest *manifest, int64_t now, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf keys = STRBUF_INIT(SIGN_KEY_FILE_MAX);
	struct manifest_entry entry;
	char day[32];
	int64_t end;

	if (!manifest_find(manifest, APT_KEYRING ".gpg", &entry) ||
	    object_read(store, &entry.digest, SIGN_KEY_FILE_MAX, &keys, NULL) < 0)
		return;
	end = expiry_of(&keys);
	if (end == 0 || end - now > KEY_EXPIRY_WARN_S)
		return;
	strbuf_printf(out,
		      "the key that signs it %s on %s, and apt refuses it from then on: extend the "
		      "key, export it to apt.signingKey, sync, and give the new public key to "
		      "clients",
		      end > now ? "expires" : "expired", format_day(end, day));
}
