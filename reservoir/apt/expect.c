/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/expect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/openpgp.h"
#include "reservoir/apt/packages.h"
#include "reservoir/apt/release.h"
#include "reservoir/apt/select.h"
#include "reservoir/store/unpack.h"

struct teller {
	expectation_fn fn;
	void *ctx;
	bool sources;
};

static int tell(const struct teller *teller, const char *path, const struct digest *sha256,
		uint64_t size)
{
	struct expectation expectation = { .path = path, .sha256 = *sha256, .size = size };

	return teller->fn(teller->ctx, &expectation);
}

/* --- Release --- */

static int tell_index(const struct teller *teller, const char *base, int base_len,
		      const struct release_file *file, bool by_hash)
{
	const char *slash = strrchr(file->path, '/');
	int dir = slash ? (int)(slash - file->path) + 1 : 0;
	char path[STORE_PATH_MAX], hash[DIGEST_TEXT_SIZE];
	int r;

	if (snprintf(path, sizeof(path), "%.*s%s", base_len, base, file->path) >= (int)sizeof(path))
		return 0;
	r = tell(teller, path, &file->sha256, file->size);
	if (r < 0 || !by_hash)
		return r;
	if (snprintf(path, sizeof(path), "%.*s%.*sby-hash/SHA256/%s", base_len, base, dir,
		     file->path, digest_format(&file->sha256, hash)) < (int)sizeof(path))
		r = tell(teller, path, &file->sha256, file->size);
	if (r < 0 || !file->sha512)
		return r;
	if (snprintf(path, sizeof(path), "%.*s%.*sby-hash/SHA512/%s", base_len, base, dir,
		     file->path, file->sha512) < (int)sizeof(path))
		r = tell(teller, path, &file->sha256, file->size);
	return r;
}

static int tell_release(const struct teller *teller, const char *path, const void *data, size_t len,
			bool clear_signed, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(DEB822_RELEASE_MAX);
	_cleanup_release_ struct release release = { 0 };
	const struct openpgp_input input = { data, len };
	const char *slash = strrchr(path, '/');
	int base_len = slash ? (int)(slash - path) + 1 : 0;
	int r = 0;

	if (clear_signed)
		r = openpgp_strip(&input, &text, err);
	else
		strbuf_add(&text, data, len);
	if (r == 0)
		r = release_parse(strbuf_str(&text), text.len, &release, err);
	for (size_t i = 0; r >= 0 && i < release.n_files; i++)
		r = tell_index(teller, path, base_len, &release.files[i], release.by_hash);
	return r;
}

/* --- Packages and Sources --- */

static int on_file(void *ctx, const struct package_file *file, struct error *err)
{
	int r = manifest_path_check(file->path, err);

	return r < 0 ? -EBADMSG : tell(ctx, file->path, &file->sha256, file->size);
}

static int on_stanza(void *ctx, const struct deb822_stanza *stanza, struct error *err)
{
	struct teller *teller = ctx;
	struct package_file file;
	int r;

	if (teller->sources)
		return source_files(stanza, on_file, teller, err);
	r = package_file(stanza, &file, err);
	return r < 0 ? r : on_file(teller, &file, err);
}

static int feed(void *ctx, const char *data, size_t len, struct error *err)
{
	return deb822_feed(ctx, data, len, err);
}

static int tell_packages(struct teller *teller, const void *data, size_t len, struct error *err)
{
	_cleanup_deb822_ struct deb822_reader reader;
	int r;

	deb822_init(&reader, on_stanza, teller);
	r = unpack_memory(data, len, feed, &reader, err);
	return r < 0 ? r : deb822_end(&reader, err);
}

/* --- paths --- */

enum index_name {
	NAME_NONE,
	NAME_INRELEASE,
	NAME_RELEASE,
	NAME_PACKAGES,
	NAME_SOURCES,
};

/* What lies by its hash is told by the folder above. */
static enum index_name name_by_hash(const char *path, const char *by_hash)
{
	const char *folder = by_hash;

	while (folder > path && folder[-1] != '/')
		folder--;
	if (str_starts_with(folder, "binary-"))
		return NAME_PACKAGES;
	return str_starts_with(folder, "source/") ? NAME_SOURCES : NAME_NONE;
}

static enum index_name name_of(const char *path)
{
	static const struct {
		const char *text;
		enum index_name name;
	} names[] = {
		{ "InRelease", NAME_INRELEASE },
		{ "Release", NAME_RELEASE },
		{ "Packages", NAME_PACKAGES },
		{ "Sources", NAME_SOURCES },
	};
	const char *by_hash = strstr(path, "/by-hash/");
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t stem = select_ending(name);

	if (by_hash)
		return name_by_hash(path, by_hash);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].text) == stem && memcmp(name, names[i].text, stem) == 0)
			return names[i].name;
	return NAME_NONE;
}

/* The Release file of an architecture lists nothing. */
static bool is_stub(const char *path)
{
	return strstr(path, "/binary-") || strstr(path, "/source/");
}

int apt_expect(const char *path, const void *data, size_t len, expectation_fn fn, void *ctx,
	       struct error *err)
{
	struct teller teller = { .fn = fn, .ctx = ctx };

	switch (name_of(path)) {
	case NAME_INRELEASE:
		return tell_release(&teller, path, data, len, true, err);
	case NAME_RELEASE:
		return is_stub(path) ? 0 : tell_release(&teller, path, data, len, false, err);
	case NAME_SOURCES:
		teller.sources = true;
		return tell_packages(&teller, data, len, err);
	case NAME_PACKAGES:
		return tell_packages(&teller, data, len, err);
	case NAME_NONE:
	default:
		return 0;
	}
}

const char *apt_keyring(const struct repository *repository)
{
	return repository->apt.unverified ? "" : repository->apt.keyring.text;
}

int apt_check(const char *keyring, const char *path, const void *data, size_t len,
	      struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(DEB822_RELEASE_MAX);
	const struct openpgp_input input = { data, len };

	if (name_of(path) != NAME_INRELEASE)
		return error_set(err, EKEYREJECTED, "nothing that is signed vouches for it");
	return openpgp_read_inline(keyring, &input, &text, err);
}

bool apt_package(const char *path, char *ret, size_t size)
{
	static const char *const endings[] = { ".deb",	   ".udeb",   ".ddeb",	 ".dsc",
					       ".diff.gz", ".tar.gz", ".tar.xz", ".tar.bz2",
					       ".tar.zst", ".asc" };
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t len = strlen(name);
	size_t stem = strcspn(name, "_");

	if (name[stem] != '_' || stem == 0 || stem >= size)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len <= n || strcmp(name + len - n, endings[i]) != 0)
			continue;
		memcpy(ret, name, stem);
		ret[stem] = '\0';
		return true;
	}
	return false;
}
