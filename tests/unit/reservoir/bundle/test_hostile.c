/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles as they should not be: from strangers, damaged, out of turn, and signed lies. */
#include "tests/unit/reservoir/bundle/carry.h"

#include "reservoir/bundle/admission.h"
#include "reservoir/bundle/pack.h"
#include "reservoir/bundle/record.h"

static const struct content first[] = {
	{ .path = "dists/Packages", .size = 30000, .seed = 1, .is_text = true },
	{ .path = "pool/a.deb", .size = 90000, .seed = 3 },
	{ 0 },
};

static const struct content second[] = {
	{ .path = "dists/Packages", .size = 30500, .seed = 2, .is_text = true },
	{ .path = "pool/b.deb", .size = 9000, .seed = 4 },
	{ 0 },
};

static const struct content third[] = {
	{ .path = "pool/b.deb", .size = 9000, .seed = 4 },
	{ 0 },
};

static void refused(struct carry *carry, const char *name, const char *why)
{
	size_t before = carry_count_objects(carry);
	struct import_report report = carry_import(carry, name);

	carry_assert(report, IMPORT_REFUSED);
	if (!strstr(report.why, why))
		fail_msg("'%s' does not say '%s'", report.why, why);
	assert_int_equal(carry_count_objects(carry), before);
}

static void test_manifest_cut(void **state)
{
	struct carry *carry = *state;
	char name[BUNDLE_NAME_MAX];
	unsigned char *bytes;
	struct bundle bundle;
	size_t n;

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	bytes = carry_read(carry, name, &n);
	for (size_t len = 0; len < n; len++) {
		int r = bundle_parse((const char *)bytes, len, &bundle, NULL);

		assert_true(r == -ENODATA || r == -EBADMSG);
	}
	for (size_t len = 0; len < n; len += 37) {
		carry_write(carry, name, bytes, len);
		assert_int_not_equal(carry_import(carry, name).verdict, IMPORT_APPLIED);
	}
	assert_int_equal(carry_count_objects(carry), 0);
	carry_write(carry, name, bytes, n);
	free(bytes);
	carry_assert(carry_import(carry, name), IMPORT_APPLIED);
}

/* Any byte of the manifest changed: it is not read further than its signature. */
static void test_manifest_changed(void **state)
{
	struct carry *carry = *state;
	char name[BUNDLE_NAME_MAX];
	unsigned char *bytes;
	size_t n;

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	bytes = carry_read(carry, name, &n);
	for (size_t at = 0; at < n; at += 29) {
		bytes[at] ^= 1;
		carry_write(carry, name, bytes, n);
		bytes[at] ^= 1;
		assert_int_not_equal(carry_import(carry, name).verdict, IMPORT_APPLIED);
	}
	assert_int_equal(carry_count_objects(carry), 0);
	free(bytes);
}

static void test_strangers(void **state)
{
	struct carry *carry = *state;
	char name[BUNDLE_NAME_MAX], signature[BUNDLE_NAME_MAX + 16];

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	carry->trusted.keys = &carry->receipt_public;
	refused(carry, name, "not from that hub");
	carry->trusted.keys = &carry->public;
	carry->trusted.id[0] = carry->trusted.id[0] == 'a' ? 'b' : 'a';
	refused(carry, name, "does not name");
	carry->trusted.id[0] = store_id(carry->hub)[0];
	(void)snprintf(signature, sizeof(signature), "%s.minisig", name);
	(void)unlink(carry_path(carry, signature, (char[256]) { 0 }));
	carry_assert(carry_import(carry, name), IMPORT_WAITING);
	assert_int_equal(carry_count_objects(carry), 0);
}

/* Two of two must sign; one that signs twice is one. */
static void test_two_signatures(void **state)
{
	struct carry *carry = *state;
	struct config_path secrets[2] = { carry->secret, carry->secret };
	struct config_word keys[2] = { carry->public, carry->receipt_public };
	char name[BUNDLE_NAME_MAX];

	carry->hub_config.secret_keys = secrets;
	carry->hub_config.n_secret_keys = 2;
	carry->trusted.keys = keys;
	carry->trusted.n_keys = 2;
	carry->trusted.signatures = 2;
	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	refused(carry, name, "signed by 1");
	secrets[1] = carry->receipt_secret;
	(void)carry_export(carry, 0);
	carry_assert(carry_import(carry, name), IMPORT_APPLIED);
}

/* Signs a manifest as the same key would under another id. */
static void write_second_signature(struct carry *carry, const char *name,
				   const struct public_key *as)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(SIGNATURE_FILE_MAX);
	_cleanup_secret_key_ struct secret_key key = { 0 };
	char path[BUNDLE_NAME_MAX + 16];
	struct error err = { 0 };
	unsigned char *bytes;
	size_t n;

	bytes = carry_read(carry, name, &n);
	CARRY_TRY(secret_key_load(carry->secret.text, &key, &err), &err);
	memcpy(key.id, as->id, sizeof(key.id));
	CARRY_TRY(signature_make(&key, bytes, n, "x", &text, &err), &err);
	(void)snprintf(path, sizeof(path), "%s.minisig.1", name);
	carry_write(carry, path, text.data, text.len);
	free(bytes);
}

/* One key that is listed twice is one, also under another id. */
static void test_key_listed_twice(void **state)
{
	struct carry *carry = *state;
	struct config_word keys[2] = { carry->public, carry->public };
	struct public_key key;
	struct error err = { 0 };
	char name[BUNDLE_NAME_MAX];

	carry->trusted.keys = keys;
	carry->trusted.n_keys = 2;
	carry->trusted.signatures = 2;
	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	assert_int_equal(carry_import(carry, name).verdict, IMPORT_WAITING);
	assert_int_equal(carry_count_objects(carry), 0);
	CARRY_TRY(public_key_parse(keys[1].text, &key, &err), &err);
	key.id[0] ^= 1;
	(void)public_key_format(&key, keys[1].text);
	write_second_signature(carry, name, &key);
	refused(carry, name, "signed by 1");
}

static void test_replay(void **state)
{
	struct carry *carry = *state;
	char one[BUNDLE_NAME_MAX], two[BUNDLE_NAME_MAX], path[128];

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(one, sizeof(one), "%s", carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", second);
	(void)snprintf(two, sizeof(two), "%s", carry_export(carry, 1).name);
	carry_assert(carry_import(carry, one), IMPORT_APPLIED);
	carry_assert(carry_import(carry, one), IMPORT_ALREADY);
	carry_assert(carry_import(carry, two), IMPORT_APPLIED);
	refused(carry, one, "is older than bundle 2");
	carry_check(carry, "debian", second);
	/* Not even when the catalogue is lost. */
	carry_close_site(carry);
	(void)snprintf(path, sizeof(path), "%s/catalogue.sqlite", carry->site_dir);
	assert_int_equal(unlink(path), 0);
	carry_open_site(carry);
	refused(carry, one, "is older than bundle 2");
	carry_assert(carry_import(carry, two), IMPORT_ALREADY);
}

static void test_missing_bundles(void **state)
{
	struct carry *carry = *state;
	struct import_report report;
	char name[BUNDLE_NAME_MAX], last[BUNDLE_NAME_MAX];

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", second);
	(void)carry_export(carry, 1);
	carry_publish(carry->hub, "debian", third);
	(void)carry_export(carry, 2);
	carry_publish(carry->hub, "debian", first);
	(void)snprintf(last, sizeof(last), "%s", carry_export(carry, 3).name);
	report = carry_import(carry, last);
	carry_assert(report, IMPORT_WAITING);
	assert_non_null(strstr(report.why, "begin with a full bundle"));
	carry_assert(carry_import(carry, name), IMPORT_APPLIED);
	report = carry_import(carry, last);
	carry_assert(report, IMPORT_WAITING);
	assert_non_null(strstr(report.why, "has bundle 1 "));
	assert_non_null(strstr(report.why, "this is 4: 2 and 3 are missing"));
	carry_check(carry, "debian", first);
}

static void test_times(void **state)
{
	struct carry *carry = *state;
	struct import_report report;
	struct error err = { 0 };
	char name[BUNDLE_NAME_MAX];

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	CARRY_TRY(carry_try_import(carry, name, CARRY_NOW + 86400 * 31, false, &report, &err),
		  &err);
	carry_assert(report, IMPORT_REFUSED);
	assert_non_null(strstr(report.why, "expired"));
	CARRY_TRY(carry_try_import(carry, name, CARRY_NOW - 86400 * 2, false, &report, &err), &err);
	carry_assert(report, IMPORT_WAITING);
	assert_non_null(strstr(report.why, "set the clock"));
	assert_int_equal(carry_count_objects(carry), 0);
}

static void chunk_name(struct carry *carry, uint32_t index, char out[BUNDLE_NAME_MAX])
{
	struct bundle_name name = { .sequence = 1, .file = BUNDLE_FILE_CHUNK, .index = index };

	memcpy(name.hub, store_id(carry->hub), 8);
	(void)bundle_name_format(&name, out);
}

/* A chunk that is damaged is named, and none of it gets a name in the store. */
static void test_chunk_damage(void **state)
{
	struct carry *carry = *state;
	char name[BUNDLE_NAME_MAX], chunk[BUNDLE_NAME_MAX];
	struct import_report report;
	unsigned char *bytes;
	size_t n;

	carry->hub_config.chunk_bytes = 1024 * 1024;
	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	chunk_name(carry, 0, chunk);
	bytes = carry_read(carry, chunk, &n);
	srand(1);
	for (int i = 0; i < 40; i++) {
		size_t at = (size_t)rand() % n;

		bytes[at] ^= (unsigned char)(1 << (i % 8));
		carry_write(carry, chunk, bytes, n);
		bytes[at] ^= (unsigned char)(1 << (i % 8));
		report = carry_import(carry, name);
		carry_assert(report, IMPORT_WAITING);
		assert_non_null(strstr(report.why, "chunk 0 is damaged"));
	}
	for (size_t len = 0; len < n; len += n / 7) {
		carry_write(carry, chunk, bytes, len);
		report = carry_import(carry, name);
		carry_assert(report, IMPORT_WAITING);
		assert_non_null(strstr(report.why, "chunk 0 is not complete"));
	}
	assert_int_equal(carry_count_objects(carry), 0);
	assert_int_equal(symlink("/dev/zero", carry_path(carry, "link", (char[256]) { 0 })), 0);
	(void)rename(carry_path(carry, "link", (char[256]) { 0 }),
		     carry_path(carry, chunk, (char[256]) { 0 }));
	report = carry_import(carry, name);
	assert_non_null(strstr(report.why, "chunk 0 is not readable (it is a link)"));
	carry_write(carry, chunk, bytes, n);
	carry_assert(carry_import(carry, name), IMPORT_APPLIED);
	free(bytes);
}

/* What a hub that lies, or whose key was stolen, can put into a chunk. */
struct lie {
	unsigned char bytes[4 * 1024 * 1024];
	size_t len;
	unsigned int format; /* 0: that of today */
};

static void lie_add(struct lie *lie, const void *data, size_t len)
{
	assert_true(lie->len + len <= sizeof(lie->bytes));
	memcpy(lie->bytes + lie->len, data, len);
	lie->len += len;
}

static void lie_record(struct lie *lie, const struct record *record, const void *payload,
		       size_t len)
{
	unsigned char header[RECORD_SIZE];

	record_encode(record, header);
	lie_add(lie, header, sizeof(header));
	if (len > 0)
		lie_add(lie, payload, len);
}

static void lie_object(struct lie *lie, const void *data, size_t len)
{
	struct record record = { .kind = RECORD_OBJECT,
				 .payload = len,
				 .size = len,
				 .length = len,
				 .digest = digest_of(data, len) };

	lie_record(lie, &record, data, len);
}

/* Signs a bundle of one chunk that leads to a generation; returns the manifest's name. */
static const char *forge(struct carry *carry, const struct generation *generation,
			 const struct lie *lie, char name[BUNDLE_NAME_MAX])
{
	struct chunk_header header = { .sequence = 1 };
	unsigned char *chunk = malloc(CHUNK_HEADER_SIZE + lie->len);
	struct bundle_chunk entry = { .size = CHUNK_HEADER_SIZE + lie->len };
	struct bundle bundle = { .format = lie->format ? lie->format : BUNDLE_FORMAT,
				 .sequence = 1,
				 .created = CARRY_NOW,
				 .expires = CARRY_NOW + 1000,
				 .chunks = &entry,
				 .n_chunks = 1 };
	struct bundle_name parts = { .sequence = 1 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(GENERATION_TEXT_MAX);
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(BUNDLE_TEXT_MAX);
	_cleanup_strbuf_ struct strbuf signature = STRBUF_INIT(SIGNATURE_FILE_MAX);
	_cleanup_secret_key_ struct secret_key key = { 0 };
	char chunk_text[BUNDLE_NAME_MAX], signature_text[BUNDLE_NAME_MAX + 16];
	struct error err = { 0 };

	assert_non_null(chunk);
	memcpy(header.hub, store_id(carry->hub), 32);
	memcpy(bundle.hub, store_id(carry->hub), 32);
	memcpy(parts.hub, store_id(carry->hub), 8);
	chunk_header_encode(&header, chunk);
	memcpy(chunk + CHUNK_HEADER_SIZE, lie->bytes, lie->len);
	entry.digest = digest_of(chunk, entry.size);
	CARRY_TRY(generation_format(generation, &text, &err), &err);
	bundle.generation = text.data;
	bundle.generation_len = text.len;
	bundle.root = digest_of(text.data, text.len);
	CARRY_TRY(bundle_format(&bundle, &manifest, &err), &err);
	CARRY_TRY(secret_key_load(carry->secret.text, &key, &err), &err);
	CARRY_TRY(signature_make(&key, manifest.data, manifest.len, "x", &signature, &err), &err);
	chunk_name(carry, 0, chunk_text);
	carry_write(carry, chunk_text, chunk, entry.size);
	carry_write(carry, bundle_name_format(&parts, name), manifest.data, manifest.len);
	(void)snprintf(signature_text, sizeof(signature_text), "%s.minisig", name);
	carry_write(carry, signature_text, signature.data, signature.len);
	free(chunk);
	return name;
}

/* A generation of one repository whose manifest has a digest. */
static struct generation *make_generation(const struct digest *digest)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	assert_non_null(generation);
	generation->repositories = calloc(1, sizeof(*generation->repositories));
	assert_non_null(generation->repositories);
	generation->n_repositories = 1;
	(void)str_copy(generation->repositories[0].name, STORE_NAME_MAX, "debian");
	(void)str_copy(generation->repositories[0].ecosystem, 16, "apt");
	generation->repositories[0].collected = *digest;
	generation->repositories[0].served = *digest;
	(void)str_copy(generation->reason, GENERATION_REASON_MAX, "sync debian");
	generation->number = 1;
	generation->created = CARRY_NOW;
	return generation;
}

/* The bytes of a manifest of one path, and one of the same length put in its place. */
static void make_manifest(struct carry *carry, const char *path, const char *instead,
			  struct strbuf *out)
{
	const struct content contents[] = { { .path = path, .size = 10, .seed = 1 }, { 0 } };
	struct digest digest = carry_manifest(carry->hub, contents);
	struct error err = { 0 };
	char *at;

	CARRY_TRY(object_read(carry->hub, &digest, 1 << 20, out, &err), &err);
	at = memmem(out->data, out->len, path, strlen(path));
	assert_non_null(at);
	memcpy(at, instead, strlen(path));
}

static void test_paths(void **state)
{
	static const char *const hostile[] = { "../../../a",  "/etc/passw", "a/../../bb",
					       "a//bbbbbbb",  "./aaaaaaaa", "a/./bbbbbb",
					       "aaa\naaaaaa", "aaa\0aaaaaa" };
	struct carry *carry = *state;
	struct lie *lie = calloc(1, sizeof(*lie));
	char name[BUNDLE_NAME_MAX];

	assert_non_null(lie);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(1 << 20);
		_cleanup_(generation_freep) struct generation *generation = NULL;
		struct import_report report;
		struct digest digest;

		make_manifest(carry, "aaaaaaaaaa", hostile[i], &manifest);
		digest = digest_of(manifest.data, manifest.len);
		generation = make_generation(&digest);
		lie->len = 0;
		lie_object(lie, manifest.data, manifest.len);
		report = carry_import(carry, forge(carry, generation, lie, name));
		carry_assert(report, IMPORT_REFUSED);
		if (!strstr(report.why, "manifest of repository"))
			fail_msg("%zu: %s", i, report.why);
	}
	free(lie);
}

static void pack_bomb(struct lie *lie, size_t claimed)
{
	_cleanup_(packer_freep) struct packer *packer = NULL;
	_cleanup_free_ unsigned char *zeros = calloc(1, RECORD_PACKED_MAX);
	struct record record = {
		.kind = RECORD_OBJECT, .encoding = RECORD_ZSTD, .size = claimed, .length = claimed
	};
	struct bytes packed;
	struct error err = { 0 };

	assert_non_null(zeros);
	CARRY_TRY(packer_new(3, &packer, &err), &err);
	CARRY_TRY(pack(packer, (struct bytes) { zeros, RECORD_PACKED_MAX }, (struct bytes) { 0 },
		       &packed, &err),
		  &err);
	record.payload = packed.len;
	record.digest = digest_of(zeros, claimed);
	lie_record(lie, &record, packed.data, packed.len);
}

static void pack_batch(struct lie *lie, const void *data, size_t len)
{
	_cleanup_(packer_freep) struct packer *packer = NULL;
	struct record record = { .kind = RECORD_BATCH, .encoding = RECORD_ZSTD, .length = len };
	struct bytes packed;
	struct error err = { 0 };

	CARRY_TRY(packer_new(3, &packer, &err), &err);
	CARRY_TRY(pack(packer, (struct bytes) { data, len }, (struct bytes) { 0 }, &packed, &err),
		  &err);
	record.payload = packed.len;
	lie_record(lie, &record, packed.data, packed.len);
}

static void lie_bomb(struct lie *lie)
{
	pack_bomb(lie, 100);
}

static void lie_nested(struct lie *lie)
{
	const struct record record = {
		.kind = RECORD_BATCH, .encoding = RECORD_ZSTD, .payload = 64, .length = 64
	};
	unsigned char nested[RECORD_SIZE + 64] = { 0 };

	record_encode(&record, nested);
	pack_batch(lie, nested, sizeof(nested));
}

static void lie_cut_header(struct lie *lie)
{
	lie_add(lie, "cut", 3);
}

/* Each way in which records can lie. */
static const struct {
	const char *what;
	void (*make)(struct lie *lie); /* or what follows */
	struct record record;
	const char *payload;
	const char *of;	  /* what its digest is of */
	const char *base; /* an object in front of it, which it is made from */
} lies[] = {
	{ .what = "a bomb", .make = lie_bomb },
	{ .what = "a batch in a batch", .make = lie_nested },
	{ .what = "a header that is cut", .make = lie_cut_header },
	{ "other bytes",
	  NULL,
	  { .kind = RECORD_OBJECT, .size = 4, .length = 4 },
	  "evil",
	  "good",
	  NULL },
	{ "a payload that is cut",
	  NULL,
	  { .kind = RECORD_OBJECT, .payload = 4, .size = 4, .length = 4 },
	  "goo",
	  "good",
	  NULL },
	{ "a bomb that says so",
	  NULL,
	  { .kind = RECORD_OBJECT,
	    .encoding = RECORD_ZSTD,
	    .size = UINT64_C(1) << 40,
	    .length = UINT64_C(1) << 40 },
	  "evil",
	  "good",
	  NULL },
	{ "no zstd",
	  NULL,
	  { .kind = RECORD_OBJECT, .encoding = RECORD_ZSTD, .size = 4, .length = 4 },
	  "evil",
	  "good",
	  NULL },
	{ "an offset that overflows",
	  NULL,
	  { .kind = RECORD_OBJECT, .size = 4, .length = 4, .offset = UINT64_MAX - 1 },
	  "good",
	  "good",
	  NULL },
	{ "an unknown kind", NULL, { .kind = 77, .size = 4, .length = 4 }, "good", "good", NULL },
	{ "no compressed text", NULL, { .kind = RECORD_EXPANDED, .size = 4 }, "", "other", "page" },
	{ "a text longer than it says",
	  NULL,
	  { .kind = RECORD_EXPANDED, .size = 3 },
	  "",
	  "other",
	  "page" },
	{ "a rebuilt file longer than it says",
	  NULL,
	  { .kind = RECORD_REBUILT,
	    .algorithm = RECORD_DEFLATE,
	    .level = 9,
	    .offset = 4,
	    .size = 5 },
	  "head",
	  "other",
	  "page" },
	/* What it is to be compressed from has other bytes than it says. */
	{ "a base of another length",
	  NULL,
	  { .kind = RECORD_REPACKED,
	    .encoding = RECORD_PATCH,
	    .algorithm = RECORD_GZIP,
	    .level = 9,
	    .size = 24,
	    .length = 4,
	    .base_length = 5 },
	  "good",
	  "other",
	  "page" },
	{ "a rebuilt file with other bytes",
	  NULL,
	  { .kind = RECORD_REBUILT, .algorithm = RECORD_GZIP, .level = 9, .size = 24 },
	  "",
	  "other",
	  "page" },
};

static void make_lie(struct lie *lie, size_t number)
{
	struct record record = lies[number].record;
	const char *payload = lies[number].payload, *base = lies[number].base;

	if (lies[number].make) {
		lies[number].make(lie);
		return;
	}
	if (base) {
		lie_object(lie, base, strlen(base));
		record.base = digest_of(base, strlen(base));
	}
	if (record.payload == 0)
		record.payload = strlen(payload);
	record.digest = digest_of(lies[number].of, strlen(lies[number].of));
	lie_record(lie, &record, payload, strlen(payload));
}

static void test_lies(void **state)
{
	struct carry *carry = *state;
	struct lie *lie = calloc(1, sizeof(*lie));
	char name[BUNDLE_NAME_MAX];

	assert_non_null(lie);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct digest digest = digest_of("good", 4);
		_cleanup_(generation_freep) struct generation *generation =
			make_generation(&digest);
		struct import_report report;

		lie->len = 0;
		make_lie(lie, i);
		report = carry_import(carry, forge(carry, generation, lie, name));
		if (report.verdict != IMPORT_REFUSED)
			fail_msg("%s: %s: %s", lies[i].what, import_verdict_name(report.verdict),
				 report.why);
	}
	free(lie);
}

/* The hub names a file that it does not send. */
static void test_incomplete(void **state)
{
	struct carry *carry = *state;
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(1 << 20);
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct lie *lie = calloc(1, sizeof(*lie));
	char name[BUNDLE_NAME_MAX];
	struct import_report report;
	struct digest digest;

	assert_non_null(lie);
	make_manifest(carry, "aaaaaaaaaa", "aaaaaaaaaa", &manifest);
	digest = digest_of(manifest.data, manifest.len);
	generation = make_generation(&digest);
	lie_object(lie, manifest.data, manifest.len);
	/* Twice the same does no harm. */
	lie_object(lie, manifest.data, manifest.len);
	report = carry_import(carry, forge(carry, generation, lie, name));
	carry_assert(report, IMPORT_REFUSED);
	assert_non_null(strstr(report.why, "neither here nor in the bundle (aaaaaaaaaa)"));
	free(lie);
}

/* The hub names what clients would get, and does not send it: with a scanner and without. */
static void test_served_missing(void **state)
{
	struct carry *carry = *state;
	struct config_word scanner[1] = { { "true" } };
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(1 << 20);
	_cleanup_(generation_freep) struct generation *generation = NULL;
	struct lie *lie = calloc(1, sizeof(*lie));
	unsigned char *bytes;
	char name[BUNDLE_NAME_MAX];
	struct digest digest;

	assert_non_null(lie);
	make_manifest(carry, "aaaaaaaaaa", "aaaaaaaaaa", &manifest);
	digest = digest_of(manifest.data, manifest.len);
	generation = make_generation(&digest);
	generation->repositories[0].served = digest_of("nowhere", 7);
	lie_object(lie, manifest.data, manifest.len);
	bytes = carry_bytes(&(struct content) { .size = 10, .seed = 1 });
	lie_object(lie, bytes, 10);
	free(bytes);
	carry->site_config.scanner = scanner;
	for (size_t n = 0; n < 2; n++) {
		struct import_report report;

		carry->site_config.n_scanner = n;
		report = carry_import(carry, forge(carry, generation, lie, name));
		carry_assert(report, IMPORT_REFUSED);
		if (!strstr(report.why, "the manifest of repository 'debian'"))
			fail_msg("%zu: %s", n, report.why);
	}
	free(lie);
}

static const struct content older[] = {
	{ .path = "Packages", .size = 30000, .seed = 1, .is_text = true, .has_xz = true },
	{ 0 },
};

static const struct content newer[] = {
	{ .path = "Packages",
	  .size = 30500,
	  .seed = 2,
	  .is_text = true,
	  .has_gzip = true,
	  .has_xz = true },
	{ 0 },
};

static void read_hub(struct carry *carry, const struct digest *digest, struct strbuf *out)
{
	struct error err = { 0 };

	CARRY_TRY(object_read(carry->hub, digest, CARRY_PACKED_MAX, out, &err), &err);
}

/* A page's variant as it was told then: without a frame. */
static void add_old_variant(struct lie *lie, const unsigned char *page, size_t len)
{
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT(CARRY_PACKED_MAX);
	struct record record = { .kind = RECORD_REBUILT, .algorithm = RECORD_GZIP, .level = 9 };

	assert_int_equal(carry_compress(RECORD_GZIP, 9, page, len, &packed), 0);
	record.size = packed.len;
	record.digest = digest_of(packed.data, packed.len);
	record.base = digest_of(page, len);
	lie_record(lie, &record, NULL, 0);
}

/* And a compressed index: what changed in it, and how to compress it, in one record. */
static void add_old_index(struct carry *carry, struct lie *lie, struct bytes text,
			  struct bytes base)
{
	_cleanup_(packer_freep) struct packer *packer = NULL;
	_cleanup_strbuf_ struct strbuf made = STRBUF_INIT(CARRY_PACKED_MAX);
	_cleanup_strbuf_ struct strbuf before = STRBUF_INIT(CARRY_PACKED_MAX);
	struct record record = { .kind = RECORD_REPACKED,
				 .encoding = RECORD_PATCH,
				 .algorithm = RECORD_XZ_BLOCKS,
				 .level = 16,
				 .length = text.len,
				 .base_length = base.len };
	struct bytes patch;
	struct error err = { 0 };

	assert_int_equal(carry_compress(RECORD_XZ_BLOCKS, 16, base.data, base.len, &before), 0);
	assert_int_equal(carry_compress(RECORD_XZ_BLOCKS, 16, text.data, text.len, &made), 0);
	CARRY_TRY(object_put(carry->site, before.data, before.len, &record.base, &err), &err);
	CARRY_TRY(packer_new(3, &packer, &err), &err);
	CARRY_TRY(pack(packer, text, base, &patch, &err), &err);
	record.payload = patch.len;
	record.size = made.len;
	record.digest = digest_of(made.data, made.len);
	lie_record(lie, &record, patch.data, patch.len);
}

/* What hubs of before sent is still taken. */
static void test_first_format(void **state)
{
	struct carry *carry = *state;
	_cleanup_strbuf_ struct strbuf manifest = STRBUF_INIT(CARRY_PACKED_MAX);
	struct digest digest = carry_manifest(carry->hub, newer);
	_cleanup_(generation_freep) struct generation *generation = make_generation(&digest);
	_cleanup_free_ unsigned char *before = carry_bytes(older), *after = carry_bytes(newer);
	_cleanup_free_ struct lie *lie = calloc(1, sizeof(*lie));
	char name[BUNDLE_NAME_MAX];

	assert_non_null(lie);
	read_hub(carry, &digest, &manifest);
	lie->format = 1;
	lie_object(lie, manifest.data, manifest.len);
	lie_object(lie, after, newer->size);
	add_old_variant(lie, after, newer->size);
	add_old_index(carry, lie, (struct bytes) { after, newer->size },
		      (struct bytes) { before, older->size });
	carry_assert(carry_import(carry, forge(carry, generation, lie, name)), IMPORT_APPLIED);
	carry_check(carry, "debian", newer);
}

static void test_names(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "0123abcd-1.manifest", true },
		{ "0123abcd-1.manifest.minisig", true },
		{ "0123abcd-1.manifest.minisig.2", true },
		{ "0123abcd-18.00003.chunk", true },
		{ "0123abcd-1.manifest.minisig.0", false },
		{ "0123abcd-1.manifest.minisig.16", false },
		{ "0123abcd-01.manifest", false },
		{ "0123ABCD-1.manifest", false },
		{ "0123abcd-1.3.chunk", false },
		{ "0123abcd-1.99999.chunk", false },
		{ "0123abcd-1.00003.chunk.part", false },
		{ "0123abcd-18446744073709551616.manifest", false },
		{ "0123abc", false },
		{ "", false },
		{ "0123abcd-", false },
		{ "0123abcd-1", false },
	};
	struct bundle_name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (bundle_name_parse(rows[i].text, &name) != rows[i].ok)
			fail_msg("%s", rows[i].text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, carry_setup, carry_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(manifest_cut),
		TEST(manifest_changed),
		TEST(strangers),
		TEST(two_signatures),
		TEST(replay),
		TEST(missing_bundles),
		TEST(times),
		TEST(chunk_damage),
		TEST(paths),
		TEST(lies),
		TEST(incomplete),
		TEST(served_missing),
		TEST(key_listed_twice),
		TEST(first_format),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
