/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/client.h"

#include <string.h>

#include "base/parse.h"

/* The host of a URL, with its port. */
static size_t host_of(const char *url, const char **ret)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	*ret = host;
	return strcspn(host, "/");
}

static void put_login(const struct repository *repository, const char *base, struct strbuf *out)
{
	const char *host;
	size_t len = host_of(base, &host);

	if (repository->n_readers == 0)
		return;
	len = strcspn(host, ":/") < len ? strcspn(host, ":/") : len;
	strbuf_printf(out,
		      "\n# It asks for a name and a password. In ~/.netrc (Windows: "
		      "%%USERPROFILE%%\\_netrc), readable by nobody else:\n"
		      "# machine %.*s login NAME password PASSWORD\n",
		      (int)len, host);
}

static void put_pip(const char *base, struct strbuf *out)
{
	const char *host;
	size_t len = host_of(base, &host);

	strbuf_puts(out,
		    "# For all users: /etc/pip.conf (Windows: C:\\ProgramData\\pip\\pip.ini);\n"
		    "# for one: ~/.config/pip/pip.conf (Windows: %APPDATA%\\pip\\pip.ini)\n"
		    "[global]\n");
	strbuf_printf(out, "index-url = %s/simple/\n", base);
	if (str_starts_with(base, "http://"))
		strbuf_printf(out, "trusted-host = %.*s\n", (int)len, host);
	strbuf_printf(out,
		      "\n# Or in the environment:\n"
		      "#   export PIP_INDEX_URL=%s/simple/\n"
		      "#   setx PIP_INDEX_URL %s/simple/\n",
		      base, base);
	if (str_starts_with(base, "http://"))
		strbuf_printf(out,
			      "#   export PIP_TRUSTED_HOST=%.*s\n"
			      "#   setx PIP_TRUSTED_HOST %.*s\n",
			      (int)len, host, (int)len, host);
}

static void put_uv(const struct repository *repository, const char *base, struct strbuf *out)
{
	strbuf_puts(out,
		    "# For all users: /etc/uv/uv.toml (Windows: C:\\ProgramData\\uv\\uv.toml);\n"
		    "# for one: ~/.config/uv/uv.toml (Windows: %APPDATA%\\uv\\uv.toml)\n"
		    "[[index]]\n");
	strbuf_printf(out,
		      "name = \"%s\"\n"
		      "url = \"%s/simple/\"\n"
		      "default = true\n"
		      "\n# Or in the environment:\n"
		      "#   export UV_DEFAULT_INDEX=%s/simple/\n"
		      "#   setx UV_DEFAULT_INDEX %s/simple/\n",
		      repository->name, base, base, base);
}

int pypi_client_config(const struct repository *repository, const struct manifest *manifest,
		       enum client client, const char *base, struct strbuf *out, struct error *err)
{
	(void)manifest;
	if (client == CLIENT_PIP)
		put_pip(base, out);
	else if (client == CLIENT_UV)
		put_uv(repository, base, out);
	else
		return error_set(err, EINVAL, "a repository of packages for pip and uv");
	put_login(repository, base, out);
	return 0;
}
