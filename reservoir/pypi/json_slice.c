/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/json_slice.h"

#include <string.h>

struct scan {
	const char *at;
	const char *end;
};

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
		scan->at++;
}

/* Behind the closing quote; the scan is at the opening one. */
static int skip_string(struct scan *scan)
{
	for (scan->at++; scan->at < scan->end; scan->at++) {
		if (*scan->at == '"') {
			scan->at++;
			return 0;
		}
		if (*scan->at == '\\')
			scan->at++;
	}
	scan->at = scan->end;
	return -EINVAL;
}

static int skip_brackets(struct scan *scan)
{
	unsigned int depth = 0;

	while (scan->at < scan->end) {
		char c = *scan->at;

		if (c == '"') {
			if (skip_string(scan) < 0)
				return -EINVAL;
			continue;
		}
		scan->at++;
		if ((c == '{' || c == '[') && ++depth > JSON_SLICE_DEPTH_MAX)
			return -EINVAL;
		if ((c == '}' || c == ']') && --depth == 0)
			return 0;
	}
	return -EINVAL;
}

static int skip_value(struct scan *scan, struct json_slice *ret)
{
	const char *begin;
	int r = 0;

	skip_space(scan);
	begin = scan->at;
	if (scan->at == scan->end)
		return -EINVAL;
	if (*scan->at == '"')
		r = skip_string(scan);
	else if (*scan->at == '{' || *scan->at == '[')
		r = skip_brackets(scan);
	else
		while (scan->at < scan->end && !strchr(",]} \t\r\n", *scan->at))
			scan->at++;
	*ret = (struct json_slice) { begin, (size_t)(scan->at - begin) };
	return ret->len == 0 ? -EINVAL : r;
}

static int take(struct scan *scan, char c)
{
	skip_space(scan);
	if (scan->at == scan->end || *scan->at != c)
		return 0;
	scan->at++;
	return 1;
}

static int next_member(struct scan *scan, char open, struct json_slice *key,
		       struct json_slice *value)
{
	*key = (struct json_slice) { "", 0 };
	if (open == '{') {
		skip_space(scan);
		if (scan->at == scan->end || *scan->at != '"' || skip_value(scan, key) < 0 ||
		    !take(scan, ':'))
			return -EINVAL;
		key->text++;
		key->len -= 2;
	}
	return skip_value(scan, value);
}

int json_slice_each(struct json_slice whole, json_slice_fn fn, void *ctx, struct error *err)
{
	struct scan scan = { whole.text, whole.text + whole.len };
	struct json_slice key, value;
	char open;
	int r;

	skip_space(&scan);
	open = (char)(scan.at < scan.end ? *scan.at : '\0');
	if (open != '{' && open != '[')
		return error_set(err, EINVAL, "it is neither an object nor an array");
	scan.at++;
	if (take(&scan, open == '{' ? '}' : ']'))
		return 0;
	do {
		if (next_member(&scan, open, &key, &value) < 0)
			return error_set(err, EINVAL, "the JSON is broken at byte %zu",
					 (size_t)(scan.at - whole.text));
		r = fn(ctx, key, value, err);
		if (r < 0)
			return r;
	} while (take(&scan, ','));
	if (!take(&scan, open == '{' ? '}' : ']'))
		return error_set(err, EINVAL, "the JSON ends early, at byte %zu",
				 (size_t)(scan.at - whole.text));
	return 0;
}

int json_slice_is(struct json_slice slice, const char *word)
{
	return slice.len == strlen(word) && memcmp(slice.text, word, slice.len) == 0;
}
