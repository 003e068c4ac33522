/* SPDX-License-Identifier: Apache-2.0 */
/* The drop directory: slow, in any order, half-written, and with what is not ours. */
#include "tests/unit/reservoir/bundle/carry.h"

#include "reservoir/bundle/drop.h"
#include "tests/folder.h"

static const struct content first[] = {
	{ .path = "dists/Packages", .size = 30000, .seed = 1, .is_text = true },
	{ .path = "pool/a.deb", .size = 150000, .seed = 3 },
	{ 0 },
};

static const struct content second[] = {
	{ .path = "dists/Packages", .size = 30500, .seed = 2, .is_text = true },
	{ .path = "pool/b.deb", .size = 9000, .seed = 4 },
	{ 0 },
};

struct scene {
	struct carry *carry;
	char dir[96]; /* the drop directory; the medium is where bundles are written */
	struct drop *drop;
	int told;
	char last[2048];
	int imports;
	uint32_t max_files;
};

static int import_one(void *ctx, const char *name, struct import_report *ret, struct error *err)
{
	struct scene *scene = ctx;
	struct carry *carry = scene->carry;
	char receipts[128];
	struct import import = { .store = carry->site,
				 .catalogue = carry->site_catalogue,
				 .config = &carry->site_config,
				 .dir = scene->dir,
				 .chunk_dir = scene->dir,
				 .receipts = receipts,
				 .name = name,
				 .now = CARRY_NOW };

	(void)snprintf(receipts, sizeof(receipts), "%s/receipts", scene->dir);
	scene->imports++;
	return import_bundle(&import, ret, err);
}

static void tell(void *ctx, _unused_ bool is_warning, const char *text)
{
	struct scene *scene = ctx;

	scene->told++;
	(void)snprintf(scene->last, sizeof(scene->last), "%s", text);
}

static void open_scene(struct scene *scene, struct carry *carry)
{
	struct drop_options options = { .dir = scene->dir,
					.settle_ms = 1000,
					.max_files = scene->max_files,
					.import = import_one,
					.tell = tell,
					.ctx = scene };
	struct error err = { 0 };

	scene->carry = carry;
	(void)snprintf(scene->dir, sizeof(scene->dir), "%s/drop", carry->dir);
	(void)mkdir(scene->dir, 0755);
	CARRY_TRY(drop_new(&options, &scene->drop, &err), &err);
}

static struct drop_result scan(struct scene *scene, uint64_t now_ms)
{
	struct drop_result result;
	struct error err = { 0 };

	CARRY_TRY(drop_scan(scene->drop, now_ms, &result, &err), &err);
	return result;
}

/* Copies files of the medium whose names have a text in them, at most @max bytes each. */
static void drop_files(struct scene *scene, const char *text, size_t max)
{
	DIR *dir = opendir(scene->carry->medium);

	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		char path[512];
		unsigned char *bytes;
		struct error err = { 0 };
		size_t n;

		if (entry->d_name[0] == '.' || !strstr(entry->d_name, text))
			continue;
		bytes = carry_read(scene->carry, entry->d_name, &n);
		(void)snprintf(path, sizeof(path), "%s/%s", scene->dir, entry->d_name);
		CARRY_TRY(file_publish(path, bytes, MIN(n, max), 0644, &err), &err);
		free(bytes);
	}
	(void)closedir(dir);
}

static bool is_there(const struct scene *scene, const char *fmt, const char *stem)
{
	char name[256], path[512];

	(void)snprintf(name, sizeof(name), "%s%s", stem, fmt);
	(void)snprintf(path, sizeof(path), "%s/%s", scene->dir, name);
	return access(path, F_OK) == 0;
}

/* A name below the drop directory with the bundle's stem in it. */
static bool has(const struct scene *scene, const char *folder, uint64_t sequence, const char *end)
{
	char stem[128];

	(void)snprintf(stem, sizeof(stem), "%s%.8s-%" PRIu64, folder, store_id(scene->carry->hub),
		       sequence);
	return is_there(scene, end, stem);
}

static void test_arrives_slowly(void **state)
{
	struct scene scene = { 0 };

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	assert_int_equal(scan(&scene, 1).waiting, 0);
	drop_files(&scene, ".chunk", 1000);
	assert_int_equal(scan(&scene, 2).applied, 0);
	drop_files(&scene, ".manifest", 300);
	assert_int_equal(scan(&scene, 3).waiting, 1);
	assert_true(has(&scene, "", 1, ".waiting"));
	/* Half-written is not refused, however long it takes. */
	assert_int_equal(scan(&scene, 1000000).rejected, 0);
	drop_files(&scene, ".manifest", SIZE_MAX);
	assert_int_equal(scan(&scene, 1000001).waiting, 1);
	assert_non_null(strstr(scene.last, "not complete"));
	drop_files(&scene, ".00001.", SIZE_MAX);
	assert_int_equal(scan(&scene, 1000002).waiting, 1);
	drop_files(&scene, ".chunk", SIZE_MAX);
	assert_int_equal(scan(&scene, 1000003).applied, 1);
	carry_check(scene.carry, "debian", first);
	assert_true(has(&scene, "done/1/", 1, ".manifest"));
	assert_true(has(&scene, "done/1/", 1, ".manifest.minisig"));
	assert_true(has(&scene, "done/1/", 1, ".00000.chunk"));
	assert_false(has(&scene, "", 1, ".waiting"));
	assert_false(has(&scene, "", 1, ".manifest"));
	drop_free(scene.drop);
}

/* What did not change is not tried again, and told once. */
static void test_is_quiet(void **state)
{
	struct scene scene = { 0 };
	int told;

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	drop_files(&scene, ".manifest", SIZE_MAX);
	(void)scan(&scene, 1);
	told = scene.told;
	for (uint64_t i = 2; i < 10; i++)
		assert_int_equal(scan(&scene, i).waiting, 1);
	assert_int_equal(scene.imports, 1);
	assert_int_equal(scene.told, told);
	(void)scan(&scene, 1 + DROP_RETRY_MS);
	assert_int_equal(scene.imports, 2);
	assert_int_equal(scene.told, told);
	drop_free(scene.drop);
}

/* Two at once, the later one first. */
static void test_queue(void **state)
{
	struct scene scene = { 0 };

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	carry_publish(scene.carry->hub, "debian", second);
	(void)carry_export(scene.carry, 1);
	drop_files(&scene, "-2.", SIZE_MAX);
	assert_int_equal(scan(&scene, 1).waiting, 1);
	assert_non_null(strstr(scene.last, "begin with a full bundle"));
	drop_files(&scene, "-1.", SIZE_MAX);
	assert_int_equal(scan(&scene, 2).applied, 2);
	carry_check(scene.carry, "debian", second);
	assert_true(has(&scene, "done/2/", 2, ".manifest"));
	drop_free(scene.drop);
}

static void test_rejected(void **state)
{
	struct scene scene = { 0 };
	struct config_word other;
	char reason[256];

	open_scene(&scene, *state);
	other = scene.carry->receipt_public;
	scene.carry->trusted.keys = &other;
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	drop_files(&scene, "-1.", SIZE_MAX);
	/* It must stay as it is for a while first. */
	assert_int_equal(scan(&scene, 1).rejected, 0);
	assert_int_equal(scan(&scene, 500).rejected, 0);
	assert_int_equal(scan(&scene, 2000).rejected, 1);
	assert_true(has(&scene, "rejected/", 1, ".reason"));
	assert_true(has(&scene, "rejected/", 1, ".manifest"));
	assert_false(has(&scene, "", 1, ".manifest"));
	/* Right again, it is taken, also with the reason, which is of no use any more. */
	scene.carry->trusted.keys = &scene.carry->public;
	drop_files(&scene, "-1.", SIZE_MAX);
	(void)snprintf(reason, sizeof(reason), "%s/%.8s-1.reason", scene.dir,
		       store_id(scene.carry->hub));
	assert_int_equal(file_publish(reason, "x", 1, 0644, NULL), 0);
	scene.told = 0;
	assert_int_equal(scan(&scene, 3000).applied, 1);
	assert_int_equal(scene.told, 1);
	assert_int_equal(access(reason, F_OK), -1);
	drop_free(scene.drop);
}

static void test_strangers(void **state)
{
	struct scene scene = { 0 };
	struct drop_result result;
	char path[256];

	open_scene(&scene, *state);
	(void)snprintf(path, sizeof(path), "%s/notes.txt", scene.dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	(void)snprintf(path, sizeof(path), "%s/%.8s-1.manifest", scene.dir,
		       store_id(scene.carry->hub));
	assert_int_equal(symlink("/etc/passwd", path), 0);
	(void)snprintf(path, sizeof(path), "%s/%.8s-1.00000.chunk", scene.dir,
		       store_id(scene.carry->hub));
	assert_int_equal(mkfifo(path, 0644), 0);
	(void)snprintf(path, sizeof(path), "%s/%.8s-2.manifest", scene.dir,
		       store_id(scene.carry->hub));
	assert_int_equal(mkdir(path, 0755), 0);
	(void)scan(&scene, 1);
	result = scan(&scene, 2);
	assert_int_equal(scene.told, 4);
	assert_int_equal(scene.imports, 0);
	assert_true(result.foreign == 4 && result.files == 0 && result.in_rejected == 0);
	drop_free(scene.drop);
}

/* Removed with all that is in it, and made again, as by a mount; and a folder alone. */
static void test_made_again(void **state)
{
	struct scene scene = { 0 };
	struct drop_result result;
	struct error err = { 0 };
	char path[128];

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	folder_remove(scene.dir);
	assert_int_equal(drop_scan(scene.drop, 1, &result, &err), -ENOENT);
	assert_int_equal(mkdir(scene.dir, 0755), 0);
	drop_files(&scene, "", SIZE_MAX);
	assert_int_equal(scan(&scene, 2).applied, 1);
	(void)snprintf(path, sizeof(path), "%s/done", scene.dir);
	folder_remove(path);
	assert_int_equal(scan(&scene, 3).files, 0);
	assert_int_equal(access(path, F_OK), 0);
	drop_free(scene.drop);
}

/* A run that was killed while it moved the files of what it had applied. */
static void test_moves_go_on(void **state)
{
	struct scene scene = { 0 };
	char from[256], to[512], name[128];

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	drop_files(&scene, "-1.", SIZE_MAX);
	assert_int_equal(scan(&scene, 1).applied, 1);
	/* Back come a chunk and the manifest, then only the signature. */
	(void)snprintf(name, sizeof(name), "%.8s-1.manifest", store_id(scene.carry->hub));
	(void)snprintf(from, sizeof(from), "%s/done/1/%s", scene.dir, name);
	(void)snprintf(to, sizeof(to), "%s/%s", scene.dir, name);
	assert_int_equal(rename(from, to), 0);
	(void)snprintf(from, sizeof(from), "%s/done/1/%s.minisig", scene.dir, name);
	(void)snprintf(to, sizeof(to), "%s/%s.minisig", scene.dir, name);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(scan(&scene, 2).rejected, 0);
	assert_true(has(&scene, "done/1/", 1, ".manifest"));
	assert_true(has(&scene, "done/1/", 1, ".manifest.minisig"));
	assert_int_equal(rename(from, to), 0);
	(void)scan(&scene, 3);
	assert_true(has(&scene, "done/1/", 1, ".manifest.minisig"));
	assert_false(has(&scene, "", 1, ".manifest.minisig"));
	drop_free(scene.drop);
}

/* Empty files with names of bundles that come before any other. */
static void flood(const struct scene *scene, unsigned int n, const char *end)
{
	for (unsigned int i = 1; i <= n; i++) {
		char path[512];
		int fd;

		(void)snprintf(path, sizeof(path), "%s/00000000-%u%s", scene->dir, i, end);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		(void)close(fd);
	}
}

/* What is complete is applied at the first look, whatever lies before it. */
static void test_junk_comes_last(void **state)
{
	struct scene scene = { 0 };

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	flood(&scene, 300, ".manifest");
	drop_files(&scene, "-1.", SIZE_MAX);
	assert_int_equal(scan(&scene, 1).applied, 1);
	carry_check(scene.carry, "debian", first);
	/* Two looks, as something was applied; each tries only so many. */
	assert_in_range(scene.imports, 257, 1 + 2 * 256);
	for (uint64_t i = 2; i < 5; i++)
		assert_int_equal(scan(&scene, i).waiting, 300);
	/* Each was tried once or twice, as something was applied, and waits. */
	assert_in_range(scene.imports, 301, 301 + 256);
	drop_free(scene.drop);
}

/* More files than are looked at: it is told, and makes way for what is complete. */
static void test_too_many_files(void **state)
{
	struct scene scene = { .max_files = 20 };
	struct drop_result result;
	unsigned int applied = 0;

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	flood(&scene, 40, ".manifest");
	flood(&scene, 40, ".00000.chunk");
	drop_files(&scene, "-1.", SIZE_MAX);
	result = scan(&scene, 1);
	assert_true(result.over > 0);
	assert_true(is_there(&scene, ".waiting", "too-many-files"));
	applied = result.applied;
	for (uint64_t i = 1; i < 20; i++) {
		result = scan(&scene, 1 + i * DROP_STALE_MS);
		applied += result.applied;
	}
	assert_int_equal(applied, 1);
	assert_int_equal(result.over, 0);
	assert_false(is_there(&scene, ".waiting", "too-many-files"));
	carry_check(scene.carry, "debian", first);
	assert_true(has(&scene, "done/1/", 1, ".manifest"));
	drop_free(scene.drop);
}

/* One whose files cannot be moved does not keep the others. */
static void test_cannot_be_moved(void **state)
{
	struct scene scene = { 0 };
	char path[512];

	open_scene(&scene, *state);
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	(void)snprintf(path, sizeof(path), "%s/00000000-7.manifest", scene.dir);
	assert_int_equal(file_publish(path, "junk\n", 5, 0644, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/00000000-7.manifest.minisig", scene.dir);
	assert_int_equal(file_publish(path, "junk\n", 5, 0644, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/rejected/00000000-7.manifest", scene.dir);
	assert_int_equal(mkdir(path, 0755), 0);
	drop_files(&scene, "-1.", 300);
	(void)scan(&scene, 1);
	drop_files(&scene, "-1.", SIZE_MAX);
	assert_int_equal(scan(&scene, 5000).applied, 1);
	assert_int_equal(scan(&scene, 6000).failed, 1);
	assert_true(is_there(&scene, "", "00000000-7.manifest"));
	drop_free(scene.drop);
}

/* Names, kinds and sizes that nothing of ours has. */
static void test_odd_names(void **state)
{
	static const char *const names[] = { "a\nb", "\x1b[2J", "-rf", "0123abcd-1.manifest\n",
					     "0123abcd-1.manifest/" };
	struct scene scene = { 0 };

	open_scene(&scene, *state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", scene.dir, names[i]);
		if (path[strlen(path) - 1] == '/')
			assert_int_equal(mkdir(path, 0755), 0);
		else
			assert_int_equal(file_publish(path, "x", 1, 0644, NULL), 0);
	}
	carry_publish(scene.carry->hub, "debian", first);
	(void)carry_export(scene.carry, 0);
	drop_files(&scene, "-1.", SIZE_MAX);
	assert_int_equal(scan(&scene, 1).applied, 1);
	assert_int_equal(scene.told, (int)ARRAY_SIZE(names) + 1);
	assert_null(strpbrk(scene.last, "\n\x1b"));
	drop_free(scene.drop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, carry_setup, carry_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arrives_slowly),  TEST(is_quiet),	     TEST(queue),
		TEST(rejected),	       TEST(strangers),	     TEST(moves_go_on),
		TEST(junk_comes_last), TEST(too_many_files), TEST(cannot_be_moved),
		TEST(odd_names),       TEST(made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
