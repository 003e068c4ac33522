/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is signed of a suite. InRelease is asked for first, with what upstream said of it
 * last time; Release and Release.gpg when there is none. Most of the times that is one
 * request, which is answered with 304.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/openpgp.h"
#include "reservoir/apt/suite.h"
#include "reservoir/store/object.h"

static const char *const names[_META_KIND_MAX] = {
	[META_INRELEASE] = "InRelease",
	[META_RELEASE] = "Release",
	[META_SIGNATURE] = "Release.gpg",
};

int suite_kept_path(const struct suite *suite, enum meta_kind kind, char ret[APT_KEY_SIZE],
		    struct error *err)
{
	int n;

	if (suite->beside)
		n = snprintf(ret, STORE_PATH_MAX, APT_NOTE_UPSTREAM "%s/%s%s",
			     suite->repository->name, suite->base, names[kind]);
	else
		n = snprintf(ret, STORE_PATH_MAX, "%s%s%s",
			     suite->run->curated ? APT_NOTE_UPSTREAM : "", suite->base,
			     names[kind]);
	return n < 0 || n >= STORE_PATH_MAX
		       ? error_set(err, EINVAL, "the name of suite '%s' is too long", suite->name)
		       : 0;
}

/* The keys that may sign, or "" when nobody looks at signatures. */
static const char *keyring_of(const struct suite *suite)
{
	const struct apt_options *options = &suite->repository->apt;

	return options->unverified ? "" : options->keyring.text;
}

/* --- what is remembered: digest, time and entity tag --- */

struct memory {
	char digest[DIGEST_TEXT_SIZE];
	int64_t mtime;
	char etag[FETCH_ETAG_MAX];
};

static void space_of(const struct apt_run *run, char ret[APT_KEY_SIZE])
{
	(void)snprintf(ret, APT_KEY_SIZE, "apt/%s", run->sync->repository->name);
}

/* What is together is remembered once for each that it is together with. */
static void key_of(const struct suite *suite, enum meta_kind kind, char ret[APT_KEY_SIZE])
{
	(void)snprintf(ret, APT_KEY_SIZE, "%s%s%s%s", suite->beside ? suite->repository->name : "",
		       suite->beside ? ":" : "", suite->base, names[kind]);
}

static bool recall(const struct suite *suite, enum meta_kind kind, struct memory *ret)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);
	char space[APT_KEY_SIZE], key[APT_KEY_SIZE];
	long long mtime;
	int end = 0;

	space_of(suite->run, space);
	key_of(suite, kind, key);
	if (!suite->run->sync->catalogue ||
	    catalogue_get(suite->run->sync->catalogue, space, key, &value, NULL) < 0 ||
	    sscanf(strbuf_str(&value), "%64[0-9a-f] %lld %n", ret->digest, &mtime, &end) != 2 ||
	    str_copy(ret->etag, sizeof(ret->etag), strbuf_str(&value) + end) < 0)
		return false;
	ret->mtime = mtime;
	return true;
}

static int remember(const struct suite *suite, enum meta_kind kind, const char *etag,
		    struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(CATALOGUE_VALUE_MAX);
	const struct meta *meta = &suite->metas[kind];
	char space[APT_KEY_SIZE], key[APT_KEY_SIZE], digest[DIGEST_TEXT_SIZE];

	space_of(suite->run, space);
	key_of(suite, kind, key);
	strbuf_printf(&value, "%s %lld %s", digest_format(&meta->entry.digest, digest),
		      (long long)meta->entry.mtime, etag);
	return catalogue_put(suite->run->sync->catalogue, space, key, value.data, value.len, err);
}

/* --- fetching --- */

struct ask {
	struct suite *suite;
	enum meta_kind kind;
	struct memory memory;
	bool conditional;
	struct manifest_entry current;
};

static int take_new(struct ask *ask, const struct fetch_result *result, struct error *err)
{
	struct meta *meta = &ask->suite->metas[ask->kind];
	int r;

	strbuf_clear(&meta->data);
	strbuf_add(&meta->data, result->data, (size_t)result->size);
	if (strbuf_error(&meta->data) < 0)
		return error_set(err, ENOMEM, "no memory for '%s'", names[ask->kind]);
	meta->entry = (struct manifest_entry) {
		.media = MEDIA_TEXT,
		.size = result->size,
		.mtime = result->mtime,
	};
	r = object_put(ask->suite->run->sync->store, result->data, (size_t)result->size,
		       &meta->entry.digest, err);
	if (r < 0)
		return r;
	meta->there = true;
	meta->news = !ask->conditional || !digest_equal(&meta->entry.digest, &ask->current.digest);
	/* An upstream that says no time, or another one for the same bytes. */
	if (!meta->news || meta->entry.mtime == 0)
		meta->entry.mtime = meta->news ? 0 : ask->current.mtime;
	return remember(ask->suite, ask->kind, result->etag, err);
}

static int take_current(struct ask *ask, struct error *err)
{
	struct meta *meta = &ask->suite->metas[ask->kind];

	meta->entry = ask->current;
	meta->entry.path = NULL;
	meta->there = true;
	meta->news = false;
	strbuf_clear(&meta->data);
	return object_read(ask->suite->run->sync->store, &meta->entry.digest, DEB822_RELEASE_MAX,
			   &meta->data, err);
}

static void on_meta(void *ctx, const struct fetch_request *request _unused_,
		    const struct fetch_result *result)
{
	struct ask *ask = ctx;
	struct suite *suite = ask->suite;
	struct error error = { 0 };
	char what[APT_KEY_SIZE];
	int r = 0;

	(void)snprintf(what, sizeof(what), "%s%s", suite->base, names[ask->kind]);
	switch (result->status) {
	case FETCH_DONE:
		r = take_new(ask, result, &error);
		break;
	case FETCH_UNCHANGED:
		r = take_current(ask, &error);
		break;
	case FETCH_ABSENT:
		suite->metas[ask->kind].there = false;
		break;
	case FETCH_FAILED:
	case _FETCH_STATUS_MAX:
	default:
		suite->metas[ask->kind].there = false;
		/* The others only come with what is signed, which was had. */
		if (suite->metas[META_INRELEASE].there)
			break;
		suite->stop = true;
		run_fail(suite->run, what, result->error.msg);
		break;
	}
	if (r < 0)
		run_abort(suite->run, r, &error);
}

/* @ask lives until the requests are done. */
static int ask_for(struct ask *ask, struct suite *suite, enum meta_kind kind, struct error *err)
{
	struct sync *sync = suite->run->sync;
	char path[APT_KEY_SIZE], kept[APT_KEY_SIZE], url[FETCH_URL_MAX], digest[DIGEST_TEXT_SIZE];
	struct fetch_request request = {
		.url = url,
		.to_memory = true,
		.max = DEB822_RELEASE_MAX,
		.urgent = true,
		.label = sync->repository->name,
		.done = on_meta,
		.ctx = ask,
	};
	int r;

	*ask = (struct ask) { .suite = suite, .kind = kind };
	(void)snprintf(path, sizeof(path), "%s%s", suite->base, names[kind]);
	r = run_url(suite->repository, path, url, err);
	if (r == 0)
		r = suite_kept_path(suite, kind, kept, err);
	if (r < 0)
		return r;
	ask->conditional = run_current(suite->run, kept, &ask->current);
	ask->current.path = NULL;
	if (ask->conditional && recall(suite, kind, &ask->memory) &&
	    strcmp(digest_format(&ask->current.digest, digest), ask->memory.digest) == 0 &&
	    object_exists(sync->store, &ask->current.digest)) {
		request.etag = ask->memory.etag[0] ? ask->memory.etag : NULL;
		request.since = ask->memory.mtime;
	}
	return fetcher_add(sync->fetcher, &request, err);
}

static int fetch_kind(struct apt_run *run, struct ask *asks, enum meta_kind kind,
		      bool (*wanted)(const struct suite *suite), struct error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < run->n_suites; i++) {
		int r;

		if (run->suites[i].stop || !wanted(&run->suites[i]))
			continue;
		n++;
		r = ask_for(&asks[i], &run->suites[i], kind, err);
		if (r < 0)
			return r;
	}
	return n > 0 ? run_fetch(run, NULL, err) : 0;
}

static bool is_any(const struct suite *suite _unused_)
{
	return true;
}

static bool has_no_inrelease(const struct suite *suite)
{
	return !suite->metas[META_INRELEASE].there;
}

/* Release and its signature go along with an InRelease that is news; a curated
 * repository does not need them. */
static bool goes_along(const struct suite *suite)
{
	const struct meta *inrelease = &suite->metas[META_INRELEASE];

	return inrelease->there && inrelease->news && !suite->run->curated;
}

static bool needs_release(const struct suite *suite)
{
	return has_no_inrelease(suite) || goes_along(suite);
}

static bool needs_signature(const struct suite *suite)
{
	const struct meta *release = &suite->metas[META_RELEASE];

	return goes_along(suite) ||
	       (has_no_inrelease(suite) && release->there && release->news && keyring_of(suite)[0]);
}

/* What goes along with something unchanged is what the manifest has. */
static int take_rest(struct suite *suite, struct error *err)
{
	for (int kind = META_RELEASE; kind < _META_KIND_MAX; kind++) {
		struct ask ask = { .suite = suite, .kind = (enum meta_kind)kind };
		char kept[APT_KEY_SIZE];
		bool leads = suite->metas[META_INRELEASE].there || kind == META_SIGNATURE;
		int r = suite_kept_path(suite, ask.kind, kept, err);

		if (r < 0)
			return r;
		if (!leads || suite->metas[kind].there ||
		    !run_current(suite->run, kept, &ask.current))
			continue;
		r = take_current(&ask, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int settle(struct suite *suite, bool *ret_news, struct error *err)
{
	struct meta *leader = suite->metas[META_INRELEASE].there ? &suite->metas[META_INRELEASE]
								 : &suite->metas[META_RELEASE];

	if (suite->stop)
		return 0;
	if (!leader->there) {
		suite->stop = true;
		run_fail(suite->run, suite->name,
			 "upstream has neither InRelease nor Release of this suite");
		return 0;
	}
	if (leader->news) {
		*ret_news = true;
		return 0;
	}
	return take_rest(suite, err);
}

int suites_fetch_metas(struct apt_run *run, bool *ret_news, struct error *err)
{
	_cleanup_free_ struct ask *asks = calloc(run->n_suites, sizeof(*asks));
	int r;

	if (!asks)
		return error_set(err, ENOMEM, "no memory for %zu suites", run->n_suites);
	r = fetch_kind(run, asks, META_INRELEASE, is_any, err);
	if (r == 0)
		r = fetch_kind(run, asks, META_RELEASE, needs_release, err);
	if (r == 0)
		r = fetch_kind(run, asks, META_SIGNATURE, needs_signature, err);
	*ret_news = false;
	for (size_t i = 0; r == 0 && i < run->n_suites; i++)
		r = settle(&run->suites[i], ret_news, err);
	return r;
}

const struct digest *suite_leader(const struct suite *suite)
{
	return &suite->metas[suite->metas[META_INRELEASE].there ? META_INRELEASE : META_RELEASE]
			.entry.digest;
}

/* --- signatures --- */

static int read_inline(struct suite *suite, struct error *err)
{
	const struct meta *meta = &suite->metas[META_INRELEASE];
	const struct openpgp_input text = { meta->data.data, meta->data.len };
	const char *keyring = keyring_of(suite);

	if (!keyring[0])
		return openpgp_strip(&text, &suite->signed_text, err);
	return openpgp_read_inline(keyring, &text, &suite->signed_text, err);
}

static int read_detached(struct suite *suite, struct error *err)
{
	const struct meta *meta = &suite->metas[META_RELEASE];
	const struct meta *signature = &suite->metas[META_SIGNATURE];
	const struct openpgp_input text = { meta->data.data, meta->data.len };
	const struct openpgp_input by = { signature->data.data, signature->data.len };
	const char *keyring = keyring_of(suite);
	int r = 0;

	if (keyring[0] && !signature->there)
		r = error_set(err, EKEYREJECTED,
			      "there is no signature: neither InRelease nor "
			      "Release.gpg");
	else if (keyring[0])
		r = openpgp_check_detached(keyring, &text, &by, err);
	if (r < 0)
		return r;
	strbuf_add(&suite->signed_text, meta->data.data, meta->data.len);
	return strbuf_error(&suite->signed_text) < 0 ? error_set(err, ENOMEM, "no memory for it")
						     : 0;
}

/* Whether Release says what InRelease does, but for the end of the last line. */
static bool says_the_same(const struct suite *suite)
{
	const struct strbuf *a = &suite->signed_text;
	const struct strbuf *b = &suite->metas[META_RELEASE].data;
	size_t a_len = a->len, b_len = b->len;

	while (a_len > 0 && a->data[a_len - 1] == '\n')
		a_len--;
	while (b_len > 0 && b->data[b_len - 1] == '\n')
		b_len--;
	return a_len == b_len && memcmp(a->data, b->data, a_len) == 0;
}

/* In the middle of an update of upstream, Release may be another one than InRelease. */
static void drop_others(struct suite *suite)
{
	if (suite->metas[META_INRELEASE].there && suite->metas[META_RELEASE].there &&
	    !says_the_same(suite))
		suite->metas[META_RELEASE].there = false;
	if (!suite->metas[META_RELEASE].there)
		suite->metas[META_SIGNATURE].there = false;
}

/* Date and Valid-Until of what the current manifest has of the same file, or 0. */
static void times_before(struct suite *suite, const struct ask *before, int64_t *ret_date,
			 int64_t *ret_until)
{
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT(DEB822_RELEASE_MAX);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(DEB822_RELEASE_MAX);
	_cleanup_release_ struct release release = { 0 };
	struct openpgp_input input;
	int r = object_read(suite->run->sync->store, &before->current.digest, DEB822_RELEASE_MAX,
			    &data, NULL);

	*ret_date = *ret_until = 0;
	input = (struct openpgp_input) { data.data, data.len };
	if (r == 0 && before->kind == META_INRELEASE)
		r = openpgp_strip(&input, &text, NULL);
	else if (r == 0)
		strbuf_add(&text, data.data, data.len);
	if (r < 0 || release_parse(strbuf_str(&text), text.len, &release, NULL) < 0)
		return;
	*ret_date = release.date;
	*ret_until = release.valid_until;
}

int64_t suite_current_until(struct suite *suite)
{
	struct ask before = {
		.suite = suite,
		.kind = suite->metas[META_INRELEASE].there ? META_INRELEASE : META_RELEASE,
	};
	char kept[APT_KEY_SIZE];
	int64_t date, until = 0;

	if (suite_kept_path(suite, before.kind, kept, NULL) == 0 &&
	    run_current(suite->run, kept, &before.current))
		times_before(suite, &before, &date, &until);
	return until;
}

int suite_check_age(struct suite *suite, struct error *err)
{
	bool has_inline = suite->metas[META_INRELEASE].there;
	struct ask before = {
		.suite = suite,
		.kind = has_inline ? META_INRELEASE : META_RELEASE,
	};
	char kept[APT_KEY_SIZE], then[40], now[40];
	int64_t date, until;

	if (!suite->metas[before.kind].news || !suite->run->same_selection ||
	    suite_kept_path(suite, before.kind, kept, NULL) < 0 ||
	    !run_current(suite->run, kept, &before.current))
		return 0;
	times_before(suite, &before, &date, &until);
	if (suite->release.date == 0 || suite->release.date >= date)
		return 0;
	release_date_format(suite->release.date, now, sizeof(now));
	release_date_format(date, then, sizeof(then));
	return error_set(err, ESTALE,
			 "suite '%s': upstream has gone back: what it signed is of %s, and what is "
			 "here of %s",
			 suite->name, now, then);
}

int suite_read_signed(struct suite *suite, struct error *err)
{
	bool has_inline = suite->metas[META_INRELEASE].there;
	int r;

	strbuf_clear(&suite->signed_text);
	r = has_inline ? read_inline(suite, err) : read_detached(suite, err);
	if (r < 0)
		return error_wrap(err, r, "suite '%s': %s", suite->name,
				  has_inline ? "InRelease" : "Release");
	suite->signed_digest = *suite_leader(suite);
	drop_others(suite);
	return 0;
}
