/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds arbitrary bytes to the reader of HTTP requests.  Whatever it says of them
 * must not depend on how they arrive: no beginning of a good request is refused,
 * and what was refused stays refused when more comes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/metrics/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_request(const char *data, const struct http_request *request)
{
	struct http_request again;

	require(memchr(request->path, '\0', sizeof(request->path)) != NULL);
	require(request->path[0] == '/' || request->path[0] == '\0');
	require(http_request_parse(data, request->len, &again) == HTTP_OK);
	require(strcmp(again.path, request->path) == 0 && again.len == request->len);
	require(again.keep_alive == request->keep_alive);
	require(http_request_parse(data, request->len - 1, &again) == HTTP_MORE);
	require(http_request_parse(data, request->len / 2, &again) == HTTP_MORE);
}

/* A copy of its own length, so that reading past the end is found. */
static int parse_copy(const uint8_t *data, size_t size)
{
	struct http_request request;
	char *copy = malloc(size > 0 ? size : 1);
	int status;

	if (!copy)
		return HTTP_MORE;
	if (size > 0)
		memcpy(copy, data, size);
	status = http_request_parse(copy, size, &request);
	require(status != HTTP_MORE || size < HTTP_HEAD_MAX);
	require(status == HTTP_OK || !request.keep_alive);
	if (status == HTTP_OK) {
		require(request.len > 0 && request.len <= size);
		check_request(copy, &request);
	}
	free(copy);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int status, half;

	if (size > HTTP_HEAD_MAX)
		size = HTTP_HEAD_MAX;
	status = parse_copy(data, size);
	half = parse_copy(data, size / 2);
	require(half == HTTP_MORE || half == status);
	return 0;
}
