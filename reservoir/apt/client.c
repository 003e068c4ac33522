/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/apt/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/apt/finish.h"
#include "reservoir/store/manifest.h"

#define DISTS "dists/"
#define SUITES_MAX 64 /* as in the configuration */

static void put_words(struct strbuf *out, const char *field, const struct config_word *words,
		      size_t n)
{
	strbuf_printf(out, "%s:", field);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, " %s", words[i].text);
	strbuf_puts(out, "\n");
}

static bool is_flat(const struct config_word *suite)
{
	size_t len = strlen(suite->text);

	return len > 0 && suite->text[len - 1] == '/';
}

static bool has_suites(const struct apt_options *apt, bool flat)
{
	for (size_t i = 0; i < apt->n_suites; i++)
		if (is_flat(&apt->suites[i]) == flat)
			return true;
	return false;
}

static void put_suites(const struct apt_options *apt, bool flat, struct strbuf *out)
{
	strbuf_puts(out, "Suites:");
	for (size_t i = 0; i < apt->n_suites; i++)
		if (is_flat(&apt->suites[i]) == flat)
			strbuf_printf(out, " %s", apt->suites[i].text);
	strbuf_puts(out, "\n");
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void put_signed_by(const struct repository *repository, const char *base, struct strbuf *out)
{
	const struct apt_options *apt = &repository->apt;

	if (apt->publish == APT_CURATED) {
		strbuf_printf(out, "# The key of this site, from %s/" APT_KEYRING ".asc\n", base);
		strbuf_printf(out, "Signed-By: /etc/apt/keyrings/" APT_KEYRING ".asc\n");
	} else if (apt->unverified) {
		strbuf_puts(out, "# Nobody has looked at the signatures of these packages.\n"
				 "Trusted: yes\n");
	} else if (is_folder(apt->keyring.text)) {
		strbuf_printf(out,
			      "# The upstream's keys: those of the folder %s at the reservoir, in\n"
			      "# /etc/apt/trusted.gpg.d; better the file of one, in Signed-By.\n",
			      apt->keyring.text);
	} else if (apt->keyring.text[0]) {
		strbuf_puts(out, "# The upstream's keys: the same file as at the reservoir.\n");
		strbuf_printf(out, "Signed-By: %s\n", apt->keyring.text);
	}
}

/* Of suites that have components, or of flat ones, which may have none. */
static void put_stanza(const struct repository *repository, const char *base, bool flat,
		       struct strbuf *out)
{
	const struct apt_options *apt = &repository->apt;

	strbuf_printf(out, "Types: deb%s\n", apt->sources ? " deb-src" : "");
	strbuf_printf(out, "URIs: %s\n", base);
	put_suites(apt, flat, out);
	if (apt->n_components > 0 && !flat)
		put_words(out, "Components", apt->components, apt->n_components);
	else if (!flat)
		strbuf_puts(out, "# and the others that the suites have\nComponents: main\n");
	if (apt->n_architectures > 0)
		put_words(out, "Architectures", apt->architectures, apt->n_architectures);
	put_signed_by(repository, base, out);
	if (apt->publish == APT_VERBATIM)
		strbuf_puts(out, "# Where updates arrive later than what upstream signs expires:\n"
				 "# Check-Valid-Until: no\n");
}

static void put_sources(const struct repository *repository, const char *base, struct strbuf *out)
{
	const struct apt_options *apt = &repository->apt;

	strbuf_printf(out, "# /etc/apt/sources.list.d/%s.sources\n", repository->name);
	if (has_suites(apt, false))
		put_stanza(repository, base, false, out);
	if (has_suites(apt, false) && has_suites(apt, true))
		strbuf_puts(out, "\n");
	if (has_suites(apt, true))
		put_stanza(repository, base, true, out);
}

static void put_login(const struct repository *repository, const char *base, struct strbuf *out)
{
	/* apt sends a password without TLS only where the scheme is written. */
	const char *machine = str_starts_with(base, "https://");

	if (repository->n_readers == 0)
		return;
	strbuf_printf(
		out,
		"\n# /etc/apt/auth.conf.d/%s.conf, readable by root only; one of the readers\n"
		"machine %s login %s password PASSWORD\n",
		repository->name, machine ? machine : base, repository->readers[0].text);
}

/* The suite of a path, as in "dists/bookworm/InRelease" or "x/Release"; false for another. */
static bool find_suite(const char *path, bool flat, struct config_word *ret)
{
	const char *suite = flat ? path : path + strlen(DISTS);
	const char *end = strrchr(suite, '/');
	size_t len = end ? (size_t)(end - suite) : 0;
	const char *file = end ? end + 1 : suite;
	int n;

	if (strcmp(file, "InRelease") != 0 && strcmp(file, "Release") != 0)
		return false;
	/* Debian has one beside each list of packages, too. */
	if (strstr(suite, "/binary-") || strstr(suite, "/source/") || (!flat && len == 0))
		return false;
	n = snprintf(ret->text, sizeof(ret->text), "%.*s%s", (int)len, suite,
		     !flat	? ""
		     : len == 0 ? "./"
				: "/");
	return n > 0 && (size_t)n < sizeof(ret->text);
}

static void find_suites(struct apt_options *apt, const struct manifest *manifest, bool flat,
			struct config_word suites[SUITES_MAX])
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;
	struct config_word suite;

	manifest_seek(manifest, flat ? "" : DISTS, &cursor);
	while (apt->n_suites < SUITES_MAX && manifest_next(&cursor, &entry) &&
	       (flat || str_starts_with(entry.path, DISTS))) {
		size_t i = 0;

		if (str_starts_with(entry.path, MANIFEST_NOTES) ||
		    !find_suite(entry.path, flat, &suite))
			continue;
		while (i < apt->n_suites && strcmp(suites[i].text, suite.text) != 0)
			i++;
		suites[i] = suite;
		apt->n_suites += i == apt->n_suites;
	}
}

/* What a site has that imports, and is told no suites: those that arrived. */
static void learn(struct repository *repository, const struct manifest *manifest,
		  struct config_word suites[SUITES_MAX])
{
	struct apt_options *apt = &repository->apt;
	struct manifest_entry entry;

	find_suites(apt, manifest, false, suites);
	if (apt->n_suites == 0)
		find_suites(apt, manifest, true, suites);
	apt->suites = suites;
	if (manifest_find(manifest, APT_KEYRING ".asc", &entry))
		apt->publish = APT_CURATED;
}

static int put_all(const struct repository *repository, const char *base, struct strbuf *out,
		   struct error *err)
{
	if (repository->apt.n_suites == 0)
		return error_set(err, ENOENT,
				 "repository '%s' has nothing yet, and its 'suites' are not "
				 "configured: import a bundle first",
				 repository->name);
	put_sources(repository, base, out);
	if (repository->apt.publish == APT_CURATED)
		strbuf_printf(out,
			      "\n# Once, and compare its fingerprint with the site's:\n"
			      "#   curl -o /etc/apt/keyrings/" APT_KEYRING ".asc %s/" APT_KEYRING
			      ".asc\n",
			      base);
	put_login(repository, base, out);
	return 0;
}

int apt_client_config(const struct repository *repository, const struct manifest *manifest,
		      enum client client, const char *base, struct strbuf *out, struct error *err)
{
	struct config_word suites[SUITES_MAX];
	struct repository learnt = *repository;

	if (client != CLIENT_APT)
		return error_set(err, EINVAL, "a repository of packages for apt");
	if (learnt.apt.n_suites == 0 && manifest)
		learn(&learnt, manifest, suites);
	return put_all(&learnt, base, out, err);
}
