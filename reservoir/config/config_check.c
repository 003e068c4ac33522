/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/config/config_check.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/config/config.h"
#include "reservoir/config/window.h"

#define PYTHON_MINOR_MAX 999

/* First parts of paths that are the server's own. */
static const char *const reserved[] = { "snapshot", "healthz", "readyz", "metrics", "status" };

int reservoir_check_name(const void *value, struct error *err)
{
	const char *name = value;
	size_t len = strlen(name);

	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len ||
	    strchr("._-", name[0]) || strchr("._-", name[len - 1]))
		return error_set(err, EINVAL,
				 "the name '%s' has other characters than a-z, 0-9 and, inside, "
				 "'.', '_' and '-'",
				 name);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(name, reserved[i]) == 0)
			return error_set(err, EINVAL,
					 "the name '%s' is a path of the server itself", name);
	return 0;
}

int reservoir_check_url(const void *value, struct error *err)
{
	static const char *const schemes[] = { "http://", "https://", "file:///" };
	const char *url = value;

	if (!str_is_printable(url) || strpbrk(url, " ?#"))
		return error_set(err, EINVAL,
				 "the URL has a space, a '?', a '#' or what is no ASCII in it, and "
				 "paths are put behind it");
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		const char *rest = str_starts_with(url, schemes[i]);

		if (!rest)
			continue;
		if (memchr(rest, '@', strcspn(rest, "/")))
			return error_set(err, EINVAL,
					 "the URL has a user name in it; credentials go in "
					 "'sync.netrcFile'");
		if (url[0] == 'h' && strcspn(rest, "/:") == 0)
			return error_set(err, EINVAL, "the URL '%s' has no host", url);
		return 0;
	}
	return error_set(err, EINVAL, "'%s' begins neither with http:// nor with https://", url);
}

int reservoir_check_python(const void *value, struct error *err)
{
	const char *text = value;
	const char *minor = str_starts_with(text, "3.");
	uint32_t number;

	if (!minor || parse_u32(minor, PYTHON_MINOR_MAX, &number) < 0)
		return error_set(err, EINVAL, "'%s' is no version of Python, as in '3.11'", text);
	return 0;
}

int reservoir_check_platform(const void *value, struct error *err)
{
	static const char *const prefixes[] = { "manylinux", "musllinux_", "linux_", "macosx_",
						"win" };
	const char *tag = value;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts_with(tag, prefixes[i]))
			return 0;
	return error_set(err, EINVAL,
			 "'%s' is no platform tag, as in 'manylinux_2_28_x86_64' or 'win_amd64'",
			 tag);
}

int reservoir_check_window(const void *value, struct error *err)
{
	struct window window;

	return window_parse(value, &window, err);
}

int reservoir_check_hub(const void *value, struct error *err)
{
	const struct trusted_hub *hub = value;

	for (size_t i = 0; i < hub->n_keys; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(hub->keys[i].text, hub->keys[j].text) == 0)
				return error_set(err, EINVAL,
						 "key '%.60s' of hub '%s' is listed twice, and "
						 "counts once: list each key of its own once",
						 hub->keys[i].text, hub->id);
	if (hub->signatures > hub->n_keys)
		return error_set(err, EINVAL,
				 "%u signatures are wanted of hub '%s', which has %zu keys",
				 (unsigned int)hub->signatures, hub->id, hub->n_keys);
	return 0;
}

int reservoir_check_apt(const void *value, struct error *err)
{
	const struct apt_options *apt = value;

	if (apt->publish == APT_CURATED && !apt->signing_key.text[0])
		return error_set(err, EINVAL, "'publish: curated' needs a 'signingKey'");
	if (apt->publish == APT_VERBATIM &&
	    (apt->n_packages > 0 || apt->n_exclude > 0 || apt->n_together > 0))
		return error_set(err, EINVAL,
				 "'packages', 'exclude' and 'together' need 'publish: curated': "
				 "the upstream's signature is for all packages");
	return 0;
}

int reservoir_check_repository(const void *value, struct error *err)
{
	const struct repository *repository = value;

	if (repository->mode == REPOSITORY_CACHE && !repository->upstream[0])
		return error_set(err, EINVAL, "'mode: cache' needs an 'upstream'");
	if (repository->ecosystem == REPOSITORY_APT && repository->upstream[0] &&
	    !repository->apt.keyring.text[0] && !repository->apt.unverified)
		return error_set(err, EINVAL,
				 "the repository needs 'apt.keyring', or 'apt.unverified: true' to "
				 "take what anybody could have changed");
	return 0;
}
