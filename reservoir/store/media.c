/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/store/media.h"

#include <stddef.h>
#include <string.h>

#include "base/macro.h"

static const char *const types[] = {
	[MEDIA_OCTETS] = "application/octet-stream",
	[MEDIA_TEXT] = "text/plain; charset=utf-8",
	[MEDIA_HTML] = "text/html; charset=utf-8",
	[MEDIA_JSON] = "application/json",
	[MEDIA_PYPI_HTML] = "application/vnd.pypi.simple.v1+html",
	[MEDIA_PYPI_JSON] = "application/vnd.pypi.simple.v1+json",
	[MEDIA_DEB] = "application/vnd.debian.binary-package",
	[MEDIA_GZIP] = "application/gzip",
	[MEDIA_XZ] = "application/x-xz",
	[MEDIA_ZSTD] = "application/zstd",
	[MEDIA_BZIP2] = "application/x-bzip2",
	[MEDIA_TAR] = "application/x-tar",
	[MEDIA_ZIP] = "application/zip",
	[MEDIA_PGP_KEYS] = "application/pgp-keys",
	[MEDIA_PGP_SIGNATURE] = "application/pgp-signature",
	[MEDIA_INTEGRITY] = "application/vnd.pypi.integrity.v1+json",
	[MEDIA_XML] = "application/xml",
};

static const struct {
	const char *ending;
	enum media media;
} endings[] = {
	{ ".deb", MEDIA_DEB },
	{ ".udeb", MEDIA_DEB },
	{ ".gz", MEDIA_GZIP },
	{ ".tgz", MEDIA_GZIP },
	{ ".xz", MEDIA_XZ },
	{ ".zst", MEDIA_ZSTD },
	{ ".bz2", MEDIA_BZIP2 },
	{ ".tar", MEDIA_TAR },
	{ ".whl", MEDIA_ZIP },
	{ ".zip", MEDIA_ZIP },
	{ ".gpg", MEDIA_PGP_SIGNATURE },
	{ ".sig", MEDIA_PGP_SIGNATURE },
	{ ".asc", MEDIA_PGP_KEYS },
	{ ".json", MEDIA_JSON },
	{ ".html", MEDIA_HTML },
	{ ".xml", MEDIA_XML },
	{ ".dsc", MEDIA_TEXT },
	{ ".txt", MEDIA_TEXT },
	{ ".metadata", MEDIA_TEXT },
	{ ".provenance", MEDIA_INTEGRITY },
};

static const char *const encodings[] = {
	[ENCODING_GZIP] = "gzip",
	[ENCODING_ZSTD] = "zstd",
};

const char *media_type(enum media media)
{
	return types[media];
}

enum media media_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');

	if (!dot)
		return MEDIA_TEXT;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (strcmp(dot, endings[i].ending) == 0)
			return endings[i].media;
	return MEDIA_OCTETS;
}

const char *encoding_name(enum encoding encoding)
{
	return encodings[encoding];
}
