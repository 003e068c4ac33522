/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/macro.h"

#define NODE_NAME_VARIABLE "NODE_NAME"

/* Takes the quotes and escapes off a value, in place; values of labels need but two
 * escapes.  Returns false if it is not quoted to its end. */
static bool unquote(char *text)
{
	char *out = text;
	size_t len = strlen(text);

	if (len < 2 || text[0] != '"' || text[len - 1] != '"')
		return false;
	for (const char *in = text + 1; in < text + len - 1; in++) {
		if (*in == '"')
			return false;
		if (*in == '\\' && (++in == text + len - 1 || (*in != '\\' && *in != '"')))
			return false;
		*out++ = *in;
	}
	*out = '\0';
	return true;
}

static bool parse_label(char *line, struct policy_label *ret)
{
	char *equals = strchr(line, '=');

	if (!equals || equals == line)
		return false;
	*equals = '\0';
	*ret = (struct policy_label) { .key = line, .value = equals + 1 };
	return equals[1] != '"' || unquote(equals + 1);
}

static int parse_labels(struct node_identity *identity, const char *path, struct error *err)
{
	char *rest = identity->text;
	size_t number = 0;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		number++;
		if (line[0] == '\0')
			continue;
		if (identity->node.n_labels == POLICY_LABELS_MAX)
			return error_set(err, E2BIG, "%s:%zu: more than %d labels", path, number,
					 POLICY_LABELS_MAX);
		if (!parse_label(line, &identity->labels[identity->node.n_labels]))
			return error_set(err, EINVAL, "%s:%zu: is no label, expected key=\"value\"",
					 path, number);
		identity->node.n_labels++;
	}
	return 0;
}

static int load_labels(struct node_identity *identity, const char *path, struct error *err)
{
	ssize_t len;

	identity->text = malloc(NODE_LABELS_FILE_MAX + 1);
	identity->labels = calloc(POLICY_LABELS_MAX, sizeof(*identity->labels));
	if (!identity->text || !identity->labels)
		return error_set(err, ENOMEM, "no memory for the labels of the node");
	len = file_read(AT_FDCWD, path, identity->text, NODE_LABELS_FILE_MAX + 1, err);
	if (len < 0)
		return (int)len;
	if (strlen(identity->text) != (size_t)len)
		return error_set(err, EINVAL, "'%s' is no text", path);
	identity->node.labels = identity->labels;
	return parse_labels(identity, path, err);
}

int node_identity_load(const char *name, const char *labels_path, struct node_identity *ret,
		       struct error *err)
{
	_cleanup_node_identity_ struct node_identity identity = { 0 };
	int r = 0;

	if (!name)
		name = getenv(NODE_NAME_VARIABLE);
	identity.node.name = name ? name : "";
	if (labels_path)
		r = load_labels(&identity, labels_path, err);
	if (r < 0)
		return r;
	*ret = identity;
	identity = (struct node_identity) { 0 };
	return 0;
}

void node_identity_done(struct node_identity *identity)
{
	int saved_errno = errno;

	free(identity->text);
	free(identity->labels);
	*identity = (struct node_identity) { 0 };
	errno = saved_errno;
}
