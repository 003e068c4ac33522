/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/serve/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/serve/negotiate.h"

void plan_text(unsigned int status, const char *text, struct plan *ret)
{
	ret->status = status;
	ret->text = text;
}

void plan_redirect(const struct place *place, const char *path, const struct request *request,
		   struct plan *ret)
{
	char encoded[PLAN_LOCATION_MAX - 6 * STORE_NAME_MAX], format[3 * STORE_NAME_MAX] = "";
	bool has_format = request->format && strlen(request->format) < STORE_NAME_MAX &&
			  !strchr(request->format, '&');

	place_encode(path, encoded, sizeof(encoded));
	if (has_format)
		place_encode(request->format, format, sizeof(format));
	(void)snprintf(ret->location, sizeof(ret->location), "%s%s/%s/%s%s%s",
		       place->snapshot[0] ? "/snapshot/" : "", place->snapshot, place->repository,
		       encoded, has_format ? "?format=" : "", format);
	plan_text(301, "moved", ret);
}

/* The entries of one path and media, by encoding. */
struct variants {
	struct manifest_entry entries[_ENCODING_MAX];
	unsigned int offered;
};

static void find_variants(const struct manifest *manifest, const char *path, enum media media,
			  struct variants *ret)
{
	struct manifest_cursor cursor;
	struct manifest_entry entry;

	ret->offered = 0;
	manifest_seek(manifest, path, &cursor);
	while (manifest_next(&cursor, &entry) && strcmp(entry.path, path) == 0) {
		if (entry.media != media || entry.encoding >= _ENCODING_MAX)
			continue;
		ret->entries[entry.encoding] = entry;
		ret->offered |= 1u << entry.encoding;
	}
}

static bool is_package(const struct ecosystem *ecosystem, const char *path)
{
	char name[STORE_PATH_MAX];

	return ecosystem && ecosystem->package && ecosystem->package(path, name, sizeof(name));
}

static void plan_entry(const struct picture_repository *repository, const struct route *route,
		       const struct variants *variants, enum encoding encoding, struct plan *ret)
{
	const struct manifest_entry *entry = &variants->entries[encoding];
	bool package = is_package(repository->ecosystem, route->path);
	bool forever = package || strstr(route->path, "/by-hash/");

	memset(&ret->key, 0, sizeof(ret->key)); /* it is compared with memcmp() */
	ret->key.digest = entry->digest;
	ret->key.size = entry->size;
	ret->key.mtime = entry->mtime;
	ret->key.type = route->content_type ? route->content_type : media_type(route->media);
	ret->key.encoding = (uint16_t)encoding;
	ret->key.freshness = forever ? FRESH_FOREVER : FRESH_ASK;
	ret->key.is_index = !package;
	ret->key.varies_by_accept = route->varies_by_accept;
	ret->key.is_private = repository->is_private;
	ret->key.varies_by_encoding = (variants->offered & (variants->offered - 1)) != 0;
	ret->counts = package && route->media != MEDIA_TEXT && route->media != MEDIA_INTEGRITY;
	memcpy(ret->path, route->path, sizeof(ret->path));
}

void plan_decide(const struct request *request, const char *etag, struct plan *plan)
{
	static const unsigned int statuses[] = {
		[CONDITION_WHOLE] = 200,  [CONDITION_UNCHANGED] = 304,	   [CONDITION_PART] = 206,
		[CONDITION_FAILED] = 412, [CONDITION_UNSATISFIABLE] = 416,
	};
	struct condition condition = request->condition;

	if (request->head)
		condition.range = NULL; /* RFC 9110, section 14.2: only of GET */
	plan->status = statuses[condition_decide(&condition, etag, plan->key.mtime, plan->key.size,
						 &plan->range)];
	if (plan->status == 412)
		plan->text = "the file is not the one that was meant";
	if (plan->status == 416)
		plan->text = "the file is not so long";
}

static void plan_route(const struct picture_repository *repository, const struct route *route,
		       const struct request *request, struct plan *ret)
{
	struct variants variants;
	int encoding;

	find_variants(repository->manifest->manifest, route->path, route->media, &variants);
	if (variants.offered == 0) {
		plan_text(404, "there is no such file", ret);
		return;
	}
	encoding = negotiate_encoding(request->accept_encoding, variants.offered);
	if (encoding < 0) {
		plan_text(406, "there is no content coding that the client takes", ret);
		return;
	}
	plan_entry(repository, route, &variants, (enum encoding)encoding, ret);
	ret->status = 200;
}

static void route_by_path(const struct manifest *manifest, const struct route_request *request,
			  struct route *ret)
{
	struct manifest_entry entry;

	if (!manifest_find(manifest, request->path, &entry))
		return;
	ret->kind = ROUTE_FILE;
	ret->media = entry.media;
	(void)str_copy(ret->path, sizeof(ret->path), request->path);
}

static void find_route(const struct picture_repository *repository,
		       const struct route_request *request, struct route *ret)
{
	const struct ecosystem *ecosystem = repository->ecosystem;

	if (str_starts_with(request->path, MANIFEST_NOTES))
		return;
	(ecosystem && ecosystem->route ? ecosystem->route : route_by_path)(
		repository->manifest->manifest, request, ret);
}

void plan_file(const struct picture_repository *repository, const struct place *place,
	       const struct request *request, struct plan *ret)
{
	struct route_request wanted = {
		.path = place->path,
		.accept = request->accept,
		.format = request->format,
	};
	struct route route;

	if (place->bare) {
		plan_redirect(place, "", request, ret);
		return;
	}
	route.kind = ROUTE_ABSENT;
	route.path[0] = '\0';
	route.media = MEDIA_OCTETS;
	route.content_type = NULL;
	route.varies_by_accept = false;
	find_route(repository, &wanted, &route);
	switch (route.kind) {
	case ROUTE_FILE:
		plan_route(repository, &route, request, ret);
		break;
	case ROUTE_REDIRECT:
		plan_redirect(place, route.path, request, ret);
		break;
	case ROUTE_NOT_ACCEPTABLE:
		ret->varies = true;
		plan_text(406, "there is no media type that the client takes", ret);
		break;
	case ROUTE_ABSENT:
	case _ROUTE_KIND_MAX:
		plan_text(404, "there is no such file", ret);
		break;
	}
}
