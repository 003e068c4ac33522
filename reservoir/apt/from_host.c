/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/from_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/host_sources.h"
#include "reservoir/store/store.h"

#define FILES_MAX 256 /* in sources.list.d */

/* --- reading --- */

static int read_file(int root, const char *path, char *text, struct host_sources *sources,
		     struct error *err)
{
	size_t len = strlen(path);
	struct error error = { 0 }; /* that there is none is no error */
	ssize_t n = file_read(root, path, text, HOST_FILE_MAX, &error);
	int r;

	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return error_set(err, (int)-n, "%s", error_text(&error, (int)n));
	text[n] = '\0';
	r = len > 8 && strcmp(path + len - 8, ".sources") == 0
		    ? host_sources_read_stanzas(sources, text, err)
		    : host_sources_read_lines(sources, text, err);
	return r < 0 ? error_wrap(err, r, "%s", path) : 0;
}

static int is_source_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot &&
	       (strcmp(dot, ".list") == 0 || strcmp(dot, ".sources") == 0);
}

static int read_folder(int root, char *text, struct host_sources *sources, struct error *err)
{
	struct dirent **entries = NULL;
	int n = scandirat(root, "etc/apt/sources.list.d", &entries, is_source_file, alphasort);
	int r = 0;

	if (n < 0)
		return errno == ENOENT
			       ? 0
			       : error_set(err, errno, "sources.list.d: %s", strerror(errno));
	if (n > FILES_MAX)
		r = error_set(err, EFBIG, "sources.list.d has more than %d files", FILES_MAX);
	for (int i = 0; i < n; i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "etc/apt/sources.list.d/%s", entries[i]->d_name);
		if (r == 0)
			r = read_file(root, path, text, sources, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Images of clouds name a file that has the URL in its first line. */
static bool follow_mirror(int root, struct host_source *source, char *text)
{
	const char *path = str_starts_with(source->uri, "mirror+file:/");
	ssize_t n;

	if (!path)
		return true;
	while (*path == '/')
		path++;
	n = file_read(root, path, text, HOST_FILE_MAX, NULL);
	if (n <= 0)
		return false;
	text[strcspn(text, " \t\r\n")] = '\0';
	return host_sources_understands(text) &&
	       str_copy(source->uri, sizeof(source->uri), text) >= 0;
}

/* The machine's own architecture: that of the first package that has one. */
static void read_architecture(int root, char *text, char ret[32])
{
	ssize_t n;
	_cleanup_close_ int fd = openat(root, "var/lib/dpkg/status", O_RDONLY | O_CLOEXEC);

	ret[0] = '\0';
	n = fd < 0 ? -1 : read(fd, text, HOST_FILE_MAX - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (const char *at = strstr(text, "\nArchitecture: "); at;
	     at = strstr(at + 1, "\nArchitecture: "))
		if (sscanf(at + 15, "%31[a-z0-9-]", ret) == 1 && strcmp(ret, "all") != 0)
			return;
	ret[0] = '\0';
}

/* --- writing --- */

static void put_list(struct strbuf *out, const char *key, const struct host_words *words)
{
	strbuf_printf(out, "    %s: [", key);
	for (size_t i = 0; i < words->n; i++)
		strbuf_printf(out, "%s'%s'", i > 0 ? ", " : "", words->words[i]);
	strbuf_puts(out, "]\n");
}

/* A name of the last part of the URL that says something, as in "debian-security". */
static void make_name(const struct host_source *source, size_t number, char ret[STORE_NAME_MAX])
{
	char uri[HOST_WORD_SIZE];
	size_t len = 0;
	const char *slash;

	(void)str_copy(uri, sizeof(uri), source->uri);
	while (uri[0] && uri[strlen(uri) - 1] == '/')
		uri[strlen(uri) - 1] = '\0';
	slash = strrchr(uri, '/');
	for (const char *at = slash ? slash + 1 : uri; *at && len < STORE_NAME_MAX - 8; at++) {
		char c = char_lower(*at);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (len > 0 && c == '-'))
			ret[len++] = c;
	}
	while (len > 0 && ret[len - 1] == '-')
		len--;
	if (len == 0)
		len = (size_t)snprintf(ret, STORE_NAME_MAX, "apt");
	ret[len] = '\0';
	if (number > 0)
		(void)snprintf(ret + len, STORE_NAME_MAX - len, "-%zu", number + 1);
}

static void put_keyring(struct strbuf *out, const struct host_source *source, const char *host_root)
{
	const char *root = strcmp(host_root, "/") == 0 ? "" : host_root;

	if (source->trusted) {
		strbuf_puts(out, "    # This machine takes it without looking at signatures.\n"
				 "    unverified: true\n");
	} else if (source->key_inside) {
		strbuf_puts(out,
			    "    # Its key stands in the machine's own sources: put it in this "
			    "file.\n    keyring: /etc/apt/keyrings/FILL-IN.asc\n");
	} else if (source->signed_by[0]) {
		strbuf_printf(out, "    keyring: '%s%s'\n", root, source->signed_by);
	} else {
		strbuf_puts(out, "    # All keys that this machine believes; one file is safer.\n");
		strbuf_printf(out, "    keyring: '%s/etc/apt/trusted.gpg.d'\n", root);
	}
}

static size_t count_names(const struct host_sources *sources, size_t i)
{
	char name[STORE_NAME_MAX], other[STORE_NAME_MAX];
	size_t n = 0;

	make_name(&sources->sources[i], 0, name);
	for (size_t j = 0; j < i; j++) {
		make_name(&sources->sources[j], 0, other);
		n += strcmp(name, other) == 0;
	}
	return n;
}

static void put_source(struct strbuf *out, const struct host_sources *sources, size_t i,
		       const char *architecture, const char *host_root)
{
	const struct host_source *source = &sources->sources[i];
	const char *file = str_starts_with(source->uri, "file:/");
	char name[STORE_NAME_MAX];

	make_name(source, count_names(sources, i), name);
	while (file && *file == '/')
		file++;
	strbuf_printf(out, "- name: %s\n  ecosystem: apt\n  upstream: '%s%s'\n  apt:\n", name,
		      file ? "file:///" : "", file ? file : source->uri);
	put_list(out, "suites", &source->suites);
	if (source->components.n > 0)
		put_list(out, "components", &source->components);
	if (source->architectures.n > 0)
		put_list(out, "architectures", &source->architectures);
	else if (architecture[0])
		strbuf_printf(out, "    architectures: ['%s']\n", architecture);
	if (source->sources)
		strbuf_puts(out, "    sources: true\n");
	put_keyring(out, source, host_root);
}

static int read_all(int root, char *text, struct host_sources *sources, struct error *err)
{
	int r = read_file(root, "etc/apt/sources.list", text, sources, err);

	return r < 0 ? r : read_folder(root, text, sources, err);
}

int apt_from_host(const char *host_root, struct strbuf *out, struct error *err)
{
	_cleanup_(host_sources_done) struct host_sources sources = { 0 };
	_cleanup_free_ char *text = malloc(HOST_FILE_MAX + 1);
	_cleanup_close_ int root = open(host_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char architecture[32];
	int r;

	if (root < 0)
		return error_set(err, errno, "'%s': %s", host_root, strerror(errno));
	if (!text)
		return error_set(err, ENOMEM, "no memory for sources");
	r = read_all(root, text, &sources, err);
	if (r < 0)
		return r;
	read_architecture(root, text, architecture);
	for (size_t i = 0; i < sources.n; i++) {
		if (follow_mirror(root, &sources.sources[i], text))
			put_source(out, &sources, i, architecture, host_root);
		else
			sources.left_out++;
	}
	if (sources.left_out > 0)
		strbuf_printf(out, "# %zu sources of apt are of a kind that is not understood.\n",
			      sources.left_out);
	return 0;
}
