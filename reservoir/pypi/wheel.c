/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/wheel.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

/* A tag of a set, without the dots around it. */
struct tag {
	const char *text;
	size_t len;
};

/* --- names --- */

static const char *const sdist_endings[] = { ".tar.gz", ".zip", ".tar.bz2", ".tgz",
					     ".tar.xz", ".tar", ".tar.Z" };
static const char *const other_endings[] = { ".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg" };

static bool may_be_file(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < PYPI_FILENAME_MAX && str_is_printable(name) &&
	       !strpbrk(name, "/\\%?#\"<>") && name[0] != '.' && name[0] != ' ' &&
	       name[len - 1] != ' ';
}

/* The length before an ending of a list, 0 when it has none. */
static size_t stem_of(const char *name, const char *const *endings, size_t n)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < n; i++) {
		size_t ending = strlen(endings[i]);

		if (len > ending && strcmp(name + len - ending, endings[i]) == 0)
			return len - ending;
	}
	return 0;
}

/* Installers take tags in any case: some builders write "py3-None-any". */
static int copy_tags(char ret[PYPI_TAG_MAX], struct tag tags)
{
	if (tags.len == 0 || tags.len >= PYPI_TAG_MAX)
		return -EINVAL;
	for (size_t i = 0; i < tags.len; i++)
		ret[i] = char_lower(tags.text[i]);
	ret[tags.len] = '\0';
	return 0;
}

/* Five parts, or six with the number of the build before the tags. */
static int parse_wheel(const char *name, size_t len, struct pypi_file_name *ret)
{
	struct tag parts[6];
	size_t n = 0;

	for (const char *at = name, *end = name + len; at <= end; n++) {
		const char *dash = memchr(at, '-', (size_t)(end - at));
		const char *stop = dash ? dash : end;

		if (n == ARRAY_SIZE(parts))
			return -EINVAL;
		parts[n] = (struct tag) { at, (size_t)(stop - at) };
		at = stop + 1;
	}
	if (n < 5 || (n == 6 && (parts[2].text[0] < '0' || parts[2].text[0] > '9')))
		return -EINVAL;
	ret->kind = PYPI_WHEEL;
	ret->has_version = pypi_version_parse(parts[1].text, parts[1].len, &ret->version) == 0;
	if (pypi_name_normalize(parts[0].text, parts[0].len, ret->project) < 0 ||
	    copy_tags(ret->python, parts[n - 3]) < 0 || copy_tags(ret->abi, parts[n - 2]) < 0 ||
	    copy_tags(ret->platform, parts[n - 1]) < 0)
		return -EINVAL;
	return 0;
}

/* Which dash ends the name: the one before which the project's name is, else the last. */
static int parse_sdist(const char *name, size_t len, const char *project,
		       struct pypi_file_name *ret)
{
	const char *cut = NULL;

	for (size_t i = 1; i + 1 < len; i++) {
		char normal[PYPI_NAME_MAX];

		if (name[i] != '-' || pypi_name_normalize(name, i, normal) < 0)
			continue;
		if (project && strcmp(normal, project) != 0)
			continue;
		memcpy(ret->project, normal, sizeof(normal));
		cut = name + i;
		if (project)
			break;
	}
	if (!cut)
		return -EINVAL;
	ret->kind = PYPI_SDIST;
	ret->has_version =
		pypi_version_parse(cut + 1, (size_t)(name + len - cut - 1), &ret->version) == 0;
	return 0;
}

int pypi_file_name_parse(const char *name, const char *project, struct pypi_file_name *ret)
{
	static const char *const wheels[] = { ".whl" };
	struct pypi_file_name out = { .kind = PYPI_OTHER };
	size_t wheel = stem_of(name, wheels, ARRAY_SIZE(wheels));
	size_t sdist = stem_of(name, sdist_endings, ARRAY_SIZE(sdist_endings));
	int r = 0;

	if (!may_be_file(name))
		return -EINVAL;
	if (wheel > 0)
		r = parse_wheel(name, wheel, &out);
	else if (sdist > 0)
		r = parse_sdist(name, sdist, project, &out);
	else if (stem_of(name, other_endings, ARRAY_SIZE(other_endings)) == 0 || !project)
		r = -EINVAL;
	if (r == 0 && project && out.kind == PYPI_OTHER)
		r = str_copy(out.project, sizeof(out.project), project);
	if (r < 0 || (project && strcmp(out.project, project) != 0))
		return -EINVAL;
	*ret = out;
	return 0;
}

/* --- tags --- */

static bool tag_is(struct tag tag, const char *text)
{
	return tag.len == strlen(text) && memcmp(tag.text, text, tag.len) == 0;
}

/* The number behind a prefix that ends the tag, as in "cp311". */
static bool tag_number(struct tag tag, const char *prefix, unsigned int *ret)
{
	size_t len = strlen(prefix);
	char text[16];
	uint32_t value;

	if (tag.len <= len || tag.len - len >= sizeof(text) || memcmp(tag.text, prefix, len) != 0)
		return false;
	memcpy(text, tag.text + len, tag.len - len);
	text[tag.len - len] = '\0';
	if (parse_u32(text, 10000, &value) < 0)
		return false;
	*ret = value;
	return true;
}

/* Calls @fn for each tag of a set until one returns true. */
static bool any_tag(const char *set, bool (*fn)(struct tag tag, const void *ctx), const void *ctx)
{
	while (*set) {
		struct tag tag = { set, strcspn(set, ".") };

		if (fn(tag, ctx))
			return true;
		set += tag.len + (set[tag.len] == '.');
	}
	return false;
}

static bool is_text(struct tag tag, const void *text)
{
	return tag_is(tag, text);
}

/* A platform tag in parts: "manylinux_2_17_x86_64" is 2, 17 and "x86_64". */
struct platform {
	unsigned int major, minor;
	char machine[64];
};

static const struct {
	const char *old;
	const char *now;
} manylinux_aliases[] = {
	{ "manylinux1_", "manylinux_2_5_" },
	{ "manylinux2010_", "manylinux_2_12_" },
	{ "manylinux2014_", "manylinux_2_17_" },
};

static bool parse_platform(struct tag tag, const char *prefix, struct platform *ret)
{
	char text[128], format[64];
	int n = 0;

	if (tag.len >= sizeof(text) - 16)
		return false;
	memcpy(text, tag.text, tag.len);
	text[tag.len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(manylinux_aliases); i++) {
		const char *rest = str_starts_with(text, manylinux_aliases[i].old);
		char old[128];

		if (!rest || strlen(rest) >= 64)
			continue;
		memcpy(old, rest, strlen(rest) + 1);
		(void)snprintf(text, sizeof(text), "%s%.63s", manylinux_aliases[i].now, old);
	}
	(void)snprintf(format, sizeof(format), "%s", prefix);
	if (!str_starts_with(text, format) ||
	    sscanf(text + strlen(format), "%4u_%4u_%n", &ret->major, &ret->minor, &n) != 2 ||
	    n == 0)
		return false;
	return str_copy(ret->machine, sizeof(ret->machine), text + strlen(format) + n) == 0;
}

static bool not_above(const struct platform *wheel, const struct platform *target)
{
	return wheel->major < target->major ||
	       (wheel->major == target->major && wheel->minor <= target->minor);
}

/* Which sets of machines a binary of macOS may be for. */
static const struct {
	const char *machine;
	const char *binaries[8];
} macos_binaries[] = {
	/* What is "fat3" was "fat32" to installers for years. */
	{ "x86_64", { "x86_64", "universal2", "intel", "fat64", "fat3", "fat32", "universal" } },
	{ "arm64", { "arm64", "universal2" } },
	{ "universal2", { "universal2" } },
};

static bool macos_machine_fits(const char *wheel, const char *target)
{
	for (size_t i = 0; i < ARRAY_SIZE(macos_binaries); i++) {
		if (strcmp(macos_binaries[i].machine, target) != 0)
			continue;
		for (const char *const *name = macos_binaries[i].binaries; *name; name++)
			if (strcmp(*name, wheel) == 0)
				return true;
	}
	return strcmp(wheel, target) == 0;
}

/* A wheel for "linux_x86_64" itself says nothing of the libraries it needs. */
static bool is_plain_linux(struct tag tag, const char *machine)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "linux_%s", machine);
	return tag_is(tag, text);
}

static bool linux_fits(struct tag tag, struct tag own, const char *prefix)
{
	struct platform wheel, target;

	if (!parse_platform(own, prefix, &target))
		return false;
	if (is_plain_linux(tag, target.machine))
		return true;
	return parse_platform(tag, prefix, &wheel) && strcmp(wheel.machine, target.machine) == 0 &&
	       wheel.major == target.major && not_above(&wheel, &target);
}

/* Since 11 only the first number tells what runs; what is for 10 and arm64 is of both kinds. */
static bool is_of_macos(const struct platform *wheel, const struct platform *target)
{
	if (wheel->major >= 11)
		return wheel->minor == 0;
	return wheel->major == 10 &&
	       (strcmp(target->machine, "arm64") != 0 || strcmp(wheel->machine, "arm64") != 0);
}

static bool macos_fits(struct tag tag, struct tag own)
{
	struct platform wheel, target;

	return parse_platform(own, "macosx_", &target) && parse_platform(tag, "macosx_", &wheel) &&
	       not_above(&wheel, &target) && is_of_macos(&wheel, &target) &&
	       macos_machine_fits(wheel.machine, target.machine);
}

static bool machine_fits(struct tag tag, const void *ctx)
{
	const struct pypi_target *target = ctx;
	struct tag own = { target->environment.platform, strlen(target->environment.platform) };

	if (tag_is(tag, own.text))
		return true;
	return linux_fits(tag, own, "manylinux_") || linux_fits(tag, own, "musllinux_") ||
	       macos_fits(tag, own);
}

static bool platform_fits(struct tag tag, const void *target)
{
	return tag_is(tag, "any") || machine_fits(tag, target);
}

/* py3, py311 and those of earlier minors. */
static bool generic_python_fits(struct tag tag, const void *ctx)
{
	const struct pypi_target *target = ctx;
	unsigned int minor;

	return tag_is(tag, "py3") || (tag_number(tag, "py3", &minor) && minor <= target->minor);
}

struct python_fit {
	const struct pypi_target *target;
	const char *abi;
};

/* An ABI of this very CPython: "cp311", and "cp37m" as it was called before 3.8. */
static bool own_abi(struct tag tag, const void *ctx)
{
	const struct pypi_target *target = ctx;
	char text[32];

	(void)snprintf(text, sizeof(text), "cp3%u", target->minor);
	if (tag_is(tag, text))
		return true;
	(void)snprintf(text, sizeof(text), "cp3%um", target->minor);
	return target->minor < 8 && tag_is(tag, text);
}

static bool cpython_fits(struct tag tag, const void *ctx)
{
	const struct python_fit *fit = ctx;
	unsigned int minor;

	if (!tag_number(tag, "cp3", &minor))
		return false;
	if (minor == fit->target->minor &&
	    (any_tag(fit->abi, own_abi, fit->target) || any_tag(fit->abi, is_text, "none")))
		return true;
	/* The stable ABI began with Python 3.2 (PEP 384). */
	return minor >= 2 && minor <= fit->target->minor && any_tag(fit->abi, is_text, "abi3");
}

static bool own_pypy_abi(struct tag tag, const void *ctx)
{
	const struct pypi_target *target = ctx;
	char text[32];

	(void)snprintf(text, sizeof(text), "pypy3%u_", target->minor);
	return tag.len > strlen(text) && memcmp(tag.text, text, strlen(text)) == 0;
}

static bool pypy_fits(struct tag tag, const void *ctx)
{
	const struct python_fit *fit = ctx;
	unsigned int minor;

	return tag_number(tag, "pp3", &minor) && minor == fit->target->minor &&
	       (any_tag(fit->abi, own_pypy_abi, fit->target) || any_tag(fit->abi, is_text, "none"));
}

bool pypi_wheel_fits(const struct pypi_file_name *wheel, const struct pypi_target *target)
{
	struct python_fit fit = { target, wheel->abi };
	bool pypy = strcmp(target->environment.implementation, "pypy") == 0;

	if (!any_tag(wheel->platform, platform_fits, target))
		return false;
	if (any_tag(wheel->abi, is_text, "none") &&
	    any_tag(wheel->python, generic_python_fits, target))
		return true;
	/* What has an ABI is for a platform. */
	if (!any_tag(wheel->platform, machine_fits, target))
		fit.abi = any_tag(wheel->abi, is_text, "none") ? "none" : "";
	return any_tag(wheel->python, pypy ? pypy_fits : cpython_fits, &fit);
}
