/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publication has four steps: name the files, look for devices that two of them
 * have, write what differs, remove what nobody owns.  The first two touch no disk and
 * fail for all specs together, since it is the set that is wrong.
 */
#include "api/cdi/directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"

#define SUFFIX ".json"
#define SHOWN_MAX 80	   /* bytes of a kind or resource that an error repeats */
#define FILE_MODE 0644	   /* runtimes may run as somebody else */
#define TEMPORARY_LEN 7	   /* ".XXXXXX", of file_publish() */
#define TEMPORARY_AGE_S 60 /* a younger one may be about to be renamed */
#define NAME_SIZE (NAME_MAX + 1 - TEMPORARY_LEN)

struct cdi_directory {
	char *path;
	char *prefix;
};

/* A publication under way. */
struct publication {
	const struct cdi_directory *dir;
	const struct cdi_file *files;
	size_t n;
	char (*names)[NAME_SIZE]; /* of the files; "" for a spec without devices */
};

static void publication_done(struct publication *publication)
{
	free(publication->names);
}

static const char name_bytes[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

int cdi_directory_new(const char *path, const char *prefix, struct cdi_directory **ret,
		      struct error *err)
{
	_cleanup_(cdi_directory_freep) struct cdi_directory *dir = calloc(1, sizeof(*dir));

	if (path[0] != '/')
		return error_set(err, EINVAL, "CDI directory '%s' must be an absolute path", path);
	if (!isalnum((unsigned char)prefix[0]) || prefix[strspn(prefix, name_bytes)] != '\0')
		return error_set(err, EINVAL, "'%s' cannot be the front of a file's name", prefix);
	if (!dir)
		return error_set(err, ENOMEM, "no memory for the CDI directory '%s'", path);
	dir->path = strdup(path);
	dir->prefix = strdup(prefix);
	if (!dir->path || !dir->prefix)
		return error_set(err, ENOMEM, "no memory for the CDI directory '%s'", path);
	/* With a slash at its end a path would lead through a symbolic link. */
	for (size_t len = strlen(dir->path); len > 1 && dir->path[len - 1] == '/'; len--)
		dir->path[len - 1] = '\0';
	*ret = TAKE_PTR(dir);
	return 0;
}

void cdi_directory_free(struct cdi_directory *dir)
{
	if (!dir)
		return;
	free(dir->path);
	free(dir->prefix);
	free(dir);
}

/* Two names that differ must not become one when '/' becomes '_'. */
static int check_resource(const char *resource, struct error *err)
{
	size_t domain = strcspn(resource, "/_");
	const char *local = resource + domain + 1;

	if (domain == 0 || resource[domain] != '/' || local[0] == '\0' ||
	    resource[strspn(resource, name_bytes)] != '/' ||
	    local[strspn(local, name_bytes)] != '\0')
		return error_set(err, EINVAL, "'%.*s' is no resource name such as furiosa.ai/npu",
				 SHOWN_MAX, resource);
	return 0;
}

static void replace_slashes(char *text)
{
	for (char *slash = strchr(text, '/'); slash; slash = strchr(slash, '/'))
		*slash = '_';
}

static int make_name(const struct cdi_directory *dir, const struct cdi_file *file,
		     char name[NAME_SIZE], struct error *err)
{
	int r = cdi_kind_check(file->spec.kind, err);

	if (r == 0 && file->resource)
		r = check_resource(file->resource, err);
	if (r < 0)
		return r;
	r = snprintf(name, NAME_SIZE, "%s%s%s%s" SUFFIX, dir->prefix, file->spec.kind,
		     file->resource ? "@" : "", file->resource ? file->resource : "");
	if (r < 0 || (size_t)r >= NAME_SIZE)
		return error_set(err, ENAMETOOLONG,
				 "kind '%.*s' and resource '%.*s' are too long "
				 "for the name of a file",
				 SHOWN_MAX, file->spec.kind, SHOWN_MAX,
				 file->resource ? file->resource : "");
	replace_slashes(name);
	return 0;
}

static bool is_owned(const struct publication *publication, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(publication->names[i], name) == 0)
			return true;
	return false;
}

static int name_files(struct publication *publication, struct error *err)
{
	int r;

	if (publication->n > CDI_FILES_MAX)
		return error_set(err, E2BIG, "there are more than %d CDI specs", CDI_FILES_MAX);
	publication->names = calloc(publication->n + 1, sizeof(*publication->names));
	if (!publication->names)
		return error_set(err, ENOMEM, "no memory to publish CDI specs");
	for (size_t i = 0; i < publication->n; i++) {
		char name[NAME_SIZE];

		if (publication->files[i].spec.n_devices == 0)
			continue;
		r = make_name(publication->dir, &publication->files[i], name, err);
		if (r < 0)
			return r;
		if (is_owned(publication, i, name))
			return error_set(err, EEXIST, "two CDI specs have the file '%s'", name);
		memcpy(publication->names[i], name, sizeof(name));
	}
	return 0;
}

/* A device of some spec. */
struct owned_device {
	const char *kind;
	const char *name;
};

static int compare_devices(const void *a, const void *b)
{
	const struct owned_device *left = a, *right = b;
	int order = strcmp(left->kind, right->kind);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static size_t count_devices(const struct publication *publication)
{
	size_t n = 0;

	for (size_t i = 0; i < publication->n; i++)
		n += publication->files[i].spec.n_devices;
	return n;
}

static int check_devices(const struct publication *publication, struct error *err)
{
	size_t n = count_devices(publication), at = 0;
	_cleanup_free_ struct owned_device *devices = calloc(n + 1, sizeof(*devices));

	if (!devices)
		return error_set(err, ENOMEM, "no memory for a list of CDI devices");
	for (size_t i = 0; i < publication->n; i++) {
		const struct cdi_spec *spec = &publication->files[i].spec;

		for (size_t j = 0; j < spec->n_devices; j++)
			devices[at++] = (struct owned_device) { .kind = spec->kind,
								.name = spec->devices[j].name };
	}
	qsort(devices, n, sizeof(*devices), compare_devices);
	for (size_t i = 1; i < n; i++)
		if (compare_devices(&devices[i - 1], &devices[i]) == 0)
			return error_set(err, EEXIST,
					 "CDI device '%.*s=%.*s' is there twice; runtimes would "
					 "take neither",
					 SHOWN_MAX, devices[i].kind, SHOWN_MAX, devices[i].name);
	return 0;
}

static bool is_symlink(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int open_there(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Kernels say -ENOTDIR or -ELOOP for a symbolic link. */
static int open_directory(const char *path, struct error *err)
{
	int fd = open_there(path);

	if (fd == -ENOENT) {
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return error_set(err, errno, "create the CDI directory '%s': %s%s", path,
					 strerror(errno),
					 errno == ENOENT ? "; create its parent directory first"
							 : "");
		fd = open_there(path);
	}
	if (fd < 0 && is_symlink(path))
		return error_set(err, ELOOP,
				 "CDI directory '%s' is a symbolic link; name the directory that "
				 "it leads to",
				 path);
	if (fd < 0)
		return error_set(err, -fd, "open the CDI directory '%s': %s", path, strerror(-fd));
	return fd;
}

/* Whether a file has this text and mode, without following a symbolic link. */
static bool is_current(int dirfd, const char *name, const struct strbuf *text)
{
	_cleanup_free_ char *contents = NULL;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 07777) != FILE_MODE || st.st_size != (off_t)text->len)
		return false;
	contents = malloc(text->len + 1);
	return contents &&
	       file_read(dirfd, name, contents, text->len + 1, NULL) == (ssize_t)text->len &&
	       memcmp(contents, text->data, text->len) == 0;
}

static const struct {
	int code;
	const char *advice;
} failures[] = {
	{ EACCES, "let the program's user write there" },
	{ EPERM, "let the program's user write there" },
	{ EROFS, "mount the directory writable" },
	{ ENOSPC, "free space there" },
	{ EDQUOT, "raise the quota there" },
	{ EFBIG, "raise the limit on the size of files" },
	{ EISDIR, "remove the directory in the file's place" },
};

static const char *advice_for(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (failures[i].code == code)
			return failures[i].advice;
	return "look at the directory";
}

static int write_file(const struct publication *publication, size_t i, const struct strbuf *text,
		      struct error *err)
{
	char path[PATH_MAX];
	int r;

	r = snprintf(path, sizeof(path), "%s/%s", publication->dir->path, publication->names[i]);
	if (r < 0 || (size_t)r >= sizeof(path))
		return error_set(err, ENAMETOOLONG, "the path of '%s' is too long",
				 publication->names[i]);
	r = file_publish(path, text->data, text->len, FILE_MODE, err);
	if (r < 0)
		return error_wrap(err, r, "CDI spec '%.*s' could not be renewed; %s", SHOWN_MAX,
				  publication->files[i].spec.kind, advice_for(-r));
	return 1;
}

/* Returns how many files were changed. */
static int publish_file(const struct publication *publication, int dirfd, size_t i,
			struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT(CDI_SPEC_MAX);
	int r;

	if (publication->names[i][0] == '\0')
		return 0;
	r = cdi_encode(&publication->files[i].spec, &text, err);
	if (r < 0)
		return r;
	if (is_current(dirfd, publication->names[i], &text))
		return 0;
	return write_file(publication, i, &text, err);
}

static int publish_files(const struct publication *publication, int dirfd, struct error *err)
{
	int changed = 0, failed = 0;

	for (size_t i = 0; i < publication->n; i++) {
		int r = publish_file(publication, dirfd, i, failed < 0 ? NULL : err);

		if (r > 0)
			changed += r;
		else if (r < 0 && failed == 0)
			failed = r;
	}
	return failed < 0 ? failed : changed;
}

/* What a file of ours is that nobody owns. */
enum leftover {
	LEFTOVER_NONE, /* not ours */
	LEFTOVER_SPEC,
	LEFTOVER_TEMPORARY, /* of a write that was cut short */
};

static bool ends_with(const char *name, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len >= suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

static enum leftover leftover_kind(const struct publication *publication, const char *name)
{
	size_t len = strlen(name);

	if (!str_starts_with(name, publication->dir->prefix))
		return LEFTOVER_NONE;
	if (ends_with(name, len, SUFFIX))
		return is_owned(publication, publication->n, name) ? LEFTOVER_NONE : LEFTOVER_SPEC;
	if (len > TEMPORARY_LEN && name[len - TEMPORARY_LEN] == '.' &&
	    ends_with(name, len - TEMPORARY_LEN, SUFFIX))
		return LEFTOVER_TEMPORARY;
	return LEFTOVER_NONE;
}

static bool is_removable(int dirfd, const char *name, enum leftover kind)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	return kind == LEFTOVER_SPEC || time(NULL) - st.st_mtim.tv_sec >= TEMPORARY_AGE_S;
}

static int remove_if_leftover(const struct publication *publication, int dirfd, const char *name,
			      struct error *err)
{
	enum leftover kind = leftover_kind(publication, name);

	if (kind == LEFTOVER_NONE || !is_removable(dirfd, name, kind))
		return 0;
	if (unlinkat(dirfd, name, 0) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return error_set(err, errno, "CDI spec '%s/%s' is no longer wanted but stays; %s: %s",
			 publication->dir->path, name, advice_for(errno), strerror(errno));
}

/* Returns how many files were removed.  @dirfd becomes the stream's. */
static int remove_leftovers(const struct publication *publication, int dirfd, struct error *err)
{
	_cleanup_closedir_ DIR *stream = fdopendir(dirfd);
	int removed = 0;
	int r;

	if (!stream) {
		(void)close(dirfd);
		return error_set(err, ENOMEM, "no memory to list '%s'", publication->dir->path);
	}
	for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
		r = remove_if_leftover(publication, dirfd, entry->d_name, err);
		if (r < 0)
			return r;
		removed += r;
	}
	if (removed > 0 && fsync(dirfd) < 0)
		return error_set(err, errno, "sync '%s': %s", publication->dir->path,
				 strerror(errno));
	return removed;
}

static int publish(const struct publication *publication, struct error *err)
{
	_cleanup_close_ int dirfd = -1;
	int changed, removed;

	/* With nothing to write, a directory that is not there is as it should be. */
	if (count_devices(publication) == 0 && access(publication->dir->path, F_OK) < 0 &&
	    errno == ENOENT && !is_symlink(publication->dir->path))
		return 0;
	dirfd = open_directory(publication->dir->path, err);
	if (dirfd < 0)
		return dirfd;
	changed = publish_files(publication, dirfd, err);
	if (changed < 0)
		return changed;
	removed = remove_leftovers(publication, TAKE_FD(dirfd), err);
	return removed < 0 ? removed : changed + removed;
}

int cdi_directory_publish(const struct cdi_directory *dir, const struct cdi_file *files, size_t n,
			  struct error *err)
{
	_cleanup_(publication_done) struct publication publication = { .dir = dir,
								       .files = files,
								       .n = n };
	int r = name_files(&publication, err);

	if (r == 0)
		r = check_devices(&publication, err);
	if (r < 0)
		return r;
	return publish(&publication, err);
}
