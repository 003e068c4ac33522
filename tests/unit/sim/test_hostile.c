/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is in the place of a card's files, links and directories: each driver
 * comes through, the cards of other vendors are not touched by it, and the card is
 * back when its files are.
 *
 * Each entry of a card is spoiled in each way, with all drivers at work.  All runs
 * as an ordinary user, for whom what is forbidden is so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "inventory/inventory.h"
#include "tests/hostile/check.h"
#include "tests/hostile/every_driver.h"
#include "tests/hostile/spoil.h"
#include "tests/sim/commands.h"
#include "tests/sim/sim.h"
#include "tests/test.h"

#define NOBODY 65534
#define NODES_SPOILED 3 /* device files of a card; the others are looked at alike */
#define DESCRIPTION_BYTES 128
#define BRIDGE_CLASS "0x0604" /* PCI-to-PCI, PCI Code and ID Assignment 1.11, section 1.7 */
#define IN_TURN 4	      /* so many files, for each to get each text once */

/* Cards of other vendors that are there beside the one that is spoiled. */
static const char *const witnesses[] = { "wormhole", "trainium" };

struct fixture {
	const struct every_driver *every;
	const char *family;
	char dir[64]; /* has node/ and aside/ */
	char root[80];
	char aside[80];
	struct host host;
	struct spoil_site site;
	struct spoil_paths paths; /* of the card */
	/* What all drivers make of the node, and what those do that have cards there:
	 * thousands of scans by the others would find nothing each time. */
	struct inventory *all;
	struct inventory *own;
	struct snapshot *good; /* before anything was spoiled */
	size_t n_spoiled;
};

/* --- the node --- */

static int group_setup(void **state)
{
	static struct every_driver every;

	*state = &every;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -1;
	/* Else the leak sanitizer may not look at a process that has changed its user. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	return every_driver_init(&every, NULL);
}

static int group_teardown(void **state)
{
	every_driver_done(*state);
	return 0;
}

static void create(const char *dir, const char *description)
{
	struct request request = { .dir = dir, .args = { description }, .nodes = NODES_LINKS };
	struct error err = { 0 };

	if (command_create(&request, &err) < 0)
		fail_msg("create '%s': %s", description, err.msg);
}

/* The others first, so that they have the same places with and without the card. */
static void describe(const char *family, bool with, char *text, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(witnesses); i++)
		if (strcmp(witnesses[i], family) != 0)
			len += (size_t)snprintf(text + len, size - len, "%s%s x1",
						len > 0 ? ", " : "", witnesses[i]);
	if (with)
		len += (size_t)snprintf(text + len, size - len, ", %s x1", family);
	assert_true(len < size);
}

static struct tree_path node_dir(const char *dir, const char *name)
{
	return tree_path("%s/%s", dir, name);
}

static void list_paths(int root_fd, struct spoil_paths *ret)
{
	static const char *const tops[] = { "sys", "dev" };

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++)
		assert_int_equal(spoil_paths_list(ret, root_fd, tops[i], NULL), 0);
}

static bool is_attribute(int root_fd, const char *path)
{
	struct stat st;

	return fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Whether a path is an attribute of a bridge, which nobody reads. */
static bool is_of_bridge(int root_fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct tree_path class = tree_path("%.*s/class", (int)(slash - path), path);
	char text[16];

	return is_attribute(root_fd, path) &&
	       file_read_text(root_fd, class.text, text, sizeof(text), NULL) > 0 &&
	       str_starts_with(text, BRIDGE_CLASS);
}

/* Of a card's many device files a few will do. */
static bool is_spoiled(int root_fd, const char *path, size_t *n_nodes)
{
	if (str_starts_with(path, "dev/"))
		return (*n_nodes)++ < NODES_SPOILED;
	return !is_of_bridge(root_fd, path);
}

/* The paths that are there because of the card. */
static void list_own_paths(struct fixture *f, int others_fd)
{
	_cleanup_spoil_paths_ struct spoil_paths others = { 0 };
	_cleanup_spoil_paths_ struct spoil_paths all = { 0 };
	size_t n_nodes = 0;

	list_paths(others_fd, &others);
	list_paths(f->site.root_fd, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (spoil_paths_has(&others, all.paths[i]) ||
		    !is_spoiled(f->site.root_fd, all.paths[i], &n_nodes))
			continue;
		f->paths.paths = reallocarray(f->paths.paths, f->paths.n + 1, sizeof(char *));
		assert_non_null(f->paths.paths);
		f->paths.paths[f->paths.n++] = all.paths[i];
		all.paths[i] = NULL; /* free() takes it */
	}
	assert_true(f->paths.n > 3);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void make_node(struct fixture *f)
{
	char text[DESCRIPTION_BYTES];
	_cleanup_close_ int others_fd = -1;

	/* In memory where that can be: thousands of changes are made. */
	(void)snprintf(f->dir, sizeof(f->dir), "%s/hostile-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->root, sizeof(f->root), "%s/node", f->dir);
	(void)snprintf(f->aside, sizeof(f->aside), "%s/aside", f->dir);
	describe(f->family, false, text, sizeof(text));
	create(node_dir(f->dir, "others").text, text);
	others_fd = open_dir(node_dir(f->dir, "others").text);
	describe(f->family, true, text, sizeof(text));
	create(f->root, text);
	assert_int_equal(mkdir(f->aside, 0755), 0);
	f->site = (struct spoil_site) { open_dir(f->root), open_dir(f->aside), f->aside };
	list_own_paths(f, others_fd);
}

static struct inventory *make_inventory(const struct fixture *f,
					const struct driver *const *drivers, size_t n)
{
	static const struct inventory_policy policy = {
		.health = { .unhealthy_after = 1, .healthy_after = 1 },
		.forget_after_ms = 0,
	};
	struct inventory *inventory = NULL;

	assert_int_equal(inventory_new(&f->host, drivers, n, &policy, &inventory, NULL), 0);
	assert_int_equal(inventory_rescan(inventory, 0, NULL), 1);
	return inventory;
}

static bool has_devices(const struct snapshot *snapshot, const struct driver *driver)
{
	for (size_t i = 0; i < snapshot->n_devices; i++)
		if (snapshot->devices[i].device->driver == driver)
			return true;
	return false;
}

static void begin(struct fixture *f, const char *family, const struct every_driver *every)
{
	const struct driver *own[EVERY_DRIVER_MAX];
	size_t n = 0;

	*f = (struct fixture) { .every = every, .family = family };
	make_node(f);
	assert_int_equal(host_open(&f->host, f->root, NULL), 0);
	f->all = make_inventory(f, every->drivers, every->n);
	f->good = inventory_snapshot(f->all);
	assert_true(f->good->n_devices > ARRAY_SIZE(witnesses) - 1);
	for (size_t i = 0; i < every->n; i++)
		if (has_devices(f->good, every->drivers[i]))
			own[n++] = every->drivers[i];
	f->own = make_inventory(f, own, n);
}

static void end(struct fixture *f)
{
	snapshot_unref(f->good);
	inventory_free(f->all);
	inventory_free(f->own);
	host_close(&f->host);
	(void)close(f->site.root_fd);
	(void)close(f->site.aside_fd);
	spoil_paths_done(&f->paths);
	assert_int_equal(tree_remove(AT_FDCWD, f->dir, NULL), 0);
}

/* --- what has to hold --- */

static size_t count_descriptors(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	return n;
}

static bool is_of_witness(const struct device_state *state, const char *family)
{
	for (size_t i = 0; i < ARRAY_SIZE(witnesses); i++)
		if (strcmp(witnesses[i], family) != 0 &&
		    str_starts_with(state->device->architecture, witnesses[i]))
			return true;
	return false;
}

static void check_listed(const struct fixture *f, const struct snapshot *now, const char *what)
{
	for (size_t i = 0; i < now->n_devices; i++) {
		const struct device *device = now->devices[i].device;
		const char *wrong = check_device(device);

		if (!wrong && now->devices[i].present)
			wrong = check_answers(&f->host, device);
		if (wrong)
			fail_msg("%s: '%s': %s", what, device->name, wrong);
		if (!str_is_printable(now->devices[i].id) || now->devices[i].id[0] == '\0')
			fail_msg("%s: '%s' has a strange ID", what, device->name);
	}
}

/* Whether @state is in @now as it was; @mine: the spoiled card's, or the others'. */
static void check_unchanged(const struct fixture *f, const struct snapshot *now, bool mine,
			    const char *what)
{
	for (size_t i = 0; i < f->good->n_devices; i++) {
		const struct device_state *before = &f->good->devices[i];
		const struct device_state *after;

		if (is_of_witness(before, f->family) == mine)
			continue;
		after = snapshot_find(now, before->id);
		if (!after || !after->present || after->healthy != before->healthy ||
		    !device_equal(after->device, before->device))
			fail_msg("%s: '%s' is not as it was: %s", what, before->device->name,
				 after ? after->reason : "gone");
	}
}

/* Scans, and returns what is listed then. */
static struct snapshot *rescan(struct inventory *inventory, const char *what)
{
	struct error err = { 0 };
	int r = inventory_rescan(inventory, 0, &err);

	if (r < 0 && (err.msg[0] == '\0' || !str_is_printable(err.msg)))
		fail_msg("%s: a scan that fails without a reason", what);
	return inventory_snapshot(inventory);
}

/* What had gone is forgotten in the first scan that does not find it, so that all
 * is found as it was. */
static void check_restored(const struct fixture *f, const struct snapshot *now, const char *what)
{
	check_unchanged(f, now, true, what);
	check_unchanged(f, now, false, what);
}

/* --- cases --- */

static void spoil_entry(struct fixture *f, struct inventory *inventory, const struct spoil *spoil,
			const char *path)
{
	struct tree_path what = tree_path("%s, '%s': %s", f->family, path, spoil->name);
	_cleanup_(snapshot_unrefp) struct snapshot *spoiled = NULL;
	_cleanup_(snapshot_unrefp) struct snapshot *restored = NULL;
	struct error err = { 0 };

	if (spoil_put(&f->site, spoil, path, 0, &err) < 0)
		fail_msg("%s", err.msg);
	spoiled = rescan(inventory, what.text);
	check_listed(f, spoiled, what.text);
	check_unchanged(f, spoiled, false, what.text);
	if (spoil_undo(&f->site, path, 0, &err) < 0)
		fail_msg("%s", err.msg);
	restored = rescan(inventory, what.text);
	check_restored(f, restored, tree_path("after %s", what.text).text);
	f->n_spoiled++;
}

/* Whether it is the turn of the way @k for the path @i.  Only a file gets texts, and
 * texts and links to other places come to the files in turn. */
static bool is_due(bool is_file, const struct spoil *spoil, size_t i, size_t k)
{
	if (spoil->kind == SPOIL_TEXT && !is_file)
		return false;
	return !spoil->data || !is_file || (i + k) % IN_TURN == 0;
}

static void spoil_family(const char *family, const struct every_driver *every)
{
	size_t n;
	const struct spoil *spoils = spoil_table(&n);
	size_t n_descriptors = count_descriptors();
	struct fixture f;

	begin(&f, family, every);
	for (size_t i = 0; i < f.paths.n; i++) {
		bool is_file = is_attribute(f.site.root_fd, f.paths.paths[i]);

		for (size_t k = 0; k < n; k++)
			if (is_due(is_file, &spoils[k], i, k))
				spoil_entry(&f, is_file ? f.own : f.all, &spoils[k],
					    f.paths.paths[i]);
	}
	assert_true(f.n_spoiled > f.paths.n * 10);
	end(&f);
	assert_int_equal(count_descriptors(), n_descriptors);
}

/* One for each driver, and for each way in which one finds cards. */
static const char *const families[] = {
	"aic", "atom", "edgetpu", "flex170", "gaudi2", "ipu",	   "lpu",    "mi300x-cpx",
	"npu", "rdu",  "rngd",	  "sapeon",  "tsp",    "trainium", "warboy", "wormhole",
};

static void every_entry_in_every_way(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		spoil_family(families[i], *state);
}

/* --- what is outside --- */

static void scan_spoiled(const struct fixture *f, enum spoil_kind kind, const char *path,
			 struct device_list *ret)
{
	const struct spoil spoil = { .name = "", .kind = kind };

	assert_int_equal(spoil_put(&f->site, &spoil, path, 0, NULL), 0);
	(void)every_driver_scan(f->every, &f->host, ret, NULL);
	assert_int_equal(spoil_undo(&f->site, path, 0, NULL), 0);
}

/* Whether two devices are equal but for the words in which their faults are told. */
static bool is_alike(struct device *a, struct device *b)
{
	bool faulty = a->fault[0] != '\0';

	if (faulty != (b->fault[0] != '\0'))
		return false;
	a->fault[0] = '\0';
	b->fault[0] = '\0';
	return device_equal(a, b);
}

/* An attribute that is a link out of the root is as good as none. */
static void check_outside(const struct fixture *f, const char *path)
{
	static const enum spoil_kind kinds[] = { SPOIL_OUTSIDE, SPOIL_UP_OUTSIDE };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_device_list_ struct device_list removed = { 0 };
		_cleanup_device_list_ struct device_list outside = { 0 };

		scan_spoiled(f, SPOIL_REMOVED, path, &removed);
		scan_spoiled(f, kinds[i], path, &outside);
		assert_int_equal(outside.n, removed.n);
		for (size_t k = 0; k < outside.n; k++)
			if (!is_alike(outside.devices[k], removed.devices[k]))
				fail_msg("%s: '%s' was read outside", f->family, path);
	}
}

static void nothing_outside_is_read(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct fixture f;
		size_t n = 0;

		begin(&f, families[i], *state);
		for (size_t k = 0; k < f.paths.n; k++) {
			if (!is_attribute(f.site.root_fd, f.paths.paths[k]))
				continue;
			check_outside(&f, f.paths.paths[k]);
			n++;
		}
		assert_true(n > 0);
		end(&f);
	}
}

/* --- more than one entry --- */

#define CROWD 100000
#define DEPTH 40 /* bridges above a card; PCI has 256 buses, a path 4096 bytes */
#define ROUNDS 100

static const char crowded_class[] = "sys/class/rebellions";

static void check_others(const struct fixture *f, const char *what)
{
	_cleanup_(snapshot_unrefp) struct snapshot *now = rescan(f->all, what);

	check_listed(f, now, what);
	check_unchanged(f, now, false, what);
}

static const char deep_link[] = "sys/bus/pci/devices/0000:1d:00.0";

static void check_deep_card(const struct snapshot *now)
{
	for (size_t i = 0; i < now->n_devices; i++) {
		const struct device *device = now->devices[i].device;

		if (strcmp(device->driver->name, "rebellions") != 0)
			continue;
		assert_string_equal(device->pci.path, "");
		assert_int_equal(device->pci.vendor, 0x1eff);
		assert_true(now->devices[i].healthy);
		return;
	}
	fail_msg("the card is gone");
}

static void crowd(const struct fixture *f, const char *suffix)
{
	for (unsigned int i = 1; i <= CROWD; i++) {
		struct tree_path path = tree_path("%s/rbln%u%s", crowded_class, i, suffix);

		assert_int_equal(symlinkat("nowhere", f->site.root_fd, path.text), 0);
	}
}

/* Names that are none, and then so many that could be that the class is refused. */
static void a_crowded_class(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *now = NULL;
	struct error err = { 0 };
	struct fixture f;

	begin(&f, "atom", *state);
	crowd(&f, "-");
	now = rescan(f.all, "a crowd");
	check_unchanged(&f, now, true, "a crowd");
	check_unchanged(&f, now, false, "a crowd");
	crowd(&f, "");
	assert_int_equal(inventory_rescan(f.all, 0, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "driver 'rebellions'"));
	check_others(&f, "a crowd of cards");
	end(&f);
}

/* The card below so many bridges that no field holds their path: it has no place. */
static void a_deep_place(void **state)
{
	_cleanup_(snapshot_unrefp) struct snapshot *now = NULL;
	struct strbuf target = STRBUF_INIT(PATH_MAX);
	char rest[PATH_MAX];
	const char *path;
	struct fixture f;
	ssize_t len;

	begin(&f, "atom", *state);
	len = readlinkat(f.site.root_fd, deep_link, rest, sizeof(rest) - 1);
	assert_true(len > 0);
	rest[len] = '\0';
	path = strstr(rest, "pci0000:16/");
	assert_non_null(path);
	strbuf_add(&target, rest, (size_t)(path - rest));
	for (size_t i = 0; i < DEPTH; i++)
		strbuf_puts(&target, "pci0000:16/../");
	strbuf_puts(&target, path);
	assert_int_equal(unlinkat(f.site.root_fd, deep_link, 0), 0);
	assert_int_equal(symlinkat(strbuf_str(&target), f.site.root_fd, deep_link), 0);
	now = rescan(f.all, "deep");
	check_listed(&f, now, "deep");
	check_unchanged(&f, now, false, "deep");
	check_deep_card(now);
	strbuf_done(&target);
	end(&f);
}

/* --- what changes while it is read --- */

struct changer {
	const struct spoil_site *site;
	const struct spoil_paths *paths;
	int stop; /* atomic */
	size_t n;
};

/* Spoils the card's entries and puts them back, as fast as can be. */
static void *change(void *ctx)
{
	struct changer *changer = ctx;
	size_t n;
	const struct spoil *spoils = spoil_table(&n);

	for (size_t i = 0; !__atomic_load_n(&changer->stop, __ATOMIC_ACQUIRE); i++) {
		const char *path = changer->paths->paths[i % changer->paths->n];

		if (spoil_put(changer->site, &spoils[i % n], path, 0, NULL) < 0 ||
		    spoil_undo(changer->site, path, 0, NULL) < 0)
			break;
		changer->n++;
	}
	return NULL;
}

static void attributes_that_change(void **state)
{
	struct changer changer = { 0 };
	_cleanup_(snapshot_unrefp) struct snapshot *restored = NULL;
	struct fixture f;
	pthread_t thread;

	begin(&f, "rngd", *state);
	changer.site = &f.site;
	changer.paths = &f.paths;
	assert_int_equal(pthread_create(&thread, NULL, change, &changer), 0);
	for (size_t i = 0; i < ROUNDS; i++)
		check_others(&f, "changing");
	__atomic_store_n(&changer.stop, 1, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(changer.n > 0);
	restored = rescan(f.all, "changed");
	check_restored(&f, restored, "changed");
	end(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_outside_is_read),
		cmocka_unit_test(a_crowded_class),
		cmocka_unit_test(a_deep_place),
		cmocka_unit_test(attributes_that_change),
		cmocka_unit_test(every_entry_in_every_way),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
