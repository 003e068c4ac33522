/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/command/init_config.h"

#include <errno.h>
#include <string.h>

#include "reservoir/config/config.h"
#include "reservoir/ecosystem.h"

static const char head[] =
	"# Configuration of silica-reservoir, written by 'silica-reservoir init'.\n"
	"# All keys: docs/reservoir-configuration.md. Reading is strict: what is misspelt is\n"
	"# refused, with its line and column.\n"
	"\n";

/* Every line of it can be used as it is, with other names. */
static const char examples[] =
	"# What a repository can look like:\n"
	"#\n"
	"# repositories:\n"
	"# - name: debian                   # served as http://SERVER/debian/\n"
	"#   ecosystem: apt\n"
	"#   upstream: http://mirror.example.org/debian\n"
	"#   apt:\n"
	"#     suites: [bookworm, bookworm-updates]\n"
	"#     components: [main]\n"
	"#     architectures: [amd64]\n"
	"#     keyring: /usr/share/keyrings/debian-archive-keyring.gpg\n"
	"#     # Without the following three, everything is taken, as the upstream signed it.\n"
	"#     # publish: curated            # only what is selected, signed by this site\n"
	"#     # signingKey: /etc/silica/site.asc\n"
	"#     # packages: [curl, nginx]     # with all that they depend on\n"
	"# - name: pypi                     # served as http://SERVER/pypi/simple/\n"
	"#   ecosystem: pypi\n"
	"#   upstream: https://pypi.example.org/simple/\n"
	"#   pypi:\n"
	"#     projects: [requests, 'numpy>=1.26']\n"
	"#     environments:               # what packages are installed on\n"
	"#     - {python: '3.11', platform: manylinux_2_28_x86_64}\n"
	"#     - {python: '3.12', platform: win_amd64}\n"
	"\n";

static const char tail[] =
	"\n"
	"sync:\n"
	"  keepFree: 1Gi                    # bytes of the disk that stay free\n"
	"  # bandwidth: 50Mi                # bytes a second\n"
	"  # window: 22:00-06:00            # local time\n"
	"\n"
	"serve:\n"
	"  listen: 127.0.0.1:8080           # 0.0.0.0:8080 for other machines\n"
	"  # certificate: /etc/silica/tls.crt  # for HTTPS\n"
	"  # privateKey: /etc/silica/tls.key\n"
	"\n"
	"keep:                              # what 'silica-reservoir gc' leaves\n"
	"  generations: 8\n"
	"  for: 24h\n"
	"  # interval: 24h                  # between two 'gc' of 'silica-reservoir writer'\n";

static const char bundles_example[] =
	"\n"
	"# How updates are carried to a site that has no line to here:\n"
	"# bundles:\n"
	"#   secretKeys: [/etc/silica/hub.key]  # at the hub; 'silica-reservoir keygen' makes it\n"
	"#   hubs:                          # at the site: whose bundles are believed\n"
	"#   - id: ID-OF-THE-HUB            # 'silica-reservoir status' prints it there\n"
	"#     keys: [PUBLIC-KEY]\n"
	"#   drop: /srv/drop                # where 'silica-reservoir watch' looks\n";

static int read_host(const char *host_root, struct strbuf *out, struct error *err)
{
	for (const struct ecosystem *const *row = ecosystem_table(); *row; row++) {
		struct error found = { 0 }; /* may be of a file that need not be there */
		int r = (*row)->from_host ? (*row)->from_host(host_root, out, &found) : 0;

		if (r < 0) {
			if (err)
				*err = found;
			return error_wrap(err, r, "%s of '%s'", (*row)->name, host_root);
		}
	}
	if (out->len == 0)
		return error_set(err, ENOENT, "'%s' has no sources of packages that are understood",
				 host_root);
	return 0;
}

static int put_repositories(const char *host_root, struct strbuf *out, struct error *err)
{
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT(INIT_CONFIG_MAX);
	int r;

	strbuf_puts(out, examples);
	if (!host_root) {
		strbuf_puts(out, "repositories: []\n");
		return 0;
	}
	r = read_host(host_root, &found, err);
	if (r < 0)
		return r;
	strbuf_puts(out, "# What this machine is configured with; look it through.\n"
			 "repositories:\n");
	strbuf_add(out, found.data, found.len);
	return strbuf_error(&found);
}

/* A path in YAML's single quotes, in which only a quote is special. */
static void put_path(struct strbuf *out, const char *path)
{
	strbuf_puts(out, "'");
	for (; *path; path++)
		strbuf_printf(out, "%s%c", *path == '\'' ? "'" : "", *path);
	strbuf_puts(out, "'");
}

static void put_bundles(struct strbuf *out, const char *key)
{
	if (!key) {
		strbuf_puts(out, bundles_example);
		return;
	}
	strbuf_puts(out, "\nbundles:\n"
			 "  secretKeys:                      # that bundles are signed with\n"
			 "  - ");
	put_path(out, key);
	strbuf_puts(out, "\n");
}

int init_config_write(const char *host_root, const char *key, struct strbuf *out, struct error *err)
{
	_cleanup_reservoir_config_ struct reservoir_config config = { 0 };
	int r;

	strbuf_puts(out, head);
	r = put_repositories(host_root, out, err);
	if (r < 0)
		return r;
	strbuf_puts(out, tail);
	put_bundles(out, key);
	r = strbuf_error(out);
	if (r < 0)
		return error_set(err, -r, "the configuration would be too long");
	return reservoir_config_parse(strbuf_str(out), out->len, "what was found", &config, err);
}
