/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/finish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/release.h"
#include "reservoir/apt/sign.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"

#define TEXT_MAX (2 * DEB822_RELEASE_MAX)
/* Publishes that follow each other at once are dated a second after each other. */
#define AHEAD_MAX_S 3

struct finisher {
	struct store *store;
	const struct repository *repository;
	struct manifest_builder *builder;
	struct signer *signer;
	int64_t newest; /* time of a signature */
	int64_t latest; /* time that a Release is signed at */
};

static int put(struct finisher *finisher, const char *path, enum media media,
	       const struct strbuf *text, int64_t mtime, struct error *err)
{
	struct manifest_entry entry = {
		.path = path,
		.media = media,
		.size = text->len,
		.mtime = mtime,
	};
	int r = strbuf_error(text) < 0 ? error_set(err, ENOMEM, "no memory for '%s'", path) : 0;

	if (r == 0)
		r = object_put(finisher->store, text->data, text->len, &entry.digest, err);
	return r < 0 ? r : manifest_add(finisher->builder, &entry, err);
}

static bool is_release(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, "Release") == 0 &&
	       !str_starts_with(path, MANIFEST_NOTES);
}

/* What the site adds to a Release: until when it counts, and where earlier ones are. */
static void add_fields(const struct repository *repository, int64_t when, struct strbuf *ret)
{
	const char *url = repository->apt.snapshots_url;
	size_t len = strlen(url);
	char until[40];

	while (len > 0 && url[len - 1] == '/')
		len--;
	if (repository->apt.valid_for_ms > 0) {
		release_date_format(when + repository->apt.valid_for_ms / 1000, until,
				    sizeof(until));
		strbuf_printf(ret, "\nValid-Until: %s", until);
	}
	if (len > 0)
		/* apt puts "dists/" behind it as it is. */
		strbuf_printf(ret, "\nSnapshots: %.*s/snapshot/@SNAPSHOTID@/%s/", (int)len, url,
			      repository->name);
}

/* Puts fields behind Date; gives the time of the signature. */
static int make_text(const struct finisher *finisher, const struct strbuf *collected,
		     struct strbuf *ret, int64_t *ret_when, struct error *err)
{
	struct deb822_stanza stanza = { strbuf_str(collected), collected->len };
	struct deb822_value value = deb822_get(&stanza, "Date");
	const char *behind = value.text + value.len;

	if (release_date(&value, ret_when) < 0)
		return error_set(err, EBADMSG, "a Release file has no date");
	if (finisher->repository->apt.valid_for_ms > 0)
		*ret_when = MAX(*ret_when, (int64_t)time(NULL));
	strbuf_add(ret, collected->data, (size_t)(behind - collected->data));
	add_fields(finisher->repository, *ret_when, ret);
	strbuf_add(ret, behind, collected->len - (size_t)(behind - collected->data));
	return 0;
}

static int put_signatures(struct finisher *finisher, const char *path, const struct strbuf *text,
			  int64_t mtime, int64_t when, struct error *err)
{
	_cleanup_strbuf_ struct strbuf clear = STRBUF_INIT(TEXT_MAX);
	_cleanup_strbuf_ struct strbuf detached = STRBUF_INIT(TEXT_MAX);
	char beside[STORE_PATH_MAX + 8];
	int dir = (int)(strlen(path) - strlen("Release"));
	int r = signer_clear(finisher->signer, text->data, text->len, when, &clear, err);

	if (r == 0)
		r = signer_detach(finisher->signer, text->data, text->len, when, &detached, err);
	if (r < 0)
		return r;
	(void)snprintf(beside, sizeof(beside), "%.*sInRelease", dir, path);
	r = put(finisher, beside, MEDIA_TEXT, &clear, mtime, err);
	(void)snprintf(beside, sizeof(beside), "%.*sRelease.gpg", dir, path);
	return r < 0 ? r : put(finisher, beside, MEDIA_PGP_SIGNATURE, &detached, mtime, err);
}

static int sign_release(struct finisher *finisher, const struct manifest_entry *entry,
			struct error *err)
{
	_cleanup_strbuf_ struct strbuf collected = STRBUF_INIT(DEB822_RELEASE_MAX);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(TEXT_MAX);
	bool expires = finisher->repository->apt.valid_for_ms > 0;
	int64_t when = 0;
	int r = object_read(finisher->store, &entry->digest, DEB822_RELEASE_MAX, &collected, err);

	if (r == 0)
		r = make_text(finisher, &collected, &text, &when, err);
	if (r == 0)
		r = put(finisher, entry->path, MEDIA_TEXT, &text, expires ? when : entry->mtime,
			err);
	if (r == 0)
		r = put_signatures(finisher, entry->path, &text, expires ? when : entry->mtime,
				   when, err);
	if (r < 0)
		return error_wrap(err, r, "%s", entry->path);
	finisher->newest = MAX(finisher->newest, entry->mtime);
	finisher->latest = MAX(finisher->latest, when);
	return 0;
}

static int put_keys(struct finisher *finisher, struct error *err)
{
	_cleanup_strbuf_ struct strbuf armored = STRBUF_INIT(SIGN_KEY_FILE_MAX);
	_cleanup_strbuf_ struct strbuf binary = STRBUF_INIT(SIGN_KEY_FILE_MAX);
	int r = signer_public(finisher->signer, true, &armored, err);

	if (r == 0)
		r = signer_public(finisher->signer, false, &binary, err);
	if (r == 0)
		r = put(finisher, APT_KEYRING ".asc", MEDIA_PGP_KEYS, &armored, finisher->newest,
			err);
	return r < 0 ? r
		     : put(finisher, APT_KEYRING ".gpg", MEDIA_PGP_KEYS, &binary, finisher->newest,
			   err);
}

static int finish(struct finisher *finisher, const struct manifest *manifest, struct error *err)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	int r = 0;

	manifest_seek(manifest, "", &cursor);
	while (r == 0 && manifest_next(&cursor, &entry))
		r = is_release(entry.path) ? sign_release(finisher, &entry, err)
					   : manifest_add(finisher->builder, &entry, err);
	return r < 0 ? r : put_keys(finisher, err);
}

/*
 * Clients believe no signature of a time that is still to come, be it a second ahead.
 * What is dated further ahead is not waited for: a clock is wrong then.
 */
static void wait_for(int64_t when)
{
	struct timespec until = { .tv_sec = when };

	if (when <= (int64_t)time(NULL) + AHEAD_MAX_S)
		while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR)
			;
}

int apt_finish(struct store *store, const struct repository *repository,
	       const struct digest *collected, struct digest *ret_served, struct error *err)
{
	_cleanup_(manifest_freep) struct manifest *manifest = NULL;
	_cleanup_(manifest_builder_freep) struct manifest_builder *builder = NULL;
	_cleanup_(signer_freep) struct signer *signer = NULL;
	struct finisher finisher = { .store = store, .repository = repository };
	int r;

	if (repository->apt.publish != APT_CURATED) {
		*ret_served = *collected;
		return 0;
	}
	r = signer_open(repository->apt.signing_key.text, &signer, err);
	if (r == 0)
		r = manifest_open(store, collected, &manifest, err);
	if (r == 0)
		r = manifest_builder_new(store, &builder, err);
	if (r < 0)
		return r;
	finisher.signer = signer;
	finisher.builder = builder;
	r = finish(&finisher, manifest, err);
	if (r == 0)
		r = manifest_finish(builder, ret_served, err);
	if (r == 0)
		wait_for(finisher.latest);
	return r;
}
