/* SPDX-License-Identifier: Apache-2.0 */
#include "reservoir/pypi/requirement.h"

#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

struct parser {
	const char *at;
	const char *end;
	bool lenient;
	struct error *err;
};

void pypi_requirement_done(struct pypi_requirement *requirement)
{
	free(requirement->extras);
	pypi_specifiers_done(&requirement->specifiers);
	pypi_marker_free(requirement->marker);
	*requirement = (struct pypi_requirement) { 0 };
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static void skip_space(struct parser *parser)
{
	while (parser->at < parser->end && char_is_space(*parser->at))
		parser->at++;
}

static bool is_next(struct parser *parser, char c)
{
	skip_space(parser);
	return parser->at < parser->end && *parser->at == c;
}

static int refuse(const struct parser *parser, const char *what)
{
	return error_set(parser->err, EINVAL, "%s is expected in a requirement at '%.*s'", what,
			 (int)MIN((size_t)(parser->end - parser->at), (size_t)40), parser->at);
}

static int parse_name(struct parser *parser, char ret[PYPI_NAME_MAX])
{
	const char *begin;

	skip_space(parser);
	begin = parser->at;
	while (parser->at < parser->end && is_name(*parser->at))
		parser->at++;
	if (pypi_name_normalize(begin, (size_t)(parser->at - begin), ret) == 0)
		return 0;
	parser->at = begin;
	return refuse(parser, "a name");
}

static int parse_extra(struct parser *parser, struct pypi_requirement *requirement)
{
	char(*extras)[PYPI_NAME_MAX];
	int r;

	if (requirement->n_extras == PYPI_EXTRAS_MAX)
		return error_set(parser->err, E2BIG, "more than %d extras", PYPI_EXTRAS_MAX);
	extras = reallocarray(requirement->extras, requirement->n_extras + 1, sizeof(*extras));
	if (!extras)
		return error_set(parser->err, ENOMEM, "no memory for extras");
	requirement->extras = extras;
	r = parse_name(parser, extras[requirement->n_extras]);
	if (r == 0)
		requirement->n_extras++;
	return r;
}

static int parse_extras(struct parser *parser, struct pypi_requirement *requirement)
{
	int r = 0;

	if (!is_next(parser, '['))
		return 0;
	parser->at++;
	if (!is_next(parser, ']'))
		r = parse_extra(parser, requirement);
	while (r == 0 && is_next(parser, ',')) {
		parser->at++;
		r = parse_extra(parser, requirement);
	}
	if (r < 0)
		return r;
	if (!is_next(parser, ']'))
		return refuse(parser, "']'");
	parser->at++;
	return 0;
}

/* A ';' is part of a URL unless white space is before it. */
static int parse_url(struct parser *parser, struct pypi_requirement *requirement)
{
	const char *begin;

	parser->at++;
	skip_space(parser);
	begin = parser->at;
	while (parser->at < parser->end && !char_is_space(*parser->at))
		parser->at++;
	if (parser->at == begin)
		return refuse(parser, "a URL");
	requirement->url = true;
	return 0;
}

static int parse_versions(struct parser *parser, struct pypi_requirement *requirement)
{
	bool parentheses = is_next(parser, '(');
	char stop = parentheses ? ')' : ';';
	const char *begin, *found;
	int r;

	parser->at += parentheses;
	begin = parser->at;
	found = memchr(begin, stop, (size_t)(parser->end - begin));
	if (!found && parentheses)
		return refuse(parser, "')'");
	parser->at = found ? found : parser->end;
	r = (parser->lenient ? pypi_specifiers_parse_lenient : pypi_specifiers_parse)(
		begin, (size_t)(parser->at - begin), &requirement->specifiers, parser->err);
	parser->at += r == 0 && parentheses;
	return r;
}

static int parse_marker(struct parser *parser, struct pypi_requirement *requirement)
{
	if (is_next(parser, ';')) {
		parser->at++;
		return pypi_marker_parse(parser->at, (size_t)(parser->end - parser->at),
					 &requirement->marker, parser->err);
	}
	return parser->at == parser->end ? 0 : refuse(parser, "';' or the end");
}

static int parse(const char *text, size_t len, bool lenient, struct pypi_requirement *ret,
		 struct error *err)
{
	_cleanup_pypi_requirement_ struct pypi_requirement requirement = { 0 };
	struct parser parser = { text, text + len, lenient, err };
	int r;

	if (len > PYPI_REQUIREMENT_MAX)
		return error_set(err, E2BIG, "a requirement has more than %d bytes",
				 PYPI_REQUIREMENT_MAX);
	r = parse_name(&parser, requirement.name);
	if (r == 0)
		r = parse_extras(&parser, &requirement);
	if (r == 0 && is_next(&parser, '@'))
		r = parse_url(&parser, &requirement);
	else if (r == 0)
		r = parse_versions(&parser, &requirement);
	if (r == 0)
		r = parse_marker(&parser, &requirement);
	if (r < 0)
		return r;
	*ret = requirement;
	requirement = (struct pypi_requirement) { 0 };
	return 0;
}

int pypi_requirement_parse(const char *text, size_t len, struct pypi_requirement *ret,
			   struct error *err)
{
	return parse(text, len, false, ret, err);
}

int pypi_requirement_parse_lenient(const char *text, size_t len, struct pypi_requirement *ret,
				   struct error *err)
{
	return parse(text, len, true, ret, err);
}
