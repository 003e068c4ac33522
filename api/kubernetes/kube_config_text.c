/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kubeconfig as text.
 *
 * It is read once, front to back: what has a row in one of the tables below is kept,
 * everything else is skipped, as later versions and other programs may add to it.
 * Then the current context says which cluster and which user are meant.
 */
#include "api/kubernetes/kube_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/config/reader.h"
#include "api/kubernetes/base64.h"
#include "api/kubernetes/kube_config_check.h"
#include "api/kubernetes/kube_path.h"
#include "api/kubernetes/secret.h"
#include "base/macro.h"

#define ENTRIES_MAX 256 /* of one list: several times what one person's file has */
#define DEPTH_MAX 32	/* of what is skipped: extensions are objects, exec a list in one */
#define KEY_SIZE 256	/* bytes with the NUL of a key: several times the longest that has a row */

enum list {
	CLUSTERS,
	CONTEXTS,
	USERS,
	_LIST_MAX,
};

enum key {
	CLUSTER_SERVER,
	CLUSTER_CA,
	CLUSTER_CA_DATA,
	CLUSTER_INSECURE,
	CLUSTER_SERVER_NAME,
	CLUSTER_PROXY,
	CONTEXT_CLUSTER,
	CONTEXT_USER,
	CONTEXT_NAMESPACE,
	USER_CERT,
	USER_CERT_DATA,
	USER_KEY,
	USER_KEY_DATA,
	USER_TOKEN,
	USER_TOKEN_FILE,
	USER_EXEC,
	USER_AUTH_PROVIDER,
	USER_USERNAME,
	USER_PASSWORD,
	USER_AS,
	USER_AS_UID,
	USER_AS_GROUPS,
	USER_AS_EXTRA,
	_KEY_MAX,
};

static const struct list_row {
	const char *name;
	const char *entry; /* key of what an entry holds, beside its name */
} list_rows[_LIST_MAX] = {
	[CLUSTERS] = { "clusters", "cluster" },
	[CONTEXTS] = { "contexts", "context" },
	[USERS] = { "users", "user" },
};

#define FETCHES "fetches credentials by a program, which is not supported; "
#define INSTEAD "use a token, a tokenFile or a client certificate"
#define IMPERSONATES "is impersonation, which is not supported; use a user with rights of its own"
#define PASSWORD "is a password, which no API server accepts since Kubernetes 1.19; " INSTEAD

static const struct key_row {
	enum list list;
	const char *name;
	const char *refused; /* why the key must not be used; NULL when it may */
} key_rows[_KEY_MAX] = {
	[CLUSTER_SERVER] = { CLUSTERS, "server", NULL },
	[CLUSTER_CA] = { CLUSTERS, "certificate-authority", NULL },
	[CLUSTER_CA_DATA] = { CLUSTERS, "certificate-authority-data", NULL },
	[CLUSTER_INSECURE] = { CLUSTERS, "insecure-skip-tls-verify", NULL },
	[CLUSTER_SERVER_NAME] = { CLUSTERS, "tls-server-name", NULL },
	[CLUSTER_PROXY] = { CLUSTERS, "proxy-url", NULL },
	[CONTEXT_CLUSTER] = { CONTEXTS, "cluster", NULL },
	[CONTEXT_USER] = { CONTEXTS, "user", NULL },
	[CONTEXT_NAMESPACE] = { CONTEXTS, "namespace", NULL },
	[USER_CERT] = { USERS, "client-certificate", NULL },
	[USER_CERT_DATA] = { USERS, "client-certificate-data", NULL },
	[USER_KEY] = { USERS, "client-key", NULL },
	[USER_KEY_DATA] = { USERS, "client-key-data", NULL },
	[USER_TOKEN] = { USERS, "token", NULL },
	[USER_TOKEN_FILE] = { USERS, "tokenFile", NULL },
	[USER_EXEC] = { USERS, "exec", FETCHES INSTEAD },
	[USER_AUTH_PROVIDER] = { USERS, "auth-provider", FETCHES INSTEAD },
	[USER_USERNAME] = { USERS, "username", PASSWORD },
	[USER_PASSWORD] = { USERS, "password", PASSWORD },
	[USER_AS] = { USERS, "as", IMPERSONATES },
	[USER_AS_UID] = { USERS, "as-uid", IMPERSONATES },
	[USER_AS_GROUPS] = { USERS, "as-groups", IMPERSONATES },
	[USER_AS_EXTRA] = { USERS, "as-user-extra", IMPERSONATES },
};

struct entry {
	struct reader_mark mark;
	char *name;
	char *values[_KEY_MAX];
};

struct entries {
	struct entry *at;
	size_t n;
};

struct kubeconfig {
	struct reader *reader;
	struct entries lists[_LIST_MAX];
	struct reader_mark current_mark;
	char *current;
};

static void entry_done(struct entry *entry)
{
	free(entry->name);
	for (size_t i = 0; i < _KEY_MAX; i++)
		secret_free(entry->values[i]);
}

static void kubeconfig_done(struct kubeconfig *file)
{
	for (size_t i = 0; i < _LIST_MAX; i++) {
		for (size_t j = 0; j < file->lists[i].n; j++)
			entry_done(&file->lists[i].at[j]);
		free(file->lists[i].at);
	}
	free(file->current);
	reader_free(file->reader);
}

/* No value is repeated in an error: it may be a secret. */
static int refuse(const struct kubeconfig *file, struct reader_mark mark, const char *what,
		  const char *why, struct error *err)
{
	int r = error_set(err, EINVAL, "%s %s", what, why);

	(void)reader_locate(file->reader, mark, r, err);
	return r;
}

/* Goes past a node that has begun. */
static int skip(const struct kubeconfig *file, struct reader_node node, struct error *err)
{
	size_t depth = 0;
	int r;

	for (;;) {
		depth += node.kind == READER_MAPPING || node.kind == READER_LIST;
		depth -= node.kind == READER_MAPPING_END || node.kind == READER_LIST_END;
		if (depth > DEPTH_MAX)
			return reader_locate(file->reader, node.mark,
					     error_set(err, EFBIG, "nests too deep"), err);
		if (depth == 0)
			return 0;
		r = reader_next(file->reader, &node, err);
		if (r < 0)
			return r;
	}
}

static bool is_scalar(const struct reader_node *node)
{
	return node->kind <= READER_NULL;
}

/* Keeps the text of a scalar; nothing for null. */
static int keep(const struct kubeconfig *file, const struct reader_node *node, const char *what,
		char **ret, struct error *err)
{
	if (!is_scalar(node))
		return refuse(file, node->mark, what, "is no text", err);
	if (node->kind == READER_NULL || node->text[0] == '\0')
		return 0;
	if (*ret)
		return refuse(file, node->mark, what, "is there twice", err);
	*ret = strdup(node->text);
	return *ret ? 0 : error_set(err, ENOMEM, "no memory for a kubeconfig");
}

/* A key that must not be used may be there without a value. */
static int keep_refused(const struct kubeconfig *file, const struct reader_node *node, char **ret,
			struct error *err)
{
	bool empty = is_scalar(node) && (node->kind == READER_NULL || node->text[0] == '\0');

	if (!empty && !*ret) {
		*ret = strdup("");
		if (!*ret)
			return error_set(err, ENOMEM, "no memory for a kubeconfig");
	}
	return skip(file, *node, err);
}

static int read_value(const struct kubeconfig *file, const struct reader_node *node, enum key key,
		      struct entry *entry, struct error *err)
{
	const struct key_row *row = &key_rows[key];

	if (row->refused)
		return keep_refused(file, node, &entry->values[key], err);
	if (key == CLUSTER_INSECURE && node->kind != READER_BOOLEAN && node->kind != READER_NULL)
		return refuse(file, node->mark, row->name, "is neither true nor false", err);
	return keep(file, node, row->name, &entry->values[key], err);
}

static int find_key(enum list list, const char *name)
{
	for (int i = 0; i < _KEY_MAX; i++)
		if (key_rows[i].list == list && strcmp(key_rows[i].name, name) == 0)
			return i;
	return -ENOENT;
}

typedef int (*member_fn)(struct kubeconfig *file, void *ctx, const char *key,
			 const struct reader_node *value, struct error *err);

/* Calls a function for each member of a mapping that has begun; it goes past the value. */
static int each_member(struct kubeconfig *file, const struct reader_node *begin, const char *what,
		       member_fn fn, void *ctx, struct error *err)
{
	struct reader_node node;
	char key[KEY_SIZE];
	int r;

	if (begin->kind == READER_NULL)
		return 0;
	if (begin->kind != READER_MAPPING)
		return refuse(file, begin->mark, what, "is no mapping", err);
	for (;;) {
		r = reader_next(file->reader, &node, err);
		if (r < 0 || node.kind == READER_MAPPING_END)
			return r;
		if (!is_scalar(&node) || strlen(node.text) >= sizeof(key))
			return refuse(file, node.mark, what, "has a key that is none", err);
		memcpy(key, node.text, strlen(node.text) + 1);
		r = reader_next(file->reader, &node, err);
		if (r == 0)
			r = fn(file, ctx, key, &node, err);
		if (r < 0)
			return r;
	}
}

struct entry_reading {
	enum list list;
	struct entry *entry;
};

/* A member of what "cluster", "context" or "user" holds. */
static int read_property(struct kubeconfig *file, void *ctx, const char *key,
			 const struct reader_node *value, struct error *err)
{
	struct entry_reading *reading = ctx;
	int found = find_key(reading->list, key);

	return found < 0 ? skip(file, *value, err)
			 : read_value(file, value, (enum key)found, reading->entry, err);
}

static int read_entry_member(struct kubeconfig *file, void *ctx, const char *key,
			     const struct reader_node *value, struct error *err)
{
	struct entry_reading *reading = ctx;

	if (strcmp(key, "name") == 0)
		return keep(file, value, "name", &reading->entry->name, err);
	if (strcmp(key, list_rows[reading->list].entry) == 0)
		return each_member(file, value, key, read_property, reading, err);
	return skip(file, *value, err);
}

static int add_entry(struct kubeconfig *file, enum list list, struct reader_mark mark,
		     struct entry **ret, struct error *err)
{
	struct entries *entries = &file->lists[list];

	if (entries->n >= ENTRIES_MAX)
		return reader_locate(
			file->reader, mark,
			error_set(err, EFBIG, "more than %d %s", ENTRIES_MAX, list_rows[list].name),
			err);
	if (!entries->at)
		entries->at = calloc(ENTRIES_MAX, sizeof(*entries->at));
	if (!entries->at)
		return error_set(err, ENOMEM, "no memory for a kubeconfig");
	*ret = &entries->at[entries->n++];
	(*ret)->mark = mark;
	return 0;
}

static int read_list(struct kubeconfig *file, enum list list, const struct reader_node *begin,
		     struct error *err)
{
	struct entry_reading reading = { .list = list };
	struct reader_node node;
	int r;

	if (begin->kind == READER_NULL)
		return 0;
	if (begin->kind != READER_LIST)
		return refuse(file, begin->mark, list_rows[list].name, "is no list", err);
	for (;;) {
		r = reader_next(file->reader, &node, err);
		if (r < 0 || node.kind == READER_LIST_END)
			return r;
		r = add_entry(file, list, node.mark, &reading.entry, err);
		if (r == 0)
			r = each_member(file, &node, list_rows[list].name, read_entry_member,
					&reading, err);
		if (r < 0)
			return r;
	}
}

static int read_kind(const struct kubeconfig *file, const struct reader_node *value,
		     struct error *err)
{
	if (!is_scalar(value) || (value->kind != READER_NULL && strcmp(value->text, "Config") != 0))
		return refuse(file, value->mark, "kind", "is not Config: this is no kubeconfig",
			      err);
	return 0;
}

static int read_member(struct kubeconfig *file, void *ctx _unused_, const char *key,
		       const struct reader_node *value, struct error *err)
{
	for (size_t i = 0; i < _LIST_MAX; i++)
		if (strcmp(key, list_rows[i].name) == 0)
			return read_list(file, (enum list)i, value, err);
	if (strcmp(key, "kind") == 0)
		return read_kind(file, value, err);
	if (strcmp(key, "current-context") != 0)
		return skip(file, *value, err);
	file->current_mark = value->mark;
	return keep(file, value, key, &file->current, err);
}

static int read_text(struct kubeconfig *file, struct error *err)
{
	struct reader_node node;
	int r = reader_next(file->reader, &node, err);

	if (r == 0 && node.kind == READER_END)
		return refuse(file, node.mark, "the file", "is empty", err);
	if (r == 0)
		r = each_member(file, &node, "a kubeconfig", read_member, NULL, err);
	/* What is behind the document must be nothing. */
	return r < 0 ? r : reader_next(file->reader, &node, err);
}

/* Finds the entry of a list by its name. */
static int find_entry(const struct kubeconfig *file, enum list list, const char *name,
		      struct reader_mark mark, const struct entry **ret, struct error *err)
{
	const struct entries *entries = &file->lists[list];
	const struct entry *found = NULL;
	char quoted[READER_QUOTE_MAX];

	for (size_t i = 0; i < entries->n; i++) {
		if (!entries->at[i].name || strcmp(entries->at[i].name, name) != 0)
			continue;
		if (found)
			return refuse(file, entries->at[i].mark, list_rows[list].entry,
				      "has the name of an earlier one", err);
		found = &entries->at[i];
	}
	if (!found) {
		int r = error_set(err, ENOENT, "no %s '%s' in this file", list_rows[list].entry,
				  reader_quote(quoted, name));

		(void)reader_locate(file->reader, mark, r, err);
		return r;
	}
	*ret = found;
	return 0;
}

static int check_refused(const struct kubeconfig *file, const struct entry *entry,
			 struct error *err)
{
	for (size_t i = 0; i < _KEY_MAX; i++)
		if (entry->values[i] && key_rows[i].refused)
			return reader_locate(file->reader, entry->mark,
					     error_set(err, EOPNOTSUPP, "'%s' %s", key_rows[i].name,
						       key_rows[i].refused),
					     err);
	return 0;
}

/* Files are relative to the kubeconfig, not to where the program happens to run. */
static int resolve(const char *path, const char *kubeconfig, char **ret)
{
	const char *slash = strrchr(kubeconfig, '/');
	int len = slash && path[0] != '/' ? (int)(slash - kubeconfig) + 1 : 0;

	if (asprintf(ret, "%.*s%s", len, kubeconfig, path) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

enum form {
	FORM_TEXT,
	FORM_PATH,
	FORM_BASE64,
};

/* Which key becomes what. */
static const struct {
	enum key key;
	enum form form;
	size_t offset; /* of a char * in struct kube_config */
} fields[] = {
	{ CLUSTER_SERVER, FORM_TEXT, offsetof(struct kube_config, server) },
	{ CLUSTER_CA, FORM_PATH, offsetof(struct kube_config, ca_file) },
	{ CLUSTER_CA_DATA, FORM_BASE64, offsetof(struct kube_config, ca_data) },
	{ CLUSTER_SERVER_NAME, FORM_TEXT, offsetof(struct kube_config, tls_server_name) },
	{ CLUSTER_PROXY, FORM_TEXT, offsetof(struct kube_config, proxy_url) },
	{ CONTEXT_NAMESPACE, FORM_TEXT, offsetof(struct kube_config, namespace_) },
	{ USER_CERT, FORM_PATH, offsetof(struct kube_config, client_cert_file) },
	{ USER_CERT_DATA, FORM_BASE64, offsetof(struct kube_config, client_cert_data) },
	{ USER_KEY, FORM_PATH, offsetof(struct kube_config, client_key_file) },
	{ USER_KEY_DATA, FORM_BASE64, offsetof(struct kube_config, client_key_data) },
	{ USER_TOKEN, FORM_TEXT, offsetof(struct kube_config, token) },
	{ USER_TOKEN_FILE, FORM_PATH, offsetof(struct kube_config, token_file) },
};

static int set_field(const char *value, enum form form, const char *path, char **ret)
{
	switch (form) {
	case FORM_PATH:
		return resolve(value, path, ret);
	case FORM_BASE64:
		return base64_decode_text(value, ret);
	default:
		*ret = strdup(value);
		return *ret ? 0 : -ENOMEM;
	}
}

static int set_fields(const struct kubeconfig *file, const struct entry *entry, const char *path,
		      struct kube_config *config, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = entry->values[fields[i].key];
		char **field = (char **)((char *)config + fields[i].offset);
		int r = value ? set_field(value, fields[i].form, path, field) : 0;

		if (r == -ENOMEM)
			return error_set(err, ENOMEM, "no memory for a kubeconfig");
		if (r < 0)
			return refuse(file, entry->mark, key_rows[fields[i].key].name,
				      "is no text in base64", err);
	}
	return 0;
}

/* What a context does not say, and what goes before what. */
static int complete(const struct kubeconfig *file, const struct entry *cluster,
		    struct kube_config *config, struct error *err)
{
	const char *insecure = cluster->values[CLUSTER_INSECURE];
	int r;

	config->insecure_skip_tls_verify =
		insecure && (strcasecmp(insecure, "true") == 0 ||
			     strcasecmp(insecure, "yes") == 0 || strcasecmp(insecure, "on") == 0);
	if (!config->namespace_)
		config->namespace_ = strdup("default");
	if (!config->namespace_)
		return error_set(err, ENOMEM, "no memory for a kubeconfig");
	r = kube_name_check("namespace", config->namespace_, err);
	if (r == 0)
		r = kube_config_check(config, err);
	return r < 0 ? reader_locate(file->reader, cluster->mark, r, err) : 0;
}

static int choose(const struct kubeconfig *file, const char *path, struct kube_config *config,
		  struct error *err)
{
	const struct entry *context, *cluster, *user = NULL;
	int r;

	if (!file->current)
		return error_set(err, ENOENT,
				 "'%s' has no current-context; set one with "
				 "kubectl config use-context",
				 path);
	r = find_entry(file, CONTEXTS, file->current, file->current_mark, &context, err);
	if (r < 0)
		return r;
	if (!context->values[CONTEXT_CLUSTER])
		return refuse(file, context->mark, "the context", "names no cluster", err);
	r = find_entry(file, CLUSTERS, context->values[CONTEXT_CLUSTER], context->mark, &cluster,
		       err);
	if (r == 0 && context->values[CONTEXT_USER])
		r = find_entry(file, USERS, context->values[CONTEXT_USER], context->mark, &user,
			       err);
	if (r == 0 && user)
		r = check_refused(file, user, err);
	if (r == 0 && user)
		r = set_fields(file, user, path, config, err);
	if (r == 0)
		r = set_fields(file, context, path, config, err);
	if (r == 0)
		r = set_fields(file, cluster, path, config, err);
	return r < 0 ? r : complete(file, cluster, config, err);
}

int kube_config_from_text(const char *text, size_t len, const char *path, struct kube_config *ret,
			  struct error *err)
{
	_cleanup_(kubeconfig_done) struct kubeconfig file = { 0 };
	_cleanup_kube_config_ struct kube_config config = { 0 };
	int r;

	if (len > KUBE_CONFIG_SIZE_MAX)
		return error_set(err, EFBIG, "'%s' is longer than %d bytes", path,
				 KUBE_CONFIG_SIZE_MAX);
	r = reader_new(&file.reader, text, len, path, err);
	if (r < 0)
		return r;
	reader_set_scalar_max(file.reader, KUBE_CONFIG_SIZE_MAX);
	r = read_text(&file, err);
	if (r == 0)
		r = choose(&file, path, &config, err);
	if (r < 0)
		return r;
	*ret = config;
	config = (struct kube_config) { 0 };
	return 0;
}
