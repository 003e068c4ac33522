/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles from a hub to a site, as they should go. */
#include "tests/unit/reservoir/bundle/carry.h"

#include "reservoir/bundle/receipt.h"

static const struct content first[] = {
	{ .path = "dists/Packages", .size = 200000, .seed = 1, .is_text = true, .has_gzip = true },
	{ .path = "dists/Release", .size = 700, .seed = 2, .is_text = true },
	{ .path = "empty" },
	{ .path = "pool/a.deb", .size = 300000, .seed = 3 },
	{ .path = "pool/b.deb", .size = 20, .seed = 4 },
	{ .path = "pool/c.deb", .size = 66000, .seed = 5 },
	{ 0 },
};

static const struct content second[] = {
	{ .path = "dists/Packages", .size = 200500, .seed = 11, .is_text = true, .has_gzip = true },
	{ .path = "dists/Release", .size = 700, .seed = 12, .is_text = true },
	{ .path = "empty" },
	{ .path = "pool/a.deb", .size = 300000, .seed = 3 },
	{ .path = "pool/c.deb", .size = 66000, .seed = 5 },
	{ .path = "pool/d.deb", .size = 150000, .seed = 13 },
	{ 0 },
};

static const struct content third[] = {
	{ .path = "dists/Packages", .size = 200500, .seed = 11, .is_text = true, .has_gzip = true },
	{ .path = "pool/a.deb", .size = 300000, .seed = 3 },
	{ 0 },
};

static void test_full_then_delta(void **state)
{
	struct carry *carry = *state;
	struct export_report full, delta;
	struct import_report report;

	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	assert_int_equal(full.kind, BUNDLE_FULL);
	assert_true(full.n_chunks > 4);
	report = carry_import(carry, full.name);
	carry_assert(report, IMPORT_APPLIED);
	assert_int_equal(report.objects, full.objects);
	carry_check(carry, "debian", first);

	carry_publish(carry->hub, "debian", second);
	delta = carry_export(carry, 1);
	assert_int_equal(delta.kind, BUNDLE_DELTA);
	/* The new package, and little for the index of 200 kB and its variant. */
	assert_true(delta.bundle_bytes < 150000 + 8000);
	report = carry_import(carry, delta.name);
	carry_assert(report, IMPORT_APPLIED);
	assert_int_equal(report.removed, 1);
	carry_check(carry, "debian", second);
}

/* The hub's clock was set back between two bundles: the second is not older. */
static void test_clock_of_the_hub(void **state)
{
	static const int64_t later[] = { -3600, -86000, 60 };
	struct carry *carry = *state;
	const struct content *contents[] = { first, second, third };
	struct export_report made;
	struct error err = { 0 };

	carry_publish(carry->hub, "debian", first);
	made = carry_export(carry, 0);
	carry_assert(carry_import(carry, made.name), IMPORT_APPLIED);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		carry_publish(carry->hub, "debian", contents[(i + 1) % 3]);
		CARRY_TRY(carry_try_export(carry, i + 1, CARRY_NOW + later[i], &made, &err), &err);
		carry_assert(carry_import(carry, made.name), IMPORT_APPLIED);
	}
}

/* It was ahead by more than sites bear, and is right again: they take what it makes now. */
static void test_clock_of_the_hub_was_ahead(void **state)
{
	struct carry *carry = *state;
	struct export_report made;
	struct error err = { 0 };

	carry_publish(carry->hub, "debian", first);
	CARRY_TRY(carry_try_export(carry, 0, CARRY_NOW + 864000, &made, &err), &err);
	carry_assert(carry_import(carry, made.name), IMPORT_WAITING);
	CARRY_TRY(carry_try_export(carry, 0, CARRY_NOW, &made, &err), &err);
	carry_assert(carry_import(carry, made.name), IMPORT_APPLIED);
}

static const struct content index_before[] = {
	{ .path = "Packages", .size = 400000, .seed = 1, .is_text = true, .has_xz = true },
	{ 0 },
};

static const struct content index_after[] = {
	{ .path = "Packages", .size = 404000, .seed = 2, .is_text = true, .has_xz = true },
	{ 0 },
};

/* An index that upstream has compressed travels as what changed in it. */
static void test_compressed_index(void **state)
{
	struct carry *carry = *state;
	struct export_report report;

	carry_publish(carry->hub, "debian", index_before);
	(void)carry_import(carry, carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", index_after);
	report = carry_export(carry, 1);
	assert_true(report.bundle_bytes < 404000 / 50);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
	carry_check(carry, "debian", index_after);
}

static const struct content long_before[] = {
	{ .path = "Contents",
	  .size = 9500000,
	  .seed = 1,
	  .is_text = true,
	  .has_gz = true,
	  .is_hidden = true },
	{ 0 },
};

static const struct content long_after[] = {
	{ .path = "Contents",
	  .size = 9600000,
	  .seed = 2,
	  .is_text = true,
	  .has_gz = true,
	  .is_hidden = true },
	{ 0 },
};

/* One that is longer than a record, of which the archive has only the compressed form. */
static void test_long_index(void **state)
{
	struct carry *carry = *state;
	struct export_report report;

	carry_publish(carry->hub, "debian", long_before);
	(void)carry_import(carry, carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", long_after);
	report = carry_export(carry, 1);
	assert_true(report.bundle_bytes < 9600000 / 50);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
	carry_check(carry, "debian", long_after);
}

static const struct content both_before[] = {
	{ .path = "Packages",
	  .size = 400000,
	  .seed = 1,
	  .is_text = true,
	  .has_xz = true,
	  .has_gz = true,
	  .is_hidden = true },
	{ 0 },
};

static const struct content both_after[] = {
	{ .path = "Packages",
	  .size = 404000,
	  .seed = 2,
	  .is_text = true,
	  .has_xz = true,
	  .has_gz = true,
	  .is_hidden = true },
	{ 0 },
};

/* Two forms of an index need one difference. */
static void test_forms_of_an_index(void **state)
{
	struct carry *carry = *state;
	struct export_report report;
	uint64_t one;

	carry_publish(carry->hub, "debian", index_before);
	carry_publish(carry->hub, "debian", index_after);
	one = carry_export(carry, 1).bundle_bytes;
	carry_publish(carry->hub, "debian", both_before);
	(void)carry_import(carry, carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", both_after);
	report = carry_export(carry, 3);
	assert_true(report.bundle_bytes < one + 1000);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
	carry_check(carry, "debian", both_after);
}

static const struct content packed_before[] = {
	{ .path = "Packages.gz", .size = 3000000, .seed = 1, .changed = 100 },
	{ 0 },
};

static const struct content packed_after[] = {
	{ .path = "Packages.gz", .size = 3001000, .seed = 2, .changed = 100 },
	{ 0 },
};

static const struct content packed_anew[] = {
	{ .path = "Packages.gz", .size = 3001000, .seed = 3, .changed = 1000 },
	{ 0 },
};

/* What nothing makes again travels as the packed bytes that changed, or whole. */
static void test_packed_index(void **state)
{
	struct carry *carry = *state;
	struct export_report report;

	carry_publish(carry->hub, "debian", packed_before);
	(void)carry_import(carry, carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", packed_after);
	report = carry_export(carry, 1);
	assert_true(report.bundle_bytes < 3001000 / 7);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
	carry_check(carry, "debian", packed_after);
	carry_publish(carry->hub, "debian", packed_anew);
	report = carry_export(carry, 2);
	assert_true(report.bundle_bytes > 3001000);
	assert_true(report.bundle_bytes < 3001000 + 3001000 / 100);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
	carry_check(carry, "debian", packed_anew);
}

static void test_recall(void **state)
{
	struct carry *carry = *state;
	struct export_report report;

	carry_publish(carry->hub, "debian", second);
	report = carry_export(carry, 0);
	(void)carry_import(carry, report.name);
	carry_publish(carry->hub, "debian", third);
	report = carry_export(carry, 1);
	assert_int_equal(report.kind, BUNDLE_RECALL);
	assert_true(report.bundle_bytes < 2000);
	(void)carry_import(carry, report.name);
	carry_check(carry, "debian", third);
}

/* A repository that the hub has no more is gone; one of the site's own stays. */
static void test_repositories(void **state)
{
	struct carry *carry = *state;
	_cleanup_(generation_freep) struct generation *current = NULL;
	_cleanup_(generation_freep) struct generation *next = NULL;
	struct export_report report;
	struct error err = { 0 };

	carry_publish(carry->site, "own", third);
	carry_publish(carry->hub, "debian", first);
	carry_publish(carry->hub, "extra", third);
	report = carry_export(carry, 0);
	(void)carry_import(carry, report.name);
	carry_check(carry, "extra", third);
	CARRY_TRY(generation_current(carry->hub, &current, &err), &err);
	CARRY_TRY(generation_copy(current, &next, &err), &err);
	generation_remove(next, "extra");
	CARRY_TRY(generation_publish(carry->hub, next, &err), &err);
	report = carry_export(carry, 2);
	(void)carry_import(carry, report.name);
	generation_free(TAKE_PTR(current));
	CARRY_TRY(generation_current(carry->site, &current, &err), &err);
	assert_null(generation_repository(current, "extra"));
	carry_check(carry, "debian", first);
	carry_check(carry, "own", third);
}

/* A hub must not replace what the site collects itself. */
static void test_owner(void **state)
{
	struct carry *carry = *state;
	struct import_report report;

	carry_publish(carry->site, "debian", third);
	carry_publish(carry->hub, "debian", first);
	report = carry_import(carry, carry_export(carry, 0).name);
	carry_assert(report, IMPORT_REFUSED);
	assert_non_null(strstr(report.why, "its own"));
	carry_check(carry, "debian", third);
}

/* The same difference is the same bundle, byte for byte. */
static void test_again_is_the_same(void **state)
{
	struct carry *carry = *state;
	struct export_report report, again;
	unsigned char *manifest, *other;
	struct error err = { 0 };
	size_t n, m;

	carry_publish(carry->hub, "debian", first);
	report = carry_export(carry, 0);
	manifest = carry_read(carry, report.name, &n);
	CARRY_TRY(carry_try_export(carry, 0, CARRY_NOW + 100, &again, &err), &err);
	assert_int_equal(again.sequence, report.sequence);
	assert_int_equal(again.n_resumed, report.n_chunks);
	other = carry_read(carry, report.name, &m);
	assert_int_equal(n, m);
	assert_memory_equal(manifest, other, n);
	free(other);
	/* Into an empty directory, and the sequence goes on only for another difference. */
	(void)unlink(carry_path(carry, report.name, (char[256]) { 0 }));
	carry_publish(carry->hub, "debian", second);
	assert_int_equal(carry_export(carry, 1).sequence, report.sequence + 1);
	free(manifest);
}

static void remove_chunk(struct carry *carry, uint64_t sequence, uint32_t index)
{
	struct bundle_name name = { .sequence = sequence,
				    .file = BUNDLE_FILE_CHUNK,
				    .index = index };
	char text[BUNDLE_NAME_MAX], path[256];

	memcpy(name.hub, store_id(carry->hub), 8);
	assert_int_equal(unlink(carry_path(carry, bundle_name_format(&name, text), path)), 0);
}

/* An export that stopped after some chunks becomes the same as one that did not. */
static void test_export_resumes(void **state)
{
	struct carry *carry = *state;
	struct export_report report, again;
	unsigned char *manifest, *other;
	size_t n, m;

	carry_publish(carry->hub, "debian", first);
	report = carry_export(carry, 0);
	manifest = carry_read(carry, report.name, &n);
	for (uint32_t lost = 0; lost < report.n_chunks; lost++) {
		for (uint32_t i = lost; i < report.n_chunks; i++)
			remove_chunk(carry, report.sequence, i);
		again = carry_export(carry, 0);
		assert_int_equal(again.n_resumed, lost);
		other = carry_read(carry, report.name, &m);
		assert_int_equal(n, m);
		assert_memory_equal(manifest, other, n);
		free(other);
	}
	free(manifest);
	carry_assert(carry_import(carry, report.name), IMPORT_APPLIED);
}

static void test_nothing_changed(void **state)
{
	struct carry *carry = *state;
	struct export_report report;
	struct error err = { 0 };

	carry_publish(carry->hub, "debian", first);
	assert_int_equal(carry_try_export(carry, 1, CARRY_NOW, &report, &err), -EALREADY);
}

/* Chunks that come one by one, the last first, and each taken away again. */
static void test_any_order(void **state)
{
	struct carry *carry = *state;
	struct export_report full;
	struct import_report report = { 0 };
	char there[256], away[256], text[BUNDLE_NAME_MAX];

	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = (uint32_t)full.n_chunks; i-- > 0;) {
			struct bundle_name name = { .sequence = full.sequence,
						    .file = BUNDLE_FILE_CHUNK };

			/* Only chunk i is here. */
			memcpy(name.hub, store_id(carry->hub), 8);
			for (name.index = 0; name.index < full.n_chunks; name.index++) {
				(void)carry_path(carry, bundle_name_format(&name, text), there);
				(void)snprintf(away, sizeof(away), "%s/%s", carry->dir, text);
				if (name.index == i)
					(void)rename(away, there);
				else
					(void)rename(there, away);
			}
			if (report.verdict != IMPORT_APPLIED || report.n_chunks == 0)
				report = carry_import(carry, full.name);
			if (report.verdict == IMPORT_APPLIED)
				goto done;
			carry_assert(report, IMPORT_WAITING);
			assert_non_null(strstr(report.why, "chunk"));
		}
	/* What an object that spans chunks needs in order, the next rounds give. */
	for (uint32_t i = 0; i < full.n_chunks; i++) {
		struct bundle_name name = { .sequence = full.sequence,
					    .file = BUNDLE_FILE_CHUNK,
					    .index = i };

		memcpy(name.hub, store_id(carry->hub), 8);
		(void)carry_path(carry, bundle_name_format(&name, text), there);
		(void)snprintf(away, sizeof(away), "%s/%s", carry->dir, text);
		(void)rename(away, there);
	}
	report = carry_import(carry, full.name);
	carry_assert(report, IMPORT_APPLIED);
done:
	carry_check(carry, "debian", first);
}

static void test_receipt(void **state)
{
	struct carry *carry = *state;
	struct export_report full;
	struct receipt receipt;
	struct error err = { 0 };
	char path[256];

	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	(void)carry_import(carry, full.name);
	(void)snprintf(path, sizeof(path), "%s/%.8s-%.8s-1.receipt", carry->receipts,
		       store_id(carry->site), store_id(carry->hub));
	CARRY_TRY(receipt_read(path, carry->hub_config.sites, 1, store_id(carry->hub), &receipt,
			       &err),
		  &err);
	assert_int_equal(receipt.sequence, 1);
	assert_string_equal(receipt.site, store_id(carry->site));
	/* Not of a key that is not known, and not for another hub. */
	assert_int_equal(
		receipt_read(path, &carry->public, 1, store_id(carry->hub), &receipt, &err),
		-EKEYREJECTED);
	assert_int_equal(receipt_read(path, carry->hub_config.sites, 1, store_id(carry->site),
				      &receipt, &err),
			 -EKEYREJECTED);
}

/* What could not be written is made up for: the hub needs it. */
static void test_receipt_comes_late(void **state)
{
	struct carry *carry = *state;
	struct import import = { .config = &carry->site_config,
				 .store = carry->site,
				 .catalogue = carry->site_catalogue,
				 .dir = carry->medium,
				 .chunk_dir = carry->medium,
				 .receipts = carry->receipts,
				 .now = CARRY_NOW };
	char away[128], path[256], name[BUNDLE_NAME_MAX];
	struct import_report report;
	struct error err = { 0 };

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	import.name = name;
	(void)snprintf(away, sizeof(away), "%s.away", carry->receipts);
	assert_int_equal(rename(carry->receipts, away), 0);
	assert_int_equal(import_bundle(&import, &report, &err), -ENOENT);
	assert_int_equal(rename(away, carry->receipts), 0);
	carry_assert(carry_import(carry, name), IMPORT_ALREADY);
	(void)snprintf(path, sizeof(path), "%s/%.8s-%.8s-1.receipt.minisig", carry->receipts,
		       store_id(carry->site), store_id(carry->hub));
	assert_int_equal(access(path, F_OK), 0);
}

/* After a rollback the next bundle still fits, as its base is kept. */
static void test_cumulative(void **state)
{
	struct carry *carry = *state;

	carry_publish(carry->hub, "debian", first);
	(void)carry_import(carry, carry_export(carry, 0).name);
	carry_publish(carry->hub, "debian", second);
	(void)carry_import(carry, carry_export(carry, 1).name);
	carry_publish(carry->hub, "debian", third);
	/* Again since the first: what a hub sends that gets no receipts. */
	carry_assert(carry_import(carry, carry_export(carry, 1).name), IMPORT_APPLIED);
	carry_check(carry, "debian", third);
}

static void test_dry_run(void **state)
{
	struct carry *carry = *state;
	struct export_report full;
	struct import_report report;
	struct error err = { 0 };
	size_t before;

	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	before = carry_count_objects(carry);
	CARRY_TRY(carry_try_import(carry, full.name, CARRY_NOW, true, &report, &err), &err);
	carry_assert(report, IMPORT_APPLIED);
	assert_int_equal(carry_count_objects(carry), before);
}

/* What a garbage collection took of a bundle that waited is read again. */
static void test_lost_while_waiting(void **state)
{
	struct carry *carry = *state;
	struct export_report full;
	char last[BUNDLE_NAME_MAX], there[256], away[256], path[256], text[DIGEST_TEXT_SIZE];
	unsigned char *bytes = carry_bytes(&first[0]);
	struct digest digest = digest_of(bytes, first[0].size);
	struct bundle_name name = { .sequence = 1, .file = BUNDLE_FILE_CHUNK };

	carry->hub_config.chunk_bytes = 200 * 1024;
	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	name.index = (uint32_t)full.n_chunks - 1;
	memcpy(name.hub, store_id(carry->hub), 8);
	(void)carry_path(carry, bundle_name_format(&name, last), there);
	(void)snprintf(away, sizeof(away), "%s/away", carry->dir);
	assert_int_equal(rename(there, away), 0);
	carry_assert(carry_import(carry, full.name), IMPORT_WAITING);
	(void)digest_format(&digest, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", carry->site_dir, text, text);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(away, there), 0);
	carry_assert(carry_import(carry, full.name), IMPORT_APPLIED);
	carry_check(carry, "debian", first);
	free(bytes);
}

/* An object that was lost comes back from the bundle that brought it. */
static void test_repair(void **state)
{
	struct carry *carry = *state;
	struct import import = { .config = &carry->site_config,
				 .dir = carry->medium,
				 .chunk_dir = carry->medium,
				 .repair = true,
				 .now = CARRY_NOW + 86400 * 365 };
	struct import_report report;
	char path[256], text[DIGEST_TEXT_SIZE], name[BUNDLE_NAME_MAX];
	unsigned char *bytes = carry_bytes(&first[3]);
	struct digest digest = digest_of(bytes, first[3].size);
	struct error err = { 0 };

	carry_publish(carry->hub, "debian", first);
	(void)snprintf(name, sizeof(name), "%s", carry_export(carry, 0).name);
	carry_assert(carry_import(carry, name), IMPORT_APPLIED);
	(void)digest_format(&digest, text);
	(void)snprintf(path, sizeof(path), "%s/objects/%.2s/%s", carry->site_dir, text, text);
	assert_int_equal(unlink(path), 0);
	import.store = carry->site;
	import.catalogue = carry->site_catalogue;
	import.name = name;
	CARRY_TRY(import_bundle(&import, &report, &err), &err);
	carry_assert(report, IMPORT_APPLIED);
	assert_int_equal(report.generation, 1);
	carry_check(carry, "debian", first);
	free(bytes);
}

/* A file of the site's store named after what it should have in it. */
static void object_path(const struct carry *carry, const char *folder, const struct content *of,
			char ret[256])
{
	unsigned char *bytes = carry_bytes(of);
	struct digest digest = digest_of(bytes, of->size);
	char text[DIGEST_TEXT_SIZE];

	(void)snprintf(ret, 256, "%s/%s/%s", carry->site_dir, folder, digest_format(&digest, text));
	free(bytes);
}

/* What a bundle builds on was damaged at the site: that is no fault of the hub's. */
static void test_damaged_base(void **state)
{
	struct carry *carry = *state;
	struct import_report report;
	char path[256], aside[256], folder[16];
	int fd;

	carry_publish(carry->hub, "debian", first);
	carry_assert(carry_import(carry, carry_export(carry, 0).name), IMPORT_APPLIED);
	object_path(carry, "quarantine", &first[0], aside);
	(void)snprintf(folder, sizeof(folder), "objects/%.2s", strrchr(aside, '/') + 1);
	object_path(carry, folder, &first[0], path);
	assert_int_equal(chmod(path, 0600), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "?", 1, 1000), 1);
	(void)close(fd);

	carry_publish(carry->hub, "debian", second);
	report = carry_import(carry, carry_export(carry, 1).name);
	carry_assert(report, IMPORT_REFUSED);
	assert_non_null(strstr(report.why, "neither here nor in the bundle"));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(aside, F_OK), 0);
	carry_assert(carry_import(carry, carry_export(carry, 0).name), IMPORT_APPLIED);
	carry_check(carry, "debian", second);
}

static const struct config_word refuses[] = { { "sh" },
					      { "-c" },
					      { "echo found $(ls -R $0 | wc -l); exit 1" } };
static const struct config_word accepts[] = { { "sh" },
					      { "-c" },
					      { "test -f $0/debian/pool/a.deb" } };
static const struct config_word hangs[] = { { "sh" },
					    { "-c" },
					    { "exec cat /dev/zero >/dev/null" } };

static void test_scanner(void **state)
{
	struct carry *carry = *state;
	struct config_word words[3];
	struct import_report report;
	struct export_report full;

	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	carry->site_config.scanner = words;
	carry->site_config.n_scanner = 3;
	memcpy(words, refuses, sizeof(words));
	report = carry_import(carry, full.name);
	carry_assert(report, IMPORT_REFUSED);
	assert_non_null(strstr(report.why, "found"));
	memcpy(words, hangs, sizeof(words));
	carry->site_config.scanner_timeout_ms = 200;
	report = carry_import(carry, full.name);
	carry_assert(report, IMPORT_REFUSED);
	assert_non_null(strstr(report.why, "scannerTimeout"));
	memcpy(words, accepts, sizeof(words));
	carry->site_config.scanner_timeout_ms = 10000;
	report = carry_import(carry, full.name);
	carry_assert(report, IMPORT_APPLIED);
	assert_int_equal(report.scanned, 7);
}

static const struct config_word writes[] = {
	{ "sh" }, { "-c" }, { "cd $0/debian/pool && chmod u+w a.deb && echo worse >> a.deb" }
};
static const struct config_word removes[] = { { "sh" }, { "-c" }, { "rm -r $0/debian/pool" } };

/* The files are the objects themselves: what it does to them must not reach a client. */
static void test_scanner_writes(void **state)
{
	struct carry *carry = *state;
	struct config_word words[3];
	struct import_report report;
	struct export_report full;
	struct digest digest;
	const struct content *deb = first;
	unsigned char *bytes;

	while (strcmp(deb->path, "pool/a.deb") != 0)
		deb++;
	bytes = carry_bytes(deb);
	digest = digest_of(bytes, deb->size);
	free(bytes);
	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	carry->site_config.scanner = words;
	carry->site_config.n_scanner = 3;
	memcpy(words, writes, sizeof(words));
	report = carry_import(carry, full.name);
	carry_assert(report, IMPORT_REFUSED);
	if (!strstr(report.why, "the scanner has changed 1 files (pool/a.deb)"))
		fail_msg("%s", report.why);
	assert_false(object_exists(carry->site, &digest));
	/* What it removes are its own names. */
	memcpy(words, removes, sizeof(words));
	carry_assert(carry_import(carry, full.name), IMPORT_APPLIED);
	carry_check(carry, "debian", first);
}

/* The packed form of the first is under the name of the second. */
static const struct content alike[] = {
	{ .path = "pool/a", .size = 2000, .seed = 1, .is_text = true, .has_gzip = true },
	{ .path = "pool/a.gz", .size = 3000, .seed = 2 },
	{ 0 },
};

static const struct content hidden[] = {
	{ .path = "pool/b.deb", .size = 3000, .seed = 4 },
	{ 0 },
};

static void test_scanner_sees_all(void **state)
{
	static const struct config_word words[] = {
		{ "sh" },
		{ "-c" },
		{ "test -f $0/x/pool/a.gz.1 && test -f $0/x/pool/b.deb" },
	};
	struct carry *carry = *state;
	struct config_word copy[3];
	struct import_report report;

	memcpy(copy, words, sizeof(copy));
	carry_publish_both(carry->hub, "x", alike, hidden);
	carry->site_config.scanner = copy;
	carry->site_config.n_scanner = 3;
	report = carry_import(carry, carry_export(carry, 0).name);
	carry_assert(report, IMPORT_APPLIED);
	assert_int_equal(report.scanned, 4);
}

/* Where this site signs itself, clients get what it made. */
static int make_served(void *ctx, _unused_ const struct generation_repository *repository,
		       struct digest *ret_served, _unused_ struct error *err)
{
	struct carry *carry = ctx;

	*ret_served = carry_manifest(carry->site, third);
	return 0;
}

static void test_finish(void **state)
{
	struct carry *carry = *state;
	struct export_report full;
	struct import_report report;
	struct error err = { 0 };
	struct import import = { .store = carry->site,
				 .catalogue = carry->site_catalogue,
				 .config = &carry->site_config,
				 .dir = carry->medium,
				 .chunk_dir = carry->medium,
				 .now = CARRY_NOW,
				 .finish = make_served,
				 .ctx = carry };

	carry_publish(carry->hub, "debian", first);
	full = carry_export(carry, 0);
	import.name = full.name;
	CARRY_TRY(import_bundle(&import, &report, &err), &err);
	carry_assert(report, IMPORT_APPLIED);
	carry_check(carry, "debian", third);
	carry_publish(carry->hub, "debian", second);
	full = carry_export(carry, 1);
	import.name = full.name;
	CARRY_TRY(import_bundle(&import, &report, &err), &err);
	carry_assert(report, IMPORT_APPLIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, carry_setup, carry_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clock_of_the_hub),
		TEST(clock_of_the_hub_was_ahead),
		TEST(full_then_delta),
		TEST(compressed_index),
		TEST(long_index),
		TEST(forms_of_an_index),
		TEST(packed_index),
		TEST(recall),
		TEST(repositories),
		TEST(owner),
		TEST(again_is_the_same),
		TEST(export_resumes),
		TEST(nothing_changed),
		TEST(any_order),
		TEST(receipt),
		TEST(receipt_comes_late),
		TEST(cumulative),
		TEST(dry_run),
		TEST(lost_while_waiting),
		TEST(repair),
		TEST(damaged_base),
		TEST(scanner),
		TEST(scanner_writes),
		TEST(scanner_sees_all),
		TEST(finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
