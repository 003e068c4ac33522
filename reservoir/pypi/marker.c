/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A marker is parsed by recursive descent into nodes in one array, which name one
 * another by number; texts lie in a copy of the marker, each ended by a NUL.
 */
#include "reservoir/pypi/marker.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/parse.h"
#include "reservoir/pypi/name.h"
#include "reservoir/pypi/version.h"

enum node_kind {
	NODE_AND,
	NODE_OR,
	NODE_COMPARE,
};

enum comparison {
	COMPARE_VERSION, /* and texts: one of the words of specifiers */
	COMPARE_IN,
	COMPARE_NOT_IN,
};

/* A variable, or a text when it is _PYPI_VARIABLE_MAX. */
struct operand {
	enum pypi_variable variable;
	const char *text;
};

struct node {
	enum node_kind kind;
	size_t left, right;
	enum comparison comparison;
	char word[4]; /* "<=" */
	struct operand operands[2];
};

struct pypi_marker {
	size_t root;
	size_t n;
	struct node *nodes;
	char text[];
};

struct parser {
	struct pypi_marker *marker;
	char *at;
	unsigned int depth;
	struct error *err;
};

static const struct {
	const char *name;
	enum pypi_variable variable;
} variables[] = {
	/* The current names first, in the order of the enum. */
	{ "python_version", PYPI_PYTHON_VERSION },
	{ "python_full_version", PYPI_PYTHON_FULL_VERSION },
	{ "os_name", PYPI_OS_NAME },
	{ "sys_platform", PYPI_SYS_PLATFORM },
	{ "platform_machine", PYPI_PLATFORM_MACHINE },
	{ "platform_python_implementation", PYPI_PLATFORM_PYTHON_IMPLEMENTATION },
	{ "platform_release", PYPI_PLATFORM_RELEASE },
	{ "platform_system", PYPI_PLATFORM_SYSTEM },
	{ "platform_version", PYPI_PLATFORM_VERSION },
	{ "implementation_name", PYPI_IMPLEMENTATION_NAME },
	{ "implementation_version", PYPI_IMPLEMENTATION_VERSION },
	{ "extra", PYPI_EXTRA },
	/* Those of PEP 345 and of setuptools, which old packages have. */
	{ "os.name", PYPI_OS_NAME },
	{ "sys.platform", PYPI_SYS_PLATFORM },
	{ "platform.machine", PYPI_PLATFORM_MACHINE },
	{ "platform.python_implementation", PYPI_PLATFORM_PYTHON_IMPLEMENTATION },
	{ "platform.version", PYPI_PLATFORM_VERSION },
	{ "python_implementation", PYPI_PLATFORM_PYTHON_IMPLEMENTATION },
};

void pypi_marker_free(struct pypi_marker *marker)
{
	if (!marker)
		return;
	free(marker->nodes);
	free(marker);
}

/* --- parse --- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.';
}

static void skip_space(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static size_t word_len(const char *at)
{
	size_t len = 0;

	while (is_word(at[len]))
		len++;
	return len;
}

static bool take_word(struct parser *parser, const char *word)
{
	skip_space(parser);
	if (word_len(parser->at) != strlen(word) || strncmp(parser->at, word, strlen(word)) != 0)
		return false;
	parser->at += strlen(word);
	return true;
}

static int refuse(const struct parser *parser, const char *what)
{
	return error_set(parser->err, EINVAL, "%s is expected in a marker at '%.40s'", what,
			 parser->at);
}

static int new_node(struct parser *parser, const struct node *node, size_t *ret)
{
	struct pypi_marker *marker = parser->marker;

	if (marker->n == PYPI_MARKER_NODES_MAX)
		return error_set(parser->err, E2BIG, "the marker has more than %d comparisons",
				 PYPI_MARKER_NODES_MAX / 2);
	marker->nodes[marker->n] = *node;
	*ret = marker->n++;
	return 0;
}

/* The text ends where its quote did. */
static int parse_text(struct parser *parser, struct operand *ret)
{
	char quote = *parser->at;
	char *end = strchr(parser->at + 1, quote);

	if (!end)
		return refuse(parser, "a closing quote");
	*end = '\0';
	*ret = (struct operand) { _PYPI_VARIABLE_MAX, parser->at + 1 };
	parser->at = end + 1;
	return 0;
}

static int parse_operand(struct parser *parser, struct operand *ret)
{
	skip_space(parser);
	if (*parser->at == '\'' || *parser->at == '"')
		return parse_text(parser, ret);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (take_word(parser, variables[i].name)) {
			*ret = (struct operand) { variables[i].variable, NULL };
			return 0;
		}
	return refuse(parser, "a variable or a text in quotes");
}

static int parse_comparison(struct parser *parser, struct node *node)
{
	static const char *const words[] = { "===", "==", "~=", "!=", "<=", ">=", "<", ">" };

	skip_space(parser);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_starts_with(parser->at, words[i])) {
			parser->at += strlen(words[i]);
			return str_copy(node->word, sizeof(node->word), words[i]);
		}
	if (take_word(parser, "in")) {
		node->comparison = COMPARE_IN;
		return 0;
	}
	if (take_word(parser, "not") && take_word(parser, "in")) {
		node->comparison = COMPARE_NOT_IN;
		return 0;
	}
	return refuse(parser, "a comparison");
}

static int parse_or(struct parser *parser, size_t *ret);

static int parse_parentheses(struct parser *parser, size_t *ret)
{
	int r;

	if (parser->depth == PYPI_MARKER_DEPTH_MAX)
		return error_set(parser->err, E2BIG, "the marker has more than %d parentheses",
				 PYPI_MARKER_DEPTH_MAX);
	parser->at++;
	parser->depth++;
	r = parse_or(parser, ret);
	if (r < 0)
		return r;
	parser->depth--;
	skip_space(parser);
	if (*parser->at != ')')
		return refuse(parser, "')'");
	parser->at++;
	return 0;
}

static int parse_one(struct parser *parser, size_t *ret)
{
	struct node node = { .kind = NODE_COMPARE };
	int r;

	skip_space(parser);
	if (*parser->at == '(')
		return parse_parentheses(parser, ret);
	r = parse_operand(parser, &node.operands[0]);
	if (r == 0)
		r = parse_comparison(parser, &node);
	if (r == 0)
		r = parse_operand(parser, &node.operands[1]);
	return r < 0 ? r : new_node(parser, &node, ret);
}

static int parse_and(struct parser *parser, size_t *ret)
{
	int r = parse_one(parser, ret);

	while (r == 0 && take_word(parser, "and")) {
		struct node node = { .kind = NODE_AND, .left = *ret };

		r = parse_one(parser, &node.right);
		if (r == 0)
			r = new_node(parser, &node, ret);
	}
	return r;
}

static int parse_or(struct parser *parser, size_t *ret)
{
	int r = parse_and(parser, ret);

	while (r == 0 && take_word(parser, "or")) {
		struct node node = { .kind = NODE_OR, .left = *ret };

		r = parse_and(parser, &node.right);
		if (r == 0)
			r = new_node(parser, &node, ret);
	}
	return r;
}

int pypi_marker_parse(const char *text, size_t len, struct pypi_marker **ret, struct error *err)
{
	_cleanup_(pypi_marker_freep) struct pypi_marker *marker = NULL;
	struct parser parser = { .err = err };
	int r;

	if (len > PYPI_MARKER_MAX || memchr(text, '\0', len))
		return error_set(err, EINVAL, "a marker has a NUL or more than %d bytes",
				 PYPI_MARKER_MAX);
	marker = calloc(1, sizeof(*marker) + len + 1);
	if (marker)
		marker->nodes = calloc(PYPI_MARKER_NODES_MAX, sizeof(*marker->nodes));
	if (!marker || !marker->nodes)
		return error_set(err, ENOMEM, "no memory for a marker");
	memcpy(marker->text, text, len);
	parser.marker = marker;
	parser.at = marker->text;
	r = parse_or(&parser, &marker->root);
	if (r < 0)
		return r;
	skip_space(&parser);
	if (*parser.at)
		return refuse(&parser, "the end");
	*ret = TAKE_PTR(marker);
	return 0;
}

/* --- evaluate --- */

/* Whether both sides are versions; then *ret says how they compare. */
static bool compare_versions(const char *left, const char *word, const char *right, bool *ret)
{
	_cleanup_pypi_specifiers_ struct pypi_specifiers specifiers = { 0 };
	struct pypi_version version;
	char text[PYPI_VERSION_MAX + 8];
	int len = snprintf(text, sizeof(text), "%s%s", word, right);

	if (len < 0 || (size_t)len >= sizeof(text) || strchr(right, ',') ||
	    pypi_version_parse(left, strlen(left), &version) < 0 ||
	    pypi_specifiers_parse(text, (size_t)len, &specifiers, NULL) < 0)
		return false;
	*ret = pypi_specifiers_match(&specifiers, &version);
	return true;
}

static bool compare_texts(const char *left, const char *word, const char *right)
{
	int order = strcmp(left, right);

	if (strcmp(word, "===") == 0)
		return strcasecmp(left, right) == 0;
	switch (word[0]) {
	case '=':
		return order == 0;
	case '!':
		return order != 0;
	case '<':
		return order < 0 || (word[1] == '=' && order == 0);
	case '>':
		return order > 0 || (word[1] == '=' && order == 0);
	default:
		return false; /* ~= of what is no version is not defined */
	}
}

/* Only these are versions: a machine named "1.0" is a text. */
static bool is_of_versions(const struct node *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(node->operands); i++) {
		enum pypi_variable variable = node->operands[i].variable;

		if (variable == PYPI_PYTHON_VERSION || variable == PYPI_PYTHON_FULL_VERSION ||
		    variable == PYPI_IMPLEMENTATION_VERSION || variable == PYPI_PLATFORM_RELEASE)
			return true;
	}
	return false;
}

static bool compare(const struct node *node, const char *left, const char *right)
{
	bool ret;

	if (node->comparison == COMPARE_IN)
		return strstr(right, left) != NULL;
	if (node->comparison == COMPARE_NOT_IN)
		return strstr(right, left) == NULL;
	if (is_of_versions(node) && compare_versions(left, node->word, right, &ret))
		return ret;
	return compare_texts(left, node->word, right);
}

static bool compare_node(const struct node *node, const struct pypi_values *values)
{
	char names[2][PYPI_NAME_MAX];
	const char *texts[2];
	bool extra = false;

	for (int i = 0; i < 2; i++) {
		enum pypi_variable variable = node->operands[i].variable;

		texts[i] = variable == _PYPI_VARIABLE_MAX ? node->operands[i].text
							  : values->values[variable];
		extra = extra || variable == PYPI_EXTRA;
	}
	if (!texts[0] || !texts[1])
		return true;
	for (int i = 0; extra && i < 2; i++)
		if (pypi_name_normalize(texts[i], strlen(texts[i]), names[i]) == 0)
			texts[i] = names[i];
	if (extra && node->comparison == COMPARE_VERSION)
		return compare_texts(texts[0], node->word, texts[1]);
	return compare(node, texts[0], texts[1]);
}

static bool node_holds(const struct pypi_marker *marker, size_t at,
		       const struct pypi_values *values)
{
	const struct node *node = &marker->nodes[at];

	switch (node->kind) {
	case NODE_AND:
		return node_holds(marker, node->left, values) &&
		       node_holds(marker, node->right, values);
	case NODE_OR:
		return node_holds(marker, node->left, values) ||
		       node_holds(marker, node->right, values);
	case NODE_COMPARE:
		break;
	}
	return compare_node(node, values);
}

bool pypi_marker_holds(const struct pypi_marker *marker, const struct pypi_values *values)
{
	return !marker || node_holds(marker, marker->root, values);
}

/* --- environments --- */

/* What Python says of the platforms that have tags. */
static const struct system {
	const char *prefix, *os_name, *sys_platform, *platform_system;
} systems[] = {
	{ "manylinux", "posix", "linux", "Linux" }, { "musllinux", "posix", "linux", "Linux" },
	{ "linux", "posix", "linux", "Linux" },	    { "macosx", "posix", "darwin", "Darwin" },
	{ "win", "nt", "win32", "Windows" },
};

static const struct {
	const char *suffix, *machine;
} machines[] = {
	{ "win_amd64", "AMD64" }, { "win32", "x86" },	     { "win_arm64", "ARM64" },
	{ "_x86_64", "x86_64" },  { "_aarch64", "aarch64" }, { "_arm64", "arm64" },
	{ "_i686", "i686" },	  { "_armv7l", "armv7l" },   { "_ppc64le", "ppc64le" },
	{ "_s390x", "s390x" },	  { "_riscv64", "riscv64" }, { "_loongarch64", "loongarch64" },
};

static bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), n = strlen(suffix);

	return len >= n && strcmp(text + len - n, suffix) == 0;
}

static void set_platform(const char *platform, const char **values)
{
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (str_starts_with(platform, systems[i].prefix)) {
			values[PYPI_OS_NAME] = systems[i].os_name;
			values[PYPI_SYS_PLATFORM] = systems[i].sys_platform;
			values[PYPI_PLATFORM_SYSTEM] = systems[i].platform_system;
			break;
		}
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (ends_with(platform, machines[i].suffix)) {
			values[PYPI_PLATFORM_MACHINE] = machines[i].machine;
			break;
		}
}

void pypi_target_init(const struct pypi_environment *environment, struct pypi_target *ret)
{
	bool pypy = strcmp(environment->implementation, "pypy") == 0;
	const char **values = ret->values.values;

	*ret = (struct pypi_target) { .environment = *environment };
	if (sscanf(environment->python, "3.%u", &ret->minor) != 1)
		ret->minor = 0;
	values[PYPI_PYTHON_VERSION] = ret->environment.python;
	values[PYPI_IMPLEMENTATION_NAME] = pypy ? "pypy" : "cpython";
	values[PYPI_PLATFORM_PYTHON_IMPLEMENTATION] = pypy ? "PyPy" : "CPython";
	set_platform(environment->platform, values);
}

void pypi_target_python(const struct pypi_target *target, unsigned int repair,
			char ret[PYPI_PYTHON_MAX])
{
	(void)snprintf(ret, PYPI_PYTHON_MAX, "3.%u.%u", target->minor, repair);
}

/* Whether it matters to a marker which repair of Python there is. */
static bool has_repair(const struct pypi_marker *marker)
{
	for (size_t i = 0; marker && i < marker->n; i++)
		for (int k = 0; k < 2; k++) {
			enum pypi_variable variable = marker->nodes[i].operands[k].variable;

			if (marker->nodes[i].kind == NODE_COMPARE &&
			    (variable == PYPI_PYTHON_FULL_VERSION ||
			     variable == PYPI_IMPLEMENTATION_VERSION))
				return true;
		}
	return false;
}

bool pypi_target_holds(const struct pypi_target *target, const struct pypi_marker *marker,
		       const char *extra)
{
	struct pypi_values values = { { NULL } };
	unsigned int last = target && has_repair(marker) ? PYPI_REPAIRS_MAX : 0;

	if (target)
		values = target->values;
	values.values[PYPI_EXTRA] = extra;
	for (unsigned int repair = 0; repair <= last; repair++) {
		char python[PYPI_PYTHON_MAX] = "";

		if (target) {
			pypi_target_python(target, repair, python);
			values.values[PYPI_PYTHON_FULL_VERSION] = python;
		}
		/* The version of PyPy itself is not known. */
		if (target && strcmp(values.values[PYPI_IMPLEMENTATION_NAME], "cpython") == 0)
			values.values[PYPI_IMPLEMENTATION_VERSION] = python;
		if (pypi_marker_holds(marker, &values))
			return true;
	}
	return false;
}
