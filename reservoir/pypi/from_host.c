/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of pip and uv are read only as far as their indexes go: lines of a key and
 * a value, in sections.  Where nothing is configured, pip asks the index that is written in
 * its own source, and that is read from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/client.h"

#define FILE_MAX ((size_t)256 * 1024)
#define URLS_MAX 16

struct found {
	char urls[URLS_MAX][CONFIG_URL_SIZE];
	const char *where[URLS_MAX];
	bool login[URLS_MAX]; /* had a name and a password in it */
	size_t n;
};

/* Without the name and the password. */
static bool strip_login(char *url)
{
	char *host = strstr(url, "://"), *at;

	if (!host)
		return false;
	host += 3;
	at = memrchr(host, '@', strcspn(host, "/"));
	if (!at)
		return false;
	memmove(host, at + 1, strlen(at + 1) + 1);
	return true;
}

static void add_url(struct found *found, const char *text, size_t len, const char *where)
{
	char url[CONFIG_URL_SIZE];
	bool login;

	if (len == 0 || len >= sizeof(url) || found->n == URLS_MAX)
		return;
	memcpy(url, text, len);
	url[len] = '\0';
	login = strip_login(url);
	if ((!str_starts_with(url, "http://") && !str_starts_with(url, "https://")) ||
	    !str_is_printable(url) || strpbrk(url, "' $"))
		return;
	for (size_t i = 0; i < found->n; i++)
		if (strcmp(found->urls[i], url) == 0)
			return;
	memcpy(found->urls[found->n], url, sizeof(url));
	found->where[found->n] = where;
	found->login[found->n++] = login;
}

/* Every URL of a value: one alone, several with white space, or a list in quotes. */
static void add_urls(struct found *found, const char *value, const char *where)
{
	static const char ends[] = " \t\r\n\"',[]";

	while (*value) {
		size_t len;

		value += strspn(value, ends);
		len = strcspn(value, ends);
		add_url(found, value, len, where);
		value += len;
	}
}

static bool is_key(const char *line, size_t len)
{
	static const char *const keys[] = { "index-url",       "index_url", "extra-index-url",
					    "extra_index_url", "url",	    "default-index" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (len == strlen(keys[i]) && memcmp(line, keys[i], len) == 0)
			return true;
	return false;
}

/* A value goes on in lines that begin with white space. */
static void read_text(struct found *found, char *text, const char *where)
{
	bool takes = false;

	for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
		bool goes_on = line[0] == ' ' || line[0] == '\t';
		char *equals = strpbrk(line, "=:");
		size_t key = equals ? (size_t)(equals - line) : 0;

		if (line[strspn(line, " \t")] == '#' || line[0] == ';')
			continue;
		if (goes_on && takes) {
			add_urls(found, line, where);
			continue;
		}
		while (key > 0 && (line[key - 1] == ' ' || line[key - 1] == '\t'))
			key--;
		takes = equals && is_key(line, key);
		if (takes)
			add_urls(found, equals + 1, where);
	}
}

typedef void (*read_fn)(struct found *found, char *text, const char *where);

/* A file that is not there, or is not for this user, has no indexes. */
static int read_file(struct found *found, int root, const char *path, char *text, read_fn fn,
		     struct error *err)
{
	struct error local = { 0 };
	ssize_t n = file_read(root, path, text, FILE_MAX, &local);

	if (n == -ENOENT || n == -ENOTDIR || n == -EACCES)
		return 0;
	if (n < 0)
		return error_set(err, (int)-n, "%s", error_text(&local, (int)n));
	if (!memchr(text, '\0', (size_t)n))
		fn(found, text, path);
	return 0;
}

/* --- what pip asks when it is not configured --- */

#define PIP_PATH_MAX 384 /* of a file of pip below a folder of Python's */

/* Its source says `PyPI = PackageIndex("URL/", ...)`; the index is "simple" below it. */
static void read_default(struct found *found, char *text, _unused_ const char *where)
{
	static const char before[] = "\nPyPI = PackageIndex(";
	char url[CONFIG_URL_SIZE];
	const char *begin = strstr(text, before);
	size_t len;
	int n;

	if (!begin)
		return;
	begin += sizeof(before) - 1;
	begin += strspn(begin, " \n\"'");
	len = strcspn(begin, "\"'\n");
	if (len >= sizeof(url))
		return;
	n = snprintf(url, sizeof(url), "%.*s%ssimple/", (int)len, begin,
		     len > 0 && begin[len - 1] == '/' ? "" : "/");
	if (n > 0 && (size_t)n < sizeof(url))
		add_url(found, url, (size_t)n, "the installed pip, which is told of no other");
}

static int read_pip_of(struct found *found, int root, const char *folder, char *text,
		       struct error *err)
{
	static const char *const packages[] = { "dist-packages", "site-packages" };
	char path[PIP_PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(packages); i++) {
		int n = snprintf(path, sizeof(path), "%s/%s/pip/_internal/models/index.py", folder,
				 packages[i]);

		if (n > 0 && (size_t)n < sizeof(path))
			r = read_file(found, root, path, text, read_default, err);
	}
	return r;
}

/* Looks below each "python3*" of a folder. */
static int read_pips(struct found *found, int root, const char *lib, char *text, struct error *err)
{
	_cleanup_closedir_ DIR *dir = file_open_dir(root, lib);
	const struct dirent *entry;
	char folder[PIP_PATH_MAX];
	int r = 0;

	if (!dir)
		return 0;
	for (entry = readdir(dir); r == 0 && entry; entry = readdir(dir)) {
		if (!str_starts_with(entry->d_name, "python3"))
			continue;
		(void)snprintf(folder, sizeof(folder), "%s/%s", lib, entry->d_name);
		r = read_pip_of(found, root, folder, text, err);
	}
	return r;
}

static void read_environment(struct found *found)
{
	static const char *const names[] = { "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL",
					     "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			add_urls(found, value, names[i]);
	}
}

static int read_files(struct found *found, const char *host_root, struct error *err)
{
	static const char *const paths[] = {
		"etc/pip.conf",
		"etc/xdg/pip/pip.conf",
		"root/.config/pip/pip.conf",
		"root/.pip/pip.conf",
		"etc/uv/uv.toml",
		"etc/xdg/uv/uv.toml",
		"root/.config/uv/uv.toml",
	};
	_cleanup_free_ char *text = malloc(FILE_MAX);
	_cleanup_close_ int root = open(host_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (root < 0)
		return error_set(err, errno, "'%s': %m", host_root);
	if (!text)
		return error_set(err, ENOMEM, "no memory for the configuration of pip");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(paths); i++)
		r = read_file(found, root, paths[i], text, read_text, err);
	if (strcmp(host_root, "/") == 0)
		read_environment(found);
	if (r == 0 && found->n == 0)
		r = read_pips(found, root, "usr/lib", text, err);
	if (r == 0 && found->n == 0)
		r = read_pips(found, root, "usr/local/lib", text, err);
	return r;
}

static void put(const struct found *found, size_t i, struct strbuf *out)
{
	char name[16] = "pypi";

	if (i > 0)
		(void)snprintf(name, sizeof(name), "pypi-%zu", i + 1);
	strbuf_printf(out, "# From %s.\n", found->where[i]);
	if (found->login[i])
		strbuf_puts(out,
			    "# Its name and password go in the file that sync.netrcFile names.\n");
	strbuf_printf(out,
		      "- name: %s\n  ecosystem: pypi\n  upstream: '%s'\n  pypi:\n"
		      "    # What to take, with all that it needs: names, versions, globs.\n"
		      "    projects: [pip]\n"
		      "    # Of each project; 0 for all releases.\n"
		      "    keepNewest: 1\n"
		      "    # What it is installed on; wheels for anything else are left out.\n"
		      "    environments:\n"
		      "    - {python: '3.11', platform: manylinux_2_28_x86_64}\n"
		      "    - {python: '3.12', platform: win_amd64}\n",
		      name, found->urls[i]);
}

int pypi_from_host(const char *host_root, struct strbuf *out, struct error *err)
{
	_cleanup_free_ struct found *found = calloc(1, sizeof(*found));
	int r;

	if (!found)
		return error_set(err, ENOMEM, "no memory for the configuration of pip");
	r = read_files(found, host_root, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < found->n; i++)
		put(found, i, out);
	return 0;
}
