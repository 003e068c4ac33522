/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "reservoir/bundle/key.h"

#define FORMAT                                                                         \
	"silica-reservoir-receipt 1\nsite %s\nhub %s\nsequence %" PRIu64 "\nroot %s\n" \
	"applied %" PRId64 "\n"

static void format(const struct receipt *receipt, struct strbuf *out)
{
	char root[DIGEST_TEXT_SIZE];

	strbuf_printf(out, FORMAT, receipt->site, receipt->hub, receipt->sequence,
		      digest_format(&receipt->root, root), receipt->applied);
}

static int write_signature(const struct strbuf *text, const char *key_path, const char *path,
			   struct error *err)
{
	_cleanup_strbuf_ struct strbuf signature = STRBUF_INIT(SIGNATURE_FILE_MAX);
	_cleanup_secret_key_ struct secret_key key = { 0 };
	char signature_path[PATH_MAX];
	int r = secret_key_load(key_path, &key, err);

	if (r == 0 && snprintf(signature_path, sizeof(signature_path), "%s.minisig", path) >=
			      (int)sizeof(signature_path))
		r = error_set(err, ENAMETOOLONG, "the directory of receipts has too long a name");
	r = r < 0 ? r
		  : signature_make(&key, text->data, text->len, "receipt of a bundle", &signature,
				   err);
	return r < 0 ? r : file_publish(signature_path, signature.data, signature.len, 0644, err);
}

int receipt_write(const struct receipt *receipt, const char *key_path, const char *dir,
		  struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(RECEIPT_TEXT_MAX);
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%.8s-%.8s-%" PRIu64 ".receipt", dir, receipt->site,
		     receipt->hub, receipt->sequence) >= (int)sizeof(path))
		return error_set(err, ENAMETOOLONG,
				 "the directory of receipts has too long a name");
	format(receipt, &text);
	r = strbuf_error(&text);
	if (r < 0)
		return error_set(err, -r, "out of memory for a receipt");
	r = file_publish(path, text.data, text.len, 0644, err);
	return r < 0 || !key_path[0] ? r : write_signature(&text, key_path, path, err);
}

/* What is read is written again and must be the same. */
static int parse(const char *text, size_t len, struct receipt *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT(RECEIPT_TEXT_MAX);
	char root[DIGEST_TEXT_SIZE] = "";
	struct receipt receipt = { 0 };

	if (sscanf(text,
		   "silica-reservoir-receipt 1\nsite %63[0-9a-f]\nhub %63[0-9a-f]\nsequence "
		   "%" SCNu64 "\nroot %64[0-9a-f]\napplied %" SCNd64,
		   receipt.site, receipt.hub, &receipt.sequence, root, &receipt.applied) != 5 ||
	    digest_parse(root, &receipt.root) < 0)
		return error_set(err, EBADMSG, "it is no receipt");
	format(&receipt, &again);
	if (again.len != len || memcmp(strbuf_str(&again), text, len) != 0)
		return error_set(err, EBADMSG, "it is no receipt, or was changed");
	*ret = receipt;
	return 0;
}

static int check(const char *path, const char *text, size_t len, const struct config_word *sites,
		 size_t n_sites, struct error *err)
{
	char file[SIGNATURE_FILE_MAX + 1], signature_path[PATH_MAX];
	struct signature signature;
	struct public_key key;
	ssize_t n;
	int r;

	if (snprintf(signature_path, sizeof(signature_path), "%s.minisig", path) >=
	    (int)sizeof(signature_path))
		return error_set(err, ENAMETOOLONG, "the receipt has too long a name");
	n = file_read(AT_FDCWD, signature_path, file, sizeof(file), err);
	if (n < 0)
		return (int)n;
	r = signature_parse(file, (size_t)n, &signature, err);
	for (size_t i = 0; i < n_sites && r == 0; i++) {
		r = public_key_parse(sites[i].text, &key, err);
		if (r == 0 && signature_check(&signature, &key, text, len))
			return 0;
	}
	return r < 0 ? r
		     : error_set(err, EKEYREJECTED,
				 "it is signed by none of the keys of 'bundles.sites'");
}

int receipt_read(const char *path, const struct config_word *sites, size_t n_sites, const char *hub,
		 struct receipt *ret, struct error *err)
{
	char text[RECEIPT_TEXT_MAX + 1];
	ssize_t n = file_read(AT_FDCWD, path, text, sizeof(text), err);
	struct receipt receipt;
	int r;

	if (n < 0)
		return (int)n;
	r = check(path, text, (size_t)n, sites, n_sites, err);
	r = r < 0 ? r : parse(text, (size_t)n, &receipt, err);
	if (r < 0)
		return error_wrap(err, r, "%s", path);
	if (strcmp(receipt.hub, hub) != 0)
		return error_set(err, EKEYREJECTED, "%s: the receipt is for hub %.8s, not this one",
				 path, receipt.hub);
	*ret = receipt;
	return 0;
}
