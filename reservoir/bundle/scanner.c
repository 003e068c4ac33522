/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/bundle/scanner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/bundle/admission.h"
#include "reservoir/store/manifest.h"
#include "reservoir/store/object.h"
#include "reservoir/store/scrub.h"

#define TAIL_MAX 240	 /* bytes of what the command says that are told */
#define ARGUMENTS_MAX 64 /* of the command; the configuration allows fewer */
#define TICK_MS 100
#define GRACE_MS 5000 /* after SIGTERM */
#define NAMES_MAX 100 /* that are tried for a file: a path has fewer forms */

/* Removes a tree that only we write to; directories in it are not links. */
static int remove_tree(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return errno == ENOENT ? 0 : -errno;
	}
	for (entry = readdir(dir); entry; entry = readdir(dir)) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0 && (errno == EISDIR || errno == EPERM))
			(void)remove_tree(fd, entry->d_name);
	}
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* The tree that the scanner gets: made before, looked at afterwards. */
struct tree {
	const struct scan *scan;
	manifest_diff_fn visit; /* of each new file */
	int dirfd;		/* of the tree */
	const char *repository;
	char last_dir[PATH_MAX]; /* made already */
	uint64_t files;
	uint64_t changed;
	char first_changed[STORE_PATH_MAX];
	struct error *err;
};

static int make_dirs(struct tree *tree, char *path)
{
	char *last = strrchr(path, '/');

	*last = '\0';
	if (strcmp(path, tree->last_dir) == 0) {
		*last = '/';
		return 0;
	}
	for (char *at = strchr(path, '/');; at = strchr(at + 1, '/')) {
		if (at)
			*at = '\0';
		if (mkdirat(tree->dirfd, path, 0755) < 0 && errno != EEXIST)
			return error_set(tree->err, errno, "a directory for the scanner: %m");
		if (!at)
			break;
		*at = '/';
	}
	(void)str_copy(tree->last_dir, sizeof(tree->last_dir), path);
	*last = '/';
	return 0;
}

/* Where a file is put: a page that is a directory, or packed, needs another name. */
static int format_path(struct tree *tree, const struct manifest_entry *entry, char out[PATH_MAX])
{
	static const char *const packed[_ENCODING_MAX] = {
		[ENCODING_IDENTITY] = "", [ENCODING_GZIP] = ".gz", [ENCODING_ZSTD] = ".zst"
	};
	size_t len = strlen(entry->path);
	bool is_dir = len == 0 || entry->path[len - 1] == '/';
	char page[32] = "";

	if (is_dir)
		(void)snprintf(page, sizeof(page), "index.%d", (int)entry->media);
	if (snprintf(out, PATH_MAX, "%s/%s%s%s", tree->repository, entry->path, page,
		     packed[entry->encoding]) >= PATH_MAX)
		return error_set(tree->err, ENAMETOOLONG, "a path for the scanner is too long");
	return 0;
}

static bool is_same_file(int dirfd, const char *path, int other_dirfd, const char *other)
{
	struct stat a, b;

	return fstatat(dirfd, path, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(other_dirfd, other, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino;
}

/* Entries may want one name, as "a" that is packed and "a.gz": each is looked at. */
static int link_file(struct tree *tree, const char *object, char path[PATH_MAX])
{
	int store = store_dirfd(tree->scan->store);
	size_t len = strlen(path);

	for (unsigned int n = 1; n < NAMES_MAX && len + 16 < PATH_MAX; n++) {
		if (linkat(store, object, tree->dirfd, path, 0) == 0) {
			tree->files++;
			return 0;
		}
		/* What is missing here is missing for clients too: so it is not published. */
		if (errno == ENOENT && faccessat(store, object, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
		if (errno != EEXIST)
			return error_set(tree->err, errno, "a file for the scanner: %m");
		if (is_same_file(store, object, tree->dirfd, path))
			return 0;
		(void)snprintf(path + len, PATH_MAX - len, ".%u", n);
	}
	return error_set(tree->err, EKEYREJECTED,
			 "there is no name under which the scanner could look at a file");
}

/* What was recalled need not be here. */
static bool is_new(const struct tree *tree, enum manifest_change change,
		   const struct manifest_entry *before, const struct manifest_entry *after)
{
	return change != MANIFEST_REMOVED && !str_starts_with(after->path, MANIFEST_NOTES) &&
	       !(before && digest_equal(&before->digest, &after->digest)) &&
	       !revoked_has(&tree->scan->after->revoked, &after->digest);
}

static int add_file(void *ctx, enum manifest_change change, const struct manifest_entry *before,
		    const struct manifest_entry *after)
{
	struct tree *tree = ctx;
	char path[PATH_MAX], object[PATH_MAX], digest[DIGEST_TEXT_SIZE];
	int r;

	if (!is_new(tree, change, before, after))
		return 0;
	r = format_path(tree, after, path);
	r = r < 0 ? r : make_dirs(tree, path);
	if (r < 0)
		return r;
	(void)digest_format(&after->digest, digest);
	(void)snprintf(object, sizeof(object), "objects/%.2s/%s", digest, digest);
	return link_file(tree, object, path);
}

/* A link is the object itself, and the scanner may have written into it. */
static int check_file(void *ctx, enum manifest_change change, const struct manifest_entry *before,
		      const struct manifest_entry *after)
{
	struct tree *tree = ctx;
	const struct scan *scan = tree->scan;
	int r;

	if (!is_new(tree, change, before, after))
		return 0;
	if (scan->stop && scan->stop(scan->ctx))
		return error_set(tree->err, EINTR, "interrupted");
	r = scrub_object(scan->store, &after->digest, tree->err);
	if (r != -EBADMSG)
		return r;
	if (tree->changed++ == 0)
		(void)str_copy(tree->first_changed, sizeof(tree->first_changed), after->path);
	return 0;
}

static int open_manifest(struct store *store, const struct generation *generation, const char *name,
			 bool served, struct manifest **ret, struct error *err)
{
	const struct generation_repository *repository =
		generation ? generation_repository(generation, name) : NULL;

	*ret = NULL;
	if (!repository)
		return 0;
	return manifest_open(store, served ? &repository->served : &repository->collected, ret,
			     err);
}

static int visit_manifest(struct tree *tree, const char *name, bool served)
{
	_cleanup_(manifest_freep) struct manifest *before = NULL;
	_cleanup_(manifest_freep) struct manifest *after = NULL;
	const struct scan *scan = tree->scan;
	int r = open_manifest(scan->store, scan->before, name, served, &before, tree->err);

	r = r < 0 ? r : open_manifest(scan->store, scan->after, name, served, &after, tree->err);
	return r < 0 ? r : manifest_diff(before, after, tree->visit, tree);
}

/*
 * Where this site signs itself, it is of what was collected that clients get, and what the
 * hub serves need not be here.  Where it does not, it is looked for before it is published.
 */
static int visit_repository(struct tree *tree, const struct generation_repository *repository)
{
	bool is_one = digest_equal(&repository->served, &repository->collected);
	int r;

	tree->repository = repository->name;
	r = visit_manifest(tree, repository->name, true);
	if (r == -ENOENT && !is_one)
		r = 0;
	if (r < 0 || is_one)
		return r;
	return visit_manifest(tree, repository->name, false);
}

static int visit_all(struct tree *tree, manifest_diff_fn visit)
{
	const struct generation *after = tree->scan->after;
	int r = 0;

	tree->visit = visit;
	for (size_t i = 0; i < after->n_repositories && r >= 0; i++)
		r = visit_repository(tree, &after->repositories[i]);
	return MIN(r, 0);
}

static int check_tree(const struct scan *scan, struct error *err)
{
	struct error local = { 0 };
	struct tree tree = { .scan = scan, .err = &local };
	int r = visit_all(&tree, check_file);

	if (r < 0)
		return error_set(err, -r, "%s", local.msg);
	if (tree.changed == 0)
		return 0;
	return error_set(err, EKEYREJECTED,
			 "the scanner has changed %" PRIu64 " files (%.200s): they were put "
			 "aside; let it only read, and move the bundle back",
			 tree.changed, tree.first_changed);
}

static int make_tree(const struct scan *scan, const char *path, uint64_t *ret_files,
		     struct error *err)
{
	_cleanup_close_ int dirfd = -1;
	struct tree tree = { .scan = scan, .err = err };
	int r = remove_tree(store_dirfd(scan->store), path);

	if (r < 0 || mkdirat(store_dirfd(scan->store), path, 0755) < 0)
		return error_set(err, r < 0 ? -r : errno, "a directory for the scanner: %m");
	dirfd = openat(store_dirfd(scan->store), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error_set(err, errno, "a directory for the scanner: %m");
	tree.dirfd = dirfd;
	r = visit_all(&tree, add_file);
	*ret_files = tree.files;
	return r;
}

/* The command while it runs. */
struct child {
	pid_t pid;
	int out;
	char tail[TAIL_MAX + 1];
	size_t tail_len;
	int status;
	bool ended;
};

static int spawn(const struct scan *scan, const char *dir, struct child *child, struct error *err)
{
	const struct config_bundles *config = scan->config;
	char *arguments[ARGUMENTS_MAX + 2] = { 0 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int pipes[2], r;

	for (size_t i = 0; i < config->n_scanner && i < ARGUMENTS_MAX; i++)
		arguments[i] = config->scanner[i].text;
	arguments[MIN(config->n_scanner, (size_t)ARGUMENTS_MAX)] = (char *)(uintptr_t)dir;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set(err, errno, "starting the scanner: %m");
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	(void)posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
							    POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	r = posix_spawnp(&child->pid, arguments[0], &actions, &attributes, arguments, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	(void)close(pipes[1]);
	child->out = pipes[0];
	if (r != 0) {
		(void)close(TAKE_FD(child->out));
		return error_set(err, r, "starting the scanner '%s': %s", arguments[0],
				 strerror(r));
	}
	return 0;
}

/* Keeps the last bytes of what the command says, as printable text. */
static void add_tail(struct child *child, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = (char)(data[i] >= ' ' && data[i] <= '~' ? data[i] : ' ');

		if (child->tail_len == TAIL_MAX) {
			memmove(child->tail, child->tail + 1, TAIL_MAX - 1);
			child->tail_len--;
		}
		child->tail[child->tail_len++] = c;
		child->tail[child->tail_len] = '\0';
	}
}

/* Waits a moment for output or the end. */
static void tick(struct child *child)
{
	struct pollfd poll_fd = { .fd = child->out, .events = POLLIN };
	char data[4096];
	ssize_t n = -1;

	if (poll(&poll_fd, 1, TICK_MS) > 0) {
		n = read(child->out, data, sizeof(data));
		if (n > 0)
			add_tail(child, data, (size_t)n);
	}
	/* After the last output, its end is near: no spinning on the closed pipe. */
	if (n == 0)
		(void)poll(NULL, 0, TICK_MS / 10);
	if (waitpid(child->pid, &child->status, WNOHANG) == child->pid)
		child->ended = true;
}

static void kill_group(struct child *child)
{
	uint64_t deadline = clock_ms() + GRACE_MS;

	(void)kill(-child->pid, SIGTERM);
	while (!child->ended && clock_ms() < deadline)
		tick(child);
	(void)kill(-child->pid, SIGKILL);
	while (!child->ended)
		tick(child);
}

static int judge(const struct child *child, struct error *err)
{
	if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0)
		return 0;
	if (WIFEXITED(child->status))
		return error_set(err, EKEYREJECTED, "the scanner refuses it (exit status %d): %s",
				 WEXITSTATUS(child->status), child->tail);
	return error_set(err, EKEYREJECTED, "the scanner was ended by signal %d: %s",
			 WTERMSIG(child->status), child->tail);
}

static int wait_for(const struct scan *scan, struct child *child, struct error *err)
{
	uint64_t deadline = clock_ms() + scan->config->scanner_timeout_ms;

	while (!child->ended) {
		bool stop = scan->stop && scan->stop(scan->ctx);

		if (stop || clock_ms() > deadline) {
			kill_group(child);
			return stop ? error_set(err, EINTR, "interrupted")
				    : error_set(err, EKEYREJECTED,
						"the scanner took longer than "
						"'bundles.scannerTimeout': %s",
						child->tail);
		}
		tick(child);
	}
	for (ssize_t n = 1; n > 0;) {
		struct pollfd poll_fd = { .fd = child->out, .events = POLLIN };
		char data[4096];

		n = poll(&poll_fd, 1, 0) > 0 ? read(child->out, data, sizeof(data)) : 0;
		if (n > 0)
			add_tail(child, data, (size_t)n);
	}
	return judge(child, err);
}

static int run_command(const struct scan *scan, const char *dir, struct error *err)
{
	struct child child = { .out = -1 };
	int r = spawn(scan, dir, &child, err);

	if (r < 0)
		return r;
	r = wait_for(scan, &child, err);
	(void)close(child.out);
	return r;
}

/* The directory's absolute name: the command has its own working directory. */
static int absolute(const struct scan *scan, const char *path, char out[PATH_MAX],
		    struct error *err)
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", store_dirfd(scan->store));
	n = readlink(link, out, PATH_MAX);
	if (n < 0)
		return error_set(err, errno, "%s: %m", link);
	if (n >= PATH_MAX ||
	    snprintf(out + n, (size_t)(PATH_MAX - n), "/%s", path) >= (int)(PATH_MAX - n))
		return error_set(err, ENAMETOOLONG, "the store's directory has too long a name");
	return 0;
}

int scanner_run(const struct scan *scan, uint64_t *ret_files, struct error *err)
{
	char path[STAGING_KEY_MAX + 16], dir[PATH_MAX];
	uint64_t files = 0;
	int r, checked = 0;

	*ret_files = 0;
	if (scan->config->n_scanner == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "staging/%s", scan->name);
	r = absolute(scan, path, dir, err);
	r = r < 0 ? r : make_tree(scan, path, &files, err);
	r = r < 0 ? r : run_command(scan, dir, err);
	(void)remove_tree(store_dirfd(scan->store), path);
	/* Also after a no: another bundle may have the same objects. */
	if (r == 0 || r == ADMISSION_REFUSED)
		checked = check_tree(scan, err);
	*ret_files = files;
	return checked < 0 ? checked : r;
}
