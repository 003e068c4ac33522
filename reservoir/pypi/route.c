/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/index.h"
#include "reservoir/pypi/name.h"

#define ACCEPT_MAX 1024 /* bytes that are looked at; clients' are below 300 */
#define HTML "text/html; charset=utf-8"
#define METADATA ".metadata"

/* --- negotiation --- */

/* What a page comes as, the best first for a client to which all are the same. */
static const struct offer {
	const char *names[2];
	enum media media;
	const char *content_type; /* NULL for that of the media */
} offers[] = {
	{ { "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json" },
	  MEDIA_PYPI_JSON,
	  NULL },
	{ { "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html" },
	  MEDIA_PYPI_HTML,
	  NULL },
	{ { "text/html", "application/xhtml+xml" }, MEDIA_PYPI_HTML, HTML },
};

/* Browsers and curl(1), to which anything is right, get what people can read. */
#define OFFER_DEFAULT 2

struct weight {
	unsigned int specific; /* 1 for any type, 2 for one of a kind, 3 by its name */
	unsigned int q;	       /* thousandths */
};

/* "0.8" is 800; what is not understood is 1, as if it were not there. */
static unsigned int read_q(const char *text)
{
	unsigned int q, scale = 100;

	if (text[0] != '0' && text[0] != '1')
		return 1000;
	q = (unsigned int)(text[0] - '0') * 1000;
	if (text[1] != '.')
		return q;
	for (text += 2; *text >= '0' && *text <= '9' && scale > 0; text++, scale /= 10)
		q += (unsigned int)(*text - '0') * scale;
	return MIN(q, 1000u);
}

static unsigned int match(const struct offer *offer, const char *range)
{
	const char *slash = strchr(offer->names[0], '/');
	size_t kind = (size_t)(slash + 1 - offer->names[0]);

	if (strcmp(range, "*/*") == 0)
		return 1;
	if (strncasecmp(range, offer->names[0], kind) == 0 && strcmp(range + kind, "*") == 0)
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(offer->names); i++)
		if (strcasecmp(range, offer->names[i]) == 0)
			return 3;
	return 0;
}

/* One range of an Accept, as in "text/html;q=0.2". */
static void weigh(char *range, struct weight weights[ARRAY_SIZE(offers)])
{
	unsigned int q = 1000;
	char *parameter = range;

	(void)strsep(&parameter, ";");
	(void)str_trim(range);
	while (parameter) {
		char *next = strsep(&parameter, ";");

		(void)str_trim(next);
		if (strncasecmp(next, "q=", 2) == 0)
			q = read_q(next + 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
		unsigned int specific = match(&offers[i], range);

		if (specific > weights[i].specific ||
		    (specific > 0 && specific == weights[i].specific && q > weights[i].q))
			weights[i] = (struct weight) { specific, q };
	}
}

static const struct offer *heaviest(const struct weight weights[ARRAY_SIZE(offers)])
{
	size_t best = OFFER_DEFAULT;

	for (size_t i = 0; i < ARRAY_SIZE(offers); i++)
		if (weights[i].q > weights[best].q ||
		    (weights[i].q == weights[best].q && weights[i].specific == 3 &&
		     (i < best || weights[best].specific < 3)))
			best = i;
	return weights[best].q > 0 ? &offers[best] : NULL;
}

static const struct offer *by_accept(const char *accept)
{
	struct weight weights[ARRAY_SIZE(offers)] = { { 0, 0 } };
	char text[ACCEPT_MAX], *rest = text;

	/* A longer one is no package manager's. */
	if (!accept || !accept[0] || str_copy(text, sizeof(text), accept) < 0)
		return &offers[OFFER_DEFAULT];
	while (rest)
		weigh(strsep(&rest, ","), weights);
	return heaviest(weights);
}

/* A '+' in a query may have become a space. */
static const struct offer *by_format(const char *format)
{
	char text[ACCEPT_MAX];

	if (str_copy(text, sizeof(text), format) < 0)
		return NULL;
	for (char *c = text; *c; c++)
		if (*c == ' ')
			*c = '+';
	for (size_t i = 0; i < ARRAY_SIZE(offers); i++)
		if (match(&offers[i], text) == 3)
			return &offers[i];
	return NULL;
}

/* --- paths --- */

static void route_page(const char *path, const struct route_request *request, struct route *ret)
{
	const struct offer *offer = request->format && request->format[0]
					    ? by_format(request->format)
					    : by_accept(request->accept);

	ret->varies_by_accept = true;
	if (!offer) {
		ret->kind = ROUTE_NOT_ACCEPTABLE;
		return;
	}
	ret->kind = ROUTE_FILE;
	ret->media = offer->media;
	ret->content_type = offer->content_type;
	(void)str_copy(ret->path, sizeof(ret->path), path);
}

static void route_redirect(const char *path, struct route *ret)
{
	ret->kind = ROUTE_REDIRECT;
	(void)str_copy(ret->path, sizeof(ret->path), path);
}

/* @name is what a client calls a project; @exact: with one slash behind it, below simple/. */
static void route_project(const struct manifest *manifest, const char *name, bool exact,
			  const struct route_request *request, struct route *ret)
{
	size_t len = strcspn(name, "/");
	char normal[PYPI_NAME_MAX], path[STORE_PATH_MAX];
	struct manifest_entry entry;

	if ((name[len] == '/' && name[len + 1]) || pypi_name_normalize(name, len, normal) < 0)
		return;
	(void)snprintf(path, sizeof(path), "simple/%s/", normal);
	if (!manifest_find(manifest, path, &entry))
		return;
	if (exact && name[len] == '/' && strncmp(name, normal, len) == 0 && normal[len] == '\0')
		route_page(path, request, ret);
	else
		route_redirect(path, ret);
}

static void route_file(const struct manifest *manifest, const char *path, struct route *ret)
{
	struct manifest_entry entry;

	if (!manifest_find(manifest, path, &entry))
		return;
	ret->kind = ROUTE_FILE;
	ret->media = entry.media;
	(void)str_copy(ret->path, sizeof(ret->path), path);
}

void pypi_route(const struct manifest *manifest, const struct route_request *request,
		struct route *ret)
{
	const char *project = str_starts_with(request->path, "simple/");

	*ret = (struct route) { .kind = ROUTE_ABSENT };
	if (project && project[0])
		route_project(manifest, project, true, request, ret);
	else if (project)
		route_page("simple/", request, ret);
	else if (request->path[0] == '\0' || strcmp(request->path, "simple") == 0)
		route_redirect("simple/", ret);
	else if (str_starts_with(request->path, "packages/"))
		route_file(manifest, request->path, ret);
	else /* of a client whose URL lacks "simple" */
		route_project(manifest, request->path, false, request, ret);
}

bool pypi_package(const char *path, char *ret, size_t size)
{
	const char *rest = str_starts_with(path, "packages/");
	size_t len = rest ? strcspn(rest, "/") : 0;

	if (len == 0 || len >= size || rest[len] != '/')
		return false;
	memcpy(ret, rest, len);
	ret[len] = '\0';
	return true;
}

bool pypi_spell(const char *name, char *ret, size_t size)
{
	char normal[PYPI_NAME_MAX];

	return pypi_name_normalize(name, strlen(name), normal) == 0 &&
	       str_copy(ret, size, normal) == 0;
}

bool pypi_index_of(const char *path, char ret[STORE_PATH_MAX])
{
	char name[PYPI_NAME_MAX];

	if (!pypi_package(path, name, sizeof(name)))
		return false;
	(void)snprintf(ret, STORE_PATH_MAX, "simple/%s/", name);
	return true;
}

/* --- what a page vouches for --- */

static int tell_one(const struct pypi_index *index, const char *file, const char *suffix,
		    struct expectation *expectation, expectation_fn fn, void *ctx)
{
	char path[STORE_PATH_MAX];

	(void)snprintf(path, sizeof(path), "packages/%s/%s%s", index->name, file, suffix);
	expectation->path = path;
	return fn(ctx, expectation);
}

static int tell(const struct pypi_index *index, const struct pypi_file *file, expectation_fn fn,
		void *ctx)
{
	struct expectation expectation = { .sha256 = file->sha256,
					   .size = file->has_size ? file->size : 0,
					   .url = file->url };
	char beside[PYPI_INDEX_TEXT_MAX + sizeof(METADATA)];
	size_t end = strcspn(file->url, "?#");
	int r = 0;

	if (file->has_sha256)
		r = tell_one(index, file->name, "", &expectation, fn, ctx);
	if (r < 0 || file->metadata != PYPI_HASHED)
		return r;
	expectation.sha256 = file->metadata_sha256;
	expectation.size = 0;
	expectation.url = beside; /* a query stays behind the path */
	(void)snprintf(beside, sizeof(beside), "%.*s" METADATA "%.*s", (int)end, file->url,
		       (int)strcspn(file->url + end, "#"), file->url + end);
	return tell_one(index, file->name, METADATA, &expectation, fn, ctx);
}

int pypi_expect(const char *path, const void *data, size_t len, expectation_fn fn, void *ctx,
		struct error *err)
{
	const char *project = str_starts_with(path, "simple/");
	_cleanup_pypi_index_ struct pypi_index index = { 0 };
	char name[PYPI_NAME_MAX];
	size_t n = project ? strcspn(project, "/") : 0;
	int r;

	if (n == 0 || pypi_name_normalize(project, n, name) < 0)
		return 0;
	pypi_index_init(name, &index);
	r = pypi_index_parse(data, len, &index, err);
	if (r == 0)
		r = pypi_index_check(&index, err);
	for (size_t i = 0; r == 0 && i < index.n_files && pypi_index_offers(&index); i++)
		r = tell(&index, &index.files[i], fn, ctx);
	return r;
}
