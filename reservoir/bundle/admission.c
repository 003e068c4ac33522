/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/admission.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/bundle/key.h"

#define SPACE "bundle/hub"
#define VALUE_MAX 256
#define DATE_MAX 32

/* Reads a plain file of at most @max bytes: no link, no device, nothing that blocks. */
static int read_plain(int dirfd, const char *name, size_t max, struct strbuf *out,
		      struct error *err)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *buffer = malloc(65536);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 || !buffer || fstat(fd, &st) < 0)
		return errno == ELOOP ? error_set(err, EKEYREJECTED, "%s is a link", name)
				      : error_set(err, errno ? errno : ENOMEM, "%s: %m", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EKEYREJECTED, "%s is no plain file", name);
	if ((uint64_t)st.st_size > max)
		return error_set(err, EKEYREJECTED, "%s has more than %zu bytes", name, max);
	for (n = read(fd, buffer, 65536); n > 0; n = read(fd, buffer, 65536))
		strbuf_add(out, buffer, (size_t)n);
	if (n < 0)
		return error_set(err, errno, "%s: %m", name);
	n = strbuf_error(out);
	return n < 0 ? error_set(err, (int)-n, "%s is too big", name) : 0;
}

/* What the parsers say, as an answer. */
static int answer(int r)
{
	if (r == -ENODATA)
		return ADMISSION_NOT_YET;
	return r == -EBADMSG || r == -ENOTSUP ? ADMISSION_REFUSED : r;
}

static const struct trusted_hub *find_hub(const struct trusted_hub *hubs, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(hubs[i].id, id) == 0)
			return &hubs[i];
	return NULL;
}

/* One manifest and who signed it. */
struct proof {
	int dirfd;
	const char *name;
	const struct strbuf *manifest;
	const struct trusted_hub *hub;
	struct public_key signers[BUNDLE_SIGNATURES_MAX]; /* each key counts once */
	uint32_t n_signed;
	bool is_incomplete; /* a signature has not arrived whole */
	size_t n_files;
	struct error *err;
};

/* By the key itself: the same one may stand in the configuration under two ids. */
static bool has_signed(const struct proof *proof, const struct public_key *key)
{
	for (uint32_t i = 0; i < proof->n_signed; i++)
		if (memcmp(proof->signers[i].key, key->key, sizeof(key->key)) == 0)
			return true;
	return false;
}

static int count_signature(struct proof *proof, const struct signature *signature)
{
	for (size_t i = 0; i < proof->hub->n_keys; i++) {
		struct public_key key;
		int r = public_key_parse(proof->hub->keys[i].text, &key, proof->err);

		if (r < 0)
			return r;
		if (proof->n_signed == BUNDLE_SIGNATURES_MAX || has_signed(proof, &key) ||
		    !signature_check(signature, &key, proof->manifest->data, proof->manifest->len))
			continue;
		proof->signers[proof->n_signed++] = key;
	}
	return 0;
}

static int read_signature(struct proof *proof, const char *name)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(SIGNATURE_FILE_MAX);
	struct signature signature;
	int r = read_plain(proof->dirfd, name, SIGNATURE_FILE_MAX, &text, proof->err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	proof->n_files++;
	r = signature_parse(strbuf_str(&text), text.len, &signature, proof->err);
	if (r == -ENODATA)
		proof->is_incomplete = true;
	/* One that is no signature does not spoil those that are. */
	return r < 0 ? 0 : count_signature(proof, &signature);
}

static int read_signatures(struct proof *proof)
{
	char name[NAME_MAX + 32];
	int r = 0;

	for (unsigned int i = 0; i < BUNDLE_SIGNATURES_MAX && r == 0; i++) {
		if (i == 0)
			(void)snprintf(name, sizeof(name), "%s.minisig", proof->name);
		else
			(void)snprintf(name, sizeof(name), "%s.minisig.%u", proof->name, i);
		r = read_signature(proof, name);
	}
	return r;
}

static int check_signatures(struct proof *proof)
{
	int r = read_signatures(proof);

	if (r < 0)
		return r;
	if (proof->n_signed >= proof->hub->signatures) {
		*proof->err = (struct error) { 0 };
		return 0;
	}
	if (proof->n_files == 0)
		return error_set(proof->err, EAGAIN, "%s: its signature %s.minisig is missing",
				 proof->name, proof->name);
	if (proof->is_incomplete || proof->n_files < proof->hub->signatures)
		return error_set(proof->err, EAGAIN,
				 "%s: %" PRIu32 " of %" PRIu32 " signatures are here", proof->name,
				 proof->n_signed, proof->hub->signatures);
	return error_set(proof->err, EKEYREJECTED,
			 "%s: it is signed by %" PRIu32 " of the keys of hub %s, and %" PRIu32
			 " must sign: it is not from that hub, or was changed on its way",
			 proof->name, proof->n_signed, proof->hub->id, proof->hub->signatures);
}

static int prove(int dirfd, const char *name, const struct strbuf *manifest,
		 const struct trusted_hub *hubs, size_t n_hubs, struct error *err)
{
	struct proof proof = { .dirfd = dirfd, .name = name, .manifest = manifest, .err = err };
	char id[STORE_ID_MAX];
	int r = bundle_claims_hub(strbuf_str(manifest), manifest->len, id, err);

	if (r < 0)
		return error_wrap(err, answer(r), "%s", name);
	if (!bundle_is_whole(strbuf_str(manifest), manifest->len))
		return error_set(err, EAGAIN, "%s is not complete", name);
	proof.hub = find_hub(hubs, n_hubs, id);
	if (!proof.hub)
		return error_set(err, EKEYREJECTED,
				 "%s: it is from hub %s, which 'bundles.hubs' does not name", name,
				 id);
	return check_signatures(&proof);
}

static int check_name(const char *name, const struct bundle *bundle, struct error *err)
{
	struct bundle_name parsed;

	if (!bundle_name_parse(name, &parsed) || parsed.file != BUNDLE_FILE_MANIFEST ||
	    parsed.sequence != bundle->sequence || strncmp(parsed.hub, bundle->hub, 8) != 0)
		return error_set(err, EKEYREJECTED,
				 "%s: the name is not that of bundle %" PRIu64 " of hub %s", name,
				 bundle->sequence, bundle->hub);
	return 0;
}

int admission_read(int dirfd, const char *name, const struct trusted_hub *hubs, size_t n_hubs,
		   struct bundle *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(BUNDLE_TEXT_MAX);
	_cleanup_bundle_ struct bundle bundle = { 0 };
	struct error local = { 0 };
	int r;

	err = err ? err : &local;
	r = read_plain(dirfd, name, BUNDLE_TEXT_MAX, &manifest, err);
	r = r < 0 ? r : prove(dirfd, name, &manifest, hubs, n_hubs, err);
	if (r < 0)
		return r;
	r = bundle_parse(strbuf_str(&manifest), manifest.len, &bundle, err);
	if (r < 0)
		return error_wrap(err, answer(r), "%s", name);
	r = check_name(name, &bundle, err);
	if (r < 0)
		return r;
	*ret = bundle;
	bundle = (struct bundle) { 0 };
	return 0;
}

static bool parse_last(const char *text, struct admission_last *ret)
{
	char root[DIGEST_TEXT_SIZE], end;

	return sscanf(text, "%" SCNu64 " %" SCNd64 " %64s%c", &ret->sequence, &ret->created, root,
		      &end) == 3 &&
	       digest_parse(root, &ret->root) == 0;
}

int admission_last(struct store *store, struct catalogue *catalogue, const char *hub,
		   struct admission_last *ret, struct error *err)
{
	_cleanup_strbuf_ struct strbuf value = STRBUF_INIT(VALUE_MAX);
	_cleanup_(generation_freep) struct generation *current = NULL;
	struct admission_last last = { 0 };
	struct error local = { 0 };
	int r;

	r = catalogue ? catalogue_get(catalogue, SPACE, hub, &value, &local) : -ENOENT;
	if (r < 0 && r != -ENOENT)
		return error_set(err, -r, "%s", local.msg);
	if (r == 0 && !parse_last(strbuf_str(&value), &last))
		return error_set(err, EBADMSG, "the catalogue is damaged");
	/* What is published counts too: the catalogue may be lost, or one step behind. */
	r = generation_current(store, &current, err);
	if (r < 0)
		return r;
	if (strcmp(current->origin_id, hub) == 0 && current->origin_sequence > last.sequence) {
		last.sequence = current->origin_sequence;
		last.root = current->origin_root;
		last.is_unremembered = true;
	}
	*ret = last;
	return 0;
}

static const char *format_date(int64_t when, char text[DATE_MAX])
{
	time_t seconds = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, DATE_MAX, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		(void)snprintf(text, DATE_MAX, "%" PRId64, when);
	return text;
}

static int check_clock(const struct bundle *bundle, const struct admission_last *last, int64_t now,
		       struct error *err)
{
	char here[DATE_MAX], there[DATE_MAX];
	int64_t newest = MAX(bundle->created, last->created);

	if (newest > now + ADMISSION_CLOCK_SLACK_S)
		return error_set(err, EAGAIN,
				 "the clock of this machine says %s, and %s was made on %s: set "
				 "the clock",
				 format_date(now, here),
				 bundle->created >= last->created ? "the bundle"
								  : "the bundle before",
				 format_date(newest, there));
	if (bundle->expires <= now)
		return error_set(err, EKEYREJECTED,
				 "bundle %" PRIu64 " expired on %s, and it is %s: export it anew",
				 bundle->sequence, format_date(bundle->expires, there),
				 format_date(now, here));
	return 0;
}

static int check_sequence(const struct bundle *bundle, const struct admission_last *last,
			  struct error *err)
{
	char here[DATE_MAX], there[DATE_MAX];

	if (bundle->sequence > last->sequence && bundle->created >= last->created)
		return 0;
	if (bundle->sequence == last->sequence && digest_equal(&bundle->root, &last->root))
		return error_set(err, EALREADY, "bundle %" PRIu64 " is applied already",
				 bundle->sequence);
	if (bundle->sequence > last->sequence)
		return error_set(err, EKEYREJECTED,
				 "bundle %" PRIu64 " was made on %s, and bundle %" PRIu64
				 " before it on %s: the clock of the hub was set back; set it, and "
				 "export it anew",
				 bundle->sequence, format_date(bundle->created, here),
				 last->sequence, format_date(last->created, there));
	return error_set(err, EKEYREJECTED,
			 "bundle %" PRIu64 " is older than bundle %" PRIu64
			 ", which was applied: it would bring back what was replaced",
			 bundle->sequence, last->sequence);
}

/* Looks for the generation of this site that a root of the hub became. */
struct search {
	struct store *store;
	const struct bundle *bundle;
	struct generation *found;
};

static int look(void *ctx, uint64_t number)
{
	struct search *search = ctx;
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct error local = { 0 };

	/* One that was just removed, or is damaged, is no base. */
	if (generation_read(search->store, number, &generation, &local) < 0)
		return 0;
	if (strcmp(generation->origin_id, search->bundle->hub) != 0 ||
	    !digest_equal(&generation->origin_root, &search->bundle->base_root))
		return 0;
	generation_free(search->found);
	search->found = TAKE_PTR(generation);
	return 0;
}

static int base_missing(const struct bundle *bundle, const struct admission_last *last,
			struct error *err)
{
	uint64_t first = last->sequence + 1, end = bundle->sequence - 1;

	if (last->sequence == 0)
		return error_set(err, EAGAIN,
				 "this is bundle %" PRIu64 ", which needs generation %" PRIu64
				 " of hub %.8s, and nothing came from that hub yet: begin with a "
				 "full bundle",
				 bundle->sequence, bundle->base_number, bundle->hub);
	if (first > end)
		return error_set(err, EAGAIN,
				 "this is bundle %" PRIu64 ", which needs generation %" PRIu64
				 " of hub %.8s, and this site never had that: export a bundle "
				 "since this site's receipt",
				 bundle->sequence, bundle->base_number, bundle->hub);
	return error_set(err, EAGAIN,
			 "this site has bundle %" PRIu64 " of hub %.8s, and this is %" PRIu64
			 ": %" PRIu64 "%s%.0" PRIu64 " %s missing",
			 last->sequence, bundle->hub, bundle->sequence, first,
			 first == end	    ? ""
			 : first + 1 == end ? " and "
					    : " to ",
			 first == end ? 0 : end, first == end ? "is" : "are");
}

static int find_base(struct store *store, const struct bundle *bundle,
		     const struct admission_last *last, struct generation **ret, struct error *err)
{
	struct search search = { .store = store, .bundle = bundle };
	int r = generation_each(store, look, &search, err);

	if (r < 0) {
		generation_free(search.found);
		return r;
	}
	/* The generation may be gone while all that it had is still published. */
	if (!search.found && last->sequence > 0 && digest_equal(&last->root, &bundle->base_root))
		r = generation_current(store, &search.found, err);
	if (r < 0)
		return r;
	if (!search.found)
		return base_missing(bundle, last, err);
	*ret = search.found;
	return 0;
}

int admission_check(struct store *store, const struct bundle *bundle,
		    const struct admission_last *last, int64_t now, struct generation **ret_base,
		    struct error *err)
{
	int r = check_sequence(bundle, last, err);

	*ret_base = NULL;
	r = r < 0 ? r : check_clock(bundle, last, now, err);
	if (r < 0 || !bundle->has_base)
		return r;
	return find_base(store, bundle, last, ret_base, err);
}

int admission_remember(struct catalogue *catalogue, const struct bundle *bundle, struct error *err)
{
	char text[VALUE_MAX], root[DIGEST_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64 " %s", bundle->sequence,
		       bundle->created, digest_format(&bundle->root, root));
	return catalogue_put(catalogue, SPACE, bundle->hub, text, strlen(text), err);
}
