/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

#define UNENCODED                                                        \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" \
	"-._~!$&'()*+,;=:@/"

/* Pages of the server itself; no repository may have such a name. */
static const char *const own[] = { "", "healthz", "readyz", "metrics", "status.json" };

/* One character of a target, decoded; or -1. */
static int decode_one(const char **at)
{
	const char *p = *at;
	int high, low;

	if (*p != '%') {
		(*at)++;
		return (unsigned char)*p;
	}
	high = char_digit(p[1]);
	low = high < 0 ? -1 : char_digit(p[2]);
	if (low < 0)
		return -1;
	*at += 3;
	return high * 16 + low;
}

static int decode(const char *target, char *ret, size_t size, struct error *err)
{
	size_t n = 0;

	while (*target) {
		bool encoded = *target == '%';
		int c = decode_one(&target);

		if (c < 0x20 || c > 0x7e || c == '\\' || c == (encoded ? '/' : ' '))
			return error_set(err, EINVAL, "the path has characters that no file has");
		if (n + 1 >= size)
			return error_set(err, ENAMETOOLONG, "the path is too long");
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return 0;
}

/* Below the authority, of a target as proxies are sent it. */
static const char *without_authority(const char *target)
{
	const char *rest = str_starts_with(target, "http://");

	if (!rest)
		rest = str_starts_with(target, "https://");
	if (!rest)
		return target;
	rest += strcspn(rest, "/");
	return *rest ? rest : "/";
}

/*
 * apt asks for "./InRelease" of a flat repository, and pipenv for "simple//NAME/": parts of a
 * dot alone, and empty ones, say nothing.
 */
static void drop_nothings(char *path)
{
	char *to = path;
	const char *part = path;

	while (*part) {
		size_t len = strcspn(part, "/");
		size_t whole = len + (part[len] == '/');

		if (len > 1 || (len == 1 && part[0] != '.')) {
			memmove(to, part, whole);
			to += whole;
		}
		part += whole;
	}
	*to = '\0';
}

static int check_parts(const char *path, struct error *err)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		size_t len;

		if (*part == '/')
			part++;
		len = strcspn(part, "/");
		if (len == 2 && part[0] == '.' && part[1] == '.')
			return error_set(err, EINVAL, "the path has '..' in it");
	}
	return 0;
}

/* Takes the first part of a path; false if no name is empty or as long as it. */
static bool take_name(const char **path, char ret[STORE_NAME_MAX], bool *ret_bare)
{
	size_t len = strcspn(*path, "/");

	if (len == 0 || len >= STORE_NAME_MAX)
		return false;
	memcpy(ret, *path, len);
	ret[len] = '\0';
	*ret_bare = (*path)[len] == '\0';
	*path += len + (*ret_bare ? 0 : 1);
	return true;
}

static bool is_own(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(path, own[i]) == 0)
			return true;
	return false;
}

static int split(const char *path, struct place *place, struct error *err)
{
	const char *rest = str_starts_with(path, "snapshot/");
	bool bare;

	if (is_own(path)) {
		place->kind = PLACE_OWN;
		return str_copy(place->path, sizeof(place->path), path);
	}
	place->kind = PLACE_REPOSITORY;
	if (rest) {
		path = rest;
		if (!take_name(&path, place->snapshot, &bare))
			return error_set(err, ENOENT, "there is no such snapshot");
	}
	if (!take_name(&path, place->repository, &place->bare))
		return error_set(err, ENOENT, "there is no such repository");
	if (str_copy(place->path, sizeof(place->path), path) < 0)
		return error_set(err, ENAMETOOLONG, "the path is too long");
	return 0;
}

int place_parse(const char *target, struct place *ret, struct error *err)
{
	char path[STORE_PATH_MAX + 3 * STORE_NAME_MAX];
	struct place place = { .kind = PLACE_OWN };
	int r;

	target = without_authority(target);
	if (target[0] != '/')
		return error_set(err, EINVAL, "the path does not begin with a slash");
	r = decode(target + 1, path, sizeof(path), err);
	if (r == 0) {
		drop_nothings(path);
		r = check_parts(path, err);
	}
	if (r == 0)
		r = split(path, &place, err);
	if (r < 0)
		return r;
	*ret = place;
	return 0;
}

bool place_decode_value(const char *value, char *ret, size_t size)
{
	size_t n = 0;

	while (*value) {
		int c = decode_one(&value);

		if (c < 0x20 || c > 0x7e || n + 1 >= size)
			return false;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return true;
}

void place_encode(const char *path, char *ret, size_t size)
{
	size_t n = 0;

	for (; *path && n + 4 < size; path++) {
		if (strchr(UNENCODED, *path)) {
			ret[n++] = *path;
		} else {
			(void)snprintf(ret + n, 4, "%%%02X", (unsigned char)*path);
			n += 3;
		}
	}
	ret[n] = '\0';
}
