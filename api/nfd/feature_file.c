/* SPDX-License-Identifier: Apache-2.0 */
#include "api/nfd/feature_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"

#define FILE_MODE 0644 /* the worker may run as another user */
#define RFC3339_MAX 64 /* "2026-01-02T03:04:05Z" and the NUL, with room for any year */
#define YEAR_MAX 9999  /* what RFC 3339 has four digits for */

/* --- the text --- */

static int put_expiry(time_t expires, struct strbuf *out, struct error *err)
{
	char text[RFC3339_MAX];
	struct tm tm;

	if (expires == 0)
		return 0;
	if (expires < 0 || !gmtime_r(&expires, &tm) || tm.tm_year + 1900 > YEAR_MAX ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return error_set(err, ERANGE, "%lld is no time to expire at", (long long)expires);
	strbuf_printf(out, "# +expiry-time=%s\n", text);
	return 0;
}

/* A line is "key=value"; one that begins with '#' is a comment. */
static bool is_line(const struct nfd_label *label)
{
	return label->key[0] != '\0' && label->key[0] != '#' && !strchr(label->key, '=') &&
	       !strpbrk(label->key, " \t\r\n") && str_is_printable(label->key) &&
	       !strpbrk(label->value, " \t\r\n") && str_is_printable(label->value);
}

int nfd_feature_text(const struct nfd_label *labels, size_t n, time_t expires, struct strbuf *out,
		     struct error *err)
{
	int r = put_expiry(expires, out, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (!is_line(&labels[i]))
			return error_set(err, EINVAL,
					 "label '%s' cannot be written into a file of NFD",
					 labels[i].key);
		strbuf_printf(out, "%s=%s\n", labels[i].key, labels[i].value);
	}
	r = strbuf_error(out);
	if (r == -ENOMEM)
		return error_set(err, ENOMEM, "no memory for the file of NFD");
	if (r < 0 || out->len > NFD_FILE_MAX)
		return error_set(err, E2BIG,
				 "%zu labels take more than the %zu bytes that NFD reads of a file",
				 n, NFD_FILE_MAX);
	return 0;
}

/* --- the file --- */

static int make_path(char path[PATH_MAX], const char *directory, const char *dot, const char *name,
		     struct error *err)
{
	int len;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') || strlen(name) >= NFD_NAME_MAX)
		return error_set(err, EINVAL, "'%s' is no name of a file that NFD reads", name);
	len = snprintf(path, PATH_MAX, "%s/%s%s", directory, dot, name);
	/* Room for what is put behind it while it is written. */
	if (len < 0 || len >= PATH_MAX - 8)
		return error_set(err, ENAMETOOLONG, "the path of '%s' is too long", name);
	return 0;
}

/* What an administrator can do about a directory that cannot be written to. */
static const struct {
	int code;
	const char *advice;
} advices[] = {
	{ ENOENT, "is it mounted, and is Node Feature Discovery's worker on this node?" },
	{ ENOTDIR, "it has to be the directory features.d" },
	{ EROFS, "mount it writable" },
	{ EACCES, "let the user of this program write to it" },
	{ EPERM, "let the user of this program write to it" },
	{ ENOSPC, "its file system is full" },
};

static int say_what_to_do(struct error *err, int r, const char *directory)
{
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (advices[i].code == -r)
			return error_wrap(err, r, "directory '%s': %s", directory,
					  advices[i].advice);
	return error_wrap(err, r, "directory '%s'", directory);
}

int nfd_feature_publish(const char *directory, const char *name, const struct strbuf *text,
			struct error *err)
{
	char path[PATH_MAX], hidden[PATH_MAX];
	int r = make_path(path, directory, "", name, err);

	if (r == 0)
		r = make_path(hidden, directory, ".", name, err);
	if (r < 0)
		return r;
	r = file_publish(hidden, strbuf_str(text), text->len, FILE_MODE, err);
	if (r == 0 && rename(hidden, path) < 0) {
		r = error_set(err, errno, "rename '%s': %s", hidden, strerror(errno));
		(void)unlink(hidden);
	}
	return r < 0 ? say_what_to_do(err, r, directory) : 0;
}

int nfd_feature_remove(const char *directory, const char *name, struct error *err)
{
	char path[PATH_MAX];
	int r = make_path(path, directory, "", name, err);

	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(err, errno, "remove '%s': %s", path, strerror(errno));
	return 0;
}
